//! What goes in comes out: every byte, sequence number and time.
mod common;

use common::{all, contents, refused, small_options, small_store, Folder, Prng, BUDGET};
use spillway::{
    Batch, Columns, ErrorKind, FlushLevel, OpenMode, OwnedRecord, Store, Stream, StreamOptions,
};

/// A batch of random records, which it also appends to `kept` as they are to come back.
fn random_batch(prng: &mut Prng, kept: &mut Vec<OwnedRecord>, times: bool) -> Batch {
    let mut batch = Batch::new();
    for _ in 0..prng.below(1..300) {
        let below = [5000, 200][prng.below(0..10).min(1) as usize];
        let len = prng.below(0..below);
        let payload = prng.bytes(len as usize);
        let (seq, time) = (kept.len() as u64, prng.next() as i64);
        match times {
            true => batch.push_at(time, &payload),
            false => batch.push(&payload),
        }
        kept.push(OwnedRecord { seq, time: times.then_some(time), payload });
    }
    batch
}

fn compare(store: &Store, stream: Stream, kept: &[OwnedRecord], prng: &mut Prng) {
    assert!(contents(store, stream) == kept, "the records of {:?} are not those added", stream);
    let seqs: Vec<u64> = (0..100).map(|_| prng.below(0..kept.len() as u64)).collect();
    let gathered = store.gather(stream, &seqs).unwrap();
    assert_eq!(gathered.len(), seqs.len());
    let mut buffer = Vec::new();
    for (record, seq) in gathered.view().records().zip(&seqs) {
        let want = &kept[*seq as usize];
        assert_eq!(&record.to_owned(), want);
        assert_eq!(&store.read(stream, *seq).unwrap(), want);
        assert_eq!(store.read_into(stream, *seq, &mut buffer).unwrap(), want.time);
        assert_eq!(buffer, want.payload);
    }
}

#[test]
fn round_trip() {
    let (folder, mut prng) = (Folder::new(), Prng::new());
    let store = small_store(&folder);
    let plain = store.stream("plain").unwrap();
    let timed = store.stream_with("timed", StreamOptions::new().times(true)).unwrap();
    let (mut kept_plain, mut kept_timed) = (Vec::new(), Vec::new());
    for _ in 0..60 {
        let first = kept_plain.len() as u64;
        let batch = random_batch(&mut prng, &mut kept_plain, false);
        assert_eq!(store.add(plain, &batch).unwrap(), first..kept_plain.len() as u64);
        let first = kept_timed.len() as u64;
        let batch = random_batch(&mut prng, &mut kept_timed, true);
        assert_eq!(store.add(timed, &batch).unwrap(), first..kept_timed.len() as u64);
    }
    store.flush(FlushLevel::Device).unwrap();
    assert!(store.stats().unwrap().spills > 0);
    compare(&store, plain, &kept_plain, &mut prng);
    compare(&store, timed, &kept_timed, &mut prng);
    store.close().unwrap();

    let store = small_options().mode(OpenMode::Existing).open(folder.store()).unwrap();
    assert_eq!(store.streams().unwrap(), [plain, timed]);
    assert_eq!(store.stream_name(timed).unwrap(), b"timed");
    assert_eq!(store.stream("plain").unwrap(), plain);
    compare(&store, plain, &kept_plain, &mut prng);
    compare(&store, timed, &kept_timed, &mut prng);
    store.close().unwrap();
}

#[test]
fn batch_edges() {
    let folder = Folder::new();
    let store = small_store(&folder);
    let stream = store.stream("edges").unwrap();
    let mut kept: Vec<Vec<u8>> = Vec::new();

    assert_eq!(store.add(stream, &Batch::new()).unwrap(), 0..0);
    assert_eq!(store.stream_stats(stream).unwrap().tail_seq, 0);
    assert_eq!(store.add(stream, &Batch::from_iter(["one"])).unwrap(), 0..1);
    kept.push(b"one".to_vec());

    let many: Vec<Vec<u8>> = (0..10_000u32).map(|i| i.to_le_bytes().to_vec()).collect();
    assert_eq!(store.add(stream, &Batch::from_iter(&many)).unwrap(), 1..10_001);
    kept.extend(many);

    let columns = Columns::new(b"left out, hello, world", &[10, 15, 17, 22]);
    assert_eq!(store.add(stream, columns).unwrap(), 10_001..10_004);
    kept.extend([&b"hello"[..], b", ", b"world"].map(<[u8]>::to_vec));

    // Sizes about powers of two, where arenas and pages end; each record a batch of its own.
    for size in [4096, 16384, 32768, 65536, 131_072].iter().flat_map(|size| size - 2..=size + 2) {
        let payload = vec![size as u8; size];
        store.add(stream, &Batch::from_iter([&payload])).unwrap();
        kept.push(payload);
    }
    // Above the hard limit: straight to the cold tier.
    let large = Batch::from_iter((0..8u8).map(|i| vec![i; BUDGET as usize / 4]));
    let seqs = store.add(stream, &large).unwrap();
    assert!(store.stream_stats(stream).unwrap().spilled_seq >= seqs.end);
    kept.extend((0..8u8).map(|i| vec![i; BUDGET as usize / 4]));

    let records = contents(&store, stream);
    assert_eq!(records.len(), kept.len());
    assert!(records.iter().zip(&kept).all(|(record, payload)| record.payload == *payload));
    store.close().unwrap();
}

#[test]
fn columns_that_do_not_fit() {
    let store = Store::in_memory().unwrap();
    let plain = store.stream("plain").unwrap();
    let timed = store.stream_with("timed", StreamOptions::new().times(true)).unwrap();
    let wrong = ErrorKind::InvalidArgument;
    refused(store.add(plain, Columns::new(b"", &[])), wrong);
    refused(store.add(plain, Columns::new(b"hello", &[0, 6])), wrong);
    refused(store.add(plain, Columns::new(b"hello", &[3, 2])), wrong);
    refused(store.add(plain, Columns::new(b"hello", &[0, 5]).with_times(&[1])), wrong);
    refused(store.add(timed, Columns::new(b"hello", &[0, 5])), wrong);
    refused(store.add(timed, Columns::new(b"hello", &[0, 5]).with_times(&[1, 2])), wrong);
    let mut mixed = Batch::from_iter(["without"]);
    mixed.push_at(1, b"with");
    refused(store.add(timed, &mixed), wrong);
    mixed.clear();
    assert_eq!(store.add(timed, &mixed).unwrap(), 0..0);
    assert_eq!(store.add(timed, Columns::new(b"x", &[0]).with_times(&[])).unwrap(), 0..0);
    mixed.push_at(i64::MIN, b"with");
    assert_eq!(store.add(timed, &mixed).unwrap(), 0..1);
    assert_eq!(store.read(timed, 0).unwrap().time, Some(i64::MIN));
    assert_eq!(store.stats().unwrap().records_live, 1);
}

#[test]
fn a_time_of_zero_is_a_time() {
    let store = Store::in_memory().unwrap();
    let timed = store.stream_with("timed", StreamOptions::new().times(true)).unwrap();
    store.add(timed, Columns::new(b"x", &[0, 1]).with_times(&[0])).unwrap();
    assert_eq!(store.read(timed, 0).unwrap().time, Some(0));
    let plain = store.stream("plain").unwrap();
    store.add(plain, &Batch::from_iter(["x"])).unwrap();
    assert_eq!(store.read(plain, 0).unwrap().time, None);
}

#[test]
fn empty_payloads() {
    let folder = Folder::new();
    let store = small_store(&folder);
    let stream = store.stream("empty").unwrap();
    let want = ["", "", "between", ""];
    store.add(stream, &Batch::from_iter([""])).unwrap();
    store.add(stream, &Batch::from_iter(&want[1..])).unwrap();
    for cold in [false, true] {
        if cold {
            store.flush(FlushLevel::Device).unwrap();
        }
        let records = contents(&store, stream);
        assert!(records.iter().map(|record| &record.payload[..]).eq(want.map(str::as_bytes)));
        assert_eq!(
            store.gather(stream, &[3, 2]).unwrap().iter().next_back(),
            Some(&b"between"[..])
        );
        assert_eq!(store.read(stream, 1).unwrap().payload, b"");
    }
    let nothing = store.gather(stream, &[]).unwrap();
    assert!(nothing.is_empty() && nothing.view().is_empty() && nothing.iter().next().is_none());
    store.close().unwrap();
    let store = small_options().open(folder.store()).unwrap();
    assert_eq!(contents(&store, stream).len(), want.len());
    store.close().unwrap();
}

#[test]
fn payload_of_64_mib() {
    let folder = Folder::new();
    let payload = Prng::new().bytes(64 << 20);
    let batch = Batch::from_iter([&payload]);
    let store = small_options().budget_bytes(256 << 20).open(folder.store()).unwrap();
    let stream = store.stream("large").unwrap();
    store.add(stream, &batch).unwrap();
    {
        let mut cursor = store.cursor(stream, ..).unwrap();
        let view = cursor.next().unwrap().expect("a view");
        assert!(view.len() == 1 && view[0] == payload, "from memory");
    }
    assert_eq!(store.stats().unwrap().cold_reads, 0);
    assert!(store.read(stream, 0).unwrap().payload == payload, "copied from memory");
    store.close().unwrap();

    let store = small_store(&folder);
    let mut cursor = store.cursor(stream, ..).unwrap();
    assert!(all(&mut cursor)[0].payload == payload, "from the cold tier");
    assert!(store.stats().unwrap().cold_reads > 0);
    store.close().unwrap();
}
