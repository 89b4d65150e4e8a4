/* Adding: what comes back is what went in, what does not fit the rules is refused whole. */
#define _GNU_SOURCE 1
#include "fixture.h"

static spw_store* store;
static uint32_t stream;

static spw_status add(const void* data, uint64_t len, const uint64_t* offsets, size_t count,
                      uint64_t* seq) {
  *seq = 4711;
  return spw_store_add(store, stream, data, len, offsets, count, NULL, SPW_WAIT_DEFAULT, NULL, seq,
                       &err);
}

/* Refused, and nothing has changed. */
static void refused(spw_status want, const void* data, uint64_t len, const uint64_t* offsets,
                    size_t count) {
  const uint64_t before = stats_of(store).records_added;
  uint64_t seq;
  EXPECT(want, add(data, len, offsets, count, &seq));
  CHECK_EQUAL(seq, SPW_SEQ_NONE);
  CHECK_EQUAL(stats_of(store).records_added, before);
}

static void offsets_rules(void) {
  phase("offsets: above 0 at the start, equal, backwards, past the end");
  uint64_t seq;
  EXPECT(SPW_OK, add("xxhelloworld", 12, (uint64_t[]){2, 7, 12}, 2, &seq));
  CHECK_EQUAL(seq, 0);
  EXPECT(SPW_OK, add("hello", 5, (uint64_t[]){0, 0, 5, 5}, 3, &seq)); /* two empty ones */
  CHECK_EQUAL(seq, 2);
  EXPECT(SPW_OK, add(NULL, 0, (uint64_t[]){0, 0, 0}, 2, &seq)); /* nothing but empty ones */
  CHECK_EQUAL(seq, 5);
  EXPECT(SPW_OK, add("abcdef", 6, (uint64_t[]){1, 2}, 1, &seq)); /* the rest is not wanted */
  refused(SPW_INVALID_ARGUMENT, "hello", 5, (uint64_t[]){0, 3, 2, 5}, 3);
  refused(SPW_INVALID_ARGUMENT, "hello", 5, (uint64_t[]){4, 3}, 1);
  refused(SPW_INVALID_ARGUMENT, "hello", 5, (uint64_t[]){0, 6}, 1);
  refused(SPW_INVALID_ARGUMENT, "hello", 5, (uint64_t[]){6, 6}, 1);
  refused(SPW_INVALID_ARGUMENT, "hello", 5, (uint64_t[]){0, UINT64_MAX}, 1);
  refused(SPW_INVALID_ARGUMENT, "hello", 5, (uint64_t[]){UINT64_MAX, 0}, 1);
  refused(SPW_INVALID_ARGUMENT, "hello", 5, NULL, 1);
  refused(SPW_INVALID_ARGUMENT, NULL, 5, (uint64_t[]){0, 5}, 1);
  refused(SPW_TOO_BIG, "hello", 5, (uint64_t[]){0, 5}, SIZE_MAX); /* count + 1 is 0 */
  static const char* const want[] = {"hello", "world", "", "hello", "", "", "", "b"};
  for (uint64_t i = 0; i < 8; i++) {
    char text[16];
    uint64_t len = 99;
    EXPECT(SPW_OK, spw_store_read(store, stream, i, text, sizeof text, &len, NULL, &err));
    CHECK(len == strlen(want[i]) && memcmp(text, want[i], (size_t)len) == 0);
  }
  CHECK_EQUAL(stream_stats_of(store, stream).tail_seq, 8);
}

static void nothing_to_add(void) {
  phase("a batch without records is fine, and adds nothing");
  const spw_stats before = stats_of(store);
  uint64_t seq;
  EXPECT(SPW_OK, add("x", 1, (uint64_t[]){0}, 0, &seq));
  CHECK_EQUAL(seq, SPW_SEQ_NONE);
  EXPECT(SPW_OK, add(NULL, 0, NULL, 0, &seq));
  EXPECT(SPW_OK, spw_store_addv(store, stream, NULL, 0, NULL, SPW_NO_WAIT, NULL, &seq, &err));
  CHECK_EQUAL(seq, SPW_SEQ_NONE);
  const spw_stats after = stats_of(store);
  CHECK(after.records_live == before.records_live && after.batches_added == before.batches_added);
  CHECK_EQUAL(after.bytes_resident, before.bytes_resident);
}

static void unknown_stream(void) {
  phase("adding to a stream that is not there");
  uint64_t seq = 1;
  EXPECT(SPW_NOT_FOUND, spw_store_add(store, 4711, "x", 1, (uint64_t[]){0, 1}, 1, NULL, SPW_NO_WAIT,
                                      NULL, &seq, &err));
  CHECK_EQUAL(seq, SPW_SEQ_NONE);
  EXPECT(SPW_NOT_FOUND, spw_store_add(store, SPW_ALL, "x", 1, (uint64_t[]){0, 1}, 1, NULL,
                                      SPW_NO_WAIT, NULL, &seq, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_add(store, stream, "x", 1, (uint64_t[]){0, 1}, 1, NULL, -2,
                                             NULL, &seq, &err)); /* no such timeout */
}

static void times(void) {
  phase("times: required where a stream has them, refused where not");
  const uint32_t timed = stream_with(store, "timed", PAIRS(SPW_OPT_TIMES, 1));
  const int64_t at[] = {INT64_MIN, -1, 0, 1, INT64_MAX};
  const uint64_t offsets[] = {0, 1, 2, 3, 4, 5};
  uint64_t seq = 1;
  EXPECT(SPW_OK, spw_store_add(store, timed, "abcde", 5, offsets, 5, at, SPW_WAIT_DEFAULT, NULL,
                               &seq, &err));
  CHECK_EQUAL(seq, 0);
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_add(store, timed, "abcde", 5, offsets, 5, NULL,
                                             SPW_WAIT_DEFAULT, NULL, &seq, &err));
  CHECK_EQUAL(seq, SPW_SEQ_NONE);
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_add(store, stream, "abcde", 5, offsets, 5, at,
                                             SPW_WAIT_DEFAULT, NULL, &seq, &err));
  for (uint64_t i = 0; i < 5; i++) {
    char byte;
    uint64_t len;
    int64_t time = 4711;
    EXPECT(SPW_OK, spw_store_read(store, timed, i, &byte, 1, &len, &time, &err));
    CHECK(byte == "abcde"[i] && time == at[i]);
    time = 4711;
    EXPECT(SPW_OK, spw_store_read(store, stream, 7, &byte, 1, &len, &time, &err));
    CHECK(time == 0); /* a stream without times */
  }
}

static void records_that_lie_apart(void) {
  phase("records that lie apart in memory");
  const uint64_t first = stream_stats_of(store, stream).tail_seq;
  const spw_slice slices[] = {{"one", 3}, {NULL, 0}, {"", 0}, {"two", 3}};
  uint64_t seq = 1;
  EXPECT(SPW_OK,
         spw_store_addv(store, stream, slices, 4, NULL, SPW_WAIT_DEFAULT, NULL, &seq, &err));
  CHECK_EQUAL(seq, first);
  char text[8];
  uint64_t len;
  EXPECT(SPW_OK, spw_store_read(store, stream, first + 3, text, sizeof text, &len, NULL, &err));
  CHECK(len == 3 && memcmp(text, "two", 3) == 0);
  const spw_slice bad[] = {{"one", 3}, {NULL, 1}};
  EXPECT(SPW_INVALID_ARGUMENT,
         spw_store_addv(store, stream, bad, 2, NULL, SPW_WAIT_DEFAULT, NULL, &seq, &err));
  CHECK_EQUAL(seq, SPW_SEQ_NONE);
  EXPECT(SPW_INVALID_ARGUMENT,
         spw_store_addv(store, stream, NULL, 2, NULL, SPW_WAIT_DEFAULT, NULL, &seq, &err));
  const spw_slice half[] = {{"x", SIZE_MAX / 2}, {"x", SIZE_MAX / 2}, {"x", SIZE_MAX / 2}};
  EXPECT(SPW_TOO_BIG,
         spw_store_addv(store, stream, half, 3, NULL, SPW_WAIT_DEFAULT, NULL, &seq, &err));
  CHECK_EQUAL(stream_stats_of(store, stream).tail_seq, first + 4);
}

static void records_too_large(void) {
  phase("a record above the limit is named, and its bytes are not touched");
  const uint64_t above = SPW_RECORD_BYTES_MAX + 1;
  const uint64_t offsets[] = {0, 1, 2, 2 + above};
  uint64_t seq = 1;
  spw_error* error = NULL;
  CHECK_EQUAL(spw_store_add(store, stream, "xy", 2 + above, offsets, 3, NULL, SPW_WAIT_DEFAULT,
                            NULL, &seq, &error),
              SPW_TOO_BIG);
  CHECK(spw_error_record(error) == 2 && seq == SPW_SEQ_NONE);
  spw_error_free(error);
  const spw_slice slices[] = {{"x", 1}, {"x", (size_t)above}};
  CHECK_EQUAL(spw_store_addv(store, stream, slices, 2, NULL, SPW_WAIT_DEFAULT, NULL, &seq, &error),
              SPW_TOO_BIG);
  CHECK(spw_error_record(error) == 1 && seq == SPW_SEQ_NONE);
  spw_error_free(error);
}

static void buffers_are_the_callers(void) {
  phase("the caller may use its buffers again at once");
  char data[] = "first";
  uint64_t offsets[] = {0, 5};
  uint64_t seq;
  EXPECT(SPW_OK, add(data, 5, offsets, 1, &seq));
  memcpy(data, "#####", 5);
  offsets[0] = offsets[1] = 99;
  char text[8];
  uint64_t len;
  EXPECT(SPW_OK, spw_store_read(store, stream, seq, text, sizeof text, &len, NULL, &err));
  CHECK(len == 5 && memcmp(text, "first", 5) == 0);
}

static void every_byte(const char* path) {
  phase(path != NULL ? "every byte comes back, from disk" : "every byte comes back, from memory");
  spw_store* other =
      open_store(path, path != NULL ? PAIRS(ON_DISK, SPW_OPT_BUDGET_BYTES, 256 * kKiB) : PAIRS(0));
  const uint32_t all = stream_of(other, "all");
  uint64_t number = 0;
  uint64_t state = 88172645463325252u;
  while (number < 3000) { /* batches of 1 to 64 records of 0 to 2,047 bytes */
    uint8_t data[64 * 2048];
    uint64_t offsets[65] = {0};
    size_t count = 0;
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    const size_t want = 1 + state % 64;
    while (count < want) {
      state ^= state << 13, state ^= state >> 7, state ^= state << 17;
      const size_t len = state % 2048;
      fill_record(data + offsets[count], len, number + count);
      offsets[count + 1] = offsets[count] + len;
      count++;
    }
    uint64_t seq = 1;
    EXPECT(SPW_OK, spw_store_add(other, all, data, offsets[count], offsets, count, NULL,
                                 SPW_WAIT_FOREVER, NULL, &seq, &err));
    CHECK_EQUAL(seq, number);
    number += count;
  }
  CHECK_EQUAL(read_all(other, all), number);
  close_store(other);
  if (path != NULL) {
    other = open_store(path, PAIRS(ON_DISK));
    CHECK_EQUAL(read_all(other, stream_of(other, "all")), number);
    close_store(other);
  }
}

static void large_records(void) {
  phase("records of 100,000 bytes and one of 64 MiB, above the budget");
  const char* path = temp_path("large");
  spw_store* other = open_store(path, PAIRS(ON_DISK, SPW_OPT_BUDGET_BYTES, kMiB));
  const uint32_t all = stream_of(other, "all");
  add_numbered(other, all, 0, 3, 100000);
  add_numbered(other, all, 3, 1, 64 * kMiB);
  add_numbered(other, all, 4, 3, 10);
  CHECK(stats_of(other).bytes_resident_peak <= stats_of(other).bytes_hard);
  for (int round = 0; round < 2; round++) {
    CHECK_EQUAL(read_all(other, all), 7);
    close_store(other);
    other = open_store(path, PAIRS(ON_DISK, SPW_OPT_BUDGET_BYTES, kMiB));
  }
  close_store(other);
}

int main(void) {
  store = open_store(NULL, PAIRS(0));
  stream = stream_of(store, "a");
  offsets_rules();
  nothing_to_add();
  unknown_stream();
  times();
  records_that_lie_apart();
  records_too_large();
  buffers_are_the_callers();
  close_store(store);
  every_byte(NULL);
  every_byte(temp_path("bytes"));
  large_records();
  return check_finish();
}
