/* Spilling under a small budget: everything is read back in order, memory stays below its limit,
 * and what fits is left in memory. */
#define _GNU_SOURCE 1
#include "fixture.h"

static void check_limits(const spw_store* store) {
  const spw_stats stats = stats_of(store);
  CHECK(stats.bytes_resident <= stats.bytes_hard);
  CHECK(stats.bytes_resident_peak <= stats.bytes_hard);
  CHECK(stats.records_resident_peak <= stats.records_hard);
}

/* Waits until nothing is spilling: the numbers of a store at rest add up. */
static spw_stats at_rest(const spw_store* store) {
  spw_stats stats;
  uint64_t spills;
  const uint64_t end_ms = now_ms() + 60000;
  do {
    spills = stats_of(store).spills;
    const uint64_t quiet_ms = now_ms() + 20;
    while (now_ms() < quiet_ms) {
      sched_yield();
    }
    stats = stats_of(store);
  } while ((spills != stats.spills || stats.bytes_unspilled > stats.bytes_soft) &&
           now_ms() < end_ms);
  CHECK_EQUAL(stats.records_live, stats.records_unspilled + stats.records_cold);
  CHECK_EQUAL(stats.bytes_resident, stats.bytes_unspilled + stats.bytes_clean + stats.bytes_free);
  CHECK_EQUAL(stats.health, SPW_OK);
  CHECK_EQUAL(stats.spill_errors, 0);
  return stats;
}

static void large_records_small_budget(void) {
  phase("200 records of 10 kB under 1 MB");
  const char* path = temp_path("large");
  spw_store* store = open_store(path, PAIRS(ON_DISK, SPW_OPT_BUDGET_BYTES, 1000000));
  const uint32_t stream = stream_of(store, "a");
  for (uint64_t i = 0; i < 200; i++) {
    CHECK_EQUAL(add_numbered(store, stream, i, 1, 10000), i);
  }
  check_limits(store);
  CHECK_EQUAL(read_all(store, stream), 200);
  const spw_stats stats = at_rest(store);
  CHECK(stats.spills > 0 && stats.records_spilled > 50 && stats.cold_file_bytes > 0);
  CHECK(stats.payload_bytes_spilled == stats.records_spilled * 10000);
  CHECK(stats.spill_ns_total > 0 && stats.spill_ns_last > 0);
  close_store(store);
  store = open_store(path, PAIRS(ON_DISK, SPW_OPT_BUDGET_BYTES, 1000000));
  CHECK_EQUAL(read_all(store, stream), 200);
  check_limits(store);
  close_store(store);
}

static void spills_with_reads_between(void) {
  phase("five rounds of 50 records of 5 kB, read in between");
  spw_store* store =
      open_store(temp_path("rounds"), PAIRS(ON_DISK, SPW_OPT_BUDGET_BYTES, 300 * kKiB));
  const uint32_t stream = stream_of(store, "a");
  for (uint64_t round = 0; round < 5; round++) {
    for (uint64_t i = 0; i < 50; i += 5) {
      add_numbered(store, stream, round * 50 + i, 5, 5000);
    }
    CHECK_EQUAL(read_all(store, stream), round * 50 + 50);
    check_limits(store);
  }
  CHECK(stats_of(store).spills > 0);
  close_store(store);
}

static void small_stays_in_memory(void) {
  phase("what fits the budget is not spilled");
  spw_store* store =
      open_store(temp_path("small"), PAIRS(ON_DISK, SPW_OPT_BUDGET_BYTES, 16 * kMiB));
  const uint32_t stream = stream_of(store, "a");
  const uint64_t file_bytes = stats_of(store).cold_file_bytes;
  for (uint64_t i = 0; i < 50; i++) {
    add_numbered(store, stream, i * 100, 100, 200);
  }
  CHECK_EQUAL(read_all(store, stream), 5000);
  spw_stats stats = at_rest(store);
  CHECK(stats.spills == 0 && stats.records_spilled == 0 && stats.cold_reads == 0);
  CHECK(stats.records_unspilled == 5000 && stats.records_cold == 0);
  CHECK_EQUAL(stats.cold_file_bytes, file_bytes);
  EXPECT(SPW_OK, spw_store_flush(store, SPW_FLUSH_DEVICE, SPW_WAIT_FOREVER, NULL, &err));
  stats = at_rest(store);
  CHECK(stats.records_unspilled == 0 && stats.records_cold == 5000);
  CHECK_EQUAL(stats.bytes_unspilled, 0);
  CHECK_EQUAL(stats.records_spilled, 5000);
  EXPECT(SPW_OK, spw_store_flush(store, SPW_FLUSH_DEVICE, SPW_NO_WAIT, NULL, &err)); /* no work */
  EXPECT(SPW_OK, spw_store_flush(store, SPW_FLUSH_KERNEL, SPW_WAIT_FOREVER, NULL, &err));
  CHECK_EQUAL(stats_of(store).records_spilled, 5000);
  close_store(store);
}

static void low_water(int64_t percent) {
  printf("a spill goes down to the low-water mark of %d percent\n", (int)percent);
  char name[32];
  snprintf(name, sizeof name, "low%d", (int)percent);
  spw_store* store = open_store(temp_path(name), PAIRS(ON_DISK, SPW_OPT_BUDGET_BYTES, 4 * kMiB,
                                                       SPW_OPT_LOW_PERCENT, percent));
  const uint32_t stream = stream_of(store, "a");
  uint64_t records = 0;
  while (stats_of(store).spills == 0) { /* slowly, so that one spill is all it takes */
    REQUIRE(records < 100000);
    records += add_numbered(store, stream, records, 10, 1000) == records ? 10 : 0;
    if (stats_of(store).bytes_unspilled > stats_of(store).bytes_soft) {
      POLL_UNTIL(stats_of(store).bytes_unspilled <= stats_of(store).bytes_soft);
    }
  }
  const uint64_t segment = 64 * kKiB; /* a 64th of the budget */
  const uint64_t low = (uint64_t)percent * 4 * kMiB / 100;
  POLL_UNTIL(stats_of(store).bytes_unspilled <= low + 2 * segment);
  const spw_stats stats = at_rest(store);
  check_that(
      stats.bytes_unspilled <= low + 2 * segment && stats.bytes_unspilled + 2 * segment >= low,
      __FILE__, __LINE__, "%" PRIu64 " bytes are left, the mark is %" PRIu64, stats.bytes_unspilled,
      low);
  CHECK_EQUAL(read_all(store, stream), records);
  close_store(store);
}

static void all_streams_count(void) {
  phase("every stream counts against the budget, also the second one alone");
  spw_store* store =
      open_store(temp_path("filtered"), PAIRS(ON_DISK, SPW_OPT_BUDGET_BYTES, 512 * kKiB));
  stream_of(store, "raw");
  const uint32_t filtered = stream_of(store, "filtered");
  for (uint64_t i = 0; i < 40; i++) {
    add_numbered(store, filtered, i * 100, 100, 1000);
  }
  check_limits(store);
  const spw_stats stats = at_rest(store);
  CHECK(stats.spills > 0 && stats.bytes_unspilled <= stats.bytes_soft);
  CHECK_EQUAL(read_all(store, filtered), 4000);
  close_store(store);
}

static void records_limit(void) {
  phase("a budget in records is kept, too");
  spw_store* store = open_store(temp_path("records"), PAIRS(ON_DISK, SPW_OPT_BUDGET_RECORDS, 1000,
                                                            SPW_OPT_BUDGET_BYTES, SPW_UNLIMITED));
  const uint32_t stream = stream_of(store, "a");
  for (uint64_t i = 0; i < 200; i++) {
    add_numbered(store, stream, i * 50, 50, 100);
    CHECK(stats_of(store).records_resident <= 1300);
  }
  const spw_stats stats = at_rest(store);
  CHECK(stats.records_resident_peak <= 1300 && stats.records_hard == 1300);
  CHECK(stats.records_unspilled <= 1000 && stats.spills > 0);
  CHECK_EQUAL(read_all(store, stream), 10000);
  CHECK(stats_of(store).records_resident_peak <= 1300); /* reading obeys it as well */
  close_store(store);
}

static void counters_after_reopen(void) {
  phase("counters agree with what a scan finds, after spills, clear and reopen");
  const char* path = temp_path("counters");
  spw_store* store = open_store(path, PAIRS(ON_DISK, SPW_OPT_BUDGET_BYTES, 256 * kKiB));
  const uint32_t kept = stream_of(store, "kept");
  const uint32_t gone = stream_of(store, "gone");
  for (uint64_t i = 0; i < 30; i++) {
    add_numbered(store, kept, i * 20, 20, 1000);
    add_numbered(store, gone, i * 20, 20, 1000);
  }
  const uint64_t backwards[] = {0, 2, 1};
  uint64_t seq;
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_add(store, kept, "ab", 2, backwards, 2, NULL,
                                             SPW_WAIT_FOREVER, NULL, &seq, &err));
  EXPECT(SPW_OK, spw_store_clear(store, gone, &err));
  spw_stats stats = at_rest(store);
  CHECK(stats.records_live == 600 && stats.records_added == 1200 && stats.records_cleared == 600);
  CHECK(stats.batches_added == 60 && stats.payload_bytes_added == 1200000);
  close_store(store);
  store = open_store(path, PAIRS(ON_DISK));
  stats = at_rest(store);
  CHECK(stats.records_live == 600 && stats.records_cold == 600 && stats.records_unspilled == 0);
  CHECK_EQUAL(read_all(store, kept), 600);
  CHECK_EQUAL(read_all(store, gone), 0);
  close_store(store);
}

static void settle_again_and_again(void) {
  phase("flush again and again, adding in between");
  const char* path = temp_path("settle");
  spw_store* store = open_store(path, PAIRS(ON_DISK));
  const uint32_t stream = stream_of(store, "a");
  for (uint64_t i = 0; i < 20; i++) {
    add_numbered(store, stream, i * 10, 10, 100);
    const int32_t level = i % 2 == 0 ? SPW_FLUSH_DEVICE : SPW_FLUSH_KERNEL;
    EXPECT(SPW_OK, spw_store_flush(store, level, SPW_WAIT_FOREVER, NULL, &err));
    EXPECT(SPW_OK, spw_store_flush(store, level, SPW_WAIT_FOREVER, NULL, &err));
    if (level == SPW_FLUSH_DEVICE) {
      CHECK_EQUAL(stream_stats_of(store, stream).spilled_seq, i * 10 + 10);
    }
  }
  CHECK_EQUAL(read_all(store, stream), 200);
  close_store(store);
}

/* Once a flush to the device that came just behind one to the kernel waited for ever: the spiller
 * had looked at the streams before it asked, and then took its wish for fulfilled. A race, so many
 * tries. */
static void device_behind_kernel(void) {
  phase("a flush to the device right behind one to the kernel comes to an end");
  spw_store* store = open_store(temp_path("behind"), PAIRS(ON_DISK));
  for (int i = 0; i < 1000; i++) {
    char name[16];
    snprintf(name, sizeof name, "s%d", i);
    const uint32_t stream = stream_of(store, name); /* to be written down, too */
    EXPECT(SPW_OK, spw_store_flush(store, SPW_FLUSH_KERNEL, 60000, NULL, &err));
    EXPECT(SPW_OK, spw_store_flush(store, SPW_FLUSH_DEVICE, 60000, NULL, &err));
    if (i % 2 == 0) {
      add_numbered(store, stream, 0, 1, 10);
      EXPECT(SPW_OK, spw_store_flush(store, SPW_FLUSH_DEVICE, 60000, NULL, &err));
      CHECK_EQUAL(stream_stats_of(store, stream).spilled_seq, 1);
    }
  }
  close_store(store);
}

static void stats_cost_nothing(void) {
  phase("a million times the statistics");
  spw_store* store = open_store(temp_path("stats"), PAIRS(ON_DISK, SPW_OPT_BUDGET_BYTES, 4 * kMiB));
  const uint32_t stream = stream_of(store, "a");
  for (uint64_t i = 0; i < 40; i++) {
    add_numbered(store, stream, i * 2500, 2500, 40);
  }
  spw_stats stats;
  memset(&stats, 0, sizeof stats);
  stats.struct_size = sizeof stats;
  const int calls = is_watched() ? 20000 : 1000000;
  const uint64_t begin_ms = now_ms();
  int failed = 0;
  for (int i = 0; i < calls; i++) {
    failed += spw_store_stats(store, &stats, NULL) != SPW_OK ? 1 : 0;
  }
  const uint64_t took_ms = now_ms() - begin_ms;
  CHECK_EQUAL(failed, 0);
  CHECK_EQUAL(stats.records_live, 100000);
  check_that(took_ms < 1000 || is_watched(), __FILE__, __LINE__, "took %" PRIu64 " ms", took_ms);
  close_store(store);
}

static void million_records(void) {
  const uint64_t batches = is_watched() ? 5 : 100;
  printf("%" PRIu64 " x 10,000 records, mostly on disk\n", batches);
  const char* path = temp_path("million");
  spw_store* store = open_store(path, PAIRS(ON_DISK, SPW_OPT_BUDGET_BYTES, 8 * kMiB));
  const uint32_t stream = stream_of(store, "a");
  for (uint64_t i = 0; i < batches; i++) {
    CHECK_EQUAL(add_numbered(store, stream, i * 10000, 10000, 60), i * 10000);
  }
  CHECK_EQUAL(read_all(store, stream), batches * 10000);
  check_limits(store);
  close_store(store);
  store = open_store(path, PAIRS(ON_DISK, SPW_OPT_BUDGET_BYTES, 8 * kMiB));
  CHECK_EQUAL(read_all(store, stream), batches * 10000);
  check_limits(store);
  close_store(store);
}

int main(void) {
  large_records_small_budget();
  spills_with_reads_between();
  small_stays_in_memory();
  low_water(70);
  low_water(20);
  all_streams_count();
  records_limit();
  counters_after_reopen();
  settle_again_and_again();
  device_behind_kernel();
  stats_cost_nothing();
  million_records();
  return check_finish();
}
