#include "internal/hybrid/events.h"

#include "internal/base/clock.h"

namespace spillway::hybrid {

void EventRing::Post(Event event) {
  event.time_ns = base::WallNanos();
  base::MutexLock lock(mu_);
  if (end_ - begin_ == kCapacity) {
    ++begin_;
    lost_.fetch_add(1, std::memory_order_relaxed);
  }
  ring_[end_++ % kCapacity] = event;
}

bool EventRing::Take(Event* event) {
  base::MutexLock lock(mu_);
  if (begin_ == end_) {
    return false;
  }
  *event = ring_[begin_++ % kCapacity];
  return true;
}

}  // namespace spillway::hybrid
