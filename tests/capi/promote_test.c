/* What is read often comes back into memory (SPW_OPT_PROMOTE_READS), and what statistics say. */
#define _GNU_SOURCE 1
#include "fixture.h"

enum { kRecord = 100, kRecords = 20000 };

static spw_store* cold_store(const char* name, const int64_t* pairs, uint32_t* stream) {
  spw_store* store = open_store(temp_path(name), pairs);
  *stream = stream_of(store, "a");
  for (uint64_t i = 0; i < kRecords; i += 1000) {
    add_numbered(store, *stream, i, 1000, kRecord);
  }
  EXPECT(SPW_OK, spw_store_settle(store, SPW_WAIT_FOREVER, NULL, &err));
  CHECK_EQUAL(stats_of(store).records_resident, 0);
  return store;
}

static void read_record(spw_store* store, uint32_t stream, uint64_t seq) {
  uint8_t bytes[kRecord];
  uint64_t len = 0;
  EXPECT(SPW_OK, spw_store_read(store, stream, seq, bytes, sizeof bytes, &len, NULL, &err));
  CHECK(len == kRecord && is_record(bytes, kRecord, seq));
}

static void on_the_third_read(void) {
  phase("the third read brings a run of records into memory");
  uint32_t stream;
  spw_store* store = cold_store("third", PAIRS(ON_DISK), &stream);
  int64_t value = 7;
  EXPECT(SPW_OK, spw_store_get_i64(store, SPW_ALL, SPW_OPT_PROMOTE_READS, &value, &err));
  CHECK(value == 3);
  read_record(store, stream, 7000);
  read_record(store, stream, 7001);
  CHECK_EQUAL(stats_of(store).promotions, 0);
  read_record(store, stream, 7000);
  spw_stats stats = stats_of(store);
  CHECK(stats.promotions == 1 && stats.reads_cold == 3 && stats.reads_memory == 0);
  CHECK(stats.bytes_clean > 0 && stats.bytes_unspilled == 0 && stats.records_unspilled == 0);
  CHECK(stats.records_resident > 2 && stats.records_cold == kRecords);
  CHECK(stats.bytes_resident == stats.bytes_clean + stats.bytes_free && stats.bytes_pinned == 0);
  const uint64_t cold_reads = stats.cold_reads;
  read_record(store, stream, 7001);
  read_record(store, stream, 7002);
  stats = stats_of(store);
  CHECK(stats.cold_reads == cold_reads && stats.reads_memory == 2 && stats.reads_cold == 3);

  const uint64_t seqs[] = {100, 7001, 101};
  spw_batch* batch = NULL;
  EXPECT(SPW_OK, spw_store_gather(store, stream, seqs, 3, &batch, &err));
  spw_batch_free(batch);
  stats = stats_of(store);
  CHECK(stats.reads_memory == 3 && stats.reads_cold == 5);

  CHECK_EQUAL(read_all(store, stream), kRecords);
  CHECK_EQUAL(stats_of(store).promotions, 1);
  EXPECT(SPW_OK, spw_store_trim(store, stream, 15000, &err));
  CHECK_EQUAL(stats_of(store).records_resident, 0);
  close_store(store);
}

static void as_often_as_set(void) {
  phase("the number can be set, also while it is in use");
  uint32_t stream;
  spw_store* store = cold_store("set", PAIRS(ON_DISK, SPW_OPT_PROMOTE_READS, 0), &stream);
  for (int i = 0; i < 20; i++) {
    read_record(store, stream, 5);
  }
  CHECK_EQUAL(stats_of(store).promotions, 0);
  EXPECT(SPW_OK, spw_store_set_i64(store, SPW_ALL, SPW_OPT_PROMOTE_READS, 1, &err));
  int64_t value = 7;
  EXPECT(SPW_OK, spw_store_get_i64(store, SPW_ALL, SPW_OPT_PROMOTE_READS, &value, &err));
  CHECK(value == 1);
  read_record(store, stream, 5);
  CHECK_EQUAL(stats_of(store).promotions, 1);
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_set_i64(store, SPW_ALL, SPW_OPT_PROMOTE_READS, -1, &err));
  EXPECT(SPW_UNSUPPORTED, spw_store_set_i64(store, stream, SPW_OPT_PROMOTE_READS, 1, &err));
  EXPECT(SPW_OK, spw_store_settle(store, SPW_WAIT_FOREVER, NULL, &err));
  CHECK_EQUAL(stats_of(store).records_resident, 0);
  close_store(store);
}

static void in_memory(void) {
  phase("a store in memory has nothing to bring back");
  try_open(NULL, PAIRS(SPW_OPT_PROMOTE_READS, 3), SPW_UNSUPPORTED);
  spw_store* store = open_store(NULL, PAIRS(0));
  const uint32_t stream = stream_of(store, "a");
  add_numbered(store, stream, 0, 10, kRecord);
  int64_t value = 7;
  EXPECT(SPW_UNSUPPORTED, spw_store_get_i64(store, SPW_ALL, SPW_OPT_PROMOTE_READS, &value, &err));
  EXPECT(SPW_UNSUPPORTED, spw_store_set_i64(store, SPW_ALL, SPW_OPT_PROMOTE_READS, 3, &err));
  read_record(store, stream, 5);
  CHECK_EQUAL(stats_of(store).reads_memory, 1);
  close_store(store);
}

int main(void) {
  on_the_third_read();
  as_often_as_set();
  in_memory();
  return check_finish();
}
