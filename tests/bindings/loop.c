/* What the bindings are measured against; throughput.sh says what is measured and printed. */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <spillway.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { kRecordBytes = 128, kBatchRecords = 1000, kRounds = 3 };
enum { kBlocks = 1000, kUpdates = 500, kBlockBytes = 4096, kBlockRounds = 40, kNameBytes = 10 };

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

static void name_of(char* name, int block) { snprintf(name, kNameBytes + 1, "block/%04d", block); }

/* One batch: every second block of the file if `step` is 2, all if it is 1. */
static void pack_blocks(packed* names, packed* data, int step, uint64_t stamp) {
  char name[kNameBytes + 1];
  uint8_t block[kBlockBytes];
  memset(block, 'x', sizeof block);
  names->count = data->count = 0;
  for (int i = 0; i < kBlocks; i += step) {
    const uint64_t value = stamp + (uint64_t)i;
    memcpy(block, &value, sizeof value);
    name_of(name, i);
    append(names, name, kNameBytes);
    append(data, block, sizeof block);
  }
}

static void put_blocks(spw_file* file, const packed* names, const packed* data) {
  check(spw_block_put_batch(file, NULL, (const char*)names->data, names->offsets[names->count],
                            names->offsets, data->data, data->offsets[data->count], data->offsets,
                            names->count, NULL, NULL, &err));
}

static void check_block(const uint8_t* block, int32_t status, uint64_t stamp) {
  uint64_t value;
  memcpy(&value, block, sizeof value);
  if (status != SPW_OK || value != stamp || block[sizeof value] != 'x' ||
      block[kBlockBytes - 1] != 'x') {
    fprintf(stderr, "a block holds %" PRIu64 ", expected %" PRIu64 "\n", value, stamp);
    exit(1);
  }
}

static double least(double best, double now) { return best == 0 || now < best ? now : best; }

static void measure_blocks(const char* path) {
  packed names = {0};
  packed data = {0};
  uint8_t* buffer = malloc((size_t)kUpdates * kBlockBytes);
  uint64_t ends[kUpdates + 1];
  int32_t statuses[kUpdates];
  double put_best = 0;
  double durable_best = 0;
  double read_best = 0;
  spw_file* file;
  check(spw_file_open(path, strlen(path), NULL, NULL, &file, &err));
  pack_blocks(&names, &data, 1, 0);
  put_blocks(file, &names, &data);
  check(spw_file_flush(file, SPW_FLUSH_DEVICE, &err));
  for (uint64_t round = 0; round <= kBlockRounds; round++) {
    const uint64_t stamp = round * kBlocks;
    const double began = now_ns();
    pack_blocks(&names, &data, kBlocks / kUpdates, stamp);
    put_blocks(file, &names, &data);
    const double put = now_ns();
    check(spw_file_flush(file, SPW_FLUSH_DEVICE, &err));
    const double flushed = now_ns();
    check(spw_block_read_batch(file, NULL, (const char*)names.data, names.offsets[names.count],
                               names.offsets, kUpdates, buffer, (uint64_t)kUpdates * kBlockBytes,
                               ends, statuses, &err));
    const double read = now_ns();
    for (int i = 0; i < kUpdates; i++) {
      check_block(buffer + ends[i], statuses[i], stamp + (uint64_t)i * (kBlocks / kUpdates));
    }
    if (round > 0) {
      put_best = least(put_best, put - began);
      durable_best = least(durable_best, flushed - began);
      read_best = least(read_best, read - flushed);
    }
  }
  check(spw_file_close(file, 0, &err));
  spw_file_free(file);
  printf("block_put_us %.1f\nblock_durable_us %.1f\nblock_read_us %.1f\n", put_best / 1e3,
         durable_best / 1e3, read_best / 1e3);
  free(buffer);
  free(names.data);
  free(names.offsets);
  free(data.data);
  free(data.offsets);
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
  const char* blocks = getenv("BLOCKS");
  if (blocks != NULL) {
    measure_blocks(blocks);
  }
  return 0;
}
