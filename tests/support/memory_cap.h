// While it lives, the process cannot map more than so many bytes beyond what it has: memory that is
// taken without measure fails, and what should not have asked for it says NO_MEMORY. Not under a
// sanitizer, whose shadow needs more than there is.
#pragma once

#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>

namespace spillway::test {

class MemoryCap {
 public:
  explicit MemoryCap(uint64_t bytes) {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    uint64_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    armed_ = pages > 0 && ::getrlimit(RLIMIT_AS, &before_) == 0;
    rlimit capped = before_;
    capped.rlim_cur = pages * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE)) + bytes;
    armed_ = armed_ && ::setrlimit(RLIMIT_AS, &capped) == 0;
#else
    static_cast<void>(bytes);
#endif
  }
  ~MemoryCap() {
    if (armed_) {
      ::setrlimit(RLIMIT_AS, &before_);
    }
  }
  MemoryCap(const MemoryCap&) = delete;
  MemoryCap& operator=(const MemoryCap&) = delete;

 private:
  rlimit before_ = {};
  bool armed_ = false;
};

}  // namespace spillway::test
