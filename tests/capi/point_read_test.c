/* Single records by their sequence number, and many of them in one call. */
#define _GNU_SOURCE 1
#include "fixture.h"

static void one_by_one(spw_store* store, uint32_t stream, uint64_t tail, size_t len) {
  uint8_t* buffer = malloc(len + 1);
  REQUIRE(buffer != NULL);
  uint64_t wrong = 0;
  for (uint64_t i = 0; i < tail; i++) {
    const uint64_t seq = (i * 7919) % tail; /* here and there, each once if tail is no multiple */
    uint64_t got = 0;
    wrong += spw_store_read(store, stream, seq, buffer, len, &got, NULL, NULL) != SPW_OK ||
                     got != len || !is_record(buffer, len, seq)
                 ? 1
                 : 0;
  }
  CHECK_EQUAL(wrong, 0);

  uint64_t got = 77;
  int64_t time = 77;
  memset(buffer, 0x55, len);
  EXPECT(SPW_TOO_BIG, spw_store_read(store, stream, 3, buffer, len - 1, &got, &time, &err));
  CHECK_EQUAL(got, len); /* what is needed */
  CHECK(buffer[0] == 0x55 && buffer[len - 2] == 0x55);
  EXPECT(SPW_TOO_BIG, spw_store_read(store, stream, 3, NULL, 0, &got, NULL, &err));
  CHECK_EQUAL(got, len);
  EXPECT(SPW_NOT_FOUND, spw_store_read(store, stream, tail, buffer, len, &got, &time, &err));
  CHECK(got == 0 && time == 0);
  EXPECT(SPW_NOT_FOUND, spw_store_read(store, stream, SPW_SEQ_NONE, buffer, len, &got, NULL, &err));
  EXPECT(SPW_NOT_FOUND, spw_store_read(store, 99, 0, buffer, len, &got, NULL, &err));
  free(buffer);
}

static void gathered(spw_store* store, uint32_t stream, uint64_t tail, size_t len) {
  const uint64_t seqs[] = {tail - 1, 0, 5, 5, 3, tail / 2, 0, tail - 1};
  enum { kCount = sizeof seqs / sizeof seqs[0] };
  spw_batch* batch = NULL;
  EXPECT(SPW_OK, spw_store_gather(store, stream, seqs, kCount, &batch, &err));
  REQUIRE(batch != NULL);
  spw_view view = empty_view();
  EXPECT(SPW_OK, spw_batch_view(batch, &view, &err));
  REQUIRE(view.count == kCount && view.seqs != NULL);
  CHECK(view.first_seq == seqs[0]);
  for (size_t i = 0; i < kCount; i++) {
    CHECK(view.seqs[i] == seqs[i] && view.end[i] - view.begin[i] == len);
    CHECK(view.end[i] <= view.data_len && is_record(view.data + view.begin[i], len, seqs[i]));
  }
  spw_batch_free(batch);

  batch = (spw_batch*)(uintptr_t)64;
  const uint64_t missing[] = {0, 1, tail, 2};
  spw_error* error = NULL;
  CHECK_EQUAL(spw_store_gather(store, stream, missing, 4, &batch, &error), SPW_NOT_FOUND);
  CHECK(spw_error_record(error) == 2 && batch == NULL);
  spw_error_free(error);
  EXPECT(SPW_NOT_FOUND, spw_store_gather(store, 99, seqs, 1, &batch, &err));
  EXPECT(SPW_OK, spw_store_gather(store, stream, NULL, 0, &batch, &err)); /* of nothing */
  view = empty_view();
  EXPECT(SPW_OK, spw_batch_view(batch, &view, &err));
  CHECK_EQUAL(view.count, 0);
  spw_batch_free(batch);
}

static void gathered_at_random(spw_store* store, uint32_t stream, uint64_t tail, size_t len) {
  enum { kCount = 1000 };
  uint64_t* seqs = malloc(kCount * sizeof *seqs);
  REQUIRE(seqs != NULL);
  uint64_t state = check_seed;
  for (size_t i = 0; i < kCount; i++) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    seqs[i] = state % tail;
  }
  spw_batch* batch = NULL;
  EXPECT(SPW_OK, spw_store_gather(store, stream, seqs, kCount, &batch, &err));
  spw_view view = empty_view();
  EXPECT(SPW_OK, spw_batch_view(batch, &view, &err));
  uint64_t wrong = view.count == kCount ? 0 : 1;
  for (size_t i = 0; i < view.count; i++) {
    wrong += view.end[i] - view.begin[i] != len || view.seqs[i] != seqs[i] ||
                     !is_record(view.data + view.begin[i], len, seqs[i])
                 ? 1
                 : 0;
  }
  CHECK_EQUAL(wrong, 0);
  spw_batch_free(batch);
  free(seqs);
}

static void cleared(spw_store* store, uint32_t stream, uint64_t tail) {
  EXPECT(SPW_OK, spw_store_clear(store, stream, &err));
  add_numbered(store, stream, tail, 2, 10);
  uint8_t buffer[16];
  uint64_t len = 77;
  EXPECT(SPW_TRIMMED, spw_store_read(store, stream, tail - 1, buffer, 16, &len, NULL, &err));
  CHECK_EQUAL(len, 0);
  EXPECT(SPW_OK, spw_store_read(store, stream, tail, buffer, 16, &len, NULL, &err));
  CHECK(len == 10 && is_record(buffer, 10, tail));
  const uint64_t seqs[] = {tail + 1, tail, 0};
  spw_batch* batch = NULL;
  spw_error* error = NULL;
  CHECK_EQUAL(spw_store_gather(store, stream, seqs, 3, &batch, &error), SPW_TRIMMED);
  CHECK(spw_error_record(error) == 2 && batch == NULL);
  spw_error_free(error);
}

static void times(spw_store* store) {
  const uint32_t timed = stream_with(store, "timed", PAIRS(SPW_OPT_TIMES, 1));
  int64_t at[50];
  packed batch = pack(0, 50, 20);
  for (int i = 0; i < 50; i++) {
    at[i] = INT64_C(1700000000000000000) - i * 1000; /* not in order: nothing sorts by time */
  }
  at[7] = INT64_MIN;
  EXPECT(SPW_OK, spw_store_add(store, timed, batch.data, batch.offsets[50], batch.offsets, 50, at,
                               SPW_WAIT_DEFAULT, NULL, NULL, &err));
  unpack(batch);
  const uint64_t seqs[] = {49, 7, 0};
  spw_batch* gathered_batch = NULL;
  EXPECT(SPW_OK, spw_store_gather(store, timed, seqs, 3, &gathered_batch, &err));
  spw_view view = empty_view();
  EXPECT(SPW_OK, spw_batch_view(gathered_batch, &view, &err));
  REQUIRE(view.count == 3 && view.times != NULL);
  CHECK(view.times[0] == at[49] && view.times[1] == INT64_MIN && view.times[2] == at[0]);
  spw_batch_free(gathered_batch);
}

static void times_after_reopen(spw_store* store) {
  const uint32_t timed = stream_of(store, "timed");
  spw_cursor* cursor = open_cursor(store, timed);
  uint64_t records = 0;
  for (;;) {
    spw_view view = empty_view();
    EXPECT(SPW_OK, spw_cursor_next(cursor, 7, SPW_NO_LIMIT, 0, NULL, &view, &err));
    if (view.count == 0) {
      break;
    }
    REQUIRE(view.times != NULL);
    for (uint64_t i = 0; i < view.count; i++, records++) {
      const int64_t want = INT64_C(1700000000000000000) - (int64_t)records * 1000;
      CHECK(view.times[i] == (records == 7 ? INT64_MIN : want));
    }
  }
  CHECK_EQUAL(records, 50);
  spw_cursor_free(cursor);
}

static void everything_about(spw_store* store, uint32_t stream, uint64_t tail, size_t len) {
  phase("  one by one");
  one_by_one(store, stream, tail, len);
  phase("  gathered");
  gathered(store, stream, tail, len);
  gathered_at_random(store, stream, tail, len);
}

int main(void) {
  const char* seed = getenv("SEED");
  check_seed = seed != NULL ? strtoull(seed, NULL, 10) | 1 : 20231111;
  phase("records in memory");
  spw_store* store = open_store(NULL, PAIRS(0));
  uint32_t stream = stream_of(store, "a");
  add_numbered(store, stream, 0, 500, 100);
  everything_about(store, stream, 500, 100);
  times(store);
  cleared(store, stream, 500);
  close_store(store);

  phase("records in memory and on disk");
  const char* path = temp_path("points");
  store = open_store(path, PAIRS(ON_DISK, SPW_OPT_BUDGET_BYTES, 512 * kKiB));
  stream = stream_of(store, "a");
  for (uint64_t i = 0; i < 30; i++) {
    add_numbered(store, stream, i * 100, 100, 500);
  }
  everything_about(store, stream, 3000, 500);
  times(store);
  close_store(store);

  phase("records on disk");
  store = open_store(path, PAIRS(ON_DISK, SPW_OPT_BUDGET_BYTES, 512 * kKiB));
  everything_about(store, stream, 3000, 500);
  times_after_reopen(store);
  cleared(store, stream, 3000);
  close_store(store);
  return check_finish();
}
