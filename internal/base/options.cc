#include "internal/base/options.h"

#include <algorithm>
#include <string>

namespace spillway::base {

namespace {

constexpr int64_t kNoEnd = INT64_MAX;
constexpr int64_t kMiB = 1 << 20;

struct Range {
  Option key;
  const char* name;
  int64_t least;
  int64_t most;
};
constexpr Range kRanges[] = {
    {Option::kBudgetBytes, "SPW_OPT_BUDGET_BYTES", kBudgetBytesMin, kNoEnd},
    {Option::kBudgetRecords, "SPW_OPT_BUDGET_RECORDS", 1, kNoEnd},
    {Option::kHardPercent, "SPW_OPT_HARD_PERCENT", 100, 1000},
    {Option::kLowPercent, "SPW_OPT_LOW_PERCENT", 0, 100},
    {Option::kSpillsInFlight, "SPW_OPT_SPILLS_IN_FLIGHT", 1, 2},
    {Option::kTimeoutMs, "SPW_OPT_TIMEOUT_MS", 0, kNoEnd},
    {Option::kColdTier, "SPW_OPT_COLD_TIER", 1, 2},
    {Option::kOpen, "SPW_OPT_OPEN", 1, 5},
    {Option::kWhenFull, "SPW_OPT_WHEN_FULL", 1, 4},
    {Option::kTimes, "SPW_OPT_TIMES", 0, 1},
    {Option::kSyncMs, "SPW_OPT_SYNC_MS", 0, kNoEnd},
    {Option::kEager, "SPW_OPT_EAGER", 0, 1},
    {Option::kIdleMs, "SPW_OPT_IDLE_MS", 0, kNoEnd},
    {Option::kPromoteReads, "SPW_OPT_PROMOTE_READS", 0, 65'535},
    {Option::kFileChecksum, "SPW_OPT_FILE_CHECKSUM", 1, 2},
    {Option::kFileDirtyBytes, "SPW_OPT_FILE_DIRTY_BYTES", kMiB, kNoEnd},
    {Option::kFileDirtyBlocks, "SPW_OPT_FILE_DIRTY_BLOCKS", 1, kNoEnd},
    {Option::kFileCacheBytes, "SPW_OPT_FILE_CACHE_BYTES", 0, kNoEnd},
    {Option::kFileGrowthBytes, "SPW_OPT_FILE_GROWTH_BYTES", kMiB, 1024 * kMiB},
    {Option::kFileJournalBytes, "SPW_OPT_FILE_JOURNAL_BYTES", kMiB, kNoEnd},
};

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
    return InvalidArgument(std::string(range->name) + " = " + std::to_string(value) +
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

Status Options::CheckKeys(const char* place, std::initializer_list<Option> allowed) const {
  for (const auto& [key, value] : values_) {
    const auto option = static_cast<Option>(key);
    if (std::find(allowed.begin(), allowed.end(), option) == allowed.end()) {
      return WrongPlace(option, place);
    }
  }
  return {};
}

Status Options::WrongPlace(Option key, const char* place) {
  return {Code::kUnsupported,
          "option " + std::to_string(static_cast<int32_t>(key)) + " does not apply to " + place};
}

}  // namespace spillway::base
