/* How much a block file takes: limits_test PART. What needs more room than there is, or much time,
 * is left out with one line that says so; SPW_LARGE=1 asks for a file of more than 10 GiB, too. */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>

#include "block_fixture.h"

#define GIB (UINT64_C(1) << 30)

static int left_out(const char* what, const char* why) {
  printf("SKIP: %s: %s\n", what, why);
  return 77;
}

static double now_s(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Bytes that this process has in memory. */
static uint64_t resident(void) {
  unsigned long long all = 0, in_memory = 0;
  FILE* file = fopen("/proc/self/statm", "r");
  REQUIRE(file != NULL && fscanf(file, "%llu %llu", &all, &in_memory) == 2);
  fclose(file);
  return in_memory * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t count_listed(spw_file* file, const char* prefix, int in_order) {
  spw_list* list = NULL;
  REQUIRE(EXPECT(
      SPW_OK, spw_list_open(file, NULL, prefix, strlen(prefix), SPW_LIST_NAMES_ONLY, &list, &err)));
  char last[SPW_BLOCK_NAME_MAX + 1] = "";
  uint64_t wrong = 0, count = 0;
  spw_block_view view = {.struct_size = sizeof view};
  do {
    if (!EXPECT(SPW_OK, spw_list_next(list, 4096, &view, &err))) {
      break;
    }
    for (uint64_t i = 0; in_order && i < view.count; i++) {
      const size_t len = (size_t)(view.name_offsets[i + 1] - view.name_offsets[i]);
      char name[SPW_BLOCK_NAME_MAX + 1];
      memcpy(name, view.names + view.name_offsets[i], len);
      name[len] = '\0';
      wrong += strncmp(name, prefix, strlen(prefix)) != 0 || strcmp(last, name) >= 0;
      memcpy(last, name, len + 1);
    }
    count += view.count;
  } while (view.count > 0);
  CHECK_EQUAL(wrong, 0);
  spw_list_free(list);
  return count;
}

/* ---- Names ---- */

static int test_names(void) {
  const char* path = temp_path("names.blocks");
  spw_file* file = open_file(path);
  char longest[SPW_BLOCK_NAME_MAX + 2];
  memset(longest, 'n', sizeof longest);
  const char* const odd[] = {"\xc3\xa4\xc3\xb6\xc3\xbc",
                             "\xe6\x97\xa5\xe6\x9c\xac/\xe8\xaa\x9e",
                             "\xf0\x9f\x9a\xb0",
                             "\xff\xfe",
                             " ",
                             "..",
                             "a/b\\c\n",
                             "\x01"};
  const size_t odds = sizeof odd / sizeof *odd;
  for (size_t i = 0; i < odds; i++) {
    EXPECT(SPW_OK,
           spw_block_put(file, NULL, NAME(odd[i]), odd[i], strlen(odd[i]), NONE, NULL, &err));
  }
  /* Names that differ only in their last byte, more than a page holds. */
  for (int i = 0; i < 100; i++) {
    longest[SPW_BLOCK_NAME_MAX - 1] = (char)(i + 1);
    EXPECT(SPW_OK,
           spw_block_put(file, NULL, longest, SPW_BLOCK_NAME_MAX, &i, sizeof i, NONE, NULL, &err));
  }
  EXPECT(SPW_INVALID_ARGUMENT,
         spw_block_put(file, NULL, longest, SPW_BLOCK_NAME_MAX + 1, "", 0, ANY, NULL, &err));
  EXPECT(SPW_OK, spw_block_put(file, NULL, NAME("empty"), NULL, 0, NONE, NULL, &err));
  for (int opened = 0; opened < 3; opened++) {
    for (size_t i = 0; i < odds; i++) {
      char found[64];
      uint64_t len = 0;
      EXPECT(SPW_OK, spw_block_read(file, NULL, NAME(odd[i]), 0, found, sizeof found, &len, &err));
      CHECK(len == strlen(odd[i]) && memcmp(found, odd[i], (size_t)len) == 0);
    }
    for (int i = 0; i < 100; i++) {
      longest[SPW_BLOCK_NAME_MAX - 1] = (char)(i + 1);
      int found = -1;
      uint64_t len = 0;
      EXPECT(SPW_OK, spw_block_read(file, NULL, longest, SPW_BLOCK_NAME_MAX, 0, &found,
                                    sizeof found, &len, &err));
      CHECK_EQUAL(found, i);
    }
    uint64_t len = 1;
    EXPECT(SPW_OK, spw_block_read(file, NULL, NAME("empty"), 0, NULL, 0, &len, &err));
    CHECK_EQUAL(len, 0);
    CHECK_EQUAL(count_listed(file, "", 1), odds + 101);
    close_file(file);
    file = open_file(path);
  }
  close_file(file);
  return check_finish();
}

/* ---- Many blocks ---- */

/* Blocks 0 to count - 1 under "p/" and their numbers, with some bytes each, every `step`-th first.
 */
static void put_many(spw_file* file, uint64_t count, size_t len, uint64_t step) {
  enum { kAtOnce = 10000, kNameLen = 12 };
  char* names = malloc(kAtOnce * kNameLen + 1);
  uint8_t* data = malloc(kAtOnce * len + 1);
  uint64_t* name_offsets = malloc((kAtOnce + 1) * sizeof *name_offsets);
  uint64_t* data_offsets = malloc((kAtOnce + 1) * sizeof *data_offsets);
  REQUIRE(names != NULL && data != NULL && name_offsets != NULL && data_offsets != NULL);
  for (uint64_t i = 0; i <= kAtOnce; i++) {
    name_offsets[i] = i * kNameLen;
    data_offsets[i] = i * len;
  }
  for (uint64_t first = 0; first < count; first += kAtOnce) {
    for (uint64_t i = 0; i < kAtOnce; i++) {
      const uint64_t number = (first + i) * step % count;
      char name[kNameLen + 12]; /* as if the number could be longer */
      snprintf(name, sizeof name, "p/%010" PRIu64, number);
      memcpy(names + i * kNameLen, name, kNameLen);
      fill_record(data + i * len, len, number);
    }
    REQUIRE(EXPECT(SPW_OK,
                   spw_block_put_batch(file, NULL, names, kAtOnce * kNameLen, name_offsets, data,
                                       kAtOnce * len, data_offsets, kAtOnce, NULL, NULL, &err)));
  }
  free(names);
  free(data);
  free(name_offsets);
  free(data_offsets);
}

static void check_one(spw_file* file, uint64_t number, size_t len) {
  char name[24];
  snprintf(name, sizeof name, "p/%010" PRIu64, number);
  uint8_t found[4096];
  REQUIRE(len <= sizeof found);
  uint64_t found_len = 0;
  EXPECT(SPW_OK, spw_block_read(file, NULL, NAME(name), 0, found, sizeof found, &found_len, &err));
  CHECK(found_len == len && is_record(found, len, number));
}

static int test_blocks(void) {
  enum { kBlocks = 100000, kLen = 300 };
  const char* path = temp_path("blocks.blocks");
  spw_file* file = open_file(path);
  put_many(file, kBlocks, kLen, 7919);
  for (int opened = 0; opened < 2; opened++) {
    CHECK_EQUAL(count_listed(file, "p/", 1), kBlocks);
    for (uint64_t i = 0; i < kBlocks; i += 997) {
      check_one(file, i, kLen);
    }
    close_file(file);
    file = open_file(path);
  }
  const spw_block_stats stats = file_stats_of(file);
  CHECK_EQUAL(stats.blocks, kBlocks);
  CHECK_EQUAL(stats.payload_bytes, (uint64_t)kBlocks * kLen);
  close_file(file);
  return check_finish();
}

/* In a process of its own, so that its memory is that of an open file and nothing else. */
static int open_and_measure(const char* path, int64_t how) {
  enum { kRounds = 5 };
  const uint64_t before = resident();
  uint64_t grown = 0;
  double open_ms = 1e9; /* the best, for other programs run as well */
  spw_file* file = NULL;
  for (int i = 0; i < kRounds; i++) {
    if (file != NULL) {
      close_file(file);
    }
    const double begun = now_s();
    file = try_open_file(path, PAIRS(SPW_OPT_OPEN, how), SPW_OK);
    const double ms = (now_s() - begun) * 1e3;
    REQUIRE(file != NULL);
    open_ms = ms < open_ms ? ms : open_ms;
    grown = i == 0 ? resident() - before : grown;
  }
  CHECK_EQUAL(file_stats_of(file).blocks, 1000000);
  double best = 0;
  for (int i = 0; i < kRounds; i++) {
    const double listing = now_s();
    CHECK_EQUAL(count_listed(file, "p/", 0), 1000000);
    const double rate = 1e6 / (now_s() - listing);
    best = rate > best ? rate : best;
  }
  CHECK_EQUAL(count_listed(file, "p/", 1), 1000000);
  check_one(file, 777777, 16);
  printf("%s: open %.2f ms, memory +%.2f MiB; %.2f million names/s in order; %.2f MiB in the end\n",
         how == SPW_OPEN_READ_ONLY ? "read only" : "for writing", open_ms, (double)grown / kMiB,
         best / 1e6, (double)(resident() - before) / kMiB);
  /* The numbers that are promised are printed; a machine that does other things is given time. */
  if (!is_watched()) {
    CHECK(open_ms < 100);
    CHECK(grown < 16 * kMiB);
    CHECK(best > 2e5);
  }
  close_file(file);
  return check_finish();
}

static int test_million(const char* program) {
  const char* path = temp_path("million.blocks");
  spw_file* file = open_file(path);
  const double begun = now_s();
  put_many(file, 1000000, 16, 1);
  close_file(file);
  printf("made in %.1f s\n", now_s() - begun);
  fflush(stdout);
  for (int i = 0; i < 2; i++) {
    const pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
      execl(program, program, i == 0 ? "--read" : "--write", path, (char*)NULL);
      _exit(3);
    }
    int status = 0;
    REQUIRE(waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  return check_finish();
}

/* ---- Large blocks ---- */

static int room_for(uint64_t bytes) {
  struct statvfs disk;
  REQUIRE(statvfs(temp_path("."), &disk) == 0);
  struct sysinfo memory;
  REQUIRE(sysinfo(&memory) == 0);
  const uint64_t free_memory = (uint64_t)(memory.freeram + memory.bufferram) * memory.mem_unit;
  return (uint64_t)disk.f_bavail * disk.f_frsize > 3 * bytes && free_memory > GIB;
}

/* Bytes that take no memory but where something was written. */
static uint8_t* sparse(uint64_t bytes) {
  uint8_t* map = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  REQUIRE(map != MAP_FAILED);
  return map;
}

static void check_range(spw_file* file, const char* name, const uint8_t* want, uint64_t offset,
                        uint64_t len) {
  uint8_t* found = malloc((size_t)len);
  REQUIRE(found != NULL);
  uint64_t found_len = 0;
  EXPECT(SPW_OK, spw_block_read(file, NULL, NAME(name), offset, found, len, &found_len, &err));
  CHECK_EQUAL(found_len, len);
  check_that(memcmp(found, want + offset, (size_t)len) == 0, __FILE__, __LINE__,
             "other bytes at %" PRIu64, offset);
  free(found);
}

static int test_large_block(void) {
  const uint64_t len = 4 * GIB + 123457;
  if (is_watched() || !room_for(len)) {
    return left_out("a block of more than 4 GiB",
                    is_watched() ? "not under a sanitizer" : "too little room");
  }
  const char* path = temp_path("large.blocks");
  uint8_t* want = sparse(len + 2 * kMiB);
  for (uint64_t at = 0; at < len; at += 512 * (uint64_t)kMiB - 4096) {
    fill_record(want + at, 4096, at);
  }
  fill_record(want + 4 * GIB - 70000, 140000, 4);
  fill_record(want + len - 5000, 5000, 5);
  spw_file* file = open_file(path);
  const double begun = now_s();
  EXPECT(SPW_OK, spw_block_put(file, NULL, NAME("large"), want, len, NONE, NULL, &err));
  printf("put in %.1f s\n", now_s() - begun);
  fill_record(want + 4 * GIB - 100, 200, 6);
  EXPECT(SPW_OK, spw_block_patch(file, NULL, NAME("large"), 4 * GIB - 100, want + 4 * GIB - 100,
                                 200, &err));
  fill_record(want + len, kMiB, 7);
  uint64_t grown = 0;
  EXPECT(SPW_OK, spw_block_append(file, NULL, NAME("large"), want + len, kMiB, &grown, &err));
  CHECK_EQUAL(grown, len + kMiB);
  for (int opened = 0; opened < 2; opened++) {
    for (uint64_t at = 0; at < len; at += 512 * (uint64_t)kMiB - 4096) {
      check_range(file, "large", want, at, 5000);
    }
    check_range(file, "large", want, 4 * GIB - 200000, 400000);
    check_range(file, "large", want, 4 * GIB, 1);
    check_range(file, "large", want, len - 6000, 6000 + kMiB);
    close_file(file);
    file = open_file(path);
  }
  EXPECT(SPW_OK, spw_block_delete(file, NULL, NAME("large"), ANY, &err));
  close_file(file);
  munmap(want, (size_t)(len + 2 * kMiB));
  return check_finish();
}

static int test_large_file(void) {
  enum { kBlocks = 11 };
  const char* asked = getenv("SPW_LARGE");
  const char* what = "a file of more than 10 GiB";
  if (asked == NULL || strcmp(asked, "1") != 0) {
    return left_out(what, "SPW_LARGE=1 asks for it");
  }
  if (is_watched() || !room_for(kBlocks * GIB)) {
    return left_out(what, is_watched() ? "not under a sanitizer" : "too little room");
  }
  const char* path = temp_path("large_file.blocks");
  uint8_t* want = sparse(GIB);
  spw_file* file = open_file(path);
  const double begun = now_s();
  for (uint64_t i = 0; i < kBlocks; i++) {
    char name[16];
    snprintf(name, sizeof name, "%02" PRIu64, i);
    fill_record(want + GIB / 2, 4096, i);
    REQUIRE(EXPECT(SPW_OK, spw_block_put(file, NULL, NAME(name), want, GIB, NONE, NULL, &err)));
  }
  printf("put in %.1f s\n", now_s() - begun);
  close_file(file);
  struct stat status;
  REQUIRE(stat(path, &status) == 0);
  CHECK((uint64_t)status.st_size > 10 * GIB);
  file = open_file(path);
  for (uint64_t i = 0; i < kBlocks; i++) {
    char name[16];
    snprintf(name, sizeof name, "%02" PRIu64, i);
    fill_record(want + GIB / 2, 4096, i);
    check_range(file, name, want, GIB / 2 - 1000, 6000);
    check_range(file, name, want, GIB - 6000, 6000);
  }
  EXPECT(SPW_OK, spw_block_put(file, NULL, NAME("small"), "1", 1, NONE, NULL, &err));
  close_file(file);
  munmap(want, GIB);
  return check_finish();
}

int main(int argc, char** argv) {
  const char* part = argc > 1 ? argv[1] : "";
  if (strcmp(part, "--read") == 0 || strcmp(part, "--write") == 0) {
    return open_and_measure(argv[2], part[2] == 'r' ? SPW_OPEN_READ_ONLY : SPW_OPEN_EXISTING);
  }
  return strcmp(part, "names") == 0         ? test_names()
         : strcmp(part, "blocks") == 0      ? test_blocks()
         : strcmp(part, "million") == 0     ? test_million(argv[0])
         : strcmp(part, "large_block") == 0 ? test_large_block()
         : strcmp(part, "large_file") == 0  ? test_large_file()
                                            : 2;
}
