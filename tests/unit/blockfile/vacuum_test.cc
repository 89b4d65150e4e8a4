// A file that gives space back: how small it becomes, and that nobody sees anything else of it.
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/block_model.h"
#include "tests/support/blocks.h"
#include "tests/support/memory_disk.h"
#include "tests/support/prng.h"
#include "tests/support/sim_disk.h"
#include "tests/support/temp_folder.h"

namespace spillway::test {
namespace {

using base::Code;
using base::Status;
using blockfile::AsBytes;
using blockfile::Level;
using blockfile::OpenMode;
using blockfile::Transaction;
using blockfile::VacuumPlan;
using blockfile::VacuumResult;

constexpr uint64_t kMiB = uint64_t{1} << 20;

class VacuumTest : public ::testing::Test {
 protected:
  VacuumTest() {
    settings_.growth_bytes = kMiB;
    settings_.reserve_bytes = uint64_t{256} << 10;
    settings_.region_pages = 64;
    settings_.background = false;
    Reopen();
  }
  void Reopen() {
    file_.reset();
    auto opened = Blocks::Open(&disk_, path_, OpenMode::kCreate, settings_);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    file_ = std::move(opened.value());
  }
  void Put(const std::string& name, const std::string& payload) {
    ASSERT_TRUE(file_->Put(name, payload).ok());
    held_[name] = payload;
  }
  void Remove(const std::string& name) {
    ASSERT_TRUE(file_->Remove(name).ok());
    held_.erase(name);
  }
  // Many blocks, of which one in five stays.
  void FillAndThin(size_t blocks) {
    for (size_t i = 0; i < blocks; ++i) {
      Put("block " + std::to_string(i), RandomBytes(&random_, random_.Between(1, 30'000)));
    }
    ASSERT_TRUE(file_->Checkpoint().ok());
    for (size_t i = 0; i < blocks; ++i) {
      if (!random_.OneIn(5)) {
        Remove("block " + std::to_string(i));
      }
    }
    ASSERT_TRUE(file_->Flush().ok());
  }
  uint64_t LiveBytes() const {
    uint64_t bytes = 0;
    for (const auto& [name, payload] : held_) {
      bytes += (payload.size() + 4095) / 4096 * 4096;
    }
    return bytes;
  }
  uint64_t Version(const std::string& name) {
    blockfile::BlockInfo info;
    EXPECT_TRUE(file_->get()->Stat(nullptr, name, &info).ok());
    return info.version;
  }
  Status Vacuum(const VacuumPlan& plan, base::Operation* operation = nullptr) {
    result_ = {};
    return file_->get()->Vacuum(plan, operation, &result_);
  }
  void ExpectHolds(Transaction* txn = nullptr) {
    std::vector<std::string> names;
    ASSERT_TRUE(file_->ListNames(txn, "", &names).ok());
    ASSERT_EQ(names.size(), held_.size());
    for (const auto& [name, payload] : held_) {
      std::string found;
      const Status read = file_->Read(txn, name, &found);
      ASSERT_TRUE(read.ok()) << name << ": " << read.message();
      ASSERT_TRUE(found == payload) << name;
    }
    const Status sound = file_->CheckSpace(true);
    ASSERT_TRUE(sound.ok()) << sound.message();
  }

  Prng random_{7};
  TempFolder folder_;
  SimDisk disk_{folder_.path(), 1, SimDisk::Record::kNo};
  const std::string path_ = folder_.File("blocks");
  blockfile::Settings settings_;
  std::unique_ptr<Blocks> file_;
  std::map<std::string, std::string> held_;
  VacuumResult result_;
};

TEST_F(VacuumTest, AFullOneLeavesLittleMoreThanWhatTheFileHolds) {
  FillAndThin(1500);
  std::map<std::string, uint64_t> versions;
  for (const auto& [name, payload] : held_) {
    versions[name] = Version(name);
  }
  const uint64_t before = file_->get()->Stats().bytes_file;
  ASSERT_TRUE(Vacuum({.full = true}).ok());
  EXPECT_TRUE(result_.done);
  EXPECT_GT(result_.bytes_moved, 0u);
  EXPECT_LT(result_.bytes_file, before / 3);
  EXPECT_LT(result_.bytes_file, LiveBytes() * 11 / 10 + settings_.reserve_bytes + kMiB);
  EXPECT_EQ(result_.bytes_file, file_->get()->Stats().bytes_file);
  EXPECT_EQ(result_.bytes_file,
            std::move(disk_.OpenFile(path_, io::Open::kReadOnly)).value()->Size().value());
  ExpectHolds();
  for (const auto& [name, version] : versions) {
    EXPECT_EQ(Version(name), version) << name;
  }
  ASSERT_TRUE(Vacuum({.full = true}).ok());
  EXPECT_EQ(result_.bytes_moved, 0u);
  ASSERT_TRUE(file_->Close().ok());
  Reopen();
  ExpectHolds();
}

TEST_F(VacuumTest, SmallQuotasComeToTheSameEnd) {
  FillAndThin(1500);
  constexpr uint64_t kQuota = 200'000;
  size_t calls = 0;
  uint64_t moved = 0;
  do {
    ASSERT_LT(++calls, 500u);
    ASSERT_TRUE(Vacuum({.bytes_most = kQuota}).ok());
    EXPECT_LT(result_.bytes_moved, kQuota + 30'000);
    moved += result_.bytes_moved;
    Put("while it goes on", RandomBytes(&random_, 9000));
  } while (!result_.done);
  EXPECT_GT(calls, moved / (kQuota + 30'000));
  EXPECT_LT(result_.bytes_file, LiveBytes() * 12 / 10 + settings_.reserve_bytes + kMiB);
  ExpectHolds();
}

TEST_F(VacuumTest, ADryRunSaysWhatItWouldDoAndChangesNothing) {
  FillAndThin(1500);
  ASSERT_TRUE(file_->Checkpoint().ok());
  const uint64_t written = disk_.bytes_written();
  ASSERT_TRUE(Vacuum({.dry_run = true}).ok());
  EXPECT_EQ(disk_.bytes_written(), written);
  EXPECT_FALSE(result_.done);
  const VacuumResult told = result_;
  ASSERT_TRUE(Vacuum({.full = true}).ok());
  EXPECT_NEAR(static_cast<double>(told.bytes_moved), static_cast<double>(result_.bytes_moved),
              static_cast<double>(told.bytes_moved) / 4 + kMiB);
  EXPECT_NEAR(static_cast<double>(told.bytes_after), static_cast<double>(result_.bytes_after),
              static_cast<double>(2 * kMiB));
  EXPECT_GE(told.bytes_needed, told.bytes_moved);
}

// Whoever began before it reads what was there then, and its space stays as long.
TEST_F(VacuumTest, ASnapshotReadsOnAndKeepsItsSpaceUntilItEnds) {
  FillAndThin(600);
  std::shared_ptr<Transaction> snapshot;
  ASSERT_TRUE(file_->get()->Begin(true, &snapshot).ok());
  ASSERT_TRUE(Vacuum({.full = true}).ok());
  ExpectHolds(snapshot.get());
  const uint64_t kept = result_.bytes_file;
  const std::string gone = held_.begin()->first;
  const std::string payload = held_.begin()->second;
  Remove(gone);
  std::string found;
  ASSERT_TRUE(file_->Read(snapshot.get(), gone, &found).ok());
  EXPECT_TRUE(found == payload);
  snapshot.reset();
  ASSERT_TRUE(Vacuum({.full = true}).ok());
  EXPECT_LT(result_.bytes_file, kept);
  ExpectHolds();
}

// A transaction names what stays of a block by its place; the place is another's by then.
TEST_F(VacuumTest, ATransactionKeepsWhatItLeftOfABlockThatWasMoved) {
  for (int i = 0; i < 20; ++i) {
    Put("front " + std::to_string(i), std::string(100'000, 'f'));
  }
  Put("large", RandomBytes(&random_, 300'000));
  Put("renamed", RandomBytes(&random_, 200'000));
  ASSERT_TRUE(file_->Checkpoint().ok());
  for (int i = 0; i < 20; ++i) {
    Remove("front " + std::to_string(i));
  }
  ASSERT_TRUE(file_->Checkpoint().ok());
  std::shared_ptr<Transaction> txn;
  ASSERT_TRUE(file_->get()->Begin(false, &txn).ok());
  ASSERT_TRUE(file_->get()->Patch(txn.get(), "large", 100'000, AsBytes("patched")).ok());
  ASSERT_TRUE(file_->get()->Rename(txn.get(), "renamed", "other", false).ok());
  ASSERT_TRUE(Vacuum({.full = true}).ok());
  EXPECT_GE(result_.bytes_moved, 500'000u);
  // What stood there is written over, if it is free.
  Put("over it", RandomBytes(&random_, 600'000));
  ASSERT_TRUE(file_->Checkpoint().ok());
  const Status committed = file_->get()->Commit(txn.get(), Level::kDevice);
  ASSERT_TRUE(committed.ok()) << committed.message();
  held_["large"].replace(100'000, 7, "patched");
  held_["other"] = held_["renamed"];
  held_.erase("renamed");
  txn.reset();
  ExpectHolds();
  ASSERT_TRUE(file_->Checkpoint().ok());
  Put("again over it", RandomBytes(&random_, 600'000));
  ASSERT_TRUE(file_->Close().ok());
  Reopen();
  ExpectHolds();
}

TEST_F(VacuumTest, ACancelledOneLosesNothing) {
  FillAndThin(600);
  base::Operation operation;
  operation.Cancel();
  EXPECT_EQ(Vacuum({.full = true}, &operation).code(), Code::kCancelled);
  ExpectHolds();
  Put("after it", "x");
  ASSERT_TRUE(Vacuum({.full = true}).ok());
  ExpectHolds();
}

TEST(VacuumDamageTest, ADamagedBlockStaysWhereItIsAndAllOthersMove) {
  MemoryDisk disk;
  blockfile::Settings settings;
  settings.growth_bytes = kMiB;
  settings.reserve_bytes = 64 << 10;
  settings.background = false;
  auto file = std::move(Blocks::Open(&disk, "blocks", OpenMode::kCreate, settings).value());
  const std::string marked(50'000, 'M');
  for (int i = 0; i < 40; ++i) {
    ASSERT_TRUE(file->Put("front " + std::to_string(i), std::string(60'000, 'f')).ok());
  }
  ASSERT_TRUE(file->Put("damaged", marked).ok());
  ASSERT_TRUE(file->Put("sound", std::string(50'000, 's')).ok());
  ASSERT_TRUE(file->Checkpoint().ok());
  std::string& bytes = disk["blocks"];
  const size_t at = bytes.find(marked);
  ASSERT_NE(at, std::string::npos);
  bytes[at + 40'000] ^= 1;
  for (int i = 0; i < 40; ++i) {
    ASSERT_TRUE(file->Remove("front " + std::to_string(i)).ok());
  }
  VacuumResult result;
  ASSERT_TRUE(file->get()->Vacuum({.full = true}, nullptr, &result).ok());
  EXPECT_EQ(result.bytes_moved, 50'000u);
  std::string found;
  EXPECT_EQ(file->Read("damaged", &found).code(), Code::kCorrupt);
  EXPECT_EQ(bytes[at + 40'000], 'M' ^ 1);
  ASSERT_TRUE(file->Read("sound", &found).ok());
  EXPECT_TRUE(found == std::string(50'000, 's'));
}

// Two vacuums, writers and readers on one file.
TEST_F(VacuumTest, OthersReadAndWriteMeanwhile) {
  settings_.background = true;
  Reopen();
  FillAndThin(400);
  const std::map<std::string, std::string> fixed = held_;
  std::vector<std::thread> threads;
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> vacuums{0};
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      while (!stop) {
        VacuumResult result;
        const Status status =
            file_->get()->Vacuum({.full = false, .bytes_most = 100'000}, nullptr, &result);
        EXPECT_TRUE(status.ok() || status.code() == Code::kBusy) << status.message();
        vacuums += status.ok() ? 1 : 0;
      }
    });
  }
  threads.emplace_back([&] {
    Prng random(3);
    for (uint64_t i = 0; i < 300 || vacuums < 20; ++i) {
      const std::string name = "w" + std::to_string(random.Below(40));
      EXPECT_TRUE(file_->Put(name, std::string(random.Between(1, 20'000), 'w')).ok());
      uint64_t length = 0;
      EXPECT_TRUE(file_->get()->Append(nullptr, name, AsBytes("more"), &length).ok());
      EXPECT_TRUE(i % 20 != 0 || file_->Flush().ok());
    }
    stop = true;
  });
  threads.emplace_back([&] {
    Prng random(4);
    while (!stop) {
      auto each = fixed.begin();
      std::advance(each, static_cast<ptrdiff_t>(random.Below(fixed.size())));
      std::string found;
      const Status read = file_->Read(each->first, &found);
      EXPECT_TRUE(read.ok() && found == each->second) << each->first << ": " << read.message();
    }
  });
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (int i = 0; i < 40; ++i) {
    const Status gone = file_->Remove("w" + std::to_string(i));
    EXPECT_TRUE(gone.ok() || gone.code() == Code::kNotFound);
  }
  ExpectHolds();
}

}  // namespace
}  // namespace spillway::test
