// Clears, trims, settles, flushes and closes that race spills, adders and readers: rounds of all of
// them at once, each ended by a close at a random moment, and after it the store holds what the
// model says.
//
// Records say by their bytes which they are, so the model is two numbers a stream, where it begins
// and where it ends; and of a begin that several threads move, between which numbers it is.
#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/crew.h"
#include "tests/support/numbered_records.h"
#include "tests/support/prng.h"
#include "tests/support/temp_folder.h"
#include "tests/support/test_store.h"
#include "tests/support/tier_of_run.h"

namespace spillway::test {
namespace {

constexpr uint64_t kWriters = 3;
#ifdef __SANITIZE_THREAD__
constexpr uint64_t kRounds = 6;
#else
constexpr uint64_t kRounds = 15;
#endif

void RaiseTo(std::atomic<uint64_t>* mark, uint64_t value) {
  uint64_t seen = mark->load();
  while (seen < value && !mark->compare_exchange_weak(seen, value)) {
  }
}

struct Raced {
  Numbered records;
  uint32_t id = 0;
  std::atomic<uint64_t> tail{0};         // admitted
  std::atomic<uint64_t> begin_least{0};  // what is below was dropped by a call that returned
  std::atomic<uint64_t> begin_most{0};   // no call was asked to drop what is not below
  // What a successful flush promised.
  std::atomic<uint64_t> flushed_tail{0};
  std::atomic<uint64_t> flushed_begin{0};
};

enum class Ending { kClose, kDiscard, kDrop };

class StoreRaceTest : public ::testing::Test {
 protected:
  StoreRaceTest() : store_(folder_.File("store")) {
    for (uint32_t i = 0; i < kWriters; ++i) {
      streams_[i].records = {i, i == 0 ? uint64_t{3000} : uint64_t{300}};
    }
  }

  void Open(Prng* random) {
    ASSERT_EQ(
        store_.Open({{SPW_OPT_BUDGET_BYTES, 256 << 10},
                     {SPW_OPT_BUDGET_RECORDS, static_cast<int64_t>(random->Between(100, 2000))},
                     {SPW_OPT_EAGER, random->OneIn(3) ? 1 : 0},
                     {SPW_OPT_SPILLS_IN_FLIGHT, static_cast<int64_t>(random->Between(1, 2))},
                     TierOfRun()}),
        SPW_OK);
    for (Raced& stream : streams_) {
      const std::string name = "stream " + std::to_string(stream.records.number);
      ASSERT_EQ(store_.Stream(name, {}, &stream.id), SPW_OK);
    }
  }

  // Whether the store is open still; any other failure is one of the test.
  static bool Good(spw_status status, const char* what) {
    EXPECT_TRUE(status == SPW_OK || status == SPW_CLOSED)
        << what << ": " << spw_status_name(status);
    return status == SPW_OK;
  }
  Raced& Any(Prng* random) { return streams_[random->Below(kWriters)]; }

  // ---- What races: each a round of a crew

  void AddSome(Raced* stream, Prng* random) {
    const uint64_t tail = stream->tail.load();
    // Seldom one that is larger than the hard limit of records: it goes around memory.
    const uint64_t count = random->OneIn(200) ? 3000 : random->Between(1, 30);
    uint64_t first = 0;
    const Form form = random->OneIn(2) ? Form::kPacked : Form::kVectored;
    if (Good(store_.Add(stream->id, stream->records.Batch(tail, count), false, form, &first),
             "add")) {
      EXPECT_EQ(first, tail);
      stream->tail.store(tail + count);
    }
  }

  void DropSome(Prng* random) {
    Raced& stream = Any(random);
    const uint64_t tail = stream.tail.load();
    switch (random->Below(3)) {
      case 0: {
        const uint64_t seq = random->Between(std::min(stream.begin_least.load(), tail), tail);
        RaiseTo(&stream.begin_most, seq);
        if (Good(store_.Trim(stream.id, seq), "trim")) {
          RaiseTo(&stream.begin_least, seq);
        }
        return;
      }
      case 1: {
        uint64_t begin = 0;
        if (Good(spw_store_trim_bytes(store_.handle(), stream.id, random->Below(100'000), &begin,
                                      nullptr),
                 "trim by bytes")) {
          RaiseTo(&stream.begin_most, begin);
          RaiseTo(&stream.begin_least, begin);
        }
        return;
      }
      default:
        if (random->OneIn(10) && Good(store_.Clear(stream.id), "clear")) {
          RaiseTo(&stream.begin_most, BeginOf(stream));
          RaiseTo(&stream.begin_least, tail);
        }
    }
  }

  // Now; of a store that was closed meanwhile nobody knows.
  uint64_t BeginOf(const Raced& stream) {
    spw_stream_stats stats = {};
    stats.struct_size = sizeof stats;
    const spw_status status = spw_store_stream_stats(store_.handle(), stream.id, &stats, nullptr);
    return Good(status, "statistics") ? stats.begin_seq : UINT64_MAX;
  }

  void FlushSome(Prng* random) {
    uint64_t tails[kWriters];
    uint64_t begins[kWriters];
    for (uint64_t i = 0; i < kWriters; ++i) {
      tails[i] = streams_[i].tail.load();
      begins[i] = streams_[i].begin_least.load();
    }
    const uint64_t choice = random->Below(4);
    const spw_status status =
        choice == 0   ? spw_store_settle(store_.handle(), SPW_WAIT_FOREVER, nullptr, nullptr)
        : choice == 1 ? store_.Flush(SPW_FLUSH_DEVICE)
        : choice == 2 ? store_.Flush(SPW_FLUSH_KERNEL)
                      : spw_store_release_memory(store_.handle(), nullptr);
    if (Good(status, "flush") && choice < 3) {
      for (uint64_t i = 0; i < kWriters; ++i) {
        RaiseTo(&streams_[i].flushed_tail, tails[i]);
        RaiseTo(&streams_[i].flushed_begin, begins[i]);
      }
    }
  }

  void ReadSome(Prng* random) {
    Raced& stream = Any(random);
    const uint64_t admitted = stream.tail.load();
    spw_status status = SPW_OK;
    const auto cursor = store_.Cursor(stream.id, 0, SPW_SEQ_NONE, &status);
    if (!Good(status, "cursor")) {
      return;
    }
    EXPECT_GE(cursor->end_seq(), admitted);
    uint64_t end = 0;
    const uint64_t most = random->OneIn(2) ? SPW_NO_LIMIT : random->Between(1, 200);
    ASSERT_NO_FATAL_FAILURE(ReadNumbered(cursor.get(), stream.records, most, &status, &end));
    if (status != SPW_TRIMMED && Good(status, "next")) {
      EXPECT_EQ(end, cursor->end_seq());
    }
    Record record;
    const uint64_t seq = random->Below(admitted);
    status = store_.Read(stream.id, seq, &record);
    if (admitted > 0 && status != SPW_TRIMMED && Good(status, "read")) {
      EXPECT_EQ(record.payload, stream.records.At(seq).payload);
    }
  }

  // ---- Rounds

  void Round(uint64_t seed, Ending ending) {
    Prng random(seed);
    ASSERT_NO_FATAL_FAILURE(Open(&random));
    ASSERT_NO_FATAL_FAILURE(ExpectModel());
    uint64_t until = random.Between(200, 6000);
    for (const Raced& stream : streams_) {
      until += stream.tail.load();
    }
    Crew crew;
    for (Raced& stream : streams_) {
      crew.Add([this, &stream, own = Prng(random.Next())]() mutable { AddSome(&stream, &own); });
    }
    crew.Add([this, own = Prng(random.Next())]() mutable { DropSome(&own); });
    crew.Add([this, own = Prng(random.Next())]() mutable { DropSome(&own); });
    crew.Add([this, own = Prng(random.Next())]() mutable { FlushSome(&own); });
    crew.Add([this, own = Prng(random.Next())]() mutable { ReadSome(&own); });
    while (Admitted() < until && !HasFailure()) {
      std::this_thread::yield();
    }
    spills_ += store_.Stats().spills;
    if (ending == Ending::kDrop) {
      crew.End();  // nobody may be in a call of a handle that is freed
    } else {
      EXPECT_EQ(store_.Close(ending == Ending::kDiscard ? SPW_CLOSE_DISCARD : 0), SPW_OK);
      crew.End();
    }
    store_.Drop();
    all_kept_ = ending == Ending::kClose;
  }

  uint64_t Admitted() const {
    uint64_t sum = 0;
    for (const Raced& stream : streams_) {
      sum += stream.tail.load();
    }
    return sum;
  }

  // What was found after the end of a round is what may be found then, and the model from now on.
  void ExpectModel() {
    uint64_t live = 0;
    for (Raced& stream : streams_) {
      SCOPED_TRACE("stream " + std::to_string(stream.records.number));
      const spw_stream_stats found = store_.StreamStats(stream.id);
      if (all_kept_) {
        ASSERT_EQ(found.tail_seq, stream.tail.load());
        ASSERT_GE(found.begin_seq, stream.begin_least.load());
      }
      ASSERT_GE(found.tail_seq, stream.flushed_tail.load());
      ASSERT_LE(found.tail_seq, stream.tail.load());
      ASSERT_GE(found.begin_seq, stream.flushed_begin.load());
      ASSERT_LE(found.begin_seq, stream.begin_most.load());
      ASSERT_NO_FATAL_FAILURE(
          ExpectHolds(&store_, stream.id, stream.records, found.begin_seq, found.tail_seq));
      stream.tail.store(found.tail_seq);
      for (std::atomic<uint64_t>* begin : {&stream.begin_least, &stream.begin_most}) {
        begin->store(found.begin_seq);
      }
      stream.flushed_tail.store(all_kept_ ? found.tail_seq : 0);
      stream.flushed_begin.store(all_kept_ ? found.begin_seq : 0);
      live += found.tail_seq - found.begin_seq;
    }
    ASSERT_EQ(store_.Stats().records_live, live);
  }

  TempFolder folder_;
  TestStore store_;
  Raced streams_[kWriters];
  bool all_kept_ = true;
  uint64_t spills_ = 0;
};

TEST_F(StoreRaceTest, WhateverRacesASpillOrACloseTheStoreHoldsWhatTheModelSays) {
  const uint64_t seed = TestSeed("WhateverRacesASpill", 31);
  constexpr Ending kEndings[] = {Ending::kClose, Ending::kDiscard, Ending::kDrop};
  for (uint64_t i = 0; i < kRounds && !HasFailure(); ++i) {
    SCOPED_TRACE("round " + std::to_string(i));
    Round(seed * 1000 + i, kEndings[i % 3]);
  }
  ASSERT_FALSE(HasFailure());
  Prng random(seed);
  ASSERT_NO_FATAL_FAILURE(Open(&random));
  ASSERT_NO_FATAL_FAILURE(ExpectModel());
  std::printf("%llu records admitted, %llu spills\n", static_cast<unsigned long long>(Admitted()),
              static_cast<unsigned long long>(spills_));
  EXPECT_GT(spills_, kRounds);
}

}  // namespace
}  // namespace spillway::test
