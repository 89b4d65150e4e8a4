//! What the tests share: random numbers with a seed, folders, stores, and waiting for a condition.
#![allow(dead_code)] // each test program uses some of it

use std::any::Any;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use spillway::{
    Batch, BlockFile, BlockOptions, Blocks, Cursor, Error, ErrorKind, Options, OwnedRecord, Store,
    Stream, WhenFull,
};

/// SplitMix64. `SEED` repeats a run, as in all tests here; the seed is shown when a test fails.
pub struct Prng(u64);

impl Prng {
    pub fn new() -> Prng {
        let clock = || Some(std::time::UNIX_EPOCH.elapsed().ok()?.as_nanos() as u64);
        let given = std::env::var("SEED").ok().and_then(|text| text.parse().ok());
        let seed = given.or_else(clock).unwrap_or(1);
        println!("seed={0} rerun: make test T=bindings.rust SEED={0}", seed);
        Prng(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, range: Range<u64>) -> u64 {
        range.start + self.next() % (range.end - range.start)
    }

    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        let words = (0..len / 8 + 1).map(|_| self.next().to_le_bytes());
        let mut bytes = words.collect::<Vec<_>>().concat();
        bytes.truncate(len);
        bytes
    }
}

/// A folder that is gone with it.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("spillway-rust-{}-{}", std::process::id(), number);
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).expect("a folder for the test");
        Folder(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn store(&self) -> PathBuf {
        self.0.join("store.spw")
    }

    pub fn blocks(&self) -> PathBuf {
        self.0.join("blocks")
    }

    pub fn file(&self) -> BlockFile {
        BlockOptions::new().open(self.blocks()).expect("a block file")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub const BUDGET: u64 = 256 << 10; // the smallest there is

/// A store in the folder that spills early.
pub fn small_store(folder: &Folder) -> Store {
    small_options().open(folder.store()).expect("a store")
}

pub fn small_options() -> Options {
    Options::new().budget_bytes(BUDGET).clone()
}

/// A store in memory whose adds wait at the hard limit, filled up to it, and how many records it
/// took.
pub fn full_store() -> (Store, Stream, u64) {
    let options = Options::new().budget_bytes(BUDGET).when_full(WhenFull::Block).clone();
    let store = options.open_in_memory().expect("a store");
    let stream = store.stream("full").expect("a stream");
    let mut batch = Batch::new();
    batch.push(&[7; 4096]);
    let mut count = 0;
    loop {
        match store.add_with(stream, &batch, Duration::from_millis(0)) {
            Ok(_) => count += 1,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock, "{:?}", error);
                return (store, stream, count);
            }
        }
    }
}

/// All records from the cursor's position on.
pub fn all(cursor: &mut Cursor) -> Vec<OwnedRecord> {
    cursor.records().collect::<Result<_, _>>().expect("records")
}

pub fn contents(store: &Store, stream: Stream) -> Vec<OwnedRecord> {
    all(&mut store.cursor(stream, ..).expect("a cursor"))
}

/// All bytes of a block, through the call that copies them.
pub fn bytes_of(blocks: &Blocks, name: impl AsRef<[u8]>) -> Result<Vec<u8>, Error> {
    let name = name.as_ref();
    let mut bytes = vec![0xee; blocks.stat(name)?.length() as usize + 1];
    let len = blocks.read_at(name, &mut bytes, 0)?;
    assert_eq!(bytes.pop(), Some(0xee), "nothing is written behind the block's end");
    assert_eq!(len, bytes.len());
    Ok(bytes)
}

/// Names and bytes of all blocks, in the order of the list.
pub fn all_blocks(blocks: &Blocks) -> Vec<(Vec<u8>, Vec<u8>)> {
    let names: Result<Vec<_>, _> = blocks.list_names("").expect("a list").names().collect();
    let with_bytes = |name: Vec<u8>| (name.clone(), bytes_of(blocks, &name).expect("a block"));
    names.expect("names").into_iter().map(with_bytes).collect()
}

/// What is wrong with the kind of an error, at the line of the caller.
#[track_caller]
pub fn refused<T>(result: Result<T, spillway::Error>, kind: ErrorKind) -> spillway::Error {
    match result {
        Ok(_) => panic!("no error, where {:?} was expected", kind),
        Err(error) => {
            assert_eq!(error.kind(), kind, "{:?}", error);
            error
        }
    }
}

/// Waits for a condition; a minute is for ever.
#[track_caller]
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(60), "waited in vain for {}", what);
        thread::yield_now();
    }
}

/// In thousands of bytes, as the kernel sees it.
pub fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("the kernel's numbers");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("VmRSS");
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
}

/// Drops the handles in random order on several threads.
pub fn drop_all(handles: Vec<Box<dyn Any + Send>>, prng: &mut Prng) {
    let mut shares: Vec<Vec<Box<dyn Any + Send>>> = (0..4).map(|_| Vec::new()).collect();
    for handle in handles {
        let share = &mut shares[prng.below(0..4) as usize];
        let place = prng.below(0..share.len() as u64 + 1) as usize;
        share.push(handle);
        let last = share.len() - 1;
        share.swap(place, last);
    }
    let droppers: Vec<_> = shares.into_iter().map(|share| thread::spawn(|| drop(share))).collect();
    droppers.into_iter().for_each(|dropper| dropper.join().expect("to drop"));
}

/// Forks, and says whether what the child did there was good. The program must be one that runs no
/// other test; the child leaves without unwinding or destructors of the parent's.
pub fn good_in_child(work: impl FnOnce() -> bool) -> bool {
    extern "C" {
        fn fork() -> i32;
        fn waitpid(child: i32, status: *mut i32, options: i32) -> i32;
        fn _exit(code: i32) -> !;
    }
    // Safe: the child uses nothing but what the work does.
    let child = unsafe { fork() };
    if child == 0 {
        let good = work();
        unsafe { _exit(if good { 0 } else { 1 }) };
    }
    let mut status = -1;
    assert_eq!(unsafe { waitpid(child, &mut status, 0) }, child);
    status == 0
}

/// Files of this process get no longer than so many bytes from here on, which the library takes for
/// a full disk. The program must be one that runs no other test meanwhile.
pub fn limit_files(bytes: u64) {
    const RLIMIT_FSIZE: i32 = 1;
    const SIGXFSZ: i32 = 25;
    const SIG_IGN: usize = 1;
    extern "C" {
        fn signal(signal: i32, handler: usize) -> usize;
        fn getrlimit(what: i32, limit: *mut [u64; 2]) -> i32;
        fn setrlimit(what: i32, limit: *const [u64; 2]) -> i32;
    }
    let mut limit = [0; 2];
    // Safe: an rlimit is two such numbers on 64 bits; the signal is only ignored.
    unsafe {
        assert_ne!(signal(SIGXFSZ, SIG_IGN), usize::MAX);
        assert_eq!(getrlimit(RLIMIT_FSIZE, &mut limit), 0);
        limit[0] = bytes.min(limit[1]);
        assert_eq!(setrlimit(RLIMIT_FSIZE, &limit), 0);
    }
}
