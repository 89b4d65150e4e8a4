//! At the hard limit: who waits, for how long, and what ends it.
mod common;

use std::thread;
use std::time::{Duration, Instant};

use common::{contents, full_store, refused, small_store, Folder};
use spillway::{
    Batch, CancelToken, ErrorKind, EventKind, FlushLevel, Key, Progress, Store, ViewLimit, Wait,
    WhenFull,
};

fn a_page() -> Batch {
    Batch::from_iter([[8; 4096]])
}

#[test]
fn cancel_before_the_call() {
    let folder = Folder::new();
    let store = small_store(&folder);
    let stream = store.stream("log").unwrap();
    let batch = Batch::from_iter(["one", "two"]);
    store.add(stream, &batch).unwrap();
    let token = CancelToken::new();
    let same = token.clone();
    assert_eq!(store.add_with(stream, &batch, &token).unwrap(), 2..4);
    assert!(!same.is_cancelled());
    token.cancel();
    token.cancel();
    assert!(same.is_cancelled());

    refused(store.add_with(stream, &batch, &same), ErrorKind::Cancelled);
    refused(store.flush_with(FlushLevel::Device, &token), ErrorKind::Cancelled);
    let mut cursor = store.cursor(stream, ..).unwrap();
    let error = refused(cursor.next_unless(ViewLimit::NONE, &token), ErrorKind::Cancelled);
    assert_eq!(error.name(), "SPW_CANCELLED");
    assert_eq!(cursor.next().unwrap().unwrap().first_seq(), 0); // as if nothing had happened
    let options = common::small_options();
    let elsewhere = folder.path().join("other.spw");
    refused(options.open_with(&elsewhere, &token), ErrorKind::Cancelled);
    assert!(!elsewhere.exists());

    let failed = store.close_with(&token).unwrap_err();
    assert_eq!(failed.error().kind(), ErrorKind::Cancelled);
    let (store, _) = failed.into_parts();
    assert_eq!(contents(&store, stream).len(), 4);
    store.close().unwrap();
}

fn until_waiting(store: &Store, adders: u64) {
    common::until("adds that wait", || store.stats().unwrap().adders_waiting == adders);
}

#[test]
fn cancel_during_a_wait_at_the_hard_limit() {
    let (store, stream, count) = full_store();
    let token = CancelToken::new();
    thread::scope(|scope| {
        let adder = scope.spawn(|| store.add_with(stream, &a_page(), &token));
        until_waiting(&store, 1);
        token.cancel();
        refused(adder.join().unwrap(), ErrorKind::Cancelled);
    });
    let stats = store.stats().unwrap();
    assert_eq!((stats.records_live, stats.records_added), (count, count));
    assert!(stats.bytes_resident <= stats.bytes_hard);
    let events = store.events().unwrap();
    let blocked = events.iter().find(|event| event.kind == EventKind::Blocked).expect("an event");
    assert_eq!((blocked.stream, blocked.count), (Some(stream), 1));
    assert_eq!(blocked.error, Some(ErrorKind::Cancelled));
}

/// One token for many calls at once; and a token that ended nothing may be used again.
#[test]
fn one_token_for_many_calls() {
    let (store, stream, count) = full_store();
    let token = CancelToken::new();
    for _ in 0..3 {
        let wait = Wait::at_most(Duration::from_millis(1)).unless(&token);
        refused(store.add_with(stream, &a_page(), wait), ErrorKind::Timeout);
    }
    thread::scope(|scope| {
        let add = || store.add_with(stream, &a_page(), &token);
        let adders: Vec<_> = (0..8).map(|_| scope.spawn(add)).collect();
        until_waiting(&store, 8);
        token.cancel();
        for adder in adders {
            refused(adder.join().unwrap(), ErrorKind::Cancelled);
        }
    });
    assert_eq!(store.stats().unwrap().records_live, count);
}

#[test]
fn timeout_at_the_hard_limit() {
    let (store, stream, count) = full_store();
    let (none, some) = (Duration::from_secs(0), Duration::from_millis(20));
    refused(store.add_with(stream, &a_page(), Wait::not_at_all()), ErrorKind::WouldBlock);
    refused(store.add_with(stream, &a_page(), none), ErrorKind::WouldBlock);
    let start = Instant::now();
    let error = refused(store.add_with(stream, &a_page(), some), ErrorKind::Timeout);
    assert!(start.elapsed() >= some && error.record_index().is_none());
    // Less than a millisecond is one, not none.
    refused(store.add_with(stream, &a_page(), Duration::from_nanos(1)), ErrorKind::Timeout);
    store.set_option(Key::TIMEOUT_MS, 5).unwrap();
    refused(store.add(stream, &a_page()), ErrorKind::Timeout);
    store.set_stream_option(stream, Key::WHEN_FULL, WhenFull::Fail as i64).unwrap();
    refused(store.add_with(stream, &a_page(), Wait::for_ever()), ErrorKind::WouldBlock);
    let stats = store.stats().unwrap();
    assert_eq!((stats.records_live, stats.waits), (count, 3));
    assert!(stats.wait_ns_max >= 20_000_000 && stats.adds_refused >= 6);
}

#[test]
fn a_waiting_add_goes_on_when_there_is_room() {
    let (store, stream, count) = full_store();
    let other = store.clone();
    let adder = thread::spawn(move || other.add_with(stream, &a_page(), Wait::for_ever()));
    until_waiting(&store, 1);
    store.clear(stream).unwrap();
    assert_eq!(adder.join().unwrap().unwrap(), count..count + 1);
    assert_eq!(contents(&store, stream).len(), 1);
}

#[test]
fn a_waiting_add_ends_when_the_store_is_closed() {
    let (store, stream, _) = full_store();
    let other = store.clone();
    let adder = thread::spawn(move || other.add_with(stream, &a_page(), Wait::for_ever()));
    until_waiting(&store, 1);
    store.discard().unwrap();
    refused(adder.join().unwrap(), ErrorKind::Closed);
}

#[test]
fn progress_of_a_flush() {
    let folder = Folder::new();
    let store = small_store(&folder);
    let stream = store.stream("log").unwrap();
    let token = CancelToken::new();
    assert_eq!(token.progress(), Progress::default());
    store.add(stream, &Batch::from_iter([""; 1000])).unwrap();
    store.flush_with(FlushLevel::Device, &token).unwrap();
    let progress = token.progress();
    assert!(progress.total > 0 && progress.done == progress.total, "{:?}", progress);
    store.close_with(&token).unwrap();
}
