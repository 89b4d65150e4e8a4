//! Handles of block files that nobody closes. Alone in its program: it looks at counters of the
//! whole process.
mod common;

use std::any::Any;

use common::{bytes_of, drop_all, resident_kb, Folder, Prng};
use spillway::{leaked_files, BlockFile, ErrorKind, FlushLevel, Verify};

/// Everything that comes from a file, in equal parts; changes of transactions that nobody commits.
fn handles(file: &BlockFile, count: usize) -> Vec<Box<dyn Any + Send>> {
    let made = (0..count).map(|number| -> Box<dyn Any + Send> {
        match number % 6 {
            0 => Box::new(file.get("a").unwrap()),
            1 => Box::new(file.snapshot().unwrap()),
            2 => {
                let change = file.begin().unwrap();
                change.put("b", [2; 1000]).unwrap();
                Box::new(change)
            }
            3 => {
                let mut list = file.list("").unwrap();
                list.next().unwrap();
                Box::new(list)
            }
            4 => Box::new(file.list_names("").unwrap()),
            _ => Box::new(file.clone()),
        }
    });
    made.collect()
}

#[test]
fn block_handles_are_collected() {
    let (folder, mut prng) = (Folder::new(), Prng::new());
    let file = folder.file();
    file.put("a", [1; 100_000]).unwrap();
    file.flush(FlushLevel::Device).unwrap();
    let mut rounds = |count| (0..count).for_each(|_| drop_all(handles(&file, 600), &mut prng));
    rounds(30); // so that what is kept for reuse is there
    let before = resident_kb();
    rounds(100);
    let grown = resident_kb().saturating_sub(before);
    assert!(grown < 8 << 10, "{} KiB more after 60,000 handles", grown);
    assert_eq!(file.stats().unwrap().snapshots, 0);
    assert!(file.verify(Verify::full()).unwrap().is_clean() && !file.exists("b").unwrap());
    file.close().unwrap();
    assert_eq!(leaked_files(), 0);

    // Files that are only dropped are counted, when the last that keeps them open goes.
    for count in 1..=20 {
        let file = reopened(&folder);
        assert_eq!(bytes_of(&file, "a").unwrap(), [1; 100_000]);
        let keeps_it: [Box<dyn Any + Send>; 3] = [
            Box::new(file.clone()),
            Box::new(file.list("").unwrap()),
            Box::new(file.begin().unwrap()),
        ];
        drop(file);
        assert_eq!(leaked_files(), count - 1);
        drop_all(keeps_it.into(), &mut prng);
        assert_eq!(leaked_files(), count);
    }
    let file = reopened(&folder);
    file.put("a", "given up").unwrap();
    file.discard().unwrap();
    assert_eq!(leaked_files(), 20, "a file that was told to give up is not leaked");
}

fn reopened(folder: &Folder) -> BlockFile {
    let mut file = None;
    common::until("the last file to be let go of", || {
        match BlockFile::open(folder.blocks()) {
            Ok(opened) => file = Some(opened),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Busy, "{:?}", error),
        }
        file.is_some()
    });
    file.expect("a file")
}
