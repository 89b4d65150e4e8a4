/* Block files and what came from them are closed and freed in every order; what a closed one
 * answers, what outlives it, and what was not closed is counted. */
#define _GNU_SOURCE 1
#include "block_fixture.h"
#include "block_refused.h"

enum { kFile, kTxn, kSnapshot, kList, kBlob, kReader, kOwnReader, kWriter, kReport, kHandles };

typedef struct handles {
  spw_file* file;
  spw_txn* txn;
  spw_txn* snapshot;
  spw_list* list;
  spw_blob* blob;
  spw_reader* reader;
  spw_reader* own_reader; /* of what the transaction has changed */
  spw_writer* writer;     /* in the transaction */
  spw_report* report;
} handles;

static handles open_all(const char* path) {
  handles all;
  all.file = open_file_again(path);
  put_numbered(all.file, NULL, "a", 1, 10000);
  flush_file(all.file);
  all.txn = begin_txn(all.file, 0);
  put_text(all.file, all.txn, "b", "not committed");
  all.snapshot = begin_txn(all.file, SPW_TXN_READ_ONLY);
  all.list = open_list(all.file, all.txn, "", 0);
  EXPECT(SPW_OK, spw_block_get(all.file, NULL, "a", 1, 0, SPW_NO_LIMIT, &all.blob, &err));
  EXPECT(SPW_OK, spw_reader_open(all.file, NULL, "a", 1, &all.reader, &err));
  EXPECT(SPW_OK, spw_reader_open(all.file, all.txn, "b", 1, &all.own_reader, &err));
  EXPECT(SPW_OK, spw_writer_open(all.file, all.txn, "c", 1, ANY, &all.writer, &err));
  uint8_t* large = make_bytes(1, 3 << 20);
  EXPECT(SPW_OK, spw_writer_write(all.writer, large, 3 << 20, &err));
  free(large);
  all.report = verify(all.file, SPW_VERIFY_FULL);
  return all;
}

static void check_blob(const spw_blob* blob) {
  const uint8_t* data = NULL;
  uint64_t len = 0;
  EXPECT(SPW_OK, spw_blob_view(blob, &data, &len, &err));
  CHECK(len == 10000 && is_record(data, 10000, 1));
}

static void free_one(handles* all, int which) {
  switch (which) {
    case kFile:
      spw_file_free(all->file);
      break;
    case kTxn:
      spw_txn_free(all->txn);
      break;
    case kSnapshot:
      spw_txn_free(all->snapshot);
      break;
    case kList:
      spw_list_free(all->list);
      break;
    case kReader:
      spw_reader_free(all->reader);
      break;
    case kOwnReader:
      spw_reader_free(all->own_reader);
      break;
    case kWriter:
      spw_writer_free(all->writer);
      break;
    case kBlob:
      check_blob(all->blob);
      spw_blob_free(all->blob);
      break;
    default:
      CHECK_EQUAL(summary_of(all->report).blocks, 1);
      spw_report_free(all->report);
      break;
  }
}

/* Some of the orders of these things: those in which the file comes at every place, among the
 * others forwards and backwards and turned. */
static void every_order(int close_first) {
  const char* path = temp_path("order");
  for (int at = 0; at < kHandles; at++) {
    for (int turn = 0; turn < kHandles - 1; turn++) {
      for (int backwards = 0; backwards < 2; backwards++) {
        handles all = open_all(path);
        if (close_first) {
          EXPECT(SPW_OK, spw_file_close(all.file, 0, &err));
        }
        for (int i = 0, other = 0; i < kHandles; i++) {
          if (i == at) {
            free_one(&all, kFile);
          } else {
            const int place = (other++ + turn) % (kHandles - 1);
            free_one(&all, 1 + (backwards ? kHandles - 2 - place : place));
          }
        }
      }
    }
  }
}

static void children_of_a_file(int freed) {
  phase(freed ? "what came from a file that is freed" : "what came from a file that is closed");
  const char* path = temp_path("children");
  handles all = open_all(path);
  if (freed) {
    spw_file_free(all.file);
  } else {
    EXPECT(SPW_OK, spw_file_close(all.file, 0, &err));
  }
  EXPECT(SPW_CLOSED, spw_txn_commit(all.txn, SPW_COMMIT_RELAXED, &err));
  EXPECT(SPW_CLOSED, spw_txn_commit(all.snapshot, SPW_FLUSH_DEVICE, &err));
  spw_block_view view = empty_block_view();
  EXPECT(SPW_CLOSED, spw_list_next(all.list, 10, &view, &err));
  CHECK(view.count == 0 && view.names == NULL);
  EXPECT(SPW_CLOSED, spw_list_seek(all.list, "a", 1, &err));
  uint64_t len = 7;
  uint8_t byte;
  EXPECT(SPW_CLOSED, spw_reader_read(all.reader, &byte, 1, &len, &err));
  EXPECT(SPW_CLOSED, spw_reader_read_at(all.own_reader, 0, &byte, 1, &len, &err));
  EXPECT(SPW_CLOSED, spw_writer_write(all.writer, "x", 1, &err));
  EXPECT(SPW_CLOSED, spw_writer_commit(all.writer, &len, &err));
  CHECK_EQUAL(len, 0);
  check_blob(all.blob);
  CHECK_EQUAL(summary_of(all.report).problems, 0);
  if (freed) { /* and nothing of them keeps the file from others */
    spw_file* again = open_file_again(path);
    CHECK(has_block(again, NULL, "a") && !has_block(again, NULL, "b"));
    close_file(again);
  }
  for (int i = freed ? 1 : 0; i < kHandles; i++) {
    free_one(&all, i);
  }
}

static void close_twice_and_use_after(void) {
  phase("a closed file answers CLOSED, and closing it again is fine");
  static const uint32_t ways[] = {0, SPW_CLOSE_DISCARD};
  for (int way = 0; way < 2; way++) {
    handles all = open_all(temp_path("closed"));
    EXPECT(SPW_UNSUPPORTED, spw_file_close(all.file, UINT32_C(1) << 30, &err));
    CHECK(has_block(all.file, NULL, "a")); /* an unknown flag closes nothing */
    EXPECT(SPW_OK, spw_file_close(all.file, ways[way], &err));
    EXPECT(SPW_OK, spw_file_close(all.file, 0, &err));
    EXPECT(SPW_OK, spw_file_close(all.file, SPW_CLOSE_DISCARD, &err));
    spw_txn* const txns[] = {NULL, all.txn, all.snapshot};
    for (int i = 0; i < 3; i++) {
      if (i < 2) {
        refuses_writing(SPW_CLOSED, all.file, txns[i]);
      }
      refuses_reading(SPW_CLOSED, all.file, txns[i]);
    }
    EXPECT(SPW_CLOSED, spw_file_flush(all.file, SPW_FLUSH_DEVICE, &err));
    spw_txn* txn = NOWHERE;
    EXPECT(SPW_CLOSED, spw_txn_begin(all.file, 0, &txn, &err));
    spw_report* report = NOWHERE;
    EXPECT(SPW_CLOSED, spw_file_verify(all.file, 0, SPW_NO_LIMIT, NULL, &report, &err));
    CHECK(txn == NULL && report == NULL);
    spw_block_stats stats;
    memset(&stats, 0, sizeof stats);
    stats.struct_size = sizeof stats;
    stats.blocks = 7;
    EXPECT(SPW_CLOSED, spw_file_stats(all.file, &stats, &err));
    CHECK_EQUAL(stats.blocks, 0);
    for (int i = 0; i < kHandles; i++) {
      free_one(&all, i);
    }
  }
}

static void null_is_freed(void) {
  phase("freeing NULL does nothing");
  spw_file_free(NULL);
  spw_txn_free(NULL);
  spw_blob_free(NULL);
  spw_list_free(NULL);
  spw_reader_free(NULL);
  spw_writer_free(NULL);
  spw_report_free(NULL);
  CHECK(1);
}

static void leaks_are_counted(void) {
  phase("files that are freed without a close are counted");
  const char* path = temp_path("leak");
  const uint64_t before = spw_leaked_files();
  close_file(open_file(path));
  crash_file(open_file(path));
  CHECK_EQUAL(spw_leaked_files(), before);
  try_open_file(path, PAIRS(SPW_OPT_OPEN, SPW_OPEN_NEW), SPW_ALREADY_EXISTS);
  CHECK_EQUAL(spw_leaked_files(), before); /* what never opened is no leak */
  spw_file* file = open_file_again(path);
  put_text(file, NULL, "a", "flushed");
  flush_file(file);
  put_text(file, NULL, "a", "then changed");
  put_text(file, NULL, "b", "then put");
  spw_file_free(file);
  CHECK_EQUAL(spw_leaked_files(), before + 1);

  phase("and are as after a crash: what was flushed is there, the lock is not");
  file = open_file_again(path);
  CHECK(holds_text(file, NULL, "a", "flushed") || holds_text(file, NULL, "a", "then changed"));
  CHECK(!has_block(file, NULL, "b") || holds_text(file, NULL, "a", "then changed"));
  close_file(file);
  CHECK_EQUAL(spw_leaked_files(), before + 1);
}

static void discard(void) {
  phase("close with discard keeps what was flushed");
  const char* path = temp_path("discard");
  spw_file* file = open_file(path);
  put_text(file, NULL, "a", "1");
  flush_file(file);
  put_text(file, NULL, "b", "2");
  crash_file(file);
  file = open_file_again(path);
  CHECK(holds_text(file, NULL, "a", "1"));
  CHECK(!has_block(file, NULL, "b") || holds_text(file, NULL, "b", "2"));
  check_clean(file, list_all(file).blocks);
  close_file(file);
}

static void* free_blob(void* blob) {
  spw_blob_free(blob);
  return NULL;
}
static void* free_list(void* list) {
  spw_list_free(list);
  return NULL;
}
static void* free_txn(void* txn) {
  spw_txn_free(txn);
  return NULL;
}

static void* free_reader(void* reader) {
  spw_reader_free(reader);
  return NULL;
}
static void* free_writer(void* writer) {
  spw_writer_free(writer);
  return NULL;
}

static void freed_by_many_threads(void) {
  phase("handles are freed by some threads while another frees their file");
  const char* path = temp_path("freed");
  for (int i = 0; i < 30; i++) {
    handles all = open_all(path);
    pthread_t threads[6];
    REQUIRE(pthread_create(&threads[0], NULL, free_blob, all.blob) == 0);
    REQUIRE(pthread_create(&threads[1], NULL, free_list, all.list) == 0);
    REQUIRE(pthread_create(&threads[2], NULL, free_txn, all.txn) == 0);
    REQUIRE(pthread_create(&threads[3], NULL, free_txn, all.snapshot) == 0);
    REQUIRE(pthread_create(&threads[4], NULL, free_reader, all.own_reader) == 0);
    REQUIRE(pthread_create(&threads[5], NULL, free_writer, all.writer) == 0);
    spw_file_free(all.file);
    spw_report_free(all.report);
    spw_reader_free(all.reader);
    for (int j = 0; j < 6; j++) {
      pthread_join(threads[j], NULL);
    }
  }
  spw_file* file = open_file_again(path);
  CHECK(holds_numbered(file, NULL, "a", 1, 10000) && is_gone(file, NULL, "b"));
  close_file(file);
}

int main(void) {
  null_is_freed();
  phase("many orders of freeing, closed and not");
  every_order(1);
  every_order(0);
  children_of_a_file(0);
  children_of_a_file(1);
  close_twice_and_use_after();
  leaks_are_counted();
  discard();
  freed_by_many_threads();
  return check_finish();
}
