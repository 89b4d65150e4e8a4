/* Cursors: ranges, limits of a view, moving about, and a snapshot that nothing changes. */
#define _GNU_SOURCE 1
#include "fixture.h"

static spw_status next(spw_cursor* cursor, uint64_t records, uint64_t bytes, spw_view* view) {
  *view = empty_view();
  return spw_cursor_next(cursor, records, bytes, SPW_WAIT_FOREVER, NULL, view, &err);
}

static spw_status open_scan(spw_store* store, const void* scan, spw_cursor** cursor) {
  *cursor = (spw_cursor*)(uintptr_t)64;
  return spw_cursor_open(store, scan, NULL, cursor, &err);
}

static spw_cursor* open_range(spw_store* store, uint32_t stream, uint64_t begin, uint64_t end) {
  const spw_scan scan = scan_from(stream, begin, end);
  spw_cursor* cursor;
  REQUIRE(EXPECT(SPW_OK, open_scan(store, &scan, &cursor)));
  return cursor;
}

/* The view is well formed, and its records are those from `first` on. Returns its count. */
static uint64_t check_view(const spw_view* view, uint64_t first) {
  CHECK(view->struct_size == sizeof *view);
  if (view->count == 0) {
    CHECK(view->data == NULL && view->begin == NULL && view->end == NULL);
    CHECK(view->seqs == NULL && view->times == NULL && view->data_len == 0);
    return 0;
  }
  CHECK(view->first_seq == first && view->seqs == NULL);
  if ((view->flags & SPW_VIEW_DENSE) != 0) {
    CHECK(view->end == view->begin + 1);
  }
  for (uint64_t i = 0; i < view->count; i++) {
    const uint64_t len = view->end[i] - view->begin[i];
    CHECK(view->begin[i] <= view->end[i] && view->end[i] <= view->data_len);
    CHECK(is_record(view->data + view->begin[i], (size_t)len, first + i));
  }
  return view->count;
}

static void batches_of_records(spw_store* store, uint32_t stream) {
  phase("5 records, two at a time, are 2, 2 and 1");
  spw_cursor* cursor = open_range(store, stream, 0, 5);
  static const uint64_t want[] = {2, 2, 1, 0, 0};
  uint64_t seq = 0;
  spw_view view;
  for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
    EXPECT(SPW_OK, next(cursor, 2, SPW_NO_LIMIT, &view));
    CHECK_EQUAL(check_view(&view, seq), want[i]);
    seq += view.count;
  }
  phase("one, many, and more than there are at a time");
  for (uint64_t limit = 1; limit <= 10; limit += 9) {
    EXPECT(SPW_OK, spw_cursor_seek(cursor, 0, &err));
    for (seq = 0; seq < 5; seq += view.count) {
      EXPECT(SPW_OK, next(cursor, limit, SPW_NO_LIMIT, &view));
      CHECK(view.count <= limit && check_view(&view, seq) > 0);
    }
  }
  phase("limits of 0 are refused");
  EXPECT(SPW_OK, spw_cursor_seek(cursor, 0, &err));
  EXPECT(SPW_INVALID_ARGUMENT, next(cursor, 0, SPW_NO_LIMIT, &view));
  CHECK(view.count == 0 && view.data == NULL);
  EXPECT(SPW_INVALID_ARGUMENT, next(cursor, 1, 0, &view));
  EXPECT(SPW_OK, next(cursor, 1, 1, &view)); /* at least one record, also above max_bytes */
  CHECK_EQUAL(check_view(&view, 0), 1);
  phase("limits in bytes");
  EXPECT(SPW_OK, next(cursor, SPW_NO_LIMIT, 250, &view));
  CHECK_EQUAL(check_view(&view, 1), 2); /* of 100 bytes each */
  EXPECT(SPW_OK, next(cursor, SPW_NO_LIMIT, 200, &view));
  CHECK_EQUAL(check_view(&view, 3), 2);
  spw_cursor_free(cursor);
}

static void ranges(spw_store* store, uint32_t stream, uint64_t tail) {
  phase("ranges");
  const struct {
    uint64_t begin, end, want_begin, want_end;
  } all[] = {{0, SPW_SEQ_NONE, 0, tail},
             {3, 7, 3, 7},
             {tail - 1, SPW_SEQ_NONE, tail - 1, tail},
             {tail - 1, tail + 100, tail - 1, tail},
             {tail, SPW_SEQ_NONE, tail, tail},
             {5, 5, 5, 5}};
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
    spw_cursor* cursor = open_range(store, stream, all[i].begin, all[i].end);
    uint64_t begin = 1, end = 2;
    EXPECT(SPW_OK, spw_cursor_range(cursor, &begin, &end, &err));
    CHECK_EQUAL(begin, all[i].want_begin);
    CHECK_EQUAL(end, all[i].want_end);
    CHECK_EQUAL(read_on(cursor, begin, 0), end - begin);
    spw_cursor_free(cursor);
  }
  spw_cursor* cursor = open_range(store, stream, tail + 5, SPW_SEQ_NONE); /* nothing there yet */
  uint64_t begin = 1, end = 2;
  EXPECT(SPW_OK, spw_cursor_range(cursor, &begin, &end, &err));
  CHECK_EQUAL(end - begin, 0);
  CHECK_EQUAL(read_on(cursor, begin, 0), 0);
  spw_cursor_free(cursor);
  spw_scan scan = scan_from(stream, 7, 3); /* runs backwards */
  EXPECT(SPW_INVALID_ARGUMENT, open_scan(store, &scan, &cursor));
  CHECK(cursor == NULL);
  scan = scan_from(99, 0, SPW_SEQ_NONE);
  EXPECT(SPW_NOT_FOUND, open_scan(store, &scan, &cursor));
}

static void seeking(spw_store* store, uint32_t stream) {
  phase("a cursor moves about in its range, and not beyond");
  spw_cursor* cursor = open_range(store, stream, 10, 20);
  spw_view view;
  static const uint64_t to[] = {15, 10, 19, 12, 12};
  for (size_t i = 0; i < sizeof to / sizeof to[0]; i++) {
    EXPECT(SPW_OK, spw_cursor_seek(cursor, to[i], &err));
    EXPECT(SPW_OK, next(cursor, 1, SPW_NO_LIMIT, &view));
    CHECK_EQUAL(check_view(&view, to[i]), 1);
  }
  EXPECT(SPW_OK, spw_cursor_seek(cursor, 20, &err));
  EXPECT(SPW_OK, next(cursor, 1, SPW_NO_LIMIT, &view));
  CHECK_EQUAL(check_view(&view, 0), 0);
  EXPECT(SPW_INVALID_ARGUMENT, spw_cursor_seek(cursor, 9, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_cursor_seek(cursor, 21, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_cursor_seek(cursor, SPW_SEQ_NONE, &err));
  spw_cursor_free(cursor);

  phase("pages are slices of the whole");
  for (uint64_t page = 0; page < 4; page++) {
    cursor = open_range(store, stream, page * 25, page * 25 + 25);
    CHECK_EQUAL(read_on(cursor, page * 25, 0), 25);
    spw_cursor_free(cursor);
  }
}

static void scans_of_other_versions(spw_store* store, uint32_t stream) {
  phase("scans that this version does not know");
  spw_cursor* cursor;
  static const uint32_t flags[] = {SPW_SCAN_REVERSE, SPW_SCAN_FOLLOW, SPW_SCAN_TIME_RANGE,
                                   UINT32_C(8), UINT32_C(1) << 31};
  for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
    spw_scan scan = scan_from(stream, 0, SPW_SEQ_NONE);
    scan.flags = flags[i];
    EXPECT(SPW_UNSUPPORTED, open_scan(store, &scan, &cursor));
    CHECK(cursor == NULL);
  }
  spw_options* filter = make_options(PAIRS(0));
  const spw_scan plain = scan_from(stream, 0, SPW_SEQ_NONE);
  EXPECT(SPW_UNSUPPORTED, spw_cursor_open(store, &plain, filter, &cursor, &err));
  spw_options_free(filter);
  spw_scan scan = plain;
  scan.time_begin = 1; /* without its flag */
  EXPECT(SPW_INVALID_ARGUMENT, open_scan(store, &scan, &cursor));
  scan = plain;
  scan.reserved = 1;
  EXPECT(SPW_INVALID_ARGUMENT, open_scan(store, &scan, &cursor));

  phase("scans that are larger or smaller than this version's");
  struct {
    spw_scan scan;
    uint64_t later;
  } larger = {plain, 0};
  larger.scan.struct_size = sizeof larger;
  EXPECT(SPW_OK, open_scan(store, &larger, &cursor));
  CHECK_EQUAL(read_on(cursor, 0, 0), stream_stats_of(store, stream).tail_seq);
  spw_cursor_free(cursor);
  larger.later = UINT64_C(1) << 63;
  EXPECT(SPW_UNSUPPORTED, open_scan(store, &larger, &cursor));
  scan = plain;
  scan.struct_size = 0;
  EXPECT(SPW_INVALID_ARGUMENT, open_scan(store, &scan, &cursor));
  scan.struct_size = 4;
  EXPECT(SPW_INVALID_ARGUMENT, open_scan(store, &scan, &cursor));

  phase("views that are larger or smaller than this version's");
  cursor = open_range(store, stream, 0, 5);
  struct {
    spw_view view;
    uint64_t later;
  } large_view;
  memset(&large_view, 0x55, sizeof large_view);
  large_view.view.struct_size = sizeof large_view;
  EXPECT(SPW_OK, spw_cursor_next(cursor, 5, 1000, 0, NULL, &large_view.view, &err));
  CHECK_EQUAL(large_view.view.count, 5);
  struct {
    spw_view view;
    uint64_t guard;
  } small_view;
  memset(&small_view, 0x55, sizeof small_view);
  small_view.view.struct_size = (uint32_t)offsetof(spw_view, seqs); /* before seqs and times */
  EXPECT(SPW_OK, spw_cursor_seek(cursor, 0, &err));
  EXPECT(SPW_OK, spw_cursor_next(cursor, 5, 1000, 0, NULL, &small_view.view, &err));
  CHECK(small_view.view.count == 5 && small_view.view.end != NULL);
  CHECK((uintptr_t)small_view.view.seqs == (uintptr_t)UINT64_C(0x5555555555555555));
  CHECK(small_view.guard == UINT64_C(0x5555555555555555));
  small_view.view.struct_size = 0;
  EXPECT(SPW_INVALID_ARGUMENT, spw_cursor_next(cursor, 5, 1000, 0, NULL, &small_view.view, &err));
  spw_cursor_free(cursor);
}

static void snapshot(const char* path) {
  phase("a cursor sees what was there when it was opened, whatever is added and spilled since");
  spw_store* store =
      open_store(path, path != NULL ? PAIRS(ON_DISK, SPW_OPT_BUDGET_BYTES, 256 * kKiB) : PAIRS(0));
  const uint32_t stream = stream_of(store, "a");
  spw_cursor* cursors[20];
  for (uint64_t i = 0; i < 20; i++) {
    cursors[i] = open_cursor(store, stream);
    add_numbered(store, stream, i * 50, 50, 1000);
  }
  if (path != NULL) {
    EXPECT(SPW_OK, spw_store_flush(store, SPW_FLUSH_DEVICE, SPW_WAIT_FOREVER, NULL, &err));
  }
  for (uint64_t i = 0; i < 20; i++) {
    CHECK_EQUAL(read_on(cursors[i], 0, 0), i * 50);
    spw_cursor_free(cursors[i]);
  }

  phase("records that are cleared under a cursor are reported until it moves on");
  spw_cursor* cursor = open_cursor(store, stream);
  spw_view view;
  EXPECT(SPW_OK, next(cursor, 10, SPW_NO_LIMIT, &view));
  EXPECT(SPW_OK, spw_store_clear(store, stream, &err));
  CHECK_EQUAL(check_view(&view, 0), 10); /* the view stays as it was */
  add_numbered(store, stream, 1000, 5, 100);
  EXPECT(SPW_TRIMMED, next(cursor, 10, SPW_NO_LIMIT, &view));
  CHECK(view.count == 0 && view.data == NULL);
  EXPECT(SPW_TRIMMED, next(cursor, 10, SPW_NO_LIMIT, &view));
  EXPECT(SPW_OK, spw_cursor_seek(cursor, 1000, &err)); /* its end */
  EXPECT(SPW_OK, next(cursor, 10, SPW_NO_LIMIT, &view));
  CHECK_EQUAL(view.count, 0);
  EXPECT(SPW_OK, spw_cursor_seek(cursor, 0, &err));
  EXPECT(SPW_TRIMMED, next(cursor, 10, SPW_NO_LIMIT, &view));
  spw_cursor_free(cursor);
  cursor = open_cursor(store, stream); /* a new one leaves out what is gone */
  CHECK_EQUAL(read_on(cursor, 1000, 0), 5);
  spw_cursor_free(cursor);
  close_store(store);
}

static void detaching(spw_store* store, uint32_t stream) {
  phase("a view is detached while there is one");
  spw_cursor* cursor = open_range(store, stream, 0, 4);
  spw_batch* batch = (spw_batch*)(uintptr_t)64;
  EXPECT(SPW_INVALID_STATE, spw_cursor_detach(cursor, &batch, &err));
  CHECK(batch == NULL);
  spw_view view;
  EXPECT(SPW_OK, next(cursor, 3, SPW_NO_LIMIT, &view));
  spw_batch* twice = NULL;
  EXPECT(SPW_OK, spw_cursor_detach(cursor, &batch, &err));
  EXPECT(SPW_OK, spw_cursor_detach(cursor, &twice, &err));
  CHECK_EQUAL(check_view(&view, 0), 3); /* stays as it was */
  spw_view of_batch = empty_view();
  EXPECT(SPW_OK, spw_batch_view(batch, &of_batch, &err));
  CHECK_EQUAL(check_view(&of_batch, 0), 3);
  spw_batch_free(batch);
  EXPECT(SPW_OK, next(cursor, 3, SPW_NO_LIMIT, &view));
  EXPECT(SPW_OK, next(cursor, 3, SPW_NO_LIMIT, &view)); /* the end */
  EXPECT(SPW_INVALID_STATE, spw_cursor_detach(cursor, &batch, &err));
  EXPECT(SPW_OK, spw_cursor_seek(cursor, 0, &err));
  EXPECT(SPW_INVALID_STATE, spw_cursor_detach(cursor, &batch, &err));
  spw_cursor_free(cursor);
  of_batch = empty_view();
  EXPECT(SPW_OK, spw_batch_view(twice, &of_batch, &err));
  CHECK_EQUAL(check_view(&of_batch, 0), 3);
  spw_batch_free(twice);
}

static void only_empty_records(spw_store* store, const char* where) {
  printf("a view of empty records is a place all the same, %s\n", where);
  const uint32_t empty = stream_of(store, "empty");
  if (stream_stats_of(store, empty).tail_seq == 0) {
    add_numbered(store, empty, 0, 3, 0);
  }
  spw_cursor* cursor = open_range(store, empty, 0, SPW_SEQ_NONE);
  spw_view view;
  EXPECT(SPW_OK, next(cursor, 5, SPW_NO_LIMIT, &view));
  CHECK_EQUAL(check_view(&view, 0), 3);
  CHECK(view.data != NULL); /* NULL + 0 is undefined in C, and no slice in other languages */
  spw_cursor_free(cursor);
  spw_batch* batch = NULL;
  EXPECT(SPW_OK, spw_store_gather(store, empty, (const uint64_t[]){1, 0}, 2, &batch, &err));
  view = empty_view();
  EXPECT(SPW_OK, spw_batch_view(batch, &view, &err));
  CHECK(view.count == 2 && view.data != NULL);
  spw_batch_free(batch);
}

typedef struct race {
  spw_cursor* cursor;
  uint64_t refused;
  uint64_t other; /* neither OK nor INVALID_STATE */
} race;

static void* read_again_and_again(void* context) {
  race* self = context;
  for (int i = 0; i < 20000; i++) {
    spw_view view = empty_view();
    spw_status status = spw_cursor_next(self->cursor, 10, 1000, 0, NULL, &view, NULL);
    self->refused += status == SPW_INVALID_STATE ? 1 : 0;
    self->other += status != SPW_INVALID_STATE && status != SPW_OK ? 1 : 0;
    status = spw_cursor_seek(self->cursor, 0, NULL);
    self->refused += status == SPW_INVALID_STATE ? 1 : 0;
    self->other += status != SPW_INVALID_STATE && status != SPW_OK ? 1 : 0;
  }
  return NULL;
}

static void used_by_two_threads(spw_store* store, uint32_t stream) {
  phase("a cursor in two threads at once does no harm");
  race sides[2] = {{open_cursor(store, stream), 0, 0}, {NULL, 0, 0}};
  sides[1].cursor = sides[0].cursor;
  pthread_t thread;
  REQUIRE(pthread_create(&thread, NULL, read_again_and_again, &sides[1]) == 0);
  read_again_and_again(&sides[0]);
  pthread_join(thread, NULL);
  CHECK_EQUAL(sides[0].other + sides[1].other, 0);
  EXPECT(SPW_OK, spw_cursor_seek(sides[0].cursor, 0, &err));
  CHECK_EQUAL(read_on(sides[0].cursor, 0, 0), stream_stats_of(store, stream).tail_seq);
  spw_cursor_free(sides[0].cursor);
}

static void cancelled(spw_store* store, uint32_t stream) {
  phase("a cancelled read moves nothing");
  spw_cursor* cursor = open_cursor(store, stream);
  spw_op* op = NULL;
  EXPECT(SPW_OK, spw_op_new(&op, &err));
  spw_view view = empty_view();
  EXPECT(SPW_OK, spw_cursor_next(cursor, 2, 1000, 0, op, &view, &err));
  spw_op_cancel(op);
  EXPECT(SPW_CANCELLED, spw_cursor_next(cursor, 2, 1000, 0, op, &view, &err));
  CHECK_EQUAL(view.count, 0);
  spw_op_free(op);
  EXPECT(SPW_OK, spw_cursor_seek(cursor, 2, &err));
  EXPECT(SPW_OK, next(cursor, 2, 1000, &view));
  CHECK_EQUAL(check_view(&view, 2), 2);
  spw_cursor_free(cursor);
}

static void everything_about(spw_store* store) {
  const uint32_t stream = stream_of(store, "a");
  add_numbered(store, stream, 0, 100, 100);
  batches_of_records(store, stream);
  ranges(store, stream, 100);
  seeking(store, stream);
  scans_of_other_versions(store, stream);
  detaching(store, stream);
  used_by_two_threads(store, stream);
  cancelled(store, stream);
}

int main(void) {
  spw_store* store = open_store(NULL, PAIRS(0));
  everything_about(store);
  only_empty_records(store, "in memory");
  close_store(store);
  store = open_store(temp_path("cursor"), PAIRS(ON_DISK));
  everything_about(store);
  only_empty_records(store, "not yet spilled");
  close_store(store);
  phase("the same, all records on disk");
  store = open_store(temp_path("cursor"), PAIRS(ON_DISK));
  const uint32_t stream = stream_of(store, "a");
  ranges(store, stream, 100);
  seeking(store, stream);
  detaching(store, stream);
  used_by_two_threads(store, stream);
  only_empty_records(store, "on disk");
  close_store(store);
  snapshot(NULL);
  snapshot(temp_path("snapshot"));
  return check_finish();
}
