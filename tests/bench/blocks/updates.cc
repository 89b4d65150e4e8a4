#include "tests/bench/blocks/updates.h"

#include <algorithm>
#include <array>
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

// Built once: the same blocks in the same order for all contestants and repetitions. A few rounds
// with other blocks and contents each, which take turns.
constexpr uint32_t kKinds = 3;
struct Round {
  std::vector<BlockBatch> groups;
  uint32_t version = 0;
};
const std::array<Round, kKinds>& RoundsOf(const UpdatePlan& plan) {
  static std::map<std::pair<size_t, size_t>, std::array<Round, kKinds>> all;
  std::array<Round, kKinds>& rounds = all[{plan.bytes, plan.groups}];
  for (uint32_t kind = 0; kind < kKinds && rounds[kind].groups.empty(); ++kind) {
    const std::vector<uint32_t> order = Shuffled(0, kUpdateBlocks, kBlockSeed + 1 + kind);
    rounds[kind].version = kind + 1;
    rounds[kind].groups = MakeGroups(SetOf(plan.bytes), std::span(order).first(kUpdates),
                                     plan.groups, rounds[kind].version);
  }
  return rounds;
}

// A file in use. Whoever writes to other places than the old ones first fills fresh space, which
// costs more than space that was written once; whoever merges or checkpoints now and then does it
// in the time that is measured.
size_t MeasuredRounds(const BlockContestant& contestant, const UpdatePlan& plan) {
  if (contestant.slow) {
    return 1;
  }
  return plan.groups > 10 ? 4 : RoundsMost(plan.bytes) / 3;
}
size_t EarlierRounds(const BlockContestant& contestant, const UpdatePlan& plan) {
  return contestant.slow ? 0 : RoundsMost(plan.bytes) * 2 / 3;
}

}  // namespace

UpdateResult Update(const BlockContestant& contestant, const UpdatePlan& plan) {
  const BlockSet& set = SetOf(plan.bytes);
  const std::array<Round, kKinds>& rounds = RoundsOf(plan);
  const std::array<Round, kKinds>& quicker =
      RoundsOf({plan.bytes, std::min<size_t>(plan.groups, 10)});
  const TempFolder folder;
  const std::unique_ptr<BlockStore> store = contestant.make(set);
  Versions versions(set.count(), 0);
  Preload(store.get(), set, set.count(), folder.path());
  store->Open(folder.path(), Durability::kEachBatch);
  size_t turn = 0;
  const size_t before = EarlierRounds(contestant, plan);
  for (; turn < before; ++turn) {  // not all of them with so many syncs that nobody measures
    const bool quick = turn < before * 3 / 4;
    for (const BlockBatch& group : (quick ? quicker : rounds)[turn % kKinds].groups) {
      store->Put(group);
      SetVersions(&versions, group, rounds[turn % kKinds].version);
    }
  }
  UpdateResult result;
  result.faithful = HoldsExactly(store.get(), set, versions);
  // Who writes to fresh space takes fresh pages for the cache: without this, from the host.
  BackMemory(2 * kUpdates * plan.bytes);
  Settle(folder.path());

  const size_t first = turn;
  result.rounds = MeasuredRounds(contestant, plan);
  result.latencies.Reserve(result.rounds * plan.groups);
  const std::optional<uint64_t> own_before = store->bytes_written();
  const Meter meter(Trim::kNo);
  for (; turn < first + result.rounds; ++turn) {
    for (const BlockBatch& group : rounds[turn % kKinds].groups) {
      const auto start = std::chrono::steady_clock::now();
      store->Put(group);
      result.latencies.Add(std::chrono::steady_clock::now() - start);
    }
  }
  result.put_seconds = meter.Seconds() / static_cast<double>(result.rounds);
  if (own_before.has_value()) {
    result.own_bytes = *store->bytes_written() - *own_before;
  }
  const double put_seconds = meter.Seconds();
  store->Close();
  result.usage = meter.Stop();
  result.close_seconds = result.usage.seconds - put_seconds;

  result.disk_bytes = FolderBytes(folder.path());
  for (size_t each = first; each < turn; ++each) {
    for (const BlockBatch& group : rounds[each % kKinds].groups) {
      SetVersions(&versions, group, rounds[each % kKinds].version);
      result.payload_bytes += group.data.size();
    }
  }
  store->Open(folder.path(), Durability::kEachBatch);
  result.faithful = HoldsExactly(store.get(), set, versions) && result.faithful;
  store->Close();
  return result;
}

}  // namespace spillway::bench
