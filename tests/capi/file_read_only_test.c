/* A block file opened for reading: several at once, nothing can be changed, no byte of it is. */
#define _GNU_SOURCE 1
#include "block_fixture.h"

#define FOR_READING PAIRS(SPW_OPT_OPEN, SPW_OPEN_READ_ONLY)

static void fill(spw_file* file) {
  put_text(file, NULL, "a", "text");
  put_numbered(file, NULL, "b", 2, 300000);
  put_text(file, NULL, "c", "");
  EXPECT(SPW_OK, spw_block_set_tag(file, NULL, "a", 1, "tag", 3, &err));
}

static void check_filled(spw_file* file, spw_txn* txn) {
  CHECK(holds_text(file, txn, "a", "text") && holds_numbered(file, txn, "b", 2, 300000));
  CHECK(holds_text(file, txn, "c", "") && is_gone(file, txn, "d"));
  CHECK(info_of(file, txn, "a").tag_len == 3);
  CHECK_EQUAL(list_on(open_list(file, txn, "", 0), 2).blocks, 3);
}

static void changes_are_refused(spw_file* file, spw_txn* txn) {
  uint64_t number = 7;
  const uint64_t offsets[] = {0, 1};
  EXPECT(SPW_READONLY, spw_block_put(file, txn, "a", 1, "x", 1, ANY, &number, &err));
  CHECK_EQUAL(number, 0);
  EXPECT(SPW_READONLY, spw_block_put(file, txn, "d", 1, "x", 1, NONE, NULL, &err));
  EXPECT(SPW_READONLY,
         spw_block_put_batch(file, txn, "a", 1, offsets, "x", 1, offsets, 1, NULL, NULL, &err));
  EXPECT(SPW_READONLY, spw_block_append(file, txn, "a", 1, "x", 1, &number, &err));
  EXPECT(SPW_READONLY, spw_block_patch(file, txn, "a", 1, 0, "x", 1, &err));
  EXPECT(SPW_READONLY, spw_block_delete(file, txn, "a", 1, ANY, &err));
  EXPECT(SPW_READONLY, spw_block_rename(file, txn, "a", 1, "d", 1, 0, &err));
  EXPECT(SPW_READONLY, spw_block_set_tag(file, txn, "a", 1, "x", 1, &err));
}

static void read_only(const char* path, uint64_t blocks) {
  size_t len;
  uint8_t* before = bytes_of(path, &len);
  struct stat status;
  CHECK(stat(path, &status) == 0 && chmod(path, 0400) == 0);
  spw_file* first = try_open_file(path, FOR_READING, SPW_OK);
  spw_file* second = try_open_file(path, FOR_READING, SPW_OK);
  REQUIRE(first != NULL && second != NULL);
  chmod(path, 0600);
  try_open_file(path, PAIRS(0), SPW_BUSY);
  spw_file* const both[] = {first, second};
  for (int i = 0; i < 2; i++) {
    spw_file* file = both[i];
    check_filled(file, NULL);
    changes_are_refused(file, NULL);
    spw_txn* snapshot = begin_txn(file, SPW_TXN_READ_ONLY);
    check_filled(file, snapshot);
    changes_are_refused(file, snapshot);
    spw_txn_free(snapshot);
    spw_txn* txn = begin_txn(file, 0);
    changes_are_refused(file, txn);
    check_filled(file, txn);
    spw_txn_free(txn);
    check_clean(file, blocks);
    EXPECT(SPW_OK, spw_file_flush(file, SPW_FLUSH_CHECKPOINT, &err));
    CHECK_EQUAL(file_stats_of(file).bytes_written, 0);
    spw_blob* blob = NULL;
    EXPECT(SPW_OK, spw_block_get(file, NULL, "b", 1, 0, SPW_NO_LIMIT, &blob, &err));
    close_file(file);
    const uint8_t* data = NULL;
    uint64_t bytes = 0;
    EXPECT(SPW_OK, spw_blob_view(blob, &data, &bytes, &err));
    CHECK(bytes == 300000 && is_record(data, 300000, 2));
    spw_blob_free(blob);
  }
  size_t len_after;
  uint8_t* after = bytes_of(path, &len_after);
  CHECK(len_after == len && memcmp(after, before, len) == 0);
  struct stat status_after;
  CHECK(stat(path, &status_after) == 0);
  CHECK(status_after.st_mtim.tv_sec == status.st_mtim.tv_sec &&
        status_after.st_mtim.tv_nsec == status.st_mtim.tv_nsec);
  free(before);
  free(after);
}

static void after_close_and_crash(void) {
  phase("a file that was closed is read by many, and no byte of it changes");
  const char* path = temp_path("closed");
  spw_file* file = open_file(path);
  fill(file);
  close_file(file);
  read_only(path, 3);

  phase("also one that a crash left, with a journal to replay");
  path = temp_path("crashed");
  file = open_file(path);
  put_text(file, NULL, "a", "old");
  put_text(file, NULL, "d", "to be deleted");
  EXPECT(SPW_OK, spw_file_flush(file, SPW_FLUSH_CHECKPOINT, &err));
  fill(file);
  flush_file(file);
  EXPECT(SPW_OK, spw_block_delete(file, NULL, "d", 1, ANY, &err));
  flush_file(file);
  crash_file(file);
  spw_options* options = make_options(FOR_READING);
  POLL_UNTIL(spw_file_open(path, strlen(path), options, NULL, &file, NULL) != SPW_BUSY);
  spw_options_free(options);
  REQUIRE(file != NULL);
  close_file(file); /* whoever wrote has ended */
  read_only(path, 3);
  file = open_file(path); /* and writing goes on */
  put_text(file, NULL, "d", "new");
  close_file(file);
}

static void reader_and_writer(void) {
  phase("a reader keeps a writer out, until it is closed or freed");
  const char* path = temp_path("reader");
  close_file(open_file(path));
  for (int freed = 0; freed < 2; freed++) {
    spw_file* reader = try_open_file(path, FOR_READING, SPW_OK);
    REQUIRE(reader != NULL);
    try_open_file(path, PAIRS(0), SPW_BUSY);
    if (!freed) {
      EXPECT(SPW_OK, spw_file_close(reader, 0, &err));
      EXPECT(SPW_OK, spw_file_close(reader, 0, &err));
      int32_t there = 7;
      EXPECT(SPW_CLOSED, spw_block_exists(reader, NULL, "a", 1, &there, &err));
    }
    spw_file_free(reader);
    spw_file* writer = open_file_again(path);
    try_open_file(path, FOR_READING, SPW_BUSY);
    put_text(writer, NULL, "a", "1");
    close_file(writer);
  }
}

int main(void) {
  after_close_and_crash();
  reader_and_writer();
  return check_finish();
}
