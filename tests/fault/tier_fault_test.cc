// A cold tier while the disk or the memory fails: a fixed history in which call n fails, for
// every n. Nothing acknowledged is lost, a full disk and missing memory pass, everything else ends
// writing until the store is opened again, and no sync is repeated.
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "internal/base/allocation.h"
#include "internal/cold/cold_tier.h"
#include "internal/io/posix_file.h"
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
using cold::ColdTier;
using cold::Durability;
using cold::MayRetry;
using cold::OpenMode;

SmallTuning FixedTuning() {
  Prng random(4);
  SmallTuning tuning(&random);
  tuning.sqlite.page_bytes = 1024;
  tuning.sqlite.cache_kib = 16;
  tuning.sqlite.run_bytes = 500;
  tuning.sqlite.wal_bytes_soft = 20 << 10;
  tuning.sqlite.wal_bytes_hard = 60 << 10;
  tuning.sqlite.reclaim_records = 40;
  tuning.sqlite.reclaim_pages = 8;
  tuning.block.own_block_bytes = 4000;
  tuning.block.frame_payload_bytes = 8000;
  return tuning;
}

// A tier with something around each of its calls.
class WrappedTier final : public ColdTier {
 public:
  WrappedTier(std::unique_ptr<ColdTier> tier, std::function<void()> enter,
              std::function<void()> leave)
      : tier_(std::move(tier)), enter_(std::move(enter)), leave_(std::move(leave)) {}

  std::vector<cold::StreamState> Streams() const override { return tier_->Streams(); }
  cold::TierStats stats() const override { return tier_->stats(); }
  Status Commit(const cold::Changes& changes, Durability durability) override {
    return Do([&] { return tier_->Commit(changes, durability); });
  }
  Status Read(uint32_t stream, uint64_t seq, uint64_t end_seq, uint64_t max_payload_bytes,
              record::ColumnBuffer* out) override {
    return Do([&] { return tier_->Read(stream, seq, end_seq, max_payload_bytes, out); });
  }
  uint64_t EndOfDamage(uint32_t stream, uint64_t seq, uint64_t end_seq) override {
    return tier_->EndOfDamage(stream, seq, end_seq);
  }
  Status Reclaim(bool* more) override {
    return Do([&] { return tier_->Reclaim(more); });
  }
  Status Close(CloseMode mode) override {
    return Do([&] { return tier_->Close(mode); });
  }

 private:
  // The border of the library catches what the tier throws.
  template <class Body>
  Status Do(Body&& body) {
    enter_();
    Status status = base::CatchToStatus(std::forward<Body>(body));
    leave_();
    return status;
  }

  const std::unique_ptr<ColdTier> tier_;
  const std::function<void()> enter_;
  const std::function<void()> leave_;
};

// Runs the history; after each failed step it asks `recover` to end the failure and goes on, so
// that a run ends with the whole history done. Steps that failed in between are judged here.
class Story {
 public:
  // `enter` and `leave` are called around what the tier does.
  Story(
      io::FileSystem* files, std::string path, std::function<void()> heal,
      std::function<void()> enter = [] {}, std::function<void()> leave = [] {})
      : files_(files),
        path_(std::move(path)),
        heal_(std::move(heal)),
        enter_(std::move(enter)),
        leave_(std::move(leave)) {
    model_.salt = 7;
    model_.bytes_max = 300;
    since_durable_.push_back(model_);
  }

  void Run() {
    Open();
    Append(Durability::kDevice, 30, {{0, "times", true, 0, 0}, {1, "plain", false, 0, 0}}, {});
    Append(Durability::kKernel, 10, {}, {});
    Commit({}, Durability::kDevice, model_);
    ReadAll();
    Append(Durability::kDevice, 40, {}, {{0, 35}});
    Append(Durability::kDevice, 120, {}, {{1, 500}});  // beyond its end
    Reclaim();
    Append(Durability::kKernel, 60, {}, {});
    ReadAll();
    Close(CloseMode::kClean);
    Open();
    ReadAll();
    Append(Durability::kDevice, 5, {}, {});
    Close(CloseMode::kAbandon);
    Open();
    ReadAll();
    Close(CloseMode::kClean);
  }

  // How many steps failed.
  int failures() const { return failures_; }
  const TierModel& model() const { return model_; }
  // As of the last successful sync, and what else may be there.
  const std::vector<TierModel>& since_durable() const { return since_durable_; }
  // The store was there once.
  bool opened() const { return opened_; }
  // Ends the run at the first failed step instead of going on.
  void StopAtFailure() { stop_at_failure_ = true; }
  // Ends it with the first durable commit after a failure.
  void StopWhenDurableAgain() { stop_when_durable_again_ = true; }

 private:
  bool Over() const { return stopped_ || ::testing::Test::HasFatalFailure(); }

  // Whether to go on with this run after a failure.
  bool Failed(const Status& status) {
    ++failures_;
    EXPECT_NE(status.code(), Code::kInternal) << status.message();
    EXPECT_NE(status.code(), Code::kCorrupt) << status.message();
    if (stop_at_failure_) {
      stopped_ = true;
      return false;
    }
    heal_();
    return true;
  }

  void Open() {
    for (int turn = 0; turn < 3 && !Over(); ++turn) {
      enter_();
      const Status status = base::CatchToStatus([&] {
        auto tier = FixedTuning().Open(files_, path_, OpenMode::kCreate);
        if (tier.ok()) {
          tier_ = std::move(tier.value());
        }
        return tier.status();
      });
      leave_();
      if (status.ok()) {
        opened_ = true;
        tier_ = std::make_unique<WrappedTier>(std::move(tier_), enter_, leave_);
        return CheckFound();
      }
      Failed(status);
    }
    ASSERT_TRUE(stopped_) << "does not open again";
  }

  // After a step that failed half-way, either its state or the one before.
  void CheckFound() {
    ::testing::AssertionResult same = ::testing::AssertionFailure();
    for (int turn = 0; turn < 3 && !same; ++turn) {
      bool failed = false;
      for (const TierModel& model : {pending_, model_}) {
        same = Holds(model, &failed);
        if (same) {
          model_ = model;
          break;
        }
      }
      // A sync that failed may take what only the system had; the story cannot go on from there.
      for (size_t i = since_durable_.size();
           !same && !RunsOnSqlite() && failures_ > 0 && i-- > 0;) {
        same = Holds(since_durable_[i], &failed);
        stopped_ = stopped_ || same;
      }
      if (!same && failed && !Failed(Status(Code::kIo))) {
        return;
      }
    }
    ASSERT_TRUE(same);
    pending_ = model_;
  }

  ::testing::AssertionResult Holds(const TierModel& model, bool* failed) {
    const ::testing::AssertionResult same = Equals(tier_.get(), model, tier_->Streams());
    *failed = *failed || !same;
    return same;
  }

  void Append(Durability durability, uint64_t count, const std::vector<cold::StreamState>& added,
              const std::vector<cold::Trim>& trims) {
    if (Over()) {
      return;
    }
    TierModel next = model_;
    for (const cold::StreamState& stream : added) {
      next.streams[stream.id] = {stream.name, stream.has_times, stream.begin_seq, stream.end_seq};
    }
    for (const cold::Trim& trim : trims) {
      TierStream& stream = next.streams[trim.stream];
      stream.begin_seq = std::max(stream.begin_seq, trim.begin_seq);
      stream.end_seq = std::max(stream.begin_seq, stream.end_seq);
    }
    std::vector<record::ColumnBuffer> buffers;
    std::vector<cold::Piece> pieces;
    for (auto& [id, stream] : next.streams) {
      buffers.push_back(next.Next(id, count));
      stream.end_seq += count;
    }
    size_t i = 0;
    for (auto& [id, stream] : next.streams) {
      pieces.push_back({id, buffers[i++].columns()});
    }
    Commit({added, trims, pieces}, durability, next);
  }

  void Commit(const cold::Changes& changes, Durability durability, const TierModel& next) {
    const auto commit = [&] { return tier_->Commit(changes, durability); };
    for (int turn = 0; turn < 4 && !Over(); ++turn) {
      const Status status = commit();
      if (status.ok()) {
        return Acknowledge(next, durability);
      }
      pending_ = next;
      since_durable_.push_back(next);
      if (!Failed(status)) {
        return;
      }
      bool ignored = false;
      ASSERT_TRUE(Holds(model_, &ignored)) << "a failed commit changed something, or reads ended";
      if (MayRetry(status)) {
        pending_ = model_;
        continue;
      }
      const Status again = commit();
      ASSERT_EQ(again.code(), status.code()) << status.message() << " / " << again.message();
      ASSERT_EQ(tier_->Close(CloseMode::kClean).code(), status.code());
      tier_.reset();
      Open();
      if (Over()) {
        return;
      }
      if (model_.streams.size() == next.streams.size() &&
          std::all_of(next.streams.begin(), next.streams.end(), [&](const auto& entry) {
            return model_.streams.at(entry.first).end_seq == entry.second.end_seq;
          })) {
        // It was there after all, but its sync is still owed.
        ASSERT_TRUE(durability == Durability::kKernel || tier_->Commit({}, durability).ok());
        return Acknowledge(next, durability);
      }
    }
    ASSERT_TRUE(stopped_ || ::testing::Test::HasFatalFailure()) << "does not commit again";
  }

  void Acknowledge(const TierModel& next, Durability durability) {
    model_ = next;
    pending_ = next;
    if (durability == Durability::kDevice) {
      since_durable_.clear();
      stopped_ = stopped_ || (stop_when_durable_again_ && failures_ > 0);
    }
    since_durable_.push_back(next);
  }

  void ReadAll() {
    if (Over()) {
      return;
    }
    bool failed = false;
    if (!Holds(model_, &failed) && Failed(Status(Code::kIo))) {
      ASSERT_TRUE(Holds(model_, &failed)) << "a read error was kept";
    }
  }

  void Reclaim() {
    bool more = true;
    for (int turn = 0; more && turn < 100 && !Over(); ++turn) {
      const Status status = tier_->Reclaim(&more);
      if (!status.ok() && Failed(status)) {
        more = true;
        if (!MayRetry(status)) {
          tier_.reset();
          Open();
        }
      }
    }
  }

  void Close(CloseMode mode) {
    if (Over()) {
      return;
    }
    const Status status = tier_->Close(mode);
    tier_.reset();
    if (!status.ok()) {
      Failed(status);
    }
  }

  io::FileSystem* const files_;
  const std::string path_;
  const std::function<void()> heal_;
  const std::function<void()> enter_;
  const std::function<void()> leave_;
  std::unique_ptr<ColdTier> tier_;
  TierModel model_;    // what is acknowledged
  TierModel pending_;  // what a failed commit may have left
  std::vector<TierModel> since_durable_;
  int failures_ = 0;
  bool stop_at_failure_ = false;
  bool stop_when_durable_again_ = false;
  bool stopped_ = false;
  bool opened_ = false;
};

// Long runs (SPW_LONG=1) take every index where others take a few at random.
uint64_t Stride(Prng* random, uint64_t usual) {
  return std::getenv("SPW_LONG") != nullptr ? 1 : random->Between(1, 2 * usual - 1);
}

void FailEveryCall(Call kind, int os_code, bool for_ever, uint64_t stride) {
  Prng random(TestSeed("TierFaultTest", 5));
  uint64_t strikes = 0;
  uint64_t told = 0;
  for (uint64_t number = 1;; number += Stride(&random, stride)) {
    SCOPED_TRACE("call " + std::to_string(number) + " fails with errno " + std::to_string(os_code) +
                 (for_ever ? " for ever" : " once"));
    TempFolder folder;
    SimDisk disk(folder.path(), number, SimDisk::Record::kNo);
    disk.Fail({kind, number, os_code, for_ever});
    Story story(&disk, folder.File("store.db"), [&] {
      EXPECT_EQ(disk.syncs_after_failure(), 0u) << "a sync was asked for after one had failed";
      disk.Heal();
      disk.PardonFailedSyncs();
    });
    story.Run();
    if (::testing::Test::HasFailure()) {
      return;
    }
    if (!disk.HasFailed()) {
      break;
    }
    ++strikes;
    told += story.failures() > 0 ? 1 : 0;
  }
  std::printf("%llu calls failed, %llu of them were told\n",
              static_cast<unsigned long long>(strikes), static_cast<unsigned long long>(told));
  EXPECT_GT(told, 0u);
}

TEST(TierFaultTest, EveryCallFailsOnceWithAnIoError) { FailEveryCall(Call::kAny, EIO, false, 1); }
TEST(TierFaultTest, EveryCallFailsForEverWithAnIoError) { FailEveryCall(Call::kAny, EIO, true, 4); }
TEST(TierFaultTest, EveryCallFailsOnceWithAFullDisk) {
  FailEveryCall(Call::kAny, ENOSPC, false, 1);
}
TEST(TierFaultTest, EveryCallFailsForEverWithAFullDisk) {
  FailEveryCall(Call::kAny, ENOSPC, true, 4);
}
TEST(TierFaultTest, EveryOpenFindsNoDescriptor) { FailEveryCall(Call::kOpen, EMFILE, false, 1); }
TEST(TierFaultTest, EveryCallIsInterrupted) { FailEveryCall(Call::kAny, EINTR, false, 4); }

// Which of the states that may be there is in the image: acknowledged to the device, or anything
// since.
::testing::AssertionResult ImageHoldsOneOf(const std::string& folder, const Story& story) {
  SimDisk disk(folder, 1, SimDisk::Record::kNo);
  auto tier = FixedTuning().Open(&disk, folder + "/store.db", OpenMode::kExisting);
  if (!tier.ok()) {
    return tier.status().code() == Code::kNotFound && !story.opened()
               ? ::testing::AssertionSuccess()
               : ::testing::AssertionFailure() << tier.status().message();
  }
  ::testing::AssertionResult same = ::testing::AssertionFailure() << "no state fits";
  for (const TierModel& model : story.since_durable()) {
    same = Equals(tier.value().get(), model, tier.value()->Streams());
    if (same) {
      return same;
    }
  }
  return same;
}

void CutPowerAfterFailedSync(Call kind, bool reopen_first) {
  const uint64_t seed = TestSeed("TierFaultTest", 11);
  Prng random(seed);
  for (uint64_t number = 1;; ++number) {
    SCOPED_TRACE("sync " + std::to_string(number) + " fails");
    TempFolder folder;
    SimDisk disk(folder.path(), seed);
    disk.Fail({kind, number, EIO, false});
    Story story(&disk, folder.File("store.db"), [&] {
      EXPECT_EQ(disk.syncs_after_failure(), 0u);
      disk.PardonFailedSyncs();
    });
    reopen_first ? story.StopWhenDurableAgain() : story.StopAtFailure();
    story.Run();
    if (!disk.HasFailed()) {
      break;
    }
    if (::testing::Test::HasFailure()) {
      return;
    }
    EXPECT_EQ(reopen_first ? 0u : disk.syncs_after_failure(), 0u);
    PowerCut cut(disk);
    cut.AdvanceTo(disk.log_size());
    TempFolder image;
    for (int i = 0; i < 10; ++i) {
      ASSERT_NO_FATAL_FAILURE(cut.WriteImage(random.Next(), image.path()));
      ASSERT_TRUE(ImageHoldsOneOf(image.path(), story));
    }
  }
}

TEST(TierFaultTest, PowerFailsAfterASyncFailed) { CutPowerAfterFailedSync(Call::kSync, false); }
TEST(TierFaultTest, PowerFailsAfterAFolderSyncFailed) {
  CutPowerAfterFailedSync(Call::kSyncFolder, false);
}
// The page cache still shows what never got to the device. Opening the store again must not build
// on it.
TEST(TierFaultTest, PowerFailsAfterASyncFailedAndTheStoreWentOnAnew) {
  CutPowerAfterFailedSync(Call::kSync, true);
}

// Fails the n-th allocation that is made inside the tier.
class AllocationFault {
 public:
  AllocationFault(int64_t number, bool for_ever) : left_(number), for_ever_(for_ever) {}

  void Enter() {
    if (left_ > 0) {
      begin_ = base::AllocationCount();
      base::FailAllocationAfter(left_, for_ever_);
    }
  }
  void Leave() {
    base::FailAllocationAfter(0, false);
    left_ -= base::AllocationCount() - begin_;
  }
  bool struck() const { return left_ <= 0; }

 private:
  int64_t left_;
  int64_t begin_ = 0;
  const bool for_ever_;
};

void FailEveryAllocation(bool for_ever) {
  Prng random(TestSeed("TierFaultTest", 5));
  uint64_t strikes = 0;
  uint64_t told = 0;
  for (int64_t number = 1;; number += static_cast<int64_t>(Stride(&random, 8))) {
    SCOPED_TRACE("allocation " + std::to_string(number));
    TempFolder folder;
    AllocationFault fault(number, for_ever);
    Story story(
        io::PosixFileSystem(), folder.File("store.db"), [] {}, [&] { fault.Enter(); },
        [&] { fault.Leave(); });
    story.Run();
    if (::testing::Test::HasFailure()) {
      return;
    }
    if (!fault.struck()) {
      break;
    }
    ++strikes;
    told += story.failures() > 0 ? 1 : 0;
  }
  std::printf("%llu allocations failed, %llu of them were told\n",
              static_cast<unsigned long long>(strikes), static_cast<unsigned long long>(told));
}

TEST(TierFaultTest, EveryAllocationFailsOnce) { FailEveryAllocation(false); }
// For ever means until the call that meets it returns.
TEST(TierFaultTest, EveryAllocationFailsForEver) { FailEveryAllocation(true); }

}  // namespace
}  // namespace spillway::test
