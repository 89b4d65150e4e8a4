//! What a store keeps, and for how long: trims, settling, policies that drop, durable adds.
mod common;

use std::ops::Range;
use std::time::Duration;

use common::{contents, refused, small_options, small_store, Folder, BUDGET};
use spillway::{
    Batch, ColdTier, ErrorKind, EventKind, FlushLevel, Key, Options, Store, Stream, StreamOptions,
    Wait, WhenFull,
};

fn numbered(number: u64) -> Vec<u8> {
    format!("record {}", number).into_bytes()
}

fn numbers(range: Range<u64>) -> Batch {
    range.map(numbered).collect()
}

/// Exactly these records are there, each as numbered.
#[track_caller]
fn holds(store: &Store, stream: Stream, range: Range<u64>) {
    let records = contents(store, stream).into_iter().map(|record| (record.seq, record.payload));
    assert!(records.eq(range.map(|number| (number, numbered(number)))));
}

#[test]
fn trim_by_number_time_and_size() {
    let folder = Folder::new();
    let store = small_store(&folder);
    let timed = store.stream_with("timed", StreamOptions::new().times(true)).unwrap();
    for range in [0..1000, 1000..1001] {
        let mut batch = Batch::new();
        range.for_each(|number| batch.push_at(10 * number as i64, &numbered(number)));
        store.add(timed, &batch).unwrap();
        store.flush(FlushLevel::Device).unwrap();
    }
    let mut cursor = store.cursor(timed, ..).unwrap();
    store.trim(timed, 123).unwrap();
    store.trim(timed, 5).unwrap(); // below its begin
    holds(&store, timed, 123..1001);
    refused(cursor.next(), ErrorKind::Trimmed);
    refused(store.read(timed, 122), ErrorKind::Trimmed);
    refused(store.trim(timed, 1002), ErrorKind::InvalidArgument);
    refused(store.trim(Stream::from_id(99), 0), ErrorKind::NotFound);

    assert_eq!(store.trim_before(timed, 5001).unwrap(), 501);
    holds(&store, timed, 501..1001);
    let size = 9 * numbered(999).len() + numbered(1000).len();
    assert_eq!(store.trim_to_size(timed, size as u64).unwrap(), 991);
    holds(&store, timed, 991..1001);
    refused(store.trim_before(store.stream("plain").unwrap(), 7), ErrorKind::InvalidArgument);
    let stats = store.stats().unwrap();
    assert_eq!((stats.records_trimmed, stats.records_live), (991, 10));
    drop(cursor);
    store.close().unwrap();

    let store = small_store(&folder);
    holds(&store, timed, 991..1001);
    assert_eq!(store.trim_to_size(timed, 0).unwrap(), 1001);
    holds(&store, timed, 1001..1001);
    store.close().unwrap();
}

#[test]
fn temporary_store_leaves_nothing() {
    let folder = Folder::new();
    let names = || std::fs::read_dir(folder.path()).unwrap().count();
    let store = Options::new().temporary().open(folder.path()).unwrap();
    let stream = store.stream("log").unwrap();
    store.add(stream, &numbers(0..500)).unwrap();
    store.settle().unwrap();
    assert_eq!(store.stats().unwrap().records_cold, 500);
    holds(&store, stream, 0..500);
    assert_eq!(names(), 0);
    store.close().unwrap();
    assert_eq!(names(), 0);
    let sqlite = Options::new().temporary().cold_tier(ColdTier::Sqlite).clone();
    refused(sqlite.open(folder.path()), ErrorKind::Unsupported);
}

#[test]
fn settle_and_release_memory() {
    let folder = Folder::new();
    let open = || Options::new().budget_bytes(8 << 20).open(folder.store()).unwrap();
    let store = open();
    let stream = store.stream("log").unwrap();
    store.add(stream, &numbers(0..500)).unwrap();
    refused(store.settle_with(Wait::not_at_all()), ErrorKind::WouldBlock);
    store.settle().unwrap();
    let stats = store.stats().unwrap();
    assert_eq!((stats.bytes_resident, stats.records_resident, stats.records_cold), (0, 0, 500));
    holds(&store, stream, 0..500);
    store.add(stream, &numbers(500..501)).unwrap();
    store.settle_with(Wait::for_ever()).unwrap();
    store.discard().unwrap();
    let store = open();
    holds(&store, stream, 0..501);
    store.close().unwrap();

    let memory = Options::new().budget_bytes(4 << 20).open_in_memory().unwrap();
    refused(memory.settle(), ErrorKind::Unsupported);
    let stream = memory.stream("log").unwrap();
    memory.add(stream, &Batch::from_iter([vec![7; 1 << 20]])).unwrap();
    memory.clear(stream).unwrap();
    assert!(memory.stats().unwrap().bytes_free > 0);
    memory.release_memory().unwrap();
    assert_eq!(memory.stats().unwrap().bytes_resident, 0);
    assert_eq!(memory.add(stream, &numbers(0..1)).unwrap(), 1..2);
    memory.close().unwrap();
}

#[test]
fn what_is_read_often_comes_back_into_memory() {
    let folder = Folder::new();
    let store = Options::new().budget_bytes(8 << 20).promote_reads(0).open(folder.store()).unwrap();
    let stream = store.stream("log").unwrap();
    store.add(stream, &numbers(0..500)).unwrap();
    store.settle().unwrap();
    let read_ten = || {
        for _ in 0..10 {
            let record = store.read(stream, 100).unwrap();
            assert_eq!(record.payload, numbered(100));
        }
        store.stats().unwrap()
    };
    let cold = read_ten();
    assert_eq!((cold.promotions, cold.reads_memory), (0, 0));
    assert!(cold.reads_cold >= 10);
    store.set_option(Key::PROMOTE_READS, 2).unwrap();
    let warm = read_ten();
    assert_eq!(warm.promotions, 1);
    assert!(warm.reads_memory >= 8 && warm.reads_cold <= cold.reads_cold + 2);
    assert!(warm.bytes_clean > 0 && warm.records_unspilled == 0);
    holds(&store, stream, 0..500);
    store.close().unwrap();
}

/// How many records the events say were dropped.
fn dropped(store: &Store, with_seq: bool) -> u64 {
    let events = store.events().unwrap();
    let dropped = events.iter().filter(|event| event.kind == EventKind::Dropped);
    dropped
        .inspect(|event| assert_eq!(event.seq.is_some(), with_seq))
        .map(|event| event.count)
        .sum()
}

#[test]
fn drop_newest_and_ring() {
    let batch = |number| Batch::from_iter([numbered(number), vec![7; 20_000]]);
    let newest = small_options().when_full(WhenFull::DropNewest).open_in_memory().unwrap();
    let stream = newest.stream("newest").unwrap();
    let (mut taken, mut refused_batches) = (0, 0);
    for _ in 0..50 {
        let added = newest.add(stream, &batch(taken)).unwrap();
        match added.is_empty() {
            true => refused_batches += 1,
            false => {
                assert_eq!(added, 2 * taken..2 * taken + 2);
                taken += 1;
            }
        }
    }
    assert!(taken > 0 && refused_batches > 0);
    let stats = newest.stats().unwrap();
    assert_eq!(stats.batches_dropped, refused_batches);
    assert_eq!(stats.records_dropped, 2 * refused_batches);
    assert_eq!((stats.records_live, stats.adds_refused), (2 * taken, 0));
    assert_eq!(dropped(&newest, false), 2 * refused_batches);
    newest.close().unwrap();

    let options = StreamOptions::new().when_full(WhenFull::DropOldest).clone();
    let store = Options::new().budget_bytes(BUDGET).open_in_memory().unwrap();
    let ring = store.stream_with("ring", &options).unwrap();
    for number in 0..50 {
        assert_eq!(store.add(ring, &batch(number)).unwrap(), 2 * number..2 * number + 2);
    }
    let begin = store.stream_stats(ring).unwrap().begin_seq;
    let stats = store.stats().unwrap();
    assert!(begin > 0);
    assert_eq!((stats.records_overwritten, stats.records_live), (begin, 100 - begin));
    assert_eq!(dropped(&store, true), begin);
    for record in contents(&store, ring) {
        let wanted = [numbered(record.seq / 2), vec![7; 20_000]];
        assert!(record.payload == wanted[record.seq as usize % 2]);
    }
    store.close().unwrap();

    let folder = Folder::new();
    let on_disk = small_options().when_full(WhenFull::DropOldest).open(folder.store());
    refused(on_disk, ErrorKind::InvalidArgument);
}

#[test]
fn sync_zero_is_durable_when_add_returns() {
    let folder = Folder::new();
    let options = small_options().sync_interval(Duration::from_secs(0)).clone();
    let store = options.open(folder.store()).unwrap();
    let stream = store.stream("log").unwrap();
    for number in 0..20 {
        let added = store.add(stream, &numbers(number..number + 1)).unwrap();
        assert_eq!(store.stream_stats(stream).unwrap().spilled_seq, added.end);
    }
    // The wait is for room alone.
    assert_eq!(store.add_with(stream, &numbers(20..21), Wait::not_at_all()).unwrap(), 20..21);
    store.discard().unwrap();
    let store = small_store(&folder);
    holds(&store, stream, 0..21);
    store.close().unwrap();
    refused(options.open_in_memory(), ErrorKind::Unsupported);
}
