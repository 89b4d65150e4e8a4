//! How a store or a stream is to be.

use std::path::Path;
use std::ptr::null_mut;
use std::time::Duration;

use spillway_sys as sys;

use crate::error::{check, Error};
use crate::op::CancelToken;
use crate::store::Store;
use crate::wait::Wait;

/// A budget without a limit: any number from here up means that.
pub const UNLIMITED: u64 = sys::SPW_UNLIMITED as u64;

/// Names an option for [`Store::option`] and its kin, where options are plain numbers: bytes,
/// records, percent, milliseconds, or the value of an enum such as [`WhenFull`] `as i64`.
///
/// The builders [`Options`], [`StreamOptions`] and [`BlockOptions`](crate::BlockOptions) have a
/// method for each. A number that the library
/// does not know is refused by it as [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key(pub i32);

impl Key {
    /// Store and stream, live: memory for records, in bytes; see [`Options::budget_bytes`].
    pub const BUDGET_BYTES: Key = Key(sys::SPW_OPT_BUDGET_BYTES);
    /// Store and stream, live: records in memory; see [`Options::budget_records`].
    pub const BUDGET_RECORDS: Key = Key(sys::SPW_OPT_BUDGET_RECORDS);
    /// Store: the hard limit in percent of the budgets; see [`Options::hard_percent`].
    pub const HARD_PERCENT: Key = Key(sys::SPW_OPT_HARD_PERCENT);
    /// Store: where a spill stops, in percent of the budgets; see [`Options::low_percent`].
    pub const LOW_PERCENT: Key = Key(sys::SPW_OPT_LOW_PERCENT);
    /// Store: spills that may run at once; see [`Options::spills_in_flight`].
    pub const SPILLS_IN_FLIGHT: Key = Key(sys::SPW_OPT_SPILLS_IN_FLIGHT);
    /// Store, live: the default timeout in milliseconds; see [`Options::timeout`].
    pub const TIMEOUT_MS: Key = Key(sys::SPW_OPT_TIMEOUT_MS);
    /// Store: a [`ColdTier`].
    pub const COLD_TIER: Key = Key(sys::SPW_OPT_COLD_TIER);
    /// Store and block file: an [`OpenMode`].
    pub const OPEN: Key = Key(sys::SPW_OPT_OPEN);
    /// Store and stream, live for a stream: a [`WhenFull`].
    pub const WHEN_FULL: Key = Key(sys::SPW_OPT_WHEN_FULL);
    /// Stream, fixed: 1 if every record has a time, 0 if none has.
    pub const TIMES: Key = Key(sys::SPW_OPT_TIMES);
    /// Store, live: how long a batch may stay not durable, in milliseconds; see
    /// [`Options::sync_interval`].
    pub const SYNC_MS: Key = Key(sys::SPW_OPT_SYNC_MS);
    /// Store: 1 if full segments are written as soon as there are some; see [`Options::eager`].
    pub const EAGER: Key = Key(sys::SPW_OPT_EAGER);
    /// Store: when idle memory goes back to the system, in milliseconds; see
    /// [`Options::idle_time`].
    pub const IDLE_MS: Key = Key(sys::SPW_OPT_IDLE_MS);
    /// Store, live: after how many reads cold records come into memory; see
    /// [`Options::promote_reads`].
    pub const PROMOTE_READS: Key = Key(sys::SPW_OPT_PROMOTE_READS);
    /// Block file: a [`Checksum`](crate::Checksum).
    pub const FILE_CHECKSUM: Key = Key(sys::SPW_OPT_FILE_CHECKSUM);
    /// Block file: changes that may wait in memory, in bytes; see
    /// [`BlockOptions::dirty_bytes`](crate::BlockOptions::dirty_bytes).
    pub const FILE_DIRTY_BYTES: Key = Key(sys::SPW_OPT_FILE_DIRTY_BYTES);
    /// Block file: blocks whose changes may wait in memory; see
    /// [`BlockOptions::dirty_blocks`](crate::BlockOptions::dirty_blocks).
    pub const FILE_DIRTY_BLOCKS: Key = Key(sys::SPW_OPT_FILE_DIRTY_BLOCKS);
    /// Block file: payload kept once proved, in bytes; see
    /// [`BlockOptions::cache_bytes`](crate::BlockOptions::cache_bytes).
    pub const FILE_CACHE_BYTES: Key = Key(sys::SPW_OPT_FILE_CACHE_BYTES);
    /// Block file: the step in which it grows, in bytes; see
    /// [`BlockOptions::growth_bytes`](crate::BlockOptions::growth_bytes).
    pub const FILE_GROWTH_BYTES: Key = Key(sys::SPW_OPT_FILE_GROWTH_BYTES);
    /// Block file: journal after which a checkpoint is made, in bytes; see
    /// [`BlockOptions::journal_bytes`](crate::BlockOptions::journal_bytes).
    pub const FILE_JOURNAL_BYTES: Key = Key(sys::SPW_OPT_FILE_JOURNAL_BYTES);
}

/// Where spilled records go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ColdTier {
    /// A block file, which may hold blocks of the application's own beside the records:
    /// [`Store::file`]. A block file that is there already becomes a store's.
    BlockFile = sys::SPW_TIER_BLOCK_FILE as isize,
    /// A SQLite database. While the store is open, no other copy of SQLite in this process may
    /// touch it, so not rusqlite either; other processes may read it, and after close anyone.
    Sqlite = sys::SPW_TIER_SQLITE as isize,
}

/// What may and must be there already, of a store, a stream or a block file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OpenMode {
    /// Open it, or create it.
    Create = sys::SPW_OPEN_CREATE as isize,
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is none.
    Existing = sys::SPW_OPEN_EXISTING as isize,
    /// [`ErrorKind::AlreadyExists`](crate::ErrorKind::AlreadyExists) if there is one.
    New = sys::SPW_OPEN_NEW as isize,
}

/// What an add does at the hard limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WhenFull {
    /// Waits for room, up to the timeout of the call.
    Block = sys::SPW_WHEN_FULL_BLOCK as isize,
    /// [`ErrorKind::WouldBlock`](crate::ErrorKind::WouldBlock) at once.
    Fail = sys::SPW_WHEN_FULL_FAIL as isize,
    /// Drops the batch and counts it ([`Stats::records_dropped`](crate::Stats::records_dropped),
    /// [`EventKind::Dropped`](crate::EventKind::Dropped)): the add returns an empty range at once.
    /// Also while the disk is full.
    DropNewest = sys::SPW_WHEN_FULL_DROP_NEWEST as isize,
    /// A ring: the oldest segments of that stream are trimmed until the batch fits, and counted
    /// ([`Stats::records_overwritten`](crate::Stats::records_overwritten),
    /// [`EventKind::Dropped`](crate::EventKind::Dropped));
    /// [`ErrorKind::WouldBlock`](crate::ErrorKind::WouldBlock) if other streams hold all of the
    /// memory. Stores in memory only, else
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument).
    DropOldest = sys::SPW_WHEN_FULL_DROP_OLDEST as isize,
}

/// The values that were set; the library checks them together when they are used.
#[derive(Clone, Debug, Default)]
pub(crate) struct Values(Vec<(Key, i64)>);

impl Values {
    pub(crate) fn set(&mut self, key: Key, value: i64) {
        self.0.retain(|(other, _)| *other != key);
        self.0.push((key, value));
    }

    pub(crate) fn get(&self, key: Key) -> Option<i64> {
        self.0.iter().find(|(other, _)| *other == key).map(|(_, value)| *value)
    }

    pub(crate) fn to_native(&self) -> Result<NativeOptions, Error> {
        let mut raw = null_mut();
        check(|err| unsafe { sys::spw_options_new(&mut raw, err) })?;
        let native = NativeOptions(raw);
        for (key, value) in &self.0 {
            check(|err| unsafe { sys::spw_options_set_i64(native.0, key.0, *value, err) })?;
        }
        Ok(native)
    }
}

/// Frees the library's bag of options, which the library never keeps beyond a call.
pub(crate) struct NativeOptions(pub(crate) *mut sys::spw_options);

impl Drop for NativeOptions {
    fn drop(&mut self) {
        unsafe { sys::spw_options_free(self.0) };
    }
}

/// A limit of the caller's as the library has it.
pub(crate) fn limit(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(sys::SPW_UNLIMITED)
}

/// How a store is to be opened. Nothing is checked before it is used; then a wrong value is
/// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument), and one that this kind of
/// store does not know [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported).
///
/// ```no_run
/// # fn main() -> Result<(), spillway::Error> {
/// use spillway::{ColdTier, Options};
/// let store = Options::new().cold_tier(ColdTier::Sqlite).budget_bytes(64 << 20).open("log.spw")?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Options {
    values: Values,
}

impl Options {
    /// Everything as the library has it by default.
    pub fn new() -> Options {
        Options::default()
    }

    /// Sets any option of a store by its number, also one that is younger than this binding.
    pub fn set(&mut self, key: Key, value: i64) -> &mut Options {
        self.values.set(key, value);
        self
    }

    /// What was set for an option, if anything.
    pub fn get(&self, key: Key) -> Option<i64> {
        self.values.get(key)
    }

    /// Memory for records in bytes, overhead included: at least 256 KiB, or [`UNLIMITED`]. Spilling
    /// starts above it. Default: a quarter of the container's or machine's memory.
    pub fn budget_bytes(&mut self, bytes: u64) -> &mut Options {
        self.set(Key::BUDGET_BYTES, limit(bytes))
    }

    /// Records in memory: at least 1, or [`UNLIMITED`], which is the default.
    pub fn budget_records(&mut self, records: u64) -> &mut Options {
        self.set(Key::BUDGET_RECORDS, limit(records))
    }

    /// The hard limit in percent of the budgets, which no add passes at any instant: 100 to 1000,
    /// default 130.
    pub fn hard_percent(&mut self, percent: u32) -> &mut Options {
        self.set(Key::HARD_PERCENT, percent.into())
    }

    /// Where a spill stops, in percent of the budgets: 0 to 100, default 70.
    pub fn low_percent(&mut self, percent: u32) -> &mut Options {
        self.set(Key::LOW_PERCENT, percent.into())
    }

    /// Spills that may run at once: 1 or 2, which is the default.
    pub fn spills_in_flight(&mut self, spills: u32) -> &mut Options {
        self.set(Key::SPILLS_IN_FLIGHT, spills.into())
    }

    /// How long calls wait that do not say it themselves, in whole milliseconds, rounded up.
    /// Default: for ever.
    pub fn timeout(&mut self, time: Duration) -> &mut Options {
        self.set(Key::TIMEOUT_MS, Wait::at_most(time).timeout_ms)
    }

    /// Where spilled records go: a new store's to [`ColdTier::BlockFile`] by default; an existing
    /// one knows its own, and refuses another (`InvalidArgument`).
    pub fn cold_tier(&mut self, tier: ColdTier) -> &mut Options {
        self.set(Key::COLD_TIER, tier as i64)
    }

    /// What may and must be there; default [`OpenMode::Create`].
    pub fn mode(&mut self, mode: OpenMode) -> &mut Options {
        self.set(Key::OPEN, mode as i64)
    }

    /// What an add does at the hard limit, for streams that do not say it themselves. Default
    /// [`WhenFull::Block`], in memory [`WhenFull::Fail`].
    pub fn when_full(&mut self, what: WhenFull) -> &mut Options {
        self.set(Key::WHEN_FULL, what as i64)
    }

    /// How long an added batch may stay not durable, in whole milliseconds, rounded up. Zero: each
    /// add returns only when its batch is on the device; those that add at the same time share the
    /// barriers. More: what is not on the device is flushed at least that often, in the background.
    /// Default: [`Duration::MAX`], until a flush or close asks. Not in memory only.
    pub fn sync_interval(&mut self, time: Duration) -> &mut Options {
        self.set(Key::SYNC_MS, Wait::at_most(time).timeout_ms)
    }

    /// The path that is opened is a folder, and what memory cannot hold goes to a file there that
    /// has no name, so that nothing stays behind, however the process ends. Nothing is synced, and
    /// closing writes nothing. Instead of a [`Options::mode`]; not with [`ColdTier::Sqlite`] or a
    /// [`Options::sync_interval`].
    pub fn temporary(&mut self) -> &mut Options {
        self.set(Key::OPEN, sys::SPW_OPEN_TEMPORARY.into())
    }

    /// Whether full segments are written as soon as there are some, so that a crash loses less and
    /// memory comes back at once. By default not a byte is written after open below the budget
    /// until a flush, close or [`Options::sync_interval`] asks. Not in memory only.
    pub fn eager(&mut self, eager: bool) -> &mut Options {
        self.set(Key::EAGER, eager.into())
    }

    /// After what time free memory that nobody has used goes back to the system, in whole
    /// milliseconds, rounded up; default 10 s, [`Duration::MAX`] for never. Not in memory only,
    /// where [`Store::release_memory`] does it.
    pub fn idle_time(&mut self, time: Duration) -> &mut Options {
        self.set(Key::IDLE_MS, Wait::at_most(time).timeout_ms)
    }

    /// After how many reads (a gather counts once) of the cold tier near each other a run of up to
    /// 256 KiB there is copied into memory, inside the budget, where it is dropped before anybody
    /// waits. Cursors count nothing. 0 (never) to 65535, default 3. Not in memory only.
    pub fn promote_reads(&mut self, reads: u32) -> &mut Options {
        self.set(Key::PROMOTE_READS, reads.into())
    }

    /// Opens or creates the store at `path`, which may be any bytes but NUL. Its files have mode
    /// 0600; beside one with [`ColdTier::Sqlite`] stands `<path>-lock`.
    ///
    /// `Busy`: it is open elsewhere, in this process or another. `Corrupt`: damaged, or not a
    /// store. `Unsupported`: made by a later version. `ReadOnly`, `Full`, `Io`: the disk.
    /// `NotFound`, `AlreadyExists`: see [`OpenMode`]; `NotFound` also for a block file without a
    /// store in it where there must be one.
    pub fn open(&self, path: impl AsRef<Path>) -> Result<Store, Error> {
        Store::open_raw(Some(path.as_ref()), &self.values.to_native()?, None)
    }

    /// As [`Options::open`], which may take a while after a crash, with a token to cancel it.
    pub fn open_with(&self, path: impl AsRef<Path>, token: &CancelToken) -> Result<Store, Error> {
        Store::open_raw(Some(path.as_ref()), &self.values.to_native()?, Some(token))
    }

    /// Opens a store without a file, whose records are gone with it, and which is bounded by its
    /// budget.
    pub fn open_in_memory(&self) -> Result<Store, Error> {
        Store::open_raw(None, &self.values.to_native()?, None)
    }
}

/// How a stream is to be opened; see [`Store::stream_with`]. For a stream that exists already, what
/// is live is applied, and a fixed option that differs is
/// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument).
#[derive(Clone, Debug, Default)]
pub struct StreamOptions {
    values: Values,
    mode: Option<OpenMode>,
}

impl StreamOptions {
    /// Everything as the library has it by default.
    pub fn new() -> StreamOptions {
        StreamOptions::default()
    }

    /// Sets any option of a stream by its number, also one that is younger than this binding.
    pub fn set(&mut self, key: Key, value: i64) -> &mut StreamOptions {
        self.values.set(key, value);
        self
    }

    /// What was set for an option, if anything.
    pub fn get(&self, key: Key) -> Option<i64> {
        self.values.get(key)
    }

    /// What may and must be there; default [`OpenMode::Create`].
    pub fn mode(&mut self, mode: OpenMode) -> &mut StreamOptions {
        self.mode = Some(mode);
        self
    }

    /// Whether every record has a time, or none has, which is the default. Fixed for the stream's
    /// life.
    pub fn times(&mut self, times: bool) -> &mut StreamOptions {
        self.set(Key::TIMES, times.into())
    }

    /// Memory for the stream's records in bytes, inside its store's: at least 256 KiB, or
    /// [`UNLIMITED`], which is the default.
    pub fn budget_bytes(&mut self, bytes: u64) -> &mut StreamOptions {
        self.set(Key::BUDGET_BYTES, limit(bytes))
    }

    /// The stream's records in memory: at least 1, or [`UNLIMITED`], which is the default.
    pub fn budget_records(&mut self, records: u64) -> &mut StreamOptions {
        self.set(Key::BUDGET_RECORDS, limit(records))
    }

    /// What an add does at the hard limit; default: what the store says.
    pub fn when_full(&mut self, what: WhenFull) -> &mut StreamOptions {
        self.set(Key::WHEN_FULL, what as i64)
    }

    pub(crate) fn to_native(&self) -> Result<NativeOptions, Error> {
        self.values.to_native()
    }

    pub(crate) fn flags(&self) -> u32 {
        match self.mode {
            None | Some(OpenMode::Create) => sys::SPW_STREAM_CREATE,
            Some(OpenMode::Existing) => 0,
            Some(OpenMode::New) => sys::SPW_STREAM_MUST_CREATE,
        }
    }
}
