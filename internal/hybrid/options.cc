#include "internal/hybrid/options.h"

#include <algorithm>

#include "internal/base/bytes.h"
#include "internal/base/machine_memory.h"

namespace spillway::hybrid {

using base::Code;
using base::Status;

Status StoreOptions::Parse(const Options* options, bool in_memory, StoreOptions* out) {
  const Options none;
  const Options& given = options == nullptr ? none : *options;
  SPW_RETURN_IF_ERROR(given.CheckKeys(
      "a store", {Option::kBudgetBytes, Option::kBudgetRecords, Option::kHardPercent,
                  Option::kLowPercent, Option::kSpillsInFlight, Option::kTimeoutMs,
                  Option::kColdTier, Option::kOpen, Option::kWhenFull, Option::kSyncMs,
                  Option::kEager, Option::kIdleMs, Option::kPromoteReads}));
  const auto get = [&](Option key, int64_t otherwise) {
    return given.Get(key).value_or(otherwise);
  };
  out->budget_bytes = BudgetBytes(get(Option::kBudgetBytes, kAuto));
  out->budget_records = BudgetRecords(get(Option::kBudgetRecords, kNoLimit));
  out->hard_percent = static_cast<uint64_t>(get(Option::kHardPercent, 130));
  out->low_percent = static_cast<uint64_t>(get(Option::kLowPercent, 70));
  out->spills_in_flight = static_cast<uint32_t>(get(Option::kSpillsInFlight, 2));
  out->timeout_ms = get(Option::kTimeoutMs, kWaitForever);
  out->sync_ms = get(Option::kSyncMs, out->sync_ms);
  out->eager = get(Option::kEager, 0) != 0;
  out->idle_ms = get(Option::kIdleMs, out->idle_ms);
  out->promote_reads = get(Option::kPromoteReads, out->promote_reads);
  out->cold_tier = static_cast<ColdTierKind>(get(Option::kColdTier, 0));
  out->open =
      static_cast<OpenPolicy>(get(Option::kOpen, static_cast<int64_t>(OpenPolicy::kCreate)));
  if (out->open == OpenPolicy::kReadOnly) {
    return {Code::kUnsupported, "SPW_OPEN_READ_ONLY does not apply to a store"};
  }
  if (out->open == OpenPolicy::kTemporary &&
      (out->cold_tier == ColdTierKind::kSqlite || out->sync_ms != kNoLimit)) {
    return {Code::kUnsupported, out->cold_tier == ColdTierKind::kSqlite
                                    ? "SPW_OPEN_TEMPORARY: a SQLite database needs a name"
                                    : "SPW_OPEN_TEMPORARY: nothing is durable, so SPW_OPT_SYNC_MS "
                                      "has no meaning"};
  }
  // A full store in memory only can be helped by its caller alone: waiting by default would be a
  // hang.
  const WhenFull when_full = in_memory ? WhenFull::kFail : WhenFull::kBlock;
  out->when_full = static_cast<WhenFull>(get(Option::kWhenFull, static_cast<int64_t>(when_full)));
  SPW_RETURN_IF_ERROR(CheckWhenFull(out->when_full, in_memory));
  for (const Option key :
       {Option::kColdTier, Option::kOpen, Option::kLowPercent, Option::kSpillsInFlight,
        Option::kSyncMs, Option::kEager, Option::kIdleMs, Option::kPromoteReads}) {
    if (in_memory && given.Get(key).has_value()) {
      return Options::WrongPlace(key, "a store in memory only");
    }
  }
  return {};
}

Status CheckWhenFull(WhenFull when_full, bool in_memory) {
  return when_full == WhenFull::kDropOldest && !in_memory
             ? base::InvalidArgument(
                   "SPW_WHEN_FULL_DROP_OLDEST is for stores in memory only: here the oldest "
                   "records "
                   "are spilled to make room, and not lost")
             : Status();
}

Status StreamOptions::Parse(const Options* options, bool in_memory, StreamOptions* out) {
  if (options == nullptr) {
    return {};
  }
  SPW_RETURN_IF_ERROR(options->CheckKeys(
      "a stream",
      {Option::kTimes, Option::kWhenFull, Option::kBudgetBytes, Option::kBudgetRecords}));
  if (const auto value = options->Get(Option::kTimes)) {
    out->has_times = *value != 0;
  }
  if (const auto value = options->Get(Option::kWhenFull)) {
    out->when_full = static_cast<WhenFull>(*value);
    SPW_RETURN_IF_ERROR(CheckWhenFull(*out->when_full, in_memory));
  }
  if (const auto value = options->Get(Option::kBudgetBytes)) {
    if (*value == kAuto) {
      return base::InvalidArgument("SPW_AUTO is a budget for a store, not for a stream");
    }
    out->budget_bytes = BudgetBytes(*value);
  }
  if (const auto value = options->Get(Option::kBudgetRecords)) {
    out->budget_records = BudgetRecords(*value);
  }
  return {};
}

uint64_t BudgetBytes(int64_t value) {
  if (value == kAuto) {
    return std::max<uint64_t>(base::MemoryLimitBytes() / 4, kBudgetBytesMin);
  }
  return BudgetRecords(value);
}

uint64_t BudgetRecords(int64_t value) {
  return value == kNoLimit ? base::kUnlimited : static_cast<uint64_t>(value);
}

memory::Limits StoreOptions::LimitsFor(uint64_t bytes, uint64_t records) const {
  const auto limit = [&](uint64_t budget) {
    return memory::Limit{.low = base::PercentOf(budget, low_percent),
                         .soft = budget,
                         .hard = std::max(budget, base::PercentOf(budget, hard_percent))};
  };
  return {.bytes = limit(bytes), .records = limit(records)};
}

}  // namespace spillway::hybrid
