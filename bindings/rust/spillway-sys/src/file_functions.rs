//! The functions of `spillway_file.h`: their contracts stand there.

use core::ffi::c_void;

use crate::{
    c_char, spw_blob, spw_block_info, spw_block_stats, spw_block_view, spw_error, spw_file,
    spw_list, spw_op, spw_options, spw_problem, spw_reader, spw_report, spw_status, spw_transfer,
    spw_txn, spw_vacuum_result, spw_verify_summary, spw_writer,
};

extern "C" {
    pub fn spw_file_open(
        path: *const c_char,
        path_len: usize,
        options: *const spw_options,
        op: *mut spw_op,
        out: *mut *mut spw_file,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_file_close(file: *mut spw_file, flags: u32, err: *mut *mut spw_error) -> spw_status;
    pub fn spw_file_free(file: *mut spw_file);
    pub fn spw_leaked_files() -> u64;
    pub fn spw_file_flush(file: *mut spw_file, level: i32, err: *mut *mut spw_error) -> spw_status;
    pub fn spw_txn_begin(
        file: *mut spw_file,
        flags: u32,
        out: *mut *mut spw_txn,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_txn_commit(txn: *mut spw_txn, level: i32, err: *mut *mut spw_error) -> spw_status;
    pub fn spw_txn_free(txn: *mut spw_txn);
    pub fn spw_block_put(
        file: *mut spw_file,
        txn: *mut spw_txn,
        name: *const c_char,
        name_len: usize,
        data: *const c_void,
        data_len: u64,
        expected: u64,
        version: *mut u64,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_block_put_batch(
        file: *mut spw_file,
        txn: *mut spw_txn,
        names: *const c_char,
        names_len: u64,
        name_offsets: *const u64,
        data: *const c_void,
        data_len: u64,
        data_offsets: *const u64,
        count: usize,
        expected: *const u64,
        versions: *mut u64,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_block_append(
        file: *mut spw_file,
        txn: *mut spw_txn,
        name: *const c_char,
        name_len: usize,
        data: *const c_void,
        data_len: u64,
        length: *mut u64,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_block_patch(
        file: *mut spw_file,
        txn: *mut spw_txn,
        name: *const c_char,
        name_len: usize,
        offset: u64,
        data: *const c_void,
        data_len: u64,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_block_delete(
        file: *mut spw_file,
        txn: *mut spw_txn,
        name: *const c_char,
        name_len: usize,
        expected: u64,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_block_rename(
        file: *mut spw_file,
        txn: *mut spw_txn,
        from: *const c_char,
        from_len: usize,
        to: *const c_char,
        to_len: usize,
        flags: u32,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_block_set_tag(
        file: *mut spw_file,
        txn: *mut spw_txn,
        name: *const c_char,
        name_len: usize,
        tag: *const c_void,
        tag_len: usize,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_block_stat(
        file: *mut spw_file,
        txn: *mut spw_txn,
        name: *const c_char,
        name_len: usize,
        out: *mut spw_block_info,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_block_exists(
        file: *mut spw_file,
        txn: *mut spw_txn,
        name: *const c_char,
        name_len: usize,
        exists: *mut i32,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_block_read(
        file: *mut spw_file,
        txn: *mut spw_txn,
        name: *const c_char,
        name_len: usize,
        offset: u64,
        buffer: *mut c_void,
        cap: u64,
        len: *mut u64,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_block_read_batch(
        file: *mut spw_file,
        txn: *mut spw_txn,
        names: *const c_char,
        names_len: u64,
        name_offsets: *const u64,
        count: usize,
        buffer: *mut c_void,
        cap: u64,
        offsets: *mut u64,
        statuses: *mut i32,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_block_get(
        file: *mut spw_file,
        txn: *mut spw_txn,
        name: *const c_char,
        name_len: usize,
        offset: u64,
        length: u64,
        out: *mut *mut spw_blob,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_blob_view(
        blob: *const spw_blob,
        data: *mut *const u8,
        len: *mut u64,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_blob_free(blob: *mut spw_blob);
    pub fn spw_list_open(
        file: *mut spw_file,
        txn: *mut spw_txn,
        prefix: *const c_char,
        prefix_len: usize,
        flags: u32,
        out: *mut *mut spw_list,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_list_next(
        list: *mut spw_list,
        max_blocks: u64,
        out: *mut spw_block_view,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_list_seek(
        list: *mut spw_list,
        name: *const c_char,
        name_len: usize,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_list_free(list: *mut spw_list);
    pub fn spw_reader_open(
        file: *mut spw_file,
        txn: *mut spw_txn,
        name: *const c_char,
        name_len: usize,
        out: *mut *mut spw_reader,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_reader_stat(
        reader: *const spw_reader,
        out: *mut spw_block_info,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_reader_read(
        reader: *mut spw_reader,
        buffer: *mut c_void,
        cap: u64,
        len: *mut u64,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_reader_read_at(
        reader: *const spw_reader,
        offset: u64,
        buffer: *mut c_void,
        cap: u64,
        len: *mut u64,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_reader_seek(
        reader: *mut spw_reader,
        offset: u64,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_reader_free(reader: *mut spw_reader);
    pub fn spw_writer_open(
        file: *mut spw_file,
        txn: *mut spw_txn,
        name: *const c_char,
        name_len: usize,
        expected: u64,
        out: *mut *mut spw_writer,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_writer_write(
        writer: *mut spw_writer,
        data: *const c_void,
        data_len: u64,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_writer_commit(
        writer: *mut spw_writer,
        version: *mut u64,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_writer_free(writer: *mut spw_writer);
    pub fn spw_file_vacuum(
        file: *mut spw_file,
        flags: u32,
        max_bytes: u64,
        op: *mut spw_op,
        out: *mut spw_vacuum_result,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_file_copy(
        file: *mut spw_file,
        txn: *mut spw_txn,
        path: *const c_char,
        path_len: usize,
        op: *mut spw_op,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_file_import(
        file: *mut spw_file,
        folder: *const c_char,
        folder_len: usize,
        prefix: *const c_char,
        prefix_len: usize,
        op: *mut spw_op,
        out: *mut spw_transfer,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_file_export(
        file: *mut spw_file,
        txn: *mut spw_txn,
        prefix: *const c_char,
        prefix_len: usize,
        folder: *const c_char,
        folder_len: usize,
        op: *mut spw_op,
        out: *mut spw_transfer,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_file_verify(
        file: *mut spw_file,
        flags: u32,
        bytes_per_second: u64,
        op: *mut spw_op,
        out: *mut *mut spw_report,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_report_summary(
        report: *const spw_report,
        out: *mut spw_verify_summary,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_report_problem(
        report: *const spw_report,
        index: u64,
        out: *mut spw_problem,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_report_free(report: *mut spw_report);
    pub fn spw_file_scrub(
        file: *mut spw_file,
        bytes_per_second: u64,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_file_scrub_report(
        file: *mut spw_file,
        out: *mut *mut spw_report,
        err: *mut *mut spw_error,
    ) -> spw_status;
    pub fn spw_file_stats(
        file: *const spw_file,
        out: *mut spw_block_stats,
        err: *mut *mut spw_error,
    ) -> spw_status;
}
