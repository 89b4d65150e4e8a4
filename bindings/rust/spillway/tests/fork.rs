//! In a child process everything says so, and dropping harms nobody. Alone in its program: it
//! forks.
mod common;

use common::{all_blocks, bytes_of, contents, good_in_child, refused, small_store, Folder};
use spillway::{Batch, BlockFile, CommitLevel, Error, ErrorKind, FlushLevel, Verify};

/// One test, so that no other thread works while it forks.
#[test]
fn a_child_process_can_use_nothing() {
    a_child_process_cannot_use_the_store();
    a_child_process_cannot_use_the_file();
}

fn is_forked<T>(result: Result<T, Error>) -> bool {
    result.map_or_else(|error| error.kind() == ErrorKind::Forked, |_| false)
}

fn a_child_process_cannot_use_the_store() {
    let folder = Folder::new();
    let store = small_store(&folder);
    let stream = store.stream("log").unwrap();
    let batch = Batch::from_iter(["hello"]);
    store.add(stream, &batch).unwrap();
    store.flush(FlushLevel::Device).unwrap();
    let mut cursor = store.cursor(stream, ..).unwrap();
    let view = cursor.next().unwrap().unwrap();
    let (in_child, mut cursor_in_child) = (store.clone(), store.cursor(stream, ..).unwrap());
    assert!(good_in_child(|| {
        let good = is_forked(store.add(stream, &batch))
            && is_forked(store.stats())
            && is_forked(cursor_in_child.next())
            && is_forked(in_child.clone().close().map_err(Error::from))
            && view[0] == *b"hello";
        drop((cursor_in_child, in_child));
        good
    }));
    store.add(stream, &batch).unwrap();
    assert_eq!(contents(&store, stream).len(), 2);
    drop(cursor);
    refused(common::small_options().open(folder.store()), ErrorKind::Busy);
    store.close().unwrap();
}

fn a_child_process_cannot_use_the_file() {
    let folder = Folder::new();
    let file = folder.file();
    file.put("a", "text").unwrap();
    let (blob, change) = (file.get("a").unwrap(), file.begin().unwrap());
    change.put("b", "more").unwrap();
    let (in_child, change_in_child) = (file.clone(), file.begin().unwrap());
    let mut list = file.list("").unwrap();
    let (reader, writer) = (file.reader("a").unwrap(), file.writer("c").unwrap());
    assert!(good_in_child(|| {
        let good = is_forked(file.put("a", "child's"))
            && is_forked(file.get("a"))
            && is_forked(file.stats())
            && is_forked(file.verify(Verify::full()))
            && is_forked(file.flush(FlushLevel::Device))
            && is_forked(list.next())
            && is_forked(reader.read_at(&mut [0; 9], 0))
            && is_forked(writer.commit().map_err(Error::from))
            && is_forked(change.put("c", "child's"))
            && is_forked(change_in_child.commit(CommitLevel::Device))
            && is_forked(in_child.close().map_err(Error::from))
            && blob[..] == *b"text";
        drop((list, reader));
        good
    }));
    change.commit(CommitLevel::Device).unwrap();
    assert_eq!(bytes_of(&file, "b").unwrap(), b"more");
    refused(BlockFile::open(folder.blocks()), ErrorKind::Busy);
    file.close().unwrap();
    assert_eq!(all_blocks(&folder.file()).len(), 2);
}
