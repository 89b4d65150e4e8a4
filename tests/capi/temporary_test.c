/* A store whose file has no name: it takes and gives back what any store does, and nothing of it is
 * left, whether it is closed, given up or killed. */
#define _GNU_SOURCE 1
#include <signal.h>

#include "fixture.h"
#include "process.h"

enum { kBudget = 1 * kMiB, kRecords = 40000, kLen = 200 };

static int entries_of_folder(void) {
  temp_path("x"); /* there is one from now on */
  DIR* entries = opendir(folder_);
  REQUIRE(entries != NULL);
  int count = -2; /* . and .. */
  while (readdir(entries) != NULL) {
    ++count;
  }
  closedir(entries);
  return count;
}

static spw_store* open_temporary(const char* folder) {
  return open_store(folder, PAIRS(SPW_OPT_OPEN, SPW_OPEN_TEMPORARY, SPW_OPT_BUDGET_BYTES, kBudget));
}

static void fill(spw_store* store, uint32_t stream) {
  for (uint64_t i = 0; i < kRecords; i += 1000) {
    add_numbered(store, stream, i, 1000, kLen);
  }
}

static void holds_more_than_memory(void) {
  phase("a temporary store holds more than memory does and leaves nothing");
  temp_path("x");
  spw_store* store = open_temporary(folder_);
  int64_t value = 0;
  EXPECT(SPW_OK, spw_store_get_i64(store, SPW_ALL, SPW_OPT_OPEN, &value, &err));
  CHECK_EQUAL(value, SPW_OPEN_TEMPORARY);
  EXPECT(SPW_OK, spw_store_get_i64(store, SPW_ALL, SPW_OPT_COLD_TIER, &value, &err));
  CHECK_EQUAL(value, SPW_TIER_BLOCK_FILE);
  const uint32_t stream = stream_of(store, "a");
  fill(store, stream);
  CHECK_EQUAL(entries_of_folder(), 0);
  const spw_stats stats = stats_of(store);
  CHECK(stats.records_spilled > kRecords / 2);
  CHECK(stats.bytes_resident_peak <= stats.bytes_hard);
  CHECK_EQUAL(read_all(store, stream), kRecords);
  EXPECT(SPW_OK, spw_store_flush(store, SPW_FLUSH_DEVICE, SPW_WAIT_FOREVER, NULL, &err));
  EXPECT(SPW_OK, spw_store_settle(store, SPW_WAIT_FOREVER, NULL, &err));
  EXPECT(SPW_OK, spw_store_release_memory(store, &err));
  CHECK_EQUAL(stats_of(store).records_resident, 0);
  CHECK_EQUAL(read_all(store, stream), kRecords);
  EXPECT(SPW_OK, spw_store_trim(store, stream, kRecords - 10, &err));
  spw_cursor* cursor = open_cursor(store, stream);
  CHECK_EQUAL(read_on(cursor, kRecords - 10, 0), 10);
  spw_cursor_free(cursor);

  spw_file* file = NULL; /* the application's own blocks go with it */
  EXPECT(SPW_OK, spw_store_file(store, &file, &err));
  EXPECT(SPW_OK, spw_block_put(file, NULL, "own", 3, "text", 4, SPW_BLOCK_VERSION_ANY, NULL, &err));
  spw_file_free(file);
  close_store(store);
  CHECK_EQUAL(entries_of_folder(), 0);
  store = open_temporary(folder_);
  size_t streams = 9;
  EXPECT(SPW_OK, spw_store_streams(store, NULL, 0, &streams, &err));
  CHECK_EQUAL(streams, 0);
  spw_store* other = open_temporary(folder_); /* no two are the same */
  add_numbered(other, stream_of(other, "b"), 0, 10, kLen);
  close_store(other);
  spw_store_free(store); /* without a close */
  CHECK_EQUAL(entries_of_folder(), 0);
}

static void closing_writes_nothing(void) {
  phase("closing writes nothing");
  temp_path("x");
  spw_store* store = open_temporary(folder_);
  add_numbered(store, stream_of(store, "a"), 0, 1000, kLen);
  spw_op* op;
  REQUIRE(EXPECT(SPW_OK, spw_op_new(&op, &err)));
  EXPECT(SPW_OK, spw_store_close(store, 0, SPW_NO_WAIT, op, &err)); /* so there is no wait */
  uint64_t done = 0, total = 0;
  spw_op_progress(op, &done, &total);
  CHECK(done == 0 && total == 0);
  spw_op_free(op);
  spw_store_free(store);
}

static void leaves_nothing_when_killed(void) {
  phase("nothing is left by a process that was killed");
  temp_path("x");
  int output;
  const pid_t child = start_other("fill", folder_, &output);
  char word = 0;
  REQUIRE(read(output, &word, 1) == 1); /* it has spilled and goes on */
  CHECK_EQUAL(word, 'f');
  kill(child, SIGKILL);
  int state = 0;
  REQUIRE(waitpid(child, &state, 0) == child);
  CHECK(WIFSIGNALED(state));
  close(output);
  CHECK_EQUAL(entries_of_folder(), 0);
}

static void refuses_what_has_no_meaning(void) {
  phase("what a temporary store refuses");
  temp_path("x");
  const char* path = temp_path("store");
  try_open(path, PAIRS(SPW_OPT_OPEN, SPW_OPEN_TEMPORARY), SPW_NOT_FOUND);
  close_store(open_store(path, PAIRS(ON_DISK)));
  try_open(path, PAIRS(SPW_OPT_OPEN, SPW_OPEN_TEMPORARY), SPW_IO); /* no folder */
  try_open(folder_, PAIRS(SPW_OPT_OPEN, SPW_OPEN_TEMPORARY, SPW_OPT_COLD_TIER, SPW_TIER_SQLITE),
           SPW_UNSUPPORTED);
  try_open(folder_, PAIRS(SPW_OPT_OPEN, SPW_OPEN_TEMPORARY, SPW_OPT_SYNC_MS, 100), SPW_UNSUPPORTED);
  try_open(NULL, PAIRS(SPW_OPT_OPEN, SPW_OPEN_TEMPORARY), SPW_UNSUPPORTED);
  try_open(folder_, PAIRS(SPW_OPT_OPEN, SPW_OPEN_READ_ONLY), SPW_UNSUPPORTED);
  spw_options* options = make_options(PAIRS(SPW_OPT_OPEN, SPW_OPEN_TEMPORARY));
  spw_file* file = NULL;
  EXPECT(SPW_UNSUPPORTED, spw_file_open(folder_, strlen(folder_), options, NULL, &file, &err));
  spw_options_free(options);
  spw_store* store = open_temporary(folder_);
  EXPECT(SPW_UNSUPPORTED, spw_store_set_i64(store, SPW_ALL, SPW_OPT_SYNC_MS, 100, &err));
  close_store(store);
}

int main(int count, char** arguments) {
  if (count == 3) {
    spw_store* store = open_temporary(arguments[2]);
    const uint32_t stream = stream_of(store, "a");
    fill(store, stream);
    if (stats_of(store).records_spilled > 0 && write(STDOUT_FILENO, "f", 1) == 1) {
      for (;;) {
        fill(store, stream);
      }
    }
    return 1;
  }
  holds_more_than_memory();
  closing_writes_nothing();
  leaves_nothing_when_killed();
  refuses_what_has_no_meaning();
  return check_finish();
}
