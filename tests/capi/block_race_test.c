/* Many threads on one block file: who wins is one of them, what is read is whole, and nothing that
 * was acknowledged is lost. */
#define _GNU_SOURCE 1
#include "block_fixture.h"

enum { kThreads = 16, kNames = 100 };

static spw_file* file;
static pthread_barrier_t start;

typedef struct worker {
  pthread_t thread;
  uint64_t id;
  uint64_t rounds;
  uint64_t won;
  uint64_t last_version;
} worker;

static void run(void* (*body)(void*), worker* workers, uint64_t rounds) {
  REQUIRE(pthread_barrier_init(&start, NULL, kThreads) == 0);
  for (uint64_t i = 0; i < kThreads; i++) {
    workers[i] = (worker){.id = i, .rounds = rounds};
    REQUIRE(pthread_create(&workers[i].thread, NULL, body, &workers[i]) == 0);
  }
  for (int i = 0; i < kThreads; i++) {
    pthread_join(workers[i].thread, NULL);
  }
  pthread_barrier_destroy(&start);
}

/* ---- One winner --------------------------------------------------------------------------------
 */

static void* put_if_absent(void* context) {
  worker* self = context;
  for (uint64_t round = 0; round < self->rounds; round++) {
    char name[32];
    snprintf(name, sizeof name, "absent%" PRIu64, round);
    pthread_barrier_wait(&start);
    const spw_status status =
        spw_block_put(file, NULL, NAME(name), &self->id, sizeof self->id, NONE, NULL, NULL);
    CHECK(status == SPW_OK || status == SPW_ALREADY_EXISTS);
    self->won += status == SPW_OK ? UINT64_C(1) << (round % 32) : 0;
  }
  return NULL;
}

static void one_creates(void) {
  phase("of sixteen that create a block one does");
  worker workers[kThreads];
  enum { kRounds = 32 };
  run(put_if_absent, workers, kRounds);
  for (uint64_t round = 0; round < kRounds; round++) {
    char name[32];
    snprintf(name, sizeof name, "absent%" PRIu64, round);
    uint64_t winners = 0, winner = 77;
    for (uint64_t i = 0; i < kThreads; i++) {
      if ((workers[i].won >> round & 1) != 0) {
        winners++;
        winner = i;
      }
    }
    CHECK_EQUAL(winners, 1);
    CHECK(holds(file, NULL, name, &winner, sizeof winner));
  }
}

static uint64_t common_version; /* what all of a round expect */

static void* compare_and_swap(void* context) {
  worker* self = context;
  for (uint64_t round = 0; round < self->rounds; round++) {
    pthread_barrier_wait(&start);
    const uint64_t expected = common_version;
    pthread_barrier_wait(&start);
    uint64_t version = 7;
    const spw_status status =
        spw_block_put(file, NULL, "cas", 3, &self->id, sizeof self->id, expected, &version, NULL);
    CHECK(status == SPW_OK || status == SPW_CONFLICT);
    CHECK((version != 0) == (status == SPW_OK));
    if (status == SPW_OK) {
      CHECK(version > expected);
      self->won++;
      common_version = version; /* the others read it behind the next barrier */
    }
  }
  return NULL;
}

static void one_swaps(void) {
  phase("of sixteen that expect one version one replaces it");
  enum { kRounds = 50 };
  worker workers[kThreads];
  common_version = put_text(file, NULL, "cas", "begin");
  run(compare_and_swap, workers, kRounds);
  uint64_t won = 0;
  for (int i = 0; i < kThreads; i++) {
    won += workers[i].won;
  }
  CHECK_EQUAL(won, kRounds);
  CHECK_EQUAL(info_of(file, NULL, "cas").version, common_version);
}

/* A counter that is raised by compare and swap: no raise is lost. */
static void* count_up(void* context) {
  worker* self = context;
  pthread_barrier_wait(&start);
  while (self->won < self->rounds) {
    spw_block_info info = empty_info();
    uint64_t count = 0, len = 0;
    spw_txn* snapshot = begin_txn(file, SPW_TXN_READ_ONLY);
    EXPECT(SPW_OK, spw_block_stat(file, snapshot, "count", 5, &info, &err));
    EXPECT(SPW_OK, spw_block_read(file, snapshot, "count", 5, 0, &count, sizeof count, &len, &err));
    spw_txn_free(snapshot);
    count++;
    const spw_status status =
        spw_block_put(file, NULL, "count", 5, &count, sizeof count, info.version, NULL, NULL);
    CHECK(status == SPW_OK || status == SPW_CONFLICT);
    self->won += status == SPW_OK ? 1 : 0;
  }
  return NULL;
}

static void no_raise_is_lost(void) {
  phase("a counter that sixteen threads raise");
  enum { kRounds = 100 };
  worker workers[kThreads];
  const uint64_t zero = 0, all = kThreads * kRounds;
  EXPECT(SPW_OK, spw_block_put(file, NULL, "count", 5, &zero, sizeof zero, NONE, NULL, &err));
  run(count_up, workers, kRounds);
  CHECK(holds(file, NULL, "count", &all, sizeof all));
}

/* The same by transactions, which conflict at their commit. */
static void* commit_up(void* context) {
  worker* self = context;
  pthread_barrier_wait(&start);
  while (self->won < self->rounds) {
    spw_txn* txn = begin_txn(file, 0);
    uint64_t count = 0, len = 0;
    EXPECT(SPW_OK, spw_block_read(file, txn, "total", 5, 0, &count, sizeof count, &len, &err));
    count++;
    EXPECT(SPW_OK, spw_block_put(file, txn, "total", 5, &count, sizeof count, ANY, NULL, &err));
    const spw_status status = spw_txn_commit(txn, SPW_COMMIT_RELAXED, NULL);
    CHECK(status == SPW_OK || status == SPW_CONFLICT);
    self->won += status == SPW_OK ? 1 : 0;
    spw_txn_free(txn);
  }
  return NULL;
}

static void no_commit_is_lost(void) {
  phase("a counter that sixteen threads raise in transactions");
  enum { kRounds = 50 };
  worker workers[kThreads];
  const uint64_t zero = 0, all = kThreads * kRounds;
  EXPECT(SPW_OK, spw_block_put(file, NULL, "total", 5, &zero, sizeof zero, NONE, NULL, &err));
  run(commit_up, workers, kRounds);
  CHECK(holds(file, NULL, "total", &all, sizeof all));
}

/* ---- Whole values ------------------------------------------------------------------------------
 */

/* A value that says who wrote it and when, again and again: a mix of two is seen. */
static size_t fill_value(uint64_t* words, uint64_t id, uint64_t round) {
  const size_t count = 1 + (size_t)((id * 131 + round * 17) % 4000);
  for (size_t i = 0; i < count; i++) {
    words[i] = id << 32 | round;
  }
  return count;
}

static int is_value(const uint64_t* words, size_t bytes) {
  uint64_t want[4001];
  if (bytes < sizeof want[0]) {
    return 0;
  }
  const size_t count = fill_value(want, words[0] >> 32, words[0] & UINT32_MAX);
  return bytes == count * sizeof want[0] && memcmp(words, want, bytes) == 0;
}

static void* overwrite(void* context) {
  worker* self = context;
  uint64_t words[4001], seen[4001];
  pthread_barrier_wait(&start);
  for (uint64_t round = 0; round < self->rounds; round++) {
    const size_t count = fill_value(words, self->id, round);
    uint64_t version = 0, len = 0;
    EXPECT(SPW_OK, spw_block_put(file, NULL, "shared", 6, words, count * sizeof words[0], ANY,
                                 &version, &err));
    CHECK(version > self->last_version);
    self->last_version = version;
    EXPECT(SPW_OK, spw_block_read(file, NULL, "shared", 6, 0, seen, sizeof seen, &len, &err));
    CHECK(is_value(seen, (size_t)len));
    if (round % 50 == self->id) {
      flush_file(file);
    }
  }
  return NULL;
}

static void last_of_sixteen(const char* path) {
  phase("sixteen threads write one block: at the end it is one of their last");
  enum { kRounds = 200 };
  worker workers[kThreads];
  run(overwrite, workers, kRounds);
  uint64_t version = 0, owner = 0;
  for (uint64_t i = 0; i < kThreads; i++) {
    if (workers[i].last_version > version) {
      version = workers[i].last_version;
      owner = i;
    }
  }
  uint64_t words[4001];
  const size_t count = fill_value(words, owner, kRounds - 1);
  for (int round = 0; round < 2; round++) {
    CHECK(holds(file, NULL, "shared", words, count * sizeof words[0]));
    CHECK_EQUAL(info_of(file, NULL, "shared").version, version);
    close_file(file);
    file = open_file(path);
  }
}

/* Every thread has names of its own among the hundred, and reads those of others. */
static void* write_own(void* context) {
  worker* self = context;
  pthread_barrier_wait(&start);
  for (uint64_t round = 0; round < self->rounds; round++) {
    for (uint64_t i = self->id; i < kNames; i += kThreads) {
      char name[32];
      snprintf(name, sizeof name, "own%" PRIu64, i);
      put_numbered(file, NULL, name, i * 1000 + round, (size_t)((i * 97 + round * 389) % 9000));
      CHECK(holds_numbered(file, NULL, name, i * 1000 + round,
                           (size_t)((i * 97 + round * 389) % 9000)));
    }
    if (self->id == 0) {
      const spw_block_stats stats = file_stats_of(file);
      CHECK(stats.bytes_file == stats.bytes_used + stats.bytes_held + stats.bytes_free);
    } else if (self->id == 1) {
      EXPECT(SPW_OK, spw_file_flush(file, SPW_FLUSH_CHECKPOINT, &err));
    } else if (self->id == 2) {
      CHECK(list_on(open_list(file, NULL, "own", 0), 7).blocks <= kNames);
    }
  }
  return NULL;
}

static void hundred_names(const char* path) {
  phase("a hundred blocks written by sixteen threads, with flushes, lists and statistics");
  enum { kRounds = 20 };
  worker workers[kThreads];
  run(write_own, workers, kRounds);
  for (int round = 0; round < 2; round++) {
    CHECK_EQUAL(list_on(open_list(file, NULL, "own", 0), 1000).blocks, kNames);
    for (uint64_t i = 0; i < kNames; i++) {
      char name[32];
      snprintf(name, sizeof name, "own%" PRIu64, i);
      CHECK(holds_numbered(file, NULL, name, i * 1000 + kRounds - 1,
                           (size_t)((i * 97 + (kRounds - 1) * 389) % 9000)));
    }
    close_file(file);
    file = open_file(path);
  }
}

/* ---- A close in the middle ---------------------------------------------------------------------
 */

static void* until_closed(void* context) {
  worker* self = context;
  spw_status status = SPW_OK;
  pthread_barrier_wait(&start);
  for (uint64_t round = 0; status == SPW_OK; round++) {
    if (self->id == 0 && round == 100) {
      EXPECT(SPW_OK, spw_file_close(file, 0, &err));
    }
    status = spw_block_put(file, NULL, "closing", 7, &round, sizeof round, ANY, NULL, NULL);
    self->won += status == SPW_OK ? 1 : 0;
  }
  CHECK_EQUAL(status, SPW_CLOSED);
  return NULL;
}

static void closed_in_the_middle(const char* path) {
  phase("a file that is closed while sixteen threads write");
  worker workers[kThreads];
  run(until_closed, workers, 0);
  spw_file_free(file);
  file = open_file(path);
  uint64_t last = 0, len = 0;
  EXPECT(SPW_OK, spw_block_read(file, NULL, "closing", 7, 0, &last, sizeof last, &len, &err));
  uint64_t most = 0;
  for (int i = 0; i < kThreads; i++) {
    most = workers[i].won > most ? workers[i].won : most;
  }
  CHECK(len == sizeof last && last < most);
}

int main(void) {
  const char* path = temp_path("race");
  file = open_file(path);
  one_creates();
  one_swaps();
  no_raise_is_lost();
  no_commit_is_lost();
  last_of_sixteen(path);
  hundred_names(path);
  closed_in_the_middle(path);
  flush_file(file);
  check_clean(file, list_all(file).blocks);
  close_file(file);
  return check_finish();
}
