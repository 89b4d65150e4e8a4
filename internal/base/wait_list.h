// Callers that wait for a condition guarded by somebody's mutex, with a deadline and a cancel.
//
// The owner calls NotifyAll under its mutex whenever the condition may have changed.
#pragma once

#include <vector>

#include "internal/base/mutex.h"
#include "internal/base/operation.h"
#include "internal/base/status.h"

namespace spillway::base {

class WaitList {
 public:
  // Returns OK once done() is true, which is called under `mutex`; kTimeout (kWouldBlock for a
  // deadline of now) or kCancelled otherwise. May throw std::bad_alloc before it waits.
  template <class Done>
  Status Wait(Mutex& mutex, const Patience& patience, Done&& done) SPW_EXCLUDES(mutex) {
    Parker own;
    Parker* parker = patience.operation != nullptr ? &patience.operation->parker() : &own;
    bool listed = false;
    for (;;) {
      {
        MutexLock lock(mutex);
        const bool is_done = done();
        const bool cancelled = patience.cancelled();
        const bool late = !is_done && !cancelled && patience.deadline.passed();
        if (is_done || cancelled || late) {
          if (listed) {
            std::erase(parkers_, parker);
          }
          if (is_done) {
            return {};
          }
          return Status(cancelled                     ? Code::kCancelled
                        : patience.deadline.no_wait() ? Code::kWouldBlock
                                                      : Code::kTimeout);
        }
        if (!listed) {
          parkers_.push_back(parker);
          listed = true;
        }
      }
      parker->Park(patience.deadline);
    }
  }

  // Under the mutex that Wait was given: that is what keeps the parkers alive.
  void NotifyAll() {
    for (Parker* parker : parkers_) {
      parker->Unpark();
    }
  }

 private:
  std::vector<Parker*> parkers_;  // guarded by the owner's mutex
};

}  // namespace spillway::base
