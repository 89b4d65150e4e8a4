// A commit of records that may never come again (a batch around memory) fails on a full disk, at
// every write in turn: others come in their place, or none, and nothing of them is ever read.
#include <cerrno>
#include <cstdio>
#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "internal/cold/cold_tier.h"
#include "tests/support/power_cut.h"
#include "tests/support/prng.h"
#include "tests/support/sim_disk.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tier_of_run.h"
#include "tests/support/tier_records.h"

namespace spillway::test {
namespace {

using base::Code;
using base::Status;
using cold::CloseMode;
using cold::Durability;
using cold::OpenMode;

constexpr uint64_t kKept = 10;

enum class Then { kOthers, kClose, kPowerCut };

class OnceTest : public ::testing::TestWithParam<uint64_t> {
 protected:
  OnceTest() {
    tuning_.block.own_block_bytes = 4000;
    model_.salt = 7;
    model_.bytes_max = 200;
  }

  std::unique_ptr<cold::ColdTier> Open(io::FileSystem* files, const std::string& folder) {
    auto tier = tuning_.Open(files, folder + "/store", OpenMode::kCreate);
    EXPECT_TRUE(tier.ok()) << tier.status().message();
    return tier.ok() ? std::move(tier.value()) : nullptr;
  }

  static Status Append(cold::ColdTier* tier, const TierModel& model, uint64_t count, bool once) {
    const record::ColumnBuffer records = model.Next(0, count);
    const cold::Piece piece = {0, records.columns()};
    return tier->Commit({{}, {}, {&piece, 1}, once}, Durability::kDevice);
  }

  // A tier with one stream and some records.
  void Begin(cold::ColdTier* tier) {
    const cold::StreamState stream = {0, "stream", true, 0, 0};
    ASSERT_TRUE(tier->Commit({{&stream, 1}, {}, {}}, Durability::kDevice).ok());
    model_.streams = {{0, {stream.name, true, 0, 0}}};
    ASSERT_TRUE(Append(tier, model_, kKept, false).ok());
    model_.streams[0].end_seq = kKept;
  }

  // What is found in a folder: with `others` more of the model's own, or as it is.
  void ExpectFound(const std::string& folder, const TierModel& model) {
    SimDisk disk(folder, 1, SimDisk::Record::kNo);
    const auto tier = Open(&disk, folder);
    ASSERT_NE(tier, nullptr);
    EXPECT_TRUE(Equals(tier.get(), model, tier->Streams()));
    TierModel more = model;
    ASSERT_TRUE(Append(tier.get(), more, 5, false).ok());
    more.streams[0].end_seq += 5;
    EXPECT_TRUE(Equals(tier.get(), more, tier->Streams()));
    EXPECT_TRUE(tier->Close(CloseMode::kClean).ok());
  }

  // False: the write of that number was never made.
  bool FailsAt(uint64_t number, Then then) {
    TempFolder folder;
    SimDisk disk(folder.path(), number);
    auto tier = Open(&disk, folder.path());
    Begin(tier.get());
    TierModel strange = model_;
    strange.salt = 8;
    disk.Fail({Call::kWrite, number, ENOSPC, true});
    const Status status = Append(tier.get(), strange, GetParam(), true);
    const bool failed = disk.HasFailed();
    if (!failed || status.ok()) {
      EXPECT_TRUE(status.ok()) << status.message();
      disk.Heal();
      return failed;
    }
    EXPECT_EQ(status.code(), Code::kFull) << status.message();
    EXPECT_TRUE(Equals(tier.get(), model_, tier->Streams()));
    disk.Heal();
    if (then == Then::kPowerCut) {
      PowerCut cut(disk);
      cut.AdvanceTo(disk.log_size());
      TempFolder image;
      cut.WriteImage(number, image.path());
      EXPECT_TRUE(tier->Close(CloseMode::kAbandon).ok());
      SimDisk found(image.path(), 1, SimDisk::Record::kNo);
      tier = Open(&found, image.path());
      // Whether they got there is open; half of them did not.
      TierModel whole = strange;
      whole.streams[0].end_seq += GetParam();
      const uint64_t end_seq = tier->Streams()[0].end_seq;
      EXPECT_TRUE(HoldsRecords(tier.get(), model_, 0, 0, kKept, 1000));
      EXPECT_TRUE(end_seq == kKept || (end_seq == kKept + GetParam() &&
                                       HoldsRecords(tier.get(), whole, 0, kKept, end_seq, 1000)))
          << end_seq;
      return true;
    }
    TierModel after = model_;
    if (then == Then::kOthers) {
      EXPECT_TRUE(Append(tier.get(), after, 3, false).ok());
      after.streams[0].end_seq += 3;
      EXPECT_TRUE(Equals(tier.get(), after, tier->Streams()));
    }
    EXPECT_TRUE(tier->Close(CloseMode::kClean).ok());
    ExpectFound(folder.path(), after);
    return true;
  }

  void FailsEverywhere(Then then) {
    uint64_t number = 1;
    while (FailsAt(number, then) && !HasFailure()) {
      ++number;
    }
    std::printf("%llu writes failed\n", static_cast<unsigned long long>(number - 1));
    EXPECT_GT(number, 1U);
  }

  Prng random_{9};
  SmallTuning tuning_{&random_};
  TierModel model_;
};

TEST_P(OnceTest, OthersComeInTheirPlace) { FailsEverywhere(Then::kOthers); }
TEST_P(OnceTest, NoneComeAndTheStoreIsClosed) { FailsEverywhere(Then::kClose); }
TEST_P(OnceTest, ThePowerFailsNext) { FailsEverywhere(Then::kPowerCut); }

INSTANTIATE_TEST_SUITE_P(SmallAndLarge, OnceTest, ::testing::Values(4, 300));

}  // namespace
}  // namespace spillway::test
