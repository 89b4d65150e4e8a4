#include "internal/hybrid/options.h"

#include <algorithm>
#include <string>

#include "internal/base/bytes.h"
#include "internal/base/machine_memory.h"

namespace spillway::hybrid {

using base::Code;
using base::Status;

namespace {

struct Range {
  Option key;
  const char* name;
  int64_t least;
  int64_t most;
};
constexpr Range kRanges[] = {
    {Option::kBudgetBytes, "SPW_OPT_BUDGET_BYTES", kBudgetBytesMin, kNoLimit},
    {Option::kBudgetRecords, "SPW_OPT_BUDGET_RECORDS", 1, kNoLimit},
    {Option::kHardPercent, "SPW_OPT_HARD_PERCENT", 100, 1000},
    {Option::kLowPercent, "SPW_OPT_LOW_PERCENT", 0, 100},
    {Option::kSpillsInFlight, "SPW_OPT_SPILLS_IN_FLIGHT", 1, 2},
    {Option::kTimeoutMs, "SPW_OPT_TIMEOUT_MS", 0, kWaitForever},
    {Option::kColdTier, "SPW_OPT_COLD_TIER", 1, 2},
    {Option::kOpen, "SPW_OPT_OPEN", 1, 3},
    {Option::kWhenFull, "SPW_OPT_WHEN_FULL", 1, 2},
    {Option::kTimes, "SPW_OPT_TIMES", 0, 1},
};

Status WrongPlace(int32_t key, const char* place) {
  return {Code::kUnsupported, "option " + std::to_string(key) + " does not apply to " + place};
}

}  // namespace

Status Options::CheckValue(int32_t key, int64_t value) {
  const auto* range = std::find_if(std::begin(kRanges), std::end(kRanges), [&](const Range& each) {
    return static_cast<int32_t>(each.key) == key;
  });
  if (range == std::end(kRanges)) {
    return {Code::kUnsupported, "unknown option " + std::to_string(key)};
  }
  const bool chosen_by_us = range->key == Option::kBudgetBytes && value == kAuto;
  if (!chosen_by_us && (value < range->least || value > range->most)) {
    return base::InvalidArgument(std::string(range->name) + " = " + std::to_string(value) +
                                 " is outside " + std::to_string(range->least) + " to " +
                                 std::to_string(range->most));
  }
  return {};
}

Status Options::Set(int32_t key, int64_t value) {
  SPW_RETURN_IF_ERROR(CheckValue(key, value));
  const auto found = std::find_if(values_.begin(), values_.end(),
                                  [&](const auto& each) { return each.first == key; });
  if (found != values_.end()) {
    found->second = value;
  } else {
    values_.emplace_back(key, value);
  }
  return {};
}

std::optional<int64_t> Options::Get(int32_t key) const {
  const auto found = std::find_if(values_.begin(), values_.end(),
                                  [&](const auto& each) { return each.first == key; });
  return found == values_.end() ? std::nullopt : std::optional<int64_t>(found->second);
}

std::optional<int32_t> Options::KeyOutside(std::initializer_list<Option> allowed) const {
  for (const auto& [key, value] : values_) {
    if (std::find(allowed.begin(), allowed.end(), static_cast<Option>(key)) == allowed.end()) {
      return key;
    }
  }
  return std::nullopt;
}

Status StoreOptions::Parse(const Options* options, bool in_memory, StoreOptions* out) {
  const Options none;
  const Options& given = options == nullptr ? none : *options;
  if (const auto key =
          given.KeyOutside({Option::kBudgetBytes, Option::kBudgetRecords, Option::kHardPercent,
                            Option::kLowPercent, Option::kSpillsInFlight, Option::kTimeoutMs,
                            Option::kColdTier, Option::kOpen, Option::kWhenFull})) {
    return WrongPlace(*key, "a store");
  }
  const auto get = [&](Option key, int64_t otherwise) {
    return given.Get(key).value_or(otherwise);
  };
  out->budget_bytes = BudgetBytes(get(Option::kBudgetBytes, kAuto));
  out->budget_records = BudgetRecords(get(Option::kBudgetRecords, kNoLimit));
  out->hard_percent = static_cast<uint64_t>(get(Option::kHardPercent, 130));
  out->low_percent = static_cast<uint64_t>(get(Option::kLowPercent, 70));
  out->spills_in_flight = static_cast<uint32_t>(get(Option::kSpillsInFlight, 2));
  out->timeout_ms = get(Option::kTimeoutMs, kWaitForever);
  out->cold_tier = static_cast<ColdTierKind>(get(Option::kColdTier, 0));
  out->open =
      static_cast<OpenPolicy>(get(Option::kOpen, static_cast<int64_t>(OpenPolicy::kCreate)));
  // A full store in memory only can be helped by its caller alone: waiting by default would be a
  // hang.
  const WhenFull when_full = in_memory ? WhenFull::kFail : WhenFull::kBlock;
  out->when_full = static_cast<WhenFull>(get(Option::kWhenFull, static_cast<int64_t>(when_full)));
  for (const Option key :
       {Option::kColdTier, Option::kOpen, Option::kLowPercent, Option::kSpillsInFlight}) {
    if (in_memory && given.Get(key).has_value()) {
      return WrongPlace(static_cast<int32_t>(key), "a store in memory only");
    }
  }
  return {};
}

Status StreamOptions::Parse(const Options* options, StreamOptions* out) {
  if (options == nullptr) {
    return {};
  }
  if (const auto key = options->KeyOutside(
          {Option::kTimes, Option::kWhenFull, Option::kBudgetBytes, Option::kBudgetRecords})) {
    return WrongPlace(*key, "a stream");
  }
  if (const auto value = options->Get(Option::kTimes)) {
    out->has_times = *value != 0;
  }
  if (const auto value = options->Get(Option::kWhenFull)) {
    out->when_full = static_cast<WhenFull>(*value);
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
