//! Shrinking, copying, and the scrubber.
mod common;

use std::fs;

use common::{all_blocks, bytes_of, refused, Folder, Prng};
use spillway::{
    BlockBatch, BlockEntry, BlockFile, Blocks, CancelToken, ErrorKind, FlushLevel, Vacuum, Verify,
};

/// Blocks of many lengths, named by their numbers.
fn fill(file: &BlockFile, count: usize, prng: &mut Prng) {
    let blocks = (0..count).map(|number| {
        let len = prng.below(0..60_000) as usize;
        (format!("b/{:04}", number), prng.bytes(len))
    });
    file.put_batch(&blocks.collect::<BlockBatch>()).unwrap();
    file.set_tag("b/0001", "tag").unwrap();
    file.flush(FlushLevel::Checkpoint).unwrap();
}

fn entries(blocks: &Blocks) -> Vec<BlockEntry> {
    blocks.list("").unwrap().entries().map(Result::unwrap).collect()
}

#[test]
fn block_vacuum_shrinks() {
    let (folder, mut prng) = (Folder::new(), Prng::new());
    let file = folder.file();
    fill(&file, 1000, &mut prng);
    for number in (0..1000).filter(|number| number % 4 != 1) {
        file.delete(format!("b/{:04}", number)).unwrap();
    }
    file.flush(FlushLevel::Checkpoint).unwrap();
    let (before, infos) = (all_blocks(&file), entries(&file));
    let len = || fs::metadata(folder.blocks()).unwrap().len();
    let len_before = len();

    let dry = file.vacuum(Vacuum::dry_run()).unwrap();
    assert!(dry.bytes_after < dry.bytes_before && len() == len_before);
    let token = CancelToken::new();
    let result = file.vacuum(Vacuum::full().unless(&token)).unwrap();
    assert!(result.done && result.bytes_after < result.bytes_before, "{:?}", result);
    assert_eq!(result.bytes_file, len());
    assert!(len() < len_before / 2, "{} of {}", len(), len_before);
    assert_eq!(file.stats().unwrap().bytes_file, len());
    assert!(all_blocks(&file) == before && entries(&file) == infos);
    assert!(file.verify(Verify::full()).unwrap().is_clean());
    assert_eq!(token.progress().done, token.progress().total);

    token.cancel();
    refused(file.vacuum(Vacuum::full().unless(&token)), ErrorKind::Cancelled);
    file.close().unwrap();
    assert!(all_blocks(&folder.file()) == before);
}

#[test]
fn block_vacuum_goes_on_after_its_quota() {
    let (folder, mut prng) = (Folder::new(), Prng::new());
    let file = folder.file();
    fill(&file, 400, &mut prng);
    (0..200).for_each(|number| file.delete(format!("b/{:04}", number)).unwrap());
    file.flush(FlushLevel::Checkpoint).unwrap();
    let before = all_blocks(&file);
    let mut calls = 1;
    while !file.vacuum(Vacuum::new().at_most(1 << 20)).unwrap().done {
        calls += 1;
        assert!(calls < 100 && all_blocks(&file) == before);
    }
    assert!(calls > 1 && all_blocks(&file) == before);
    file.close().unwrap();
}

#[test]
fn block_copy_is_equal() {
    let (folder, mut prng) = (Folder::new(), Prng::new());
    let file = folder.file();
    fill(&file, 300, &mut prng);
    let (before, infos) = (all_blocks(&file), entries(&file));
    let copy = folder.path().join("copy");
    let snapshot = file.snapshot().unwrap();
    file.put("later", "is not in it").unwrap();
    let token = CancelToken::new();
    snapshot.copy_to_with(&copy, &token).unwrap();
    assert_eq!(token.progress().done, token.progress().total);
    refused(snapshot.copy_to(&copy), ErrorKind::AlreadyExists);
    refused(file.copy_to(folder.path().join("no/such/folder")), ErrorKind::NotFound);
    token.cancel();
    let other = folder.path().join("other");
    refused(file.copy_to_with(&other, &token), ErrorKind::Cancelled);
    assert!(!other.exists());
    file.copy_to(&other).unwrap();
    file.close().unwrap();

    let copied = BlockFile::open(&copy).unwrap();
    assert!(all_blocks(&copied) == before && entries(&copied) == infos);
    assert!(copied.verify(Verify::full()).unwrap().is_clean());
    copied.close().unwrap();
    let copied = BlockFile::open(&other).unwrap();
    assert_eq!(bytes_of(&copied, "later").unwrap(), b"is not in it");
    assert_eq!(all_blocks(&copied).len(), before.len() + 1);
}

#[test]
fn block_scrub_reports() {
    let (folder, mut prng) = (Folder::new(), Prng::new());
    let bytes = prng.bytes(50_000);
    let file = folder.file();
    file.put("damaged", &bytes).unwrap();
    file.put("sound", &bytes[..40_000]).unwrap();
    file.flush(FlushLevel::Device).unwrap();
    assert!(file.scrub_report().unwrap().is_none());
    file.scrub(1 << 30).unwrap();
    common::until("a pass of the scrubber", || file.stats().unwrap().scrub_passes > 0);
    let report = file.scrub_report().unwrap().expect("a report");
    assert!(report.is_clean() && report.is_full() && report.blocks() == 2);
    file.scrub(0).unwrap();
    file.close().unwrap();

    let mut all = fs::read(folder.blocks()).unwrap();
    let damaged = &bytes[45_000..45_064]; // where only one of them reaches
    let places: Vec<_> = (0..all.len() - 64).filter(|at| all[*at..].starts_with(damaged)).collect();
    assert!(!places.is_empty());
    places.iter().for_each(|at| all[at + 20] ^= 1);
    fs::write(folder.blocks(), &all).unwrap();
    let file = folder.file();
    file.scrub(1 << 30).unwrap();
    common::until("the damage to be seen", || file.stats().unwrap().scrub_problems > 0);
    common::until("a report", || file.scrub_report().unwrap().is_some());
    let report = file.scrub_report().unwrap().expect("a report");
    assert_eq!(report.blocks_damaged(), 1);
    assert_eq!(report.problems().next().unwrap().name, Some(&b"damaged"[..]));
    assert_eq!(bytes_of(&file, "sound").unwrap(), &bytes[..40_000]);
    file.close().unwrap();
}

#[test]
fn block_upkeep_of_a_closed_file() {
    let folder = Folder::new();
    let file = folder.file();
    file.put("a", "text").unwrap();
    let snapshot = file.snapshot().unwrap();
    file.clone().close().unwrap();
    let (copy, closed) = (folder.path().join("copy"), ErrorKind::Closed);
    refused(file.vacuum(Vacuum::full()), closed);
    refused(file.copy_to(&copy), closed);
    refused(snapshot.copy_to(&copy), closed);
    refused(file.scrub(1), closed);
    refused(file.scrub_report(), closed);
    assert!(!copy.exists());
}
