//! On a full disk nothing is lost, and what failed can be tried again. Alone in its program: it
//! limits how long the files of this process may be, which the library takes for a full disk.
#![cfg(target_os = "linux")]
mod common;

use std::io::Write;

use common::{all_blocks, bytes_of, limit_files, Folder};
use spillway::{BlockOptions, Error, ErrorKind, FlushLevel};

const EFBIG: i32 = 27;

#[test]
fn block_file_on_a_full_disk() {
    let folder = Folder::new();
    let open = || BlockOptions::new().dirty_bytes(1 << 20).open(folder.blocks()).unwrap();
    let file = open();
    file.put("a", "text").unwrap();
    file.flush(FlushLevel::Checkpoint).unwrap();
    limit_files(std::fs::metadata(folder.blocks()).unwrap().len());

    // What was accepted has its place in the file, and is not lost.
    let block = |number: usize| (format!("b/{:04}", number), vec![number as u8; 100_000]);
    let mut accepted = 0;
    let error = loop {
        let (name, bytes) = block(accepted);
        match file.put(name, bytes) {
            Ok(_) => accepted += 1,
            Err(error) => break error,
        }
    };
    assert_eq!((error.kind(), error.os_error()), (ErrorKind::Full, Some(EFBIG)));
    assert!(accepted > 0 && !file.exists(block(accepted).0).unwrap());
    file.flush(FlushLevel::Device).unwrap();

    // So it is with a stream: a piece is added or not, and it goes on when there is room.
    let mut writer = file.writer("film").unwrap();
    let mut added = 0;
    let failed = loop {
        match writer.write(&[7; 100_000]) {
            Ok(len) => added += len,
            Err(failed) => break failed,
        }
    };
    let inside = failed.get_ref().and_then(|error| error.downcast_ref::<Error>());
    assert_eq!(inside.map(Error::kind), Some(ErrorKind::Full));
    limit_files(u64::MAX);
    writer.write_all(&[8; 100_000]).unwrap();
    writer.commit().unwrap();
    let (name, bytes) = block(accepted);
    file.put(name, bytes).unwrap();
    file.close().unwrap();

    let file = open();
    let film = [vec![7; added], vec![8; 100_000]].concat();
    assert!(bytes_of(&file, "film").unwrap() == film);
    assert_eq!(all_blocks(&file).len(), accepted + 3);
    for (name, bytes) in (0..=accepted).map(block) {
        assert!(bytes_of(&file, name).unwrap() == bytes);
    }
    file.close().unwrap();
}
