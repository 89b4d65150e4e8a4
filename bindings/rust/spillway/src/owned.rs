//! Records that were taken out of a store.

use std::fmt;
use std::ptr::NonNull;

use spillway_sys as sys;

use crate::cursor::empty_view;
use crate::error::{check, Error};
use crate::view::{Payloads, View};

/// Records with a life of their own: a detached view, or what was gathered. It outlives its cursor
/// and its store, closed or not, and any thread may read it or drop it.
///
/// A detached view shares memory with its store, which counts it as
/// [`Stats::bytes_pinned`](crate::Stats::bytes_pinned) as long as nothing else holds it.
///
/// ```compile_fail,E0505
/// # fn read(batch: spillway::OwnedBatch) {
/// let view = batch.view();
/// drop(batch);
/// println!("{:?}", view); // cannot move out of `batch` because it is borrowed
/// # }
/// ```
pub struct OwnedBatch {
    raw: NonNull<sys::spw_batch>,
    view: sys::spw_view,
}

// Safe: a batch never changes and may be used by many threads at once (spillway.h, 5).
unsafe impl Send for OwnedBatch {}
unsafe impl Sync for OwnedBatch {}

impl OwnedBatch {
    /// Takes a batch that the library has just made.
    pub(crate) fn from_raw(raw: *mut sys::spw_batch) -> Result<OwnedBatch, Error> {
        let raw = NonNull::new(raw)
            .ok_or_else(|| Error::binding(sys::SPW_INTERNAL, "no batch, and no error"))?;
        let mut batch = OwnedBatch { raw, view: empty_view() };
        check(|err| unsafe { sys::spw_batch_view(batch.raw.as_ptr(), &mut batch.view, err) })?;
        Ok(batch)
    }

    /// The records.
    #[inline]
    pub fn view(&self) -> View<'_> {
        // Safe: it is valid until the batch is freed.
        unsafe { View::from_raw(&self.view) }
    }

    /// The payloads in order.
    #[inline]
    pub fn iter(&self) -> Payloads<'_> {
        self.view().iter()
    }

    /// How many records there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.view.count as usize
    }

    /// Whether there is no record.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<'a> IntoIterator for &'a OwnedBatch {
    type Item = &'a [u8];
    type IntoIter = Payloads<'a>;

    fn into_iter(self) -> Payloads<'a> {
        self.iter()
    }
}

impl Drop for OwnedBatch {
    fn drop(&mut self) {
        unsafe { sys::spw_batch_free(self.raw.as_ptr()) };
    }
}

impl fmt::Debug for OwnedBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedBatch").field("len", &self.len()).finish_non_exhaustive()
    }
}
