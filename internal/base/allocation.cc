#include "internal/base/allocation.h"

#include <cstdlib>
#include <new>

#ifdef SPW_WITH_MIMALLOC
#include <mimalloc.h>
#else
#include <malloc.h>
#endif

#ifdef SPW_TEST_HOOKS
#include <atomic>
#endif

namespace spillway::base {
namespace {

#ifdef SPW_TEST_HOOKS

// Relaxed everywhere: a test arms the hook before it starts what shall fail.
std::atomic<int64_t> allocation_count{0};
std::atomic<int64_t> fail_from{0};  // count at which to fail, 0 = never
std::atomic<int64_t> fail_until{0};

bool MustFail() noexcept {
  const int64_t number = allocation_count.fetch_add(1, std::memory_order_relaxed) + 1;
  const int64_t from = fail_from.load(std::memory_order_relaxed);
  return from != 0 && number >= from && number <= fail_until.load(std::memory_order_relaxed);
}

#else

constexpr bool MustFail() noexcept { return false; }

#endif

}  // namespace

#ifdef SPW_TEST_HOOKS
void FailAllocationAfter(int64_t n, bool for_ever) noexcept {
  fail_from.store(0, std::memory_order_relaxed);
  if (n <= 0) {
    return;
  }
  const int64_t from = allocation_count.load(std::memory_order_relaxed) + n;
  fail_until.store(for_ever ? INT64_MAX : from, std::memory_order_relaxed);
  fail_from.store(from, std::memory_order_relaxed);
}

int64_t AllocationCount() noexcept { return allocation_count.load(std::memory_order_relaxed); }
#endif

#ifdef SPW_WITH_MIMALLOC

void* Allocate(size_t bytes) noexcept { return MustFail() ? nullptr : mi_malloc(bytes); }

void* AllocateAligned(size_t bytes, size_t alignment) noexcept {
  // Not mi_malloc_aligned: 2.0.9 takes small blocks of a power of two for naturally aligned, which
  // holds up to 128 bytes only.
  return MustFail() ? nullptr : mi_malloc_aligned_at(bytes, alignment, 0);
}

void* Reallocate(void* block, size_t bytes) noexcept {
  return MustFail() ? nullptr : mi_realloc(block, bytes);
}

void Free(void* block) noexcept { mi_free(block); }

size_t UsableSize(const void* block) noexcept { return mi_usable_size(block); }

#else

void* Allocate(size_t bytes) noexcept {
  // malloc(0) may be nullptr by the standard, which would look like a failure.
  return MustFail() ? nullptr : std::malloc(bytes == 0 ? 1 : bytes);
}

void* AllocateAligned(size_t bytes, size_t alignment) noexcept {
  void* block = nullptr;
  const size_t at_least = alignment < sizeof(void*) ? sizeof(void*) : alignment;
  if (MustFail() || posix_memalign(&block, at_least, bytes == 0 ? 1 : bytes) != 0) return nullptr;
  return block;
}

void* Reallocate(void* block, size_t bytes) noexcept {
  return MustFail() ? nullptr : std::realloc(block, bytes == 0 ? 1 : bytes);
}

void Free(void* block) noexcept { std::free(block); }

size_t UsableSize(const void* block) noexcept {
  return malloc_usable_size(const_cast<void*>(block));
}

#endif

}  // namespace spillway::base

// With the system's malloc and no hook the standard operators do the same, and leave the sanitizers
// their check that new is not paired with free.
#if defined(SPW_WITH_MIMALLOC) || defined(SPW_TEST_HOOKS)

namespace base = spillway::base;

namespace {

void* OrThrow(void* block) {
  if (block == nullptr) {
    throw std::bad_alloc();
  }
  return block;
}

}  // namespace

void* operator new(size_t bytes) { return OrThrow(base::Allocate(bytes)); }
void* operator new[](size_t bytes) { return OrThrow(base::Allocate(bytes)); }
void* operator new(size_t bytes, const std::nothrow_t&) noexcept { return base::Allocate(bytes); }
void* operator new[](size_t bytes, const std::nothrow_t&) noexcept { return base::Allocate(bytes); }

void* operator new(size_t bytes, std::align_val_t alignment) {
  return OrThrow(base::AllocateAligned(bytes, static_cast<size_t>(alignment)));
}
void* operator new[](size_t bytes, std::align_val_t alignment) {
  return OrThrow(base::AllocateAligned(bytes, static_cast<size_t>(alignment)));
}
void* operator new(size_t bytes, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return base::AllocateAligned(bytes, static_cast<size_t>(alignment));
}
void* operator new[](size_t bytes, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return base::AllocateAligned(bytes, static_cast<size_t>(alignment));
}

void operator delete(void* block) noexcept { base::Free(block); }
void operator delete[](void* block) noexcept { base::Free(block); }
void operator delete(void* block, size_t) noexcept { base::Free(block); }
void operator delete[](void* block, size_t) noexcept { base::Free(block); }
void operator delete(void* block, const std::nothrow_t&) noexcept { base::Free(block); }
void operator delete[](void* block, const std::nothrow_t&) noexcept { base::Free(block); }
void operator delete(void* block, std::align_val_t) noexcept { base::Free(block); }
void operator delete[](void* block, std::align_val_t) noexcept { base::Free(block); }
void operator delete(void* block, size_t, std::align_val_t) noexcept { base::Free(block); }
void operator delete[](void* block, size_t, std::align_val_t) noexcept { base::Free(block); }
void operator delete(void* block, std::align_val_t, const std::nothrow_t&) noexcept {
  base::Free(block);
}
void operator delete[](void* block, std::align_val_t, const std::nothrow_t&) noexcept {
  base::Free(block);
}

#endif
