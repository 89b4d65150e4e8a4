// Monotonic time for waits and durations, wall time for events.
#pragma once

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <limits>

namespace spillway::base {

inline uint64_t ClockNanos(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<uint64_t>(now.tv_nsec);
}
inline uint64_t MonotonicNanos() { return ClockNanos(CLOCK_MONOTONIC); }
inline uint64_t WallNanos() { return ClockNanos(CLOCK_REALTIME); }

// When a wait ends. The clock is read only if there is an end.
class Deadline {
 public:
  static Deadline Never() { return Deadline(kNever); }
  static Deadline Now() { return Deadline(0); }
  // A timeout of 0 is Now, of INT64_MAX (or beyond what 64 bits of nanoseconds hold) Never.
  static Deadline AfterMs(int64_t timeout_ms) {
    if (timeout_ms <= 0) {
      return Now();
    }
    const auto ms = static_cast<uint64_t>(timeout_ms);
    if (ms > kNever / 4'000'000U) {
      return Never();
    }
    return Deadline(MonotonicNanos() + ms * 1'000'000U);
  }

  // The earlier of it and so many nanoseconds from `now`, as MonotonicNanos has it.
  Deadline OrAfter(uint64_t now, uint64_t nanos) const {
    return Deadline(std::min(nanos_, now + nanos));
  }

  bool never() const { return nanos_ == kNever; }
  bool no_wait() const { return nanos_ == 0; }
  bool passed() const { return !never() && MonotonicNanos() >= nanos_; }
  uint64_t nanos() const { return nanos_; }

 private:
  static constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();
  explicit Deadline(uint64_t nanos) : nanos_(nanos) {}
  uint64_t nanos_;
};

}  // namespace spillway::base
