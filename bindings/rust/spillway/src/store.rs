//! A store: open and close, streams, records, flush.

use std::fmt;
use std::ops::{Range, RangeBounds};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::{null, null_mut, NonNull};
use std::sync::Arc;

use spillway_sys as sys;

use crate::batch::Columns;
use crate::block::{BlockFile, BlockTransaction, CommitError};
use crate::cursor::Cursor;
use crate::error::{check, Error};
use crate::failed::CloseError;
use crate::op::{with_op, CancelToken};
use crate::options::{Key, NativeOptions, OpenMode, Options, StreamOptions};
use crate::owned::OwnedBatch;
use crate::stats::{Event, Stats, StreamStats};
use crate::version;
use crate::wait::Wait;

/// Holds more records than memory allows, in order, and loses none.
///
/// Clones are the same store, and any number of threads may use it at once. Its cursors and its
/// [file](Store::file) keep it open too, and batches need it no more, so that everything may be dropped in any order.
///
/// **Close it.** [`Store::close`] makes everything durable and reports what went wrong. Dropping
/// the last clone and cursor of a store that was not closed never waits and never fails: it gives
/// up the records that are not on disk yet, as a crash would, and is counted by
/// [`leaked_stores`](crate::leaked_stores). It takes the library a moment then to let go of the
/// file, which is `Busy` meanwhile.
///
/// Calls that may have to wait do so as long as the store says, by default for ever; their `_with`
/// forms take a [`Wait`], a [`Duration`](std::time::Duration) or a `&`[`CancelToken`].
///
/// Once the store is closed, by any clone, every call but close returns
/// [`ErrorKind::Closed`](crate::ErrorKind::Closed). In a child process after `fork` every call
/// returns [`ErrorKind::Forked`](crate::ErrorKind::Forked), and dropping does nothing. Any call may
/// also return `InvalidArgument`, `NoMemory` and, for a defect, `Internal`.
///
/// ```
/// # fn main() -> Result<(), spillway::Error> {
/// # let folder = std::env::temp_dir().join(format!("spillway-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder).unwrap();
/// # let path = folder.join("first.spw");
/// use spillway::{Batch, Options};
/// let store = Options::new().open(&path)?;
/// let log = store.stream("log")?;
/// store.add(log, &Batch::from_iter(["hello", "world"]))?;
/// let mut cursor = store.cursor(log, ..)?;
/// while let Some(view) = cursor.next()? {
///     for payload in view {
///         println!("{}", String::from_utf8_lossy(payload));
///     }
/// }
/// store.close()?; // from here on it is safe
/// # std::fs::remove_dir_all(&folder).unwrap();
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Store {
    handle: Arc<Handle>,
}

/// Freed once, with the last clone or cursor: then no call uses it, for a call borrows one.
struct Handle(NonNull<sys::spw_store>);

// Safe: a store may be used by many threads at once (spillway.h, 5).
unsafe impl Send for Handle {}
unsafe impl Sync for Handle {}

impl Drop for Handle {
    fn drop(&mut self) {
        unsafe { sys::spw_store_free(self.0.as_ptr()) };
    }
}

/// A stream of a store: a small number that stands for its name, also after the store is opened
/// again. It belongs to the store that gave it; another has other streams by the same numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stream(u32);

impl Stream {
    /// The stream with that number, which the store checks when it is used (`NotFound`).
    pub const fn from_id(id: u32) -> Stream {
        Stream(id)
    }

    /// The number.
    pub const fn id(self) -> u32 {
        self.0
    }
}

/// How safe a flush makes what was admitted or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FlushLevel {
    /// With the operating system: it survives the end of this process, not a power cut.
    Kernel = sys::SPW_FLUSH_KERNEL as isize,
    /// On the device: it survives a power cut.
    Device = sys::SPW_FLUSH_DEVICE as isize,
    /// Of a block file and [`Store::commit`] only: on the device, and the next open has nothing to replay.
    Checkpoint = sys::SPW_FLUSH_CHECKPOINT as isize,
}

/// Opening and closing.
impl Store {
    /// Opens a store that exists, with default options; [`Options::open`] creates one, and says
    /// which errors there may be.
    pub fn open(path: impl AsRef<Path>) -> Result<Store, Error> {
        Options::new().mode(OpenMode::Existing).open(path)
    }

    /// Opens a store without a file; see [`Options::open_in_memory`].
    pub fn in_memory() -> Result<Store, Error> {
        Options::new().open_in_memory()
    }

    pub(crate) fn open_raw(
        path: Option<&Path>,
        options: &NativeOptions,
        token: Option<&CancelToken>,
    ) -> Result<Store, Error> {
        version::check_library()?;
        let bytes = path.map(|path| path.as_os_str().as_bytes());
        // An empty slice has a pointer too, so that an empty path is refused, not taken for NULL.
        let (start, len) = bytes.map_or((null(), 0), |bytes| (bytes.as_ptr(), bytes.len()));
        let mut raw = null_mut();
        with_op(token, |op| {
            let options = options.0;
            check(|err| unsafe {
                sys::spw_store_open(start.cast(), len, options, op, &mut raw, err)
            })
        })?;
        let raw = NonNull::new(raw)
            .ok_or_else(|| Error::binding(sys::SPW_INTERNAL, "no store, and no error"))?;
        Ok(Store { handle: Arc::new(Handle(raw)) })
    }

    pub(crate) fn raw(&self) -> *mut sys::spw_store {
        self.handle.0.as_ptr()
    }

    /// Makes everything admitted durable, closes the files and ends the threads, for all clones.
    /// Running calls return `Closed`, waiters wake; detached batches stay readable. Closing a
    /// closed store is fine.
    ///
    /// `Timeout`, `Cancelled`, `Full`, `Busy`, `NoMemory`, `WouldBlock`: the store stays open, and
    /// comes back in the error to try again. After any other error it is closed; `Io` and `Corrupt`
    /// then mean that records admitted after the last successful flush may be lost.
    pub fn close(self) -> Result<(), CloseError> {
        self.close_with(Wait::default())
    }

    /// As [`Store::close`], waiting no longer than said.
    pub fn close_with<'a>(self, wait: impl Into<Wait<'a>>) -> Result<(), CloseError> {
        self.close_raw(0, wait.into())
    }

    /// Closes at once and gives up what is not on disk yet.
    pub fn discard(self) -> Result<(), CloseError> {
        self.close_raw(sys::SPW_CLOSE_DISCARD, Wait::default())
    }

    fn close_raw(self, flags: u32, wait: Wait<'_>) -> Result<(), CloseError> {
        let (raw, timeout_ms) = (self.raw(), wait.timeout_ms);
        with_op(wait.token, |op| {
            check(|err| unsafe { sys::spw_store_close(raw, flags, timeout_ms, op, err) })
        })
        .map_err(|error| CloseError::new(self, error))
    }
}

/// Streams.
impl Store {
    /// The stream of that name, which is created, without times, if there is none. A name has 1 to
    /// 1024 bytes, UTF-8 by contract. A new stream is durable with the next flush.
    ///
    /// `TooBig`: the name is too long, or there are 65,535 streams already.
    pub fn stream(&self, name: impl AsRef<[u8]>) -> Result<Stream, Error> {
        self.stream_with(name, &StreamOptions::new())
    }

    /// As [`Store::stream`], with options, and a choice of what may be there already: `NotFound`,
    /// `AlreadyExists`.
    pub fn stream_with(
        &self,
        name: impl AsRef<[u8]>,
        options: &StreamOptions,
    ) -> Result<Stream, Error> {
        let name = name.as_ref();
        let (start, len, flags) = (name.as_ptr().cast(), name.len(), options.flags());
        let native = options.to_native()?;
        let mut id = 0;
        check(|err| unsafe {
            sys::spw_store_stream(self.raw(), start, len, native.0, flags, &mut id, err)
        })?;
        Ok(Stream(id))
    }

    /// All streams in the order of their creation.
    pub fn streams(&self) -> Result<Vec<Stream>, Error> {
        let mut ids = vec![0; 16];
        loop {
            let (start, cap, mut count) = (ids.as_mut_ptr(), ids.len(), 0);
            check(|err| unsafe {
                sys::spw_store_streams(self.raw(), start, cap, &mut count, err)
            })?;
            let complete = count <= cap;
            ids.resize(count, 0); // more than there was room for: once again
            if complete {
                return Ok(ids.into_iter().map(Stream).collect());
            }
        }
    }

    /// The name of a stream: bytes, by contract UTF-8. `NotFound`: no such stream.
    pub fn stream_name(&self, stream: Stream) -> Result<Vec<u8>, Error> {
        let mut name = vec![0; sys::SPW_STREAM_NAME_MAX as usize];
        let (start, cap, mut len) = (name.as_mut_ptr().cast(), name.len(), 0);
        check(|err| unsafe {
            sys::spw_store_stream_name(self.raw(), stream.0, start, cap, &mut len, err)
        })?;
        name.truncate(len);
        Ok(name)
    }
}

/// Records.
impl Store {
    /// Adds a [`Batch`](crate::Batch) or [`Columns`]: all of its records become visible at once, or
    /// none. Returns their sequence numbers, an empty range for an empty batch and for one that
    /// [`WhenFull::DropNewest`](crate::WhenFull::DropNewest) drops. Everything is copied. Nothing
    /// is promised about durability until a flush or close, unless
    /// [`Options::sync_interval`] is zero.
    ///
    /// At the hard limit it waits, in the order of arrival, or returns `WouldBlock`, or drops, as
    /// the stream's [`WhenFull`](crate::WhenFull) says. A batch that is larger than the hard limit goes
    /// straight to the cold tier while the call waits.
    ///
    /// An error means that nothing was added, unless it has [`Error::admitted`]: then the batch was
    /// added and is not durable (`Closed`: the close writes it. `Full`: tried again. `Io`,
    /// `Corrupt`: writing has ended). `NotFound`: no such stream. `InvalidArgument`: times
    /// where the stream has none, or none where it has. `TooBig`: a record above 512 MiB (see
    /// [`Error::record_index`]), or a batch above the hard limit where it cannot go to a cold tier.
    /// `WouldBlock`, `Timeout`, `Cancelled`: at the hard limit. `Full`: at the hard limit, and the
    /// disk is full. `Io`, `Corrupt`: an earlier spill failed, writing has ended.
    pub fn add<'a>(
        &self,
        stream: Stream,
        records: impl Into<Columns<'a>>,
    ) -> Result<Range<u64>, Error> {
        self.add_raw(stream, &records.into(), Wait::default())
    }

    /// As [`Store::add`], waiting no longer than said.
    pub fn add_with<'a, 'w>(
        &self,
        stream: Stream,
        records: impl Into<Columns<'a>>,
        wait: impl Into<Wait<'w>>,
    ) -> Result<Range<u64>, Error> {
        self.add_raw(stream, &records.into(), wait.into())
    }

    fn add_raw(
        &self,
        stream: Stream,
        records: &Columns<'_>,
        wait: Wait<'_>,
    ) -> Result<Range<u64>, Error> {
        let count = records.count()?;
        let (data, data_len) = (records.payload.as_ptr().cast(), records.payload.len() as u64);
        let offsets = records.offsets.as_ptr();
        let times = records.times.map_or(null(), |times| times.as_ptr());
        let (raw, id, timeout_ms) = (self.raw(), stream.0, wait.timeout_ms);
        let mut first = sys::SPW_SEQ_NONE;
        with_op(wait.token, |op| {
            check(|err| unsafe {
                sys::spw_store_add(
                    raw, id, data, data_len, offsets, count, times, timeout_ms, op, &mut first, err,
                )
            })
        })
        .map_err(|error| error.admitted_at(first))?;
        Ok(if first == sys::SPW_SEQ_NONE { 0..0 } else { first..first + count as u64 })
    }

    /// A cursor over the records there are now in a range of sequence numbers: `..` for all. What
    /// was cleared already is left out. `NotFound`: no such stream. `InvalidArgument`: the range
    /// ends before it begins.
    pub fn cursor(&self, stream: Stream, range: impl RangeBounds<u64>) -> Result<Cursor, Error> {
        Cursor::open(self, stream, range)
    }

    /// Copies many records, in the order asked for, also several times the same. Errors as
    /// [`Store::read`], with the index in [`Error::record_index`].
    pub fn gather(&self, stream: Stream, seqs: &[u64]) -> Result<OwnedBatch, Error> {
        let (start, count, mut raw) = (seqs.as_ptr(), seqs.len(), null_mut());
        check(|err| unsafe {
            sys::spw_store_gather(self.raw(), stream.0, start, count, &mut raw, err)
        })?;
        OwnedBatch::from_raw(raw)
    }

    /// Drops all records of a stream; sequence numbers go on. Their memory is free at once; it is
    /// durable with the next flush. `NotFound`: no such stream. `Io`, `Corrupt`: writing has ended.
    pub fn clear(&self, stream: Stream) -> Result<(), Error> {
        check(|err| unsafe { sys::spw_store_clear(self.raw(), stream.0, err) })
    }

    /// Returns when everything admitted before the call, by any thread, is as safe as `level` says.
    ///
    /// `Unsupported`: a store in memory. `InvalidArgument`: [`FlushLevel::Checkpoint`]. `Timeout`,
    /// `Cancelled`, `WouldBlock`: it goes on in the background. `Full`: tried again in the
    /// background. `Io`, `Corrupt`: writing has ended, nothing acknowledged is lost, what is in
    /// memory is readable.
    pub fn flush(&self, level: FlushLevel) -> Result<(), Error> {
        self.flush_with(level, Wait::default())
    }

    /// As [`Store::flush`], waiting no longer than said.
    pub fn flush_with<'a>(
        &self,
        level: FlushLevel,
        wait: impl Into<Wait<'a>>,
    ) -> Result<(), Error> {
        let (raw, level, wait) = (self.raw(), level as i32, wait.into());
        with_op(wait.token, |op| {
            check(|err| unsafe { sys::spw_store_flush(raw, level, wait.timeout_ms, op, err) })
        })
    }
}

/// The store's block file.
impl Store {
    /// The block file that the records are in, for blocks of the application's own. It is the
    /// store's: with the store it is closed, and [`BlockFile::close`] is `InvalidState`. Names that
    /// begin with `.spillway/` are the store's too: they are listed and can be read, and to change
    /// them is `InvalidArgument`. Its options are the library's: 4 MiB each of changes that wait
    /// and of cached blocks, on top of the store's budget.
    ///
    /// It keeps the store open, as do its transactions, lists and streams. `Unsupported`: a store
    /// in memory, or with another [`ColdTier`](crate::ColdTier).
    ///
    /// ```
    /// # fn main() -> Result<(), spillway::Error> {
    /// # let folder = std::env::temp_dir().join(format!("spillway-doc-both-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder).unwrap();
    /// # let path = folder.join("first.spw");
    /// use spillway::{Batch, FlushLevel, Options};
    /// let store = Options::new().open(&path)?;
    /// let log = store.stream("log")?;
    /// let added = store.add(log, &Batch::from_iter(["hello", "world"]))?;
    /// let position = store.file()?.begin()?;
    /// position.put("position", added.end.to_le_bytes())?;
    /// store.commit(position, FlushLevel::Device)?; // the records too: one barrier for both
    /// store.close()?;
    /// # std::fs::remove_dir_all(&folder).unwrap();
    /// # Ok(()) }
    /// ```
    pub fn file(&self) -> Result<BlockFile, Error> {
        BlockFile::of_store(self)
    }

    /// Commits a transaction of the store's file together with a flush of the store, with one
    /// barrier for both: when it returns, the transaction and everything admitted before the call,
    /// by any thread, are as safe as `level` says. After a crash at any time, if the transaction is
    /// there, so are those records.
    ///
    /// The flush comes first and can fail as [`Store::flush`] does; the transaction is then as it
    /// was, and comes back in the error to try again. After that as [`BlockTransaction::commit`]:
    /// what comes back can only be dropped. `InvalidArgument`: a transaction of another file.
    /// `Unsupported`: a store without a block file.
    pub fn commit(
        &self,
        changes: BlockTransaction,
        level: FlushLevel,
    ) -> Result<(), CommitError<BlockTransaction>> {
        self.commit_with(changes, level, Wait::default())
    }

    /// As [`Store::commit`], with a flush that waits no longer than said.
    pub fn commit_with<'a>(
        &self,
        changes: BlockTransaction,
        level: FlushLevel,
        wait: impl Into<Wait<'a>>,
    ) -> Result<(), CommitError<BlockTransaction>> {
        let (raw, txn, level, wait) = (self.raw(), changes.raw(), level as i32, wait.into());
        with_op(wait.token, |op| {
            let timeout_ms = wait.timeout_ms;
            check(|err| unsafe { sys::spw_store_commit(raw, txn, level, timeout_ms, op, err) })
        })
        .map_err(|error| CommitError::new(changes, error))
    }
}

/// Live options, statistics, events.
impl Store {
    /// What an option of the store is now; see [`Key`] for its unit.
    pub fn option(&self, key: Key) -> Result<i64, Error> {
        self.get_raw(sys::SPW_ALL, key)
    }

    /// Changes a live option while the store is in use. A lower budget takes effect by spilling;
    /// nothing is dropped. `Unsupported`: unknown, or not live.
    pub fn set_option(&self, key: Key, value: i64) -> Result<(), Error> {
        self.set_raw(sys::SPW_ALL, key, value)
    }

    /// As [`Store::option`], for a stream. `NotFound`: no such stream.
    pub fn stream_option(&self, stream: Stream, key: Key) -> Result<i64, Error> {
        self.get_raw(stream.0, key)
    }

    /// As [`Store::set_option`], for a stream. `NotFound`: no such stream.
    pub fn set_stream_option(&self, stream: Stream, key: Key, value: i64) -> Result<(), Error> {
        self.set_raw(stream.0, key, value)
    }

    fn get_raw(&self, id: u32, key: Key) -> Result<i64, Error> {
        let mut value = 0;
        check(|err| unsafe { sys::spw_store_get_i64(self.raw(), id, key.0, &mut value, err) })?;
        Ok(value)
    }

    fn set_raw(&self, id: u32, key: Key, value: i64) -> Result<(), Error> {
        check(|err| unsafe { sys::spw_store_set_i64(self.raw(), id, key.0, value, err) })
    }

    /// Numbers of the store. Takes no lock: may be called at any rate.
    pub fn stats(&self) -> Result<Stats, Error> {
        Stats::of(self.raw())
    }

    /// Numbers of a stream. `NotFound`: no such stream.
    pub fn stream_stats(&self, stream: Stream) -> Result<StreamStats, Error> {
        StreamStats::of(self.raw(), stream)
    }

    /// Takes what happened since the last call, oldest first. The store keeps the last 256;
    /// [`Stats::events_lost`] counts the others.
    pub fn events(&self) -> Result<Vec<Event>, Error> {
        Event::drain(self.raw())
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}
