//! What a batch of blocks costs through the binding: see bench.sh for the workload and the output.
use std::io::Write;
use std::time::Instant;

use spillway::{BlockBatch, BlockFile, BlockOptions, BlockReads, Error, FlushLevel, OpenMode};

const BLOCKS: usize = 1000;
const UPDATES: usize = 500;
const BLOCK_BYTES: usize = 4096;
const ROUNDS: u64 = 40;

fn name_of(block: usize) -> [u8; 10] {
    let mut name = [0; 10];
    write!(&mut name[..], "block/{:04}", block).expect("ten bytes");
    name
}

/// One batch: every second block of the file if `step` is 2, all if it is 1.
fn pack(batch: &mut BlockBatch, step: usize, stamp: u64) {
    let mut block = [b'x'; BLOCK_BYTES];
    batch.clear();
    for number in (0..BLOCKS).step_by(step) {
        block[..8].copy_from_slice(&(stamp + number as u64).to_le_bytes());
        batch.push(name_of(number), block);
    }
}

fn check_all(reads: &BlockReads, stamp: u64) {
    for ((_, block), number) in reads.iter().zip((0..).step_by(BLOCKS / UPDATES)) {
        let block = block.expect("a block");
        assert_eq!(block[..8], (stamp + number).to_le_bytes());
        assert!(block.len() == BLOCK_BYTES && block[8..].iter().all(|byte| *byte == b'x'));
    }
}

fn measure(file: &BlockFile) -> Result<[f64; 3], Error> {
    let mut batch = BlockBatch::new();
    pack(&mut batch, 1, 0);
    file.put_batch(&batch)?;
    file.flush(FlushLevel::Device)?;
    let mut reads: BlockReads = (0..BLOCKS).step_by(BLOCKS / UPDATES).map(name_of).collect();
    let mut best = [f64::MAX; 3];
    for round in 0..=ROUNDS {
        let stamp = round * BLOCKS as u64;
        let began = Instant::now();
        pack(&mut batch, BLOCKS / UPDATES, stamp);
        file.put_batch(&batch)?;
        let put = began.elapsed();
        file.flush(FlushLevel::Device)?;
        let durable = began.elapsed();
        let began = Instant::now();
        file.read_batch(&mut reads)?;
        let read = began.elapsed();
        check_all(&reads, stamp);
        if round > 0 {
            // The first only warms up.
            for (best, took) in best.iter_mut().zip([put, durable, read]) {
                *best = best.min(took.as_nanos() as f64 / 1e3);
            }
        }
    }
    Ok(best)
}

fn main() -> Result<(), Error> {
    let path = std::env::var_os("BLOCKS").expect("BLOCKS: the path of a new block file");
    let file = BlockOptions::new().mode(OpenMode::New).open(path)?;
    let [put, durable, read] = measure(&file)?;
    file.close()?;
    println!("block_put_us {:.1}\nblock_durable_us {:.1}\nblock_read_us {:.1}", put, durable, read);
    Ok(())
}
