//! Reading blocks, of a file, a transaction or a snapshot.

use std::fmt;
use std::ops::{Bound, RangeBounds};
use std::ptr::null_mut;
use std::sync::Arc;

use spillway_sys as sys;

use crate::block::batch::BlockReads;
use crate::block::blob::Blob;
use crate::block::info::BlockInfo;
use crate::block::list::{BlockList, BlockNames};
use crate::block::reader::BlockReader;
use crate::error::{check, Error};
use crate::handle::{FileHandle, Handle};

/// The blocks of a [`BlockFile`](crate::BlockFile) as they are now, of a
/// [`BlockTransaction`](crate::BlockTransaction) as it sees them, or of a
/// [`BlockSnapshot`](crate::BlockSnapshot): what all three have, for they deref to it. A function
/// that only reads takes a `&Blocks`.
///
/// ```
/// fn title(of: &spillway::Blocks) -> Result<String, spillway::Error> {
///     Ok(String::from_utf8_lossy(&of.get("title")?).into_owned())
/// }
/// # fn use_it(file: &spillway::BlockFile) -> Result<(), spillway::Error> {
/// let (snapshot, change) = (file.snapshot()?, file.begin()?);
/// assert_eq!(title(file)?, title(&snapshot)?);
/// assert_eq!(title(file)?, title(&change)?);
/// # Ok(()) }
/// ```
pub struct Blocks {
    file: Arc<FileHandle>,
    txn: Option<Handle<sys::spw_txn>>,
}

impl Blocks {
    pub(crate) fn of_file(file: Arc<FileHandle>) -> Blocks {
        Blocks { file, txn: None }
    }

    pub(crate) fn begin_raw(&self, flags: u32) -> Result<Blocks, Error> {
        let raw = self.file.raw();
        let txn = Handle::made(|out, err| unsafe { sys::spw_txn_begin(raw, flags, out, err) })?;
        Ok(Blocks { file: self.file.clone(), txn: Some(txn) })
    }

    /// The file, and the transaction or NULL: what the library's calls begin with.
    pub(crate) fn raw(&self) -> (*mut sys::spw_file, *mut sys::spw_txn) {
        (self.file.raw(), self.txn.as_ref().map_or(null_mut(), Handle::raw))
    }

    /// The file's handle, for what comes from it and keeps it open.
    pub(crate) fn handle(&self) -> &Arc<FileHandle> {
        &self.file
    }

    /// A view of a whole block, which is not copied. The library keeps what it proved in a cache.
    ///
    /// `NotFound`. `TooBig`: the block has more than 64 MiB; see [`Blocks::get_range`] and
    /// [`Blocks::reader`].
    pub fn get(&self, name: impl AsRef<[u8]>) -> Result<Blob, Error> {
        self.get_raw(name.as_ref(), 0, sys::SPW_NO_LIMIT)
    }

    /// As [`Blocks::get`], of the bytes in a range; those beyond the block's end are left out.
    pub fn get_range(
        &self,
        name: impl AsRef<[u8]>,
        range: impl RangeBounds<u64>,
    ) -> Result<Blob, Error> {
        let begin = match range.start_bound() {
            Bound::Unbounded => 0,
            Bound::Included(first) => *first,
            Bound::Excluded(before) => before.saturating_add(1),
        };
        let length = match range.end_bound() {
            Bound::Unbounded => sys::SPW_NO_LIMIT,
            Bound::Included(last) => last.saturating_add(1).saturating_sub(begin),
            Bound::Excluded(end) => end.saturating_sub(begin),
        };
        self.get_raw(name.as_ref(), begin, length)
    }

    fn get_raw(&self, name: &[u8], offset: u64, length: u64) -> Result<Blob, Error> {
        let ((file, txn), (start, len)) = (self.raw(), parts(name));
        let blob = Handle::made(|out, err| unsafe {
            sys::spw_block_get(file, txn, start, len, offset, length, out, err)
        })?;
        Blob::new(blob)
    }

    /// Copies the bytes from `offset` on into the buffer, and returns how many: fewer than fit only
    /// at the block's end, 0 behind it. Every byte was proved by its checksum. `NotFound`.
    pub fn read_at(
        &self,
        name: impl AsRef<[u8]>,
        buffer: &mut [u8],
        offset: u64,
    ) -> Result<usize, Error> {
        let ((file, txn), (start, len)) = (self.raw(), parts(name.as_ref()));
        let (to, cap, mut copied) = (buffer.as_mut_ptr().cast(), buffer.len() as u64, 0);
        check(|err| unsafe {
            sys::spw_block_read(file, txn, start, len, offset, to, cap, &mut copied, err)
        })?;
        Ok(copied as usize)
    }

    /// Reads the whole blocks that were asked for, as of one moment, in one call. What each of them
    /// came to, the batch says.
    pub fn read_batch(&self, reads: &mut BlockReads) -> Result<(), Error> {
        reads.read_from(self)
    }

    /// What a block is. `NotFound`.
    pub fn stat(&self, name: impl AsRef<[u8]>) -> Result<BlockInfo, Error> {
        let ((file, txn), (start, len)) = (self.raw(), parts(name.as_ref()));
        let mut info = BlockInfo::EMPTY;
        check(|err| unsafe { sys::spw_block_stat(file, txn, start, len, &mut info.0, err) })?;
        Ok(info)
    }

    /// Whether there is such a block.
    pub fn exists(&self, name: impl AsRef<[u8]>) -> Result<bool, Error> {
        let ((file, txn), (start, len)) = (self.raw(), parts(name.as_ref()));
        let mut exists = 0;
        check(|err| unsafe { sys::spw_block_exists(file, txn, start, len, &mut exists, err) })?;
        Ok(exists != 0)
    }

    /// The blocks whose names begin with `prefix` (`""`: all), in the order of their names, as they
    /// are now; what changes later is not seen.
    pub fn list(&self, prefix: impl AsRef<[u8]>) -> Result<BlockList, Error> {
        BlockList::open(self, prefix.as_ref())
    }

    /// As [`Blocks::list`], their names only, which is faster.
    pub fn list_names(&self, prefix: impl AsRef<[u8]>) -> Result<BlockNames, Error> {
        BlockNames::open(self, prefix.as_ref())
    }

    /// A stream over a block that may be too large for memory: as it is now, whatever becomes of it
    /// later. `NotFound`.
    pub fn reader(&self, name: impl AsRef<[u8]>) -> Result<BlockReader, Error> {
        BlockReader::open(self, name.as_ref())
    }
}

/// A name as the library takes it.
pub(crate) fn parts(name: &[u8]) -> (*const sys::c_char, usize) {
    (name.as_ptr().cast(), name.len())
}

impl fmt::Debug for Blocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blocks").finish_non_exhaustive()
    }
}
