//! Reading a snapshot in order.

use std::fmt;
use std::iter::FusedIterator;
use std::mem::size_of;
use std::ops::{Bound, Range, RangeBounds};
use std::ptr::{null, null_mut, NonNull};

use spillway_sys as sys;

use crate::error::{check, Error};
use crate::op::{with_op, CancelToken};
use crate::owned::OwnedBatch;
use crate::store::{Store, Stream};
use crate::view::{OwnedRecord, View};

/// Reads the records of a snapshot in order, each once: exactly those of its range that were
/// admitted before it was opened, whatever is added, spilled or flushed meanwhile.
///
/// It borrows nothing: like a clone of its [`Store`] it keeps that open until it is dropped. It
/// holds no memory of records but its current view. It may move to another thread, but is used by
/// one at a time. Once the store is closed every call returns
/// [`ErrorKind::Closed`](crate::ErrorKind::Closed); the current view stays readable.
///
/// A view lives until the cursor is used again:
///
/// ```compile_fail,E0499
/// # fn read(mut cursor: spillway::Cursor) -> Result<(), spillway::Error> {
/// let first = cursor.next()?;
/// let second = cursor.next()?;
/// println!("{:?}", first); // cannot borrow `cursor` as mutable more than once at a time
/// # Ok(()) }
/// ```
///
/// and not longer than the cursor:
///
/// ```compile_fail,E0505
/// # fn read(mut cursor: spillway::Cursor) -> Result<(), spillway::Error> {
/// let view = cursor.next()?;
/// drop(cursor);
/// println!("{:?}", view); // cannot move out of `cursor` because it is borrowed
/// # Ok(()) }
/// ```
///
/// ```compile_fail,E0515
/// # use spillway::{Cursor, Error, View};
/// fn first(mut cursor: Cursor) -> Result<Option<View<'static>>, Error> {
///     cursor.next() // returns a value referencing data owned by the current function
/// }
/// ```
///
/// Two threads cannot use it at once:
///
/// ```compile_fail,E0277
/// # fn read(cursor: spillway::Cursor) {
/// std::thread::scope(|scope| {
///     scope.spawn(|| cursor.range()); // `Cursor` cannot be shared between threads safely
/// });
/// # }
/// ```
pub struct Cursor {
    raw: NonNull<sys::spw_cursor>,
    view: sys::spw_view,
    /// The library would let the store go first, but then close it under a cursor that outlives it.
    _store: Store,
}

// Safe: a cursor may be used on any thread, by one at a time (spillway.h, 5). Not Sync.
unsafe impl Send for Cursor {}

/// How large a view may be at most. It always has at least one record if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ViewLimit {
    records: u64,
    bytes: u64,
}

impl ViewLimit {
    /// As large as what lies together: a segment in memory, or a run decoded from the cold tier.
    pub const NONE: ViewLimit = ViewLimit { records: sys::SPW_NO_LIMIT, bytes: sys::SPW_NO_LIMIT };

    /// At most so many records, at least 1.
    pub const fn records(records: u64) -> ViewLimit {
        ViewLimit { records, ..ViewLimit::NONE }
    }

    /// At most so many bytes of payload, at least 1.
    pub const fn bytes(bytes: u64) -> ViewLimit {
        ViewLimit { bytes, ..ViewLimit::NONE }
    }

    /// Also at most so many bytes of payload, at least 1.
    #[must_use]
    pub const fn and_bytes(self, bytes: u64) -> ViewLimit {
        ViewLimit { bytes, ..self }
    }
}

impl Default for ViewLimit {
    fn default() -> ViewLimit {
        ViewLimit::NONE
    }
}

const EMPTY: sys::spw_view = sys::spw_view {
    struct_size: size_of::<sys::spw_view>() as u32,
    flags: 0,
    count: 0,
    first_seq: 0,
    data: null(),
    data_len: 0,
    begin: null(),
    end: null(),
    seqs: null(),
    times: null(),
};

/// A view for the library to fill.
pub(crate) const fn empty_view() -> sys::spw_view {
    EMPTY
}

impl Cursor {
    pub(crate) fn open(
        store: &Store,
        stream: Stream,
        range: impl RangeBounds<u64>,
    ) -> Result<Cursor, Error> {
        let scan = sys::spw_scan {
            struct_size: size_of::<sys::spw_scan>() as u32,
            flags: 0,
            stream: stream.id(),
            reserved: 0,
            begin_seq: begin_of(range.start_bound()),
            end_seq: end_of(range.end_bound()),
            time_begin: 0,
            time_end: 0,
        };
        let mut raw = null_mut();
        check(|err| unsafe { sys::spw_cursor_open(store.raw(), &scan, null(), &mut raw, err) })?;
        let raw = NonNull::new(raw)
            .ok_or_else(|| Error::binding(sys::SPW_INTERNAL, "no cursor, and no error"))?;
        Ok(Cursor { raw, view: EMPTY, _store: store.clone() })
    }

    /// The next records, not copied; `None` at the end. How many at once: as many as lie together.
    ///
    /// `Trimmed`: the records at the position were cleared. `Corrupt`, `Io`: they cannot be read.
    /// After an error every call returns it again, until [`Cursor::seek`]: nothing is skipped in
    /// silence.
    #[allow(clippy::should_implement_trait)] // An Iterator cannot lend.
    pub fn next(&mut self) -> Result<Option<View<'_>>, Error> {
        self.advance(ViewLimit::NONE, None)?;
        Ok(self.current())
    }

    /// As [`Cursor::next`], with at most so many records or bytes at once.
    pub fn next_up_to(&mut self, limit: ViewLimit) -> Result<Option<View<'_>>, Error> {
        self.advance(limit, None)?;
        Ok(self.current())
    }

    /// As [`Cursor::next_up_to`], with a token that ends it: `Cancelled`. The position is then as
    /// it was.
    pub fn next_unless(
        &mut self,
        limit: ViewLimit,
        token: &CancelToken,
    ) -> Result<Option<View<'_>>, Error> {
        self.advance(limit, Some(token))?;
        Ok(self.current())
    }

    /// Replaces the current view; there is none if this fails.
    fn advance(&mut self, limit: ViewLimit, token: Option<&CancelToken>) -> Result<(), Error> {
        self.view = EMPTY;
        let (raw, view) = (self.raw.as_ptr(), &mut self.view);
        // The timeout is one of follow mode: a snapshot never waits.
        let timeout_ms = sys::SPW_WAIT_DEFAULT;
        with_op(token, |op| {
            check(|err| unsafe {
                sys::spw_cursor_next(raw, limit.records, limit.bytes, timeout_ms, op, view, err)
            })
        })
        .map_err(|error| {
            self.view = EMPTY;
            error
        })
    }

    /// The current view, as the last call of `next` returned it.
    fn current(&self) -> Option<View<'_>> {
        // Safe: it is valid until next, seek or free, and all three need the cursor for themselves.
        (self.view.count > 0).then(|| unsafe { View::from_raw(&self.view) })
    }

    /// The sequence numbers of the snapshot; their count is that of its records.
    pub fn range(&self) -> Result<Range<u64>, Error> {
        let (mut begin, mut end) = (0, 0);
        let raw = self.raw.as_ptr();
        check(|err| unsafe { sys::spw_cursor_range(raw, &mut begin, &mut end, err) })?;
        Ok(begin..end)
    }

    /// Moves to a sequence number within [`Cursor::range`] or to its end, and clears an error.
    /// There is no current view then.
    pub fn seek(&mut self, seq: u64) -> Result<(), Error> {
        self.view = EMPTY;
        check(|err| unsafe { sys::spw_cursor_seek(self.raw.as_ptr(), seq, err) })
    }

    /// The current view, as the last `next` returned it, as a batch with a life of its own, without
    /// copying. `InvalidState`: there is no current view.
    ///
    /// ```
    /// # fn main() -> Result<(), spillway::Error> {
    /// # let store = spillway::Store::in_memory()?;
    /// # let log = store.stream("log")?;
    /// # store.add(log, &spillway::Batch::from_iter(["hello", "world"]))?;
    /// let mut cursor = store.cursor(log, ..)?;
    /// let mut kept = Vec::new();
    /// while let Some(view) = cursor.next()? {
    ///     if view.iter().any(|payload| payload == b"world") {
    ///         kept.push(cursor.detach()?);
    ///     }
    /// }
    /// drop((cursor, store));
    /// assert_eq!(&kept[0].view()[1], b"world");
    /// # Ok(()) }
    /// ```
    pub fn detach(&mut self) -> Result<OwnedBatch, Error> {
        let mut batch = null_mut();
        check(|err| unsafe { sys::spw_cursor_detach(self.raw.as_ptr(), &mut batch, err) })?;
        OwnedBatch::from_raw(batch)
    }

    /// The records from the position on, each copied into memory of its own: for comfort, as
    /// walking the views is faster. It ends after an error. Dropped halfway, it leaves the cursor
    /// behind the last record that it returned.
    pub fn records(&mut self) -> Records<'_> {
        self.view = EMPTY;
        Records { cursor: self, index: 0, ended: false }
    }
}

impl Drop for Cursor {
    fn drop(&mut self) {
        unsafe { sys::spw_cursor_free(self.raw.as_ptr()) };
    }
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cursor").field("range", &self.range().ok()).finish_non_exhaustive()
    }
}

fn begin_of(bound: Bound<&u64>) -> u64 {
    match bound {
        Bound::Unbounded => 0,
        Bound::Included(seq) => *seq,
        Bound::Excluded(seq) => seq.saturating_add(1),
    }
}

/// The largest number means the end of what there is now, as in the library.
fn end_of(bound: Bound<&u64>) -> u64 {
    match bound {
        Bound::Unbounded => sys::SPW_SEQ_NONE,
        Bound::Included(seq) => seq.saturating_add(1),
        Bound::Excluded(seq) => *seq,
    }
}

/// The records of a [`Cursor`] from its position on, copied one by one.
#[derive(Debug)]
pub struct Records<'a> {
    cursor: &'a mut Cursor,
    /// Of the next record in the current view.
    index: usize,
    ended: bool,
}

impl Iterator for Records<'_> {
    type Item = Result<OwnedRecord, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        if self.index >= self.cursor.view.count as usize {
            self.index = 0;
            if let Err(error) = self.cursor.advance(ViewLimit::NONE, None) {
                self.ended = true;
                return Some(Err(error));
            }
        }
        let view = self.cursor.current();
        self.ended = view.is_none();
        self.index += 1;
        let record = view?.record(self.index - 1)?;
        Some(Ok(record.to_owned()))
    }
}

impl FusedIterator for Records<'_> {}

impl Drop for Records<'_> {
    /// Takes the cursor back to what was not returned: nothing is skipped in silence.
    fn drop(&mut self) {
        if self.index < self.cursor.view.count as usize {
            let seq = self.cursor.view.first_seq + self.index as u64;
            // It fails only where the next call on the cursor fails too: closed, forked.
            let _ = self.cursor.seek(seq);
        }
    }
}
