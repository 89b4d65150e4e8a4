/* Every function with NULL, with the wrong kind of handle and without a place for its answer: it
 * returns its code, writes what it promised to write, and changes nothing. Also what needs no
 * store: names, versions, sizes, errors. */
#define _GNU_SOURCE 1
#include "fixture.h"

static spw_store* store;
static uint32_t stream;
static spw_cursor* cursor;
static spw_batch* batch;
static spw_options* options;
static spw_op* op;

/* One call with each of these in place of its store: NULL and handles of other kinds. */
#define BAD_STORES                                                                         \
  {                                                                                        \
    NULL, (spw_store*)(void*)cursor, (spw_store*)(void*)batch, (spw_store*)(void*)options, \
        (spw_store*)(void*)op                                                              \
  }
#define BAD_CURSORS                                                                          \
  {                                                                                          \
    NULL, (spw_cursor*)(void*)store, (spw_cursor*)(void*)batch, (spw_cursor*)(void*)options, \
        (spw_cursor*)(void*)op                                                               \
  }

static const uint64_t kOffsets[] = {0, 1};

static void writing_without_a_store(void) {
  phase("calls that write, without a store");
  spw_store* const bad[] = BAD_STORES;
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    uint64_t seq = 1;
    EXPECT(SPW_INVALID_ARGUMENT,
           spw_store_add(bad[i], stream, "x", 1, kOffsets, 1, NULL, SPW_NO_WAIT, NULL, &seq, &err));
    CHECK_EQUAL(seq, SPW_SEQ_NONE);
    seq = 1;
    const spw_slice slice = {"x", 1};
    EXPECT(SPW_INVALID_ARGUMENT,
           spw_store_addv(bad[i], stream, &slice, 1, NULL, SPW_NO_WAIT, NULL, &seq, &err));
    CHECK_EQUAL(seq, SPW_SEQ_NONE);
    EXPECT(SPW_INVALID_ARGUMENT, spw_store_flush(bad[i], SPW_FLUSH_DEVICE, 0, NULL, &err));
    EXPECT(SPW_INVALID_ARGUMENT, spw_store_clear(bad[i], stream, &err));
    EXPECT(SPW_INVALID_ARGUMENT, spw_store_settle(bad[i], 0, NULL, &err));
    EXPECT(SPW_INVALID_ARGUMENT, spw_store_release_memory(bad[i], &err));
    EXPECT(SPW_INVALID_ARGUMENT, spw_store_trim(bad[i], stream, 0, &err));
    seq = 1;
    EXPECT(SPW_INVALID_ARGUMENT, spw_store_trim_time(bad[i], stream, 0, &seq, &err));
    CHECK_EQUAL(seq, SPW_SEQ_NONE);
    seq = 1;
    EXPECT(SPW_INVALID_ARGUMENT, spw_store_trim_bytes(bad[i], stream, 0, &seq, &err));
    CHECK_EQUAL(seq, SPW_SEQ_NONE);
    EXPECT(SPW_INVALID_ARGUMENT, spw_store_close(bad[i], 0, 0, NULL, &err));
    EXPECT(SPW_INVALID_ARGUMENT,
           spw_store_set_i64(bad[i], SPW_ALL, SPW_OPT_BUDGET_RECORDS, 5, &err));
    uint32_t id = 1;
    EXPECT(SPW_INVALID_ARGUMENT,
           spw_store_stream(bad[i], "x", 1, NULL, SPW_STREAM_CREATE, &id, &err));
  }
}

static void reading_without_a_store(void) {
  phase("calls that read, without a store");
  spw_store* const bad[] = BAD_STORES;
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    uint64_t len = 1;
    int64_t value = 1;
    size_t count = 1;
    char byte;
    EXPECT(SPW_INVALID_ARGUMENT, spw_store_read(bad[i], stream, 0, &byte, 1, &len, &value, &err));
    CHECK(len == 0 && value == 0);
    spw_batch* gathered = (spw_batch*)(uintptr_t)64;
    EXPECT(SPW_INVALID_ARGUMENT, spw_store_gather(bad[i], stream, kOffsets, 1, &gathered, &err));
    CHECK(gathered == NULL);
    spw_report* report = (spw_report*)(uintptr_t)64;
    EXPECT(SPW_INVALID_ARGUMENT, spw_store_verify(bad[i], stream, 0, 1, NULL, &report, &err));
    CHECK(report == NULL);
    spw_record_summary summary = {.struct_size = sizeof summary, .records = 7};
    EXPECT(SPW_INVALID_ARGUMENT, spw_report_records((spw_report*)(void*)bad[i], &summary, &err));
    spw_record_range range = {.struct_size = sizeof range, .code = 7};
    EXPECT(SPW_INVALID_ARGUMENT, spw_report_range((spw_report*)(void*)bad[i], 0, &range, &err));
    CHECK(summary.records == 0 && range.code == 0);
    value = 1;
    EXPECT(SPW_INVALID_ARGUMENT,
           spw_store_get_i64(bad[i], SPW_ALL, SPW_OPT_BUDGET_RECORDS, &value, &err));
    CHECK(value == 0);
    EXPECT(SPW_INVALID_ARGUMENT, spw_store_streams(bad[i], NULL, 0, &count, &err));
    CHECK_EQUAL(count, 0);
    count = 1;
    EXPECT(SPW_INVALID_ARGUMENT, spw_store_stream_name(bad[i], stream, &byte, 1, &count, &err));
    CHECK_EQUAL(count, 0);
    spw_stats stats;
    memset(&stats, 0, sizeof stats);
    stats.struct_size = sizeof stats;
    EXPECT(SPW_INVALID_ARGUMENT, spw_store_stats(bad[i], &stats, &err));
    spw_stream_stats of_stream;
    memset(&of_stream, 0, sizeof of_stream);
    of_stream.struct_size = sizeof of_stream;
    EXPECT(SPW_INVALID_ARGUMENT, spw_store_stream_stats(bad[i], stream, &of_stream, &err));
    spw_event event;
    count = 1;
    EXPECT(SPW_INVALID_ARGUMENT, spw_store_events(bad[i], &event, sizeof event, 1, &count, &err));
    CHECK_EQUAL(count, 0);
    const spw_scan scan = scan_from(stream, 0, SPW_SEQ_NONE);
    spw_cursor* opened = (spw_cursor*)(uintptr_t)64;
    EXPECT(SPW_INVALID_ARGUMENT, spw_cursor_open(bad[i], &scan, NULL, &opened, &err));
    CHECK(opened == NULL);
  }
}

static void without_a_cursor(void) {
  phase("calls without a cursor, a batch, options or an operation");
  spw_cursor* const bad[] = BAD_CURSORS;
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    spw_view view = empty_view();
    view.count = 1;
    EXPECT(SPW_INVALID_ARGUMENT, spw_cursor_next(bad[i], 1, 1, 0, NULL, &view, &err));
    CHECK_EQUAL(view.count, 0);
    uint64_t begin = 1, end = 1;
    EXPECT(SPW_INVALID_ARGUMENT, spw_cursor_range(bad[i], &begin, &end, &err));
    CHECK(begin == 0 && end == 0);
    EXPECT(SPW_INVALID_ARGUMENT, spw_cursor_seek(bad[i], 0, &err));
    spw_batch* detached = (spw_batch*)(uintptr_t)64;
    EXPECT(SPW_INVALID_ARGUMENT, spw_cursor_detach(bad[i], &detached, &err));
    CHECK(detached == NULL);
  }
  void* const others[] = {NULL, store, cursor};
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
    spw_view view = empty_view();
    EXPECT(SPW_INVALID_ARGUMENT, spw_batch_view(others[i], &view, &err));
    CHECK_EQUAL(view.count, 0);
    int64_t value = 1;
    EXPECT(SPW_INVALID_ARGUMENT, spw_options_set_i64(others[i], SPW_OPT_TIMES, 1, &err));
    EXPECT(SPW_INVALID_ARGUMENT, spw_options_set_bytes(others[i], 1, "x", 1, &err));
    EXPECT(SPW_INVALID_ARGUMENT, spw_options_get_i64(others[i], SPW_OPT_TIMES, &value, &err));
    CHECK(value == 0);
  }
  uint64_t done = 1, total = 1;
  spw_op_cancel(NULL);
  spw_op_progress(NULL, &done, &total);
  CHECK(done == 0 && total == 0);

  phase("options and operations of the wrong kind");
  spw_store* opened = (spw_store*)(uintptr_t)64;
  EXPECT(SPW_INVALID_ARGUMENT,
         spw_store_open(NULL, 0, (spw_options*)(void*)store, NULL, &opened, &err));
  CHECK(opened == NULL);
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_open(NULL, 0, NULL, (spw_op*)(void*)store, &opened, &err));
  uint32_t id = 1;
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_stream(store, "x", 1, (spw_options*)(void*)cursor,
                                                SPW_STREAM_CREATE, &id, &err));
  uint64_t seq = 1;
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_add(store, stream, "x", 1, kOffsets, 1, NULL, SPW_NO_WAIT,
                                             (spw_op*)(void*)cursor, &seq, &err));
  CHECK_EQUAL(seq, SPW_SEQ_NONE);
}

static void without_a_place(void) {
  phase("calls without a place for their answer");
  const spw_scan scan = scan_from(stream, 0, SPW_SEQ_NONE);
  uint64_t number;
  char byte;
  EXPECT(SPW_INVALID_ARGUMENT, spw_options_new(NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_options_get_i64(options, SPW_OPT_TIMES, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_op_new(NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_open(NULL, 0, NULL, NULL, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_stream(store, "b", 1, NULL, 1, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_stream(store, NULL, 1, NULL, 1, &stream, &err));
  stream = stream_of(store, "a");
  CHECK_EQUAL(stats_of(store).streams, 1); /* no stream was made */
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_streams(store, NULL, 1, (size_t[]){0}, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_streams(store, NULL, 0, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_stream_name(store, stream, &byte, 1, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_stream_name(store, stream, NULL, 1, (size_t[]){0}, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_read(store, stream, 0, &byte, 1, NULL, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_read(store, stream, 0, NULL, 1, &number, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_gather(store, stream, kOffsets, 1, NULL, &err));
  spw_batch* gathered;
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_gather(store, stream, NULL, 1, &gathered, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_get_i64(store, SPW_ALL, 1, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_stats(store, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_stream_stats(store, stream, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_verify(store, stream, 0, 1, NULL, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_report_records(NULL, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_report_range(NULL, 0, NULL, &err));
  spw_report* report;
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_verify(store, stream, 0, 0, NULL, &report, &err));
  EXPECT(SPW_UNSUPPORTED, spw_store_verify(store, stream, 1, 1, NULL, &report, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_events(store, NULL, 48, 1, (size_t[]){0}, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_events(store, NULL, 48, 0, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_cursor_open(store, &scan, NULL, NULL, &err));
  spw_cursor* opened;
  EXPECT(SPW_INVALID_ARGUMENT, spw_cursor_open(store, NULL, NULL, &opened, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_cursor_range(cursor, NULL, &number, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_cursor_range(cursor, &number, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_cursor_next(cursor, 1, 1, 0, NULL, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_cursor_detach(cursor, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_batch_view(batch, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_flush(store, 0, SPW_NO_WAIT, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_flush(store, 3, SPW_NO_WAIT, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_settle(store, -5, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_close(store, 0, -5, NULL, &err));
  spw_op_progress(op, NULL, NULL);
}

static void without_an_error(void) {
  phase("no call needs a place for its error");
  CHECK_EQUAL(spw_store_flush(NULL, SPW_FLUSH_DEVICE, 0, NULL, NULL), SPW_INVALID_ARGUMENT);
  CHECK_EQUAL(spw_options_new(NULL, NULL), SPW_INVALID_ARGUMENT);
  CHECK_EQUAL(spw_store_stats(NULL, NULL, NULL), SPW_INVALID_ARGUMENT);
  CHECK_EQUAL(spw_options_set_i64(options, 4711, 1, NULL), SPW_UNSUPPORTED);
  CHECK_EQUAL(spw_options_set_i64(options, SPW_OPT_TIMES, 1, NULL), SPW_OK);
  CHECK_EQUAL(spw_store_clear(store, 99, NULL), SPW_NOT_FOUND);
}

static void stats_of_other_sizes(void) {
  phase("statistics for callers that know less, or more");
  struct {
    spw_stats stats;
    uint64_t guard;
  } some;
  memset(&some, 0x55, sizeof some);
  some.stats.struct_size = (uint32_t)offsetof(spw_stats, records_live);
  EXPECT(SPW_OK, spw_store_stats(store, &some.stats, &err));
  CHECK_EQUAL(some.stats.records_added, 3);
  CHECK_EQUAL(some.stats.records_live, UINT64_C(0x5555555555555555)); /* not touched */
  some.stats.struct_size = sizeof some;                               /* a later version's */
  EXPECT(SPW_OK, spw_store_stats(store, &some.stats, &err));
  CHECK_EQUAL(some.stats.records_live, 3);
  some.stats.struct_size = 0;
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_stats(store, &some.stats, &err));
  some.stats.struct_size = 4;
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_stats(store, &some.stats, &err));
  size_t count;
  spw_event event;
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_events(store, &event, 0, 1, &count, &err));
}

static void names_and_versions(void) {
  phase("names of statuses, versions, sizes");
  static const char* const names[] = {"SPW_OK",        "SPW_INVALID_ARGUMENT", "SPW_INVALID_STATE",
                                      "SPW_NO_MEMORY", "SPW_NOT_FOUND",        "SPW_ALREADY_EXISTS",
                                      "SPW_BUSY",      "SPW_WOULD_BLOCK",      "SPW_TIMEOUT",
                                      "SPW_CANCELLED", "SPW_CLOSED",           "SPW_FULL",
                                      "SPW_TOO_BIG",   "SPW_READONLY",         "SPW_IO",
                                      "SPW_CORRUPT",   "SPW_TRIMMED",          "SPW_UNSUPPORTED",
                                      "SPW_FORKED",    "SPW_INTERNAL",         "SPW_CONFLICT"};
  for (int32_t i = 0; i < 21; i++) {
    CHECK(strcmp(spw_status_name(i), names[i]) == 0);
  }
  static const int32_t unknown[] = {21, 99, -1, INT32_MAX, INT32_MIN};
  for (size_t i = 0; i < 5; i++) {
    CHECK(strcmp(spw_status_name(unknown[i]), "SPW_UNKNOWN") == 0);
  }
  CHECK_EQUAL(spw_abi_version(), SPW_VERSION_MAJOR << 16 | SPW_VERSION_MINOR);
  char version[32];
  snprintf(version, sizeof version, "%d.%d.", SPW_VERSION_MAJOR, SPW_VERSION_MINOR);
  CHECK(strncmp(spw_version(), version, strlen(version)) == 0);
  CHECK_EQUAL(spw_sizeof(SPW_STRUCT_SCAN), sizeof(spw_scan));
  CHECK_EQUAL(spw_sizeof(SPW_STRUCT_VIEW), sizeof(spw_view));
  CHECK_EQUAL(spw_sizeof(SPW_STRUCT_STATS), sizeof(spw_stats));
  CHECK_EQUAL(spw_sizeof(SPW_STRUCT_STREAM_STATS), sizeof(spw_stream_stats));
  CHECK_EQUAL(spw_sizeof(SPW_STRUCT_EVENT), sizeof(spw_event));
  CHECK_EQUAL(spw_sizeof(SPW_STRUCT_RECORD_SUMMARY), sizeof(spw_record_summary));
  CHECK_EQUAL(spw_sizeof(SPW_STRUCT_RECORD_RANGE), sizeof(spw_record_range));
  CHECK_EQUAL(spw_sizeof(SPW_STRUCT_SLICE), sizeof(spw_slice));
  CHECK_EQUAL(spw_sizeof(SPW_STRUCT_BLOCK_INFO), sizeof(spw_block_info));
  CHECK_EQUAL(spw_sizeof(SPW_STRUCT_BLOCK_VIEW), sizeof(spw_block_view));
  CHECK_EQUAL(spw_sizeof(SPW_STRUCT_BLOCK_STATS), sizeof(spw_block_stats));
  CHECK_EQUAL(spw_sizeof(SPW_STRUCT_VERIFY_SUMMARY), sizeof(spw_verify_summary));
  CHECK_EQUAL(spw_sizeof(SPW_STRUCT_PROBLEM), sizeof(spw_problem));
  CHECK(spw_sizeof(0) == 0 && spw_sizeof(99) == 0 && spw_sizeof(-1) == 0);
}

static void errors(void) {
  phase("errors say what happened, and NULL says that nothing did");
  size_t len = 7;
  CHECK_EQUAL(spw_error_code(NULL), SPW_OK);
  CHECK(spw_error_os_code(NULL) == 0 && spw_error_detail_code(NULL) == 0);
  CHECK(spw_error_record(NULL) == -1);
  CHECK(spw_error_message(NULL, &len)[0] == '\0' && len == 0);
  spw_error* error = NULL;
  CHECK_EQUAL(spw_options_set_i64(options, SPW_OPT_HARD_PERCENT, 99, &error), SPW_INVALID_ARGUMENT);
  CHECK_EQUAL(spw_error_code(error), SPW_INVALID_ARGUMENT);
  const char* message = spw_error_message(error, &len);
  CHECK(len > 0 && strlen(message) == len);
  CHECK(spw_error_message(error, NULL) == message); /* good as long as the error */
  CHECK(spw_error_record(error) == -1 && spw_error_os_code(error) == 0);
  spw_error_free(error);

  spw_op* cancelled = NULL; /* errors that are shared are freed like all others */
  EXPECT(SPW_OK, spw_op_new(&cancelled, &err));
  spw_op_cancel(cancelled);
  for (int i = 0; i < 1000; i++) {
    CHECK_EQUAL(spw_store_add(store, stream, "x", 1, kOffsets, 1, NULL, SPW_NO_WAIT, cancelled,
                              NULL, &error),
                SPW_CANCELLED);
    CHECK(spw_error_code(error) == SPW_CANCELLED && spw_error_message(error, NULL)[0] != '\0');
    spw_error_free(error);
  }
  spw_op_free(cancelled);
}

int main(void) {
  names_and_versions();
  store = open_store(NULL, PAIRS(0));
  stream = stream_of(store, "a");
  add_numbered(store, stream, 0, 3, 10);
  cursor = open_cursor(store, stream);
  EXPECT(SPW_OK, spw_store_gather(store, stream, kOffsets, 2, &batch, &err));
  options = make_options(PAIRS(0));
  EXPECT(SPW_OK, spw_op_new(&op, &err));

  writing_without_a_store();
  reading_without_a_store();
  without_a_cursor();
  without_a_place();
  without_an_error();
  stats_of_other_sizes();
  errors();

  phase("and nothing has changed");
  CHECK_EQUAL(read_on(cursor, 0, 0), 3);
  CHECK_EQUAL(stats_of(store).records_added, 3);
  CHECK_EQUAL(stats_of(store).streams, 1);
  spw_op_free(op);
  spw_options_free(options);
  spw_batch_free(batch);
  spw_cursor_free(cursor);
  close_store(store);
  return check_finish();
}
