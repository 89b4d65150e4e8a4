//! Blocks in the order of their names: borrowed columns, and the iterators over them.

use std::iter::{FusedIterator, Zip};
use std::slice::{self, Windows};

use spillway_sys as sys;

use crate::block::info::BlockInfo;

/// Names in memory of the library, in order, not copied. Cheap to copy itself; it lives as long as
/// the borrow of the list it came from.
#[derive(Clone, Copy, Debug)]
pub struct NamesView<'a> {
    bytes: &'a [u8],
    /// One more than there are names.
    offsets: &'a [u64],
}

/// Blocks in memory of the library, in the order of their names, not copied. Cheap to copy itself;
/// it lives as long as the borrow of the [`BlockList`](crate::BlockList) it came from.
#[derive(Clone, Copy, Debug)]
pub struct BlockView<'a> {
    names: NamesView<'a>,
    infos: &'a [BlockInfo],
}

/// A block that is borrowed from a [`BlockView`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block<'a> {
    /// Its name: bytes, by contract UTF-8.
    pub name: &'a [u8],
    /// What it is.
    pub info: &'a BlockInfo,
}

/// A block of a list, in memory of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockEntry {
    /// Its name: bytes, by contract UTF-8.
    pub name: Vec<u8>,
    /// What it is.
    pub info: BlockInfo,
}

impl Block<'_> {
    /// Copies name and info.
    pub fn to_owned(&self) -> BlockEntry {
        BlockEntry { name: self.name.to_vec(), info: *self.info }
    }
}

impl<'a> NamesView<'a> {
    /// # Safety
    /// The library filled `raw` with at least one block, and what it points to stays as it is
    /// during `'a`.
    pub(crate) unsafe fn from_raw(raw: &sys::spw_block_view) -> NamesView<'a> {
        let offsets = unsafe { slice::from_raw_parts(raw.name_offsets, raw.count as usize + 1) };
        let len = offsets[offsets.len() - 1] as usize;
        NamesView { bytes: unsafe { slice::from_raw_parts(raw.names.cast(), len) }, offsets }
    }

    /// How many names there are: at least one, in a view of a list.
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there is no name, which a view of a list never is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Name `index` of the view, counted from 0.
    pub fn get(&self, index: usize) -> Option<&'a [u8]> {
        let end = *self.offsets.get(index.checked_add(1)?)?;
        self.bytes.get(self.offsets[index] as usize..end as usize)
    }

    /// The names in order.
    pub fn iter(&self) -> NamesIter<'a> {
        NamesIter { bytes: self.bytes, ranges: self.offsets.windows(2) }
    }
}

impl<'a> BlockView<'a> {
    /// # Safety
    /// As of [`NamesView::from_raw`], and the list is one with infos.
    pub(crate) unsafe fn from_raw(raw: &sys::spw_block_view) -> BlockView<'a> {
        let names = unsafe { NamesView::from_raw(raw) };
        // Safe: a BlockInfo is an spw_block_info and nothing else.
        let infos = unsafe { slice::from_raw_parts(raw.infos.cast(), raw.count as usize) };
        BlockView { names, infos }
    }

    /// How many blocks there are: at least one, in a view of a list.
    pub fn len(&self) -> usize {
        self.infos.len()
    }

    /// Whether there is no block, which a view of a list never is.
    pub fn is_empty(&self) -> bool {
        self.infos.is_empty()
    }

    /// Block `index` of the view, counted from 0.
    pub fn get(&self, index: usize) -> Option<Block<'a>> {
        Some(Block { name: self.names.get(index)?, info: self.infos.get(index)? })
    }

    /// The blocks in order.
    pub fn iter(&self) -> BlockViewIter<'a> {
        BlockViewIter(self.names.iter().zip(self.infos))
    }

    /// Their names.
    pub fn names(&self) -> NamesView<'a> {
        self.names
    }

    /// What they are.
    pub fn infos(&self) -> &'a [BlockInfo] {
        self.infos
    }
}

/// The names of a [`NamesView`] in order.
#[derive(Clone, Debug)]
pub struct NamesIter<'a> {
    bytes: &'a [u8],
    ranges: Windows<'a, u64>,
}

impl<'a> Iterator for NamesIter<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let range = self.ranges.next()?;
        Some(&self.bytes[range[0] as usize..range[1] as usize])
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.ranges.size_hint()
    }
}

impl ExactSizeIterator for NamesIter<'_> {}
impl FusedIterator for NamesIter<'_> {}

/// The blocks of a [`BlockView`] in order.
#[derive(Clone, Debug)]
pub struct BlockViewIter<'a>(Zip<NamesIter<'a>, slice::Iter<'a, BlockInfo>>);

impl<'a> Iterator for BlockViewIter<'a> {
    type Item = Block<'a>;

    fn next(&mut self) -> Option<Block<'a>> {
        let (name, info) = self.0.next()?;
        Some(Block { name, info })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for BlockViewIter<'_> {}
impl FusedIterator for BlockViewIter<'_> {}

impl<'a> IntoIterator for NamesView<'a> {
    type Item = &'a [u8];
    type IntoIter = NamesIter<'a>;

    fn into_iter(self) -> NamesIter<'a> {
        self.iter()
    }
}

impl<'a> IntoIterator for BlockView<'a> {
    type Item = Block<'a>;
    type IntoIter = BlockViewIter<'a>;

    fn into_iter(self) -> BlockViewIter<'a> {
        self.iter()
    }
}
