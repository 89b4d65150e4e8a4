//! Block files: opening, closing, reading only, damage, and dropping in any order.
mod common;

use std::thread;

use common::{all_blocks, bytes_of, refused, Folder, Prng};
use spillway::{
    Blob, BlockBatch, BlockFile, BlockList, BlockOptions, BlockReads, BlockReport, BlockSnapshot,
    BlockTransaction, BlocksMut, CancelToken, Checksum, CommitLevel, ErrorKind, Expected,
    FlushLevel, Key, OpenMode, Verify,
};

#[test]
fn block_open_modes_and_options() {
    let folder = Folder::new();
    let open = |options: &mut BlockOptions| options.open(folder.blocks());
    let new = BlockOptions::new;
    refused(open(new().mode(OpenMode::Existing)), ErrorKind::NotFound);
    refused(open(new().read_only()), ErrorKind::NotFound);
    refused(open(new().dirty_bytes(1)), ErrorKind::InvalidArgument);
    refused(open(new().set(Key::BUDGET_BYTES, 1 << 20)), ErrorKind::Unsupported);
    refused(open(new().set(Key(99), 1)), ErrorKind::Unsupported);
    let token = CancelToken::new();
    token.cancel();
    refused(new().open_with(folder.blocks(), &token), ErrorKind::Cancelled);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);

    let mut options = new();
    options.mode(OpenMode::New).checksum(Checksum::Sha256).dirty_bytes(1 << 20).dirty_blocks(10);
    options.cache_bytes(0).growth_bytes(1 << 20).journal_bytes(1 << 20);
    assert_eq!(options.get(Key::FILE_DIRTY_BLOCKS), Some(10));
    let file = options.open_with(folder.blocks(), &CancelToken::new()).unwrap();
    file.put("a", "text").unwrap();
    refused(BlockFile::open(folder.blocks()), ErrorKind::Busy);
    file.close().unwrap();
    refused(open(new().mode(OpenMode::New)), ErrorKind::AlreadyExists);
    refused(open(new().checksum(Checksum::Xxh3)), ErrorKind::InvalidArgument);
    assert_eq!(bytes_of(&folder.file(), "a").unwrap(), b"text");
    std::fs::write(folder.path().join("other"), [b'x'; 8192]).unwrap();
    refused(BlockFile::open(folder.path().join("other")), ErrorKind::Corrupt);
}

#[test]
fn block_read_only() {
    let folder = Folder::new();
    let file = folder.file();
    file.put("a", vec![b'a'; 100_000]).unwrap();
    file.put("b", "b").unwrap();
    file.close().unwrap();
    let before = std::fs::read(folder.blocks()).unwrap();
    let open = || BlockOptions::new().read_only().open(folder.blocks());
    let (first, second) = (open().unwrap(), open().unwrap());
    refused(BlockFile::open(folder.blocks()), ErrorKind::Busy);
    for file in [first, second] {
        assert_eq!(file.get("a").unwrap()[..], vec![b'a'; 100_000]);
        let no_change = |blocks: &BlocksMut| {
            let readonly = ErrorKind::ReadOnly;
            refused(blocks.put("a", "x"), readonly);
            refused(blocks.put_if("c", "x", Expected::Absent), readonly);
            refused(blocks.put_batch(&BlockBatch::from_iter([("a", "x")])), readonly);
            refused(blocks.append("a", "x"), readonly);
            refused(blocks.patch("a", 0, "x"), readonly);
            refused(blocks.delete("a"), readonly);
            refused(blocks.rename("a", "c"), readonly);
            refused(blocks.set_tag("a", "x"), readonly);
        };
        no_change(&file);
        no_change(&file.begin().unwrap());
        assert_eq!(all_blocks(&file.snapshot().unwrap()).len(), 2);
        file.flush(FlushLevel::Checkpoint).unwrap();
        assert!(file.verify(Verify::full()).unwrap().is_clean());
        file.close().unwrap();
    }
    assert!(std::fs::read(folder.blocks()).unwrap() == before, "no byte was changed");
}

#[test]
fn block_closed_file_says_closed() {
    let folder = Folder::new();
    let file = folder.file();
    file.put("a", "text").unwrap();
    let (change, snapshot) = (file.begin().unwrap(), file.snapshot().unwrap());
    change.put("b", "never").unwrap();
    let (mut list, mut names) = (file.list("").unwrap(), file.list_names("").unwrap());
    let (blob, report) = (file.get("a").unwrap(), file.verify(Verify::structures()).unwrap());
    let open = file.clone();
    file.close().unwrap();

    let closed = ErrorKind::Closed;
    for blocks in [&*open, &*change] {
        refused(blocks.put("a", ""), closed);
        refused(blocks.put_batch(&BlockBatch::from_iter([("a", "")])), closed);
        refused(blocks.append("a", ""), closed);
        refused(blocks.patch("a", 0, ""), closed);
        refused(blocks.delete("a"), closed);
        refused(blocks.rename("a", "b"), closed);
        refused(blocks.set_tag("a", ""), closed);
    }
    for blocks in [&**open, &**change, &*snapshot] {
        refused(blocks.get("a"), closed);
        refused(blocks.read_at("a", &mut [0; 9], 0), closed);
        refused(blocks.read_batch(&mut BlockReads::from_iter(["a"])), closed);
        refused(blocks.stat("a"), closed);
        refused(blocks.exists("a"), closed);
        refused(blocks.list(""), closed);
        refused(blocks.list_names(""), closed);
    }
    refused(open.flush(FlushLevel::Device), closed);
    refused(open.begin(), closed);
    refused(open.snapshot(), closed);
    refused(open.stats(), closed);
    refused(open.verify(Verify::full()), closed);
    refused(list.next(), closed);
    refused(list.seek("a"), closed);
    refused(list.entries().next().unwrap(), closed);
    refused(names.next(), closed);
    refused(names.names().next().unwrap(), closed);
    assert!(!format!("{:?} {:?} {:?} {:?} {:?}", open, change, snapshot, list, names).is_empty());
    refused(change.commit(CommitLevel::Relaxed), closed);

    assert_eq!((&blob[..], report.is_clean()), (&b"text"[..], true));
    open.clone().close().unwrap();
    open.clone().discard().unwrap();
    open.close().unwrap();
    assert_eq!(all_blocks(&folder.file()), [(b"a".to_vec(), b"text".to_vec())]);
}

#[test]
fn block_view_outlives_file() {
    let (folder, mut prng) = (Folder::new(), Prng::new());
    let bytes = prng.bytes(300_000);
    let file = folder.file();
    file.put("a", &bytes).unwrap();
    let waiting = file.get("a").unwrap(); // from memory
    file.flush(FlushLevel::Device).unwrap();
    let written = file.get_range("a", 1000..).unwrap();
    file.put("a", "another").unwrap();
    file.delete("a").unwrap();
    assert_eq!((&waiting[..], &written[..]), (&bytes[..], &bytes[1000..]));
    file.close().unwrap();
    std::fs::remove_file(folder.blocks()).unwrap();
    let empty: Blob = {
        let file = folder.file();
        file.put("empty", "").unwrap();
        file.get("empty").unwrap()
    };
    assert!(empty.is_empty());
    let seen = thread::spawn(move || waiting[..] == bytes && written.as_ref() == &bytes[1000..]);
    assert!(seen.join().unwrap());
}

/// Something to drop, and a look at it first if it can still be looked at.
enum Thing {
    File(BlockFile),
    Change(BlockTransaction),
    Snapshot(BlockSnapshot),
    List(BlockList),
    Blob(Blob),
    Report(BlockReport),
}

impl Thing {
    fn look(&mut self) {
        match self {
            Thing::File(file) => assert_eq!(bytes_of(file, "a").unwrap(), [1; 3000]),
            Thing::Change(change) => assert_eq!(bytes_of(change, "a").unwrap(), [2; 9]),
            Thing::Snapshot(snapshot) => assert_eq!(bytes_of(snapshot, "a").unwrap(), [1; 3000]),
            Thing::List(list) => {
                list.seek("").unwrap();
                assert_eq!(list.next().unwrap().unwrap().get(0).unwrap().name, b"a");
            }
            Thing::Blob(blob) => assert_eq!(blob[..], [1; 3000]),
            Thing::Report(report) => assert_eq!(report.blocks(), 1),
        }
    }
}

fn things(folder: &Folder) -> Vec<Thing> {
    let file = folder.file();
    file.put("a", [1; 3000]).unwrap();
    file.flush(FlushLevel::Device).unwrap();
    let (change, snapshot) = (file.begin().unwrap(), file.snapshot().unwrap());
    change.put("a", [2; 9]).unwrap();
    let (list, blob) = (change.list("").unwrap(), file.get("a").unwrap());
    let report = file.verify(Verify::full()).unwrap();
    vec![
        Thing::File(file),
        Thing::Change(change),
        Thing::Snapshot(snapshot),
        Thing::List(list),
        Thing::Blob(blob),
        Thing::Report(report),
    ]
}

#[test]
fn block_handles_dropped_in_any_order() {
    let mut prng = Prng::new();
    for round in 0..100 {
        let folder = Folder::new();
        let mut left = things(&folder);
        while !left.is_empty() {
            let mut thing = left.swap_remove(prng.below(0..left.len() as u64) as usize);
            thing.look();
            match round % 2 == 0 {
                true => thread::spawn(move || drop(thing)).join().unwrap(),
                false => drop(thing),
            }
        }
        common::until("the file to be let go of", || match BlockFile::open(folder.blocks()) {
            Ok(file) => all_blocks(&file) == [(b"a".to_vec(), vec![1; 3000])],
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Busy);
                false
            }
        });
    }
}

#[test]
fn block_verify_reports_damage() {
    for checksum in [Checksum::Xxh3, Checksum::Sha256] {
        let (folder, mut prng) = (Folder::new(), Prng::new());
        let file = BlockOptions::new().checksum(checksum).open(folder.blocks()).unwrap();
        let blocks: Vec<_> = (0..20).map(|i| (format!("block{}", i), prng.bytes(50_000))).collect();
        file.put_batch(&BlockBatch::from_iter(blocks.iter().map(|(name, data)| (name, data))))
            .unwrap();
        file.flush(FlushLevel::Device).unwrap();
        let token = CancelToken::new();
        let report = file.verify(Verify::full().unless(&token)).unwrap();
        assert!(report.is_clean() && report.is_full() && report.problems().len() == 0);
        assert!(report.blocks() == 20 && report.bytes() >= 20 * 50_000);
        let progress = token.progress();
        assert!(progress.total >= 20 * 50_000 && progress.done == progress.total);
        token.cancel();
        refused(file.verify(Verify::full().unless(&token)), ErrorKind::Cancelled);
        refused(file.verify(Verify::full().bytes_per_second(0)), ErrorKind::InvalidArgument);
        file.close().unwrap();

        let mut all = std::fs::read(folder.blocks()).unwrap();
        let damaged = &blocks[7].1[30_000..30_064];
        let places: Vec<_> =
            (0..all.len() - 64).filter(|at| all[*at..].starts_with(damaged)).collect();
        assert!(!places.is_empty());
        places.iter().for_each(|at| all[at + 20] ^= 1);
        std::fs::write(folder.blocks(), &all).unwrap();

        let file = folder.file();
        let report = file.verify(Verify::full()).unwrap();
        assert_eq!((report.blocks(), report.blocks_damaged()), (20, 1));
        assert!(report.problem_count() >= 1 && !report.is_clean());
        for problem in report.problems() {
            assert_eq!((problem.kind, problem.name), (ErrorKind::Corrupt, Some(&b"block7"[..])));
            assert!(!problem.message.is_empty());
        }
        assert!(
            file.verify(Verify::structures()).unwrap().is_clean(),
            "they are as they should be"
        );
        refused(file.get("block7"), ErrorKind::Corrupt);
        refused(file.read_at("block7", &mut [0; 50_000], 0), ErrorKind::Corrupt);
        let mut reads = BlockReads::from_iter(["block6", "block7", "block8"]);
        file.read_batch(&mut reads).unwrap();
        assert_eq!(reads.block(0).unwrap(), blocks[6].1);
        let error = refused(reads.block(1), ErrorKind::Corrupt);
        assert_eq!(error.name(), "SPW_CORRUPT");
        assert_eq!(reads.block(2).unwrap(), blocks[8].1);
        let others = blocks.iter().filter(|(name, _)| name != "block7");
        assert!(others.clone().count() == 19);
        others.for_each(|(name, data)| assert_eq!(&bytes_of(&file, name).unwrap(), data));
        let stats = file.stats().unwrap();
        assert!(stats.checksum_errors > 0 && stats.health.is_none());
        file.close().unwrap();
        assert_eq!(report.problems().next().unwrap().name, Some(&b"block7"[..]));
    }
}

#[test]
fn block_stats_add_up() {
    let folder = Folder::new();
    let file = folder.file();
    file.put("a", [1; 5000]).unwrap();
    file.put("b", [1; 7]).unwrap();
    let snapshot = file.snapshot().unwrap();
    file.flush(FlushLevel::Device).unwrap();
    let stats = file.stats().unwrap();
    assert_eq!((stats.blocks, stats.payload_bytes, stats.puts), (2, 5007, 2));
    assert_eq!((stats.blocks_dirty, stats.bytes_dirty, stats.snapshots), (0, 0, 1));
    assert_eq!(stats.bytes_file, stats.bytes_used + stats.bytes_held + stats.bytes_free);
    assert_eq!(stats.bytes_file, std::fs::metadata(folder.blocks()).unwrap().len());
    assert!(stats.bytes_written > 5007 && stats.barriers > 0 && stats.health.is_none());
    drop(snapshot);
    assert_eq!(file.stats().unwrap().snapshots, 0);
    file.close().unwrap();
}

/// What the types promise about threads, so that nobody takes it away by accident.
#[test]
fn block_threads() {
    fn any_thread<T: Send + 'static>() {}
    fn many_threads<T: Send + Sync + 'static>() {}
    many_threads::<BlockFile>();
    many_threads::<BlockTransaction>();
    many_threads::<BlockSnapshot>();
    many_threads::<Blob>();
    many_threads::<BlockReport>();
    many_threads::<BlockOptions>();
    many_threads::<BlockBatch>();
    many_threads::<BlockReads>();
    many_threads::<spillway::BlockReader>();
    many_threads::<spillway::BlockWriter>();
    many_threads::<spillway::BlockView<'static>>();
    any_thread::<BlockList>();
    any_thread::<spillway::BlockNames>();

    fn is_error<T: std::error::Error + Send + Sync + 'static>() {}
    is_error::<spillway::CloseError<BlockFile>>();
    is_error::<spillway::CommitError>();
    is_error::<spillway::TransferError>();
}
