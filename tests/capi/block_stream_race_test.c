/* Readers and writers of streams on many threads: what is read is whole and of one moment, what is
 * committed is there, and a handle that takes one thread at a time tells the others. */
#define _GNU_SOURCE 1
#include "block_fixture.h"

#define MIB ((size_t)1 << 20)
enum { kThreads = 8, kNames = 3 };

static spw_file* file;
static pthread_barrier_t start;
static spw_reader* reader;
static spw_writer* writer;

typedef struct worker {
  pthread_t thread;
  uint64_t id;
  uint64_t count; /* of what it did */
} worker;

/* Returns what all of them counted. */
static uint64_t run(void* (*body)(void*)) {
  worker workers[kThreads];
  REQUIRE(pthread_barrier_init(&start, NULL, kThreads) == 0);
  for (uint64_t i = 0; i < kThreads; i++) {
    workers[i] = (worker){.id = i};
    REQUIRE(pthread_create(&workers[i].thread, NULL, body, &workers[i]) == 0);
  }
  uint64_t count = 0;
  for (int i = 0; i < kThreads; i++) {
    pthread_join(workers[i].thread, NULL);
    count += workers[i].count;
  }
  pthread_barrier_destroy(&start);
  return count;
}

/* A block's length says what it holds. */
static int is_whole(spw_reader* of, uint8_t* buffer, size_t cap) {
  uint64_t got = 0, len = 0;
  while (len < cap) {
    const spw_status status = spw_reader_read(of, buffer + len, 300000, &got, NULL);
    if (status != SPW_OK) {
      return status == SPW_CLOSED;
    }
    if (got == 0) {
      return is_record(buffer, (size_t)len, len);
    }
    len += got;
  }
  return 0;
}

/* ---- One handle --------------------------------------------------------------------------------
 */

enum { kLen = 3000000 };

static void* read_places(void* context) {
  worker* self = context;
  uint8_t* buffer = malloc(kLen);
  uint8_t* want = make_bytes(1, kLen);
  REQUIRE(buffer != NULL);
  pthread_barrier_wait(&start);
  for (uint64_t i = 0; i < 200; i++) {
    const uint64_t at = (i * 7919 + self->id * 104729) * 31 % kLen;
    const uint64_t cap = 1 + (i * 6151 % 150000);
    const uint64_t len = kLen - at < cap ? kLen - at : cap;
    uint64_t got = 7;
    EXPECT(SPW_OK, spw_reader_read_at(reader, at, buffer, cap, &got, &err));
    CHECK(got == len && memcmp(buffer, want + at, (size_t)len) == 0);
  }
  free(buffer);
  free(want);
  return NULL;
}

static void* read_in_turn(void* context) {
  worker* self = context;
  uint8_t byte[10];
  pthread_barrier_wait(&start);
  for (;;) {
    uint64_t got = 7;
    const spw_status status = spw_reader_read(reader, byte, sizeof byte, &got, NULL);
    CHECK(status == SPW_OK || (status == SPW_INVALID_STATE && got == 0));
    if (status == SPW_OK && got == 0) {
      return NULL;
    }
    self->count += got;
  }
}

static void* write_in_turn(void* context) {
  worker* self = context;
  uint8_t* bytes = malloc(10000);
  REQUIRE(bytes != NULL);
  memset(bytes, 'x', 10000);
  pthread_barrier_wait(&start);
  for (uint64_t i = 0; i < 500; i++) {
    const spw_status status = spw_writer_write(writer, bytes, 10000, NULL);
    CHECK(status == SPW_OK || status == SPW_INVALID_STATE);
    self->count += status == SPW_OK ? 10000 : 0;
  }
  free(bytes);
  return NULL;
}

static void one_handle(void) {
  phase("many threads read places of one reader");
  put_numbered(file, NULL, "shared", 1, kLen);
  flush_file(file);
  EXPECT(SPW_OK, spw_reader_open(file, NULL, NAME("shared"), &reader, &err));
  run(read_places);

  phase("many threads read on: each byte comes once, or the thread is told");
  const uint64_t count = run(read_in_turn);
  CHECK_EQUAL(count, kLen);
  spw_reader_free(reader);

  phase("many threads write to one writer: what was accepted is there");
  EXPECT(SPW_OK, spw_writer_open(file, NULL, NAME("shared"), ANY, &writer, &err));
  const uint64_t written = run(write_in_turn);
  EXPECT(SPW_OK, spw_writer_commit(writer, NULL, &err));
  spw_writer_free(writer);
  CHECK_EQUAL(info_of(file, NULL, "shared").length, written);
  CHECK(written > 0);
}

/* ---- One file ----------------------------------------------------------------------------------
 */

/* Half of them write streams, directly and in transactions, the others read them, delete them and
 * make checkpoints. Until the file is closed, or `rounds` are over. */
static uint64_t rounds;

static spw_status write_one(uint64_t number, const char* name, uint8_t* bytes) {
  const size_t len = 200000 + (size_t)(number * 314159 % (6 * MIB));
  fill_record(bytes, len, len);
  spw_txn* txn = NULL;
  spw_writer* own = NULL;
  spw_status status = number % 3 == 0 ? spw_txn_begin(file, 0, &txn, NULL) : SPW_OK;
  if (status == SPW_OK) {
    status = spw_writer_open(file, txn, NAME(name), ANY, &own, NULL);
  }
  for (size_t at = 0; status == SPW_OK && at < len; at += 500000) {
    status = spw_writer_write(own, bytes + at, len - at < 500000 ? len - at : 500000, NULL);
  }
  if (status == SPW_OK && number % 5 != 0) { /* else it is given up */
    status = spw_writer_commit(own, NULL, NULL);
    if (status == SPW_OK && txn != NULL) {
      status = spw_txn_commit(txn, SPW_COMMIT_RELAXED, NULL);
    }
  }
  spw_writer_free(own);
  spw_txn_free(txn);
  return status;
}

static spw_status look_at_one(uint64_t number, const char* name, uint8_t* bytes) {
  spw_reader* own = NULL;
  spw_status status = spw_reader_open(file, NULL, NAME(name), &own, NULL);
  if (number % 7 == 0 && status == SPW_OK) {
    status = spw_block_delete(file, NULL, NAME(name), ANY, NULL);
  }
  if (own != NULL) {
    CHECK(is_whole(own, bytes, 7 * MIB));
  }
  spw_reader_free(own);
  if (number % 4 == 0 && (status == SPW_OK || status == SPW_NOT_FOUND)) {
    status = spw_file_flush(file, number % 8 == 0 ? SPW_FLUSH_CHECKPOINT : SPW_FLUSH_DEVICE, NULL);
  }
  return status;
}

static void* write_and_look(void* context) {
  worker* self = context;
  uint8_t* bytes = malloc(7 * MIB);
  REQUIRE(bytes != NULL);
  pthread_barrier_wait(&start);
  for (uint64_t round = 1; round <= rounds; round++) {
    const uint64_t number = round * kThreads + self->id;
    char name[8];
    snprintf(name, sizeof name, "n%" PRIu64, number / 2 % kNames);
    const spw_status status =
        self->id % 2 == 0 ? write_one(number, name, bytes) : look_at_one(number, name, bytes);
    if (status == SPW_CLOSED) {
      break;
    }
    CHECK(status == SPW_OK || status == SPW_NOT_FOUND || status == SPW_CONFLICT);
    self->count++;
    if (rounds == UINT64_MAX && round == 10 && self->id == 1) {
      EXPECT(SPW_OK, spw_file_close(file, 0, &err));
    }
  }
  free(bytes);
  return NULL;
}

static void check_all_whole(void) {
  uint8_t* bytes = malloc(7 * MIB);
  REQUIRE(bytes != NULL);
  for (int i = 0; i < kNames; i++) {
    char name[16];
    snprintf(name, sizeof name, "n%d", i);
    if (has_block(file, NULL, name)) {
      EXPECT(SPW_OK, spw_reader_open(file, NULL, NAME(name), &reader, &err));
      CHECK(is_whole(reader, bytes, 7 * MIB));
      spw_reader_free(reader);
    }
  }
  free(bytes);
  check_clean(file, list_all(file).blocks);
}

static void one_file(const char* path) {
  phase("streams are written, read, deleted and checkpointed at once");
  rounds = 20;
  CHECK_EQUAL(run(write_and_look), kThreads * rounds);
  check_all_whole();

  phase("a close in the middle");
  rounds = UINT64_MAX;
  CHECK(run(write_and_look) > 0);
  spw_file_free(file);
  file = open_file(path);
  check_all_whole();
}

static void* read_until_closed(void* context) {
  worker* self = context;
  uint8_t* bytes = malloc(kLen);
  REQUIRE(bytes != NULL);
  pthread_barrier_wait(&start);
  for (spw_status status = SPW_OK; status != SPW_CLOSED; self->count++) {
    if (self->id == 0 && self->count == 10) {
      spw_file_free(file);
    }
    uint64_t got = 7;
    status = spw_reader_read_at(reader, 0, bytes, kLen, &got, NULL);
    CHECK(status == SPW_OK ? got == kLen && is_record(bytes, kLen, 1)
                           : status == SPW_CLOSED && got == 0);
  }
  free(bytes);
  return NULL;
}

static void freed_below_its_readers(const char* path) {
  phase("a file is given up while its readers read");
  static const int64_t opens[] = {SPW_OPEN_READ_ONLY, SPW_OPEN_EXISTING};
  for (int i = 0; i < 6; i++) {
    file = try_open_file(path, PAIRS(SPW_OPT_OPEN, opens[i % 2]), SPW_OK);
    REQUIRE(file != NULL);
    EXPECT(SPW_OK, spw_reader_open(file, NULL, NAME("first"), &reader, &err));
    CHECK(run(read_until_closed) >= 10);
    spw_reader_free(reader);
    close_file(open_file_again(path));
  }
}

int main(void) {
  const char* path = temp_path("streams");
  file = open_file(path);
  one_handle();
  one_file(path);
  put_numbered(file, NULL, "first", 1, kLen);
  close_file(file);
  freed_below_its_readers(path);
  return check_finish();
}
