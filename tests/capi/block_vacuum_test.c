/* Vacuum, copies and the scrubber through the C API: what is told, what is refused, and that no
 * reader notices. What they leave on the disk is tested from the inside. */
#define _GNU_SOURCE 1
#include <pthread.h>

#include "block_fixture.h"

enum { kBlocks = 2000, kLen = 5000 };

static spw_vacuum_result empty_result(void) {
  spw_vacuum_result result;
  memset(&result, 0, sizeof result);
  result.struct_size = sizeof result;
  return result;
}

static const char* name_of(uint64_t i) {
  static __thread char name[32];
  snprintf(name, sizeof name, "block %" PRIu64, i);
  return name;
}

static int stays(uint64_t i) { return i % 5 == 0; }

/* Of many blocks one in five is left. */
static spw_file* thin_file(const char* path) {
  spw_file* file = open_file(path);
  for (uint64_t i = 0; i < kBlocks; i++) {
    put_numbered(file, NULL, name_of(i), i, kLen);
  }
  EXPECT(SPW_OK, spw_file_flush(file, SPW_FLUSH_CHECKPOINT, &err));
  for (uint64_t i = 0; i < kBlocks; i++) {
    if (!stays(i)) {
      EXPECT(SPW_OK, spw_block_delete(file, NULL, NAME(name_of(i)), ANY, &err));
    }
  }
  flush_file(file);
  return file;
}

static void expect_thinned(spw_file* file) {
  for (uint64_t i = 0; i < kBlocks; i += 5) {
    CHECK(holds_numbered(file, NULL, name_of(i), i, kLen));
  }
  const spw_block_stats stats = file_stats_of(file);
  CHECK_EQUAL(stats.blocks, kBlocks / 5);
}

typedef struct {
  spw_file* file;
  int stop; /* atomic */
  uint64_t reads;
} reader;

static void* read_all_the_time(void* context) {
  reader* me = context;
  while (!__atomic_load_n(&me->stop, __ATOMIC_ACQUIRE)) {
    const uint64_t i = me->reads++ * 7 % (kBlocks / 5) * 5;
    CHECK(holds_numbered(me->file, NULL, name_of(i), i, kLen));
  }
  return NULL;
}

static void shrinks_while_it_is_read(void) {
  phase("a file shrinks while it is read");
  const char* path = temp_path("vacuum");
  spw_file* file = thin_file(path);
  const spw_block_stats before = file_stats_of(file);
  CHECK(before.bytes_disk > 0 && before.bytes_disk <= before.bytes_file + 4096);
  reader other = {.file = file};
  pthread_t thread;
  REQUIRE(pthread_create(&thread, NULL, read_all_the_time, &other) == 0);

  spw_vacuum_result told = empty_result();
  EXPECT(SPW_OK, spw_file_vacuum(file, SPW_VACUUM_DRY_RUN, SPW_NO_LIMIT, NULL, &told, &err));
  CHECK_EQUAL(told.flags, SPW_VACUUM_DRY_RUN);
  CHECK(told.bytes_moved > 0 && told.bytes_needed >= told.bytes_moved && told.done == 0);
  CHECK_EQUAL(told.bytes_file, before.bytes_file);

  spw_vacuum_result some = empty_result();
  EXPECT(SPW_OK, spw_file_vacuum(file, 0, 100000, NULL, &some, &err));
  CHECK(some.bytes_moved >= 100000 && some.bytes_moved < 100000 + 2 * kLen && some.done == 0);

  spw_op* op;
  REQUIRE(EXPECT(SPW_OK, spw_op_new(&op, &err)));
  spw_vacuum_result all = empty_result();
  EXPECT(SPW_OK, spw_file_vacuum(file, SPW_VACUUM_FULL, SPW_NO_LIMIT, op, &all, &err));
  CHECK(all.done == 1 && all.bytes_file < before.bytes_file / 2);
  uint64_t done = 0, total = 0;
  spw_op_progress(op, &done, &total);
  CHECK(done > 0 && done <= total);
  EXPECT(SPW_OK, spw_file_vacuum(file, SPW_VACUUM_DRY_RUN, SPW_NO_LIMIT, op, &told, &err));
  spw_op_progress(op, &done, &total);
  CHECK(done == 0 && total == 0); /* it tells none, and nothing of the one before */
  spw_op_free(op);
  __atomic_store_n(&other.stop, 1, __ATOMIC_RELEASE);
  pthread_join(thread, NULL);
  CHECK(other.reads > 0);

  expect_thinned(file);
  const spw_block_stats after = file_stats_of(file);
  CHECK_EQUAL(after.bytes_file, all.bytes_file);
  CHECK_EQUAL(after.puts, before.puts); /* nobody changed anything */
  close_file(file);
  file = open_file(path);
  expect_thinned(file);
  close_file(file);
}

static void refuses_what_cannot_be(void) {
  phase("what a vacuum refuses");
  const char* path = temp_path("refused");
  spw_file* file = open_file(path);
  put_text(file, NULL, "a", "text");
  spw_vacuum_result result = empty_result();
  result.bytes_moved = 7;
  EXPECT(SPW_UNSUPPORTED, spw_file_vacuum(file, 4, SPW_NO_LIMIT, NULL, &result, &err));
  CHECK_EQUAL(result.bytes_moved, 0);
  EXPECT(SPW_INVALID_ARGUMENT, spw_file_vacuum(file, 0, 0, NULL, &result, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_file_vacuum(file, 0, 1, NULL, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_file_vacuum(NULL, 0, 1, NULL, &result, &err));
  result.struct_size = 3;
  EXPECT(SPW_INVALID_ARGUMENT, spw_file_vacuum(file, 0, 1, NULL, &result, &err));
  result = empty_result();
  spw_op* op;
  REQUIRE(EXPECT(SPW_OK, spw_op_new(&op, &err)));
  spw_op_cancel(op);
  EXPECT(SPW_CANCELLED, spw_file_vacuum(file, 0, SPW_NO_LIMIT, op, &result, &err));
  CHECK_EQUAL(result.done, 0);
  EXPECT(SPW_CANCELLED, spw_file_vacuum(file, SPW_VACUUM_DRY_RUN, SPW_NO_LIMIT, op, &result, &err));
  EXPECT(SPW_CANCELLED, spw_file_copy(file, NULL, NAME(temp_path("cancelled")), op, &err));
  spw_op_free(op);
  close_file(file);
  file = try_open_file(path, PAIRS(SPW_OPT_OPEN, SPW_OPEN_READ_ONLY, 0), SPW_OK);
  EXPECT(SPW_READONLY, spw_file_vacuum(file, 0, SPW_NO_LIMIT, NULL, &result, &err));
  EXPECT(SPW_OK, spw_file_copy(file, NULL, NAME(temp_path("of a reader")), NULL, &err));
  EXPECT(SPW_OK, spw_file_close(file, 0, &err));
  EXPECT(SPW_CLOSED, spw_file_vacuum(file, 0, SPW_NO_LIMIT, NULL, &result, &err));
  EXPECT(SPW_CLOSED, spw_file_copy(file, NULL, NAME(temp_path("x")), NULL, &err));
  EXPECT(SPW_CLOSED, spw_file_scrub(file, 1, &err));
  spw_report* report = NOWHERE;
  EXPECT(SPW_CLOSED, spw_file_scrub_report(file, &report, &err));
  CHECK(report == NULL);
  spw_file_free(file);
}

static void copies_a_moment(void) {
  phase("a copy is of one moment");
  const char* path = temp_path("original");
  spw_file* file = thin_file(path);
  spw_txn* then;
  REQUIRE(EXPECT(SPW_OK, spw_txn_begin(file, SPW_TXN_READ_ONLY, &then, &err)));
  put_text(file, NULL, "later", "not in that copy");
  char to[4096];
  snprintf(to, sizeof to, "%s", temp_path("copy"));
  EXPECT(SPW_OK, spw_file_copy(file, then, NAME(to), NULL, &err));
  EXPECT(SPW_ALREADY_EXISTS, spw_file_copy(file, then, NAME(to), NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_file_copy(file, then, "", 0, NULL, &err));
  EXPECT(SPW_NOT_FOUND, spw_file_copy(file, NULL, NAME(temp_path("no/folder")), NULL, &err));
  spw_file* copy = open_file(to);
  expect_thinned(copy);
  EXPECT(SPW_INVALID_ARGUMENT, spw_file_copy(copy, then, NAME(temp_path("y")), NULL, &err));
  close_file(copy);
  spw_txn_free(then);
  close_file(file);
}

static void scrubs_in_the_background(void) {
  phase("the scrubber reports");
  spw_file* file = thin_file(temp_path("scrubbed"));
  spw_report* report = NOWHERE;
  EXPECT(SPW_NOT_FOUND, spw_file_scrub_report(file, &report, &err));
  CHECK(report == NULL);
  EXPECT(SPW_INVALID_ARGUMENT, spw_file_scrub_report(file, NULL, &err));
  EXPECT(SPW_OK, spw_file_scrub(file, SPW_NO_LIMIT, &err));
  const uint64_t end_ms = now_ms() + 60000;
  while (file_stats_of(file).scrub_passes == 0 && now_ms() < end_ms) {
    sched_yield();
  }
  REQUIRE(EXPECT(SPW_OK, spw_file_scrub_report(file, &report, &err)));
  spw_verify_summary summary;
  memset(&summary, 0, sizeof summary);
  summary.struct_size = sizeof summary;
  EXPECT(SPW_OK, spw_report_summary(report, &summary, &err));
  CHECK_EQUAL(summary.blocks, kBlocks / 5);
  CHECK_EQUAL(summary.problems, 0);
  spw_report_free(report);
  EXPECT(SPW_OK, spw_file_scrub(file, 1, &err)); /* a byte a second: a close does not wait for it */
  close_file(file);
}

int main(void) {
  shrinks_while_it_is_read();
  refuses_what_cannot_be();
  copies_a_moment();
  scrubs_in_the_background();
  return check_finish();
}
