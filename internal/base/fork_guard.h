// Tells a child process of fork() from the one that made this: a page that the kernel wipes in the
// child.
#pragma once

#include <sys/types.h>

#include <atomic>

namespace spillway::base {

class ForkGuard {
 public:
  ForkGuard();
  ~ForkGuard();
  ForkGuard(const ForkGuard&) = delete;
  ForkGuard& operator=(const ForkGuard&) = delete;

  // True in any process but the one that made it. A load; only where the kernel has no
  // MADV_WIPEONFORK a getpid.
  bool forked() const {
    return page_ != nullptr ? page_->load(std::memory_order_relaxed) == 0 : forked_by_pid();
  }

 private:
  bool forked_by_pid() const;

  std::atomic<unsigned char>* page_ = nullptr;
  pid_t owner_;
};

}  // namespace spillway::base
