//! Calls every function of spillway.h (and in blocks.rs of spillway_file.h) once from Rust and compares
//! the layout of its structs with what the library was built with. The declarations are written by
//! hand, as a binding would have them.
use std::ffi::CStr;
use std::mem::size_of;
use std::os::raw::{c_char, c_void};
use std::ptr::{null, null_mut};

#[repr(C)]
pub struct Opaque {
    _private: [u8; 0],
}
type Status = i32;
type Error = Opaque;
type Options = Opaque;
type Store = Opaque;
type Cursor = Opaque;
type Batch = Opaque;
type Op = Opaque;

const OK: Status = 0;
const NOT_FOUND: Status = 4;
const INVALID_ARGUMENT: Status = 1;
const CANCELLED: Status = 9;
const UNSUPPORTED: Status = 17;
const SEQ_NONE: u64 = u64::MAX;
const ALL: u32 = u32::MAX;
const NO_LIMIT: u64 = u64::MAX;
const WAIT_DEFAULT: i64 = -1;
const WAIT_FOREVER: i64 = i64::MAX;
const OPT_BUDGET_BYTES: i32 = 1;
const OPT_TIMEOUT_MS: i32 = 6;
const OPT_COLD_TIER: i32 = 7;
const OPT_TIMES: i32 = 10;
const TIER_BLOCK_FILE: i64 = 1;
const STREAM_CREATE: u32 = 1;
const STREAM_HAS_TIMES: u32 = 1;
const FLUSH_DEVICE: i32 = 2;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Slice {
    data: *const c_void,
    len: usize,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Scan {
    struct_size: u32,
    flags: u32,
    stream: u32,
    reserved: u32,
    begin_seq: u64,
    end_seq: u64,
    time_begin: i64,
    time_end: i64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct View {
    struct_size: u32,
    flags: u32,
    count: u64,
    first_seq: u64,
    data: *const u8,
    data_len: u64,
    begin: *const u64,
    end: *const u64,
    seqs: *const u64,
    times: *const i64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Stats {
    struct_size: u32,
    flags: u32,
    streams: u64,
    batches_added: u64,
    records_added: u64,
    payload_bytes_added: u64,
    records_live: u64,
    records_unspilled: u64,
    records_cold: u64,
    records_resident: u64,
    records_resident_peak: u64,
    bytes_unspilled: u64,
    bytes_clean: u64,
    bytes_free: u64,
    bytes_resident: u64,
    bytes_resident_peak: u64,
    bytes_pinned: u64,
    bytes_soft: u64,
    bytes_hard: u64,
    records_soft: u64,
    records_hard: u64,
    spills: u64,
    records_spilled: u64,
    payload_bytes_spilled: u64,
    spill_ns_last: u64,
    spill_ns_total: u64,
    spill_errors: u64,
    adders_waiting: u64,
    waits: u64,
    wait_ns_total: u64,
    wait_ns_max: u64,
    adds_refused: u64,
    records_cleared: u64,
    evictions: u64,
    cold_reads: u64,
    cold_bytes_read: u64,
    checksum_errors: u64,
    cold_file_bytes: u64,
    events_lost: u64,
    health: u64,
    records_trimmed: u64,
    records_overwritten: u64,
    records_dropped: u64,
    batches_dropped: u64,
    paced: u64,
    paced_ns_total: u64,
    adders_syncing: u64,
    promotions: u64,
    reads_memory: u64,
    reads_cold: u64,
}

#[repr(C)]
struct RecordSummary {
    struct_size: u32,
    flags: u32,
    streams: u64,
    records: u64,
    records_damaged: u64,
    bytes: u64,
    ranges: u64,
}

#[repr(C)]
struct RecordRange {
    struct_size: u32,
    code: i32,
    stream: u32,
    reserved: u32,
    begin_seq: u64,
    end_seq: u64,
    message: *const c_char,
    message_len: u64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct StreamStats {
    struct_size: u32,
    flags: u32,
    begin_seq: u64,
    spilled_seq: u64,
    tail_seq: u64,
    records_resident: u64,
    bytes_unspilled: u64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Event {
    kind: u32,
    stream: u32,
    code: i32,
    reserved: u32,
    time_ns: u64,
    seq: u64,
    count: u64,
    value: u64,
}

#[rustfmt::skip]
extern "C" {
    fn spw_status_name(status: Status) -> *const c_char;
    fn spw_abi_version() -> u32;
    fn spw_version() -> *const c_char;
    fn spw_sizeof(struct_id: i32) -> usize;
    fn spw_leaked_stores() -> u64;
    fn spw_error_code(error: *const Error) -> Status;
    fn spw_error_os_code(error: *const Error) -> i32;
    fn spw_error_detail_code(error: *const Error) -> i32;
    fn spw_error_record(error: *const Error) -> i64;
    fn spw_error_message(error: *const Error, len: *mut usize) -> *const c_char;
    fn spw_error_free(error: *mut Error);
    fn spw_options_new(out: *mut *mut Options, err: *mut *mut Error) -> Status;
    fn spw_options_set_i64(options: *mut Options, key: i32, value: i64, err: *mut *mut Error) -> Status;
    fn spw_options_set_bytes(options: *mut Options, key: i32, value: *const c_void, len: usize, err: *mut *mut Error) -> Status;
    fn spw_options_get_i64(options: *const Options, key: i32, value: *mut i64, err: *mut *mut Error) -> Status;
    fn spw_options_free(options: *mut Options);
    fn spw_op_new(out: *mut *mut Op, err: *mut *mut Error) -> Status;
    fn spw_op_cancel(op: *mut Op);
    fn spw_op_progress(op: *const Op, done: *mut u64, total: *mut u64);
    fn spw_op_free(op: *mut Op);
    fn spw_store_open(path: *const c_char, path_len: usize, options: *const Options, op: *mut Op, out: *mut *mut Store, err: *mut *mut Error) -> Status;
    fn spw_store_close(store: *mut Store, flags: u32, timeout_ms: i64, op: *mut Op, err: *mut *mut Error) -> Status;
    fn spw_store_free(store: *mut Store);
    fn spw_store_stream(store: *mut Store, name: *const c_char, name_len: usize, options: *const Options, flags: u32, stream: *mut u32, err: *mut *mut Error) -> Status;
    fn spw_store_streams(store: *const Store, streams: *mut u32, cap: usize, count: *mut usize, err: *mut *mut Error) -> Status;
    fn spw_store_stream_name(store: *const Store, stream: u32, name: *mut c_char, cap: usize, len: *mut usize, err: *mut *mut Error) -> Status;
    fn spw_store_add(store: *mut Store, stream: u32, data: *const c_void, data_len: u64, offsets: *const u64, count: usize, times: *const i64, timeout_ms: i64, op: *mut Op, first_seq: *mut u64, err: *mut *mut Error) -> Status;
    fn spw_store_addv(store: *mut Store, stream: u32, records: *const Slice, count: usize, times: *const i64, timeout_ms: i64, op: *mut Op, first_seq: *mut u64, err: *mut *mut Error) -> Status;
    fn spw_store_read(store: *const Store, stream: u32, seq: u64, buffer: *mut c_void, cap: u64, len: *mut u64, time: *mut i64, err: *mut *mut Error) -> Status;
    fn spw_store_gather(store: *const Store, stream: u32, seqs: *const u64, count: usize, out: *mut *mut Batch, err: *mut *mut Error) -> Status;
    fn spw_store_flush(store: *mut Store, level: i32, timeout_ms: i64, op: *mut Op, err: *mut *mut Error) -> Status;
    fn spw_store_file(store: *mut Store, out: *mut *mut Opaque, err: *mut *mut Error) -> Status;
    fn spw_store_commit(store: *mut Store, txn: *mut Opaque, level: i32, timeout_ms: i64, op: *mut Op, err: *mut *mut Error) -> Status;
    fn spw_store_settle(store: *mut Store, timeout_ms: i64, op: *mut Op, err: *mut *mut Error) -> Status;
    fn spw_store_release_memory(store: *mut Store, err: *mut *mut Error) -> Status;
    fn spw_store_verify(store: *mut Store, stream: u32, flags: u32, bytes_per_second: u64, op: *mut Op, out: *mut *mut Opaque, err: *mut *mut Error) -> Status;
    fn spw_report_records(report: *const Opaque, out: *mut RecordSummary, err: *mut *mut Error) -> Status;
    fn spw_report_range(report: *const Opaque, index: u64, out: *mut RecordRange, err: *mut *mut Error) -> Status;
    fn spw_report_free(report: *mut Opaque);
    fn spw_store_trim(store: *mut Store, stream: u32, begin_seq: u64, err: *mut *mut Error) -> Status;
    fn spw_store_trim_time(store: *mut Store, stream: u32, time: i64, begin_seq: *mut u64, err: *mut *mut Error) -> Status;
    fn spw_store_trim_bytes(store: *mut Store, stream: u32, bytes_most: u64, begin_seq: *mut u64, err: *mut *mut Error) -> Status;
    fn spw_store_clear(store: *mut Store, stream: u32, err: *mut *mut Error) -> Status;
    fn spw_store_set_i64(store: *mut Store, stream: u32, key: i32, value: i64, err: *mut *mut Error) -> Status;
    fn spw_store_get_i64(store: *const Store, stream: u32, key: i32, value: *mut i64, err: *mut *mut Error) -> Status;
    fn spw_store_stats(store: *const Store, out: *mut Stats, err: *mut *mut Error) -> Status;
    fn spw_store_stream_stats(store: *const Store, stream: u32, out: *mut StreamStats, err: *mut *mut Error) -> Status;
    fn spw_store_events(store: *mut Store, events: *mut Event, event_size: usize, cap: usize, count: *mut usize, err: *mut *mut Error) -> Status;
    fn spw_cursor_open(store: *mut Store, scan: *const Scan, filter: *const Options, out: *mut *mut Cursor, err: *mut *mut Error) -> Status;
    fn spw_cursor_range(cursor: *const Cursor, begin: *mut u64, end: *mut u64, err: *mut *mut Error) -> Status;
    fn spw_cursor_next(cursor: *mut Cursor, max_records: u64, max_bytes: u64, timeout_ms: i64, op: *mut Op, out: *mut View, err: *mut *mut Error) -> Status;
    fn spw_cursor_seek(cursor: *mut Cursor, seq: u64, err: *mut *mut Error) -> Status;
    fn spw_cursor_detach(cursor: *mut Cursor, out: *mut *mut Batch, err: *mut *mut Error) -> Status;
    fn spw_cursor_free(cursor: *mut Cursor);
    fn spw_batch_view(batch: *const Batch, out: *mut View, err: *mut *mut Error) -> Status;
    fn spw_batch_free(batch: *mut Batch);
}

struct Checks {
    passed: u32,
    failed: u32,
}

impl Checks {
    #[track_caller]
    fn that(&mut self, good: bool, what: &str) {
        if good {
            self.passed += 1;
        } else {
            self.failed += 1;
            println!("{}: FAILED: {}", std::panic::Location::caller(), what);
        }
    }

    /// The outcome of a call: there must be an error exactly if the call failed. Frees it.
    #[track_caller]
    fn expect(&mut self, want: Status, got: Status, err: *mut Error) {
        let (code, message) = unsafe {
            let text = CStr::from_ptr(spw_error_message(err, null_mut()));
            (spw_error_code(err), text.to_string_lossy().into_owned())
        };
        let good = got == want && code == got && err.is_null() == (got == OK);
        self.that(good, &format!("status {got}, want {want}: {message}"));
        unsafe { spw_error_free(err) };
    }
}

/// Makes the call with a place for its error and expects its status.
macro_rules! expect {
    ($checks:expr, $want:expr, $function:ident ( $($argument:expr),* )) => {{
        let mut err: *mut Error = null_mut();
        let got = $function($($argument,)* &mut err);
        $checks.expect($want, got, err);
    }};
}

mod blocks; // behind the macro that it uses

fn empty_view() -> View {
    let mut view: View = unsafe { std::mem::zeroed() };
    view.struct_size = size_of::<View>() as u32;
    view
}

unsafe fn record(view: &View, i: usize) -> &[u8] {
    let (begin, end) = (*view.begin.add(i) as usize, *view.end.add(i) as usize);
    std::slice::from_raw_parts(view.data.add(begin), end - begin)
}

unsafe fn layout(checks: &mut Checks) {
    let sizes = [
        size_of::<Scan>(),
        size_of::<View>(),
        size_of::<Stats>(),
        size_of::<StreamStats>(),
        size_of::<Event>(),
        size_of::<Slice>(),
    ];
    for (i, size) in sizes.iter().enumerate() {
        let id = i as i32 + 1;
        checks.that(spw_sizeof(id) == *size, &format!("size of struct {id}: {size}"));
    }
    checks.that(spw_sizeof(14) == size_of::<RecordSummary>(), "size of RecordSummary");
    checks.that(spw_sizeof(15) == size_of::<RecordRange>(), "size of RecordRange");
    checks.that(spw_sizeof(99) == 0, "size of an unknown struct");
    checks.that(spw_abi_version() == 1, "version 0.1");
    checks.that(CStr::from_ptr(spw_version()).to_bytes().starts_with(b"0.1."), "version text");
    checks.that(CStr::from_ptr(spw_status_name(16)).to_bytes() == b"SPW_TRIMMED", "status name");
}

unsafe fn errors(checks: &mut Checks) {
    let mut err: *mut Error = null_mut();
    let got = spw_options_set_i64(null_mut(), OPT_TIMES, 1, &mut err);
    let mut len = 0;
    let message = CStr::from_ptr(spw_error_message(err, &mut len));
    checks.that(len > 0 && message.to_bytes().len() == len, "message");
    checks.that(spw_error_os_code(err) == 0 && spw_error_detail_code(err) == 0, "codes");
    checks.that(spw_error_record(err) == -1, "record");
    checks.expect(INVALID_ARGUMENT, got, err);
}

unsafe fn new_options(checks: &mut Checks, pairs: &[(i32, i64)]) -> *mut Options {
    let mut options: *mut Options = null_mut();
    expect!(checks, OK, spw_options_new(&mut options));
    for &(key, value) in pairs {
        expect!(checks, OK, spw_options_set_i64(options, key, value));
        let mut back = 0;
        expect!(checks, OK, spw_options_get_i64(options, key, &mut back));
        checks.that(back == value, "option");
    }
    expect!(checks, UNSUPPORTED, spw_options_set_bytes(options, 1, null(), 0));
    options
}

unsafe fn open_store(checks: &mut Checks, path: &str) -> *mut Store {
    let pairs = [(OPT_COLD_TIER, TIER_BLOCK_FILE), (OPT_BUDGET_BYTES, 1 << 20)];
    let options = new_options(checks, &pairs);
    let mut store: *mut Store = null_mut();
    let text = path.as_ptr() as *const c_char;
    expect!(checks, OK, spw_store_open(text, path.len(), options, null_mut(), &mut store));
    spw_options_free(options);
    store
}

unsafe fn open_stream(checks: &mut Checks, store: *mut Store, name: &str) -> u32 {
    let options = new_options(checks, &[(OPT_TIMES, 1)]);
    let mut id = 0;
    let text = name.as_ptr() as *const c_char;
    expect!(checks, OK, spw_store_stream(store, text, name.len(), options, STREAM_CREATE, &mut id));
    spw_options_free(options);
    let mut ids = [0u32; 4];
    let mut count = 0;
    expect!(checks, OK, spw_store_streams(store, ids.as_mut_ptr(), 4, &mut count));
    checks.that(count == 1 && ids[0] == id, "streams");
    let mut copied = [0u8; 16];
    let to = copied.as_mut_ptr() as *mut c_char;
    expect!(checks, OK, spw_store_stream_name(store, id, to, 16, &mut count));
    checks.that(&copied[..count] == name.as_bytes(), "name of the stream");
    id
}

unsafe fn write(checks: &mut Checks, store: *mut Store, id: u32) {
    let mut op: *mut Op = null_mut();
    expect!(checks, OK, spw_op_new(&mut op));
    let data = b"helloworld!".as_ptr() as *const c_void;
    let (offsets, times) = ([0u64, 5, 11], [-1i64, 1]);
    let (offsets, times) = (offsets.as_ptr(), times.as_ptr());
    let mut first = 7;
    expect!(checks, OK, spw_store_add(store, id, data, 11, offsets, 2, times, WAIT_DEFAULT, op, &mut first));
    checks.that(first == 0, "first sequence number");
    let slice = Slice { data: b"third".as_ptr() as *const c_void, len: 5 };
    expect!(checks, OK, spw_store_addv(store, id, &slice, 1, times, WAIT_DEFAULT, op, &mut first));
    checks.that(first == 2, "first sequence number");
    expect!(checks, OK, spw_store_flush(store, FLUSH_DEVICE, WAIT_FOREVER, op));
    let (mut done, mut total) = (1, 2);
    spw_op_progress(op, &mut done, &mut total);
    checks.that(done == total, "progress");
    spw_op_cancel(op);
    expect!(checks, CANCELLED, spw_store_add(store, id, data, 11, offsets, 2, times, WAIT_DEFAULT, op, &mut first));
    checks.that(first == SEQ_NONE, "no sequence number");
    spw_op_free(op);
}

unsafe fn read(checks: &mut Checks, store: *mut Store, id: u32) {
    let mut scan: Scan = std::mem::zeroed();
    scan.struct_size = size_of::<Scan>() as u32;
    scan.stream = id;
    scan.end_seq = SEQ_NONE;
    let mut cursor: *mut Cursor = null_mut();
    expect!(checks, OK, spw_cursor_open(store, &scan, null(), &mut cursor));
    let (mut begin, mut end) = (1, 1);
    expect!(checks, OK, spw_cursor_range(cursor, &mut begin, &mut end));
    checks.that(begin == 0 && end == 3, "range");
    expect!(checks, OK, spw_cursor_seek(cursor, 1));
    let mut view = empty_view();
    expect!(checks, OK, spw_cursor_next(cursor, 1, NO_LIMIT, 0, null_mut(), &mut view));
    checks.that(view.count == 1 && view.first_seq == 1, "a view of one");
    checks.that(record(&view, 0) == b"world!" && *view.times == 1, "record 1");
    let mut batch: *mut Batch = null_mut();
    expect!(checks, OK, spw_cursor_detach(cursor, &mut batch));
    spw_cursor_free(cursor);
    expect!(checks, OK, spw_batch_view(batch, &mut view));
    checks.that(view.count == 1 && record(&view, 0) == b"world!", "detached record 1");
    spw_batch_free(batch);

    expect!(checks, OK, spw_store_gather(store, id, [2u64, 0].as_ptr(), 2, &mut batch));
    expect!(checks, OK, spw_batch_view(batch, &mut view));
    checks.that(view.count == 2 && *view.seqs == 2, "gathered");
    checks.that(record(&view, 0) == b"third" && record(&view, 1) == b"hello", "in that order");
    spw_batch_free(batch);

    let mut buffer = [0u8; 16];
    let (mut len, mut time) = (0, 0);
    let to = buffer.as_mut_ptr() as *mut c_void;
    expect!(checks, OK, spw_store_read(store, id, 0, to, 16, &mut len, &mut time));
    checks.that(&buffer[..len as usize] == b"hello" && time == -1, "record 0");
}

unsafe fn numbers(checks: &mut Checks, store: *mut Store, id: u32) {
    expect!(checks, OK, spw_store_set_i64(store, ALL, OPT_TIMEOUT_MS, 25));
    let mut value = 0;
    expect!(checks, OK, spw_store_get_i64(store, ALL, OPT_TIMEOUT_MS, &mut value));
    checks.that(value == 25, "live option");
    let mut stats: Stats = std::mem::zeroed();
    stats.struct_size = size_of::<Stats>() as u32;
    expect!(checks, OK, spw_store_stats(store, &mut stats));
    checks.that(stats.records_added == 3 && stats.records_cold == 3, "stats");
    checks.that(stats.bytes_soft == 1 << 20 && stats.health == OK as u64, "stats, health");
    checks.that(stats.promotions == 0 && stats.records_trimmed == 0, "stats, the last fields");
    let mut of_stream: StreamStats = std::mem::zeroed();
    of_stream.struct_size = size_of::<StreamStats>() as u32;
    expect!(checks, OK, spw_store_stream_stats(store, id, &mut of_stream));
    checks.that(of_stream.tail_seq == 3 && of_stream.flags == STREAM_HAS_TIMES, "stream stats");
    let mut events: [Event; 8] = std::mem::zeroed();
    let mut count = 0;
    expect!(checks, OK, spw_store_events(store, events.as_mut_ptr(), size_of::<Event>(), 8, &mut count));
    checks.that(count <= 8 && events[..count].iter().all(|each| each.kind > 0), "events");
    let mut begin = 0;
    expect!(checks, OK, spw_store_settle(store, i64::MAX, null_mut()));
    expect!(checks, OK, spw_store_release_memory(store));
    let mut report = null_mut();
    expect!(checks, OK, spw_store_verify(store, u32::MAX, 0, NO_LIMIT, null_mut(), &mut report));
    let mut found: RecordSummary = std::mem::zeroed();
    found.struct_size = size_of::<RecordSummary>() as u32;
    expect!(checks, OK, spw_report_records(report, &mut found));
    checks.that(found.records == 3 && found.ranges == 0, "verified");
    let mut damaged: RecordRange = std::mem::zeroed();
    damaged.struct_size = size_of::<RecordRange>() as u32;
    expect!(checks, NOT_FOUND, spw_report_range(report, 0, &mut damaged));
    spw_report_free(report);
    expect!(checks, OK, spw_store_trim(store, id, 1));
    expect!(checks, OK, spw_store_trim_time(store, id, i64::MIN, &mut begin));
    checks.that(begin == 1, "no time is below the least");
    expect!(checks, OK, spw_store_trim_bytes(store, id, 1 << 20, &mut begin));
    checks.that(begin == 1, "all that is left fits");
    expect!(checks, OK, spw_store_clear(store, id));
    expect!(checks, OK, spw_store_stream_stats(store, id, &mut of_stream));
    checks.that(of_stream.begin_seq == 3 && of_stream.tail_seq == 3, "stream stats after clear");
}

fn main() {
    let mut checks = Checks { passed: 0, failed: 0 };
    let folder = std::env::temp_dir().join(format!("spw-smoke-{}", std::process::id()));
    std::fs::create_dir(&folder).expect("a folder for the store");
    let path = folder.join("store");
    unsafe {
        layout(&mut checks);
        errors(&mut checks);
        let leaked = spw_leaked_stores();
        let store = open_store(&mut checks, path.to_str().expect("a path that is UTF-8"));
        if !store.is_null() {
            let id = open_stream(&mut checks, store, "log");
            write(&mut checks, store, id);
            blocks::commit_with_records(&mut checks, store);
            read(&mut checks, store, id);
            numbers(&mut checks, store, id);
            expect!(checks, OK, spw_store_close(store, 0, WAIT_FOREVER, null_mut()));
            spw_store_free(store);
        }
        checks.that(spw_leaked_stores() == leaked, "leaked stores");
        let path = folder.join("blocks");
        blocks::run(&mut checks, path.to_str().expect("a path that is UTF-8"));
    }
    std::fs::remove_dir_all(&folder).expect("to remove the folder");
    println!("{} passed, {} failed", checks.passed, checks.failed);
    std::process::exit(if checks.failed > 0 { 1 } else { 0 });
}
