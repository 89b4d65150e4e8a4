// spw_block_bench [--dir=FOLDER] [Google Benchmark's own flags]: W5 and W6 for all contestants. A
// program of its own, because what W1 to W4 leave dirty in the page cache is synced by whoever
// syncs next.
#include "tests/bench/block_workloads.h"
#include "tests/bench/blocks/listing.h"
#include "tests/bench/report.h"

namespace spillway::bench {
namespace {

void Prepare() {
  AddContext("seed", std::to_string(kBlockSeed));
  AddContext(
      "before_timing",
      "every block was read, and the file system synced; before updates twice their bytes of "
      "memory were touched and given back");
  for (const BlockContestant& contestant : BlockContestants()) {
    AddContext("options " + contestant.name, contestant.options);
  }
  RegisterUpdates();
  RegisterNeutral();
  RegisterReads();
}

}  // namespace
}  // namespace spillway::bench

int main(int argc, char** argv) {
  spillway::bench::ListIfAsked(argc, argv);
  return spillway::bench::RunBenchmarks(argc, argv, spillway::bench::Prepare);
}
