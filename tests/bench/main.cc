// spw_bench [--dir=FOLDER] [Google Benchmark's own flags]: W1 to W4 for all contestants.
#include "tests/bench/workloads.h"

namespace spillway::bench {
namespace {

void Prepare() {
  const Corpus& corpus = Corpus::Get();
  AddContext("records", std::to_string(corpus.records()));
  AddContext("payload_bytes", std::to_string(corpus.bytes()));
  AddContext("source", corpus.source());
  AddContext("memory",
             "before each ingest so much is touched and given back: a virtual machine may have "
             "returned its free memory to the host");
  AddContext("cold_page_cache", "posix_fadvise(DONTNEED) of the contestant's files before a run");
  for (const Contestant& contestant : Contestants()) {
    AddContext("options " + contestant.name + "/" + DurabilityName(contestant.durability),
               contestant.options);
  }
  RegisterIngest();
  RegisterCapped();
  RegisterScans();
  RegisterPoints();
}

}  // namespace
}  // namespace spillway::bench

int main(int argc, char** argv) {
  return spillway::bench::RunBenchmarks(argc, argv, spillway::bench::Prepare);
}
