/* A forked child: every handle of a block file of its parent answers FORKED there, and the parent
 * does not notice. */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "block_fixture.h"
#include "block_refused.h"
#include "process.h"

static spw_file* file;
static spw_txn* txn;
static spw_list* list;
static spw_blob* blob;
static spw_report* report;
static spw_reader* reader;
static spw_writer* writer;

static void other_calls(void) {
  EXPECT(SPW_FORKED, spw_file_flush(file, SPW_FLUSH_DEVICE, &err));
  EXPECT(SPW_FORKED, spw_file_close(file, 0, &err));
  EXPECT(SPW_FORKED, spw_file_close(file, SPW_CLOSE_DISCARD, &err));
  spw_txn* begun = NOWHERE;
  EXPECT(SPW_FORKED, spw_txn_begin(file, 0, &begun, &err));
  EXPECT(SPW_FORKED, spw_txn_commit(txn, SPW_FLUSH_DEVICE, &err));
  spw_block_view view = empty_block_view();
  EXPECT(SPW_FORKED, spw_list_next(list, 1, &view, &err));
  EXPECT(SPW_FORKED, spw_list_seek(list, "a", 1, &err));
  const uint8_t* data = NOWHERE;
  uint64_t len = 7;
  EXPECT(SPW_FORKED, spw_blob_view(blob, &data, &len, &err));
  CHECK(data == NULL && len == 0 && begun == NULL && view.count == 0);
  spw_report* made = NOWHERE;
  EXPECT(SPW_FORKED, spw_file_verify(file, 0, SPW_NO_LIMIT, NULL, &made, &err));
  CHECK(made == NULL);
  spw_verify_summary summary = {.struct_size = sizeof summary};
  EXPECT(SPW_FORKED, spw_report_summary(report, &summary, &err));
  spw_problem problem = {.struct_size = sizeof problem};
  EXPECT(SPW_FORKED, spw_report_problem(report, 0, &problem, &err));
  uint8_t byte;
  len = 7;
  EXPECT(SPW_FORKED, spw_reader_read(reader, &byte, 1, &len, &err));
  EXPECT(SPW_FORKED, spw_reader_read_at(reader, 0, &byte, 1, &len, &err));
  EXPECT(SPW_FORKED, spw_reader_seek(reader, 0, &err));
  spw_block_info info = empty_info();
  EXPECT(SPW_FORKED, spw_reader_stat(reader, &info, &err));
  EXPECT(SPW_FORKED, spw_writer_write(writer, "x", 1, &err));
  uint64_t version = 7;
  EXPECT(SPW_FORKED, spw_writer_commit(writer, &version, &err));
  CHECK(len == 0 && version == 0);
  spw_block_stats stats = {.struct_size = sizeof stats};
  EXPECT(SPW_FORKED, spw_file_stats(file, &stats, &err));
}

static void free_all(void) {
  spw_file_free(file); /* the file first: its children come after */
  spw_txn_free(txn);
  spw_list_free(list);
  spw_blob_free(blob);
  spw_report_free(report);
  spw_reader_free(reader);
  spw_writer_free(writer);
}

/* As in fork_test.c. */
static void run_child(int answer, const char* path, const char* own_path) {
  check_failed = 0;
  refuses_writing(SPW_FORKED, file, NULL);
  refuses_writing(SPW_FORKED, file, txn);
  refuses_reading(SPW_FORKED, file, NULL);
  refuses_reading(SPW_FORKED, file, txn);
  other_calls();
  const uint64_t leaked = spw_leaked_files();
  free_all();
  CHECK_EQUAL(spw_leaked_files(), leaked);
  try_open_file(path, PAIRS(0), SPW_BUSY); /* it is its parent's */
#ifndef __SANITIZE_THREAD__                /* which knows no threads after a fork */
  spw_file* own = open_file(own_path);     /* a handle of its own is as good as any */
  put_text(own, NULL, "a", "child's");
  CHECK(holds_text(own, NULL, "a", "child's"));
  close_file(own);
#else
  (void)own_path;
#endif
  fflush(stdout);
  const uint8_t failed = (uint8_t)(check_failed > 100 ? 100 : check_failed);
  if (write(answer, &failed, 1) == 1) {
    kill(getpid(), SIGKILL);
  }
  _exit(1);
}

static void fork_and_go_on(void) {
  phase("a child of a process with a block file");
  const char* path = temp_path("forked");
  const char* own_path = temp_path("child");
  file = open_file(path);
  for (uint64_t i = 0; i < 50; i++) {
    char name[16];
    snprintf(name, sizeof name, "b%02" PRIu64, i);
    put_numbered(file, NULL, name, i, 3000);
  }
  put_text(file, NULL, "a", "parent's");
  txn = begin_txn(file, 0);
  put_text(file, txn, "a", "transaction's");
  list = open_list(file, NULL, "", 0);
  EXPECT(SPW_OK, spw_block_get(file, NULL, "b07", 3, 0, SPW_NO_LIMIT, &blob, &err));
  report = verify(file, 0);
  EXPECT(SPW_OK, spw_reader_open(file, NULL, "b07", 3, &reader, &err));
  EXPECT(SPW_OK, spw_writer_open(file, NULL, "w", 1, ANY, &writer, &err));
  uint8_t* large = make_bytes(7, 3 << 20);
  EXPECT(SPW_OK, spw_writer_write(writer, large, 3 << 20, &err));
  free(large);
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  fflush(stdout);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    run_child(ends[1], path, own_path);
  }
  close(ends[1]);
  uint8_t failed = 255; /* stays so if the child ends before its time */
  const ssize_t told = read(ends[0], &failed, 1);
  check_that(told == 1 && failed == 0, __FILE__, __LINE__, "%d checks failed in the child", failed);
  close(ends[0]);
  REQUIRE(waitpid(child, NULL, 0) == child);

  CHECK(holds_text(file, NULL, "a", "parent's")); /* the parent goes on as if nothing had been */
  EXPECT(SPW_OK, spw_txn_commit(txn, SPW_FLUSH_DEVICE, &err));
  CHECK_EQUAL(list_on(list, 7).blocks, 51);
  list = NULL;
  const uint8_t* data = NULL;
  uint64_t len = 0;
  EXPECT(SPW_OK, spw_blob_view(blob, &data, &len, &err));
  CHECK(len == 3000 && is_record(data, 3000, 7));
  CHECK_EQUAL(summary_of(report).problems, 0);
  uint8_t bytes[3001];
  EXPECT(SPW_OK, spw_reader_read(reader, bytes, sizeof bytes, &len, &err));
  CHECK(len == 3000 && is_record(bytes, 3000, 7));
  EXPECT(SPW_OK, spw_writer_commit(writer, NULL, &err));
  EXPECT(SPW_OK, spw_file_close(file, 0, &err));
  free_all();
  file = open_file(path);
  CHECK(holds_text(file, NULL, "a", "transaction's"));
  CHECK(holds_numbered(file, NULL, "w", 7, 3 << 20));
  CHECK_EQUAL(list_all(file).blocks, 52);
  close_file(file);
}

static void descriptors_end_with_exec(void) {
  phase("descriptors do not survive exec");
  const descriptors before = open_descriptors();
  file = open_file(temp_path("exec"));
  put_text(file, NULL, "a", "1");
  flush_file(file);
  new_descriptors_end_with_exec(&before);
  close_file(file);
}

int main(void) {
  fork_and_go_on();
  descriptors_end_with_exec();
  return check_finish();
}
