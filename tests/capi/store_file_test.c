/* A store and its application's blocks in one file: each leaves the other's alone, one barrier is
 * for both, and a block file may become a store's. */
#define _GNU_SOURCE 1
#include "block_fixture.h"

enum { kRecords = 5000, kLen = 200 };

static spw_file* file_of(spw_store* store) {
  spw_file* file = NULL;
  REQUIRE(EXPECT(SPW_OK, spw_store_file(store, &file, &err)));
  return file;
}

static spw_store* open_with_block_file(const char* path) {
  return open_store(
      path, PAIRS(SPW_OPT_COLD_TIER, SPW_TIER_BLOCK_FILE, SPW_OPT_BUDGET_BYTES, 512 * kKiB));
}

static void records_and_blocks_live_side_by_side(void) {
  phase("records and blocks of the application's own in one file");
  const char* path = temp_path("both");
  spw_store* store = open_with_block_file(path);
  const uint32_t stream = stream_of(store, "records");
  spw_file* file = file_of(store);
  spw_file* again = file_of(store);
  put_text(file, NULL, "settings", "mine");
  add_numbered(store, stream, 0, kRecords, kLen);
  CHECK(holds_text(again, NULL, "settings", "mine"));
  spw_file_free(again);
  EXPECT(SPW_OK, spw_store_flush(store, SPW_FLUSH_DEVICE, SPW_WAIT_FOREVER, NULL, &err));
  EXPECT(SPW_INVALID_STATE, spw_file_close(file, 0, &err));
  EXPECT(SPW_INVALID_STATE, spw_file_close(file, SPW_CLOSE_DISCARD, &err));
  spw_report* report = verify(file, SPW_VERIFY_FULL);
  const spw_verify_summary summary = summary_of(report);
  CHECK_EQUAL(summary.problems, 0);
  CHECK(summary.blocks > 3);
  spw_report_free(report);
  close_store(store);
  EXPECT(SPW_CLOSED, spw_file_flush(file, SPW_FLUSH_DEVICE, &err));
  spw_block_stats stats;
  memset(&stats, 0, sizeof stats);
  stats.struct_size = sizeof stats;
  EXPECT(SPW_CLOSED, spw_file_stats(file, &stats, &err));
  spw_file_free(file);
  CHECK_EQUAL(spw_leaked_files(), 0);

  store = open_with_block_file(path);
  file = file_of(store);
  CHECK(holds_text(file, NULL, "settings", "mine"));
  CHECK_EQUAL(read_all(store, stream_of(store, "records")), kRecords);
  spw_file_free(file);
  close_store(store);
}

static void names_of_the_store_are_protected(void) {
  phase("the store's blocks can be seen, not changed");
  const char* path = temp_path("protected");
  spw_store* store = open_with_block_file(path);
  const uint32_t stream = stream_of(store, "records");
  add_numbered(store, stream, 0, kRecords, kLen);
  EXPECT(SPW_OK, spw_store_flush(store, SPW_FLUSH_DEVICE, SPW_WAIT_FOREVER, NULL, &err));
  spw_file* file = file_of(store);
  CHECK(has_block(file, NULL, ".spillway/store"));
  spw_txn* txn = begin_txn(file, 0);
  for (int i = 0; i < 2; i++) {
    spw_txn* const in = i == 0 ? NULL : txn;
    const char* const name = ".spillway/store";
    uint64_t length = 0, version = 0;
    spw_writer* writer = NOWHERE;
    EXPECT(SPW_INVALID_ARGUMENT, spw_block_put(file, in, NAME(name), "x", 1, ANY, &version, &err));
    EXPECT(SPW_INVALID_ARGUMENT, spw_block_append(file, in, NAME(name), "x", 1, &length, &err));
    EXPECT(SPW_INVALID_ARGUMENT, spw_block_patch(file, in, NAME(name), 0, "x", 1, &err));
    EXPECT(SPW_INVALID_ARGUMENT, spw_block_delete(file, in, NAME(name), ANY, &err));
    EXPECT(SPW_INVALID_ARGUMENT, spw_block_set_tag(file, in, NAME(name), "t", 1, &err));
    EXPECT(SPW_INVALID_ARGUMENT, spw_block_rename(file, in, NAME(name), NAME("mine"), 0, &err));
    put_text(file, in, "mine", "text");
    EXPECT(SPW_INVALID_ARGUMENT,
           spw_block_rename(file, in, NAME("mine"), NAME(".spillway/mine"), 0, &err));
    EXPECT(SPW_INVALID_ARGUMENT, spw_writer_open(file, in, NAME(name), ANY, &writer, &err));
    CHECK(writer == NULL);
  }
  spw_txn_free(txn);
  CHECK_EQUAL(read_all(store, stream), kRecords);
  spw_file_free(file);
  close_store(store);
  file = open_file(path); /* nor by somebody who takes it for a file of blocks */
  EXPECT(SPW_INVALID_ARGUMENT, spw_block_delete(file, NULL, NAME(".spillway/store"), ANY, &err));
  close_file(file);
}

static void one_barrier_for_both(void) {
  phase("a transaction and a flush with one barrier");
  const char* path = temp_path("together");
  spw_store* store = open_with_block_file(path);
  const uint32_t stream = stream_of(store, "records");
  EXPECT(SPW_OK, spw_store_flush(store, SPW_FLUSH_DEVICE, SPW_WAIT_FOREVER, NULL, &err));
  spw_file* file = file_of(store);
  uint64_t least = UINT64_MAX;
  for (uint64_t i = 0; i < 10; i++) {
    spw_txn* txn = begin_txn(file, 0);
    put_text(file, txn, "position", "after the batch");
    add_numbered(store, stream, i * 10, 10, kLen);
    const uint64_t before = file_stats_of(file).barriers;
    EXPECT(SPW_OK, spw_store_commit(store, txn, SPW_FLUSH_DEVICE, SPW_WAIT_FOREVER, NULL, &err));
    const uint64_t barriers = file_stats_of(file).barriers - before;
    least = barriers < least ? barriers : least;
    spw_stream_stats stats = stream_stats_of(store, stream);
    CHECK_EQUAL(stats.spilled_seq, (i + 1) * 10);
    EXPECT(SPW_INVALID_STATE,
           spw_store_commit(store, txn, SPW_FLUSH_DEVICE, SPW_WAIT_FOREVER, NULL, &err));
    spw_txn_free(txn);
  }
  CHECK_EQUAL(least, 1); /* others may have one of their own now and then */
  spw_file* stranger = open_file(temp_path("stranger"));
  spw_txn* txn = begin_txn(stranger, 0);
  EXPECT(SPW_INVALID_ARGUMENT,
         spw_store_commit(store, txn, SPW_FLUSH_DEVICE, SPW_WAIT_FOREVER, NULL, &err));
  spw_txn_free(txn);
  close_file(stranger);
  txn = begin_txn(file, 0);
  EXPECT(SPW_INVALID_ARGUMENT,
         spw_store_commit(store, txn, SPW_COMMIT_RELAXED, SPW_WAIT_FOREVER, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_commit(store, NULL, 1, 0, NULL, &err));
  spw_txn_free(txn);
  spw_file_free(file);
  spw_store_free(store); /* as a crash; its threads may hold the file a moment longer */
  POLL_UNTIL(spw_store_open(path, strlen(path), NULL, NULL, &store, NULL) == SPW_OK);
  REQUIRE(store != NULL);
  file = file_of(store);
  CHECK(holds_text(file, NULL, "position", "after the batch"));
  CHECK_EQUAL(read_all(store, stream_of(store, "records")), 100);
  spw_file_free(file);
  close_store(store);
}

static void a_block_file_becomes_a_store(void) {
  phase("a block file that is there becomes a store's, and is one of blocks still");
  const char* path = temp_path("first blocks");
  spw_file* file = open_file(path);
  put_text(file, NULL, "older", "than the store");
  close_file(file);
  try_open(path, PAIRS(SPW_OPT_OPEN, SPW_OPEN_EXISTING), SPW_NOT_FOUND);
  try_open(path, PAIRS(SPW_OPT_COLD_TIER, SPW_TIER_SQLITE), SPW_INVALID_ARGUMENT);
  spw_store* store = open_with_block_file(path);
  add_numbered(store, stream_of(store, "records"), 0, 10, kLen);
  close_store(store);
  file = open_file(path);
  CHECK(holds_text(file, NULL, "older", "than the store"));
  close_file(file);
  store = open_store(path, PAIRS(SPW_OPT_OPEN, SPW_OPEN_EXISTING));
  CHECK_EQUAL(read_all(store, stream_of(store, "records")), 10);
  close_store(store);
}

static void stores_without_one(void) {
  phase("stores that have no block file");
  spw_file* file = NOWHERE;
  spw_store* store = open_store(NULL, PAIRS(0));
  EXPECT(SPW_UNSUPPORTED, spw_store_file(store, &file, &err));
  CHECK(file == NULL);
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_file(store, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_file(NULL, &file, &err));
  close_store(store);
  store = open_store(temp_path("sqlite"), PAIRS(SPW_OPT_COLD_TIER, SPW_TIER_SQLITE));
  EXPECT(SPW_UNSUPPORTED, spw_store_file(store, &file, &err));
  EXPECT(SPW_OK, spw_store_close(store, 0, SPW_WAIT_FOREVER, NULL, &err));
  EXPECT(SPW_CLOSED, spw_store_file(store, &file, &err));
  spw_store_free(store);
}

int main(void) {
  records_and_blocks_live_side_by_side();
  names_of_the_store_are_protected();
  one_barrier_for_both();
  a_block_file_becomes_a_store();
  stores_without_one();
  return check_finish();
}
