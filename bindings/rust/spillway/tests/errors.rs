//! Errors tell what, where, and which record; every one through the kind that says so.
mod common;

use std::io;

use common::{refused, small_options, small_store, Folder};
use spillway::{
    Batch, Error, ErrorKind, FlushLevel, Key, OpenMode, Options, Store, Stream, StreamOptions,
    ViewLimit,
};

const ENOENT: i32 = 2;
const ENOTDIR: i32 = 20;

#[test]
fn errors_carry_code_and_place() {
    let folder = Folder::new();
    let missing = folder.path().join("missing").join("store.spw");
    let error = refused(small_options().open(&missing), ErrorKind::NotFound);
    assert_eq!((error.raw_code(), error.name()), (4, "SPW_NOT_FOUND"));
    assert_eq!((error.os_error(), error.record_index()), (Some(ENOENT), None));
    assert!(error.message().contains("missing"), "{}", error);
    assert_eq!(error.to_string(), error.message());
    assert!(format!("{:?}", error).contains("os_error: 2"), "{:?}", error);

    std::fs::write(folder.path().join("file"), "no folder").unwrap();
    let error = refused(small_options().open(folder.path().join("file/x")), ErrorKind::Io);
    assert_eq!(error.os_error(), Some(ENOTDIR));
    std::fs::write(folder.path().join("other"), [b'x'; 8192]).unwrap();
    let error = refused(small_options().open(folder.path().join("other")), ErrorKind::Corrupt);
    assert!(!error.message().is_empty());

    let store = small_store(&folder);
    let stream = store.stream("log").unwrap();
    store.add(stream, &Batch::from_iter(["a", "b", "c"])).unwrap();
    let error = refused(store.gather(stream, &[0, 2, 1, 3]), ErrorKind::NotFound);
    assert_eq!((error.record_index(), error.os_error()), (Some(3), None));
    refused(store.read(stream, 3), ErrorKind::NotFound);
    refused(store.read(stream, u64::MAX), ErrorKind::NotFound);
    store.clear(stream).unwrap();
    refused(store.read(stream, 2), ErrorKind::Trimmed);
    let error = refused(store.gather(stream, &[1]), ErrorKind::Trimmed);
    assert_eq!(error.record_index(), Some(0));
    refused(small_options().open(folder.store()), ErrorKind::Busy);
    store.close().unwrap();
    refused(small_options().mode(OpenMode::New).open(folder.store()), ErrorKind::AlreadyExists);
}

#[test]
fn unknown_and_unfit_options() {
    let folder = Folder::new();
    let open = |options: &Options| options.open(folder.store());
    refused(open(Options::new().set(Key(99), 1)), ErrorKind::Unsupported);
    refused(open(Options::new().set(Key::TIMES, 1)), ErrorKind::Unsupported);
    refused(open(Options::new().set(Key::COLD_TIER, 99)), ErrorKind::InvalidArgument);
    refused(open(small_options().budget_bytes(1)), ErrorKind::InvalidArgument);
    refused(open(small_options().hard_percent(99)), ErrorKind::InvalidArgument);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);

    let store = small_store(&folder);
    let stream = store.stream("log").unwrap();
    let with = |options: &StreamOptions| store.stream_with("log", options);
    refused(with(StreamOptions::new().mode(OpenMode::New)), ErrorKind::AlreadyExists);
    refused(with(StreamOptions::new().times(true)), ErrorKind::InvalidArgument);
    refused(with(StreamOptions::new().set(Key::COLD_TIER, 2)), ErrorKind::Unsupported);
    let existing = StreamOptions::new().mode(OpenMode::Existing).clone();
    refused(store.stream_with("other", &existing), ErrorKind::NotFound);
    refused(store.option(Key(99)), ErrorKind::Unsupported);
    refused(store.set_option(Key(99), 1), ErrorKind::Unsupported);
    refused(store.set_option(Key::HARD_PERCENT, 200), ErrorKind::Unsupported);
    refused(store.set_option(Key::TIMEOUT_MS, -2), ErrorKind::InvalidArgument);
    refused(store.flush(FlushLevel::Checkpoint), ErrorKind::InvalidArgument);
    refused(store.stream_option(Stream::from_id(99), Key::TIMES), ErrorKind::NotFound);
    refused(store.set_stream_option(stream, Key::TIMES, 1), ErrorKind::Unsupported);
    store.close().unwrap();
}

#[test]
fn no_such_stream() {
    let store = Store::in_memory().unwrap();
    let none = Stream::from_id(7);
    refused(store.add(none, &Batch::from_iter([""])), ErrorKind::NotFound);
    refused(store.read(none, 0), ErrorKind::NotFound);
    refused(store.read_into(none, 0, &mut Vec::new()), ErrorKind::NotFound);
    refused(store.gather(none, &[0]), ErrorKind::NotFound);
    refused(store.cursor(none, ..), ErrorKind::NotFound);
    refused(store.clear(none), ErrorKind::NotFound);
    refused(store.stream_name(none), ErrorKind::NotFound);
    refused(store.stream_stats(none), ErrorKind::NotFound);
    refused(store.flush(FlushLevel::Kernel), ErrorKind::Unsupported);
}

#[test]
fn misuse_of_a_cursor() {
    let store = Store::in_memory().unwrap();
    let stream = store.stream("log").unwrap();
    store.add(stream, &Batch::from_iter(["a", "b", "c"])).unwrap();
    let mut cursor = store.cursor(stream, 1..).unwrap();
    refused(cursor.detach(), ErrorKind::InvalidState);
    refused(cursor.next_up_to(ViewLimit::records(0)), ErrorKind::InvalidArgument);
    refused(cursor.next_up_to(ViewLimit::bytes(0)), ErrorKind::InvalidArgument);
    refused(cursor.seek(0), ErrorKind::InvalidArgument);
    refused(cursor.seek(4), ErrorKind::InvalidArgument);
    assert_eq!(cursor.next().unwrap().unwrap().len(), 2);
    assert!(cursor.next().unwrap().is_none());
    #[allow(clippy::reversed_empty_ranges)]
    refused(store.cursor(stream, 2..1), ErrorKind::InvalidArgument);

    let mut cleared = store.cursor(stream, ..).unwrap();
    store.clear(stream).unwrap();
    refused(cleared.next(), ErrorKind::Trimmed);
    refused(cleared.next(), ErrorKind::Trimmed);
    let mut records = cleared.records();
    refused(records.next().unwrap(), ErrorKind::Trimmed);
    assert!(records.next().is_none(), "the iterator ends after an error");
    drop(records);
    cleared.seek(3).unwrap();
    assert!(cleared.next().unwrap().is_none());
}

fn kind_of(kind: ErrorKind, result: Result<(), Error>) -> io::ErrorKind {
    let error = io::Error::from(refused(result, kind));
    let inner = error.get_ref().expect("the error inside").downcast_ref::<Error>();
    assert_eq!(inner.expect("is ours").kind(), kind);
    error.kind()
}

#[test]
fn as_errors_of_the_standard_library() {
    fn is_error<T: std::error::Error + Send + Sync + 'static>() {}
    is_error::<Error>();
    is_error::<spillway::CloseError>();

    let folder = Folder::new();
    let missing = Store::open(folder.path().join("a/b")).map(drop);
    assert_eq!(kind_of(ErrorKind::NotFound, missing), io::ErrorKind::NotFound);
    let nul = Store::open("a\0b").map(drop);
    assert_eq!(kind_of(ErrorKind::InvalidArgument, nul), io::ErrorKind::InvalidInput);
    let flush = Store::in_memory().unwrap().flush(FlushLevel::Device);
    assert_eq!(kind_of(ErrorKind::Unsupported, flush), io::ErrorKind::Unsupported);

    fn run() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        Store::open("a\0b")?.close()?;
        Ok(())
    }
    assert!(run().unwrap_err().source().is_none());
}
