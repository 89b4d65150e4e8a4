// The last events of a store, for whoever comes to drain them.
//
// Thread-safe. Bounded: what is not drained in time is overwritten, oldest first, and counted.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "internal/base/mutex.h"
#include "internal/base/status.h"

namespace spillway::hybrid {

enum class EventKind : uint32_t {
  kBlocked = 1,
  kSpillBegin = 2,
  kSpillEnd = 3,
  kError = 4,
  kRecovered = 5,
  kCorrupt = 6,
  kDropped = 7,
};

inline constexpr uint32_t kAllStreams = UINT32_MAX;
inline constexpr uint64_t kNoSeq = UINT64_MAX;

// Fields as in spw_event.
struct Event {
  EventKind kind = EventKind::kBlocked;
  uint32_t stream = kAllStreams;
  base::Code code = base::Code::kOk;
  uint64_t time_ns = 0;
  uint64_t seq = kNoSeq;
  uint64_t count = 0;
  uint64_t value = 0;
};

class EventRing {
 public:
  static constexpr size_t kCapacity = 256;

  // Stamps it with the time.
  void Post(Event event) SPW_EXCLUDES(mu_);
  // Takes the oldest; false if there is none.
  bool Take(Event* event) SPW_EXCLUDES(mu_);
  uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }

 private:
  base::Mutex mu_;
  std::array<Event, kCapacity> ring_ SPW_GUARDED_BY(mu_);
  uint64_t begin_ SPW_GUARDED_BY(mu_) = 0;  // events ever taken or lost
  uint64_t end_ SPW_GUARDED_BY(mu_) = 0;    // events ever posted
  std::atomic<uint64_t> lost_{0};
};

}  // namespace spillway::hybrid
