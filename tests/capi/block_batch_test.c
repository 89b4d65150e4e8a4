/* Many blocks in one call, and views that outlive what they were taken from. */
#define _GNU_SOURCE 1
#include "block_fixture.h"

static spw_file* file;

/* Names and payloads as columns. */
enum { kBatch = 200 };
typedef struct batch {
  char names[kBatch * 16];
  uint64_t name_offsets[kBatch + 1];
  uint8_t* data;
  uint64_t data_offsets[kBatch + 1];
} batch;

static size_t batch_len(size_t i) { return i % 10 == 0 ? 20000 : i * 7 % 300; }

static batch make_batch(uint64_t shift) {
  batch made;
  memset(&made, 0, sizeof made);
  made.data = malloc(kBatch * 20000);
  REQUIRE(made.data != NULL);
  for (size_t i = 0; i < kBatch; i++) {
    char* name = made.names + made.name_offsets[i];
    const int len = snprintf(name, 16, "n%zu", i);
    made.name_offsets[i + 1] = made.name_offsets[i] + (uint64_t)len;
    fill_record(made.data + made.data_offsets[i], batch_len(i), i + shift);
    made.data_offsets[i + 1] = made.data_offsets[i] + batch_len(i);
  }
  return made;
}

/* With err, for EXPECT. */
static spw_status put_batch(const batch* all, size_t count, const uint64_t* expected,
                            uint64_t* versions, spw_error** error) {
  return spw_block_put_batch(file, NULL, all->names, all->name_offsets[count], all->name_offsets,
                             all->data, all->data_offsets[count], all->data_offsets, count,
                             expected, versions, error);
}

static void check_batch(uint64_t shift) {
  for (size_t i = 0; i < kBatch; i++) {
    char name[16];
    snprintf(name, sizeof name, "n%zu", i);
    CHECK(holds_numbered(file, NULL, name, i + shift, batch_len(i)));
  }
}

/* Fails with this code and this index, and changes nothing. */
static void refused(const batch* all, const uint64_t* expected, spw_status want, int64_t record) {
  uint64_t versions[kBatch];
  memset(versions, 0x55, sizeof versions);
  spw_error* error = NULL;
  CHECK_EQUAL(put_batch(all, kBatch, expected, versions, &error), want);
  CHECK_EQUAL(spw_error_record(error), record);
  CHECK(spw_error_message(error, NULL)[0] != '\0');
  spw_error_free(error);
  for (size_t i = 0; i < kBatch; i++) {
    CHECK_EQUAL(versions[i], 0);
  }
}

static void batches(void) {
  phase("a batch of blocks is there whole");
  const char* path = temp_path("batch");
  file = open_file(path);
  batch all = make_batch(0);
  uint64_t versions[kBatch];
  EXPECT(SPW_OK, put_batch(&all, kBatch, NULL, versions, &err));
  check_batch(0);
  for (size_t i = 0; i < kBatch; i++) {
    char name[16];
    snprintf(name, sizeof name, "n%zu", i);
    CHECK_EQUAL(info_of(file, NULL, name).version, versions[i]);
  }
  EXPECT(SPW_OK, put_batch(&all, 0, NULL, NULL, &err)); /* none is fine */
  EXPECT(SPW_OK,
         spw_block_put_batch(file, NULL, NULL, 0, NULL, NULL, 0, NULL, 0, NULL, NULL, &err));
  CHECK_EQUAL(list_all(file).blocks, kBatch);

  phase("or not at all: one block whose condition fails spoils it");
  batch other = make_batch(1000);
  uint64_t expected[kBatch];
  memcpy(expected, versions, sizeof expected);
  expected[150] = versions[150] + 1000000;
  refused(&other, expected, SPW_CONFLICT, 150);
  memcpy(expected, versions, sizeof expected);
  expected[77] = NONE;
  refused(&other, expected, SPW_ALREADY_EXISTS, 77);
  EXPECT(SPW_OK, spw_block_delete(file, NULL, "n199", 4, ANY, &err));
  memcpy(expected, versions, sizeof expected);
  refused(&other, expected, SPW_NOT_FOUND, 199);
  CHECK(is_gone(file, NULL, "n199"));
  expected[199] = NONE;
  EXPECT(SPW_OK, put_batch(&other, kBatch, expected, NULL, &err));
  check_batch(1000);
  close_file(file);
  file = open_file(path);
  check_batch(1000);
  free(all.data);
  free(other.data);
  close_file(file);
}

static void one_name_twice(void) {
  phase("of two blocks with one name the last counts");
  file = open_file(temp_path("twice"));
  const uint64_t name_offsets[] = {0, 1, 2, 3};
  const uint64_t data_offsets[] = {0, 5, 5, 11};
  uint64_t versions[3] = {0, 0, 0};
  EXPECT(SPW_OK, spw_block_put_batch(file, NULL, "aba", 3, name_offsets, "firstsecond", 11,
                                     data_offsets, 3, NULL, versions, &err));
  CHECK(holds_text(file, NULL, "a", "second") && holds_text(file, NULL, "b", ""));
  CHECK_EQUAL(info_of(file, NULL, "a").version, versions[2]);
  CHECK_EQUAL(list_all(file).blocks, 2);
  close_file(file);
}

static void bad_columns(void) {
  phase("columns that run backwards or beyond their end, and names that are none");
  file = open_file(temp_path("columns"));
  static const struct {
    uint64_t names[4];
    uint64_t data[4];
    int64_t record;
  } bad[] = {{{0, 1, 0, 3}, {0, 1, 2, 3}, 1},          {{0, 1, 2, 4}, {0, 1, 2, 3}, 2},
             {{0, 0, 2, 3}, {0, 1, 2, 3}, 0},          {{0, 1, 2, 3}, {0, 2, 1, 3}, 1},
             {{0, 1, 2, 3}, {0, 1, 2, 12}, 2},         {{5, 1, 2, 3}, {0, 1, 2, 3}, 0},
             {{0, 1, 2, 3}, {UINT64_MAX, 1, 2, 3}, 0}, {{0, 1, 2, UINT64_MAX}, {0, 1, 2, 3}, 2}};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    uint64_t versions[3] = {7, 7, 7};
    spw_error* error = NULL;
    CHECK_EQUAL(spw_block_put_batch(file, NULL, "abc", 3, bad[i].names, "0123456789", 10,
                                    bad[i].data, 3, NULL, versions, &error),
                SPW_INVALID_ARGUMENT);
    check_that(spw_error_record(error) == bad[i].record, __FILE__, __LINE__,
               "case %zu blames %" PRId64 ": %s", i, spw_error_record(error),
               spw_error_message(error, NULL));
    spw_error_free(error);
    CHECK(versions[0] == 0 && versions[1] == 0 && versions[2] == 0);
  }
  static char long_name[SPW_BLOCK_NAME_MAX + 3];
  memset(long_name, 'n', sizeof long_name);
  const uint64_t name_offsets[] = {0, 1, sizeof long_name - 1, sizeof long_name};
  const uint64_t data_offsets[] = {0, 1, 2, 3};
  spw_error* error = NULL;
  CHECK_EQUAL(spw_block_put_batch(file, NULL, long_name, sizeof long_name, name_offsets, "012", 3,
                                  data_offsets, 3, NULL, NULL, &error),
              SPW_INVALID_ARGUMENT);
  CHECK_EQUAL(spw_error_record(error), 1);
  spw_error_free(error);
  const uint64_t short_names[] = {0, 1, 3, 4};
  CHECK_EQUAL(spw_block_put_batch(file, NULL, "ab\0c", 4, short_names, "012", 3, data_offsets, 3,
                                  NULL, NULL, &error),
              SPW_INVALID_ARGUMENT);
  CHECK_EQUAL(spw_error_record(error), 1);
  spw_error_free(error);
  CHECK_EQUAL(list_all(file).blocks, 0);
  close_file(file);
}

static void reads_of_many(void) {
  phase("many blocks in one read, also of those that are not there");
  const char* path = temp_path("many");
  file = open_file(path);
  put_text(file, NULL, "a", "first");
  put_text(file, NULL, "c", "");
  put_text(file, NULL, "d", "fourth");
  const uint64_t names[] = {0, 1, 2, 3, 4, 5};
  uint8_t buffer[32];
  for (int round = 0; round < 2; round++) {
    memset(buffer, 0xa5, sizeof buffer);
    uint64_t offsets[6];
    int32_t statuses[5];
    memset(offsets, 0x55, sizeof offsets);
    memset(statuses, 0x55, sizeof statuses);
    EXPECT(SPW_OK, spw_block_read_batch(file, NULL, "abcda", 5, names, 5, buffer, 16, offsets,
                                        statuses, &err));
    static const uint64_t want_offsets[] = {0, 5, 5, 5, 11, 16};
    static const int32_t want[] = {SPW_OK, SPW_NOT_FOUND, SPW_OK, SPW_OK, SPW_OK};
    CHECK(memcmp(offsets, want_offsets, sizeof offsets) == 0);
    CHECK(memcmp(statuses, want, sizeof statuses) == 0);
    CHECK(memcmp(buffer, "firstfourthfirst\xa5", 17) == 0);

    memset(buffer, 0xa5, sizeof buffer);
    memset(offsets, 0x55, sizeof offsets);
    EXPECT(SPW_TOO_BIG, spw_block_read_batch(file, NULL, "abcda", 5, names, 5, buffer, 15, offsets,
                                             statuses, &err));
    CHECK(memcmp(offsets, want_offsets, sizeof offsets) == 0); /* what is needed */
    EXPECT(SPW_TOO_BIG, spw_block_read_batch(file, NULL, "abcda", 5, names, 5, NULL, 0, offsets,
                                             statuses, &err));
    CHECK_EQUAL(offsets[5], 16);
    EXPECT(SPW_OK,
           spw_block_read_batch(file, NULL, NULL, 0, NULL, 0, NULL, 0, offsets, NULL, &err));
    CHECK_EQUAL(offsets[0], 0);
    EXPECT(SPW_OK,
           spw_block_read_batch(file, NULL, "bc", 2, names, 2, NULL, 0, offsets, statuses, &err));
    CHECK(offsets[2] == 0 && statuses[0] == SPW_NOT_FOUND && statuses[1] == SPW_OK);
    close_file(file);
    file = open_file(path);
  }
  uint64_t offsets[4] = {7, 7, 7, 7};
  int32_t statuses[3] = {7, 7, 7};
  const uint64_t bad[] = {0, 1, 1, 2}; /* the second is empty */
  spw_error* error = NULL;
  CHECK_EQUAL(spw_block_read_batch(file, NULL, "ab", 2, bad, 3, buffer, sizeof buffer, offsets,
                                   statuses, &error),
              SPW_INVALID_ARGUMENT);
  CHECK_EQUAL(spw_error_record(error), 1);
  spw_error_free(error);
  CHECK(offsets[0] == 0 && offsets[3] == 0 && statuses[0] == 0 && statuses[2] == 0);
  close_file(file);
}

/* ---- Blobs -------------------------------------------------------------------------------------
 */

static int blob_holds(const spw_blob* blob, uint64_t number, size_t len) {
  const uint8_t* data = NULL;
  uint64_t got = 0;
  return EXPECT(SPW_OK, spw_blob_view(blob, &data, &got, &err)) && got == len &&
         is_record(data, len, number);
}

static void blobs_stay(void) {
  phase("a view stays as it is whatever happens to block and file");
  const char* path = temp_path("blobs");
  file = open_file(path);
  enum { kWays = 6 };
  static const size_t sizes[] = {10, 5000, 3 * kMiB};
  for (size_t size = 0; size < 3; size++) {
    spw_blob* blobs[kWays * 2];
    for (int i = 0; i < kWays; i++) {
      char name[16];
      snprintf(name, sizeof name, "b%d", i);
      put_numbered(file, NULL, name, (uint64_t)i, sizes[size]);
      EXPECT(SPW_OK, spw_block_get(file, NULL, NAME(name), 0, SPW_NO_LIMIT, &blobs[i * 2], &err));
      flush_file(file);
      EXPECT(SPW_OK,
             spw_block_get(file, NULL, NAME(name), 0, SPW_NO_LIMIT, &blobs[i * 2 + 1], &err));
    }
    put_text(file, NULL, "b0", "other");
    EXPECT(SPW_OK, spw_block_delete(file, NULL, "b1", 2, ANY, &err));
    EXPECT(SPW_OK, spw_block_append(file, NULL, "b2", 2, "more", 4, NULL, &err));
    EXPECT(SPW_OK, spw_block_patch(file, NULL, "b3", 2, 1, "xx", 2, &err));
    EXPECT(SPW_OK, spw_block_rename(file, NULL, "b4", 2, "b5", 2, SPW_RENAME_REPLACE, &err));
    for (int round = 0; round < 3; round++) {
      for (int i = 0; i < kWays * 2; i++) {
        CHECK(blob_holds(blobs[i], (uint64_t)i / 2, sizes[size]));
      }
      EXPECT(SPW_OK, spw_file_flush(file, SPW_FLUSH_CHECKPOINT, &err));
      for (uint64_t i = 0; i < 20; i++) { /* pages that came free are used again */
        put_numbered(file, NULL, "reuse", i, sizes[size] + 100000);
        EXPECT(SPW_OK, spw_file_flush(file, SPW_FLUSH_CHECKPOINT, &err));
      }
    }
    close_file(file);
    for (int i = 0; i < kWays * 2; i++) {
      CHECK(blob_holds(blobs[i], (uint64_t)i / 2, sizes[size]));
      spw_blob_free(blobs[i]);
    }
    file = open_file(path);
  }
  close_file(file);
}

static void blobs_of_ranges(void) {
  phase("a view of up to 64 MiB, and of a range");
  file = open_file(temp_path("big"));
  const size_t size = 65 * (size_t)kMiB;
  uint8_t* all = make_bytes(1, size);
  EXPECT(SPW_OK, spw_block_put(file, NULL, "b", 1, all, size, ANY, NULL, &err));
  spw_blob* blob = NOWHERE;
  EXPECT(SPW_TOO_BIG, spw_block_get(file, NULL, "b", 1, 0, SPW_NO_LIMIT, &blob, &err));
  CHECK(blob == NULL);
  EXPECT(SPW_TOO_BIG, spw_block_get(file, NULL, "b", 1, 0, SPW_BLOB_BYTES_MAX + 1, &blob, &err));
  const struct {
    uint64_t offset, length, want;
  } ranges[] = {{0, SPW_BLOB_BYTES_MAX, SPW_BLOB_BYTES_MAX},
                {kMiB, SPW_NO_LIMIT, size - kMiB},
                {64 * (uint64_t)kMiB + 5, SPW_NO_LIMIT, kMiB - 5},
                {123457, 200000, 200000},
                {size - 1, 5, 1},
                {size, SPW_NO_LIMIT, 0},
                {UINT64_MAX, SPW_NO_LIMIT, 0},
                {7, 0, 0}};
  for (int round = 0; round < 2; round++) {
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
      EXPECT(SPW_OK,
             spw_block_get(file, NULL, "b", 1, ranges[i].offset, ranges[i].length, &blob, &err));
      const uint8_t* data = NULL;
      uint64_t len = 77;
      EXPECT(SPW_OK, spw_blob_view(blob, &data, &len, &err));
      CHECK_EQUAL(len, ranges[i].want);
      CHECK(len == 0 || memcmp(data, all + ranges[i].offset, (size_t)len) == 0);
      spw_blob_free(blob);
    }
    flush_file(file);
  }
  const spw_block_stats stats = file_stats_of(file);
  CHECK(stats.cache_hits + stats.cache_misses > 0);
  CHECK(stats.bytes_cached <= 32 * (uint64_t)kMiB); /* the default */
  free(all);
  close_file(file);
}

int main(void) {
  batches();
  one_name_twice();
  bad_columns();
  reads_of_many();
  blobs_stay();
  blobs_of_ranges();
  return check_finish();
}
