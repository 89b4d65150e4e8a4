/* A program that changes a block file is killed again and again, at any moment. What it was told to
 * be on the device is there afterwards, whole and in order, and of what it did later all up to some
 * change.
 *
 * Change number n is always the same, so whoever knows how many were made knows every block. The
 * child makes changes, flushes now and then and says over a pipe how far that went; the parent
 * kills it while it goes on, after so many words as the seed says.
 *
 * Rounds: 200, or SPW_KILL_ROUNDS. SEED=n: another sequence. */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "fixture.h"

enum { kNames = 40, kBytesMost = 300 * kKiB, kAheadMost = 20000 };

/* ---- What each change does ---- */

typedef struct dice {
  uint64_t state;
} dice;

static uint64_t roll(dice* d, uint64_t bound) {
  uint64_t z = d->state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return (z ^ (z >> 31)) % bound;
}

enum what { kPut, kAppend, kPatch, kDelete, kRename, kTransaction, kWhats };

typedef struct change {
  enum what what;
  size_t name;
  size_t other;    /* rename: the new one */
  uint64_t size;   /* of the bytes that come in */
  uint64_t place;  /* patch: where, if the block is long enough */
  int32_t level;   /* transaction: how it is committed */
  uint64_t number; /* makes the bytes */
} change;

static change change_of(uint64_t number) {
  static const uint64_t sizes[] = {0, 1, 100, 900, 4096, 5000, 20000, 140000};
  dice d = {check_seed * UINT64_C(0x2545f4914f6cdd1d) + number};
  change c;
  c.what = (enum what)roll(&d, kWhats);
  c.name = (size_t)roll(&d, kNames);
  c.other = (c.name + 1 + (size_t)roll(&d, kNames - 1)) % kNames;
  c.size = sizes[roll(&d, roll(&d, 10) == 0 ? 8 : 6)];
  c.place = roll(&d, 5000);
  c.level = roll(&d, 20) == 0 ? SPW_FLUSH_DEVICE : SPW_COMMIT_RELAXED;
  c.number = number;
  return c;
}

static size_t name_of(size_t name, char* text) { return (size_t)sprintf(text, "block %zu", name); }

/* ---- What the blocks are then ---- */

typedef struct block {
  uint8_t* data;
  uint64_t len;
  int exists;
} block;

static uint8_t scratch[kBytesMost];

static uint8_t* bytes_of(const change* c) {
  fill_record(scratch, (size_t)c->size, c->number);
  return scratch;
}

static int takes(const block* blocks, const change* c) {
  const block* b = &blocks[c->name];
  switch (c->what) {
    case kAppend:
      return b->len + c->size <= kBytesMost;
    case kPatch:
      return b->exists && c->place <= b->len && c->size <= b->len - c->place;
    case kDelete:
    case kRename:
      return b->exists;
    default:
      return 1;
  }
}

static void put_into(block* b, const uint8_t* data, uint64_t len) {
  memcpy(b->data, data, (size_t)len);
  b->len = len;
  b->exists = 1;
}

static void apply(block* blocks, uint64_t number) {
  const change c = change_of(number);
  block* b = &blocks[c.name];
  if (!takes(blocks, &c)) {
    return;
  }
  const uint8_t* data = bytes_of(&c);
  switch (c.what) {
    case kPut:
      put_into(b, data, c.size);
      break;
    case kAppend:
      memcpy(b->data + b->len, data, (size_t)c.size);
      b->len += c.size;
      b->exists = 1;
      break;
    case kPatch:
      memcpy(b->data + c.place, data, (size_t)c.size);
      break;
    case kDelete:
      b->len = 0;
      b->exists = 0;
      break;
    case kRename:
      put_into(&blocks[c.other], b->data, b->len);
      b->len = 0;
      b->exists = 0;
      break;
    default: /* both, or none */
      put_into(b, data, c.size);
      put_into(&blocks[c.other], data, c.size / 2);
  }
}

static void free_blocks(block* blocks) {
  for (size_t i = 0; i < kNames; i++) {
    free(blocks[i].data);
  }
  free(blocks);
}

static block* no_blocks(void) {
  block* blocks = calloc(kNames, sizeof *blocks);
  REQUIRE(blocks != NULL);
  for (size_t i = 0; i < kNames; i++) {
    REQUIRE((blocks[i].data = malloc(kBytesMost)) != NULL);
  }
  return blocks;
}

/* ---- The child ---- */

static spw_file* open_file(const char* path, int64_t open) {
  spw_options* options =
      make_options(PAIRS(SPW_OPT_OPEN, open, SPW_OPT_FILE_DIRTY_BYTES, 2 * kMiB,
                         SPW_OPT_FILE_JOURNAL_BYTES, 3 * kMiB, SPW_OPT_FILE_GROWTH_BYTES, kMiB));
  spw_file* file = NULL;
  REQUIRE(EXPECT(SPW_OK, spw_file_open(path, strlen(path), options, NULL, &file, &err)));
  spw_options_free(options);
  return file;
}

/* The blocks as they are in the file. */
static void load(spw_file* file, block* found) {
  for (size_t i = 0; i < kNames; i++) {
    char name[32];
    const size_t len = name_of(i, name);
    int32_t exists = -1;
    EXPECT(SPW_OK, spw_block_exists(file, NULL, name, len, &exists, &err));
    found[i].exists = exists;
    found[i].len = 0;
    if (exists == 1) {
      EXPECT(SPW_OK, spw_block_read(file, NULL, name, len, 0, found[i].data, kBytesMost,
                                    &found[i].len, &err));
    }
  }
}

static spw_status change_both(spw_file* file, const change* c, const char* name, size_t name_len,
                              const char* other, size_t other_len, spw_error** error) {
  const uint8_t* data = bytes_of(c);
  spw_txn* txn = NULL;
  spw_status status = spw_txn_begin(file, 0, &txn, error);
  if (status == SPW_OK) {
    status =
        spw_block_put(file, txn, name, name_len, data, c->size, SPW_BLOCK_VERSION_ANY, NULL, error);
  }
  if (status == SPW_OK) {
    status = spw_block_put(file, txn, other, other_len, data, c->size / 2, SPW_BLOCK_VERSION_ANY,
                           NULL, error);
  }
  if (status == SPW_OK) {
    status = spw_txn_commit(txn, c->level, error);
  }
  spw_txn_free(txn);
  return status;
}

static void make_change(spw_file* file, block* blocks, uint64_t number) {
  const change c = change_of(number);
  if (!takes(blocks, &c)) {
    return;
  }
  char name[32], other[32];
  const size_t len = name_of(c.name, name), other_len = name_of(c.other, other);
  const uint8_t* data = bytes_of(&c);
  switch (c.what) {
    case kPut:
      EXPECT(SPW_OK,
             spw_block_put(file, NULL, name, len, data, c.size, SPW_BLOCK_VERSION_ANY, NULL, &err));
      break;
    case kAppend:
      EXPECT(SPW_OK, spw_block_append(file, NULL, name, len, data, c.size, NULL, &err));
      break;
    case kPatch:
      EXPECT(SPW_OK, spw_block_patch(file, NULL, name, len, c.place, data, c.size, &err));
      break;
    case kDelete:
      EXPECT(SPW_OK, spw_block_delete(file, NULL, name, len, SPW_BLOCK_VERSION_ANY, &err));
      break;
    case kRename:
      EXPECT(SPW_OK,
             spw_block_rename(file, NULL, name, len, other, other_len, SPW_RENAME_REPLACE, &err));
      break;
    default:
      EXPECT(SPW_OK, change_both(file, &c, name, len, other, other_len, &err));
  }
  apply(blocks, number);
}

/* Makes changes from number `first` on until it is killed. */
static int child(const char* path, uint64_t first, int words) {
  block* blocks = no_blocks();
  spw_file* file = open_file(path, SPW_OPEN_EXISTING);
  load(file, blocks);
  dice d = {check_seed ^ first};
  for (uint64_t n = first; check_failed == 0; n++) {
    make_change(file, blocks, n);
    const uint64_t what = roll(&d, 30);
    if (what < 4) {
      EXPECT(SPW_OK,
             spw_file_flush(file, what == 0 ? SPW_FLUSH_CHECKPOINT : SPW_FLUSH_DEVICE, &err));
      const uint64_t done = n + 1;
      if (write(words, &done, sizeof done) != sizeof done) {
        return 2; /* the parent is gone */
      }
    }
  }
  return check_finish();
}

/* ---- The parent ---- */

/* The blocks as they are in the file, which must be sound. */
static void read_back(const char* path, block* found) {
  spw_file* file = open_file(path, SPW_OPEN_EXISTING);
  spw_report* report = NULL;
  REQUIRE(
      EXPECT(SPW_OK, spw_file_verify(file, SPW_VERIFY_FULL, SPW_NO_LIMIT, NULL, &report, &err)));
  spw_verify_summary summary = {.struct_size = sizeof summary};
  EXPECT(SPW_OK, spw_report_summary(report, &summary, &err));
  CHECK_EQUAL(summary.problems, 0);
  spw_report_free(report);
  load(file, found);
  EXPECT(
      SPW_OK,
      spw_file_close(
          file, roll(&(dice){check_seed ^ summary.bytes}, 2) == 0 ? SPW_CLOSE_DISCARD : 0, &err));
  spw_file_free(file);
}

static int same(const block* a, const block* b) {
  for (size_t i = 0; i < kNames; i++) {
    if (a[i].exists != b[i].exists || a[i].len != b[i].len ||
        memcmp(a[i].data, b[i].data, (size_t)a[i].len) != 0) {
      return 0;
    }
  }
  return 1;
}

static pid_t start(char* program, const char* path, uint64_t first, int* words) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  char text[3][32];
  snprintf(text[0], sizeof text[0], "%" PRIu64, first);
  snprintf(text[1], sizeof text[1], "%d", ends[1]);
  snprintf(text[2], sizeof text[2], "%" PRIu64, check_seed);
  const pid_t pid = fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    close(ends[0]);
    execl(program, program, path, text[0], text[1], text[2], (char*)NULL);
    _exit(3);
  }
  close(ends[1]);
  *words = ends[0];
  return pid;
}

/* How many changes are on the device for certain. */
static uint64_t kill_after(pid_t pid, int words, uint64_t count, uint64_t spin, uint64_t done) {
  uint64_t word = 0;
  for (uint64_t i = 0; i < count; i++) {
    if (!CHECK(read(words, &word, sizeof word) == sizeof word)) {
      break;
    }
    done = word;
  }
  for (volatile uint64_t i = 0; i < spin; i++) {
  } /* somewhere within a change or a flush */
  kill(pid, SIGKILL);
  while (read(words, &word, sizeof word) == sizeof word) {
    done = word; /* said before it died */
  }
  int status = 0;
  REQUIRE(waitpid(pid, &status, 0) == pid);
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  close(words);
  return done;
}

int main(int argc, char** argv) {
  const char* seed = getenv("SEED");
  check_seed = argc == 5      ? strtoull(argv[4], NULL, 10)
               : seed != NULL ? strtoull(seed, NULL, 10)
                              : 1;
  if (argc == 5) {
    return child(argv[1], strtoull(argv[2], NULL, 10), atoi(argv[3]));
  }
  const char* rounds_text = getenv("SPW_KILL_ROUNDS");
  const uint64_t rounds = rounds_text != NULL ? strtoull(rounds_text, NULL, 10)
                          : is_watched()      ? 20
                                              : 200;
  printf("seed=%" PRIu64 ", %" PRIu64 " rounds\n", check_seed, rounds);
  const char* path = temp_path("killed.blocks");
  spw_file* file = open_file(path, SPW_OPEN_NEW);
  EXPECT(SPW_OK, spw_file_close(file, 0, &err));
  spw_file_free(file);
  block* want = no_blocks();
  block* found = no_blocks();
  dice d = {check_seed};
  uint64_t made = 0;
  uint64_t behind = 0;
  for (uint64_t round = 0; round < rounds && check_failed == 0; round++) {
    int words = -1;
    const pid_t pid = start(argv[0], path, made, &words);
    const uint64_t done =
        kill_after(pid, words, roll(&d, 6), roll(&d, 2) == 0 ? 0 : roll(&d, 2000000), made);
    read_back(path, found);
    for (; made < done; made++) {
      apply(want, made);
    }
    for (; !same(want, found) && made < done + kAheadMost; made++) {
      apply(want, made);
    }
    check_that(same(want, found), __FILE__, __LINE__,
               "round %" PRIu64 ": no state from change %" PRIu64 " on", round, done);
    behind += made - done;
  }
  printf("%" PRIu64 " changes; %" PRIu64 " were there that nobody was told of\n", made, behind);
  free_blocks(want);
  free_blocks(found);
  return check_finish();
}
