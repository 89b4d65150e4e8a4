/* Block files and blocks for the tests of the C API. Block contents are numbered like records: what
 * number n of a length holds is always the same, so whoever reads a block knows what it must be. */
#ifndef BLOCK_FIXTURE_H
#define BLOCK_FIXTURE_H

#include "fixture.h"

/* A name as pointer and length. */
#define NAME(text) (text), strlen(text)
#define NOWHERE ((void*)(uintptr_t)64) /* what a handle is before a call must write it */

#define ANY SPW_BLOCK_VERSION_ANY
#define NONE SPW_BLOCK_VERSION_NONE

/* ---- Files ------------------------------------------------------------------------------------
 */

FIXTURE spw_file* try_open_file(const char* path, const int64_t* pairs, spw_status want) {
  spw_options* options = make_options(pairs);
  spw_file* file = NOWHERE;
  EXPECT(want, spw_file_open(path, strlen(path), options, NULL, &file, &err));
  CHECK((file != NULL) == (want == SPW_OK));
  spw_options_free(options);
  return want == SPW_OK ? file : NULL;
}

FIXTURE spw_file* open_file(const char* path) {
  spw_file* file = try_open_file(path, PAIRS(0), SPW_OK);
  REQUIRE(file != NULL);
  return file;
}

/* A file whose owner did not close it can be busy until what it was writing has ended. */
FIXTURE spw_file* open_file_again(const char* path) {
  spw_file* file = NULL;
  spw_status status = SPW_BUSY;
  for (const uint64_t end_ms = now_ms() + 60000; status == SPW_BUSY && now_ms() < end_ms;) {
    status = spw_file_open(path, strlen(path), NULL, NULL, &file, NULL);
    sched_yield();
  }
  CHECK_EQUAL(status, SPW_OK);
  REQUIRE(file != NULL);
  return file;
}

FIXTURE void close_file(spw_file* file) {
  EXPECT(SPW_OK, spw_file_close(file, 0, &err));
  spw_file_free(file);
}

/* Gives the file up as a crash would. */
FIXTURE void crash_file(spw_file* file) {
  EXPECT(SPW_OK, spw_file_close(file, SPW_CLOSE_DISCARD, &err));
  spw_file_free(file);
}

FIXTURE void flush_file(spw_file* file) {
  EXPECT(SPW_OK, spw_file_flush(file, SPW_FLUSH_DEVICE, &err));
}

FIXTURE spw_block_stats file_stats_of(const spw_file* file) {
  spw_block_stats stats;
  memset(&stats, 0, sizeof stats);
  stats.struct_size = sizeof stats;
  EXPECT(SPW_OK, spw_file_stats(file, &stats, &err));
  return stats;
}

/* All bytes of a file on disk; the caller frees them. */
FIXTURE uint8_t* bytes_of(const char* path, size_t* len) {
  FILE* file = fopen(path, "rb");
  REQUIRE(file != NULL);
  struct stat status;
  REQUIRE(fstat(fileno(file), &status) == 0);
  *len = (size_t)status.st_size;
  uint8_t* bytes = malloc(*len + 1);
  REQUIRE(bytes != NULL && fread(bytes, 1, *len, file) == *len);
  fclose(file);
  return bytes;
}

/* ---- Blocks -----------------------------------------------------------------------------------
 */

FIXTURE uint8_t* make_bytes(uint64_t number, size_t len) {
  uint8_t* bytes = malloc(len + 1);
  REQUIRE(bytes != NULL);
  fill_record(bytes, len, number);
  return bytes;
}

/* Returns the version. */
FIXTURE uint64_t put_numbered(spw_file* file, spw_txn* txn, const char* name, uint64_t number,
                              size_t len) {
  uint8_t* bytes = make_bytes(number, len);
  uint64_t version = 77;
  EXPECT(SPW_OK, spw_block_put(file, txn, NAME(name), bytes, len, ANY, &version, &err));
  free(bytes);
  return version;
}

/* Returns the version; the text without its NUL is the payload. */
FIXTURE uint64_t put_text(spw_file* file, spw_txn* txn, const char* name, const char* text) {
  uint64_t version = 77;
  EXPECT(SPW_OK, spw_block_put(file, txn, NAME(name), NAME(text), ANY, &version, &err));
  return version;
}

FIXTURE spw_block_info empty_info(void) {
  spw_block_info info;
  memset(&info, 0, sizeof info);
  info.struct_size = sizeof info;
  return info;
}

FIXTURE spw_block_info info_of(spw_file* file, spw_txn* txn, const char* name) {
  spw_block_info info = empty_info();
  EXPECT(SPW_OK, spw_block_stat(file, txn, NAME(name), &info, &err));
  return info;
}

FIXTURE int has_block(spw_file* file, spw_txn* txn, const char* name) {
  int32_t there = 7;
  EXPECT(SPW_OK, spw_block_exists(file, txn, NAME(name), &there, &err));
  CHECK(there == 0 || there == 1);
  return there;
}

/* A missing block is missing for every call that reads. */
FIXTURE int is_gone(spw_file* file, spw_txn* txn, const char* name) {
  uint64_t len = 7;
  uint8_t byte;
  spw_block_info info = empty_info();
  spw_blob* blob = NOWHERE;
  int gone = EXPECT(SPW_NOT_FOUND, spw_block_read(file, txn, NAME(name), 0, &byte, 1, &len, &err));
  gone &= EXPECT(SPW_NOT_FOUND, spw_block_stat(file, txn, NAME(name), &info, &err));
  gone &= EXPECT(SPW_NOT_FOUND, spw_block_get(file, txn, NAME(name), 0, SPW_NO_LIMIT, &blob, &err));
  return gone && len == 0 && blob == NULL && !has_block(file, txn, name);
}

/* Whether the block has exactly these bytes, as stat and read see it. */
FIXTURE int holds(spw_file* file, spw_txn* txn, const char* name, const void* bytes, size_t len) {
  uint8_t* found = malloc(len + 1);
  REQUIRE(found != NULL);
  uint64_t got = 7;
  const int read = EXPECT(
      SPW_OK, spw_block_read(file, txn, NAME(name), 0, found, (uint64_t)len + 1, &got, &err));
  const int same = read && got == len && memcmp(found, bytes, len) == 0 &&
                   info_of(file, txn, name).length == len;
  free(found);
  return same;
}

FIXTURE int holds_text(spw_file* file, spw_txn* txn, const char* name, const char* text) {
  return holds(file, txn, name, NAME(text));
}

FIXTURE int holds_numbered(spw_file* file, spw_txn* txn, const char* name, uint64_t number,
                           size_t len) {
  uint8_t* bytes = make_bytes(number, len);
  const int same = holds(file, txn, name, bytes, len);
  free(bytes);
  return same;
}

FIXTURE spw_txn* begin_txn(spw_file* file, uint32_t flags) {
  spw_txn* txn = NOWHERE;
  REQUIRE(EXPECT(SPW_OK, spw_txn_begin(file, flags, &txn, &err)));
  return txn;
}

/* ---- Lists ------------------------------------------------------------------------------------
 */

FIXTURE spw_block_view empty_block_view(void) {
  spw_block_view view;
  memset(&view, 0, sizeof view);
  view.struct_size = sizeof view;
  return view;
}

FIXTURE spw_list* open_list(spw_file* file, spw_txn* txn, const char* prefix, uint32_t flags) {
  spw_list* list = NOWHERE;
  REQUIRE(EXPECT(SPW_OK, spw_list_open(file, txn, NAME(prefix), flags, &list, &err)));
  return list;
}

typedef struct listed {
  uint64_t blocks;
  uint64_t bytes; /* of payload */
} listed;

/* Lists to the end, at most `step` blocks a call: the names must ascend. Frees the list. */
FIXTURE listed list_on(spw_list* list, uint64_t step) {
  listed all = {0, 0};
  char last[SPW_BLOCK_NAME_MAX];
  size_t last_len = 0;
  uint64_t wrong = 0;
  for (;;) {
    spw_block_view view = empty_block_view();
    if (!EXPECT(SPW_OK, spw_list_next(list, step, &view, &err)) || view.count == 0) {
      break;
    }
    CHECK(view.count <= step && view.infos != NULL);
    for (uint64_t i = 0; i < view.count; i++) {
      const char* name = view.names + view.name_offsets[i];
      const size_t len = (size_t)(view.name_offsets[i + 1] - view.name_offsets[i]);
      const size_t both = len < last_len ? len : last_len;
      const int order = memcmp(last, name, both);
      wrong += order > 0 || (order == 0 && last_len >= len) ||
                       view.infos[i].struct_size != sizeof view.infos[i]
                   ? 1
                   : 0;
      memcpy(last, name, len);
      last_len = len;
      all.bytes += view.infos[i].length;
    }
    all.blocks += view.count;
  }
  CHECK_EQUAL(wrong, 0);
  spw_list_free(list);
  return all;
}

FIXTURE listed list_all(spw_file* file) { return list_on(open_list(file, NULL, "", 0), 1000); }

/* ---- Verification -----------------------------------------------------------------------------
 */

FIXTURE spw_report* verify(spw_file* file, uint32_t flags) {
  spw_report* report = NOWHERE;
  REQUIRE(EXPECT(SPW_OK, spw_file_verify(file, flags, SPW_NO_LIMIT, NULL, &report, &err)));
  return report;
}

FIXTURE spw_verify_summary summary_of(const spw_report* report) {
  spw_verify_summary summary;
  memset(&summary, 0, sizeof summary);
  summary.struct_size = sizeof summary;
  EXPECT(SPW_OK, spw_report_summary(report, &summary, &err));
  return summary;
}

FIXTURE void check_clean(spw_file* file, uint64_t blocks) {
  static const uint32_t ways[] = {0, SPW_VERIFY_FULL};
  for (int i = 0; i < 2; i++) {
    spw_report* report = verify(file, ways[i]);
    const spw_verify_summary summary = summary_of(report);
    CHECK_EQUAL(summary.flags, ways[i]);
    CHECK_EQUAL(summary.blocks, blocks);
    CHECK_EQUAL(summary.blocks_damaged, 0);
    CHECK_EQUAL(summary.problems, 0);
    spw_report_free(report);
  }
}

#endif
