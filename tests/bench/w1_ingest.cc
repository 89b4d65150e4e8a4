// W1: the corpus in batches of 5,000, without a cap. Close is timed for all that write to disk.
#include "tests/bench/workloads.h"

namespace spillway::bench {

void RegisterIngest() {
  for (const Contestant& contestant : Contestants()) {
    Register("W1_ingest/" + contestant.name + "/" + DurabilityName(contestant.durability),
             [&contestant](benchmark::State& state) {
               const IngestPlan plan;
               IngestResult result = Ingest(contestant, plan);
               CountIngest(state, plan, &result);
             });
  }
}

}  // namespace spillway::bench
