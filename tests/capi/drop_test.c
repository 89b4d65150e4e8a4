/* Stores that give records up when they are full: the newest that come, or the oldest that are
 * there; every one of them is counted. And a bounded queue, which waits for a trim. */
#define _GNU_SOURCE 1
#include "fixture.h"

enum { kRecord = 1000, kBatch = 20 };

static spw_status add_batch(spw_store* store, uint32_t stream, uint64_t number, uint64_t* seq) {
  packed batch = pack(number, kBatch, kRecord);
  const spw_status status =
      spw_store_add(store, stream, batch.data, batch.offsets[kBatch], batch.offsets, kBatch, NULL,
                    SPW_WAIT_FOREVER, NULL, seq, &err);
  unpack(batch);
  return status;
}

/* Drains the events; how many records they say were dropped from `stream`. */
static uint64_t dropped_events(spw_store* store, uint32_t stream, int with_seq) {
  spw_event events[256];
  size_t count = 0;
  uint64_t records = 0;
  EXPECT(SPW_OK, spw_store_events(store, events, sizeof events[0], 256, &count, &err));
  for (size_t i = 0; i < count; i++) {
    if (events[i].kind == SPW_EVENT_DROPPED) {
      CHECK_EQUAL(events[i].stream, stream);
      CHECK((events[i].seq != SPW_SEQ_NONE) == with_seq);
      records += events[i].count;
    }
  }
  return records;
}

static void drop_newest(void) {
  phase("a stream that drops the newest takes what fits and counts the rest");
  spw_store* store = open_store(
      NULL, PAIRS(SPW_OPT_BUDGET_BYTES, 256 * kKiB, SPW_OPT_WHEN_FULL, SPW_WHEN_FULL_DROP_NEWEST));
  const uint32_t stream = stream_of(store, "a");
  uint64_t taken = 0, dropped = 0;
  for (int i = 0; i < 50; i++) {
    uint64_t seq = 4711;
    EXPECT(SPW_OK, add_batch(store, stream, taken, &seq));
    if (seq == SPW_SEQ_NONE) {
      dropped++;
    } else {
      CHECK_EQUAL(seq, taken);
      taken += kBatch;
    }
  }
  CHECK(taken > 0 && dropped > 0);
  spw_stats stats = stats_of(store);
  CHECK_EQUAL(stats.batches_dropped, dropped);
  CHECK_EQUAL(stats.records_dropped, dropped * kBatch);
  CHECK_EQUAL(stats.records_added, taken);
  CHECK_EQUAL(stats.adds_refused, 0);
  CHECK_EQUAL(stats.waits, 0);
  CHECK_EQUAL(read_all(store, stream), taken);
  CHECK_EQUAL(dropped_events(store, stream, 0), dropped * kBatch);
  EXPECT(SPW_OK, spw_store_clear(store, stream, &err)); /* and it takes again when there is room */
  uint64_t seq = 0;
  EXPECT(SPW_OK, add_batch(store, stream, taken, &seq));
  CHECK_EQUAL(seq, taken);
  packed batch = pack(0, 1000, kRecord); /* one that can never fit is an error */
  EXPECT(SPW_TOO_BIG, spw_store_add(store, stream, batch.data, batch.offsets[1000], batch.offsets,
                                    1000, NULL, SPW_WAIT_FOREVER, NULL, &seq, &err));
  CHECK_EQUAL(seq, SPW_SEQ_NONE);
  unpack(batch);
  CHECK_EQUAL(stats_of(store).batches_dropped, dropped);
  close_store(store);
}

static void drop_newest_on_disk(void) {
  phase("a store on disk that drops the newest loses nothing that it took");
  const char* path = temp_path("newest");
  spw_store* store = open_store(path, PAIRS(ON_DISK, SPW_OPT_BUDGET_BYTES, 256 * kKiB));
  const uint32_t stream =
      stream_with(store, "a", PAIRS(SPW_OPT_WHEN_FULL, SPW_WHEN_FULL_DROP_NEWEST));
  uint64_t taken = 0;
  for (int i = 0; i < 100000 && stats_of(store).batches_dropped < 10; i++) {
    uint64_t seq = 4711;
    EXPECT(SPW_OK, add_batch(store, stream, taken, &seq));
    CHECK(seq == taken || seq == SPW_SEQ_NONE);
    taken += seq == SPW_SEQ_NONE ? 0 : kBatch;
  }
  CHECK_EQUAL(stats_of(store).batches_dropped, 10);
  CHECK_EQUAL(read_all(store, stream), taken);
  close_store(store);
  store = open_store(path, PAIRS(ON_DISK));
  CHECK_EQUAL(read_all(store, stream_of(store, "a")), taken);
  close_store(store);
}

static void ring(void) {
  phase("a ring drops its oldest records to make room, and counts them");
  spw_store* store = open_store(NULL, PAIRS(SPW_OPT_BUDGET_BYTES, 512 * kKiB));
  const uint32_t stream =
      stream_with(store, "a", PAIRS(SPW_OPT_WHEN_FULL, SPW_WHEN_FULL_DROP_OLDEST));
  for (uint64_t i = 0; i < 200; i++) {
    uint64_t seq = 4711;
    EXPECT(SPW_OK, add_batch(store, stream, i * kBatch, &seq));
    CHECK_EQUAL(seq, i * kBatch);
  }
  spw_stats stats = stats_of(store);
  const uint64_t tail = 200 * kBatch, begin = stream_stats_of(store, stream).begin_seq;
  CHECK_EQUAL(stream_stats_of(store, stream).tail_seq, tail);
  CHECK_EQUAL(stats.records_overwritten, begin);
  CHECK_EQUAL(stats.records_live, tail - begin);
  CHECK_EQUAL(stats.records_trimmed + stats.records_cleared + stats.records_dropped, 0);
  CHECK(stats.bytes_resident_peak <= stats.bytes_hard);
  CHECK((tail - begin) * kRecord > stats.bytes_hard / 2); /* it drops no more than it has to */
  CHECK_EQUAL(dropped_events(store, stream, 1), begin);
  spw_cursor* cursor = open_cursor(store, stream);
  CHECK_EQUAL(read_on(cursor, begin, 0), tail - begin);
  spw_cursor_free(cursor);

  phase("a ring drops only what is its own");
  const uint32_t other = stream_of(store, "other");
  CHECK_EQUAL(stats_of(store).adds_refused, 0);
  EXPECT(SPW_WOULD_BLOCK, add_batch(store, other, 0, (uint64_t[]){0}));
  EXPECT(SPW_OK, spw_store_clear(store, stream, &err));
  uint64_t held = 0;
  for (err = NULL;; held += kBatch) {
    uint64_t seq = 0;
    const spw_status status = add_batch(store, other, held, &seq);
    spw_error_free(err);
    err = NULL;
    if (status != SPW_OK) {
      CHECK_EQUAL(status, SPW_WOULD_BLOCK);
      break;
    }
    REQUIRE(held < tail);
  }
  EXPECT(SPW_WOULD_BLOCK, add_batch(store, stream, tail, (uint64_t[]){0}));
  CHECK_EQUAL(read_all(store, other), held);
  close_store(store);
}

static void ring_of_records(void) {
  phase("a ring by its number of records");
  spw_store* store = open_store(NULL, PAIRS(SPW_OPT_WHEN_FULL, SPW_WHEN_FULL_DROP_OLDEST));
  const uint32_t stream = stream_with(store, "a", PAIRS(SPW_OPT_BUDGET_RECORDS, 1000));
  for (uint64_t i = 0; i < 3000; i++) {
    CHECK_EQUAL(add_numbered(store, stream, i, 1, 10), i);
    CHECK(stream_stats_of(store, stream).records_resident <= 1300);
  }
  const spw_stream_stats stats = stream_stats_of(store, stream);
  CHECK(stats.tail_seq - stats.begin_seq > 1200);
  CHECK_EQUAL(stats_of(store).records_overwritten, stats.begin_seq);
  spw_cursor* cursor = open_cursor(store, stream);
  CHECK_EQUAL(read_on(cursor, stats.begin_seq, 0), 3000 - stats.begin_seq);
  spw_cursor_free(cursor);
  close_store(store);
}

static void rings_are_for_memory(void) {
  phase("a store with a cold tier is no ring");
  const char* path = temp_path("ring");
  try_open(path, PAIRS(ON_DISK, SPW_OPT_WHEN_FULL, SPW_WHEN_FULL_DROP_OLDEST),
           SPW_INVALID_ARGUMENT);
  CHECK(!exists(path));
  spw_store* store = open_store(path, PAIRS(ON_DISK));
  spw_options* options = make_options(PAIRS(SPW_OPT_WHEN_FULL, SPW_WHEN_FULL_DROP_OLDEST));
  uint32_t stream = 7;
  EXPECT(SPW_INVALID_ARGUMENT,
         spw_store_stream(store, "a", 1, options, SPW_STREAM_CREATE, &stream, &err));
  spw_options_free(options);
  CHECK_EQUAL(stats_of(store).streams, 0);
  stream = stream_of(store, "a");
  EXPECT(SPW_INVALID_ARGUMENT,
         spw_store_set_i64(store, stream, SPW_OPT_WHEN_FULL, SPW_WHEN_FULL_DROP_OLDEST, &err));
  int64_t value = 0;
  EXPECT(SPW_OK, spw_store_get_i64(store, stream, SPW_OPT_WHEN_FULL, &value, &err));
  CHECK(value == SPW_WHEN_FULL_BLOCK);
  close_store(store);
}

/* ---- A queue in memory: one adds as fast as it goes, one reads and trims what it has read. ------
 */

enum { kQueueBatches = 500 };

static void* produce(void* context) {
  spw_store* store = context;
  for (uint64_t i = 0; i < kQueueBatches; i++) {
    uint64_t seq = 4711;
    EXPECT(SPW_OK, add_batch(store, 0, i * kBatch, &seq));
    CHECK_EQUAL(seq, i * kBatch);
  }
  return NULL;
}

static void queue(void) {
  phase("a bounded queue in memory waits for a trim");
  spw_store* store = open_store(
      NULL, PAIRS(SPW_OPT_BUDGET_BYTES, 256 * kKiB, SPW_OPT_WHEN_FULL, SPW_WHEN_FULL_BLOCK));
  const uint32_t stream = stream_of(store, "a");
  pthread_t producer;
  REQUIRE(pthread_create(&producer, NULL, produce, store) == 0);
  POLL_UNTIL(stats_of(store).adders_waiting == 1);
  for (uint64_t seq = 0; seq < kQueueBatches * kBatch;) {
    spw_cursor* cursor = open_cursor(store, stream);
    seq += read_on(cursor, seq, 0);
    spw_cursor_free(cursor);
    EXPECT(SPW_OK, spw_store_trim(store, stream, seq, &err));
  }
  pthread_join(producer, NULL);
  const spw_stats stats = stats_of(store);
  CHECK(stats.waits > 0 && stats.records_live == 0);
  CHECK_EQUAL(stats.records_trimmed, kQueueBatches * kBatch);
  close_store(store);
}

int main(void) {
  drop_newest();
  drop_newest_on_disk();
  ring();
  ring_of_records();
  rings_are_for_memory();
  queue();
  return check_finish();
}
