/* A C host that exports functions with the names of what the library has inside, each of which ends
 * the process, and that has a malloc of its own which knows its blocks: freeing one elsewhere, or
 * one from elsewhere here, ends the process too. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "host.h"

/* clang-format off */
#define TRAPS(X)                                                                            \
  X(sqlite3_open) X(sqlite3_open_v2) X(sqlite3_close) X(sqlite3_close_v2) X(sqlite3_exec)   \
  X(sqlite3_prepare_v2) X(sqlite3_prepare_v3) X(sqlite3_step) X(sqlite3_finalize)           \
  X(sqlite3_reset) X(sqlite3_config) X(sqlite3_db_config) X(sqlite3_initialize)             \
  X(sqlite3_malloc) X(sqlite3_malloc64) X(sqlite3_realloc64) X(sqlite3_free)                \
  X(sqlite3_errmsg) X(sqlite3_mprintf) X(sqlite3_bind_blob) X(sqlite3_bind_blob64)          \
  X(sqlite3_bind_int64) X(sqlite3_column_int64) X(sqlite3_column_blob)                      \
  X(sqlite3_column_bytes) X(sqlite3_vfs_register) X(sqlite3_vfs_find) X(sqlite3_libversion) \
  X(XXH3_64bits) X(XXH3_64bits_withSeed) X(XXH3_64bits_dispatch)                            \
  X(XXH3_64bits_withSeed_dispatch) X(XXH3_64bits_update) X(mi_malloc) X(mi_free)            \
  X(mi_realloc) X(mi_malloc_aligned) X(mi_heap_new) X(_mi_heap_default) X(_Znwm) X(_Znam)   \
  X(_ZdlPv) X(_ZdlPvm) X(_ZdaPv) X(__cxa_throw) X(__cxa_begin_catch) X(_ZSt9terminatev)
/* clang-format on */

static void Trap(const char* name) {
  fprintf(stderr, "the library called the host's %s\n", name);
  abort();
}
#define X(name)    \
  void name(void); \
  void name(void) { Trap(#name); }
TRAPS(X)
#undef X

/* Before each block: whose it is, where the underlying one starts, how long it is. */
typedef struct Header {
  uint64_t mark;
  void* base;
  size_t bytes;
  uint64_t reserved;
} Header;
static const uint64_t kMark = 0x5350494c4c574159;

void* __libc_malloc(size_t bytes);
void __libc_free(void* block);

static atomic_long malloc_calls;

static void* Take(size_t alignment, size_t bytes) {
  atomic_fetch_add(&malloc_calls, 1);
  if (alignment < sizeof(Header)) {
    alignment = sizeof(Header);
  }
  char* const base = __libc_malloc(bytes + 2 * alignment);
  if (base == NULL) {
    return NULL;
  }
  const uintptr_t first = (uintptr_t)base + sizeof(Header);
  char* const block = base + (((first + alignment - 1) & ~(alignment - 1)) - (uintptr_t)base);
  ((Header*)(void*)block)[-1] = (Header){kMark, base, bytes, 0};
  return block;
}

static Header* HeaderOf(void* block) {
  Header* const header = (Header*)block - 1;
  if (header->mark != kMark) {
    Trap("free with memory of somebody else");
  }
  return header;
}

void* malloc(size_t bytes) { return Take(16, bytes); }

void free(void* block) {
  if (block == NULL) {
    return;
  }
  Header* const header = HeaderOf(block);
  header->mark = 0;
  __libc_free(header->base);
}

void* calloc(size_t count, size_t bytes) {
  if (bytes != 0 && count > SIZE_MAX / bytes) {
    return NULL;
  }
  void* const block = Take(16, count * bytes);
  return block == NULL ? NULL : memset(block, 0, count * bytes);
}

void* realloc(void* block, size_t bytes) {
  if (block == NULL) {
    return Take(16, bytes);
  }
  const size_t before = HeaderOf(block)->bytes;
  void* const after = Take(16, bytes);
  if (after == NULL) {
    return NULL;
  }
  memcpy(after, block, before < bytes ? before : bytes);
  free(block);
  return after;
}

void* memalign(size_t alignment, size_t bytes);
void* memalign(size_t alignment, size_t bytes) { return Take(alignment, bytes); }
void* aligned_alloc(size_t alignment, size_t bytes) { return Take(alignment, bytes); }
int posix_memalign(void** out, size_t alignment, size_t bytes) {
  *out = Take(alignment, bytes);
  return *out == NULL ? ENOMEM : 0;
}

static long calls_before;

void HostBefore(void) { calls_before = atomic_load(&malloc_calls); }

void HostAfter(long records) {
  /* libc itself allocates for the library now and then (a thread, a folder listing): a few, not
   * some per record or per batch. */
  const long calls = atomic_load(&malloc_calls) - calls_before;
  printf("%ld calls of the host's malloc for %ld records\n", calls, records);
  EXPECT(calls < records / 100);
  EXPECT((uintptr_t)dlsym(RTLD_DEFAULT, "sqlite3_open_v2") == (uintptr_t)&sqlite3_open_v2);
  EXPECT((uintptr_t)dlsym(RTLD_DEFAULT, "malloc") == (uintptr_t)&malloc);
  EXPECT((uintptr_t)dlsym(RTLD_DEFAULT, "free") == (uintptr_t)&free);
}
