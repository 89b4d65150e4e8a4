// The pages of one file: which are free (space_map.h), when released ones may be used again, the
// file's growth, and a reserve.
//
// What is released in generation g may still be reached by whoever reads it (a pin) and by the
// checkpoint that is on the device. It comes free when checkpoint g + 1 is durable and the last
// pin of generation g or less is gone (keeps B3). Used by the writer.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <vector>

#include "internal/base/status.h"
#include "internal/blockfile/space_map.h"
#include "internal/io/file.h"

namespace spillway::blockfile {

class Space {
 public:
  struct Policy {
    uint64_t growth_pages_least = 0;
    uint64_t growth_pages_most = 0;
    uint64_t reserve_pages = 0;
  };
  // What for: kUrgent may take from the reserve, so that what gives space back works on a full
  // disk.
  enum class Need { kUsual, kUrgent };

  Space(io::File* file, uint64_t page_bytes, const Policy& policy)
      : file_(file), page_bytes_(page_bytes), policy_(policy), map_(page_bytes) {}

  SpaceMap& map() { return map_; }
  const SpaceMap& map() const { return map_; }
  uint64_t page_bytes() const { return page_bytes_; }

  // While the file is to become shorter: what is held from now on lies in front of that page if
  // there is room. UINT64_MAX: anywhere.
  void PreferBelow(uint64_t page) { preferred_end_ = page; }
  uint64_t preferred_end() const { return preferred_end_; }

  // One run of free pages, held from now on; the file grows if there is none so long. kFull: it
  // cannot.
  base::Status Hold(uint64_t pages, Need need, PageRun* run);
  // The same for what takes many runs: shorter ones, of at least `least`, if they save fresh space.
  base::Status HoldRegion(uint64_t least, uint64_t pages, Need need, PageRun* run);
  // Up to so many, at least one.
  base::Status HoldUpTo(uint64_t pages, Need need, PageRun* run);
  // Up to so many, but at least `least`, all of them where PreferBelow wants them; none if there
  // are not so many.
  PageRun HoldPreferred(uint64_t least, uint64_t pages);
  // Held pages become part of what the file holds.
  base::Status Keep(const PageRun& run);
  // Held pages that nothing has named, or kept ones that nothing durable has, are free again.
  base::Status GiveBack(const PageRun& run);
  // Nothing of the next generation refers to these used pages. Takes back: what would have
  // forgotten them has failed; the latest releases, down to `count`.
  base::Status Release(const PageRun& run);
  base::Status TakeBackReleases(size_t count);
  size_t releases() const { return current_.size(); }
  uint64_t released_pages() const { return released_pages_; }
  // The same for held pages that nothing will name, but somebody may be reading.
  void ReleaseHeld(const PageRun& run) {
    current_.push_back(run);
    released_pages_ += run.pages;
  }
  // So that so many releases need no memory.
  void ReserveReleases(size_t more) { current_.reserve(current_.size() + more); }

  // The checkpoint that ends the generation of that pin is on the device: what was released until
  // now waits for its pins only. PrepareEnd takes the memory for that beforehand.
  void PrepareEnd();
  void EndGeneration(const std::weak_ptr<const void>& pin) noexcept;
  // Frees what waits no more.
  base::Status Reclaim();

  // Makes sure that there is one free run so long. kFull.
  base::Status MakeRoom(uint64_t pages);
  // Holds the reserve, or as much of it as there is room for; and lets it go.
  enum class MayGrow { kNo, kYes };
  void FillReserve(MayGrow may_grow);
  base::Status DropReserve();
  // To the first place that has room for it, so that the end of the file comes free.
  base::Status MoveReserve();
  // The map ends there; the pages behind were free.
  void Shrink(uint64_t pages);

 private:
  struct Batch {
    std::weak_ptr<const void> pin;
    std::vector<PageRun> runs;
  };
  base::Status Grow(uint64_t pages);
  // Halving from `pages` down to `least`, in front of `below`.
  PageRun HoldShorter(uint64_t least, uint64_t pages, uint64_t below);
  // After it gave its pages away: whatever the caller leaves is the reserve again.
  template <class Try>
  base::Status FromReserve(const base::Status& full, Try&& attempt);

  io::File* const file_;
  const uint64_t page_bytes_;
  const Policy policy_;
  SpaceMap map_;
  // Nobody has written beyond it, as far as is known. Space that was written before costs less to
  // write than fresh space.
  uint64_t fresh_from_ = UINT64_MAX;
  uint64_t preferred_end_ = UINT64_MAX;
  PageRun reserve_;               // held; no pages: there is none
  std::vector<PageRun> current_;  // released in this generation
  uint64_t released_pages_ = 0;   // of them
  std::list<Batch> waiting_;      // oldest generation first
  std::list<Batch> spare_;        // for the generation that ends next
};

}  // namespace spillway::blockfile
