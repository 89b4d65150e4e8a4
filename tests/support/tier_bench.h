// The parts of a store put together on a FakeTier, as hybrid::Store does with a real one, so that a
// test can stop the tier at any moment.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "internal/hybrid/admission.h"
#include "internal/hybrid/reader.h"
#include "internal/hybrid/residency.h"
#include "internal/hybrid/spiller.h"
#include "internal/hybrid/stream_table.h"
#include "tests/support/fake_tier.h"

namespace spillway::test {

constexpr uint64_t kArena = memory::kArenaBytesMin;
constexpr uint64_t kRecordBytes = 1000;
constexpr int64_t kLongMs = 60'000;  // whoever waits so long hangs

inline base::Patience Long() { return {base::Deadline::AfterMs(kLongMs)}; }

// 256 KiB of budget in arenas of 64 KiB, hard at 130 %.
inline memory::Limits SmallLimits() {
  constexpr uint64_t kSoft = 256 << 10;
  return {.bytes = {.low = kSoft * 7 / 10, .soft = kSoft, .hard = kSoft * 13 / 10}, .records = {}};
}

class TierBench {
 public:
  explicit TierBench(uint32_t threads, const memory::Limits& limits = SmallLimits(),
                     const hybrid::Spiller::Settings& settings = hybrid::Spiller::Settings())
      : budget(std::make_shared<memory::MemoryBudget>(limits)),
        residency(&streams, budget.get()),
        eager(settings.eager),
        spiller({&tier, &streams, budget.get(), &residency, &events, &counters}, settings),
        admission({budget.get(), &residency, &spiller, &events, &counters}),
        promoter({&tier, budget, &residency, &counters}, 0),
        reader({&tier, budget, &residency, &promoter, &events, &counters}) {
    EXPECT_TRUE(spiller.Start(threads, nullptr, [] {}).ok());
  }
  ~TierBench() {
    tier.Release();
    spiller.Stop();
    EXPECT_EQ(tier.complaint(), "");
  }
  TierBench(const TierBench&) = delete;
  TierBench& operator=(const TierBench&) = delete;

  hybrid::Stream* MakeStream(const std::string& name) {
    bool added = false;
    auto stream =
        streams.FindOrAdd({hybrid::StreamTable::kNewId, name, false, 0, 0}, false, budget, &added);
    EXPECT_TRUE(stream.ok() && added);
    stream.value()->SetSegmentSizes({.arena_bytes = kArena});
    return stream.value();
  }

  // Adds `count` records of `bytes` bytes; record n of the stream is all letters of n.
  base::Status Add(hybrid::Stream* stream, uint64_t count, uint64_t bytes,
                   const base::Patience& patience = {}) {
    std::string data;
    std::vector<uint64_t> offsets = {0};
    for (uint64_t i = 0; i < count; ++i) {
      data.append(bytes, Letter(stream->tail_seq() + i));
      offsets.push_back(data.size());
    }
    record::RecordBatch batch;
    SPW_RETURN_IF_ERROR(record::RecordBatch::Parse(data.data(), data.size(), offsets.data(), count,
                                                   nullptr, &batch));
    return AddBatch(stream, batch, patience);
  }
  static char Letter(uint64_t seq) { return static_cast<char>('a' + seq % 26); }

  // As Store::Add.
  base::Status AddBatch(hybrid::Stream* stream, const record::RecordBatch& batch,
                        const base::Patience& patience) {
    const uint64_t sealed_before = stream->sealed_seq();
    memory::Reservation reservation(budget.get());
    std::vector<uint64_t> own_arenas;
    memory::Request request{.account = stream->account()};
    if (!stream->LikelyFits(batch)) {
      request = stream->PlanArenas(batch, 0, &own_arenas);
    }
    uint64_t first = 0;
    for (uint64_t spare = 0;; ++spare) {
      request.records = batch.count();
      SPW_RETURN_IF_ERROR(admission.Reserve(stream, request, own_arenas, patience, &reservation));
      if (stream->TryAppend(batch, &reservation, residency.clock(), &first) ==
          hybrid::Stream::Append::kDone) {
        break;
      }
      reservation.GiveBack();
      request = stream->PlanArenas(batch, spare, &own_arenas);
    }
    if (budget->total().pressed() || stream->account()->pressed() ||
        (eager && stream->sealed_seq() > sealed_before)) {
      spiller.Kick();
    }
    reservation.GiveBack();
    return spiller.SyncAdded(stream, first + batch.count());
  }

  base::Status Flush(cold::Durability durability, const base::Patience& patience = {}) {
    return spiller.Flush(durability, patience, hybrid::Spiller::Flusher::kCaller);
  }

  // Reads [begin_seq, tail_seq) wherever it is.
  void ExpectHolds(const hybrid::Stream& stream) const {
    for (uint64_t seq = stream.begin_seq(); seq < stream.tail_seq();) {
      hybrid::PinnedColumns found;
      ASSERT_TRUE(reader.Fetch(stream, seq, UINT64_MAX, 4096, &found).ok()) << seq;
      ASSERT_EQ(found.columns.first_seq, seq);
      for (uint64_t i = 0; i < found.columns.count; ++i, ++seq) {
        for (const uint8_t byte : found.columns.payload(i)) {
          ASSERT_EQ(static_cast<char>(byte), Letter(seq)) << seq;
        }
      }
    }
  }

  FakeTier tier;
  hybrid::EventRing events;
  hybrid::Counters counters;
  std::shared_ptr<memory::MemoryBudget> budget;
  hybrid::StreamTable streams;
  hybrid::Residency residency;
  const bool eager;
  hybrid::Spiller spiller;
  hybrid::Admission admission;
  hybrid::Promoter promoter;  // off, until SetReads
  hybrid::Reader reader;
};

}  // namespace spillway::test
