//! The seal of a plan file: a digest that stands in the file and covers all of it.
//!
//! It is SHA-256 over the whole file, taken while the seal's own 64 digits are zeros. So damage
//! is found before a byte of the file is decoded, which matters because the Parquet decoder
//! panics on some damaged pages.

use std::io::{self, Read, Write};

use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::reader::ChunkReader;
use sha2::{Digest, Sha256};

use crate::text::hex;

const KEY: &str = "shelflife.seal";

const DIGITS: usize = 64;

/// Footer length and magic stand at the end of a Parquet file.
pub(super) const TAIL: usize = 8;

/// The seal's place in the footer's key-value metadata, its digits still zeros.
pub(super) fn blank() -> KeyValue {
    KeyValue::new(KEY.to_string(), "0".repeat(DIGITS))
}

/// Where the seal's digits are in the bytes of a footer.
fn find(footer: &[u8]) -> Option<std::ops::Range<usize>> {
    // Thrift's compact protocol: the field header of a second binary field, then its length. JSON
    // holds no such control character, so that no header can imitate it.
    let mark = [KEY.as_bytes(), &[0x18, 0x40]].concat();
    let start = footer.windows(mark.len()).rposition(|window| window == mark)? + mark.len();
    let digits = start..start + DIGITS;
    footer.get(digits.clone())?;
    Some(digits)
}

/// Passes on what is written and digests it, until the footer begins, which is held back.
pub(super) struct Sealing<W> {
    output: W,
    digest: Sha256,
    footer: Option<Vec<u8>>,
}

impl<W: Write> Sealing<W> {
    pub(super) fn new(output: W) -> Self {
        Self { output, digest: Sha256::new(), footer: None }
    }

    /// From now on nothing reaches the output.
    pub(super) fn hold_footer(&mut self) {
        self.footer = Some(Vec::new());
    }

    /// Seals the footer and writes it: the digest of the whole file, as `sha256sum` has it.
    pub(super) fn seal(mut self) -> Result<String, ParquetError> {
        let mut footer = self.footer.unwrap_or_default();
        let place = find(&footer).ok_or_else(|| ParquetError::General("a footer without seal".into()))?;
        let seal = hex(&self.digest.clone().chain_update(&footer).finalize());
        footer[place].copy_from_slice(seal.as_bytes());
        self.digest.update(&footer);
        self.output.write_all(&footer)?;
        self.output.flush()?;
        Ok(hex(&self.digest.finalize()))
    }
}

impl<W: Write> Write for Sealing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(footer) = &mut self.footer {
            footer.extend_from_slice(bytes);
            return Ok(bytes.len());
        }
        let count = self.output.write(bytes)?;
        self.digest.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

/// What the seal of a file says about it.
pub(super) enum Seal {
    /// There is none.
    Missing,
    /// It does not fit.
    Broken,
    /// It fits; this is the digest of the whole file.
    Whole(String),
}

/// Holds a file, whose footer begins at `footer_start`, to its seal.
pub(super) fn check<R: ChunkReader>(source: &R, footer_start: u64) -> Result<Seal, ParquetError> {
    let mut footer = Vec::new();
    source.get_read(footer_start)?.read_to_end(&mut footer)?;
    let Some(place) = find(&footer) else {
        return Ok(Seal::Missing);
    };
    let mut pages = Sha256::new();
    io::copy(&mut source.get_read(0)?.take(footer_start), &mut Feed(&mut pages))?;
    let digest = hex(&pages.clone().chain_update(&footer).finalize());
    let claimed = footer[place.clone()].to_vec();
    footer[place].fill(b'0');
    let sealed = hex(&pages.chain_update(&footer).finalize());
    Ok(if sealed.as_bytes() == claimed { Seal::Whole(digest) } else { Seal::Broken })
}

/// Feeds what is written to a digest.
pub(super) struct Feed<'a>(pub(super) &'a mut Sha256);

impl Write for Feed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
