/* Every function of the block file with NULL, with the wrong kind of handle, without a place for
 * its answer, with flags and sizes that there are not: it returns its code, writes what it promised
 * to write, and changes nothing. */
#define _GNU_SOURCE 1
#include "block_fixture.h"

static spw_file* file;
static spw_txn* txn;
static spw_blob* blob;
static spw_list* list;
static spw_report* report;
static spw_reader* reader;
static spw_writer* writer;
static spw_options* options;
static spw_store* store;

static const uint64_t kOffsets[] = {0, 1};

/* In place of a file and its transaction: NULL and handles of other kinds. */
typedef struct pair {
  spw_file* file;
  spw_txn* txn;
} pair;
enum { kPairs = 9 };

static void bad_pairs(pair* pairs) {
  void* const files[] = {NULL, txn, blob, list, report, options, store};
  for (int i = 0; i < 7; i++) {
    pairs[i] = (pair){files[i], NULL};
  }
  pairs[7] = (pair){file, (spw_txn*)(void*)file};
  pairs[8] = (pair){file, (spw_txn*)(void*)list};
}

static void writing_without_a_file(void) {
  phase("calls that write, without a file");
  pair bad[kPairs];
  bad_pairs(bad);
  for (int i = 0; i < kPairs; i++) {
    uint64_t number = 7;
    EXPECT(SPW_INVALID_ARGUMENT,
           spw_block_put(bad[i].file, bad[i].txn, "a", 1, "x", 1, ANY, &number, &err));
    CHECK_EQUAL(number, 0);
    number = 7;
    EXPECT(SPW_INVALID_ARGUMENT, spw_block_put_batch(bad[i].file, bad[i].txn, "a", 1, kOffsets, "x",
                                                     1, kOffsets, 1, NULL, &number, &err));
    CHECK_EQUAL(number, 0);
    number = 7;
    EXPECT(SPW_INVALID_ARGUMENT,
           spw_block_append(bad[i].file, bad[i].txn, "a", 1, "x", 1, &number, &err));
    CHECK_EQUAL(number, 0);
    EXPECT(SPW_INVALID_ARGUMENT, spw_block_patch(bad[i].file, bad[i].txn, "a", 1, 0, "x", 1, &err));
    EXPECT(SPW_INVALID_ARGUMENT, spw_block_delete(bad[i].file, bad[i].txn, "a", 1, ANY, &err));
    EXPECT(SPW_INVALID_ARGUMENT,
           spw_block_rename(bad[i].file, bad[i].txn, "a", 1, "b", 1, 0, &err));
    EXPECT(SPW_INVALID_ARGUMENT, spw_block_set_tag(bad[i].file, bad[i].txn, "a", 1, "x", 1, &err));
    spw_writer* opened = NOWHERE;
    EXPECT(SPW_INVALID_ARGUMENT,
           spw_writer_open(bad[i].file, bad[i].txn, "a", 1, ANY, &opened, &err));
    CHECK(opened == NULL);
  }
}

static void reading_without_a_file(void) {
  phase("calls that read, without a file");
  pair bad[kPairs];
  bad_pairs(bad);
  for (int i = 0; i < kPairs; i++) {
    spw_block_info info = empty_info();
    info.length = 7;
    EXPECT(SPW_INVALID_ARGUMENT, spw_block_stat(bad[i].file, bad[i].txn, "a", 1, &info, &err));
    int32_t there = 7;
    EXPECT(SPW_INVALID_ARGUMENT, spw_block_exists(bad[i].file, bad[i].txn, "a", 1, &there, &err));
    CHECK(info.length == 0 && there == 0);
    uint64_t number = 7, ends[2] = {7, 7};
    int32_t status = 7;
    uint8_t byte;
    EXPECT(SPW_INVALID_ARGUMENT,
           spw_block_read(bad[i].file, bad[i].txn, "a", 1, 0, &byte, 1, &number, &err));
    EXPECT(SPW_INVALID_ARGUMENT, spw_block_read_batch(bad[i].file, bad[i].txn, "a", 1, kOffsets, 1,
                                                      &byte, 1, ends, &status, &err));
    CHECK(number == 0 && ends[0] == 0 && ends[1] == 0 && status == 0);
    spw_blob* got = NOWHERE;
    EXPECT(SPW_INVALID_ARGUMENT, spw_block_get(bad[i].file, bad[i].txn, "a", 1, 0, 1, &got, &err));
    spw_list* opened = NOWHERE;
    EXPECT(SPW_INVALID_ARGUMENT, spw_list_open(bad[i].file, bad[i].txn, "", 0, 0, &opened, &err));
    spw_reader* stream = NOWHERE;
    EXPECT(SPW_INVALID_ARGUMENT, spw_reader_open(bad[i].file, bad[i].txn, "a", 1, &stream, &err));
    CHECK(got == NULL && opened == NULL && stream == NULL);
  }
}

static void other_calls_without_a_file(void) {
  phase("other calls, without a file");
  void* const bad[] = {NULL, txn, blob, list, report, options, store};
  for (int i = 0; i < 7; i++) {
    EXPECT(SPW_INVALID_ARGUMENT, spw_file_close(bad[i], 0, &err));
    EXPECT(SPW_INVALID_ARGUMENT, spw_file_flush(bad[i], SPW_FLUSH_DEVICE, &err));
    spw_txn* begun = NOWHERE;
    EXPECT(SPW_INVALID_ARGUMENT, spw_txn_begin(bad[i], 0, &begun, &err));
    spw_report* made = NOWHERE;
    EXPECT(SPW_INVALID_ARGUMENT, spw_file_verify(bad[i], 0, 1, NULL, &made, &err));
    CHECK(begun == NULL && made == NULL);
    spw_block_stats stats = {.struct_size = sizeof stats, .blocks = 7};
    EXPECT(SPW_INVALID_ARGUMENT, spw_file_stats(bad[i], &stats, &err));
    CHECK_EQUAL(stats.blocks, 0);
  }
  spw_file* opened = NOWHERE;
  const char* path = temp_path("never");
  EXPECT(SPW_INVALID_ARGUMENT,
         spw_file_open(NAME(path), (spw_options*)(void*)file, NULL, &opened, &err));
  EXPECT(SPW_INVALID_ARGUMENT,
         spw_file_open(NAME(path), NULL, (spw_op*)(void*)file, &opened, &err));
  CHECK(opened == NULL && !exists(path));
  spw_report* made = NOWHERE;
  EXPECT(SPW_INVALID_ARGUMENT, spw_file_verify(file, 0, 1, (spw_op*)(void*)file, &made, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_flush((spw_store*)(void*)file, 2, 0, NULL, &err));
}

static void children_of_other_kinds(void) {
  phase("calls without a transaction, a list, a blob, a report or a stream");
  void* const bad[] = {NULL, file, options, store};
  for (int i = 0; i < 4; i++) {
    EXPECT(SPW_INVALID_ARGUMENT, spw_txn_commit(bad[i], SPW_COMMIT_RELAXED, &err));
    spw_block_view view = empty_block_view();
    view.count = 7;
    EXPECT(SPW_INVALID_ARGUMENT, spw_list_next(bad[i], 1, &view, &err));
    CHECK_EQUAL(view.count, 0);
    EXPECT(SPW_INVALID_ARGUMENT, spw_list_seek(bad[i], "a", 1, &err));
    const uint8_t* data = NOWHERE;
    uint64_t len = 7;
    EXPECT(SPW_INVALID_ARGUMENT, spw_blob_view(bad[i], &data, &len, &err));
    CHECK(data == NULL && len == 0);
    spw_verify_summary summary = {.struct_size = sizeof summary, .blocks = 7};
    EXPECT(SPW_INVALID_ARGUMENT, spw_report_summary(bad[i], &summary, &err));
    spw_problem problem = {.struct_size = sizeof problem, .code = 7};
    EXPECT(SPW_INVALID_ARGUMENT, spw_report_problem(bad[i], 0, &problem, &err));
    CHECK(summary.blocks == 0 && problem.code == 0);
    uint8_t byte;
    spw_block_info info = empty_info();
    info.length = len = 7;
    EXPECT(SPW_INVALID_ARGUMENT, spw_reader_stat(bad[i], &info, &err));
    EXPECT(SPW_INVALID_ARGUMENT, spw_reader_read(bad[i], &byte, 1, &len, &err));
    CHECK(info.length == 0 && len == 0);
    len = 7;
    EXPECT(SPW_INVALID_ARGUMENT, spw_reader_read_at(bad[i], 0, &byte, 1, &len, &err));
    CHECK_EQUAL(len, 0);
    EXPECT(SPW_INVALID_ARGUMENT, spw_reader_seek(bad[i], 0, &err));
    EXPECT(SPW_INVALID_ARGUMENT, spw_writer_write(bad[i], "x", 1, &err));
    len = 7;
    EXPECT(SPW_INVALID_ARGUMENT, spw_writer_commit(bad[i], &len, &err));
    CHECK_EQUAL(len, 0);
  }
  EXPECT(SPW_INVALID_ARGUMENT, spw_txn_commit((spw_txn*)(void*)list, SPW_COMMIT_RELAXED, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_list_seek((spw_list*)(void*)txn, "a", 1, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_reader_seek((spw_reader*)(void*)writer, 0, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_writer_write((spw_writer*)(void*)reader, "x", 1, &err));
}

static void without_a_place(void) {
  phase("calls without a place for their answer");
  uint64_t number;
  uint8_t byte;
  int32_t status;
  EXPECT(SPW_INVALID_ARGUMENT, spw_file_open("x", 1, NULL, NULL, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_txn_begin(file, 0, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_block_stat(file, NULL, "a", 1, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_block_exists(file, NULL, "a", 1, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_block_read(file, NULL, "a", 1, 0, &byte, 1, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_block_read(file, NULL, "a", 1, 0, NULL, 1, &number, &err));
  EXPECT(SPW_INVALID_ARGUMENT,
         spw_block_read_batch(file, NULL, "a", 1, kOffsets, 1, &byte, 1, NULL, &status, &err));
  uint64_t ends[2];
  EXPECT(SPW_INVALID_ARGUMENT,
         spw_block_read_batch(file, NULL, "a", 1, kOffsets, 1, &byte, 1, ends, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT,
         spw_block_read_batch(file, NULL, "a", 1, kOffsets, 1, NULL, 1, ends, &status, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_block_get(file, NULL, "a", 1, 0, 1, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_blob_view(blob, NULL, &number, &err));
  const uint8_t* data;
  EXPECT(SPW_INVALID_ARGUMENT, spw_blob_view(blob, &data, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_list_open(file, NULL, "", 0, 0, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_list_next(list, 1, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_file_verify(file, 0, 1, NULL, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_report_summary(report, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_report_problem(report, 0, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_file_stats(file, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_reader_open(file, NULL, "a", 1, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_writer_open(file, NULL, "a", 1, ANY, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_reader_stat(reader, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_reader_read(reader, &byte, 1, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_reader_read(reader, NULL, 1, &number, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_reader_read_at(reader, 0, &byte, 1, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_reader_read_at(reader, 0, NULL, 1, &number, &err));
}

static void without_bytes(void) {
  phase("calls without the bytes that they name");
  EXPECT(SPW_INVALID_ARGUMENT, spw_block_put(file, NULL, NULL, 1, "x", 1, ANY, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_block_put(file, NULL, "b", 1, NULL, 1, ANY, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_block_put(file, NULL, "b", 1, "x", UINT64_MAX, ANY, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_block_append(file, NULL, "b", 1, NULL, 1, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_block_patch(file, NULL, "a", 1, 0, NULL, 1, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_block_set_tag(file, NULL, "a", 1, NULL, 1, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_block_rename(file, NULL, "a", 1, NULL, 1, 0, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_block_rename(file, NULL, NULL, 1, "b", 1, 0, &err));
  EXPECT(SPW_INVALID_ARGUMENT,
         spw_block_put_batch(file, NULL, NULL, 1, kOffsets, "x", 1, kOffsets, 1, NULL, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT,
         spw_block_put_batch(file, NULL, "b", 1, NULL, "x", 1, kOffsets, 1, NULL, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT,
         spw_block_put_batch(file, NULL, "b", 1, kOffsets, NULL, 1, kOffsets, 1, NULL, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT,
         spw_block_put_batch(file, NULL, "b", 1, kOffsets, "x", 1, NULL, 1, NULL, NULL, &err));
  spw_list* opened = NOWHERE;
  EXPECT(SPW_INVALID_ARGUMENT, spw_list_open(file, NULL, NULL, 1, 0, &opened, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_list_open(file, NULL, "a\0", 2, 0, &opened, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_list_open(file, NULL, "a", SIZE_MAX, 0, &opened, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_list_seek(list, NULL, 1, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_writer_write(writer, NULL, 1, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_writer_write(writer, "x", UINT64_MAX, &err));
  spw_reader* unread = NOWHERE;
  spw_writer* unwritten = NOWHERE;
  const char* const names[] = {NULL, "", "a\0b"};
  for (size_t i = 0; i < 3; i++) {
    const size_t len = i == 0 ? 1 : i == 1 ? 0 : 3;
    EXPECT(SPW_INVALID_ARGUMENT, spw_reader_open(file, NULL, names[i], len, &unread, &err));
    EXPECT(SPW_INVALID_ARGUMENT, spw_writer_open(file, NULL, names[i], len, ANY, &unwritten, &err));
    CHECK(unread == NULL && unwritten == NULL);
  }
  EXPECT(SPW_INVALID_ARGUMENT, spw_block_delete(file, NULL, "a", 1, NONE, &err));
  CHECK(opened == NULL);
}

static void flags_that_there_are_not(void) {
  phase("flags and limits that there are not");
  spw_txn* begun = NOWHERE;
  spw_list* opened = NOWHERE;
  spw_report* made = NOWHERE;
  EXPECT(SPW_UNSUPPORTED, spw_file_close(file, 2, &err));
  EXPECT(SPW_UNSUPPORTED, spw_txn_begin(file, 2, &begun, &err));
  EXPECT(SPW_UNSUPPORTED, spw_list_open(file, NULL, "", 0, 2, &opened, &err));
  EXPECT(SPW_UNSUPPORTED, spw_block_rename(file, NULL, "a", 1, "b", 1, 2, &err));
  EXPECT(SPW_UNSUPPORTED, spw_file_verify(file, 2, 1, NULL, &made, &err));
  CHECK(begun == NULL && opened == NULL && made == NULL);
  spw_block_view view = empty_block_view();
  EXPECT(SPW_INVALID_ARGUMENT, spw_list_next(list, 0, &view, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_file_flush(file, 0, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_file_flush(file, 4, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_txn_commit(txn, 4, &err));
}

static void without_an_error(void) {
  phase("no call needs a place for its error");
  CHECK_EQUAL(spw_file_flush(NULL, SPW_FLUSH_DEVICE, NULL), SPW_INVALID_ARGUMENT);
  CHECK_EQUAL(spw_block_put(file, NULL, "", 0, "x", 1, ANY, NULL, NULL), SPW_INVALID_ARGUMENT);
  CHECK_EQUAL(spw_block_delete(file, NULL, "none", 4, ANY, NULL), SPW_NOT_FOUND);
  CHECK_EQUAL(spw_block_delete(file, NULL, "a", 1, UINT64_MAX - 1, NULL), SPW_CONFLICT);
}

/* ---- Structs of other versions ------------------------------------------------------------------
 */

typedef struct padded {
  union {
    uint32_t struct_size;
    spw_block_info info;
    spw_block_view view;
    spw_block_stats stats;
    spw_verify_summary summary;
    spw_problem problem;
  } part;
  uint64_t behind[8];
} padded;

static spw_status fill(int which, padded* place, spw_error** error) {
  switch (which) {
    case 0:
      return spw_block_stat(file, NULL, "a", 1, &place->part.info, error);
    case 1:
      return spw_list_next(list, 1, &place->part.view, error);
    case 2:
      return spw_file_stats(file, &place->part.stats, error);
    case 3:
      return spw_report_summary(report, &place->part.summary, error);
    case 4:
      return spw_report_problem(report, 0, &place->part.problem, error);
    default:
      return spw_reader_stat(reader, &place->part.info, error);
  }
}

static void structs_of_other_sizes(void) {
  phase("structs of callers that know less, or more");
  static const size_t sizes[] = {sizeof(spw_block_info),  sizeof(spw_block_view),
                                 sizeof(spw_block_stats), sizeof(spw_verify_summary),
                                 sizeof(spw_problem),     sizeof(spw_block_info)};
  for (int which = 0; which < 6; which++) {
    const spw_status want = which == 4 ? SPW_NOT_FOUND : SPW_OK; /* there is no problem */
    static const uint32_t bad[] = {0, 4, 7, 4097, UINT32_MAX};
    padded place;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
      memset(&place, 0x55, sizeof place);
      place.part.struct_size = bad[i];
      EXPECT(SPW_INVALID_ARGUMENT, fill(which, &place, &err));
    }
    const size_t given[] = {8, 16, sizes[which], sizes[which] + 16};
    for (size_t i = 0; i < 4; i++) {
      memset(&place, 0x55, sizeof place);
      place.part.struct_size = (uint32_t)given[i];
      EXPECT(want, fill(which, &place, &err));
      CHECK_EQUAL(place.part.struct_size, given[i]);
      const size_t written = given[i] < sizes[which] ? given[i] : sizes[which];
      const uint8_t* bytes = (const uint8_t*)&place;
      for (size_t at = written; at < sizeof place; at++) {
        check_that(bytes[at] == 0x55, __FILE__, __LINE__,
                   "struct %d of %zu bytes: byte %zu written", which, given[i], at);
      }
      CHECK(which != 0 || given[i] < 16 || place.part.info.length == 4);
      EXPECT(SPW_OK, spw_list_seek(list, NULL, 0, &err));
    }
  }
}

int main(void) {
  file = open_file(temp_path("misuse"));
  put_text(file, NULL, "a", "text");
  flush_file(file);
  txn = begin_txn(file, 0);
  list = open_list(file, NULL, "", 0);
  EXPECT(SPW_OK, spw_block_get(file, NULL, "a", 1, 0, SPW_NO_LIMIT, &blob, &err));
  report = verify(file, 0);
  EXPECT(SPW_OK, spw_reader_open(file, NULL, "a", 1, &reader, &err));
  EXPECT(SPW_OK, spw_writer_open(file, NULL, "a", 1, ANY, &writer, &err));
  options = make_options(PAIRS(0));
  store = open_store(NULL, PAIRS(0));
  const uint64_t version = info_of(file, NULL, "a").version;

  writing_without_a_file();
  reading_without_a_file();
  other_calls_without_a_file();
  children_of_other_kinds();
  without_a_place();
  without_bytes();
  flags_that_there_are_not();
  without_an_error();
  structs_of_other_sizes();

  phase("and nothing has changed");
  CHECK(holds_text(file, NULL, "a", "text"));
  CHECK_EQUAL(info_of(file, NULL, "a").version, version);
  CHECK_EQUAL(list_on(list, 1).blocks, 1);
  CHECK_EQUAL(list_all(file).blocks, 1);
  EXPECT(SPW_OK, spw_txn_commit(txn, SPW_COMMIT_RELAXED, &err));
  close_store(store);
  spw_options_free(options);
  spw_report_free(report);
  spw_reader_free(reader);
  spw_writer_free(writer);
  spw_blob_free(blob);
  spw_txn_free(txn);
  close_file(file);
  return check_finish();
}
