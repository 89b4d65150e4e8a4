/* Giving memory back: a store that settles holds nothing in memory and everything on the device,
 * and free memory goes back to the system when it is told to. */
#define _GNU_SOURCE 1
#include "fixture.h"

static void settles(void) {
  phase("a settled store holds no memory, and all of its records");
  const char* path = temp_path("settle");
  spw_store* store = open_store(path, PAIRS(ON_DISK, SPW_OPT_BUDGET_BYTES, 8 * kMiB));
  const uint32_t a = stream_of(store, "a"), b = stream_of(store, "b");
  for (uint64_t i = 0; i < 2000; i += 100) {
    add_numbered(store, a, i, 100, 1000);
    add_numbered(store, b, i, 100, 10);
  }
  EXPECT(SPW_WOULD_BLOCK, spw_store_settle(store, SPW_NO_WAIT, NULL, &err));
  spw_op* op = NULL;
  EXPECT(SPW_OK, spw_op_new(&op, &err));
  spw_cursor* cursor = open_cursor(store, a);
  spw_view view = empty_view();
  EXPECT(SPW_OK, spw_cursor_next(cursor, 10, SPW_NO_LIMIT, SPW_NO_WAIT, NULL, &view, &err));
  EXPECT(SPW_OK, spw_store_settle(store, SPW_WAIT_FOREVER, op, &err));
  uint64_t done = 0, total = 0;
  spw_op_progress(op, &done, &total);
  CHECK(done == total && total <= 4000);
  spw_stats stats = stats_of(store);
  CHECK_EQUAL(stats.bytes_unspilled + stats.bytes_clean, 0);
  CHECK_EQUAL(stats.records_resident, 0);
  CHECK_EQUAL(stats.records_cold, 4000);
  CHECK(stats.bytes_pinned > 0); /* the view is as it was */
  for (uint64_t i = 0; i < view.count; i++) {
    CHECK(is_record(view.data + view.begin[i], 1000, i));
  }
  CHECK_EQUAL(read_on(cursor, 10, 0), 1990);
  spw_cursor_free(cursor);
  CHECK_EQUAL(read_all(store, b), 2000);
  add_numbered(store, b, 2000, 1, 10); /* it goes on as before */
  CHECK_EQUAL(read_all(store, b), 2001);
  EXPECT(SPW_OK, spw_store_settle(store, SPW_WAIT_FOREVER, op, &err));
  EXPECT(SPW_OK, spw_store_settle(store, SPW_NO_WAIT, op, &err)); /* nothing to do */
  CHECK_EQUAL(stats_of(store).bytes_resident, 0);
  spw_op_cancel(op);
  add_numbered(store, b, 2001, 1, 10);
  EXPECT(SPW_CANCELLED, spw_store_settle(store, SPW_WAIT_FOREVER, op, &err));
  spw_op_free(op);
  EXPECT(SPW_OK, spw_store_close(store, SPW_CLOSE_DISCARD, SPW_NO_WAIT, NULL, &err));
  spw_store_free(store);
  store = open_store(path, PAIRS(ON_DISK)); /* what was settled is on the device */
  CHECK_EQUAL(read_all(store, stream_of(store, "a")), 2000);
  CHECK(read_all(store, stream_of(store, "b")) >= 2001);
  close_store(store);
}

static void memory_only(void) {
  phase("a store in memory cannot settle, but gives free memory back");
  spw_store* store = open_store(NULL, PAIRS(SPW_OPT_BUDGET_BYTES, 4 * kMiB));
  const uint32_t stream = stream_of(store, "a");
  EXPECT(SPW_UNSUPPORTED, spw_store_settle(store, SPW_WAIT_FOREVER, NULL, &err));
  add_numbered(store, stream, 0, 1000, 1000);
  EXPECT(SPW_OK, spw_store_trim(store, stream, 990, &err));
  spw_stats stats = stats_of(store);
  CHECK(stats.bytes_free > 0 && stats.bytes_unspilled > 0);
  EXPECT(SPW_OK, spw_store_release_memory(store, &err));
  CHECK_EQUAL(stats_of(store).bytes_free, 0);
  CHECK_EQUAL(stats_of(store).bytes_resident, stats.bytes_unspilled);
  EXPECT(SPW_OK, spw_store_release_memory(store, &err));
  add_numbered(store, stream, 1000, 1000, 1000);
  spw_cursor* cursor = open_cursor(store, stream);
  CHECK_EQUAL(read_on(cursor, 990, 0), 1010);
  spw_cursor_free(cursor);
  close_store(store);
}

typedef struct crowd {
  spw_store* store;
  uint32_t stream;
  int done;
} crowd;

static void* settle_again_and_again(void* context) {
  crowd* self = context;
  while (!__atomic_load_n(&self->done, __ATOMIC_ACQUIRE)) {
    EXPECT(SPW_OK, spw_store_settle(self->store, SPW_WAIT_FOREVER, NULL, &err));
    EXPECT(SPW_OK, spw_store_release_memory(self->store, &err));
  }
  return NULL;
}

static void* read_again_and_again(void* context) {
  crowd* self = context;
  while (!__atomic_load_n(&self->done, __ATOMIC_ACQUIRE)) {
    read_all(self->store, self->stream);
  }
  return NULL;
}

static void under_load(void) {
  phase("a store settles while others add and read");
  crowd self = {open_store(temp_path("load"), PAIRS(ON_DISK, SPW_OPT_BUDGET_BYTES, kMiB)), 0, 0};
  self.stream = stream_of(self.store, "a");
  pthread_t settler, reader;
  REQUIRE(pthread_create(&settler, NULL, settle_again_and_again, &self) == 0);
  REQUIRE(pthread_create(&reader, NULL, read_again_and_again, &self) == 0);
  for (uint64_t i = 0; i < 5000; i += 50) {
    add_numbered(self.store, self.stream, i, 50, 1000);
  }
  __atomic_store_n(&self.done, 1, __ATOMIC_RELEASE);
  pthread_join(settler, NULL);
  pthread_join(reader, NULL);
  CHECK_EQUAL(read_all(self.store, self.stream), 5000);
  spw_stats stats = stats_of(self.store);
  CHECK(stats.bytes_resident_peak <= stats.bytes_hard);
  EXPECT(SPW_OK, spw_store_settle(self.store, SPW_WAIT_FOREVER, NULL, &err));
  CHECK_EQUAL(stats_of(self.store).records_resident, 0);
  close_store(self.store);
}

int main(void) {
  settles();
  memory_only();
  under_load();
  return check_finish();
}
