//! What a record costs through the binding: see bench.sh for the workload and the output.
use std::time::Instant;

use spillway::{Batch, Error, Options, Store, Stream, ViewLimit, UNLIMITED};

const RECORD_BYTES: usize = 128;
const BATCH_RECORDS: u64 = 1000;
const ROUNDS: usize = 3;

/// Nanoseconds for adding all records: each is copied into the batch, each full batch is one call.
fn add_all(store: &Store, log: Stream, records: u64, batch: &mut Batch) -> Result<f64, Error> {
    let mut record = [b'x'; RECORD_BYTES];
    let start = Instant::now();
    for number in 0..records {
        record[..8].copy_from_slice(&number.to_le_bytes());
        batch.push(&record);
        if batch.len() as u64 == BATCH_RECORDS || number + 1 == records {
            store.add(log, &*batch)?;
            batch.clear();
        }
    }
    Ok(start.elapsed().as_nanos() as f64)
}

/// Nanoseconds for reading all records: the first and the last byte of each are summed up.
fn read_all(store: &Store, log: Stream, records: u64) -> Result<f64, Error> {
    let start = Instant::now();
    let mut cursor = store.cursor(log, ..)?;
    let mut sum = 0;
    while let Some(view) = cursor.next_up_to(ViewLimit::records(BATCH_RECORDS))? {
        for payload in view {
            sum += u64::from(payload[0]) + u64::from(payload[payload.len() - 1]);
        }
    }
    let took = start.elapsed().as_nanos() as f64;
    let expected: u64 = (0..records).map(|number| (number & 0xff) + u64::from(b'x')).sum();
    assert_eq!(sum, expected, "the bytes that were read");
    Ok(took)
}

fn main() -> Result<(), Error> {
    let wanted = std::env::var("RECORDS").ok().and_then(|text| text.parse().ok());
    let records: u64 = wanted.unwrap_or(3_000_000);
    let mut batch = Batch::new();
    let (mut add_best, mut read_best) = (f64::MAX, f64::MAX);
    for round in 0..=ROUNDS {
        let store = Options::new().budget_bytes(UNLIMITED).open_in_memory()?;
        let log = store.stream("log")?;
        let add = add_all(&store, log, records, &mut batch)?;
        let read = read_all(&store, log, records)?;
        store.discard()?;
        if round > 0 {
            add_best = add_best.min(add); // the first only warms up
            read_best = read_best.min(read);
        }
    }
    println!("add_ns_per_record {:.3}", add_best / records as f64);
    println!("read_ns_per_record {:.3}", read_best / records as f64);
    Ok(())
}
