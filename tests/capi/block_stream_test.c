/* Readers and writers: blocks that come and go in pieces. */
#define _GNU_SOURCE 1
#include "block_fixture.h"

#define MIB ((size_t)1 << 20)

static spw_file* file;

static spw_reader* open_reader(spw_txn* txn, const char* name) {
  spw_reader* reader = NOWHERE;
  REQUIRE(EXPECT(SPW_OK, spw_reader_open(file, txn, NAME(name), &reader, &err)));
  return reader;
}

static spw_writer* open_writer(spw_txn* txn, const char* name, uint64_t expected) {
  spw_writer* writer = NOWHERE;
  REQUIRE(EXPECT(SPW_OK, spw_writer_open(file, txn, NAME(name), expected, &writer, &err)));
  return writer;
}

/* Numbered bytes in pieces of `step`. */
static void write_on(spw_writer* writer, uint64_t number, size_t len, size_t step) {
  uint8_t* bytes = make_bytes(number, len);
  for (size_t at = 0; at < len; at += step) {
    EXPECT(SPW_OK, spw_writer_write(writer, bytes + at, len - at < step ? len - at : step, &err));
  }
  free(bytes);
}

static uint64_t commit_writer(spw_writer* writer) {
  uint64_t version = 7;
  EXPECT(SPW_OK, spw_writer_commit(writer, &version, &err));
  spw_writer_free(writer);
  return version;
}

static uint64_t stream_numbered(spw_txn* txn, const char* name, uint64_t number, size_t len) {
  spw_writer* writer = open_writer(txn, name, ANY);
  write_on(writer, number, len, 300000);
  return commit_writer(writer);
}

static spw_block_info reader_info(const spw_reader* reader) {
  spw_block_info info = empty_info();
  EXPECT(SPW_OK, spw_reader_stat(reader, &info, &err));
  return info;
}

/* The whole of it, in pieces of `step`, from its begin on; by position and by place. */
static int gives(spw_reader* reader, uint64_t number, size_t len, size_t step) {
  uint8_t* want = make_bytes(number, len);
  uint8_t* found = malloc(len + step);
  REQUIRE(found != NULL);
  EXPECT(SPW_OK, spw_reader_seek(reader, 0, &err));
  size_t at = 0;
  uint64_t got = 7;
  int good = 1;
  do {
    good &= EXPECT(SPW_OK, spw_reader_read(reader, found + at, step, &got, &err));
    good &= got <= step && (got == step || at + got == len);
    at += (size_t)got;
  } while (good && got > 0);
  good &= at == len && memcmp(found, want, len) == 0;
  memset(found, 0, len);
  for (size_t end = len; good && end > 0;) { /* backwards */
    const size_t begin = end - (end < step ? end : step);
    good &=
        EXPECT(SPW_OK, spw_reader_read_at(reader, begin, found + begin, end - begin, &got, &err));
    good &= got == end - begin;
    end = begin;
  }
  good &= memcmp(found, want, len) == 0;
  free(want);
  free(found);
  return good;
}

static int streams_numbered(spw_txn* txn, const char* name, uint64_t number, size_t len) {
  spw_reader* reader = open_reader(txn, name);
  const int same = gives(reader, number, len, 100001) && reader_info(reader).length == len;
  spw_reader_free(reader);
  return same;
}

/* ---- Writing and reading -----------------------------------------------------------------------
 */

static void every_size(void) {
  phase("blocks of every size, in pieces of every size");
  const char* path = temp_path("sizes");
  file = open_file(path);
  static const size_t sizes[] = {0,       1,           1000,        1025,        65536,
                                 200000,  2 * MIB - 1, 2 * MIB,     2 * MIB + 1, 4 * MIB + 7,
                                 9 * MIB, 21 * MIB,    40 * MIB + 5};
  static const size_t steps[] = {7001, 65536, 300000, 5 * MIB, 64 * MIB};
  enum { kSizes = sizeof sizes / sizeof sizes[0], kSteps = sizeof steps / sizeof steps[0] };
  char name[32];
  uint64_t last = 0;
  for (size_t i = 0; i < kSizes; i++) {
    snprintf(name, sizeof name, "size %zu", sizes[i]);
    spw_writer* writer = open_writer(NULL, name, NONE);
    write_on(writer, i, sizes[i], steps[i % kSteps]);
    EXPECT(SPW_OK, spw_writer_write(writer, NULL, 0, &err));
    CHECK(!has_block(file, NULL, name));
    const uint64_t version = commit_writer(writer);
    CHECK(version > last && info_of(file, NULL, name).version == version);
    last = version;
  }
  for (int round = 0; round < 3; round++) { /* while they wait, written, and opened again */
    for (size_t i = 0; i < kSizes; i++) {
      snprintf(name, sizeof name, "size %zu", sizes[i]);
      spw_reader* reader = open_reader(NULL, name);
      const spw_block_info info = info_of(file, NULL, name), its = reader_info(reader);
      CHECK(memcmp(&info, &its, sizeof info) == 0 && info.length == sizes[i]);
      CHECK(gives(reader, i, sizes[i], sizes[i] < 2000 ? 1 : 4099 * (1 + i * i)));
      spw_reader_free(reader);
      CHECK(holds_numbered(file, NULL, name, i, sizes[i]));
    }
    if (round == 0) {
      flush_file(file);
    } else if (round == 1) {
      close_file(file);
      file = open_file(path);
    }
  }
  check_clean(file, kSizes);
  close_file(file);
}

static void places(void) {
  phase("positions and places, also behind the end");
  file = open_file(temp_path("places"));
  enum { kLen = 1000000 };
  stream_numbered(NULL, "a", 1, kLen);
  uint8_t* want = make_bytes(1, kLen);
  uint8_t* found = malloc(kLen + 1);
  REQUIRE(found != NULL);
  spw_reader* reader = open_reader(NULL, "a");
  static const uint64_t offsets[] = {
      0,        1,    65535,       65536,      65537, 131072, 500000, kLen - 10,
      kLen - 1, kLen, kLen + 1000, UINT64_MAX, 3,     262144, 262143, kLen - 65536};
  static const uint64_t caps[] = {0, 1, 10, 4096, 65536, 200000, kLen + 1};
  for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
    for (size_t c = 0; c < sizeof caps / sizeof caps[0]; c++) {
      const uint64_t left = offsets[i] < kLen ? kLen - offsets[i] : 0;
      uint64_t got = 7, len = left < caps[c] ? left : caps[c];
      EXPECT(SPW_OK, spw_reader_seek(reader, offsets[i], &err));
      for (int way = 0; way < 3; way++) { /* the third goes on where the second ended */
        const uint64_t at = offsets[i] + (way == 2 ? len : 0);
        if (way == 2) {
          len = at < kLen ? (kLen - at < caps[c] ? kLen - at : caps[c]) : 0;
        }
        memset(found, 0, kLen);
        EXPECT(SPW_OK, way == 0 ? spw_reader_read_at(reader, at, found, caps[c], &got, &err)
                                : spw_reader_read(reader, found, caps[c], &got, &err));
        CHECK_EQUAL(got, len);
        CHECK(len == 0 || memcmp(found, want + at, (size_t)len) == 0);
      }
    }
  }
  spw_reader_free(reader);
  free(found);
  free(want);
  close_file(file);
}

/* ---- One moment --------------------------------------------------------------------------------
 */

static void one_moment(void) {
  phase("a reader reads what it found, whatever becomes of the block");
  file = open_file(temp_path("moment"));
  enum { kWays = 4 };
  static const size_t sizes[] = {500, 100000, 5 * MIB};
  for (size_t i = 0; i < 3; i++) {
    for (int way = 0; way < kWays; way++) {
      stream_numbered(NULL, "old", i, sizes[i]);
      if (way % 2 == 0) {
        flush_file(file);
      }
      spw_reader* reader = open_reader(NULL, "old");
      const spw_block_info info = reader_info(reader);
      if (way == 0) {
        EXPECT(SPW_OK, spw_block_delete(file, NULL, "old", 3, ANY, &err));
      } else if (way == 1) {
        put_text(file, NULL, "old", "new");
      } else if (way == 2) {
        EXPECT(SPW_OK, spw_block_rename(file, NULL, "old", 3, "x", 1, SPW_RENAME_REPLACE, &err));
      } else {
        EXPECT(SPW_OK, spw_block_patch(file, NULL, "old", 3, 0, "changed", 7, &err));
      }
      for (uint64_t round = 0; round < 3; round++) { /* freed pages would be written again */
        stream_numbered(NULL, "other", 100 + round, 3 * sizes[i]);
        EXPECT(SPW_OK, spw_file_flush(file, SPW_FLUSH_CHECKPOINT, &err));
      }
      CHECK(gives(reader, i, sizes[i], 77777));
      const spw_block_info now = reader_info(reader);
      CHECK(memcmp(&info, &now, sizeof info) == 0);
      spw_reader_free(reader);
    }
  }
  close_file(file);
}

/* ---- Conditions --------------------------------------------------------------------------------
 */

static void conditions(void) {
  phase("what a commit expects of the block, and its tag");
  file = open_file(temp_path("conditions"));
  for (size_t len = 10; len < 10 * MIB; len += 4 * MIB) {
    const uint64_t before = put_text(file, NULL, "a", "old");
    EXPECT(SPW_OK, spw_block_set_tag(file, NULL, "a", 1, "tag", 3, &err));
    const uint64_t version = info_of(file, NULL, "a").version;
    const struct {
      const char* name;
      uint64_t expected;
      spw_status status;
    } all[] = {{"a", NONE, SPW_ALREADY_EXISTS},
               {"a", before, SPW_CONFLICT},
               {"b", version, SPW_NOT_FOUND},
               {"a", version, SPW_OK},
               {"b", NONE, SPW_OK}};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
      spw_writer* writer = open_writer(NULL, all[i].name, all[i].expected);
      write_on(writer, i, len, 1 * MIB);
      uint64_t made = 7;
      EXPECT(all[i].status, spw_writer_commit(writer, &made, &err));
      CHECK((made != 0) == (all[i].status == SPW_OK));
      EXPECT(SPW_INVALID_STATE, spw_writer_write(writer, "x", 1, &err));
      EXPECT(SPW_INVALID_STATE, spw_writer_commit(writer, &made, &err));
      CHECK_EQUAL(made, 0);
      spw_writer_free(writer);
      CHECK(all[i].status == SPW_OK
                ? holds_numbered(file, NULL, all[i].name, i, len)
                : !has_block(file, NULL, "b") && holds_text(file, NULL, "a", "old"));
    }
    const spw_block_info info = info_of(file, NULL, "a");
    CHECK(info.tag_len == 3 && memcmp(info.tag, "tag", 3) == 0 && info.version > version);
    EXPECT(SPW_OK, spw_block_delete(file, NULL, "a", 1, ANY, &err));
    EXPECT(SPW_OK, spw_block_delete(file, NULL, "b", 1, ANY, &err));
  }

  phase("judged by the commit: others change it while it is written");
  put_text(file, NULL, "a", "old");
  spw_writer* first = open_writer(NULL, "a", info_of(file, NULL, "a").version);
  spw_writer* second = open_writer(NULL, "a", info_of(file, NULL, "a").version);
  spw_writer* third = open_writer(NULL, "a", ANY);
  spw_writer* fourth = open_writer(NULL, "a", NONE);
  spw_writer* const writers[] = {first, second, third, fourth};
  for (uint64_t i = 0; i < 4; i++) {
    write_on(writers[i], i, 3 * MIB, 1 * MIB);
  }
  CHECK(commit_writer(second) > 0);
  uint64_t version = 7;
  EXPECT(SPW_CONFLICT, spw_writer_commit(first, &version, &err));
  CHECK_EQUAL(version, 0);
  CHECK(holds_numbered(file, NULL, "a", 1, 3 * MIB));
  EXPECT(SPW_OK, spw_block_rename(file, NULL, "a", 1, "b", 1, 0, &err));
  commit_writer(third); /* a new one of that name */
  CHECK(holds_numbered(file, NULL, "a", 2, 3 * MIB) && holds_numbered(file, NULL, "b", 1, 3 * MIB));
  EXPECT(SPW_OK, spw_block_delete(file, NULL, "a", 1, ANY, &err));
  commit_writer(fourth);
  CHECK(holds_numbered(file, NULL, "a", 3, 3 * MIB));
  spw_writer_free(first);
  check_clean(file, 2);
  close_file(file);
}

/* ---- Transactions ------------------------------------------------------------------------------
 */

static void transactions(void) {
  phase("with a transaction's commit, or never");
  const char* path = temp_path("transactions");
  file = open_file(path);
  static const size_t sizes[] = {100, 1 * MIB, 7 * MIB + 9};
  for (size_t i = 0; i < 3; i++) {
    for (int commits = 0; commits < 2; commits++) {
      put_text(file, NULL, "a", "old");
      spw_txn* txn = begin_txn(file, 0);
      CHECK_EQUAL(stream_numbered(txn, "a", i, sizes[i]), 0);
      CHECK_EQUAL(stream_numbered(txn, "b", 7 + i, sizes[i]), 0);
      spw_writer* late = open_writer(txn, "c", NONE);
      write_on(late, 1, sizes[i], 1 * MIB);
      CHECK(holds_text(file, NULL, "a", "old") && !has_block(file, NULL, "b"));
      CHECK(streams_numbered(txn, "a", i, sizes[i]) && streams_numbered(txn, "b", 7 + i, sizes[i]));
      spw_reader* own = open_reader(txn, "a");
      spw_reader* patched = NULL;
      if (sizes[i] > 1000) { /* another state of what it holds aside */
        EXPECT(SPW_OK, spw_block_append(file, txn, "b", 1, "more", 4, NULL, &err));
        patched = open_reader(txn, "b");
      }
      EXPECT(SPW_ALREADY_EXISTS, spw_block_put(file, txn, "a", 1, "", 0, NONE, NULL, &err));
      if (commits) {
        EXPECT(SPW_OK, spw_txn_commit(txn, SPW_COMMIT_RELAXED, &err));
      } else {
        spw_txn_free(txn);
      }
      uint64_t version = 7;
      EXPECT(SPW_INVALID_STATE, spw_writer_write(late, "x", 1, &err));
      EXPECT(SPW_INVALID_STATE, spw_writer_commit(late, &version, &err));
      CHECK(!has_block(file, NULL, "c"));
      CHECK(commits ? holds_numbered(file, NULL, "a", i, sizes[i])
                    : holds_text(file, NULL, "a", "old") && !has_block(file, NULL, "b"));
      for (uint64_t round = 0; round < 3; round++) {
        stream_numbered(NULL, "other", round, 3 * sizes[i]);
        EXPECT(SPW_OK, spw_file_flush(file, SPW_FLUSH_CHECKPOINT, &err));
      }
      CHECK(gives(own, i, sizes[i], 123456)); /* also what nobody else ever saw */
      CHECK(reader_info(own).version == 0);
      if (patched != NULL) {
        CHECK_EQUAL(reader_info(patched).length, sizes[i] + 4);
        char text[8];
        uint64_t len = 0;
        EXPECT(SPW_OK, spw_reader_read_at(patched, sizes[i], text, sizeof text, &len, &err));
        CHECK(len == 4 && memcmp(text, "more", 4) == 0);
      }
      spw_reader_free(own);
      spw_reader_free(patched);
      spw_writer_free(late);
      if (commits) {
        spw_txn_free(txn);
        EXPECT(SPW_OK, spw_block_delete(file, NULL, "b", 1, ANY, &err));
      }
    }
  }
  close_file(file);
}

static void several_transactions(void) {
  phase("a snapshot takes no writer, and its readers see its moment");
  const char* path = temp_path("several");
  file = open_file(path);
  put_text(file, NULL, "other", "block");
  stream_numbered(NULL, "a", 5, 3 * MIB);
  spw_txn* snapshot = begin_txn(file, SPW_TXN_READ_ONLY);
  stream_numbered(NULL, "a", 6, 3 * MIB);
  spw_writer* none = NOWHERE;
  EXPECT(SPW_READONLY, spw_writer_open(file, snapshot, "a", 1, ANY, &none, &err));
  CHECK(none == NULL);
  CHECK(streams_numbered(snapshot, "a", 5, 3 * MIB) && streams_numbered(NULL, "a", 6, 3 * MIB));
  spw_txn_free(snapshot);

  phase("two transactions: the second conflicts, and leaves nothing");
  spw_txn* one = begin_txn(file, 0);
  spw_txn* two = begin_txn(file, 0);
  stream_numbered(one, "a", 1, 5 * MIB);
  stream_numbered(two, "a", 2, 5 * MIB);
  EXPECT(SPW_OK, spw_txn_commit(one, SPW_COMMIT_RELAXED, &err));
  EXPECT(SPW_CONFLICT, spw_txn_commit(two, SPW_COMMIT_RELAXED, &err));
  spw_txn_free(one);
  spw_txn_free(two);
  CHECK(holds_numbered(file, NULL, "a", 1, 5 * MIB));
  check_clean(file, 2);
  close_file(file);
}

/* ---- Ends --------------------------------------------------------------------------------------
 */

static void nothing_is_left(void) {
  phase("without a commit nothing is left: freed, closed, crashed");
  const char* path = temp_path("left");
  for (int way = 0; way < 4; way++) {
    file = open_file_again(path);
    put_text(file, NULL, "a", "old");
    spw_writer* writer = open_writer(NULL, "a", ANY);
    spw_reader* reader = open_reader(NULL, "a");
    write_on(writer, 1, 30 * MIB, 1 * MIB);
    CHECK(file_stats_of(file).bytes_held >= 28 * MIB);
    put_text(file, NULL, "b", "other");
    flush_file(file);
    if (way == 0) {
      spw_writer_free(writer);
      EXPECT(SPW_OK, spw_file_flush(file, SPW_FLUSH_CHECKPOINT, &err));
      put_text(file, NULL, "b", "and another");
      flush_file(file);
      check_clean(file, 2);
    }
    if (way <= 1) {
      EXPECT(SPW_OK, spw_file_close(file, 0, &err));
    } else if (way == 2) {
      EXPECT(SPW_OK, spw_file_close(file, SPW_CLOSE_DISCARD, &err));
    } else {
      spw_file_free(file);
    }
    if (way != 0) {
      uint64_t version = 7;
      EXPECT(SPW_CLOSED, spw_writer_write(writer, "x", 1, &err));
      EXPECT(SPW_CLOSED, spw_writer_commit(writer, &version, &err));
    }
    uint64_t len = 7;
    uint8_t byte;
    spw_block_info info = empty_info();
    EXPECT(SPW_CLOSED, spw_reader_read(reader, &byte, 1, &len, &err));
    EXPECT(SPW_CLOSED, spw_reader_read_at(reader, 0, &byte, 1, &len, &err));
    EXPECT(SPW_CLOSED, spw_reader_seek(reader, 0, &err));
    EXPECT(SPW_CLOSED, spw_reader_stat(reader, &info, &err));
    if (way != 0) {
      spw_writer_free(writer);
    }
    spw_reader_free(reader);
    if (way != 3) {
      spw_file_free(file);
    }
    file = open_file_again(path);
    CHECK(holds_text(file, NULL, "a", "old"));
    check_clean(file, 2);
    const spw_block_stats stats = file_stats_of(file);
    CHECK(stats.bytes_used < 1 * MIB && stats.bytes_held < 8 * MIB); /* journal and reserve */
    close_file(file);
  }
}

static void refused(void) {
  phase("what there is not, and a file for reading");
  const char* path = temp_path("refused");
  file = open_file(path);
  spw_reader* reader = NOWHERE;
  EXPECT(SPW_NOT_FOUND, spw_reader_open(file, NULL, "a", 1, &reader, &err));
  CHECK(reader == NULL);
  put_numbered(file, NULL, "a", 1, 100000);
  close_file(file);
  const int64_t for_reading[] = {SPW_OPT_OPEN, SPW_OPEN_READ_ONLY, 0};
  file = try_open_file(path, for_reading, SPW_OK);
  spw_writer* writer = NOWHERE;
  EXPECT(SPW_READONLY, spw_writer_open(file, NULL, "a", 1, ANY, &writer, &err));
  CHECK(writer == NULL && streams_numbered(NULL, "a", 1, 100000));
  close_file(file);
}

int main(void) {
  every_size();
  places();
  one_moment();
  conditions();
  transactions();
  several_transactions();
  nothing_is_left();
  refused();
  return check_finish();
}
