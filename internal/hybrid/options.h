// What a caller may choose, checked in one place.
//
// Options is the bag behind spw_options: keys and values as set. StoreOptions and StreamOptions are
// what they mean, with defaults filled in.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "internal/base/status.h"
#include "internal/memory/budget.h"

namespace spillway::hybrid {

// Values are those of SPW_OPT_*.
enum class Option : int32_t {
  kBudgetBytes = 1,
  kBudgetRecords = 2,
  kHardPercent = 3,
  kLowPercent = 4,
  kSpillsInFlight = 5,
  kTimeoutMs = 6,
  kColdTier = 7,
  kOpen = 8,
  kWhenFull = 9,
  kTimes = 10,
};

enum class ColdTierKind : int64_t { kUnset = 0, kBlockFile = 1, kSqlite = 2 };
enum class OpenPolicy : int64_t { kCreate = 1, kExisting = 2, kNew = 3 };
enum class WhenFull : int64_t { kBlock = 1, kFail = 2 };

inline constexpr int64_t kAuto = -1;                   // SPW_AUTO
inline constexpr int64_t kNoLimit = INT64_MAX;         // SPW_UNLIMITED
inline constexpr int64_t kWaitDefault = -1;            // SPW_WAIT_DEFAULT
inline constexpr int64_t kWaitForever = INT64_MAX;     // SPW_WAIT_FOREVER
inline constexpr int64_t kBudgetBytesMin = 256 << 10;  // four of the smallest arenas

class Options {
 public:
  // kUnsupported: unknown key. kInvalidArgument: out of range.
  base::Status Set(int32_t key, int64_t value);
  // nullopt if it has not been set.
  std::optional<int64_t> Get(int32_t key) const;
  std::optional<int64_t> Get(Option key) const { return Get(static_cast<int32_t>(key)); }
  // The first key that may not stand here.
  std::optional<int32_t> KeyOutside(std::initializer_list<Option> allowed) const;

  static base::Status CheckValue(int32_t key, int64_t value);

 private:
  std::vector<std::pair<int32_t, int64_t>> values_;
};

struct StoreOptions {
  uint64_t budget_bytes = 0;  // base::kUnlimited: none
  uint64_t budget_records = 0;
  uint64_t hard_percent = 130;
  uint64_t low_percent = 70;
  uint32_t spills_in_flight = 2;
  int64_t timeout_ms = kWaitForever;
  ColdTierKind cold_tier = ColdTierKind::kUnset;
  OpenPolicy open = OpenPolicy::kCreate;
  WhenFull when_full = WhenFull::kBlock;

  // `options` may be null.
  static base::Status Parse(const Options* options, bool in_memory, StoreOptions* out);
  // Low, soft and hard limits of budgets, base::kUnlimited for none.
  memory::Limits LimitsFor(uint64_t bytes, uint64_t records) const;
};

struct StreamOptions {
  std::optional<bool> has_times;
  std::optional<WhenFull> when_full;
  std::optional<uint64_t> budget_bytes;
  std::optional<uint64_t> budget_records;

  static base::Status Parse(const Options* options, StreamOptions* out);
};

// SPW_UNLIMITED, SPW_AUTO and a number of bytes as a limit of the budget.
uint64_t BudgetBytes(int64_t value);
uint64_t BudgetRecords(int64_t value);

}  // namespace spillway::hybrid
