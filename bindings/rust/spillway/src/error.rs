//! What went wrong, with the place where it is known.

use std::borrow::Cow;
use std::ffi::CStr;
use std::fmt;
use std::io;
use std::ptr::{null_mut, NonNull};

use spillway_sys as sys;

/// What kind of thing went wrong: what a program decides by.
///
/// A status that this version of the binding does not know is [`ErrorKind::Internal`];
/// [`Error::raw_code`] still tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The caller's mistake; nothing happened.
    InvalidArgument,
    /// The right call at the wrong time: the cursor has no current view, the transaction was
    /// committed.
    InvalidState,
    /// An allocation failed; nothing happened.
    NoMemory,
    /// No such stream, record, store, block or block file.
    NotFound,
    /// There is one already, and the call asked for a new one.
    AlreadyExists,
    /// Another handle or process has the store or block file open.
    Busy,
    /// It would have to wait, and was told not to.
    WouldBlock,
    /// The given time is over.
    Timeout,
    /// Its [`CancelToken`](crate::CancelToken) was cancelled.
    Cancelled,
    /// The store or block file is closed.
    Closed,
    /// The disk or its quota is full; try again when there is room.
    Full,
    /// Larger than a limit.
    TooBig,
    /// The store, the block file or its disk cannot be written.
    ReadOnly,
    /// The operating system failed; see [`Error::os_error`].
    Io,
    /// Bytes on disk are damaged; nothing was repaired or deleted.
    Corrupt,
    /// The records were dropped on request ([`Store::clear`](crate::Store::clear), a trim).
    Trimmed,
    /// Unknown option or feature of the library that is loaded.
    Unsupported,
    /// Called in a child process of the one that opened the store or block file.
    Forked,
    /// A defect of the library.
    Internal,
    /// A block is not of the version that was expected: somebody else changed it.
    Conflict,
}

impl ErrorKind {
    pub(crate) fn of(status: sys::spw_status) -> ErrorKind {
        match status {
            sys::SPW_INVALID_ARGUMENT => ErrorKind::InvalidArgument,
            sys::SPW_INVALID_STATE => ErrorKind::InvalidState,
            sys::SPW_NO_MEMORY => ErrorKind::NoMemory,
            sys::SPW_NOT_FOUND => ErrorKind::NotFound,
            sys::SPW_ALREADY_EXISTS => ErrorKind::AlreadyExists,
            sys::SPW_BUSY => ErrorKind::Busy,
            sys::SPW_WOULD_BLOCK => ErrorKind::WouldBlock,
            sys::SPW_TIMEOUT => ErrorKind::Timeout,
            sys::SPW_CANCELLED => ErrorKind::Cancelled,
            sys::SPW_CLOSED => ErrorKind::Closed,
            sys::SPW_FULL => ErrorKind::Full,
            sys::SPW_TOO_BIG => ErrorKind::TooBig,
            sys::SPW_READONLY => ErrorKind::ReadOnly,
            sys::SPW_IO => ErrorKind::Io,
            sys::SPW_CORRUPT => ErrorKind::Corrupt,
            sys::SPW_TRIMMED => ErrorKind::Trimmed,
            sys::SPW_UNSUPPORTED => ErrorKind::Unsupported,
            sys::SPW_FORKED => ErrorKind::Forked,
            sys::SPW_CONFLICT => ErrorKind::Conflict,
            _ => ErrorKind::Internal,
        }
    }
}

/// An error of the library, or of this binding on its behalf. Immutable, of no thread; it outlives
/// the store it came from. An expected outcome (would block, timeout, cancelled, busy, closed, no
/// memory) allocates nothing.
pub struct Error {
    inner: Inner,
    admitted: Option<u64>,
}

enum Inner {
    Library(NonNull<sys::spw_error>),
    Binding(sys::spw_status, &'static str),
}

// Safe: "an error is immutable and belongs to no thread" (spillway.h).
unsafe impl Send for Error {}
unsafe impl Sync for Error {}

impl Error {
    pub(crate) fn binding(status: sys::spw_status, message: &'static str) -> Error {
        Inner::Binding(status, message).into()
    }

    /// The same, of an add that was admitted with that first sequence number, if any.
    pub(crate) fn admitted_at(self, first: u64) -> Error {
        let admitted = Some(first).filter(|first| *first != sys::SPW_SEQ_NONE);
        Error { inner: self.inner, admitted }
    }

    /// The library's error; NULL, which its accessors take, where there is none.
    fn raw(&self) -> *const sys::spw_error {
        match self.inner {
            Inner::Library(error) => error.as_ptr(),
            Inner::Binding(..) => null_mut(),
        }
    }

    /// What a program decides by.
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::of(self.raw_code())
    }

    /// The status as the library numbers it, one of `SPW_*`; never `SPW_OK`.
    pub fn raw_code(&self) -> i32 {
        match self.inner {
            Inner::Library(error) => unsafe { sys::spw_error_code(error.as_ptr()) },
            Inner::Binding(status, _) => status,
        }
    }

    /// The name of the status, such as `"SPW_TIMEOUT"`.
    pub fn name(&self) -> &'static str {
        let name = unsafe { CStr::from_ptr(sys::spw_status_name(self.raw_code()).cast()) };
        name.to_str().unwrap_or("SPW_UNKNOWN")
    }

    /// errno of the system call that failed.
    pub fn os_error(&self) -> Option<i32> {
        Some(unsafe { sys::spw_error_os_code(self.raw()) }).filter(|code| *code != 0)
    }

    /// The extended code of SQLite.
    pub fn detail_code(&self) -> Option<i32> {
        Some(unsafe { sys::spw_error_detail_code(self.raw()) }).filter(|code| *code != 0)
    }

    /// The index in the caller's batch or list that is to blame.
    pub fn record_index(&self) -> Option<usize> {
        usize::try_from(unsafe { sys::spw_error_record(self.raw()) }).ok()
    }

    /// The first record of an add that was admitted and yet failed, as only a
    /// [sync interval](crate::Options::sync_interval) of zero lets happen: the batch is there, and
    /// not durable.
    pub fn admitted(&self) -> Option<u64> {
        self.admitted
    }

    /// What happened and where. UTF-8, but for pieces of paths that are not, which are replaced.
    pub fn message(&self) -> Cow<'_, str> {
        match self.inner {
            Inner::Binding(_, message) => Cow::Borrowed(message),
            // Safe: the text is static or lives as long as the error.
            Inner::Library(error) => unsafe {
                let text = sys::spw_error_message(error.as_ptr(), null_mut());
                CStr::from_ptr(text.cast()).to_string_lossy()
            },
        }
    }
}

impl From<Inner> for Error {
    fn from(inner: Inner) -> Error {
        Error { inner, admitted: None }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Inner::Library(error) = self {
            unsafe { sys::spw_error_free(error.as_ptr()) };
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("Error");
        fields.field("code", &self.name()).field("message", &self.message());
        for (name, code) in [("os_error", self.os_error()), ("detail_code", self.detail_code())] {
            if let Some(code) = code {
                fields.field(name, &code);
            }
        }
        if let Some(index) = self.record_index() {
            fields.field("record_index", &index);
        }
        if let Some(first) = self.admitted {
            fields.field("admitted", &first);
        }
        fields.finish()
    }
}

impl std::error::Error for Error {}

impl From<Error> for io::Error {
    /// The nearest kind. Cancelled is not `Interrupted`, for which callers would try again.
    fn from(error: Error) -> io::Error {
        let kind = match error.kind() {
            ErrorKind::InvalidArgument | ErrorKind::TooBig => io::ErrorKind::InvalidInput,
            ErrorKind::NoMemory => io::ErrorKind::OutOfMemory,
            ErrorKind::NotFound | ErrorKind::Trimmed => io::ErrorKind::NotFound,
            ErrorKind::AlreadyExists => io::ErrorKind::AlreadyExists,
            ErrorKind::WouldBlock => io::ErrorKind::WouldBlock,
            ErrorKind::Timeout => io::ErrorKind::TimedOut,
            ErrorKind::ReadOnly => io::ErrorKind::PermissionDenied,
            ErrorKind::Corrupt => io::ErrorKind::InvalidData,
            ErrorKind::Unsupported => io::ErrorKind::Unsupported,
            _ => match error.os_error() {
                Some(code) => io::Error::from_raw_os_error(code).kind(),
                None => io::ErrorKind::Other,
            },
        };
        io::Error::new(kind, error)
    }
}

/// Makes a call of the library, which is given the place for its error.
pub(crate) fn check(
    call: impl FnOnce(*mut *mut sys::spw_error) -> sys::spw_status,
) -> Result<(), Error> {
    let mut error = null_mut();
    let status = call(&mut error);
    if status == sys::SPW_OK {
        return Ok(());
    }
    Err(NonNull::new(error).map_or_else(
        || Error::binding(status, "the library gave no reason"),
        |error| Inner::Library(error).into(),
    ))
}
