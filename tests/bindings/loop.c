/* What the bindings are measured against: records of 128 bytes in batches of 1,000, packed into a
 * buffer one by one and added in one call each; then read through views, the first and the last
 * byte of each record touched. Prints the best of three rounds, each with a store of its own, after
 * one that only warms up. */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <spillway.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { kRecordBytes = 128, kBatchRecords = 1000, kRounds = 3 };

static spw_error* err;

static void check(spw_status status) {
  if (status != SPW_OK) {
    fprintf(stderr, "%s: %s\n", spw_status_name(status), spw_error_message(err, NULL));
    exit(1);
  }
}

static double now_ns(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (double)at.tv_sec * 1e9 + (double)at.tv_nsec;
}

typedef struct packed {
  uint8_t* data;
  size_t data_cap;
  uint64_t* offsets;
  size_t count;
  size_t count_cap;
} packed;

/* As a builder that does not know the sizes beforehand: it grows. */
static void append(packed* batch, const void* record, size_t len) {
  const uint64_t at = batch->count == 0 ? 0 : batch->offsets[batch->count];
  if (at + len > batch->data_cap) {
    batch->data_cap = batch->data_cap * 2 + len;
    batch->data = realloc(batch->data, batch->data_cap);
  }
  if (batch->count + 1 >= batch->count_cap) {
    batch->count_cap = batch->count_cap * 2 + 16;
    batch->offsets = realloc(batch->offsets, batch->count_cap * sizeof *batch->offsets);
    batch->offsets[0] = 0;
  }
  memcpy(batch->data + at, record, len);
  batch->offsets[++batch->count] = at + len;
}

static double add_all(spw_store* store, uint32_t stream, uint64_t records, packed* batch) {
  uint8_t record[kRecordBytes];
  memset(record, 'x', sizeof record);
  const double began = now_ns();
  for (uint64_t i = 0; i < records; i++) {
    memcpy(record, &i, sizeof i);
    append(batch, record, sizeof record);
    if (batch->count == kBatchRecords || i + 1 == records) {
      check(spw_store_add(store, stream, batch->data, batch->offsets[batch->count], batch->offsets,
                          batch->count, NULL, SPW_WAIT_DEFAULT, NULL, NULL, &err));
      batch->count = 0;
    }
  }
  return now_ns() - began;
}

static double read_all(spw_store* store, uint32_t stream, uint64_t records) {
  spw_cursor* cursor;
  const spw_scan all = {.struct_size = sizeof all, .stream = stream, .end_seq = SPW_SEQ_NONE};
  spw_view view = {.struct_size = sizeof view};
  uint64_t sum = 0;
  uint64_t expected = 0;
  const double began = now_ns();
  check(spw_cursor_open(store, &all, NULL, &cursor, &err));
  do {
    check(
        spw_cursor_next(cursor, kBatchRecords, SPW_NO_LIMIT, SPW_WAIT_FOREVER, NULL, &view, &err));
    for (uint64_t i = 0; i < view.count; i++) {
      sum += view.data[view.begin[i]];
      sum += view.data[view.end[i] - 1];
    }
  } while (view.count > 0);
  spw_cursor_free(cursor);
  const double took = now_ns() - began;
  for (uint64_t i = 0; i < records; i++) {
    expected += (i & 0xff) + 'x';
  }
  if (sum != expected) {
    fprintf(stderr, "read %" PRIu64 ", expected %" PRIu64 "\n", sum, expected);
    exit(1);
  }
  return took;
}

int main(void) {
  const char* wanted = getenv("RECORDS");
  const uint64_t records = wanted != NULL ? strtoull(wanted, NULL, 10) : 3000000;
  packed batch = {0};
  double add_best = 0;
  double read_best = 0;
  for (int round = 0; round <= kRounds; round++) {
    spw_options* options;
    spw_store* store;
    uint32_t stream;
    check(spw_options_new(&options, &err));
    check(spw_options_set_i64(options, SPW_OPT_BUDGET_BYTES, SPW_UNLIMITED, &err));
    check(spw_store_open(NULL, 0, options, NULL, &store, &err));
    check(spw_store_stream(store, "s", 1, NULL, SPW_STREAM_CREATE, &stream, &err));
    const double add = add_all(store, stream, records, &batch);
    const double read = read_all(store, stream, records);
    add_best = round <= 1 || add < add_best ? add : add_best;
    read_best = round <= 1 || read < read_best ? read : read_best;
    spw_store_close(store, SPW_CLOSE_DISCARD, SPW_WAIT_FOREVER, NULL, NULL);
    spw_store_free(store);
    spw_options_free(options);
  }
  printf("add_ns_per_record %.3f\nread_ns_per_record %.3f\n", add_best / (double)records,
         read_best / (double)records);
  return 0;
}
