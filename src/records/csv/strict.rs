//! CSV as RFC 4180 has it, checked byte by byte on its way to the reader.
//!
//! The CSV reader takes a quote anywhere, and the end of the file for the end of a field: with two
//! quotes that are never closed one customer's row would run into another's. Here a quote opens a
//! field at its start or is a fault, what is opened must be closed, and rows have a limit.

use std::io::{self, Chain, Cursor, Read};

use super::super::fault::{CsvFault, RecordError};

/// Hands on a limited number of bytes, all of them as RFC 4180 wants them; else it fails.
pub(super) struct Strict<R> {
    inner: Chain<Cursor<Vec<u8>>, R>,
    /// Bytes that may still be handed on.
    pub left: usize,
    /// What made it fail, limits and the file itself aside.
    pub fault: Option<RecordError>,
    /// The line on which the last row begins, if the file ends without a line break.
    pub cut: Option<u64>,
    state: State,
    at: Place,
    /// The line on which the row begins.
    row: u64,
    /// Where the last quote opened a field.
    opened: Place,
}

/// Line and column of the next byte, from 1; columns count characters.
#[derive(Clone, Copy)]
struct Place {
    line: u64,
    column: u64,
}

/// What stands before the next byte.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// A line break that ends a row, or nothing at all.
    RowStart,
    /// A comma.
    FieldStart,
    /// Part of a field without quotes.
    Plain,
    /// Part of a field in quotes.
    Quoted,
    /// A quote in such a field: its end, or the first of two.
    Quote,
    /// A carriage return outside of quotes.
    Return,
}

impl<R: Read> Strict<R> {
    /// Leaves out a byte-order mark, which the CSV reader misses where it arrives in pieces.
    pub fn new(mut reader: R) -> Result<Self, RecordError> {
        let mut start = Vec::new();
        reader
            .by_ref()
            .take(3)
            .read_to_end(&mut start)
            .map_err(|source| RecordError::Io { line: 1, source })?;
        if start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff") {
            return Err(RecordError::Utf16);
        }
        if start == "\u{feff}".as_bytes() {
            start.clear();
        }
        let at = Place { line: 1, column: 1 };
        Ok(Self {
            inner: Cursor::new(start).chain(reader),
            left: 0,
            fault: None,
            cut: None,
            state: State::RowStart,
            at,
            row: 1,
            opened: at,
        })
    }

    fn check(&mut self, bytes: &[u8]) -> Result<(), RecordError> {
        for byte in bytes {
            self.state = self.after(*byte).map_err(|what| self.error(what, self.at))?;
            if *byte == b'\n' {
                self.at = Place { line: self.at.line + 1, column: 1 };
                if self.state == State::RowStart {
                    self.row = self.at.line;
                }
            } else {
                // All bytes of a character but its first are of the form 10xxxxxx.
                self.at.column += u64::from(byte & 0xc0 != 0x80);
            }
        }
        Ok(())
    }

    fn after(&mut self, byte: u8) -> Result<State, CsvFault> {
        Ok(match (self.state, byte) {
            (_, 0) => return Err(CsvFault::Nul),
            (State::Quoted, b'"') => State::Quote,
            (State::Quoted, _) | (State::Quote, b'"') => State::Quoted,
            (_, b'\n') => State::RowStart,
            (State::Return, _) => return Err(CsvFault::LoneReturn),
            (_, b'\r') => State::Return,
            (_, b',') => State::FieldStart,
            (State::Quote, _) => return Err(CsvFault::AfterQuote),
            (State::RowStart | State::FieldStart, b'"') => {
                self.opened = self.at;
                State::Quoted
            }
            (State::Plain, b'"') => return Err(CsvFault::QuoteInside),
            (State::RowStart | State::FieldStart | State::Plain, _) => State::Plain,
        })
    }

    /// The end of the file: a last row that has no line break gets one, so that it ends as all do.
    fn end(&mut self) -> Result<&'static [u8], RecordError> {
        match self.state {
            State::RowStart => Ok(b""),
            State::Quoted => Err(self.error(CsvFault::OpenQuote, self.opened)),
            State::FieldStart | State::Plain | State::Quote | State::Return => {
                self.cut = Some(self.row);
                self.state = State::RowStart;
                Ok(b"\n")
            }
        }
    }

    const fn error(&self, what: CsvFault, at: Place) -> RecordError {
        RecordError::Csv { line: at.line, column: at.column, what }
    }

    fn refuse(&mut self, fault: RecordError) -> io::Error {
        self.fault = Some(fault);
        io::Error::other("the file is not CSV")
    }
}

impl<R: Read> Read for Strict<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let most = buffer.len().min(self.left);
        if most == 0 {
            return Err(io::Error::other("the row is too long"));
        }
        let read = self.inner.read(&mut buffer[..most])?;
        if read == 0 {
            let last = self.end().map_err(|fault| self.refuse(fault))?;
            buffer[..last.len()].copy_from_slice(last);
            return Ok(last.len());
        }
        self.left -= read;
        self.check(&buffer[..read]).map_err(|fault| self.refuse(fault))?;
        Ok(read)
    }
}
