#define _GNU_SOURCE 1
#include "job.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"
#include "fail.h"
#include "footprint.h"
#include "latency.h"
#include "line_reader.h"
#include "progress.h"
#include "scratch.h"
#include "text.h"

static const uint64_t kBatchBytesMax = UINT64_C(8) << 20;

typedef struct job {
  const settings* chosen;
  const job_store* store;
  void* self;
  digest input;        /* of the lines that went in */
  uint64_t input_hits; /* and how many of them hold the word */
  latencies adds;
  uint64_t open_ns;
  uint64_t input_ns; /* reading, splitting, hashing and searching the files */
  uint64_t add_ns;
  uint64_t flush_ns;
  uint64_t close_ns;
  uint64_t written_ns; /* wall clock from before the open until after the flush */
  uint64_t scan_ns;
  uint64_t grep_ns;
  uint64_t reopen_ns;
  uint64_t rescan_ns;
  uint64_t write_peak_bytes;
  uint64_t* unended; /* the lines without a line feed, as the store has them */
  size_t unended_count;
  size_t unended_cap;
  table rows; /* what the store itself reports */
} job;

static bool holds(const job* work, const uint8_t* line, size_t len) {
  const char* word = work->chosen->word;
  return len > 0 && memmem(line, len, word, strlen(word)) != NULL;
}

/* ---- In ----------------------------------------------------------------------------------------
 */

/* Adds the batch to what is known of the input. */
static void note_input(job* work, const line_batch* batch, const line_reader* reader,
                       size_t* unended_seen) {
  const uint64_t first = work->input.records;
  for (size_t i = 0; i < batch->count; i++) {
    const uint8_t* line = batch->data + batch->offsets[i];
    const size_t len = (size_t)(batch->offsets[i + 1] - batch->offsets[i]);
    const bool ended =
        *unended_seen == reader->unended_count || reader->unended[*unended_seen] != first + i;
    *unended_seen += ended ? 0 : 1;
    digest_add(&work->input, line, len, ended);
    work->input_hits += holds(work, line, len) ? 1 : 0;
  }
}

/* Stores the numbers of the lines without a line feed. */
static void add_unended(job* work, const line_reader* reader) {
  if (reader->unended_count == 0) {
    return;
  }
  enum { kDigitsMax = 20 };
  uint8_t* data = grow_or_fail(NULL, reader->unended_count * kDigitsMax + 1);
  uint64_t* offsets = grow_or_fail(NULL, (reader->unended_count + 1) * sizeof *offsets);
  offsets[0] = 0;
  for (size_t i = 0; i < reader->unended_count; i++) {
    char digits[kDigitsMax + 1];
    const int len = snprintf(digits, sizeof digits, "%" PRIu64, reader->unended[i]);
    memcpy(data + offsets[i], digits, (size_t)len);
    offsets[i + 1] = offsets[i] + (uint64_t)len;
  }
  const uint64_t begin_ns = clock_ns();
  work->store->add(work->self, kUnended, data, offsets, reader->unended_count);
  work->add_ns += clock_ns() - begin_ns;
  free(data);
  free(offsets);
}

static void add_lines(job* work) {
  const settings* chosen = work->chosen;
  line_reader reader;
  line_reader_start(&reader, chosen->files, chosen->file_count, chosen->records);
  line_batch batch = {0};
  size_t unended_seen = 0;
  progress shown;
  uint64_t now_ns = clock_ns();
  progress_begin(&shown, "adding", chosen->records, now_ns);
  while (line_reader_fill(&reader, (size_t)chosen->batch, kBatchBytesMax, &batch)) {
    note_input(work, &batch, &reader, &unended_seen);
    const uint64_t begin_ns = clock_ns();
    work->input_ns += begin_ns - now_ns;
    work->store->add(work->self, kLines, batch.data, batch.offsets, batch.count);
    now_ns = clock_ns();
    latencies_add(&work->adds, now_ns - begin_ns);
    if (progress_due(&shown, now_ns)) {
      char more[96] = "";
      work->store->say(work->self, more, sizeof more);
      progress_show(&shown, work->input.records, more, now_ns);
    }
  }
  work->input_ns += clock_ns() - now_ns; /* finding that there is no more */
  work->add_ns = work->adds.total_ns;
  add_unended(work, &reader);
  progress_end(&shown);
  line_batch_free(&batch);
  line_reader_end(&reader);
}

static void write_all(job* work, const char* path) {
  const uint64_t begin_ns = clock_ns();
  work->store->open(work->self, path, true);
  work->open_ns = clock_ns() - begin_ns;
  add_lines(work);
  work->store->report(work->self, &work->rows);
  const uint64_t added_ns = clock_ns();
  work->store->flush(work->self);
  work->flush_ns = clock_ns() - added_ns;
  work->written_ns = clock_ns() - begin_ns;
  work->write_peak_bytes = process_peak_bytes();
}

/* ---- Out ---------------------------------------------------------------------------------------
 */

typedef struct reading {
  const job* work;
  digest output;
  uint64_t hits;
  size_t unended_seen;
  FILE* copy; /* NULL, or where the files are put together again */
  progress shown;
} reading;

static void take_unended(void* context, const uint8_t* record, size_t len) {
  job* work = context;
  uint64_t line = 0;
  for (size_t i = 0; i < len; i++) {
    line = line * 10 + (uint64_t)(record[i] - '0');
  }
  if (work->unended_count == work->unended_cap) {
    work->unended_cap = work->unended_cap * 2 + 16;
    work->unended = grow_or_fail(work->unended, work->unended_cap * sizeof *work->unended);
  }
  work->unended[work->unended_count++] = line;
}

static void take_line(void* context, const uint8_t* record, size_t len) {
  reading* state = context;
  const job* work = state->work;
  const bool ended = state->unended_seen == work->unended_count ||
                     work->unended[state->unended_seen] != state->output.records;
  state->unended_seen += ended ? 0 : 1;
  digest_add(&state->output, record, len, ended);
  if (state->copy != NULL && len > 0) {
    fwrite(record, 1, len, state->copy);
  }
  if (state->copy != NULL && ended) {
    fputc('\n', state->copy);
  }
  if ((state->output.records & 0xffff) == 0) { /* no clock call per record */
    const uint64_t now_ns = clock_ns();
    if (progress_due(&state->shown, now_ns)) {
      progress_show(&state->shown, state->output.records, "", now_ns);
    }
  }
}

static void count_hit(void* context, const uint8_t* record, size_t len) {
  reading* state = context;
  state->hits += holds(state->work, record, len) ? 1 : 0;
}

/* Reads everything in order and compares it with what went in. Returns how long that took. */
static uint64_t verify(job* work, const char* what, FILE* copy) {
  const uint64_t begin_ns = clock_ns();
  work->unended_count = 0;
  work->store->scan(work->self, kUnended, take_unended, work);
  reading state = {.work = work, .copy = copy};
  progress_begin(&state.shown, what, work->input.records, begin_ns);
  work->store->scan(work->self, kLines, take_line, &state);
  const uint64_t took_ns = clock_ns() - begin_ns;
  progress_end(&state.shown);
  if (!digest_equal(&state.output, &work->input)) {
    fail(kExitFailed,
         "%s: %" PRIu64 " records of %" PRIu64 " bytes, hash %016" PRIx64 ", but %" PRIu64
         " records of %" PRIu64 " bytes, hash %016" PRIx64 " went in",
         what, state.output.records, state.output.bytes, state.output.hash, work->input.records,
         work->input.bytes, work->input.hash);
  }
  return took_ns;
}

static void grep(job* work) {
  const uint64_t begin_ns = clock_ns();
  reading state = {.work = work};
  work->store->scan(work->self, kLines, count_hit, &state);
  work->grep_ns = clock_ns() - begin_ns;
  if (state.hits != work->input_hits) {
    fail(kExitFailed, "%" PRIu64 " records hold \"%s\", but %" PRIu64 " lines did", state.hits,
         work->chosen->word, work->input_hits);
  }
}

static void read_all(job* work, const char* path) {
  const char* copy_path = work->chosen->copy_path;
  work->scan_ns = verify(work, "reading back", NULL);
  grep(work);
  uint64_t begin_ns = clock_ns();
  work->store->close(work->self);
  work->close_ns = clock_ns() - begin_ns;

  begin_ns = clock_ns();
  work->store->open(work->self, path, false);
  work->reopen_ns = clock_ns() - begin_ns;
  work->rescan_ns = verify(work, "reading back after reopen", NULL);
  if (copy_path != NULL) { /* apart, so that no time above has the writing in it */
    FILE* copy = fopen(copy_path, "w");
    if (copy == NULL) {
      fail(kExitFailed, "cannot write %s: %s", copy_path, strerror(errno));
    }
    verify(work, "copying", copy);
    if (ferror(copy) != 0 || fclose(copy) != 0) {
      fail(kExitFailed, "cannot write %s: %s", copy_path, strerror(errno));
    }
  }
  work->store->close(work->self);
}

/* ---- Report ------------------------------------------------------------------------------------
 */

static void add_rate(table* rows, const char* label, uint64_t records, uint64_t ns) {
  char text[TEXT_MAX];
  const double seconds = (double)(ns > 0 ? ns : 1) / 1e9;
  table_add(rows, label, "%s", text_count(text, (uint64_t)((double)records / seconds)));
}

static void add_time(table* rows, const char* label, uint64_t ns) {
  char text[TEXT_MAX];
  table_add(rows, label, "%s", text_seconds(text, ns));
}

static void add_latency(table* rows, const char* label, latencies* all, unsigned permille) {
  char text[TEXT_MAX];
  table_add(rows, label, "%s", text_milliseconds(text, latencies_quantile(all, permille)));
}

static void print_report(job* work, const char* path) {
  table* rows = &(table){0};
  char text[TEXT_MAX];
  const uint64_t records = work->input.records;
  const uint64_t store_ns = work->open_ns + work->add_ns + work->flush_ns + work->close_ns;
  table_add(rows, "records", "%s", text_count(text, records));
  table_add(rows, "bytes", "%s", text_count(text, work->input.bytes));
  table_add(rows, "batches", "%s", text_count(text, work->adds.count));
  add_time(rows, "write: open", work->open_ns);
  add_time(rows, "write: all adds", work->add_ns);
  add_time(rows, "write: make durable", work->flush_ns);
  add_time(rows, "write: close", work->close_ns);
  add_time(rows, "write: total with close", store_ns);
  add_rate(rows, "write: records/s, total", records, store_ns);
  add_rate(rows, "write: records/s, adds", records, work->add_ns);
  add_time(rows, "reading the files (not in the times above)", work->input_ns);
  add_time(rows, "wall clock of both", work->written_ns + work->close_ns);
  add_latency(rows, "batch latency, median", &work->adds, 500);
  add_latency(rows, "batch latency, p99", &work->adds, 990);
  add_latency(rows, "batch latency, max", &work->adds, 1000);
  for (size_t i = 0; i < work->rows.count; i++) {
    table_add(rows, work->rows.rows[i].label, "%s", work->rows.rows[i].value);
  }
  table_add(rows, "peak memory, process, writing", "%s", text_bytes(text, work->write_peak_bytes));
  table_add(rows, "peak memory, process, all", "%s", text_bytes(text, process_peak_bytes()));
  table_add(rows, "size on disk", "%s", text_bytes(text, bytes_on_disk(path)));
  add_time(rows, "read back in order", work->scan_ns);
  add_rate(rows, "read back, records/s", records, work->scan_ns);
  add_time(rows, "search", work->grep_ns);
  table_add(rows, "records found", "%s", text_count(text, work->input_hits));
  add_time(rows, "reopen", work->reopen_ns);
  add_time(rows, "read back after reopen", work->rescan_ns);
  table_add(rows, "count and hash", "equal, %016" PRIx64, work->input.hash);

  table_print(rows, work->store->name);
  if (work->chosen->table_path != NULL) {
    table_save(rows, work->chosen->table_path);
  }
}

int job_run(const settings* chosen, const job_store* store, void* self) {
  char path[4096];
  const bool kept = chosen->keep || chosen->store_path != NULL;
  if (chosen->store_path != NULL) {
    snprintf(path, sizeof path, "%s", chosen->store_path);
  } else {
    snprintf(path, sizeof path, "%s/store", scratch_make());
  }
  if (chosen->keep) {
    scratch_keep();
  }
  job work = {.chosen = chosen, .store = store, .self = self};
  write_all(&work, path);
  read_all(&work, path);
  print_report(&work, path);
  if (kept) {
    printf("  the store is kept: %s\n", path);
  }
  latencies_free(&work.adds);
  free(work.unended);
  return 0;
}
