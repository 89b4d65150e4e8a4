// Power failures of a cold tier: a random history on a recording disk, cut at random moments,
// and what is found then compared with what had been promised by then.
#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "internal/cold/cold_tier.h"
#include "tests/support/power_cut_histories.h"
#include "tests/support/prng.h"
#include "tests/support/sim_disk.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tier_of_run.h"
#include "tests/support/tier_records.h"

namespace spillway::test {
namespace {

using base::Code;
using base::Result;
using base::Status;
using cold::CloseMode;
using cold::ColdTier;
using cold::Durability;
using cold::OpenMode;

constexpr char kName[] = "store.db";

// The model after each successful commit, and what was promised when.
struct Milestone {
  size_t position;  // of the log when the commit returned
  size_t begun;     // and when it was called
  bool durable;
  TierModel model;
};

class History {
 public:
  History(uint64_t seed, uint64_t steps)
      : random_(seed), disk_(folder_.path(), seed), tuning_(&random_) {
    model_.salt = seed;
    model_.bytes_max = random_.OneIn(3) ? 3000 : 200;
    milestones_.push_back({0, 0, true, model_});
    Open();
    for (uint64_t i = 0; i < steps && !::testing::Test::HasFatalFailure(); ++i) {
      Step();
    }
    if (random_.OneIn(2)) {
      CloseTier();
    } else {
      tier_.reset();
    }
  }

  const SimDisk& disk() const { return disk_; }
  const SmallTuning& tuning() const { return tuning_; }
  const std::vector<Milestone>& milestones() const { return milestones_; }
  // The store is there in every image from here on.
  size_t created() const { return created_; }

 private:
  void Open() {
    Result<std::unique_ptr<ColdTier>> tier =
        tuning_.Open(&disk_, folder_.File(kName), OpenMode::kCreate);
    ASSERT_TRUE(tier.ok()) << tier.status().message();
    tier_ = std::move(tier.value());
    created_ = created_ == 0 ? disk_.log_size() : created_;
    ASSERT_TRUE(Equals(tier_.get(), model_, tier_->Streams()));
  }

  void CloseTier() {
    const size_t begun = disk_.log_size();
    ASSERT_TRUE(tier_->Close(CloseMode::kClean).ok());
    tier_.reset();
    milestones_.push_back({disk_.log_size(), begun, true, model_});
  }

  void Step() {
    switch (random_.Below(16)) {
      case 0:
        CloseTier();
        return Open();
      case 1:  // as if the process had been killed
        tier_.reset();
        return Open();
      case 2:
      case 3: {
        bool more = true;
        ASSERT_TRUE(tier_->Reclaim(&more).ok());
        return;
      }
      case 4:
        return Commit({}, random_.OneIn(2) ? Durability::kDevice : Durability::kKernel);
      default:
        return RandomCommit();
    }
  }

  void RandomCommit() {
    std::vector<cold::StreamState> added;
    std::vector<cold::Trim> trims;
    std::vector<record::ColumnBuffer> buffers;
    TierModel next = model_;
    if (next.streams.empty() || (next.streams.size() < 4 && random_.OneIn(6))) {
      const auto id = static_cast<uint32_t>(next.streams.size());
      const uint64_t first = random_.OneIn(4) ? 1000 : 0;
      added.push_back({id, "stream " + std::to_string(id), random_.OneIn(2), first, first});
      next.streams[id] = {added[0].name, added[0].has_times, first, first};
    }
    for (auto& [id, stream] : next.streams) {
      if (random_.OneIn(6)) {
        const uint64_t span = stream.end_seq - stream.begin_seq;
        const uint64_t begin = stream.begin_seq + random_.Below(span + 2 + span / 8);
        trims.push_back({id, begin});
        stream.begin_seq = begin;
        stream.end_seq = std::max(stream.end_seq, begin);
      }
    }
    std::vector<uint32_t> ids;
    for (auto& [id, stream] : next.streams) {
      if (random_.OneIn(2)) {
        const uint64_t count = random_.OneIn(5) ? 60 : random_.Between(1, 8);
        buffers.push_back(next.Next(id, count));
        stream.end_seq += count;
        ids.push_back(id);
      }
    }
    std::vector<cold::Piece> pieces;
    for (size_t i = 0; i < ids.size(); ++i) {
      pieces.push_back({ids[i], buffers[i].columns()});
    }
    model_ = next;
    Commit({added, trims, pieces}, random_.OneIn(3) ? Durability::kDevice : Durability::kKernel);
  }

  void Commit(const cold::Changes& changes, Durability durability) {
    const size_t begun = disk_.log_size();
    const Status status = tier_->Commit(changes, durability);
    ASSERT_TRUE(status.ok()) << status.message();
    milestones_.push_back({disk_.log_size(), begun, durability == Durability::kDevice, model_});
  }

  Prng random_;
  TempFolder folder_;
  SimDisk disk_;
  SmallTuning tuning_;
  TierModel model_;
  std::unique_ptr<ColdTier> tier_;
  std::vector<Milestone> milestones_;
  size_t created_ = 0;
};

// Opens what is in `folder` and looks for the milestone that it equals, not before the last one
// that was durable at `position`, and not one that had not begun by then.
::testing::AssertionResult Recovers(io::FileSystem* disk, const std::string& folder,
                                    const History& history, size_t position) {
  Result<std::unique_ptr<ColdTier>> tier =
      history.tuning().Open(disk, folder + "/" + kName, OpenMode::kExisting);
  if (!tier.ok()) {
    if (tier.status().code() == Code::kNotFound && position < history.created()) {
      return ::testing::AssertionSuccess();
    }
    return ::testing::AssertionFailure() << "does not open: " << tier.status().message();
  }
  const std::vector<cold::StreamState> found = tier.value()->Streams();
  const std::vector<Milestone>& milestones = history.milestones();
  size_t first = 0;
  size_t last = 0;
  for (size_t i = 0; i < milestones.size(); ++i) {
    first = milestones[i].durable && milestones[i].position <= position ? i : first;
    last = milestones[i].begun <= position ? i : last;
  }
  ::testing::AssertionResult result = ::testing::AssertionFailure() << "no milestone fits";
  for (size_t i = last + 1; i-- > first;) {
    result = Equals(tier.value().get(), milestones[i].model, found);
    if (result) {
      return result;
    }
  }
  return result << " in milestones " << first << " to " << last;
}

// So many histories, each with so many images.
Cuts Of(uint64_t histories, uint64_t images) {
  return {.histories = histories, .steps = 40, .images = images, .second_in = 4, .second_times = 2};
}

TEST(TierCrashTest, EveryImageIsAPrefixThatReachesTheLastDurableCommit) {
  CutHistories<History>("EveryImageIsAPrefix", 20260101, Of(60, 40), PowerCut::Garbage::kNo);
}

TEST(TierCrashTest, SectorsInFlightMayHoldGarbage) {
  CutHistories<History>("SectorsInFlight", 20260101, Of(30, 40), PowerCut::Garbage::kYes);
}

}  // namespace
}  // namespace spillway::test
