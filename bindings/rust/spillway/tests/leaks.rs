//! Handles that nobody closes. Alone in its program: it looks at counters of the whole process.
mod common;

use std::any::Any;

use common::{drop_all, resident_kb, small_options, small_store, Folder, Prng};
use spillway::{leaked_stores, Batch, CancelToken, ErrorKind, FlushLevel, Store};

/// Cursors, batches and tokens in equal parts, of a store with memory to pin.
fn handles(store: &Store, count: usize) -> Vec<Box<dyn Any + Send>> {
    let stream = store.stream("log").unwrap();
    let made = (0..count).map(|number| -> Box<dyn Any + Send> {
        let mut cursor = store.cursor(stream, ..).unwrap();
        match number % 5 {
            0 => Box::new(cursor),
            1 => {
                cursor.next().unwrap();
                Box::new(cursor)
            }
            2 => {
                cursor.next().unwrap();
                Box::new(cursor.detach().unwrap())
            }
            3 => Box::new(store.gather(stream, &[1, 0]).unwrap()),
            _ => {
                let token = CancelToken::new();
                store.add_with(stream, &Batch::new(), &token).unwrap();
                Box::new(token)
            }
        }
    });
    made.collect()
}

#[test]
fn undisposed_handles_are_collected() {
    let (folder, mut prng) = (Folder::new(), Prng::new());
    let store = small_store(&folder);
    let stream = store.stream("log").unwrap();
    store.add(stream, &Batch::from_iter([[1; 1000]; 100])).unwrap();
    store.flush(FlushLevel::Device).unwrap();
    drop_all(handles(&store, 10_000), &mut prng); // so that what is kept for reuse is there
    let before = resident_kb();
    for _ in 0..3 {
        drop_all(handles(&store, 10_000), &mut prng);
    }
    let grown = resident_kb().saturating_sub(before);
    assert!(grown < 8 << 10, "{} KiB more after 30,000 handles", grown);
    common::until("no pinned bytes", || store.stats().unwrap().bytes_pinned == 0);
    store.close().unwrap();
    assert_eq!(leaked_stores(), 0);

    // Stores that are only dropped are counted, and can be opened again once their threads are
    // gone.
    for count in 1..=20 {
        let store = reopened(&folder);
        assert_eq!(store.read(stream, 99).unwrap().payload, [1; 1000]);
        let clone = store.clone();
        let cursor = store.cursor(stream, ..).unwrap();
        drop(store);
        assert_eq!(leaked_stores(), count - 1);
        let keeps_it = [Box::new(clone) as Box<dyn Any + Send>, Box::new(cursor)];
        drop_all(keeps_it.into(), &mut prng);
        assert_eq!(leaked_stores(), count);
    }
    let store = reopened(&folder);
    store.add(stream, &Batch::from_iter(["given up"])).unwrap();
    store.discard().unwrap();
    assert_eq!(leaked_stores(), 20, "a store that was told to give up is not leaked");
}

fn reopened(folder: &Folder) -> Store {
    let mut store = None;
    common::until("the last store to let go of its file", || {
        match small_options().open(folder.store()) {
            Ok(opened) => store = Some(opened),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Busy, "{:?}", error),
        }
        store.is_some()
    });
    store.expect("a store")
}
