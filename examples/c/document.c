/* A document of a few thousand parts in one file. A save changes some parts and is all or nothing,
 * also when the program is killed in the middle of it; opening reads a few pages, not the document.
 *
 *     document new PATH PARTS     a document of so many parts, as of save 0
 *     document save PATH COUNT    one save that changes COUNT parts and the manifest
 *     document check PATH         proves that all parts are of the saves that the manifest says
 *     document delete PATH COUNT  removes the last COUNT parts, as a save
 *     document shrink PATH        gives the space of what is gone back to the disk
 *
 * Each prints one line and ends with 0, or a message and 1 (64: wrong usage). save and delete print
 * their line when they are durable: who has seen it will find that save, or a later one.
 *
 * In the file, for whoever writes the same in another language (numbers are little-endian):
 *
 *   part/NNNNNN     part NNNNNN, decimal with six digits, from 000000
 *     bytes 0 to 7    the save that wrote it (the stamp)
 *     bytes 8 to 15   its number
 *     from 16 on      1,000 + (number * 7,919 + save * 104,729) % 7,001 bytes; byte i of them, from
 *                     0, is (i * 31 + number * 17 + save * 101) % 251
 *
 *   manifest        what the document is made of
 *     bytes 0 to 7    the save
 *     bytes 8 to 15   the count of parts
 *     from 16 on      8 bytes each: the save that wrote part 0, 1, ...
 *
 * Save s changes COUNT parts, at most all, one after another from part (s * 611) % parts on; part 0
 * follows the last one. delete is a save too: it counts one up and writes the manifest. All of a
 * save is one transaction. */
#include <errno.h>
#include <inttypes.h>
#include <spillway.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define TRY(call) \
  if ((call) != SPW_OK) fprintf(stderr, "document: %s\n", spw_error_message(err, NULL)), exit(1)
#define PART_BYTES_MOST (16 + 1000 + 7001)

typedef struct {
  uint64_t save, parts;
  uint64_t* stamps; /* of each part, the save that wrote it */
} manifest;

static spw_error* err;
static spw_file* file;

static void damaged(const char* what, uint64_t part) {
  fprintf(stderr, "document: %s (part %" PRIu64 ")\n", what, part);
  exit(1);
}

static void put_number(uint8_t* to, uint64_t number) {
  for (int i = 0; i < 8; i++) to[i] = (uint8_t)(number >> 8 * i);
}

static uint64_t get_number(const uint8_t* from) {
  uint64_t number = 0;
  for (int i = 0; i < 8; i++) number |= (uint64_t)from[i] << 8 * i;
  return number;
}

static void* allocate(uint64_t bytes) {
  void* memory = calloc(bytes > 0 ? (size_t)bytes : 1, 1);
  if (memory == NULL) fprintf(stderr, "document: no memory\n"), exit(1);
  return memory;
}

/* ---- A part ---- */

static size_t part_name(char name[32], uint64_t number) {
  return (size_t)snprintf(name, 32, "part/%06" PRIu64, number);
}

/* What part `number` holds as of a save; returns its length. */
static uint64_t make_part(uint8_t* part, uint64_t number, uint64_t save) {
  const uint64_t length = 1000 + (number * 7919 + save * 104729) % 7001;
  put_number(part, save);
  put_number(part + 8, number);
  for (uint64_t i = 0; i < length; i++)
    part[16 + i] = (uint8_t)((i * 31 + number * 17 + save * 101) % 251);
  return 16 + length;
}

static void put_part(spw_txn* txn, uint64_t number, uint64_t save) {
  uint8_t part[PART_BYTES_MOST];
  char name[32];
  const uint64_t length = make_part(part, number, save);
  TRY(spw_block_put(file, txn, name, part_name(name, number), part, length, SPW_BLOCK_VERSION_ANY,
                    NULL, &err));
}

/* ---- The manifest ---- */

static void put_manifest(spw_txn* txn, const manifest* all) {
  const uint64_t length = 16 + 8 * all->parts;
  uint8_t* bytes = allocate(length);
  put_number(bytes, all->save);
  put_number(bytes + 8, all->parts);
  for (uint64_t i = 0; i < all->parts; i++) put_number(bytes + 16 + 8 * i, all->stamps[i]);
  TRY(spw_block_put(file, txn, "manifest", 8, bytes, length, SPW_BLOCK_VERSION_ANY, NULL, &err));
  free(bytes);
}

static manifest get_manifest(spw_txn* txn) {
  spw_block_info info = {.struct_size = sizeof info};
  manifest all;
  uint64_t length;
  TRY(spw_block_stat(file, txn, "manifest", 8, &info, &err));
  uint8_t* bytes = allocate(info.length);
  TRY(spw_block_read(file, txn, "manifest", 8, 0, bytes, info.length, &length, &err));
  if (length < 16 || (length - 16) / 8 != get_number(bytes + 8))
    damaged("a manifest of another length", 0);
  all.save = get_number(bytes);
  all.parts = get_number(bytes + 8);
  all.stamps = allocate(8 * all.parts);
  for (uint64_t i = 0; i < all.parts; i++) all.stamps[i] = get_number(bytes + 16 + 8 * i);
  free(bytes);
  return all;
}

/* ---- Verbs ---- */

static void open_document(const char* path, int64_t how) {
  spw_options* options;
  TRY(spw_options_new(&options, &err));
  TRY(spw_options_set_i64(options, SPW_OPT_OPEN, how, &err));
  TRY(spw_file_open(path, strlen(path), options, NULL, &file, &err));
  spw_options_free(options);
}

/* Everything that was changed through `txn` together, durable when this returns. */
static void commit(spw_txn* txn, const char* did, const manifest* all, uint64_t count) {
  TRY(spw_txn_commit(txn, SPW_FLUSH_DEVICE, &err));
  spw_txn_free(txn);
  printf("save %" PRIu64 ": %" PRIu64 " of %" PRIu64 " parts %s\n", all->save, count, all->parts,
         did);
  fflush(stdout);
}

static void new_document(const char* path, uint64_t parts) {
  manifest all = {0, parts, allocate(8 * parts)};
  spw_txn* txn;
  open_document(path, SPW_OPEN_NEW);
  TRY(spw_txn_begin(file, 0, &txn, &err));
  for (uint64_t i = 0; i < parts; i++) put_part(txn, i, 0);
  put_manifest(txn, &all);
  commit(txn, "written", &all, parts);
  free(all.stamps);
}

static void save_document(const char* path, uint64_t count) {
  spw_txn* txn;
  open_document(path, SPW_OPEN_EXISTING);
  TRY(spw_txn_begin(file, 0, &txn, &err));
  manifest all = get_manifest(txn);
  all.save++;
  if (count > all.parts) count = all.parts;
  uint64_t number = all.parts > 0 ? all.save * 611 % all.parts : 0;
  for (uint64_t i = 0; i < count; i++, number = number + 1 < all.parts ? number + 1 : 0) {
    put_part(txn, number, all.save);
    all.stamps[number] = all.save;
  }
  put_manifest(txn, &all);
  commit(txn, "written", &all, count);
  free(all.stamps);
}

static void delete_parts(const char* path, uint64_t count) {
  spw_txn* txn;
  char name[32];
  open_document(path, SPW_OPEN_EXISTING);
  TRY(spw_txn_begin(file, 0, &txn, &err));
  manifest all = get_manifest(txn);
  all.save++;
  if (count > all.parts) count = all.parts;
  for (uint64_t i = 0; i < count; i++) {
    all.parts--;
    TRY(spw_block_delete(file, txn, name, part_name(name, all.parts), SPW_BLOCK_VERSION_ANY, &err));
  }
  put_manifest(txn, &all);
  commit(txn, "left", &all, all.parts);
  free(all.stamps);
}

/* How many blocks are called part/...: no part may be left that the manifest does not know. */
static uint64_t count_parts(spw_txn* txn) {
  spw_list* list;
  spw_block_view view = {.struct_size = sizeof view};
  uint64_t count = 0;
  TRY(spw_list_open(file, txn, "part/", 5, SPW_LIST_NAMES_ONLY, &list, &err));
  do {
    TRY(spw_list_next(list, 1000, &view, &err));
    count += view.count;
  } while (view.count > 0);
  spw_list_free(list);
  return count;
}

static void check_document(const char* path) {
  uint8_t want[PART_BYTES_MOST], found[PART_BYTES_MOST + 1];
  uint64_t length, bytes = 0;
  spw_txn* now;
  char name[32];
  open_document(path, SPW_OPEN_READ_ONLY);
  TRY(spw_txn_begin(file, SPW_TXN_READ_ONLY, &now, &err));
  manifest all = get_manifest(now);
  for (uint64_t i = 0; i < all.parts; i++) {
    const uint64_t wanted = make_part(want, i, all.stamps[i]);
    TRY(spw_block_read(file, now, name, part_name(name, i), 0, found, sizeof found, &length, &err));
    if (length < 16 || get_number(found) != all.stamps[i]) damaged("a part of another save", i);
    if (length != wanted || memcmp(found, want, length) != 0) damaged("a part with other bytes", i);
    bytes += length;
  }
  if (count_parts(now) != all.parts) damaged("more parts than the manifest knows", all.parts);
  printf("save %" PRIu64 ": %" PRIu64 " parts, %" PRIu64 " bytes, all as they were saved\n",
         all.save, all.parts, bytes);
  spw_txn_free(now);
  free(all.stamps);
}

static int64_t length_of(const char* path) {
  struct stat found;
  if (stat(path, &found) != 0)
    fprintf(stderr, "document: %s: %s\n", path, strerror(errno)), exit(1);
  return (int64_t)found.st_size;
}

/* What it gains is seen when the file is closed: until then it has room in reserve. */
static void shrink_document(const char* path) {
  const int64_t before = length_of(path);
  spw_vacuum_result result = {.struct_size = sizeof result};
  open_document(path, SPW_OPEN_EXISTING);
  TRY(spw_file_vacuum(file, SPW_VACUUM_FULL, SPW_NO_LIMIT, NULL, &result, &err));
  TRY(spw_file_close(file, 0, &err));
  printf("the file: %" PRId64 " bytes, now %" PRId64 "\n", before, length_of(path));
}

static int usage(void) {
  fputs(
      "usage: document new PATH PARTS | save PATH COUNT | check PATH | delete PATH COUNT | shrink "
      "PATH\n",
      stderr);
  return 64;
}

int main(int argc, char** argv) {
  char* end = NULL;
  const char* verb = argc > 2 ? argv[1] : "";
  const uint64_t number = argc == 4 ? strtoull(argv[3], &end, 10) : 0;
  if (argc < 3 || argc > 4 || (end != NULL && (*end != '\0' || number == 0 || number > 999999)))
    return usage();
  if (argc == 4 && strcmp(verb, "new") == 0)
    new_document(argv[2], number);
  else if (argc == 4 && strcmp(verb, "save") == 0)
    save_document(argv[2], number);
  else if (argc == 4 && strcmp(verb, "delete") == 0)
    delete_parts(argv[2], number);
  else if (argc == 3 && strcmp(verb, "check") == 0)
    check_document(argv[2]);
  else if (argc == 3 && strcmp(verb, "shrink") == 0)
    shrink_document(argv[2]);
  else
    return usage();
  TRY(spw_file_close(file, 0, &err));
  spw_file_free(file);
  return 0;
}
