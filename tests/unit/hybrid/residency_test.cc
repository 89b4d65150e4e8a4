// What is in memory, and what goes when memory is wanted: random steps beside a model that keeps
// plain lists, and compares all of it after every step.
#include "internal/hybrid/residency.h"

#include <algorithm>
#include <map>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/prng.h"
#include "tests/support/residency_bench.h"
#include "tests/support/tier_bench.h"

namespace spillway::test {
namespace {

using hybrid::Stream;

constexpr uint64_t kBytes = 200;  // of each record
// What follows from the record's size and a budget of 256 KiB: reads are counted by 32 records (a
// power of two, up to half a run), a run is 16 KiB (a 16th of the budget).
constexpr uint64_t kCounted = 32;
constexpr uint64_t kRunRecords = 16'384 / kBytes;
constexpr uint64_t kReads = 3;

struct Piece {
  uint64_t first_seq;
  uint64_t end_seq;
  uint64_t last_use;
};
struct ModelStream {
  Stream* stream;
  std::vector<Piece> pieces;                // in memory, in order
  std::map<uint64_t, uint64_t> cold_reads;  // by first_seq / kCounted

  bool clean(const Piece& piece) const { return piece.end_seq <= stream->spilled_seq(); }
  Piece* Find(uint64_t seq) {
    for (Piece& piece : pieces) {
      if (piece.first_seq <= seq && seq < piece.end_seq) {
        return &piece;
      }
    }
    return nullptr;
  }
};

class Walk {
 public:
  explicit Walk(uint64_t seed) : random_(seed), bench_(SmallLimits(), kReads) {
    for (const char* name : {"a", "b", "c"}) {
      streams_.push_back({bench_.MakeStream(name), {}, {}});
    }
  }

  void Run(uint64_t steps) {
    for (uint64_t step = 0; step < steps && !::testing::Test::HasFailure(); ++step) {
      SCOPED_TRACE("step " + std::to_string(step));
      Step();
      Check();
    }
    if (::testing::Test::HasFailure()) {
      return;
    }
    EXPECT_GT(bench_.counters.promotions.load(), steps / 100);
    EXPECT_LT(late_, bench_.counters.promotions.load() / 2);
    EXPECT_GT(bench_.residency.evictions(), steps / 100);
    EXPECT_EQ(bench_.tier.complaint(), "");
  }

 private:
  void Step() {
    ModelStream& model = streams_[random_.Below(streams_.size())];
    const uint64_t choice = random_.Below(100);
    if (choice < 12) {
      Add(&model);
    } else if (choice < 24) {
      bench_.Spill(model.stream, random_.OneIn(3) ? random_.Below(model.stream->tail_seq() + 1)
                                                  : model.stream->tail_seq());
    } else if (choice < 90) {
      Read(&model);
    } else if (choice < 94) {
      const bool any = std::any_of(model.pieces.begin(), model.pieces.end(),
                                   [&](const Piece& piece) { return model.clean(piece); });
      EXPECT_EQ(bench_.residency.EvictOne(model.stream), any);
      if (any) {
        EvictColdestOf(&model);
      }
    } else if (choice < 96) {
      EXPECT_EQ(bench_.residency.EvictOne(nullptr), EvictOne());
    } else if (choice < 98) {
      Trim(&model);
    } else if (choice < 99) {
      bench_.Scan(*model.stream, kBytes);
    } else {
      bench_.residency.EvictAll();
      for (ModelStream& each : streams_) {
        std::erase_if(each.pieces, [&](const Piece& piece) { return each.clean(piece); });
      }
    }
  }

  void Add(ModelStream* model) {
    const uint64_t count = random_.OneIn(4) ? random_.Between(1, 500) : random_.Between(1, 30);
    const uint64_t evicted = bench_.residency.evictions();
    const uint64_t tail = model->stream->tail_seq();
    const base::Status status = bench_.Add(model->stream, count, kBytes);
    Evict(bench_.residency.evictions() - evicted);
    if (!status.ok()) {
      ASSERT_EQ(status.code(), base::Code::kWouldBlock);
      return;
    }
    // How it is cut is the stream's affair; a new segment is a tick of the clock.
    Piece* const last = tail > 0 ? model->Find(tail - 1) : nullptr;
    uint64_t seq = tail;
    if (last != nullptr) {
      seq = last->end_seq = SegmentEnd(*model->stream, last->first_seq);
    }
    while (seq < model->stream->tail_seq()) {
      const uint64_t end_seq = SegmentEnd(*model->stream, seq);
      model->pieces.push_back({seq, end_seq, clock_++});
      seq = end_seq;
    }
  }
  static uint64_t SegmentEnd(const Stream& stream, uint64_t seq) {
    hybrid::PinnedColumns found;
    const uint64_t from = std::max(seq, stream.begin_seq());
    EXPECT_EQ(stream.Locate(from, UINT64_MAX, Stream::kNoUse, &found), Stream::Place::kMemory);
    return found.columns.end_seq();
  }

  // Some records are read again and again.
  void Read(ModelStream* model) {
    const uint64_t begin = model->stream->begin_seq();
    const uint64_t count = model->stream->tail_seq() - begin;
    if (count == 0) {
      return;
    }
    const uint64_t seq =
        random_.OneIn(3) ? begin + random_.Below(count) : begin + random_.Below(count) / 16 * 16;
    const uint64_t evicted = bench_.residency.evictions();
    const uint64_t promoted = bench_.counters.promotions.load();
    const uint64_t memory = bench_.counters.reads_memory.load();
    const uint64_t unspilled = bench_.budget->total().bytes_unspilled();
    const bool pressed = bench_.budget->total().pressed();
    bench_.Read(model->stream, seq, kBytes);
    Piece* const piece = model->Find(seq);
    ASSERT_EQ(bench_.counters.reads_memory.load() - memory, piece != nullptr ? 1U : 0U);
    if (piece != nullptr) {
      piece->last_use = clock_;
      ASSERT_EQ(bench_.counters.promotions.load(), promoted);
      return;
    }
    uint64_t& reads = model->cold_reads[seq / kCounted];
    const bool due = ++reads >= kReads;
    const Piece run = RunAround(model, seq);  // before anything is evicted for it
    Evict(bench_.residency.evictions() - evicted);
    if (bench_.counters.promotions.load() == promoted) {
      // Unspilled records stand in its way, or did so a moment ago, and it is counted anew; or the
      // count was lost, which may happen now and then.
      const bool room = !pressed && unspilled + (20 << 10) <= SmallLimits().bytes.soft;
      late_ += due && room ? 1 : 0;
      return;
    }
    ASSERT_TRUE(due);
    reads = 0;
    const auto next = std::find_if(model->pieces.begin(), model->pieces.end(),
                                   [&](const Piece& each) { return each.first_seq > seq; });
    model->pieces.insert(next, run);
    ++clock_;
  }

  // What a promotion copies.
  Piece RunAround(ModelStream* model, uint64_t seq) const {
    Piece run{std::max(seq / kCounted * kCounted, model->stream->begin_seq()),
              model->stream->spilled_seq(), clock_};
    for (const Piece& piece : model->pieces) {
      if (piece.first_seq <= seq) {
        run.first_seq = std::max(run.first_seq, piece.end_seq);
      } else {
        run.end_seq = std::min(run.end_seq, piece.first_seq);
      }
    }
    run.end_seq = std::min(run.end_seq, run.first_seq + kRunRecords);
    return run;
  }

  void Trim(ModelStream* model) {
    const uint64_t begin = model->stream->begin_seq();
    const uint64_t seq =
        begin + random_.Below(model->stream->tail_seq() - begin + 1) / (random_.OneIn(5) ? 1 : 4);
    model->stream->TrimTo(seq);
    std::erase_if(model->pieces, [&](const Piece& piece) { return piece.end_seq <= seq; });
  }

  // ---- Eviction, as residency.h tells it
  struct Victim {
    ModelStream* model;
    Piece piece;
  };
  void Evict(uint64_t times) {
    for (; times > 0; --times) {
      ASSERT_TRUE(EvictOne());
    }
  }
  void EvictColdestOf(ModelStream* model) {
    std::vector<Victim> clean = Clean(model);
    std::erase_if(model->pieces, [&](const Piece& piece) {
      return piece.first_seq == clean.front().piece.first_seq;
    });
  }
  std::vector<Victim> Clean(ModelStream* only) {
    std::vector<Victim> clean;
    for (ModelStream& model : streams_) {
      for (const Piece& piece : model.pieces) {
        if (model.clean(piece) && (only == nullptr || only == &model)) {
          clean.push_back({&model, piece});
        }
      }
    }
    std::stable_sort(clean.begin(), clean.end(), [](const Victim& a, const Victim& b) {
      return a.piece.last_use != b.piece.last_use ? a.piece.last_use < b.piece.last_use
                                                  : a.piece.first_seq < b.piece.first_seq;
    });
    return clean;
  }
  bool EvictOne() {
    for (;;) {
      if (victims_.empty()) {
        std::vector<Victim> clean = Clean(nullptr);
        clean.resize(std::min<size_t>(32, (clean.size() + 3) / 4));
        if (clean.empty()) {
          return false;
        }
        victims_.assign(clean.rbegin(), clean.rend());
      }
      const Victim victim = victims_.back();
      victims_.pop_back();
      const bool gone = std::erase_if(victim.model->pieces, [&](const Piece& piece) {
                          return piece.first_seq == victim.piece.first_seq &&
                                 piece.last_use == victim.piece.last_use &&
                                 victim.model->clean(piece);
                        }) > 0;
      if (gone) {
        return true;
      }
    }
  }

  // ---- Checks
  void Check() {
    const memory::MemoryBudget& budget = *bench_.budget;
    const memory::Account& total = budget.total();
    ASSERT_LE(budget.bytes_resident_peak(), SmallLimits().bytes.hard);
    ASSERT_EQ(budget.bytes_pinned(), 0U);
    ASSERT_EQ(bench_.residency.now(), clock_);
    uint64_t bytes = budget.bytes_free();
    uint64_t bytes_unspilled = 0;
    uint64_t records = 0;
    uint64_t records_unspilled = 0;
    for (ModelStream& model : streams_) {
      CheckPieces(&model);
      bytes += model.stream->account()->bytes_resident();
      bytes_unspilled += model.stream->account()->bytes_unspilled();
      records_unspilled += model.stream->tail_seq() - model.stream->spilled_seq();
      uint64_t of_stream = 0;
      for (const Piece& piece : model.pieces) {
        of_stream += piece.end_seq - piece.first_seq;
      }
      ASSERT_EQ(model.stream->account()->records_resident(), of_stream);
      records += of_stream;
    }
    ASSERT_EQ(total.bytes_resident(), bytes);
    ASSERT_EQ(total.bytes_unspilled(), bytes_unspilled);
    ASSERT_EQ(total.records_resident(), records);
    ASSERT_EQ(total.records_unspilled(), records_unspilled);
  }

  // The same is clean, used at the same times; the edges of everything are where they should be.
  void CheckPieces(ModelStream* model) {
    std::vector<std::pair<uint64_t, uint64_t>> clean;
    model->stream->VisitClean(
        [&](uint64_t first_seq, uint64_t last_use) { clean.emplace_back(first_seq, last_use); });
    std::vector<std::pair<uint64_t, uint64_t>> expected;
    for (const Piece& piece : model->pieces) {
      if (model->clean(piece)) {
        expected.emplace_back(piece.first_seq, piece.last_use);
      }
    }
    ASSERT_EQ(clean, expected);
    const Stream& stream = *model->stream;
    for (const Piece& piece : model->pieces) {
      for (const uint64_t seq :
           {piece.first_seq - 1, piece.first_seq, piece.end_seq - 1, piece.end_seq}) {
        if (seq >= stream.begin_seq() && seq < stream.tail_seq()) {
          ASSERT_EQ(ResidencyBench::IsInMemory(stream, seq), model->Find(seq) != nullptr) << seq;
        }
      }
    }
    for (uint64_t seq = stream.spilled_seq(); seq < stream.tail_seq();) {
      const Piece* const piece = model->Find(seq);
      ASSERT_NE(piece, nullptr) << seq << " is nowhere";
      seq = piece->end_seq;
    }
  }

  Prng random_;
  ResidencyBench bench_;
  std::vector<ModelStream> streams_;
  std::vector<Victim> victims_;  // the next one last
  uint64_t clock_ = 1;
  uint64_t late_ = 0;  // promotions
};

TEST(ResidencyTest, HoldsWhatAModelHoldsAndNeverTooMuch) {
  const uint64_t seed = TestSeed("HoldsWhatAModelHolds", 21);
  for (uint64_t i = 0; i < 5; ++i) {
    SCOPED_TRACE("seed " + std::to_string(seed + i));
    Walk(seed + i).Run(3000);
  }
}

class ResidencyOrderTest : public ::testing::Test {
 protected:
  // Six segments of one stream, all clean.
  ResidencyOrderTest() : bench_({}, 0), stream_(bench_.MakeStream("s")) {
    for (uint64_t i = 0; i < 6; ++i) {
      EXPECT_TRUE(bench_.Add(stream_, 300, kBytes).ok());
    }
    bench_.Spill(stream_, stream_->tail_seq());
    stream_->VisitClean([&](uint64_t first_seq, uint64_t) { firsts_.push_back(first_seq); });
    EXPECT_GE(firsts_.size(), 5U);
  }

  ResidencyBench bench_;
  Stream* const stream_;
  std::vector<uint64_t> firsts_;
};

TEST_F(ResidencyOrderTest, WhatIsReadStaysAndTheOldestOfTheOthersGoesFirst) {
  bench_.Read(stream_, firsts_[0], kBytes);
  bench_.Read(stream_, firsts_[2] + 5, kBytes);
  for (const uint64_t gone : {firsts_[1], firsts_[3]}) {
    EXPECT_TRUE(ResidencyBench::IsInMemory(*stream_, gone));
    EXPECT_TRUE(bench_.residency.EvictOne(nullptr));
    EXPECT_FALSE(ResidencyBench::IsInMemory(*stream_, gone));
  }
  EXPECT_TRUE(ResidencyBench::IsInMemory(*stream_, firsts_[0]));
  EXPECT_TRUE(ResidencyBench::IsInMemory(*stream_, firsts_[2]));
  bench_.Scan(*stream_, kBytes);
}

TEST_F(ResidencyOrderTest, AScanIsNoUse) {
  bench_.Read(stream_, firsts_[0], kBytes);
  for (int i = 0; i < 10; ++i) {
    bench_.Scan(*stream_, kBytes);
  }
  while (bench_.residency.EvictOne(nullptr) &&
         ResidencyBench::IsInMemory(*stream_, firsts_.back())) {
    EXPECT_TRUE(ResidencyBench::IsInMemory(*stream_, firsts_[0]));
  }
  EXPECT_TRUE(ResidencyBench::IsInMemory(*stream_, firsts_[0])) << "it was read, the last one not";
}

TEST_F(ResidencyOrderTest, AGatherIsAUseOfAllItReads) {
  const std::vector<uint64_t> seqs = {firsts_[2], firsts_[0] + 1, firsts_[2] + 3};
  ASSERT_TRUE(bench_.reader.Gather(stream_, seqs).ok());
  EXPECT_EQ(bench_.counters.reads_memory.load(), 3U);
  EXPECT_TRUE(bench_.residency.EvictOne(stream_));
  EXPECT_TRUE(bench_.residency.EvictOne(stream_));
  EXPECT_FALSE(ResidencyBench::IsInMemory(*stream_, firsts_[1]));
  EXPECT_FALSE(ResidencyBench::IsInMemory(*stream_, firsts_[3]));
  EXPECT_TRUE(ResidencyBench::IsInMemory(*stream_, firsts_[0]));
  EXPECT_TRUE(ResidencyBench::IsInMemory(*stream_, firsts_[2]));
}

}  // namespace
}  // namespace spillway::test
