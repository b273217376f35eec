//! Candidate keys, put in byte order without repeats: in memory up to a bound, in a temporary file beyond.
//!
//! **Memory.** Up to the bound while keys come in. While they are handed out, 16 KiB for each time
//! that the bound was reached.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};

/// How much of a run is read at once.
const BLOCK: usize = 16 << 10;

/// What a key takes in memory beside its bytes.
const PLACE: usize = std::mem::size_of::<(usize, usize)>();

/// Keys on their way in.
#[derive(Debug)]
pub struct Candidates {
    most: usize,
    bytes: Vec<u8>,
    /// Where in `bytes` each key starts and ends.
    places: Vec<(usize, usize)>,
    spilled: Option<Spilled>,
}

/// What did not fit into memory.
#[derive(Debug)]
struct Spilled {
    file: File,
    length: u64,
    /// Where each run starts and ends: keys in order, each behind its length.
    runs: Vec<(u64, u64)>,
}

impl Candidates {
    /// Keeps up to `most` bytes in memory.
    pub const fn new(most: usize) -> Self {
        Self { most, bytes: Vec::new(), places: Vec::new(), spilled: None }
    }

    /// Takes one key.
    ///
    /// # Errors
    /// If the temporary file cannot be written.
    pub fn push(&mut self, key: &str) -> io::Result<()> {
        if self.bytes.len() + key.len() + (self.places.len() + 1) * PLACE > self.most {
            self.spill()?;
        }
        let start = self.bytes.len();
        self.bytes.extend_from_slice(key.as_bytes());
        self.places.push((start, self.bytes.len()));
        Ok(())
    }

    fn sort(&mut self) {
        let bytes = &self.bytes;
        let key = |(start, end): (usize, usize)| bytes.get(start..end).unwrap_or_default();
        self.places.sort_unstable_by(|a, b| key(*a).cmp(key(*b)));
        self.places.dedup_by(|a, b| key(*a) == key(*b));
    }

    fn spill(&mut self) -> io::Result<()> {
        if self.places.is_empty() {
            return Ok(());
        }
        self.sort();
        let mut spilled = match self.spilled.take() {
            Some(spilled) => spilled,
            // Without a name, and readable by nobody else.
            None => Spilled { file: tempfile::tempfile()?, length: 0, runs: Vec::new() },
        };
        let start = spilled.length;
        let mut writer = io::BufWriter::with_capacity(1 << 20, &spilled.file);
        for (from, to) in &self.places {
            let key = self.bytes.get(*from..*to).unwrap_or_default();
            let length = u32::try_from(key.len()).map_err(io::Error::other)?;
            writer.write_all(&length.to_le_bytes())?;
            writer.write_all(key)?;
            spilled.length += 4 + u64::from(length);
        }
        writer.flush()?;
        drop(writer);
        spilled.runs.push((start, spilled.length));
        self.spilled = Some(spilled);
        self.bytes.clear();
        self.places.clear();
        Ok(())
    }

    /// All keys of several, in byte order, each once.
    ///
    /// # Errors
    /// If a temporary file cannot be read.
    pub fn merged(all: Vec<Self>) -> io::Result<Keys> {
        let mut keys = Keys { files: Vec::new(), runs: Vec::new(), next: BinaryHeap::new(), last: None };
        for mut one in all {
            one.sort();
            if let Some(Spilled { file, runs, .. }) = one.spilled.take() {
                let of = keys.files.len();
                keys.files.push(file);
                keys.runs.extend(
                    runs.into_iter().map(|(at, end)| {
                        Run::InFile(OnDisk { file: of, at, end, block: Vec::new(), place: 0 })
                    }),
                );
            }
            keys.runs.push(Run::InMemory { bytes: one.bytes, places: one.places.into_iter() });
        }
        for run in 0..keys.runs.len() {
            keys.advance(run)?;
        }
        Ok(keys)
    }
}

/// Keys on their way out, in byte order, each once.
#[derive(Debug)]
pub struct Keys {
    files: Vec<File>,
    runs: Vec<Run>,
    /// The next key of each run.
    next: BinaryHeap<Reverse<(String, usize)>>,
    last: Option<String>,
}

#[derive(Debug)]
enum Run {
    InMemory { bytes: Vec<u8>, places: std::vec::IntoIter<(usize, usize)> },
    InFile(OnDisk),
}

#[derive(Debug)]
struct OnDisk {
    file: usize,
    at: u64,
    end: u64,
    block: Vec<u8>,
    place: usize,
}

impl Keys {
    fn advance(&mut self, run: usize) -> io::Result<()> {
        let key = match self.runs.get_mut(run) {
            Some(Run::InMemory { bytes, places }) => {
                places.next().map(|(from, to)| bytes.get(from..to).unwrap_or_default().to_vec())
            }
            Some(Run::InFile(run)) => match self.files.get_mut(run.file) {
                Some(file) => run.next(file)?,
                None => None,
            },
            None => None,
        };
        if let Some(key) = key {
            self.next.push(Reverse((String::from_utf8(key).map_err(io::Error::other)?, run)));
        }
        Ok(())
    }

    fn take(&mut self) -> io::Result<Option<String>> {
        while let Some(Reverse((key, run))) = self.next.pop() {
            self.advance(run)?;
            if self.last.as_ref() != Some(&key) {
                self.last = Some(key.clone());
                return Ok(Some(key));
            }
        }
        Ok(None)
    }
}

impl Iterator for Keys {
    type Item = io::Result<String>;

    fn next(&mut self) -> Option<io::Result<String>> {
        self.take().transpose()
    }
}

impl OnDisk {
    fn next(&mut self, file: &mut File) -> io::Result<Option<Vec<u8>>> {
        if self.place == self.block.len() && self.at == self.end {
            return Ok(None);
        }
        let mut length = [0; 4];
        self.read(file, &mut length)?;
        let mut key = vec![0; u32::from_le_bytes(length) as usize];
        self.read(file, &mut key)?;
        Ok(Some(key))
    }

    fn read(&mut self, file: &mut File, mut out: &mut [u8]) -> io::Result<()> {
        use io::Read;
        while !out.is_empty() {
            let rest = self.block.get(self.place..).unwrap_or_default();
            if rest.is_empty() {
                let wanted = (self.end - self.at).min(BLOCK as u64);
                file.seek(SeekFrom::Start(self.at))?;
                self.block.clear();
                self.place = 0;
                if file.take(wanted).read_to_end(&mut self.block)? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                self.at += self.block.len() as u64;
                continue;
            }
            let count = rest.len().min(out.len());
            let (now, later) = out.split_at_mut(count);
            now.copy_from_slice(&rest[..count]);
            self.place += count;
            out = later;
        }
        Ok(())
    }
}
