//! What a store tells about itself.

use std::mem::size_of;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use spillway_sys as sys;

use crate::error::{check, Error, ErrorKind};
use crate::store::Stream;

/// One list for the fields, their comments, and where they come from: the struct of that name in the
/// library, which a call fills for a handle.
macro_rules! stats {
    (
        $(#[$about:meta])*
        $name:ident: $raw:ident by $call:ident($handle:ident)
        $($(#[$doc:meta])* $field:ident,)*
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$doc])* pub $field: u64,)*
            /// What ended writing, or `Full`, which is tried again; `None`: all is well.
            pub health: Option<ErrorKind>,
        }

        impl $name {
            pub(crate) fn of(handle: *const sys::$handle) -> Result<$name, Error> {
                let struct_size = size_of::<sys::$raw>() as u32;
                let (health, flags) = (0, 0);
                let mut raw = sys::$raw { struct_size, flags, health, $($field: 0,)* };
                check(|err| unsafe { sys::$call(handle, &mut raw, err) })?;
                Ok($name { $($field: raw.$field,)* health: trouble(raw.health as i32) })
            }
        }
    };
}
pub(crate) use stats;

stats! {
    /// Numbers of a store. Counters since it was opened, unless noted as "now".
    ///
    /// In a store at rest `records_live == records_unspilled + records_cold`, and
    /// `bytes_resident == bytes_unspilled + bytes_clean + bytes_free`.
    Stats: spw_stats by spw_store_stats(spw_store)
    /// Now: streams of the store.
    streams,
    /// Batches admitted.
    batches_added,
    /// Records admitted.
    records_added,
    /// Bytes of their payloads.
    payload_bytes_added,
    /// Now: records in all streams.
    records_live,
    /// Now: records in memory only.
    records_unspilled,
    /// Now: records in the cold tier, some of them also in memory.
    records_cold,
    /// Now: records in memory, which is what the record budget limits.
    records_resident,
    /// The most there were at any instant.
    records_resident_peak,
    /// Now: memory of records that are not yet in the cold tier, in bytes.
    bytes_unspilled,
    /// Now: memory of records that are also in the cold tier, in bytes.
    bytes_clean,
    /// Now: memory kept for reuse, in bytes.
    bytes_free,
    /// Now: the sum of the three, never above `bytes_hard`.
    bytes_resident,
    /// The most there was at any instant, in bytes.
    bytes_resident_peak,
    /// Now: memory that only cursors' current views and detached batches hold, in bytes; it comes
    /// on top.
    bytes_pinned,
    /// Now: the budget in bytes; `u64::MAX`: none.
    bytes_soft,
    /// Now: the hard limit in bytes; `u64::MAX`: none.
    bytes_hard,
    /// Now: the budget in records; `u64::MAX`: none.
    records_soft,
    /// Now: the hard limit in records; `u64::MAX`: none.
    records_hard,
    /// Commits to the cold tier.
    spills,
    /// Records they wrote.
    records_spilled,
    /// Bytes of their payloads.
    payload_bytes_spilled,
    /// How long the last spill took, in nanoseconds.
    spill_ns_last,
    /// How long all spills took, in nanoseconds.
    spill_ns_total,
    /// Spills that failed.
    spill_errors,
    /// Now: adds that wait at the hard limit.
    adders_waiting,
    /// Adds that had to wait there and have returned.
    waits,
    /// How long they waited, in nanoseconds.
    wait_ns_total,
    /// How long the longest of them waited, in nanoseconds.
    wait_ns_max,
    /// Adds that ended in `WouldBlock`, `Timeout`, `Cancelled` or `Full` at the hard limit.
    adds_refused,
    /// Records dropped by clear.
    records_cleared,
    /// Clean segments dropped from memory.
    evictions,
    /// Reads of the cold tier.
    cold_reads,
    /// Bytes of payload decoded by them.
    cold_bytes_read,
    /// Damage met in the cold tier.
    checksum_errors,
    /// Now: the size of the cold tier's files, in bytes.
    cold_file_bytes,
    /// Events overwritten before they were drained.
    events_lost,
    /// Records dropped by the trims; those of a clear are in `records_cleared`.
    records_trimmed,
    /// The oldest records of rings, dropped to make room.
    records_overwritten,
    /// Records refused and dropped at the hard limit; never added.
    records_dropped,
    /// Their batches.
    batches_dropped,
    /// Adds slowed between the soft and the hard limit; they are not in `waits`.
    paced,
    /// How long they were slowed, in nanoseconds.
    paced_ns_total,
    /// Now: adds that wait for the device.
    adders_syncing,
    /// Runs copied from the cold tier into memory; see
    /// [`Options::promote_reads`](crate::Options::promote_reads).
    promotions,
    /// Records that reads and gathers found in memory.
    reads_memory,
    /// And in the cold tier.
    reads_cold,
}

pub(crate) fn trouble(status: i32) -> Option<ErrorKind> {
    (status != sys::SPW_OK).then(|| ErrorKind::of(status))
}

/// Numbers of a stream now: `begin_seq <= spilled_seq <= tail_seq`, and each only ever goes up.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamStats {
    /// Whether every record has a time, or none.
    pub has_times: bool,
    /// The first record there is; what lies below was cleared.
    pub begin_seq: u64,
    /// All records below are on the device.
    pub spilled_seq: u64,
    /// What the next record gets; `tail_seq - begin_seq` is the count of records.
    pub tail_seq: u64,
    /// Records in memory.
    pub records_resident: u64,
    /// Memory of records that are not yet in the cold tier, in bytes.
    pub bytes_unspilled: u64,
}

impl StreamStats {
    pub(crate) fn of(store: *const sys::spw_store, stream: Stream) -> Result<StreamStats, Error> {
        let mut raw = sys::spw_stream_stats {
            struct_size: size_of::<sys::spw_stream_stats>() as u32,
            flags: 0,
            begin_seq: 0,
            spilled_seq: 0,
            tail_seq: 0,
            records_resident: 0,
            bytes_unspilled: 0,
        };
        check(|err| unsafe { sys::spw_store_stream_stats(store, stream.id(), &mut raw, err) })?;
        Ok(StreamStats {
            has_times: raw.flags & sys::SPW_STREAM_HAS_TIMES != 0,
            begin_seq: raw.begin_seq,
            spilled_seq: raw.spilled_seq,
            tail_seq: raw.tail_seq,
            records_resident: raw.records_resident,
            bytes_unspilled: raw.bytes_unspilled,
        })
    }
}

/// What happened in a store; see [`Store::events`](crate::Store::events).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// What it was.
    pub kind: EventKind,
    /// When, to the nanosecond.
    pub time: SystemTime,
    /// The stream it is about; `None`: the store as a whole.
    pub stream: Option<Stream>,
    /// What went wrong, where something did.
    pub error: Option<ErrorKind>,
    /// The first record it is about.
    pub seq: Option<u64>,
    /// How many records it is about.
    pub count: u64,
    /// A number that depends on the kind.
    pub value: u64,
}

/// What kind of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// An add of `count` records waited for `value` nanoseconds.
    Blocked,
    /// A spill of `count` records with `value` bytes of payload began.
    SpillBegin,
    /// A spill of `count` records ended after `value` nanoseconds.
    SpillEnd,
    /// A spill failed: see `error`; `value` is errno.
    Error,
    /// Spilling goes on after the disk was full.
    Recovered,
    /// Damaged records were met: `count` from `seq` on.
    Corrupt,
    /// `count` records were dropped at the hard limit: from `seq` on by
    /// [`WhenFull::DropOldest`](crate::WhenFull::DropOldest); those that
    /// [`WhenFull::DropNewest`](crate::WhenFull::DropNewest) drops never had a number.
    Dropped,
    /// Something that is younger than this binding.
    Other(u32),
}

impl EventKind {
    fn of(kind: u32) -> EventKind {
        match kind as i32 {
            sys::SPW_EVENT_BLOCKED => EventKind::Blocked,
            sys::SPW_EVENT_SPILL_BEGIN => EventKind::SpillBegin,
            sys::SPW_EVENT_SPILL_END => EventKind::SpillEnd,
            sys::SPW_EVENT_ERROR => EventKind::Error,
            sys::SPW_EVENT_RECOVERED => EventKind::Recovered,
            sys::SPW_EVENT_CORRUPT => EventKind::Corrupt,
            sys::SPW_EVENT_DROPPED => EventKind::Dropped,
            _ => EventKind::Other(kind),
        }
    }
}

const NO_EVENT: sys::spw_event = sys::spw_event {
    kind: 0,
    stream: 0,
    code: 0,
    reserved: 0,
    time_ns: 0,
    seq: 0,
    count: 0,
    value: 0,
};

impl Event {
    /// The library keeps 256, so one call drains all of them.
    const KEPT: usize = 256;

    pub(crate) fn drain(store: *mut sys::spw_store) -> Result<Vec<Event>, Error> {
        let mut raw = vec![NO_EVENT; Event::KEPT];
        let (size, mut count) = (size_of::<sys::spw_event>(), 0);
        check(|err| unsafe {
            sys::spw_store_events(store, raw.as_mut_ptr(), size, raw.len(), &mut count, err)
        })?;
        Ok(raw.iter().take(count).map(Event::from_raw).collect())
    }

    fn from_raw(raw: &sys::spw_event) -> Event {
        Event {
            kind: EventKind::of(raw.kind),
            time: UNIX_EPOCH + Duration::from_nanos(raw.time_ns),
            stream: (raw.stream != sys::SPW_ALL).then(|| Stream::from_id(raw.stream)),
            error: trouble(raw.code),
            seq: (raw.seq != sys::SPW_SEQ_NONE).then_some(raw.seq),
            count: raw.count,
            value: raw.value,
        }
    }
}
