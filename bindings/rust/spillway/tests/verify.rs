//! Verification of stores.
mod common;

use common::{refused, small_store, Folder, Prng};
use spillway::{Batch, CancelToken, ErrorKind, FlushLevel, Stream, VerifyRecords};

#[test]
fn store_verify_reports_damaged_records() {
    let (folder, mut prng) = (Folder::new(), Prng::new());
    let records: Vec<_> = (0..1000).map(|_| prng.bytes(1000)).collect();
    let store = small_store(&folder);
    let (log, other) = (store.stream("log").unwrap(), store.stream("other").unwrap());
    store.add(log, &records.iter().collect::<Batch>()).unwrap();
    store.add(other, &[b"good"].iter().collect::<Batch>()).unwrap();
    store.flush(FlushLevel::Device).unwrap();
    store.add(other, &[b"in memory only"].iter().collect::<Batch>()).unwrap();
    let report = store.verify(VerifyRecords::all()).unwrap();
    assert!(report.is_clean() && report.ranges().len() == 0);
    assert_eq!((report.streams(), report.records(), report.bytes()), (2, 1001, 1_000_004));
    store.close().unwrap();

    let mut all = std::fs::read(folder.store()).unwrap();
    let at = all.windows(64).position(|bytes| bytes == &records[500][..64]).unwrap();
    all[at + 20] ^= 1;
    std::fs::write(folder.store(), &all).unwrap();

    let store = small_store(&folder);
    let token = CancelToken::new();
    let report = store.verify(VerifyRecords::of(log).unless(&token)).unwrap();
    let progress = token.progress();
    assert_eq!((progress.done, progress.total), (1000, 1000));
    assert_eq!((report.streams(), report.records(), report.range_count()), (1, 1000, 1));
    let damaged = report.ranges().next().unwrap();
    assert_eq!((damaged.kind, damaged.stream), (ErrorKind::Corrupt, log));
    assert!(damaged.records.contains(&500) && !damaged.message.is_empty());
    let hit = damaged.records.end - damaged.records.start;
    assert_eq!((report.records_damaged(), report.bytes()), (hit, 1000 * (1000 - hit)));
    for (seq, payload) in records.iter().enumerate() {
        let read = store.read(log, seq as u64);
        if damaged.records.contains(&(seq as u64)) {
            refused(read, ErrorKind::Corrupt);
        } else {
            assert_eq!(&read.unwrap().payload, payload);
        }
    }
    assert!(store.verify(VerifyRecords::of(other)).unwrap().is_clean());

    refused(store.verify(VerifyRecords::all().bytes_per_second(0)), ErrorKind::InvalidArgument);
    refused(store.verify(VerifyRecords::of(Stream::from_id(99))), ErrorKind::NotFound);
    token.cancel();
    refused(store.verify(VerifyRecords::all().unless(&token)), ErrorKind::Cancelled);
}
