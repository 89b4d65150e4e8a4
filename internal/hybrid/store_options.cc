// The options of a store and its streams that can be changed while they are in use.

#include <algorithm>
#include <bit>

#include "internal/hybrid/store.h"

namespace spillway::hybrid {

using base::Code;
using base::Status;

SegmentSizes Store::SegmentSizesFor(const Stream& stream) const {
  const uint64_t bytes = std::min(budget_bytes_.load(std::memory_order_relaxed),
                                  stream.budget_bytes.load(std::memory_order_relaxed));
  const uint64_t records = std::min(budget_records_.load(std::memory_order_relaxed),
                                    stream.budget_records.load(std::memory_order_relaxed));
  // A 64th of the budget: spilling frees memory in steps of that size.
  const uint64_t arena = std::clamp(bytes / 64, memory::kArenaBytesMin, memory::kArenaBytesMax);
  return {
      .arena_bytes = std::bit_floor(arena),
      .records_max = records == base::kUnlimited ? records : std::max<uint64_t>(1, records / 64)};
}

void Store::ApplyStreamOptions(Stream* stream, const StreamOptions& options) {
  if (options.when_full.has_value()) {
    stream->when_full.store(static_cast<int64_t>(*options.when_full), std::memory_order_relaxed);
  }
  if (options.budget_bytes.has_value()) {
    stream->budget_bytes.store(*options.budget_bytes, std::memory_order_relaxed);
  }
  if (options.budget_records.has_value()) {
    stream->budget_records.store(*options.budget_records, std::memory_order_relaxed);
  }
  if (options.budget_bytes.has_value() || options.budget_records.has_value()) {
    const memory::Limits limits =
        options_.LimitsFor(stream->budget_bytes.load(std::memory_order_relaxed),
                           stream->budget_records.load(std::memory_order_relaxed));
    stream->hard_bytes.store(limits.bytes.hard, std::memory_order_relaxed);
    budget_->SetLimits(stream->account(), limits);
  }
  stream->SetSegmentSizes(SegmentSizesFor(*stream));
}

void Store::ApplyLimits() {
  budget_->SetLimits(options_.LimitsFor(budget_bytes_.load(std::memory_order_relaxed),
                                        budget_records_.load(std::memory_order_relaxed)));
  streams_.ForEach([&](Stream* stream) { stream->SetSegmentSizes(SegmentSizesFor(*stream)); });
}

memory::Limits Store::limits() const {
  return options_.LimitsFor(budget_bytes_.load(std::memory_order_relaxed),
                            budget_records_.load(std::memory_order_relaxed));
}

Status Store::SetOption(Stream* stream, int32_t key, int64_t value) {
  const auto option = static_cast<Option>(key);
  const bool of_disk = option == Option::kPromoteReads ||
                       (option == Option::kSyncMs && options_.open != OpenPolicy::kTemporary);
  const bool of_store =
      stream == nullptr && (option == Option::kTimeoutMs || (of_disk && spiller_ != nullptr));
  const bool live = option == Option::kBudgetBytes || option == Option::kBudgetRecords ||
                    of_store || (stream != nullptr && option == Option::kWhenFull);
  if (!live) {
    return {Code::kUnsupported,
            "option " + std::to_string(key) + " cannot be changed here while in use"};
  }
  SPW_RETURN_IF_ERROR(Options::CheckValue(key, value));
  if (stream != nullptr) {
    Options one;
    SPW_RETURN_IF_ERROR(one.Set(key, value));
    StreamOptions parsed;
    SPW_RETURN_IF_ERROR(StreamOptions::Parse(&one, in_memory_, &parsed));
    ApplyStreamOptions(stream, parsed);
  } else if (option == Option::kTimeoutMs) {
    timeout_ms_.store(value, std::memory_order_relaxed);
    return {};
  } else if (option == Option::kSyncMs) {
    spiller_->SetSyncMs(value);
    return {};
  } else if (option == Option::kPromoteReads) {
    promoter_->SetReads(value);
    return {};
  } else if (option == Option::kBudgetBytes) {
    budget_bytes_.store(BudgetBytes(value), std::memory_order_relaxed);
    ApplyLimits();
  } else {
    budget_records_.store(BudgetRecords(value), std::memory_order_relaxed);
    ApplyLimits();
  }
  residency_.EvictWhileNeeded();
  if (spiller_ != nullptr) {
    spiller_->Kick();
  }
  return {};
}

static int64_t AsOption(uint64_t limit) {
  return limit == base::kUnlimited ? kNoLimit : static_cast<int64_t>(limit);
}

base::Result<int64_t> Store::GetOption(const Stream* stream, int32_t key) const {
  const auto option = static_cast<Option>(key);
  if (stream != nullptr) {
    switch (option) {
      case Option::kBudgetBytes:
        return AsOption(stream->budget_bytes.load(std::memory_order_relaxed));
      case Option::kBudgetRecords:
        return AsOption(stream->budget_records.load(std::memory_order_relaxed));
      case Option::kWhenFull:
        return stream->when_full.load(std::memory_order_relaxed);
      case Option::kTimes:
        return int64_t{stream->has_times()};
      default:
        return Status(Code::kUnsupported, "a stream has no option " + std::to_string(key));
    }
  }
  switch (option) {
    case Option::kBudgetBytes:
      return AsOption(budget_bytes_.load(std::memory_order_relaxed));
    case Option::kBudgetRecords:
      return AsOption(budget_records_.load(std::memory_order_relaxed));
    case Option::kHardPercent:
      return static_cast<int64_t>(options_.hard_percent);
    case Option::kLowPercent:
      return static_cast<int64_t>(options_.low_percent);
    case Option::kSpillsInFlight:
      return int64_t{options_.spills_in_flight};
    case Option::kTimeoutMs:
      return timeout_ms_.load(std::memory_order_relaxed);
    case Option::kWhenFull:
      return static_cast<int64_t>(options_.when_full);
    case Option::kOpen:
      return static_cast<int64_t>(options_.open);
    case Option::kSyncMs:
      if (!in_memory_) {
        return spiller_->sync_ms();
      }
      break;
    case Option::kEager:
      if (!in_memory_) {
        return int64_t{options_.eager};
      }
      break;
    case Option::kIdleMs:
      if (!in_memory_) {
        return options_.idle_ms;
      }
      break;
    case Option::kPromoteReads:
      if (!in_memory_) {
        return promoter_->reads();
      }
      break;
    case Option::kColdTier:
      if (!in_memory_) {
        return static_cast<int64_t>(tier_kind_);
      }
      break;
    default:
      break;
  }
  return Status(Code::kUnsupported, "a store has no option " + std::to_string(key));
}

}  // namespace spillway::hybrid
