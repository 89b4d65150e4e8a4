// The pages of one file: which are free (space_map.h), when released ones may be used again, and
// the file's growth.
//
// What is released in generation g may still be reached by whoever reads it (GenerationPin) and by
// the checkpoint that is on the device. It comes free when checkpoint g + 1 is durable and the last
// pin of generation g or less is gone (keeps B3). Used by the writer.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "internal/base/status.h"
#include "internal/blockfile/space_map.h"
#include "internal/io/file.h"

namespace spillway::blockfile {

// Held by who reads: while one of a generation lives, no page that it reaches is used again.
struct Generation {};
using GenerationPin = std::shared_ptr<const Generation>;

class Space {
 public:
  struct Growth {
    uint64_t pages_least = (uint64_t{10} << 20) / 4096;
    uint64_t pages_most = (uint64_t{256} << 20) / 4096;
  };
  Space(io::File* file, uint64_t page_bytes, const Growth& growth)
      : file_(file), page_bytes_(page_bytes), growth_(growth), map_(page_bytes) {}

  SpaceMap& map() { return map_; }
  const SpaceMap& map() const { return map_; }
  uint64_t page_bytes() const { return page_bytes_; }

  // One run of free pages; the file grows if there is none so long. kFull: it cannot.
  base::Status Allocate(uint64_t pages, PageRun* run);
  // Up to so many, at least one.
  base::Status AllocateUpTo(uint64_t pages, PageRun* run);
  // Gives pages back that nothing has referred to yet.
  base::Status GiveBack(const PageRun& run);
  // Nothing of the next generation refers to it.
  base::Status Release(const PageRun& run);
  // Takes the latest releases back, down to `count` (see releases()).
  base::Status TakeBackReleases(size_t count);
  size_t releases() const { return current_.size(); }

  // The checkpoint that ends `ending` is on the device: what was released until now waits for its
  // pins only.
  void EndGeneration(const GenerationPin& ending);
  // Frees what waits no more.
  base::Status Reclaim();

 private:
  struct Batch {
    std::weak_ptr<const Generation> pin;
    std::vector<PageRun> runs;
  };
  base::Status Grow(uint64_t pages);

  io::File* const file_;
  const uint64_t page_bytes_;
  const Growth growth_;
  SpaceMap map_;
  std::vector<PageRun> current_;  // released in this generation
  std::deque<Batch> waiting_;     // oldest generation first
};

}  // namespace spillway::blockfile
