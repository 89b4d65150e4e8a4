//! What a block is.

use std::fmt;
use std::mem::size_of;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use spillway_sys as sys;

/// What a block is: its length, version, times and tag.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct BlockInfo(pub(crate) sys::spw_block_info);

impl BlockInfo {
    /// For the library to fill.
    pub(crate) const EMPTY: BlockInfo = BlockInfo(sys::spw_block_info {
        struct_size: size_of::<sys::spw_block_info>() as u32,
        tag_len: 0,
        length: 0,
        version: 0,
        created_ns: 0,
        modified_ns: 0,
        tag: [0; sys::SPW_BLOCK_TAG_MAX as usize],
    });

    /// How many bytes the block has.
    pub fn length(&self) -> u64 {
        self.0.length
    }

    /// Its version, which is another after every change: above every earlier one of the file. 0 if
    /// the transaction that was asked changed it, and is not committed.
    pub fn version(&self) -> u64 {
        self.0.version
    }

    /// When it was created, to the nanosecond.
    pub fn created(&self) -> SystemTime {
        time(self.0.created_ns)
    }

    /// When its payload, tag or name was changed last, to the nanosecond.
    pub fn modified(&self) -> SystemTime {
        time(self.0.modified_ns)
    }

    /// Its tag, which is the user's; empty if none was set.
    pub fn tag(&self) -> &[u8] {
        self.0.tag.get(..self.0.tag_len as usize).unwrap_or(&self.0.tag)
    }
}

fn time(ns: i64) -> SystemTime {
    let distance = Duration::from_nanos(ns.unsigned_abs());
    match ns < 0 {
        true => UNIX_EPOCH - distance,
        false => UNIX_EPOCH + distance,
    }
}

impl PartialEq for BlockInfo {
    fn eq(&self, other: &BlockInfo) -> bool {
        let numbers = |info: &BlockInfo| {
            (info.0.length, info.0.version, info.0.created_ns, info.0.modified_ns)
        };
        numbers(self) == numbers(other) && self.tag() == other.tag()
    }
}

impl Eq for BlockInfo {}

impl fmt::Debug for BlockInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockInfo")
            .field("length", &self.length())
            .field("version", &self.version())
            .field("created", &self.created())
            .field("modified", &self.modified())
            .field("tag", &self.tag())
            .finish()
    }
}
