//! Many blocks in one call, there and back.

use spillway_sys as sys;

use crate::block::read::Blocks;
use crate::block::write::Expected;
use crate::error::{check, Error, ErrorKind};

/// Blocks collected for one put. Made once and used again: [`BlockBatch::clear`] keeps its memory,
/// so that filling it costs a copy of names and payloads and nothing else.
///
/// ```
/// # fn use_it(file: &spillway::BlockFile) -> Result<(), spillway::Error> {
/// let mut batch = spillway::BlockBatch::new();
/// for number in 0..500 {
///     batch.push(format!("part/{}", number).as_bytes(), b"what it holds");
/// }
/// file.put_batch(&batch)?; // all or none
/// batch.clear();
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct BlockBatch {
    names: Column,
    data: Column,
    /// Empty as long as no block has a condition.
    expected: Vec<u64>,
}

/// Byte strings one after the other.
#[derive(Clone, Debug)]
struct Column {
    bytes: Vec<u8>,
    /// One more than there are strings: where each begins, and where the last ends.
    offsets: Vec<u64>,
}

impl Column {
    fn with_capacity(count: usize, bytes: usize) -> Column {
        let mut offsets = Vec::with_capacity(count + 1);
        offsets.push(0);
        Column { bytes: Vec::with_capacity(bytes), offsets }
    }

    #[inline]
    fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.offsets.push(self.bytes.len() as u64);
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.offsets.truncate(1);
    }

    fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    fn get(&self, index: usize) -> Option<&[u8]> {
        let end = *self.offsets.get(index.checked_add(1)?)?;
        self.bytes.get(self.offsets[index] as usize..end as usize)
    }
}

impl BlockBatch {
    /// Without blocks; allocates once one is pushed.
    pub fn new() -> BlockBatch {
        BlockBatch::with_capacity(0, 0, 0)
    }

    /// With room for so many blocks with names and payloads of so many bytes in all. It grows
    /// beyond that if need be.
    pub fn with_capacity(blocks: usize, name_bytes: usize, payload_bytes: usize) -> BlockBatch {
        BlockBatch {
            names: Column::with_capacity(blocks, name_bytes),
            data: Column::with_capacity(blocks, payload_bytes),
            expected: Vec::new(),
        }
    }

    /// Appends a block. Copies name and payload, which may be empty.
    #[inline]
    pub fn push(&mut self, name: impl AsRef<[u8]>, data: impl AsRef<[u8]>) {
        self.names.push(name.as_ref());
        self.data.push(data.as_ref());
        if !self.expected.is_empty() {
            self.expected.push(Expected::Anything.raw());
        }
    }

    /// As [`BlockBatch::push`], with a condition. If one is not met, nothing of the batch happens.
    pub fn push_if(&mut self, name: impl AsRef<[u8]>, data: impl AsRef<[u8]>, expected: Expected) {
        self.expected.resize(self.len(), Expected::Anything.raw());
        self.names.push(name.as_ref());
        self.data.push(data.as_ref());
        self.expected.push(expected.raw());
    }

    /// Drops the blocks and keeps the memory.
    pub fn clear(&mut self) {
        self.names.clear();
        self.data.clear();
        self.expected.clear();
    }

    /// How many blocks there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is no block. Putting such a batch is legal and changes nothing.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes the payloads of all blocks have.
    #[inline]
    pub fn payload_bytes(&self) -> usize {
        self.data.bytes.len()
    }
}

impl Default for BlockBatch {
    fn default() -> BlockBatch {
        BlockBatch::new()
    }
}

impl<N: AsRef<[u8]>, D: AsRef<[u8]>> Extend<(N, D)> for BlockBatch {
    fn extend<I: IntoIterator<Item = (N, D)>>(&mut self, blocks: I) {
        blocks.into_iter().for_each(|(name, data)| self.push(name, data));
    }
}

impl<N: AsRef<[u8]>, D: AsRef<[u8]>> FromIterator<(N, D)> for BlockBatch {
    fn from_iter<I: IntoIterator<Item = (N, D)>>(blocks: I) -> BlockBatch {
        let mut batch = BlockBatch::new();
        batch.extend(blocks);
        batch
    }
}

/// Blocks that lie in the caller's memory: block `i` is `names[name_offsets[i]..name_offsets[i + 1]]`
/// and holds `data[data_offsets[i]..data_offsets[i + 1]]`. They are put from where they are.
///
/// There is one offset more than blocks; none runs backwards, the last is within the bytes. The
/// library checks all that before it changes anything.
///
/// ```
/// # fn use_it(file: &spillway::BlockFile) -> Result<(), spillway::Error> {
/// let blocks = spillway::BlockColumns::new(b"ab", &[0, 1, 2], b"hello world", &[0, 5, 11]);
/// file.put_batch(blocks)?;
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct BlockColumns<'a> {
    pub(crate) names: &'a [u8],
    pub(crate) name_offsets: &'a [u64],
    pub(crate) data: &'a [u8],
    pub(crate) data_offsets: &'a [u64],
    pub(crate) expected: Option<&'a [u64]>,
}

impl<'a> BlockColumns<'a> {
    /// Blocks without conditions.
    pub const fn new(
        names: &'a [u8],
        name_offsets: &'a [u64],
        data: &'a [u8],
        data_offsets: &'a [u64],
    ) -> BlockColumns<'a> {
        BlockColumns { names, name_offsets, data, data_offsets, expected: None }
    }

    /// The same with a version that each block must have: 0, there is no such block; `u64::MAX`, no
    /// condition.
    #[must_use]
    pub const fn with_expected(self, versions: &'a [u64]) -> BlockColumns<'a> {
        BlockColumns { expected: Some(versions), ..self }
    }

    /// How many blocks there are, once it is sure that the library can read the columns: their
    /// lengths are the one thing it cannot check.
    pub(crate) fn count(&self) -> Result<usize, Error> {
        let wrong = |message| Error::binding(sys::SPW_INVALID_ARGUMENT, message);
        let count = (self.name_offsets.len().checked_sub(1))
            .ok_or_else(|| wrong("there must be one offset more than blocks"))?;
        if self.data_offsets.len() != self.name_offsets.len() {
            return Err(wrong("there must be as many payloads as names"));
        }
        if self.expected.map_or(false, |expected| expected.len() != count) {
            return Err(wrong("there must be an expected version for every block, or for none"));
        }
        Ok(count)
    }
}

impl<'a> From<&'a BlockBatch> for BlockColumns<'a> {
    fn from(batch: &'a BlockBatch) -> BlockColumns<'a> {
        BlockColumns {
            names: &batch.names.bytes,
            name_offsets: &batch.names.offsets,
            data: &batch.data.bytes,
            data_offsets: &batch.data.offsets,
            expected: Some(&*batch.expected).filter(|expected| !expected.is_empty()),
        }
    }
}

/// Names of blocks to be read in one call, and what they held: see [`Blocks::read_batch`]. Made once
/// and used again, it keeps its memory.
///
/// ```
/// # fn use_it(file: &spillway::BlockFile) -> Result<(), spillway::Error> {
/// use spillway::{BlockReads, ErrorKind};
/// let mut reads = BlockReads::from_iter(["title", "author"]);
/// file.read_batch(&mut reads)?;
/// let title: &[u8] = reads.block(0)?;
/// for (name, block) in reads.iter() {
///     match block {
///         Ok(bytes) => println!("{:?}: {} bytes", name, bytes.len()),
///         Err(ErrorKind::NotFound) => println!("{:?} is not there", name),
///         Err(kind) => println!("{:?} cannot be read: {:?}", name, kind),
///     }
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct BlockReads {
    names: Column,
    /// What was read: of no block before the first read, after an error, and when names changed.
    blocks: Column,
    statuses: Vec<sys::spw_status>,
}

impl BlockReads {
    /// Without names.
    pub fn new() -> BlockReads {
        BlockReads {
            names: Column::with_capacity(0, 0),
            blocks: Column::with_capacity(0, 0),
            statuses: Vec::new(),
        }
    }

    /// Appends a name, which is copied. What was read before is gone.
    pub fn push(&mut self, name: impl AsRef<[u8]>) {
        self.forget();
        self.names.push(name.as_ref());
    }

    /// Drops names and blocks and keeps the memory.
    pub fn clear(&mut self) {
        self.forget();
        self.names.clear();
    }

    fn forget(&mut self) {
        self.blocks.clear();
        self.statuses.clear();
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is no name. Reading such a batch is legal.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes of block `index`, or why there are none: `NotFound`, `Corrupt`, `Io`;
    /// `InvalidState` if it was not read.
    pub fn block(&self, index: usize) -> Result<&[u8], Error> {
        self.outcome(index).map_err(|kind| match kind {
            ErrorKind::NotFound => Error::binding(sys::SPW_NOT_FOUND, "no such block"),
            ErrorKind::InvalidState => Error::binding(sys::SPW_INVALID_STATE, "it was not read"),
            _ => Error::binding(self.statuses[index], "the block cannot be read"),
        })
    }

    fn outcome(&self, index: usize) -> Result<&[u8], ErrorKind> {
        match self.statuses.get(index) {
            None => Err(ErrorKind::InvalidState),
            Some(&sys::SPW_OK) => self.blocks.get(index).ok_or(ErrorKind::Internal),
            Some(status) => Err(ErrorKind::of(*status)),
        }
    }

    /// Each name, and its bytes or why there are none.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], Result<&[u8], ErrorKind>)> + '_ {
        (0..self.len()).map(move |index| {
            let name = self.names.get(index).unwrap_or_default();
            (name, self.outcome(index))
        })
    }

    pub(crate) fn read_from(&mut self, blocks: &Blocks) -> Result<(), Error> {
        let mut last = 0;
        loop {
            self.forget();
            let result = self.read_once(blocks);
            let needed = *self.blocks.offsets.last().expect("one more than blocks") as usize;
            match result {
                // Safe: the library wrote so many bytes.
                Ok(()) => unsafe { self.blocks.bytes.set_len(needed) },
                Err(error) => {
                    self.forget();
                    // While blocks grow it may be too small again, though not for ever.
                    if error.kind() != ErrorKind::TooBig || needed <= last {
                        return Err(error);
                    }
                    last = needed;
                    self.blocks.bytes.reserve(needed);
                    continue;
                }
            }
            return Ok(());
        }
    }

    /// Fills offsets and statuses, and the vector of bytes up to its capacity, not its length.
    fn read_once(&mut self, blocks: &Blocks) -> Result<(), Error> {
        let ((file, txn), count) = (blocks.raw(), self.len());
        self.blocks.offsets.resize(count + 1, 0);
        self.statuses.resize(count, sys::SPW_OK);
        let (names, names_len) = (self.names.bytes.as_ptr().cast(), self.names.bytes.len() as u64);
        let name_offsets = self.names.offsets.as_ptr();
        let (to, cap) =
            (self.blocks.bytes.as_mut_ptr().cast(), self.blocks.bytes.capacity() as u64);
        let (offsets, statuses) = (self.blocks.offsets.as_mut_ptr(), self.statuses.as_mut_ptr());
        check(|err| unsafe {
            sys::spw_block_read_batch(
                file,
                txn,
                names,
                names_len,
                name_offsets,
                count,
                to,
                cap,
                offsets,
                statuses,
                err,
            )
        })
    }
}

impl Default for BlockReads {
    fn default() -> BlockReads {
        BlockReads::new()
    }
}

impl<N: AsRef<[u8]>> Extend<N> for BlockReads {
    fn extend<I: IntoIterator<Item = N>>(&mut self, names: I) {
        names.into_iter().for_each(|name| self.push(name));
    }
}

impl<N: AsRef<[u8]>> FromIterator<N> for BlockReads {
    fn from_iter<I: IntoIterator<Item = N>>(names: I) -> BlockReads {
        let mut reads = BlockReads::new();
        reads.extend(names);
        reads
    }
}
