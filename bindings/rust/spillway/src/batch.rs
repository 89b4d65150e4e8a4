//! Records on their way into a store.

use spillway_sys as sys;

use crate::error::Error;

/// Records collected for one add. Made once and used again: [`Batch::clear`] keeps its memory, so
/// that filling it costs a copy of the payload and nothing else.
///
/// Records of a stream with times are pushed with [`Batch::push_at`], those of one without with
/// [`Batch::push`]. A batch with both is refused when it is added.
///
/// ```
/// # fn main() -> Result<(), spillway::Error> {
/// # let store = spillway::Store::in_memory()?;
/// # let log = store.stream("log")?;
/// let mut batch = spillway::Batch::new();
/// for line in ["hello", "", "world"] {
///     batch.push(line.as_bytes());
/// }
/// assert_eq!(store.add(log, &batch)?, 0..3);
/// batch.clear();
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Batch {
    payload: Vec<u8>,
    /// One more than there are records: where each begins, and where the last ends.
    offsets: Vec<u64>,
    times: Vec<i64>,
}

impl Batch {
    /// Without records; allocates once one is pushed.
    pub fn new() -> Batch {
        Batch::with_capacity(0, 0)
    }

    /// With room for so many records of so many bytes in all. It grows beyond that if need be.
    pub fn with_capacity(records: usize, bytes: usize) -> Batch {
        let mut offsets = Vec::with_capacity(records + 1);
        offsets.push(0);
        Batch { payload: Vec::with_capacity(bytes), offsets, times: Vec::new() }
    }

    /// Appends a record without a time. Copies the payload, which may be empty.
    #[inline]
    pub fn push(&mut self, payload: &[u8]) {
        self.payload.extend_from_slice(payload);
        self.offsets.push(self.payload.len() as u64);
    }

    /// Appends a record with a time, whose unit is the user's. Copies the payload, which may be
    /// empty.
    #[inline]
    pub fn push_at(&mut self, time: i64, payload: &[u8]) {
        self.push(payload);
        self.times.push(time);
    }

    /// Drops the records and keeps the memory.
    pub fn clear(&mut self) {
        self.payload.clear();
        self.offsets.truncate(1);
        self.times.clear();
    }

    /// How many records there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there is no record. Adding such a batch is legal and adds nothing.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes the payloads of all records have.
    #[inline]
    pub fn payload_bytes(&self) -> usize {
        self.payload.len()
    }
}

impl Default for Batch {
    fn default() -> Batch {
        Batch::new()
    }
}

impl<T: AsRef<[u8]>> Extend<T> for Batch {
    fn extend<I: IntoIterator<Item = T>>(&mut self, records: I) {
        records.into_iter().for_each(|record| self.push(record.as_ref()));
    }
}

impl<T: AsRef<[u8]>> FromIterator<T> for Batch {
    fn from_iter<I: IntoIterator<Item = T>>(records: I) -> Batch {
        let mut batch = Batch::new();
        batch.extend(records);
        batch
    }
}

/// Records that lie in the caller's memory one after the other, as in an Arrow large binary array:
/// record `i` is `payload[offsets[i]..offsets[i + 1]]`. They are added from where they are.
///
/// There is one offset more than records; the first may be above 0, none runs backwards, the last
/// is within the payload. The library checks all that before it adds anything.
///
/// ```
/// # fn main() -> Result<(), spillway::Error> {
/// # let store = spillway::Store::in_memory()?;
/// # let log = store.stream("log")?;
/// let columns = spillway::Columns::new(b"# hello world", &[2, 7, 13]);
/// assert_eq!(store.add(log, columns)?, 0..2);
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Columns<'a> {
    pub(crate) payload: &'a [u8],
    pub(crate) offsets: &'a [u64],
    pub(crate) times: Option<&'a [i64]>,
}

impl<'a> Columns<'a> {
    /// Records without times.
    pub const fn new(payload: &'a [u8], offsets: &'a [u64]) -> Columns<'a> {
        Columns { payload, offsets, times: None }
    }

    /// The same with a time for each record, for a stream with times.
    #[must_use]
    pub const fn with_times(self, times: &'a [i64]) -> Columns<'a> {
        Columns { payload: self.payload, offsets: self.offsets, times: Some(times) }
    }

    /// How many records there are, once it is sure that the library can read the columns: their
    /// lengths are the one thing it cannot check.
    pub(crate) fn count(&self) -> Result<usize, Error> {
        let count = self.offsets.len().checked_sub(1).ok_or_else(|| {
            Error::binding(sys::SPW_INVALID_ARGUMENT, "there must be one offset more than records")
        })?;
        if self.times.map_or(false, |times| times.len() != count) {
            let message = "there must be a time for every record, or for none";
            return Err(Error::binding(sys::SPW_INVALID_ARGUMENT, message));
        }
        Ok(count)
    }
}

impl<'a> From<&'a Batch> for Columns<'a> {
    fn from(batch: &'a Batch) -> Columns<'a> {
        let times = Some(&*batch.times).filter(|times| !times.is_empty());
        Columns { payload: &batch.payload, offsets: &batch.offsets, times }
    }
}
