#include "tests/bench/blocks/mixed.h"

#include <atomic>
#include <latch>
#include <thread>

#include "tests/bench/blocks/contents.h"
#include "tests/bench/files.h"
#include "tests/support/prng.h"

namespace spillway::bench {
namespace {

using Clock = std::chrono::steady_clock;

// One thread's work.
class Caller {
 public:
  Caller(BlockStore* store, const BlockSet& set, size_t number)
      : set_(set),
        session_(store->StartSession(SessionKind::kLive)),
        random_(kBlockSeed + number),
        next_version_(number << 32),
        buffer_(set.bytes_max()) {}

  void Run(std::latch* start, double seconds) {
    start->arrive_and_wait();
    auto last = Clock::now();
    const auto end =
        last + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    while (last < end) {
      const MixedCall call = Pick();
      Do(call, random_.Below(set_.count()));
      const auto now = Clock::now();
      latencies_[call].Add(now - last);
      last = now;
      ++calls_;
    }
  }

  void AddTo(MixedResult* result) const {
    result->calls += calls_;
    result->faithful = result->faithful && faithful_;
    for (size_t i = 0; i < kMixedCalls; ++i) {
      result->latencies[i].Merge(latencies_[i]);
    }
  }

 private:
  MixedCall Pick() {
    const uint64_t percent = random_.Below(100);
    if (percent < kMixedPercent[kMixedRead]) {
      return kMixedRead;
    }
    return percent < kMixedPercent[kMixedRead] + kMixedPercent[kMixedPut] ? kMixedPut
                                                                          : kMixedDelete;
  }

  void Do(MixedCall call, size_t index) {
    if (call == kMixedRead) {
      const size_t bytes = session_->Read(index, buffer_);
      if (bytes != kNoBlock && !set_.HoldsAny(index, {buffer_.data(), bytes})) {
        faithful_ = false;
      }
    } else if (call == kMixedPut) {
      set_.Write(index, next_version_++, buffer_.data());
      session_->Put(index, {buffer_.data(), set_.bytes(index)});
    } else {
      session_->Delete(index);
    }
  }

  const BlockSet& set_;
  const std::unique_ptr<BlockSession> session_;
  test::Prng random_;
  uint64_t next_version_;  // of this thread only
  std::vector<char> buffer_;
  std::array<Latencies, kMixedCalls> latencies_;
  uint64_t calls_ = 0;
  bool faithful_ = true;
};

bool HoldsOnlyWhatWasPut(BlockStore* store, const BlockSet& set) {
  const std::unique_ptr<BlockSession> session = store->StartSession(SessionKind::kSnapshot);
  std::vector<char> buffer(set.bytes_max());
  for (size_t i = 0; i < set.count(); ++i) {
    const size_t bytes = session->Read(i, buffer);
    if (bytes != kNoBlock && !set.HoldsAny(i, {buffer.data(), bytes})) {
      return false;
    }
  }
  return true;
}

}  // namespace

MixedResult RunMixed(const BlockContestant& contestant, const MixedPlan& plan) {
  const BlockSet set({.count = plan.blocks, .bytes_min = plan.bytes, .bytes_max = plan.bytes});
  const TempFolder folder;
  const std::unique_ptr<BlockStore> store = contestant.make(set);
  Preload(store.get(), set, set.count(), folder.path());
  store->Open(folder.path(), Durability::kAtEnd);
  std::vector<std::unique_ptr<Caller>> callers;
  for (size_t i = 0; i < plan.threads; ++i) {
    callers.push_back(std::make_unique<Caller>(store.get(), set, i + 1));
  }
  MixedResult result;
  result.faithful = true;
  std::latch start(static_cast<std::ptrdiff_t>(plan.threads + 1));
  std::vector<std::thread> threads;
  for (const std::unique_ptr<Caller>& caller : callers) {
    threads.emplace_back(&Caller::Run, caller.get(), &start, plan.seconds);
  }
  Settle(folder.path());
  const Meter meter(Trim::kNo);
  start.arrive_and_wait();
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (const std::unique_ptr<Caller>& caller : callers) {
    caller->AddTo(&result);
  }
  callers.clear();  // sessions end before their store
  const double seconds = meter.Seconds();
  store->Close();
  result.usage = meter.Stop();
  result.close_seconds = result.usage.seconds - seconds;

  store->Open(folder.path(), Durability::kEachBatch);
  result.faithful = HoldsOnlyWhatWasPut(store.get(), set) && result.faithful;
  store->Close();
  return result;
}

}  // namespace spillway::bench
