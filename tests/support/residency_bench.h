// Streams, budget and what decides about residency, on a FakeTier and without threads: records are
// spilled when a test says so, so that each step can be foretold.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "internal/hybrid/admission.h"
#include "internal/hybrid/promoter.h"
#include "internal/hybrid/reader.h"
#include "internal/hybrid/residency.h"
#include "internal/hybrid/stream_table.h"
#include "tests/support/fake_tier.h"

namespace spillway::test {

class ResidencyBench {
 public:
  explicit ResidencyBench(const memory::Limits& limits, int64_t promote_reads)
      : budget(std::make_shared<memory::MemoryBudget>(limits)),
        residency(&streams, budget.get()),
        admission({budget.get(), &residency, nullptr, &events, &counters}),
        promoter({&tier, budget, &residency, &counters}, promote_reads),
        reader({&tier, budget, &residency, &promoter, &events, &counters}) {}

  hybrid::Stream* MakeStream(const std::string& name) {
    bool added = false;
    auto stream =
        streams.FindOrAdd({hybrid::StreamTable::kNewId, name, false, 0, 0}, false, budget, &added);
    EXPECT_TRUE(stream.ok() && added);
    stream.value()->SetSegmentSizes({.arena_bytes = memory::kArenaBytesMin});
    return stream.value();
  }

  static std::string Payload(const hybrid::Stream& stream, uint64_t seq, uint64_t bytes) {
    std::string text = std::to_string(stream.id()) + "/" + std::to_string(seq) + "/";
    text.resize(bytes, static_cast<char>('a' + seq % 26));
    return text;
  }

  // Adds `count` records of `bytes` bytes; kWouldBlock if there is no room.
  base::Status Add(hybrid::Stream* stream, uint64_t count, uint64_t bytes) {
    std::string data;
    std::vector<uint64_t> offsets = {0};
    for (uint64_t i = 0; i < count; ++i) {
      data += Payload(*stream, stream->tail_seq() + i, bytes);
      offsets.push_back(data.size());
    }
    record::RecordBatch batch;
    SPW_RETURN_IF_ERROR(record::RecordBatch::Parse(data.data(), data.size(), offsets.data(), count,
                                                   nullptr, &batch));
    memory::Reservation reservation(budget.get());
    std::vector<uint64_t> own_arenas;
    memory::Request request{.account = stream->account()};
    if (!stream->LikelyFits(batch)) {
      request = stream->PlanArenas(batch, 0, &own_arenas);
    }
    request.records = count;
    uint64_t first = 0;
    for (uint64_t spare = 0;; ++spare) {
      SPW_RETURN_IF_ERROR(admission.Reserve(stream, request, own_arenas,
                                            {base::Deadline::Now(), nullptr}, &reservation));
      if (stream->TryAppend(batch, &reservation, residency.clock(), &first) ==
          hybrid::Stream::Append::kDone) {
        return {};
      }
      reservation.GiveBack();  // what it was to go into was evicted to make room
      request = stream->PlanArenas(batch, spare, &own_arenas);
      request.records = count;
    }
  }

  // Spills what is below target_seq.
  void Spill(hybrid::Stream* stream, uint64_t target_seq) {
    hybrid::Stream::Claim claim;
    if (!stream->ClaimUpTo(target_seq, {.payload_bytes = UINT64_MAX}, &claim)) {
      return;
    }
    std::vector<cold::StreamState> creates;
    std::vector<cold::Trim> trims;
    if (claim.create.has_value()) {
      creates.push_back(*claim.create);
    }
    if (claim.trim.has_value()) {
      trims.push_back(*claim.trim);
    }
    EXPECT_TRUE(tier.Commit({.new_streams = creates, .trims = trims, .pieces = claim.pieces},
                            cold::Durability::kDevice)
                    .ok());
    stream->EndClaim(claim, true);
    stream->MarkSpilled({claim.written_seq, claim.changes});
  }
  void SpillAndEvictAll(hybrid::Stream* stream) {
    Spill(stream, stream->tail_seq());
    residency.EvictAll();
  }

  // A point read, compared.
  void Read(hybrid::Stream* stream, uint64_t seq, uint64_t bytes) {
    hybrid::PinnedColumns found;
    ASSERT_TRUE(reader.Read(stream, seq, &found).ok()) << seq;
    ASSERT_TRUE(Equals(*stream, seq, bytes, found.columns.payload(0))) << seq;
  }
  // Reads all of a stream as a cursor does, compared.
  void Scan(const hybrid::Stream& stream, uint64_t bytes) const {
    for (uint64_t seq = stream.begin_seq(); seq < stream.tail_seq();) {
      hybrid::PinnedColumns found;
      ASSERT_TRUE(reader.Fetch(stream, seq, UINT64_MAX, 4096, &found).ok()) << seq;
      ASSERT_EQ(found.columns.first_seq, seq);
      for (uint64_t i = 0; i < found.columns.count; ++i, ++seq) {
        ASSERT_TRUE(Equals(stream, seq, bytes, found.columns.payload(i))) << seq;
      }
    }
  }
  static bool IsInMemory(const hybrid::Stream& stream, uint64_t seq) {
    hybrid::PinnedColumns found;
    return stream.Locate(seq, seq + 1, hybrid::Stream::kNoUse, &found) ==
           hybrid::Stream::Place::kMemory;
  }

  static bool Equals(const hybrid::Stream& stream, uint64_t seq, uint64_t bytes,
                     std::span<const uint8_t> payload) {
    return std::string(payload.begin(), payload.end()) == Payload(stream, seq, bytes);
  }

  FakeTier tier;
  hybrid::EventRing events;
  hybrid::Counters counters;
  std::shared_ptr<memory::MemoryBudget> budget;
  hybrid::StreamTable streams;
  hybrid::Residency residency;
  hybrid::Admission admission;
  hybrid::Promoter promoter;
  hybrid::Reader reader;
};

}  // namespace spillway::test
