#include "tests/bench/blocks/neutral.h"

#include "tests/bench/blocks/contents.h"
#include "tests/bench/files.h"

namespace spillway::bench {
namespace {

// The blocks of each batch, chosen anew for each kind; only inserts know blocks that are not there.
struct Batches {
  Batches(const BlockSet& set, const NeutralPlan& plan)
      : inserts(MakeBatch(set, Shuffled(plan.preloaded, plan.inserts, kBlockSeed + 2), 1)),
        updates(MakeBatch(set, Some(plan, plan.updates, 3), 2)),
        reads(MakeNames(set, Some(plan, plan.reads, 4))),
        deletes(MakeNames(set, Some(plan, plan.deletes, 5))) {}

  static std::vector<uint32_t> Some(const NeutralPlan& plan, size_t count, uint64_t seed) {
    std::vector<uint32_t> indexes = Shuffled(0, plan.preloaded, kBlockSeed + seed);
    indexes.resize(count);
    return indexes;
  }

  BlockBatch inserts;
  BlockBatch updates;
  BlockBatch reads;
  BlockBatch deletes;
};

class Lap {
 public:
  double operator()() {
    const double now = watch_.seconds();
    const double lap = now - last_;
    last_ = now;
    return lap;
  }

 private:
  Stopwatch watch_;
  double last_ = 0;
};

}  // namespace

NeutralResult RunNeutral(const BlockContestant& contestant, const NeutralPlan& plan) {
  const BlockSet set(
      {.count = plan.preloaded + plan.inserts, .bytes_min = plan.bytes, .bytes_max = plan.bytes});
  const Batches batches(set, plan);
  const TempFolder folder;
  const std::unique_ptr<BlockStore> store = contestant.make(set);
  Preload(store.get(), set, plan.preloaded, folder.path());
  store->Open(folder.path(), Durability::kEachBatch);
  Versions versions(set.count(), 0);
  versions.resize(plan.preloaded);
  NeutralResult result;
  result.faithful = HoldsExactly(store.get(), set, versions);
  std::vector<char> buffer(plan.reads * plan.bytes);
  std::vector<size_t> ends(plan.reads);
  Settle(folder.path());

  const Meter meter(Trim::kNo);
  Lap lap;
  if (plan.inserts > 0) {
    store->Put(batches.inserts);
    result.insert_seconds = lap();
  }
  store->Put(batches.updates);
  result.update_seconds = lap();
  store->StartSession(SessionKind::kSnapshot)->ReadBatch(batches.reads, buffer, ends);
  result.read_seconds = lap();
  if (plan.deletes > 0) {
    store->Delete(batches.deletes);
    result.delete_seconds = lap();
  }
  store->Close();
  result.usage = meter.Stop();

  result.disk_bytes = FolderBytes(folder.path());
  versions.resize(set.count());
  SetVersions(&versions, batches.inserts, 1);
  SetVersions(&versions, batches.updates, 2);
  size_t begin = 0;
  for (size_t i = 0; i < plan.reads; ++i) {
    const uint32_t index = batches.reads.indexes[i];
    const std::string_view payload(buffer.data() + begin, ends[i] - begin);
    result.faithful = set.Holds(index, versions[index], payload) && result.faithful;
    begin = ends[i];
  }
  SetVersions(&versions, batches.deletes, kGone);
  store->Open(folder.path(), Durability::kEachBatch);
  result.faithful = HoldsExactly(store.get(), set, versions) && result.faithful;
  store->Close();
  return result;
}

}  // namespace spillway::bench
