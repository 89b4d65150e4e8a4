//! The block file: many named blocks in one crash-safe file.

mod batch;
mod blob;
mod file;
mod info;
mod list;
mod maintain;
mod options;
mod read;
mod reader;
mod stats;
mod transaction;
mod verify;
mod view;
mod write;
mod writer;

pub use batch::{BlockBatch, BlockColumns, BlockReads};
pub use blob::Blob;
pub use file::BlockFile;
pub use info::BlockInfo;
pub use list::{BlockEntries, BlockList, BlockNames, OwnedNames};
pub use maintain::{Transfer, TransferError, Vacuum, VacuumResult};
pub use options::{BlockOptions, Checksum};
pub use read::Blocks;
pub use reader::BlockReader;
pub use stats::BlockStats;
pub use transaction::{BlockSnapshot, BlockTransaction, CommitLevel};
pub use verify::{BlockReport, Problem, Verify};
pub use view::{Block, BlockEntry, BlockView, BlockViewIter, NamesIter, NamesView};
pub use write::{BlocksMut, Expected};
pub use writer::{BlockWriter, CommitError};
