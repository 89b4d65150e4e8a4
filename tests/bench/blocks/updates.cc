#include "tests/bench/blocks/updates.h"

#include <map>
#include <utility>

#include "tests/bench/blocks/contents.h"
#include "tests/bench/files.h"

namespace spillway::bench {
namespace {

const BlockSet& SetOf(size_t bytes) {
  static std::map<size_t, BlockSet> sets;
  return sets
      .try_emplace(bytes,
                   BlockSet::Shape{.count = kUpdateBlocks, .bytes_min = bytes, .bytes_max = bytes})
      .first->second;
}

// Built once: the same blocks in the same order for all contestants and repetitions.
const std::vector<BlockBatch>& GroupsOf(const UpdatePlan& plan) {
  static std::map<std::pair<size_t, size_t>, std::vector<BlockBatch>> all;
  std::vector<BlockBatch>& groups = all[{plan.bytes, plan.groups}];
  if (groups.empty()) {
    const std::vector<uint32_t> order = Shuffled(0, kUpdateBlocks, kBlockSeed + 1);
    groups = MakeGroups(SetOf(plan.bytes), std::span(order).first(kUpdates), plan.groups, 2);
  }
  return groups;
}

// A file in use: every block was changed before. Whoever writes to other places than the old one
// then has space that was written once, which costs less than fresh space.
const BlockBatch& Earlier(size_t bytes) {
  static std::map<size_t, std::vector<BlockBatch>> all;
  std::vector<BlockBatch>& groups = all[bytes];
  if (groups.empty()) {
    const std::vector<uint32_t> order = Shuffled(0, kUpdateBlocks, kBlockSeed + 2);
    groups = MakeGroups(SetOf(bytes), order, 1, 1);
  }
  return groups.front();
}

}  // namespace

UpdateResult Update(const BlockContestant& contestant, const UpdatePlan& plan) {
  const BlockSet& set = SetOf(plan.bytes);
  const std::vector<BlockBatch>& groups = GroupsOf(plan);
  const TempFolder folder;
  const std::unique_ptr<BlockStore> store = contestant.make(set);
  Versions versions(set.count(), 0);
  Preload(store.get(), set, set.count(), folder.path());
  store->Open(folder.path(), Durability::kEachBatch);
  store->Put(Earlier(plan.bytes));
  SetVersions(&versions, Earlier(plan.bytes), 1);
  store->Close();
  store->Open(folder.path(), Durability::kEachBatch);
  UpdateResult result;
  result.faithful = HoldsExactly(store.get(), set, versions);
  // Who writes to fresh space takes fresh pages for the cache: without this, from the host.
  BackMemory(2 * kUpdates * plan.bytes);
  Settle(folder.path());

  result.latencies.Reserve(groups.size());
  const Meter meter(Trim::kNo);
  for (const BlockBatch& group : groups) {
    const auto start = std::chrono::steady_clock::now();
    store->Put(group);
    result.latencies.Add(std::chrono::steady_clock::now() - start);
  }
  result.put_seconds = meter.Seconds();
  result.own_bytes = store->bytes_written();
  store->Close();
  result.usage = meter.Stop();

  result.disk_bytes = FolderBytes(folder.path());
  for (const BlockBatch& group : groups) {
    SetVersions(&versions, group, 2);
    result.payload_bytes += group.data.size();
  }
  store->Open(folder.path(), Durability::kEachBatch);
  result.faithful = HoldsExactly(store.get(), set, versions) && result.faithful;
  store->Close();
  return result;
}

}  // namespace spillway::bench
