// The right to be the one who works, for as long as it takes: owns fields during I/O although no
// mutex is held. Fields: SPW_GUARDED_BY(turn). Thread-safe.
#pragma once

#include "internal/base/mutex.h"

namespace spillway::cold {

class SPW_TSA(capability("role")) Turn {
 public:
  // Waits for it.
  void Take() SPW_TSA(acquire_capability()) {
    base::MutexLock lock(mutex_);
    while (taken_) {
      free_.Wait(mutex_);
    }
    taken_ = true;
  }

  // Tells the analysis what it cannot see: a lambda that is called with the turn.
  void AssertTaken() const SPW_TSA(assert_capability(this)) {}

  void Give() SPW_TSA(release_capability()) {
    base::MutexLock lock(mutex_);
    taken_ = false;
    free_.NotifyOne();
  }

 private:
  base::Mutex mutex_;
  base::CondVar free_;
  bool taken_ SPW_GUARDED_BY(mutex_) = false;
};

class SPW_TSA(scoped_lockable) TurnHolder {
 public:
  explicit TurnHolder(Turn& turn) SPW_TSA(acquire_capability(turn)) : turn_(turn) { turn_.Take(); }
  ~TurnHolder() SPW_TSA(release_capability()) { turn_.Give(); }
  TurnHolder(const TurnHolder&) = delete;
  TurnHolder& operator=(const TurnHolder&) = delete;

 private:
  Turn& turn_;
};

}  // namespace spillway::cold
