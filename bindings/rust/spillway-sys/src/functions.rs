//! The functions of `spillway.h`: their contracts stand there.

use core::ffi::c_void;

use crate::{
    c_char, spw_batch, spw_cursor, spw_error, spw_event, spw_file, spw_op, spw_options,
    spw_record_range, spw_record_summary, spw_report, spw_scan, spw_slice, spw_stats, spw_status,
    spw_store, spw_stream_stats, spw_txn, spw_view,
};

extern "C" {
    pub fn spw_status_name(status: spw_status) -> *const c_char;
    pub fn spw_abi_version() -> u32;
    pub fn spw_version() -> *const c_char;
    pub fn spw_sizeof(struct_id: i32) -> usize;
    pub fn spw_leaked_stores() -> u64;
    pub fn spw_error_code(error: *const spw_error) -> spw_status;
    pub fn spw_error_os_code(error: *const spw_error) -> i32;
    pub fn spw_error_detail_code(error: *const spw_error) -> i32;
    pub fn spw_error_record(error: *const spw_error) -> i64;
    pub fn spw_error_message(error: *const spw_error, len: *mut usize) -> *const c_char;
    pub fn spw_error_free(error: *mut spw_error);
    pub fn spw_options_new(out: *mut *mut spw_options, err: *mut *mut spw_error) -> spw_status;
    pub fn spw_options_set_i64(
        options: *mut spw_options,
        key: i32,
        value: i64,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_options_set_bytes(
        options: *mut spw_options,
        key: i32,
        value: *const c_void,
        len: usize,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_options_get_i64(
        options: *const spw_options,
        key: i32,
        value: *mut i64,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_options_free(options: *mut spw_options);
    pub fn spw_op_new(out: *mut *mut spw_op, err: *mut *mut spw_error) -> spw_status;
    pub fn spw_op_cancel(op: *mut spw_op);
    pub fn spw_op_progress(op: *const spw_op, done: *mut u64, total: *mut u64);
    pub fn spw_op_free(op: *mut spw_op);
    pub fn spw_store_open(
        path: *const c_char,
        path_len: usize,
        options: *const spw_options,
        op: *mut spw_op,
        out: *mut *mut spw_store,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_store_close(
        store: *mut spw_store,
        flags: u32,
        timeout_ms: i64,
        op: *mut spw_op,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_store_free(store: *mut spw_store);
    pub fn spw_store_stream(
        store: *mut spw_store,
        name: *const c_char,
        name_len: usize,
        options: *const spw_options,
        flags: u32,
        stream: *mut u32,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_store_streams(
        store: *const spw_store,
        streams: *mut u32,
        cap: usize,
        count: *mut usize,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_store_stream_name(
        store: *const spw_store,
        stream: u32,
        name: *mut c_char,
        cap: usize,
        len: *mut usize,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_store_add(
        store: *mut spw_store,
        stream: u32,
        data: *const c_void,
        data_len: u64,
        offsets: *const u64,
        count: usize,
        times: *const i64,
        timeout_ms: i64,
        op: *mut spw_op,
        first_seq: *mut u64,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_store_addv(
        store: *mut spw_store,
        stream: u32,
        records: *const spw_slice,
        count: usize,
        times: *const i64,
        timeout_ms: i64,
        op: *mut spw_op,
        first_seq: *mut u64,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_store_read(
        store: *const spw_store,
        stream: u32,
        seq: u64,
        buffer: *mut c_void,
        cap: u64,
        len: *mut u64,
        time: *mut i64,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_store_gather(
        store: *const spw_store,
        stream: u32,
        seqs: *const u64,
        count: usize,
        out: *mut *mut spw_batch,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_store_flush(
        store: *mut spw_store,
        level: i32,
        timeout_ms: i64,
        op: *mut spw_op,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_store_file(
        store: *mut spw_store,
        out: *mut *mut spw_file,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_store_commit(
        store: *mut spw_store,
        txn: *mut spw_txn,
        level: i32,
        timeout_ms: i64,
        op: *mut spw_op,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_store_settle(
        store: *mut spw_store,
        timeout_ms: i64,
        op: *mut spw_op,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_store_release_memory(store: *mut spw_store, err: *mut *mut spw_error) -> spw_status;
    pub fn spw_store_clear(
        store: *mut spw_store,
        stream: u32,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_store_verify(
        store: *mut spw_store,
        stream: u32,
        flags: u32,
        bytes_per_second: u64,
        op: *mut spw_op,
        out: *mut *mut spw_report,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_report_records(
        report: *const spw_report,
        out: *mut spw_record_summary,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_report_range(
        report: *const spw_report,
        index: u64,
        out: *mut spw_record_range,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_store_trim(
        store: *mut spw_store,
        stream: u32,
        begin_seq: u64,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_store_trim_time(
        store: *mut spw_store,
        stream: u32,
        time: i64,
        begin_seq: *mut u64,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_store_trim_bytes(
        store: *mut spw_store,
        stream: u32,
        bytes_most: u64,
        begin_seq: *mut u64,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_store_set_i64(
        store: *mut spw_store,
        stream: u32,
        key: i32,
        value: i64,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_store_get_i64(
        store: *const spw_store,
        stream: u32,
        key: i32,
        value: *mut i64,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_store_stats(
        store: *const spw_store,
        out: *mut spw_stats,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_store_stream_stats(
        store: *const spw_store,
        stream: u32,
        out: *mut spw_stream_stats,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_store_events(
        store: *mut spw_store,
        events: *mut spw_event,
        event_size: usize,
        cap: usize,
        count: *mut usize,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_cursor_open(
        store: *mut spw_store,
        scan: *const spw_scan,
        filter: *const spw_options,
        out: *mut *mut spw_cursor,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_cursor_range(
        cursor: *const spw_cursor,
        begin: *mut u64,
        end: *mut u64,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_cursor_next(
        cursor: *mut spw_cursor,
        max_records: u64,
        max_bytes: u64,
        timeout_ms: i64,
        op: *mut spw_op,
        out: *mut spw_view,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_cursor_seek(
        cursor: *mut spw_cursor,
        seq: u64,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_cursor_detach(
        cursor: *mut spw_cursor,
        out: *mut *mut spw_batch,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_cursor_free(cursor: *mut spw_cursor);
    pub fn spw_batch_view(
        batch: *const spw_batch,
        out: *mut spw_view,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_batch_free(batch: *mut spw_batch);
}
