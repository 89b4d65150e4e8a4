//! Adding with a batch that is used again and reading views allocate nothing on this side. Alone in
//! its program: it counts for the whole process.
#![deny(unsafe_op_in_unsafe_fn)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};

use spillway::{Batch, CancelToken, Options, Store, Stream, ViewLimit, UNLIMITED};

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

#[test]
fn steady_state_allocates_nothing() {
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
