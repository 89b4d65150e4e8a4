// spw_bench [--dir=FOLDER] [Google Benchmark's own flags]: W1 to W4 for all contestants.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstring>
#include <string_view>

#include "tests/bench/files.h"
#include "tests/bench/report.h"

namespace spillway::bench {
namespace {

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
        const auto rate = run.counters.find("Mrec_s");
        std::printf("%-50s %9.3f Mrec/s\n", run.run_name.function_name.c_str(),
                    rate == run.counters.end() ? 0.0 : rate->second.value);
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

void DescribeRun() {
  const Corpus& corpus = Corpus::Get();
  const auto add = [](const std::string& key, const std::string& value) {
    benchmark::AddCustomContext(key, value);
    std::printf("%s: %s\n", key.c_str(), value.c_str());
  };
  add("records", std::to_string(corpus.records()));
  add("payload_bytes", std::to_string(corpus.bytes()));
  add("source", corpus.source());
  add("folder", BaseFolder());
  add("file_system", FileSystemName(BaseFolder()));
  add("transparent_huge_pages", HugePageMode());
  add("memory",
      "before each ingest so much is touched and given back: a virtual machine may have "
      "returned its free memory to the host");
  add("cold_page_cache", "posix_fadvise(DONTNEED) of the contestant's files before a run");
  for (const Contestant& contestant : Contestants()) {
    add("options " + contestant.name + "/" + DurabilityName(contestant.durability),
        contestant.options);
  }
}

int Main(int argc, char** argv) {
  TakeFolder(&argc, argv);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
    return 2;
  }
  DescribeRun();
  if (FileSystemName(BaseFolder()) == "tmpfs") {
    std::printf("warning: this folder has no disk; set SPW_BENCH_DIR\n");
  }
  RegisterIngest();
  RegisterCapped();
  RegisterScans();
  RegisterPoints();
  LineReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  benchmark::Shutdown();
  return reporter.failed() ? 1 : 0;
}

}  // namespace
}  // namespace spillway::bench

int main(int argc, char** argv) { return spillway::bench::Main(argc, argv); }
