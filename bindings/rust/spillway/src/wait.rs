//! How long a call may wait, and what may end it earlier.

use std::time::Duration;

use spillway_sys as sys;

use crate::op::CancelToken;

/// How long a call may wait, and the token that may end it earlier. The calls that take one take
/// also a [`Duration`] or a `&CancelToken` in its place.
///
/// ```
/// # fn main() -> Result<(), spillway::Error> {
/// # use spillway::{Batch, CancelToken, Store, Wait};
/// # use std::time::Duration;
/// # let (store, token) = (Store::in_memory()?, CancelToken::new());
/// # let (log, batch) = (store.stream("log")?, Batch::from_iter(["a line"]));
/// store.add_with(log, &batch, Wait::not_at_all())?;
/// store.add_with(log, &batch, Duration::from_millis(50))?;
/// store.add_with(log, &batch, &token)?;
/// store.add_with(log, &batch, Wait::at_most(Duration::from_secs(1)).unless(&token))?;
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Wait<'a> {
    pub(crate) timeout_ms: i64,
    pub(crate) token: Option<&'a CancelToken>,
}

impl<'a> Wait<'a> {
    /// As long as the store's [`Key::TIMEOUT_MS`](crate::Key::TIMEOUT_MS) says: for ever, unless it
    /// was set. This is what the calls without a `_with` do.
    pub const fn as_the_store_says() -> Wait<'a> {
        Wait { timeout_ms: sys::SPW_WAIT_DEFAULT, token: None }
    }

    /// Not at all: the call returns [`ErrorKind::WouldBlock`](crate::ErrorKind::WouldBlock)
    /// instead.
    pub const fn not_at_all() -> Wait<'a> {
        Wait { timeout_ms: sys::SPW_NO_WAIT, token: None }
    }

    /// Until it is done.
    pub const fn for_ever() -> Wait<'a> {
        Wait { timeout_ms: sys::SPW_WAIT_FOREVER, token: None }
    }

    /// At most so long, then [`ErrorKind::Timeout`](crate::ErrorKind::Timeout). Counted in whole
    /// milliseconds, rounded up; zero is [`Wait::not_at_all`].
    pub fn at_most(time: Duration) -> Wait<'a> {
        let rounded = time.as_nanos().saturating_add(999_999) / 1_000_000;
        let timeout_ms = i64::try_from(rounded).unwrap_or(sys::SPW_WAIT_FOREVER);
        Wait { timeout_ms, token: None }
    }

    /// The same, but ended by the token when that is cancelled.
    #[must_use]
    pub const fn unless(self, token: &'a CancelToken) -> Wait<'a> {
        Wait { timeout_ms: self.timeout_ms, token: Some(token) }
    }
}

impl Default for Wait<'_> {
    fn default() -> Self {
        Wait::as_the_store_says()
    }
}

impl From<Duration> for Wait<'_> {
    fn from(time: Duration) -> Self {
        Wait::at_most(time)
    }
}

impl<'a> From<&'a CancelToken> for Wait<'a> {
    fn from(token: &'a CancelToken) -> Self {
        Wait::default().unless(token)
    }
}
