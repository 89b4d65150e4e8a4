//! How a block file is to be opened.

use std::path::Path;

use spillway_sys as sys;

use crate::block::file::BlockFile;
use crate::error::Error;
use crate::op::CancelToken;
use crate::options::{limit, Key, OpenMode, Values};

/// How damage is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Checksum {
    /// 64 bits; finds accidents.
    Xxh3 = sys::SPW_CHECKSUM_XXH3 as isize,
    /// 256 bits; slower.
    Sha256 = sys::SPW_CHECKSUM_SHA256 as isize,
}

/// How a block file is to be opened. Nothing is checked before it is used; then a wrong value is
/// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument), and one that files do not
/// know [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported).
///
/// ```no_run
/// # fn main() -> Result<(), spillway::Error> {
/// use spillway::{BlockOptions, Checksum};
/// let file = BlockOptions::new().checksum(Checksum::Sha256).open("document.blocks")?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
pub struct BlockOptions {
    values: Values,
}

impl BlockOptions {
    /// Everything as the library has it by default.
    pub fn new() -> BlockOptions {
        BlockOptions::default()
    }

    /// Sets any option of a file by its number, also one that is younger than this binding.
    pub fn set(&mut self, key: Key, value: i64) -> &mut BlockOptions {
        self.values.set(key, value);
        self
    }

    /// What was set for an option, if anything.
    pub fn get(&self, key: Key) -> Option<i64> {
        self.values.get(key)
    }

    /// What may and must be there; default [`OpenMode::Create`].
    pub fn mode(&mut self, mode: OpenMode) -> &mut BlockOptions {
        self.set(Key::OPEN, mode as i64)
    }

    /// Instead of a mode: the file must exist, no byte of it is changed, and no permission to write
    /// is needed. It may be opened so many times, but not while it is open for writing.
    pub fn read_only(&mut self) -> &mut BlockOptions {
        self.set(Key::OPEN, sys::SPW_OPEN_READ_ONLY.into())
    }

    /// How damage is found in a new file; default [`Checksum::Xxh3`]. An existing file knows its
    /// own, and refuses another.
    pub fn checksum(&mut self, checksum: Checksum) -> &mut BlockOptions {
        self.set(Key::FILE_CHECKSUM, checksum as i64)
    }

    /// Bytes of changes that may wait in memory: at least 1 MiB, default 64 MiB. They are written
    /// in the background from half of it on; a change that finds it full waits for the disk.
    pub fn dirty_bytes(&mut self, bytes: u64) -> &mut BlockOptions {
        self.set(Key::FILE_DIRTY_BYTES, limit(bytes))
    }

    /// Blocks whose changes may wait in memory: at least 1, default 65,536.
    pub fn dirty_blocks(&mut self, blocks: u64) -> &mut BlockOptions {
        self.set(Key::FILE_DIRTY_BLOCKS, limit(blocks))
    }

    /// Bytes of payload kept for [`Blocks::get`](crate::Blocks::get) once proved: 0 or more,
    /// default 32 MiB.
    pub fn cache_bytes(&mut self, bytes: u64) -> &mut BlockOptions {
        self.set(Key::FILE_CACHE_BYTES, limit(bytes))
    }

    /// The step in which the file grows, in bytes: 1 MiB to 1 GiB, default 10 MiB. It grows with
    /// the file up to 256 MiB.
    pub fn growth_bytes(&mut self, bytes: u64) -> &mut BlockOptions {
        self.set(Key::FILE_GROWTH_BYTES, limit(bytes))
    }

    /// Bytes of journal after which a checkpoint is made at the latest: at least 1 MiB, default
    /// 64 MiB. More makes opening after a crash longer.
    pub fn journal_bytes(&mut self, bytes: u64) -> &mut BlockOptions {
        self.set(Key::FILE_JOURNAL_BYTES, limit(bytes))
    }

    /// Opens or creates the file at `path`, which may be any bytes but NUL. It has mode 0600.
    ///
    /// `Busy`: it is open elsewhere, in this process or another. `Corrupt`: damaged, or no block
    /// file. `Unsupported`: made by a later version, or no locks here. `ReadOnly`, `Full`, `Io`:
    /// the disk. `NotFound`, `AlreadyExists`: see [`OpenMode`].
    pub fn open(&self, path: impl AsRef<Path>) -> Result<BlockFile, Error> {
        BlockFile::open_raw(path.as_ref(), &self.values.to_native()?, None)
    }

    /// As [`BlockOptions::open`], which may take a while after a crash, with a token to cancel it.
    pub fn open_with(
        &self,
        path: impl AsRef<Path>,
        token: &CancelToken,
    ) -> Result<BlockFile, Error> {
        BlockFile::open_raw(path.as_ref(), &self.values.to_native()?, Some(token))
    }
}
