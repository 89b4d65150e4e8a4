// Lets calls into something until it is closed, and lets the closer wait until they are out.
//
// Thread-safe. Enter and Leave are one atomic operation each.
#pragma once

#include <atomic>
#include <cstdint>

#include "internal/base/mutex.h"
#include "internal/base/wait_list.h"

namespace spillway::base {

class CallGate {
 public:
  // False: it is closed.
  bool Enter() {
    if ((state_.fetch_add(1, std::memory_order_acquire) & kClosed) == 0) {
      return true;
    }
    Leave();
    return false;
  }
  void Leave() {
    // release: what the call did is done before the closer goes on.
    if (state_.fetch_sub(1, std::memory_order_release) == (kClosed | 1)) {
      MutexLock lock(mu_);
      closers_.NotifyAll();
    }
  }

  void Shut() { state_.fetch_or(kClosed, std::memory_order_acq_rel); }
  void Reopen() { state_.fetch_and(~kClosed, std::memory_order_acq_rel); }
  // After Shut: waits until all calls are out.
  Status AwaitEmpty(const Patience& patience) {
    return closers_.Wait(mu_, patience,
                         [&] { return state_.load(std::memory_order_acquire) == kClosed; });
  }
  // After Shut: nobody is inside, nor will be.
  bool empty() const { return state_.load(std::memory_order_acquire) == kClosed; }
  bool shut() const { return (state_.load(std::memory_order_acquire) & kClosed) != 0; }

 private:
  static constexpr uint64_t kClosed = uint64_t{1} << 63;
  std::atomic<uint64_t> state_{0};  // calls inside
  Mutex mu_;
  WaitList closers_;
};

// A call, from its begin to its end, if it got in.
class GateCall {
 public:
  explicit GateCall(CallGate* gate) : gate_(gate), inside_(gate->Enter()) {}
  ~GateCall() {
    if (inside_) {
      gate_->Leave();
    }
  }
  GateCall(const GateCall&) = delete;
  GateCall& operator=(const GateCall&) = delete;
  bool inside() const { return inside_; }

 private:
  CallGate* const gate_;
  const bool inside_;
};

}  // namespace spillway::base
