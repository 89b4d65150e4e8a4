// Adders that are faster than the disk: it takes 50 MB/s, they add what they can. What is in memory
// stays below the limit at every moment, nobody waits longer than the disk needs for what is in the
// way, everybody gets the same share, and the disk is never idle.
//
// Waits are measured in what the disk wrote meanwhile: a machine that is busy with other things
// holds both up, so it does not change them much. What is left of that is given room: medians are
// held to the bound, and the worst is printed.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/crew.h"
#include "tests/support/slow_disk.h"
#include "tests/support/temp_folder.h"
#include "tests/support/test_store.h"
#include "tests/support/tier_of_run.h"

namespace spillway::test {
namespace {

// A sanitizer's adders may be slower than the disk.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr bool kTimed = false;
#else
constexpr bool kTimed = true;
#endif
constexpr uint64_t kRate = 50'000'000;  // bytes per second
constexpr uint64_t kBudget = 16 << 20;
constexpr uint64_t kSegment = kBudget / 64;
constexpr uint64_t kRecord = 1000;
constexpr uint64_t kBatch = 64 * kRecord;
// More than fits into the 2 ms by which an add is slowed below the hard limit, so that it is met.
constexpr uint64_t kLargeBatch = 512 * kRecord;

class StoreThrottleTest : public ::testing::Test {
 protected:
  StoreThrottleTest() : disk_(kRate), store_(folder_.File("store"), &disk_) {
    EXPECT_EQ(store_.Open({{SPW_OPT_BUDGET_BYTES, kBudget}, TierOfRun()}), SPW_OK);
  }

  void AddBatch(uint32_t stream, const Records& batch) {
    uint64_t first = 0;
    ASSERT_EQ(store_.Add(stream, batch, false, Form::kPacked, &first), SPW_OK);
    const spw_stats stats = store_.Stats();
    ASSERT_LE(stats.bytes_resident, stats.bytes_hard);
  }
  uint32_t MakeStream(const std::string& name) {
    uint32_t id = 0;
    EXPECT_EQ(store_.Stream(name, {}, &id), SPW_OK);
    return id;
  }
  static Records Batch(char letter, uint64_t bytes) {
    return Records(bytes / kRecord, Record{std::string(kRecord, letter)});
  }
  // What the tier writes for a byte of payload: its own bytes come on top.
  double BytesPerPayload() {
    return static_cast<double>(disk_.bytes_written()) /
           static_cast<double>(store_.Stats().payload_bytes_spilled);
  }
  void ExpectNothingIsLost(uint32_t stream, char letter) {
    const auto cursor = store_.Cursor(stream, 0, SPW_SEQ_NONE);
    ASSERT_NE(cursor, nullptr);
    const std::string wanted(kRecord, letter);
    uint64_t records = 0;
    for (uint64_t count = 1; count > 0; records += count) {
      uint64_t first = 0;
      Records found;
      ASSERT_EQ(cursor->Next(SPW_NO_LIMIT, SPW_NO_LIMIT, &first, &found), SPW_OK);
      count = found.size();
      ASSERT_TRUE(std::all_of(found.begin(), found.end(),
                              [&](const Record& each) { return each.payload == wanted; }));
    }
    ASSERT_EQ(records, store_.StreamStats(stream).tail_seq);
  }

  TempFolder folder_;
  SlowDisk disk_;
  TestStore store_;
};

TEST_F(StoreThrottleTest, AnAdderWaitsForWhatIsInItsWayAndNoLonger) {
  const uint32_t stream = MakeStream("a");
  const Records batch = Batch('a', kLargeBatch);
  constexpr uint64_t kWaits = 150;
  std::vector<double> waits;  // bytes that the disk wrote meanwhile
  uint64_t adds = 0;
  while (waits.size() < kWaits && adds < 4 * kWaits) {
    const uint64_t waits_before = store_.Stats().waits;
    const uint64_t written_before = disk_.bytes_written();
    ASSERT_NO_FATAL_FAILURE(AddBatch(stream, batch));
    if (store_.Stats().waits > waits_before) {
      waits.push_back(static_cast<double>(disk_.bytes_written() - written_before));
    }
    ++adds;
  }
  const double bytes_per_payload = BytesPerPayload();
  const auto ms = [](double bytes) { return bytes * 1000 / kRate; };
  const double bound_ms = 10 + ms(2.0 * (kLargeBatch + kSegment) * bytes_per_payload);
  std::sort(waits.begin(), waits.end());
  ASSERT_FALSE(waits.empty());
  const auto at = [&](size_t percent) { return ms(waits[(waits.size() - 1) * percent / 100]); };
  std::printf(
      "%zu waits of %llu adds, ms of the disk: median %.1f, p90 %.1f, p99 %.1f, max %.1f; "
      "bound %.1f; %.2f bytes written per byte\n",
      waits.size(), static_cast<unsigned long long>(adds), at(50), at(90), at(99), at(100),
      bound_ms, bytes_per_payload);
  if (kTimed) {
    EXPECT_EQ(waits.size(), kWaits) << "the disk was not slow enough";
    EXPECT_LE(at(50), bound_ms);
    EXPECT_LE(at(90), 3 * bound_ms);
  }
  EXPECT_LE(store_.Stats().bytes_resident_peak, store_.Stats().bytes_hard);
  ExpectNothingIsLost(stream, 'a');
}

constexpr uint64_t kWriters = 8;
using Added = std::atomic<uint64_t>[kWriters];  // bytes of each

uint64_t Sum(const Added& added) {
  uint64_t sum = 0;
  for (const std::atomic<uint64_t>& each : added) {
    sum += each.load();
  }
  return sum;
}

// What each adds of the next `bytes`, 1 for an equal share: the median of some windows, for a
// writer that the machine keeps from running for a while loses its turns.
std::vector<double> SharesOf(const Added& added, uint64_t bytes) {
  constexpr uint64_t kWindows = 5;
  std::vector<double> shares[kWriters];
  for (uint64_t window = 0; window < kWindows; ++window) {
    uint64_t before[kWriters];
    std::copy(std::begin(added), std::end(added), before);
    const uint64_t sum_before = Sum(added);
    while (Sum(added) - sum_before < bytes / kWindows && !::testing::Test::HasFailure()) {
      std::this_thread::yield();
    }
    const auto sum = static_cast<double>(Sum(added) - sum_before);
    for (uint64_t i = 0; i < kWriters; ++i) {
      shares[i].push_back(static_cast<double>(added[i].load() - before[i]) * kWriters / sum);
    }
  }
  std::vector<double> medians;
  for (std::vector<double>& each : shares) {
    std::sort(each.begin(), each.end());
    medians.push_back(each[kWindows / 2]);
  }
  return medians;
}

TEST_F(StoreThrottleTest, EqualAddersGetEqualSharesOfADiskThatIsNeverIdle) {
  constexpr uint64_t kBytes = 100'000'000;  // while it is measured: 2 s of the disk
  uint32_t streams[kWriters];
  Added added = {};  // bytes
  for (uint64_t i = 0; i < kWriters; ++i) {
    streams[i] = MakeStream("stream " + std::to_string(i));
  }
  Crew crew;
  for (uint64_t i = 0; i < kWriters; ++i) {
    crew.Add([&, i, batch = Batch(static_cast<char>('a' + i), kBatch)] {
      AddBatch(streams[i], batch);
      added[i].fetch_add(kBatch);
    });
  }
  const auto all = [&] { return Sum(added); };
  // From when memory is full, so that each batch in is one out.
  while (store_.Stats().waits < 2 * kWriters && all() < 4 * kBytes && !HasFailure()) {
    std::this_thread::yield();
  }
  const uint64_t all_before = all();
  const uint64_t written_before = disk_.bytes_written();
  const auto began = std::chrono::steady_clock::now();
  const std::vector<double> shares = SharesOf(added, kBytes);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  const double written = static_cast<double>(disk_.bytes_written() - written_before);
  const double in = static_cast<double>(all() - all_before);
  crew.End();
  const auto [least, most] = std::minmax_element(shares.begin(), shares.end());
  const double drained = written / BytesPerPayload();
  std::printf(
      "shares of 8 writers %.0f to %.0f %% of an equal one; the disk was busy for %.0f %% of "
      "the time; %.1f MB/s added while %.1f MB/s were drained\n",
      *least * 100, *most * 100, written * 100 / (took.count() * kRate), in / took.count() / 1e6,
      drained / took.count() / 1e6);
  const spw_stats stats = store_.Stats();
  EXPECT_LE(stats.bytes_resident_peak, stats.bytes_hard);
  if (kTimed) {
    EXPECT_GE(*least, 0.8);
    EXPECT_LE(*most, 1.2);
    EXPECT_GE(written, 0.75 * took.count() * kRate);  // 0.95 on a machine with nothing else to do
    // What is added is what is drained, but for what memory holds.
    EXPECT_LE(std::abs(in - drained), static_cast<double>(stats.bytes_hard));
  }
  for (uint64_t i = 0; i < kWriters; ++i) {
    ExpectNothingIsLost(streams[i], static_cast<char>('a' + i));
  }
}

}  // namespace
}  // namespace spillway::test
