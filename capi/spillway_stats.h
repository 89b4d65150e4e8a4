/* What a record store tells about itself: statistics, events, and whether its records are whole.
 * Included by spillway.h, whose conventions hold; do not include it alone.
 */
#ifndef SPILLWAY_STATS_H
#define SPILLWAY_STATS_H

#ifndef SPILLWAY_H
#error "include spillway.h"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The caller sets struct_size; the library fills what fits. Counters since open unless noted.
 * records_live == records_unspilled + records_cold, and bytes_resident == bytes_unspilled +
 * bytes_clean + bytes_free, in a store at rest. */
typedef struct spw_stats {
  uint32_t struct_size;
  uint32_t flags; /* 0 */
  uint64_t streams;
  uint64_t batches_added;
  uint64_t records_added;
  uint64_t payload_bytes_added;
  uint64_t records_live;      /* now, in all streams */
  uint64_t records_unspilled; /* now, in memory only */
  uint64_t records_cold;      /* now, in the cold tier (some also in memory) */
  uint64_t records_resident;  /* now, in memory: unspilled and clean; what the budget limits */
  uint64_t records_resident_peak;
  uint64_t bytes_unspilled; /* now; memory of records that are not yet in the cold tier */
  uint64_t bytes_clean;     /* now; memory of records that are also in the cold tier */
  uint64_t bytes_free;      /* now; memory kept for reuse */
  uint64_t bytes_resident;  /* now; the sum of the three, never above bytes_hard */
  uint64_t bytes_resident_peak;
  uint64_t bytes_pinned; /* now; what only cursors' views and detached batches hold; on top */
  uint64_t bytes_soft;   /* the budget; UINT64_MAX: none */
  uint64_t bytes_hard;
  uint64_t records_soft;
  uint64_t records_hard;
  uint64_t spills; /* commits to the cold tier */
  uint64_t records_spilled;
  uint64_t payload_bytes_spilled;
  uint64_t spill_ns_last; /* how long the last spill took */
  uint64_t spill_ns_total;
  uint64_t spill_errors;
  uint64_t adders_waiting; /* now; adds that wait at the hard limit */
  uint64_t waits;          /* adds that had to wait there, each counted when its wait ended */
  uint64_t wait_ns_total;
  uint64_t wait_ns_max;
  uint64_t adds_refused; /* WOULD_BLOCK, TIMEOUT, CANCELLED or FULL at the hard limit */
  uint64_t records_cleared;
  uint64_t evictions;       /* clean segments dropped from memory */
  uint64_t cold_reads;      /* reads of the cold tier */
  uint64_t cold_bytes_read; /* payload bytes decoded by them */
  uint64_t checksum_errors;
  uint64_t cold_file_bytes; /* now; size of the cold tier's files */
  uint64_t events_lost;     /* overwritten before they were drained */
  uint64_t health;          /* spw_status: SPW_OK, SPW_FULL (tried again), or what ended writing */
  uint64_t records_trimmed; /* by the three trims; clear counts in records_cleared */
  uint64_t records_overwritten; /* SPW_WHEN_FULL_DROP_OLDEST: oldest ones, to make room */
  uint64_t records_dropped;     /* SPW_WHEN_FULL_DROP_NEWEST: never added, so in no other counter */
  uint64_t batches_dropped;     /* their batches */
  uint64_t paced; /* adds slowed between the soft and the hard limit; they are not in waits */
  uint64_t paced_ns_total;
  uint64_t adders_syncing; /* now; adds that wait for the device (SPW_OPT_SYNC_MS 0) */
  uint64_t promotions;     /* runs copied from the cold tier into memory: SPW_OPT_PROMOTE_READS */
  uint64_t reads_memory;   /* records that spw_store_read and spw_store_gather found in memory */
  uint64_t reads_cold;     /* and in the cold tier */
} spw_stats;

/* Lock-free and O(1): may be called at any rate. */
spw_status spw_store_stats(const spw_store* store, spw_stats* out, spw_error** err);

/* begin_seq <= spilled_seq <= tail_seq; count == tail_seq - begin_seq. Each only ever goes up. */
typedef struct spw_stream_stats {
  uint32_t struct_size;
  uint32_t flags;       /* SPW_STREAM_HAS_TIMES */
  uint64_t begin_seq;   /* first record there is */
  uint64_t spilled_seq; /* all below are on the device */
  uint64_t tail_seq;    /* what the next record gets */
  uint64_t records_resident;
  uint64_t bytes_unspilled;
} spw_stream_stats;
#define SPW_STREAM_HAS_TIMES UINT32_C(1)

/* NOT_FOUND: no such stream. */
spw_status spw_store_stream_stats(const spw_store* store, uint32_t stream, spw_stream_stats* out,
                                  spw_error** err);

#define SPW_EVENT_BLOCKED 1     /* an add waited: value = ns, count = records */
#define SPW_EVENT_SPILL_BEGIN 2 /* value = payload bytes, count = records */
#define SPW_EVENT_SPILL_END 3   /* value = ns, count = records */
#define SPW_EVENT_ERROR 4       /* a spill failed: code, value = errno */
#define SPW_EVENT_RECOVERED 5   /* spilling goes on after FULL */
#define SPW_EVENT_CORRUPT 6     /* damaged records met: seq and count tell which */
/* count records were dropped at the hard limit: from seq on with SPW_WHEN_FULL_DROP_OLDEST; with
 * DROP_NEWEST seq is SPW_SEQ_NONE, for they never had a number. */
#define SPW_EVENT_DROPPED 7

typedef struct spw_event {
  uint32_t kind;   /* SPW_EVENT_* */
  uint32_t stream; /* or SPW_ALL */
  int32_t code;    /* spw_status */
  uint32_t reserved;
  uint64_t time_ns; /* since 1970, UTC */
  uint64_t seq;     /* or SPW_SEQ_NONE */
  uint64_t count;
  uint64_t value;
} spw_event;

/* Drains the oldest events: fills up to `cap` elements of event_size bytes each
 * (sizeof(spw_event)), *count says how many. The last 256 are kept; stats' events_lost counts the
 * others. */
spw_status spw_store_events(spw_store* store, spw_event* events, size_t event_size, size_t cap,
                            size_t* count, spw_error** err);

#define SPW_STRUCT_RECORD_SUMMARY 14
#define SPW_STRUCT_RECORD_RANGE 15

/* Reads all records of a stream, or of all (SPW_ALL), that are in the cold tier on the device when
 * it is called, and checks what their checksums and the format can prove, while the store is in
 * use. Damage does not end it: it goes on with the next record that can be read. Reads at most
 * bytes_per_second of payload (at least 1; SPW_NO_LIMIT: no limit), one MiB at a time or one
 * record, and changes nothing. Records that are trimmed meanwhile are left out. `flags` must be 0,
 * else UNSUPPORTED. `op` (may be NULL) cancels it and tells its progress in records. OK: it was
 * carried out, and the report (spw_report_records, spw_report_range) says what it found, be that
 * damage. Else there is no report, *out is NULL: CANCELLED; NOT_FOUND: no such stream; UNSUPPORTED:
 * a store in memory only. A block file's structures and the application's blocks in it are not
 * looked at: for those, spw_file_verify with what spw_store_file gives. */
spw_status spw_store_verify(spw_store* store, uint32_t stream, uint32_t flags,
                            uint64_t bytes_per_second, spw_op* op, spw_report** out,
                            spw_error** err);

/* The caller sets struct_size. */
typedef struct spw_record_summary {
  uint32_t struct_size;
  uint32_t flags;           /* 0 */
  uint64_t streams;         /* checked */
  uint64_t records;         /* checked */
  uint64_t records_damaged; /* of them */
  uint64_t bytes;           /* payload of those that are good */
  uint64_t ranges;          /* of damaged records; the first 1,000 are kept */
} spw_record_summary;
/* INVALID_ARGUMENT, here and below: a report of a file. The accessors for those answer so for a
 * report of a store. */
spw_status spw_report_records(const spw_report* report, spw_record_summary* out, spw_error** err);

/* Records [begin_seq, end_seq) of a stream, none of which can be read. The ranges of a stream come
 * in order and do not touch, unless their codes differ. With SPW_TIER_SQLITE, where the table that
 * finds records is itself damaged in several places, records between them may be counted in. The
 * caller sets struct_size. The text lives as long as the report. */
typedef struct spw_record_range {
  uint32_t struct_size;
  int32_t code; /* SPW_CORRUPT or SPW_IO */
  uint32_t stream;
  uint32_t reserved; /* 0 */
  uint64_t begin_seq;
  uint64_t end_seq;
  const char* message; /* what and where of the first of them, NUL-terminated */
  uint64_t message_len;
} spw_record_range;

/* NOT_FOUND: `index` is not below the ranges that were kept. */
spw_status spw_report_range(const spw_report* report, uint64_t index, spw_record_range* out,
                            spw_error** err);

#ifdef __cplusplus
}
#endif

#endif /* SPILLWAY_STATS_H */
