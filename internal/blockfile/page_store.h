// The registry's pages in the file: read through a cache in which each is proved once, written in
// long runs.
//
// Read is for any thread. The rest is the writer's: Begin, then Write and Release, then End. Abort,
// at any time before the next Begin, leaves the space as it was.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "internal/base/mutex.h"
#include "internal/blockfile/page_cache.h"
#include "internal/blockfile/page_io.h"
#include "internal/blockfile/space.h"
#include "internal/io/file.h"

namespace spillway::blockfile {

class PageStore final : public PageSource, public PageSink {
 public:
  PageStore(io::File* file, const Digester& digester, Space* space, uint64_t cached_pages)
      : file_(file), digester_(digester), space_(space), cache_(cached_pages) {}

  uint64_t page_bytes() const override { return space_->page_bytes(); }
  uint64_t digest_bytes() const override { return digester_.digest_bytes(); }
  base::Status Read(const PageRef& ref, PageBuffer* page) override SPW_EXCLUDES(mu_);

  // What stands on disk now, whatever the cache has.
  base::Status ReadUncached(const PageRef& ref, PageBuffer* page);

  void Begin();
  base::Status Write(std::span<const uint8_t> page, PageRef* ref) override;
  base::Status Release(const PageRef& ref) override;
  // Writes what is still in memory and gives back the pages that were not needed.
  base::Status End();
  base::Status Abort();

 private:
  base::Status WriteOut() SPW_EXCLUDES(mu_);

  io::File* const file_;
  const Digester digester_;
  Space* const space_;
  PageCache cache_;

  // The writer's.
  PageRun run_;                  // pages to be used next
  std::vector<uint8_t> buffer_;  // for the pages right before them
  std::vector<PageRun> taken_;   // since Begin
  size_t releases_before_ = 0;

  base::Mutex mu_;
  std::unordered_map<uint64_t, PageBuffer> unwritten_ SPW_GUARDED_BY(mu_);  // in buffer_
};

}  // namespace spillway::blockfile
