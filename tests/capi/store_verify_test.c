/* Verification of a store: the ranges that it reports are the records that cannot be read, for
 * damage anywhere in the file; and it disturbs nobody who uses the store meanwhile. */
#define _GNU_SOURCE 1
#include "block_fixture.h"

enum { kStreams = 3, kSmall = 600, kTimed = 40, kLarge = 6000, kRanges = 1000 };
static const uint64_t kRecords[kStreams] = {kSmall, kTimed, kLarge};

static uint64_t length_of(uint64_t stream) { return stream == 0 ? 30 : stream == 1 ? 3000 : 100; }

static spw_report* verify_store(spw_store* store, uint32_t stream) {
  spw_report* report = NOWHERE;
  EXPECT(SPW_OK, spw_store_verify(store, stream, 0, SPW_NO_LIMIT, NULL, &report, &err));
  return report;
}

static spw_record_summary records_of(const spw_report* report) {
  spw_record_summary summary;
  memset(&summary, 0, sizeof summary);
  summary.struct_size = sizeof summary;
  EXPECT(SPW_OK, spw_report_records(report, &summary, &err));
  return summary;
}

static spw_record_range range_of(const spw_report* report, uint64_t index) {
  spw_record_range range;
  memset(&range, 0, sizeof range);
  range.struct_size = sizeof range;
  EXPECT(SPW_OK, spw_report_range(report, index, &range, &err));
  return range;
}

/* Blocks of one frame and of many, runs of many records and of few, with times and without. */
static void make_store(const char* path) {
  spw_store* store = open_store(path, PAIRS(ON_DISK));
  const uint32_t small = stream_of(store, "small");
  const uint32_t timed = stream_with(store, "timed", PAIRS(SPW_OPT_TIMES, 1));
  const uint32_t large = stream_of(store, "large");
  CHECK(small == 0 && timed == 1 && large == 2);
  int64_t times[kTimed];
  for (int i = 0; i < kTimed; i++) {
    times[i] = i;
  }
  packed batch = pack(0, kTimed, length_of(timed));
  EXPECT(SPW_OK, spw_store_add(store, timed, batch.data, batch.offsets[kTimed], batch.offsets,
                               kTimed, times, SPW_WAIT_DEFAULT, NULL, NULL, &err));
  unpack(batch);
  add_numbered(store, large, 0, kLarge, length_of(large));
  for (uint64_t i = 0; i < kSmall; i += 100) {
    add_numbered(store, small, i, 100, length_of(small));
    EXPECT(SPW_OK, spw_store_flush(store, SPW_FLUSH_DEVICE, SPW_WAIT_FOREVER, NULL, &err));
  }
  close_store(store);
}

static int is_readable(spw_store* store, uint32_t stream, uint64_t seq) {
  uint8_t bytes[4096];
  uint64_t len = 0;
  const spw_status status =
      spw_store_read(store, stream, seq, bytes, sizeof bytes, &len, NULL, NULL);
  CHECK(status == SPW_OK || status == SPW_CORRUPT);
  CHECK(status != SPW_OK || (len == length_of(stream) && is_record(bytes, len, seq)));
  return status == SPW_OK;
}

/* The report names exactly the records that cannot be read. Returns how many those are. */
static uint64_t compare(spw_store* store) {
  spw_report* report = verify_store(store, SPW_ALL);
  const spw_record_summary summary = records_of(report);
  uint64_t next = 0;
  uint64_t damaged = 0;
  uint64_t bytes = 0;
  uint64_t wrong = 0;
  spw_record_range range = {0};
  for (uint32_t stream = 0; stream < kStreams; stream++) {
    for (uint64_t seq = 0; seq < kRecords[stream]; seq++) {
      if (next < summary.ranges && (range.stream != stream || range.end_seq <= seq)) {
        const spw_record_range ahead = range_of(report, next);
        if (ahead.stream == stream && ahead.begin_seq == seq) {
          range = ahead;
          next++;
          CHECK(range.code == SPW_CORRUPT && range.begin_seq < range.end_seq);
          CHECK(range.message_len > 0 && strlen(range.message) == range.message_len);
        }
      }
      const int in_range =
          next > 0 && range.stream == stream && range.begin_seq <= seq && seq < range.end_seq;
      const int readable = is_readable(store, stream, seq);
      wrong += readable == in_range ? 1 : 0;
      damaged += readable ? 0 : 1;
      bytes += readable ? length_of(stream) : 0;
    }
  }
  CHECK_EQUAL(wrong, 0);
  CHECK_EQUAL(next, summary.ranges);
  CHECK_EQUAL(summary.streams, kStreams);
  CHECK_EQUAL(summary.records, kSmall + kTimed + kLarge);
  CHECK_EQUAL(summary.records_damaged, damaged);
  CHECK_EQUAL(summary.bytes, bytes);
  spw_report_free(report);
  return damaged;
}

static void write_bytes(const char* path, const uint8_t* bytes, size_t len) {
  FILE* file = fopen(path, "wb");
  REQUIRE(file != NULL && fwrite(bytes, 1, len, file) == len && fclose(file) == 0);
}

static int is_empty(const uint8_t* bytes, size_t len) {
  for (size_t i = 0; i < len; i++) {
    if (bytes[i] != 0) {
      return 0;
    }
  }
  return 1;
}

/* One byte of each page that holds something, one after the other. */
static void damaged_anywhere(void) {
  phase("a flipped byte anywhere: what is reported is what cannot be read");
  enum { kPage = 4096 };
  const char* path = temp_path("good");
  make_store(path);
  size_t size;
  uint8_t* bytes = bytes_of(path, &size);
  const char* copy = temp_path("damaged");
  uint64_t opened = 0;
  uint64_t refused = 0;
  uint64_t hurt = 0;
  for (size_t page = 0; page + kPage <= size; page += kPage) {
    if (is_empty(bytes + page, kPage) || (is_watched() && page / kPage % 8 != 3)) {
      continue;
    }
    const size_t at = page + (page / kPage * 1237 + 17) % kPage;
    bytes[at] ^= 0x41;
    write_bytes(copy, bytes, size);
    bytes[at] ^= 0x41;
    spw_store* store = NULL;
    const spw_status status = spw_store_open(NAME(copy), NULL, NULL, &store, NULL);
    CHECK(status == SPW_OK || status == SPW_CORRUPT || status == SPW_UNSUPPORTED);
    if (store == NULL) {
      refused++;
      continue;
    }
    opened++;
    hurt += compare(store) > 0 ? 1 : 0;
    EXPECT(SPW_OK, spw_store_close(store, SPW_CLOSE_DISCARD, SPW_WAIT_FOREVER, NULL, &err));
    spw_store_free(store);
  }
  printf("%d pages: %d opened, %d of them with damaged records, %d not\n", (int)(opened + refused),
         (int)opened, (int)hurt, (int)refused);
  CHECK(hurt > opened / 2); /* most of what the file holds are records */
  free(bytes);
}

/* A whole stretch of the file is gone, so that much is damaged at once. */
static void much_damage(void) {
  phase("everything but the beginning and the end is overwritten");
  const char* path = temp_path("much");
  make_store(path);
  size_t size;
  uint8_t* bytes = bytes_of(path, &size);
  for (size_t at = size / 4; at < size / 2; at += 5000) {
    bytes[at] ^= 0x41;
  }
  write_bytes(path, bytes, size);
  free(bytes);
  spw_store* store = NULL;
  const spw_status status = spw_store_open(NAME(path), NULL, NULL, &store, NULL);
  CHECK(status == SPW_OK || status == SPW_CORRUPT);
  if (store != NULL) {
    CHECK(compare(store) > 0 || !is_sqlite()); /* of a block file, perhaps only what is free */
    EXPECT(SPW_OK, spw_store_close(store, SPW_CLOSE_DISCARD, SPW_WAIT_FOREVER, NULL, &err));
    spw_store_free(store);
  }
}

static void good_store(void) {
  phase("a good store: of all streams, of one, of what is left and of what is cold");
  const char* path = temp_path("whole");
  make_store(path);
  spw_store* store = open_store(path, PAIRS(ON_DISK));
  CHECK_EQUAL(compare(store), 0);
  spw_op* op = NULL;
  EXPECT(SPW_OK, spw_op_new(&op, &err));
  spw_report* report = NOWHERE;
  EXPECT(SPW_OK, spw_store_verify(store, 2, 0, SPW_NO_LIMIT, op, &report, &err));
  spw_record_summary summary = records_of(report);
  CHECK(summary.streams == 1 && summary.records == kLarge && summary.ranges == 0);
  CHECK_EQUAL(summary.bytes, kLarge * length_of(2));
  uint64_t done = 0;
  uint64_t total = 0;
  spw_op_progress(op, &done, &total);
  CHECK(done == kLarge && total == kLarge);
  spw_record_range none;
  memset(&none, 0x55, sizeof none);
  none.struct_size = sizeof none;
  EXPECT(SPW_NOT_FOUND, spw_report_range(report, 0, &none, &err));
  CHECK(none.message == NULL && none.code == 0 && none.end_seq == 0);
  spw_report_free(report);

  EXPECT(SPW_OK, spw_store_trim(store, 2, 5000, &err));
  add_numbered(store, 2, kLarge, 10, length_of(2)); /* in memory only */
  report = verify_store(store, SPW_ALL);
  summary = records_of(report);
  CHECK(summary.records == kSmall + kTimed + 1000 && summary.records_damaged == 0);
  EXPECT(SPW_OK, spw_store_flush(store, SPW_FLUSH_DEVICE, SPW_WAIT_FOREVER, NULL, &err));
  spw_report_free(report);
  report = verify_store(store, 2);
  CHECK_EQUAL(records_of(report).records, 1010);

  phase("what cannot be verified");
  spw_report* made = NOWHERE;
  EXPECT(SPW_NOT_FOUND, spw_store_verify(store, 9, 0, SPW_NO_LIMIT, NULL, &made, &err));
  spw_op_cancel(op);
  EXPECT(SPW_CANCELLED, spw_store_verify(store, SPW_ALL, 0, SPW_NO_LIMIT, op, &made, &err));
  CHECK(made == NULL);
  spw_op_free(op);
  close_store(store);
  CHECK_EQUAL(records_of(report).records, 1010); /* it outlives the store */
  spw_report_free(report);
  store = open_store(NULL, PAIRS(SPW_OPT_BUDGET_BYTES, kMiB));
  EXPECT(SPW_UNSUPPORTED, spw_store_verify(store, SPW_ALL, 0, SPW_NO_LIMIT, NULL, &made, &err));
  CHECK(made == NULL);
  close_store(store);
}

typedef struct busy {
  spw_store* store;
  uint32_t stream;
} busy;

static void* add_and_trim(void* argument) {
  const busy* of = argument;
  for (uint64_t i = 0; i < 20000; i += 100) {
    add_numbered(of->store, of->stream, i, 100, 100);
    if (i % 2000 == 0 && i > 5000) {
      EXPECT(SPW_OK, spw_store_trim(of->store, of->stream, i - 5000, &err));
    }
  }
  return NULL;
}

static void while_others_work(void) {
  phase("while another thread adds, spills and trims");
  const char* path = temp_path("busy");
  spw_store* store = open_store(path, PAIRS(ON_DISK, SPW_OPT_BUDGET_BYTES, 256 * kKiB));
  busy of = {store, stream_of(store, "a")};
  pthread_t thread;
  REQUIRE(pthread_create(&thread, NULL, add_and_trim, &of) == 0);
  spw_stream_stats stats;
  do {
    spw_report* report = verify_store(store, SPW_ALL);
    const spw_record_summary summary = records_of(report);
    CHECK(summary.ranges == 0 && summary.records_damaged == 0);
    spw_report_free(report);
    stats = stream_stats_of(store, of.stream);
  } while (stats.tail_seq < 20000);
  pthread_join(thread, NULL);
  EXPECT(SPW_OK, spw_store_flush(store, SPW_FLUSH_DEVICE, SPW_WAIT_FOREVER, NULL, &err));
  stats = stream_stats_of(store, of.stream);
  spw_report* report = verify_store(store, of.stream);
  CHECK_EQUAL(records_of(report).records, stats.tail_seq - stats.begin_seq);
  spw_report_free(report);
  close_store(store);
}

typedef struct slow {
  spw_store* store;
  spw_op* op;
  spw_status status;
} slow;

static void* verify_slowly(void* argument) {
  slow* of = argument;
  spw_report* report = NOWHERE;
  of->status = spw_store_verify(of->store, SPW_ALL, 0, 1, of->op, &report, NULL);
  CHECK(report == NULL);
  return NULL;
}

/* A byte per second would take days. */
static void ended_early(void) {
  static const char* const ways[] = {"cancel", "close"};
  const char* path = temp_path("slow");
  make_store(path);
  for (int way = 0; way < 2; way++) {
    phase(ways[way]);
    slow of = {open_store(path, PAIRS(ON_DISK)), NULL, SPW_OK};
    EXPECT(SPW_OK, spw_op_new(&of.op, &err));
    pthread_t thread;
    REQUIRE(pthread_create(&thread, NULL, verify_slowly, &of) == 0);
    uint64_t done = 0;
    POLL_UNTIL((spw_op_progress(of.op, &done, NULL), done > 0));
    if (way == 0) {
      spw_op_cancel(of.op);
    } else {
      EXPECT(SPW_OK, spw_store_close(of.store, 0, SPW_WAIT_FOREVER, NULL, &err));
    }
    pthread_join(thread, NULL);
    CHECK_EQUAL(of.status, way == 0 ? SPW_CANCELLED : SPW_CLOSED);
    spw_op_free(of.op);
    close_store(of.store);
  }
}

/* The two kinds of reports do not pass for each other. */
static void other_reports(void) {
  phase("a report of a file, a report of a store");
  spw_store* store = open_store(temp_path("kinds"), PAIRS(ON_DISK));
  spw_report* of_store = verify_store(store, SPW_ALL);
  spw_verify_summary summary = {.struct_size = sizeof summary, .blocks = 7};
  spw_problem problem = {.struct_size = sizeof problem, .code = 7};
  EXPECT(SPW_INVALID_ARGUMENT, spw_report_summary(of_store, &summary, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_report_problem(of_store, 0, &problem, &err));
  CHECK(summary.blocks == 0 && problem.code == 0);
  spw_file* file = try_open_file(temp_path("blocks"), PAIRS(SPW_OPT_OPEN, SPW_OPEN_NEW), SPW_OK);
  spw_report* of_file = verify(file, 0);
  spw_record_summary records = {.struct_size = sizeof records, .records = 7};
  spw_record_range range = {.struct_size = sizeof range, .code = 7};
  EXPECT(SPW_INVALID_ARGUMENT, spw_report_records(of_file, &records, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_report_range(of_file, 0, &range, &err));
  CHECK(records.records == 0 && range.code == 0);
  spw_report_free(of_store);
  spw_report_free(of_file);
  close_file(file);
  close_store(store);
}

int main(void) {
  good_store();
  damaged_anywhere();
  much_damage();
  while_others_work();
  ended_early();
  other_reports();
  return check_finish();
}
