/* Stores, streams and records for the tests of the C API.
 *
 * Record number n of length len is always the same bytes, so whoever reads a record knows what it
 * must be. Everything that a test makes on disk lies in one temporary folder, which goes when the
 * program ends. */
#ifndef FIXTURE_H
#define FIXTURE_H

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

#define FIXTURE static __attribute__((unused))

enum { kKiB = 1024, kMiB = 1024 * 1024 };

/* ---- Time --------------------------------------------------------------------------------------
 */

FIXTURE uint64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Whether something watches the program so closely that its times say nothing. */
FIXTURE int is_watched(void) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return 1;
#else
  const char* preloaded = getenv("LD_PRELOAD");
  return preloaded != NULL && strstr(preloaded, "vgpreload") != NULL;
#endif
}

/* Tries again and again until the condition holds; fails after a minute. */
#define POLL_UNTIL(condition)                                                         \
  do {                                                                                \
    const uint64_t poll_end_ms = now_ms() + 60000;                                    \
    int poll_true;                                                                    \
    while (!(poll_true = !!(condition)) && now_ms() < poll_end_ms) {                  \
      sched_yield();                                                                  \
    }                                                                                 \
    check_that(poll_true, __FILE__, __LINE__, "%s does not become true", #condition); \
  } while (0)

/* ---- Folder ------------------------------------------------------------------------------------
 */

static char folder_[256];
static pid_t folder_owner_;

FIXTURE void folder_remove_(void) {
  DIR* entries = getpid() == folder_owner_ ? opendir(folder_) : NULL;
  if (entries != NULL) {
    for (struct dirent* entry; (entry = readdir(entries)) != NULL;) {
      unlinkat(dirfd(entries), entry->d_name, 0);
    }
    closedir(entries);
    rmdir(folder_);
  }
}

/* A path in the temporary folder. Static text: good until the eighth call after this one. */
FIXTURE const char* temp_path(const char* name) {
  static char paths[8][512];
  static unsigned next;
  if (folder_[0] == '\0') {
    const char* parent = getenv("TMPDIR");
    snprintf(folder_, sizeof folder_, "%.200s/spw-test-XXXXXX", parent != NULL ? parent : "/tmp");
    REQUIRE(mkdtemp(folder_) != NULL);
    folder_owner_ = getpid();
    atexit(folder_remove_);
  }
  char* path = paths[next++ % 8];
  snprintf(path, sizeof paths[0], "%s/%.200s", folder_, name);
  return path;
}

FIXTURE int exists(const char* path) { return access(path, F_OK) == 0; }

/* ---- Stores ------------------------------------------------------------------------------------
 */

/* Options from pairs of key and value that end with a key 0. The caller frees them. */
FIXTURE spw_options* make_options(const int64_t* pairs) {
  spw_options* options = NULL;
  REQUIRE(EXPECT(SPW_OK, spw_options_new(&options, &err)));
  for (; pairs[0] != 0; pairs += 2) {
    EXPECT(SPW_OK, spw_options_set_i64(options, (int32_t)pairs[0], pairs[1], &err));
  }
  return options;
}

#define PAIRS(...) ((const int64_t[]){__VA_ARGS__, 0, 0})
/* Each test of stores runs once with each tier: see CMakeLists.txt. */
FIXTURE int is_sqlite(void) {
  const char* tier = getenv("SPW_TEST_TIER");
  return tier != NULL && strcmp(tier, "sqlite") == 0;
}
#define ON_DISK SPW_OPT_COLD_TIER, is_sqlite() ? SPW_TIER_SQLITE : SPW_TIER_BLOCK_FILE

/* Opens with these options and expects `want`; path NULL: in memory. NULL if it does not open. */
FIXTURE spw_store* try_open(const char* path, const int64_t* pairs, spw_status want) {
  spw_options* options = make_options(pairs);
  spw_store* store = (spw_store*)(uintptr_t)64;
  EXPECT(want, spw_store_open(path, path != NULL ? strlen(path) : 0, options, NULL, &store, &err));
  CHECK((store != NULL) == (want == SPW_OK));
  spw_options_free(options);
  return want == SPW_OK ? store : NULL;
}

FIXTURE spw_store* open_store(const char* path, const int64_t* pairs) {
  spw_store* store = try_open(path, pairs, SPW_OK);
  REQUIRE(store != NULL);
  return store;
}

FIXTURE void close_store(spw_store* store) {
  EXPECT(SPW_OK, spw_store_close(store, 0, SPW_WAIT_FOREVER, NULL, &err));
  spw_store_free(store);
}

FIXTURE uint32_t stream_with(spw_store* store, const char* name, const int64_t* pairs) {
  spw_options* options = make_options(pairs);
  uint32_t stream = SPW_ALL;
  EXPECT(SPW_OK,
         spw_store_stream(store, name, strlen(name), options, SPW_STREAM_CREATE, &stream, &err));
  spw_options_free(options);
  return stream;
}

FIXTURE uint32_t stream_of(spw_store* store, const char* name) {
  uint32_t stream = SPW_ALL;
  EXPECT(SPW_OK,
         spw_store_stream(store, name, strlen(name), NULL, SPW_STREAM_CREATE, &stream, &err));
  return stream;
}

FIXTURE spw_stats stats_of(const spw_store* store) {
  spw_stats stats;
  memset(&stats, 0, sizeof stats);
  stats.struct_size = sizeof stats;
  EXPECT(SPW_OK, spw_store_stats(store, &stats, &err));
  return stats;
}

FIXTURE spw_stream_stats stream_stats_of(const spw_store* store, uint32_t stream) {
  spw_stream_stats stats;
  memset(&stats, 0, sizeof stats);
  stats.struct_size = sizeof stats;
  EXPECT(SPW_OK, spw_store_stream_stats(store, stream, &stats, &err));
  return stats;
}

/* ---- Records -----------------------------------------------------------------------------------
 */

FIXTURE void fill_record(uint8_t* bytes, size_t len, uint64_t number) {
  uint64_t state = number * UINT64_C(0x9e3779b97f4a7c15) + len + 1;
  for (size_t i = 0; i < len; i++) {
    if (i % 8 == 0) {
      state ^= state << 13;
      state ^= state >> 7;
      state ^= state << 17;
    }
    bytes[i] = (uint8_t)(state >> (i % 8 * 8));
  }
}

FIXTURE int is_record(const uint8_t* bytes, size_t len, uint64_t number) {
  uint8_t want[4096];
  if (len > sizeof want) {
    uint8_t* whole = malloc(len);
    REQUIRE(whole != NULL);
    fill_record(whole, len, number);
    const int equal = memcmp(bytes, whole, len) == 0;
    free(whole);
    return equal;
  }
  fill_record(want, len, number);
  return len == 0 || memcmp(bytes, want, len) == 0;
}

/* A batch of the records numbered first, first + 1, ... of `len` bytes each. */
typedef struct packed {
  uint8_t* data;
  uint64_t* offsets;
  size_t count;
} packed;

FIXTURE packed pack(uint64_t first, size_t count, size_t len) {
  packed batch = {malloc(count * len + 1), malloc((count + 1) * sizeof(uint64_t)), count};
  REQUIRE(batch.data != NULL && batch.offsets != NULL);
  for (size_t i = 0; i < count; i++) {
    batch.offsets[i] = i * len;
    fill_record(batch.data + i * len, len, first + i);
  }
  batch.offsets[count] = count * len;
  return batch;
}

FIXTURE void unpack(packed batch) {
  free(batch.data);
  free(batch.offsets);
}

/* Adds the records numbered first, first + 1, ...; returns what *first_seq became. */
FIXTURE uint64_t add_numbered(spw_store* store, uint32_t stream, uint64_t first, size_t count,
                              size_t len) {
  packed batch = pack(first, count, len);
  uint64_t seq = 0;
  EXPECT(SPW_OK, spw_store_add(store, stream, batch.data, batch.offsets[count], batch.offsets,
                               count, NULL, SPW_WAIT_DEFAULT, NULL, &seq, &err));
  unpack(batch);
  return seq;
}

FIXTURE spw_scan scan_from(uint32_t stream, uint64_t begin, uint64_t end) {
  spw_scan scan;
  memset(&scan, 0, sizeof scan);
  scan.struct_size = sizeof scan;
  scan.stream = stream;
  scan.begin_seq = begin;
  scan.end_seq = end;
  return scan;
}

FIXTURE spw_cursor* open_cursor(spw_store* store, uint32_t stream) {
  const spw_scan scan = scan_from(stream, 0, SPW_SEQ_NONE);
  spw_cursor* cursor = NULL;
  REQUIRE(EXPECT(SPW_OK, spw_cursor_open(store, &scan, NULL, &cursor, &err)));
  return cursor;
}

FIXTURE spw_view empty_view(void) {
  spw_view view;
  memset(&view, 0, sizeof view);
  view.struct_size = sizeof view;
  return view;
}

/* Reads on to the end: the records must be those from sequence number `seq` on, each holding the
 * number equal to its sequence number plus `shift`. Returns how many there were. */
FIXTURE uint64_t read_on(spw_cursor* cursor, uint64_t seq, uint64_t shift) {
  uint64_t records = 0;
  uint64_t wrong = 0;
  for (;;) {
    spw_view view = empty_view();
    if (!EXPECT(SPW_OK,
                spw_cursor_next(cursor, SPW_NO_LIMIT, kMiB, SPW_WAIT_FOREVER, NULL, &view, &err)) ||
        view.count == 0) {
      break;
    }
    wrong += view.first_seq != seq + records ? 1 : 0;
    for (uint64_t i = 0; i < view.count; i++) {
      const size_t len = (size_t)(view.end[i] - view.begin[i]);
      wrong += view.end[i] > view.data_len || view.begin[i] > view.end[i] ||
                       !is_record(view.data + view.begin[i], len, seq + records + i + shift)
                   ? 1
                   : 0;
    }
    records += view.count;
  }
  CHECK_EQUAL(wrong, 0);
  return records;
}

/* All records of a stream, each numbered as its sequence number. */
FIXTURE uint64_t read_all(spw_store* store, uint32_t stream) {
  spw_cursor* cursor = open_cursor(store, stream);
  const uint64_t records = read_on(cursor, 0, 0);
  spw_cursor_free(cursor);
  return records;
}

#endif
