//! Close, drop, and in which order.
mod common;

use std::thread;

use common::{refused, small_store, Folder};
use spillway::{
    Batch, Cursor, ErrorKind, FlushLevel, Key, OwnedBatch, Store, Stream, StreamOptions, ViewLimit,
};

#[test]
fn use_after_close() {
    let folder = Folder::new();
    let store = small_store(&folder);
    let stream = store.stream("log").unwrap();
    store.add(stream, &Batch::from_iter(["hello", "world"])).unwrap();
    let mut cursor = store.cursor(stream, ..).unwrap();
    cursor.next().unwrap().expect("a view");
    let batch = cursor.detach().unwrap();
    let gathered = store.gather(stream, &[1]).unwrap();
    let open = store.clone();
    store.close().unwrap();

    let closed = ErrorKind::Closed;
    refused(open.add(stream, &Batch::from_iter(["more"])), closed);
    refused(open.add(stream, &Batch::new()), closed);
    refused(open.stream("log"), closed);
    refused(open.stream_with("other", &StreamOptions::new()), closed);
    refused(open.streams(), closed);
    refused(open.stream_name(stream), closed);
    refused(open.read(stream, 0), closed);
    refused(open.read_into(stream, 0, &mut Vec::new()), closed);
    refused(open.gather(stream, &[0]), closed);
    refused(open.clear(stream), closed);
    refused(open.trim(stream, 0), closed);
    refused(open.trim_before(stream, 0), closed);
    refused(open.trim_to_size(stream, 0), closed);
    refused(open.settle(), closed);
    refused(open.release_memory(), closed);
    refused(open.flush(FlushLevel::Kernel), closed);
    refused(open.option(Key::BUDGET_BYTES), closed);
    refused(open.set_option(Key::TIMEOUT_MS, 1), closed);
    refused(open.stream_option(stream, Key::TIMES), closed);
    refused(open.set_stream_option(stream, Key::WHEN_FULL, 1), closed);
    refused(open.stats(), closed);
    refused(open.stream_stats(stream), closed);
    refused(open.events(), closed);
    refused(open.cursor(stream, ..), closed);
    refused(cursor.next(), closed);
    refused(cursor.next_up_to(ViewLimit::NONE), closed);
    refused(cursor.seek(0), closed);
    refused(cursor.range(), closed);
    refused(cursor.detach(), closed);
    refused(cursor.records().next().unwrap(), closed);
    assert!(!format!("{:?} {:?} {:?}", open, cursor, batch).is_empty());

    assert!(batch.iter().eq([&b"hello"[..], b"world"]));
    assert!(gathered.iter().eq([b"world"]));
    open.clone().close().unwrap();
    open.clone().discard().unwrap();
    open.close().unwrap();
}

#[test]
fn the_current_view_outlives_close() {
    let store = Store::in_memory().unwrap();
    let stream = store.stream("log").unwrap();
    store.add(stream, &Batch::from_iter(["hello"])).unwrap();
    let mut cursor = store.cursor(stream, ..).unwrap();
    let view = cursor.next().unwrap().expect("a view");
    store.discard().unwrap();
    assert_eq!(&view[0], b"hello");
}

/// Something to drop, and a look at it first if it can still be looked at.
enum Thing {
    Store(Store),
    Cursor(Cursor),
    Batch(OwnedBatch),
}

impl Thing {
    fn look(&mut self, stream: Stream) {
        match self {
            Thing::Store(store) => assert_eq!(store.read(stream, 0).unwrap().payload, [1; 3000]),
            Thing::Batch(batch) => assert_eq!(batch.view()[0], [1; 3000]),
            Thing::Cursor(cursor) => {
                cursor.seek(0).unwrap();
                assert_eq!(cursor.next().unwrap().unwrap()[0], [1; 3000]);
            }
        }
    }
}

fn things(folder: &Folder, cold: bool) -> (Vec<Thing>, Stream) {
    let store = small_store(folder);
    let stream = store.stream("log").unwrap();
    store.add(stream, &Batch::from_iter([[1; 3000], [2; 3000]])).unwrap();
    if cold {
        store.flush(FlushLevel::Device).unwrap();
    }
    let mut cursor = store.cursor(stream, ..).unwrap();
    cursor.next().unwrap();
    let batch = cursor.detach().unwrap();
    (vec![Thing::Store(store), Thing::Cursor(cursor), Thing::Batch(batch)], stream)
}

const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

#[test]
fn dispose_in_any_order() {
    for order in ORDERS {
        for other_threads in [false, true] {
            let folder = Folder::new();
            let (made, stream) = things(&folder, other_threads);
            let mut made: Vec<_> = made.into_iter().map(Some).collect();
            for index in order {
                let mut thing = made[index].take().unwrap();
                thing.look(stream);
                match other_threads {
                    true => thread::spawn(move || drop(thing)).join().unwrap(),
                    false => drop(thing),
                }
            }
        }
    }
}

#[test]
fn clones_are_the_same_store() {
    let store = Store::in_memory().unwrap();
    let clone = store.clone();
    let stream = clone.stream("log").unwrap();
    drop(clone);
    store.add(stream, &Batch::from_iter(["hello"])).unwrap();
    assert_eq!(store.stats().unwrap().records_live, 1);
}

/// What the types promise about threads, so that nobody takes it away by accident.
#[test]
fn threads() {
    fn any_thread<T: Send + 'static>() {}
    fn many_threads<T: Send + Sync + 'static>() {}
    many_threads::<Store>();
    many_threads::<OwnedBatch>();
    many_threads::<spillway::CancelToken>();
    many_threads::<spillway::Error>();
    many_threads::<spillway::Options>();
    many_threads::<spillway::View<'static>>();
    many_threads::<Batch>();
    any_thread::<Cursor>();
}
