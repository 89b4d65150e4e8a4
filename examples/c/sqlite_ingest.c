/* The same job as ingest.c, straight into SQLite: the same table columns and pragmas as Spillway's
 * SQLite tier has, one prepared statement, one transaction a batch. With --durable end only the end
 * is synced, which is what a store promises without a flush. See --help.
 */
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/fail.h"
#include "common/job.h"
#include "common/line_reader.h"
#include "common/settings.h"
#include "common/table.h"
#include "common/text.h"

/* Those of the tier: pages of 16 KiB, 16 MiB of them in memory, every commit synced, a checkpoint
 * when the WAL passes 32 MiB. The first three are fixed when the database is made. */
static const char kPragmas[] =
    "PRAGMA page_size=16384;"
    "PRAGMA auto_vacuum=INCREMENTAL;"
    "PRAGMA journal_mode=WAL;"
    "PRAGMA synchronous=FULL;"
    "PRAGMA cache_size=-16384;"
    "PRAGMA wal_autocheckpoint=2048;"
    "PRAGMA temp_store=MEMORY;"
    "PRAGMA mmap_size=0;"
    "PRAGMA secure_delete=OFF;"
    "PRAGMA cell_size_check=ON;";

static const char kTables[] =
    "CREATE TABLE s0(seq INTEGER PRIMARY KEY, time INTEGER, payload BLOB);"
    "CREATE TABLE s1(seq INTEGER PRIMARY KEY, time INTEGER, payload BLOB);";

typedef struct ingest {
  bool sync_each_batch;
  sqlite3* database;
  sqlite3_stmt* begin;
  sqlite3_stmt* commit;
  sqlite3_stmt* insert[kKinds];
  sqlite3_int64 next_seq[kKinds];
} ingest;

static void check(const ingest* self, int result, const char* what) {
  if (result != SQLITE_OK && result != SQLITE_DONE && result != SQLITE_ROW) {
    fail(kExitFailed, "%s: %s: %s", what, sqlite3_errstr(result), sqlite3_errmsg(self->database));
  }
}

static sqlite3_stmt* prepare(const ingest* self, const char* sql) {
  sqlite3_stmt* statement = NULL;
  check(self, sqlite3_prepare_v2(self->database, sql, -1, &statement, NULL), sql);
  return statement;
}

static void run(const ingest* self, sqlite3_stmt* statement, const char* what) {
  check(self, sqlite3_step(statement), what);
  check(self, sqlite3_reset(statement), what);
}

static void open_database(void* context, const char* path, bool create) {
  ingest* self = context;
  const int flags = SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0);
  *self = (ingest){.sync_each_batch = self->sync_each_batch};
  check(self, sqlite3_open_v2(path, &self->database, flags, NULL), path);
  check(self, sqlite3_exec(self->database, kPragmas, NULL, NULL, NULL), path);
  if (!self->sync_each_batch) {
    check(self, sqlite3_exec(self->database, "PRAGMA synchronous=NORMAL", NULL, NULL, NULL), path);
  }
  if (create) {
    check(self, sqlite3_exec(self->database, kTables, NULL, NULL, NULL), path);
  }
  self->begin = prepare(self, "BEGIN IMMEDIATE");
  self->commit = prepare(self, "COMMIT");
  self->insert[kLines] = prepare(self, "INSERT INTO s0(seq, time, payload) VALUES(?, NULL, ?)");
  self->insert[kUnended] = prepare(self, "INSERT INTO s1(seq, time, payload) VALUES(?, NULL, ?)");
}

static void close_database(void* context) {
  ingest* self = context;
  sqlite3_finalize(self->begin);
  sqlite3_finalize(self->commit);
  for (int kind = 0; kind < kKinds; kind++) {
    sqlite3_finalize(self->insert[kind]);
  }
  check(self, sqlite3_close(self->database), "close");
}

static void add_batch(void* context, int kind, const uint8_t* data, const uint64_t* offsets,
                      size_t count) {
  ingest* self = context;
  sqlite3_stmt* insert = self->insert[kind];
  run(self, self->begin, "begin");
  for (size_t i = 0; i < count; i++) {
    const uint8_t* record = data + offsets[i];
    check(self, sqlite3_bind_int64(insert, 1, self->next_seq[kind]++), "bind");
    check(self, sqlite3_bind_blob64(insert, 2, record, offsets[i + 1] - offsets[i], SQLITE_STATIC),
          "bind");
    run(self, insert, "insert");
  }
  run(self, self->commit, "commit");
}

static void flush_database(void* context) {
  ingest* self = context;
  if (!self->sync_each_batch) { /* a checkpoint syncs all of the log, then all of the database */
    const int result =
        sqlite3_wal_checkpoint_v2(self->database, NULL, SQLITE_CHECKPOINT_FULL, NULL, NULL);
    check(self, result, "make durable");
  }
}

static void scan_database(void* context, int kind, job_visit* visit, void* visit_context) {
  ingest* self = context;
  sqlite3_stmt* select = prepare(self, kind == kLines ? "SELECT payload FROM s0 ORDER BY seq"
                                                      : "SELECT payload FROM s1 ORDER BY seq");
  int result;
  while ((result = sqlite3_step(select)) == SQLITE_ROW) {
    const void* record = sqlite3_column_blob(select, 0); /* NULL for an empty one */
    visit(visit_context, record != NULL ? record : "", (size_t)sqlite3_column_bytes(select, 0));
  }
  check(self, result, "read");
  sqlite3_finalize(select);
}

static void say(void* context, char* text, size_t cap) {
  (void)context;
  char memory[TEXT_MAX];
  snprintf(text, cap, ", %s in memory", text_bytes(memory, (uint64_t)sqlite3_memory_used()));
}

static void report(void* context, table* rows) {
  (void)context;
  char text[TEXT_MAX];
  table_add(rows, "peak memory, SQLite", "%s",
            text_bytes(text, (uint64_t)sqlite3_memory_highwater(0)));
}

int main(int argc, char** argv) {
  settings chosen;
  settings_parse(&chosen, argc, argv);
  const job_store calls = {
      .name = chosen.sync_each_batch ? "SQLite, each batch synced" : "SQLite, the end synced",
      .open = open_database,
      .add = add_batch,
      .flush = flush_database,
      .scan = scan_database,
      .close = close_database,
      .say = say,
      .report = report};
  line_reader_check(chosen.files, chosen.file_count);
  ingest self = {.sync_each_batch = chosen.sync_each_batch};
  const int code = job_run(&chosen, &calls, &self);
  settings_free(&chosen);
  return code;
}
