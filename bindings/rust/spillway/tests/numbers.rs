//! Options, statistics, events, ranges and versions: what a store can be asked.
mod common;

use std::time::{Duration, SystemTime};

use common::{small_options, small_store, Folder, BUDGET};
use spillway::{
    Batch, ColdTier, Cursor, EventKind, FlushLevel, Key, OpenMode, Options, Store, StreamOptions,
    ViewLimit, Wait, WhenFull, UNLIMITED,
};

#[test]
fn every_option_arrives() {
    let folder = Folder::new();
    let mut options = Options::new();
    options.budget_bytes(1 << 20).budget_records(1000).hard_percent(150).low_percent(50);
    options.spills_in_flight(1).timeout(Duration::from_micros(1500)).cold_tier(ColdTier::Sqlite);
    options.mode(OpenMode::New).when_full(WhenFull::Fail).idle_time(Duration::MAX);
    options.sync_interval(Duration::from_micros(1_500_001)).eager(true).promote_reads(7);
    let store = options.open(folder.store()).unwrap();
    let wanted = [
        (Key::BUDGET_BYTES, 1 << 20),
        (Key::BUDGET_RECORDS, 1000),
        (Key::HARD_PERCENT, 150),
        (Key::LOW_PERCENT, 50),
        (Key::SPILLS_IN_FLIGHT, 1),
        (Key::TIMEOUT_MS, 2),
        (Key::COLD_TIER, ColdTier::Sqlite as i64),
        (Key::WHEN_FULL, WhenFull::Fail as i64),
        (Key::SYNC_MS, 1501),
        (Key::EAGER, 1),
        (Key::IDLE_MS, UNLIMITED as i64),
        (Key::PROMOTE_READS, 7),
    ];
    for (key, value) in wanted {
        assert_eq!(store.option(key).unwrap(), value, "{:?}", key);
    }
    let mut of_stream = StreamOptions::new();
    of_stream.times(true).budget_bytes(512 << 10).budget_records(10).when_full(WhenFull::Block);
    let stream = store.stream_with("log", of_stream.mode(OpenMode::New)).unwrap();
    let wanted = [
        (Key::TIMES, 1),
        (Key::BUDGET_BYTES, 512 << 10),
        (Key::BUDGET_RECORDS, 10),
        (Key::WHEN_FULL, WhenFull::Block as i64),
    ];
    for (key, value) in wanted {
        assert_eq!(store.stream_option(stream, key).unwrap(), value, "{:?}", key);
    }
    // Live ones of a stream that exists; a later value replaces an earlier one.
    assert_eq!((of_stream.get(Key::TIMES), options.get(Key::TIMES)), (Some(1), None));
    let mut again = StreamOptions::new();
    again.budget_records(5).budget_records(20).mode(OpenMode::Existing);
    assert_eq!(store.stream_with("log", &again).unwrap(), stream);
    assert_eq!(store.stream_option(stream, Key::BUDGET_RECORDS).unwrap(), 20);
    store.close_with(Wait::for_ever()).unwrap(); // 2 ms would be little for a disk
}

#[test]
fn live_options() {
    let store = Options::new().budget_bytes(u64::MAX).open_in_memory().unwrap();
    assert_eq!(store.option(Key::BUDGET_BYTES).unwrap(), UNLIMITED as i64);
    assert_eq!(store.stats().unwrap().bytes_soft, u64::MAX);
    store.set_option(Key::BUDGET_BYTES, BUDGET as i64).unwrap();
    assert_eq!(store.stats().unwrap().bytes_soft, BUDGET);
    let stream = store.stream("log").unwrap();
    store.set_stream_option(stream, Key::BUDGET_RECORDS, 3).unwrap();
    assert_eq!(store.stream_option(stream, Key::BUDGET_RECORDS).unwrap(), 3);
    let chosen = Store::in_memory().unwrap().option(Key::BUDGET_BYTES).unwrap();
    assert!(chosen > 0 && chosen < UNLIMITED as i64, "the budget that the library chose");
}

#[test]
fn statistics() {
    let folder = Folder::new();
    let store = small_store(&folder);
    let timed = store.stream_with("timed", StreamOptions::new().times(true)).unwrap();
    let plain = store.stream("plain").unwrap();
    store.add(plain, &Batch::from_iter(["one", "three"])).unwrap();
    let mut batch = Batch::new();
    batch.push_at(5, b"at five");
    assert_eq!((batch.len(), batch.payload_bytes(), batch.is_empty()), (1, 7, false));
    store.add(timed, &batch).unwrap();
    let stats = store.stats().unwrap();
    assert_eq!((stats.streams, stats.batches_added, stats.records_added), (2, 2, 3));
    assert_eq!((stats.payload_bytes_added, stats.records_live), (15, 3));
    assert_eq!((stats.bytes_soft, stats.bytes_hard), (BUDGET, BUDGET * 13 / 10));
    assert_eq!(stats.health, None);
    store.flush(FlushLevel::Device).unwrap();
    let stats = store.stats().unwrap();
    assert_eq!((stats.records_cold, stats.records_unspilled, stats.records_spilled), (3, 0, 3));
    assert!(stats.spills > 0 && stats.cold_file_bytes > 0 && stats.spill_ns_total > 0);

    store.clear(plain).unwrap();
    let (of_plain, of_timed) = (store.stream_stats(plain), store.stream_stats(timed));
    let (of_plain, of_timed) = (of_plain.unwrap(), of_timed.unwrap());
    assert_eq!((of_plain.begin_seq, of_plain.spilled_seq, of_plain.tail_seq), (2, 2, 2));
    assert_eq!((of_timed.begin_seq, of_timed.spilled_seq, of_timed.tail_seq), (0, 1, 1));
    assert!(of_timed.has_times && !of_plain.has_times);
    assert_eq!(store.stats().unwrap().records_cleared, 2);
    assert_eq!(store.add(plain, &Batch::from_iter(["goes on"])).unwrap(), 2..3);
    store.close().unwrap();
}

#[test]
fn events() {
    let (folder, before) = (Folder::new(), SystemTime::now());
    let store = small_store(&folder);
    let stream = store.stream("log").unwrap();
    store.add(stream, &Batch::from_iter(["hello"])).unwrap();
    store.flush(FlushLevel::Device).unwrap();
    let events = store.events().unwrap();
    let kinds: Vec<EventKind> = events.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::SpillBegin, EventKind::SpillEnd]);
    assert_eq!((events[0].count, events[0].value), (1, 5));
    let second = Duration::from_secs(1); // clocks of different grain
    assert!(events.iter().all(|event| event.error.is_none() && event.time + second > before));
    assert!(store.events().unwrap().is_empty());
    store.close().unwrap();
}

fn seqs(cursor: &mut Cursor) -> Vec<u64> {
    cursor.records().map(|record| record.unwrap().seq).collect()
}

#[test]
fn ranges() {
    let store = Store::in_memory().unwrap();
    let stream = store.stream("log").unwrap();
    store.add(stream, &Batch::from_iter((0..10u8).map(|i| [i]))).unwrap();
    let open = |range: (std::ops::Bound<u64>, std::ops::Bound<u64>)| store.cursor(stream, range);
    assert_eq!(store.cursor(stream, ..).unwrap().range().unwrap(), 0..10);
    assert_eq!(store.cursor(stream, 3..).unwrap().range().unwrap(), 3..10);
    assert_eq!(seqs(&mut store.cursor(stream, 3..5).unwrap()), [3, 4]);
    assert_eq!(seqs(&mut store.cursor(stream, ..=1).unwrap()), [0, 1]);
    assert_eq!(seqs(&mut store.cursor(stream, 8..1000).unwrap()), [8, 9]);
    assert_eq!(seqs(&mut store.cursor(stream, 9..=u64::MAX).unwrap()), [9]);
    use std::ops::Bound::{Excluded, Unbounded};
    assert_eq!(seqs(&mut open((Excluded(8), Unbounded)).unwrap()), [9]);
    assert!(seqs(&mut store.cursor(stream, 4..4).unwrap()).is_empty());

    let mut cursor = store.cursor(stream, ..).unwrap();
    let view = cursor.next_up_to(ViewLimit::records(3).and_bytes(2)).unwrap().unwrap();
    assert_eq!((view.len(), view.first_seq()), (2, 0));
    assert_eq!((view.seq(1), view.seq(2), view.time(0)), (Some(1), None, None));
    assert_eq!((view.get(1), view.get(2)), (Some(&[1][..]), None));
    assert_eq!((view.data().len(), view.begins(), view.ends()), (2, &[0, 1][..], &[1, 2][..]));
    assert!(view.iter().rev().eq([[1], [0]]) && view.iter().nth(1) == Some(&[1]));
    assert!(view.records().rev().map(|record| record.seq).eq([1, 0]));
    assert_eq!((view.iter().len(), view.records().len()), (2, 2));
    assert!(view.times().is_none() && view.seqs().is_none());
    assert_eq!(seqs(&mut cursor), [2, 3, 4, 5, 6, 7, 8, 9]);
    cursor.seek(4).unwrap();
    assert!(cursor.records().take(2).map(|record| record.unwrap().seq).eq([4, 5]));
    assert_eq!(seqs(&mut cursor), [6, 7, 8, 9], "goes on where the iterator was dropped");
    cursor.seek(7).unwrap();
    assert_eq!(seqs(&mut cursor), [7, 8, 9]);
    let gathered = store.gather(stream, &[7, 7, 2]).unwrap();
    assert_eq!(gathered.view().seqs(), Some(&[7, 7, 2][..]));
    assert_eq!(gathered.view().seq(2), Some(2));
}

#[test]
fn versions() {
    let (major, minor) = spillway::abi_version();
    assert!(spillway::version().starts_with(&format!("{}.{}.", major, minor)));
    assert!(!format!("{:?} {:?}", small_options(), StreamOptions::new()).is_empty());
}
