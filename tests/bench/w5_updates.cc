// W5: 500 of 1,000 blocks get new content, durable once, in 10 groups, or after each.
#include <array>

#include "tests/bench/block_workloads.h"
#include "tests/bench/blocks/updates.h"
#include "tests/bench/report.h"

namespace spillway::bench {
namespace {

struct Form {
  const char* name;
  UpdatePlan plan;
};
constexpr std::array<Form, 6> kForms = {{
    {"4k/one_group", {.bytes = 4096, .groups = 1}},
    {"4k/10_groups", {.bytes = 4096, .groups = 10}},
    {"4k/each", {.bytes = 4096, .groups = kUpdates}},
    {"64k/one_group", {.bytes = 65536, .groups = 1}},
    {"64k/10_groups", {.bytes = 65536, .groups = 10}},
    {"64k/each", {.bytes = 65536, .groups = kUpdates}},
}};

void RunForm(const BlockContestant& contestant, const UpdatePlan& plan, benchmark::State& state) {
  UpdateResult result = Update(contestant, plan);
  CountRate(state, kUpdates, result.put_seconds);
  CountUsage(state, result.usage);
  const double payload = static_cast<double>(result.payload_bytes);
  state.counters["ms"] = result.put_seconds * 1e3;
  state.counters["close_ms"] = result.close_seconds * 1e3;
  state.counters["total_ms"] = (result.put_seconds + result.close_seconds) * 1e3;
  state.counters["rounds"] = static_cast<double>(result.rounds);
  state.counters["written_per_payload"] = result.written_per_payload();
  if (result.own_bytes) {
    state.counters["own_per_payload"] = static_cast<double>(*result.own_bytes) / payload;
  }
  state.counters["disk_MB"] = static_cast<double>(result.disk_bytes) / 1e6;
  state.counters["group_p50_ms"] = result.latencies.Millis(0.5);
  state.counters["group_p99_ms"] = result.latencies.Millis(0.99);
  state.counters["group_max_ms"] = result.latencies.Millis(1);
  if (!result.faithful) {
    state.SkipWithError("a block does not hold what it should");
  }
}

}  // namespace

void RegisterUpdates() {
  for (const BlockContestant& contestant : BlockContestants()) {
    for (const Form& form : kForms) {
      // A folder of large files takes seconds to make, and is far behind all others.
      const bool once = contestant.slow && form.plan.bytes > 4096;
      Register(
          "W5_updates/" + contestant.name + "/" + form.name,
          [&contestant, &form](benchmark::State& state) { RunForm(contestant, form.plan, state); },
          once ? 1 : kRepetitionsAsTold);
    }
  }
}

}  // namespace spillway::bench
