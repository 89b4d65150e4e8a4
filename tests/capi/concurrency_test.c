/* Many threads on one store: writers, readers, samplers, one that is cancelled. Nothing is lost,
 * nothing comes twice, and no number runs backwards. */
#define _GNU_SOURCE 1
#include "fixture.h"

enum { kWriters = 8, kRecordBytes = 64 };

/* What a record says: who wrote it, and the how manyeth of that writer it is. */
typedef struct mark {
  uint64_t writer;
  uint64_t index;
} mark;

typedef struct writer {
  pthread_t thread;
  spw_store* store;
  uint32_t stream;
  uint64_t id;
  uint64_t batches;
  size_t batch_records;
  spw_op* op;     /* NULL, or what cancels it */
  uint64_t added; /* records; read when it has ended */
  spw_status last;
} writer;

static void* write_batches(void* context) {
  writer* self = context;
  uint8_t* data = calloc(self->batch_records, kRecordBytes);
  uint64_t* offsets = malloc((self->batch_records + 1) * sizeof *offsets);
  REQUIRE(data != NULL && offsets != NULL);
  for (size_t i = 0; i <= self->batch_records; i++) {
    offsets[i] = i * kRecordBytes;
  }
  self->last = SPW_OK;
  uint64_t last_seq = 0;
  for (uint64_t batch = 0; batch < self->batches && self->last == SPW_OK; batch++) {
    for (size_t i = 0; i < self->batch_records; i++) {
      const mark said = {self->id, batch * self->batch_records + i};
      memcpy(data + i * kRecordBytes, &said, sizeof said);
    }
    uint64_t seq = 0;
    self->last =
        spw_store_add(self->store, self->stream, data, offsets[self->batch_records], offsets,
                      self->batch_records, NULL, SPW_WAIT_FOREVER, self->op, &seq, NULL);
    CHECK((self->last == SPW_OK) == (seq != SPW_SEQ_NONE));
    CHECK(self->last != SPW_OK || batch == 0 || seq > last_seq);
    self->added += self->last == SPW_OK ? self->batch_records : 0;
    last_seq = seq;
  }
  free(data);
  free(offsets);
  return NULL;
}

static void start(writer* self, spw_store* store, uint32_t stream, uint64_t id, uint64_t batches,
                  size_t batch_records) {
  memset(self, 0, sizeof *self);
  self->store = store;
  self->stream = stream;
  self->id = id;
  self->batches = batches;
  self->batch_records = batch_records;
}

/* Reads what is there: sequence numbers without a gap, every writer's records in their order, whole
 * batches. Returns how many records. */
static uint64_t check_prefix(spw_store* store, uint32_t stream, size_t batch_records) {
  spw_cursor* cursor = open_cursor(store, stream);
  uint64_t next_index[kWriters] = {0};
  uint64_t records = 0, wrong = 0;
  for (;;) {
    spw_view view = empty_view();
    if (!EXPECT(SPW_OK, spw_cursor_next(cursor, 777, SPW_NO_LIMIT, 0, NULL, &view, &err)) ||
        view.count == 0) {
      break;
    }
    wrong += view.first_seq != records ? 1 : 0;
    for (uint64_t i = 0; i < view.count; i++) {
      mark said = {kWriters, 0};
      if (view.end[i] - view.begin[i] == kRecordBytes) {
        memcpy(&said, view.data + view.begin[i], sizeof said);
      }
      wrong += said.writer >= kWriters || said.index != next_index[said.writer]++ ? 1 : 0;
      wrong += said.writer >= kWriters ? 1 : 0;
    }
    records += view.count;
  }
  CHECK_EQUAL(wrong, 0);
  CHECK_EQUAL(records % batch_records, 0);
  spw_cursor_free(cursor);
  return records;
}

/* ---- Watching -----------------------------------------------------------------------------------
 */

typedef struct watcher {
  pthread_t thread;
  spw_store* store;
  uint32_t stream;
  int stop; /* atomic */
} watcher;

static void* watch(void* context) {
  watcher* self = context;
  spw_stats last = stats_of(self->store);
  spw_stream_stats last_of = stream_stats_of(self->store, self->stream);
  uint64_t wrong = 0;
  do {
    const uint64_t acknowledged = stats_of(self->store).records_added;
    const spw_stream_stats of = stream_stats_of(self->store, self->stream);
    const spw_stats now = stats_of(self->store);
    wrong += now.records_added < last.records_added || now.spills < last.spills ||
                     now.records_spilled < last.records_spilled || now.waits < last.waits
                 ? 1
                 : 0;
    wrong += now.bytes_resident > now.bytes_hard || now.bytes_resident_peak > now.bytes_hard ||
                     now.records_resident > now.records_hard
                 ? 1
                 : 0;
    wrong += of.begin_seq > of.spilled_seq || of.spilled_seq > of.tail_seq ? 1 : 0;
    wrong += of.tail_seq < last_of.tail_seq || of.spilled_seq < last_of.spilled_seq ? 1 : 0;
    wrong += of.tail_seq - of.begin_seq < acknowledged ? 1 : 0; /* what was added can be read */
    last = now;
    last_of = of;
    sched_yield();
  } while (!__atomic_load_n(&self->stop, __ATOMIC_ACQUIRE));
  CHECK_EQUAL(wrong, 0);
  return NULL;
}

/* ---- Tests --------------------------------------------------------------------------------------
 */

static void many_writers(const char* path, uint64_t batches, size_t batch_records) {
  printf("%d writers, %" PRIu64 " batches of %zu records each, %s\n", kWriters, batches,
         batch_records, path != NULL ? "spilling" : "in memory");
  spw_store* store =
      open_store(path, path != NULL ? PAIRS(ON_DISK, SPW_OPT_BUDGET_BYTES, 512 * kKiB) : PAIRS(0));
  const uint32_t stream = stream_of(store, "a");
  watcher sampler = {.store = store, .stream = stream};
  REQUIRE(pthread_create(&sampler.thread, NULL, watch, &sampler) == 0);
  writer all[kWriters];
  for (uint64_t i = 0; i < kWriters; i++) {
    start(&all[i], store, stream, i, batches, batch_records);
    REQUIRE(pthread_create(&all[i].thread, NULL, write_batches, &all[i]) == 0);
  }
  const uint64_t want = kWriters * batches * batch_records;
  uint64_t seen = 0;
  while (seen < want) { /* at any moment a cursor sees a prefix, and never less than before */
    const uint64_t now = check_prefix(store, stream, batch_records);
    CHECK(now >= seen);
    seen = now;
    if (seen < want && stats_of(store).records_added == 0) {
      sched_yield();
    }
  }
  for (int i = 0; i < kWriters; i++) {
    pthread_join(all[i].thread, NULL);
    CHECK(all[i].last == SPW_OK && all[i].added == batches * batch_records);
  }
  __atomic_store_n(&sampler.stop, 1, __ATOMIC_RELEASE);
  pthread_join(sampler.thread, NULL);
  CHECK_EQUAL(check_prefix(store, stream, batch_records), want);
  CHECK_EQUAL(stats_of(store).records_live, want);
  close_store(store);
  if (path != NULL) {
    store = open_store(path, PAIRS(ON_DISK));
    CHECK_EQUAL(check_prefix(store, stream, batch_records), want);
    close_store(store);
  }
}

static void cancel_one_of_many(void) {
  phase("cancelling one writer does not touch the others' records");
  spw_store* store =
      open_store(temp_path("cancel"), PAIRS(ON_DISK, SPW_OPT_BUDGET_BYTES, 256 * kKiB));
  const uint32_t stream = stream_of(store, "a");
  const uint64_t batches = is_watched() ? 50 : 400;
  writer all[4];
  for (uint64_t i = 0; i < 4; i++) {
    start(&all[i], store, stream, i, i == 0 ? UINT64_MAX : batches, 50);
    if (i == 0) {
      EXPECT(SPW_OK, spw_op_new(&all[i].op, &err));
    }
    REQUIRE(pthread_create(&all[i].thread, NULL, write_batches, &all[i]) == 0);
  }
  POLL_UNTIL(stats_of(store).spills > 2); /* in the middle of it */
  spw_op_cancel(all[0].op);
  uint64_t added = 0;
  for (int i = 0; i < 4; i++) {
    pthread_join(all[i].thread, NULL);
    CHECK_EQUAL(all[i].last, i == 0 ? SPW_CANCELLED : SPW_OK);
    CHECK(i == 0 || all[i].added == batches * 50);
    added += all[i].added;
  }
  spw_op_free(all[0].op);
  CHECK_EQUAL(check_prefix(store, stream, 50), added);
  close_store(store); /* and close does not hang */
}

static void close_under_writers(void) {
  phase("close while others write: what they were told is true");
  const char* path = temp_path("closing");
  spw_store* store = open_store(path, PAIRS(ON_DISK, SPW_OPT_BUDGET_BYTES, 256 * kKiB));
  const uint32_t stream = stream_of(store, "a");
  writer all[4];
  for (uint64_t i = 0; i < 4; i++) {
    start(&all[i], store, stream, i, UINT64_MAX, 20);
    REQUIRE(pthread_create(&all[i].thread, NULL, write_batches, &all[i]) == 0);
  }
  POLL_UNTIL(stats_of(store).spills > 1);
  EXPECT(SPW_OK, spw_store_close(store, 0, SPW_WAIT_FOREVER, NULL, &err));
  uint64_t added = 0;
  for (int i = 0; i < 4; i++) {
    pthread_join(all[i].thread, NULL);
    CHECK_EQUAL(all[i].last, SPW_CLOSED);
    added += all[i].added;
  }
  spw_store_free(store);
  store = open_store(path, PAIRS(ON_DISK));
  CHECK_EQUAL(check_prefix(store, stream, 20), added);
  close_store(store);
}

static void reader_that_writes(void) {
  phase("a reader that adds to what it reads comes to an end");
  spw_store* store =
      open_store(temp_path("echo"), PAIRS(ON_DISK, SPW_OPT_BUDGET_BYTES, 256 * kKiB));
  const uint32_t stream = stream_of(store, "a");
  for (uint64_t i = 0; i < 20; i++) {
    add_numbered(store, stream, i * 100, 100, 500);
  }
  spw_cursor* cursor = open_cursor(store, stream);
  uint64_t records = 0;
  for (;;) {
    spw_view view = empty_view();
    EXPECT(SPW_OK, spw_cursor_next(cursor, 50, SPW_NO_LIMIT, 0, NULL, &view, &err));
    if (view.count == 0) {
      break;
    }
    CHECK_EQUAL(view.first_seq, records);
    CHECK_EQUAL(add_numbered(store, stream, 2000 + records, view.count, 500), 2000 + records);
    CHECK(is_record(view.data + view.begin[0], 500, records)); /* the view is as it was */
    records += view.count;
  }
  CHECK_EQUAL(records, 2000);
  spw_cursor_free(cursor);
  CHECK_EQUAL(read_all(store, stream), 4000);
  close_store(store);
}

static void idle_reader(void) {
  phase("a reader that does nothing holds nobody up");
  spw_store* store =
      open_store(temp_path("idle"), PAIRS(ON_DISK, SPW_OPT_BUDGET_BYTES, 256 * kKiB));
  const uint32_t stream = stream_of(store, "a");
  add_numbered(store, stream, 0, 100, 1000);
  spw_cursor* idle = open_cursor(store, stream);
  spw_view view = empty_view();
  EXPECT(SPW_OK, spw_cursor_next(idle, 50, SPW_NO_LIMIT, 0, NULL, &view, &err));
  const uint64_t count = view.count;
  for (uint64_t i = 1; i < 50; i++) { /* twenty times the budget */
    add_numbered(store, stream, i * 100, 100, 1000);
  }
  const spw_stats stats = stats_of(store);
  CHECK(stats.bytes_resident_peak <= stats.bytes_hard && stats.bytes_pinned > 0);
  for (uint64_t i = 0; i < count; i++) {
    CHECK(is_record(view.data + view.begin[i], 1000, i));
  }
  CHECK_EQUAL(read_on(idle, count, 0), 100 - count); /* the rest of its snapshot, now on disk */
  spw_cursor_free(idle);
  POLL_UNTIL(stats_of(store).bytes_pinned == 0);
  close_store(store);
}

int main(void) {
  const uint64_t many = is_watched() ? 1000 : 100000;
  many_writers(NULL, 10, 100);
  many_writers(temp_path("ten_times"), 10, 100);
  many_writers(temp_path("many"), many / 100, 100);
  many_writers(temp_path("one_by_one"), is_watched() ? 100 : 2000, 1);
  cancel_one_of_many();
  close_under_writers();
  reader_that_writes();
  idle_reader();
  return check_finish();
}
