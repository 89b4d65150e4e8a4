#include "tests/bench/ingest.h"

#include <thread>

#include "tests/bench/files.h"
#include "tests/bench/refuse_direct.h"

namespace spillway::bench {
namespace {

// Writer w of n adds batches w, w + n, w + 2n, ...
void AddShare(Store* store, std::span<const Batch> batches, size_t first, size_t step,
              Latencies* latencies) {
  latencies->Reserve(batches.size() / step + 1);
  auto last = std::chrono::steady_clock::now();
  for (size_t i = first; i < batches.size(); i += step) {
    store->Add(batches[i]);
    const auto now = std::chrono::steady_clock::now();
    latencies->Add(now - last);
    last = now;
  }
}

void AddAll(Store* store, std::span<const Batch> batches, size_t writers, Latencies* latencies) {
  if (writers == 1) {
    AddShare(store, batches, 0, 1, latencies);
    return;
  }
  std::vector<Latencies> shares(writers);
  std::vector<std::thread> threads;
  for (size_t w = 0; w < writers; ++w) {
    threads.emplace_back([&, w] { AddShare(store, batches, w, writers, &shares[w]); });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (const Latencies& share : shares) {
    latencies->Merge(share);
  }
}

bool IsFaithful(Store* store, size_t writers) {
  RecordHash hash;
  store->Scan(&hash);
  const RecordHash& expected = Corpus::Get().hash();
  if (writers == 1) {
    return hash == expected;
  }
  return hash.count() == expected.count() && hash.sum() == expected.sum();
}

}  // namespace

IngestResult Ingest(const Contestant& contestant, const IngestPlan& plan) {
  if (plan.refuse_direct) {
    IngestPlan rest = plan;
    rest.refuse_direct = false;
    IngestResult result;
    RunRefusingDirect([&] { result = Ingest(contestant, rest); });
    return result;
  }
  const std::span<const Batch> batches = Corpus::Get().Batches(plan.batch);
  const bool in_memory = contestant.durability == Durability::kMemory;
  const TempFolder folder;
  const std::unique_ptr<Store> store = contestant.make(plan.budget);
  const uint64_t huge_page_bytes = HugePageBytes();
  if (plan.back_memory) {
    BackMemory(Corpus::Get().bytes() / 4 * 5);  // the payload, and what a store needs around it
  }
  store->Create(folder.path());

  IngestResult result;
  const Meter meter;
  AddAll(store.get(), batches, plan.writers, &result.latencies);
  result.add_seconds = meter.Seconds();
  if (!in_memory) {
    store->Close();
  }
  result.usage = meter.Stop();

  const uint64_t huge_page_bytes_now = HugePageBytes();
  result.huge_page_bytes =
      huge_page_bytes_now > huge_page_bytes ? huge_page_bytes_now - huge_page_bytes : 0;
  result.disk_bytes = in_memory ? 0 : FolderBytes(folder.path());
  const Stopwatch reading;
  if (!in_memory) {
    store->Open(folder.path());
  }
  result.faithful = IsFaithful(store.get(), plan.writers);
  result.read_seconds = reading.seconds();
  result.account = store->account();
  store->Close();
  return result;
}

}  // namespace spillway::bench
