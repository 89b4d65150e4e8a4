//! Changing blocks, of a file or in a transaction.

use std::fmt;
use std::ops::Deref;
use std::ptr::null_mut;

use spillway_sys as sys;

use crate::block::batch::BlockColumns;
use crate::block::read::{parts, Blocks};
use crate::block::writer::BlockWriter;
use crate::error::{check, Error};

/// What must be there for a change to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Expected {
    /// No condition.
    Anything,
    /// There is no such block, else `AlreadyExists`.
    Absent,
    /// The block has this version, which is not 0, else `Conflict`, or `NotFound` if there is none.
    Version(u64),
}

impl Expected {
    pub(crate) fn raw(self) -> u64 {
        match self {
            Expected::Anything => sys::SPW_BLOCK_VERSION_ANY,
            Expected::Absent => sys::SPW_BLOCK_VERSION_NONE,
            Expected::Version(version) => version,
        }
    }
}

/// Blocks that can be changed, of a [`BlockFile`](crate::BlockFile), where each call is a
/// transaction of its own, or of a [`BlockTransaction`](crate::BlockTransaction): both deref to it.
/// To read them it derefs to [`Blocks`]. A function that changes blocks takes a `&BlocksMut`.
pub struct BlocksMut(Blocks);

impl BlocksMut {
    pub(crate) fn new(blocks: Blocks) -> BlocksMut {
        BlocksMut(blocks)
    }

    /// Creates the block or replaces what it holds; its tag stays. Returns its new version, which
    /// is above every earlier one of the file (0 within a transaction).
    pub fn put(&self, name: impl AsRef<[u8]>, data: impl AsRef<[u8]>) -> Result<u64, Error> {
        self.put_if(name, data, Expected::Anything)
    }

    /// As [`BlocksMut::put`], if the block is as expected, else `Conflict`, `NotFound` or
    /// `AlreadyExists`: compare and swap.
    ///
    /// ```
    /// # fn use_it(file: &spillway::BlockFile) -> Result<(), spillway::Error> {
    /// use spillway::Expected;
    /// let version = file.put_if("lease", "mine", Expected::Absent)?;
    /// file.put_if("lease", "still mine", Expected::Version(version))?;
    /// # Ok(()) }
    /// ```
    pub fn put_if(
        &self,
        name: impl AsRef<[u8]>,
        data: impl AsRef<[u8]>,
        expected: Expected,
    ) -> Result<u64, Error> {
        let ((file, txn), (start, len)) = (self.raw(), parts(name.as_ref()));
        let (data, expected) = (data.as_ref(), expected.raw());
        let (data, data_len, mut version) = (data.as_ptr().cast(), data.len() as u64, 0);
        check(|err| unsafe {
            sys::spw_block_put(file, txn, start, len, data, data_len, expected, &mut version, err)
        })?;
        Ok(version)
    }

    /// Puts all blocks of a [`BlockBatch`](crate::BlockBatch) or of [`BlockColumns`] in one call,
    /// or none of them. Of two with one name the last counts. Errors as [`BlocksMut::put_if`];
    /// [`Error::record_index`] tells which block is to blame.
    pub fn put_batch<'a>(&self, blocks: impl Into<BlockColumns<'a>>) -> Result<(), Error> {
        self.put_columns(&blocks.into(), null_mut())
    }

    /// As [`BlocksMut::put_batch`], and puts the new version of each block into a vector, whose
    /// memory is used again. It is empty after an error.
    pub fn put_batch_versions<'a>(
        &self,
        blocks: impl Into<BlockColumns<'a>>,
        versions: &mut Vec<u64>,
    ) -> Result<(), Error> {
        let blocks = blocks.into();
        versions.clear();
        versions.resize(blocks.count()?, 0);
        self.put_columns(&blocks, versions.as_mut_ptr()).map_err(|error| {
            versions.clear();
            error
        })
    }

    /// `versions` is NULL or has room for one of each block.
    fn put_columns(&self, blocks: &BlockColumns<'_>, versions: *mut u64) -> Result<(), Error> {
        let ((file, txn), count) = (self.raw(), blocks.count()?);
        let (names, names_len) = (blocks.names.as_ptr().cast(), blocks.names.len() as u64);
        let (data, data_len) = (blocks.data.as_ptr().cast(), blocks.data.len() as u64);
        let (name_offsets, data_offsets) =
            (blocks.name_offsets.as_ptr(), blocks.data_offsets.as_ptr());
        let expected = blocks.expected.map_or(std::ptr::null(), <[u64]>::as_ptr);
        check(|err| unsafe {
            sys::spw_block_put_batch(
                file,
                txn,
                names,
                names_len,
                name_offsets,
                data,
                data_len,
                data_offsets,
                count,
                expected,
                versions,
                err,
            )
        })
    }

    /// Adds bytes at the end of a block, or creates it, and returns its new length. What stands
    /// there is not written again.
    pub fn append(&self, name: impl AsRef<[u8]>, data: impl AsRef<[u8]>) -> Result<u64, Error> {
        let ((file, txn), (start, len)) = (self.raw(), parts(name.as_ref()));
        let data = data.as_ref();
        let (data, data_len, mut length) = (data.as_ptr().cast(), data.len() as u64, 0);
        check(|err| unsafe {
            sys::spw_block_append(file, txn, start, len, data, data_len, &mut length, err)
        })?;
        Ok(length)
    }

    /// Writes a range within a block. `InvalidArgument`: it reaches beyond the block's end.
    /// `NotFound`.
    pub fn patch(
        &self,
        name: impl AsRef<[u8]>,
        offset: u64,
        data: impl AsRef<[u8]>,
    ) -> Result<(), Error> {
        let ((file, txn), (start, len)) = (self.raw(), parts(name.as_ref()));
        let data = data.as_ref();
        let (data, data_len) = (data.as_ptr().cast(), data.len() as u64);
        check(|err| unsafe {
            sys::spw_block_patch(file, txn, start, len, offset, data, data_len, err)
        })
    }

    /// Deletes a block. `NotFound`.
    pub fn delete(&self, name: impl AsRef<[u8]>) -> Result<(), Error> {
        self.delete_raw(name.as_ref(), Expected::Anything.raw())
    }

    /// Deletes a block if it has this version, else `Conflict`. `NotFound`.
    pub fn delete_if(&self, name: impl AsRef<[u8]>, version: u64) -> Result<(), Error> {
        self.delete_raw(name.as_ref(), version)
    }

    fn delete_raw(&self, name: &[u8], expected: u64) -> Result<(), Error> {
        let ((file, txn), (start, len)) = (self.raw(), parts(name));
        check(|err| unsafe { sys::spw_block_delete(file, txn, start, len, expected, err) })
    }

    /// Gives a block another name; payload, tag and times stay, its version is a new one.
    /// `NotFound`. `AlreadyExists`: there is another of that name; the same name is fine and
    /// changes nothing.
    pub fn rename(&self, from: impl AsRef<[u8]>, to: impl AsRef<[u8]>) -> Result<(), Error> {
        self.rename_raw(from.as_ref(), to.as_ref(), 0)
    }

    /// As [`BlocksMut::rename`]; a block of the new name is replaced.
    pub fn rename_replacing(
        &self,
        from: impl AsRef<[u8]>,
        to: impl AsRef<[u8]>,
    ) -> Result<(), Error> {
        self.rename_raw(from.as_ref(), to.as_ref(), sys::SPW_RENAME_REPLACE)
    }

    fn rename_raw(&self, from: &[u8], to: &[u8], flags: u32) -> Result<(), Error> {
        let ((file, txn), (from, from_len), (to, to_len)) = (self.raw(), parts(from), parts(to));
        check(|err| unsafe {
            sys::spw_block_rename(file, txn, from, from_len, to, to_len, flags, err)
        })
    }

    /// Replaces the block's tag: up to 128 bytes that the library does not interpret. The version
    /// is a new one. `NotFound`. `TooBig`.
    pub fn set_tag(&self, name: impl AsRef<[u8]>, tag: impl AsRef<[u8]>) -> Result<(), Error> {
        let ((file, txn), (start, len)) = (self.raw(), parts(name.as_ref()));
        let tag = tag.as_ref();
        let (tag, tag_len) = (tag.as_ptr().cast(), tag.len());
        check(|err| unsafe { sys::spw_block_set_tag(file, txn, start, len, tag, tag_len, err) })
    }

    /// A stream into a block whose length is not known yet. The block becomes visible, whole, with
    /// the commit of the [`BlockWriter`], in a transaction with that one's too, or never.
    pub fn writer(&self, name: impl AsRef<[u8]>) -> Result<BlockWriter, Error> {
        self.writer_if(name, Expected::Anything)
    }

    /// As [`BlocksMut::writer`], if the block is as expected when the writer is committed.
    pub fn writer_if(
        &self,
        name: impl AsRef<[u8]>,
        expected: Expected,
    ) -> Result<BlockWriter, Error> {
        BlockWriter::open(self, name.as_ref(), expected)
    }
}

impl Deref for BlocksMut {
    type Target = Blocks;

    fn deref(&self) -> &Blocks {
        &self.0
    }
}

impl fmt::Debug for BlocksMut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlocksMut").finish_non_exhaustive()
    }
}
