//! Many threads in one store.
mod common;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use common::{all, contents, small_store, Folder, Prng};
use spillway::{Batch, CancelToken, FlushLevel, OwnedBatch, Store, Stream};

const WRITERS: u64 = 8;
const BATCHES: u64 = 150;
const RECORDS: u64 = 20;

/// Record: writer, batch, place in the batch, and bytes to make it spill.
fn write(store: &Store, stream: Stream, writer: u64) -> Vec<(u64, u64)> {
    let mut batch = Batch::with_capacity(RECORDS as usize, RECORDS as usize * 200);
    let mut firsts = Vec::new();
    for number in 0..BATCHES {
        batch.clear();
        for place in 0..RECORDS {
            let mut payload = [writer as u8; 200];
            payload[..8].copy_from_slice(&writer.to_le_bytes());
            payload[8..16].copy_from_slice(&number.to_le_bytes());
            payload[16..24].copy_from_slice(&place.to_le_bytes());
            batch.push(&payload);
        }
        let seqs = store.add(stream, &batch).unwrap();
        assert_eq!(seqs.end - seqs.start, RECORDS);
        firsts.push((seqs.start, number));
    }
    firsts
}

#[test]
fn concurrent_writers() {
    let folder = Folder::new();
    let store = small_store(&folder);
    let stream = store.stream("log").unwrap();
    let per_writer: Vec<Vec<(u64, u64)>> = thread::scope(|scope| {
        let store = &store;
        let start = |writer| scope.spawn(move || write(store, stream, writer));
        let writers: Vec<_> = (0..WRITERS).map(start).collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    let stats = store.stats().unwrap();
    assert!(stats.spills > 0 && stats.bytes_resident_peak <= stats.bytes_hard);

    let mut batches: Vec<_> = per_writer
        .iter()
        .zip(0u64..)
        .flat_map(|(firsts, writer)| {
            firsts.iter().map(move |(seq, number)| (*seq, writer, *number))
        })
        .collect();
    batches.sort_unstable();
    assert!(batches.iter().zip((0..).step_by(RECORDS as usize)).all(|(batch, seq)| batch.0 == seq));
    let records = contents(&store, stream);
    assert_eq!(records.len() as u64, WRITERS * BATCHES * RECORDS);
    for (index, record) in records.iter().enumerate() {
        let (first, writer, number) = batches[index / RECORDS as usize];
        let place = index as u64 - first;
        let want = [writer, number, place].map(u64::to_le_bytes).concat();
        assert_eq!((record.seq, &record.payload[..24]), (index as u64, &want[..]));
        assert!(record.payload[24..].iter().all(|byte| *byte == writer as u8));
    }
    store.close().unwrap();
}

#[test]
fn cursor_reads_while_another_thread_adds() {
    let folder = Folder::new();
    let store = small_store(&folder);
    let stream = store.stream("log").unwrap();
    let mut prng = Prng::new();
    let old: Vec<Vec<u8>> = (0..2000).map(|_| prng.bytes(100)).collect();
    store.add(stream, &Batch::from_iter(&old)).unwrap();
    let mut cursor = store.cursor(stream, ..).unwrap();
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let batch = Batch::from_iter([[0xff; 1000]; 100]);
            while !ended.load(Ordering::Relaxed) {
                store.add(stream, &batch).unwrap();
            }
        });
        let spills_before = store.stats().unwrap().spills;
        let mut rounds = 0;
        while rounds < 5 || store.stats().unwrap().spills < spills_before + 5 {
            assert_eq!(cursor.range().unwrap(), 0..2000);
            cursor.seek(0).unwrap();
            let records = all(&mut cursor);
            assert!(records.iter().map(|record| &record.payload).eq(&old));
            rounds += 1;
        }
        ended.store(true, Ordering::Relaxed);
    });
    store.close().unwrap();
}

/// What is read on other threads is what was lent or detached here.
#[test]
fn views_on_other_threads() {
    let store = Store::in_memory().unwrap();
    let stream = store.stream("log").unwrap();
    store.add(stream, &Batch::from_iter((0..1000u32).map(u32::to_le_bytes))).unwrap();
    let sum = AtomicU64::new(0);
    let mut cursor = store.cursor(stream, ..).unwrap();
    while let Some(view) = cursor.next().unwrap() {
        thread::scope(|scope| {
            for remainder in 0..4 {
                let sum = &sum;
                scope.spawn(move || {
                    for payload in view.iter().skip(remainder).step_by(4) {
                        let number = u32::from_le_bytes(payload.try_into().unwrap());
                        sum.fetch_add(number.into(), Ordering::Relaxed);
                    }
                });
            }
        });
    }
    assert_eq!(sum.into_inner(), 999 * 1000 / 2);
    cursor.seek(0).unwrap();
    cursor.next().unwrap();
    let batch: OwnedBatch = cursor.detach().unwrap();
    drop((store, cursor));
    assert!(thread::spawn(move || batch.view()[3] == 3u32.to_le_bytes()).join().unwrap());
}

/// Everything at once, while some of it is cancelled and the store is closed in the middle.
#[test]
fn close_while_everybody_works() {
    for _ in 0..10 {
        let folder = Folder::new();
        let store = small_store(&folder);
        let stream = store.stream("log").unwrap();
        let token = CancelToken::new();
        let added = AtomicU64::new(0);
        thread::scope(|scope| {
            let (store, token, added) = (&store, &token, &added);
            for _ in 0..3 {
                scope.spawn(move || {
                    let batch = Batch::from_iter([[1; 500]; 20]);
                    while store.add_with(stream, &batch, token).is_ok() {
                        added.fetch_add(20, Ordering::Relaxed);
                    }
                });
            }
            scope.spawn(move || while store.flush_with(FlushLevel::Kernel, token).is_ok() {});
            scope.spawn(move || {
                while let Ok(mut cursor) = store.cursor(stream, ..) {
                    while let Ok(Some(view)) = cursor.next() {
                        assert!(view.iter().all(|payload| payload == [1; 500]));
                    }
                }
            });
            common::until("some records", || added.load(Ordering::Relaxed) > 2000);
            store.clone().close().unwrap();
            token.cancel();
        });
        let store = small_store(&folder);
        let count = store.stream_stats(store.stream("log").unwrap()).unwrap().tail_seq;
        assert_eq!(count, added.load(Ordering::Relaxed), "what was admitted, and nothing else");
        store.close().unwrap();
    }
}
