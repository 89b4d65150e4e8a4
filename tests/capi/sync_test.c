/* How long an added batch may stay not durable: batches that wait for the device, flushes after a
 * time, segments that are written as soon as they are full. */
#define _GNU_SOURCE 1
#include "fixture.h"

enum { kRecord = 1000, kWriters = 8, kBatches = 200 };

static void each_batch(void) {
  phase("with SPW_OPT_SYNC_MS 0 an add returns when its batch is on the device");
  const char* path = temp_path("each");
  spw_store* store = open_store(path, PAIRS(ON_DISK, SPW_OPT_SYNC_MS, 0));
  const uint32_t stream = stream_of(store, "a");
  for (uint64_t i = 0; i < 100; i += 10) {
    CHECK_EQUAL(add_numbered(store, stream, i, 10, kRecord), i);
    CHECK_EQUAL(stream_stats_of(store, stream).spilled_seq, i + 10);
  }
  CHECK_EQUAL(stats_of(store).spills, 10);
  CHECK_EQUAL(stats_of(store).adders_syncing, 0);
  packed batch = pack(100, 10, kRecord); /* the timeout is for admission alone */
  uint64_t seq = 4711;
  EXPECT(SPW_OK, spw_store_add(store, stream, batch.data, batch.offsets[10], batch.offsets, 10,
                               NULL, SPW_NO_WAIT, NULL, &seq, &err));
  unpack(batch);
  CHECK_EQUAL(seq, 100);
  EXPECT(SPW_OK, spw_store_close(store, SPW_CLOSE_DISCARD, SPW_NO_WAIT, NULL, &err));
  spw_store_free(store);
  store = open_store(path, PAIRS(ON_DISK));
  CHECK_EQUAL(read_all(store, stream), 110);
  close_store(store);
}

typedef struct writer {
  pthread_t thread;
  spw_store* store;
  uint32_t stream;
} writer;

static void* add_batches(void* context) {
  writer* self = context;
  uint8_t record[kRecord];
  const uint64_t offsets[2] = {0, kRecord};
  for (int i = 0; i < kBatches; i++) {
    uint64_t seq = 4711;
    fill_record(record, sizeof record, (uint64_t)i);
    EXPECT(SPW_OK, spw_store_add(self->store, self->stream, record, sizeof record, offsets, 1, NULL,
                                 SPW_WAIT_FOREVER, NULL, &seq, &err));
    CHECK(stream_stats_of(self->store, self->stream).spilled_seq > seq);
  }
  return NULL;
}

static void shared_barriers(void) {
  phase("writers that wait for the device share its barriers");
  for (int streams = 1; streams <= kWriters; streams += kWriters - 1) {
    spw_store* store =
        open_store(temp_path(streams == 1 ? "one" : "many"), PAIRS(ON_DISK, SPW_OPT_SYNC_MS, 0));
    writer writers[kWriters];
    for (int i = 0; i < kWriters; i++) {
      char name[2] = {(char)('a' + i % streams), 0};
      writers[i].store = store;
      writers[i].stream = stream_of(store, name);
    }
    for (int i = 0; i < kWriters; i++) {
      REQUIRE(pthread_create(&writers[i].thread, NULL, add_batches, &writers[i]) == 0);
    }
    for (int i = 0; i < kWriters; i++) {
      pthread_join(writers[i].thread, NULL);
    }
    const spw_stats stats = stats_of(store);
    CHECK_EQUAL(stats.records_added, kWriters * kBatches);
    CHECK(stats.spills < stats.batches_added);
    printf("%.1f batches a barrier\n", (double)stats.batches_added / (double)stats.spills);
    close_store(store);
  }
}

static void after_a_time(void) {
  phase("with SPW_OPT_SYNC_MS N what was added comes to the device by itself");
  const char* path = temp_path("time");
  spw_store* store = open_store(path, PAIRS(ON_DISK, SPW_OPT_SYNC_MS, 1));
  const uint32_t stream = stream_of(store, "a");
  for (uint64_t i = 0; i < 50; i += 10) {
    add_numbered(store, stream, i, 10, kRecord);
    POLL_UNTIL(stream_stats_of(store, stream).spilled_seq == i + 10);
  }
  EXPECT(SPW_OK, spw_store_set_i64(store, SPW_ALL, SPW_OPT_SYNC_MS, SPW_UNLIMITED, &err));
  const uint64_t spills = stats_of(store).spills;
  add_numbered(store, stream, 50, 10, kRecord);
  CHECK_EQUAL(stats_of(store).spills, spills);
  EXPECT(SPW_OK, spw_store_set_i64(store, SPW_ALL, SPW_OPT_SYNC_MS, 0, &err));
  add_numbered(store, stream, 60, 10, kRecord);
  CHECK_EQUAL(stream_stats_of(store, stream).spilled_seq, 70);
  int64_t value = 7;
  EXPECT(SPW_OK, spw_store_get_i64(store, SPW_ALL, SPW_OPT_SYNC_MS, &value, &err));
  CHECK(value == 0);
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_set_i64(store, SPW_ALL, SPW_OPT_SYNC_MS, -1, &err));
  EXPECT(SPW_UNSUPPORTED, spw_store_set_i64(store, stream, SPW_OPT_SYNC_MS, 5, &err));
  close_store(store);
}

static void eager(void) {
  phase("an eager store writes full segments behind the adder, a lazy one does not");
  for (int64_t mode = 0; mode < 2; mode++) {
    spw_store* store =
        open_store(temp_path(mode ? "eager" : "lazy"), PAIRS(ON_DISK, SPW_OPT_EAGER, mode));
    const uint32_t stream = stream_of(store, "a");
    for (uint64_t i = 0; i < 1000; i += 10) {
      add_numbered(store, stream, i, 10, kRecord);
    }
    if (mode) {
      POLL_UNTIL(stream_stats_of(store, stream).spilled_seq > 500);
      CHECK(stream_stats_of(store, stream).spilled_seq < 1000); /* one is being filled */
    } else {
      CHECK_EQUAL(stats_of(store).spills, 0);
    }
    int64_t value = 7;
    EXPECT(SPW_OK, spw_store_get_i64(store, SPW_ALL, SPW_OPT_EAGER, &value, &err));
    CHECK(value == mode);
    EXPECT(SPW_UNSUPPORTED, spw_store_set_i64(store, SPW_ALL, SPW_OPT_EAGER, 1, &err));
    CHECK_EQUAL(read_all(store, stream), 1000);
    close_store(store);
  }
}

static void idle(void) {
  phase("memory that is idle goes back to the system");
  spw_store* store = open_store(temp_path("idle"), PAIRS(ON_DISK, SPW_OPT_IDLE_MS, 1));
  const uint32_t stream = stream_of(store, "a");
  add_numbered(store, stream, 0, 1000, kRecord);
  EXPECT(SPW_OK, spw_store_clear(store, stream, &err));
  POLL_UNTIL(stats_of(store).bytes_resident == 0);
  add_numbered(store, stream, 0, 10, kRecord);
  CHECK_EQUAL(stats_of(store).records_live, 10);
  int64_t value = 7;
  EXPECT(SPW_OK, spw_store_get_i64(store, SPW_ALL, SPW_OPT_IDLE_MS, &value, &err));
  CHECK(value == 1);
  close_store(store);
}

static void slowed(void) {
  phase("adds above the soft limit are slowed, and counted apart from those that wait");
  spw_store* store = open_store(temp_path("slowed"), PAIRS(ON_DISK, SPW_OPT_BUDGET_BYTES,
                                                           256 * kKiB, SPW_OPT_HARD_PERCENT, 1000));
  const uint32_t stream = stream_of(store, "a");
  uint64_t tail = 0;
  for (int i = 0; i < 100000 && stats_of(store).paced == 0; i++) {
    tail = add_numbered(store, stream, tail, 50, kRecord) + 50;
  }
  const spw_stats stats = stats_of(store);
  CHECK(stats.paced > 0 && stats.paced_ns_total > 0);
  CHECK(stats.waits == 0 || stats.wait_ns_total > 0);
  CHECK_EQUAL(read_all(store, stream), tail);
  close_store(store);
}

static void in_memory(void) {
  phase("a store in memory has no device");
  try_open(NULL, PAIRS(SPW_OPT_SYNC_MS, 0), SPW_UNSUPPORTED);
  try_open(NULL, PAIRS(SPW_OPT_EAGER, 1), SPW_UNSUPPORTED);
  try_open(NULL, PAIRS(SPW_OPT_IDLE_MS, 1), SPW_UNSUPPORTED);
  spw_store* store = open_store(NULL, PAIRS(0));
  int64_t value = 7;
  EXPECT(SPW_UNSUPPORTED, spw_store_set_i64(store, SPW_ALL, SPW_OPT_SYNC_MS, 0, &err));
  EXPECT(SPW_UNSUPPORTED, spw_store_get_i64(store, SPW_ALL, SPW_OPT_SYNC_MS, &value, &err));
  EXPECT(SPW_UNSUPPORTED, spw_store_get_i64(store, SPW_ALL, SPW_OPT_EAGER, &value, &err));
  EXPECT(SPW_UNSUPPORTED, spw_store_get_i64(store, SPW_ALL, SPW_OPT_IDLE_MS, &value, &err));
  close_store(store);
}

int main(void) {
  each_batch();
  shared_barriers();
  after_a_time();
  eager();
  idle();
  slowed();
  in_memory();
  return check_finish();
}
