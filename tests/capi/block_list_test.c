/* Lists: which blocks, in which order, as of when, in which pieces. */
#define _GNU_SOURCE 1
#include "block_fixture.h"

static spw_file* file;

/* The next block of a list is this one; "" is the end. */
static void next_is(spw_list* list, const char* want) {
  spw_block_view view = empty_block_view();
  EXPECT(SPW_OK, spw_list_next(list, 1, &view, &err));
  if (want[0] == '\0') {
    CHECK(view.count == 0 && view.names == NULL && view.name_offsets == NULL && view.infos == NULL);
    return;
  }
  CHECK_EQUAL(view.count, 1);
  if (view.count == 1) {
    const size_t len = (size_t)(view.name_offsets[1] - view.name_offsets[0]);
    check_that(len == strlen(want) && memcmp(view.names + view.name_offsets[0], want, len) == 0,
               __FILE__, __LINE__, "the next is %.*s, want %s", (int)len,
               view.names + view.name_offsets[0], want);
  }
}

static void all_are(spw_list* list, const char* const* names, size_t count) {
  for (size_t i = 0; i < count; i++) {
    next_is(list, names[i]);
  }
  next_is(list, "");
  next_is(list, ""); /* and stays there */
}

static void order_and_prefix(void) {
  phase("in the order of bytes, by prefix");
  file = open_file(temp_path("order"));
  static const char* const names[] = {"\x01", "A",    "B",        "a",           "a/",
                                      "a/1",  "a/10", "a/2",      "a0",          "ab",
                                      "abc",  "\x7f", "\xc3\xa9", "\xff\xff\xff"};
  enum { kNames = sizeof names / sizeof names[0] };
  spw_list* list = open_list(file, NULL, "", 0);
  next_is(list, "");
  spw_list_free(list);
  for (size_t i = 0; i < kNames; i++) {
    put_text(file, NULL, names[(i * 5) % kNames], "x");
  }
  static const struct {
    const char* prefix;
    size_t first, end;
  } prefixes[] = {{"", 0, kNames},
                  {"a", 3, 11},
                  {"a/", 4, 8},
                  {"a/1", 5, 7},
                  {"abc", 10, 11},
                  {"abcd", 11, 11},
                  {"b", 11, 11},
                  {"\xff", 13, 14},
                  {"\xff\xff\xff", 13, 14},
                  {"\xff\xff\xff\xff", 14, 14},
                  {"A", 1, 2}};
  for (int round = 0; round < 2; round++) {
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
      for (uint32_t flags = 0; flags <= SPW_LIST_NAMES_ONLY; flags++) {
        list = open_list(file, NULL, prefixes[i].prefix, flags);
        all_are(list, names + prefixes[i].first, prefixes[i].end - prefixes[i].first);
        spw_list_free(list);
      }
    }
    flush_file(file);
  }

  phase("seek: to the first that is not below");
  static const struct {
    const char* prefix;
    const char* to;
    const char* next;
  } seeks[] = {{"", "a/1", "a/1"}, {"", "a/11", "a/2"},          {"", "", "\x01"},
               {"", "zz", "\x7f"}, {"", "\xff\xff\xff\xff", ""}, {"a", "A", "a"},
               {"a/", "", "a/"},   {"a/", "a/15", "a/2"},        {"a/", "a0", ""},
               {"a/", "b", ""},    {"a/", "\x01", "a/"},         {"none", "a", ""}};
  for (size_t i = 0; i < sizeof seeks / sizeof seeks[0]; i++) {
    list = open_list(file, NULL, seeks[i].prefix, 0);
    for (int round = 0; round < 3; round++) { /* forwards, backwards, and from the end */
      EXPECT(SPW_OK, spw_list_seek(list, NAME(seeks[i].to), &err));
      next_is(list, seeks[i].next);
    }
    spw_list_free(list);
  }
  close_file(file);
}

static void pieces(void) {
  phase("in pieces of every size, with what stat says of each");
  const char* path = temp_path("pieces");
  file = open_file(path);
  enum { kBlocks = 3000 };
  char name[16];
  uint64_t bytes = 0;
  for (uint64_t i = 0; i < kBlocks; i++) {
    snprintf(name, sizeof name, "p%05" PRIu64, i * 7919 % kBlocks);
    put_numbered(file, NULL, name, i, (size_t)(i % 50));
    bytes += i % 50;
  }
  EXPECT(SPW_OK, spw_block_set_tag(file, NULL, "p00042", 6, "tag\0ged", 7, &err));
  static const uint64_t steps[] = {1, 2, 7, 999, 1024, 1025, 3000, 3001, SPW_NO_LIMIT};
  for (int round = 0; round < 3; round++) {
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
      const listed all = list_on(open_list(file, NULL, "", 0), steps[i]);
      CHECK(all.blocks == kBlocks && all.bytes == bytes);
    }
    spw_list* list = open_list(file, NULL, "p00042", 0);
    spw_block_view view = empty_block_view();
    EXPECT(SPW_OK, spw_list_next(list, SPW_NO_LIMIT, &view, &err));
    CHECK_EQUAL(view.count, 1);
    const spw_block_info info = info_of(file, NULL, "p00042");
    CHECK(view.count == 1 && memcmp(&view.infos[0], &info, sizeof info) == 0);
    CHECK(info.tag_len == 7 && memcmp(info.tag, "tag\0ged", 7) == 0);
    spw_list_free(list);
    if (round == 0) {
      flush_file(file);
    } else {
      close_file(file);
      file = open_file(path);
    }
  }

  phase("names only");
  spw_list* list = open_list(file, NULL, "", SPW_LIST_NAMES_ONLY);
  uint64_t names = 0;
  for (;;) {
    spw_block_view view = empty_block_view();
    if (!EXPECT(SPW_OK, spw_list_next(list, 500, &view, &err)) || view.count == 0) {
      break;
    }
    CHECK(view.infos == NULL && view.flags == 0);
    for (uint64_t i = 0; i < view.count; i++, names++) {
      snprintf(name, sizeof name, "p%05" PRIu64, names);
      CHECK(view.name_offsets[i + 1] - view.name_offsets[i] == 6 &&
            memcmp(view.names + view.name_offsets[i], name, 6) == 0);
    }
  }
  CHECK_EQUAL(names, kBlocks);
  spw_list_free(list);
  close_file(file);
}

static void as_of_its_beginning(void) {
  phase("what changes later is not seen");
  file = open_file(temp_path("later"));
  for (int flushed = 0; flushed < 2; flushed++) {
    put_text(file, NULL, "b", "old");
    put_text(file, NULL, "c", "old");
    put_text(file, NULL, "e", "old");
    if (flushed) {
      EXPECT(SPW_OK, spw_file_flush(file, SPW_FLUSH_CHECKPOINT, &err));
    }
    const uint64_t version = info_of(file, NULL, "c").version;
    spw_list* list = open_list(file, NULL, "", 0);
    next_is(list, "b");
    put_text(file, NULL, "a", "new");
    put_text(file, NULL, "c", "newer");
    put_text(file, NULL, "d", "new");
    EXPECT(SPW_OK, spw_block_delete(file, NULL, "e", 1, ANY, &err));
    EXPECT(SPW_OK, spw_block_rename(file, NULL, "b", 1, "f", 1, 0, &err));
    EXPECT(SPW_OK, spw_file_flush(file, SPW_FLUSH_CHECKPOINT, &err));
    spw_block_view view = empty_block_view();
    EXPECT(SPW_OK, spw_list_next(list, 1, &view, &err));
    CHECK(view.count == 1 && view.infos[0].version == version && view.infos[0].length == 3);
    next_is(list, "e");
    next_is(list, "");
    EXPECT(SPW_OK, spw_list_seek(list, NULL, 0, &err));
    static const char* const then[] = {"b", "c", "e"};
    all_are(list, then, 3);
    spw_list_free(list);
    static const char* const now[] = {"a", "c", "d", "f"};
    list = open_list(file, NULL, "", 0);
    all_are(list, now, 4);
    spw_list_free(list);
    for (int i = 0; i < 4; i++) {
      EXPECT(SPW_OK, spw_block_delete(file, NULL, now[i], 1, ANY, &err));
    }
  }

  phase("as a transaction saw it: also its own changes until then");
  put_text(file, NULL, "a", "1");
  put_text(file, NULL, "c", "3");
  flush_file(file);
  spw_txn* txn = begin_txn(file, 0);
  put_text(file, txn, "b", "22");
  EXPECT(SPW_OK, spw_block_delete(file, txn, "c", 1, ANY, &err));
  put_text(file, NULL, "d", "4");
  spw_list* list = open_list(file, txn, "", 0);
  put_text(file, txn, "bb", "too late");
  EXPECT(SPW_OK, spw_block_delete(file, txn, "a", 1, ANY, &err));
  next_is(list, "a");
  spw_block_view view = empty_block_view();
  EXPECT(SPW_OK, spw_list_next(list, 1, &view, &err));
  CHECK(view.count == 1 && view.infos[0].version == 0 && view.infos[0].length == 2);
  next_is(list, "");
  static const char* const own[] = {"a", "b"};
  spw_txn_free(txn); /* the list goes on without it */
  EXPECT(SPW_OK, spw_list_seek(list, "", 0, &err));
  all_are(list, own, 2);
  spw_list_free(list);
  close_file(file);
}

static void after_close(void) {
  phase("a list of a file that is closed or freed answers CLOSED");
  for (int freed = 0; freed < 2; freed++) {
    file = open_file(temp_path("closed"));
    put_text(file, NULL, "a", "1");
    flush_file(file);
    spw_list* list = open_list(file, NULL, "", 0);
    if (freed) {
      EXPECT(SPW_OK, spw_file_flush(file, SPW_FLUSH_CHECKPOINT, &err));
      spw_file_free(file);
    } else {
      close_file(file);
    }
    spw_block_view view = empty_block_view();
    EXPECT(SPW_CLOSED, spw_list_next(list, 1, &view, &err));
    CHECK(view.count == 0 && view.names == NULL);
    EXPECT(SPW_CLOSED, spw_list_seek(list, "a", 1, &err));
    spw_list_free(list);
    if (!freed) {
      file = open_file(temp_path("closed"));
      close_file(file);
    }
  }
}

/* ---- Two threads on one list -------------------------------------------------------------------
 */

static spw_list* shared;

static void* walk(void* context) {
  uint64_t* blocks = context;
  for (int i = 0; i < 20000; i++) {
    spw_block_view view = empty_block_view();
    const spw_status status = spw_list_next(shared, 10, &view, NULL);
    CHECK(status == SPW_OK || status == SPW_INVALID_STATE);
    if (status == SPW_OK && view.count == 0) {
      break;
    }
    *blocks += status == SPW_OK ? view.count : 0;
  }
  return NULL;
}

static void two_threads(void) {
  phase("of two threads on one list one is told so, and no block comes twice");
  file = open_file(temp_path("threads"));
  char name[16];
  for (int i = 0; i < 2000; i++) {
    snprintf(name, sizeof name, "%05d", i);
    put_text(file, NULL, name, "x");
  }
  shared = open_list(file, NULL, "", SPW_LIST_NAMES_ONLY);
  uint64_t blocks[4] = {0, 0, 0, 0};
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) {
    REQUIRE(pthread_create(&threads[i], NULL, walk, &blocks[i]) == 0);
  }
  for (int i = 0; i < 4; i++) {
    pthread_join(threads[i], NULL);
  }
  uint64_t rest = 0;
  for (;;) {
    spw_block_view view = empty_block_view();
    if (!EXPECT(SPW_OK, spw_list_next(shared, 10, &view, &err)) || view.count == 0) {
      break;
    }
    rest += view.count;
  }
  CHECK_EQUAL(blocks[0] + blocks[1] + blocks[2] + blocks[3] + rest, 2000);
  spw_list_free(shared);
  close_file(file);
}

int main(void) {
  order_and_prefix();
  pieces();
  as_of_its_beginning();
  after_close();
  two_threads();
  return check_finish();
}
