//! A block as a stream of bytes to read.

use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

use spillway_sys as sys;

use crate::block::info::BlockInfo;
use crate::block::read::{parts, Blocks};
use crate::error::{check, Error};
use crate::handle::{FileHandle, Handle};

/// Reads a block that may be too large for memory, as it was when the reader was opened, whatever
/// becomes of it later. What comes next is read ahead.
///
/// It is a [`Read`] and a [`Seek`], one thread at a time; [`BlockReader::read_at`] reads anywhere,
/// any number of threads at once. Their errors are those of the library, inside of an
/// [`io::Error`]; after one the position is where it was. It keeps its file open; when that is
/// closed, every call returns `Closed`.
///
/// ```
/// # fn use_it(file: &spillway::BlockFile) -> Result<(), Box<dyn std::error::Error>> {
/// use std::io::{self, Read, Seek, SeekFrom};
/// let mut reader = file.reader("film")?;
/// reader.seek(SeekFrom::End(-4))?;
/// let mut last = [0; 4];
/// reader.read_exact(&mut last)?;
/// io::copy(&mut file.reader("film")?, &mut io::sink())?;
/// # Ok(()) }
/// ```
pub struct BlockReader {
    handle: Handle<sys::spw_reader>,
    position: u64,
    _file: Arc<FileHandle>,
}

impl BlockReader {
    pub(crate) fn open(blocks: &Blocks, name: &[u8]) -> Result<BlockReader, Error> {
        let ((file, txn), (start, len)) = (blocks.raw(), parts(name));
        let handle = Handle::made(|out, err| unsafe {
            sys::spw_reader_open(file, txn, start, len, out, err)
        })?;
        Ok(BlockReader { handle, position: 0, _file: blocks.handle().clone() })
    }

    /// What the block is that is read.
    pub fn stat(&self) -> Result<BlockInfo, Error> {
        let mut info = BlockInfo::EMPTY;
        check(|err| unsafe { sys::spw_reader_stat(self.handle.raw(), &mut info.0, err) })?;
        Ok(info)
    }

    /// Copies the bytes from `offset` on into the buffer, whatever the position, and returns how
    /// many: fewer than fit only at the block's end, 0 behind it.
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<usize, Error> {
        let (to, cap, mut len) = (buffer.as_mut_ptr().cast(), buffer.len() as u64, 0);
        let raw = self.handle.raw();
        check(|err| unsafe { sys::spw_reader_read_at(raw, offset, to, cap, &mut len, err) })?;
        Ok(len as usize)
    }
}

impl Read for BlockReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (to, cap, mut len) = (buffer.as_mut_ptr().cast(), buffer.len() as u64, 0);
        check(|err| unsafe { sys::spw_reader_read(self.handle.raw(), to, cap, &mut len, err) })?;
        self.position += len;
        Ok(len as usize)
    }
}

impl Seek for BlockReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let from_here = |base: u64, distance: i64| match distance < 0 {
            true => base.checked_sub(distance.unsigned_abs()),
            false => base.checked_add(distance.unsigned_abs()),
        };
        let place = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::Current(distance) => from_here(self.position, distance),
            SeekFrom::End(distance) => from_here(self.stat()?.length(), distance),
        };
        let place = place.ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, "a place before the begin, or beyond 2^64")
        })?;
        check(|err| unsafe { sys::spw_reader_seek(self.handle.raw(), place, err) })?;
        self.position = place;
        Ok(place)
    }

    fn stream_position(&mut self) -> io::Result<u64> {
        Ok(self.position)
    }
}

impl fmt::Debug for BlockReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockReader").field("position", &self.position).finish_non_exhaustive()
    }
}
