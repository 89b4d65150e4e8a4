/* Blocks as one caller sees them: writing, reading and changing them in every way there is, names
 * of every kind, versions, tags. Each file is closed, opened again and compared byte by byte. */
#define _GNU_SOURCE 1
#include "block_fixture.h"

static spw_file* file;

static void reopen(const char* path) {
  close_file(file);
  file = open_file(path);
}

/* ---- Whole blocks ------------------------------------------------------------------------------
 */

static const size_t kSizes[] = {0,    1,    1023,  1024, 1025,        4095,
                                4096, 4097, 65536, kMiB, 3 * kMiB + 5};
enum { kSizeCount = sizeof kSizes / sizeof kSizes[0] };

static const char* size_name(size_t i) {
  static char names[4][32];
  static unsigned next;
  char* name = names[next++ % 4];
  snprintf(name, sizeof names[0], "size%zu", kSizes[i]);
  return name;
}

static void check_sizes(uint64_t shift) {
  for (size_t i = 0; i < kSizeCount; i++) {
    CHECK(holds_numbered(file, NULL, size_name(i), i + shift, kSizes[i]));
    CHECK(has_block(file, NULL, size_name(i)));
  }
}

static void whole_blocks(void) {
  phase("what is put is read, before and after flush and reopen");
  const char* path = temp_path("whole");
  file = open_file(path);
  for (size_t i = 0; i < kSizeCount; i++) {
    CHECK(is_gone(file, NULL, size_name(i)));
    CHECK(put_numbered(file, NULL, size_name(i), i, kSizes[i]) > 0);
  }
  check_sizes(0);
  flush_file(file);
  check_sizes(0);
  reopen(path);
  check_sizes(0);

  phase("replaced by others of the same and of other sizes");
  for (size_t i = 0; i < kSizeCount; i++) {
    put_numbered(file, NULL, size_name(i), i + 100, kSizes[i]);
  }
  check_sizes(100);
  reopen(path);
  check_sizes(100);
  for (size_t i = 0; i < kSizeCount; i++) {
    put_numbered(file, NULL, size_name(i), i + 200, kSizes[kSizeCount - 1 - i]);
  }
  reopen(path);
  for (size_t i = 0; i < kSizeCount; i++) {
    CHECK(holds_numbered(file, NULL, size_name(i), i + 200, kSizes[kSizeCount - 1 - i]));
  }
  CHECK_EQUAL(list_all(file).blocks, kSizeCount);
  check_clean(file, kSizeCount);
  close_file(file);
}

static void nothing_is_a_block(void) {
  phase("a block of no bytes is a block");
  const char* path = temp_path("nothing");
  file = open_file(path);
  EXPECT(SPW_OK, spw_block_put(file, NULL, NAME("empty"), NULL, 0, ANY, NULL, &err));
  EXPECT(SPW_OK, spw_block_append(file, NULL, NAME("appended"), NULL, 0, NULL, &err));
  reopen(path);
  CHECK(holds(file, NULL, "empty", "", 0));
  CHECK(holds(file, NULL, "appended", "", 0));
  uint64_t len = 7;
  EXPECT(SPW_OK, spw_block_read(file, NULL, NAME("empty"), 0, NULL, 0, &len, &err));
  CHECK_EQUAL(len, 0);
  spw_blob* blob = NULL;
  const uint8_t* data = NULL;
  EXPECT(SPW_OK, spw_block_get(file, NULL, NAME("empty"), 0, SPW_NO_LIMIT, &blob, &err));
  EXPECT(SPW_OK, spw_blob_view(blob, &data, &len, &err));
  CHECK(data != NULL && len == 0);
  spw_blob_free(blob);
  EXPECT(SPW_OK, spw_block_patch(file, NULL, NAME("empty"), 0, NULL, 0, &err));
  CHECK_EQUAL(list_all(file).blocks, 2);
  close_file(file);
}

static void overwrites_read_at_once(void) {
  phase("a thousand overwrites, each read at once, none flushed");
  const char* path = temp_path("overwrites");
  file = open_file(path);
  uint64_t last = 0;
  for (uint64_t i = 0; i < 1000; i++) {
    const size_t len = (size_t)(i * 37 % 9000);
    const uint64_t version = put_numbered(file, NULL, "block", i, len);
    CHECK(version > last);
    last = version;
    CHECK(holds_numbered(file, NULL, "block", i, len));
    CHECK_EQUAL(info_of(file, NULL, "block").version, version);
  }
  reopen(path);
  CHECK(holds_numbered(file, NULL, "block", 999, 999 * 37 % 9000));
  CHECK_EQUAL(info_of(file, NULL, "block").version, last);
  CHECK(put_text(file, NULL, "block", "next") > last);
  close_file(file);
}

/* ---- Names -------------------------------------------------------------------------------------
 */

static void names_of_every_kind(void) {
  phase("names are bytes: cases, slashes, colons, Unicode, up to 1,024 of them");
  const char* path = temp_path("names");
  file = open_file(path);
  static char longest[SPW_BLOCK_NAME_MAX + 1], longest_other[SPW_BLOCK_NAME_MAX + 1];
  memset(longest, 'n', SPW_BLOCK_NAME_MAX);
  memcpy(longest_other, longest, sizeof longest);
  longest_other[SPW_BLOCK_NAME_MAX - 1] = 'o';
  const char* const names[] = {"a",
                               "A",
                               "/",
                               "\\",
                               ":",
                               "a/b",
                               "a\\b",
                               "a:b",
                               "/a",
                               "a/",
                               "../up",
                               ".",
                               "..",
                               " ",
                               "a b",
                               "\x01",
                               "\x7f",
                               "\xff\xfe",
                               "\xc3\xa9",
                               "e\xcc\x81", /* the same letter, other bytes */
                               "\xe6\x97\xa5\xe6\x9c\xac",
                               "\xf0\x9f\x8c\x8a",
                               "\"quoted'",
                               "%s%n",
                               "tab\there",
                               "line\nhere",
                               longest,
                               longest_other};
  enum { kNames = sizeof names / sizeof names[0] };
  for (uint64_t i = 0; i < kNames; i++) {
    CHECK(!has_block(file, NULL, names[i]));
    put_numbered(file, NULL, names[i], i, 100 + i);
  }
  for (int round = 0; round < 2; round++) {
    for (uint64_t i = 0; i < kNames; i++) {
      CHECK(holds_numbered(file, NULL, names[i], i, 100 + i));
    }
    CHECK_EQUAL(list_all(file).blocks, kNames);
    reopen(path);
  }
  EXPECT(SPW_OK, spw_block_delete(file, NULL, NAME("A"), ANY, &err));
  CHECK(has_block(file, NULL, "a") && !has_block(file, NULL, "A"));

  phase("and other names are none");
  static char too_long[SPW_BLOCK_NAME_MAX + 1];
  memset(too_long, 'n', sizeof too_long);
  const struct {
    const char* name;
    size_t len;
  } bad[] = {{too_long, sizeof too_long}, {"", 0}, {"a\0b", 3}, {"\0", 1}, {"a", SIZE_MAX}};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    uint64_t version = 7;
    EXPECT(SPW_INVALID_ARGUMENT,
           spw_block_put(file, NULL, bad[i].name, bad[i].len, "x", 1, ANY, &version, &err));
    CHECK_EQUAL(version, 0);
    EXPECT(SPW_INVALID_ARGUMENT,
           spw_block_rename(file, NULL, "a", 1, bad[i].name, bad[i].len, 0, &err));
  }
  CHECK_EQUAL(list_all(file).blocks, kNames - 1);
  close_file(file);
}

/* ---- Ranges ------------------------------------------------------------------------------------
 */

static void check_range(const char* name, const uint8_t* all, size_t size, uint64_t offset,
                        size_t cap) {
  uint8_t* buffer = malloc(cap + 1);
  REQUIRE(buffer != NULL);
  memset(buffer, 0xa5, cap + 1);
  const size_t left = offset < size ? size - (size_t)offset : 0;
  const size_t want = cap < left ? cap : left;
  uint64_t len = 77;
  EXPECT(SPW_OK, spw_block_read(file, NULL, NAME(name), offset, buffer, cap, &len, &err));
  CHECK_EQUAL(len, want);
  CHECK(want == 0 || memcmp(buffer, all + offset, want) == 0);
  CHECK_EQUAL(buffer[cap], 0xa5);
  spw_blob* blob = NULL;
  EXPECT(SPW_OK, spw_block_get(file, NULL, NAME(name), offset, cap, &blob, &err));
  const uint8_t* data = NULL;
  EXPECT(SPW_OK, spw_blob_view(blob, &data, &len, &err));
  CHECK(len == want && (want == 0 || memcmp(data, all + offset, want) == 0));
  spw_blob_free(blob);
  free(buffer);
}

static void ranges(void) {
  phase("ranges of a block: within, at its end, beyond it");
  const char* path = temp_path("ranges");
  file = open_file(path);
  const size_t size = 300000;
  uint8_t* all = make_bytes(5, size);
  put_numbered(file, NULL, "block", 5, size);
  static const uint64_t offsets[] = {0,     1,      4095,   4096,   65535,     65536,
                                     65537, 299999, 300000, 300001, UINT64_MAX};
  static const size_t caps[] = {0, 1, 2, 4096, 65536, 65537, 300000, 300001};
  for (int round = 0; round < 2; round++) {
    for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
      for (size_t j = 0; j < sizeof caps / sizeof caps[0]; j++) {
        check_range("block", all, size, offsets[i], caps[j]);
      }
    }
    reopen(path);
  }
  free(all);
  close_file(file);
}

static void appends_and_patches(void) {
  phase("bytes added at the end, and written within");
  const char* path = temp_path("append");
  file = open_file(path);
  const size_t size = 400000;
  uint8_t* all = make_bytes(6, size);
  uint64_t length = 0;
  size_t at = 0;
  for (size_t step = 1; at < size; step = step * 3 % 50021 + 1) {
    const size_t len = step < size - at ? step : size - at;
    EXPECT(SPW_OK, spw_block_append(file, NULL, NAME("log"), all + at, len, &length, &err));
    at += len;
    CHECK_EQUAL(length, at);
    if (at % 7 == 0) {
      flush_file(file);
    }
  }
  CHECK(holds(file, NULL, "log", all, size));
  reopen(path);
  CHECK(holds(file, NULL, "log", all, size));

  static const uint64_t offsets[] = {0, 4095, 65530, 131072, 399990};
  for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
    fill_record(all + offsets[i], 10, 70 + i);
    EXPECT(SPW_OK,
           spw_block_patch(file, NULL, NAME("log"), offsets[i], all + offsets[i], 10, &err));
    CHECK(holds(file, NULL, "log", all, size));
  }
  fill_record(all + 1000, 200000, 80);
  EXPECT(SPW_OK, spw_block_patch(file, NULL, NAME("log"), 1000, all + 1000, 200000, &err));
  CHECK(holds(file, NULL, "log", all, size));
  reopen(path);
  CHECK(holds(file, NULL, "log", all, size));

  phase("but not beyond its end");
  const uint64_t version = info_of(file, NULL, "log").version;
  EXPECT(SPW_INVALID_ARGUMENT,
         spw_block_patch(file, NULL, NAME("log"), 399991, "0123456789", 10, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_block_patch(file, NULL, NAME("log"), 400000, "x", 1, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_block_patch(file, NULL, NAME("log"), UINT64_MAX, "x", 1, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_block_patch(file, NULL, NAME("log"), UINT64_MAX, "xx", 2, &err));
  EXPECT(SPW_OK, spw_block_patch(file, NULL, NAME("log"), 400000, NULL, 0, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_block_patch(file, NULL, NAME("log"), 400001, NULL, 0, &err));
  EXPECT(SPW_NOT_FOUND, spw_block_patch(file, NULL, NAME("none"), 0, "x", 1, &err));
  CHECK(!has_block(file, NULL, "none"));
  CHECK(holds(file, NULL, "log", all, size));
  CHECK(info_of(file, NULL, "log").version >= version);
  EXPECT(SPW_OK, spw_block_append(file, NULL, NAME("log"), "end", 3, NULL, &err));
  CHECK_EQUAL(info_of(file, NULL, "log").length, size + 3);
  free(all);
  close_file(file);
}

/* ---- Versions ----------------------------------------------------------------------------------
 */

static spw_status put_if(const char* text, uint64_t expected, spw_status want) {
  uint64_t version = 7;
  EXPECT(want, spw_block_put(file, NULL, NAME("b"), NAME(text), expected, &version, &err));
  CHECK((version != 0) == (want == SPW_OK));
  return want;
}

static void versions(void) {
  phase("conditions: no such block, any, this version");
  const char* path = temp_path("versions");
  file = open_file(path);
  put_if("x", 1, SPW_NOT_FOUND);
  put_if("one", NONE, SPW_OK);
  put_if("two", NONE, SPW_ALREADY_EXISTS);
  CHECK(holds_text(file, NULL, "b", "one"));
  const uint64_t first = info_of(file, NULL, "b").version;
  put_if("two", first, SPW_OK);
  put_if("three", first, SPW_CONFLICT);
  put_if("three", UINT64_MAX - 1, SPW_CONFLICT);
  CHECK(holds_text(file, NULL, "b", "two"));
  const uint64_t second = info_of(file, NULL, "b").version;
  CHECK(second > first);
  reopen(path);
  CHECK_EQUAL(info_of(file, NULL, "b").version, second);
  put_if("three", second, SPW_OK);

  phase("every kind of change gives a new version");
  uint64_t last = info_of(file, NULL, "b").version;
  EXPECT(SPW_OK, spw_block_append(file, NULL, NAME("b"), "!", 1, NULL, &err));
  CHECK(info_of(file, NULL, "b").version > last);
  last = info_of(file, NULL, "b").version;
  EXPECT(SPW_OK, spw_block_patch(file, NULL, NAME("b"), 0, "T", 1, &err));
  CHECK(info_of(file, NULL, "b").version > last);
  last = info_of(file, NULL, "b").version;
  EXPECT(SPW_OK, spw_block_set_tag(file, NULL, NAME("b"), "t", 1, &err));
  CHECK(info_of(file, NULL, "b").version > last);
  last = info_of(file, NULL, "b").version;
  EXPECT(SPW_OK, spw_block_rename(file, NULL, NAME("b"), NAME("c"), 0, &err));
  CHECK(info_of(file, NULL, "c").version > last);
  last = info_of(file, NULL, "c").version;
  CHECK(holds_text(file, NULL, "c", "Three!"));

  phase("a block that comes again is not the one that was deleted");
  EXPECT(SPW_CONFLICT, spw_block_delete(file, NULL, NAME("c"), first, &err));
  EXPECT(SPW_NOT_FOUND, spw_block_delete(file, NULL, NAME("b"), last, &err));
  EXPECT(SPW_OK, spw_block_delete(file, NULL, NAME("c"), last, &err));
  CHECK(is_gone(file, NULL, "c"));
  CHECK(put_text(file, NULL, "c", "again") > last);
  close_file(file);
}

/* ---- Delete, rename, tags ----------------------------------------------------------------------
 */

static void deletes(void) {
  phase("what is deleted is gone, also after reopen");
  const char* path = temp_path("deletes");
  file = open_file(path);
  EXPECT(SPW_NOT_FOUND, spw_block_delete(file, NULL, NAME("a"), ANY, &err));
  put_numbered(file, NULL, "a", 1, 10);
  put_numbered(file, NULL, "b", 2, 100000);
  put_numbered(file, NULL, "c", 3, 5);
  EXPECT(SPW_OK, spw_block_delete(file, NULL, NAME("c"), ANY, &err)); /* never flushed */
  flush_file(file);
  EXPECT(SPW_OK, spw_block_delete(file, NULL, NAME("b"), ANY, &err));
  EXPECT(SPW_NOT_FOUND, spw_block_delete(file, NULL, NAME("b"), ANY, &err));
  for (int round = 0; round < 3; round++) {
    CHECK(is_gone(file, NULL, "b") && is_gone(file, NULL, "c"));
    CHECK(holds_numbered(file, NULL, "a", 1, 10));
    CHECK_EQUAL(list_all(file).blocks, 1);
    reopen(path);
  }
  put_numbered(file, NULL, "b", 4, 7); /* and the name is free */
  EXPECT(SPW_OK, spw_block_delete(file, NULL, NAME("a"), ANY, &err));
  flush_file(file);
  crash_file(file);
  file = open_file_again(path);
  CHECK(is_gone(file, NULL, "a") && holds_numbered(file, NULL, "b", 4, 7));
  close_file(file);
}

static void renames(void) {
  phase("a renamed block is the same under another name");
  const char* path = temp_path("renames");
  file = open_file(path);
  put_numbered(file, NULL, "a", 1, 50000);
  EXPECT(SPW_OK, spw_block_set_tag(file, NULL, NAME("a"), "tag", 3, &err));
  const spw_block_info before = info_of(file, NULL, "a");
  EXPECT(SPW_OK, spw_block_rename(file, NULL, NAME("a"), NAME("b"), 0, &err));
  CHECK(is_gone(file, NULL, "a") && holds_numbered(file, NULL, "b", 1, 50000));
  const spw_block_info after = info_of(file, NULL, "b");
  CHECK(after.created_ns == before.created_ns && after.tag_len == 3);
  CHECK(memcmp(after.tag, "tag", 3) == 0 && after.version > before.version);

  phase("the new name must be free, or to be replaced");
  put_numbered(file, NULL, "c", 3, 300);
  EXPECT(SPW_ALREADY_EXISTS, spw_block_rename(file, NULL, NAME("b"), NAME("c"), 0, &err));
  EXPECT(SPW_OK, spw_block_rename(file, NULL, NAME("b"), NAME("b"), 0, &err));
  EXPECT(SPW_NOT_FOUND, spw_block_rename(file, NULL, NAME("a"), NAME("d"), 0, &err));
  EXPECT(SPW_NOT_FOUND,
         spw_block_rename(file, NULL, NAME("a"), NAME("c"), SPW_RENAME_REPLACE, &err));
  CHECK(holds_numbered(file, NULL, "b", 1, 50000) && holds_numbered(file, NULL, "c", 3, 300));
  EXPECT(SPW_OK, spw_block_rename(file, NULL, NAME("b"), NAME("c"), SPW_RENAME_REPLACE, &err));
  EXPECT(SPW_OK, spw_block_rename(file, NULL, NAME("c"), NAME("c"), SPW_RENAME_REPLACE, &err));
  EXPECT(SPW_UNSUPPORTED, spw_block_rename(file, NULL, NAME("c"), NAME("d"), 2, &err));
  for (int round = 0; round < 2; round++) {
    CHECK(is_gone(file, NULL, "b") && is_gone(file, NULL, "d"));
    CHECK(holds_numbered(file, NULL, "c", 1, 50000));
    CHECK_EQUAL(info_of(file, NULL, "c").tag_len, 3);
    CHECK_EQUAL(list_all(file).blocks, 1);
    reopen(path);
  }
  close_file(file);
}

static void tags_and_times(void) {
  phase("tags of up to 128 bytes, and times");
  const char* path = temp_path("tags");
  file = open_file(path);
  struct timespec now;
  REQUIRE(clock_gettime(CLOCK_REALTIME, &now) == 0);
  const int64_t now_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
  put_text(file, NULL, "b", "text");
  spw_block_info info = info_of(file, NULL, "b");
  CHECK_EQUAL(info.tag_len, 0);
  CHECK(info.created_ns == info.modified_ns);
  CHECK(llabs(info.created_ns - now_ns) < INT64_C(60000000000));
  const int64_t created_ns = info.created_ns;

  uint8_t tag[SPW_BLOCK_TAG_MAX + 1];
  fill_record(tag, sizeof tag, 9);
  tag[3] = 0; /* any byte is good */
  EXPECT(SPW_OK, spw_block_set_tag(file, NULL, NAME("b"), tag, SPW_BLOCK_TAG_MAX, &err));
  EXPECT(SPW_TOO_BIG, spw_block_set_tag(file, NULL, NAME("b"), tag, sizeof tag, &err));
  EXPECT(SPW_NOT_FOUND, spw_block_set_tag(file, NULL, NAME("none"), tag, 1, &err));
  put_text(file, NULL, "b", "other text"); /* the tag stays */
  for (int round = 0; round < 2; round++) {
    info = info_of(file, NULL, "b");
    CHECK(info.tag_len == SPW_BLOCK_TAG_MAX && memcmp(info.tag, tag, SPW_BLOCK_TAG_MAX) == 0);
    CHECK(info.created_ns == created_ns && info.modified_ns >= created_ns);
    CHECK_EQUAL(info.length, 10);
    reopen(path);
  }
  EXPECT(SPW_OK, spw_block_set_tag(file, NULL, NAME("b"), "short", 5, &err));
  info = info_of(file, NULL, "b");
  CHECK(info.tag_len == 5 && memcmp(info.tag, "short\0\0", 7) == 0);
  EXPECT(SPW_OK, spw_block_set_tag(file, NULL, NAME("b"), NULL, 0, &err));
  CHECK_EQUAL(info_of(file, NULL, "b").tag_len, 0);
  CHECK(holds_text(file, NULL, "b", "other text"));
  close_file(file);
}

int main(void) {
  whole_blocks();
  nothing_is_a_block();
  overwrites_read_at_once();
  names_of_every_kind();
  ranges();
  appends_and_patches();
  versions();
  deletes();
  renames();
  tags_and_times();
  return check_finish();
}
