// W4: 100,000 single reads by position into caller memory, uniform and zipfian, and the same
// positions as gathers of 1,000. In memory ("hot") or from disk with a full page cache ("tier").
// A duration includes reading the clock, some 25 ns.
#include <array>
#include <cstring>

#include "tests/bench/positions.h"
#include "tests/bench/prepared.h"
#include "tests/bench/workloads.h"

namespace spillway::bench {
namespace {

constexpr size_t kReads = 100'000;
constexpr size_t kWarmUpReads = 10'000;
constexpr size_t kGatherRecords = 1000;
constexpr uint64_t kSeed = 4711;

enum class Spread { kUniform, kZipfian };
enum class Way { kSingle, kGather };

std::span<const uint64_t> Positions(Spread spread) {
  static const std::vector<uint64_t> uniform =
      UniformPositions(Corpus::Get().records(), kReads, kSeed);
  static const std::vector<uint64_t> zipfian =
      ZipfianPositions(Corpus::Get().records(), kReads, kSeed);
  return spread == Spread::kUniform ? uniform : zipfian;
}

// Fills the contestant's own caches, and checks what it reads, which the timed part does not.
bool WarmUp(Store* store, std::span<const uint64_t> positions, Way way) {
  positions = positions.first(kWarmUpReads);
  std::vector<char> buffer(kRecordBytesMax);
  if (way == Way::kSingle) {
    for (const uint64_t seq : positions) {
      const size_t len = store->Read(seq, buffer);
      if (std::string_view(buffer.data(), len) != Corpus::Get().record(seq)) {
        return false;
      }
    }
    return true;
  }
  RecordHash expected;
  RecordHash hash;
  for (size_t i = 0; i < positions.size(); i += kGatherRecords) {
    store->Gather(positions.subspan(i, kGatherRecords), &hash);
  }
  for (const uint64_t seq : positions) {
    expected.Add(Corpus::Get().record(seq));
  }
  return hash == expected;
}

void ReadAll(Store* store, std::span<const uint64_t> positions, Way way, Latencies* latencies) {
  std::vector<char> buffer(kRecordBytesMax);
  auto last = std::chrono::steady_clock::now();
  const auto lap = [&] {
    const auto now = std::chrono::steady_clock::now();
    latencies->Add(now - last);
    last = now;
  };
  if (way == Way::kSingle) {
    for (const uint64_t seq : positions) {
      benchmark::DoNotOptimize(store->Read(seq, buffer));
      lap();
    }
  } else {
    for (size_t i = 0; i < positions.size(); i += kGatherRecords) {
      store->Gather(positions.subspan(i, kGatherRecords), nullptr);
      lap();
    }
  }
}

void ReadPoints(const Contestant& contestant, Spread spread, Way way, benchmark::State& state) {
  Prepared& prepared = Prepared::Get(contestant);
  std::unique_ptr<Store> opened;
  Store* store = nullptr;
  if (contestant.durability == Durability::kMemory) {
    store = &prepared.in_memory();
  } else {
    WarmFolder(prepared.folder());
    opened = prepared.MakeStore();
    opened->Open(prepared.folder());
    store = opened.get();
  }
  const std::span<const uint64_t> positions = Positions(spread);
  const bool faithful = WarmUp(store, positions, way);

  Latencies latencies;
  latencies.Reserve(positions.size());
  const Meter meter;
  ReadAll(store, positions, way, &latencies);
  const Usage usage = meter.Stop();
  if (opened) {
    opened->Close();
  }
  CountRate(state, positions.size(), usage.seconds);
  CountUsage(state, usage);
  const double records_per_call = way == Way::kGather ? kGatherRecords : 1;
  state.counters["record_p50_us"] = latencies.Micros(0.5) / records_per_call;
  state.counters["record_p99_us"] = latencies.Micros(0.99) / records_per_call;
  state.counters["record_p999_us"] = latencies.Micros(0.999) / records_per_call;
  state.counters["record_max_us"] = latencies.Micros(1) / records_per_call;
  if (!faithful) {
    state.SkipWithError("what was read is not what was added");
  }
}

}  // namespace

void RegisterPoints() {
  for (const Contestant& contestant : Contestants()) {
    if (!contestant.reads) {
      continue;
    }
    const char* where = contestant.durability == Durability::kMemory ? "hot" : "tier";
    for (const Spread spread : {Spread::kUniform, Spread::kZipfian}) {
      for (const Way way : {Way::kSingle, Way::kGather}) {
        Register("W4_points/" + contestant.name + "/" + where +
                     (spread == Spread::kUniform ? "/uniform" : "/zipfian") +
                     (way == Way::kSingle ? "/single" : "/gather"),
                 [&contestant, spread, way](benchmark::State& state) {
                   ReadPoints(contestant, spread, way, state);
                 });
      }
    }
  }
}

}  // namespace spillway::bench
