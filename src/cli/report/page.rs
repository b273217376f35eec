//! The certificate's HTML page as a file: whole or not at all, and for its owner alone.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use super::made::Made;
use crate::cli::exit::Failure;
use crate::cli::output;
use crate::report::{Row, html};

/// What the pages that this writes begin with, and nothing else may be written over.
const BEGINNING: &[u8] = b"<!doctype html>";

/// A page on its way.
pub struct Page {
    path: PathBuf,
    partial: PathBuf,
    file: File,
}

impl Page {
    /// Makes sure that it can be written.
    pub fn create(path: &Path) -> Result<Self, Failure> {
        let wrong = |why: &str| {
            Failure::usage(format!("{} {why}", output::path(path)))
                .help("choose another place with --html FILE")
        };
        let io = |error: std::io::Error| wrong(&format!("could not be written: {error}"));
        if path.is_dir() {
            return Err(wrong("is a folder"));
        }
        if let Ok(old) = File::open(path) {
            let mut beginning = Vec::new();
            old.take(BEGINNING.len() as u64).read_to_end(&mut beginning).map_err(io)?;
            if !beginning.is_empty() && beginning != BEGINNING {
                return Err(wrong("is there already, and is no page"));
            }
        }
        let mut name = path.file_name().ok_or_else(|| wrong("names no file"))?.to_owned();
        name.push(".partial");
        let partial = path.with_file_name(name);
        // One that was left behind may be open to others.
        let _ = fs::remove_file(&partial);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&partial).map_err(io)?;
        Ok(Self { path: path.to_owned(), partial, file })
    }

    /// Writes it; `rows` gives each item to what it is called with.
    pub fn write(
        self,
        made: &Made,
        rows: impl FnOnce(&mut dyn FnMut(Row) -> Result<(), Failure>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let io = |error: std::io::Error| {
            Failure::failed(format!("{} could not be written: {error}", output::path(&self.path)))
        };
        let mut out = BufWriter::new(&self.file);
        html::begin(&mut out, &made.certificate, made.lists).map_err(io)?;
        if made.lists {
            rows(&mut |row| html::row(&mut out, &row).map_err(io))?;
        }
        html::end(&mut out, &made.certificate, made.lists).map_err(io)?;
        out.flush().map_err(io)?;
        drop(out);
        self.file.sync_all().map_err(io)?;
        fs::rename(&self.partial, &self.path).map_err(io)
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // Of a whole page there is none left.
        let _ = fs::remove_file(&self.partial);
    }
}
