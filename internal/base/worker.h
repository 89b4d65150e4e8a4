// Threads of our own inside somebody's process: named, with the host's signals blocked, and never
// throwing.
#pragma once

#include <pthread.h>

#include <functional>
#include <string>

#include "internal/base/status.h"

namespace spillway::base {

// A running thread, to be joined or detached once.
class Worker {
 public:
  // kNoMemory if the system has no thread to give. `body` must not throw.
  static Result<Worker> Start(const std::string& name, std::function<void()> body);

  void Join() { pthread_join(thread_, nullptr); }
  void Detach() { pthread_detach(thread_); }

 private:
  explicit Worker(pthread_t thread) : thread_(thread) {}
  pthread_t thread_;
};

}  // namespace spillway::base
