//! Shrinking, copying, and folders of files.

use std::mem::size_of;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use spillway_sys as sys;

use crate::block::file::BlockFile;
use crate::block::read::{parts, Blocks};
use crate::error::{check, Error};
use crate::failed::Failed;
use crate::op::{with_op, CancelToken};

/// How far a vacuum goes, and the token that may end it earlier.
///
/// ```
/// # fn use_it(file: &spillway::BlockFile) -> Result<(), spillway::Error> {
/// use spillway::{CancelToken, Vacuum};
/// let token = CancelToken::new(); // its progress is in bytes
/// let would = file.vacuum(Vacuum::dry_run())?;
/// while !file.vacuum(Vacuum::new().at_most(64 << 20).unless(&token))?.done {}
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Vacuum<'a> {
    flags: u32,
    max_bytes: u64,
    token: Option<&'a CancelToken>,
}

impl<'a> Vacuum<'a> {
    /// One pass over the file.
    pub const fn new() -> Vacuum<'a> {
        Vacuum { flags: 0, max_bytes: sys::SPW_NO_LIMIT, token: None }
    }

    /// Goes on until nothing more is to be gained.
    pub const fn full() -> Vacuum<'a> {
        Vacuum { flags: sys::SPW_VACUUM_FULL, ..Vacuum::new() }
    }

    /// Changes nothing, and only says what a full one would do.
    pub const fn dry_run() -> Vacuum<'a> {
        Vacuum { flags: sys::SPW_VACUUM_DRY_RUN, ..Vacuum::new() }
    }

    /// Moves at most about so many bytes; a later call goes on.
    #[must_use]
    pub const fn at_most(self, bytes: u64) -> Vacuum<'a> {
        Vacuum { max_bytes: bytes, ..self }
    }

    /// The same, but ended by the token when that is cancelled.
    #[must_use]
    pub const fn unless(self, token: &'a CancelToken) -> Vacuum<'a> {
        Vacuum { token: Some(token), ..self }
    }
}

impl Default for Vacuum<'_> {
    fn default() -> Self {
        Vacuum::new()
    }
}

/// What a vacuum did, or what a dry run says it would.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VacuumResult {
    /// Payload bytes of blocks moved to other places (dry run: to be moved, about, with the
    /// registry).
    pub bytes_moved: u64,
    /// Dry run: bytes of free disk space that it takes, at most, while it runs.
    pub bytes_needed: u64,
    /// Bytes that the file took of the disk, holes not counted.
    pub bytes_before: u64,
    /// The same afterwards (dry run: about). A close gives back the reserve, too, which an open
    /// file holds.
    pub bytes_after: u64,
    /// The file's length afterwards.
    pub bytes_file: u64,
    /// Whether another call would gain nothing now; else it may, as after a quota or one pass.
    pub done: bool,
}

/// What an import or export moved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transfer {
    /// Blocks moved.
    pub blocks: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Blocks that were there already, byte for byte.
    pub equal: u64,
    /// Import: links (which are not followed), devices, pipes and sockets, left files of an
    /// interrupted export, and files whose block another, equal file gave.
    pub ignored: u64,
}

/// Why an import or export failed, with what it moved until then.
pub type TransferError = Failed<Transfer>;

/// Shrinking, and folders.
impl BlockFile {
    /// Gives free space back to the file system while others read and write. Blocks keep their
    /// versions and times; a crash leaves every block as it was. Space that snapshots or views of
    /// earlier times still need stays.
    ///
    /// A token tells its progress in bytes moved, of a total that may be more than is moved in the
    /// end. `Cancelled`: what was moved stays moved. `Full`: nothing was lost. `Busy`: another
    /// vacuum runs.
    pub fn vacuum(&self, how: Vacuum<'_>) -> Result<VacuumResult, Error> {
        let mut raw = sys::spw_vacuum_result {
            struct_size: size_of::<sys::spw_vacuum_result>() as u32,
            flags: 0,
            bytes_moved: 0,
            bytes_needed: 0,
            bytes_before: 0,
            bytes_after: 0,
            bytes_file: 0,
            done: 0,
        };
        let (file, flags, most) = (self.raw(), how.flags, how.max_bytes);
        with_op(how.token, |op| {
            check(|err| unsafe { sys::spw_file_vacuum(file, flags, most, op, &mut raw, err) })
        })?;
        Ok(VacuumResult {
            bytes_moved: raw.bytes_moved,
            bytes_needed: raw.bytes_needed,
            bytes_before: raw.bytes_before,
            bytes_after: raw.bytes_after,
            bytes_file: raw.bytes_file,
            done: raw.done != 0,
        })
    }

    /// Puts every regular file below `folder` into a block: `prefix` (may be empty) and the path
    /// from there, with `/` between its parts. Existing blocks are replaced, but not written where
    /// they are equal, so that a call after a crash or an error goes on where it was; others stay.
    /// All are durable, and were compared with their files, when it returns.
    ///
    /// `Conflict` names a file that was changed meanwhile. `NotFound`: no such folder.
    /// `InvalidArgument`: a path that cannot be the name of a block.
    pub fn import(
        &self,
        folder: impl AsRef<Path>,
        prefix: impl AsRef<[u8]>,
    ) -> Result<Transfer, TransferError> {
        self.import_raw(folder.as_ref(), prefix.as_ref(), None)
    }

    /// As [`BlockFile::import`], with a token that ends it, and tells its progress in bytes read
    /// from the files, those of a moved one twice, for it is compared (the total is unknown):
    /// `Cancelled`.
    pub fn import_with(
        &self,
        folder: impl AsRef<Path>,
        prefix: impl AsRef<[u8]>,
        token: &CancelToken,
    ) -> Result<Transfer, TransferError> {
        self.import_raw(folder.as_ref(), prefix.as_ref(), Some(token))
    }

    fn import_raw(
        &self,
        folder: &Path,
        prefix: &[u8],
        token: Option<&CancelToken>,
    ) -> Result<Transfer, TransferError> {
        let (file, (folder, folder_len)) = (self.raw(), parts(folder.as_os_str().as_bytes()));
        let (prefix, prefix_len) = parts(prefix);
        transfer(token, |op, out, err| unsafe {
            sys::spw_file_import(file, folder, folder_len, prefix, prefix_len, op, out, err)
        })
    }
}

/// Copying, and folders.
impl Blocks {
    /// Writes all blocks into a new file at `path` without gaps, with their tags, times and
    /// versions, while others read and write. Every byte is proved; the new file appears, durable,
    /// when it is whole, or not at all.
    ///
    /// `AlreadyExists`. `NotFound`: its folder. `Corrupt`: a block is damaged, which the error
    /// names. `Full`: the other disk. `Io`: one of the two.
    pub fn copy_to(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        self.copy_raw(path.as_ref(), None)
    }

    /// As [`Blocks::copy_to`], with a token that ends it, and tells its progress in bytes of
    /// payload: `Cancelled`.
    pub fn copy_to_with(&self, path: impl AsRef<Path>, token: &CancelToken) -> Result<(), Error> {
        self.copy_raw(path.as_ref(), Some(token))
    }

    fn copy_raw(&self, path: &Path, token: Option<&CancelToken>) -> Result<(), Error> {
        let ((file, txn), (path, len)) = (self.raw(), parts(path.as_os_str().as_bytes()));
        with_op(token, |op| {
            check(|err| unsafe { sys::spw_file_copy(file, txn, path, len, op, err) })
        })
    }

    /// Writes every block whose name begins with `prefix` (may be empty) into a file of its own
    /// below `folder`, which is made if it is not there: the name without the prefix, `/` making
    /// folders, and what cannot stand in a path escaped. Files that are equal are left alone, others
    /// of those paths replaced, each at once; what else is there stays. All are durable, and were
    /// read again and compared, when it returns. Tags, times and versions are not written.
    ///
    /// `Corrupt`, `Io`: blocks that cannot be read were left out; the error names the first and
    /// says how many, and everything else was written. Also when the registry cannot be listed or a
    /// file cannot be written: then it ended there, and the error names no blocks that were left
    /// out.
    pub fn export(
        &self,
        prefix: impl AsRef<[u8]>,
        folder: impl AsRef<Path>,
    ) -> Result<Transfer, TransferError> {
        self.export_raw(prefix.as_ref(), folder.as_ref(), None)
    }

    /// As [`Blocks::export`], with a token that ends it, and tells its progress in bytes written
    /// and read again, so those of a moved block twice (the total is unknown): `Cancelled`.
    pub fn export_with(
        &self,
        prefix: impl AsRef<[u8]>,
        folder: impl AsRef<Path>,
        token: &CancelToken,
    ) -> Result<Transfer, TransferError> {
        self.export_raw(prefix.as_ref(), folder.as_ref(), Some(token))
    }

    fn export_raw(
        &self,
        prefix: &[u8],
        folder: &Path,
        token: Option<&CancelToken>,
    ) -> Result<Transfer, TransferError> {
        let ((file, txn), (prefix, prefix_len)) = (self.raw(), parts(prefix));
        let (folder, folder_len) = parts(folder.as_os_str().as_bytes());
        transfer(token, |op, out, err| unsafe {
            sys::spw_file_export(file, txn, prefix, prefix_len, folder, folder_len, op, out, err)
        })
    }
}

/// What was moved is told also when the call fails.
fn transfer(
    token: Option<&CancelToken>,
    call: impl FnOnce(
        *mut sys::spw_op,
        *mut sys::spw_transfer,
        *mut *mut sys::spw_error,
    ) -> sys::spw_status,
) -> Result<Transfer, TransferError> {
    let mut raw = sys::spw_transfer {
        struct_size: size_of::<sys::spw_transfer>() as u32,
        flags: 0,
        blocks: 0,
        bytes: 0,
        equal: 0,
        ignored: 0,
    };
    let result = with_op(token, |op| check(|err| call(op, &mut raw, err)));
    let moved =
        Transfer { blocks: raw.blocks, bytes: raw.bytes, equal: raw.equal, ignored: raw.ignored };
    match result {
        Ok(()) => Ok(moved),
        Err(error) => Err(TransferError::new(moved, error)),
    }
}
