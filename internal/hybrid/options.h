// What a caller may choose for a store or a stream, checked in one place: what the keys and values
// of base::Options mean there, with defaults filled in.
#pragma once

#include <cstdint>
#include <optional>

#include "internal/base/options.h"
#include "internal/base/status.h"
#include "internal/memory/budget.h"

namespace spillway::hybrid {

using base::kAuto;
using base::kBudgetBytesMin;
using base::Option;
using base::Options;

enum class ColdTierKind : int64_t { kUnset = 0, kBlockFile = 1, kSqlite = 2 };
enum class OpenPolicy : int64_t {
  kCreate = 1,
  kExisting = 2,
  kNew = 3,
  kReadOnly = 4,  // of block files, not of stores
  kTemporary = 5,
};
enum class WhenFull : int64_t { kBlock = 1, kFail = 2, kDropNewest = 3, kDropOldest = 4 };

inline constexpr int64_t kNoLimit = INT64_MAX;      // SPW_UNLIMITED
inline constexpr int64_t kWaitDefault = -1;         // SPW_WAIT_DEFAULT
inline constexpr int64_t kWaitForever = INT64_MAX;  // SPW_WAIT_FOREVER

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
  int64_t sync_ms = kNoLimit;
  bool eager = false;
  int64_t idle_ms = 10'000;
  int64_t promote_reads = 3;

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

  // `options` may be null.
  static base::Status Parse(const Options* options, bool in_memory, StreamOptions* out);
};

// kInvalidArgument for a policy that would lose records of a store with a cold tier.
base::Status CheckWhenFull(WhenFull when_full, bool in_memory);

// SPW_UNLIMITED, SPW_AUTO and a number of bytes as a limit of the budget.
uint64_t BudgetBytes(int64_t value);
uint64_t BudgetRecords(int64_t value);

}  // namespace spillway::hybrid
