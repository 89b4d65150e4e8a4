//! Bytes are bytes: in paths, names and payloads.
mod common;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use common::{contents, refused, small_options, Folder};
use spillway::{Batch, ErrorKind, OpenMode, Options, Store};

const NOT_UTF8: &[u8] = b"caf\xe9 \xff\xfe \xc0\x80 \xed\xa0\x80";

#[test]
fn text_that_is_not_unicode() {
    let folder = Folder::new();
    let path = folder.path().join(OsStr::from_bytes(NOT_UTF8));
    let store = small_options().mode(OpenMode::New).open(&path).unwrap();
    let stream = store.stream(NOT_UTF8).unwrap();
    assert_eq!(store.stream_name(stream).unwrap(), NOT_UTF8);
    store.add(stream, &Batch::from_iter([NOT_UTF8, b"\0", b""])).unwrap();
    store.close().unwrap();
    assert!(path.exists());

    let store = small_options().mode(OpenMode::Existing).open(&path).unwrap();
    assert_eq!(store.stream(NOT_UTF8).unwrap(), stream);
    let payloads: Vec<_> = contents(&store, stream).into_iter().map(|each| each.payload).collect();
    assert_eq!(payloads, [NOT_UTF8, b"\0", b""]);
    let again = refused(small_options().open(&path), ErrorKind::Busy);
    assert!(!again.message().is_empty() && !again.to_string().is_empty());
    store.close().unwrap();

    let missing = folder.path().join(OsStr::from_bytes(b"\xff")).join("store");
    let error = refused(small_options().open(missing), ErrorKind::NotFound);
    assert!(!error.to_string().is_empty(), "a message with a path that is not UTF-8");
}

#[test]
fn nul_in_a_path_is_refused() {
    let folder = Folder::new();
    let path = folder.path().join("before\0after");
    refused(small_options().open(path), ErrorKind::InvalidArgument);
    refused(Store::open(""), ErrorKind::InvalidArgument);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn names_of_streams() {
    let store = Options::new();
    let folder = Folder::new();
    let store = store.open(folder.store()).unwrap();
    refused(store.stream(""), ErrorKind::InvalidArgument);
    refused(store.stream([b'x'; 1025]), ErrorKind::TooBig);
    let longest = store.stream([b'x'; 1024]).unwrap();
    assert_eq!(store.stream_name(longest).unwrap(), [b'x'; 1024]);
    let with_nul = store.stream(b"a\0b").unwrap();
    assert_eq!(store.stream_name(with_nul).unwrap(), b"a\0b");
    assert_ne!(store.stream("a").unwrap(), with_nul);
    let many: Vec<_> = (0..100).map(|i| store.stream(format!("s{}", i)).unwrap()).collect();
    let all = store.streams().unwrap();
    assert_eq!(all.len(), 103);
    assert_eq!(all[3..], many);
    store.close().unwrap();
}
