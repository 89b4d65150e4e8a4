#include "tests/bench/report.h"

#include <cstdio>
#include <string_view>

#include "tests/bench/files.h"

namespace spillway::bench {
namespace {

constexpr double kMega = 1e6;

double Number(uint64_t value) { return static_cast<double>(value); }

// A line for each run when its repetitions are done; the tables are made from the JSON file.
class LineReporter final : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }

  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.error_occurred) {
        std::printf("%-50s FAILED: %s\n", run.run_name.function_name.c_str(),
                    run.error_message.c_str());
        failed_ = true;
      } else if (runs.size() == 1 || run.aggregate_name == "median") {
        const bool timed = run.counters.count("ms") > 0;  // else it has a rate
        const auto value = run.counters.find(timed ? "ms" : "Mrec_s");
        std::printf("%-50s %9.3f %s\n", run.run_name.function_name.c_str(),
                    value == run.counters.end() ? 0.0 : value->second.value,
                    timed ? "ms" : "Mrec/s");
      }
    }
    std::fflush(stdout);
  }

  bool failed() const { return failed_; }

 private:
  bool failed_ = false;
};

// Takes --dir=FOLDER out of the arguments.
void TakeFolder(int* argc, char** argv) {
  constexpr std::string_view kFlag = "--dir=";
  int kept = 0;
  for (int i = 0; i < *argc; ++i) {
    if (std::string_view(argv[i]).starts_with(kFlag)) {
      SetBaseFolder(argv[i] + kFlag.size());
    } else {
      argv[kept++] = argv[i];
    }
  }
  *argc = kept;
}

}  // namespace

void Register(const std::string& name, std::function<void(benchmark::State&)> body,
              int repetitions) {
  auto* const run =
      benchmark::RegisterBenchmark(name.c_str(), [body = std::move(body)](benchmark::State& state) {
        for ([[maybe_unused]] auto _ : state) {
          body(state);
        }
      });
  run->Iterations(1)->UseManualTime()->Unit(benchmark::kMillisecond);
  if (repetitions != kRepetitionsAsTold) {
    run->Repetitions(repetitions);
  }
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

void AddContext(const std::string& key, const std::string& value) {
  benchmark::AddCustomContext(key, value);
  std::printf("%s: %s\n", key.c_str(), value.c_str());
}

int RunBenchmarks(int argc, char** argv, void (*prepare)()) {
  TakeFolder(&argc, argv);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
    return 2;
  }
  AddContext("folder", BaseFolder());
  AddContext("file_system", FileSystemName(BaseFolder()));
  AddContext("transparent_huge_pages", HugePageMode());
  if (FileSystemName(BaseFolder()) == "tmpfs") {
    std::printf("warning: this folder has no disk; set SPW_BENCH_DIR\n");
  }
  prepare();
  LineReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  benchmark::Shutdown();
  return reporter.failed() ? 1 : 0;
}

}  // namespace spillway::bench
