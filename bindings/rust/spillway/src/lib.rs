//! Spillway holds more records than memory allows: it appends them in batches at memory speed,
//! spills them to disk in the background under one budget that it keeps, reads them back in order,
//! and loses none.
//!
//! ```no_run
//! use spillway::{Batch, Options};
//!
//! fn main() -> Result<(), spillway::Error> {
//!     let store = Options::new().open("first.spw")?;
//!     let log = store.stream("log")?;
//!     store.add(log, &Batch::from_iter(["Hello", "world"]))?;
//!     let mut cursor = store.cursor(log, ..)?;
//!     while let Some(view) = cursor.next()? {
//!         for payload in view {
//!             println!("{}", String::from_utf8_lossy(payload));
//!         }
//!     }
//!     store.close()?; // from here on it is safe
//!     Ok(())
//! }
//! ```
//!
//! - A [`Store`] has [streams](Store::stream); a [`Batch`] of records goes in with [`Store::add`].
//! - A [`Cursor`] reads a snapshot: it lends a [`View`] of many records at a time, not copied.
//!   [`Cursor::detach`] makes one an [`OwnedBatch`], which outlives everything.
//! - [`Store::flush`] and [`Store::close`] make records durable. Dropping a store does not.
//! - [`Store::file`] is the block file that its records are in; [`Store::commit`] makes a transaction
//!   of it and the records durable together.
//! - A [`CancelToken`] ends calls that wait, from another thread.
//!
//! Beside that it keeps many named blocks in one crash-safe file:
//!
//! ```no_run
//! use spillway::{BlockOptions, CommitLevel};
//!
//! fn main() -> Result<(), spillway::Error> {
//!     let file = BlockOptions::new().open("first.blocks")?;
//!     let save = file.begin()?;
//!     save.put("chapter/1", "Hello")?;
//!     save.put("chapter/2", "world")?;
//!     save.commit(CommitLevel::Device)?; // both or none, and safe from here on
//!     println!("{}", String::from_utf8_lossy(&file.get("chapter/2")?));
//!     file.close()?;
//!     Ok(())
//! }
//! ```
//!
//! - A [`BlockFile`] reads and changes blocks with the methods of [`Blocks`] and [`BlocksMut`], as
//!   do a [`BlockTransaction`] and, reading only, a [`BlockSnapshot`].
//! - A [`Blob`] is a view of a block, not copied, which outlives everything; a [`BlockBatch`] and
//!   [`BlockReads`] are many blocks in one call; a [`BlockList`] lends them in order.
//! - A [`BlockReader`] and a [`BlockWriter`] are streams, for blocks too large for memory.
//!
//! There is no executor in here. In async code put calls that may wait into `spawn_blocking` or the
//! like: handles of every kind are `Send` and `'static`.
//!
//! No function panics on what a file or the library says. The crate has no dependencies but
//! `spillway-sys`, which finds `libspillway`.
#![deny(missing_docs, unsafe_op_in_unsafe_fn)]
#![warn(missing_debug_implementations, unreachable_pub, rust_2018_idioms)]

mod batch;
mod block;
mod cursor;
mod error;
mod failed;
mod handle;
mod op;
mod options;
mod owned;
mod read;
mod stats;
mod store;
mod trim;
mod verify;
mod version;
mod view;
mod wait;

pub use batch::{Batch, Columns};
pub use block::{
    Blob, Block, BlockBatch, BlockColumns, BlockEntries, BlockEntry, BlockFile, BlockInfo,
    BlockList, BlockNames, BlockOptions, BlockReader, BlockReads, BlockReport, BlockSnapshot,
    BlockStats, BlockTransaction, BlockView, BlockViewIter, BlockWriter, Blocks, BlocksMut,
    Checksum, CommitError, CommitLevel, Expected, NamesIter, NamesView, OwnedNames, Problem,
    Transfer, TransferError, Vacuum, VacuumResult, Verify,
};
pub use cursor::{Cursor, Records, ViewLimit};
pub use error::{Error, ErrorKind};
pub use failed::{CloseError, Failed};
pub use op::{CancelToken, Progress};
pub use options::{ColdTier, Key, OpenMode, Options, StreamOptions, WhenFull, UNLIMITED};
pub use owned::OwnedBatch;
pub use stats::{Event, EventKind, Stats, StreamStats};
pub use store::{FlushLevel, Store, Stream};
pub use verify::{DamagedRecords, RecordReport, VerifyRecords};
pub use version::{abi_version, leaked_files, leaked_stores, version};
pub use view::{OwnedRecord, Payloads, Record, View, ViewRecords};
pub use wait::Wait;
