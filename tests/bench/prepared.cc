#include "tests/bench/prepared.h"

#include <map>

namespace spillway::bench {

Prepared& Prepared::Get(const Contestant& contestant) {
  static std::map<const Contestant*, std::unique_ptr<Prepared>> all;
  std::unique_ptr<Prepared>& prepared = all[&contestant];
  if (!prepared) {
    prepared = std::make_unique<Prepared>(contestant);
  }
  return *prepared;
}

Prepared::Prepared(const Contestant& contestant) : contestant_(contestant) {
  store_ = contestant.make(Budget{});
  store_->Create(folder_.path());
  for (const Batch& batch : Corpus::Get().Batches(Corpus::kBatch)) {
    store_->Add(batch);
  }
  if (contestant.durability != Durability::kMemory) {
    store_->Close();
    store_ = contestant.make(Budget{});
    store_->Open(folder_.path());  // the first open may have a log to replay: not part of a scan
    store_->Close();
    store_.reset();
  }
}

}  // namespace spillway::bench
