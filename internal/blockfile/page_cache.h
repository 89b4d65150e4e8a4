// Proved pages in memory, up to a number of them. Who needs room takes it from a page that nobody
// looked at since the last such search came by (clock); a page that was only put there is such a
// one, so a walk through the tree does not drive out what is used again and again.
//
// Thread-safe: pages are spread over shards, each with its own mutex.
#pragma once

#include <cstdint>
#include <vector>

#include "internal/base/mutex.h"
#include "internal/blockfile/page_io.h"

namespace spillway::blockfile {

class PageCache {
 public:
  explicit PageCache(uint64_t pages_most);

  // False: it is not here, or what is here is not what the reference says.
  bool Find(const PageRef& ref, PageBuffer* page);
  // Instead of what was there in that place, if anything was.
  void Keep(const PageBuffer& page);

 private:
  static constexpr uint64_t kShards = 16;
  static constexpr uint64_t kShardPagesLeast = 64;  // else there is one shard

  // A place of the table; 0: it is free, for page 0 holds a superblock.
  struct Entry {
    uint64_t page = 0;
    PageBuffer buffer;
  };
  // A table with linear probing, at most half full, so that a search waits for one cache line.
  struct alignas(64) Shard {
    base::Mutex mu;
    std::vector<Entry> table SPW_GUARDED_BY(mu);  // a power of two
    uint64_t pages SPW_GUARDED_BY(mu) = 0;
    uint64_t hand SPW_GUARDED_BY(mu) = 0;

    // Where that page stands, or the free place for it.
    Entry& At(uint64_t page) SPW_REQUIRES(mu);
    void Grow() SPW_REQUIRES(mu);
    void Evict() SPW_REQUIRES(mu);
    void Erase(uint64_t place) SPW_REQUIRES(mu);
  };
  Shard& ShardOf(uint64_t page);

  const uint64_t shard_pages_most_;
  std::vector<Shard> shards_;
};

}  // namespace spillway::blockfile
