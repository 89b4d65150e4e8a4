//! The functions of spillway_file.h, each once.
use std::mem::{size_of, zeroed};
use std::os::raw::{c_char, c_void};
use std::ptr::{null, null_mut};
use std::slice::from_raw_parts;

use crate::{new_options, spw_store_commit, spw_store_file, Checks, Error, Op, Opaque, Options};
use crate::{Status, Store, FLUSH_DEVICE, NO_LIMIT, OK, WAIT_FOREVER};

type File = Opaque;
type Txn = Opaque;
type Blob = Opaque;
type List = Opaque;
type Report = Opaque;
type Reader = Opaque;
type Writer = Opaque;

const INVALID_STATE: Status = 2;
const NOT_FOUND: Status = 4;
const CONFLICT: Status = 20;
const ANY: u64 = u64::MAX;
const NONE: u64 = 0;
const OPT_FILE_CACHE_BYTES: i32 = 104;
const FLUSH_KERNEL: i32 = 1;
const FLUSH_CHECKPOINT: i32 = 3;
const RENAME_REPLACE: u32 = 1;
const VERIFY_FULL: u32 = 1;
const VACUUM_FULL: u32 = 1;

#[repr(C)]
pub struct BlockInfo {
    struct_size: u32,
    tag_len: u32,
    length: u64,
    version: u64,
    created_ns: i64,
    modified_ns: i64,
    tag: [u8; 128],
}

#[repr(C)]
pub struct BlockView {
    struct_size: u32,
    flags: u32,
    count: u64,
    names: *const c_char,
    name_offsets: *const u64,
    infos: *const BlockInfo,
}

#[repr(C)]
pub struct Summary {
    struct_size: u32,
    flags: u32,
    blocks: u64,
    blocks_damaged: u64,
    bytes: u64,
    problems: u64,
}

#[repr(C)]
pub struct Problem {
    struct_size: u32,
    code: i32,
    name: *const c_char,
    name_len: u64,
    message: *const c_char,
    message_len: u64,
}

#[repr(C)]
pub struct BlockStats {
    struct_size: u32,
    flags: u32,
    blocks: u64,
    payload_bytes: u64,
    bytes_file: u64,
    bytes_used: u64,
    bytes_held: u64,
    bytes_free: u64,
    blocks_dirty: u64,
    bytes_dirty: u64,
    bytes_cached: u64,
    snapshots: u64,
    puts: u64,
    groups: u64,
    barriers: u64,
    checkpoints: u64,
    bytes_written: u64,
    bytes_read: u64,
    waits: u64,
    cache_hits: u64,
    cache_misses: u64,
    checksum_errors: u64,
    health: u64,
    bytes_disk: u64,
    scrub_passes: u64,
    scrub_problems: u64,
}

#[repr(C)]
pub struct VacuumResult {
    struct_size: u32,
    flags: u32,
    bytes_moved: u64,
    bytes_needed: u64,
    bytes_before: u64,
    bytes_after: u64,
    bytes_file: u64,
    done: u64,
}

#[repr(C)]
pub struct Transfer {
    struct_size: u32,
    flags: u32,
    blocks: u64,
    bytes: u64,
    equal: u64,
    ignored: u64,
}

#[rustfmt::skip]
extern "C" {
    fn spw_sizeof(struct_id: i32) -> usize;
    fn spw_options_free(options: *mut Options);
    fn spw_file_open(path: *const c_char, path_len: usize, options: *const Options, op: *mut Op, out: *mut *mut File, err: *mut *mut Error) -> Status;
    fn spw_file_close(file: *mut File, flags: u32, err: *mut *mut Error) -> Status;
    fn spw_file_free(file: *mut File);
    fn spw_leaked_files() -> u64;
    fn spw_file_flush(file: *mut File, level: i32, err: *mut *mut Error) -> Status;
    fn spw_txn_begin(file: *mut File, flags: u32, out: *mut *mut Txn, err: *mut *mut Error) -> Status;
    fn spw_txn_commit(txn: *mut Txn, level: i32, err: *mut *mut Error) -> Status;
    fn spw_txn_free(txn: *mut Txn);
    fn spw_block_put(file: *mut File, txn: *mut Txn, name: *const c_char, name_len: usize, data: *const c_void, data_len: u64, expected: u64, version: *mut u64, err: *mut *mut Error) -> Status;
    fn spw_block_put_batch(file: *mut File, txn: *mut Txn, names: *const c_char, names_len: u64, name_offsets: *const u64, data: *const c_void, data_len: u64, data_offsets: *const u64, count: usize, expected: *const u64, versions: *mut u64, err: *mut *mut Error) -> Status;
    fn spw_block_append(file: *mut File, txn: *mut Txn, name: *const c_char, name_len: usize, data: *const c_void, data_len: u64, length: *mut u64, err: *mut *mut Error) -> Status;
    fn spw_block_patch(file: *mut File, txn: *mut Txn, name: *const c_char, name_len: usize, offset: u64, data: *const c_void, data_len: u64, err: *mut *mut Error) -> Status;
    fn spw_block_delete(file: *mut File, txn: *mut Txn, name: *const c_char, name_len: usize, expected: u64, err: *mut *mut Error) -> Status;
    fn spw_block_rename(file: *mut File, txn: *mut Txn, from: *const c_char, from_len: usize, to: *const c_char, to_len: usize, flags: u32, err: *mut *mut Error) -> Status;
    fn spw_block_set_tag(file: *mut File, txn: *mut Txn, name: *const c_char, name_len: usize, tag: *const c_void, tag_len: usize, err: *mut *mut Error) -> Status;
    fn spw_block_stat(file: *mut File, txn: *mut Txn, name: *const c_char, name_len: usize, out: *mut BlockInfo, err: *mut *mut Error) -> Status;
    fn spw_block_exists(file: *mut File, txn: *mut Txn, name: *const c_char, name_len: usize, exists: *mut i32, err: *mut *mut Error) -> Status;
    fn spw_block_read(file: *mut File, txn: *mut Txn, name: *const c_char, name_len: usize, offset: u64, buffer: *mut c_void, cap: u64, len: *mut u64, err: *mut *mut Error) -> Status;
    fn spw_block_read_batch(file: *mut File, txn: *mut Txn, names: *const c_char, names_len: u64, name_offsets: *const u64, count: usize, buffer: *mut c_void, cap: u64, offsets: *mut u64, statuses: *mut i32, err: *mut *mut Error) -> Status;
    fn spw_block_get(file: *mut File, txn: *mut Txn, name: *const c_char, name_len: usize, offset: u64, length: u64, out: *mut *mut Blob, err: *mut *mut Error) -> Status;
    fn spw_blob_view(blob: *const Blob, data: *mut *const u8, len: *mut u64, err: *mut *mut Error) -> Status;
    fn spw_blob_free(blob: *mut Blob);
    fn spw_list_open(file: *mut File, txn: *mut Txn, prefix: *const c_char, prefix_len: usize, flags: u32, out: *mut *mut List, err: *mut *mut Error) -> Status;
    fn spw_list_next(list: *mut List, max_blocks: u64, out: *mut BlockView, err: *mut *mut Error) -> Status;
    fn spw_list_seek(list: *mut List, name: *const c_char, name_len: usize, err: *mut *mut Error) -> Status;
    fn spw_list_free(list: *mut List);
    fn spw_reader_open(file: *mut File, txn: *mut Txn, name: *const c_char, name_len: usize, out: *mut *mut Reader, err: *mut *mut Error) -> Status;
    fn spw_reader_stat(reader: *const Reader, out: *mut BlockInfo, err: *mut *mut Error) -> Status;
    fn spw_reader_read(reader: *mut Reader, buffer: *mut c_void, cap: u64, len: *mut u64, err: *mut *mut Error) -> Status;
    fn spw_reader_read_at(reader: *const Reader, offset: u64, buffer: *mut c_void, cap: u64, len: *mut u64, err: *mut *mut Error) -> Status;
    fn spw_reader_seek(reader: *mut Reader, offset: u64, err: *mut *mut Error) -> Status;
    fn spw_reader_free(reader: *mut Reader);
    fn spw_writer_open(file: *mut File, txn: *mut Txn, name: *const c_char, name_len: usize, expected: u64, out: *mut *mut Writer, err: *mut *mut Error) -> Status;
    fn spw_writer_write(writer: *mut Writer, data: *const c_void, data_len: u64, err: *mut *mut Error) -> Status;
    fn spw_writer_commit(writer: *mut Writer, version: *mut u64, err: *mut *mut Error) -> Status;
    fn spw_writer_free(writer: *mut Writer);
    fn spw_file_vacuum(file: *mut File, flags: u32, max_bytes: u64, op: *mut Op, out: *mut VacuumResult, err: *mut *mut Error) -> Status;
    fn spw_file_copy(file: *mut File, txn: *mut Txn, path: *const c_char, path_len: usize, op: *mut Op, err: *mut *mut Error) -> Status;
    fn spw_file_import(file: *mut File, folder: *const c_char, folder_len: usize, prefix: *const c_char, prefix_len: usize, op: *mut Op, out: *mut Transfer, err: *mut *mut Error) -> Status;
    fn spw_file_export(file: *mut File, txn: *mut Txn, prefix: *const c_char, prefix_len: usize, folder: *const c_char, folder_len: usize, op: *mut Op, out: *mut Transfer, err: *mut *mut Error) -> Status;
    fn spw_file_scrub(file: *mut File, bytes_per_second: u64, err: *mut *mut Error) -> Status;
    fn spw_file_scrub_report(file: *mut File, out: *mut *mut Report, err: *mut *mut Error) -> Status;
    fn spw_file_verify(file: *mut File, flags: u32, bytes_per_second: u64, op: *mut Op, out: *mut *mut Report, err: *mut *mut Error) -> Status;
    fn spw_report_summary(report: *const Report, out: *mut Summary, err: *mut *mut Error) -> Status;
    fn spw_report_problem(report: *const Report, index: u64, out: *mut Problem, err: *mut *mut Error) -> Status;
    fn spw_report_free(report: *mut Report);
    fn spw_file_stats(file: *const File, out: *mut BlockStats, err: *mut *mut Error) -> Status;
}

const A: *const c_char = b"a".as_ptr().cast();
const B: *const c_char = b"b".as_ptr().cast();
const C: *const c_char = b"c".as_ptr().cast();
const D: *const c_char = b"d".as_ptr().cast();

fn bytes(text: &str) -> (*const c_void, u64) {
    (text.as_ptr().cast(), text.len() as u64)
}

unsafe fn layout(checks: &mut Checks) {
    let sizes = [
        size_of::<BlockInfo>(),
        size_of::<BlockView>(),
        size_of::<BlockStats>(),
        size_of::<Summary>(),
        size_of::<Problem>(),
        size_of::<VacuumResult>(),
        size_of::<Transfer>(),
    ];
    for (i, size) in sizes.iter().enumerate() {
        let id = i as i32 + 7;
        checks.that(spw_sizeof(id) == *size, &format!("size of struct {id}: {size}"));
    }
}

unsafe fn write(checks: &mut Checks, file: *mut File) {
    let none = null_mut();
    let (mut version, mut versions, mut length) = (0, [0u64; 2], 0);
    let (first, len) = bytes("first");
    expect!(checks, OK, spw_block_put(file, none, A, 1, first, len, NONE, &mut version));
    let wrong = version + 1;
    expect!(checks, CONFLICT, spw_block_put(file, none, A, 1, first, len, wrong, null_mut()));
    let (data, len) = bytes("secondthird");
    let (names, ends, places) = (b"bc".as_ptr().cast(), [0u64, 1, 2], [0u64, 6, 11]);
    let (ends, places, to) = (ends.as_ptr(), places.as_ptr(), versions.as_mut_ptr());
    expect!(
        checks,
        OK,
        spw_block_put_batch(file, none, names, 2, ends, data, len, places, 2, null(), to)
    );
    checks.that(version > 0 && versions.iter().all(|each| *each > version), "versions");
    let (mark, len) = bytes("!");
    expect!(checks, OK, spw_block_append(file, none, C, 1, mark, len, &mut length));
    checks.that(length == 6, "length");
    expect!(checks, OK, spw_block_patch(file, none, C, 1, 5, mark, len));
    expect!(checks, OK, spw_block_set_tag(file, none, A, 1, mark, 1));
    expect!(checks, OK, spw_block_rename(file, none, B, 1, C, 1, RENAME_REPLACE));
    expect!(checks, NOT_FOUND, spw_block_delete(file, none, B, 1, ANY));
}

unsafe fn read(checks: &mut Checks, file: *mut File) {
    let none = null_mut();
    let mut info: BlockInfo = zeroed();
    info.struct_size = size_of::<BlockInfo>() as u32;
    expect!(checks, OK, spw_block_stat(file, none, A, 1, &mut info));
    checks.that(info.length == 5 && info.tag_len == 1 && info.tag[0] == b'!', "info");
    let (mut exists, mut len, mut buffer) = (7, 7, [0u8; 16]);
    expect!(checks, OK, spw_block_exists(file, none, A, 1, &mut exists));
    let to: *mut c_void = buffer.as_mut_ptr().cast();
    expect!(checks, OK, spw_block_read(file, none, A, 1, 1, to, 3, &mut len));
    checks.that(exists == 1 && &buffer[..len as usize] == b"irs", "a range");
    let (names, ends) = (b"abc".as_ptr().cast(), [0u64, 1, 2, 3]);
    let (mut offsets, mut statuses) = ([0u64; 4], [0i32; 3]);
    let (ends, places, codes) = (ends.as_ptr(), offsets.as_mut_ptr(), statuses.as_mut_ptr());
    expect!(checks, OK, spw_block_read_batch(file, none, names, 3, ends, 3, to, 16, places, codes));
    checks.that(offsets == [0, 5, 5, 11] && statuses == [OK, NOT_FOUND, OK], "a batch");
    checks.that(&buffer[..11] == b"firstsecond", "the bytes of a batch");
    let (mut blob, mut data) = (null_mut(), null());
    expect!(checks, OK, spw_block_get(file, none, A, 1, 0, NO_LIMIT, &mut blob));
    expect!(checks, OK, spw_blob_view(blob, &mut data, &mut len));
    checks.that(from_raw_parts(data, len as usize) == b"first", "a blob");
    spw_blob_free(blob);
}

pub unsafe fn commit_with_records(checks: &mut Checks, store: *mut Store) {
    let (mut file, mut txn, none) = (null_mut(), null_mut(), null_mut());
    expect!(checks, OK, spw_store_file(store, &mut file));
    expect!(checks, OK, spw_txn_begin(file, 0, &mut txn));
    expect!(checks, OK, spw_block_put(file, txn, A, 1, null(), 0, NONE, null_mut()));
    expect!(checks, OK, spw_store_commit(store, txn, FLUSH_DEVICE, WAIT_FOREVER, none));
    spw_txn_free(txn);
    let mut exists = 0;
    expect!(checks, OK, spw_block_exists(file, none, A, 1, &mut exists));
    checks.that(exists == 1, "a block beside the records");
    expect!(checks, INVALID_STATE, spw_file_close(file, 0));
    spw_file_free(file);
}

unsafe fn in_transaction(checks: &mut Checks, file: *mut File) {
    let (mut txn, mut list) = (null_mut(), null_mut());
    expect!(checks, OK, spw_txn_begin(file, 0, &mut txn));
    expect!(checks, OK, spw_block_put(file, txn, D, 1, null(), 0, ANY, null_mut()));
    expect!(checks, OK, spw_list_open(file, txn, null(), 0, 0, &mut list));
    expect!(checks, OK, spw_list_seek(list, D, 1));
    let mut view: BlockView = zeroed();
    view.struct_size = size_of::<BlockView>() as u32;
    expect!(checks, OK, spw_list_next(list, 10, &mut view));
    checks.that(view.count == 1 && *view.names == *D && (*view.infos).length == 0, "a list");
    spw_list_free(list);
    expect!(checks, OK, spw_txn_commit(txn, FLUSH_KERNEL));
    spw_txn_free(txn);
}

unsafe fn verify(checks: &mut Checks, file: *mut File) {
    expect!(checks, OK, spw_file_flush(file, FLUSH_CHECKPOINT));
    let mut report = null_mut();
    expect!(checks, OK, spw_file_verify(file, VERIFY_FULL, NO_LIMIT, null_mut(), &mut report));
    let mut summary: Summary = zeroed();
    summary.struct_size = size_of::<Summary>() as u32;
    expect!(checks, OK, spw_report_summary(report, &mut summary));
    checks.that(summary.blocks == 3 && summary.problems == 0, "summary");
    let mut problem: Problem = zeroed();
    problem.struct_size = size_of::<Problem>() as u32;
    expect!(checks, NOT_FOUND, spw_report_problem(report, 0, &mut problem));
    spw_report_free(report);
    let mut stats: BlockStats = zeroed();
    stats.struct_size = size_of::<BlockStats>() as u32;
    expect!(checks, OK, spw_file_stats(file, &mut stats));
    checks.that(stats.blocks == 3 && stats.payload_bytes == 11, "stats");
    checks.that(stats.health == OK as u64 && stats.bytes_disk > 0, "stats, the last fields");
}

unsafe fn stream(checks: &mut Checks, file: *mut File) {
    let (mut writer, mut reader, mut version, mut len) = (null_mut(), null_mut(), 0, 0);
    expect!(checks, OK, spw_writer_open(file, null_mut(), D, 1, ANY, &mut writer));
    let (data, data_len) = bytes("streamed");
    expect!(checks, OK, spw_writer_write(writer, data, data_len));
    expect!(checks, OK, spw_writer_commit(writer, &mut version));
    checks.that(version > 0, "the version of what was written");
    spw_writer_free(writer);

    let mut info: BlockInfo = zeroed();
    info.struct_size = size_of::<BlockInfo>() as u32;
    let mut buffer = [0u8; 16];
    let to: *mut c_void = buffer.as_mut_ptr().cast();
    expect!(checks, OK, spw_reader_open(file, null_mut(), D, 1, &mut reader));
    expect!(checks, OK, spw_reader_stat(reader, &mut info));
    checks.that(info.length == 8 && info.version == version, "what a reader reads");
    expect!(checks, OK, spw_reader_read_at(reader, 6, to, 16, &mut len));
    checks.that(&buffer[..len as usize] == b"ed", "the end");
    expect!(checks, OK, spw_reader_seek(reader, 1));
    expect!(checks, OK, spw_reader_read(reader, to, 3, &mut len));
    checks.that(&buffer[..len as usize] == b"tre", "the middle");
    spw_reader_free(reader);
}

/// Below `path` there may be whatever is wanted.
unsafe fn upkeep(checks: &mut Checks, file: *mut File, path: &str) {
    let (copy, folder) = (format!("{path}.copy"), format!("{path}.folder"));
    let none = null_mut();
    let mut result: VacuumResult = zeroed();
    result.struct_size = size_of::<VacuumResult>() as u32;
    expect!(checks, OK, spw_file_vacuum(file, VACUUM_FULL, NO_LIMIT, none, &mut result));
    checks.that(result.done == 1 && result.flags == VACUUM_FULL, "a vacuum");
    let (to, len) = (copy.as_ptr().cast(), copy.len());
    expect!(checks, OK, spw_file_copy(file, null_mut(), to, len, none));

    let mut moved: Transfer = zeroed();
    moved.struct_size = size_of::<Transfer>() as u32;
    let (to, len) = (folder.as_ptr().cast(), folder.len());
    expect!(checks, OK, spw_file_export(file, null_mut(), null(), 0, to, len, none, &mut moved));
    checks.that(moved.blocks == 3 && moved.bytes == 19 && moved.equal == 0, "an export");
    expect!(checks, OK, spw_file_import(file, to, len, null(), 0, none, &mut moved));
    checks.that(moved.blocks == 0 && moved.equal == 3 && moved.ignored == 0, "an import");

    let mut report = null_mut();
    expect!(checks, OK, spw_file_scrub(file, 1));
    expect!(checks, NOT_FOUND, spw_file_scrub_report(file, &mut report));
    expect!(checks, OK, spw_file_scrub(file, 0));
}

pub unsafe fn run(checks: &mut Checks, path: &str) {
    layout(checks);
    let leaked = spw_leaked_files();
    let options = new_options(checks, &[(OPT_FILE_CACHE_BYTES, 0)]);
    let mut file = null_mut();
    let text = path.as_ptr().cast();
    expect!(checks, OK, spw_file_open(text, path.len(), options, null_mut(), &mut file));
    spw_options_free(options);
    if file.is_null() {
        return;
    }
    write(checks, file);
    read(checks, file);
    in_transaction(checks, file);
    verify(checks, file);
    stream(checks, file);
    upkeep(checks, file, path);
    expect!(checks, OK, spw_file_close(file, 0));
    spw_file_free(file);
    checks.that(spw_leaked_files() == leaked, "leaked files");
}
