// One thread's place to wait, which any other thread can end without a lock: a futex word.
//
// An Unpark is remembered until the next Park, so none is lost. Spurious returns are allowed: the
// caller re-checks what it waits for. One thread parks at a time; any number unpark.
#pragma once

#include <atomic>
#include <cstdint>

#include "internal/base/clock.h"

namespace spillway::base {

class Parker {
 public:
  // Returns after an Unpark or once the deadline is past.
  void Park(Deadline deadline);
  void Unpark();

 private:
  std::atomic<uint32_t> signal_{0};
};

}  // namespace spillway::base
