/* Spillway: hold more records than memory allows, in order, and lose none.
 *
 * Conventions of this header
 *  1. Everything is opaque: handles are made by an `open`/`new` call and given back by their
 *     `_free`. Free takes NULL, never fails, never waits for I/O, and may come in any order: what
 *     is left of a store that was freed first answers SPW_CLOSED; detached batches stay readable.
 *  2. A function that can fail returns an spw_status and takes `spw_error **err` last. `err` may
 *     be NULL. Otherwise it is always written: NULL on success, an error on failure that the
 *     caller gives back with spw_error_free.
 *  3. Every `out` parameter is written before any work: NULL, 0 or SPW_SEQ_NONE when the call
 *     fails.
 *  4. Bytes come as pointer and length. Strings are UTF-8 by contract and need no NUL. The library
 *     copies what it keeps before it returns, and never frees caller memory; the caller never
 *     frees library memory other than by an `spw_*_free`.
 *  5. Threads: a `const` handle parameter may be used by many threads at once; spw_store, spw_op
 *     and spw_batch also in non-const calls. spw_cursor and spw_options are used by one thread at
 *     a time, but any thread. A cursor used by two threads at once returns SPW_INVALID_STATE.
 *  6. A store, a file and what came from them work only in the process that opened them: in a
 *     fork()ed child every call on them returns SPW_FORKED, and free only gives up the handle.
 *  7. Any function with an `err` may return, besides what it lists: SPW_INVALID_ARGUMENT (NULL or
 *     wrong kind of handle, a pointer that must not be NULL, a value out of range), SPW_NO_MEMORY,
 *     SPW_FORKED, SPW_INTERNAL (a defect of the library). Every function on a store or file or
 *     what was opened from it may return SPW_CLOSED once it is closed. A failed call changes
 *     nothing unless its comment says what.
 *  8. Units stand in the name or the comment: bytes, records, milliseconds (`_ms`), nanoseconds
 *     (`_ns`). Ranges are half open.
 *  9. Every function is there since 0.1 unless its comment says otherwise.
 */
#ifndef SPILLWAY_H
#define SPILLWAY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SPW_VERSION_MAJOR 0
#define SPW_VERSION_MINOR 1
#define SPW_VERSION "0.1.0"

typedef int32_t spw_status;
typedef struct spw_error spw_error;
typedef struct spw_options spw_options;
typedef struct spw_store spw_store;
typedef struct spw_cursor spw_cursor;
typedef struct spw_batch spw_batch;
typedef struct spw_op spw_op;
typedef struct spw_file spw_file; /* spillway_file.h */
typedef struct spw_txn spw_txn;

/* ---- Status ---- */

/* Values never change; new ones come with a minor version. Treat an unknown one as SPW_INTERNAL. */
#define SPW_OK 0
#define SPW_INVALID_ARGUMENT 1 /* the caller's mistake; nothing happened */
#define SPW_INVALID_STATE 2    /* right call at the wrong time: handle in use, no current view */
#define SPW_NO_MEMORY 3        /* an allocation failed; nothing happened */
#define SPW_NOT_FOUND 4        /* no such store, stream, record, file or block */
#define SPW_ALREADY_EXISTS 5   /* there is one already, and the call asked for a new one */
#define SPW_BUSY 6             /* another handle or process has it open */
#define SPW_WOULD_BLOCK 7      /* it would have to wait, and was told not to */
#define SPW_TIMEOUT 8          /* the given time is over */
#define SPW_CANCELLED 9        /* its spw_op was cancelled */
#define SPW_CLOSED 10          /* the store or file is closed */
#define SPW_FULL 11            /* the disk or its quota is full; try again when there is room */
#define SPW_TOO_BIG 12         /* larger than a limit or than the caller's buffer */
#define SPW_READONLY 13        /* the store, the file or its disk cannot be written */
#define SPW_IO 14              /* the operating system failed; see spw_error_os_code */
#define SPW_CORRUPT 15         /* bytes on disk are damaged; nothing was repaired or deleted */
#define SPW_TRIMMED 16         /* the records were dropped on request (trim, clear) */
#define SPW_UNSUPPORTED 17     /* unknown option, flag or feature of this version */
#define SPW_FORKED 18          /* called in a child process of the one that opened the handle */
#define SPW_INTERNAL 19        /* a defect of the library */
#define SPW_CONFLICT 20        /* a block is not of the version that was expected */

/* Name of a status such as "SPW_OK"; static text, "SPW_UNKNOWN" for a value this version does not
 * know. Any thread. */
const char* spw_status_name(spw_status status);

/* ---- Versions and layout ---- */

/* major << 16 | minor of the library that is loaded; compare with the header's SPW_VERSION_*. Any
 * thread. */
uint32_t spw_abi_version(void);

/* Text such as "0.1.0"; static. Any thread. */
const char* spw_version(void);

#define SPW_STRUCT_SCAN 1
#define SPW_STRUCT_VIEW 2
#define SPW_STRUCT_STATS 3
#define SPW_STRUCT_STREAM_STATS 4
#define SPW_STRUCT_EVENT 5
#define SPW_STRUCT_SLICE 6 /* those of block files: spillway_file.h */

/* sizeof of a public struct as the library was built, for a layout check when a binding loads; 0
 * for an unknown id. Any thread. */
size_t spw_sizeof(int32_t struct_id);

/* Stores freed without a successful close since the library was loaded: a number to watch in tests.
 * Any thread. */
uint64_t spw_leaked_stores(void);

/* ---- Errors ---- */

/* An error is immutable and belongs to no thread. SPW_WOULD_BLOCK, SPW_TIMEOUT, SPW_CANCELLED,
 * SPW_BUSY, SPW_CLOSED and SPW_NO_MEMORY are shared static objects: producing and freeing them
 * costs nothing. All accessors take NULL. Any thread. */
spw_status spw_error_code(const spw_error* error); /* SPW_OK for NULL */
/* errno of the failed system call, extended code of SQLite; 0 where there is none. */
int32_t spw_error_os_code(const spw_error* error);
int32_t spw_error_detail_code(const spw_error* error);
/* Index in the caller's batch or list that is to blame; -1: none. */
int64_t spw_error_record(const spw_error* error);
/* What happened and where, NUL-terminated; *len (may be NULL) gets its length. UTF-8, but for paths
 * and names, which are given as they are. Lives as long as the error. */
const char* spw_error_message(const spw_error* error, size_t* len);
void spw_error_free(spw_error* error);

/* ---- Options ---- */

#define SPW_AUTO INT64_C(-1)         /* let the library choose */
#define SPW_UNLIMITED INT64_MAX      /* no limit */
#define SPW_WAIT_DEFAULT INT64_C(-1) /* timeout: the store's SPW_OPT_TIMEOUT_MS */
#define SPW_NO_WAIT INT64_C(0)       /* timeout: return SPW_WOULD_BLOCK instead of waiting */
#define SPW_WAIT_FOREVER INT64_MAX   /* timeout: wait until it is done */
#define SPW_ALL UINT32_MAX           /* in place of a stream id: the store as a whole */
#define SPW_SEQ_NONE UINT64_MAX      /* no sequence number */
#define SPW_NO_LIMIT UINT64_MAX      /* spw_cursor_next: no limit on records or bytes */
#define SPW_RECORD_BYTES_MAX (UINT64_C(512) << 20) /* largest record */
#define SPW_STREAMS_MAX 65535                      /* streams of a store */
#define SPW_STREAM_NAME_MAX 1024                   /* bytes of a stream's name */

/* Keys. `store`: for spw_store_open. `stream`: for spw_store_stream. `live`: also for
 * spw_store_set_i64. `file`: for spw_file_open (more in spillway_file.h). An unknown key, or one
 * that does not belong where it is used, is SPW_UNSUPPORTED, a value out of range
 * SPW_INVALID_ARGUMENT. */

/* store, stream, live. Bytes of memory for records, overhead included; at least 256 KiB, or
 * SPW_UNLIMITED, or (store only) SPW_AUTO: a quarter of the container's or machine's memory.
 * Default: SPW_AUTO for a store, SPW_UNLIMITED for a stream (inside its store's). Spilling starts
 * above it; no add passes beyond SPW_OPT_HARD_PERCENT of it at any instant. */
#define SPW_OPT_BUDGET_BYTES 1
/* store, stream, live. Records held in memory; at least 1. Default SPW_UNLIMITED. Same limits as
 * for bytes. A promise about resident memory needs a cap in bytes. */
#define SPW_OPT_BUDGET_RECORDS 2
/* store. Hard limit in percent of the budgets, 100 to 1000; default 130. */
#define SPW_OPT_HARD_PERCENT 3
/* store. Low-water mark in percent of the budgets, where a spill stops, 0 to 100; default 70. */
#define SPW_OPT_LOW_PERCENT 4
/* store. Spills that may run at once, 1 or 2; default 2. */
#define SPW_OPT_SPILLS_IN_FLIGHT 5
/* store, live. What SPW_WAIT_DEFAULT means, in ms; default SPW_WAIT_FOREVER. */
#define SPW_OPT_TIMEOUT_MS 6
/* store. Where spilled records go: SPW_TIER_*. Default for a new store: SPW_TIER_BLOCK_FILE; an
 * existing store knows its own, and naming another is SPW_INVALID_ARGUMENT. */
#define SPW_OPT_COLD_TIER 7
/* store, file. SPW_OPEN_*: what may and must be there; default SPW_OPEN_CREATE. */
#define SPW_OPT_OPEN 8
/* store, stream, live (stream). What an add does at the hard limit: SPW_WHEN_FULL_*; default for a
 * stream: its store's; for a store: SPW_WHEN_FULL_BLOCK, in memory only SPW_WHEN_FULL_FAIL. */
#define SPW_OPT_WHEN_FULL 9
/* stream, fixed when it is created. 1: every record has a time, an int64 that the library does not
 * interpret (nanoseconds since 1970 by convention); 0 (default): none has. */
#define SPW_OPT_TIMES 10
/* store, live; not in memory only. How long an added batch may stay not durable, in ms.
 * SPW_UNLIMITED (default): until a flush or close asks. N: what is not on the device is flushed at
 * least every N ms, in the background; nothing wakes up while there is nothing. 0: each add returns
 * only when its batch is on the device; those that add at the same time share the barriers. */
#define SPW_OPT_SYNC_MS 11
/* store; not in memory only. 1: full segments are written as soon as there are some, so that a
 * crash loses less and memory comes back at once; 0 (default): after open not a byte is written
 * below the soft limit until flush, close or SPW_OPT_SYNC_MS asks. */
#define SPW_OPT_EAGER 12
/* store; not in memory only (spw_store_release_memory does it there). Free memory that nobody has
 * used for so many ms goes back to the system; 0 to SPW_UNLIMITED, default 10000. */
#define SPW_OPT_IDLE_MS 13
/* store, live; not in memory only. After so many reads (spw_store_read; a gather is one) of records
 * near each other in the cold tier up to 256 KiB there are copied into memory, inside the budget: a
 * cache, dropped before anybody waits, least recently used first. 0 (never) to 65535; default 3. */
#define SPW_OPT_PROMOTE_READS 14

/* A block file, which may hold blocks of the application's own beside the records: spw_store_file.
 * A block file that is there already becomes a store's. */
#define SPW_TIER_BLOCK_FILE 1
/* A SQLite database: after close any tool may open it; while it is open, tools of other processes
 * may read it, but no second copy of SQLite in this process may touch it. If its log is damaged
 * before a store that was not closed cleanly is opened again, SQLite drops what follows the damage:
 * recovered is a prefix, which may then end before the last flush. */
#define SPW_TIER_SQLITE 2

#define SPW_OPEN_CREATE 1   /* open it, or create it */
#define SPW_OPEN_EXISTING 2 /* SPW_NOT_FOUND if there is none */
#define SPW_OPEN_NEW 3      /* SPW_ALREADY_EXISTS if there is one */
/* For a store with SPW_TIER_BLOCK_FILE: the path is a folder, and what memory cannot hold goes to a
 * file there that has no name, so that nothing stays behind when the store is closed or the process
 * ends, however it ends. Nothing is synced: a flush to the device does what one to the kernel does,
 * and a page that the system could not write is SPW_CORRUPT when it is read. Closing writes
 * nothing. SPW_UNSUPPORTED with SPW_TIER_SQLITE, SPW_OPT_SYNC_MS, and of spw_file_open. */
#define SPW_OPEN_TEMPORARY 5

/* Wait for room, up to the timeout of the call: until records are spilled, in a store in memory
 * only until a trim or clear. */
#define SPW_WHEN_FULL_BLOCK 1
#define SPW_WHEN_FULL_FAIL 2 /* SPW_WOULD_BLOCK at once */
/* The batch is dropped: the add returns SPW_OK at once with *first_seq SPW_SEQ_NONE, and it is
 * counted (records_dropped, SPW_EVENT_DROPPED). Also while the disk is full. */
#define SPW_WHEN_FULL_DROP_NEWEST 3
/* A ring: the oldest segments of that stream are trimmed until the batch fits, and counted
 * (records_overwritten, SPW_EVENT_DROPPED); WOULD_BLOCK if other streams hold all of the memory.
 * Stores in memory only, else SPW_INVALID_ARGUMENT: with a cold tier nothing need be lost. */
#define SPW_WHEN_FULL_DROP_OLDEST 4

/* Options are a bag of values, checked together when they are used. One thread at a time. */
spw_status spw_options_new(spw_options** out, spw_error** err);
/* Sets an integer. SPW_UNSUPPORTED: unknown key. SPW_INVALID_ARGUMENT: out of the key's range. */
spw_status spw_options_set_i64(spw_options* options, int32_t key, int64_t value, spw_error** err);
/* Sets a byte string option; none exists in this version, so every key is SPW_UNSUPPORTED. */
spw_status spw_options_set_bytes(spw_options* options, int32_t key, const void* value, size_t len,
                                 spw_error** err);
/* SPW_NOT_FOUND if the key has not been set. */
spw_status spw_options_get_i64(const spw_options* options, int32_t key, int64_t* value,
                               spw_error** err);
void spw_options_free(spw_options* options);

/* ---- Operations: cancel and progress ---- */

/* One op belongs to one running call at a time (a second is SPW_INVALID_STATE); it can be used
 * again after that call, unless it was cancelled: that is for good. Freeing it while the call runs
 * is legal. Any thread. */
spw_status spw_op_new(spw_op** out, spw_error** err);
/* Makes the call that runs with this op, and every later one, return SPW_CANCELLED as soon as it
 * can. Lock-free, idempotent. Not for signal handlers. NULL is a no-op. */
void spw_op_cancel(spw_op* op);
/* Work done and in total of the call that runs or ran last. Records: flush, settle, verify and
 * close of a store, the flush that is a part of spw_store_commit, and that before a batch above the
 * hard limit is added. Bytes, counted as their comments say: vacuum, copy, import, export and
 * verify of a file. 0 in total: unknown, or not yet known; every call begins with 0. Both may be
 * NULL. */
void spw_op_progress(const spw_op* op, uint64_t* done, uint64_t* total);
void spw_op_free(spw_op* op);

/* ---- Store ---- */

/* Opens or creates a store at `path` (bytes without NUL). path NULL: a store in memory only,
 * bounded by its budget. `options` may be NULL and is not kept. `op` may be NULL. Files are made
 * with mode 0600; beside a store with SPW_TIER_SQLITE stands `<path>-lock`. NOT_FOUND,
 * ALREADY_EXISTS: SPW_OPT_OPEN; NOT_FOUND also for a folder that is not there, and for a block file
 * without a store in it where there must be one.
 * BUSY: open elsewhere, in this process or another. CORRUPT: damaged, or not a store. UNSUPPORTED:
 * made by a later version. READONLY, FULL, IO: the disk. CANCELLED. */
spw_status spw_store_open(const char* path, size_t path_len, const spw_options* options, spw_op* op,
                          spw_store** out, spw_error** err);

#define SPW_CLOSE_DISCARD UINT32_C(1) /* give up what is not on disk yet, close at once */

/* Makes everything admitted durable (as spw_store_flush to the device does), closes the files and
 * ends the threads. Every other running or later call returns CLOSED; waiters wake; detached
 * batches stay readable. Idempotent: closing a closed store is OK. TIMEOUT, CANCELLED, FULL, BUSY,
 * NO_MEMORY, WOULD_BLOCK (timeout 0 and something to write): the store stays open, and close can be
 * called again.
 * Any other result closes; IO and CORRUPT then mean that records admitted after the last successful
 * flush may be lost. */
spw_status spw_store_close(spw_store* store, uint32_t flags, int64_t timeout_ms, spw_op* op,
                           spw_error** err);

/* Gives up the handle; without a close before, records that are not on disk are lost as in a crash
 * (see spw_leaked_stores), and another open may find the store BUSY until the threads that write
 * have seen it. Never waits for I/O. No other call may use the handle at that time. */
void spw_store_free(spw_store* store);

#define SPW_STREAM_CREATE UINT32_C(1)      /* create it if there is none */
#define SPW_STREAM_MUST_CREATE UINT32_C(3) /* ALREADY_EXISTS if there is one */

/* The id of the stream `name` (1 to SPW_STREAM_NAME_MAX bytes), which is small, stable across
 * reopen, and needs no free. flags 0: it must exist, else NOT_FOUND. `options` may be NULL; for a
 * stream that exists, live ones are applied, and a fixed one that differs is INVALID_ARGUMENT.
 * TOO_BIG: name too long, or more than SPW_STREAMS_MAX streams. A new stream is durable with the
 * next flush. */
spw_status spw_store_stream(spw_store* store, const char* name, size_t name_len,
                            const spw_options* options, uint32_t flags, uint32_t* stream,
                            spw_error** err);

/* Ids of all streams in the order of their creation: fills up to `cap`, and *count with how many
 * there are. */
spw_status spw_store_streams(const spw_store* store, uint32_t* streams, size_t cap, size_t* count,
                             spw_error** err);

/* Copies a stream's name (no NUL) and sets *len. TOO_BIG: `cap` is smaller, *len says what is
 * needed. NOT_FOUND: no such stream. */
spw_status spw_store_stream_name(const spw_store* store, uint32_t stream, char* name, size_t cap,
                                 size_t* len, spw_error** err);

/* Adds `count` records as one batch: visible whole or not at all, in consecutive sequence numbers
 * from *first_seq (may be NULL). Record i is data[offsets[i] .. offsets[i+1]), so offsets has count
 * + 1 entries that never run backwards and end within data_len; offsets[0] may be above 0. times
 * has `count` entries for a stream with times and is NULL for one without. Everything is copied
 * before the call returns. count 0 is OK and adds nothing (*first_seq is then SPW_SEQ_NONE).
 * At the hard limit the stream's SPW_OPT_WHEN_FULL decides: wait up to timeout_ms
 * (SPW_WAIT_DEFAULT, SPW_NO_WAIT, SPW_WAIT_FOREVER or milliseconds), WOULD_BLOCK, or drop. Waiting
 * adders are served in the order they came. Above the soft limit an add that may wait is slowed, in
 * proportion to how far the spiller is behind, by at most 2 ms and never beyond its timeout.
 * *first_seq other than SPW_SEQ_NONE means admitted, whatever the status is. An error then says
 * that the batch is not durable, which only SPW_OPT_SYNC_MS 0 asks for; timeout and cancel apply to
 * admission alone (CLOSED: the close writes it. FULL: tried again. IO, CORRUPT: writing has ended).
 * Without that option nothing is promised about durability, and any error means that nothing was
 * added. A batch that is larger
 * than the hard limit goes straight to the cold tier, after everything before it, while the call
 * waits. NOT_FOUND: no such stream. TOO_BIG: a record above SPW_RECORD_BYTES_MAX (see
 * spw_error_record), or a batch above the hard limit where there is no cold tier or the stream may
 * not wait (any but SPW_WHEN_FULL_BLOCK). WOULD_BLOCK, TIMEOUT, CANCELLED: at the hard limit. FULL:
 * at the hard limit, and the disk is full. IO, CORRUPT: an earlier spill failed, writing has ended.
 */
spw_status spw_store_add(spw_store* store, uint32_t stream, const void* data, uint64_t data_len,
                         const uint64_t* offsets, size_t count, const int64_t* times,
                         int64_t timeout_ms, spw_op* op, uint64_t* first_seq, spw_error** err);

typedef struct spw_slice {
  const void* data; /* may be NULL when len is 0 */
  size_t len;       /* bytes */
} spw_slice;

/* As spw_store_add, for records that lie apart in memory. Not for callers in managed languages: it
 * costs a pin per record. */
spw_status spw_store_addv(spw_store* store, uint32_t stream, const spw_slice* records, size_t count,
                          const int64_t* times, int64_t timeout_ms, spw_op* op, uint64_t* first_seq,
                          spw_error** err);

/* Copies one record. *len gets its length, *time (may be NULL) its time or 0. TOO_BIG: `cap` is
 * smaller, *len says what is needed, nothing is copied. NOT_FOUND: no such stream, or seq at or
 * above the stream's tail. TRIMMED: below its begin. CORRUPT, IO: that record cannot be read;
 * others may. */
spw_status spw_store_read(const spw_store* store, uint32_t stream, uint64_t seq, void* buffer,
                          uint64_t cap, uint64_t* len, int64_t* time, spw_error** err);

/* Copies many records, in the order asked for, into one batch (its view has `seqs`). Errors as
 * spw_store_read, with the index in spw_error_record; then there is no batch. */
spw_status spw_store_gather(const spw_store* store, uint32_t stream, const uint64_t* seqs,
                            size_t count, spw_batch** out, spw_error** err);

#define SPW_FLUSH_KERNEL 1 /* with the kernel: survives the end of this process, no power cut */
#define SPW_FLUSH_DEVICE 2 /* on the device: survives a power cut */

/* Returns when everything admitted before the call, by any thread, is as safe as `level` says, also
 * in every later recovery. UNSUPPORTED: a store in memory only. TIMEOUT, CANCELLED, WOULD_BLOCK
 * (timeout 0 and something to write): it goes on in the background. FULL: tried again in the
 * background. IO, CORRUPT: writing has ended, nothing acknowledged is lost, what is in memory is
 * readable. */
spw_status spw_store_flush(spw_store* store, int32_t level, int64_t timeout_ms, spw_op* op,
                           spw_error** err);

/* The block file that the store's records are in, for blocks of the application's own; everything
 * in spillway_file.h works with it but spw_file_close, which is INVALID_STATE: the store closes it,
 * and then every call on it returns CLOSED. Names that begin with ".spillway/" are the store's:
 * they are listed and can be read, and to change them is INVALID_ARGUMENT. To be freed with
 * spw_file_free, in any order; a second call makes a second handle. The options are the library's:
 * 4 MiB each of changes that wait and of cached blocks, on top of the store's budget. UNSUPPORTED:
 * a store in memory only, or with another cold tier. */
spw_status spw_store_file(spw_store* store, spw_file** out, spw_error** err);

/* Commits a transaction of the store's block file together with a flush of the store, with one
 * barrier for both: when it returns, the transaction and everything admitted before the call, by
 * any thread, are as safe as `level` (SPW_FLUSH_*) says. After a crash at any time, if the
 * transaction is there, so are those records. The flush comes first and can fail as spw_store_flush
 * does; the transaction is then as it was, and the call can be made again. After that as
 * spw_txn_commit. INVALID_ARGUMENT also for a transaction of another file. */
spw_status spw_store_commit(spw_store* store, spw_txn* txn, int32_t level, int64_t timeout_ms,
                            spw_op* op, spw_error** err);

/* A flush to the device, after which the memory of all records that are in the cold tier is given
 * back to the system, and the free memory too: for a store that is to be quiet for a while. Records
 * can be read and added throughout. Waits, progress and errors as spw_store_flush; after one of
 * them no memory was given back. What others add meanwhile stays in memory. UNSUPPORTED: a store in
 * memory only. */
spw_status spw_store_settle(spw_store* store, int64_t timeout_ms, spw_op* op, spw_error** err);

/* Gives the memory that is kept for reuse (stats' bytes_free) back to the system. Does not wait.
 * Any store; the next adds map fresh memory, which costs more than the copy into it. */
spw_status spw_store_release_memory(spw_store* store, spw_error** err);

/* Drops all records of a stream; sequence numbers go on. The memory is free at once; the change is
 * durable with the next flush, after which the space on disk comes back in the background.
 * NOT_FOUND: no such stream. IO, CORRUPT: writing has ended. */
spw_status spw_store_clear(spw_store* store, uint32_t stream, spw_error** err);

/* The three trims drop the oldest records of a stream, hot and cold, and leave the others as they
 * are. Sequence numbers go on. A reader at a record that is gone gets TRIMMED. Memory comes back in
 * whole segments (a 64th of the budget): one that is trimmed in part stays, and what it takes
 * counts as resident, until all of its records are gone. Durable with the next flush, after which
 * the space on disk comes back in the background; a crash before that may bring the records back.
 * NOT_FOUND: no such stream. IO, CORRUPT: writing has ended. Any thread; with others that add, trim
 * or read meanwhile each counts what it dropped itself. */

/* Drops all records below begin_seq. At or below the stream's begin: OK, nothing happens.
 * INVALID_ARGUMENT: above its tail. */
spw_status spw_store_trim(spw_store* store, uint32_t stream, uint64_t begin_seq, spw_error** err);

/* Drops the longest prefix of records whose times are all below `time`; of times that do not ascend
 * the first one that is not ends it. *begin_seq (may be NULL) gets where the stream begins then.
 * Reads what it drops, as a cursor would, and CORRUPT and IO also mean that this failed; nothing
 * was dropped then. INVALID_ARGUMENT: the stream has no times. */
spw_status spw_store_trim_time(spw_store* store, uint32_t stream, int64_t time, uint64_t* begin_seq,
                               spw_error** err);

/* Drops as few of the oldest records as leave at most bytes_most payload bytes of those that are
 * there when the call begins. *begin_seq (may be NULL) gets where the stream begins then. Reads the
 * sizes of what it leaves, as a cursor would, and CORRUPT and IO also mean that this failed;
 * nothing was dropped then. */
spw_status spw_store_trim_bytes(spw_store* store, uint32_t stream, uint64_t bytes_most,
                                uint64_t* begin_seq, spw_error** err);

/* Changes a live option of the store (SPW_ALL) or of a stream while it is in use. NOT_FOUND: no
 * such stream. UNSUPPORTED: unknown key, or not live. A lower budget takes effect by spilling;
 * nothing is dropped. */
spw_status spw_store_set_i64(spw_store* store, uint32_t stream, int32_t key, int64_t value,
                             spw_error** err);
/* What an option is now: SPW_AUTO is answered with the number chosen. */
spw_status spw_store_get_i64(const spw_store* store, uint32_t stream, int32_t key, int64_t* value,
                             spw_error** err);

/* ---- Cursors and batches ---- */

/* All of them UNSUPPORTED in this version. */
#define SPW_SCAN_REVERSE UINT32_C(1)
#define SPW_SCAN_FOLLOW UINT32_C(2)
#define SPW_SCAN_TIME_RANGE UINT32_C(4) /* time_begin and time_end apply */

/* The caller zeroes it and sets struct_size; bytes beyond the size the library knows must be 0. */
typedef struct spw_scan {
  uint32_t struct_size;
  uint32_t flags; /* SPW_SCAN_* */
  uint32_t stream;
  uint32_t reserved;  /* 0 */
  uint64_t begin_seq; /* first record wanted; records that are gone already are left out */
  uint64_t end_seq;   /* end of the range, exclusive; SPW_SEQ_NONE: all there are now */
  int64_t time_begin; /* 0 without SPW_SCAN_TIME_RANGE */
  int64_t time_end;
} spw_scan;

#define SPW_VIEW_DENSE UINT32_C(1) /* end == begin + 1: one offsets array of count + 1 entries */

/* Records as columns, in library memory. Record i is data[begin[i] .. end[i]), whatever the flags.
 * The caller sets struct_size. */
typedef struct spw_view {
  uint32_t struct_size;
  uint32_t flags; /* SPW_VIEW_* */
  uint64_t count; /* 0: no more records; the pointers are then NULL */
  uint64_t first_seq;
  const uint8_t* data;
  uint64_t data_len; /* every begin and end is within it */
  const uint64_t* begin;
  const uint64_t* end;
  const uint64_t* seqs; /* NULL: first_seq, first_seq + 1, ... */
  const int64_t* times; /* NULL: the stream has no times */
} spw_view;

/* A snapshot cursor: sees exactly the records of scan's range that were admitted before this call,
 * in order, each once, whatever is added, spilled or flushed meanwhile. Holds no memory but its
 * current view. `filter` must be NULL in this version, else UNSUPPORTED. NOT_FOUND: no such stream.
 */
spw_status spw_cursor_open(spw_store* store, const spw_scan* scan, const spw_options* filter,
                           spw_cursor** out, spw_error** err);

/* The snapshot's range; its count is *end - *begin. */
spw_status spw_cursor_range(const spw_cursor* cursor, uint64_t* begin, uint64_t* end,
                            spw_error** err);

/* The next records as one view: at most max_records and max_bytes of payload (each at least 1, or
 * SPW_NO_LIMIT), at least one record if there is one, even one above max_bytes. count 0: the end. A
 * view is valid until the next call of next, seek or free on this cursor. timeout_ms and op bound a
 * wait in follow mode; a snapshot cursor never waits. TRIMMED: the records at the position were
 * trimmed (the message names the range). CORRUPT, IO: they cannot be read. After an error every
 * next returns it again, and the cursor goes on only from an explicit seek: it never skips in
 * silence. CANCELLED. */
spw_status spw_cursor_next(spw_cursor* cursor, uint64_t max_records, uint64_t max_bytes,
                           int64_t timeout_ms, spw_op* op, spw_view* out, spw_error** err);

/* Moves to a sequence number within the snapshot's range or to its end. Clears an error. */
spw_status spw_cursor_seek(spw_cursor* cursor, uint64_t seq, spw_error** err);

/* The current view as a batch with a life of its own, without copying: it outlives cursor and
 * store. The view stays valid as it was. INVALID_STATE: there is no current view. */
spw_status spw_cursor_detach(spw_cursor* cursor, spw_batch** out, spw_error** err);

void spw_cursor_free(spw_cursor* cursor);

/* The records of a batch; valid until it is freed, also after its store is closed or freed. */
spw_status spw_batch_view(const spw_batch* batch, spw_view* out, spw_error** err);
void spw_batch_free(spw_batch* batch);

#ifdef __cplusplus
}
#endif

#include "spillway_file.h"
#include "spillway_stats.h"

#endif /* SPILLWAY_H */
