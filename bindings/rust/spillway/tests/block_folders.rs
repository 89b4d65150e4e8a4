//! Folders of files into blocks, and back.
mod common;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use common::{all_blocks, bytes_of, refused, Folder, Prng};
use spillway::{BlockOptions, CancelToken, Error, ErrorKind};

/// Every file below a folder, by its path from there.
fn files_of(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
                continue;
            }
            let name = entry.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            found.insert(name, fs::read(entry).unwrap());
        }
    }
    found
}

#[test]
fn block_import_export_round_trip() {
    let (folder, mut prng) = (Folder::new(), Prng::new());
    let from = folder.path().join("from");
    let names = ["a", "b/c", "b/d/e", "b/d/\u{e9}", "empty"];
    for name in names {
        let path = from.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let len = if name == "empty" { 0 } else { prng.below(1..3_000_000) as usize };
        fs::write(path, prng.bytes(len)).unwrap();
    }
    symlink("a", from.join("link")).unwrap();
    let files = {
        let mut files = files_of(&from);
        files.remove("link");
        files
    };
    let bytes: usize = files.values().map(Vec::len).sum();

    let file = folder.file();
    file.put("other", "stays").unwrap();
    let token = CancelToken::new();
    let moved = file.import_with(&from, "in/", &token).unwrap();
    assert_eq!((moved.blocks, moved.bytes), (5, bytes as u64));
    assert_eq!((moved.equal, moved.ignored), (0, 1));
    for (name, bytes) in &files {
        assert!(&bytes_of(&file, format!("in/{}", name)).unwrap() == bytes);
    }
    assert_eq!(bytes_of(&file, "other").unwrap(), b"stays");
    let again = file.import(&from, "in/").unwrap();
    assert_eq!((again.blocks, again.equal, again.ignored), (0, 5, 1));

    let to = folder.path().join("to");
    let snapshot = file.snapshot().unwrap();
    file.put("in/a", "later").unwrap();
    let moved = snapshot.export_with("in/", &to, &token).unwrap();
    assert_eq!((moved.blocks, moved.bytes, moved.equal), (5, bytes as u64, 0));
    assert!(files_of(&to) == files);
    assert_eq!(file.export("in/", &to).unwrap().equal, 4);
    assert_eq!(fs::read(to.join("a")).unwrap(), b"later");

    // A name that no path can have goes out escaped, and comes back as it was.
    let (odd, back) = (folder.path().join("odd"), folder.path().join("back"));
    let names: [&[u8]; 4] = [b"x/../y", b"/", b"\xff\xfe", b"%41"];
    for name in names {
        file.put([b"odd/", name].concat(), name).unwrap();
    }
    file.export("odd/", &odd).unwrap();
    let other = BlockOptions::new().open(back).unwrap();
    other.import(&odd, "").unwrap();
    let mut want: Vec<_> = names.iter().map(|name| (name.to_vec(), name.to_vec())).collect();
    want.sort_unstable();
    assert_eq!(all_blocks(&other), want);

    token.cancel();
    let failed = file.import_with(&from, "", &token).unwrap_err();
    assert_eq!((failed.error().kind(), failed.into_parts().0.blocks), (ErrorKind::Cancelled, 0));
    let missing = file.import(folder.path().join("missing"), "").map_err(Error::from);
    refused(missing, ErrorKind::NotFound);
    file.close().unwrap();
}
