//! The end of a log, without reading what comes before it: a log may be gigabytes long.

use std::io::{self, Read, Seek, SeekFrom};

use memchr::memrchr;

use super::chain::line_hash;
use super::entry::Entry;

/// How much is read at a time, from the end backwards.
const BLOCK: u64 = 64 << 10;

/// The hash of a log's last entry; `None` if it does not end with a whole one. What comes before it is
/// not looked at: that is for [`super::verify`].
///
/// # Errors
/// If it cannot be read.
pub fn head(log: &mut (impl Read + Seek)) -> io::Result<Option<String>> {
    let mut at = log.seek(SeekFrom::End(0))?;
    // The end of the log, from `at` on.
    let mut read: Vec<u8> = Vec::new();
    loop {
        let start = at.saturating_sub(BLOCK);
        let mut block = Vec::new();
        log.seek(SeekFrom::Start(start))?;
        log.by_ref().take(at - start).read_to_end(&mut block)?;
        block.append(&mut read);
        read = block;
        at = start;
        let Some((b'\n', lines)) = read.split_last() else { return Ok(None) };
        let line = match memrchr(b'\n', lines) {
            Some(before) => &lines[before + 1..],
            None if at == 0 => lines,
            None => continue,
        };
        let is_entry = serde_json::from_slice::<Entry>(line).is_ok();
        return Ok(is_entry.then(|| line_hash(line)));
    }
}
