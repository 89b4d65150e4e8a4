//! Records on their way out of a store: borrowed columns, and the iterators over them.

use std::iter::{FusedIterator, Zip};
use std::ops::Index;
use std::slice;

use spillway_sys as sys;

/// Records in memory of the library, one after the other, not copied. Cheap to copy itself, and any
/// thread may read it; it lives as long as the borrow of the [`Cursor`](crate::Cursor) or the
/// [`OwnedBatch`](crate::OwnedBatch) it came from.
///
/// ```
/// # fn main() -> Result<(), spillway::Error> {
/// # let store = spillway::Store::in_memory()?;
/// # let log = store.stream("log")?;
/// # store.add(log, &spillway::Batch::from_iter(["hello", "world"]))?;
/// let mut cursor = store.cursor(log, ..)?;
/// while let Some(view) = cursor.next()? {
///     assert_eq!(&view[0], b"hello");
///     for payload in view {
///         assert_eq!(payload.len(), 5);
///     }
///     for record in view.records() {
///         println!("{}: {:?}", record.seq, record.payload);
///     }
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    data: &'a [u8],
    begin: &'a [u64],
    end: &'a [u64],
    seqs: Option<&'a [u64]>,
    times: Option<&'a [i64]>,
    first_seq: u64,
}

/// A record that is borrowed from a [`View`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Record<'a> {
    /// Its place in its stream.
    pub seq: u64,
    /// Its time, in a stream with times.
    pub time: Option<i64>,
    /// Its bytes.
    pub payload: &'a [u8],
}

/// A record in memory of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct OwnedRecord {
    /// Its place in its stream.
    pub seq: u64,
    /// Its time, in a stream with times.
    pub time: Option<i64>,
    /// Its bytes.
    pub payload: Vec<u8>,
}

impl Record<'_> {
    /// Copies the payload.
    pub fn to_owned(&self) -> OwnedRecord {
        OwnedRecord { seq: self.seq, time: self.time, payload: self.payload.to_vec() }
    }
}

impl<'a> View<'a> {
    /// # Safety
    /// The library filled `raw`, and what it points to stays as it is during `'a`.
    pub(crate) unsafe fn from_raw(raw: &sys::spw_view) -> View<'a> {
        let count = raw.count as usize;
        View {
            data: unsafe { column(raw.data, raw.data_len as usize) }.unwrap_or(&[]),
            begin: unsafe { column(raw.begin, count) }.unwrap_or(&[]),
            end: unsafe { column(raw.end, count) }.unwrap_or(&[]),
            seqs: unsafe { column(raw.seqs, count) },
            times: unsafe { column(raw.times, count) },
            first_seq: raw.first_seq,
        }
    }

    /// How many records there are: at least one, in a view of a cursor.
    #[inline]
    pub fn len(&self) -> usize {
        self.begin.len()
    }

    /// Whether there is no record, as in a batch gathered from no sequence numbers.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.begin.is_empty()
    }

    /// The payload of record `index` of the view, counted from 0.
    #[inline]
    pub fn get(&self, index: usize) -> Option<&'a [u8]> {
        let (begin, end) = (*self.begin.get(index)?, *self.end.get(index)?);
        self.data.get(begin as usize..end as usize)
    }

    /// Record `index` of the view with its sequence number and time.
    #[inline]
    pub fn record(&self, index: usize) -> Option<Record<'a>> {
        let payload = self.get(index)?;
        Some(Record { seq: self.seq(index)?, time: self.time(index), payload })
    }

    /// The sequence number of record `index` of the view.
    #[inline]
    pub fn seq(&self, index: usize) -> Option<u64> {
        match self.seqs {
            Some(seqs) => seqs.get(index).copied(),
            None if index < self.len() => Some(self.first_seq + index as u64),
            None => None,
        }
    }

    /// The time of record `index` of the view; none has one in a stream without times.
    #[inline]
    pub fn time(&self, index: usize) -> Option<i64> {
        self.times?.get(index).copied()
    }

    /// The sequence number of the first record. Those of a cursor's view go on from it one by one.
    #[inline]
    pub fn first_seq(&self) -> u64 {
        self.first_seq
    }

    /// The payloads in order.
    #[inline]
    pub fn iter(&self) -> Payloads<'a> {
        Payloads { data: self.data, ranges: self.begin.iter().zip(self.end) }
    }

    /// The records in order, with their sequence numbers and times.
    pub fn records(&self) -> ViewRecords<'a> {
        ViewRecords { view: *self, indices: 0..self.len() }
    }

    /// The column that all payloads are slices of; there may be bytes between them.
    pub fn data(&self) -> &'a [u8] {
        self.data
    }

    /// Where in [`View::data`] each record begins.
    pub fn begins(&self) -> &'a [u64] {
        self.begin
    }

    /// Where in [`View::data`] each record ends.
    pub fn ends(&self) -> &'a [u64] {
        self.end
    }

    /// The time of each record, in a stream with times.
    pub fn times(&self) -> Option<&'a [i64]> {
        self.times
    }

    /// The sequence number of each record, if they do not simply go on from the first.
    pub fn seqs(&self) -> Option<&'a [u64]> {
        self.seqs
    }
}

/// # Safety
/// NULL, or `count` elements that stay as they are during `'a`.
unsafe fn column<'a, T>(start: *const T, count: usize) -> Option<&'a [T]> {
    (!start.is_null()).then(|| unsafe { slice::from_raw_parts(start, count) })
}

impl Index<usize> for View<'_> {
    type Output = [u8];

    /// The payload of record `index` of the view. Panics if there is none.
    #[inline]
    fn index(&self, index: usize) -> &[u8] {
        &self.data[self.begin[index] as usize..self.end[index] as usize]
    }
}

impl<'a> IntoIterator for View<'a> {
    type Item = &'a [u8];
    type IntoIter = Payloads<'a>;

    #[inline]
    fn into_iter(self) -> Payloads<'a> {
        self.iter()
    }
}

impl<'a> IntoIterator for &View<'a> {
    type Item = &'a [u8];
    type IntoIter = Payloads<'a>;

    #[inline]
    fn into_iter(self) -> Payloads<'a> {
        self.iter()
    }
}

/// The payloads of a [`View`] in order.
#[derive(Clone, Debug)]
pub struct Payloads<'a> {
    data: &'a [u8],
    ranges: Zip<slice::Iter<'a, u64>, slice::Iter<'a, u64>>,
}

impl<'a> Iterator for Payloads<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let (begin, end) = self.ranges.next()?;
        Some(&self.data[*begin as usize..*end as usize])
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.ranges.size_hint()
    }

    #[inline]
    fn nth(&mut self, n: usize) -> Option<&'a [u8]> {
        let (begin, end) = self.ranges.nth(n)?;
        Some(&self.data[*begin as usize..*end as usize])
    }
}

impl DoubleEndedIterator for Payloads<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        let (begin, end) = self.ranges.next_back()?;
        Some(&self.data[*begin as usize..*end as usize])
    }
}

impl ExactSizeIterator for Payloads<'_> {}
impl FusedIterator for Payloads<'_> {}

/// The records of a [`View`] in order.
#[derive(Clone, Debug)]
pub struct ViewRecords<'a> {
    view: View<'a>,
    indices: std::ops::Range<usize>,
}

impl<'a> Iterator for ViewRecords<'a> {
    type Item = Record<'a>;

    #[inline]
    fn next(&mut self) -> Option<Record<'a>> {
        let index = self.indices.next()?;
        self.view.record(index)
    }

    #[inline]
    fn nth(&mut self, n: usize) -> Option<Record<'a>> {
        let index = self.indices.nth(n)?;
        self.view.record(index)
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.indices.size_hint()
    }
}

impl DoubleEndedIterator for ViewRecords<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let index = self.indices.next_back()?;
        self.view.record(index)
    }
}

impl ExactSizeIterator for ViewRecords<'_> {}
impl FusedIterator for ViewRecords<'_> {}
