// Every allocation fails once while a store is opened, added to, spilled, flushed, read and closed:
// the call says so or goes on, nothing is lost or leaked, and afterwards all is as it was.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "internal/base/allocation.h"
#include "tests/support/model_store.h"
#include "tests/support/prng.h"
#include "tests/support/temp_folder.h"
#include "tests/support/test_store.h"
#include "tests/support/tier_of_run.h"

namespace spillway::test {
namespace {

constexpr int64_t kLongMs = 60'000;  // whoever waits so long hangs

// Calls of the library by pointers alone, for while allocations fail the test may not make any.
struct RawBatch {
  std::string data;
  std::vector<uint64_t> offsets = {0};

  explicit RawBatch(const Records& records) {
    for (const Record& record : records) {
      data += record.payload;
      offsets.push_back(data.size());
    }
  }
  uint64_t count() const { return offsets.size() - 1; }
};

// One store, and what is done to it while an allocation fails.
class Life {
 public:
  explicit Life(uint64_t seed, bool in_memory = false)
      : random_(seed), path_(folder_.File("store.db")), in_memory_(in_memory) {
    EXPECT_EQ(spw_options_new(&options_, nullptr), SPW_OK);
    Set(SPW_OPT_BUDGET_BYTES, 256 << 10);
    Set(SPW_OPT_TIMEOUT_MS, kLongMs);
    if (!in_memory) {
      Set(SPW_OPT_COLD_TIER, TierOfRun().second);
    }
    model_.has_times = false;
  }
  ~Life() {
    spw_store_free(store_);
    spw_options_free(options_);
    AwaitGone();
  }

  spw_status Open() {
    return spw_store_open(in_memory_ ? nullptr : path_.data(), in_memory_ ? 0 : path_.size(),
                          options_, nullptr, &store_, nullptr);
  }
  spw_status MakeStream() {
    return spw_store_stream(store_, "a", 1, nullptr, SPW_STREAM_CREATE, &stream_, nullptr);
  }
  spw_status AddRaw(const RawBatch& batch, uint64_t* first) {
    return spw_store_add(store_, stream_, batch.data.data(), batch.data.size(),
                         batch.offsets.data(), batch.count(), nullptr, SPW_WAIT_DEFAULT, nullptr,
                         first, nullptr);
  }
  spw_status Flush() {
    return spw_store_flush(store_, SPW_FLUSH_DEVICE, kLongMs, nullptr, nullptr);
  }
  spw_status Close() { return spw_store_close(store_, 0, kLongMs, nullptr, nullptr); }

  // Adds without faults.
  void Add(uint64_t count, uint64_t bytes_max) {
    const Records records = RandomRecords(&random_, count, bytes_max);
    uint64_t first = 0;
    ASSERT_EQ(AddRaw(RawBatch(records), &first), SPW_OK);
    model_.Add(records);
  }

  // Reads all by one cursor, each of its calls again if memory ran out.
  void ExpectHolds(bool may_fail) {
    spw_scan scan = {};
    scan.struct_size = sizeof scan;
    scan.stream = stream_;
    scan.end_seq = SPW_SEQ_NONE;
    spw_cursor* cursor = nullptr;
    spw_status status = spw_cursor_open(store_, &scan, nullptr, &cursor, nullptr);
    if (may_fail && status == SPW_NO_MEMORY) {
      status = spw_cursor_open(store_, &scan, nullptr, &cursor, nullptr);
    }
    ASSERT_EQ(status, SPW_OK);
    uint64_t position = model_.begin_seq;
    for (;;) {
      spw_view view = {};
      view.struct_size = sizeof view;
      status = spw_cursor_next(cursor, SPW_NO_LIMIT, SPW_NO_LIMIT, 0, nullptr, &view, nullptr);
      if (may_fail && status == SPW_NO_MEMORY) {
        continue;
      }
      ASSERT_EQ(status, SPW_OK);
      if (view.count == 0) {
        break;
      }
      ASSERT_EQ(view.first_seq, position);
      for (uint64_t i = 0; i < view.count; ++i, ++position) {
        const std::string& wanted = model_.records[position].payload;
        ASSERT_TRUE(view.end[i] - view.begin[i] == wanted.size() &&
                    std::equal(wanted.begin(), wanted.end(),
                               reinterpret_cast<const char*>(view.data) + view.begin[i]));
      }
    }
    ASSERT_EQ(position, model_.tail_seq());
    spw_cursor_free(cursor);
  }

  // Whole again: what was admitted is there, it takes more, closes, and opens with all of it. Or
  // else, when SQLite called the missing memory an I/O error, writing has ended: then that is what
  // every call says, and what was flushed before is there when it is opened again.
  void ExpectWell() {
    ExpectHolds(false);
    Settle();
    if (!in_memory_ && Flush() == SPW_IO) {
      EXPECT_EQ(Flush(), SPW_IO);
      EXPECT_EQ(Close(), SPW_IO);
      Free();
      ASSERT_EQ(Open(), SPW_OK);
      EXPECT_EQ(Close(), SPW_OK);
      return;
    }
    Add(50, 300);
    ExpectHolds(false);
    if (in_memory_) {
      EXPECT_EQ(Close(), SPW_OK);
      return;
    }
    const spw_status flushed = Flush();
    EXPECT_EQ(Close(), flushed);
    Free();
    ASSERT_EQ(Open(), SPW_OK);
    if (flushed == SPW_IO) {
      EXPECT_EQ(Close(), SPW_OK);
      return;
    }
    ASSERT_EQ(flushed, SPW_OK);
    ASSERT_EQ(MakeStream(), SPW_OK);
    ExpectHolds(false);
    EXPECT_EQ(Close(), SPW_OK);
  }

  // A spill that failed while memory was short may be told a moment later.
  void Settle() {
    while (!in_memory_ && Flush() == SPW_NO_MEMORY) {
      std::this_thread::yield();
    }
  }
  void CloseAtLast() {
    spw_status status = SPW_NO_MEMORY;
    while (status == SPW_NO_MEMORY) {
      status = Close();
    }
    EXPECT_EQ(status, SPW_OK);
  }

  void Free() {
    spw_store_free(store_);
    store_ = nullptr;
    AwaitGone();
  }

  Prng& random() { return random_; }
  ModelStream& model() { return model_; }
  spw_store* store() { return store_; }
  uint32_t stream() const { return stream_; }

 private:
  void Set(int32_t key, int64_t value) {
    EXPECT_EQ(spw_options_set_i64(options_, key, value, nullptr), SPW_OK);
  }
  // A store that was freed lives on until its threads have ended.
  void AwaitGone() {
    if (!in_memory_) {
      TestStore(path_).Drop();
    }
  }

  Prng random_;
  TempFolder folder_;
  const std::string path_;
  const bool in_memory_;
  spw_options* options_ = nullptr;
  spw_store* store_ = nullptr;
  uint32_t stream_ = 0;
  ModelStream model_;
};

// An allocation that fails within a sync is taken for a failed sync: nobody can tell.
bool IsExpected(spw_status status) {
  return status == SPW_OK || status == SPW_NO_MEMORY || status == SPW_IO;
}

using Body = std::function<void(Life*, const std::function<void()>& arm)>;

// Runs body(life, arm) with a new life, in which arm() makes the n-th allocation from then on fail.
// False: there were fewer.
bool FailOne(const char* what, bool for_ever, int64_t n, const Body& body) {
  SCOPED_TRACE(std::string(what) + ", allocation " + std::to_string(n) +
               (for_ever ? " and all after it fail" : " fails"));
  Life life(static_cast<uint64_t>(n));
  int64_t last = 0;
  body(&life, [&] {
    last = base::AllocationCount() + n;
    base::FailAllocationAfter(n, for_ever);
  });
  const bool struck = base::AllocationCount() >= last;
  base::FailAllocationAfter(0, false);
  return struck;
}

// The first and the last allocations one by one, those between in steps of random width, for a
// store makes thousands: other seeds meet the others. quiet_most: so often none may fail before it
// is taken for the end, where threads make the number uncertain.
void FailEvery(const char* what, bool for_ever, uint64_t quiet_most, const Body& body) {
  constexpr int64_t kFirst = 200;
  constexpr int64_t kLast = 60;
  const uint64_t step_most = for_ever ? 60 : 30;
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  Prng steps(TestSeed(what, static_cast<uint64_t>(now)));
  uint64_t failed = 0;
  uint64_t quiet = 0;
  int64_t n = 1;
  int64_t end = 0;
  while (quiet < quiet_most && !::testing::Test::HasFailure()) {
    const bool struck = FailOne(what, for_ever, n, body);
    failed += struck ? 1 : 0;
    quiet = struck ? 0 : quiet + 1;
    end = struck ? n : end;
    n += n <= kFirst ? 1 : static_cast<int64_t>(steps.Between(1, step_most));
  }
  for (n = std::max(kFirst, end - kLast); n < end && !::testing::Test::HasFailure(); ++n) {
    failed += FailOne(what, for_ever, n, body) ? 1 : 0;
  }
  std::printf("%s: %llu allocations failed\n", what, static_cast<unsigned long long>(failed));
  EXPECT_GT(failed, 0u);
}

void Disarm() { base::FailAllocationAfter(0, false); }

void OpenWell(Life* life) {
  ASSERT_EQ(life->Open(), SPW_OK);
  ASSERT_EQ(life->MakeStream(), SPW_OK);
}

class StoreMemoryFaultTest : public ::testing::TestWithParam<bool> {
 protected:
  ~StoreMemoryFaultTest() override { Disarm(); }
};

TEST_P(StoreMemoryFaultTest, OpenSaysNoMemoryAndLeavesNothingBehind) {
  FailEvery("OpenSaysNoMemory", GetParam(), 1, [](Life* life, const auto& arm) {
    arm();
    const spw_status status = life->Open();
    const spw_status made = status == SPW_OK ? life->MakeStream() : status;
    Disarm();
    if (status != SPW_OK) {
      ASSERT_TRUE(IsExpected(status)) << spw_status_name(status);
      ASSERT_EQ(life->store(), nullptr);
      ASSERT_EQ(life->Open(), SPW_OK);
    }
    ASSERT_TRUE(IsExpected(made)) << spw_status_name(made);
    ASSERT_EQ(life->MakeStream(), SPW_OK);
    life->ExpectWell();
  });
}

TEST_P(StoreMemoryFaultTest, ReopenSaysNoMemoryAndLosesNothing) {
  FailEvery("ReopenSaysNoMemory", GetParam(), 1, [](Life* life, const auto& arm) {
    OpenWell(life);
    life->Add(300, 300);
    ASSERT_EQ(life->Close(), SPW_OK);
    life->Free();
    arm();
    const spw_status status = life->Open();
    Disarm();
    if (status != SPW_OK) {
      ASSERT_TRUE(IsExpected(status)) << spw_status_name(status);
      ASSERT_EQ(life->Open(), SPW_OK);
    }
    ASSERT_EQ(life->MakeStream(), SPW_OK);
    life->ExpectWell();
  });
}

// Batches that fit, that take several arenas, and that go around memory; it spills meanwhile.
TEST_P(StoreMemoryFaultTest, AddAndSpillLoseNoRecord) {
  FailEvery("AddAndSpillLoseNoRecord", GetParam(), 3, [](Life* life, const auto& arm) {
    OpenWell(life);
    std::vector<Records> batches;
    std::vector<RawBatch> raw;
    for (const uint64_t count : {20u, 60u, 60u, 60u, 60u, 350u, 20u}) {
      batches.push_back(RandomRecords(&life->random(), count, count == 20 ? 300 : 8000));
      raw.emplace_back(batches.back());
    }
    std::vector<spw_status> statuses(raw.size());
    std::vector<uint64_t> firsts(raw.size());
    arm();
    for (size_t i = 0; i < raw.size(); ++i) {
      statuses[i] = life->AddRaw(raw[i], &firsts[i]);
    }
    Disarm();
    for (size_t i = 0; i < raw.size(); ++i) {
      ASSERT_TRUE(statuses[i] == SPW_OK || statuses[i] == SPW_NO_MEMORY)
          << i << ": " << spw_status_name(statuses[i]);
      ASSERT_EQ(firsts[i], statuses[i] == SPW_OK ? life->model().tail_seq() : SPW_SEQ_NONE);
      if (statuses[i] == SPW_OK) {
        life->model().Add(batches[i]);
      }
    }
    life->ExpectWell();
  });
}

TEST_P(StoreMemoryFaultTest, FlushSaysNoMemoryAndIsTriedAgain) {
  FailEvery("FlushSaysNoMemory", GetParam(), 3, [](Life* life, const auto& arm) {
    OpenWell(life);
    life->Add(30, 1000);
    arm();
    const spw_status status = life->Flush();
    Disarm();
    ASSERT_TRUE(status == SPW_OK || status == SPW_NO_MEMORY) << spw_status_name(status);
    life->ExpectWell();
  });
}

TEST_P(StoreMemoryFaultTest, CloseStaysOpenOrClosesAndLosesNothing) {
  FailEvery("CloseStaysOpen", GetParam(), 3, [](Life* life, const auto& arm) {
    OpenWell(life);
    life->Add(30, 1000);
    arm();
    const spw_status status = life->Close();
    Disarm();
    ASSERT_TRUE(IsExpected(status)) << spw_status_name(status);
    life->CloseAtLast();
    life->Free();
    OpenWell(life);
    life->ExpectWell();
  });
}

// Cold and hot: what was spilled is read from the cold tier.
TEST_P(StoreMemoryFaultTest, ReadsSayNoMemoryAndCanBeMadeAgain) {
  const bool for_ever = GetParam();
  FailEvery("ReadsSayNoMemory", for_ever, 3, [for_ever](Life* life, const auto& arm) {
    OpenWell(life);
    life->Add(40, 3000);
    ASSERT_EQ(life->Close(), SPW_OK);
    life->Free();
    OpenWell(life);
    life->Add(20, 300);
    const uint64_t seqs[] = {0, 59, 5, 30, 5, 40};
    spw_batch* batch = nullptr;
    char one[3000];
    uint64_t len = 0;
    arm();
    const spw_status gathered =
        spw_store_gather(life->store(), life->stream(), seqs, 6, &batch, nullptr);
    const spw_status read =
        spw_store_read(life->store(), life->stream(), 1, one, sizeof one, &len, nullptr, nullptr);
    if (!for_ever) {
      life->ExpectHolds(true);
    }
    Disarm();
    for (const spw_status status : {gathered, read}) {
      ASSERT_TRUE(status == SPW_OK || status == SPW_NO_MEMORY) << spw_status_name(status);
    }
    ASSERT_EQ(batch != nullptr, gathered == SPW_OK);
    spw_batch_free(batch);
    life->ExpectWell();
  });
}

INSTANTIATE_TEST_SUITE_P(Once, StoreMemoryFaultTest, ::testing::Values(false));
INSTANTIATE_TEST_SUITE_P(ForEver, StoreMemoryFaultTest, ::testing::Values(true));

TEST(StoreInMemoryFaultTest, StoreInMemoryOnlySurvivesEveryFailedAllocation) {
  bool struck = true;
  for (int64_t n = 1; struck && !::testing::Test::HasFailure(); ++n) {
    SCOPED_TRACE("allocation " + std::to_string(n));
    Life life(static_cast<uint64_t>(n), true);
    const Records records = RandomRecords(&life.random(), 50, 1000);
    const RawBatch raw(records);
    const int64_t last = base::AllocationCount() + n;
    base::FailAllocationAfter(n, false);
    spw_status status = life.Open();
    uint64_t first = 0;
    spw_status made = status == SPW_OK ? life.MakeStream() : status;
    spw_status added = made == SPW_OK ? life.AddRaw(raw, &first) : made;
    struck = base::AllocationCount() >= last;
    Disarm();
    ASSERT_TRUE(added == SPW_OK || added == SPW_NO_MEMORY) << spw_status_name(added);
    if (status != SPW_OK) {
      ASSERT_EQ(life.Open(), SPW_OK);
    }
    ASSERT_EQ(life.MakeStream(), SPW_OK);
    if (added == SPW_OK) {
      life.model().Add(records);
    }
    life.ExpectWell();
  }
}

}  // namespace
}  // namespace spillway::test
