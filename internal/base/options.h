// What callers may choose: the bag of keys and values behind spw_options.
//
// It knows every key there is and which values it takes. What a value means, and which keys belong
// where, is known to those who read it: hybrid/options.h for stores and streams,
// capi/file_options.h for block files.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

#include "internal/base/status.h"

namespace spillway::base {

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
  kSyncMs = 11,
  kEager = 12,
  kIdleMs = 13,
  kPromoteReads = 14,
  kFileChecksum = 101,
  kFileDirtyBytes = 102,
  kFileDirtyBlocks = 103,
  kFileCacheBytes = 104,
  kFileGrowthBytes = 105,
  kFileJournalBytes = 106,
};

inline constexpr int64_t kAuto = -1;                   // SPW_AUTO
inline constexpr int64_t kBudgetBytesMin = 256 << 10;  // four of the smallest arenas

class Options {
 public:
  // kUnsupported: unknown key. kInvalidArgument: out of range.
  Status Set(int32_t key, int64_t value);
  // nullopt if it has not been set.
  std::optional<int64_t> Get(int32_t key) const;
  std::optional<int64_t> Get(Option key) const { return Get(static_cast<int32_t>(key)); }
  // kUnsupported if a key is set that does not belong to `place` ("a store").
  Status CheckKeys(const char* place, std::initializer_list<Option> allowed) const;

  static Status CheckValue(int32_t key, int64_t value);
  // What CheckKeys says of a key.
  static Status WrongPlace(Option key, const char* place);

 private:
  std::vector<std::pair<int32_t, int64_t>> values_;
};

}  // namespace spillway::base
