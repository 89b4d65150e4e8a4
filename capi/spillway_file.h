/* Spillway's block file: many named blocks (byte strings) in one crash-safe file. Included by
 * spillway.h, whose conventions hold; do not include it alone.
 *
 * A change is visible at once, to every thread, and durable after the next spw_file_flush to the
 * device, durable commit or close that returns OK. After a crash or power cut the file holds all
 * that was durable, and of later changes all up to some point in their order, or none; a call's or
 * a transaction's changes are there together or not at all.
 *
 * Threads: spw_file, spw_txn, spw_blob and spw_report may be used by many threads at once, a
 * spw_list, spw_writer and spw_reader by one at a time (else SPW_INVALID_STATE) but for the calls
 * that say otherwise. Who reads waits for nobody. Any order of frees is legal: all that came from a
 * file that was closed or freed returns SPW_CLOSED; blobs and reports stay readable.
 *
 * Names are 1 to SPW_BLOCK_NAME_MAX bytes, none of them 0, UTF-8 by contract, compared byte by
 * byte. Every function that takes a name may return SPW_INVALID_ARGUMENT for another.
 *
 * Every function that changes something may return, besides what it lists: SPW_READONLY (file or
 * snapshot opened for reading), SPW_FULL (the disk has no room for it; nothing is lost, the same
 * handle goes on when there is room), SPW_IO and SPW_CORRUPT (an earlier write
 * failed or met damage: writing has ended, reading goes on; only opening again clears it). Every
 * function that reads may return SPW_CORRUPT and SPW_IO for what cannot be read; other blocks stay
 * readable, and nothing is ever repaired by reading. Every function that takes a transaction
 * returns SPW_INVALID_STATE for one that was committed.
 */
#ifndef SPILLWAY_FILE_H
#define SPILLWAY_FILE_H

#ifndef SPILLWAY_H
#error "include spillway.h"
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct spw_blob spw_blob;
typedef struct spw_list spw_list;
typedef struct spw_report spw_report;
typedef struct spw_reader spw_reader;
typedef struct spw_writer spw_writer;

#define SPW_BLOCK_NAME_MAX 1024                 /* bytes */
#define SPW_BLOCK_TAG_MAX 128                   /* bytes */
#define SPW_BLOB_BYTES_MAX (UINT64_C(64) << 20) /* largest range that spw_block_get gives */
#define SPW_BLOCK_VERSION_ANY UINT64_MAX        /* no condition */
#define SPW_BLOCK_VERSION_NONE UINT64_C(0)      /* condition: there is no such block */

/* For spw_sizeof. */
#define SPW_STRUCT_BLOCK_INFO 7
#define SPW_STRUCT_BLOCK_VIEW 8
#define SPW_STRUCT_BLOCK_STATS 9
#define SPW_STRUCT_VERIFY_SUMMARY 10
#define SPW_STRUCT_PROBLEM 11
#define SPW_STRUCT_VACUUM_RESULT 12
#define SPW_STRUCT_TRANSFER 13

/* ---- Opening and closing ---- */

/* Options for spw_file_open; SPW_OPT_OPEN is another. */

/* How damage is found in a new file: SPW_CHECKSUM_*; default XXH3. An existing file knows its own,
 * and naming another is INVALID_ARGUMENT. */
#define SPW_OPT_FILE_CHECKSUM 101
/* Bytes of changes that may wait in memory, at least 1 MiB; default 64 MiB. They are written in the
 * background from half of it on; a change that finds it full waits for the disk. */
#define SPW_OPT_FILE_DIRTY_BYTES 102
/* Blocks whose changes may wait in memory, at least 1; default 65,536. Same rules. */
#define SPW_OPT_FILE_DIRTY_BLOCKS 103
/* Bytes of payload kept for spw_block_get once proved, 0 or more; default 32 MiB. */
#define SPW_OPT_FILE_CACHE_BYTES 104
/* The step in which the file grows, 1 MiB to 1 GiB; default 10 MiB. It grows with the file up to
 * 256 MiB. */
#define SPW_OPT_FILE_GROWTH_BYTES 105
/* Bytes of journal after which a checkpoint is made at the latest, at least 1 MiB; default 64 MiB.
 * A file that holds little has one earlier. More makes a later open after a crash longer. */
#define SPW_OPT_FILE_JOURNAL_BYTES 106

#define SPW_CHECKSUM_XXH3 1   /* 64 bits; finds accidents */
#define SPW_CHECKSUM_SHA256 2 /* 256 bits; slower */

/* For SPW_OPT_OPEN of a file only: no byte of it is changed, no permission to write is needed; may
 * be opened so many times, but not while it is open for writing. */
#define SPW_OPEN_READ_ONLY 4

/* Opens or creates a block file at `path` (bytes without NUL). `options` and `op` may be NULL; `op`
 * cancels the replay of a journal. NOT_FOUND, ALREADY_EXISTS: SPW_OPT_OPEN; NOT_FOUND also for a
 * folder that is not there. BUSY: open elsewhere, in this process or another. CORRUPT: damaged, or
 * no block file. UNSUPPORTED: made by a later version, or no locks here. READONLY, FULL, IO: the
 * disk. CANCELLED. */
spw_status spw_file_open(const char* path, size_t path_len, const spw_options* options, spw_op* op,
                         spw_file** out, spw_error** err);

/* Makes everything durable, brings the registry up to date and closes the file; every other running
 * or later call returns CLOSED. Transactions that are not committed are rolled back. With
 * SPW_CLOSE_DISCARD, closes at once, as a crash would. Idempotent. FULL: the file stays open, and
 * close can be called again; any other result closes, IO and CORRUPT then mean that changes after
 * the last successful flush may be lost. */
spw_status spw_file_close(spw_file* file, uint32_t flags, spw_error** err);

/* Gives up the handle; without a close before, changes that were not durable are lost as in a crash
 * (see spw_leaked_files). Never waits for I/O: another open may find the file BUSY until a write in
 * progress has ended. */
void spw_file_free(spw_file* file);

/* Files freed without a successful close since the library was loaded. Any thread. */
uint64_t spw_leaked_files(void);

#define SPW_FLUSH_CHECKPOINT 3 /* on the device, and the next open has nothing to replay */

/* Returns when everything that was changed before the call, by any thread, is as safe as `level`
 * says: SPW_FLUSH_KERNEL, SPW_FLUSH_DEVICE, SPW_FLUSH_CHECKPOINT. OK at once if the file was opened
 * for reading. FULL: nothing is lost, it can be called again. */
spw_status spw_file_flush(spw_file* file, int32_t level, spw_error** err);

/* ---- Transactions and snapshots ---- */

#define SPW_TXN_READ_ONLY UINT32_C(1) /* a snapshot */

/* Begins a transaction: reads through it see the file as it is now and its own changes, whatever
 * others commit; nobody else sees its changes until it is committed. A snapshot takes no memory but
 * keeps the space of what is replaced meanwhile. */
spw_status spw_txn_begin(spw_file* file, uint32_t flags, spw_txn** out, spw_error** err);

#define SPW_COMMIT_RELAXED 0 /* atomic and in order; durable with the next flush */

/* Makes the changes visible, all at once, and as safe as `level` says: SPW_COMMIT_RELAXED or
 * SPW_FLUSH_*. CONFLICT: a block that it changed was changed by somebody else since it began;
 * nothing happened. FULL, IO after it became visible: it may be lost in a crash. Whatever the
 * result but INVALID_ARGUMENT, it can only be freed afterwards. INVALID_STATE: committed before. */
spw_status spw_txn_commit(spw_txn* txn, int32_t level, spw_error** err);

/* Gives up the handle; a transaction that was not committed leaves no trace. */
void spw_txn_free(spw_txn* txn);

/* ---- Blocks ----
 * `txn` may be NULL: each call is then a transaction of its own, on the file as it is now. Else it
 * must be of that file. */

/* Creates the block or replaces what it holds; its tag stays. expected: SPW_BLOCK_VERSION_ANY;
 * SPW_BLOCK_VERSION_NONE, else ALREADY_EXISTS; or the version that it must have, else CONFLICT or
 * NOT_FOUND. *version (may be NULL) gets the new version, which is above every earlier one of the
 * file (0 within a transaction: it gets one by its commit). */
spw_status spw_block_put(spw_file* file, spw_txn* txn, const char* name, size_t name_len,
                         const void* data, uint64_t data_len, uint64_t expected, uint64_t* version,
                         spw_error** err);

/* As `count` calls of spw_block_put, but all or none: block i is names[name_offsets[i] ..
 * name_offsets[i+1]) and holds data[data_offsets[i] .. data_offsets[i+1]); the offsets never run
 * backwards and end within names_len and data_len. `expected` and `versions` have `count` entries
 * or are NULL. spw_error_record tells which block is to blame. Of two with one name the last
 * counts. */
spw_status spw_block_put_batch(spw_file* file, spw_txn* txn, const char* names, uint64_t names_len,
                               const uint64_t* name_offsets, const void* data, uint64_t data_len,
                               const uint64_t* data_offsets, size_t count, const uint64_t* expected,
                               uint64_t* versions, spw_error** err);

/* Adds bytes at the end of a block, or creates it; *length (may be NULL) gets its new length. What
 * stands there is not written again. */
spw_status spw_block_append(spw_file* file, spw_txn* txn, const char* name, size_t name_len,
                            const void* data, uint64_t data_len, uint64_t* length, spw_error** err);

/* Writes a range within a block. INVALID_ARGUMENT: it reaches beyond the block's end. NOT_FOUND. */
spw_status spw_block_patch(spw_file* file, spw_txn* txn, const char* name, size_t name_len,
                           uint64_t offset, const void* data, uint64_t data_len, spw_error** err);

/* expected: SPW_BLOCK_VERSION_ANY, or the version (not 0) that it must have, else CONFLICT.
 * NOT_FOUND. */
spw_status spw_block_delete(spw_file* file, spw_txn* txn, const char* name, size_t name_len,
                            uint64_t expected, spw_error** err);

#define SPW_RENAME_REPLACE UINT32_C(1) /* a block of the new name is replaced */

/* Gives a block another name; payload, tag and times stay, its version is a new one. NOT_FOUND.
 * ALREADY_EXISTS: there is another of that name; the same name is OK and changes nothing. */
spw_status spw_block_rename(spw_file* file, spw_txn* txn, const char* from, size_t from_len,
                            const char* to, size_t to_len, uint32_t flags, spw_error** err);

/* Replaces the block's tag, up to SPW_BLOCK_TAG_MAX bytes that the library does not interpret. The
 * version is a new one. NOT_FOUND. TOO_BIG. */
spw_status spw_block_set_tag(spw_file* file, spw_txn* txn, const char* name, size_t name_len,
                             const void* tag, size_t tag_len, spw_error** err);

/* The caller sets struct_size; the library fills what fits. */
typedef struct spw_block_info {
  uint32_t struct_size;
  uint32_t tag_len;
  uint64_t length;     /* bytes of payload */
  uint64_t version;    /* 0: changed by this transaction, which is not committed */
  int64_t created_ns;  /* since 1970, UTC */
  int64_t modified_ns; /* payload, tag or name */
  uint8_t tag[SPW_BLOCK_TAG_MAX];
} spw_block_info;

/* NOT_FOUND. */
spw_status spw_block_stat(spw_file* file, spw_txn* txn, const char* name, size_t name_len,
                          spw_block_info* out, spw_error** err);

/* *exists gets 1 or 0. */
spw_status spw_block_exists(spw_file* file, spw_txn* txn, const char* name, size_t name_len,
                            int32_t* exists, spw_error** err);

/* Copies the bytes from `offset` on, up to `cap`; *len gets how many: fewer only at the block's
 * end, 0 behind it. Every byte was proved by its checksum. NOT_FOUND. */
spw_status spw_block_read(spw_file* file, spw_txn* txn, const char* name, size_t name_len,
                          uint64_t offset, void* buffer, uint64_t cap, uint64_t* len,
                          spw_error** err);

/* Reads `count` whole blocks, as of one moment, one after another into `buffer`: block i stands at
 * [offsets[i], offsets[i+1]), so offsets has count + 1 entries. statuses has `count` entries and
 * says for each block OK, NOT_FOUND, CORRUPT or IO; other than OK, it takes no bytes. TOO_BIG:
 * `cap` is too small; offsets says what is needed, and what is in the buffer means nothing. */
spw_status spw_block_read_batch(spw_file* file, spw_txn* txn, const char* names, uint64_t names_len,
                                const uint64_t* name_offsets, size_t count, void* buffer,
                                uint64_t cap, uint64_t* offsets, int32_t* statuses,
                                spw_error** err);

/* A view of a block or of a range of it, proved once and kept in a cache: it stays as it is
 * whatever happens to block and file. Bytes beyond the block's end are left out; length
 * SPW_NO_LIMIT: up to it. TOO_BIG: more than SPW_BLOB_BYTES_MAX. NOT_FOUND. */
spw_status spw_block_get(spw_file* file, spw_txn* txn, const char* name, size_t name_len,
                         uint64_t offset, uint64_t length, spw_blob** out, spw_error** err);

/* The bytes of a blob, until it is freed. */
spw_status spw_blob_view(const spw_blob* blob, const uint8_t** data, uint64_t* len,
                         spw_error** err);
void spw_blob_free(spw_blob* blob);

/* ---- Listing ---- */

#define SPW_LIST_NAMES_ONLY UINT32_C(1) /* views without infos; faster */

/* Lists the blocks whose names begin with `prefix` (may be empty), in the order of their names, as
 * they are now or as the transaction sees them now; what changes later is not seen. */
spw_status spw_list_open(spw_file* file, spw_txn* txn, const char* prefix, size_t prefix_len,
                         uint32_t flags, spw_list** out, spw_error** err);

/* Blocks in the order of their names, in library memory: name i is names[name_offsets[i] ..
 * name_offsets[i+1]). The caller sets struct_size. infos is an array of what this version calls
 * spw_block_info, which therefore never grows. */
typedef struct spw_block_view {
  uint32_t struct_size;
  uint32_t flags; /* 0 */
  uint64_t count; /* 0: no more blocks; the pointers are then NULL */
  const char* names;
  const uint64_t* name_offsets;
  const spw_block_info* infos; /* NULL with SPW_LIST_NAMES_ONLY */
} spw_block_view;

/* The next blocks, at most max_blocks (at least 1); the library may give fewer. Valid until the
 * next call on this list. After an error the list stays where it was. */
spw_status spw_list_next(spw_list* list, uint64_t max_blocks, spw_block_view* out, spw_error** err);

/* To the first block of the list whose name is not below `name`; to the begin with name_len 0. */
spw_status spw_list_seek(spw_list* list, const char* name, size_t name_len, spw_error** err);
void spw_list_free(spw_list* list);

/* ---- Streams ---- */

/* Reads a block that may be too large for memory: as it is now, or as the transaction sees it now,
 * whatever becomes of it later. NOT_FOUND. */
spw_status spw_reader_open(spw_file* file, spw_txn* txn, const char* name, size_t name_len,
                           spw_reader** out, spw_error** err);

/* Of the block that is read. Any thread. */
spw_status spw_reader_stat(const spw_reader* reader, spw_block_info* out, spw_error** err);

/* Copies the next bytes, up to `cap`; *len gets how many: fewer only at the end, 0 behind it. What
 * comes next is read ahead. One thread at a time, else INVALID_STATE. After an error the position
 * is where it was. */
spw_status spw_reader_read(spw_reader* reader, void* buffer, uint64_t cap, uint64_t* len,
                           spw_error** err);

/* The same from `offset` on, whatever the position. Any number of threads at once. */
spw_status spw_reader_read_at(const spw_reader* reader, uint64_t offset, void* buffer, uint64_t cap,
                              uint64_t* len, spw_error** err);

/* Sets the position of spw_reader_read; it may be behind the end. One thread at a time. */
spw_status spw_reader_seek(spw_reader* reader, uint64_t offset, spw_error** err);
void spw_reader_free(spw_reader* reader);

/* Writes a block whose length is not known yet. It becomes visible, whole, with spw_writer_commit,
 * or never. `txn` (may be NULL): with that transaction's commit. expected: as of spw_block_put,
 * judged by the commit. A few MiB are kept in memory, the rest is in the file; a crash gives it
 * back. */
spw_status spw_writer_open(spw_file* file, spw_txn* txn, const char* name, size_t name_len,
                           uint64_t expected, spw_writer** out, spw_error** err);

/* Adds bytes at the end. FULL and NO_MEMORY: none were added, and it can be called again.
 * INVALID_STATE: it was committed, or its transaction is over. */
spw_status spw_writer_write(spw_writer* writer, const void* data, uint64_t data_len,
                            spw_error** err);

/* Creates the block or replaces what it holds; its tag stays. *version: as of spw_block_put.
 * CONFLICT, ALREADY_EXISTS, NOT_FOUND: `expected`. INVALID_STATE: its transaction is over. FULL
 * and NO_MEMORY: it can be called again; after any other result only freed. */
spw_status spw_writer_commit(spw_writer* writer, uint64_t* version, spw_error** err);

/* Without a commit, leaves no trace: its space is free again after the next checkpoint. */
void spw_writer_free(spw_writer* writer);

/* ---- Shrinking, copying, folders ---- */

#define SPW_VACUUM_FULL UINT32_C(1)    /* goes on until nothing more is to be gained */
#define SPW_VACUUM_DRY_RUN UINT32_C(2) /* changes nothing, only says what a full one would do */

/* The caller sets struct_size. */
typedef struct spw_vacuum_result {
  uint32_t struct_size;
  uint32_t flags;        /* as it was called with */
  uint64_t bytes_moved;  /* payload of blocks, to other places (dry run: to be moved, about, with
                            the registry and in whole pages) */
  uint64_t bytes_needed; /* dry run: of free disk space, at most, while it runs */
  uint64_t bytes_before; /* that the file takes of the disk, holes not counted */
  uint64_t bytes_after;  /* the same (dry run: about); a close gives back the reserve, too, which
                            an open file holds so that deletes work on a full disk */
  uint64_t bytes_file;   /* its length afterwards */
  uint64_t done;         /* 1: another call would gain nothing now; 0: it may, as after a quota or
                            without SPW_VACUUM_FULL, and when the call failed */
} spw_vacuum_result;

/* Gives free space back to the file system while others read and write: moves what stands near the
 * end to free space in front, at most about max_bytes of it (SPW_NO_LIMIT: no quota; a later call
 * goes on), cuts the file, and gives back what is free inside it. Blocks keep their versions and
 * times. Space that snapshots or views of earlier times still need stays. A crash leaves every
 * block as it was. `op` (may be NULL) cancels it and tells its progress in bytes of payload that
 * were moved, of a total that may be more than is moved in the end (a dry run tells none). `out` is
 * also filled when it fails, with what was done until then: zeros if it did not begin. CANCELLED:
 * what was moved stays moved. FULL: nothing was lost. BUSY: another vacuum runs. */
spw_status spw_file_vacuum(spw_file* file, uint32_t flags, uint64_t max_bytes, spw_op* op,
                           spw_vacuum_result* out, spw_error** err);

/* Writes all blocks as they are now, or as the transaction sees them, into a new file at `path`
 * without gaps, with their tags, times and versions, while others read and write. Every byte is
 * proved; the new file appears, durable, when it is whole, or not at all. ALREADY_EXISTS.
 * NOT_FOUND: its folder. CORRUPT: a block is damaged, which the error names; there is no copy then.
 * FULL: the other disk. IO: one of the two. `op` (may be NULL) cancels it and tells its progress in
 * bytes of payload. CANCELLED. */
spw_status spw_file_copy(spw_file* file, spw_txn* txn, const char* path, size_t path_len,
                         spw_op* op, spw_error** err);

/* The caller sets struct_size. */
typedef struct spw_transfer {
  uint32_t struct_size;
  uint32_t flags;   /* 0 */
  uint64_t blocks;  /* moved */
  uint64_t bytes;   /* of them */
  uint64_t equal;   /* blocks that were there already, byte for byte */
  uint64_t ignored; /* import: links (not followed), devices, pipes and sockets, left files of an
                       interrupted export, and files whose block another, equal file gave */
} spw_transfer;

/* Puts every regular file below `folder` into a block: `prefix` (may be empty) and the path from
 * there, with "/" between its parts. A file that spw_file_export wrote gets the name that its block
 * had. Existing blocks are replaced, but not written where they are equal, so that a call after a
 * crash or an error goes on where it was; others stay. Blocks appear one by one or in small groups;
 * all are durable, and were compared with their files, when it returns OK. Must not be changed
 * meanwhile: CONFLICT names a file that was. NOT_FOUND: no such folder. INVALID_ARGUMENT: a path
 * that cannot be the name of a block. `out` (may be NULL) is also filled when it fails, with what
 * was moved until then. `op` (may be NULL) cancels it and tells its progress in bytes read from the
 * files: those of a moved file count twice, for it is read again to be compared, those of an equal
 * one once; the total is 0, unknown. CANCELLED. */
spw_status spw_file_import(spw_file* file, const char* folder, size_t folder_len,
                           const char* prefix, size_t prefix_len, spw_op* op, spw_transfer* out,
                           spw_error** err);

/* Writes every block whose name begins with `prefix` (may be empty), as they are now or as the
 * transaction sees them, into a file of its own below `folder`, which is made if it is not there:
 * the name without the prefix, "/" making folders, and what cannot stand in a path escaped (FORMAT
 * of names: internal/blockfile/FORMAT.md). No link below it is followed. Files that are equal are
 * left alone, others of those paths replaced, each at once; what else is there stays. All are
 * durable, and were read again and compared, when it returns OK. Tags, times and versions are not
 * written. CORRUPT, IO: blocks that cannot be read were left out; the error names the first and
 * says how many, and everything else was written and is durable. The same two also when the
 * registry cannot be listed (CORRUPT, IO) or a file cannot be written or read again (IO): then it
 * ended there, and the error names no blocks that were left out. FULL: the other disk. Progress is
 * in bytes written to files and read again, so those of a moved block count twice. The rest as of
 * spw_file_import. */
spw_status spw_file_export(spw_file* file, spw_txn* txn, const char* prefix, size_t prefix_len,
                           const char* folder, size_t folder_len, spw_op* op, spw_transfer* out,
                           spw_error** err);

/* ---- Verification and statistics ---- */

#define SPW_VERIFY_FULL UINT32_C(1) /* reads every byte of payload; else structures only */

/* Checks the file as it is now while it is in use: superblocks, registry, space map, the accounting
 * of every page, and with SPW_VERIFY_FULL every checksum of every block. Reads at most
 * bytes_per_second (at least 1; SPW_NO_LIMIT: no limit). Changes nothing; what waits in memory is
 * written before. `op` (may be NULL) cancels it and tells its progress in bytes read. OK: it was
 * carried out, and the report says what it found, be that damage. Else there is no report, *out is
 * NULL: CANCELLED; FULL: no room for what waits; IO, CORRUPT: writing has ended, or what must be
 * read first cannot be. */
spw_status spw_file_verify(spw_file* file, uint32_t flags, uint64_t bytes_per_second, spw_op* op,
                           spw_report** out, spw_error** err);

/* The caller sets struct_size. */
typedef struct spw_verify_summary {
  uint32_t struct_size;
  uint32_t flags;          /* as it was called with */
  uint64_t blocks;         /* checked */
  uint64_t blocks_damaged; /* of them */
  uint64_t bytes;          /* read */
  uint64_t problems;       /* found; the first 1,000 are kept */
} spw_verify_summary;
spw_status spw_report_summary(const spw_report* report, spw_verify_summary* out, spw_error** err);

/* The caller sets struct_size. Text and name live as long as the report. */
typedef struct spw_problem {
  uint32_t struct_size;
  int32_t code;     /* SPW_CORRUPT or SPW_IO */
  const char* name; /* of the block; NULL: a structure of the file */
  uint64_t name_len;
  const char* message; /* what and where, NUL-terminated */
  uint64_t message_len;
} spw_problem;

/* NOT_FOUND: `index` is not below the problems that were kept. */
spw_status spw_report_problem(const spw_report* report, uint64_t index, spw_problem* out,
                              spw_error** err);
void spw_report_free(spw_report* report);

/* Verifies the file in the background as with SPW_VERIFY_FULL, over and over, reading at most
 * bytes_per_second; another value changes the rate, 0 ends it, as does closing. Only reports: see
 * spw_file_scrub_report and the scrub counters of spw_block_stats. */
spw_status spw_file_scrub(spw_file* file, uint64_t bytes_per_second, spw_error** err);

/* What the last whole pass found. NOT_FOUND: none has ended yet. */
spw_status spw_file_scrub_report(spw_file* file, spw_report** out, spw_error** err);

/* The caller sets struct_size; the library fills what fits. Counters since open unless noted.
 * bytes_file == bytes_used + bytes_held + bytes_free. What waits in memory is not counted in blocks
 * and payload_bytes until it is written; after a flush they equal what a scan finds. */
typedef struct spw_block_stats {
  uint32_t struct_size;
  uint32_t flags;         /* 0 */
  uint64_t blocks;        /* now, in the file */
  uint64_t payload_bytes; /* now, of them */
  uint64_t bytes_file;    /* now; its length */
  uint64_t bytes_used;    /* now; of it, by what the file holds */
  uint64_t bytes_held;    /* now; by the journal, the reserve, and what snapshots or the last
                             checkpoint still need */
  uint64_t bytes_free;    /* now; used again before the file grows */
  uint64_t blocks_dirty;  /* now; changes that wait in memory */
  uint64_t bytes_dirty;   /* now; memory that they take */
  uint64_t bytes_cached;  /* now; payload kept for spw_block_get */
  uint64_t snapshots;     /* now; open snapshots, transactions and lists */
  uint64_t puts;          /* changes accepted */
  uint64_t groups;        /* commit groups written */
  uint64_t barriers;      /* syncs */
  uint64_t checkpoints;
  uint64_t bytes_written; /* to the file, of every kind */
  uint64_t bytes_read;
  uint64_t waits; /* changes that found the write-behind set full */
  uint64_t cache_hits;
  uint64_t cache_misses;
  uint64_t checksum_errors;
  uint64_t health;         /* spw_status: SPW_OK, SPW_FULL, or what ended writing */
  uint64_t bytes_disk;     /* now; what the file takes of the disk, holes not counted */
  uint64_t scrub_passes;   /* ended */
  uint64_t scrub_problems; /* found by them */
} spw_block_stats;

/* O(1). */
spw_status spw_file_stats(const spw_file* file, spw_block_stats* out, spw_error** err);

#ifdef __cplusplus
}
#endif

#endif /* SPILLWAY_FILE_H */
