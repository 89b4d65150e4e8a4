// A caller's grip on one running call: cancel it, watch its progress. Behind spw_op.
//
// Thread-safe. Cancel is lock-free and sticky. One call runs with an operation at a time (Claim).
#pragma once

#include <atomic>
#include <cstdint>

#include "internal/base/parker.h"

namespace spillway::base {

class Operation {
 public:
  void Cancel() {
    cancelled_.store(true, std::memory_order_release);
    parker_.Unpark();
  }
  bool cancelled() const { return cancelled_.load(std::memory_order_acquire); }

  // False if another call runs with it.
  bool Claim() { return !claimed_.exchange(true, std::memory_order_acq_rel); }
  // What the call did before it claimed the operation is done before this returns true.
  bool claimed() const { return claimed_.load(std::memory_order_acquire); }
  void Unclaim() { claimed_.store(false, std::memory_order_release); }

  void SetProgress(uint64_t done, uint64_t total) {
    done_.store(done, std::memory_order_relaxed);
    total_.store(total, std::memory_order_relaxed);
  }
  uint64_t done() const { return done_.load(std::memory_order_relaxed); }
  uint64_t total() const { return total_.load(std::memory_order_relaxed); }

  // Where the running call waits.
  Parker& parker() { return parker_; }

 private:
  Parker parker_;
  std::atomic<bool> cancelled_{false};
  std::atomic<bool> claimed_{false};
  std::atomic<uint64_t> done_{0};
  std::atomic<uint64_t> total_{0};
};

// How long a call may wait, and who may end the wait. `operation` may be null; it outlives the
// call.
struct Patience {
  Deadline deadline = Deadline::Never();
  Operation* operation = nullptr;

  bool cancelled() const { return operation != nullptr && operation->cancelled(); }
};

}  // namespace spillway::base
