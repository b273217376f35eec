//! What a file must be before anything reads it as YAML: small, UTF-8, free of characters
//! that show a reviewer something other than a program reads.

use std::borrow::Cow;

use crate::policy::codes::Code;
use crate::policy::diagnostic::{At, Faults};

/// The largest policy file, in bytes.
const MAX_BYTES: usize = 1 << 20;

const BYTE_ORDER_MARK: &str = "\u{feff}";

/// The file's text without its byte-order mark, or `None` after recording why not.
pub(super) fn check<'b>(file: usize, bytes: &'b [u8], faults: &mut Faults) -> Option<&'b str> {
    let at = |start, end| At { file, start, end };
    if bytes.len() > MAX_BYTES {
        faults.add(Code::TooLarge, at(0, 0), format!("the file has {} bytes, more than 1 MiB", bytes.len()));
        return None;
    }
    let text = match str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text),
        Err(error) => {
            let skipped =
                if bytes.starts_with(BYTE_ORDER_MARK.as_bytes()) { BYTE_ORDER_MARK.len() } else { 0 };
            let start = error.valid_up_to().saturating_sub(skipped);
            faults.add(Code::NotUtf8, at(start, start), "the file is not UTF-8 from here on");
            return None;
        }
    };
    match text.char_indices().find(|(place, c)| is_refused(*c) || is_lone_return(text, *place)) {
        Some((start, c)) => {
            let message = format!("the file holds the character U+{:04X}", u32::from(c));
            faults.add(Code::ControlCharacter, at(start, start + c.len_utf8()), message);
            None
        }
        None => Some(text),
    }
}

/// The file's text, if it is fit to be shown.
pub(in crate::policy) fn clean(bytes: &[u8]) -> Option<&str> {
    check(0, bytes, &mut Faults::default())
}

/// The text to count lines in: as [`check`] sees it, with what is not UTF-8 replaced.
pub(in crate::policy) fn decode_lossy(bytes: &[u8]) -> Cow<'_, str> {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK.as_bytes()).unwrap_or(bytes);
    String::from_utf8_lossy(bytes)
}

fn is_refused(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => false,
        // Line and paragraph separators, then characters that turn the direction of text.
        '\u{2028}' | '\u{2029}' | '\u{61c}' | '\u{200e}' | '\u{200f}' => true,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        '\u{feff}' | '\u{fffe}' | '\u{ffff}' => true,
        c => c.is_control(),
    }
}

fn is_lone_return(text: &str, place: usize) -> bool {
    text[place..].starts_with('\r') && !text[place..].starts_with("\r\n")
}
