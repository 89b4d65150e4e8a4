#include "internal/memory/arena.h"

#include <sys/mman.h>

#include <new>

#include "internal/base/bytes.h"

namespace spillway::memory {

static constexpr uint64_t kSmallPageBytes = uint64_t{4} << 10;
static constexpr uint64_t kHugePageBytes = uint64_t{2} << 20;

uint64_t Arena::MappedBytes(uint64_t bytes) { return base::RoundUp(bytes, kSmallPageBytes); }

static uint8_t* MapPages(uint64_t bytes) {
  void* pages = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return pages == MAP_FAILED ? nullptr : static_cast<uint8_t*>(pages);
}

// Maps at a huge-page boundary: maps more, and gives back what stands out on both sides.
static uint8_t* MapAligned(uint64_t bytes) {
  uint8_t* pages = MapPages(bytes + kHugePageBytes);
  if (pages == nullptr) {
    return nullptr;
  }
  const auto address = reinterpret_cast<uintptr_t>(pages);
  const uint64_t before = base::RoundUp(address, kHugePageBytes) - address;
  if (before > 0) {
    munmap(pages, before);
  }
  if (before < kHugePageBytes) {
    munmap(pages + before + bytes, kHugePageBytes - before);
  }
  // Fresh small pages cost as much as the copy into them; where huge pages are refused it still
  // works.
  static_cast<void>(madvise(pages + before, bytes, MADV_HUGEPAGE));
  return pages + before;
}

base::Result<Arena> Arena::Map(uint64_t bytes) {
  bytes = MappedBytes(bytes);
  uint8_t* pages = bytes >= kHugePageBytes ? MapAligned(bytes) : MapPages(bytes);
  if (pages == nullptr) {
    return base::NoMemory();
  }
  return Arena(pages, bytes);
}

Arena::~Arena() {
  if (data_ != nullptr) {
    munmap(data_, bytes_);
  }
}

void ArenaList::Push(Arena arena) {
  const uint64_t bytes = arena.bytes();
  head_ = new (arena.Leave()) Link{head_, bytes};
}

Arena ArenaList::Pop() {
  Link* first = head_;
  head_ = first->next;
  return Arena(reinterpret_cast<uint8_t*>(first), first->bytes);
}

ArenaList::~ArenaList() {
  while (!empty()) {
    Pop();
  }
}

}  // namespace spillway::memory
