//! Rows that wait for their place: a bucket is listed in several stretches at once, and a plan has its rows in
//! the order of their keys.
//!
//! The rows of a stretch are kept as bytes, and those that are more than a little go to a file, so that memory
//! stays flat however many rows there are: about 3 MB, and a few hundred bytes for each stretch. A row takes
//! some 150 bytes; a text that is the same as in the row before takes one. That is less than ten million rows
//! would take in memory, simpler than to hold stretches back until those before them are done, and nothing has
//! to be taken out of a plan when a bucket must be listed again.

use std::io::{self, Error, ErrorKind, Read, Seek, SeekFrom, Write};

use chrono::{DateTime, Utc};
use smol_str::SmolStr;

use crate::object::Kind;
use crate::plan::row::{Action, PlanRow};

/// How many bytes of one stretch are held in memory as long as there is room.
const MOST_OF_ONE: usize = 256 << 10;

/// How many bytes are held of all before there is none.
const MOST_OF_ALL: usize = 2 << 20;

/// How many bytes of one stretch are held then.
const LITTLE: usize = 4 << 10;

/// Holds rows until they are taken.
pub struct Spool<F> {
    make: Box<dyn FnMut() -> io::Result<F> + Send + Sync>,
    file: Option<F>,
    written: u64,
    held: usize,
}

/// The rows of one stretch, in order.
#[derive(Debug, Default)]
pub struct Stretch {
    bytes: Vec<u8>,
    /// Where in the file the rows before these are: offset and length.
    blocks: Vec<(u64, u64)>,
    last: Option<PlanRow>,
}

impl<F: Read + Write + Seek> Spool<F> {
    /// `make` makes the file, if one is needed.
    pub fn new(make: impl FnMut() -> io::Result<F> + Send + Sync + 'static) -> Self {
        Self { make: Box::new(make), file: None, written: 0, held: 0 }
    }

    /// Adds a row to a stretch.
    ///
    /// # Errors
    /// If the file cannot be made or written.
    pub fn push(&mut self, stretch: &mut Stretch, row: PlanRow) -> io::Result<()> {
        let before = stretch.bytes.len();
        encode(&mut stretch.bytes, &row, stretch.last.as_ref());
        stretch.last = Some(row);
        self.held += stretch.bytes.len() - before;
        let most = if self.held > MOST_OF_ALL { LITTLE } else { MOST_OF_ONE };
        if stretch.bytes.len() <= most {
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert((self.make)()?),
        };
        file.seek(SeekFrom::Start(self.written))?;
        file.write_all(&stretch.bytes)?;
        let length = stretch.bytes.len();
        stretch.blocks.push((self.written, length as u64));
        self.written += length as u64;
        self.held -= length;
        stretch.bytes = Vec::new();
        Ok(())
    }

    /// Shows all rows of a stretch to `each`, in order.
    ///
    /// # Errors
    /// If the file cannot be read, or is not as it was written; and those of `each`.
    pub fn take<E: From<Error>>(
        &mut self,
        stretch: Stretch,
        mut each: impl FnMut(&PlanRow) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut last = None;
        let mut block = Vec::new();
        for (offset, length) in &stretch.blocks {
            let file = self.file.as_mut().ok_or_else(damaged)?;
            file.seek(SeekFrom::Start(*offset))?;
            block.clear();
            if Read::by_ref(file).take(*length).read_to_end(&mut block)? as u64 != *length {
                return Err(damaged().into());
            }
            give(&block, &mut last, &mut each)?;
        }
        self.held = self.held.saturating_sub(stretch.bytes.len());
        give(&stretch.bytes, &mut last, &mut each)
    }

    /// Forgets everything, for stretches that are begun anew.
    pub fn clear(&mut self) {
        (self.file, self.written, self.held) = (None, 0, 0);
    }
}

fn give<E: From<Error>>(
    mut bytes: &[u8],
    last: &mut Option<PlanRow>,
    each: &mut impl FnMut(&PlanRow) -> Result<(), E>,
) -> Result<(), E> {
    while !bytes.is_empty() {
        let row = decode(&mut bytes, last.as_ref()).ok_or_else(damaged)?;
        each(last.insert(row))?;
    }
    Ok(())
}

fn damaged() -> Error {
    Error::new(ErrorKind::InvalidData, "the rows that were put aside are not as they were written")
}

const NONE: u8 = 0;
const SAME: u8 = 1;
const OTHER: u8 = 2;

/// The texts of a row, those that may be missing last.
fn texts(row: &PlanRow) -> [Option<&SmolStr>; 13] {
    [
        Some(&row.bucket),
        Some(&row.key),
        Some(&row.rule),
        Some(&row.reason),
        row.version_id.as_ref(),
        row.upload_id.as_ref(),
        row.etag.as_ref(),
        row.storage_class.as_ref(),
        row.tenant.as_ref(),
        row.erasure.as_ref(),
        row.trigger.as_ref(),
        row.trigger_source.as_ref(),
        row.export.as_ref(),
    ]
}

fn encode(into: &mut Vec<u8>, row: &PlanRow, last: Option<&PlanRow>) {
    let action = match row.action {
        Action::Delete => 0,
        Action::AbortUpload => 1,
        Action::Mark => 2,
    };
    let kind = match row.kind {
        Kind::Object => 0,
        Kind::Version => 1,
        Kind::Marker => 2,
        Kind::Upload => 3,
    };
    into.extend([action, kind, row.is_latest.into(), row.overdue_sweep.into()]);
    for number in [row.last_modified.timestamp_millis(), row.due.timestamp_millis()] {
        into.extend(number.to_le_bytes());
    }
    into.extend(row.size.to_le_bytes());
    let last = last.map(texts);
    for (place, text) in texts(row).into_iter().enumerate() {
        match text {
            None => into.push(NONE),
            Some(_) if last.is_some_and(|last| last[place] == text) => into.push(SAME),
            Some(text) => {
                into.push(OTHER);
                into.extend((text.len() as u64).to_le_bytes());
                into.extend(text.as_bytes());
            }
        }
    }
}

fn decode(from: &mut &[u8], last: Option<&PlanRow>) -> Option<PlanRow> {
    let [action, kind, is_latest, overdue_sweep] = *from.split_off(..4)? else { return None };
    let action = match action {
        0 => Action::Delete,
        1 => Action::AbortUpload,
        2 => Action::Mark,
        _ => return None,
    };
    let kind = match kind {
        0 => Kind::Object,
        1 => Kind::Version,
        2 => Kind::Marker,
        3 => Kind::Upload,
        _ => return None,
    };
    let last_modified = instant(from)?;
    let due = instant(from)?;
    let size = u64::from_le_bytes(eight(from)?);
    let last = last.map(texts);
    let mut texts: [Option<SmolStr>; 13] = Default::default();
    for (place, text) in texts.iter_mut().enumerate() {
        *text = match *from.split_off_first()? {
            NONE => None,
            SAME => last?[place].cloned(),
            OTHER => {
                let length = usize::try_from(u64::from_le_bytes(eight(from)?)).ok()?;
                Some(std::str::from_utf8(from.split_off(..length)?).ok()?.into())
            }
            _ => return None,
        };
    }
    let [bucket, key, rule, reason, version_id, upload_id, etag, storage_class, tenant, erasure, rest @ ..] =
        texts;
    let [trigger, trigger_source, export] = rest;
    Some(PlanRow {
        action,
        kind,
        bucket: bucket?,
        key: key?,
        version_id,
        upload_id,
        is_latest: is_latest == 1,
        etag,
        last_modified,
        size,
        storage_class,
        tenant,
        rule: rule?,
        erasure,
        trigger,
        trigger_source,
        due,
        reason: reason?,
        overdue_sweep: overdue_sweep == 1,
        export,
    })
}

fn eight(from: &mut &[u8]) -> Option<[u8; 8]> {
    from.split_off(..8)?.try_into().ok()
}

fn instant(from: &mut &[u8]) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(i64::from_le_bytes(eight(from)?))
}
