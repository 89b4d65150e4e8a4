// W2: as W1, durable at the end, with a third of the records allowed in memory. Spillway is told
// so; the peers bound their memory in their own way. With 4 and 8 writers, and with batches of 500,
// where latency shows what a spill costs; and where the file system refuses O_DIRECT.
#include <algorithm>

#include "tests/bench/workloads.h"

namespace spillway::bench {
namespace {

constexpr size_t kSmallBatch = 500;

void RegisterPlan(const Contestant& contestant, const std::string& variant,
                  const IngestPlan& plan) {
  Register("W2_capped/" + contestant.name + "/" + variant,
           [&contestant, plan](benchmark::State& state) {
             IngestResult result = Ingest(contestant, plan);
             CountIngest(state, plan, &result);
             if (result.account && plan.budget.records != kUnlimited &&
                 result.account->records_peak > plan.budget.records * 13 / 10) {
               state.SkipWithError("more records in memory than the hard limit");
             }
           });
}

}  // namespace

void RegisterCapped() {
  const Budget records{.records = std::max<uint64_t>(Corpus::Get().records() / 3, 1)};
  const Budget bytes{.bytes = std::max<uint64_t>(Corpus::Get().bytes() / 3, uint64_t{1} << 20)};
  for (const Contestant& contestant : Contestants()) {
    if (contestant.durability != Durability::kAtEnd) {
      continue;
    }
    RegisterPlan(contestant, "b5000", {.budget = records});
    RegisterPlan(contestant, "b500", {.budget = records, .batch = kSmallBatch});
    if (contestant.name == "spillway" || contestant.name == "file") {
      RegisterPlan(contestant, "b5000_no_direct", {.budget = records, .refuse_direct = true});
    }
    if (contestant.capped) {
      RegisterPlan(contestant, "b5000_bytes", {.budget = bytes});
    }
    if (contestant.concurrent) {
      RegisterPlan(contestant, "b5000_w4", {.budget = records, .writers = 4});
      RegisterPlan(contestant, "b5000_w8", {.budget = records, .writers = 8});
    }
  }
}

}  // namespace spillway::bench
