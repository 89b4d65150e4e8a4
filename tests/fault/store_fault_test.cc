// Every call on the disk fails once while a store does its work: nothing admitted is lost, the
// error is told, and when the disk is well again the same handle goes on, unless writing has ended.
#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/model_store.h"
#include "tests/support/prng.h"
#include "tests/support/sim_disk.h"
#include "tests/support/temp_folder.h"
#include "tests/support/test_store.h"
#include "tests/support/tier_of_run.h"

namespace spillway::test {
namespace {

constexpr int64_t kLongMs = 60'000;  // whoever waits so long hangs
constexpr uint64_t kRecordBytesMax = 4000;
constexpr uint64_t kBatchRecords = 50;      // some 40 KiB: seven of them are above the budget
constexpr uint64_t kOversizeRecords = 600;  // above the hard limit
#ifdef __SANITIZE_THREAD__
constexpr uint64_t kEvery = 7;  // ten times slower, and not what it looks for
#else
constexpr uint64_t kEvery = 1;
#endif

Settings TinyBudget() {
  return {{SPW_OPT_BUDGET_BYTES, 256 << 10}, {SPW_OPT_TIMEOUT_MS, kLongMs}, TierOfRun()};
}

bool IsFull(spw_status status) { return status == SPW_FULL; }
// What a broken disk may be called; a full one only where space is wanted.
bool IsDiskError(spw_status status) {
  return status == SPW_IO || status == SPW_CORRUPT || status == SPW_FULL || status == SPW_READONLY;
}

// One store's life on a disk that fails one of its calls. Each step either does its work, which the
// model notes, or fails as the header says, which changes nothing.
class Life {
 public:
  explicit Life(uint64_t seed)
      : random_(seed),
        disk_(folder_.path(), seed, SimDisk::Record::kNo),
        store_(folder_.File("store.db"), &disk_) {}

  SimDisk& disk() { return disk_; }
  TestStore& store() { return store_; }
  ModelStore& model() { return model_; }

  spw_status Open() {
    const spw_status status = store_.Open(TinyBudget());
    if (status == SPW_OK) {
      for (const char* const name : {"a", "b"}) {
        EXPECT_EQ(store_.Stream(name, {}, &ids_[name]), SPW_OK);
        model_[name].has_times = false;
      }
    }
    return status;
  }

  // As long as it goes well; else how it failed.
  spw_status Work() {
    for (int i = 0; i < 12; ++i) {
      const std::string name = i % 3 == 0 ? "b" : "a";
      const uint64_t count = i == 7 ? kOversizeRecords : kBatchRecords;
      const spw_status status = Add(name, count);
      if (status != SPW_OK) {
        return status;
      }
      if (i == 5 || i == 9) {
        const spw_status flushed = Flush(i == 5 ? SPW_FLUSH_KERNEL : SPW_FLUSH_DEVICE);
        if (flushed != SPW_OK) {
          return flushed;
        }
      }
      if (i == 8 && store_.Clear(ids_["b"]) == SPW_OK) {
        model_["b"].Clear();
      }
    }
    return Flush(SPW_FLUSH_DEVICE);
  }

  spw_status Add(const std::string& name, uint64_t count) {
    const Records batch = RandomRecords(&random_, count, kRecordBytesMax);
    uint64_t first = 0;
    const spw_status status = store_.Add(ids_[name], batch, false, Form::kPacked, &first);
    EXPECT_EQ(first, status == SPW_OK ? model_[name].tail_seq() : SPW_SEQ_NONE);
    if (status == SPW_OK) {
      model_[name].Add(batch);
    } else if (!IsFull(status)) {
      undecided_.try_emplace(name, batch);
    }
    return status;
  }

  spw_status AddUntilItFails() {
    spw_status status = SPW_OK;
    for (int i = 0; i < 500 && status == SPW_OK; ++i) {
      status = Add("a", kBatchRecords);
    }
    return status;
  }

  spw_status Flush(int32_t level) {
    const spw_status status = store_.Flush(level, kLongMs);
    for (auto& [name, stream] : model_) {
      if (status == SPW_OK) {
        stream.Flushed(level);
      }
    }
    return status;
  }

  // When nothing waits for space any more, that is noticed in the background.
  void AwaitHealth() {
    while (IsFull(static_cast<spw_status>(store_.Stats().health))) {
      std::this_thread::yield();
    }
  }

  void AwaitEvent(uint32_t kind) {
    for (;;) {
      for (const spw_event& event : store_.Events()) {
        if (event.kind == kind) {
          return;
        }
      }
      std::this_thread::yield();
    }
  }

  // Everything admitted can be read through the open handle.
  void ExpectNothingLost() {
    for (const auto& [name, id] : ids_) {
      EXPECT_TRUE(Holds(&store_, id, model_[name])) << name;
    }
  }

  // After a restart on a disk that is well.
  void ExpectRecovers() {
    store_.Drop();
    disk_.Heal();
    disk_.SetSpace(std::nullopt);
    disk_.PardonFailedSyncs();
    ids_.clear();
    ASSERT_EQ(Open(), SPW_OK);
    for (const auto& [name, batch] : undecided_) {
      // It was on its way around memory when writing ended, and may have arrived, but whole.
      if (store_.StreamStats(ids_[name]).tail_seq == model_[name].tail_seq() + batch.size()) {
        model_[name].Add(batch);
      }
    }
    undecided_.clear();
    ASSERT_TRUE(Recovered(&store_, SPW_FLUSH_KERNEL, &model_));
    EXPECT_EQ(Add("a", kBatchRecords), SPW_OK);
    EXPECT_EQ(store_.Close(), SPW_OK);
  }

 private:
  Prng random_;
  TempFolder folder_;
  SimDisk disk_;
  TestStore store_;
  ModelStore model_;
  std::map<std::string, uint32_t> ids_;
  std::map<std::string, Records> undecided_;
};

// Writing has ended: the first error, from now on, and no sync is tried again.
void CheckPoisoned(Life* life) {
  const uint64_t syncs = life->disk().syncs_after_failure();
  const auto health = static_cast<spw_status>(life->store().Stats().health);
  EXPECT_TRUE(IsDiskError(health) && !IsFull(health)) << spw_status_name(health);
  EXPECT_EQ(life->Add("a", 1), health);
  EXPECT_EQ(life->Flush(SPW_FLUSH_DEVICE), health);
  life->ExpectNothingLost();
  EXPECT_EQ(life->store().Close(), health);
  EXPECT_EQ(life->disk().syncs_after_failure(), syncs);
}

// What must hold after a run in which a call failed, whatever it was, on a disk that is well again:
// the same handle goes on, unless writing has ended, which may be told as late as by the next
// write.
void CheckAfterFailure(Life* life) {
  life->disk().Heal();
  life->disk().SetSpace(std::nullopt);
  life->ExpectNothingLost();
  spw_status status = life->Flush(SPW_FLUSH_DEVICE);
  life->AwaitHealth();
  // Adders hear of the recovery a moment after its cause.
  for (int i = 0; i < 10'000 && (i == 0 ? status == SPW_OK : IsFull(status)); ++i) {
    status = life->Work();
    std::this_thread::yield();
  }
  if (status != SPW_OK) {
    return CheckPoisoned(life);
  }
  EXPECT_EQ(life->store().Stats().health, static_cast<uint64_t>(SPW_OK));
  life->ExpectNothingLost();
}

enum class Phase { kOpen, kWork, kClose };

// Runs a life in which call `number` of the phase fails. False: it had no such call.
bool FailCall(Phase phase, uint64_t number, int os_code, bool for_ever) {
  Life life(number);
  const auto arm = [&](Phase when) {
    if (when == phase) {
      life.disk().Fail({Call::kAny, number, os_code, for_ever});
    }
  };
  arm(Phase::kOpen);
  const spw_status opened = life.Open();
  if (opened != SPW_OK) {
    EXPECT_TRUE(IsDiskError(opened)) << spw_status_name(opened);
    life.ExpectRecovers();
    return true;
  }
  const bool open_went_on = life.disk().HasFailed();
  life.disk().Heal();
  arm(Phase::kWork);
  const spw_status worked = life.Work();
  if (worked != SPW_OK) {
    EXPECT_TRUE(IsDiskError(worked)) << spw_status_name(worked);
    CheckAfterFailure(&life);
    life.ExpectRecovers();
    return true;
  }
  const bool failed_unseen = life.disk().HasFailed();
  life.disk().Heal();
  life.ExpectNothingLost();
  if (phase == Phase::kWork && failed_unseen) {
    CheckAfterFailure(&life);
    life.ExpectRecovers();
    return true;
  }
  arm(Phase::kClose);
  const spw_status closed = life.store().Close(0, kLongMs);
  EXPECT_TRUE(closed == SPW_OK || (life.disk().HasFailed() && IsDiskError(closed)))
      << spw_status_name(closed);
  const bool struck = life.disk().HasFailed();
  life.disk().Heal();
  life.ExpectRecovers();
  return phase == Phase::kOpen ? open_went_on : struck;
}

void FailEveryCall(Phase phase, int os_code, bool for_ever) {
  uint64_t number = 1;
  uint64_t quiet = 0;
  uint64_t failed = 0;
  // The threads of a store take turns as they like, so the last call has no fixed number.
  while (quiet < 3 && !::testing::Test::HasFailure()) {
    SCOPED_TRACE("call " + std::to_string(number) + " fails with " + std::to_string(os_code) +
                 (for_ever ? " for ever" : ""));
    const bool struck = FailCall(phase, number, os_code, for_ever);
    quiet = struck ? 0 : quiet + 1;
    failed += struck ? 1 : 0;
    number += kEvery;
  }
  EXPECT_GT(failed, 5u);
  std::printf("%llu calls failed\n", static_cast<unsigned long long>(failed));
}

TEST(StoreFaultTest, OpenReportsEveryFailedCallAndLeavesWhatWasThere) {
  FailEveryCall(Phase::kOpen, EIO, false);
  FailEveryCall(Phase::kOpen, ENOSPC, false);
}

TEST(StoreFaultTest, NoRecordIsLostWhicheverCallFailsOnceWithEio) {
  FailEveryCall(Phase::kWork, EIO, false);
}

TEST(StoreFaultTest, NoRecordIsLostWhicheverCallFailsOnceWithEnospc) {
  FailEveryCall(Phase::kWork, ENOSPC, false);
}

TEST(StoreFaultTest, NoRecordIsLostWhenEveryCallFromSomeOneOnFails) {
  FailEveryCall(Phase::kWork, EIO, true);
}

TEST(StoreFaultTest, CloseReportsEveryFailedCall) {
  FailEveryCall(Phase::kClose, EIO, false);
  FailEveryCall(Phase::kClose, ENOSPC, false);
}

// A full disk is tried again in the background; adders at the hard limit are told.
TEST(StoreFaultTest, FullDiskIsToldAtTheHardLimitAndTheSameHandleGoesOnWhenThereIsSpace) {
  for (uint64_t space = 0; space < 200'000; space += 23'456) {
    SCOPED_TRACE(std::to_string(space) + " bytes left");
    Life life(space + 1);
    ASSERT_EQ(life.Open(), SPW_OK);
    life.disk().SetSpace(space);
    ASSERT_EQ(life.AddUntilItFails(), SPW_FULL);
    life.ExpectNothingLost();
    // What is left of the space may do for a smaller spill; now nothing is left for certain.
    life.disk().Fail({Call::kWrite, 1, ENOSPC, true});
    ASSERT_EQ(life.AddUntilItFails(), SPW_FULL);
    EXPECT_EQ(life.store().Stats().health, static_cast<uint64_t>(SPW_FULL));
    EXPECT_EQ(life.Flush(SPW_FLUSH_DEVICE), SPW_FULL);
    EXPECT_EQ(life.store().Close(), SPW_FULL);
    life.ExpectNothingLost();
    life.disk().SetSpace(std::nullopt);
    life.disk().Heal();
    EXPECT_EQ(life.Flush(SPW_FLUSH_DEVICE), SPW_OK);
    life.AwaitEvent(SPW_EVENT_RECOVERED);
    EXPECT_EQ(life.store().Stats().health, static_cast<uint64_t>(SPW_OK));
    EXPECT_EQ(life.Add("a", 20), SPW_OK);
    life.ExpectNothingLost();
    EXPECT_EQ(life.store().Close(), SPW_OK);
    life.ExpectRecovers();
  }
}

// An oversize batch meets the full disk by itself: it is not admitted, and once it is given up
// nothing is left that waits for space.
TEST(StoreFaultTest, OversizeBatchOnAFullDiskIsRefusedAndTheStoreIsWellAgain) {
  Life life(7);
  ASSERT_EQ(life.Open(), SPW_OK);
  ASSERT_EQ(life.Add("a", 10), SPW_OK);
  ASSERT_EQ(life.Flush(SPW_FLUSH_DEVICE), SPW_OK);
  life.disk().SetSpace(0);
  life.disk().Fail({Call::kWrite, 1, ENOSPC, true});  // also into space that the file has
  EXPECT_EQ(life.Add("a", kOversizeRecords), SPW_FULL);
  life.ExpectNothingLost();
  life.AwaitHealth();
  EXPECT_EQ(life.Add("a", 10), SPW_OK);
  life.disk().SetSpace(std::nullopt);
  life.disk().Heal();
  EXPECT_EQ(life.Add("a", kOversizeRecords), SPW_OK);
  life.ExpectNothingLost();
  EXPECT_EQ(life.store().Close(), SPW_OK);
  life.ExpectRecovers();
}

TEST(StoreFaultTest, FailedSyncEndsWritingForGoodAndReadsGoOn) {
  uint64_t struck = 0;
  for (uint64_t number = 1; number <= 12; ++number) {
    SCOPED_TRACE("sync " + std::to_string(number));
    Life life(number);
    ASSERT_EQ(life.Open(), SPW_OK);
    life.disk().Fail({Call::kSync, number, EIO, false});
    const spw_status status = life.Work();
    if (life.disk().HasFailed()) {
      ++struck;
      // A sync that fails behind a commit, in a checkpoint, is told by the next: so there is one.
      const spw_status added = life.Add("a", 1);
      const spw_status flushed = life.Flush(SPW_FLUSH_DEVICE);
      EXPECT_EQ(life.store().Stats().health, static_cast<uint64_t>(SPW_IO));
      EXPECT_TRUE(status == SPW_IO || added == SPW_IO || flushed == SPW_IO);
      CheckPoisoned(&life);
    } else {
      EXPECT_EQ(status, SPW_OK);
    }
    life.ExpectRecovers();
  }
  EXPECT_GE(struck, 3u);
}

}  // namespace
}  // namespace spillway::test
