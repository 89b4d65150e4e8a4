//! A document of a few thousand parts in one file. A save changes some parts and is all or nothing,
//! also when the program is killed in the middle of it; opening reads a few pages, not the document:
//!
//!     document new PATH PARTS     a document of so many parts, as of save 0
//!     document save PATH COUNT    one save that changes COUNT parts and the manifest
//!     document check PATH         proves that all parts are of the saves that the manifest says
//!     document delete PATH COUNT  removes the last COUNT parts, as a save
//!     document shrink PATH        gives the space of what is gone back to the disk
//!
//! Each prints one line and ends with 0, or a message and 1 (64: wrong usage). examples/c/document.c
//! says what is in the file: the programs in all languages read and change each other's documents.
use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Write};
use std::process::exit;

use spillway::{
    BlockBatch, BlockFile, BlockOptions, BlockTransaction, Blocks, CommitLevel, OpenMode, Vacuum,
};

const USAGE: &str = "usage: document new PATH PARTS | save PATH COUNT | check PATH | \
                     delete PATH COUNT | shrink PATH";
/// How many parts are handed over in one call.
const BATCH: usize = 500;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn part_name(number: u64) -> String {
    format!("part/{number:06}")
}

/// What a part holds as of a save.
fn part(number: u64, save: u64) -> Vec<u8> {
    let length = 1000 + (number * 7919 + save * 104_729) % 7001;
    let content = (0..length).map(|i| ((i * 31 + number * 17 + save * 101) % 251) as u8);
    save.to_le_bytes().into_iter().chain(number.to_le_bytes()).chain(content).collect()
}

fn damaged(what: &str, part: u64) -> Box<dyn Error> {
    format!("{what} (part {part})").into()
}

struct Manifest {
    save: u64,
    /// Of each part, the save that wrote it.
    stamps: Vec<u64>,
}

impl Manifest {
    /// From the file as of now, a transaction or a snapshot: all of them are `Blocks`.
    fn read(blocks: &Blocks) -> Result<Manifest> {
        let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("8 bytes"));
        let numbers: Vec<u64> = blocks.get("manifest")?.chunks_exact(8).map(number).collect();
        match numbers[..] {
            [save, parts, ref stamps @ ..] if parts == stamps.len() as u64 => {
                Ok(Manifest { save, stamps: stamps.to_vec() })
            }
            _ => Err(damaged("a manifest of another length", 0)),
        }
    }

    fn to_bytes(&self) -> Vec<u8> {
        let head = [self.save, self.parts()];
        head.iter().chain(&self.stamps).flat_map(|number| number.to_le_bytes()).collect()
    }

    fn parts(&self) -> u64 {
        self.stamps.len() as u64
    }
}

/// Writes the parts of these numbers and the manifest. They are durable when this returns, together
/// with what was changed before in the same transaction; after an error none of it happened.
fn commit(
    change: BlockTransaction,
    manifest: &mut Manifest,
    numbers: impl Iterator<Item = u64>,
) -> Result<()> {
    let mut batch = BlockBatch::new();
    for number in numbers {
        manifest.stamps[number as usize] = manifest.save;
        batch.push(part_name(number), part(number, manifest.save));
        if batch.len() == BATCH {
            change.put_batch(&batch)?;
            batch.clear();
        }
    }
    batch.push("manifest", manifest.to_bytes());
    change.put_batch(&batch)?;
    change.commit(CommitLevel::Device)?;
    Ok(())
}

fn create(path: &OsStr, parts: u64) -> Result<String> {
    let file = BlockOptions::new().mode(OpenMode::New).open(path)?;
    let mut manifest = Manifest { save: 0, stamps: vec![0; parts as usize] };
    commit(file.begin()?, &mut manifest, 0..parts)?;
    file.close()?;
    Ok(format!("save 0: {parts} of {parts} parts written"))
}

fn save(path: &OsStr, count: u64) -> Result<String> {
    let file = BlockFile::open(path)?;
    let change = file.begin()?;
    let mut manifest = Manifest::read(&change)?;
    manifest.save += 1;
    let (save, parts) = (manifest.save, manifest.parts());
    let count = count.min(parts);
    commit(change, &mut manifest, (0..count).map(|i| (save * 611 + i) % parts))?;
    file.close()?;
    Ok(format!("save {save}: {count} of {parts} parts written"))
}

fn delete(path: &OsStr, count: u64) -> Result<String> {
    let file = BlockFile::open(path)?;
    let change = file.begin()?;
    let mut manifest = Manifest::read(&change)?;
    manifest.save += 1;
    let (save, left) = (manifest.save, manifest.parts().saturating_sub(count));
    for number in left..manifest.parts() {
        change.delete(part_name(number))?;
    }
    manifest.stamps.truncate(left as usize);
    commit(change, &mut manifest, std::iter::empty())?;
    file.close()?;
    Ok(format!("save {save}: {left} of {left} parts left"))
}

fn check(path: &OsStr) -> Result<String> {
    let file = BlockOptions::new().read_only().open(path)?;
    let now = file.snapshot()?;
    let manifest = Manifest::read(&now)?;
    let mut bytes = 0;
    for (number, stamp) in (0..).zip(&manifest.stamps) {
        let found = now.get(part_name(number))?; // a view of the part, not a copy
        if !found.starts_with(&stamp.to_le_bytes()) {
            return Err(damaged("a part of another save", number));
        }
        if found[..] != part(number, *stamp) {
            return Err(damaged("a part with other bytes", number));
        }
        bytes += found.len();
    }
    let (mut list, mut names) = (now.list_names("part/")?, 0);
    while let Some(view) = list.next()? {
        names += view.len();
    }
    if names != manifest.stamps.len() {
        return Err(damaged("more parts than the manifest knows", manifest.parts()));
    }
    file.close()?;
    let (save, parts) = (manifest.save, manifest.parts());
    Ok(format!("save {save}: {parts} parts, {bytes} bytes, all as they were saved"))
}

fn shrink(path: &OsStr) -> Result<String> {
    let before = fs::metadata(path)?.len();
    let file = BlockFile::open(path)?;
    file.vacuum(Vacuum::full())?;
    file.close()?; // until then it has room in reserve
    Ok(format!("the file: {before} bytes, now {}", fs::metadata(path)?.len()))
}

/// What the command says, or `None` if it is none of ours.
fn run(arguments: &[OsString]) -> Option<Result<String>> {
    let number = |text: &OsStr| text.to_str()?.parse().ok().filter(|n| (1..=999_999).contains(n));
    Some(match arguments {
        [verb, path, parts] if verb == "new" => create(path, number(parts)?),
        [verb, path, count] if verb == "save" => save(path, number(count)?),
        [verb, path, count] if verb == "delete" => delete(path, number(count)?),
        [verb, path] if verb == "check" => check(path),
        [verb, path] if verb == "shrink" => shrink(path),
        _ => return None,
    })
}

fn main() {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let done = run(&arguments).unwrap_or_else(|| {
        eprintln!("{USAGE}");
        exit(64)
    });
    if let Err(error) = done.and_then(|said| Ok(writeln!(io::stdout(), "{said}")?)) {
        eprintln!("document: {error}");
        exit(1);
    }
}
