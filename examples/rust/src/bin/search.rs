//! The lines of log files into a store under a budget of 8 MiB; then, from the store opened again,
//! the lines with a word, and all lines compared with the files:
//!     search STORE WORD FILE...
use std::error::Error;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::ffi::OsStrExt;
use std::process::exit;

use spillway::{Batch, OpenMode, Options, Store, ViewLimit};

const BATCH: usize = 1000;

fn open_store(path: &OsString, mode: OpenMode) -> Result<Store, spillway::Error> {
    Options::new().budget_bytes(8 << 20).mode(mode).open(path)
}

/// The lines of all files without their line feeds. They are bytes, and need not be UTF-8.
fn lines(files: &[OsString]) -> impl Iterator<Item = io::Result<Vec<u8>>> + '_ {
    files.iter().flat_map(|file| {
        let (lines, error) = match File::open(file) {
            Ok(file) => (Some(BufReader::new(file).split(b'\n')), None),
            Err(error) => (None, Some(Err(error))),
        };
        lines.into_iter().flatten().chain(error)
    })
}

fn ingest(store: &Store, files: &[OsString], out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let log = store.stream("log")?;
    let (mut count, mut bytes) = (0, 0);
    let mut batch = Batch::new();
    let mut lines = lines(files).peekable();
    while let Some(line) = lines.next() {
        batch.push(&line?);
        if batch.len() == BATCH || lines.peek().is_none() {
            store.add(log, &batch)?;
            (count, bytes) = (count + batch.len(), bytes + batch.payload_bytes());
            batch.clear();
        }
    }
    writeln!(out, "{count} lines, {bytes} bytes added")?;
    Ok(())
}

fn contains(line: &[u8], word: &[u8]) -> bool {
    word.is_empty() || line.windows(word.len()).any(|part| part == word)
}

fn search(
    store: &Store,
    word: &[u8],
    files: &[OsString],
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    let log = store.stream("log")?;
    let (mut found, mut verified) = (0, 0);
    let mut lines = lines(files);
    let mut cursor = store.cursor(log, ..)?;
    while let Some(view) = cursor.next_up_to(ViewLimit::records(BATCH as u64))? {
        for record in view.records() {
            if contains(record.payload, word) {
                found += 1;
                if found <= 3 {
                    write!(out, "{}: ", record.seq)?;
                    out.write_all(record.payload)?;
                    writeln!(out)?;
                }
            }
            if lines.next().transpose()?.map_or(false, |line| line == record.payload) {
                verified += 1;
            }
        }
    }
    write!(out, "{found} lines with \"")?;
    out.write_all(word)?;
    writeln!(out, "\", {verified} lines verified")?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let (path, word, files) = match &arguments[..] {
        [path, word, files @ ..] if !files.is_empty() => (path, word, files),
        _ => {
            eprintln!("usage: search STORE WORD FILE...");
            exit(2);
        }
    };
    let mut out = io::stdout().lock();
    let store = open_store(path, OpenMode::New)?;
    ingest(&store, files, &mut out)?;
    store.close()?;
    let store = open_store(path, OpenMode::Existing)?;
    search(&store, word.as_bytes(), files, &mut out)?;
    store.close()?;
    Ok(())
}
