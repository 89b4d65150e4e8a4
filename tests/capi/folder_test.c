/* Folders of files into blocks and back: what comes out, what is counted, who may call and how. The
 * rest is tested from the inside. */
#define _GNU_SOURCE 1
#include <ftw.h>
#include <sys/stat.h>

#include "block_fixture.h"

enum { kBlocks = 50, kLen = 3000 };

static spw_transfer empty_transfer(void) {
  spw_transfer transfer;
  memset(&transfer, 0, sizeof transfer);
  transfer.struct_size = sizeof transfer;
  return transfer;
}

static int is_transfer(const spw_transfer* transfer, uint64_t blocks, uint64_t bytes,
                       uint64_t equal, uint64_t ignored) {
  return transfer->struct_size == sizeof *transfer && transfer->flags == 0 &&
         transfer->blocks == blocks && transfer->bytes == bytes && transfer->equal == equal &&
         transfer->ignored == ignored;
}

static const char* numbered_name(uint64_t i) {
  static char name[32];
  snprintf(name, sizeof name, "part%" PRIu64 "/page:%" PRIu64, i % 3, i);
  return name;
}

static const char* path_in(const char* folder, const char* name) {
  static char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

static void write_text(const char* path, const char* text) {
  FILE* file = fopen(path, "wb");
  REQUIRE(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
}

static int file_holds(const char* path, const void* bytes, size_t len) {
  size_t found_len;
  uint8_t* found = bytes_of(path, &found_len);
  const int same = found_len == len && memcmp(found, bytes, len) == 0;
  free(found);
  return same;
}

static int remove_entry(const char* path, const struct stat* status, int type, struct FTW* walk) {
  (void)status, (void)type, (void)walk;
  return remove(path);
}

static void remove_tree(const char* folder) {
  CHECK(nftw(folder, remove_entry, 10, FTW_DEPTH | FTW_PHYS) == 0);
}

static void there_and_back(void) {
  phase("blocks into files and back");
  const char* folder = temp_path("files");
  spw_file* file = open_file(temp_path("there"));
  for (uint64_t i = 0; i < kBlocks; i++) {
    put_numbered(file, NULL, numbered_name(i), i, kLen);
  }
  put_text(file, NULL, "other", "is not asked for");
  spw_op* op;
  REQUIRE(EXPECT(SPW_OK, spw_op_new(&op, &err)));
  spw_transfer done = empty_transfer();
  EXPECT(SPW_OK, spw_file_export(file, NULL, NAME("part"), NAME(folder), op, &done, &err));
  CHECK(is_transfer(&done, kBlocks, (uint64_t)kBlocks * kLen, 0, 0));
  uint64_t progress = 0, total = 7;
  spw_op_progress(op, &progress, &total);
  CHECK(progress >= (uint64_t)kBlocks * kLen && total == 0);
  uint8_t* bytes = make_bytes(7, kLen);
  CHECK(file_holds(path_in(folder, "1/page%3A7"), bytes, kLen));
  free(bytes);
  CHECK(!exists(path_in(folder, "other")));
  EXPECT(SPW_OK, spw_file_export(file, NULL, NAME("part"), NAME(folder), NULL, &done, &err));
  CHECK(is_transfer(&done, 0, 0, kBlocks, 0));
  EXPECT(SPW_OK, spw_file_export(file, NULL, NAME("part"), NAME(folder), NULL, NULL, &err));
  close_file(file);

  const char* path = temp_path("back");
  file = open_file(path);
  REQUIRE(symlink("nowhere", path_in(folder, "link")) == 0);
  EXPECT(SPW_OK, spw_file_import(file, NAME(folder), NAME("part"), op, &done, &err));
  CHECK(is_transfer(&done, kBlocks, (uint64_t)kBlocks * kLen, 0, 1));
  EXPECT(SPW_OK, spw_file_import(file, NAME(folder), NAME("part"), NULL, &done, &err));
  CHECK(is_transfer(&done, 0, 0, kBlocks, 1));
  EXPECT(SPW_OK, spw_file_import(file, NAME(folder), NULL, 0, NULL, NULL, &err));
  crash_file(file); /* what an import moved is durable without anything else */
  file = open_file_again(path);
  for (uint64_t i = 0; i < kBlocks; i++) {
    CHECK(holds_numbered(file, NULL, numbered_name(i), i, kLen));
    CHECK(holds_numbered(file, NULL, numbered_name(i) + strlen("part"), i, kLen));
  }
  CHECK_EQUAL(list_all(file).blocks, 2 * kBlocks);
  close_file(file);
  spw_op_free(op);
  remove_tree(folder);
}

static void as_a_transaction_sees_it(void) {
  phase("a transaction's export");
  const char* folder = temp_path("txn.files");
  spw_file* file = open_file(temp_path("txn"));
  spw_file* other = open_file(temp_path("txn other"));
  put_text(file, NULL, "a", "old");
  spw_txn* txn = begin_txn(file, 0);
  put_text(file, txn, "b", "own");
  put_text(file, NULL, "a", "new");
  spw_transfer done = empty_transfer();
  done.blocks = 7;
  EXPECT(SPW_INVALID_ARGUMENT, spw_file_export(other, txn, "", 0, NAME(folder), NULL, &done, &err));
  CHECK(is_transfer(&done, 0, 0, 0, 0) && !exists(folder));
  EXPECT(SPW_OK, spw_file_export(file, txn, "", 0, NAME(folder), NULL, &done, &err));
  CHECK(is_transfer(&done, 2, 6, 0, 0));
  CHECK(file_holds(path_in(folder, "a"), "old", 3));
  CHECK(file_holds(path_in(folder, "b"), "own", 3));
  EXPECT(SPW_OK, spw_txn_commit(txn, SPW_COMMIT_RELAXED, &err));
  EXPECT(SPW_INVALID_STATE, spw_file_export(file, txn, "", 0, NAME(folder), NULL, &done, &err));
  spw_txn_free(txn);
  close_file(other);
  close_file(file);
  remove_tree(folder);
}

static void what_they_return(void) {
  phase("the codes of a call that does not succeed");
  const char* folder = temp_path("codes.files");
  const char* path = temp_path("codes");
  spw_file* file = open_file(path);
  put_text(file, NULL, "a", "text");
  spw_transfer done = empty_transfer();
  EXPECT(SPW_NOT_FOUND, spw_file_import(file, NAME(folder), "", 0, NULL, &done, &err));
  EXPECT(SPW_NOT_FOUND,
         spw_file_export(file, NULL, "", 0, NAME(path_in(folder, "x")), NULL, &done, &err));
  EXPECT(SPW_NOT_FOUND, spw_file_import(file, NAME(path), "", 0, NULL, &done, &err));
  EXPECT(SPW_NOT_FOUND, spw_file_export(file, NULL, "", 0, NAME(path), NULL, &done, &err));
  EXPECT(SPW_OK, spw_file_export(file, NULL, "", 0, NAME(folder), NULL, &done, &err));

  spw_op* op;
  REQUIRE(EXPECT(SPW_OK, spw_op_new(&op, &err)));
  spw_op_cancel(op);
  done.equal = 7;
  EXPECT(SPW_CANCELLED, spw_file_import(file, NAME(folder), "", 0, op, &done, &err));
  CHECK_EQUAL(done.equal, 0);
  EXPECT(SPW_CANCELLED, spw_file_export(file, NULL, "", 0, NAME(folder), op, &done, &err));
  spw_op_free(op);

  char deep[1025];
  memset(deep, 'p', sizeof deep - 1);
  deep[sizeof deep - 1] = 0;
  EXPECT(SPW_INVALID_ARGUMENT, spw_file_import(file, NAME(folder), deep, 1024, NULL, &done, &err));
  EXPECT(SPW_OK, spw_file_import(file, NAME(folder), deep, 1023, NULL, &done, &err));
  CHECK(is_transfer(&done, 1, 4, 0, 0));
  close_file(file);

  file = try_open_file(path, PAIRS(SPW_OPT_OPEN, SPW_OPEN_READ_ONLY), SPW_OK);
  EXPECT(SPW_READONLY, spw_file_import(file, NAME(folder), "", 0, NULL, &done, &err));
  EXPECT(SPW_OK, spw_file_export(file, NULL, "a", 1, NAME(folder), NULL, &done, &err));
  CHECK_EQUAL(done.blocks, 1); /* of the name that is nothing but the prefix */
  EXPECT(SPW_OK, spw_file_close(file, 0, &err));
  done.equal = 7;
  EXPECT(SPW_CLOSED, spw_file_import(file, NAME(folder), "", 0, NULL, &done, &err));
  EXPECT(SPW_CLOSED, spw_file_export(file, NULL, "", 0, NAME(folder), NULL, &done, &err));
  CHECK_EQUAL(done.equal, 0);
  spw_file_free(file);
  remove_tree(folder);
}

/* `out` is filled with what was done before the failure, and the message tells where it was. */
static void what_was_done_before_it_failed(void) {
  phase("half an import");
  const char* folder = temp_path("half.files");
  spw_file* file = open_file(temp_path("half"));
  REQUIRE(mkdir(folder, 0700) == 0);
  put_text(file, NULL, "a", "there already");
  write_text(path_in(folder, "a"), "there already");
  write_text(path_in(folder, "x%41"), "one");   /* stands for itself, so it is x%41 */
  write_text(path_in(folder, "x%2541"), "two"); /* what an export writes for x%41 */
  spw_transfer done = empty_transfer();
  EXPECT(SPW_INVALID_ARGUMENT, spw_file_import(file, NAME(folder), "", 0, NULL, &done, &err));
  CHECK(is_transfer(&done, 0, 0, 1, 0));
  spw_error* why = NULL;
  CHECK_EQUAL(spw_file_import(file, NAME(folder), "", 0, NULL, NULL, &why), SPW_INVALID_ARGUMENT);
  CHECK(strstr(spw_error_message(why, NULL), "x%2541") != NULL);
  spw_error_free(why);
  close_file(file);
  remove_tree(folder);
}

static void misuse(void) {
  phase("handles and arguments that are none");
  const char* folder = temp_path("misuse.files");
  spw_file* file = open_file(temp_path("misuse"));
  spw_txn* txn = begin_txn(file, 0);
  spw_options* options = make_options(PAIRS(0));
  void* const files[] = {NULL, txn, options};
  for (int i = 0; i < 3; i++) {
    spw_transfer done = empty_transfer();
    done.blocks = done.equal = 7;
    EXPECT(SPW_INVALID_ARGUMENT, spw_file_import(files[i], NAME(folder), "", 0, NULL, &done, &err));
    CHECK(done.blocks == 0 && done.equal == 0);
    EXPECT(SPW_INVALID_ARGUMENT,
           spw_file_export(files[i], NULL, "", 0, NAME(folder), NULL, &done, &err));
    EXPECT(SPW_INVALID_ARGUMENT,
           spw_file_export(file, i == 0 ? (spw_txn*)(void*)file : (spw_txn*)(void*)options, "", 0,
                           NAME(folder), NULL, &done, &err));
    EXPECT(SPW_INVALID_ARGUMENT,
           spw_file_import(file, NAME(folder), "", 0, (spw_op*)(void*)file, &done, &err));
    EXPECT(SPW_INVALID_ARGUMENT,
           spw_file_export(file, NULL, "", 0, NAME(folder), (spw_op*)(void*)options, &done, &err));
  }
  static const uint32_t sizes[] = {0, 7, 5000};
  for (int i = 0; i < 3; i++) {
    spw_transfer done = empty_transfer();
    done.struct_size = sizes[i];
    EXPECT(SPW_INVALID_ARGUMENT, spw_file_import(file, NAME(folder), "", 0, NULL, &done, &err));
    EXPECT(SPW_INVALID_ARGUMENT,
           spw_file_export(file, NULL, "", 0, NAME(folder), NULL, &done, &err));
  }
  EXPECT(SPW_INVALID_ARGUMENT, spw_file_import(file, NULL, 3, "", 0, NULL, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_file_import(file, "", 0, "", 0, NULL, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_file_import(file, "a\0b", 3, "", 0, NULL, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_file_import(file, NAME(folder), NULL, 1, NULL, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_file_import(file, NAME(folder), "\0", 1, NULL, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_file_export(file, NULL, "", 0, NULL, 3, NULL, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_file_export(file, NULL, "", 0, "", 0, NULL, NULL, &err));
  EXPECT(SPW_INVALID_ARGUMENT, spw_file_export(file, NULL, NULL, 1, "x", 1, NULL, NULL, &err));
  CHECK(!exists(folder));

  /* Of an older program: what it knows is filled, and nothing behind it. */
  put_text(file, NULL, "a", "text");
  spw_transfer done = empty_transfer();
  done.struct_size = 16; /* up to blocks */
  done.bytes = 7;
  EXPECT(SPW_OK, spw_file_export(file, NULL, "", 0, NAME(folder), NULL, &done, &err));
  CHECK(done.struct_size == 16 && done.blocks == 1 && done.bytes == 7);
  spw_txn_free(txn);
  spw_options_free(options);
  close_file(file);
  remove_tree(folder);
}

int main(void) {
  there_and_back();
  as_a_transaction_sees_it();
  what_they_return();
  what_was_done_before_it_failed();
  misuse();
  return check_finish();
}
