//! Handles of the library, each freed once.

use std::ptr::{null_mut, NonNull};
use std::sync::Arc;

use spillway_sys as sys;

use crate::error::{check, Error};
use crate::store::Store;

/// What the library hands out and takes back.
pub(crate) trait Freed {
    /// # Safety
    /// The library made it, and nobody uses it any more.
    unsafe fn free(raw: *mut Self);
}

macro_rules! freed {
    ($($name:ident by $free:ident,)*) => {$(
        impl Freed for sys::$name {
            unsafe fn free(raw: *mut Self) {
                unsafe { sys::$free(raw) };
            }
        }
    )*};
}

freed! {
    spw_file by spw_file_free,
    spw_txn by spw_txn_free,
    spw_blob by spw_blob_free,
    spw_list by spw_list_free,
    spw_report by spw_report_free,
    spw_reader by spw_reader_free,
    spw_writer by spw_writer_free,
}

/// Frees its handle when it is dropped: then no call uses it, for a call borrows this.
pub(crate) struct Handle<T: Freed>(NonNull<T>);

// Safe: any handle of a block file may be used on any thread (spillway_file.h, Threads).
unsafe impl<T: Freed> Send for Handle<T> {}
// Safe: these may be used by many threads at once; of a reader and a writer, what this binding
// calls through a shared reference may.
unsafe impl Sync for Handle<sys::spw_file> {}
unsafe impl Sync for Handle<sys::spw_txn> {}
unsafe impl Sync for Handle<sys::spw_blob> {}
unsafe impl Sync for Handle<sys::spw_report> {}
unsafe impl Sync for Handle<sys::spw_reader> {}
unsafe impl Sync for Handle<sys::spw_writer> {}

impl<T: Freed> Handle<T> {
    /// Makes a call that hands out a handle: it is given the places for that and for its error.
    pub(crate) fn made(
        call: impl FnOnce(*mut *mut T, *mut *mut sys::spw_error) -> sys::spw_status,
    ) -> Result<Handle<T>, Error> {
        let mut raw = null_mut();
        check(|err| call(&mut raw, err))?;
        NonNull::new(raw)
            .map(Handle)
            .ok_or_else(|| Error::binding(sys::SPW_INTERNAL, "no handle, and no error"))
    }

    pub(crate) fn raw(&self) -> *mut T {
        self.0.as_ptr()
    }
}

/// A file's handle with the store whose file it is, if it is one's: freed alone, the store would be
/// closed under it.
pub(crate) struct FileHandle {
    file: Handle<sys::spw_file>,
    _store: Option<Store>,
}

impl FileHandle {
    pub(crate) fn new(file: Handle<sys::spw_file>, store: Option<Store>) -> Arc<FileHandle> {
        Arc::new(FileHandle { file, _store: store })
    }

    pub(crate) fn raw(&self) -> *mut sys::spw_file {
        self.file.raw()
    }
}

impl<T: Freed> Drop for Handle<T> {
    fn drop(&mut self) {
        unsafe { T::free(self.0.as_ptr()) };
    }
}
