//! Adding with a batch that is used again and reading views allocate nothing on this side, for
//! records and for blocks. Alone in its program: it counts for the whole process.
#![deny(unsafe_op_in_unsafe_fn)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::{Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};

use spillway::{
    Batch, BlockBatch, BlockFile, BlockOptions, BlockReads, CancelToken, Options, Store, Stream,
    ViewLimit, UNLIMITED,
};

struct Counting;
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// Safe: does what the system's allocator does.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        unsafe { System.dealloc(place, layout) }
    }
    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { System.realloc(place, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn fill_and_add(store: &Store, stream: Stream, batch: &mut Batch, token: &CancelToken) {
    batch.clear();
    for number in 0..1000u64 {
        batch.push(&number.to_le_bytes());
    }
    store.add(stream, &*batch).unwrap();
    store.add_with(stream, &*batch, token).unwrap();
}

fn read_all(store: &Store, stream: Stream) -> u64 {
    let mut cursor = store.cursor(stream, ..).unwrap();
    let mut count = 0;
    while let Some(view) = cursor.next_up_to(ViewLimit::records(1000)).unwrap() {
        count += view.iter().map(|payload| payload.len() as u64 / 8).sum::<u64>();
    }
    count
}

/// The test's own harness may allocate on its thread meanwhile, so the fewest of some rounds count.
fn fewest_allocations(mut work: impl FnMut()) -> u64 {
    let count = |_| {
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        work();
        ALLOCATIONS.load(Ordering::Relaxed) - before
    };
    (0..10).map(count).min().expect("rounds")
}

fn name_of(number: u32) -> [u8; 3] {
    [number / 100, number / 10 % 10, number % 10].map(|digit| b'0' + digit as u8)
}

fn fill_and_put(file: &BlockFile, batch: &mut BlockBatch, versions: &mut Vec<u64>) {
    batch.clear();
    for number in 0..500 {
        batch.push(name_of(number), [7; 4096]);
    }
    file.put_batch(&*batch).unwrap();
    file.put_batch_versions(&*batch, versions).unwrap();
}

fn read_blocks(file: &BlockFile, reads: &mut BlockReads) {
    file.read_batch(reads).unwrap();
    assert!(reads.iter().all(|(_, block)| block == Ok(&[7; 4096])));
}

fn list_blocks(file: &BlockFile) -> u64 {
    let mut list = file.list("").unwrap();
    let mut bytes = 0;
    while let Some(view) = list.next().unwrap() {
        bytes += view.iter().map(|block| block.info.length()).sum::<u64>();
    }
    bytes
}

#[test]
fn steady_state_allocates_nothing() {
    records_in_steady_state();
    blocks_in_steady_state(); // not a test of its own, which would run at the same time
}

fn blocks_in_steady_state() {
    let path = std::env::temp_dir().join(format!("spillway-allocations-{}", std::process::id()));
    let file = BlockOptions::new().open(&path).unwrap();
    let (mut batch, mut versions, mut reads) = (BlockBatch::new(), Vec::new(), BlockReads::new());
    fill_and_put(&file, &mut batch, &mut versions);
    reads.extend(file.list_names("").unwrap().names().map(Result::unwrap));
    assert_eq!(reads.len(), 500);
    read_blocks(&file, &mut reads);
    assert_eq!(fewest_allocations(|| fill_and_put(&file, &mut batch, &mut versions)), 0);
    assert_eq!(fewest_allocations(|| read_blocks(&file, &mut reads)), 0);
    assert_eq!(fewest_allocations(|| assert_eq!(list_blocks(&file), 500 * 4096)), 0);
    let name = name_of(7);
    let mut buffer = [0; 4096];
    let one = || {
        assert_eq!(file.get(name).unwrap()[..], [7; 4096]);
        assert_eq!(file.read_at(name, &mut buffer, 0).unwrap(), 4096);
        file.put(name, [7; 4096]).unwrap();
        assert!(file.exists(name).unwrap() && file.stat(name).unwrap().length() == 4096);
    };
    assert_eq!(fewest_allocations(one), 0);
    let stream = || {
        let (mut reader, mut writer) = (file.reader(name).unwrap(), file.writer(name).unwrap());
        let mut buffer = [0; 4096];
        reader.read_exact(&mut buffer).unwrap();
        writer.write_all(&buffer).unwrap();
        writer.commit().unwrap();
    };
    assert_eq!(fewest_allocations(stream), 0);
    file.close().unwrap();
    std::fs::remove_file(&path).unwrap();
}

fn records_in_steady_state() {
    let store = Options::new().budget_bytes(UNLIMITED).open_in_memory().unwrap();
    let stream = store.stream("log").unwrap();
    let (mut batch, token) = (Batch::new(), CancelToken::new());
    fill_and_add(&store, stream, &mut batch, &token);
    assert_eq!(fewest_allocations(|| fill_and_add(&store, stream, &mut batch, &token)), 0);
    assert_eq!(fewest_allocations(|| assert_eq!(read_all(&store, stream), 22_000)), 0);
    let mut payload = Vec::with_capacity(8);
    assert_eq!(fewest_allocations(|| drop(store.read_into(stream, 7, &mut payload))), 0);
    store.set_option(spillway::Key::TIMEOUT_MS, 0).unwrap();
    token.cancel();
    let cancelled = || drop(store.add_with(stream, &batch, &token).unwrap_err());
    assert_eq!(fewest_allocations(cancelled), 0);
    store.discard().unwrap();
}
