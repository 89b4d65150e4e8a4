//! Every field of every struct is where C has it, and the library that is loaded agrees on the
//! sizes.
use std::mem::{size_of, MaybeUninit};
use std::ptr::addr_of;

use spillway_sys::*;

macro_rules! offsets {
    ($($name:ident { $($field:ident: $offset:literal,)* })*) => {$(
        #[test]
        fn $name() {
            let place = MaybeUninit::<$name>::uninit();
            let start = place.as_ptr();
            // Safe: only addresses are taken.
            $(assert_eq!(unsafe { addr_of!((*start).$field) } as usize - start as usize, $offset,
                         "{}.{}", stringify!($name), stringify!($field));)*
        }
    )*};
}

#[cfg(target_pointer_width = "64")]
offsets! {
    spw_slice {
        data: 0,
        len: 8,
    }
    spw_stats {
        struct_size: 0,
        flags: 4,
        streams: 8,
        batches_added: 16,
        records_added: 24,
        payload_bytes_added: 32,
        records_live: 40,
        records_unspilled: 48,
        records_cold: 56,
        records_resident: 64,
        records_resident_peak: 72,
        bytes_unspilled: 80,
        bytes_clean: 88,
        bytes_free: 96,
        bytes_resident: 104,
        bytes_resident_peak: 112,
        bytes_pinned: 120,
        bytes_soft: 128,
        bytes_hard: 136,
        records_soft: 144,
        records_hard: 152,
        spills: 160,
        records_spilled: 168,
        payload_bytes_spilled: 176,
        spill_ns_last: 184,
        spill_ns_total: 192,
        spill_errors: 200,
        adders_waiting: 208,
        waits: 216,
        wait_ns_total: 224,
        wait_ns_max: 232,
        adds_refused: 240,
        records_cleared: 248,
        evictions: 256,
        cold_reads: 264,
        cold_bytes_read: 272,
        checksum_errors: 280,
        cold_file_bytes: 288,
        events_lost: 296,
        health: 304,
        records_trimmed: 312,
        records_overwritten: 320,
        records_dropped: 328,
        batches_dropped: 336,
        paced: 344,
        paced_ns_total: 352,
        adders_syncing: 360,
        promotions: 368,
        reads_memory: 376,
        reads_cold: 384,
    }
    spw_stream_stats {
        struct_size: 0,
        flags: 4,
        begin_seq: 8,
        spilled_seq: 16,
        tail_seq: 24,
        records_resident: 32,
        bytes_unspilled: 40,
    }
    spw_event {
        kind: 0,
        stream: 4,
        code: 8,
        reserved: 12,
        time_ns: 16,
        seq: 24,
        count: 32,
        value: 40,
    }
    spw_scan {
        struct_size: 0,
        flags: 4,
        stream: 8,
        reserved: 12,
        begin_seq: 16,
        end_seq: 24,
        time_begin: 32,
        time_end: 40,
    }
    spw_view {
        struct_size: 0,
        flags: 4,
        count: 8,
        first_seq: 16,
        data: 24,
        data_len: 32,
        begin: 40,
        end: 48,
        seqs: 56,
        times: 64,
    }
    spw_block_info {
        struct_size: 0,
        tag_len: 4,
        length: 8,
        version: 16,
        created_ns: 24,
        modified_ns: 32,
        tag: 40,
    }
    spw_block_view {
        struct_size: 0,
        flags: 4,
        count: 8,
        names: 16,
        name_offsets: 24,
        infos: 32,
    }
    spw_vacuum_result {
        struct_size: 0,
        flags: 4,
        bytes_moved: 8,
        bytes_needed: 16,
        bytes_before: 24,
        bytes_after: 32,
        bytes_file: 40,
        done: 48,
    }
    spw_transfer {
        struct_size: 0,
        flags: 4,
        blocks: 8,
        bytes: 16,
        equal: 24,
        ignored: 32,
    }
    spw_verify_summary {
        struct_size: 0,
        flags: 4,
        blocks: 8,
        blocks_damaged: 16,
        bytes: 24,
        problems: 32,
    }
    spw_problem {
        struct_size: 0,
        code: 4,
        name: 8,
        name_len: 16,
        message: 24,
        message_len: 32,
    }
    spw_record_summary {
        struct_size: 0,
        flags: 4,
        streams: 8,
        records: 16,
        records_damaged: 24,
        bytes: 32,
        ranges: 40,
    }
    spw_record_range {
        struct_size: 0,
        code: 4,
        stream: 8,
        reserved: 12,
        begin_seq: 16,
        end_seq: 24,
        message: 32,
        message_len: 40,
    }
    spw_block_stats {
        struct_size: 0,
        flags: 4,
        blocks: 8,
        payload_bytes: 16,
        bytes_file: 24,
        bytes_used: 32,
        bytes_held: 40,
        bytes_free: 48,
        blocks_dirty: 56,
        bytes_dirty: 64,
        bytes_cached: 72,
        snapshots: 80,
        puts: 88,
        groups: 96,
        barriers: 104,
        checkpoints: 112,
        bytes_written: 120,
        bytes_read: 128,
        waits: 136,
        cache_hits: 144,
        cache_misses: 152,
        checksum_errors: 160,
        health: 168,
        bytes_disk: 176,
        scrub_passes: 184,
        scrub_problems: 192,
    }
}

#[test]
fn sizes_as_the_library_was_built() {
    let sizes = [
        (SPW_STRUCT_SLICE, size_of::<spw_slice>()),
        (SPW_STRUCT_STATS, size_of::<spw_stats>()),
        (SPW_STRUCT_STREAM_STATS, size_of::<spw_stream_stats>()),
        (SPW_STRUCT_EVENT, size_of::<spw_event>()),
        (SPW_STRUCT_SCAN, size_of::<spw_scan>()),
        (SPW_STRUCT_VIEW, size_of::<spw_view>()),
        (SPW_STRUCT_BLOCK_INFO, size_of::<spw_block_info>()),
        (SPW_STRUCT_BLOCK_VIEW, size_of::<spw_block_view>()),
        (SPW_STRUCT_BLOCK_STATS, size_of::<spw_block_stats>()),
        (SPW_STRUCT_VERIFY_SUMMARY, size_of::<spw_verify_summary>()),
        (SPW_STRUCT_PROBLEM, size_of::<spw_problem>()),
        (SPW_STRUCT_VACUUM_RESULT, size_of::<spw_vacuum_result>()),
        (SPW_STRUCT_TRANSFER, size_of::<spw_transfer>()),
        (SPW_STRUCT_RECORD_SUMMARY, size_of::<spw_record_summary>()),
        (SPW_STRUCT_RECORD_RANGE, size_of::<spw_record_range>()),
        (99, 0),
    ];
    for (id, size) in sizes {
        assert_eq!(unsafe { spw_sizeof(id) }, size, "struct {}", id);
    }
}

#[test]
fn version_of_the_library() {
    let version = unsafe { spw_abi_version() };
    assert_eq!(version >> 16, SPW_VERSION_MAJOR as u32);
    assert!(version & 0xffff >= SPW_VERSION_MINOR as u32);
}
