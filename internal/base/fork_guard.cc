#include "internal/base/fork_guard.h"

#include <sys/mman.h>
#include <unistd.h>

#include <new>

namespace spillway::base {

static const size_t kPageBytes = 4096;  // mmap rounds it up to an OS page

ForkGuard::ForkGuard() : owner_(getpid()) {
  void* page =
      mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) {
    return;
  }
  if (madvise(page, kPageBytes, MADV_WIPEONFORK) != 0) {
    munmap(page, kPageBytes);
    return;
  }
  page_ = new (page) std::atomic<unsigned char>(1);
}

ForkGuard::~ForkGuard() {
  if (page_ != nullptr) {
    munmap(page_, kPageBytes);
  }
}

bool ForkGuard::forked_by_pid() const { return getpid() != owner_; }

}  // namespace spillway::base
