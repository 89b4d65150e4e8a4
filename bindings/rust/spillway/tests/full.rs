//! An add that is admitted and cannot be made durable. Alone in its program: it limits how long the
//! files of this process may be.
#![cfg(target_os = "linux")]
mod common;

use std::time::Duration;

use common::{limit_files, refused, Folder};
use spillway::{Batch, ErrorKind, FlushLevel, Options, Stream};

#[test]
fn failed_sync_tells_what_was_admitted() {
    let folder = Folder::new();
    let mut options = Options::new();
    options.budget_bytes(64 << 20).sync_interval(Duration::from_secs(0));
    let store = options.open(folder.store()).unwrap();
    let stream = store.stream("log").unwrap();
    store.add(stream, &Batch::from_iter(["kept"])).unwrap();
    let big: Vec<u8> = (0..4 << 20).map(|i: u32| (i % 251) as u8).collect();

    limit_files(1 << 20);
    let full = refused(store.add(stream, &Batch::from_iter([&big])), ErrorKind::Full);
    limit_files(u64::MAX);
    assert_eq!(full.admitted(), Some(1));
    store.flush(FlushLevel::Device).unwrap(); // it was tried again
    assert!(store.read(stream, 1).unwrap().payload == big);
    assert_eq!(store.stream_stats(stream).unwrap().spilled_seq, 2);

    let none = store.add(Stream::from_id(99), &Batch::from_iter(["x"]));
    assert_eq!(refused(none, ErrorKind::NotFound).admitted(), None);
    store.close().unwrap();
}
