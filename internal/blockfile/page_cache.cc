#include "internal/blockfile/page_cache.h"

#include <utility>

namespace spillway::blockfile {

using base::MutexLock;

namespace {

// Neighbours go to different shards, and the pages of a shard to different places.
uint64_t Spread(uint64_t page) { return page * 0x9e3779b97f4a7c15; }
uint64_t HomeOf(uint64_t page, uint64_t places) { return Spread(page) >> 24 & (places - 1); }

}  // namespace

PageCache::PageCache(uint64_t pages_most)
    : shard_pages_most_(pages_most < kShards * kShardPagesLeast ? pages_most
                                                                : pages_most / kShards),
      shards_(pages_most < kShards * kShardPagesLeast ? 1 : kShards) {
  for (Shard& shard : shards_) {
    MutexLock lock(shard.mu);
    shard.table.resize(8);
  }
}

PageCache::Shard& PageCache::ShardOf(uint64_t page) {
  return shards_[(Spread(page) >> 60) % shards_.size()];
}

PageCache::Entry& PageCache::Shard::At(uint64_t page) {
  uint64_t place = HomeOf(page, table.size());
  while (table[place].page != 0 && table[place].page != page) {
    place = (place + 1) & (table.size() - 1);
  }
  return table[place];
}

void PageCache::Shard::Grow() {
  std::vector<Entry> larger(table.size() * 2);
  larger.swap(table);
  for (Entry& entry : larger) {
    if (entry.page != 0) {
      At(entry.page) = std::move(entry);
    }
  }
}

// Moves those that stand behind it because it was taken to where they are looked for.
void PageCache::Shard::Erase(uint64_t place) {
  const uint64_t mask = table.size() - 1;
  uint64_t hole = place;
  for (uint64_t next = (hole + 1) & mask; table[next].page != 0; next = (next + 1) & mask) {
    const uint64_t home = HomeOf(table[next].page, table.size());
    if (((next - home) & mask) >= ((next - hole) & mask)) {
      table[hole] = std::move(table[next]);
      hole = next;
    }
  }
  table[hole] = Entry();
  --pages;
}

void PageCache::Shard::Evict() {
  const uint64_t mask = table.size() - 1;
  while (table[hand].page == 0 || table[hand].buffer.ForgetLook()) {
    hand = (hand + 1) & mask;
  }
  Erase(hand);
}

bool PageCache::Find(const PageRef& ref, PageBuffer* page) {
  Shard& shard = ShardOf(ref.page);
  PageBuffer found;
  {
    MutexLock lock(shard.mu);
    const Entry& entry = shard.At(ref.page);
    if (entry.page == 0) {
      return false;
    }
    entry.buffer.Prefetch();
    found = entry.buffer;
  }
  if (!(found.ref() == ref)) {
    return false;
  }
  found.Look();
  *page = std::move(found);
  return true;
}

void PageCache::Keep(const PageBuffer& page) {
  const uint64_t number = page.ref().page;
  if (shard_pages_most_ == 0 || number == 0) {
    return;
  }
  Shard& shard = ShardOf(number);
  MutexLock lock(shard.mu);
  if (shard.At(number).page == 0) {
    if (shard.pages == shard_pages_most_) {
      shard.Evict();
    } else if ((shard.pages + 1) * 2 > shard.table.size()) {
      shard.Grow();
    }
    ++shard.pages;
  }
  shard.At(number) = Entry{number, page};
}

}  // namespace spillway::blockfile
