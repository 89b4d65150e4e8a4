#include "tests/bench/workloads.h"

#include <algorithm>
#include <cstdio>

namespace spillway::bench {
namespace {

constexpr double kMega = 1e6;

double Number(uint64_t value) { return static_cast<double>(value); }

// How the time of a batch went on: the mean of each ten batches, or of more, so that it is at most
// sixty numbers. The slowdown compares the last ten with the first ten.
void CountSeries(benchmark::State& state, const Latencies& latencies) {
  constexpr size_t kFewest = 10;
  constexpr size_t kWindowsMax = 60;
  const size_t window = std::max(kFewest, (latencies.count() + kWindowsMax - 1) / kWindowsMax);
  state.counters["window_batches"] = Number(window);
  for (size_t i = 0; i * window < latencies.count(); ++i) {
    char name[32];
    std::snprintf(name, sizeof(name), "window_%02zu_ms", i);
    state.counters[name] = latencies.MeanMillis(i * window, window);
  }
  const size_t ends = std::min(kFewest, latencies.count());
  state.counters["slowdown"] =
      latencies.MeanMillis(latencies.count() - ends, ends) / latencies.MeanMillis(0, ends);
}

}  // namespace

void CountIngest(benchmark::State& state, const IngestPlan& plan, IngestResult* result) {
  CountRate(state, Corpus::Get().records(), result->usage.seconds);
  CountUsage(state, result->usage);
  state.counters["add_ms"] = result->add_seconds * 1e3;
  state.counters["read_back_ms"] = result->read_seconds * 1e3;
  state.counters["close_ms"] = (result->usage.seconds - result->add_seconds) * 1e3;
  state.counters["disk_MB"] = Number(result->disk_bytes) / kMega;
  state.counters["huge_page_MB"] = Number(result->huge_page_bytes) / kMega;
  state.counters["batch_p50_ms"] = result->latencies.Millis(0.5);
  state.counters["batch_p99_ms"] = result->latencies.Millis(0.99);
  state.counters["batch_p999_ms"] = result->latencies.Millis(0.999);
  state.counters["batch_max_ms"] = result->latencies.Millis(1);
  if (result->account) {
    state.counters["resident_peak_records"] = Number(result->account->records_peak);
    state.counters["resident_peak_MB"] = Number(result->account->bytes_peak) / kMega;
    state.counters["wait_ms"] = result->account->wait_seconds * 1e3;
  }
  if (plan.writers == 1) {  // the calls of several have no one order
    CountSeries(state, result->latencies);
  }
  if (!result->faithful) {
    state.SkipWithError("what was read back is not what was added");
  }
}

}  // namespace spillway::bench
