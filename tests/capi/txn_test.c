/* Transactions and snapshots: what they see, who else sees it and from when on, and what remains of
 * them. */
#define _GNU_SOURCE 1
#include "block_fixture.h"

static spw_file* file;

static void commit(spw_txn* txn, int32_t level, spw_status want) {
  EXPECT(want, spw_txn_commit(txn, level, &err));
  spw_txn_free(txn);
}

static void start_with_two(const char* path) {
  file = open_file(path);
  put_text(file, NULL, "a", "old a");
  put_text(file, NULL, "b", "old b");
}

static void sees_its_own(void) {
  phase("a transaction sees its own changes, and nobody else does");
  start_with_two(temp_path("own"));
  spw_txn* txn = begin_txn(file, 0);
  CHECK(holds_text(file, txn, "a", "old a"));
  CHECK_EQUAL(put_text(file, txn, "a", "new a"), 0); /* it gets a version by its commit */
  CHECK_EQUAL(put_text(file, txn, "c", "new c"), 0);
  EXPECT(SPW_OK, spw_block_delete(file, txn, "b", 1, ANY, &err));
  uint64_t length = 0;
  EXPECT(SPW_OK, spw_block_append(file, txn, "c", 1, "++", 2, &length, &err));
  CHECK_EQUAL(length, 7);
  EXPECT(SPW_OK, spw_block_patch(file, txn, "c", 1, 0, "NEW", 3, &err));
  EXPECT(SPW_OK, spw_block_set_tag(file, txn, "c", 1, "tag", 3, &err));
  EXPECT(SPW_OK, spw_block_rename(file, txn, "c", 1, "d", 1, 0, &err));
  CHECK(holds_text(file, txn, "a", "new a") && holds_text(file, txn, "d", "NEW c++"));
  CHECK(is_gone(file, txn, "b") && is_gone(file, txn, "c"));
  const spw_block_info info = info_of(file, txn, "d");
  CHECK(info.version == 0 && info.tag_len == 3);
  CHECK_EQUAL(list_on(open_list(file, txn, "", 0), 1).blocks, 2);
  EXPECT(SPW_NOT_FOUND, spw_block_delete(file, txn, "b", 1, ANY, &err));
  EXPECT(SPW_NOT_FOUND, spw_block_patch(file, txn, "c", 1, 0, "x", 1, &err));
  EXPECT(SPW_ALREADY_EXISTS, spw_block_put(file, txn, "d", 1, "x", 1, NONE, NULL, &err));

  CHECK(holds_text(file, NULL, "a", "old a") && holds_text(file, NULL, "b", "old b"));
  CHECK(is_gone(file, NULL, "c") && is_gone(file, NULL, "d"));
  spw_txn* other = begin_txn(file, 0);
  CHECK(holds_text(file, other, "a", "old a") && is_gone(file, other, "d"));
  CHECK_EQUAL(list_all(file).blocks, 2);

  commit(txn, SPW_COMMIT_RELAXED, SPW_OK);
  CHECK(holds_text(file, NULL, "a", "new a") && holds_text(file, NULL, "d", "NEW c++"));
  CHECK(is_gone(file, NULL, "b") && info_of(file, NULL, "d").version > 0);
  CHECK(holds_text(file, other, "a", "old a") && holds_text(file, other, "b", "old b"));
  CHECK(is_gone(file, other, "d"));
  spw_txn_free(other);
  close_file(file);
}

static void leaves_no_trace(void) {
  phase("a transaction that is not committed leaves no trace");
  const char* path = temp_path("rollback");
  start_with_two(path);
  const uint64_t version = info_of(file, NULL, "a").version;
  spw_txn* txn = begin_txn(file, 0);
  put_text(file, txn, "a", "new a");
  put_numbered(file, txn, "big", 1, 20 * (size_t)kMiB);
  EXPECT(SPW_OK, spw_block_delete(file, txn, "b", 1, ANY, &err));
  spw_txn_free(txn);
  txn = begin_txn(file, 0); /* one that the close ends */
  put_text(file, txn, "c", "new c");
  for (int round = 0; round < 2; round++) {
    CHECK(holds_text(file, NULL, "a", "old a") && holds_text(file, NULL, "b", "old b"));
    CHECK(is_gone(file, NULL, "big") && is_gone(file, NULL, "c"));
    CHECK_EQUAL(info_of(file, NULL, "a").version, version);
    CHECK_EQUAL(list_all(file).blocks, 2);
    close_file(file);
    file = open_file(path);
  }
  EXPECT(SPW_CLOSED, spw_txn_commit(txn, SPW_COMMIT_RELAXED, &err));
  spw_txn_free(txn);
  check_clean(file, 2);
  close_file(file);
}

static void conflicts(void) {
  phase("of two that change one block the later commit fails, and nothing of it happened");
  start_with_two(temp_path("conflict"));
  spw_txn* first = begin_txn(file, 0);
  spw_txn* second = begin_txn(file, 0);
  put_text(file, first, "a", "first");
  put_text(file, second, "a", "second");
  put_text(file, second, "c", "second");
  commit(first, SPW_COMMIT_RELAXED, SPW_OK);
  commit(second, SPW_COMMIT_RELAXED, SPW_CONFLICT);
  CHECK(holds_text(file, NULL, "a", "first") && is_gone(file, NULL, "c"));

  phase("also when a call of its own was the other, by whatever change");
  for (int how = 0; how < 7; how++) {
    put_text(file, NULL, "x", "before");
    spw_txn* txn = begin_txn(file, 0);
    put_text(file, txn, "x", "txn");
    put_text(file, txn, "y", "txn");
    switch (how) {
      case 0:
        put_text(file, NULL, "x", "other");
        break;
      case 1:
        EXPECT(SPW_OK, spw_block_delete(file, NULL, "x", 1, ANY, &err));
        break;
      case 2:
        EXPECT(SPW_OK, spw_block_append(file, NULL, "x", 1, "!", 1, NULL, &err));
        break;
      case 3:
        EXPECT(SPW_OK, spw_block_patch(file, NULL, "x", 1, 0, "!", 1, &err));
        break;
      case 4:
        EXPECT(SPW_OK, spw_block_set_tag(file, NULL, "x", 1, "t", 1, &err));
        break;
      case 5:
        EXPECT(SPW_OK, spw_block_rename(file, NULL, "x", 1, "z", 1, SPW_RENAME_REPLACE, &err));
        break;
      default: /* there and gone again, or gone and there again */
        EXPECT(SPW_OK, spw_block_delete(file, NULL, "x", 1, ANY, &err));
        put_text(file, NULL, "x", "before");
        break;
    }
    commit(txn, SPW_COMMIT_RELAXED, SPW_CONFLICT);
    CHECK(is_gone(file, NULL, "y"));
  }

  phase("a block that somebody else creates is a conflict, one that is only read is none");
  spw_txn* txn = begin_txn(file, 0);
  CHECK(is_gone(file, txn, "new"));
  EXPECT(SPW_OK, spw_block_put(file, txn, "new", 3, "txn", 3, NONE, NULL, &err));
  put_text(file, NULL, "new", "other");
  commit(txn, SPW_FLUSH_DEVICE, SPW_CONFLICT);
  CHECK(holds_text(file, NULL, "new", "other"));
  txn = begin_txn(file, 0);
  CHECK(holds_text(file, txn, "a", "first"));
  put_text(file, txn, "w", "written");
  put_text(file, NULL, "a", "changed");
  commit(txn, SPW_COMMIT_RELAXED, SPW_OK);
  CHECK(holds_text(file, NULL, "w", "written") && holds_text(file, NULL, "a", "changed"));
  close_file(file);
}

static void conditions_within(void) {
  phase("conditions hold for what the transaction sees");
  start_with_two(temp_path("within"));
  const uint64_t version = info_of(file, NULL, "a").version;
  spw_txn* txn = begin_txn(file, 0);
  const uint64_t later = put_text(file, NULL, "a", "later"); /* not seen */
  EXPECT(SPW_CONFLICT, spw_block_put(file, txn, "a", 1, "x", 1, later, NULL, &err));
  EXPECT(SPW_OK,
         spw_block_put(file, txn, "b", 1, "x", 1, info_of(file, txn, "b").version, NULL, &err));
  EXPECT(SPW_NOT_FOUND, spw_block_put(file, txn, "c", 1, "x", 1, version, NULL, &err));
  commit(txn, SPW_COMMIT_RELAXED, SPW_OK);
  CHECK(holds_text(file, NULL, "a", "later") && holds_text(file, NULL, "b", "x"));

  phase("a batch in a transaction is a part of it, or not at all");
  txn = begin_txn(file, 0);
  const uint64_t offsets[] = {0, 1, 2};
  uint64_t versions[2] = {7, 7};
  const uint64_t expected[] = {NONE, NONE};
  EXPECT(SPW_ALREADY_EXISTS, spw_block_put_batch(file, txn, "ca", 2, offsets, "12", 2, offsets, 2,
                                                 expected, versions, &err));
  CHECK(is_gone(file, txn, "c") && holds_text(file, txn, "a", "later"));
  EXPECT(SPW_OK, spw_block_put_batch(file, txn, "cd", 2, offsets, "12", 2, offsets, 2, expected,
                                     versions, &err));
  CHECK(versions[0] == 0 && versions[1] == 0);
  uint8_t buffer[16];
  uint64_t ends[3];
  int32_t statuses[2];
  EXPECT(SPW_OK, spw_block_read_batch(file, txn, "dc", 2, offsets, 2, buffer, sizeof buffer, ends,
                                      statuses, &err));
  CHECK(ends[2] == 2 && memcmp(buffer, "21", 2) == 0);
  commit(txn, SPW_COMMIT_RELAXED, SPW_OK);
  CHECK(holds_text(file, NULL, "c", "1") && holds_text(file, NULL, "d", "2"));
  close_file(file);
}

static void snapshots(void) {
  phase("a snapshot stays as it is while all is replaced and deleted");
  file = open_file(temp_path("snapshot"));
  enum { kBlocks = 50 };
  char name[16];
  for (uint64_t i = 0; i < kBlocks; i++) {
    snprintf(name, sizeof name, "b%02" PRIu64, i);
    put_numbered(file, NULL, name, i, (size_t)i * 1000);
  }
  spw_txn* dirty = begin_txn(file, SPW_TXN_READ_ONLY); /* much still waits in memory */
  EXPECT(SPW_OK, spw_file_flush(file, SPW_FLUSH_CHECKPOINT, &err));
  spw_txn* clean = begin_txn(file, SPW_TXN_READ_ONLY);
  CHECK(file_stats_of(file).snapshots >= 2);
  const listed before = list_all(file);
  for (uint64_t round = 1; round < 5; round++) {
    for (uint64_t i = 0; i < kBlocks; i++) {
      snprintf(name, sizeof name, "b%02" PRIu64, i);
      if (round == 4) {
        EXPECT(SPW_OK, spw_block_delete(file, NULL, NAME(name), ANY, &err));
      } else {
        put_numbered(file, NULL, name, i + round * 100, (size_t)(i * 777 % 50000));
      }
    }
    EXPECT(SPW_OK, spw_file_flush(file, SPW_FLUSH_CHECKPOINT, &err));
    spw_txn* const both[] = {dirty, clean};
    for (int which = 0; which < 2; which++) {
      for (uint64_t i = 0; i < kBlocks; i++) {
        snprintf(name, sizeof name, "b%02" PRIu64, i);
        CHECK(holds_numbered(file, both[which], name, i, (size_t)i * 1000));
      }
      const listed now = list_on(open_list(file, both[which], "", 0), 7);
      CHECK(now.blocks == before.blocks && now.bytes == before.bytes);
    }
  }
  CHECK_EQUAL(list_all(file).blocks, 0);

  phase("nothing can be changed through it, and it needs no commit");
  EXPECT(SPW_READONLY, spw_block_put(file, clean, "x", 1, "x", 1, ANY, NULL, &err));
  const uint64_t offsets[] = {0, 1};
  EXPECT(SPW_READONLY,
         spw_block_put_batch(file, clean, "x", 1, offsets, "x", 1, offsets, 1, NULL, NULL, &err));
  EXPECT(SPW_READONLY, spw_block_append(file, clean, "b01", 3, "x", 1, NULL, &err));
  EXPECT(SPW_READONLY, spw_block_patch(file, clean, "b01", 3, 0, "x", 1, &err));
  EXPECT(SPW_READONLY, spw_block_delete(file, clean, "b01", 3, ANY, &err));
  EXPECT(SPW_READONLY, spw_block_rename(file, clean, "b01", 3, "x", 1, 0, &err));
  EXPECT(SPW_READONLY, spw_block_set_tag(file, clean, "b01", 3, "x", 1, &err));
  spw_txn_free(clean);
  commit(dirty, SPW_COMMIT_RELAXED, SPW_OK); /* but may be committed */
  CHECK_EQUAL(file_stats_of(file).snapshots, 0);
  flush_file(file);
  check_clean(file, 0);
  close_file(file);
}

static void levels(void) {
  phase("what a durable commit and a flush acknowledged survives a crash, whole");
  static const int32_t all[] = {SPW_COMMIT_RELAXED, SPW_FLUSH_KERNEL, SPW_FLUSH_DEVICE,
                                SPW_FLUSH_CHECKPOINT};
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
    const char* path = temp_path("levels");
    unlink(path);
    start_with_two(path);
    flush_file(file);
    spw_txn* txn = begin_txn(file, 0);
    put_text(file, txn, "a", "new a");
    put_numbered(file, txn, "c", 3, 100000);
    EXPECT(SPW_OK, spw_block_delete(file, txn, "b", 1, ANY, &err));
    commit(txn, all[i], SPW_OK);
    if (all[i] == SPW_COMMIT_RELAXED) {
      flush_file(file);
    }
    crash_file(file); /* the process lives on, so what the kernel has stays as well */
    file = open_file_again(path);
    CHECK(holds_text(file, NULL, "a", "new a") && holds_numbered(file, NULL, "c", 3, 100000));
    CHECK(is_gone(file, NULL, "b"));
    close_file(file);
  }

  phase("a relaxed commit is there whole or not at all");
  const char* path = temp_path("relaxed");
  start_with_two(path);
  flush_file(file);
  spw_txn* txn = begin_txn(file, 0);
  put_text(file, txn, "a", "new a");
  put_text(file, txn, "b", "new b");
  commit(txn, SPW_COMMIT_RELAXED, SPW_OK);
  crash_file(file);
  file = open_file_again(path);
  CHECK(holds_text(file, NULL, "a", "new a") ? holds_text(file, NULL, "b", "new b")
                                             : holds_text(file, NULL, "b", "old b"));
  close_file(file);
}

static void ends_once(void) {
  phase("after its commit a transaction can only be freed");
  start_with_two(temp_path("once"));
  spw_txn* txn = begin_txn(file, 0);
  EXPECT(SPW_INVALID_ARGUMENT, spw_txn_commit(txn, -1, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_txn_commit(txn, 4, &err));
  put_text(file, txn, "a", "new a"); /* that was no commit */
  EXPECT(SPW_OK, spw_txn_commit(txn, SPW_COMMIT_RELAXED, &err));
  EXPECT(SPW_INVALID_STATE, spw_txn_commit(txn, SPW_COMMIT_RELAXED, &err));
  EXPECT(SPW_INVALID_STATE, spw_block_put(file, txn, "a", 1, "x", 1, ANY, NULL, &err));
  EXPECT(SPW_INVALID_STATE, spw_block_delete(file, txn, "a", 1, ANY, &err));
  uint64_t len = 7;
  EXPECT(SPW_INVALID_STATE, spw_block_read(file, txn, "a", 1, 0, NULL, 0, &len, &err));
  CHECK_EQUAL(len, 0);
  int32_t there = 7;
  EXPECT(SPW_INVALID_STATE, spw_block_exists(file, txn, "a", 1, &there, &err));
  spw_list* list = NOWHERE;
  EXPECT(SPW_INVALID_STATE, spw_list_open(file, txn, NULL, 0, 0, &list, &err));
  CHECK(list == NULL);
  spw_txn_free(txn);
  CHECK(holds_text(file, NULL, "a", "new a"));

  phase("one without changes commits, whatever others did");
  txn = begin_txn(file, 0);
  put_text(file, NULL, "a", "other");
  commit(txn, SPW_FLUSH_DEVICE, SPW_OK);

  phase("a transaction of another file is refused");
  spw_file* other = open_file(temp_path("other"));
  txn = begin_txn(other, 0);
  EXPECT(SPW_INVALID_ARGUMENT, spw_block_put(file, txn, "a", 1, "x", 1, ANY, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_block_exists(file, txn, "a", 1, &there, &err));
  spw_txn_free(txn);
  close_file(other);
  CHECK(holds_text(file, NULL, "a", "other"));
  spw_txn* none = NOWHERE;
  EXPECT(SPW_UNSUPPORTED, spw_txn_begin(file, 2, &none, &err));
  CHECK(none == NULL);
  close_file(file);
}

static void thousands_of_changes(void) {
  phase("a transaction of thousands of blocks is there whole after a crash");
  const char* path = temp_path("thousands");
  file = open_file(path);
  spw_txn* txn = begin_txn(file, 0);
  char name[16];
  for (uint64_t i = 0; i < 5000; i++) {
    snprintf(name, sizeof name, "t%04" PRIu64, i);
    put_numbered(file, txn, name, i, (size_t)(i % 700));
  }
  CHECK_EQUAL(list_all(file).blocks, 0);
  commit(txn, SPW_FLUSH_DEVICE, SPW_OK);
  crash_file(file);
  file = open_file_again(path);
  for (uint64_t i = 0; i < 5000; i++) {
    snprintf(name, sizeof name, "t%04" PRIu64, i);
    CHECK(holds_numbered(file, NULL, name, i, (size_t)(i % 700)));
  }
  CHECK_EQUAL(list_all(file).blocks, 5000);
  close_file(file);
}

int main(void) {
  sees_its_own();
  leaves_no_trace();
  conflicts();
  conditions_within();
  snapshots();
  levels();
  ends_once();
  thousands_of_changes();
  return check_finish();
}
