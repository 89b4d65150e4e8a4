//! A block file: open and close, flush, transactions, statistics.

use std::fmt;
use std::ops::Deref;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use spillway_sys as sys;

use crate::block::options::BlockOptions;
use crate::block::read::Blocks;
use crate::block::stats::BlockStats;
use crate::block::transaction::{BlockSnapshot, BlockTransaction};
use crate::block::write::BlocksMut;
use crate::error::{check, Error};
use crate::failed::CloseError;
use crate::handle::{FileHandle, Handle};
use crate::op::{with_op, CancelToken};
use crate::options::{NativeOptions, OpenMode};
use crate::store::{FlushLevel, Store};
use crate::version;

/// Holds many named blocks (byte strings) in one file that survives a power cut.
///
/// Reading and changing blocks is what a file shares with a transaction: see [`Blocks`] and
/// [`BlocksMut`], whose methods it has. Each call is then a transaction of its own.
///
/// A change is visible at once, to every thread, and durable after the next [`BlockFile::flush`]
/// to the device, durable commit or [`BlockFile::close`]. After a crash or power cut the file holds
/// all that was durable, and of later changes all up to some point in their order, or none; the
/// changes of one call or one transaction are there together or not at all.
///
/// Clones are the same file, and any number of threads may use it at once; readers wait for nobody.
/// Its transactions, snapshots, lists and streams keep it open too, and blobs and reports need it
/// no more, so that everything may be dropped in any order.
///
/// **Close it.** Dropping the last clone and child of a file that was not closed never waits and
/// never fails: it gives up what is not durable yet, as a crash would, and is counted by
/// [`leaked_files`](crate::leaked_files). The file may be `Busy` for a moment then.
///
/// A store's file ([`Store::file`]) is closed by the store: dropping it closes nothing.
///
/// Names have 1 to 1,024 bytes, none of them 0, UTF-8 by contract. A wrong one is
/// `InvalidArgument`. Every function that changes something may return `ReadOnly`, `Full` (nothing
/// is lost, the same file goes on when there is room), `Io` and `Corrupt` (an earlier write failed:
/// writing has ended, reading goes on), every one that reads `Corrupt` and `Io` for what cannot be
/// read; other blocks stay readable, and nothing is ever repaired by reading. Once the file is
/// closed, by any clone, every call but close returns [`ErrorKind::Closed`](crate::ErrorKind), and
/// in a child process after `fork` every call returns `Forked`.
///
/// ```
/// # fn main() -> Result<(), spillway::Error> {
/// # let folder = std::env::temp_dir().join(format!("spillway-doc-file-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder).unwrap();
/// # let path = folder.join("first.blocks");
/// use spillway::{BlockOptions, CommitLevel};
/// let file = BlockOptions::new().open(&path)?;
/// let save = file.begin()?;
/// save.put("chapter/1", "Hello")?;
/// save.put("chapter/2", "world")?;
/// save.commit(CommitLevel::Device)?; // both or none, and safe from here on
/// assert_eq!(&file.get("chapter/2")?[..], b"world");
/// file.close()?;
/// # std::fs::remove_dir_all(&folder).unwrap();
/// # Ok(()) }
/// ```
pub struct BlockFile(BlocksMut);

/// Opening and closing.
impl BlockFile {
    /// Opens a file that exists, with default options; [`BlockOptions::open`] creates one, and says
    /// which errors there may be.
    pub fn open(path: impl AsRef<Path>) -> Result<BlockFile, Error> {
        BlockOptions::new().mode(OpenMode::Existing).open(path)
    }

    pub(crate) fn open_raw(
        path: &Path,
        options: &NativeOptions,
        token: Option<&CancelToken>,
    ) -> Result<BlockFile, Error> {
        version::check_library()?;
        let (path, options) = (path.as_os_str().as_bytes(), options.0);
        let (start, len) = (path.as_ptr().cast(), path.len());
        let handle = with_op(token, |op| {
            Handle::made(|out, err| unsafe {
                sys::spw_file_open(start, len, options, op, out, err)
            })
        })?;
        Ok(BlockFile::new(FileHandle::new(handle, None)))
    }

    pub(crate) fn of_store(store: &Store) -> Result<BlockFile, Error> {
        let raw = store.raw();
        let handle = Handle::made(|out, err| unsafe { sys::spw_store_file(raw, out, err) })?;
        Ok(BlockFile::new(FileHandle::new(handle, Some(store.clone()))))
    }

    fn new(handle: Arc<FileHandle>) -> BlockFile {
        BlockFile(BlocksMut::new(Blocks::of_file(handle)))
    }

    /// Makes everything durable, brings the registry up to date and closes the file, for all
    /// clones. Transactions that are not committed are rolled back; everything else that runs or
    /// comes later returns `Closed`; blobs and reports stay readable. Closing a closed file is
    /// fine.
    ///
    /// `Full`: the file stays open, and comes back in the error to try again. `InvalidState`: it is a
    /// store's, which closes it; drop this handle. After any other error it is closed; `Io` and `Corrupt` then mean that changes after the last successful flush may
    /// be lost.
    pub fn close(self) -> Result<(), CloseError<BlockFile>> {
        self.close_raw(0)
    }

    /// Closes at once and gives up what is not durable yet.
    pub fn discard(self) -> Result<(), CloseError<BlockFile>> {
        self.close_raw(sys::SPW_CLOSE_DISCARD)
    }

    fn close_raw(self, flags: u32) -> Result<(), CloseError<BlockFile>> {
        check(|err| unsafe { sys::spw_file_close(self.raw(), flags, err) })
            .map_err(|error| CloseError::new(self, error))
    }

    pub(crate) fn raw(&self) -> *mut sys::spw_file {
        self.0.raw().0
    }
}

/// Flush, transactions, statistics.
impl BlockFile {
    /// Returns when everything that was changed before the call, by any thread, is as safe as
    /// `level` says; at once if the file was opened for reading. `Full`: nothing is lost, it can be
    /// called again.
    pub fn flush(&self, level: FlushLevel) -> Result<(), Error> {
        check(|err| unsafe { sys::spw_file_flush(self.raw(), level as i32, err) })
    }

    /// Begins a transaction. It sees the file as it is now, and its own changes; nobody else sees
    /// those until it is committed. Dropped, it leaves no trace.
    pub fn begin(&self) -> Result<BlockTransaction, Error> {
        BlockTransaction::begin(self)
    }

    /// The file as it is now, whatever is changed meanwhile. It takes no memory, but keeps the
    /// space of what is replaced while it is there.
    pub fn snapshot(&self) -> Result<BlockSnapshot, Error> {
        BlockSnapshot::begin(self)
    }

    /// Numbers of the file. May be called at any rate.
    pub fn stats(&self) -> Result<BlockStats, Error> {
        BlockStats::of(self.raw())
    }
}

impl Clone for BlockFile {
    fn clone(&self) -> BlockFile {
        BlockFile::new(self.handle().clone())
    }
}

impl Deref for BlockFile {
    type Target = BlocksMut;

    fn deref(&self) -> &BlocksMut {
        &self.0
    }
}

impl fmt::Debug for BlockFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockFile").finish_non_exhaustive()
    }
}
