/* Every call of a block file that changes or reads blocks, where all of them are to be refused:
 * after a close, after a fork. Outputs are what they are of a failed call. */
#ifndef SPW_TESTS_CAPI_BLOCK_REFUSED_H
#define SPW_TESTS_CAPI_BLOCK_REFUSED_H

#include "block_fixture.h"

static inline void refuses_writing(spw_status expected, spw_file* file, spw_txn* txn) {
  const uint64_t offsets[] = {0, 1};
  uint64_t number = 7;
  EXPECT(expected, spw_block_put(file, txn, "a", 1, "x", 1, ANY, &number, &err));
  CHECK_EQUAL(number, 0);
  EXPECT(expected,
         spw_block_put_batch(file, txn, "a", 1, offsets, "x", 1, offsets, 1, NULL, &number, &err));
  EXPECT(expected, spw_block_append(file, txn, "a", 1, "x", 1, &number, &err));
  EXPECT(expected, spw_block_patch(file, txn, "a", 1, 0, "x", 1, &err));
  EXPECT(expected, spw_block_delete(file, txn, "a", 1, ANY, &err));
  EXPECT(expected, spw_block_rename(file, txn, "a", 1, "b", 1, 0, &err));
  EXPECT(expected, spw_block_set_tag(file, txn, "a", 1, "x", 1, &err));
  spw_writer* writer = NOWHERE;
  EXPECT(expected, spw_writer_open(file, txn, "a", 1, ANY, &writer, &err));
  CHECK(writer == NULL);
}

static inline void refuses_reading(spw_status expected, spw_file* file, spw_txn* txn) {
  const uint64_t offsets[] = {0, 1};
  spw_block_info info = empty_info();
  info.length = 7;
  EXPECT(expected, spw_block_stat(file, txn, "a", 1, &info, &err));
  CHECK_EQUAL(info.length, 0);
  int32_t there = 7;
  EXPECT(expected, spw_block_exists(file, txn, "a", 1, &there, &err));
  uint64_t number = 7;
  uint8_t byte;
  EXPECT(expected, spw_block_read(file, txn, "a", 1, 0, &byte, 1, &number, &err));
  uint64_t ends[2] = {7, 7};
  int32_t status = 7;
  EXPECT(expected,
         spw_block_read_batch(file, txn, "a", 1, offsets, 1, &byte, 1, ends, &status, &err));
  CHECK(number == 0 && there == 0 && ends[0] == 0 && ends[1] == 0 && status == 0);
  spw_blob* blob = NOWHERE;
  EXPECT(expected, spw_block_get(file, txn, "a", 1, 0, 1, &blob, &err));
  spw_list* list = NOWHERE;
  EXPECT(expected, spw_list_open(file, txn, "", 0, 0, &list, &err));
  spw_reader* reader = NOWHERE;
  EXPECT(expected, spw_reader_open(file, txn, "a", 1, &reader, &err));
  CHECK(blob == NULL && list == NULL && reader == NULL);
}

#endif
