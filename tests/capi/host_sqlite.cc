// A C++ host with a SQLite of its own, linked statically and exported, set up to count what it
// allocates, and with its own operator new. Both must see nothing of what the library does.
#include <dlfcn.h>
#include <sqlite3.h>

#include <atomic>
#include <cstdint>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "host.h"

namespace {

std::atomic<long> new_calls{0};
std::atomic<long> sqlite_calls{0};
sqlite3* database = nullptr;
long new_calls_before = 0;
long sqlite_calls_before = 0;

// In front of every block of this host's operator new, so that a block from elsewhere is noticed.
constexpr uint64_t kMark = 0x5350494c4c574159;

void* Take(size_t bytes) {
  new_calls++;
  auto* const header = static_cast<uint64_t*>(std::malloc(bytes + 16));
  if (header == nullptr) {
    throw std::bad_alloc();
  }
  *header = kMark;
  return header + 2;
}

void Give(void* block) {
  if (block == nullptr) {
    return;
  }
  uint64_t* const header = static_cast<uint64_t*>(block) - 2;
  EXPECT(*header == kMark);
  *header = 0;
  std::free(header);
}

// SQLite's allocator interface wants sizes back, so each block starts with its own.
int SizeOf(void* block) {
  return block == nullptr ? 0 : static_cast<int>(static_cast<int64_t*>(block)[-2]);
}
void* SqliteMalloc(int bytes) {
  sqlite_calls++;
  auto* const header = static_cast<int64_t*>(std::malloc(static_cast<size_t>(bytes) + 16));
  if (header == nullptr) {
    return nullptr;
  }
  *header = bytes;
  return header + 2;
}
void SqliteFree(void* block) {
  if (block != nullptr) {
    std::free(static_cast<int64_t*>(block) - 2);
  }
}
void* SqliteRealloc(void* block, int bytes) {
  sqlite_calls++;
  auto* const header = static_cast<int64_t*>(
      std::realloc(static_cast<int64_t*>(block) - 2, static_cast<size_t>(bytes) + 16));
  if (header == nullptr) {
    return nullptr;
  }
  *header = bytes;
  return header + 2;
}
int RoundUp(int bytes) { return (bytes + 7) & ~7; }
int Init(void*) { return SQLITE_OK; }
void Shutdown(void*) {}

void UseOwnSqlite(const char* sql) {
  char* message = nullptr;
  const int code = sqlite3_exec(database, sql, nullptr, nullptr, &message);
  if (code != SQLITE_OK) {
    std::fprintf(stderr, "%s\n", message);
  }
  EXPECT(code == SQLITE_OK);
}

template <class Function>
bool IsTheOneInUse(const char* name, Function* own) {
  return dlsym(RTLD_DEFAULT, name) == reinterpret_cast<void*>(own);
}

}  // namespace

void* operator new(size_t bytes) { return Take(bytes); }
void* operator new[](size_t bytes) { return Take(bytes); }
void operator delete(void* block) noexcept { Give(block); }
void operator delete[](void* block) noexcept { Give(block); }
void operator delete(void* block, size_t) noexcept { Give(block); }
void operator delete[](void* block, size_t) noexcept { Give(block); }

void HostBefore() {
  // Refused once SQLite is initialised: so this copy is not the library's, which is set up already
  // when the library is loaded or used first.
  static sqlite3_mem_methods methods = {SqliteMalloc, SqliteFree, SqliteRealloc, SizeOf,
                                        RoundUp,      Init,       Shutdown,      nullptr};
  EXPECT(sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) == SQLITE_OK);
  EXPECT(sqlite3_open(":memory:", &database) == SQLITE_OK);
  UseOwnSqlite("create table t (x); insert into t values (1)");
  EXPECT(sqlite_calls > 0);
  sqlite_calls_before = sqlite_calls;
  new_calls_before = new_calls;
}

void HostAfter(long records) {
  std::printf("%ld records, host's operator new: %ld calls, host's SQLite: %ld allocations\n",
              records, new_calls - new_calls_before, sqlite_calls - sqlite_calls_before);
  EXPECT(new_calls == new_calls_before);
  EXPECT(sqlite_calls == sqlite_calls_before);
  EXPECT(IsTheOneInUse("sqlite3_open", &sqlite3_open));
  EXPECT(IsTheOneInUse("sqlite3_libversion", &sqlite3_libversion));
  EXPECT(IsTheOneInUse("malloc", &std::malloc));
  EXPECT(dlsym(RTLD_DEFAULT, "mi_malloc") == nullptr);

  // What the host has still works: its SQLite, its operator new, its exceptions.
  UseOwnSqlite("insert into t values (2); delete from t");
  EXPECT(sqlite3_close(database) == SQLITE_OK);
  try {
    throw std::runtime_error(std::string(100, 'x'));
  } catch (const std::exception& error) {
    EXPECT(std::vector<char>(error.what(), error.what() + 100).size() == 100);
  }
  EXPECT(new_calls > new_calls_before);
  EXPECT(sqlite_calls > sqlite_calls_before);
}
