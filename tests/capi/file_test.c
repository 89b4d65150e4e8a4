/* Opening, closing and finding a block file again; who may open it and how; what is in it after
 * each way to end. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "block_fixture.h"
#include "process.h"

/* ---- In other processes: this program runs itself -----------------------------------------------
 */

/* --open, --read: opens, exits with the status. --hold: opens, says so, waits to be killed. */
static int run_as_other(int argc, char** argv) {
  if (argc != 3) {
    return 100;
  }
  spw_options* options = make_options(
      strcmp(argv[1], "--read") == 0 ? PAIRS(SPW_OPT_OPEN, SPW_OPEN_READ_ONLY) : PAIRS(0));
  spw_file* file = NULL;
  const spw_status status = spw_file_open(argv[2], strlen(argv[2]), options, NULL, &file, NULL);
  if (strcmp(argv[1], "--hold") == 0) {
    if (write(STDOUT_FILENO, status == SPW_OK ? "+" : "-", 1) == 1) {
      pause();
    }
  }
  spw_options_free(options);
  if (file != NULL) {
    close_file(file);
  }
  return status;
}

static void second_open_is_busy(void) {
  phase("a second open is refused, in this process and in another");
  const char* path = temp_path("busy");
  spw_file* file = open_file(path);
  put_text(file, NULL, "a", "1");
  try_open_file(path, PAIRS(0), SPW_BUSY);
  try_open_file(path, PAIRS(SPW_OPT_OPEN, SPW_OPEN_EXISTING), SPW_BUSY);
  try_open_file(path, PAIRS(SPW_OPT_OPEN, SPW_OPEN_READ_ONLY), SPW_BUSY);
  CHECK_EQUAL(run_other("--open", path), SPW_BUSY);
  CHECK_EQUAL(run_other("--read", path), SPW_BUSY);
  put_text(file, NULL, "b", "2"); /* and does no harm */
  close_file(file);
  CHECK_EQUAL(run_other("--open", path), SPW_OK);
  file = open_file(path);
  CHECK(holds_text(file, NULL, "a", "1") && holds_text(file, NULL, "b", "2"));
  close_file(file);

  phase("a process that is killed does not keep the file locked");
  int output;
  const pid_t child = start_other("--hold", path, &output);
  char said = '?';
  REQUIRE(read(output, &said, 1) == 1);
  CHECK_EQUAL(said, '+');
  try_open_file(path, PAIRS(0), SPW_BUSY);
  kill(child, SIGKILL);
  REQUIRE(waitpid(child, NULL, 0) == child);
  close(output);
  close_file(open_file(path));
}

/* ---- What is there ------------------------------------------------------------------------------
 */

static void open_modes(void) {
  phase("what may and must be there when a file is opened");
  const char* path = temp_path("modes");
  try_open_file(path, PAIRS(SPW_OPT_OPEN, SPW_OPEN_EXISTING), SPW_NOT_FOUND);
  try_open_file(path, PAIRS(SPW_OPT_OPEN, SPW_OPEN_READ_ONLY), SPW_NOT_FOUND);
  CHECK(!exists(path));
  close_file(try_open_file(path, PAIRS(SPW_OPT_OPEN, SPW_OPEN_NEW), SPW_OK));
  try_open_file(path, PAIRS(SPW_OPT_OPEN, SPW_OPEN_NEW), SPW_ALREADY_EXISTS);
  close_file(try_open_file(path, PAIRS(SPW_OPT_OPEN, SPW_OPEN_EXISTING), SPW_OK));
  close_file(try_open_file(path, PAIRS(SPW_OPT_OPEN, SPW_OPEN_CREATE), SPW_OK));
  spw_file* file = NULL;
  EXPECT(SPW_OK, spw_file_open(NAME(path), NULL, NULL, &file, &err));
  close_file(file);
}

static void unchanged(const char* path, const uint8_t* bytes, size_t len) {
  size_t len_now;
  uint8_t* now = bytes_of(path, &len_now);
  CHECK(len_now == len && memcmp(now, bytes, len) == 0);
  free(now);
}

static void paths_that_are_no_files(void) {
  phase("a path that is no block file, or can be none");
  const char* path = temp_path("text");
  static const size_t lens[] = {1, 100, 4096, 100000};
  for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
    FILE* text = fopen(path, "w");
    REQUIRE(text != NULL);
    for (size_t j = 0; j < lens[i]; j++) {
      fputc('t', text);
    }
    fclose(text);
    size_t len;
    uint8_t* bytes = bytes_of(path, &len);
    try_open_file(path, PAIRS(0), SPW_CORRUPT);
    try_open_file(path, PAIRS(SPW_OPT_OPEN, SPW_OPEN_READ_ONLY), SPW_CORRUPT);
    try_open_file(path, PAIRS(SPW_OPT_OPEN, SPW_OPEN_NEW), SPW_ALREADY_EXISTS);
    unchanged(path, bytes, len);
    free(bytes);
  }

  spw_file* file = NOWHERE;
  EXPECT(SPW_INVALID_ARGUMENT, spw_file_open("a\0b", 3, NULL, NULL, &file, &err));
  CHECK(file == NULL);
  EXPECT(SPW_INVALID_ARGUMENT, spw_file_open("", 0, NULL, NULL, &file, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_file_open(NULL, 0, NULL, NULL, &file, &err));
  const char* nowhere = temp_path("no/such/folder/file");
  spw_error* error = NULL;
  CHECK_EQUAL(spw_file_open(NAME(nowhere), NULL, NULL, &file, &error), SPW_NOT_FOUND);
  CHECK_EQUAL(spw_error_os_code(error), ENOENT);
  CHECK(strstr(spw_error_message(error, NULL), "no/such/folder") != NULL);
  spw_error_free(error);
  const char* folder = temp_path(".");
  CHECK(spw_file_open(NAME(folder), NULL, NULL, &file, NULL) != SPW_OK && file == NULL);

  phase("a path ends where its length says, and needs no NUL");
  const char* longer = temp_path("longer_than_said");
  EXPECT(SPW_OK,
         spw_file_open(longer, strlen(longer) - strlen("_than_said"), NULL, NULL, &file, &err));
  close_file(file);
  CHECK(exists(temp_path("longer")) && !exists(longer));

  phase("files are made for their owner only, whatever the umask");
  const mode_t mask = umask(0);
  path = temp_path("private");
  file = open_file(path);
  struct stat status;
  CHECK(stat(path, &status) == 0 && (status.st_mode & 0777) == 0600);
  close_file(file);
  umask(mask);
}

/* ---- Options ------------------------------------------------------------------------------------
 */

static void options(void) {
  phase("options of stores are none of files");
  const char* path = temp_path("options");
  static const int64_t others[][4] = {{SPW_OPT_BUDGET_BYTES, kMiB, 0, 0},
                                      {SPW_OPT_BUDGET_RECORDS, 5, 0, 0},
                                      {SPW_OPT_HARD_PERCENT, 130, 0, 0},
                                      {SPW_OPT_LOW_PERCENT, 70, 0, 0},
                                      {SPW_OPT_SPILLS_IN_FLIGHT, 1, 0, 0},
                                      {SPW_OPT_TIMEOUT_MS, 5, 0, 0},
                                      {SPW_OPT_COLD_TIER, SPW_TIER_SQLITE, 0, 0},
                                      {SPW_OPT_WHEN_FULL, SPW_WHEN_FULL_FAIL, 0, 0},
                                      {SPW_OPT_TIMES, 0, 0, 0}};
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
    try_open_file(path, others[i], SPW_UNSUPPORTED);
  }
  CHECK(!exists(path));

  phase("the smallest and the largest values work");
  static const int64_t edges[][2] = {{kMiB, 1}, {INT64_MAX, INT64_MAX}};
  for (int i = 0; i < 2; i++) {
    unlink(path);
    spw_file* file = try_open_file(
        path,
        PAIRS(SPW_OPT_FILE_DIRTY_BYTES, edges[i][0], SPW_OPT_FILE_DIRTY_BLOCKS, edges[i][1],
              SPW_OPT_FILE_CACHE_BYTES, i == 0 ? 0 : INT64_MAX, SPW_OPT_FILE_JOURNAL_BYTES,
              edges[i][0], SPW_OPT_FILE_GROWTH_BYTES, kMiB),
        SPW_OK);
    REQUIRE(file != NULL);
    char name[16];
    for (uint64_t n = 0; n < 100; n++) {
      snprintf(name, sizeof name, "b%" PRIu64, n % 40);
      put_numbered(file, NULL, name, n, (size_t)n * 3001);
    }
    for (uint64_t n = 60; n < 100; n++) {
      snprintf(name, sizeof name, "b%" PRIu64, n % 40);
      CHECK(holds_numbered(file, NULL, name, n, (size_t)n * 3001));
      spw_blob* blob = NULL;
      EXPECT(SPW_OK, spw_block_get(file, NULL, NAME(name), 0, SPW_NO_LIMIT, &blob, &err));
      spw_blob_free(blob);
    }
    CHECK(i == 1 || file_stats_of(file).bytes_cached == 0);
    flush_file(file);
    check_clean(file, 40);
    close_file(file);
  }

  phase("a file knows its checksum");
  unlink(path);
  spw_file* file = try_open_file(path, PAIRS(SPW_OPT_FILE_CHECKSUM, SPW_CHECKSUM_SHA256), SPW_OK);
  REQUIRE(file != NULL);
  put_numbered(file, NULL, "b", 1, 500000);
  put_numbered(file, NULL, "small", 2, 50);
  close_file(file);
  try_open_file(path, PAIRS(SPW_OPT_FILE_CHECKSUM, SPW_CHECKSUM_XXH3), SPW_INVALID_ARGUMENT);
  static const int64_t same[][4] = {{0, 0, 0, 0},
                                    {SPW_OPT_FILE_CHECKSUM, SPW_CHECKSUM_SHA256, 0, 0}};
  for (int i = 0; i < 2; i++) {
    file = try_open_file(path, same[i], SPW_OK);
    REQUIRE(file != NULL);
    CHECK(holds_numbered(file, NULL, "b", 1, 500000));
    EXPECT(SPW_OK, spw_block_append(file, NULL, "small", 5, "more", 4, NULL, &err));
    CHECK_EQUAL(info_of(file, NULL, "small").length, 54 + 4 * i);
    flush_file(file);
    check_clean(file, 2);
    close_file(file);
  }
  const char* usual = temp_path("xxh3");
  close_file(open_file(usual));
  try_open_file(usual, PAIRS(SPW_OPT_FILE_CHECKSUM, SPW_CHECKSUM_SHA256), SPW_INVALID_ARGUMENT);
  close_file(try_open_file(usual, PAIRS(SPW_OPT_FILE_CHECKSUM, SPW_CHECKSUM_XXH3), SPW_OK));
}

static void cancelled(void) {
  phase("an operation that was cancelled ends open before it begins");
  const char* path = temp_path("cancelled");
  close_file(open_file(path));
  spw_op* op = NULL;
  EXPECT(SPW_OK, spw_op_new(&op, &err));
  spw_file* file = NOWHERE;
  EXPECT(SPW_OK, spw_file_open(NAME(path), NULL, op, &file, &err));
  close_file(file);
  spw_op_cancel(op);
  EXPECT(SPW_CANCELLED, spw_file_open(NAME(path), NULL, op, &file, &err));
  CHECK(file == NULL);
  spw_op_free(op);
  close_file(open_file(path));
}

/* ---- What is in it ------------------------------------------------------------------------------
 */

static void reopen_byte_for_byte(void) {
  phase("blocks of every size are found again byte for byte, after close and after a crash");
  const char* path = temp_path("sizes");
  static const size_t sizes[] = {0, 1, 4095, 4096, 4097, kMiB, 100 * (size_t)kMiB};
  enum { kSizes = sizeof sizes / sizeof sizes[0] };
  char name[32];
  for (int crashed = 0; crashed < 2; crashed++) {
    unlink(path);
    spw_file* file = open_file(path);
    for (uint64_t i = 0; i < kSizes; i++) {
      snprintf(name, sizeof name, "%zu", sizes[i]);
      put_numbered(file, NULL, name, i, sizes[i]);
    }
    if (crashed) {
      flush_file(file);
      put_text(file, NULL, "0", "never acknowledged as durable");
      crash_file(file);
    } else {
      close_file(file);
    }
    for (int round = 0; round < 2; round++) {
      file = open_file_again(path);
      for (uint64_t i = crashed ? 1 : 0; i < kSizes; i++) {
        snprintf(name, sizeof name, "%zu", sizes[i]);
        CHECK(holds_numbered(file, NULL, name, i, sizes[i]));
      }
      close_file(file);
    }
  }
}

static void flush_levels(void) {
  phase("what was flushed is there after a crash, whatever the level");
  static const int32_t levels[] = {SPW_FLUSH_KERNEL, SPW_FLUSH_DEVICE, SPW_FLUSH_CHECKPOINT};
  for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
    const char* path = temp_path("flush");
    unlink(path);
    spw_file* file = open_file(path);
    put_numbered(file, NULL, "a", i, 50000);
    put_numbered(file, NULL, "b", i, 5);
    EXPECT(SPW_OK, spw_file_flush(file, levels[i], &err));
    EXPECT(SPW_OK, spw_block_delete(file, NULL, "b", 1, ANY, &err));
    EXPECT(SPW_OK, spw_file_flush(file, levels[i], &err));
    EXPECT(SPW_OK, spw_file_flush(file, levels[i], &err)); /* nothing to do */
    const spw_block_stats stats = file_stats_of(file);
    CHECK(stats.blocks_dirty == 0 && stats.blocks == 1);
    crash_file(file); /* the process lives on, so what the kernel has stays */
    file = open_file_again(path);
    CHECK(holds_numbered(file, NULL, "a", i, 50000) && is_gone(file, NULL, "b"));
    EXPECT(SPW_INVALID_ARGUMENT, spw_file_flush(file, 0, &err));
    EXPECT(SPW_INVALID_ARGUMENT, spw_file_flush(file, 4, &err));
    EXPECT(SPW_INVALID_ARGUMENT, spw_file_flush(file, -1, &err));
    close_file(file);
  }
}

static void statistics(void) {
  phase("statistics say what a list finds");
  const char* path = temp_path("stats");
  spw_file* file = open_file(path);
  char name[16];
  for (uint64_t i = 0; i < 500; i++) {
    snprintf(name, sizeof name, "b%" PRIu64, i % 300);
    put_numbered(file, NULL, name, i, (size_t)(i * 61 % 20000));
  }
  for (uint64_t i = 0; i < 50; i++) {
    snprintf(name, sizeof name, "b%" PRIu64, i * 3);
    EXPECT(SPW_OK, spw_block_delete(file, NULL, NAME(name), ANY, &err));
  }
  CHECK_EQUAL(file_stats_of(file).puts, 550);
  for (int round = 0; round < 3; round++) {
    EXPECT(SPW_OK,
           spw_file_flush(file, round == 0 ? SPW_FLUSH_DEVICE : SPW_FLUSH_CHECKPOINT, &err));
    const spw_block_stats stats = file_stats_of(file);
    const listed all = list_all(file);
    CHECK(all.blocks == 250 && stats.blocks == all.blocks && stats.payload_bytes == all.bytes);
    CHECK(stats.bytes_file == stats.bytes_used + stats.bytes_held + stats.bytes_free);
    struct stat status;
    CHECK(stat(path, &status) == 0 && (uint64_t)status.st_size == stats.bytes_file);
    CHECK(stats.bytes_used > stats.payload_bytes / 2 && stats.blocks_dirty == 0);
    CHECK(stats.bytes_dirty == 0 && stats.snapshots == 0);
    CHECK(stats.health == SPW_OK && stats.checksum_errors == 0 && stats.flags == 0);
    CHECK(round == 2 || (stats.groups > 0 && stats.barriers > 0 && stats.bytes_written > 0));
    if (round == 1) {
      CHECK(stats.checkpoints > 0);
      close_file(file);
      file = open_file(path);
      CHECK_EQUAL(file_stats_of(file).puts, 0); /* counted since open */
    }
  }
  close_file(file);
}

int main(int argc, char** argv) {
  if (argc > 1) {
    return run_as_other(argc, argv);
  }
  open_modes();
  paths_that_are_no_files();
  options();
  cancelled();
  second_open_is_busy();
  reopen_byte_for_byte();
  flush_levels();
  statistics();
  return check_finish();
}
