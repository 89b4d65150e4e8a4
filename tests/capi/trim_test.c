/* Trims by sequence number, by time and by size: what is left, what is reported, what is counted,
 * in memory and in the cold tier, and after a reopen. */
#define _GNU_SOURCE 1
#include "fixture.h"

enum { kRecord = 1000 };

/* Every record that is left is what it was, and each that is gone is TRIMMED. */
static void check_range(spw_store* store, uint32_t stream, uint64_t begin, uint64_t tail) {
  const spw_stream_stats stats = stream_stats_of(store, stream);
  CHECK_EQUAL(stats.begin_seq, begin);
  CHECK_EQUAL(stats.tail_seq, tail);
  CHECK(stats.begin_seq <= stats.spilled_seq || stats.spilled_seq == 0);
  spw_cursor* cursor = open_cursor(store, stream);
  CHECK_EQUAL(read_on(cursor, begin, 0), tail - begin);
  spw_cursor_free(cursor);
  uint8_t bytes[kRecord];
  uint64_t len = 1;
  if (begin > 0) {
    EXPECT(SPW_TRIMMED,
           spw_store_read(store, stream, begin - 1, bytes, sizeof bytes, &len, NULL, &err));
    CHECK_EQUAL(len, 0);
  }
  if (begin < tail) {
    EXPECT(SPW_OK, spw_store_read(store, stream, begin, bytes, sizeof bytes, &len, NULL, &err));
    CHECK(is_record(bytes, len, begin));
  }
}

static void check_counts(const spw_store* store, uint64_t live, uint64_t trimmed,
                         uint64_t cleared) {
  const spw_stats stats = stats_of(store);
  CHECK_EQUAL(stats.records_live, live);
  CHECK_EQUAL(stats.records_trimmed, trimmed);
  CHECK_EQUAL(stats.records_cleared, cleared);
  CHECK_EQUAL(stats.records_live, stats.records_unspilled + stats.records_cold);
}

static void by_sequence(spw_store* store, uint32_t stream) {
  phase("a trim drops what is below a sequence number");
  EXPECT(SPW_OK, spw_store_trim(store, stream, 0, &err));
  check_range(store, stream, 0, 1000);
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_trim(store, stream, 1001, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_trim(store, stream, SPW_SEQ_NONE, &err));
  EXPECT(SPW_NOT_FOUND, spw_store_trim(store, stream + 7, 0, &err));
  check_counts(store, 1000, 0, 0);
  spw_cursor* cursor = open_cursor(store, stream);
  EXPECT(SPW_OK, spw_store_trim(store, stream, 123, &err));
  check_range(store, stream, 123, 1000);
  EXPECT(SPW_OK, spw_store_trim(store, stream, 123, &err));
  EXPECT(SPW_OK, spw_store_trim(store, stream, 5, &err));
  check_range(store, stream, 123, 1000);
  check_counts(store, 877, 123, 0);

  spw_view view = empty_view();
  spw_error* error = NULL; /* a cursor from before says which are gone, and goes on from a seek */
  CHECK_EQUAL(spw_cursor_next(cursor, 1, SPW_NO_LIMIT, SPW_NO_WAIT, NULL, &view, &error),
              SPW_TRIMMED);
  CHECK(strstr(spw_error_message(error, NULL), "0 to 122") != NULL);
  spw_error_free(error);
  EXPECT(SPW_OK, spw_cursor_seek(cursor, 123, &err));
  CHECK_EQUAL(read_on(cursor, 123, 0), 877);
  spw_cursor_free(cursor);

  EXPECT(SPW_OK, spw_store_trim(store, stream, 1000, &err));
  check_range(store, stream, 1000, 1000);
  CHECK_EQUAL(add_numbered(store, stream, 1000, 10, kRecord), 1000);
  check_range(store, stream, 1000, 1010);
  EXPECT(SPW_OK, spw_store_clear(store, stream, &err));
  check_counts(store, 0, 1000, 10);
}

static void in_memory(void) {
  spw_store* store = open_store(NULL, PAIRS(SPW_OPT_BUDGET_BYTES, 2 * kMiB));
  const uint32_t stream = stream_of(store, "a");
  for (uint64_t i = 0; i < 1000; i += 50) {
    add_numbered(store, stream, i, 50, kRecord);
  }
  by_sequence(store, stream);
  CHECK_EQUAL(stats_of(store).bytes_unspilled, 0);
  close_store(store);
}

static void on_disk(void) {
  const char* path = temp_path("trim");
  spw_store* store = open_store(path, PAIRS(ON_DISK, SPW_OPT_BUDGET_BYTES, 256 * kKiB));
  const uint32_t stream = stream_of(store, "a");
  for (uint64_t i = 0; i < 1000; i += 50) {
    add_numbered(store, stream, i, 50, kRecord);
  }
  by_sequence(store, stream);
  add_numbered(store, stream, 1010, 500, kRecord);
  EXPECT(SPW_OK, spw_store_trim(store, stream, 1400, &err));
  close_store(store);

  phase("a trim is there after a reopen");
  store = open_store(path, PAIRS(ON_DISK));
  check_range(store, stream, 1400, 1510);
  EXPECT(SPW_OK, spw_store_trim(store, stream, 1450, &err)); /* all of it cold */
  check_range(store, stream, 1450, 1510);
  EXPECT(SPW_OK, spw_store_flush(store, SPW_FLUSH_DEVICE, SPW_WAIT_FOREVER, NULL, &err));
  EXPECT(SPW_OK, spw_store_close(store, SPW_CLOSE_DISCARD, SPW_NO_WAIT, NULL, &err));
  spw_store_free(store);
  store = open_store(path, PAIRS(ON_DISK));
  check_range(store, stream, 1450, 1510);
  close_store(store);
}

/* Record i has the time `times[i]`. */
static void add_timed(spw_store* store, uint32_t stream, const int64_t* times, size_t count) {
  packed batch = pack(stream_stats_of(store, stream).tail_seq, count, kRecord);
  uint64_t seq;
  EXPECT(SPW_OK, spw_store_add(store, stream, batch.data, batch.offsets[count], batch.offsets,
                               count, times, SPW_WAIT_FOREVER, NULL, &seq, &err));
  unpack(batch);
}

static void check_begin(spw_store* store, uint32_t stream, uint64_t told, uint64_t want) {
  CHECK_EQUAL(told, want);
  CHECK_EQUAL(stream_stats_of(store, stream).begin_seq, want);
}

static void trim_by_time(spw_store* store, uint32_t stream, int64_t time, uint64_t want) {
  uint64_t begin = 4711;
  EXPECT(SPW_OK, spw_store_trim_time(store, stream, time, &begin, &err));
  check_begin(store, stream, begin, want);
}

static void by_time(spw_store* store) {
  phase("a trim by time drops the longest prefix of older records");
  const uint32_t stream = stream_with(store, "timed", PAIRS(SPW_OPT_TIMES, 1));
  uint64_t begin = 4711;
  EXPECT(SPW_OK, spw_store_trim_time(store, stream, 5, &begin, &err)); /* empty */
  CHECK_EQUAL(begin, 0);
  int64_t times[2000];
  for (int64_t i = 0; i < 2000; i++) {
    times[i] = INT64_MIN + i / 2 * 10; /* each time twice */
  }
  times[1500] = INT64_MAX; /* out of order: nothing behind it is dropped by an earlier time */
  for (size_t i = 0; i < 2000; i += 100) {
    add_timed(store, stream, times + i, 100);
  }
  trim_by_time(store, stream, INT64_MIN, 0);
  trim_by_time(store, stream, INT64_MIN + 1, 2);
  trim_by_time(store, stream, INT64_MIN + 10, 2);
  trim_by_time(store, stream, INT64_MIN + 4991, 1000);
  trim_by_time(store, stream, INT64_MIN, 1000);
  check_range(store, stream, 1000, 2000);
  trim_by_time(store, stream, INT64_MAX, 1500);
  check_range(store, stream, 1500, 2000);
  EXPECT(SPW_OK, spw_store_trim_time(store, stream, INT64_MAX, NULL, &err));
  EXPECT(SPW_OK, spw_store_trim(store, stream, 1501, &err));
  trim_by_time(store, stream, INT64_MAX, 2000);
  check_range(store, stream, 2000, 2000);
  const uint32_t timeless = stream_of(store, "timeless");
  begin = 4711;
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_trim_time(store, timeless, 5, &begin, &err));
  CHECK_EQUAL(begin, SPW_SEQ_NONE);
  EXPECT(SPW_NOT_FOUND, spw_store_trim_time(store, 99, 5, &begin, &err));
}

static void trim_by_bytes(spw_store* store, uint32_t stream, uint64_t bytes, uint64_t want) {
  uint64_t begin = 4711;
  EXPECT(SPW_OK, spw_store_trim_bytes(store, stream, bytes, &begin, &err));
  check_begin(store, stream, begin, want);
}

static void by_bytes(spw_store* store) {
  phase("a trim by size leaves as much as fits");
  const uint32_t stream = stream_of(store, "sized");
  trim_by_bytes(store, stream, 0, 0); /* empty */
  for (uint64_t i = 0; i < 10000; i += 100) {
    add_numbered(store, stream, i, 100, 100);
  }
  trim_by_bytes(store, stream, UINT64_MAX, 0);
  trim_by_bytes(store, stream, 1000000, 0);
  trim_by_bytes(store, stream, 999999, 1);
  trim_by_bytes(store, stream, 900100, 999);
  trim_by_bytes(store, stream, 900100, 999);
  trim_by_bytes(store, stream, 499950, 5001); /* more than one look back */
  check_range(store, stream, 5001, 10000);
  for (uint64_t i = 0; i < 3; i++) {
    add_numbered(store, stream, 10000 + i, 1, 0); /* records without bytes cost nothing */
  }
  trim_by_bytes(store, stream, 99, 10000);
  trim_by_bytes(store, stream, 0, 10000);
  check_range(store, stream, 10000, 10003);
  EXPECT(SPW_OK, spw_store_trim_bytes(store, stream, 0, NULL, &err));
  uint64_t begin = 4711;
  EXPECT(SPW_NOT_FOUND, spw_store_trim_bytes(store, 99, 5, &begin, &err));
  CHECK_EQUAL(begin, SPW_SEQ_NONE);
}

/* One thread adds, two trim in their own way, one reads; every record is counted once. */
typedef struct crowd {
  spw_store* store;
  uint32_t stream;
  int done;
  uint64_t added;
} crowd;

enum { kCrowdBatch = 20, kCrowdBatches = 400 };

static void* add_all(void* context) {
  crowd* self = context;
  for (int i = 0; i < kCrowdBatches; i++) {
    self->added =
        add_numbered(self->store, self->stream, self->added, kCrowdBatch, kRecord) + kCrowdBatch;
  }
  __atomic_store_n(&self->done, 1, __ATOMIC_RELEASE);
  return NULL;
}

static void* trim_small(void* context) {
  crowd* self = context;
  while (!__atomic_load_n(&self->done, __ATOMIC_ACQUIRE)) {
    uint64_t begin = 0;
    EXPECT(SPW_OK, spw_store_trim_bytes(self->store, self->stream, 300000, &begin, &err));
    CHECK(begin <= stream_stats_of(self->store, self->stream).begin_seq);
  }
  return NULL;
}

static void* trim_halves(void* context) {
  crowd* self = context;
  while (!__atomic_load_n(&self->done, __ATOMIC_ACQUIRE)) {
    const spw_stream_stats stats = stream_stats_of(self->store, self->stream);
    EXPECT(SPW_OK,
           spw_store_trim(self->store, self->stream, (stats.begin_seq + stats.tail_seq) / 2, &err));
  }
  return NULL;
}

static void* read_what_is_there(void* context) {
  crowd* self = context;
  while (!__atomic_load_n(&self->done, __ATOMIC_ACQUIRE)) {
    spw_cursor* cursor = open_cursor(self->store, self->stream);
    uint64_t begin, end;
    EXPECT(SPW_OK, spw_cursor_range(cursor, &begin, &end, &err));
    uint64_t seq = begin;
    while (seq < end) {
      spw_view view = empty_view();
      const spw_status status =
          spw_cursor_next(cursor, 50, SPW_NO_LIMIT, SPW_NO_WAIT, NULL, &view, NULL);
      if (status == SPW_TRIMMED) {
        seq = stream_stats_of(self->store, self->stream).begin_seq;
        seq = seq < end ? seq : end;
        EXPECT(SPW_OK, spw_cursor_seek(cursor, seq, &err));
        continue;
      }
      REQUIRE(status == SPW_OK && view.first_seq == seq && view.count > 0);
      for (uint64_t i = 0; i < view.count; i++) {
        CHECK(is_record(view.data + view.begin[i], kRecord, seq + i));
      }
      seq += view.count;
    }
    spw_cursor_free(cursor);
  }
  return NULL;
}

static void many_at_once(const char* path) {
  phase("trims from several threads while others add and read");
  const int64_t tier = path != NULL ? SPW_OPT_COLD_TIER : 0;
  crowd self;
  memset(&self, 0, sizeof self);
  self.store = open_store(
      path, PAIRS(SPW_OPT_BUDGET_BYTES, 512 * kKiB, SPW_OPT_WHEN_FULL, SPW_WHEN_FULL_BLOCK, tier,
                  is_sqlite() ? SPW_TIER_SQLITE : SPW_TIER_BLOCK_FILE));
  self.stream = stream_of(self.store, "a");
  void* (*const bodies[])(void*) = {add_all, trim_small, trim_halves, read_what_is_there};
  pthread_t threads[4];
  for (size_t i = 0; i < 4; i++) {
    REQUIRE(pthread_create(&threads[i], NULL, bodies[i], &self) == 0);
  }
  for (size_t i = 0; i < 4; i++) {
    pthread_join(threads[i], NULL);
  }
  const spw_stream_stats stats = stream_stats_of(self.store, self.stream);
  CHECK_EQUAL(stats.tail_seq, kCrowdBatch * kCrowdBatches);
  check_range(self.store, self.stream, stats.begin_seq, stats.tail_seq);
  CHECK_EQUAL(stats_of(self.store).records_trimmed, stats.begin_seq);
  CHECK_EQUAL(stats_of(self.store).records_live, stats.tail_seq - stats.begin_seq);
  close_store(self.store);
}

int main(void) {
  in_memory();
  on_disk();
  spw_store* store = open_store(NULL, PAIRS(0));
  by_time(store);
  by_bytes(store);
  close_store(store);
  /* So small that most of it is cold when it is trimmed. */
  store = open_store(temp_path("ways"), PAIRS(ON_DISK, SPW_OPT_BUDGET_BYTES, 256 * kKiB));
  by_time(store);
  by_bytes(store);
  CHECK(stats_of(store).cold_reads > 0);
  close_store(store);
  many_at_once(NULL);
  many_at_once(temp_path("crowd"));
  return check_finish();
}
