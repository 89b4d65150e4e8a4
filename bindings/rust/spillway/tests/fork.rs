//! In a child process everything says so, and dropping harms nobody. Alone in its program: it
//! forks.
mod common;

use common::{contents, refused, small_store, Folder};
use spillway::{Batch, ErrorKind, FlushLevel};

extern "C" {
    fn fork() -> i32;
    fn waitpid(child: i32, status: *mut i32, options: i32) -> i32;
    fn _exit(code: i32) -> !;
}

#[test]
fn a_child_process_cannot_use_the_store() {
    let folder = Folder::new();
    let store = small_store(&folder);
    let stream = store.stream("log").unwrap();
    let batch = Batch::from_iter(["hello"]);
    store.add(stream, &batch).unwrap();
    store.flush(FlushLevel::Device).unwrap();
    let mut cursor = store.cursor(stream, ..).unwrap();
    let view = cursor.next().unwrap().unwrap();
    // Safe: the child uses nothing but this store, and leaves without unwinding or destructors of
    // the parent's.
    let child = unsafe { fork() };
    if child == 0 {
        let is_forked = |error: spillway::Error| error.kind() == ErrorKind::Forked;
        let seen = &view[0] == b"hello";
        let good = store.add(stream, &batch).map_or_else(is_forked, |_| false)
            && store.stats().map_or_else(is_forked, |_| false)
            && cursor.next().map_or_else(is_forked, |_| false);
        let close = store.clone().close().map_or_else(|failed| is_forked(failed.into()), |_| false);
        drop((cursor, store));
        unsafe { _exit(if good && close && seen { 0 } else { 1 }) };
    }
    let mut status = -1;
    assert_eq!(unsafe { waitpid(child, &mut status, 0) }, child);
    assert_eq!(status, 0, "what the child saw");
    store.add(stream, &batch).unwrap();
    assert_eq!(contents(&store, stream).len(), 2);
    drop(cursor);
    refused(common::small_options().open(folder.store()), ErrorKind::Busy);
    store.close().unwrap();
}
