//! Blocks: what goes in comes out, in order, and only if it was expected.
mod common;

use std::time::{Duration, SystemTime};

use common::{all_blocks, bytes_of, refused, Folder, Prng};
use spillway::{
    BlockBatch, BlockColumns, BlockEntry, BlockFile, BlockReads, ErrorKind, Expected, FlushLevel,
};

#[test]
fn block_put_get_round_trip() {
    let (folder, mut prng) = (Folder::new(), Prng::new());
    let lens = [0, 1, 100, 4095, 4096, 4097, 65_536, 1_000_000, 9_000_000];
    let blocks: Vec<_> = lens.iter().map(|len| (format!("b{}", len), prng.bytes(*len))).collect();
    let check = |file: &BlockFile| {
        for (name, bytes) in &blocks {
            assert_eq!(file.get(name).unwrap()[..], bytes[..]);
            assert_eq!(&bytes_of(file, name).unwrap(), bytes);
            let (begin, end) = (bytes.len() / 3, bytes.len() / 3 * 2);
            let range = begin as u64..end as u64;
            assert_eq!(file.get_range(name, range).unwrap()[..], bytes[begin..end]);
            assert_eq!(file.get_range(name, begin as u64..).unwrap()[..], bytes[begin..]);
            assert_eq!(file.get_range(name, ..=u64::MAX).unwrap()[..], bytes[..]);
            let mut part = vec![0; end - begin + 5];
            let want = part.len().min(bytes.len() - begin);
            assert_eq!(file.read_at(name, &mut part, begin as u64).unwrap(), want);
            assert_eq!(part[..want], bytes[begin..begin + want]);
            assert_eq!(file.read_at(name, &mut part, u64::MAX).unwrap(), 0);
            assert_eq!(file.stat(name).unwrap().length(), bytes.len() as u64);
            assert!(file.exists(name).unwrap());
        }
    };
    let file = folder.file();
    let mut last = 0;
    for (name, bytes) in &blocks {
        let version = file.put(name, bytes).unwrap();
        assert!(version > last && file.stat(name).unwrap().version() == version);
        last = version;
    }
    check(&file);
    file.flush(FlushLevel::Device).unwrap();
    check(&file);
    file.close().unwrap();
    let file = BlockFile::open(folder.blocks()).unwrap();
    check(&file);
    file.delete("b100").unwrap();
    assert!(!file.exists("b100").unwrap());
    refused(file.get("b100"), ErrorKind::NotFound);
    assert_eq!(file.stats().unwrap().checksum_errors, 0);
    file.close().unwrap();
}

#[test]
fn block_times_are_the_clocks() {
    let folder = Folder::new();
    let file = folder.file();
    let before = SystemTime::now() - Duration::from_secs(1);
    file.put("a", "one").unwrap();
    let first = file.stat("a").unwrap();
    file.append("a", "two").unwrap();
    let second = file.stat("a").unwrap();
    let after = SystemTime::now() + Duration::from_secs(1);
    assert!(before <= first.created() && first.created() == second.created());
    assert!(first.modified() <= second.modified() && second.modified() <= after);
    assert!(first != second && second.length() == 6 && second.tag().is_empty());
    assert!(format!("{:?}", second).contains("length: 6"));
    file.close().unwrap();
}

#[test]
fn block_batch_is_all_or_none() {
    let folder = Folder::new();
    let file = folder.file();
    let blocks: Vec<_> = (0..500).map(|i| (format!("b{:03}", i), vec![i as u8; i])).collect();
    let mut batch: BlockBatch = blocks.iter().map(|(name, bytes)| (name, bytes)).collect();
    assert_eq!((batch.len(), batch.payload_bytes()), (500, 499 * 500 / 2));
    let mut versions = Vec::new();
    file.put_batch_versions(&batch, &mut versions).unwrap();
    assert_eq!(versions.len(), 500);
    for ((name, bytes), version) in blocks.iter().zip(&versions) {
        assert_eq!(&bytes_of(&file, name).unwrap(), bytes);
        assert_eq!(file.stat(name).unwrap().version(), *version);
    }

    // One condition that is not met, and nothing happens.
    batch.clear();
    batch.push("b000", "another");
    batch.push_if("b001", "another", Expected::Version(versions[1]));
    batch.push_if("b002", "another", Expected::Version(versions[1]));
    batch.push("new", "another");
    let before = all_blocks(&file);
    let error = refused(file.put_batch_versions(&batch, &mut versions), ErrorKind::Conflict);
    assert_eq!((error.record_index(), versions.len()), (Some(2), 0));
    assert_eq!(all_blocks(&file), before);
    batch.clear();
    batch.push_if("new", "1", Expected::Absent);
    batch.push_if("b000", "2", Expected::Absent);
    let error = refused(file.put_batch(&batch), ErrorKind::AlreadyExists);
    assert_eq!(error.record_index(), Some(1));
    assert_eq!(all_blocks(&file), before);

    // From where it lies, with conditions; columns that do not fit each other are refused here.
    let columns = BlockColumns::new(b"#xy", &[1, 2, 3], b"onetwo", &[0, 3, 6]);
    file.put_batch(columns.with_expected(&[0, u64::MAX])).unwrap();
    assert_eq!(bytes_of(&file, "x").unwrap(), b"one");
    assert_eq!(bytes_of(&file, "y").unwrap(), b"two");
    let wrong = ErrorKind::InvalidArgument;
    refused(file.put_batch(columns.with_expected(&[0])), wrong);
    refused(file.put_batch(BlockColumns::new(b"xy", &[], b"", &[])), wrong);
    refused(file.put_batch(BlockColumns::new(b"xy", &[0, 1, 2], b"", &[0, 0])), wrong);
    refused(file.put_batch(BlockColumns::new(b"xy", &[0, 3], b"", &[0, 0])), wrong);
    refused(file.put_batch(BlockColumns::new(b"xy", &[2, 1], b"", &[0, 0])), wrong);
    file.put_batch(&BlockBatch::new()).unwrap();
    assert_eq!(all_blocks(&file).len(), 502);
    file.close().unwrap();
}

#[test]
fn block_read_batch_tells_each() {
    let folder = Folder::new();
    let file = folder.file();
    let mut reads = BlockReads::from_iter(["a", "none", "b", "a"]);
    refused(reads.block(0), ErrorKind::InvalidState);
    for len in [0, 10, 100_000, 3] {
        file.put("a", vec![b'a'; len]).unwrap();
        file.put("b", vec![b'b'; len * 2]).unwrap();
        file.read_batch(&mut reads).unwrap();
        assert_eq!(reads.block(0).unwrap(), vec![b'a'; len]);
        refused(reads.block(1), ErrorKind::NotFound);
        assert_eq!(reads.block(2).unwrap(), vec![b'b'; len * 2]);
        assert_eq!(reads.block(3).unwrap(), vec![b'a'; len]);
        refused(reads.block(4), ErrorKind::InvalidState);
        let outcomes: Vec<_> = reads.iter().collect();
        assert_eq!(outcomes[1], (&b"none"[..], Err(ErrorKind::NotFound)));
        assert_eq!(outcomes[2], (&b"b"[..], Ok(&vec![b'b'; len * 2][..])));
    }
    reads.push("b");
    refused(reads.block(0), ErrorKind::InvalidState);
    reads.push("");
    refused(file.read_batch(&mut reads), ErrorKind::InvalidArgument);
    assert!(reads.iter().all(|(_, block)| block == Err(ErrorKind::InvalidState)));
    reads.clear();
    file.read_batch(&mut reads).unwrap();
    assert_eq!((reads.len(), reads.iter().len()), (0, 0));
    file.close().unwrap();
}

#[test]
fn block_compare_and_swap() {
    let folder = Folder::new();
    let file = folder.file();
    refused(file.put_if("a", "0", Expected::Version(7)), ErrorKind::NotFound);
    let first = file.put_if("a", "1", Expected::Absent).unwrap();
    refused(file.put_if("a", "2", Expected::Absent), ErrorKind::AlreadyExists);
    let second = file.put_if("a", "2", Expected::Version(first)).unwrap();
    assert!(second > first);
    refused(file.put_if("a", "3", Expected::Version(first)), ErrorKind::Conflict);
    refused(file.delete_if("a", first), ErrorKind::Conflict);
    assert_eq!(bytes_of(&file, "a").unwrap(), b"2");
    file.put_if("a", "4", Expected::Anything).unwrap();
    refused(file.delete_if("a", second), ErrorKind::Conflict);
    file.delete_if("a", file.stat("a").unwrap().version()).unwrap();
    refused(file.delete("a"), ErrorKind::NotFound);
    assert!(file.put_if("a", "5", Expected::Absent).unwrap() > second);

    // Many threads count in one block, and none is lost.
    file.put("count", 0u64.to_le_bytes()).unwrap();
    let add_one = || loop {
        let version = file.stat("count").unwrap().version();
        let count = u64::from_le_bytes(file.get("count").unwrap()[..].try_into().unwrap());
        match file.put_if("count", (count + 1).to_le_bytes(), Expected::Version(version)) {
            Ok(_) => return,
            Err(error) => assert_eq!(error.kind(), ErrorKind::Conflict),
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..250).for_each(|_| add_one()));
        }
    });
    assert_eq!(bytes_of(&file, "count").unwrap(), 1000u64.to_le_bytes());
    file.close().unwrap();
}

#[test]
fn block_list_in_order() {
    let (folder, mut prng) = (Folder::new(), Prng::new());
    let file = folder.file();
    let mut names: Vec<Vec<u8>> = (0..3000)
        .map(|i| {
            let folder = ["a/", "b/", "b/c/", "\u{e9}/"][i % 4];
            let tail = prng.below(0..1 << 40).to_string();
            [folder.as_bytes(), tail.as_bytes()].concat()
        })
        .collect();
    let batch: BlockBatch = names.iter().map(|name| (name, &name[2..])).collect();
    file.put_batch(&batch).unwrap();
    names.sort_unstable();
    names.dedup();

    for prefix in ["", "b/", "b/c/", "c", "\u{e9}"] {
        let want: Vec<&Vec<u8>> =
            names.iter().filter(|name| name.starts_with(prefix.as_bytes())).collect();
        let mut list = file.list(prefix).unwrap();
        file.put([prefix.as_bytes(), b"0 later"].concat(), "").unwrap();
        let (mut seen, mut views) = (Vec::new(), 0);
        while let Some(view) = list.next_up_to(700).unwrap() {
            assert!((1..=700).contains(&view.len()) && !view.is_empty());
            assert_eq!((view.names().len(), view.infos().len()), (view.len(), view.len()));
            for (index, block) in view.iter().enumerate() {
                assert_eq!(view.get(index), Some(block));
                assert_eq!(block.info.length() as usize, block.name.len() - 2);
                assert_eq!(*block.info, file.stat(block.name).unwrap());
                seen.push(block.name.to_vec());
            }
            assert_eq!(view.get(view.len()), None);
            views += 1;
        }
        assert!(seen.iter().eq(want.iter().copied()) && views >= want.len() / 700);
        assert!(list.next().unwrap().is_none());
        list.seek("").unwrap();
        assert!(list.entries().map(|entry| entry.unwrap().name).eq(seen));
        file.delete([prefix.as_bytes(), b"0 later"].concat()).unwrap();
    }

    let middle = &names[names.len() / 2];
    let mut only_names = file.list_names("").unwrap();
    only_names.seek(middle).unwrap();
    let view = only_names.next_up_to(2).unwrap().expect("names");
    assert_eq!((view.get(0), view.len()), (Some(&middle[..]), 2));
    assert_eq!(view.into_iter().nth(1), Some(&names[names.len() / 2 + 1][..]));
    // Halfway through, the list stands behind what was returned.
    only_names.seek("").unwrap();
    let first: Vec<_> = only_names.names().take(1500).map(Result::unwrap).collect();
    let rest: Vec<_> = only_names.names().map(Result::unwrap).collect();
    assert_eq!([first, rest].concat(), names);
    let mut list = file.list("").unwrap();
    let entry: BlockEntry = list.entries().next().unwrap().unwrap();
    assert_eq!((&entry.name, entry.info), (&names[0], file.stat(&names[0]).unwrap()));
    assert_eq!(list.next().unwrap().unwrap().get(0).unwrap().to_owned().name, names[1]);
    refused(list.next_up_to(0), ErrorKind::InvalidArgument);
    file.close().unwrap();
}

#[test]
fn block_append_and_patch() {
    let (folder, mut prng) = (Folder::new(), Prng::new());
    let file = folder.file();
    let mut want = Vec::new();
    for _ in 0..200 {
        let len = prng.below(0..20_000) as usize;
        let bytes = prng.bytes(len);
        want.extend_from_slice(&bytes);
        assert_eq!(file.append("log", &bytes).unwrap(), want.len() as u64);
        let begin = prng.below(0..want.len() as u64 + 1) as usize;
        let len = prng.below(0..(want.len() - begin) as u64 + 1) as usize;
        let bytes = prng.bytes(len);
        want[begin..begin + len].copy_from_slice(&bytes);
        file.patch("log", begin as u64, &bytes).unwrap();
    }
    assert_eq!(bytes_of(&file, "log").unwrap(), want);
    refused(file.patch("log", want.len() as u64, "x"), ErrorKind::InvalidArgument);
    refused(file.patch("log", u64::MAX, "xy"), ErrorKind::InvalidArgument);
    refused(file.patch("none", 0, ""), ErrorKind::NotFound);
    file.close().unwrap();
    assert_eq!(bytes_of(&folder.file(), "log").unwrap(), want);
}

#[test]
fn block_rename_and_tag() {
    let folder = Folder::new();
    let file = folder.file();
    file.put("a", "one").unwrap();
    file.put("b", "two").unwrap();
    file.set_tag("a", b"\0tag\xff").unwrap();
    let before = file.stat("a").unwrap();
    refused(file.rename("a", "b"), ErrorKind::AlreadyExists);
    refused(file.rename("none", "c"), ErrorKind::NotFound);
    file.rename("a", "a").unwrap();
    assert_eq!(file.stat("a").unwrap(), before);
    file.rename("a", "c").unwrap();
    let after = file.stat("c").unwrap();
    assert!(!file.exists("a").unwrap() && after.version() > before.version());
    assert_eq!((after.created(), after.tag()), (before.created(), &b"\0tag\xff"[..]));
    file.rename_replacing("c", "b").unwrap();
    assert_eq!(all_blocks(&file), [(b"b".to_vec(), b"one".to_vec())]);

    file.put("b", "three").unwrap();
    assert_eq!(file.stat("b").unwrap().tag(), b"\0tag\xff", "the tag stays");
    file.set_tag("b", [7; 128]).unwrap();
    refused(file.set_tag("b", [7; 129]), ErrorKind::TooBig);
    refused(file.set_tag("none", ""), ErrorKind::NotFound);
    assert_eq!(file.stat("b").unwrap().tag(), [7; 128]);
    file.set_tag("b", "").unwrap();
    assert_eq!(file.stat("b").unwrap().tag(), b"");
    file.close().unwrap();
}

#[test]
fn block_errors_carry_code() {
    let folder = Folder::new();
    let file = folder.file();
    let error = refused(file.get("chapter/7"), ErrorKind::NotFound);
    assert_eq!((error.raw_code(), error.name()), (4, "SPW_NOT_FOUND"));
    assert!(!error.message().is_empty() && error.record_index().is_none());
    for name in [&b""[..], &[b'x'; 1025], b"a\0b"] {
        refused(file.put(name, ""), ErrorKind::InvalidArgument);
        refused(file.get(name), ErrorKind::InvalidArgument);
        refused(file.exists(name), ErrorKind::InvalidArgument);
        refused(file.rename("a", name), ErrorKind::InvalidArgument);
        let batch = BlockBatch::from_iter([(&b"fine"[..], ""), (name, "")]);
        let error = refused(file.put_batch(&batch), ErrorKind::InvalidArgument);
        assert_eq!(error.record_index(), Some(1));
    }
    assert!(!file.exists("fine").unwrap());
    file.put([b'x'; 1024], "").unwrap();
    let not_utf8 = b"caf\xe9 \xff\xfe \xed\xa0\x80";
    file.put(not_utf8, not_utf8).unwrap();
    assert_eq!(bytes_of(&file, not_utf8).unwrap(), not_utf8);

    // Bytes of their own would do for neither: 64 MiB and one.
    file.put("large", vec![1; 64 << 20]).unwrap();
    assert_eq!(file.get("large").unwrap().len(), 64 << 20);
    file.append("large", [2]).unwrap();
    refused(file.get("large"), ErrorKind::TooBig);
    assert_eq!(file.get_range("large", 1..).unwrap()[(64 << 20) - 1], 2);
    file.close().unwrap();

    let missing = folder.path().join("missing").join("file");
    let error = refused(BlockFile::open(&missing), ErrorKind::NotFound);
    assert!(error.message().contains("missing"), "{}", error);
    let failed: std::io::Error = refused(folder.file().get("none"), ErrorKind::NotFound).into();
    assert_eq!(failed.kind(), std::io::ErrorKind::NotFound);
}
