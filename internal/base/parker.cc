#include "internal/base/parker.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace spillway::base {

static_assert(sizeof(std::atomic<uint32_t>) == sizeof(uint32_t));
static_assert(std::atomic<uint32_t>::is_always_lock_free);

void Parker::Park(Deadline deadline) {
  // acquire: what the unparking thread did before is visible here.
  while (signal_.exchange(0, std::memory_order_acquire) == 0) {
    timespec until{};
    const timespec* timeout = nullptr;
    if (!deadline.never()) {
      if (deadline.passed()) {
        return;
      }
      until.tv_sec = static_cast<time_t>(deadline.nanos() / 1'000'000'000U);
      until.tv_nsec = static_cast<long>(deadline.nanos() % 1'000'000'000U);
      timeout = &until;
    }
    // FUTEX_WAIT_BITSET takes an absolute time of CLOCK_MONOTONIC.
    syscall(SYS_futex, &signal_, FUTEX_WAIT_BITSET_PRIVATE, 0, timeout, nullptr,
            FUTEX_BITSET_MATCH_ANY);
  }
}

void Parker::Unpark() {
  // release: pairs with Park.
  if (signal_.exchange(1, std::memory_order_release) == 0) {
    syscall(SYS_futex, &signal_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  }
}

}  // namespace spillway::base
