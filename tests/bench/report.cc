#include "tests/bench/report.h"

namespace spillway::bench {
namespace {

constexpr double kMega = 1e6;

double Number(uint64_t value) { return static_cast<double>(value); }

}  // namespace

void Register(const std::string& name, std::function<void(benchmark::State&)> body) {
  benchmark::RegisterBenchmark(name.c_str(),
                               [body = std::move(body)](benchmark::State& state) {
                                 for ([[maybe_unused]] auto _ : state) {
                                   body(state);
                                 }
                               })
      ->Iterations(1)
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond);
}

void CountRate(benchmark::State& state, uint64_t records, double seconds) {
  state.SetIterationTime(seconds);
  state.counters["Mrec_s"] = Number(records) / seconds / kMega;
}

void CountUsage(benchmark::State& state, const Usage& usage) {
  state.counters["cpu_s"] = usage.cpu_seconds;
  state.counters["rss_peak_MB"] = Number(usage.rss_peak_bytes) / kMega;
  state.counters["written_MB"] = Number(usage.written_bytes) / kMega;
}

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
