//! A call that did not work, and gives something back.

use std::fmt;
use std::io;

use crate::error::Error;
use crate::store::Store;

/// What went wrong, with what the call gives back beside it. For those who do not want that, `?`
/// turns it into the [`Error`].
///
/// (A pair of both would be no error that `?` or `Box<dyn Error>` take.)
pub struct Failed<T> {
    rest: T,
    error: Error,
}

/// Why a store or a block file could not be closed, with its handle, so that closing can be tried
/// again.
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
pub type CloseError<T = Store> = Failed<T>;

impl<T> Failed<T> {
    pub(crate) fn new(rest: T, error: Error) -> Failed<T> {
        Failed { rest, error }
    }

    /// What went wrong.
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// What the call gives back, and what went wrong.
    pub fn into_parts(self) -> (T, Error) {
        (self.rest, self.error)
    }
}

impl<T> fmt::Display for Failed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<T> fmt::Debug for Failed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Failed").field(&self.error).finish()
    }
}

impl<T> std::error::Error for Failed<T> {}

impl<T> From<Failed<T>> for Error {
    /// Drops what was given back.
    fn from(failed: Failed<T>) -> Error {
        failed.error
    }
}

impl<T> From<Failed<T>> for io::Error {
    /// Drops what was given back.
    fn from(failed: Failed<T>) -> io::Error {
        failed.error.into()
    }
}
