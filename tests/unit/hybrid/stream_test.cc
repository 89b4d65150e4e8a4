// A stream by itself: appending over arenas, finding, claiming, spilling, clearing, evicting.

#include "internal/hybrid/stream.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace spillway::test {
namespace {

using hybrid::Stream;
using memory::MemoryBudget;

class StreamTest : public ::testing::Test {
 protected:
  // One record per letter of `text`, each `bytes` long.
  uint64_t Add(const std::string& text, size_t bytes = 1) {
    std::string data;
    std::vector<uint64_t> offsets = {0};
    for (const char letter : text) {
      data.append(bytes, letter);
      offsets.push_back(data.size());
    }
    record::RecordBatch batch;
    EXPECT_TRUE(record::RecordBatch::Parse(data.data(), data.size(), offsets.data(), text.size(),
                                           nullptr, &batch)
                    .ok());
    memory::Reservation reservation(budget_.get());
    for (uint64_t spare = 0;; ++spare) {
      std::vector<uint64_t> own;
      memory::Request request{.account = stream_.account()};
      if (spare > 0) {
        request = stream_.PlanArenas(batch, spare - 1, &own);
      }
      request.records = batch.count();
      memory::Grant grant;
      EXPECT_EQ(budget_->Try(request, false, &grant), MemoryBudget::Attempt::kGranted);
      EXPECT_TRUE(reservation.Fill(request, &grant, own).ok());
      uint64_t first = 0;
      if (stream_.TryAppend(batch, &reservation, &stamp_, &first) == Stream::Append::kDone) {
        return first;
      }
      reservation.GiveBack();
    }
  }

  // What is in memory from `seq` on: the first letters of the records, '.' where there are none.
  std::string Read(uint64_t seq) {
    std::string text;
    for (; seq < stream_.tail_seq(); ++seq) {
      hybrid::PinnedColumns found;
      if (stream_.Locate(seq, seq + 1, Stream::kNoUse, &found) == Stream::Place::kMemory) {
        EXPECT_EQ(found.columns.first_seq, seq);
        text += static_cast<char>(found.columns.payload(0)[0]);
      } else {
        text += '.';
      }
    }
    return text;
  }

  // Claims up to `target`, and says what the claim holds.
  std::string Claim(uint64_t target, Stream::Claim* claim) {
    if (!stream_.ClaimUpTo(target, {.payload_bytes = UINT64_MAX}, claim)) {
      return "nothing";
    }
    std::string text;
    uint64_t next = claim->pieces.empty() ? 0 : claim->pieces[0].columns.first_seq;
    for (const cold::Piece& piece : claim->pieces) {
      EXPECT_EQ(piece.columns.first_seq, next);
      next = piece.columns.end_seq();
      for (uint64_t i = 0; i < piece.columns.count; ++i) {
        text += static_cast<char>(piece.columns.payload(i)[0]);
      }
    }
    return text;
  }

  void Spill(const Stream::Claim& claim) {
    stream_.EndClaim(claim, true);
    stream_.MarkSpilled({claim.written_seq, claim.changes});
  }

  // Of the clean ones.
  bool EvictOldest() {
    std::optional<std::pair<uint64_t, uint64_t>> oldest;
    stream_.VisitClean([&](uint64_t first_seq, uint64_t last_use) {
      oldest = oldest.value_or(std::pair(first_seq, last_use));
    });
    return oldest.has_value() && stream_.Evict(oldest->first, oldest->second);
  }

  std::shared_ptr<MemoryBudget> budget_ = std::make_shared<MemoryBudget>(memory::Limits{});
  std::atomic<uint64_t> stamp_{0};
  Stream stream_{cold::StreamState{3, "s", false, 0, 0}, false, budget_};
};

TEST_F(StreamTest, RecordsCrossArenasAndLargeOnesGetTheirOwn) {
  EXPECT_EQ(Add("abc"), 0U);
  EXPECT_EQ(Add("defgh", 30'000), 3U);  // more than what is left of 64 KiB
  EXPECT_EQ(Add("X", 5'000'000), 8U);   // more than any arena
  EXPECT_EQ(Add("yz"), 9U);
  EXPECT_EQ(Read(0), "abcdefghXyz");
  EXPECT_EQ(budget_->total().records_resident(), 11U);
  hybrid::PinnedColumns found;
  EXPECT_EQ(stream_.Locate(11, 12, Stream::kNoUse, &found), Stream::Place::kBeyond);
}

TEST_F(StreamTest, AFlushSpillsAPartOfTheActiveSegmentAndItGoesOn) {
  Add("abc");
  Stream::Claim claim;
  EXPECT_EQ(Claim(2, &claim), "ab");
  EXPECT_TRUE(claim.create.has_value());
  Stream::Claim second;
  EXPECT_EQ(Claim(3, &second), "nothing") << "one claim at a time";
  Spill(claim);
  EXPECT_EQ(stream_.spilled_seq(), 2U);
  EXPECT_FALSE(EvictOldest()) << "a record of it is nowhere else";
  EXPECT_EQ(Claim(3, &second), "c");
  EXPECT_FALSE(second.create.has_value());
  Spill(second);
  EXPECT_EQ(budget_->total().bytes_unspilled(), 0U);
  EXPECT_EQ(budget_->total().records_unspilled(), 0U);

  Add("d");  // into the same segment, which is not clean any more
  EXPECT_GT(budget_->total().bytes_unspilled(), 0U);
  EXPECT_FALSE(EvictOldest());
  EXPECT_EQ(Read(0), "abcd");
  Stream::Claim third;
  EXPECT_EQ(Claim(4, &third), "d");
  third.segments.clear();
  Spill(third);
  EXPECT_TRUE(EvictOldest());
  EXPECT_EQ(Read(0), "....");
  EXPECT_EQ(budget_->total().records_resident(), 0U);
  EXPECT_EQ(Add("e"), 4U);
  EXPECT_EQ(Read(0), "....e");
}

TEST_F(StreamTest, AFailedClaimLeavesEverythingAsItWas) {
  Add("abc");
  Stream::Claim claim;
  EXPECT_EQ(Claim(3, &claim), "abc");
  stream_.EndClaim(claim, false);
  EXPECT_EQ(stream_.spilled_seq(), 0U);
  EXPECT_EQ(stream_.written_seq(), 0U);
  Stream::Claim again;
  EXPECT_EQ(Claim(3, &again), "abc");
  EXPECT_TRUE(again.create.has_value());
  stream_.EndClaim(again, false);
}

TEST_F(StreamTest, WhatReachedTheKernelIsNotSpilled) {
  Add("abc");
  Stream::Claim claim;
  Claim(3, &claim);
  stream_.EndClaim(claim, true);
  const Stream::Position tail = stream_.position();
  EXPECT_TRUE(stream_.Reached(tail, cold::Durability::kKernel));
  EXPECT_FALSE(stream_.Reached(tail, cold::Durability::kDevice));
  EXPECT_FALSE(EvictOldest());
  stream_.MarkSpilled(stream_.written_position());
  EXPECT_TRUE(stream_.Reached(tail, cold::Durability::kDevice));
}

TEST_F(StreamTest, ClearDuringASpillDropsEverythingAndIsWrittenDownNext) {
  Add("abc");
  Stream::Claim claim;
  EXPECT_EQ(Claim(3, &claim), "abc");
  Add("d");
  EXPECT_EQ(stream_.TrimTo(UINT64_MAX).count, 4U);
  EXPECT_EQ(stream_.TrimTo(UINT64_MAX).count, 0U);
  EXPECT_EQ(stream_.begin_seq(), 4U);
  EXPECT_GT(budget_->bytes_pinned(), 0U) << "the claim still reads it";
  Spill(claim);
  claim.segments.clear();
  EXPECT_EQ(budget_->bytes_pinned(), 0U);
  EXPECT_EQ(stream_.spilled_seq(), 4U);
  EXPECT_EQ(budget_->total().records_unspilled(), 0U);
  hybrid::PinnedColumns found;
  EXPECT_EQ(stream_.Locate(3, 4, Stream::kNoUse, &found), Stream::Place::kTrimmed);
  EXPECT_EQ(Add("e"), 4U);
  Stream::Claim next;
  EXPECT_EQ(Claim(5, &next), "e");
  ASSERT_TRUE(next.trim.has_value());
  EXPECT_EQ(next.trim->begin_seq, 4U);
  Spill(next);
  EXPECT_EQ(stream_.spilled_seq(), 5U);
}

TEST_F(StreamTest, ATrimWithinASegmentKeepsItAndCountsWhatIsLeft) {
  Add("abcdef");
  Stream::Claim claim;
  EXPECT_EQ(Claim(2, &claim), "ab");
  Spill(claim);
  EXPECT_EQ(stream_.TrimTo(1).count, 1U);  // below what is spilled
  EXPECT_EQ(budget_->total().records_unspilled(), 4U);
  const Stream::Trimmed trimmed = stream_.TrimTo(4);
  EXPECT_EQ(trimmed.count, 3U);
  EXPECT_EQ(trimmed.begin_seq, 4U);
  EXPECT_EQ(stream_.TrimTo(3).count, 0U);
  EXPECT_EQ(stream_.spilled_seq(), 4U);
  EXPECT_EQ(stream_.written_seq(), 4U);
  EXPECT_EQ(budget_->total().records_unspilled(), 2U);
  EXPECT_EQ(budget_->total().records_resident(), 6U) << "the segment is still there";
  EXPECT_EQ(Read(0), "....ef");
  Stream::Claim rest;
  EXPECT_EQ(Claim(6, &rest), "ef");
  EXPECT_EQ(rest.trim->begin_seq, 4U);
  Spill(rest);
  EXPECT_EQ(budget_->total().records_unspilled(), 0U);
  EXPECT_EQ(budget_->total().bytes_unspilled(), 0U) << "all that is left of it is clean";
}

TEST_F(StreamTest, ATrimDuringASpillCountsEachRecordOnce) {
  Add("abc");
  Add("DEF", 30'000);  // a segment of their own
  Stream::Claim claim;
  EXPECT_EQ(Claim(6, &claim), "abcDEF");
  EXPECT_EQ(stream_.TrimTo(5).count, 5U);
  EXPECT_EQ(budget_->total().records_unspilled(), 1U);
  Add("g");
  Spill(claim);
  EXPECT_EQ(stream_.spilled_seq(), 6U);
  EXPECT_EQ(budget_->total().records_unspilled(), 1U);
  Stream::Claim failed;
  EXPECT_EQ(Claim(7, &failed), "g");
  EXPECT_EQ(failed.trim->begin_seq, 5U);
  EXPECT_EQ(stream_.TrimTo(7).count, 2U);
  stream_.EndClaim(failed, false);
  EXPECT_EQ(budget_->total().records_unspilled(), 0U);
  Stream::Claim last;
  EXPECT_EQ(Claim(7, &last), "") << "only the trim is left to be written";
  EXPECT_EQ(last.trim->begin_seq, 7U);
  Spill(last);
  EXPECT_TRUE(stream_.Reached(stream_.position(), cold::Durability::kDevice));
}

TEST_F(StreamTest, AViewOfAnEvictedSegmentKeepsItsBytesAndIsCountedAsPinned) {
  Add("abc");
  hybrid::PinnedColumns view;
  ASSERT_EQ(stream_.Locate(0, 3, Stream::kNoUse, &view), Stream::Place::kMemory);
  {
    Stream::Claim claim;
    Claim(3, &claim);
    claim.segments.clear();
    Spill(claim);
  }
  EXPECT_EQ(budget_->bytes_pinned(), 0U);
  EXPECT_TRUE(EvictOldest());
  EXPECT_EQ(budget_->bytes_pinned(), memory::kArenaBytesMin);
  EXPECT_EQ(budget_->total().bytes_resident() - budget_->bytes_free(), 0U);
  EXPECT_EQ(view.columns.payload(2)[0], 'c');
  view = hybrid::PinnedColumns();
  EXPECT_EQ(budget_->bytes_pinned(), 0U);
}

TEST_F(StreamTest, ADirectWriterKeepsOthersOutUntilItIsDone) {
  Add("ab");
  Stream::Claim spill;
  Claim(2, &spill);
  Spill(spill);
  ASSERT_TRUE(stream_.EnterDirect({}).ok());
  EXPECT_EQ(stream_.EnterDirect({base::Deadline::Now(), nullptr}).code(), base::Code::kWouldBlock);
  Stream::Claim claim;
  ASSERT_TRUE(stream_.ClaimTail({}, &claim).ok());
  EXPECT_EQ(claim.written_seq, 2U);
  stream_.PublishDirect(claim, 10);
  EXPECT_EQ(stream_.tail_seq(), 12U);
  EXPECT_EQ(stream_.spilled_seq(), 12U);
  EXPECT_EQ(Read(0), "ab..........");
  EXPECT_EQ(stream_.AwaitNoDirect({base::Deadline::Now(), nullptr}).code(),
            base::Code::kWouldBlock);
  stream_.LeaveDirect();
  EXPECT_EQ(Add("c"), 12U);
  EXPECT_EQ(Read(12), "c");
}

}  // namespace
}  // namespace spillway::test
