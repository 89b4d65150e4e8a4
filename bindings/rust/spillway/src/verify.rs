//! Proof that a store's records are what was written, and which are not.

use std::borrow::Cow;
use std::fmt;
use std::mem::size_of;
use std::ops::Range;
use std::ptr::null;
use std::slice;

use spillway_sys as sys;

use crate::error::{check, Error, ErrorKind};
use crate::handle::Handle;
use crate::op::{with_op, CancelToken};
use crate::store::{Store, Stream};

/// Which records a verification reads, how fast, and the token that may end it earlier.
///
/// ```
/// # fn use_it(store: &spillway::Store) -> Result<(), spillway::Error> {
/// use spillway::VerifyRecords;
/// let report = store.verify(VerifyRecords::all().bytes_per_second(50 << 20))?;
/// for range in report.ranges() {
///     println!("{:?} {:?}: {}", range.stream, range.records, range.message);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct VerifyRecords<'a> {
    stream: u32,
    bytes_per_second: u64,
    token: Option<&'a CancelToken>,
}

impl<'a> VerifyRecords<'a> {
    /// Those of all streams.
    pub const fn all() -> VerifyRecords<'a> {
        VerifyRecords { stream: sys::SPW_ALL, bytes_per_second: sys::SPW_NO_LIMIT, token: None }
    }

    /// Those of one stream.
    pub fn of(stream: Stream) -> VerifyRecords<'a> {
        VerifyRecords { stream: stream.id(), ..VerifyRecords::all() }
    }

    /// Reading at most so many bytes of payload in a second, at least 1; else as many as can be.
    #[must_use]
    pub const fn bytes_per_second(self, bytes: u64) -> VerifyRecords<'a> {
        VerifyRecords { bytes_per_second: bytes, ..self }
    }

    /// The same, but ended by the token when that is cancelled.
    #[must_use]
    pub const fn unless(self, token: &'a CancelToken) -> VerifyRecords<'a> {
        VerifyRecords { token: Some(token), ..self }
    }
}

/// Verification.
impl Store {
    /// Reads the records that are in the cold tier on the device when it is called, and checks
    /// them, while the store is in use; goes on behind damage, and changes nothing. The report says
    /// what it found; that it found something is no error. A token tells its progress in records.
    /// A block file's structures and other blocks are not looked at: see
    /// [`Store::file`](Store::file) and [`BlockFile::verify`](crate::BlockFile::verify).
    ///
    /// `Cancelled`. `NotFound`: no such stream. `Unsupported`: a store in memory only.
    pub fn verify(&self, what: VerifyRecords<'_>) -> Result<RecordReport, Error> {
        let (raw, stream, rate) = (self.raw(), what.stream, what.bytes_per_second);
        let report = with_op(what.token, |op| {
            Handle::made(|out, err| unsafe {
                sys::spw_store_verify(raw, stream, 0, rate, op, out, err)
            })
        })?;
        RecordReport::new(report)
    }
}

/// What a verification of a store found. It never changes, outlives its store, and any thread may
/// read it or drop it.
pub struct RecordReport {
    summary: sys::spw_record_summary,
    /// They point into the report.
    ranges: Vec<sys::spw_record_range>,
    _handle: Handle<sys::spw_report>,
}

// Safe: a report never changes and may be used by many threads at once (spillway_file.h, Threads).
unsafe impl Send for RecordReport {}
unsafe impl Sync for RecordReport {}

/// Consecutive records of a stream, none of which can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DamagedRecords<'a> {
    /// `Corrupt` or `Io`.
    pub kind: ErrorKind,
    /// Whose they are.
    pub stream: Stream,
    /// Their sequence numbers.
    pub records: Range<u64>,
    /// What and where, of the first of them. UTF-8, but for pieces of paths that are not, which are
    /// replaced.
    pub message: Cow<'a, str>,
}

impl RecordReport {
    fn new(handle: Handle<sys::spw_report>) -> Result<RecordReport, Error> {
        let mut summary = sys::spw_record_summary {
            struct_size: size_of::<sys::spw_record_summary>() as u32,
            flags: 0,
            streams: 0,
            records: 0,
            records_damaged: 0,
            bytes: 0,
            ranges: 0,
        };
        check(|err| unsafe { sys::spw_report_records(handle.raw(), &mut summary, err) })?;
        let ranges = all_ranges(&handle)?;
        Ok(RecordReport { summary, ranges, _handle: handle })
    }

    /// Whether nothing was found.
    pub fn is_clean(&self) -> bool {
        self.range_count() == 0
    }

    /// How many streams were checked.
    pub fn streams(&self) -> u64 {
        self.summary.streams
    }

    /// How many records were checked.
    pub fn records(&self) -> u64 {
        self.summary.records
    }

    /// How many of them are damaged.
    pub fn records_damaged(&self) -> u64 {
        self.summary.records_damaged
    }

    /// How many bytes of payload those have that are good.
    pub fn bytes(&self) -> u64 {
        self.summary.bytes
    }

    /// How many ranges of damaged records were found; the first 1,000 are kept.
    pub fn range_count(&self) -> u64 {
        self.summary.ranges
    }

    /// The ranges that were kept.
    pub fn ranges(&self) -> impl ExactSizeIterator<Item = DamagedRecords<'_>> + '_ {
        // Safe: what they point to lives as long as the report.
        self.ranges.iter().map(|raw| unsafe {
            let message = slice::from_raw_parts(raw.message.cast(), raw.message_len as usize);
            DamagedRecords {
                kind: ErrorKind::of(raw.code),
                stream: Stream::from_id(raw.stream),
                records: raw.begin_seq..raw.end_seq,
                message: String::from_utf8_lossy(message),
            }
        })
    }
}

fn all_ranges(report: &Handle<sys::spw_report>) -> Result<Vec<sys::spw_record_range>, Error> {
    let mut ranges = Vec::new();
    loop {
        let mut raw = sys::spw_record_range {
            struct_size: size_of::<sys::spw_record_range>() as u32,
            code: 0,
            stream: 0,
            reserved: 0,
            begin_seq: 0,
            end_seq: 0,
            message: null(),
            message_len: 0,
        };
        let index = ranges.len() as u64;
        match check(|err| unsafe { sys::spw_report_range(report.raw(), index, &mut raw, err) }) {
            Ok(()) => ranges.push(raw),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(ranges),
            Err(error) => return Err(error),
        }
    }
}

impl fmt::Debug for RecordReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordReport")
            .field("streams", &self.streams())
            .field("records", &self.records())
            .field("records_damaged", &self.records_damaged())
            .field("bytes", &self.bytes())
            .field("range_count", &self.range_count())
            .finish()
    }
}
