//! What a block file tells about itself.

use std::mem::size_of;

use spillway_sys as sys;

use crate::error::{check, Error, ErrorKind};
use crate::stats::{stats, trouble};

stats! {
    /// Numbers of a block file. Counters since it was opened, unless noted as "now".
    ///
    /// `bytes_file == bytes_used + bytes_held + bytes_free`. What waits in memory is not counted in
    /// `blocks` and `payload_bytes` until it is written; after a flush they equal what a scan finds.
    BlockStats: spw_block_stats by spw_file_stats(spw_file)
    /// Now: blocks in the file.
    blocks,
    /// Now: bytes of their payloads.
    payload_bytes,
    /// Now: the file's length in bytes.
    bytes_file,
    /// Now: bytes of it that what the file holds takes.
    bytes_used,
    /// Now: bytes of it that the journal and the reserve take, and what snapshots or the last
    /// checkpoint still need.
    bytes_held,
    /// Now: bytes of it that are used again before the file grows.
    bytes_free,
    /// Now: changes that wait in memory.
    blocks_dirty,
    /// Now: memory that they take, in bytes.
    bytes_dirty,
    /// Now: payload kept for [`Blocks::get`](crate::Blocks::get), in bytes.
    bytes_cached,
    /// Now: open snapshots, transactions and lists.
    snapshots,
    /// Changes accepted.
    puts,
    /// Commit groups written.
    groups,
    /// Syncs.
    barriers,
    /// Checkpoints made.
    checkpoints,
    /// Bytes written to the file, of every kind.
    bytes_written,
    /// Bytes read from the file.
    bytes_read,
    /// Changes that found too much waiting in memory.
    waits,
    /// Views that were in memory already.
    cache_hits,
    /// Views that were not.
    cache_misses,
    /// Damage met.
    checksum_errors,
    /// Now: what the file takes of the disk in bytes, holes not counted.
    bytes_disk,
    /// Passes that the scrubber ended.
    scrub_passes,
    /// Problems that they found.
    scrub_problems,
}
