#include "internal/cold/sqlite_library.h"

#include <sqlite3.h>

#include <string>

#include "internal/base/allocation.h"

namespace spillway::cold {
namespace {

using base::Code;
using base::Status;

void* SqliteMalloc(int bytes) { return base::Allocate(static_cast<size_t>(bytes)); }
void SqliteFree(void* block) { base::Free(block); }
void* SqliteRealloc(void* block, int bytes) {
  return base::Reallocate(block, static_cast<size_t>(bytes));
}
int SqliteSize(void* block) { return static_cast<int>(base::UsableSize(block)); }
int SqliteRoundup(int bytes) { return (bytes + 7) & ~7; }
int SqliteMemoryInit(void* /*context*/) { return SQLITE_OK; }
void SqliteMemoryShutdown(void* /*context*/) {}

// SQLite copies the table, so it may live on the stack of nobody in particular.
const sqlite3_mem_methods kMemory = {SqliteMalloc,         SqliteFree,    SqliteRealloc,
                                     SqliteSize,           SqliteRoundup, SqliteMemoryInit,
                                     SqliteMemoryShutdown, nullptr};

// Only possible before sqlite3_initialize, hence once.
int Configure() {
  int rc = sqlite3_config(SQLITE_CONFIG_MALLOC, &kMemory);
  // A connection is used by one thread at a time: the writer's by turns, a reader's by lease. So
  // its mutexes would only cost; those of what connections share stay.
  rc = rc != SQLITE_OK ? rc : sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
  // Statistics would send every allocation through one mutex of the process.
  rc = rc != SQLITE_OK ? rc : sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  // A truncated file under a memory map is a SIGBUS in the host.
  rc = rc != SQLITE_OK
           ? rc
           : sqlite3_config(SQLITE_CONFIG_MMAP_SIZE, sqlite3_int64{0}, sqlite3_int64{0});
  rc = rc != SQLITE_OK ? rc : sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0);
  // A path is a path, also one that begins with "file:".
  return rc != SQLITE_OK ? rc : sqlite3_config(SQLITE_CONFIG_URI, 0);
}

}  // namespace

Status StartSqlite() {
  static const int configured = Configure();
  if (configured != SQLITE_OK) {
    return Status(Code::kInternal, "SQLite refuses its configuration").WithDetail(configured);
  }
  const int rc = sqlite3_initialize();
  if (rc == SQLITE_NOMEM) {
    return base::NoMemory();
  }
  if (rc != SQLITE_OK) {
    return Status(Code::kInternal, std::string("SQLite does not start: ") + sqlite3_errstr(rc))
        .WithDetail(rc);
  }
  return Status();
}

}  // namespace spillway::cold
