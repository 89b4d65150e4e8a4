//! A block as a stream of bytes to write.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use spillway_sys as sys;

use crate::block::read::parts;
use crate::block::write::{BlocksMut, Expected};
use crate::error::{check, Error};
use crate::failed::Failed;
use crate::handle::{FileHandle, Handle};

/// Writes a block whose length is not known yet. The block becomes visible, whole, with
/// [`BlockWriter::commit`], or never: a writer that is dropped leaves no trace. Of a writer in a
/// transaction it becomes visible with the transaction's commit.
///
/// It is a [`Write`], one thread at a time. A few MiB are kept in memory, the rest is in the file
/// already. Its `flush` does nothing: durable is what [`BlockFile::flush`](crate::BlockFile::flush)
/// and durable commits say.
///
/// A write returns the library's error inside of an [`io::Error`]; after `Full` none of its bytes
/// were added, and it can be called again. It keeps its file open; when that is closed, every call
/// returns `Closed`.
///
/// ```
/// # fn use_it(file: &spillway::BlockFile) -> Result<(), Box<dyn std::error::Error>> {
/// use std::io::Write;
/// let mut film = file.writer("film")?;
/// std::io::copy(&mut std::io::repeat(7).take(1 << 20), &mut film)?;
/// # use std::io::Read;
/// film.write_all(b"the end")?;
/// film.commit()?;
/// # Ok(()) }
/// ```
#[must_use = "dropped without a commit, it leaves no trace"]
pub struct BlockWriter {
    handle: Handle<sys::spw_writer>,
    _file: Arc<FileHandle>,
}

/// Why a block or a transaction could not be committed, with its handle, so that it can be tried
/// again: see [`BlockWriter::commit`] and [`Store::commit`](crate::Store::commit).
pub type CommitError<T = BlockWriter> = Failed<T>;

impl BlockWriter {
    pub(crate) fn open(
        blocks: &BlocksMut,
        name: &[u8],
        expected: Expected,
    ) -> Result<BlockWriter, Error> {
        let ((file, txn), (start, len)) = (blocks.raw(), parts(name));
        let handle = Handle::made(|out, err| unsafe {
            sys::spw_writer_open(file, txn, start, len, expected.raw(), out, err)
        })?;
        Ok(BlockWriter { handle, _file: blocks.handle().clone() })
    }

    /// Creates the block or replaces what it holds; its tag stays. Returns its new version (0
    /// within a transaction).
    ///
    /// `Conflict`, `AlreadyExists`, `NotFound`: what was [`Expected`]. `Full`, `NoMemory`: the
    /// writer comes back in the error to try again. After any other error it can only be dropped.
    pub fn commit(self) -> Result<u64, CommitError> {
        let mut version = 0;
        match check(|err| unsafe { sys::spw_writer_commit(self.handle.raw(), &mut version, err) }) {
            Ok(()) => Ok(version),
            Err(error) => Err(CommitError::new(self, error)),
        }
    }
}

impl Write for BlockWriter {
    /// Adds all of the bytes, or none.
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let (start, len) = (data.as_ptr().cast(), data.len() as u64);
        check(|err| unsafe { sys::spw_writer_write(self.handle.raw(), start, len, err) })?;
        Ok(data.len())
    }

    /// Does nothing: no byte waits on this side.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for BlockWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockWriter").finish_non_exhaustive()
    }
}
