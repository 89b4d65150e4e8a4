/* Verification: it finds what is damaged and nothing else, by name, while the file is in use; and
 * what reading answers for damaged blocks. */
#define _GNU_SOURCE 1
#include "block_fixture.h"

enum { kBlocks = 20, kLen = 50000, kDamaged = 7 };

static const char* block_name(uint64_t i) {
  static char names[2][16];
  static unsigned next;
  char* name = names[next++ % 2];
  snprintf(name, sizeof names[0], "block%" PRIu64, i);
  return name;
}

static void make_file(const char* path, int64_t checksum) {
  spw_file* file = try_open_file(path, PAIRS(SPW_OPT_FILE_CHECKSUM, checksum), SPW_OK);
  REQUIRE(file != NULL);
  for (uint64_t i = 0; i < kBlocks; i++) {
    put_numbered(file, NULL, block_name(i), i, kLen);
  }
  put_text(file, NULL, "small", "kept with its name");
  flush_file(file);
  check_clean(file, kBlocks + 1);
  close_file(file);
}

/* Flips a bit wherever these bytes stand in the file; returns in how many places. */
static int flip(const char* path, const void* bytes, size_t len, size_t at) {
  size_t size;
  uint8_t* all = bytes_of(path, &size);
  int places = 0;
  for (uint8_t* found = all;
       (found = memmem(found, size - (size_t)(found - all), bytes, len)) != NULL; found++) {
    found[at] ^= 1;
    places++;
  }
  FILE* file = fopen(path, "r+b");
  REQUIRE(file != NULL && fwrite(all, 1, size, file) == size && fclose(file) == 0);
  free(all);
  return places;
}

static void flip_payload(const char* path, uint64_t number) {
  uint8_t* bytes = make_bytes(number, kLen);
  CHECK(flip(path, bytes + 30000, 64, 20) >= 1);
  free(bytes);
}

static spw_problem problem_of(const spw_report* report, uint64_t index) {
  spw_problem problem;
  memset(&problem, 0, sizeof problem);
  problem.struct_size = sizeof problem;
  EXPECT(SPW_OK, spw_report_problem(report, index, &problem, &err));
  return problem;
}

static void check_reads(spw_file* file) {
  uint8_t* buffer = malloc(3 * kLen);
  REQUIRE(buffer != NULL);
  const char* name = block_name(kDamaged);
  uint64_t len = 7;
  EXPECT(SPW_CORRUPT, spw_block_read(file, NULL, NAME(name), 0, buffer, kLen, &len, &err));
  CHECK_EQUAL(len, 0);
  spw_blob* blob = NOWHERE;
  EXPECT(SPW_CORRUPT, spw_block_get(file, NULL, NAME(name), 0, SPW_NO_LIMIT, &blob, &err));
  CHECK(blob == NULL);
  CHECK_EQUAL(info_of(file, NULL, name).length, kLen); /* what it is can be told */
  CHECK_EQUAL(list_all(file).blocks, kBlocks + 1);

  const uint64_t offsets[] = {0, 6, 12, 18};
  uint64_t ends[4];
  int32_t statuses[3];
  EXPECT(SPW_OK, spw_block_read_batch(file, NULL, "block6block7block8", 18, offsets, 3, buffer,
                                      3 * kLen, ends, statuses, &err));
  CHECK(statuses[0] == SPW_OK && statuses[1] == SPW_CORRUPT && statuses[2] == SPW_OK);
  CHECK(ends[1] == kLen && ends[2] == kLen && ends[3] == 2 * kLen);
  CHECK(is_record(buffer, kLen, 6) && is_record(buffer + kLen, kLen, 8));
  free(buffer);
  for (uint64_t i = 0; i < kBlocks; i++) {
    if (i != kDamaged) {
      CHECK(holds_numbered(file, NULL, block_name(i), i, kLen));
    }
  }
  CHECK(file_stats_of(file).checksum_errors > 0);
  CHECK_EQUAL(file_stats_of(file).health, SPW_OK);
}

static void damaged_payload(int64_t checksum) {
  phase(checksum == SPW_CHECKSUM_XXH3 ? "a flipped bit of a block, XXH3"
                                      : "a flipped bit of a block, SHA-256");
  const char* path = temp_path("payload");
  unlink(path);
  make_file(path, checksum);
  flip_payload(path, kDamaged);
  spw_file* file = open_file(path);
  check_reads(file);

  spw_report* report = verify(file, SPW_VERIFY_FULL);
  const spw_verify_summary summary = summary_of(report);
  CHECK(summary.blocks == kBlocks + 1 && summary.blocks_damaged == 1);
  CHECK(summary.bytes >= (uint64_t)kBlocks * kLen && summary.flags == SPW_VERIFY_FULL);
  CHECK(summary.problems >= 1);
  for (uint64_t i = 0; i < summary.problems; i++) {
    const spw_problem problem = problem_of(report, i);
    CHECK_EQUAL(problem.code, SPW_CORRUPT);
    CHECK(problem.name != NULL && problem.name_len == 6 &&
          memcmp(problem.name, block_name(kDamaged), 6) == 0);
    CHECK(problem.message_len > 0 && strlen(problem.message) == problem.message_len);
  }
  spw_problem none;
  memset(&none, 0x55, sizeof none);
  none.struct_size = sizeof none;
  EXPECT(SPW_NOT_FOUND, spw_report_problem(report, summary.problems, &none, &err));
  CHECK(none.name == NULL && none.message == NULL && none.code == 0);
  EXPECT(SPW_NOT_FOUND, spw_report_problem(report, UINT64_MAX, &none, &err));

  spw_report* quick = verify(file, 0); /* structures only: they are as they should be */
  CHECK_EQUAL(summary_of(quick).problems, 0);
  spw_report_free(quick);

  phase("it heals by being written again, and the report stays");
  put_numbered(file, NULL, block_name(kDamaged), kDamaged, kLen);
  CHECK(holds_numbered(file, NULL, block_name(kDamaged), kDamaged, kLen));
  flush_file(file);
  check_clean(file, kBlocks + 1);
  close_file(file);
  CHECK(memcmp(problem_of(report, 0).name, block_name(kDamaged), 6) == 0);
  spw_report_free(report);
}

static void damaged_structure(void) {
  phase("a flipped bit of the registry is found by open, or by both verifications");
  const char* path = temp_path("structure");
  make_file(path, SPW_CHECKSUM_XXH3);
  CHECK(flip(path, NAME("kept with its name"), 3) >= 1);
  spw_file* file = NULL;
  const spw_status status = spw_file_open(NAME(path), NULL, NULL, &file, NULL);
  CHECK(status == SPW_OK || status == SPW_CORRUPT);
  if (file == NULL) {
    return;
  }
  uint8_t buffer[32];
  uint64_t len = 7;
  EXPECT(SPW_CORRUPT, spw_block_read(file, NULL, "small", 5, 0, buffer, sizeof buffer, &len, &err));
  static const uint32_t ways[] = {0, SPW_VERIFY_FULL};
  for (int i = 0; i < 2; i++) {
    spw_report* report = verify(file, ways[i]);
    const spw_verify_summary summary = summary_of(report);
    CHECK(summary.problems > 0);
    int structures = 0;
    for (uint64_t j = 0; j < summary.problems && j < 1000; j++) {
      const spw_problem problem = problem_of(report, j);
      structures += problem.name == NULL && problem.name_len == 0 ? 1 : 0;
      CHECK(problem.code == SPW_CORRUPT && problem.message_len > 0);
    }
    CHECK(structures > 0);
    spw_report_free(report);
  }
  spw_file_close(file, 0, NULL);
  spw_file_free(file);
}

/* ---- In use, cancelled, watched
 * ------------------------------------------------------------------ */

typedef struct task {
  spw_file* file;
  spw_op* op;
  volatile int stop;
} task;

static void* keep_writing(void* context) {
  task* self = context;
  for (uint64_t i = 0; !__atomic_load_n(&self->stop, __ATOMIC_RELAXED); i++) {
    put_numbered(self->file, NULL, block_name(i % kBlocks), i, (size_t)(i * 7919 % 90000));
    if (i % 10 == 0) {
      EXPECT(SPW_OK, spw_file_flush(self->file, 1 + (int32_t)(i / 10 % 3), &err));
    }
  }
  return NULL;
}

static void while_in_use(void) {
  phase("verification of a file that is written meanwhile finds nothing");
  const char* path = temp_path("in_use");
  make_file(path, SPW_CHECKSUM_XXH3);
  task writing = {open_file(path), NULL, 0};
  pthread_t thread;
  REQUIRE(pthread_create(&thread, NULL, keep_writing, &writing) == 0);
  for (int i = 0; i < 10; i++) {
    check_clean(writing.file, kBlocks + 1);
  }
  __atomic_store_n(&writing.stop, 1, __ATOMIC_RELAXED);
  pthread_join(thread, NULL);
  close_file(writing.file);
}

static void* verify_slowly(void* context) {
  task* self = context;
  spw_report* report = NOWHERE;
  EXPECT(SPW_CANCELLED, spw_file_verify(self->file, SPW_VERIFY_FULL, 1, self->op, &report, &err));
  CHECK(report == NULL);
  return NULL;
}

static void cancel_and_progress(void) {
  phase("a verification that would take a week is cancelled");
  const char* path = temp_path("cancel");
  make_file(path, SPW_CHECKSUM_XXH3);
  task slow = {open_file(path), NULL, 0};
  EXPECT(SPW_OK, spw_op_new(&slow.op, &err));
  pthread_t thread;
  REQUIRE(pthread_create(&thread, NULL, verify_slowly, &slow) == 0);
  uint64_t done = 0, total = 0;
  POLL_UNTIL((spw_op_progress(slow.op, &done, &total), total > 0));
  CHECK(done <= total);
  put_text(slow.file, NULL, "meanwhile", "writing goes on");
  flush_file(slow.file);
  spw_op_cancel(slow.op);
  pthread_join(thread, NULL);
  spw_report* report = NOWHERE;
  EXPECT(SPW_CANCELLED, spw_file_verify(slow.file, 0, SPW_NO_LIMIT, slow.op, &report, &err));
  CHECK(report == NULL);
  spw_op_free(slow.op);

  phase("and another is watched");
  spw_op* op = NULL;
  EXPECT(SPW_OK, spw_op_new(&op, &err));
  EXPECT(SPW_OK, spw_file_verify(slow.file, SPW_VERIFY_FULL, SPW_NO_LIMIT, op, &report, &err));
  spw_op_progress(op, &done, &total);
  CHECK(done == total && done >= (uint64_t)kBlocks * kLen);
  CHECK_EQUAL(summary_of(report).problems, 0);
  spw_report_free(report);
  spw_op_free(op);
  EXPECT(SPW_UNSUPPORTED, spw_file_verify(slow.file, 2, SPW_NO_LIMIT, NULL, &report, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_file_verify(slow.file, 0, 0, NULL, &report, &err));
  CHECK(report == NULL);
  close_file(slow.file);
}

static void empty_file(void) {
  phase("an empty file is in order");
  spw_file* file = open_file(temp_path("empty"));
  check_clean(file, 0);
  flush_file(file);
  check_clean(file, 0);
  close_file(file);
}

int main(void) {
  empty_file();
  damaged_payload(SPW_CHECKSUM_XXH3);
  damaged_payload(SPW_CHECKSUM_SHA256);
  damaged_structure();
  while_in_use();
  cancel_and_progress();
  return check_finish();
}
