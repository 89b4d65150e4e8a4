//! Blocks in the order of their names.

use std::fmt;
use std::iter::FusedIterator;
use std::mem::size_of;
use std::ptr::null;
use std::sync::Arc;

use spillway_sys as sys;

use crate::block::read::{parts, Blocks};
use crate::block::view::{Block, BlockEntry, BlockView, NamesView};
use crate::error::{check, Error};
use crate::handle::{FileHandle, Handle};

const EMPTY: sys::spw_block_view = sys::spw_block_view {
    struct_size: size_of::<sys::spw_block_view>() as u32,
    flags: 0,
    count: 0,
    names: null(),
    name_offsets: null(),
    infos: null(),
};

/// What lists with and without infos have in common.
struct List {
    handle: Handle<sys::spw_list>,
    view: sys::spw_block_view,
    /// The library would let the file go first, but then close it under a list that outlives it.
    _file: Arc<FileHandle>,
}

// Safe: a list may be used on any thread, by one at a time. Not Sync.
unsafe impl Send for List {}

impl List {
    fn open(blocks: &Blocks, prefix: &[u8], flags: u32) -> Result<List, Error> {
        let ((file, txn), (start, len)) = (blocks.raw(), parts(prefix));
        let handle = Handle::made(|out, err| unsafe {
            sys::spw_list_open(file, txn, start, len, flags, out, err)
        })?;
        Ok(List { handle, view: EMPTY, _file: blocks.handle().clone() })
    }

    /// Replaces the current view; there is none if this fails, and at the end.
    fn advance(&mut self, most: u64) -> Result<bool, Error> {
        self.view = EMPTY;
        let mut view = EMPTY;
        check(|err| unsafe { sys::spw_list_next(self.handle.raw(), most, &mut view, err) })?;
        self.view = view;
        Ok(view.count > 0)
    }

    fn seek(&mut self, name: &[u8]) -> Result<(), Error> {
        self.view = EMPTY;
        let (start, len) = parts(name);
        check(|err| unsafe { sys::spw_list_seek(self.handle.raw(), start, len, err) })
    }

    fn len(&self) -> usize {
        self.view.count as usize
    }

    /// The names of the current view, of which there must be one.
    fn names(&self) -> NamesView<'_> {
        // Safe: they are valid until the list is used again, which needs it for itself.
        unsafe { NamesView::from_raw(&self.view) }
    }
}

/// The blocks of a file, a transaction or a snapshot whose names begin with a prefix, in the order
/// of their names and as they were when it was opened; what changes later is not seen.
///
/// It lends views of many blocks at a time. It keeps its file open; when that is closed, every call
/// returns `Closed`. It may move to another thread, but is used by one at a time.
///
/// ```
/// # fn use_it(file: &spillway::BlockFile) -> Result<(), spillway::Error> {
/// let mut list = file.list("chapter/")?;
/// while let Some(view) = list.next()? {
///     for block in view {
///         println!("{:?}: {} bytes", block.name, block.info.length());
///     }
/// }
/// for entry in file.list("")?.entries() {
///     let entry = entry?; // in memory of its own
/// }
/// # Ok(()) }
/// ```
///
/// A view lives until the list is used again:
///
/// ```compile_fail,E0499
/// # fn read(mut list: spillway::BlockList) -> Result<(), spillway::Error> {
/// let first = list.next()?;
/// let second = list.next()?;
/// println!("{:?}", first); // cannot borrow `list` as mutable more than once at a time
/// # Ok(()) }
/// ```
pub struct BlockList(List);

impl BlockList {
    pub(crate) fn open(blocks: &Blocks, prefix: &[u8]) -> Result<BlockList, Error> {
        List::open(blocks, prefix, 0).map(BlockList)
    }

    /// The next blocks, not copied; `None` at the end. How many at once, the library says. After an
    /// error the list stays where it was.
    #[allow(clippy::should_implement_trait)] // An Iterator cannot lend.
    pub fn next(&mut self) -> Result<Option<BlockView<'_>>, Error> {
        self.next_up_to(sys::SPW_NO_LIMIT)
    }

    /// As [`BlockList::next`], with at most so many blocks, at least 1.
    pub fn next_up_to(&mut self, blocks: u64) -> Result<Option<BlockView<'_>>, Error> {
        // Safe: as of names; the list is one with infos.
        Ok(self.0.advance(blocks)?.then(|| unsafe { BlockView::from_raw(&self.0.view) }))
    }

    /// Moves to the first block of the list whose name is not below `name`; `""` is the begin.
    pub fn seek(&mut self, name: impl AsRef<[u8]>) -> Result<(), Error> {
        self.0.seek(name.as_ref())
    }

    /// The blocks from the position on, each copied into memory of its own. It ends after an error.
    /// Dropped halfway, it leaves the list behind the last block that it returned.
    pub fn entries(&mut self) -> BlockEntries<'_> {
        BlockEntries(Walk::of(&mut self.0))
    }
}

/// As a [`BlockList`], of names only, which is faster.
///
/// ```
/// # fn use_it(file: &spillway::BlockFile) -> Result<(), spillway::Error> {
/// let mut names = file.list_names("chapter/")?;
/// while let Some(view) = names.next()? {
///     for name in view {
///         println!("{}", String::from_utf8_lossy(name));
///     }
/// }
/// # Ok(()) }
/// ```
pub struct BlockNames(List);

impl BlockNames {
    pub(crate) fn open(blocks: &Blocks, prefix: &[u8]) -> Result<BlockNames, Error> {
        List::open(blocks, prefix, sys::SPW_LIST_NAMES_ONLY).map(BlockNames)
    }

    /// As [`BlockList::next`].
    #[allow(clippy::should_implement_trait)] // An Iterator cannot lend.
    pub fn next(&mut self) -> Result<Option<NamesView<'_>>, Error> {
        self.next_up_to(sys::SPW_NO_LIMIT)
    }

    /// As [`BlockList::next_up_to`].
    pub fn next_up_to(&mut self, blocks: u64) -> Result<Option<NamesView<'_>>, Error> {
        Ok(self.0.advance(blocks)?.then(|| self.0.names()))
    }

    /// As [`BlockList::seek`].
    pub fn seek(&mut self, name: impl AsRef<[u8]>) -> Result<(), Error> {
        self.0.seek(name.as_ref())
    }

    /// As [`BlockList::entries`].
    pub fn names(&mut self) -> OwnedNames<'_> {
        OwnedNames(Walk::of(&mut self.0))
    }
}

/// Walks a list block by block.
struct Walk<'a> {
    list: &'a mut List,
    /// Of the next block in the current view.
    index: usize,
    ended: bool,
}

impl<'a> Walk<'a> {
    fn of(list: &'a mut List) -> Walk<'a> {
        list.view = EMPTY;
        Walk { list, index: 0, ended: false }
    }

    /// What `take` makes of the next block, by its index in the current view.
    fn next<T>(&mut self, take: impl FnOnce(&List, usize) -> T) -> Option<Result<T, Error>> {
        if self.ended {
            return None;
        }
        if self.index >= self.list.len() {
            self.index = 0;
            let more = self.list.advance(sys::SPW_NO_LIMIT);
            self.ended = !matches!(more, Ok(true));
            if self.ended {
                return more.err().map(Err);
            }
        }
        self.index += 1;
        Some(Ok(take(self.list, self.index - 1)))
    }
}

impl Drop for Walk<'_> {
    /// Takes the list back to what was not returned: nothing is skipped in silence.
    fn drop(&mut self) {
        if self.index < self.list.len() {
            let name = self.list.names().get(self.index).unwrap_or_default().to_vec();
            // It fails only where the next call on the list fails too: closed, forked.
            let _ = self.list.seek(&name);
        }
    }
}

/// The blocks of a [`BlockList`] from its position on, copied one by one.
#[derive(Debug)]
pub struct BlockEntries<'a>(Walk<'a>);

impl Iterator for BlockEntries<'_> {
    type Item = Result<BlockEntry, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next(|list, index| {
            // Safe: as of BlockList::next_up_to.
            let view = unsafe { BlockView::from_raw(&list.view) };
            let block: Block<'_> = view.get(index).expect("an index within the view");
            block.to_owned()
        })
    }
}

impl FusedIterator for BlockEntries<'_> {}

/// The names of a [`BlockNames`] from its position on, copied one by one.
#[derive(Debug)]
pub struct OwnedNames<'a>(Walk<'a>);

impl Iterator for OwnedNames<'_> {
    type Item = Result<Vec<u8>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next(|list, index| list.names().get(index).unwrap_or_default().to_vec())
    }
}

impl FusedIterator for OwnedNames<'_> {}

impl fmt::Debug for Walk<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Walk").field("ended", &self.ended).finish_non_exhaustive()
    }
}

impl fmt::Debug for BlockList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockList").finish_non_exhaustive()
    }
}

impl fmt::Debug for BlockNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockNames").finish_non_exhaustive()
    }
}
