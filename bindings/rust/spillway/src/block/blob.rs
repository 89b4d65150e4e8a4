//! A view of a block.

use std::fmt;
use std::ops::Deref;
use std::ptr::null;
use std::slice;

use spillway_sys as sys;

use crate::error::{check, Error};
use crate::handle::Handle;

/// The bytes of a block or of a range of it, in memory of the library, not copied. They were proved
/// by their checksum, and stay as they are whatever happens to the block and its file: a blob
/// outlives both, and any thread may read it or drop it.
///
/// It derefs to a slice:
///
/// ```
/// # fn read(file: &spillway::BlockFile) -> Result<(), spillway::Error> {
/// let blob = file.get("chapter/1")?;
/// println!("{} bytes: {}", blob.len(), String::from_utf8_lossy(&blob));
/// # Ok(()) }
/// ```
///
/// The slice lives no longer than the blob:
///
/// ```compile_fail,E0505
/// # fn read(blob: spillway::Blob) {
/// let bytes: &[u8] = &blob;
/// drop(blob);
/// println!("{:?}", bytes); // cannot move out of `blob` because it is borrowed
/// # }
/// ```
pub struct Blob {
    data: *const u8,
    len: usize,
    _handle: Handle<sys::spw_blob>,
}

// Safe: a blob never changes and may be used by many threads at once (spillway_file.h, Threads).
unsafe impl Send for Blob {}
unsafe impl Sync for Blob {}

impl Blob {
    pub(crate) fn new(handle: Handle<sys::spw_blob>) -> Result<Blob, Error> {
        let (mut data, mut len) = (null(), 0);
        check(|err| unsafe { sys::spw_blob_view(handle.raw(), &mut data, &mut len, err) })?;
        Ok(Blob { data, len: len as usize, _handle: handle })
    }
}

impl Deref for Blob {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        if self.len == 0 {
            return &[]; // of which there may be no pointer
        }
        // Safe: they are there until the blob is freed.
        unsafe { slice::from_raw_parts(self.data, self.len) }
    }
}

impl AsRef<[u8]> for Blob {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blob").field("len", &self.len).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::options::BlockOptions;

    /// What a blob derefs to is what the library lends, where it lies.
    #[test]
    fn block_view_is_not_copied() {
        let path = std::env::temp_dir().join(format!("spillway-blob-{}", std::process::id()));
        let file = BlockOptions::new().open(&path).unwrap();
        file.put("a", vec![b'x'; 100_000]).unwrap();
        let blob = file.get("a").unwrap();
        let (mut data, mut len) = (null(), 0);
        check(|err| unsafe { sys::spw_blob_view(blob._handle.raw(), &mut data, &mut len, err) })
            .unwrap();
        assert_eq!((blob.as_ptr(), blob.len()), (data, len as usize));
        assert_eq!(blob[..], vec![b'x'; 100_000]);
        file.close().unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!((blob.as_ptr(), blob[99_999]), (data, b'x'));
    }
}
