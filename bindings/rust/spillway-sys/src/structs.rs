//! The structs of `spillway.h` and `spillway_file.h`: what their fields mean stands there. Their sizes are proved below,
//! the offsets of their fields in tests/layout.rs, for `offset_of!` is younger than Rust 1.63.

use core::ffi::c_void;

use crate::c_char;

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct spw_slice {
    pub data: *const c_void,
    pub len: usize,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct spw_stats {
    pub struct_size: u32,
    pub flags: u32,
    pub streams: u64,
    pub batches_added: u64,
    pub records_added: u64,
    pub payload_bytes_added: u64,
    pub records_live: u64,
    pub records_unspilled: u64,
    pub records_cold: u64,
    pub records_resident: u64,
    pub records_resident_peak: u64,
    pub bytes_unspilled: u64,
    pub bytes_clean: u64,
    pub bytes_free: u64,
    pub bytes_resident: u64,
    pub bytes_resident_peak: u64,
    pub bytes_pinned: u64,
    pub bytes_soft: u64,
    pub bytes_hard: u64,
    pub records_soft: u64,
    pub records_hard: u64,
    pub spills: u64,
    pub records_spilled: u64,
    pub payload_bytes_spilled: u64,
    pub spill_ns_last: u64,
    pub spill_ns_total: u64,
    pub spill_errors: u64,
    pub adders_waiting: u64,
    pub waits: u64,
    pub wait_ns_total: u64,
    pub wait_ns_max: u64,
    pub adds_refused: u64,
    pub records_cleared: u64,
    pub evictions: u64,
    pub cold_reads: u64,
    pub cold_bytes_read: u64,
    pub checksum_errors: u64,
    pub cold_file_bytes: u64,
    pub events_lost: u64,
    pub health: u64,
    pub records_trimmed: u64,
    pub records_overwritten: u64,
    pub records_dropped: u64,
    pub batches_dropped: u64,
    pub paced: u64,
    pub paced_ns_total: u64,
    pub adders_syncing: u64,
    pub promotions: u64,
    pub reads_memory: u64,
    pub reads_cold: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct spw_stream_stats {
    pub struct_size: u32,
    pub flags: u32,
    pub begin_seq: u64,
    pub spilled_seq: u64,
    pub tail_seq: u64,
    pub records_resident: u64,
    pub bytes_unspilled: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct spw_event {
    pub kind: u32,
    pub stream: u32,
    pub code: i32,
    pub reserved: u32,
    pub time_ns: u64,
    pub seq: u64,
    pub count: u64,
    pub value: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct spw_scan {
    pub struct_size: u32,
    pub flags: u32,
    pub stream: u32,
    pub reserved: u32,
    pub begin_seq: u64,
    pub end_seq: u64,
    pub time_begin: i64,
    pub time_end: i64,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct spw_view {
    pub struct_size: u32,
    pub flags: u32,
    pub count: u64,
    pub first_seq: u64,
    pub data: *const u8,
    pub data_len: u64,
    pub begin: *const u64,
    pub end: *const u64,
    pub seqs: *const u64,
    pub times: *const i64,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct spw_block_info {
    pub struct_size: u32,
    pub tag_len: u32,
    pub length: u64,
    pub version: u64,
    pub created_ns: i64,
    pub modified_ns: i64,
    pub tag: [u8; 128],
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct spw_block_view {
    pub struct_size: u32,
    pub flags: u32,
    pub count: u64,
    pub names: *const c_char,
    pub name_offsets: *const u64,
    pub infos: *const spw_block_info,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct spw_vacuum_result {
    pub struct_size: u32,
    pub flags: u32,
    pub bytes_moved: u64,
    pub bytes_needed: u64,
    pub bytes_before: u64,
    pub bytes_after: u64,
    pub bytes_file: u64,
    pub done: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct spw_transfer {
    pub struct_size: u32,
    pub flags: u32,
    pub blocks: u64,
    pub bytes: u64,
    pub equal: u64,
    pub ignored: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct spw_verify_summary {
    pub struct_size: u32,
    pub flags: u32,
    pub blocks: u64,
    pub blocks_damaged: u64,
    pub bytes: u64,
    pub problems: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct spw_problem {
    pub struct_size: u32,
    pub code: i32,
    pub name: *const c_char,
    pub name_len: u64,
    pub message: *const c_char,
    pub message_len: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct spw_record_summary {
    pub struct_size: u32,
    pub flags: u32,
    pub streams: u64,
    pub records: u64,
    pub records_damaged: u64,
    pub bytes: u64,
    pub ranges: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct spw_record_range {
    pub struct_size: u32,
    pub code: i32,
    pub stream: u32,
    pub reserved: u32,
    pub begin_seq: u64,
    pub end_seq: u64,
    pub message: *const c_char,
    pub message_len: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct spw_block_stats {
    pub struct_size: u32,
    pub flags: u32,
    pub blocks: u64,
    pub payload_bytes: u64,
    pub bytes_file: u64,
    pub bytes_used: u64,
    pub bytes_held: u64,
    pub bytes_free: u64,
    pub blocks_dirty: u64,
    pub bytes_dirty: u64,
    pub bytes_cached: u64,
    pub snapshots: u64,
    pub puts: u64,
    pub groups: u64,
    pub barriers: u64,
    pub checkpoints: u64,
    pub bytes_written: u64,
    pub bytes_read: u64,
    pub waits: u64,
    pub cache_hits: u64,
    pub cache_misses: u64,
    pub checksum_errors: u64,
    pub health: u64,
    pub bytes_disk: u64,
    pub scrub_passes: u64,
    pub scrub_problems: u64,
}

/// The size of each on 64 bits; all are aligned to 8 bytes.
#[cfg(target_pointer_width = "64")]
const _: () = {
    use core::mem::{align_of, size_of};
    assert!(size_of::<spw_slice>() == 16 && align_of::<spw_slice>() == 8);
    assert!(size_of::<spw_stats>() == 392 && align_of::<spw_stats>() == 8);
    assert!(size_of::<spw_stream_stats>() == 48 && align_of::<spw_stream_stats>() == 8);
    assert!(size_of::<spw_event>() == 48 && align_of::<spw_event>() == 8);
    assert!(size_of::<spw_scan>() == 48 && align_of::<spw_scan>() == 8);
    assert!(size_of::<spw_view>() == 72 && align_of::<spw_view>() == 8);
    assert!(size_of::<spw_block_info>() == 168 && align_of::<spw_block_info>() == 8);
    assert!(size_of::<spw_block_view>() == 40 && align_of::<spw_block_view>() == 8);
    assert!(size_of::<spw_vacuum_result>() == 56 && align_of::<spw_vacuum_result>() == 8);
    assert!(size_of::<spw_transfer>() == 40 && align_of::<spw_transfer>() == 8);
    assert!(size_of::<spw_verify_summary>() == 40 && align_of::<spw_verify_summary>() == 8);
    assert!(size_of::<spw_problem>() == 40 && align_of::<spw_problem>() == 8);
    assert!(size_of::<spw_record_summary>() == 48 && align_of::<spw_record_summary>() == 8);
    assert!(size_of::<spw_record_range>() == 48 && align_of::<spw_record_range>() == 8);
    assert!(size_of::<spw_block_stats>() == 200 && align_of::<spw_block_stats>() == 8);
};
