/* At the hard limit: who waits, for how long, and what it takes to go on. And operations, which end
 * a wait. */
#define _GNU_SOURCE 1
#include "fixture.h"

enum { kRecord = 1000, kBatch = 20 };

/* ---- A full store -------------------------------------------------------------------------------
 */

static spw_status add_some(spw_store* store, uint32_t stream, size_t count, int64_t timeout_ms,
                           spw_op* op, uint64_t* seq) {
  packed batch = pack(stream_stats_of(store, stream).tail_seq, count, kRecord);
  *seq = 4711;
  const spw_status status = spw_store_add(store, stream, batch.data, batch.offsets[count],
                                          batch.offsets, count, NULL, timeout_ms, op, seq, &err);
  unpack(batch);
  return status;
}

/* Adds without waiting until it does not go on. Returns how many records there are. */
static uint64_t fill_up(spw_store* store, uint32_t stream) {
  for (;;) {
    uint64_t seq;
    err = NULL;
    const spw_status status = add_some(store, stream, kBatch, SPW_NO_WAIT, NULL, &seq);
    spw_error_free(err);
    if (status != SPW_OK) {
      CHECK_EQUAL(status, SPW_WOULD_BLOCK);
      CHECK_EQUAL(seq, SPW_SEQ_NONE);
      return stream_stats_of(store, stream).tail_seq;
    }
    REQUIRE(seq < 100000);
  }
}

static void full_by_bytes(void) {
  phase("a store in memory takes records up to its hard limit in bytes");
  spw_store* store = open_store(NULL, PAIRS(SPW_OPT_BUDGET_BYTES, kMiB));
  const uint32_t stream = stream_of(store, "a");
  const uint64_t records = fill_up(store, stream);
  spw_stats stats = stats_of(store);
  CHECK(records * kRecord > kMiB / 2 && records * kRecord <= stats.bytes_hard);
  CHECK(stats.bytes_resident <= stats.bytes_hard && stats.bytes_resident_peak <= stats.bytes_hard);
  CHECK_EQUAL(stats.bytes_hard, kMiB + kMiB * 3 / 10);
  CHECK_EQUAL(stats.adds_refused, 1);
  CHECK_EQUAL(read_all(store, stream), records); /* it can be read all the same */
  uint64_t seq;
  EXPECT(SPW_WOULD_BLOCK, add_some(store, stream, kBatch, SPW_WAIT_FOREVER, NULL, &seq)); /* fail */
  EXPECT(SPW_TOO_BIG, add_some(store, stream, 2000, SPW_WAIT_FOREVER, NULL, &seq));
  EXPECT(SPW_OK, spw_store_clear(store, stream, &err));
  CHECK_EQUAL(stats_of(store).records_live, 0);
  EXPECT(SPW_OK, add_some(store, stream, kBatch, SPW_NO_WAIT, NULL, &seq));
  CHECK_EQUAL(seq, records);
  close_store(store);
}

static void full_by_records(void) {
  phase("a store in memory takes records up to its hard limit in records");
  spw_store* store = open_store(NULL, PAIRS(SPW_OPT_BUDGET_RECORDS, 100));
  const uint32_t stream = stream_of(store, "a");
  uint64_t seq;
  EXPECT(SPW_TOO_BIG, add_some(store, stream, 131, SPW_NO_WAIT, NULL, &seq));
  EXPECT(SPW_OK, add_some(store, stream, 100, SPW_NO_WAIT, NULL, &seq));
  EXPECT(SPW_WOULD_BLOCK, add_some(store, stream, 31, SPW_NO_WAIT, NULL, &seq));
  EXPECT(SPW_OK, add_some(store, stream, 30, SPW_NO_WAIT, NULL, &seq));
  EXPECT(SPW_WOULD_BLOCK, add_some(store, stream, 1, SPW_NO_WAIT, NULL, &seq));
  CHECK_EQUAL(stats_of(store).records_resident_peak, 130);
  EXPECT(SPW_OK, spw_store_clear(store, stream, &err));
  EXPECT(SPW_OK, add_some(store, stream, 130, SPW_NO_WAIT, NULL, &seq));
  CHECK_EQUAL(seq, 130);
  EXPECT(SPW_WOULD_BLOCK, add_some(store, stream, 1, SPW_NO_WAIT, NULL, &seq));
  close_store(store);
}

static void full_stream(void) {
  phase("a stream at its own limit does not stop the others");
  spw_store* store = open_store(NULL, PAIRS(0));
  const uint32_t small = stream_with(store, "small", PAIRS(SPW_OPT_BUDGET_RECORDS, 10));
  const uint32_t large = stream_of(store, "large");
  uint64_t seq;
  EXPECT(SPW_TOO_BIG, add_some(store, small, 14, SPW_NO_WAIT, NULL, &seq));
  EXPECT(SPW_OK, add_some(store, small, 13, SPW_NO_WAIT, NULL, &seq));
  EXPECT(SPW_WOULD_BLOCK, add_some(store, small, 1, SPW_NO_WAIT, NULL, &seq));
  EXPECT(SPW_OK, add_some(store, large, 1000, SPW_NO_WAIT, NULL, &seq));
  EXPECT(SPW_OK, spw_store_clear(store, small, &err));
  EXPECT(SPW_OK, add_some(store, small, 13, SPW_NO_WAIT, NULL, &seq));
  CHECK_EQUAL(stream_stats_of(store, small).tail_seq, 26);
  close_store(store);
}

static void timeouts(void) {
  phase("an add waits as long as it was told");
  spw_store* store = open_store(NULL, PAIRS(SPW_OPT_BUDGET_BYTES, 256 * kKiB, SPW_OPT_WHEN_FULL,
                                            SPW_WHEN_FULL_BLOCK, SPW_OPT_TIMEOUT_MS, 30));
  const uint32_t stream = stream_of(store, "a");
  const uint64_t records = fill_up(store, stream);
  uint64_t seq;
  const uint64_t begin_ms = now_ms();
  EXPECT(SPW_TIMEOUT, add_some(store, stream, kBatch, 60, NULL, &seq));
  CHECK_EQUAL(seq, SPW_SEQ_NONE);
  const uint64_t middle_ms = now_ms();
  CHECK(middle_ms - begin_ms >= 59 && middle_ms - begin_ms < 10000);
  EXPECT(SPW_TIMEOUT, add_some(store, stream, kBatch, SPW_WAIT_DEFAULT, NULL, &seq));
  CHECK(now_ms() - middle_ms >= 29);
  EXPECT(SPW_OK, spw_store_set_i64(store, SPW_ALL, SPW_OPT_TIMEOUT_MS, 0, &err));
  EXPECT(SPW_WOULD_BLOCK, add_some(store, stream, kBatch, SPW_WAIT_DEFAULT, NULL, &seq));
  const spw_stats stats = stats_of(store);
  CHECK(stats.waits >= 2 && stats.wait_ns_max >= 59000000 && stats.adds_refused == 4);
  CHECK(stats.wait_ns_total >= 88000000);
  CHECK_EQUAL(read_all(store, stream), records);

  phase("a stream's own word on what to do counts");
  EXPECT(SPW_OK, spw_store_set_i64(store, stream, SPW_OPT_WHEN_FULL, SPW_WHEN_FULL_FAIL, &err));
  EXPECT(SPW_WOULD_BLOCK, add_some(store, stream, kBatch, SPW_WAIT_FOREVER, NULL, &seq));
  close_store(store);
}

/* ---- A waiting add ------------------------------------------------------------------------------
 */

typedef struct waiter {
  pthread_t thread;
  spw_store* store;
  uint32_t stream;
  spw_op* op;
  spw_status status;
  uint64_t seq;
} waiter;

static void* wait_for_room(void* context) {
  waiter* self = context;
  do { /* is_running may be using the op just now */
    err = NULL;
    self->status =
        add_some(self->store, self->stream, kBatch, SPW_WAIT_FOREVER, self->op, &self->seq);
    spw_error_free(err);
  } while (self->status == SPW_INVALID_STATE);
  return NULL;
}

/* An op that is in use is refused by another call. */
static int is_running(const waiter* self) {
  spw_cursor* cursor = open_cursor(self->store, self->stream);
  spw_view view = empty_view();
  const spw_status status = spw_cursor_next(cursor, 1, 1, SPW_WAIT_FOREVER, self->op, &view, NULL);
  spw_cursor_free(cursor);
  return status == SPW_INVALID_STATE;
}

static waiter start_waiter(void) {
  waiter self;
  memset(&self, 0, sizeof self);
  self.store = open_store(
      NULL, PAIRS(SPW_OPT_BUDGET_BYTES, 256 * kKiB, SPW_OPT_WHEN_FULL, SPW_WHEN_FULL_BLOCK));
  self.stream = stream_of(self.store, "a");
  fill_up(self.store, self.stream);
  EXPECT(SPW_OK, spw_op_new(&self.op, &err));
  return self;
}

static void clear_wakes(void) {
  phase("clear makes room, and who waits for it goes on");
  waiter self = start_waiter();
  const uint64_t records = stream_stats_of(self.store, self.stream).tail_seq;
  REQUIRE(pthread_create(&self.thread, NULL, wait_for_room, &self) == 0);
  POLL_UNTIL(is_running(&self));
  EXPECT(SPW_OK, spw_store_clear(self.store, self.stream, &err));
  pthread_join(self.thread, NULL);
  CHECK_EQUAL(self.status, SPW_OK);
  CHECK_EQUAL(self.seq, records);
  spw_op_free(self.op);
  close_store(self.store);
}

static void larger_budget_wakes(void) {
  phase("a larger budget makes room, and who waits for it goes on");
  waiter self = start_waiter();
  REQUIRE(pthread_create(&self.thread, NULL, wait_for_room, &self) == 0);
  POLL_UNTIL(is_running(&self));
  EXPECT(SPW_OK, spw_store_set_i64(self.store, SPW_ALL, SPW_OPT_BUDGET_BYTES, 16 * kMiB, &err));
  pthread_join(self.thread, NULL);
  CHECK_EQUAL(self.status, SPW_OK);
  spw_op_free(self.op);
  close_store(self.store);
}

static void close_wakes(void) {
  phase("close wakes who waits");
  waiter self = start_waiter();
  REQUIRE(pthread_create(&self.thread, NULL, wait_for_room, &self) == 0);
  POLL_UNTIL(is_running(&self));
  EXPECT(SPW_OK, spw_store_close(self.store, 0, SPW_WAIT_FOREVER, NULL, &err));
  pthread_join(self.thread, NULL);
  CHECK_EQUAL(self.status, SPW_CLOSED);
  CHECK_EQUAL(self.seq, SPW_SEQ_NONE);
  spw_op_free(self.op);
  spw_store_free(self.store);
}

static void cancel_wakes(void) {
  phase("cancel wakes who waits, and its batch is not there");
  waiter self = start_waiter();
  const uint64_t records = stream_stats_of(self.store, self.stream).tail_seq;
  REQUIRE(pthread_create(&self.thread, NULL, wait_for_room, &self) == 0);
  POLL_UNTIL(is_running(&self));
  uint64_t seq;
  EXPECT(SPW_INVALID_STATE, add_some(self.store, self.stream, 1, SPW_NO_WAIT, self.op, &seq));
  spw_op_cancel(self.op);
  spw_op_cancel(self.op);
  pthread_join(self.thread, NULL);
  CHECK_EQUAL(self.status, SPW_CANCELLED);
  CHECK_EQUAL(self.seq, SPW_SEQ_NONE);
  CHECK_EQUAL(read_all(self.store, self.stream), records);

  phase("a cancelled operation is so for good");
  EXPECT(SPW_OK, spw_store_clear(self.store, self.stream, &err));
  EXPECT(SPW_CANCELLED, add_some(self.store, self.stream, 1, SPW_WAIT_FOREVER, self.op, &seq));
  CHECK_EQUAL(seq, SPW_SEQ_NONE);
  CHECK_EQUAL(stats_of(self.store).records_live, 0);
  spw_op_free(self.op);
  EXPECT(SPW_OK, spw_op_new(&self.op, &err)); /* another one serves call after call */
  EXPECT(SPW_OK, add_some(self.store, self.stream, 1, SPW_WAIT_FOREVER, self.op, &seq));
  EXPECT(SPW_OK, add_some(self.store, self.stream, 1, SPW_WAIT_FOREVER, self.op, &seq));
  spw_op_free(self.op);
  close_store(self.store);
}

static void op_freed_while_it_runs(void) {
  phase("an operation may be freed while its call runs");
  waiter self = start_waiter();
  REQUIRE(pthread_create(&self.thread, NULL, wait_for_room, &self) == 0);
  POLL_UNTIL(is_running(&self));
  spw_op_free(self.op);
  EXPECT(SPW_OK, spw_store_clear(self.store, self.stream, &err));
  pthread_join(self.thread, NULL);
  CHECK_EQUAL(self.status, SPW_OK);
  close_store(self.store);
}

/* ---- On disk ------------------------------------------------------------------------------------
 */

static void disk_store_that_fails(void) {
  phase("a store on disk that may not wait refuses, and loses nothing");
  spw_store* store = open_store(temp_path("fail"), PAIRS(ON_DISK, SPW_OPT_BUDGET_BYTES, 256 * kKiB,
                                                         SPW_OPT_WHEN_FULL, SPW_WHEN_FULL_FAIL));
  const uint32_t stream = stream_of(store, "a");
  uint64_t added = 0, refused = 0;
  for (int i = 0; i < 100000 && refused < 10; i++) {
    uint64_t seq;
    err = NULL;
    const spw_status status = add_some(store, stream, 100, SPW_WAIT_FOREVER, NULL, &seq);
    spw_error_free(err);
    if (status == SPW_OK) {
      CHECK_EQUAL(seq, added);
      added += 100;
    } else {
      CHECK(status == SPW_WOULD_BLOCK && seq == SPW_SEQ_NONE);
      refused++;
    }
  }
  CHECK_EQUAL(refused, 10);
  CHECK_EQUAL(stats_of(store).adds_refused, refused);
  CHECK_EQUAL(read_all(store, stream), added);
  uint64_t seq; /* and it goes on once there is room */
  POLL_UNTIL(spw_store_add(store, stream, "x", 1, (const uint64_t[]){0, 1}, 1, NULL, SPW_NO_WAIT,
                           NULL, &seq, NULL) == SPW_OK);
  close_store(store);
}

static void batch_above_the_budget(void) {
  phase("a store on disk takes a batch larger than its whole budget");
  const char* path = temp_path("above");
  spw_store* store = open_store(
      path, PAIRS(ON_DISK, SPW_OPT_BUDGET_BYTES, 256 * kKiB, SPW_OPT_BUDGET_RECORDS, 50));
  const uint32_t stream = stream_of(store, "a");
  for (uint64_t i = 0; i < 3; i++) {
    CHECK_EQUAL(add_numbered(store, stream, i * 1010, 10, 1000), i * 1010);
    CHECK_EQUAL(add_numbered(store, stream, i * 1010 + 10, 1000, 1000), i * 1010 + 10);
  }
  const spw_stats stats = stats_of(store);
  CHECK(stats.bytes_resident_peak <= stats.bytes_hard);
  CHECK(stats.records_resident_peak <= stats.records_hard);
  CHECK_EQUAL(read_all(store, stream), 3030);
  close_store(store);
  store = open_store(path, PAIRS(ON_DISK));
  CHECK_EQUAL(read_all(store, stream), 3030);
  close_store(store);
}

static void progress_of_flush(void) {
  phase("an operation says how far a flush is");
  spw_store* store = open_store(temp_path("progress"), PAIRS(ON_DISK));
  const uint32_t stream = stream_of(store, "a");
  add_numbered(store, stream, 0, 1000, 1000);
  spw_op* op = NULL;
  EXPECT(SPW_OK, spw_op_new(&op, &err));
  uint64_t done = 9, total = 9;
  spw_op_progress(op, &done, &total);
  CHECK(done == 0 && total == 0);
  EXPECT(SPW_OK, spw_store_flush(store, SPW_FLUSH_DEVICE, SPW_WAIT_FOREVER, op, &err));
  spw_op_progress(op, &done, &total);
  CHECK_EQUAL(done, 1000);
  CHECK_EQUAL(total, 1000);
  spw_op_progress(op, NULL, NULL);
  spw_op_free(op);
  close_store(store);
}

int main(void) {
  full_by_bytes();
  full_by_records();
  full_stream();
  timeouts();
  clear_wakes();
  larger_budget_wakes();
  close_wakes();
  cancel_wakes();
  op_freed_while_it_runs();
  disk_store_that_fails();
  batch_above_the_budget();
  progress_of_flush();
  return check_finish();
}
