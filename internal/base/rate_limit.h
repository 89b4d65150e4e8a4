// Long reading that keeps to a rate, and ends when it is cancelled or what it reads is closed.
//
// Used by one thread.
#pragma once

#include <algorithm>
#include <cstdint>

#include "internal/base/call_gate.h"
#include "internal/base/clock.h"
#include "internal/base/operation.h"
#include "internal/base/status.h"

namespace spillway::base {

class RateLimit {
 public:
  // UINT64_MAX bytes per second: none. `operation` may be null; both outlive it. The time begins.
  RateLimit(uint64_t bytes_per_second, Operation* operation, const CallGate* gate)
      : bytes_per_second_(bytes_per_second), operation_(operation), gate_(gate) {}

  // Waits until so many bytes, all that were read until now, are due. kCancelled, kClosed.
  Status Await(uint64_t bytes) const {
    Deadline due = Deadline::AfterMs(0);
    if (bytes_per_second_ != UINT64_MAX) {
      const auto due_ms = static_cast<int64_t>(bytes * 1000 / bytes_per_second_);
      const auto spent_ms = static_cast<int64_t>((MonotonicNanos() - begun_ns_) / 1'000'000);
      due = Deadline::AfterMs(std::max<int64_t>(0, due_ms - spent_ms));
    }
    Parker own;
    Parker* const parker = operation_ != nullptr ? &operation_->parker() : &own;
    for (;;) {
      if (operation_ != nullptr && operation_->cancelled()) {
        return Status(Code::kCancelled);
      }
      if (gate_->shut()) {
        return Status(Code::kClosed);
      }
      if (due.no_wait() || due.passed()) {
        return {};
      }
      // In short turns, so that a close does not wait for long.
      parker->Park(Deadline::AfterMs(50));
    }
  }

 private:
  const uint64_t bytes_per_second_;
  Operation* const operation_;
  const CallGate* const gate_;
  const uint64_t begun_ns_ = MonotonicNanos();
};

}  // namespace spillway::base
