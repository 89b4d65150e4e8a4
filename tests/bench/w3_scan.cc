// W3: all records in order, every byte hashed. In memory ("hot"), or from disk with the page cache
// full ("warm") or emptied before ("cold"); open and close are timed there.
#include "tests/bench/prepared.h"
#include "tests/bench/workloads.h"

namespace spillway::bench {
namespace {

enum class Cache { kWarm, kCold };

void Finish(benchmark::State& state, const Usage& usage, const RecordHash& hash) {
  CountRate(state, Corpus::Get().records(), usage.seconds);
  CountUsage(state, usage);
  if (hash != Corpus::Get().hash()) {
    state.SkipWithError("what was read is not what was added");
  }
}

void ScanMemory(const Contestant& contestant, benchmark::State& state) {
  Store& store = Prepared::Get(contestant).in_memory();
  RecordHash hash;
  const Meter meter;
  store.Scan(&hash);
  Finish(state, meter.Stop(), hash);
}

void ScanDisk(const Contestant& contestant, Cache cache, benchmark::State& state) {
  const Prepared& prepared = Prepared::Get(contestant);
  double cached = 1;
  if (cache == Cache::kCold) {
    cached = CoolFolder(prepared.folder());
  } else {
    WarmFolder(prepared.folder());
  }
  const std::unique_ptr<Store> store = prepared.MakeStore();
  RecordHash hash;
  const Meter meter;
  store->Open(prepared.folder());
  store->Scan(&hash);
  store->Close();
  Finish(state, meter.Stop(), hash);
  state.counters["cached_fraction"] = cached;
}

}  // namespace

void RegisterScans() {
  for (const Contestant& contestant : Contestants()) {
    if (!contestant.reads) {
      continue;
    }
    const std::string name = "W3_scan/" + contestant.name + "/";
    if (contestant.durability == Durability::kMemory) {
      Register(name + "hot",
               [&contestant](benchmark::State& state) { ScanMemory(contestant, state); });
      continue;
    }
    for (const Cache cache : {Cache::kWarm, Cache::kCold}) {
      Register(
          name + (cache == Cache::kWarm ? "warm" : "cold"),
          [&contestant, cache](benchmark::State& state) { ScanDisk(contestant, cache, state); });
    }
  }
}

}  // namespace spillway::bench
