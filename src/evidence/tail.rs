//! The end of a log, without reading what comes before it: a log may be gigabytes long.

use std::io::{self, Read, Seek, SeekFrom};

use memchr::memrchr;

use super::chain::line_hash;
use super::entry::Entry;

/// How much is read at a time, from the end backwards.
const BLOCK: u64 = 64 << 10;

/// The hash of a log's last whole entry, which the run would go on from; `None` if it has none. What a
/// crash left of lines after it is passed over. What comes before it is not looked at: that is for
/// [`super::verify`].
///
/// # Errors
/// If it cannot be read.
pub fn head(log: &mut (impl Read + Seek)) -> io::Result<Option<String>> {
    let mut at = log.seek(SeekFrom::End(0))?;
    // What is not looked at yet, from `at` on.
    let mut read: Vec<u8> = Vec::new();
    loop {
        while let Some(before) = memrchr(b'\n', &read) {
            if let Some(hash) = entry_hash(&read[before + 1..]) {
                return Ok(Some(hash));
            }
            read.truncate(before);
        }
        if at == 0 {
            return Ok(entry_hash(&read));
        }
        let start = at.saturating_sub(BLOCK);
        let mut block = Vec::new();
        log.seek(SeekFrom::Start(start))?;
        log.by_ref().take(at - start).read_to_end(&mut block)?;
        block.append(&mut read);
        read = block;
        at = start;
    }
}

/// The hash of a line, if it is an entry.
fn entry_hash(line: &[u8]) -> Option<String> {
    serde_json::from_slice::<Entry>(line).is_ok().then(|| line_hash(line))
}
