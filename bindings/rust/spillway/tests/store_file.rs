//! Records and blocks of the application's own in one file.
mod common;

use std::any::Any;
use std::path::Path;
use std::thread;
use std::time::Duration;

use common::{bytes_of, contents, drop_all, refused, Folder, Prng, BUDGET};
use spillway::{
    leaked_files, Batch, BlockFile, BlockOptions, BlocksMut, CancelToken, ColdTier, CommitLevel,
    ErrorKind, FlushLevel, OpenMode, Options, Store, Verify,
};

const NAME: &str = ".spillway/store";

fn open(path: impl AsRef<Path>) -> Store {
    Options::new().budget_bytes(BUDGET).open(path).unwrap()
}

fn add(store: &Store, first: u64, count: u64) {
    let numbers = (first..first + count).map(|number| number.to_le_bytes());
    store.add(store.stream("log").unwrap(), &numbers.collect::<Batch>()).unwrap();
}

fn has_records(store: &Store, count: u64) {
    let records = contents(store, store.stream("log").unwrap());
    assert_eq!(records.len() as u64, count);
    assert!((0u64..).zip(&records).all(|(number, each)| each.payload[..] == number.to_le_bytes()));
}

#[test]
fn store_file_keeps_records_and_blocks() {
    let (folder, mut prng) = (Folder::new(), Prng::new());
    let before = BlockOptions::new().open(folder.store()).unwrap();
    before.put("older", "than the store").unwrap();
    before.close().unwrap();
    let store = open(folder.store());
    let file = store.file().unwrap();
    let blocks = (0..50).map(|_| prng.bytes(5000)).collect::<Vec<_>>();
    for (number, bytes) in blocks.iter().enumerate() {
        add(&store, 1000 * number as u64, 1000);
        file.put(format!("block{}", number), bytes).unwrap();
    }
    assert!(store.stats().unwrap().records_spilled > 0);
    assert_eq!(bytes_of(&file, "older").unwrap(), b"than the store");
    assert_eq!(file.verify(Verify::full()).unwrap().problem_count(), 0);
    has_records(&store, 50_000);
    store.close().unwrap();

    let store = Store::open(folder.store()).unwrap();
    has_records(&store, 50_000);
    for (number, bytes) in blocks.iter().enumerate() {
        let block = bytes_of(&store.file().unwrap(), format!("block{}", number)).unwrap();
        assert_eq!(block, *bytes);
    }
    store.close().unwrap();
}

#[test]
fn store_file_commits_with_records() {
    let folder = Folder::new();
    let store = open(folder.store());
    let file = store.file().unwrap();
    add(&store, 0, 1);
    store.flush(FlushLevel::Device).unwrap();
    let levels = [FlushLevel::Kernel, FlushLevel::Checkpoint, FlushLevel::Device];
    let mut fewest = u64::MAX;
    for (number, level) in (0u64..30).zip(levels.into_iter().cycle()) {
        add(&store, 1 + 10 * number, 10);
        let save = file.begin().unwrap();
        save.put("position", number.to_le_bytes()).unwrap();
        let barriers = file.stats().unwrap().barriers;
        store.commit(save, level).unwrap();
        if level == FlushLevel::Device {
            fewest = fewest.min(file.stats().unwrap().barriers - barriers);
        }
    }
    assert_eq!(fewest, 1); // the library may have one of its own now and then

    let save = file.begin().unwrap();
    save.put("cancelled", "").unwrap();
    let token = CancelToken::new();
    token.cancel();
    let failed = store.commit_with(save, FlushLevel::Device, &token).unwrap_err();
    assert_eq!(failed.error().kind(), ErrorKind::Cancelled);
    let (save, _) = failed.into_parts(); // as it was
    store.commit_with(save, FlushLevel::Device, Duration::from_secs(3600)).unwrap();

    let (first, second) = (file.begin().unwrap(), file.begin().unwrap());
    first.put("both", "1").unwrap();
    second.put("both", "2").unwrap();
    store.commit(first, FlushLevel::Device).unwrap();
    let (second, error) = store.commit(second, FlushLevel::Device).unwrap_err().into_parts();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    refused(second.put("x", ""), ErrorKind::InvalidState); // it has ended

    let other = folder.file();
    let foreign = other.begin().unwrap();
    foreign.put("a", "").unwrap();
    let (foreign, error) = store.commit(foreign, FlushLevel::Device).unwrap_err().into_parts();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    foreign.commit(CommitLevel::Device).unwrap(); // as it was
    other.close().unwrap();

    store.discard().unwrap(); // as a crash
    let store = open(folder.store());
    let file = store.file().unwrap();
    has_records(&store, 301);
    assert_eq!(bytes_of(&file, "position").unwrap(), 29u64.to_le_bytes());
    assert_eq!(bytes_of(&file, "cancelled").unwrap(), b"");
    assert_eq!(bytes_of(&file, "both").unwrap(), b"1");
    store.close().unwrap();
}

#[test]
fn store_file_closes_with_its_store() {
    let folder = Folder::new();
    let store = open(folder.store());
    let file = store.file().unwrap();
    file.put("a", "kept").unwrap();
    let (file, error) = file.close().unwrap_err().into_parts();
    assert_eq!(error.kind(), ErrorKind::InvalidState);
    let (file, error) = file.discard().unwrap_err().into_parts();
    assert_eq!(error.kind(), ErrorKind::InvalidState);
    drop(store.file().unwrap());
    drop(file.clone());
    assert_eq!(bytes_of(&file, "a").unwrap(), b"kept"); // dropping others has closed nothing
    let (save, mut list) = (file.begin().unwrap(), file.list("").unwrap());
    let blob = file.get("a").unwrap();
    store.clone().close().unwrap();
    refused(file.stat("a"), ErrorKind::Closed);
    refused(file.put("a", ""), ErrorKind::Closed);
    refused(file.flush(FlushLevel::Device), ErrorKind::Closed);
    refused(file.stats(), ErrorKind::Closed);
    refused(save.put("a", ""), ErrorKind::Closed);
    refused(list.next(), ErrorKind::Closed);
    refused(store.file(), ErrorKind::Closed);
    let failed = store.commit(save, FlushLevel::Device).unwrap_err();
    assert_eq!(failed.error().kind(), ErrorKind::Closed);
    assert_eq!(&blob[..], b"kept");
    drop(file);
    let file = BlockFile::open(folder.store()).unwrap();
    assert_eq!(bytes_of(&file, "a").unwrap(), b"kept");
    file.close().unwrap();
}

#[test]
fn store_file_in_any_order() {
    let mut prng = Prng::new();
    let leaked = leaked_files();
    for round in 0..50 {
        let folder = Folder::new();
        let store = open(folder.store());
        add(&store, 0, 100);
        let file = store.file().unwrap();
        file.put("a", "1").unwrap();
        let save = file.begin().unwrap();
        save.put("lost", "").unwrap();
        let cursor = store.cursor(store.stream("log").unwrap(), ..).unwrap();
        if round % 2 == 0 {
            store.clone().close().unwrap();
        }
        let handles: Vec<Box<dyn Any + Send>> = vec![
            Box::new(file.list("").ok()),
            Box::new(file.snapshot().ok()),
            Box::new(file),
            Box::new(store),
            Box::new(save),
            Box::new(cursor),
        ];
        drop_all(handles, &mut prng);
    }
    assert_eq!(leaked_files(), leaked);

    // What came from the store keeps it open, on whatever thread it is dropped.
    let folder = Folder::new();
    let snapshot = {
        let store = open(folder.store());
        let file = store.file().unwrap();
        file.put("a", "1").unwrap();
        file.snapshot().unwrap()
    };
    let reader = thread::spawn(move || bytes_of(&snapshot, "a").unwrap());
    assert_eq!(reader.join().unwrap(), b"1");
}

#[test]
fn store_without_a_file_is_unsupported() {
    let folder = Folder::new();
    let sqlite = Options::new().cold_tier(ColdTier::Sqlite).open(folder.store()).unwrap();
    let other = folder.file();
    let mut save = other.begin().unwrap();
    for store in [&Store::in_memory().unwrap(), &sqlite] {
        refused(store.file(), ErrorKind::Unsupported);
        save = store.commit(save, FlushLevel::Device).unwrap_err().into_parts().0;
    }
    save.commit(CommitLevel::Relaxed).unwrap();
    other.close().unwrap();
    sqlite.close().unwrap();
    let block_file = Options::new().cold_tier(ColdTier::BlockFile).clone();
    refused(block_file.open(folder.store()), ErrorKind::InvalidArgument);
    // Nor is there a store in every block file.
    let existing = Options::new().mode(OpenMode::Existing).clone();
    refused(existing.open(folder.blocks()), ErrorKind::NotFound);
}

fn refuses_changes(blocks: &BlocksMut) {
    let batch = [(".spillway/x", "")].into_iter().collect::<spillway::BlockBatch>();
    let kind = ErrorKind::InvalidArgument;
    refused(blocks.put(NAME, ""), kind);
    refused(blocks.put_batch(&batch), kind);
    refused(blocks.append(NAME, "x"), kind);
    refused(blocks.patch(NAME, 0, "x"), kind);
    refused(blocks.delete(NAME), kind);
    refused(blocks.rename(NAME, "other"), kind);
    refused(blocks.rename("mine", ".spillway/x"), kind);
    refused(blocks.set_tag(NAME, ""), kind);
    refused(blocks.writer(NAME), kind);
}

#[test]
fn store_file_names_are_reserved() {
    let folder = Folder::new();
    let store = open(folder.store());
    add(&store, 0, 100);
    store.flush(FlushLevel::Device).unwrap();
    let file = store.file().unwrap();
    let whole = bytes_of(&file, NAME).unwrap();
    file.put("mine", "text").unwrap();
    refuses_changes(&file);
    refuses_changes(&file.begin().unwrap());
    assert_eq!(bytes_of(&file, NAME).unwrap(), whole);
    has_records(&store, 100);
    store.close().unwrap();
}
