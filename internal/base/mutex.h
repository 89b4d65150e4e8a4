// The library's mutex, its lock and its condition variable, with Clang's thread-safety annotations.
//
// A thread holds at most one library mutex at a time, so there is no order to get wrong; debug and
// sanitizer builds check it. No mutex is held during I/O, long waits or foreign code.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "internal/base/check.h"

#if defined(__clang__)
#define SPW_TSA(x) __attribute__((x))
#else
#define SPW_TSA(x)
#endif
#define SPW_GUARDED_BY(x) SPW_TSA(guarded_by(x))
#define SPW_REQUIRES(...) SPW_TSA(requires_capability(__VA_ARGS__))
#define SPW_EXCLUDES(...) SPW_TSA(locks_excluded(__VA_ARGS__))

namespace spillway::base {

#ifdef SPW_DEBUG_CHECKS
inline thread_local int mutexes_held = 0;
#endif

class SPW_TSA(capability("mutex")) Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() SPW_TSA(acquire_capability()) {
#ifdef SPW_DEBUG_CHECKS
    SPW_DCHECK(mutexes_held == 0);
    ++mutexes_held;
#endif
    mutex_.lock();
  }
  void Unlock() SPW_TSA(release_capability()) {
    mutex_.unlock();
#ifdef SPW_DEBUG_CHECKS
    --mutexes_held;
#endif
  }
  // Tells the analysis what it cannot see: a lambda that is called under the mutex.
  void AssertHeld() const SPW_TSA(assert_capability(this)) {}

 private:
  friend class CondVar;
  std::mutex mutex_;
};

class SPW_TSA(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) SPW_TSA(acquire_capability(mutex)) : mutex_(mutex) {
    mutex_.Lock();
  }
  ~MutexLock() SPW_TSA(release_capability()) { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// For the library's own threads. Callers of the library wait on a Parker, which a cancel can reach.
class CondVar {
 public:
  void Wait(Mutex& mutex) SPW_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }
  void WaitUntil(Mutex& mutex, std::chrono::steady_clock::time_point deadline) SPW_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait_until(lock, deadline);
    lock.release();
  }
  void NotifyOne() { condition_.notify_one(); }
  void NotifyAll() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace spillway::base
