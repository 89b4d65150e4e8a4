// The block file on a disk that fails: every call once, for ever and with a full disk, two calls in
// one life, and a disk that is full until it is not. Whatever a call answers, what was durable
// stays, nothing is half done, and nothing that was admitted is lost while writing goes on.
#include <cerrno>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/block_file_settings.h"
#include "tests/support/block_model.h"
#include "tests/support/blocks.h"
#include "tests/support/power_cut.h"
#include "tests/support/prng.h"
#include "tests/support/sim_disk.h"
#include "tests/support/temp_folder.h"

namespace spillway::test {
namespace {

using base::Code;
using base::Status;
using blockfile::Level;
using blockfile::OpenMode;
using blockfile::Transaction;

class Life {
 public:
  explicit Life(uint64_t seed, SimDisk::Record record = SimDisk::Record::kNo)
      : random_(seed), disk_(folder_.path(), seed, record), settings_(SmallBlockFile(&random_)) {
    settings_.growth_bytes = uint64_t{20} * settings_.page_bytes;
    settings_.growth_bytes_most =
        uint64_t{40} * settings_.page_bytes;  // so that growing fails as well
    settings_.direct_bytes = 3000;
    // As much more than a region of the journal as users have.
    settings_.region_pages = std::min<uint64_t>(settings_.region_pages, 20);
    settings_.reserve_bytes = uint64_t{150} * settings_.page_bytes;
    style_.names_few = 5;
    style_.names_many = 14;
    style_.bytes_most = 9000;
    style_.with_versions = false;  // the failing call may be the one that would tell them
  }

  SimDisk& disk() { return disk_; }
  Blocks* file() { return file_.get(); }
  const BlockModel& model() const { return states_.back(); }
  // A second fault, that many calls after the first has struck.
  void FailAgain(const Fault& fault) { second_ = fault; }
  void NoteDurable() { durable_ = states_.size() - 1; }

  Status Open() {
    file_.reset();
    auto opened = Blocks::Open(&disk_, folder_.File("blocks"), OpenMode::kCreate, settings_);
    if (opened.ok()) {
      file_ = std::move(opened.value());
    }
    return opened.status();
  }

  // Everything a program may do; goes on after a failure, as a program might.
  void Work(uint64_t rounds) {
    for (uint64_t round = 0; round < rounds && !::testing::Test::HasFatalFailure(); ++round) {
      std::shared_ptr<Transaction> snapshot;
      Note(file_->get()->Begin(true, &snapshot), Code::kOk);
      const BlockModel then = model();
      for (uint64_t i = 0; i < 5; ++i) {
        Change(RandomOp(&random_, style_, model()));
      }
      Transact(round % 3 == 0 ? Level::kDevice : Level::kRelaxed);
      if (round % 2 == 1) {
        Vacuum();
      }
      const Level level = round == 2       ? Level::kCheckpoint
                          : round % 2 == 0 ? Level::kDevice
                                           : Level::kKernel;
      Flush(level);
      ExpectReads(nullptr, model());
      if (snapshot != nullptr) {
        ExpectReads(snapshot.get(), then);
      }
    }
  }
  void Close() {
    const Status closed = file_->Close();
    if (closed.ok()) {
      NoteDurable();
    }
    Note(closed, Code::kOk);
  }

  void Flush(Level level) {
    const Status status = file_->get()->Flush(level);
    Note(status, Code::kOk);
    if (status.ok() && level != Level::kKernel) {
      NoteDurable();
    }
  }

  void Vacuum() {
    blockfile::VacuumResult result;
    const Status status = file_->get()->Vacuum({.full = true}, nullptr, &result);
    Note(status, Code::kOk);
    if (status.ok()) {
      NoteDurable();
    }
  }

  void Change(const BlockOp& op) {
    BlockModel next = model();
    const Code wanted = ApplyTo(&next, op);
    const Status status = ApplyTo(file_.get(), nullptr, op);
    Note(status, wanted);
    if (status.ok()) {
      states_.push_back(std::move(next));
    }
  }

  void Transact(Level level) {
    std::shared_ptr<Transaction> txn;
    const Status begun = file_->get()->Begin(false, &txn);
    Note(begun, Code::kOk);
    if (!begun.ok()) {
      return;
    }
    BlockModel seen = model();
    for (uint64_t i = 0; i < 4; ++i) {
      const BlockOp op = RandomOp(&random_, style_, seen);
      BlockModel next = seen;
      const Code wanted = ApplyTo(&next, op);
      const Status status = ApplyTo(file_.get(), txn.get(), op);
      Note(status, wanted);
      seen = status.ok() ? next : seen;
    }
    const uint64_t before = file_->get()->Stats().puts;
    const Status status = file_->get()->Commit(txn.get(), level);
    Note(status, Code::kOk);
    // FULL and IO may have come before it was visible, or after.
    if (status.ok() || file_->get()->Stats().puts > before) {
      states_.push_back(std::move(seen));
    }
    if (status.ok() && level != Level::kRelaxed) {
      NoteDurable();
    }
  }

  // Everything that was admitted is readable, unless it is the read that fails.
  void ExpectReads(Transaction* txn, const BlockModel& model) {
    BlockModel found;
    const Status read = ReadAll(file_.get(), txn, Meta::kNo, &found);
    ASSERT_TRUE(read.ok() || disk_.HasFailed()) << read.message();
    ASSERT_EQ(read.ok() ? Difference(model, found) : "", "")
        << (txn == nullptr ? "now" : "in a snapshot");
  }

  // On the same handle, healed.
  void ExpectGoesOn() {
    BlockOp op;
    op.items.push_back({"after", std::string(2500, 'a')});
    const uint64_t before = states_.size();
    Change(op);
    ASSERT_EQ(states_.size(), before + 1);
    Flush(Level::kDevice);
    ASSERT_EQ(durable_, states_.size() - 1);
    ExpectReads(nullptr, model());
  }

  // After a crash on a disk that is well again: some state since the last durable one.
  void ExpectWhole() {
    disk_.Heal();
    const Status opened = Open();
    ASSERT_TRUE(opened.ok()) << opened.message();
    ExpectOneOf();
    const Status put = file_->Put("after all", "it goes on");
    ASSERT_TRUE(put.ok()) << put.message();
    const Status closed = file_->Close();
    ASSERT_TRUE(closed.ok()) << closed.message();
  }

  void ExpectOneOf() {
    BlockModel found;
    const Status read = ReadAll(file_.get(), nullptr, Meta::kNo, &found);
    ASSERT_TRUE(read.ok()) << read.message();
    std::string difference = "no state fits";
    for (size_t i = durable_; i < states_.size(); ++i) {
      difference = states_[i].sum() == found.sum() ? "" : difference;
    }
    ASSERT_EQ(difference, "") << "of " << durable_ << " to " << states_.size() - 1 << ": "
                              << Difference(model(), found);
    const Status sound = file_->CheckSpace(true);
    ASSERT_TRUE(sound.ok() || sound.message().find(": superblock at") != std::string::npos)
        << sound.message();
  }

  // The power fails now; what is found then.
  void CutThePower(uint64_t seed) {
    file_.reset();
    PowerCut cut(disk_);
    cut.AdvanceTo(disk_.log_size());
    TempFolder folder;
    cut.WriteImage(seed, folder.path());
    SimDisk plain(folder.path(), 1, SimDisk::Record::kNo);
    auto opened = Blocks::Open(&plain, folder.File("blocks"), OpenMode::kExisting, settings_);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    file_ = std::move(opened.value());
    ExpectOneOf();
    file_.reset();
  }

  // The first failure that a call told of.
  Status first() const { return first_; }
  const blockfile::Settings& settings() const { return settings_; }

 private:
  void Note(const Status& status, Code wanted) {
    if (second_.has_value() && disk_.HasFailed()) {
      disk_.Fail(*second_);
      second_.reset();
      struck_once_ = true;
    }
    if (status.code() == wanted) {
      return;
    }
    ASSERT_TRUE(disk_.HasFailed() || struck_once_)
        << static_cast<int>(status.code()) << " " << status.message();
    ASSERT_TRUE(status.code() == Code::kIo || status.code() == Code::kFull)
        << static_cast<int>(status.code()) << " " << status.message();
    first_ = first_.ok() ? status : first_;
  }

  Prng random_;
  TempFolder folder_;
  SimDisk disk_;
  blockfile::Settings settings_;
  OpStyle style_;
  std::vector<BlockModel> states_ = {BlockModel()};
  size_t durable_ = 0;
  std::optional<Fault> second_;
  bool struck_once_ = false;
  Status first_;
  std::unique_ptr<Blocks> file_;
};

// Five lives in turn, each until it has no more calls.
constexpr uint64_t kLives = 5;

void FailEveryCall(int os_code, bool for_ever) {
  uint64_t failed = 0;
  uint64_t over = 0;
  for (uint64_t number = 1; over < kLives && !::testing::Test::HasFailure(); ++number) {
    SCOPED_TRACE("call " + std::to_string(number) + " fails with " + std::to_string(os_code));
    Life life(number % kLives);
    ASSERT_EQ(life.Open().code(), Code::kOk);
    life.disk().Fail({Call::kAny, number, os_code, for_ever});
    life.Work(5);
    life.Close();
    const bool struck = life.disk().HasFailed();
    EXPECT_TRUE(struck || life.first().ok()) << life.first().message();
    over = struck ? 0 : over + 1;
    failed += struck ? 1 : 0;
    life.ExpectWhole();
  }
  EXPECT_GT(failed, 80u);
  std::printf("%llu calls failed\n", static_cast<unsigned long long>(failed));
}

TEST(BlockFileFaultTest, NothingDurableIsLostWhicheverCallFailsOnceWithEio) {
  FailEveryCall(EIO, false);
}
TEST(BlockFileFaultTest, NothingDurableIsLostWhenEveryCallFromSomeOneOnFails) {
  FailEveryCall(EIO, true);
}
TEST(BlockFileFaultTest, NothingDurableIsLostWhicheverCallFindsTheDiskFull) {
  FailEveryCall(ENOSPC, false);
}
TEST(BlockFileFaultTest, NothingDurableIsLostWhenTheDiskStaysFull) { FailEveryCall(ENOSPC, true); }

TEST(BlockFileFaultTest, TwoFailuresInOneLifeLoseNothingDurable) {
  const uint64_t seed = TestSeed("TwoFailuresInOneLife", 1);
  Prng random(seed);
  uint64_t both = 0;
  for (uint64_t i = 0; i < 600 && !::testing::Test::HasFailure(); ++i) {
    const int codes[] = {EIO, ENOSPC};
    const Fault first = {Call::kAny, random.Between(1, 120), codes[random.Below(2)], false};
    const Fault second = {Call::kAny, random.Between(1, 25), codes[random.Below(2)],
                          random.OneIn(2)};
    SCOPED_TRACE("pair " + std::to_string(i) + ": " + std::to_string(first.number) + " " +
                 std::to_string(first.os_code) + ", then " + std::to_string(second.number) + " " +
                 std::to_string(second.os_code));
    Life life(seed + i);
    ASSERT_EQ(life.Open().code(), Code::kOk);
    life.disk().Fail(first);
    life.FailAgain(second);
    life.Work(4);
    if (random.OneIn(2)) {
      life.Close();
    } else if (!life.Open().ok()) {  // it may well strike there
      ++both;
    }
    both += life.disk().HasFailed() ? 1 : 0;
    life.ExpectWhole();
  }
  EXPECT_GT(both, 200u);
}

TEST(BlockFileFaultTest, AFailedSyncIsNeverRepeatedAndLosesNothingWhenThePowerFailsThen) {
  for (uint64_t number = 1; !::testing::Test::HasFailure(); ++number) {
    SCOPED_TRACE("sync " + std::to_string(number));
    Life life(number % 5, SimDisk::Record::kYes);
    ASSERT_EQ(life.Open().code(), Code::kOk);
    life.disk().Fail({Call::kSync, number, EIO, false});
    life.Work(5);
    life.Close();
    if (!life.disk().HasFailed()) {
      EXPECT_GT(number, 6u);
      break;
    }
    EXPECT_EQ(life.disk().syncs_after_failure(), 0u);
    for (uint64_t image = 0; image < 8 && !::testing::Test::HasFailure(); ++image) {
      life.CutThePower(image);
    }
  }
}

// ---- a disk that is full until it is not ----

struct Fill {
  uint64_t full = 0;     // lives in which something found the disk full
  uint64_t waiting = 0;  // and changes waited for room at their end
};

// Nothing waits: deletes, checkpoints and a close need no more room than there is.
void EmptyAndClose(Life* life) {
  for (uint64_t i = 0; !life->model().blocks().empty(); ++i) {
    BlockOp op;
    op.kind = BlockOp::Kind::kRemove;
    op.items.push_back({life->model().blocks().begin()->first, ""});
    const size_t before = life->model().blocks().size();
    life->Change(op);
    ASSERT_EQ(life->model().blocks().size(), before - 1) << "a delete found no room";
    const Status flushed = i % 3 == 2 ? life->file()->Checkpoint() : life->file()->Flush();
    ASSERT_TRUE(flushed.ok()) << "after delete " << i << ": " << flushed.message();
    life->NoteDurable();
  }
  const Status closed = life->file()->Close();
  ASSERT_TRUE(closed.ok()) << "on a full disk: " << closed.message();
}

void FillTheDisk(uint64_t seed, uint64_t space, Fill* counts) {
  Life life(seed);
  ASSERT_EQ(life.Open().code(), Code::kOk);
  life.disk().SetSpace(space);
  life.Work(4);
  ASSERT_TRUE(life.first().ok() || life.first().code() == Code::kFull) << life.first().message();
  counts->full += life.first().ok() ? 0 : 1;
  const Status flushed = life.file()->Flush();
  life.disk().SetSpace(0);
  life.ExpectReads(nullptr, life.model());
  if (flushed.ok() && seed % 2 == 0) {
    life.NoteDurable();
    EmptyAndClose(&life);
  } else {
    counts->waiting += flushed.ok() ? 0 : 1;
    life.disk().SetSpace(std::nullopt);
    life.ExpectGoesOn();
  }
  life.disk().SetSpace(std::nullopt);
  life.ExpectWhole();
}

TEST(BlockFileFaultTest, AFullDiskTakesDeletesAndClosesAndGoesOnWhenThereIsRoom) {
  Fill counts;
  for (uint64_t i = 0; i < 240 && !::testing::Test::HasFailure(); ++i) {
    const uint64_t space = i * 768;
    SCOPED_TRACE("room for " + std::to_string(space));
    FillTheDisk(i % 14, space, &counts);
  }
  EXPECT_GT(counts.full, 20u);
  std::printf("%llu lives found the disk full, %llu to their end\n",
              static_cast<unsigned long long>(counts.full),
              static_cast<unsigned long long>(counts.waiting));
}

// Opening: whatever fails is told, and the next open finds everything. Only that there is no room
// for the reserve is no failure.
TEST(BlockFileFaultTest, OpenTellsOfEveryFailedCallAndChangesNothing) {
  uint64_t failed = 0;
  for (const Call kind :
       {Call::kOpen, Call::kRead, Call::kWrite, Call::kTruncate, Call::kSize, Call::kSync,
        Call::kLock, Call::kRename, Call::kSyncFolder, Call::kExists}) {
    bool struck = true;
    for (uint64_t number = 1; struck && !::testing::Test::HasFailure(); ++number) {
      SCOPED_TRACE("kind " + std::to_string(static_cast<int>(kind)) + " call " +
                   std::to_string(number));
      Life life(3);
      life.disk().Fail({kind, number, EIO, false});
      const Status status = life.Open();
      struck = life.disk().HasFailed();
      EXPECT_EQ(status.code(), struck ? Code::kIo : Code::kOk) << status.message();
      life.disk().Heal();
      if (struck) {
        ++failed;
        ASSERT_EQ(life.Open().code(), Code::kOk);
      }
      life.Work(2);
      EXPECT_TRUE(life.first().ok()) << life.first().message();
      life.ExpectWhole();
    }
  }
  EXPECT_GT(failed, 15u);
}

// The same with frames to replay.
TEST(BlockFileFaultTest, RecoveryTellsOfEveryFailedCallAndIsDoneByTheNextOpen) {
  for (const int os_code : {EIO, ENOSPC}) {
    for (uint64_t number = 1; !::testing::Test::HasFailure(); ++number) {
      SCOPED_TRACE("call " + std::to_string(number) + " with " + std::to_string(os_code));
      Life life(number % 3);
      ASSERT_EQ(life.Open().code(), Code::kOk);
      life.Work(2);
      life.Flush(Level::kDevice);
      life.disk().Fail({Call::kAny, number, os_code, false});
      const Status status = life.Open();
      const bool struck = life.disk().HasFailed();
      EXPECT_TRUE(status.ok() ||
                  (struck && (status.code() == Code::kIo || status.code() == Code::kFull)))
          << status.message();
      life.ExpectWhole();
      if (!struck && number > 10) {
        break;
      }
    }
  }
}

}  // namespace
}  // namespace spillway::test
