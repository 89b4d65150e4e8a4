//! Giving back: old records, and memory.

use spillway_sys as sys;

use crate::error::{check, Error};
use crate::op::with_op;
use crate::store::{Store, Stream};
use crate::wait::Wait;

/// Trims, which drop the oldest records of a stream, in memory and in the cold tier; sequence
/// numbers go on. A reader at a record that is gone gets
/// [`ErrorKind::Trimmed`](crate::ErrorKind::Trimmed). Memory comes back in whole segments, a 64th of
/// the budget. The change is durable with the next flush, after which the space on disk comes back
/// in the background; a crash before that may bring the records back. `NotFound`: no such stream.
/// `Io`, `Corrupt`: writing has ended.
impl Store {
    /// Drops all records below `begin`. At or below where the stream begins nothing happens.
    /// `InvalidArgument`: above its tail.
    pub fn trim(&self, stream: Stream, begin: u64) -> Result<(), Error> {
        check(|err| unsafe { sys::spw_store_trim(self.raw(), stream.id(), begin, err) })
    }

    /// Drops the longest prefix of records whose times are all below `time`; of times that do not
    /// ascend the first one that is not ends it. Returns where the stream begins then. Reads what
    /// it drops: `Io` and `Corrupt` also mean that this failed, and nothing was dropped then.
    /// `InvalidArgument`: the stream has no times.
    pub fn trim_before(&self, stream: Stream, time: i64) -> Result<u64, Error> {
        let (raw, id, mut begin) = (self.raw(), stream.id(), 0);
        check(|err| unsafe { sys::spw_store_trim_time(raw, id, time, &mut begin, err) })?;
        Ok(begin)
    }

    /// Drops as few of the oldest records as leave at most so many bytes of payload, of those that
    /// are there when the call begins. Returns where the stream begins then. Reads the sizes of
    /// what it leaves: `Io` and `Corrupt` also mean that this failed, and nothing was dropped then.
    pub fn trim_to_size(&self, stream: Stream, bytes: u64) -> Result<u64, Error> {
        let (raw, id, mut begin) = (self.raw(), stream.id(), 0);
        check(|err| unsafe { sys::spw_store_trim_bytes(raw, id, bytes, &mut begin, err) })?;
        Ok(begin)
    }
}

/// Memory.
impl Store {
    /// A flush to the device, after which the memory of all records that are in the cold tier is
    /// given back to the system, and the free memory too: for a store that is to be quiet for a
    /// while. Records can be read and added throughout; what others add meanwhile stays in memory.
    /// Errors as of [`Store::flush`]; after one of them no memory was given back.
    pub fn settle(&self) -> Result<(), Error> {
        self.settle_with(Wait::default())
    }

    /// As [`Store::settle`], waiting no longer than said.
    pub fn settle_with<'a>(&self, wait: impl Into<Wait<'a>>) -> Result<(), Error> {
        let (raw, wait) = (self.raw(), wait.into());
        with_op(wait.token, |op| {
            check(|err| unsafe { sys::spw_store_settle(raw, wait.timeout_ms, op, err) })
        })
    }

    /// Gives the memory that is kept for reuse ([`Stats::bytes_free`](crate::Stats::bytes_free))
    /// back to the system. Does not wait. Any store; the next adds map fresh memory, which costs
    /// more than the copy into it.
    pub fn release_memory(&self) -> Result<(), Error> {
        check(|err| unsafe { sys::spw_store_release_memory(self.raw(), err) })
    }
}
