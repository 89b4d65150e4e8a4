#include "tests/bench/workloads.h"

namespace spillway::bench {
namespace {

constexpr double kMega = 1e6;

double Number(uint64_t value) { return static_cast<double>(value); }

}  // namespace

void CountIngest(benchmark::State& state, IngestResult* result) {
  CountRate(state, Corpus::Get().records(), result->usage.seconds);
  CountUsage(state, result->usage);
  state.counters["close_ms"] = (result->usage.seconds - result->add_seconds) * 1e3;
  state.counters["disk_MB"] = Number(result->disk_bytes) / kMega;
  state.counters["huge_page_MB"] = Number(result->huge_page_bytes) / kMega;
  state.counters["batch_p50_ms"] = result->latencies.Millis(0.5);
  state.counters["batch_p99_ms"] = result->latencies.Millis(0.99);
  state.counters["batch_p999_ms"] = result->latencies.Millis(0.999);
  state.counters["batch_max_ms"] = result->latencies.Millis(1);
  if (result->memory_peak) {
    state.counters["resident_peak_records"] = Number(result->memory_peak->records);
    state.counters["resident_peak_MB"] = Number(result->memory_peak->bytes) / kMega;
  }
  if (!result->faithful) {
    state.SkipWithError("what was read back is not what was added");
  }
}

}  // namespace spillway::bench
