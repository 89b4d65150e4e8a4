/* Opening, closing and finding a store again; who may open it; what a closed one answers. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "fixture.h"
#include "process.h"

/* ---- In other processes: this program runs itself -----------------------------------------------
 */

/* --open path: opens, exits with the status. --hold path: opens, says so, waits to be killed. */
static int run_as_other(int argc, char** argv) {
  if (argc != 3) {
    return 100;
  }
  spw_options* options = make_options(PAIRS(ON_DISK));
  spw_store* store = NULL;
  const spw_status status = spw_store_open(argv[2], strlen(argv[2]), options, NULL, &store, NULL);
  if (strcmp(argv[1], "--hold") == 0) {
    if (write(STDOUT_FILENO, status == SPW_OK ? "+" : "-", 1) == 1) {
      pause();
    }
  }
  spw_options_free(options);
  if (store != NULL) {
    close_store(store);
  }
  return status;
}

static int open_elsewhere(const char* path) { return run_other("--open", path); }

static void second_open_is_busy(void) {
  phase("a second open is refused, in this process and in another");
  const char* path = temp_path("busy");
  spw_store* store = open_store(path, PAIRS(ON_DISK));
  try_open(path, PAIRS(ON_DISK), SPW_BUSY);
  try_open(path, PAIRS(ON_DISK, SPW_OPT_OPEN, SPW_OPEN_EXISTING), SPW_BUSY);
  CHECK_EQUAL(open_elsewhere(path), SPW_BUSY);
  CHECK_EQUAL(add_numbered(store, stream_of(store, "a"), 0, 3, 10), 0); /* and does no harm */
  close_store(store);
  CHECK_EQUAL(open_elsewhere(path), SPW_OK);
  store = open_store(path, PAIRS(ON_DISK));
  CHECK_EQUAL(read_all(store, stream_of(store, "a")), 3);
  close_store(store);
}

static void killed_process_gives_up_its_lock(void) {
  phase("a process that is killed does not keep the store locked");
  const char* path = temp_path("killed");
  int output;
  const pid_t child = start_other("--hold", path, &output);
  char said = '?';
  REQUIRE(read(output, &said, 1) == 1);
  CHECK_EQUAL(said, '+');
  try_open(path, PAIRS(ON_DISK), SPW_BUSY);
  kill(child, SIGKILL);
  REQUIRE(waitpid(child, NULL, 0) == child);
  close(output);
  close_store(open_store(path, PAIRS(ON_DISK)));
}

/* ---- In this process ----------------------------------------------------------------------------
 */

static void in_memory(void) {
  phase("a store in memory needs no path and no options");
  spw_store* store = NULL;
  EXPECT(SPW_OK, spw_store_open(NULL, 0, NULL, NULL, &store, &err));
  const uint32_t stream = stream_of(store, "a");
  CHECK_EQUAL(add_numbered(store, stream, 0, 10, 100), 0);
  CHECK_EQUAL(add_numbered(store, stream, 10, 10, 100), 10);
  CHECK_EQUAL(read_all(store, stream), 20);
  const spw_stats stats = stats_of(store);
  CHECK(stats.bytes_soft > 0 && stats.bytes_soft < UINT64_MAX); /* a part of the machine */
  CHECK(stats.bytes_hard >= stats.bytes_soft);
  CHECK_EQUAL(stats.records_cold, 0);
  CHECK_EQUAL(stats.cold_file_bytes, 0);
  EXPECT(SPW_UNSUPPORTED, spw_store_flush(store, SPW_FLUSH_DEVICE, SPW_WAIT_FOREVER, NULL, &err));
  EXPECT(SPW_UNSUPPORTED, spw_store_flush(store, SPW_FLUSH_KERNEL, SPW_NO_WAIT, NULL, &err));
  close_store(store);
}

static void reopen_finds_everything(void) {
  phase("what was added is there after close and open, and numbers go on");
  const char* path = temp_path("reopen");
  for (uint64_t round = 0; round < 4; round++) {
    spw_store* store = open_store(path, PAIRS(ON_DISK, SPW_OPT_BUDGET_BYTES, kMiB));
    const uint32_t first = stream_of(store, "first");
    const uint32_t second = stream_of(store, "second");
    CHECK(first != second);
    CHECK_EQUAL(read_all(store, first), round * 700);
    CHECK_EQUAL(read_all(store, second), round * 3);
    const spw_stats stats = stats_of(store);
    CHECK_EQUAL(stats.streams, 2);
    CHECK_EQUAL(stats.records_live, round * 703);
    CHECK_EQUAL(stats.records_cold, round * 703);
    CHECK_EQUAL(stats.records_added, 0); /* counted since open */
    CHECK_EQUAL(add_numbered(store, first, round * 700, 700, 1000), round * 700);
    CHECK_EQUAL(add_numbered(store, second, round * 3, 3, 0), round * 3);
    close_store(store);
  }
}

static void expect_tier(const char* path, int64_t tier) {
  spw_store* store = NULL;
  int64_t value = 0;
  REQUIRE(EXPECT(SPW_OK, spw_store_open(path, strlen(path), NULL, NULL, &store, &err)));
  EXPECT(SPW_OK, spw_store_get_i64(store, SPW_ALL, SPW_OPT_COLD_TIER, &value, &err));
  CHECK_EQUAL(value, tier);
  close_store(store);
}

static void open_modes(void) {
  phase("what may and must be there when a store is opened");
  const char* path = temp_path("modes");
  try_open(path, PAIRS(ON_DISK, SPW_OPT_OPEN, SPW_OPEN_EXISTING), SPW_NOT_FOUND);
  CHECK(!exists(path));
  close_store(open_store(path, PAIRS(ON_DISK, SPW_OPT_OPEN, SPW_OPEN_NEW)));
  try_open(path, PAIRS(ON_DISK, SPW_OPT_OPEN, SPW_OPEN_NEW), SPW_ALREADY_EXISTS);
  close_store(open_store(path, PAIRS(ON_DISK, SPW_OPT_OPEN, SPW_OPEN_EXISTING)));
  close_store(open_store(path, PAIRS(ON_DISK, SPW_OPT_OPEN, SPW_OPEN_CREATE)));

  phase("an existing store knows its cold tier, a new one has a default");
  const int64_t mine = is_sqlite() ? SPW_TIER_SQLITE : SPW_TIER_BLOCK_FILE;
  const int64_t other = SPW_TIER_SQLITE + SPW_TIER_BLOCK_FILE - mine;
  expect_tier(path, mine);
  try_open(path, PAIRS(SPW_OPT_COLD_TIER, other), SPW_INVALID_ARGUMENT);
  try_open(path, PAIRS(SPW_OPT_COLD_TIER, other, SPW_OPT_OPEN, SPW_OPEN_NEW), SPW_ALREADY_EXISTS);
  expect_tier(path, mine);
  expect_tier(temp_path("default"), SPW_TIER_BLOCK_FILE);
}

static void paths_that_are_no_stores(void) {
  phase("a path that is no store, or can be none");
  const char* path = temp_path("text");
  FILE* file = fopen(path, "w");
  REQUIRE(file != NULL);
  for (int i = 0; i < 1000; i++) {
    fprintf(file, "this is line %d of a file that is no store\n", i);
  }
  fclose(file);
  try_open(path, PAIRS(ON_DISK), SPW_CORRUPT);
  struct stat status;
  CHECK(stat(path, &status) == 0 && status.st_size > 40000); /* and it is still as it was */

  spw_options* options = make_options(PAIRS(ON_DISK));
  spw_store* store = NULL;
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_open("a\0b", 3, options, NULL, &store, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_store_open("", 0, options, NULL, &store, &err));
  const char* nowhere = temp_path("no/such/folder/store");
  spw_error* error = NULL;
  const spw_status got = spw_store_open(nowhere, strlen(nowhere), options, NULL, &store, &error);
  CHECK(got == SPW_NOT_FOUND || got == SPW_IO);
  CHECK_EQUAL(spw_error_os_code(error), ENOENT);
  CHECK(strstr(spw_error_message(error, NULL), "no/such/folder") != NULL);
  spw_error_free(error);
  const char* folder = temp_path(".");
  CHECK(spw_store_open(folder, strlen(folder), options, NULL, &store, NULL) != SPW_OK);
  CHECK(store == NULL);
  spw_options_free(options);
}

static void path_length_counts(void) {
  phase("a path ends where its length says, and needs no NUL");
  const char* path = temp_path("longer_than_said");
  const size_t len = strlen(path) - strlen("_than_said");
  spw_options* options = make_options(PAIRS(ON_DISK));
  spw_store* store = NULL;
  EXPECT(SPW_OK, spw_store_open(path, len, options, NULL, &store, &err));
  spw_options_free(options);
  close_store(store);
  CHECK(exists(temp_path("longer")) && !exists(path));
}

static void files_are_private(void) {
  phase("files are made for their owner only, whatever the umask");
  const char* path = temp_path("private");
  const mode_t mask = umask(0);
  spw_store* store = open_store(path, PAIRS(ON_DISK, SPW_OPT_BUDGET_BYTES, kMiB));
  add_numbered(store, stream_of(store, "a"), 0, 100, 100);
  EXPECT(SPW_OK, spw_store_flush(store, SPW_FLUSH_DEVICE, SPW_WAIT_FOREVER, NULL, &err));
  static const char* const names[] = {"private", "private-lock", "private-wal", "private-shm"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    struct stat status;
    if (stat(temp_path(names[i]), &status) == 0) {
      check_that((status.st_mode & 0777) == 0600, __FILE__, __LINE__, "%s has mode %o", names[i],
                 (unsigned)status.st_mode & 0777);
    } else {
      CHECK(i >= (is_sqlite() ? 2 : 1)); /* those may be or not */
    }
  }
  close_store(store);
  umask(mask);
}

static void close_twice_and_use_after(void) {
  phase("a closed store answers CLOSED, and closing it again is fine");
  spw_store* store = open_store(temp_path("closed"), PAIRS(ON_DISK));
  const uint32_t stream = stream_of(store, "a");
  add_numbered(store, stream, 0, 10, 10);
  spw_cursor* cursor = open_cursor(store, stream);
  EXPECT(SPW_OK, spw_store_close(store, 0, SPW_WAIT_FOREVER, NULL, &err));
  EXPECT(SPW_OK, spw_store_close(store, 0, SPW_WAIT_FOREVER, NULL, &err));
  EXPECT(SPW_OK, spw_store_close(store, SPW_CLOSE_DISCARD, SPW_NO_WAIT, NULL, &err));
  const uint64_t offsets[] = {0, 1};
  uint64_t number = 7;
  EXPECT(SPW_CLOSED, spw_store_add(store, stream, "x", 1, offsets, 1, NULL, SPW_WAIT_DEFAULT, NULL,
                                   &number, &err));
  CHECK_EQUAL(number, SPW_SEQ_NONE);
  spw_view view = empty_view();
  EXPECT(SPW_CLOSED, spw_cursor_next(cursor, 1, 1, 0, NULL, &view, &err));
  EXPECT(SPW_CLOSED, spw_cursor_seek(cursor, 0, &err));
  uint32_t id = 0;
  EXPECT(SPW_CLOSED, spw_store_stream(store, "b", 1, NULL, SPW_STREAM_CREATE, &id, &err));
  EXPECT(SPW_CLOSED, spw_store_flush(store, SPW_FLUSH_DEVICE, SPW_WAIT_FOREVER, NULL, &err));
  EXPECT(SPW_CLOSED, spw_store_clear(store, stream, &err));
  uint8_t byte;
  EXPECT(SPW_CLOSED, spw_store_read(store, stream, 0, &byte, 1, &number, NULL, &err));
  spw_stats stats;
  memset(&stats, 0, sizeof stats);
  stats.struct_size = sizeof stats;
  EXPECT(SPW_CLOSED, spw_store_stats(store, &stats, &err));
  const spw_scan scan = scan_from(stream, 0, SPW_SEQ_NONE);
  spw_cursor* late = NULL;
  EXPECT(SPW_CLOSED, spw_cursor_open(store, &scan, NULL, &late, &err));
  spw_cursor_free(cursor);
  spw_store_free(store);
}

static void close_with_discard(void) {
  phase("close with discard keeps what was flushed");
  const char* path = temp_path("discard");
  spw_store* store = open_store(path, PAIRS(ON_DISK));
  const uint32_t stream = stream_of(store, "a");
  add_numbered(store, stream, 0, 100, 50);
  EXPECT(SPW_OK, spw_store_flush(store, SPW_FLUSH_DEVICE, SPW_WAIT_FOREVER, NULL, &err));
  add_numbered(store, stream, 100, 100, 50);
  const uint64_t leaked = spw_leaked_stores();
  EXPECT(SPW_OK, spw_store_close(store, SPW_CLOSE_DISCARD, SPW_NO_WAIT, NULL, &err));
  spw_store_free(store);
  CHECK_EQUAL(spw_leaked_stores(), leaked);
  store = open_store(path, PAIRS(ON_DISK));
  const uint64_t records = read_all(store, stream);
  CHECK(records == 100 || records == 200); /* a batch is there whole or not at all */
  EXPECT(SPW_UNSUPPORTED, spw_store_close(store, UINT32_C(1) << 30, SPW_WAIT_FOREVER, NULL, &err));
  CHECK_EQUAL(read_all(store, stream), records); /* an unknown flag closes nothing */
  close_store(store);
}

static void close_without_time(void) {
  phase("close without time to write leaves the store open");
  spw_store* store = open_store(temp_path("hurry"), PAIRS(ON_DISK));
  const uint32_t stream = stream_of(store, "a");
  add_numbered(store, stream, 0, 100, 50);
  EXPECT(SPW_WOULD_BLOCK, spw_store_close(store, 0, SPW_NO_WAIT, NULL, &err));
  spw_op* op = NULL;
  EXPECT(SPW_OK, spw_op_new(&op, &err));
  spw_op_cancel(op);
  EXPECT(SPW_CANCELLED, spw_store_close(store, 0, SPW_WAIT_FOREVER, op, &err));
  spw_op_free(op);
  CHECK_EQUAL(add_numbered(store, stream, 100, 1, 50), 100);
  CHECK_EQUAL(read_all(store, stream), 101);
  close_store(store);
}

int main(int argc, char** argv) {
  if (argc > 1) {
    return run_as_other(argc, argv);
  }
  in_memory();
  reopen_finds_everything();
  open_modes();
  paths_that_are_no_stores();
  path_length_counts();
  files_are_private();
  second_open_is_busy();
  killed_process_gives_up_its_lock();
  close_twice_and_use_after();
  close_with_discard();
  close_without_time();
  return check_finish();
}
