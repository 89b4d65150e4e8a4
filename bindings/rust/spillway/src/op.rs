//! Cancelling calls from another thread, and watching how far they are.

use std::fmt;
use std::ptr::{null_mut, NonNull};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use spillway_sys as sys;

use crate::error::{check, Error};

/// Cancels the calls it was given to, from any thread, for good: those that run return
/// [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled) as soon as they can, later ones at once.
///
/// Clones are the same token. It may be given to any number of calls, also at the same time. An add
/// that was cancelled added nothing; a flush goes on in the background; a close leaves the store
/// open.
///
/// ```
/// # fn main() -> Result<(), spillway::Error> {
/// use spillway::{Batch, CancelToken, ErrorKind, Store};
/// let store = Store::in_memory()?;
/// let (log, token) = (store.stream("log")?, CancelToken::new());
/// token.cancel();
/// let error = store.add_with(log, &Batch::from_iter(["a line"]), &token).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Cancelled);
/// # Ok(()) }
/// ```
#[derive(Clone, Default)]
pub struct CancelToken {
    state: Arc<Mutex<State>>,
}

/// How much of a call is done; see [`CancelToken::progress`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Done so far: records, for flush and close of a store; bytes, counted as they say, for
    /// vacuum, copy, import, export and verification of a block file.
    pub done: u64,
    /// What there is to do, in the same units; 0 where or until that is not known.
    pub total: u64,
}

/// An op of the library belongs to one running call at a time, so there is one for each call that
/// runs at once; it is used again when its call has ended.
#[derive(Default)]
struct State {
    cancelled: bool,
    calls: u64,
    ops: Vec<Op>,
}

struct Op {
    raw: NonNull<sys::spw_op>,
    running: bool,
    /// Which of the token's calls used it last, counted from 1.
    call: u64,
}

// Safe: an op may be used on any thread, also by several at once (spillway.h, 5).
unsafe impl Send for Op {}

impl Drop for Op {
    fn drop(&mut self) {
        unsafe { sys::spw_op_free(self.raw.as_ptr()) };
    }
}

impl CancelToken {
    /// A token that is not cancelled. Allocates little, and can only fail where `Arc::new` does.
    pub fn new() -> CancelToken {
        CancelToken::default()
    }

    /// Cancels every call that has this token or will have it. Idempotent; does not wait for them.
    pub fn cancel(&self) {
        let mut state = self.lock();
        state.cancelled = true;
        for op in &state.ops {
            unsafe { sys::spw_op_cancel(op.raw.as_ptr()) };
        }
    }

    /// Whether [`CancelToken::cancel`] was called. A call may still have succeeded before it.
    pub fn is_cancelled(&self) -> bool {
        self.lock().cancelled
    }

    /// Of the call that began last with this token, whether it runs or has ended; zeros before any.
    pub fn progress(&self) -> Progress {
        let state = self.lock();
        let mut progress = Progress::default();
        if let Some(op) = state.ops.iter().max_by_key(|op| op.call) {
            let (done, total) = (&mut progress.done, &mut progress.total);
            unsafe { sys::spw_op_progress(op.raw.as_ptr(), done, total) };
        }
        progress
    }

    /// Nothing panics under the lock, so its state is good even if it is poisoned.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self) -> Result<RunningCall<'_>, Error> {
        let mut state = self.lock();
        if state.cancelled {
            return Err(Error::binding(sys::SPW_CANCELLED, "cancelled before the call"));
        }
        state.calls += 1;
        let call = state.calls;
        let op = match state.ops.iter_mut().find(|op| !op.running) {
            Some(op) => {
                (op.running, op.call) = (true, call);
                op.raw
            }
            None => {
                let raw = new_op()?;
                state.ops.push(Op { raw, running: true, call });
                raw
            }
        };
        Ok(RunningCall { token: self, op })
    }
}

fn new_op() -> Result<NonNull<sys::spw_op>, Error> {
    let mut raw = null_mut();
    check(|err| unsafe { sys::spw_op_new(&mut raw, err) })?;
    NonNull::new(raw).ok_or_else(|| Error::binding(sys::SPW_INTERNAL, "no op, and no error"))
}

/// The use of one op by one call; the op is idle again when this is dropped.
struct RunningCall<'a> {
    token: &'a CancelToken,
    op: NonNull<sys::spw_op>,
}

impl Drop for RunningCall<'_> {
    fn drop(&mut self) {
        let mut state = self.token.lock();
        if let Some(op) = state.ops.iter_mut().find(|op| op.raw == self.op) {
            op.running = false;
        }
    }
}

/// Makes a call with an op of the token, or with NULL, which costs nothing, where there is none.
pub(crate) fn with_op<T>(
    token: Option<&CancelToken>,
    call: impl FnOnce(*mut sys::spw_op) -> Result<T, Error>,
) -> Result<T, Error> {
    match token {
        None => call(null_mut()),
        Some(token) => {
            let running = token.begin()?;
            call(running.op.as_ptr())
        }
    }
}

impl fmt::Debug for CancelToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelToken").field("is_cancelled", &self.is_cancelled()).finish()
    }
}
