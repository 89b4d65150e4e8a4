// Every allocation of a block file's life fails, once and for ever: the call says so or goes on,
// nothing is lost and nothing half done, and afterwards all is as it was.
#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "internal/base/allocation.h"
#include "internal/io/posix_file.h"
#include "tests/support/block_file_settings.h"
#include "tests/support/block_model.h"
#include "tests/support/blocks.h"
#include "tests/support/prng.h"
#include "tests/support/temp_folder.h"

namespace spillway::test {
namespace {

using base::Code;
using base::Status;
using blockfile::Level;
using blockfile::OpenMode;
using blockfile::Transaction;

// A life is told beforehand, and looked at afterwards: while allocations fail, the test itself may
// not ask for memory but where a failure is the call's own.
class Life {
 public:
  explicit Life(uint64_t seed) : random_(seed), settings_(SmallBlockFile(&random_)) {
    settings_.direct_bytes = 6000;
    settings_.cache_bytes = 100'000;
    style_.names_few = 6;
    style_.names_many = 15;
    style_.bytes_most = 9000;
    style_.with_versions = false;
    BlockModel model;
    for (std::vector<BlockOp>* ops : {&first_, &second_, &in_txn_, &third_}) {
      for (int i = 0; i < 7; ++i) {
        ops->push_back(RandomOp(&random_, style_, model));
        ApplyTo(&model, ops->back());
      }
    }
    codes_.reserve(100);
  }

  Status Open() {
    file_.reset();
    return base::CatchToStatus([&] {
      auto opened =
          Blocks::Open(io::PosixFileSystem(), folder_.File("blocks"), OpenMode::kCreate, settings_);
      if (opened.ok()) {
        file_ = std::move(opened.value());
      }
      return opened.status();
    });
  }

  // The part under test. Notes what each call answered.
  void Run() {
    RunOps(nullptr, first_);
    Note([&] { return file_->get()->Flush(Level::kDevice); });
    RunOps(nullptr, second_);
    std::shared_ptr<Transaction> txn;
    begun_ = Note([&] { return file_->get()->Begin(false, &txn); });
    if (begun_) {
      RunOps(txn.get(), in_txn_);
      committed_ = Note([&] { return file_->get()->Commit(txn.get(), Level::kRelaxed); });
    }
    RunOps(nullptr, third_);
    Note([&] { return file_->get()->Flush(Level::kKernel); });
    Look();
    Note([&] { return file_->get()->Flush(Level::kCheckpoint); });
    Look();
  }

  // Plays the calls that were made to the map.
  void ExpectAnswers() {
    size_t at = 0;
    Play(first_, &model_, &at);
    Expect(at++);
    Play(second_, &model_, &at);
    Expect(at++);
    if (begun_) {
      BlockModel seen = model_;
      Play(in_txn_, &seen, &at);
      Expect(at++);
      if (committed_) {
        model_ = seen;
      }
    }
    Play(third_, &model_, &at);
    for (; at < codes_.size(); ++at) {
      Expect(at);
    }
  }

  // The same handle holds all, takes more, closes, and opens with all of it.
  void ExpectWell() {
    ExpectHolds();
    ASSERT_TRUE(file_->Put("more", "memory").ok());
    ModelBlock more;
    more.payload = "memory";
    model_.Set("more", more);
    const Status flushed = file_->Flush();
    ASSERT_TRUE(flushed.ok()) << flushed.message();
    ExpectHolds();
    const Status closed = file_->Close();
    ASSERT_TRUE(closed.ok()) << closed.message();
    ASSERT_TRUE(Open().ok());
    ExpectHolds();
  }

  void ExpectHolds() {
    BlockModel found;
    const Status read = ReadAll(file_.get(), nullptr, Meta::kNo, &found);
    ASSERT_TRUE(read.ok()) << read.message();
    ASSERT_EQ(Difference(model_, found), "");
    const Status sound = file_->CheckSpace(true);
    ASSERT_TRUE(sound.ok()) << sound.message();
    const blockfile::FileStats stats = file_->get()->Stats();
    ASSERT_EQ(stats.blocks, model_.blocks().size());
    ASSERT_EQ(stats.snapshots, 0u);
  }

  // Frames to replay, and what they say.
  void LeaveFrames() {
    ASSERT_TRUE(Open().ok());
    for (const BlockOp& op : first_) {
      ASSERT_EQ(ApplyTo(file_.get(), nullptr, op).code(), ApplyTo(&model_, op));
      ASSERT_TRUE(file_->Flush().ok());
    }
    file_.reset();
  }
  Status Close() {
    return base::CatchToStatus([&] { return file_->Close(); });
  }
  Blocks* file() { return file_.get(); }

 private:
  template <class Call>
  bool Note(Call&& call) {
    codes_.push_back(base::CatchToStatus(call).code());
    return codes_.back() == Code::kOk;
  }

  void RunOps(Transaction* txn, const std::vector<BlockOp>& ops) {
    for (const BlockOp& op : ops) {
      Note([&] { return ApplyTo(file_.get(), txn, op); });
    }
  }

  void Look() {
    Note([&] {
      BlockModel found;
      return ReadAll(file_.get(), nullptr, Meta::kNo, &found);
    });
    Note([&] { return file_->CheckSpace(true); });
    Note([&] {
      blockfile::Blob blob;
      const Status got = file_->get()->Get(nullptr, first_[0].name(), 0, UINT64_MAX, &blob);
      return got.code() == Code::kNotFound ? Status() : got;
    });
  }

  // What a call answers that has nothing else to say.
  void Expect(size_t at) {
    ASSERT_TRUE(codes_[at] == Code::kOk || codes_[at] == Code::kNoMemory)
        << "call " << at << ": " << static_cast<int>(codes_[at]);
  }
  void Play(const std::vector<BlockOp>& ops, BlockModel* model, size_t* at) {
    for (const BlockOp& op : ops) {
      const Code answered = codes_[(*at)++];
      if (answered != Code::kNoMemory) {
        ASSERT_EQ(answered, ApplyTo(model, op)) << op.Describe();
      }
    }
  }

  Prng random_;
  TempFolder folder_;
  blockfile::Settings settings_;
  OpStyle style_;
  std::vector<BlockOp> first_, second_, in_txn_, third_;
  std::vector<Code> codes_;
  bool begun_ = false;
  bool committed_ = false;
  BlockModel model_;
  std::unique_ptr<Blocks> file_;
};

// Fails the n-th allocation of what run does; false: it has fewer.
bool FailAllocation(int64_t n, bool for_ever, const std::function<void()>& run) {
  const int64_t before = base::AllocationCount();
  base::FailAllocationAfter(n, for_ever);
  run();
  base::FailAllocationAfter(0, false);
  return base::AllocationCount() - before >= n;
}

// One in seven, each time others: lives differ by their seed, and four times as many are lived.
constexpr int64_t kStep = 7;

void FailAllocationsOf(uint64_t seed, bool for_ever, uint64_t* failed) {
  bool struck = true;
  for (int64_t n = 1 + static_cast<int64_t>(seed % kStep); struck && !::testing::Test::HasFailure();
       n += kStep) {
    const uint64_t life_seed = static_cast<uint64_t>(n % 5) + seed;
    SCOPED_TRACE("life " + std::to_string(life_seed) + ", allocation " + std::to_string(n) +
                 (for_ever ? " and all after it" : ""));
    Life life(life_seed);
    ASSERT_TRUE(life.Open().ok());
    struck = FailAllocation(n, for_ever, [&] { life.Run(); });
    life.ExpectAnswers();
    if (!::testing::Test::HasFailure()) {
      life.ExpectWell();
    }
    *failed += struck ? 1 : 0;
  }
}

TEST(BlockFileMemoryFaultTest, ALifeLosesNothingWhicheverAllocationFails) {
  const uint64_t seed = TestSeed("ALifeLosesNothingWhicheverAllocation", 1);
  uint64_t failed = 0;
  for (uint64_t i = 0; i < 12 && !::testing::Test::HasFailure(); ++i) {
    FailAllocationsOf(seed + i, false, &failed);
    FailAllocationsOf(seed + i, true, &failed);
  }
  std::printf("%llu allocations failed\n", static_cast<unsigned long long>(failed));
  EXPECT_GT(failed, 1000u);
}

TEST(BlockFileMemoryFaultTest, OpeningAndRecoverySayNoMemoryAndTheNextOneFindsAll) {
  uint64_t failed = 0;
  for (const bool for_ever : {false, true}) {
    bool struck = true;
    for (int64_t n = 1; struck && !::testing::Test::HasFailure(); ++n) {
      SCOPED_TRACE("allocation " + std::to_string(n) + (for_ever ? " and all after it" : ""));
      Life life(static_cast<uint64_t>(n % 3));
      life.LeaveFrames();
      Code code = Code::kOk;
      struck = FailAllocation(n, for_ever, [&] { code = life.Open().code(); });
      ASSERT_TRUE(code == Code::kNoMemory || code == Code::kOk) << static_cast<int>(code);
      if (code != Code::kOk) {
        const Status opened = life.Open();
        ASSERT_TRUE(opened.ok()) << opened.message();
      }
      life.ExpectWell();
      failed += struck ? 1 : 0;
    }
  }
  std::printf("%llu allocations failed\n", static_cast<unsigned long long>(failed));
  EXPECT_GT(failed, 100u);
}

// A block that is written as a stream, step by step: a step that failed is done again.
class StreamLife {
 public:
  explicit StreamLife(uint64_t seed) : random_(seed), settings_(SmallBlockFile(&random_)) {
    settings_.stretch_bytes = 4096;
    in_txn_ = seed % 2 == 1;
    payload_ = RandomBytes(&random_, 30'000 + random_.Below(5000));
    Open();
    EXPECT_TRUE(file_->Put("a", std::string(10'000, 'a')).ok());
    EXPECT_TRUE(file_->Flush().ok());
    EXPECT_TRUE(!in_txn_ || file_->get()->Begin(false, &txn_).ok());
  }

  // Until something fails, or to the end.
  Status Run() {
    while (step_ < kSteps) {
      SPW_RETURN_IF_ERROR(base::CatchToStatus([&] { return Step(); }));
      ++step_;
    }
    return {};
  }

  void ExpectWell() {
    reader_.reset();
    writer_.reset();
    ASSERT_TRUE(!in_txn_ || file_->get()->Commit(txn_.get(), Level::kRelaxed).ok());
    txn_.reset();
    for (int round = 0; round < 2; ++round) {
      ASSERT_TRUE(file_->Checkpoint().ok());
      std::string found;
      const Status read = file_->Read("a", &found);
      ASSERT_TRUE(read.ok()) << read.message();
      ASSERT_TRUE(found == payload_);
      const Status sound = file_->CheckSpace(true);
      ASSERT_TRUE(sound.ok()) << sound.message();
      ASSERT_EQ(file_->get()->Stats().blocks, 1u);
      ASSERT_TRUE(file_->Close().ok());
      Open();
    }
  }

 private:
  static constexpr uint64_t kPieces = 6;
  static constexpr uint64_t kSteps = kPieces + 4;

  void Open() {
    file_.reset();
    auto opened =
        Blocks::Open(io::PosixFileSystem(), folder_.File("blocks"), OpenMode::kCreate, settings_);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    file_ = std::move(opened.value());
  }

  Status Step() {
    if (step_ == 0) {
      return file_->get()->OpenWriter(txn_.get(), "a", blockfile::kAnyVersion, &writer_);
    }
    if (step_ <= kPieces) {
      const uint64_t begin = payload_.size() * (step_ - 1) / kPieces;
      const uint64_t end = payload_.size() * step_ / kPieces;
      return writer_->Write(blockfile::AsBytes(payload_).subspan(begin, end - begin));
    }
    uint64_t number = 0;
    if (step_ == kPieces + 1) {
      return writer_->Commit(&number);
    }
    if (step_ == kPieces + 2) {
      return file_->get()->OpenReader(txn_.get(), "a", &reader_);
    }
    for (number = 1; number > 0;) {
      std::array<uint8_t, 1000> some;
      SPW_RETURN_IF_ERROR(reader_->Read(some, &number));
      if (!std::equal(some.begin(), some.begin() + static_cast<ptrdiff_t>(number),
                      blockfile::AsBytes(payload_).begin() + static_cast<ptrdiff_t>(read_))) {
        return Status(Code::kInternal);
      }
      read_ += number;
    }
    return read_ == payload_.size() ? Status() : Status(Code::kInternal);
  }

  Prng random_;
  TempFolder folder_;
  blockfile::Settings settings_;
  bool in_txn_ = false;
  std::string payload_;
  std::unique_ptr<Blocks> file_;
  std::shared_ptr<Transaction> txn_;
  uint64_t step_ = 0;
  uint64_t read_ = 0;
  std::unique_ptr<blockfile::StreamWriter> writer_;
  std::unique_ptr<blockfile::StreamReader> reader_;
};

TEST(BlockFileMemoryFaultTest, AStreamWithoutMemoryGoesOnWhereItWas) {
  uint64_t failed = 0;
  for (const bool for_ever : {false, true}) {
    uint64_t over = 0;
    for (int64_t n = 1; over < 4 && !::testing::Test::HasFailure(); ++n) {
      SCOPED_TRACE("allocation " + std::to_string(n) + (for_ever ? " and all after it" : ""));
      StreamLife life(static_cast<uint64_t>(n % 4));
      Status status;
      const bool struck = FailAllocation(n, for_ever, [&] { status = life.Run(); });
      ASSERT_TRUE(status.ok() || (struck && status.code() == Code::kNoMemory)) << status.message();
      const Status again = life.Run();
      ASSERT_TRUE(again.ok()) << again.message();
      life.ExpectWell();
      failed += struck ? 1 : 0;
      over = struck ? 0 : over + 1;
    }
  }
  std::printf("%llu allocations failed\n", static_cast<unsigned long long>(failed));
  EXPECT_GT(failed, 50u);
}

TEST(BlockFileMemoryFaultTest, ACloseWithoutMemoryCanBeRepeated) {
  uint64_t failed = 0;
  for (const bool for_ever : {false, true}) {
    bool struck = true;
    for (int64_t n = 1; struck && !::testing::Test::HasFailure(); ++n) {
      SCOPED_TRACE("allocation " + std::to_string(n) + (for_ever ? " and all after it" : ""));
      Life life(static_cast<uint64_t>(n % 3));
      ASSERT_TRUE(life.Open().ok());
      life.Run();
      life.ExpectAnswers();
      ASSERT_TRUE(life.file()->Remove("x").code() == Code::kNotFound);
      ASSERT_TRUE(life.file()->Put("x", std::string(5000, 'x')).ok());
      Code code = Code::kOk;
      struck = FailAllocation(n, for_ever, [&] { code = life.Close().code(); });
      ASSERT_TRUE(code == Code::kNoMemory || code == Code::kOk) << static_cast<int>(code);
      if (code == Code::kNoMemory) {
        ASSERT_TRUE(life.file()->Remove("x").ok());
        const Status closed = life.Close();
        ASSERT_TRUE(closed.ok()) << closed.message();
      } else {
        ASSERT_TRUE(life.Open().ok());
        ASSERT_TRUE(life.file()->Remove("x").ok());
        ASSERT_TRUE(life.Close().ok());
      }
      ASSERT_TRUE(life.Open().ok());
      life.ExpectHolds();
      failed += struck ? 1 : 0;
    }
  }
  std::printf("%llu allocations failed\n", static_cast<unsigned long long>(failed));
  EXPECT_GT(failed, 20u);
}

}  // namespace
}  // namespace spillway::test
