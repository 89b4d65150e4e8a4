//! Proof that a file is what was written, and what was found if it is not.

use std::borrow::Cow;
use std::fmt;
use std::mem::size_of;
use std::ptr::null;
use std::slice;

use spillway_sys as sys;

use crate::block::file::BlockFile;
use crate::error::{check, Error, ErrorKind};
use crate::handle::Handle;
use crate::op::{with_op, CancelToken};

/// What a verification reads, how fast, and the token that may end it earlier.
///
/// ```
/// # fn use_it(file: &spillway::BlockFile) -> Result<(), spillway::Error> {
/// use spillway::{CancelToken, Verify};
/// let token = CancelToken::new(); // its progress is in bytes
/// let report = file.verify(Verify::full().bytes_per_second(50 << 20).unless(&token))?;
/// for problem in report.problems() {
///     println!("{:?}: {}", problem.name, problem.message);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Verify<'a> {
    flags: u32,
    bytes_per_second: u64,
    token: Option<&'a CancelToken>,
}

impl<'a> Verify<'a> {
    /// The structures: superblocks, registry, space map, the accounting of every page.
    pub const fn structures() -> Verify<'a> {
        Verify { flags: 0, bytes_per_second: sys::SPW_NO_LIMIT, token: None }
    }

    /// Also every checksum of every block: reads every byte of payload.
    pub const fn full() -> Verify<'a> {
        Verify { flags: sys::SPW_VERIFY_FULL, ..Verify::structures() }
    }

    /// Reading at most so many bytes in a second, at least 1; else as many as can be.
    #[must_use]
    pub const fn bytes_per_second(self, bytes: u64) -> Verify<'a> {
        Verify { bytes_per_second: bytes, ..self }
    }

    /// The same, but ended by the token when that is cancelled.
    #[must_use]
    pub const fn unless(self, token: &'a CancelToken) -> Verify<'a> {
        Verify { token: Some(token), ..self }
    }
}

/// Verification.
impl BlockFile {
    /// Checks the file as it is now while it is in use, and changes nothing. The report says what
    /// it found; that it found something is no error. A token tells its progress in bytes read.
    ///
    /// `Cancelled`. `Full`: no room for changes that wait in memory, which are written before.
    /// `Io`, `Corrupt`: writing has ended, or what must be read first cannot be.
    pub fn verify(&self, what: Verify<'_>) -> Result<BlockReport, Error> {
        let (raw, flags, rate) = (self.raw(), what.flags, what.bytes_per_second);
        let report = with_op(what.token, |op| {
            Handle::made(|out, err| unsafe { sys::spw_file_verify(raw, flags, rate, op, out, err) })
        })?;
        BlockReport::new(report)
    }

    /// Verifies the file in the background, in full, over and over, reading at most so many bytes
    /// in a second; another value changes that, 0 ends it, as does closing. What it finds,
    /// [`BlockFile::scrub_report`] and [`BlockStats`](crate::BlockStats) say.
    pub fn scrub(&self, bytes_per_second: u64) -> Result<(), Error> {
        check(|err| unsafe { sys::spw_file_scrub(self.raw(), bytes_per_second, err) })
    }

    /// What the last whole pass of the scrubber found; `None`: no pass has ended yet.
    pub fn scrub_report(&self) -> Result<Option<BlockReport>, Error> {
        let raw = self.raw();
        match Handle::made(|out, err| unsafe { sys::spw_file_scrub_report(raw, out, err) }) {
            Ok(report) => BlockReport::new(report).map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// What a verification found. It never changes, outlives its file, and any thread may read it or
/// drop it.
pub struct BlockReport {
    summary: sys::spw_verify_summary,
    /// They point into the report.
    problems: Vec<sys::spw_problem>,
    _handle: Handle<sys::spw_report>,
}

// Safe: a report never changes and may be used by many threads at once (spillway_file.h, Threads).
unsafe impl Send for BlockReport {}
unsafe impl Sync for BlockReport {}

/// Something that is damaged or cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem<'a> {
    /// `Corrupt` or `Io`.
    pub kind: ErrorKind,
    /// The block that it hit; `None`: a structure of the file.
    pub name: Option<&'a [u8]>,
    /// What and where. UTF-8, but for pieces of names that are not, which are replaced.
    pub message: Cow<'a, str>,
}

impl BlockReport {
    fn new(handle: Handle<sys::spw_report>) -> Result<BlockReport, Error> {
        let mut summary = sys::spw_verify_summary {
            struct_size: size_of::<sys::spw_verify_summary>() as u32,
            flags: 0,
            blocks: 0,
            blocks_damaged: 0,
            bytes: 0,
            problems: 0,
        };
        check(|err| unsafe { sys::spw_report_summary(handle.raw(), &mut summary, err) })?;
        let problems = all_problems(&handle)?;
        Ok(BlockReport { summary, problems, _handle: handle })
    }

    /// Whether nothing was found.
    pub fn is_clean(&self) -> bool {
        self.problem_count() == 0
    }

    /// Whether every byte of payload was read.
    pub fn is_full(&self) -> bool {
        self.summary.flags & sys::SPW_VERIFY_FULL != 0
    }

    /// How many blocks were checked.
    pub fn blocks(&self) -> u64 {
        self.summary.blocks
    }

    /// How many of them are damaged.
    pub fn blocks_damaged(&self) -> u64 {
        self.summary.blocks_damaged
    }

    /// How many bytes were read.
    pub fn bytes(&self) -> u64 {
        self.summary.bytes
    }

    /// How many problems were found; the first 1,000 are kept.
    pub fn problem_count(&self) -> u64 {
        self.summary.problems
    }

    /// The problems that were kept.
    pub fn problems(&self) -> impl ExactSizeIterator<Item = Problem<'_>> + '_ {
        // Safe: what they point to lives as long as the report.
        self.problems.iter().map(|raw| unsafe {
            let message = slice::from_raw_parts(raw.message.cast(), raw.message_len as usize);
            let name = raw.name.cast::<u8>();
            Problem {
                kind: ErrorKind::of(raw.code),
                name: (!name.is_null()).then(|| slice::from_raw_parts(name, raw.name_len as usize)),
                message: String::from_utf8_lossy(message),
            }
        })
    }
}

fn all_problems(report: &Handle<sys::spw_report>) -> Result<Vec<sys::spw_problem>, Error> {
    let mut problems = Vec::new();
    loop {
        let mut raw = sys::spw_problem {
            struct_size: size_of::<sys::spw_problem>() as u32,
            code: 0,
            name: null(),
            name_len: 0,
            message: null(),
            message_len: 0,
        };
        let index = problems.len() as u64;
        match check(|err| unsafe { sys::spw_report_problem(report.raw(), index, &mut raw, err) }) {
            Ok(()) => problems.push(raw),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(problems),
            Err(error) => return Err(error),
        }
    }
}

impl fmt::Debug for BlockReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockReport")
            .field("is_full", &self.is_full())
            .field("blocks", &self.blocks())
            .field("blocks_damaged", &self.blocks_damaged())
            .field("bytes", &self.bytes())
            .field("problem_count", &self.problem_count())
            .finish()
    }
}
