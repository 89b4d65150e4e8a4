//! Changes that become visible together, and the file as it was at one moment.

use std::fmt;
use std::ops::Deref;

use spillway_sys as sys;

use crate::block::file::BlockFile;
use crate::block::read::Blocks;
use crate::block::write::BlocksMut;
use crate::error::{check, Error};

/// How safe a commit makes its changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CommitLevel {
    /// Whole and in order, and durable with the next flush.
    Relaxed = sys::SPW_COMMIT_RELAXED as isize,
    /// With the operating system: they survive the end of this process, not a power cut.
    Kernel = sys::SPW_FLUSH_KERNEL as isize,
    /// On the device: they survive a power cut.
    Device = sys::SPW_FLUSH_DEVICE as isize,
    /// On the device, and the next open has nothing to replay.
    Checkpoint = sys::SPW_FLUSH_CHECKPOINT as isize,
}

/// Changes that become visible all at once, with [`BlockTransaction::commit`], or never: dropped
/// without it, it leaves no trace.
///
/// It has the methods of [`Blocks`] and [`BlocksMut`]; what it reads is the file as it was when it
/// began, and its own changes, whatever others commit. Any number of threads may use it at once. It
/// keeps its file open; when that is closed, it is rolled back and every call returns `Closed`.
///
/// Versions of what it changes are 0 until it is committed.
///
/// ```
/// # fn main() -> Result<(), spillway::Error> {
/// # let folder = std::env::temp_dir().join(format!("spillway-doc-txn-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder).unwrap();
/// # let file = spillway::BlockOptions::new().open(folder.join("accounts"))?;
/// # file.put("a", [5])?;
/// use spillway::{BlockFile, CommitLevel, Error, ErrorKind};
/// fn add_one(file: &BlockFile) -> Result<(), Error> {
///     loop {
///         let change = file.begin()?;
///         let old = change.get("a")?[0];
///         change.put("a", [old + 1])?;
///         match change.commit(CommitLevel::Relaxed) {
///             Err(error) if error.kind() == ErrorKind::Conflict => continue, // somebody was first
///             result => return result,
///         }
///     }
/// }
/// add_one(&file)?;
/// assert_eq!(file.get("a")?[..], [6]);
/// # file.close()?;
/// # std::fs::remove_dir_all(&folder).unwrap();
/// # Ok(()) }
/// ```
///
/// A transaction that was committed cannot be used any more:
///
/// ```compile_fail,E0382
/// # fn change(change: spillway::BlockTransaction) -> Result<(), spillway::Error> {
/// change.commit(spillway::CommitLevel::Relaxed)?;
/// change.put("a", "too late")?; // borrow of moved value
/// # Ok(()) }
/// ```
#[must_use = "dropped without a commit, it leaves no trace"]
pub struct BlockTransaction(BlocksMut);

impl BlockTransaction {
    pub(crate) fn begin(file: &BlockFile) -> Result<BlockTransaction, Error> {
        Ok(BlockTransaction(BlocksMut::new(file.begin_raw(0)?)))
    }

    /// Makes the changes visible, all at once, and as safe as `level` says.
    ///
    /// `Conflict`: a block that it changed was changed by somebody else since it began; nothing
    /// happened. `Full`, `Io`: if the changes are visible, they may be lost in a crash.
    pub fn commit(self, level: CommitLevel) -> Result<(), Error> {
        check(|err| unsafe { sys::spw_txn_commit(self.raw(), level as i32, err) })
    }

    pub(crate) fn raw(&self) -> *mut sys::spw_txn {
        self.0.raw().1
    }
}

impl Deref for BlockTransaction {
    type Target = BlocksMut;

    fn deref(&self) -> &BlocksMut {
        &self.0
    }
}

impl fmt::Debug for BlockTransaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockTransaction").finish_non_exhaustive()
    }
}

/// A block file as it was at one moment: it has the methods of [`Blocks`]. Any number of threads may
/// use it at once. It keeps its file open; when that is closed, every call returns `Closed`.
pub struct BlockSnapshot(Blocks);

impl BlockSnapshot {
    pub(crate) fn begin(file: &BlockFile) -> Result<BlockSnapshot, Error> {
        Ok(BlockSnapshot(file.begin_raw(sys::SPW_TXN_READ_ONLY)?))
    }
}

impl Deref for BlockSnapshot {
    type Target = Blocks;

    fn deref(&self) -> &Blocks {
        &self.0
    }
}

impl fmt::Debug for BlockSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockSnapshot").finish_non_exhaustive()
    }
}
