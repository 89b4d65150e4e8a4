// Lets calls into a store until it is closed, and lets the closer wait until they are out.
//
// Thread-safe. Enter and Leave are one atomic operation each.
#pragma once

#include <atomic>
#include <cstdint>

#include "internal/base/mutex.h"
#include "internal/base/wait_list.h"

namespace spillway::hybrid {

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
      base::MutexLock lock(mu_);
      closers_.NotifyAll();
    }
  }

  void Shut() { state_.fetch_or(kClosed, std::memory_order_acq_rel); }
  void Reopen() { state_.fetch_and(~kClosed, std::memory_order_acq_rel); }
  // After Shut: waits until all calls are out.
  base::Status AwaitEmpty(const base::Patience& patience) {
    return closers_.Wait(mu_, patience,
                         [&] { return state_.load(std::memory_order_acquire) == kClosed; });
  }
  bool shut() const { return (state_.load(std::memory_order_acquire) & kClosed) != 0; }

 private:
  static constexpr uint64_t kClosed = uint64_t{1} << 63;
  std::atomic<uint64_t> state_{0};  // calls inside
  base::Mutex mu_;
  base::WaitList closers_;
};

}  // namespace spillway::hybrid
