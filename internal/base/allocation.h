// The library's own heap: every byte that does not live in a segment arena comes from here, also
// what std containers and SQLite take. It is mimalloc, or the system's malloc in sanitizer builds.
// allocation.cc also defines operator new and delete; the export map keeps those inside the
// library, so that the host's own stay as they are. Thread-safe. Memory may be freed by any thread.
// Failure is nullptr (or bad_alloc from operator new), never an abort.
#pragma once

#include <cstddef>
#include <cstdint>

namespace spillway::base {

void* Allocate(size_t bytes) noexcept;

// `alignment` is a power of two. Free and UsableSize take such a block, Reallocate does not.
void* AllocateAligned(size_t bytes, size_t alignment) noexcept;

// nullptr `block` means Allocate. On failure `block` is still there, unchanged.
void* Reallocate(void* block, size_t bytes) noexcept;

void Free(void* block) noexcept;

// Bytes that may be used in `block`, at least what was asked for; 0 for nullptr.
size_t UsableSize(const void* block) noexcept;

#ifdef SPW_TEST_HOOKS
// Makes the n-th allocation from now on fail (1 = the next), by whichever thread of the process;
// with `for_ever` all later ones too. n = 0 ends it. Tests walk n = 1, 2, 3 … until nothing fails
// any more.
void FailAllocationAfter(int64_t n, bool for_ever) noexcept;

// How often memory was asked for since the process started.
int64_t AllocationCount() noexcept;
#endif

}  // namespace spillway::base
