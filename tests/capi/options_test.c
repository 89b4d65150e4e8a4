/* Which options there are, which values they take, where they belong, and what changes while a
 * store is in use. */
#define _GNU_SOURCE 1
#include "fixture.h"

static void one_value(int32_t key, int64_t value, spw_status want) {
  spw_options* options = make_options(PAIRS(0));
  spw_error* error = NULL;
  const spw_status got = spw_options_set_i64(options, key, value, &error);
  check_that(got == want && spw_error_code(error) == got, __FILE__, __LINE__,
             "option %d = %" PRId64 ": %s, want %s", key, value, spw_status_name(got),
             spw_status_name(want));
  spw_error_free(error);
  int64_t back = 77;
  if (want == SPW_OK) {
    EXPECT(SPW_OK, spw_options_get_i64(options, key, &back, &err));
    CHECK(back == value);
  } else if (want == SPW_INVALID_ARGUMENT) {
    EXPECT(SPW_NOT_FOUND, spw_options_get_i64(options, key, &back, &err)); /* nothing was set */
    CHECK(back == 0);
  }
  spw_options_free(options);
}

static void ranges(void) {
  phase("values at the edges of their ranges");
  static const struct {
    int32_t key;
    int64_t least;
    int64_t most;
  } ranges_of[] = {
      {SPW_OPT_BUDGET_BYTES, 256 * kKiB, SPW_UNLIMITED},
      {SPW_OPT_BUDGET_RECORDS, 1, SPW_UNLIMITED},
      {SPW_OPT_HARD_PERCENT, 100, 1000},
      {SPW_OPT_LOW_PERCENT, 0, 100},
      {SPW_OPT_SPILLS_IN_FLIGHT, 1, 2},
      {SPW_OPT_TIMEOUT_MS, 0, SPW_WAIT_FOREVER},
      {SPW_OPT_COLD_TIER, SPW_TIER_BLOCK_FILE, SPW_TIER_SQLITE},
      {SPW_OPT_OPEN, SPW_OPEN_CREATE, SPW_OPEN_TEMPORARY},
      {SPW_OPT_WHEN_FULL, SPW_WHEN_FULL_BLOCK, SPW_WHEN_FULL_DROP_OLDEST},
      {SPW_OPT_TIMES, 0, 1},
      {SPW_OPT_SYNC_MS, 0, SPW_UNLIMITED},
      {SPW_OPT_EAGER, 0, 1},
      {SPW_OPT_IDLE_MS, 0, SPW_UNLIMITED},
      {SPW_OPT_PROMOTE_READS, 0, 65535},
      {SPW_OPT_FILE_CHECKSUM, SPW_CHECKSUM_XXH3, SPW_CHECKSUM_SHA256},
      {SPW_OPT_FILE_DIRTY_BYTES, kMiB, INT64_MAX},
      {SPW_OPT_FILE_DIRTY_BLOCKS, 1, INT64_MAX},
      {SPW_OPT_FILE_CACHE_BYTES, 0, INT64_MAX},
      {SPW_OPT_FILE_GROWTH_BYTES, kMiB, 1024 * (int64_t)kMiB},
      {SPW_OPT_FILE_JOURNAL_BYTES, kMiB, INT64_MAX},
  };
  for (size_t i = 0; i < sizeof ranges_of / sizeof ranges_of[0]; i++) {
    const int32_t key = ranges_of[i].key;
    one_value(key, ranges_of[i].least, SPW_OK);
    one_value(key, ranges_of[i].most, SPW_OK);
    one_value(key, ranges_of[i].least - 1, SPW_INVALID_ARGUMENT);
    if (ranges_of[i].most != INT64_MAX) {
      one_value(key, ranges_of[i].most + 1, SPW_INVALID_ARGUMENT);
    }
    one_value(key, INT64_MIN, SPW_INVALID_ARGUMENT);
  }
  one_value(SPW_OPT_BUDGET_BYTES, 0, SPW_INVALID_ARGUMENT);
  one_value(SPW_OPT_BUDGET_BYTES, SPW_AUTO, SPW_OK);
  one_value(SPW_OPT_BUDGET_BYTES, -2, SPW_INVALID_ARGUMENT);
  one_value(SPW_OPT_BUDGET_BYTES, INT32_MAX, SPW_OK);
}

static void unknown_keys(void) {
  phase("unknown keys");
  static const int32_t keys[] = {0, -1, 15, 100, 107, 1000, INT32_MAX, INT32_MIN};
  spw_options* options = make_options(PAIRS(0));
  int64_t value = 5;
  for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
    one_value(keys[i], 1, SPW_UNSUPPORTED);
    EXPECT(SPW_UNSUPPORTED, spw_options_set_bytes(options, keys[i], "x", 1, &err));
  }
  EXPECT(SPW_UNSUPPORTED, spw_options_set_bytes(options, SPW_OPT_BUDGET_BYTES, "x", 1, &err));
  EXPECT(SPW_NOT_FOUND, spw_options_get_i64(options, SPW_OPT_BUDGET_BYTES, &value, &err));
  CHECK(value == 0);
  spw_options_free(options);
}

static void where_keys_belong(void) {
  phase("keys that do not belong where they are used");
  try_open(NULL, PAIRS(SPW_OPT_TIMES, 1), SPW_UNSUPPORTED);
  const char* path = temp_path("belong");
  for (int32_t key = SPW_OPT_FILE_CHECKSUM; key <= SPW_OPT_FILE_JOURNAL_BYTES; key++) {
    const int64_t value = key == SPW_OPT_FILE_CHECKSUM ? SPW_CHECKSUM_XXH3 : kMiB;
    try_open(NULL, PAIRS(key, value), SPW_UNSUPPORTED);
    try_open(path, PAIRS(ON_DISK, key, value), SPW_UNSUPPORTED);
  }
  try_open(path, PAIRS(ON_DISK, SPW_OPT_OPEN, SPW_OPEN_READ_ONLY), SPW_UNSUPPORTED);
  CHECK(!exists(path));
  spw_store* store = open_store(NULL, PAIRS(0));
  static const int64_t store_only[][4] = {
      {SPW_OPT_HARD_PERCENT, 130, 0, 0},          {SPW_OPT_LOW_PERCENT, 70, 0, 0},
      {SPW_OPT_SPILLS_IN_FLIGHT, 1, 0, 0},        {SPW_OPT_TIMEOUT_MS, 5, 0, 0},
      {SPW_OPT_COLD_TIER, SPW_TIER_SQLITE, 0, 0}, {SPW_OPT_OPEN, SPW_OPEN_CREATE, 0, 0}};
  for (size_t i = 0; i < sizeof store_only / sizeof store_only[0]; i++) {
    spw_options* options = make_options(store_only[i]);
    uint32_t stream = 3;
    EXPECT(SPW_UNSUPPORTED,
           spw_store_stream(store, "a", 1, options, SPW_STREAM_CREATE, &stream, &err));
    spw_options_free(options);
  }
  uint32_t stream = 3;
  spw_options* options = make_options(PAIRS(SPW_OPT_FILE_CACHE_BYTES, 0)); /* file only */
  EXPECT(SPW_UNSUPPORTED,
         spw_store_stream(store, "a", 1, options, SPW_STREAM_CREATE, &stream, &err));
  spw_options_free(options);
  options = make_options(PAIRS(SPW_OPT_BUDGET_BYTES, SPW_AUTO)); /* store only */
  EXPECT(SPW_INVALID_ARGUMENT,
         spw_store_stream(store, "a", 1, options, SPW_STREAM_CREATE, &stream, &err));
  spw_options_free(options);
  CHECK_EQUAL(stats_of(store).streams, 0);
  close_store(store);
}

static void budgets_of_every_size(void) {
  phase("stores with the smallest and the largest budgets");
  static const int64_t budgets[] = {256 * kKiB, INT32_MAX, INT64_MAX - 1, SPW_UNLIMITED, SPW_AUTO};
  for (size_t i = 0; i < sizeof budgets / sizeof budgets[0]; i++) {
    spw_store* store =
        open_store(NULL, PAIRS(SPW_OPT_BUDGET_BYTES, budgets[i], SPW_OPT_HARD_PERCENT, 1000));
    const uint32_t stream = stream_of(store, "a");
    add_numbered(store, stream, 0, 10, 100);
    CHECK_EQUAL(read_all(store, stream), 10);
    const spw_stats stats = stats_of(store);
    CHECK(stats.bytes_hard >= stats.bytes_soft); /* ten times INT64_MAX does not fit */
    close_store(store);
  }
}

static void numbers_from_percent(void) {
  phase("hard limits in percent of the budgets");
  spw_store* store = open_store(NULL, PAIRS(SPW_OPT_BUDGET_BYTES, 10 * kMiB, SPW_OPT_BUDGET_RECORDS,
                                            1000, SPW_OPT_HARD_PERCENT, 150));
  const spw_stats stats = stats_of(store);
  CHECK_EQUAL(stats.bytes_soft, 10 * kMiB);
  CHECK_EQUAL(stats.bytes_hard, 15 * kMiB);
  CHECK_EQUAL(stats.records_soft, 1000);
  CHECK_EQUAL(stats.records_hard, 1500);
  close_store(store);
  store = open_store(NULL, PAIRS(SPW_OPT_BUDGET_BYTES, 10 * kMiB));
  CHECK_EQUAL(stats_of(store).bytes_hard, 13 * kMiB);
  CHECK_EQUAL(stats_of(store).records_soft, UINT64_MAX);
  close_store(store);
}

static int64_t live(const spw_store* store, uint32_t stream, int32_t key) {
  int64_t value = -77;
  EXPECT(SPW_OK, spw_store_get_i64(store, stream, key, &value, &err));
  return value;
}

static void live_settings(void) {
  phase("settings that change while a store is in use");
  spw_store* store = open_store(NULL, PAIRS(SPW_OPT_BUDGET_BYTES, SPW_AUTO));
  const uint32_t stream = stream_of(store, "a");
  CHECK(live(store, SPW_ALL, SPW_OPT_BUDGET_BYTES) > 0); /* the number chosen */
  CHECK(live(store, SPW_ALL, SPW_OPT_BUDGET_RECORDS) == SPW_UNLIMITED);
  CHECK(live(store, SPW_ALL, SPW_OPT_HARD_PERCENT) == 130);
  CHECK(live(store, SPW_ALL, SPW_OPT_LOW_PERCENT) == 70);
  CHECK(live(store, SPW_ALL, SPW_OPT_SPILLS_IN_FLIGHT) == 2);
  CHECK(live(store, SPW_ALL, SPW_OPT_TIMEOUT_MS) == SPW_WAIT_FOREVER);
  CHECK(live(store, SPW_ALL, SPW_OPT_WHEN_FULL) == SPW_WHEN_FULL_FAIL);
  CHECK(live(store, stream, SPW_OPT_WHEN_FULL) == SPW_WHEN_FULL_FAIL);
  CHECK(live(store, stream, SPW_OPT_BUDGET_BYTES) == SPW_UNLIMITED);
  CHECK(live(store, stream, SPW_OPT_TIMES) == 0);

  EXPECT(SPW_OK, spw_store_set_i64(store, SPW_ALL, SPW_OPT_BUDGET_BYTES, 20 * kMiB, &err));
  EXPECT(SPW_OK, spw_store_set_i64(store, SPW_ALL, SPW_OPT_BUDGET_RECORDS, 500, &err));
  EXPECT(SPW_OK, spw_store_set_i64(store, SPW_ALL, SPW_OPT_TIMEOUT_MS, 25, &err));
  EXPECT(SPW_OK, spw_store_set_i64(store, stream, SPW_OPT_BUDGET_RECORDS, 50, &err));
  EXPECT(SPW_OK, spw_store_set_i64(store, stream, SPW_OPT_WHEN_FULL, SPW_WHEN_FULL_BLOCK, &err));
  CHECK(live(store, SPW_ALL, SPW_OPT_BUDGET_BYTES) == 20 * kMiB);
  CHECK(live(store, SPW_ALL, SPW_OPT_BUDGET_RECORDS) == 500);
  CHECK(live(store, SPW_ALL, SPW_OPT_TIMEOUT_MS) == 25);
  CHECK(live(store, stream, SPW_OPT_BUDGET_RECORDS) == 50);
  CHECK(live(store, stream, SPW_OPT_WHEN_FULL) == SPW_WHEN_FULL_BLOCK);
  CHECK_EQUAL(stats_of(store).bytes_soft, 20 * kMiB);
  CHECK_EQUAL(stats_of(store).bytes_hard, 26 * kMiB);
  CHECK_EQUAL(stats_of(store).records_hard, 650);

  phase("settings that do not change, or not to that");
  static const int64_t fixed[][2] = {{SPW_OPT_HARD_PERCENT, 140},
                                     {SPW_OPT_LOW_PERCENT, 50},
                                     {SPW_OPT_SPILLS_IN_FLIGHT, 1},
                                     {SPW_OPT_COLD_TIER, 2},
                                     {SPW_OPT_OPEN, 1},
                                     {SPW_OPT_FILE_CACHE_BYTES, 0},
                                     {4711, 1}};
  for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
    EXPECT(SPW_UNSUPPORTED,
           spw_store_set_i64(store, SPW_ALL, (int32_t)fixed[i][0], fixed[i][1], &err));
  }
  EXPECT(SPW_UNSUPPORTED, spw_store_set_i64(store, stream, SPW_OPT_TIMES, 1, &err));
  EXPECT(SPW_UNSUPPORTED, spw_store_set_i64(store, stream, SPW_OPT_TIMEOUT_MS, 1, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_set_i64(store, SPW_ALL, SPW_OPT_BUDGET_BYTES, 0, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_set_i64(store, stream, SPW_OPT_BUDGET_RECORDS, 0, &err));
  EXPECT(SPW_NOT_FOUND, spw_store_set_i64(store, 99, SPW_OPT_BUDGET_RECORDS, 5, &err));
  int64_t value = 9;
  EXPECT(SPW_NOT_FOUND, spw_store_get_i64(store, 99, SPW_OPT_BUDGET_RECORDS, &value, &err));
  CHECK(value == 0);
  EXPECT(SPW_UNSUPPORTED, spw_store_get_i64(store, SPW_ALL, 4711, &value, &err));
  CHECK(live(store, SPW_ALL, SPW_OPT_BUDGET_BYTES) == 20 * kMiB);
  close_store(store);
}

static void lower_budget_spills(void) {
  phase("a lower budget takes effect by spilling, and drops nothing");
  spw_store* store =
      open_store(temp_path("lower"), PAIRS(ON_DISK, SPW_OPT_BUDGET_BYTES, 64 * kMiB));
  const uint32_t stream = stream_of(store, "a");
  for (uint64_t i = 0; i < 10; i++) {
    add_numbered(store, stream, i * 1000, 1000, 1000);
  }
  CHECK_EQUAL(stats_of(store).spills, 0);
  EXPECT(SPW_OK, spw_store_set_i64(store, SPW_ALL, SPW_OPT_BUDGET_BYTES, kMiB, &err));
  POLL_UNTIL(stats_of(store).bytes_unspilled <= kMiB);
  POLL_UNTIL(stats_of(store).bytes_resident <= stats_of(store).bytes_hard);
  CHECK_EQUAL(read_all(store, stream), 10000);
  close_store(store);
}

int main(void) {
  ranges();
  unknown_keys();
  where_keys_belong();
  budgets_of_every_size();
  numbers_from_percent();
  live_settings();
  lower_budget_spills();
  return check_finish();
}
