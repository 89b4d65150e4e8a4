// Power failures of the whole store: histories of adds, flushes, clears and reopens with a budget
// so small that it spills all the time, cut at random moments. What is found then is a prefix of
// whole batches, equal byte by byte, and reaches at least the last flush to the device.
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/model_store.h"
#include "tests/support/power_cut_histories.h"
#include "tests/support/prng.h"
#include "tests/support/sim_disk.h"
#include "tests/support/temp_folder.h"
#include "tests/support/test_store.h"
#include "tests/support/tier_of_run.h"

namespace spillway::test {
namespace {

constexpr char kName[] = "store.db";

Settings SettingsOf(Prng* random) {
  return {
      {SPW_OPT_BUDGET_BYTES, 256 << 10},
      {SPW_OPT_BUDGET_RECORDS, random->OneIn(2) ? 1 : static_cast<int64_t>(random->Below(40)) + 2},
      {SPW_OPT_LOW_PERCENT, static_cast<int64_t>(random->Below(101))},
      {SPW_OPT_SPILLS_IN_FLIGHT, static_cast<int64_t>(random->Between(1, 2))},
      TierOfRun()};
}

// The store after an operation.
struct Milestone {
  size_t begun;     // log of the disk when the operation was called
  size_t position;  // and when it returned
  ModelStore model;
};

class History {
 public:
  History(uint64_t seed, uint64_t steps)
      : random_(seed), disk_(folder_.path(), seed), store_(folder_.File(kName), &disk_) {
    milestones_.push_back({});
    Do([&] { ASSERT_EQ(store_.Open(SettingsOf(&random_)), SPW_OK); });
    created_ = disk_.log_size();
    for (uint64_t i = 0; i < steps && !::testing::Test::HasFatalFailure(); ++i) {
      SCOPED_TRACE("step " + std::to_string(i));
      Do([&] { Step(); });
    }
    if (random_.OneIn(2)) {
      Do([&] { Close(); });
    }
    store_.Drop();  // its threads may write until then
  }

  const SimDisk& disk() const { return disk_; }
  const std::vector<Milestone>& milestones() const { return milestones_; }
  // There is a store in every image from here on.
  size_t created() const { return created_; }

 private:
  template <class Operation>
  void Do(Operation&& operation) {
    const size_t begun = disk_.log_size();
    operation();
    milestones_.push_back({begun, disk_.log_size(), model_});
  }

  void Step() {
    const uint64_t choice = random_.Below(40);
    if (choice == 0) {
      Close();
      store_.Drop();
      Reopen(0);
    } else if (choice == 1) {
      store_.Drop();  // as if the process had been killed
      Reopen(SPW_FLUSH_KERNEL);
    } else if (choice < 5) {
      Flush(SPW_FLUSH_DEVICE);
    } else if (choice < 8) {
      Flush(SPW_FLUSH_KERNEL);
    } else if (choice < 10) {
      const std::string name = AnyStream();
      ASSERT_EQ(store_.Clear(ids_[name]), SPW_OK);
      model_[name].Clear();
    } else {
      Add();
    }
  }

  void Add() {
    const std::string name = AnyStream();
    ModelStream& stream = model_[name];
    const uint64_t kind = random_.Below(20);
    const Records batch = kind == 0   ? RandomRecords(&random_, 200, 4000)  // over several arenas
                          : kind == 1 ? RandomRecords(&random_, 1, 100'000)
                                      : RandomRecords(&random_, random_.Between(1, 20), 300);
    uint64_t first = 0;
    ASSERT_EQ(store_.Add(ids_[name], batch, stream.has_times, Form::kPacked, &first), SPW_OK);
    ASSERT_EQ(first, stream.tail_seq());
    stream.Add(batch);
  }

  void Flush(int32_t level) {
    ASSERT_EQ(store_.Flush(level), SPW_OK);
    for (auto& [name, stream] : model_) {
      stream.Flushed(level);
    }
  }

  void Close() {
    ASSERT_EQ(store_.Close(), SPW_OK);
    for (auto& [name, stream] : model_) {
      stream.Flushed(SPW_FLUSH_DEVICE);
    }
  }

  void Reopen(int32_t level) {
    ids_.clear();
    ASSERT_EQ(store_.Open(SettingsOf(&random_)), SPW_OK);
    ASSERT_TRUE(Recovered(&store_, level, &model_));
    for (const uint32_t id : store_.Streams()) {
      ids_[store_.NameOf(id)] = id;
    }
  }

  std::string AnyStream() {
    const std::string name = "stream " + std::to_string(random_.Below(3));
    if (!model_.contains(name)) {
      model_[name].has_times = random_.OneIn(2);
    }
    if (!ids_.contains(name)) {
      const Settings settings = {{SPW_OPT_TIMES, model_[name].has_times ? 1 : 0}};
      EXPECT_EQ(store_.Stream(name, settings, &ids_[name]), SPW_OK);
    }
    return name;
  }

  Prng random_;
  TempFolder folder_;
  SimDisk disk_;
  TestStore store_;
  ModelStore model_;
  std::map<std::string, uint32_t> ids_;
  std::vector<Milestone> milestones_;
  size_t created_ = 0;
};

// What may be found after a cut at `position`: up to what was being done then, and what had been
// promised by then.
ModelStore ExpectedAt(const History& history, size_t position) {
  ModelStore expected;
  ModelStore promised;
  for (const Milestone& each : history.milestones()) {
    if (each.begun <= position) {
      expected = each.model;
    }
    if (each.position <= position) {
      promised = each.model;
    }
  }
  for (auto& [name, stream] : expected) {
    stream.device = promised.contains(name) ? promised[name].device : ModelStream::Promise{};
  }
  return expected;
}

// Opens the image and compares it; on it goes, for what was recovered is a store like any other.
::testing::AssertionResult Recovers(io::FileSystem* disk, const std::string& folder,
                                    const History& history, size_t position) {
  TestStore store(folder + "/" + kName, disk);
  Settings settings = {{SPW_OPT_BUDGET_BYTES, 256 << 10}, {SPW_OPT_OPEN, SPW_OPEN_EXISTING}};
  const spw_status status = store.Open(settings);
  if (status != SPW_OK) {
    if (status == SPW_NOT_FOUND && position < history.created()) {
      return ::testing::AssertionSuccess();
    }
    return ::testing::AssertionFailure() << "does not open: " << spw_status_name(status);
  }
  ModelStore expected = ExpectedAt(history, position);
  ::testing::AssertionResult result = Recovered(&store, SPW_FLUSH_DEVICE, &expected);
  if (!result) {
    return result;
  }
  for (auto& [name, stream] : expected) {
    uint32_t id = 0;
    uint64_t first = 0;
    if (store.Stream(name, {{SPW_OPT_TIMES, stream.has_times ? 1 : 0}}, &id) != SPW_OK ||
        store.Add(id, {{"more", 7}}, stream.has_times, Form::kPacked, &first) != SPW_OK ||
        first != stream.tail_seq()) {
      return ::testing::AssertionFailure() << "stream '" << name << "' takes no more records";
    }
  }
  return ::testing::AssertionSuccess();
}

// So many histories, each with so many images.
Cuts Of(uint64_t histories, uint64_t images) {
  return {.histories = histories, .steps = 50, .images = images, .second_in = 8, .second_times = 1};
}

TEST(StoreCrashTest, EveryImageIsAPrefixOfWholeBatchesThatReachesTheLastFlush) {
  CutHistories<History>("WholeBatchesThatReachesTheLastFlush", 20260102, Of(40, 50),
                        PowerCut::Garbage::kNo);
}

TEST(StoreCrashTest, SectorsInFlightMayHoldGarbage) {
  CutHistories<History>("StoreCrashTest.SectorsInFlight", 20260102, Of(20, 50),
                        PowerCut::Garbage::kYes);
}

}  // namespace
}  // namespace spillway::test
