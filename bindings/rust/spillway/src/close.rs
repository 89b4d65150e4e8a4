//! A close that did not work.

use std::fmt;
use std::io;

use crate::error::Error;
use crate::store::Store;

/// Why a store could not be closed, with the store, so that closing can be tried again. For those
/// who do not want that, `?` turns it into the [`Error`].
///
/// (A pair of both would be no error that `?` or `Box<dyn Error>` take.)
///
/// ```
/// # fn close(store: spillway::Store) -> Result<(), spillway::Error> {
/// use spillway::ErrorKind;
/// use std::time::Duration;
/// if let Err(failed) = store.close_with(Duration::from_secs(5)) {
///     if failed.error().kind() != ErrorKind::Timeout {
///         return Err(failed.into());
///     }
///     let (store, _timeout) = failed.into_parts();
///     store.close()?;
/// }
/// # Ok(()) }
/// ```
pub struct CloseError {
    store: Store,
    error: Error,
}

impl CloseError {
    pub(crate) fn new(store: Store, error: Error) -> CloseError {
        CloseError { store, error }
    }

    /// What went wrong.
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// The store, and what went wrong.
    pub fn into_parts(self) -> (Store, Error) {
        (self.store, self.error)
    }
}

impl fmt::Display for CloseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl fmt::Debug for CloseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CloseError").field(&self.error).finish()
    }
}

impl std::error::Error for CloseError {}

impl From<CloseError> for Error {
    /// Drops the store.
    fn from(failed: CloseError) -> Error {
        failed.error
    }
}

impl From<CloseError> for io::Error {
    /// Drops the store.
    fn from(failed: CloseError) -> io::Error {
        failed.error.into()
    }
}
