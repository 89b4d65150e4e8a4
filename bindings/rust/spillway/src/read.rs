//! Reading one record.

use std::mem::MaybeUninit;

use spillway_sys as sys;

use crate::error::{check, Error, ErrorKind};
use crate::store::{Store, Stream};
use crate::view::OwnedRecord;

/// Most records fit, and are then read by one call into a vector of the right size.
const ON_STACK: usize = 4096;

impl Store {
    /// Copies one record.
    ///
    /// `NotFound`: no such stream, or `seq` is at or above its tail. `Trimmed`: it was cleared.
    /// `Corrupt`, `Io`: it cannot be read; others may.
    pub fn read(&self, stream: Stream, seq: u64) -> Result<OwnedRecord, Error> {
        let mut buffer = [MaybeUninit::<u8>::uninit(); ON_STACK];
        // Safe: the buffer has that many bytes.
        match unsafe { self.read_raw(stream, seq, buffer.as_mut_ptr().cast(), ON_STACK) }? {
            Outcome::Copied { len, time } => {
                // Safe: the library wrote the first `len` bytes.
                let bytes = unsafe { std::slice::from_raw_parts(buffer.as_ptr().cast(), len) };
                Ok(OwnedRecord { seq, time, payload: Vec::from(bytes) })
            }
            Outcome::TooBig { len, .. } => {
                let mut payload = Vec::with_capacity(len);
                let time = self.read_into(stream, seq, &mut payload)?;
                Ok(OwnedRecord { seq, time, payload })
            }
        }
    }

    /// Copies one record into a vector, whose memory is used again, and returns its time. The
    /// vector is empty after an error. Errors as [`Store::read`].
    pub fn read_into(
        &self,
        stream: Stream,
        seq: u64,
        payload: &mut Vec<u8>,
    ) -> Result<Option<i64>, Error> {
        payload.clear();
        let mut last = 0;
        loop {
            // Safe: the vector has room for that many bytes.
            let outcome =
                unsafe { self.read_raw(stream, seq, payload.as_mut_ptr(), payload.capacity()) }?;
            match outcome {
                Outcome::Copied { len, time } => {
                    // Safe: the library wrote the first `len` bytes.
                    unsafe { payload.set_len(len) };
                    return Ok(time);
                }
                Outcome::TooBig { len, error } => {
                    // A record never changes its size, so the second time it fits.
                    if len <= last {
                        return Err(error);
                    }
                    last = len;
                    payload.reserve_exact(len);
                }
            }
        }
    }

    /// # Safety
    /// There are `cap` bytes to write to at `buffer`.
    unsafe fn read_raw(
        &self,
        stream: Stream,
        seq: u64,
        buffer: *mut u8,
        cap: usize,
    ) -> Result<Outcome, Error> {
        let (raw, id, cap) = (self.raw(), stream.id(), cap as u64);
        let (mut len, mut time) = (0, 0);
        let done = check(|err| unsafe {
            sys::spw_store_read(raw, id, seq, buffer.cast(), cap, &mut len, &mut time, err)
        });
        let len = len as usize;
        match done {
            Ok(()) => Ok(Outcome::Copied { len, time: self.time(stream, time)? }),
            Err(error) if error.kind() == ErrorKind::TooBig => Ok(Outcome::TooBig { len, error }),
            Err(error) => Err(error),
        }
    }

    /// The library tells 0 also for a record without a time; which it is, the stream knows.
    fn time(&self, stream: Stream, time: i64) -> Result<Option<i64>, Error> {
        let has_time = time != 0 || self.stream_stats(stream)?.has_times;
        Ok(has_time.then_some(time))
    }
}

enum Outcome {
    Copied { len: usize, time: Option<i64> },
    TooBig { len: usize, error: Error },
}
