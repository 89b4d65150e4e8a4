/* Streams: making and finding them, what they may be called, and that they do not mix. Statistics
 * of streams and the events of a store. */
#define _GNU_SOURCE 1
#include "fixture.h"

static spw_status ask(spw_store* store, const char* name, size_t len, uint32_t flags,
                      uint32_t* stream) {
  *stream = 4711;
  return spw_store_stream(store, name, len, NULL, flags, stream, &err);
}

static void made_and_found(void) {
  phase("streams are made, found, and keep their number");
  const char* path = temp_path("streams");
  spw_store* store = open_store(path, PAIRS(ON_DISK));
  uint32_t raw, filtered, again;
  EXPECT(SPW_NOT_FOUND, ask(store, "raw", 3, 0, &again));
  EXPECT(SPW_OK, ask(store, "raw", 3, SPW_STREAM_CREATE, &raw));
  EXPECT(SPW_OK, ask(store, "filtered", 8, SPW_STREAM_MUST_CREATE, &filtered));
  EXPECT(SPW_ALREADY_EXISTS, ask(store, "raw", 3, SPW_STREAM_MUST_CREATE, &again));
  EXPECT(SPW_OK, ask(store, "raw", 3, SPW_STREAM_CREATE, &again));
  CHECK_EQUAL(again, raw);
  EXPECT(SPW_OK, ask(store, "filtered", 8, 0, &again));
  CHECK_EQUAL(again, filtered);
  CHECK(raw != filtered && raw < SPW_STREAMS_MAX && filtered < SPW_STREAMS_MAX);
  EXPECT(SPW_NOT_FOUND, ask(store, "ra", 2, 0, &again)); /* the length counts */
  EXPECT(SPW_UNSUPPORTED, ask(store, "x", 1, UINT32_C(1) << 20, &again));
  close_store(store);

  store = open_store(path, PAIRS(ON_DISK));
  EXPECT(SPW_OK, ask(store, "filtered", 8, 0, &again)); /* empty, and there all the same */
  CHECK_EQUAL(again, filtered);
  uint32_t ids[4] = {9, 9, 9, 9};
  size_t count = 0;
  EXPECT(SPW_OK, spw_store_streams(store, ids, 4, &count, &err));
  CHECK(count == 2 && ids[0] == raw && ids[1] == filtered && ids[2] == 9);
  ids[1] = 9;
  EXPECT(SPW_OK, spw_store_streams(store, ids, 1, &count, &err)); /* how many there are */
  CHECK(count == 2 && ids[0] == raw && ids[1] == 9);
  EXPECT(SPW_OK, spw_store_streams(store, NULL, 0, &count, &err));
  CHECK_EQUAL(count, 2);
  close_store(store);
}

static void names(void) {
  phase("names of streams are any bytes");
  static const struct {
    const char* bytes;
    size_t len;
  } all[] = {{"log", 3},
             {"LOG", 3},
             {"Log", 3},
             {"a\0b", 3},
             {"a\0c", 3},
             {"a", 1},
             {"\0", 1},
             {" ", 1},
             {"'; DROP TABLE s0; --", 20},
             {"\"quoted\"", 8},
             {"s0", 2},
             {"sqlite_master", 13},
             {"streams", 7},
             {"catalog", 7},
             {"../../etc/passwd", 16},
             {"\xff\xfe\x00\x80", 4},
             {"gr\xc3\xbc\xc3\x9f", 6},
             {"[x]`y`%s%n", 10}};
  enum { kCount = sizeof all / sizeof all[0] };
  const char* path = temp_path("names");
  uint32_t ids[kCount];
  spw_store* store = open_store(path, PAIRS(ON_DISK));
  for (size_t i = 0; i < kCount; i++) {
    EXPECT(SPW_OK, ask(store, all[i].bytes, all[i].len, SPW_STREAM_MUST_CREATE, &ids[i]));
    add_numbered(store, ids[i], 0, i + 1, 20);
  }
  close_store(store);
  store = open_store(path, PAIRS(ON_DISK));
  for (size_t i = 0; i < kCount; i++) {
    uint32_t again;
    EXPECT(SPW_OK, ask(store, all[i].bytes, all[i].len, 0, &again));
    CHECK_EQUAL(again, ids[i]);
    CHECK_EQUAL(read_all(store, again), i + 1);
    char name[64];
    size_t len = 0;
    EXPECT(SPW_OK, spw_store_stream_name(store, again, name, sizeof name, &len, &err));
    CHECK(len == all[i].len && memcmp(name, all[i].bytes, len) == 0);
  }
  close_store(store);
}

static void lengths_of_names(void) {
  phase("names of streams have 1 to 1024 bytes");
  char name[SPW_STREAM_NAME_MAX + 1];
  memset(name, 'n', sizeof name);
  spw_store* store = open_store(NULL, PAIRS(0));
  uint32_t stream;
  EXPECT(SPW_INVALID_ARGUMENT, ask(store, name, 0, SPW_STREAM_CREATE, &stream));
  EXPECT(SPW_TOO_BIG, ask(store, name, sizeof name, SPW_STREAM_CREATE, &stream));
  EXPECT(SPW_TOO_BIG, ask(store, name, SIZE_MAX / 2, SPW_STREAM_CREATE, &stream));
  EXPECT(SPW_OK, ask(store, name, SPW_STREAM_NAME_MAX, SPW_STREAM_CREATE, &stream));
  char copy[SPW_STREAM_NAME_MAX];
  size_t len = 0;
  EXPECT(SPW_TOO_BIG, spw_store_stream_name(store, stream, copy, sizeof copy - 1, &len, &err));
  CHECK_EQUAL(len, SPW_STREAM_NAME_MAX);
  EXPECT(SPW_TOO_BIG, spw_store_stream_name(store, stream, NULL, 0, &len, &err));
  CHECK_EQUAL(len, SPW_STREAM_NAME_MAX);
  EXPECT(SPW_OK, spw_store_stream_name(store, stream, copy, sizeof copy, &len, &err));
  CHECK(len == sizeof copy && memcmp(copy, name, len) == 0);
  EXPECT(SPW_NOT_FOUND, spw_store_stream_name(store, stream + 1, copy, sizeof copy, &len, &err));
  CHECK_EQUAL(len, 0);
  CHECK_EQUAL(stats_of(store).streams, 1);
  close_store(store);
}

static void options_of_streams(void) {
  phase("options of a stream: live ones are applied, fixed ones must agree");
  const char* path = temp_path("stream_options");
  spw_store* store = open_store(path, PAIRS(ON_DISK));
  const uint32_t timed =
      stream_with(store, "timed", PAIRS(SPW_OPT_TIMES, 1, SPW_OPT_BUDGET_RECORDS, 1000));
  CHECK_EQUAL(stream_stats_of(store, timed).flags, SPW_STREAM_HAS_TIMES);
  int64_t value = 0;
  EXPECT(SPW_OK, spw_store_get_i64(store, timed, SPW_OPT_BUDGET_RECORDS, &value, &err));
  CHECK_EQUAL(value, 1000);
  CHECK_EQUAL(stream_with(store, "timed", PAIRS(SPW_OPT_BUDGET_RECORDS, 2000)), timed);
  EXPECT(SPW_OK, spw_store_get_i64(store, timed, SPW_OPT_BUDGET_RECORDS, &value, &err));
  CHECK_EQUAL(value, 2000);
  for (int round = 0; round < 2; round++) {
    spw_options* options = make_options(PAIRS(SPW_OPT_TIMES, 0));
    uint32_t stream = 1;
    EXPECT(SPW_INVALID_ARGUMENT, spw_store_stream(store, "timed", 5, options, 0, &stream, &err));
    spw_options_free(options);
    CHECK_EQUAL(stream_with(store, "timed", PAIRS(SPW_OPT_TIMES, 1)), timed);
    CHECK_EQUAL(stream_stats_of(store, timed).flags, SPW_STREAM_HAS_TIMES);
    close_store(store);
    store = open_store(path, PAIRS(ON_DISK)); /* and once more after reopen */
  }
  close_store(store);
}

static void streams_do_not_mix(void) {
  phase("streams do not mix, and clearing one leaves the other");
  const char* path = temp_path("mix");
  spw_store* store = open_store(path, PAIRS(ON_DISK, SPW_OPT_BUDGET_BYTES, 256 * kKiB));
  const uint32_t raw = stream_of(store, "raw");
  const uint32_t filtered = stream_of(store, "filtered");
  for (uint64_t i = 0; i < 50; i++) {
    CHECK_EQUAL(add_numbered(store, raw, i * 7, 7, 3000), i * 7);
    CHECK_EQUAL(add_numbered(store, filtered, i * 3, 3, 500), i * 3);
  }
  CHECK_EQUAL(read_all(store, raw), 350);
  CHECK_EQUAL(read_all(store, filtered), 150);
  EXPECT(SPW_OK, spw_store_clear(store, filtered, &err));
  CHECK_EQUAL(read_all(store, raw), 350);
  CHECK_EQUAL(stats_of(store).records_live, 350);
  CHECK_EQUAL(stats_of(store).records_cleared, 150);
  CHECK_EQUAL(add_numbered(store, filtered, 150, 5, 500), 150); /* numbers go on */
  const spw_stream_stats stats = stream_stats_of(store, filtered);
  CHECK(stats.begin_seq == 150 && stats.tail_seq == 155);
  close_store(store);

  phase("what was cleared does not come back after reopen");
  store = open_store(path, PAIRS(ON_DISK));
  CHECK_EQUAL(read_all(store, raw), 350);
  spw_cursor* cursor = open_cursor(store, filtered);
  CHECK_EQUAL(read_on(cursor, 150, 0), 5);
  spw_cursor_free(cursor);
  EXPECT(SPW_OK, spw_store_clear(store, filtered, &err));
  EXPECT(SPW_OK, spw_store_clear(store, filtered, &err)); /* twice is fine */
  EXPECT(SPW_NOT_FOUND, spw_store_clear(store, 99, &err));
  close_store(store);
  store = open_store(path, PAIRS(ON_DISK));
  CHECK_EQUAL(stream_stats_of(store, filtered).begin_seq, 155);
  CHECK_EQUAL(stream_stats_of(store, filtered).tail_seq, 155);
  CHECK_EQUAL(add_numbered(store, filtered, 155, 1, 10), 155);
  close_store(store);
}

static void watermarks(void) {
  phase("the watermarks of a stream");
  spw_store* store = open_store(temp_path("marks"), PAIRS(ON_DISK));
  const uint32_t stream = stream_of(store, "a");
  add_numbered(store, stream, 0, 40, 10);
  spw_stream_stats stats = stream_stats_of(store, stream);
  CHECK(stats.begin_seq == 0 && stats.spilled_seq == 0 && stats.tail_seq == 40);
  CHECK(stats.records_resident == 40 && stats.bytes_unspilled >= 400);
  EXPECT(SPW_OK, spw_store_flush(store, SPW_FLUSH_DEVICE, SPW_WAIT_FOREVER, NULL, &err));
  add_numbered(store, stream, 40, 2, 10);
  stats = stream_stats_of(store, stream);
  CHECK(stats.begin_seq == 0 && stats.spilled_seq == 40 && stats.tail_seq == 42);
  EXPECT(SPW_OK, spw_store_clear(store, stream, &err));
  stats = stream_stats_of(store, stream);
  CHECK(stats.begin_seq == 42 && stats.spilled_seq == 42 && stats.tail_seq == 42);
  CHECK(stats.records_resident == 0 && stats.bytes_unspilled == 0);
  memset(&stats, 0, sizeof stats);
  stats.struct_size = sizeof stats;
  EXPECT(SPW_NOT_FOUND, spw_store_stream_stats(store, stream + 1, &stats, &err));
  close_store(store);
}

static void events(void) {
  phase("a spill can be seen in the events");
  spw_store* store =
      open_store(temp_path("events"), PAIRS(ON_DISK, SPW_OPT_BUDGET_BYTES, 256 * kKiB));
  const uint32_t stream = stream_of(store, "a");
  for (uint64_t i = 0; i < 20; i++) {
    add_numbered(store, stream, i * 100, 100, 1000);
  }
  EXPECT(SPW_OK, spw_store_flush(store, SPW_FLUSH_DEVICE, SPW_WAIT_FOREVER, NULL, &err));
  spw_event some[300];
  memset(some, 0, sizeof some);
  size_t count = 0;
  uint64_t begun = 0, ended = 0, records = 0, last_ns = 0;
  do {
    EXPECT(SPW_OK, spw_store_events(store, some, sizeof some[0], 7, &count, &err));
    CHECK(count <= 7);
    for (size_t i = 0; i < count; i++) {
      begun += some[i].kind == SPW_EVENT_SPILL_BEGIN ? 1 : 0;
      ended += some[i].kind == SPW_EVENT_SPILL_END ? 1 : 0;
      records += some[i].kind == SPW_EVENT_SPILL_END ? some[i].count : 0;
      CHECK(some[i].kind >= SPW_EVENT_BLOCKED && some[i].kind <= SPW_EVENT_CORRUPT);
      CHECK(some[i].code == SPW_OK && some[i].reserved == 0);
      CHECK(some[i].time_ns >= UINT64_C(1600000000000000000));
      CHECK(some[i].time_ns + UINT64_C(1000000000) >= last_ns); /* oldest first */
      last_ns = some[i].time_ns;
    }
  } while (count > 0);
  const spw_stats stats = stats_of(store);
  CHECK(stats.spills > 0);
  if (stats.events_lost == 0) {
    CHECK_EQUAL(begun, ended);
    CHECK_EQUAL(ended, stats.spills);
    CHECK_EQUAL(records, stats.records_spilled);
  }
  EXPECT(SPW_OK, spw_store_events(store, some, sizeof some[0], 300, &count, &err));
  CHECK_EQUAL(count, 0); /* drained */
  EXPECT(SPW_OK, spw_store_events(store, NULL, sizeof some[0], 0, &count, &err));
  close_store(store);
}

int main(void) {
  made_and_found();
  names();
  lengths_of_names();
  options_of_streams();
  streams_do_not_mix();
  watermarks();
  events();
  return check_finish();
}
