/* Handles are freed in every order, batches outlive everything, and what was not closed is counted.
 */
#define _GNU_SOURCE 1
#include "fixture.h"

enum { kStore, kCursor, kBatch, kOptions, kHandles };

typedef struct handles {
  spw_store* store;
  spw_cursor* cursor;
  spw_batch* batch;
  spw_options* options;
} handles;

static handles open_all(const char* path) {
  handles all;
  all.options =
      make_options(path != NULL ? PAIRS(ON_DISK, SPW_OPT_BUDGET_BYTES, 256 * kKiB) : PAIRS(0));
  REQUIRE(EXPECT(SPW_OK, spw_store_open(path, path != NULL ? strlen(path) : 0, all.options, NULL,
                                        &all.store, &err)));
  const uint32_t stream = stream_of(all.store, "a");
  for (uint64_t i = 0; i < 4; i++) {
    add_numbered(all.store, stream, i * 100, 100, 1000);
  }
  all.cursor = open_cursor(all.store, stream);
  spw_view view = empty_view();
  EXPECT(SPW_OK, spw_cursor_next(all.cursor, 10, SPW_NO_LIMIT, 0, NULL, &view, &err));
  EXPECT(SPW_OK, spw_cursor_detach(all.cursor, &all.batch, &err));
  REQUIRE(all.batch != NULL);
  return all;
}

static void check_batch(const spw_batch* batch) {
  spw_view view = empty_view();
  EXPECT(SPW_OK, spw_batch_view(batch, &view, &err));
  CHECK(view.count > 0 && view.count <= 10 && view.first_seq == 0);
  for (uint64_t i = 0; i < view.count; i++) {
    CHECK(view.end[i] - view.begin[i] == 1000 && is_record(view.data + view.begin[i], 1000, i));
  }
}

static void free_one(handles* all, int which) {
  switch (which) {
    case kStore:
      spw_store_free(all->store);
      break;
    case kCursor:
      spw_cursor_free(all->cursor);
      break;
    case kBatch:
      check_batch(all->batch);
      spw_batch_free(all->batch);
      break;
    default:
      spw_options_free(all->options);
      break;
  }
}

/* All orders of four things: those of 256 quadruples in which nothing stands twice. */
static void every_order(int on_disk, int close_first) {
  for (int code = 0; code < 256; code++) {
    const int order[kHandles] = {code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6 & 3};
    unsigned seen = 0;
    for (int i = 0; i < kHandles; i++) {
      seen |= 1u << order[i];
    }
    if (seen != 15) {
      continue;
    }
    char name[32];
    snprintf(name, sizeof name, "order%d", code);
    handles all = open_all(on_disk ? temp_path(name) : NULL);
    if (close_first) {
      EXPECT(SPW_OK, spw_store_close(all.store, SPW_CLOSE_DISCARD, SPW_NO_WAIT, NULL, &err));
    }
    for (int i = 0; i < kHandles; i++) {
      free_one(&all, order[i]);
    }
  }
}

static void cursor_after_store(void) {
  phase("a cursor whose store is freed answers CLOSED");
  handles all = open_all(NULL);
  spw_store_free(all.store);
  spw_view view = empty_view();
  EXPECT(SPW_CLOSED, spw_cursor_next(all.cursor, 10, SPW_NO_LIMIT, 0, NULL, &view, &err));
  CHECK(view.count == 0 && view.data == NULL);
  spw_cursor_free(all.cursor);
  spw_options_free(all.options);
  check_batch(all.batch);
  spw_batch_free(all.batch);
}

static void null_is_freed(void) {
  phase("freeing NULL does nothing");
  spw_store_free(NULL);
  spw_cursor_free(NULL);
  spw_batch_free(NULL);
  spw_options_free(NULL);
  spw_op_free(NULL);
  spw_error_free(NULL);
  CHECK(1);
}

static void leaks_are_counted(void) {
  phase("stores that are freed without a close are counted");
  const char* path = temp_path("leak");
  const uint64_t before = spw_leaked_stores();
  close_store(open_store(path, PAIRS(ON_DISK)));
  CHECK_EQUAL(spw_leaked_stores(), before);
  spw_store* store = open_store(path, PAIRS(ON_DISK));
  const uint32_t stream = stream_of(store, "a");
  add_numbered(store, stream, 0, 5, 10);
  EXPECT(SPW_OK, spw_store_flush(store, SPW_FLUSH_DEVICE, SPW_WAIT_FOREVER, NULL, &err));
  add_numbered(store, stream, 5, 5, 10);
  spw_store_free(store);
  CHECK_EQUAL(spw_leaked_stores(), before + 1);
  try_open(path, PAIRS(ON_DISK, SPW_OPT_OPEN, SPW_OPEN_NEW), SPW_ALREADY_EXISTS);
  CHECK_EQUAL(spw_leaked_stores(), before + 1); /* what never opened is no leak */

  phase("and are as after a crash: what was flushed is there, the lock is not");
  spw_options* options = make_options(PAIRS(ON_DISK));
  spw_status status;
  do { /* free does not wait, so a spill may still have to end */
    status = spw_store_open(path, strlen(path), options, NULL, &store, NULL);
  } while (status == SPW_BUSY);
  spw_options_free(options);
  REQUIRE(status == SPW_OK);
  const uint64_t records = read_all(store, stream_of(store, "a"));
  CHECK(records == 5 || records == 10);
  close_store(store);
}

static void pinned_memory_is_reported(void) {
  phase("memory that only batches hold is reported, and comes back");
  spw_store* store =
      open_store(temp_path("pinned"), PAIRS(ON_DISK, SPW_OPT_BUDGET_BYTES, 256 * kKiB));
  const uint32_t stream = stream_of(store, "a");
  add_numbered(store, stream, 0, 100, 1000);
  spw_cursor* cursor = open_cursor(store, stream);
  spw_view view = empty_view();
  EXPECT(SPW_OK, spw_cursor_next(cursor, 10, SPW_NO_LIMIT, 0, NULL, &view, &err));
  spw_batch* batch = NULL;
  EXPECT(SPW_OK, spw_cursor_detach(cursor, &batch, &err));
  spw_cursor_free(cursor);
  for (uint64_t i = 1; i < 30; i++) { /* the batch must not stand in their way */
    add_numbered(store, stream, i * 100, 100, 1000);
  }
  CHECK(stats_of(store).bytes_resident_peak <= stats_of(store).bytes_hard);
  POLL_UNTIL(stats_of(store).bytes_pinned > 0);
  spw_batch_free(batch);
  POLL_UNTIL(stats_of(store).bytes_pinned == 0);
  close_store(store);
}

static void* free_batch(void* batch) {
  spw_batch_free(batch);
  return NULL;
}

static void freed_by_two_threads(void) {
  phase("a batch is freed by one thread while another frees its store");
  for (int i = 0; i < 50; i++) {
    handles all = open_all(NULL);
    pthread_t thread;
    REQUIRE(pthread_create(&thread, NULL, free_batch, all.batch) == 0);
    spw_store_free(all.store);
    spw_cursor_free(all.cursor);
    pthread_join(thread, NULL);
    spw_options_free(all.options);
  }
  CHECK(1);
}

int main(void) {
  null_is_freed();
  phase("every order of freeing, in memory, closed and not");
  every_order(0, 0);
  every_order(0, 1);
  phase("every order of freeing, on disk, closed before");
  every_order(1, 1);
  cursor_after_store();
  leaks_are_counted();
  pinned_memory_is_reported();
  freed_by_two_threads();
  return check_finish();
}
