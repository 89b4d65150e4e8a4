// The neutral forms of W5: small blocks in batches, and threads that read, put and delete.
//
// SPW_BENCH_MIXED_SECONDS (default 2) says how long the threads work.
#include <array>

#include "tests/bench/block_workloads.h"
#include "tests/bench/blocks/mixed.h"
#include "tests/bench/blocks/neutral.h"
#include "tests/bench/files.h"
#include "tests/bench/report.h"

namespace spillway::bench {
namespace {

constexpr NeutralPlan kSmall = {
    .preloaded = 5000, .bytes = 96, .inserts = 1000, .updates = 500, .reads = 3900, .deletes = 0};
constexpr NeutralPlan kMany = {.preloaded = 100'000,
                               .bytes = 100,
                               .inserts = 0,
                               .updates = 10'000,
                               .reads = 10'000,
                               .deletes = 10'000};

void RunBatches(const BlockContestant& contestant, const NeutralPlan& plan,
                benchmark::State& state) {
  const NeutralResult result = RunNeutral(contestant, plan);
  CountRate(state, plan.inserts + plan.updates + plan.reads + plan.deletes, result.usage.seconds);
  CountUsage(state, result.usage);
  state.counters["ms"] = result.usage.seconds * 1e3;
  if (plan.inserts > 0) {
    state.counters["insert_ms"] = result.insert_seconds * 1e3;
  }
  state.counters["update_ms"] = result.update_seconds * 1e3;
  state.counters["read_ms"] = result.read_seconds * 1e3;
  if (plan.deletes > 0) {
    state.counters["delete_ms"] = result.delete_seconds * 1e3;
  }
  state.counters["disk_MB"] = static_cast<double>(result.disk_bytes) / 1e6;
  if (!result.faithful) {
    state.SkipWithError("a block does not hold what it should");
  }
}

void RunThreads(const BlockContestant& contestant, benchmark::State& state) {
  const double seconds = static_cast<double>(NumberFromEnv("SPW_BENCH_MIXED_SECONDS", 2));
  MixedResult result =
      RunMixed(contestant, {.blocks = 10'000, .bytes = 100, .threads = 8, .seconds = seconds});
  CountRate(state, result.calls, result.usage.seconds);
  CountUsage(state, result.usage);
  state.counters["close_ms"] = result.close_seconds * 1e3;
  constexpr std::array<const char*, kMixedCalls> kNames = {"read", "put", "delete"};
  for (size_t i = 0; i < kMixedCalls; ++i) {
    const std::string name = kNames[i];
    state.counters[name + "_p50_us"] = result.latencies[i].Micros(0.5);
    state.counters[name + "_p99_us"] = result.latencies[i].Micros(0.99);
    state.counters[name + "_max_us"] = result.latencies[i].Micros(1);
  }
  if (!result.faithful) {
    state.SkipWithError("a block holds what nobody put there");
  }
}

}  // namespace

void RegisterNeutral() {
  for (const BlockContestant& contestant : BlockContestants()) {
    const bool slow = contestant.slow;
    const auto batches = [&](const char* name, const NeutralPlan& plan) {
      Register(
          "W5_neutral/" + contestant.name + "/" + name,
          [&contestant, &plan](benchmark::State& state) { RunBatches(contestant, plan, state); },
          slow ? 1 : kRepetitionsAsTold);
    };
    if (contestant.grows) {
      batches("5000x96", kSmall);
    }
    if (contestant.deletes && !slow) {
      batches("100000x100", kMany);
    }
    if (contestant.live) {  // once: it takes its time
      Register(
          "W5_mixed/" + contestant.name + "/8_threads",
          [&contestant](benchmark::State& state) { RunThreads(contestant, state); }, 1);
    }
  }
}

}  // namespace spillway::bench
