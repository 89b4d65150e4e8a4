// The block file on a disk that fails: every call once, with an I/O error and with a full disk.
// Whatever a call answers, what was durable stays, and nothing that was admitted is lost from
// memory while writing goes on.
#include <cerrno>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "internal/blockfile/block_file.h"
#include "tests/support/block_file_settings.h"
#include "tests/support/prng.h"
#include "tests/support/sim_disk.h"
#include "tests/support/temp_folder.h"

namespace spillway::test {
namespace {

using base::Code;
using base::Status;
using blockfile::AsBytes;
using blockfile::BlockFile;
using Model = std::map<std::string, std::string>;

class Life {
 public:
  explicit Life(uint64_t seed)
      : random_(seed),
        disk_(folder_.path(), seed, SimDisk::Record::kNo),
        settings_(SmallBlockFile(&random_)) {
    settings_.growth = {.pages_least = 20, .pages_most = 40};  // so that growing fails as well
  }

  SimDisk& disk() { return disk_; }

  Status Open() {
    file_.reset();
    auto opened =
        BlockFile::Open(&disk_, folder_.File("blocks"), BlockFile::Create::kIfMissing, settings_);
    if (opened.ok()) {
      file_ = std::move(opened.value());
    }
    return opened.status();
  }

  // Changes, flushes, checkpoints, a close; goes on after a failure, as a program might. Returns
  // the first failure.
  Status Work() {
    Status first;
    const auto note = [&](const Status& status) {
      first = first.ok() ? status : first;
      if (status.ok()) {
        durable_ = model_;
      }
    };
    for (uint64_t round = 0; round < 6; ++round) {
      for (uint64_t i = 0; i < 6; ++i) {
        Change(round * 7 + i);
      }
      note(round == 3 ? file_->Checkpoint() : file_->Flush());
      ExpectReads();
    }
    note(file_->Close());
    return first;
  }

  // Everything that was admitted is readable, unless it is the read that fails.
  void ExpectReads() {
    for (const auto& [name, payload] : model_) {
      std::vector<uint8_t> found;
      const Status read = file_->Read(name, &found);
      ASSERT_TRUE(read.ok() || disk_.HasFailed()) << name << ": " << read.message();
      ASSERT_TRUE(!read.ok() || std::string(found.begin(), found.end()) == payload) << name;
    }
  }

  void ExpectWhole() {
    disk_.Heal();
    ASSERT_EQ(Open().code(), Code::kOk);
    const Status space = file_->CheckSpace();
    ASSERT_TRUE(space.ok()) << space.message();
    // All of the last flush that went well; a later one may be there though it failed.
    std::vector<std::string> names;
    ASSERT_TRUE(file_->ListNames(&names).ok());
    for (const auto& [name, payload] : durable_) {
      std::vector<uint8_t> found;
      const Status read = file_->Read(name, &found);
      if (!model_.contains(name) && read.code() == Code::kNotFound) {
        continue;
      }
      ASSERT_TRUE(read.ok()) << name << ": " << read.message();
      const std::string text(found.begin(), found.end());
      ASSERT_TRUE(text == payload || (model_.contains(name) && text == model_[name])) << name;
    }
    ASSERT_TRUE(file_->Put("after", AsBytes("it goes on")).ok());
    const Status closed = file_->Close();
    ASSERT_TRUE(closed.ok()) << closed.message();
  }

 private:
  void Change(uint64_t number) {
    const std::string name = "block " + std::to_string(number % 13);
    if (number % 5 == 4) {
      if (file_->Remove(name).ok()) {
        model_.erase(name);
      }
      return;
    }
    const uint64_t sizes[] = {10, 600, 2000, 9000};
    const std::string payload(sizes[number % 4] + number, static_cast<char>('a' + number % 26));
    if (file_->Put(name, AsBytes(payload)).ok()) {
      model_[name] = payload;
    }
  }

  Prng random_;
  TempFolder folder_;
  SimDisk disk_;
  BlockFile::Settings settings_;
  Model model_;
  Model durable_;
  std::unique_ptr<BlockFile> file_;
};

void FailEveryCall(int os_code, bool for_ever) {
  uint64_t failed = 0;
  for (uint64_t number = 1; !::testing::Test::HasFailure(); ++number) {
    SCOPED_TRACE("call " + std::to_string(number) + " fails with " + std::to_string(os_code));
    Life life(number % 5);
    ASSERT_EQ(life.Open().code(), Code::kOk);
    life.disk().Fail({Call::kAny, number, os_code, for_ever});
    const Status status = life.Work();
    if (!life.disk().HasFailed()) {
      EXPECT_TRUE(status.ok()) << status.message();
      break;
    }
    ++failed;
    EXPECT_TRUE(status.ok() || status.code() == (os_code == ENOSPC ? Code::kFull : Code::kIo) ||
                status.code() == Code::kIo)
        << static_cast<int>(status.code()) << " " << status.message();
    life.ExpectWhole();
  }
  EXPECT_GT(failed, 30u);
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

// Opening: whatever fails is told, and the next open finds everything.
TEST(BlockFileFaultTest, OpenTellsOfEveryFailedCallAndChangesNothing) {
  for (uint64_t number = 1; !::testing::Test::HasFailure(); ++number) {
    SCOPED_TRACE("call " + std::to_string(number));
    Life life(3);
    life.disk().Fail({Call::kAny, number, EIO, false});
    const Status status = life.Open();
    const bool struck = life.disk().HasFailed();
    EXPECT_EQ(status.code(), struck ? Code::kIo : Code::kOk) << status.message();
    life.disk().Heal();
    if (struck) {
      ASSERT_EQ(life.Open().code(), Code::kOk);
    }
    EXPECT_TRUE(life.Work().ok());
    life.ExpectWhole();
    if (!struck) {
      break;
    }
  }
}

}  // namespace
}  // namespace spillway::test
