/* Log files into a Spillway store under a small budget, and back: see --help.
 *
 * This file is all that touches the library: open, add, flush, read with a cursor, close. The job
 * around it (reading files, timing, comparing) is in common/ and is the same for sqlite_ingest.c.
 */
#include <inttypes.h>
#include <spillway.h>
#include <stdio.h>
#include <string.h>

#include "common/fail.h"
#include "common/job.h"
#include "common/line_reader.h"
#include "common/settings.h"
#include "common/table.h"
#include "common/text.h"

static const char* const kStreamNames[kKinds] = {"lines", "unended"};

typedef struct ingest {
  const settings* chosen;
  uint64_t input_bytes; /* in all files together; UINT64_MAX: not known */
  spw_store* store;
  uint32_t streams[kKinds];
} ingest;

/* Ends the program if the call failed. By pointer, because the call that writes *error may stand
 * among the arguments. */
static void check(spw_status status, spw_error* const* error, const char* what) {
  if (status != SPW_OK) {
    fail(kExitFailed, "%s: %s: %s", what, spw_status_name(status), spw_error_message(*error, NULL));
  }
}

/* ---- Open and close ----------------------------------------------------------------------------
 */

static int64_t choose_budget(const ingest* self) {
  const uint64_t least = UINT64_C(256) << 10;
  const uint64_t usual = UINT64_C(32) << 20;
  if (self->chosen->budget_bytes != 0) {
    return (int64_t)self->chosen->budget_bytes;
  }
  if (self->chosen->records != LINES_ONCE || self->input_bytes / 8 > usual) {
    return (int64_t)usual;
  }
  return (int64_t)(self->input_bytes / 8 > least ? self->input_bytes / 8 : least);
}

static bool spills_to_sqlite(const settings* chosen) { return strcmp(chosen->tier, "sqlite") == 0; }

static void set_option(spw_options* options, int32_t key, int64_t value) {
  spw_error* error = NULL;
  check(spw_options_set_i64(options, key, value, &error), &error, "set an option");
}

static void open_store(void* context, const char* path, bool create) {
  ingest* self = context;
  spw_error* error = NULL;
  spw_options* options = NULL;
  check(spw_options_new(&options, &error), &error, "make options");
  set_option(options, SPW_OPT_COLD_TIER,
             spills_to_sqlite(self->chosen) ? SPW_TIER_SQLITE : SPW_TIER_BLOCK_FILE);
  set_option(options, SPW_OPT_OPEN, create ? SPW_OPEN_NEW : SPW_OPEN_EXISTING);
  set_option(options, SPW_OPT_BUDGET_BYTES, choose_budget(self));
  if (self->chosen->budget_records != 0) {
    set_option(options, SPW_OPT_BUDGET_RECORDS, (int64_t)self->chosen->budget_records);
  }
  check(spw_store_open(path, strlen(path), options, NULL, &self->store, &error), &error, path);
  spw_options_free(options);
  for (int kind = 0; kind < kKinds; kind++) {
    const char* name = kStreamNames[kind];
    check(spw_store_stream(self->store, name, strlen(name), NULL, create ? SPW_STREAM_CREATE : 0,
                           &self->streams[kind], &error),
          &error, name);
  }
}

static void close_store(void* context) {
  ingest* self = context;
  spw_error* error = NULL;
  check(spw_store_close(self->store, 0, SPW_WAIT_FOREVER, NULL, &error), &error, "close");
  spw_store_free(self->store);
  self->store = NULL;
}

/* ---- Write -------------------------------------------------------------------------------------
 */

static void add_batch(void* context, int kind, const uint8_t* data, const uint64_t* offsets,
                      size_t count) {
  ingest* self = context;
  spw_error* error = NULL;
  check(spw_store_add(self->store, self->streams[kind], data, offsets[count], offsets, count, NULL,
                      SPW_WAIT_DEFAULT, NULL, NULL, &error),
        &error, "add");
}

static void flush_store(void* context) {
  ingest* self = context;
  spw_error* error = NULL;
  check(spw_store_flush(self->store, SPW_FLUSH_DEVICE, SPW_WAIT_FOREVER, NULL, &error), &error,
        "flush");
}

/* ---- Read --------------------------------------------------------------------------------------
 */

static void scan_store(void* context, int kind, job_visit* visit, void* visit_context) {
  ingest* self = context;
  spw_error* error = NULL;
  spw_cursor* cursor = NULL;
  const spw_scan scan = {
      .struct_size = sizeof scan, .stream = self->streams[kind], .end_seq = SPW_SEQ_NONE};
  check(spw_cursor_open(self->store, &scan, NULL, &cursor, &error), &error, "open a cursor");
  for (;;) {
    spw_view view = {.struct_size = sizeof view};
    check(spw_cursor_next(cursor, SPW_NO_LIMIT, UINT64_C(1) << 20, SPW_WAIT_FOREVER, NULL, &view,
                          &error),
          &error, "read");
    if (view.count == 0) {
      break;
    }
    for (uint64_t i = 0; i < view.count; i++) {
      visit(visit_context, view.data + view.begin[i], (size_t)(view.end[i] - view.begin[i]));
    }
  }
  spw_cursor_free(cursor);
}

/* ---- Numbers -----------------------------------------------------------------------------------
 */

static spw_stats read_stats(const ingest* self) {
  spw_error* error = NULL;
  spw_stats stats = {.struct_size = sizeof stats};
  check(spw_store_stats(self->store, &stats, &error), &error, "read the statistics");
  return stats;
}

static void say(void* context, char* text, size_t cap) {
  const spw_stats stats = read_stats(context);
  char memory[TEXT_MAX];
  char spilled[TEXT_MAX];
  snprintf(text, cap, ", %s in memory, %s spilled", text_bytes(memory, stats.bytes_resident),
           text_bytes(spilled, stats.payload_bytes_spilled));
}

static void report(void* context, table* rows) {
  const spw_stats stats = read_stats(context);
  char text[TEXT_MAX];
  const uint64_t added = stats.payload_bytes_added > 0 ? stats.payload_bytes_added : 1;
  table_add(rows, "adds that waited", "%s", text_count(text, stats.waits));
  table_add(rows, "spills while adding", "%s", text_count(text, stats.spills));
  table_add(rows, "records spilled while adding", "%s", text_count(text, stats.records_spilled));
  table_add(rows, "bytes spilled while adding", "%s (%.0f %%)",
            text_count(text, stats.payload_bytes_spilled),
            100.0 * (double)stats.payload_bytes_spilled / (double)added);
  table_add(rows, "budget", "%s", text_bytes(text, stats.bytes_soft));
  table_add(rows, "hard limit", "%s", text_bytes(text, stats.bytes_hard));
  table_add(rows, "peak memory, records", "%s", text_bytes(text, stats.bytes_resident_peak));
  table_add(rows, "peak records in memory", "%s", text_count(text, stats.records_resident_peak));
}

int main(int argc, char** argv) {
  settings chosen;
  settings_parse(&chosen, argc, argv);
  const job_store calls = {.name = spills_to_sqlite(&chosen) ? "Spillway, spilling to SQLite"
                                                             : "Spillway, spilling to a block file",
                           .open = open_store,
                           .add = add_batch,
                           .flush = flush_store,
                           .scan = scan_store,
                           .close = close_store,
                           .say = say,
                           .report = report};
  ingest self = {.chosen = &chosen};
  self.input_bytes = line_reader_check(chosen.files, chosen.file_count);
  const int code = job_run(&chosen, &calls, &self);
  settings_free(&chosen);
  return code;
}
