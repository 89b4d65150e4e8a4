//! Blocks as streams: read anywhere, written whole or not at all.
mod common;

use std::any::Any;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::thread;

use common::{all_blocks, bytes_of, drop_all, refused, Folder, Prng};
use spillway::{BlockFile, BlockOptions, CommitLevel, Error, ErrorKind, Expected, FlushLevel};

const LEN: usize = 9_000_000;

/// The library's error inside of one of the standard library's.
#[track_caller]
fn inner<T>(result: io::Result<T>, kind: ErrorKind) -> io::ErrorKind {
    let error = result.err().expect("an error");
    let inside = error.get_ref().expect("the error inside").downcast_ref::<Error>();
    assert_eq!(inside.expect("is ours").kind(), kind);
    error.kind()
}

#[test]
fn block_reader_seeks() {
    let (folder, mut prng) = (Folder::new(), Prng::new());
    let bytes = prng.bytes(LEN);
    let file = folder.file();
    file.put("film", &bytes).unwrap();
    file.set_tag("film", "tag").unwrap();
    for flushed in [false, true] {
        if flushed {
            file.flush(FlushLevel::Device).unwrap();
        }
        let mut reader = file.reader("film").unwrap();
        let info = reader.stat().unwrap();
        assert_eq!((info.length(), info.tag()), (LEN as u64, &b"tag"[..]));
        assert_eq!(info, file.stat("film").unwrap());
        let mut all = Vec::new();
        assert_eq!(reader.read_to_end(&mut all).unwrap(), LEN);
        assert!(all == bytes);
        assert_eq!(reader.read(&mut [0; 10]).unwrap(), 0);
        assert_eq!(reader.stream_position().unwrap(), LEN as u64);

        for _ in 0..300 {
            let place = prng.below(0..LEN as u64 + 1);
            let here = reader.stream_position().unwrap();
            let seek = match prng.below(0..3) {
                0 => SeekFrom::Start(place),
                1 => SeekFrom::Current(place as i64 - here as i64),
                _ => SeekFrom::End(place as i64 - LEN as i64),
            };
            assert_eq!(reader.seek(seek).unwrap(), place);
            let mut part = vec![0; prng.below(0..100_000) as usize];
            let want = part.len().min(LEN - place as usize);
            assert_eq!(reader.read_at(&mut part, place).unwrap(), want);
            assert!(part[..want] == bytes[place as usize..][..want]);
            assert_eq!(reader.stream_position().unwrap(), place, "read_at moves nothing");
            reader.by_ref().take(want as u64).read_to_end(&mut all).unwrap();
            assert!(all[all.len() - want..] == bytes[place as usize..][..want]);
            all.clear();
        }
        assert_eq!(reader.seek(SeekFrom::End(100)).unwrap(), LEN as u64 + 100);
        assert_eq!(reader.read(&mut [0; 10]).unwrap(), 0);
        assert_eq!(reader.read_at(&mut [0; 10], u64::MAX).unwrap(), 0);
        for wrong in [SeekFrom::Current(-(LEN as i64) - 101), SeekFrom::End(i64::MIN)] {
            assert_eq!(reader.seek(wrong).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        }
        assert_eq!(reader.stream_position().unwrap(), LEN as u64 + 100);
    }
    refused(file.reader("none"), ErrorKind::NotFound);
    file.put("empty", "").unwrap();
    assert_eq!(file.reader("empty").unwrap().read(&mut [0; 9]).unwrap(), 0);
    file.close().unwrap();
}

#[test]
fn block_reader_reads_what_it_was_opened_for() {
    let (folder, mut prng) = (Folder::new(), Prng::new());
    let bytes = prng.bytes(3_000_000);
    let file = folder.file();
    file.put("a", &bytes).unwrap();
    let change = file.begin().unwrap();
    change.append("a", "!").unwrap();
    let (mut reader, changed) = (file.reader("a").unwrap(), change.reader("a").unwrap());
    drop(change);
    file.put("a", "another").unwrap();
    file.delete("a").unwrap();
    file.flush(FlushLevel::Checkpoint).unwrap();
    thread::scope(|scope| {
        for thread in 0..4 {
            let (reader, changed, bytes) = (&reader, &changed, &bytes);
            scope.spawn(move || {
                let mut part = vec![0; 10_000];
                for place in (thread * 1000..bytes.len()).step_by(100_000) {
                    let want = part.len().min(bytes.len() - place);
                    assert_eq!(reader.read_at(&mut part, place as u64).unwrap(), want);
                    assert!(part[..want] == bytes[place..][..want]);
                }
                assert_eq!(changed.read_at(&mut part, bytes.len() as u64).unwrap(), 1);
                assert_eq!(part[0], b'!');
            });
        }
    });
    let mut all = Vec::new();
    reader.read_to_end(&mut all).unwrap();
    assert!(all == bytes);
    file.clone().close().unwrap();
    assert_eq!(inner(reader.read(&mut [0; 10]), ErrorKind::Closed), io::ErrorKind::Other);
    inner(reader.seek(SeekFrom::Start(0)), ErrorKind::Closed);
    refused(reader.read_at(&mut [0; 10], 0), ErrorKind::Closed);
    refused(file.reader("a"), ErrorKind::Closed);
    refused(file.writer("a"), ErrorKind::Closed);
}

/// Writes in pieces of random lengths.
fn write_in_pieces(mut to: impl Write, bytes: &[u8], prng: &mut Prng) {
    let mut rest = bytes;
    while !rest.is_empty() {
        let len = prng.below(1..rest.len().min(700_000) as u64 + 1) as usize;
        assert_eq!(to.write(&rest[..len]).unwrap(), len);
        rest = &rest[len..];
    }
    assert_eq!(to.write(b"").unwrap(), 0);
    to.flush().unwrap();
}

#[test]
fn block_writer_commits_or_vanishes() {
    let (folder, mut prng) = (Folder::new(), Prng::new());
    let file = folder.file();
    let old = file.put("film", "old").unwrap();
    file.set_tag("film", "tag").unwrap();
    for len in [0, 1, 100_000, LEN] {
        let bytes = prng.bytes(len);
        let before = all_blocks(&file);
        let mut writer = file.writer("film").unwrap();
        write_in_pieces(&mut writer, &bytes, &mut prng);
        assert!(all_blocks(&file) == before, "nothing is seen before the commit");
        drop(writer);
        assert!(all_blocks(&file) == before, "dropped, it leaves no trace");
        let mut writer = file.writer("film").unwrap();
        write_in_pieces(&mut writer, &bytes, &mut prng);
        let version = writer.commit().unwrap();
        assert!(version > old && file.stat("film").unwrap().version() == version);
        assert!(bytes_of(&file, "film").unwrap() == bytes);
        assert_eq!(file.stat("film").unwrap().tag(), b"tag");
    }
    let bytes = bytes_of(&file, "film").unwrap();
    file.close().unwrap();
    let file = folder.file();
    assert!(all_blocks(&file) == [(b"film".to_vec(), bytes)]);
    assert!(file.verify(spillway::Verify::full()).unwrap().is_clean());
    file.close().unwrap();
}

#[test]
fn block_writer_judges_what_was_expected() {
    let folder = Folder::new();
    let file = folder.file();
    let write = |expected| {
        let mut writer = file.writer_if("a", expected).unwrap();
        writer.write_all(b"text").unwrap();
        writer
    };
    let commit = |expected| write(expected).commit().map_err(Error::from);
    refused(commit(Expected::Version(1)), ErrorKind::NotFound);
    let (early, version) = (write(Expected::Absent), commit(Expected::Absent).unwrap());
    refused(early.commit().map_err(Error::from), ErrorKind::AlreadyExists);
    let next = commit(Expected::Version(version)).unwrap();
    let failed = write(Expected::Version(version)).commit().unwrap_err();
    assert_eq!(failed.error().kind(), ErrorKind::Conflict);
    let (mut writer, _) = failed.into_parts();
    inner(writer.write(b"more"), ErrorKind::InvalidState); // it can only be dropped
    drop(writer);
    assert_eq!(file.stat("a").unwrap().version(), next);
    refused(file.writer(""), ErrorKind::InvalidArgument);

    // In a transaction the block is seen there, and by others when that is committed.
    let change = file.begin().unwrap();
    let mut writer = change.writer("b").unwrap();
    writer.write_all(&[7; 5_000_000]).unwrap();
    assert_eq!(writer.commit().unwrap(), 0);
    assert_eq!(bytes_of(&change, "b").unwrap(), vec![7; 5_000_000]);
    assert!(!file.exists("b").unwrap());
    change.commit(CommitLevel::Device).unwrap();
    assert_eq!(bytes_of(&file, "b").unwrap(), vec![7; 5_000_000]);
    file.close().unwrap();
    let file = BlockOptions::new().read_only().open(folder.blocks()).unwrap();
    let refusal = file.writer("c").and_then(|writer| writer.commit().map_err(Error::from));
    refused(refusal, ErrorKind::ReadOnly);
}

#[test]
fn block_streams_keep_their_file_open() {
    let folder = Folder::new();
    let file = folder.file();
    file.put("a", "text").unwrap();
    let (mut reader, mut writer) = (file.reader("a").unwrap(), file.writer("b").unwrap());
    drop(file);
    refused(BlockFile::open(folder.blocks()), ErrorKind::Busy);
    let seen = thread::spawn(move || {
        let mut text = String::new();
        reader.read_to_string(&mut text).map(|_| text)
    });
    assert_eq!(seen.join().unwrap().unwrap(), "text");
    writer.write_all(b"more").unwrap();
    assert!(writer.commit().unwrap() > 0);
}

#[test]
fn block_streams_dropped_in_any_order() {
    let mut prng = Prng::new();
    for _ in 0..50 {
        let folder = Folder::new();
        let file = folder.file();
        file.put("a", vec![1; 2_000_000]).unwrap();
        let change = file.begin().unwrap();
        let mut streams: Vec<Box<dyn Any + Send>> = Vec::new();
        for blocks in [&*file, &*change] {
            let (mut reader, mut writer) =
                (blocks.reader("a").unwrap(), blocks.writer("b").unwrap());
            reader.read_exact(&mut [0; 1000]).unwrap();
            writer.write_all(&[2; 3_000_000]).unwrap();
            streams.push(Box::new(reader));
            streams.push(Box::new(writer));
        }
        let other = file.clone();
        streams.push(Box::new(file));
        streams.push(Box::new(change));
        drop_all(streams, &mut prng);
        assert_eq!(all_blocks(&other), [(b"a".to_vec(), vec![1; 2_000_000])]);
        other.close().unwrap();
    }
}
