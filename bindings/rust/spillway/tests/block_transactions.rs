//! Transactions and snapshots: who sees what, and when.
mod common;

use std::thread;

use common::{all_blocks, bytes_of, refused, Folder};
use spillway::{Blocks, BlocksMut, CommitLevel, ErrorKind, Expected};

const LEVELS: [CommitLevel; 4] =
    [CommitLevel::Relaxed, CommitLevel::Kernel, CommitLevel::Device, CommitLevel::Checkpoint];

/// Every kind of change.
fn change(blocks: &BlocksMut) {
    blocks.put("new", "block").unwrap();
    blocks.append("log", "!").unwrap();
    blocks.patch("text", 0, "T").unwrap();
    blocks.delete("gone").unwrap();
    blocks.rename("from", "to").unwrap();
    blocks.set_tag("text", "tag").unwrap();
    blocks
        .put_batch(&[("b1", "1"), ("b2", "2")].into_iter().collect::<spillway::BlockBatch>())
        .unwrap();
}

fn fill(blocks: &BlocksMut) {
    for name in ["log", "text", "gone", "from"] {
        blocks.put(name, name).unwrap();
    }
}

fn names(blocks: &Blocks) -> String {
    let names = all_blocks(blocks).into_iter().map(|(name, _)| String::from_utf8(name).unwrap());
    names.collect::<Vec<_>>().join(" ")
}

#[test]
fn block_txn_rolls_back() {
    let folder = Folder::new();
    let file = folder.file();
    fill(&file);
    let before = all_blocks(&file);
    let change_it = file.begin().unwrap();
    change(&change_it);
    assert_eq!(names(&change_it), "b1 b2 log new text to");
    assert_eq!(change_it.stat("new").unwrap().version(), 0);
    assert_eq!(change_it.put("new", "again").unwrap(), 0);
    assert_eq!(all_blocks(&file), before);
    drop(change_it);
    assert_eq!(all_blocks(&file), before);
    assert_eq!(file.stats().unwrap().snapshots, 0);
    file.close().unwrap();
    assert_eq!(all_blocks(&folder.file()), before);
}

#[test]
fn block_txn_commits_whole() {
    for level in LEVELS {
        let folder = Folder::new();
        let file = folder.file();
        fill(&file);
        let change_it = file.begin().unwrap();
        change(&change_it);
        change_it.commit(level).unwrap();
        let after = all_blocks(&file);
        assert_eq!(names(&file), "b1 b2 log new text to");
        assert_eq!(bytes_of(&file, "text").unwrap(), b"Text");
        assert!(file.stat("new").unwrap().version() > 0);
        if level == CommitLevel::Relaxed {
            file.close().unwrap();
        } else {
            file.discard().unwrap(); // what was committed needs no close
        }
        assert_eq!(all_blocks(&folder.file()), after);
    }
}

#[test]
fn block_txn_conflict() {
    let folder = Folder::new();
    let file = folder.file();
    file.put("a", "1").unwrap();
    let (first, second) = (file.begin().unwrap(), file.begin().unwrap());
    first.put("a", "first").unwrap();
    second.put("a", "second").unwrap();
    second.put("b", "second").unwrap();
    first.commit(CommitLevel::Relaxed).unwrap();
    assert_eq!(bytes_of(&second, "a").unwrap(), b"second");
    let error = refused(second.commit(CommitLevel::Device), ErrorKind::Conflict);
    assert_eq!(error.name(), "SPW_CONFLICT");
    assert_eq!(all_blocks(&file), [(b"a".to_vec(), b"first".to_vec())]);

    // Conditions are judged by what the transaction sees.
    let third = file.begin().unwrap();
    refused(third.put_if("a", "", Expected::Absent), ErrorKind::AlreadyExists);
    refused(third.put_if("a", "", Expected::Version(1 << 60)), ErrorKind::Conflict);
    third.put_if("a", "third", Expected::Version(file.stat("a").unwrap().version())).unwrap();
    third.commit(CommitLevel::Relaxed).unwrap();
    assert_eq!(bytes_of(&file, "a").unwrap(), b"third");
    file.close().unwrap();
}

#[test]
fn block_snapshot_is_stable() {
    let folder = Folder::new();
    let file = folder.file();
    fill(&file);
    let before = all_blocks(&file);
    let snapshot = file.snapshot().unwrap();
    let mut list = snapshot.list("").unwrap();
    change(&file);
    file.flush(spillway::FlushLevel::Checkpoint).unwrap();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| assert_eq!(all_blocks(&snapshot), before));
        }
    });
    refused(snapshot.get("new"), ErrorKind::NotFound);
    assert_eq!(&snapshot.get("gone").unwrap()[..], b"gone");
    let mut reads = spillway::BlockReads::from_iter(["new", "text"]);
    snapshot.read_batch(&mut reads).unwrap();
    refused(reads.block(0), ErrorKind::NotFound);
    assert_eq!(reads.block(1).unwrap(), b"text");
    drop(snapshot);
    let listed = list.entries().map(|entry| entry.unwrap().name).collect::<Vec<_>>();
    assert!(listed.iter().eq(before.iter().map(|(name, _)| name)));
    assert_eq!(names(&file), "b1 b2 log new text to");
    file.close().unwrap();
}

/// Threads that share a transaction, and threads that each have their own.
#[test]
fn block_transactions_on_many_threads() {
    let folder = Folder::new();
    let file = folder.file();
    let shared = file.begin().unwrap();
    thread::scope(|scope| {
        let (file, shared) = (&file, &shared);
        for thread in 0..4 {
            scope.spawn(move || {
                for number in 0..100 {
                    shared.put(format!("shared/{}/{}", thread, number), [thread]).unwrap();
                    let own = file.begin().unwrap();
                    own.put(format!("own/{}/{}", thread, number), [thread]).unwrap();
                    own.commit(CommitLevel::Relaxed).unwrap();
                }
            });
        }
    });
    assert_eq!(file.list_names("").unwrap().names().count(), 400);
    let moved = thread::spawn(move || shared.commit(CommitLevel::Device));
    moved.join().unwrap().unwrap();
    assert_eq!(file.list_names("shared/").unwrap().names().count(), 400);
    file.close().unwrap();
}
