//! A strict pull reader for the XML of S3 answers: it borrows from the answer, knows where it
//! is, and accepts nothing that is cut, unbalanced or followed by more.
//!
//! The SDK's own reader takes a document that ends anywhere for a shorter one and reads CDATA as
//! nothing; a listing or a delete report read like that would be a lie.

use std::borrow::Cow;

use memchr::{memchr, memchr2, memmem};

/// What is wrong with an answer, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} (at byte {at})")]
pub(super) struct Malformed {
    /// Offset into the answer.
    pub(super) at: usize,
    /// What is wrong.
    pub(super) what: Cow<'static, str>,
}

impl Malformed {
    /// Says what is wrong at an offset.
    pub(super) fn new(at: usize, what: impl Into<Cow<'static, str>>) -> Self {
        Self { at, what: what.into() }
    }
}

/// The character data of one element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Text {
    /// One uninterrupted stretch of the answer, references not resolved.
    Raw {
        /// Where it starts.
        at: usize,
        /// Its length in bytes.
        len: usize,
    },
    /// Put together from several pieces (CDATA, comments between), references resolved.
    Pieced(String),
}

/// Reads one document, element by element.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// Names of the open elements as written, outermost first.
    open: Vec<&'a str>,
    /// The innermost element was written `<name/>`.
    closed_itself: bool,
}

impl<'a> Reader<'a> {
    /// Enters the root element, which must have this name.
    pub(super) fn enter(text: &'a str, root: &str) -> Result<Self, Malformed> {
        let at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let mut reader = Self { text, at, open: Vec::with_capacity(4), closed_itself: false };
        match reader.next_tag()? {
            Some(name) if name == root => Ok(reader),
            Some(name) => Err(reader.wrong(format!("the answer is a `{name}`, not a `{root}`"))),
            None => Err(reader.wrong("the answer starts with an end tag")),
        }
    }

    /// Where the reader is.
    pub(super) const fn position(&self) -> usize {
        self.at
    }

    /// What is wrong here.
    pub(super) fn wrong(&self, what: impl Into<Cow<'static, str>>) -> Malformed {
        Malformed::new(self.at, what)
    }

    /// Enters the next child of the current element and gives its name without prefix; `None` when
    /// the current element has ended, which is then left.
    pub(super) fn child(&mut self) -> Result<Option<&'a str>, Malformed> {
        if self.close_if_empty() {
            return Ok(None);
        }
        self.next_tag()
    }

    /// The character data of the current element, which is then left. It must have no children.
    pub(super) fn text(&mut self) -> Result<Text, Malformed> {
        if self.close_if_empty() {
            return Ok(Text::Raw { at: self.at, len: 0 });
        }
        let start = self.at;
        let mut pieces: Option<String> = None;
        loop {
            let from = self.at;
            let piece = self.until_tag()?;
            let rest = self.rest();
            if let Some(end) = rest.strip_prefix("</") {
                let text = match pieces {
                    None => Text::Raw { at: start, len: piece.len() },
                    Some(mut pieces) => {
                        pieces.push_str(&resolve(piece, from)?);
                        Text::Pieced(pieces)
                    }
                };
                self.leave(end)?;
                return Ok(text);
            }
            let pieces = pieces.get_or_insert_default();
            pieces.push_str(&resolve(piece, from)?);
            if let Some(data) = rest.strip_prefix("<![CDATA[") {
                let data = self.through(data, 9, "]]>")?;
                if data.contains('\r') {
                    return Err(self.wrong("a raw carriage return"));
                }
                pieces.push_str(data);
            } else if !self.skip_comment()? {
                return Err(self.wrong("an element where only text belongs"));
            }
        }
    }

    /// The character data of the current element with references resolved, which is then left.
    pub(super) fn value(&mut self) -> Result<Cow<'a, str>, Malformed> {
        Ok(match self.text()? {
            Text::Raw { at, len } => resolve(&self.text[at..at + len], at)?,
            Text::Pieced(text) => Cow::Owned(text),
        })
    }

    /// As [`Reader::value`], owned.
    pub(super) fn string(&mut self) -> Result<String, Malformed> {
        self.value().map(Cow::into_owned)
    }

    /// Leaves the current element, whatever is in it.
    pub(super) fn skip(&mut self) -> Result<(), Malformed> {
        if self.close_if_empty() {
            return Ok(());
        }
        let depth = self.open.len();
        while self.open.len() >= depth {
            self.until_tag()?;
            if let Some(data) = self.rest().strip_prefix("<![CDATA[") {
                self.through(data, 9, "]]>")?;
            } else if self.next_tag()?.is_some() {
                self.close_if_empty();
            }
        }
        Ok(())
    }

    /// Makes sure that the root has ended and nothing but comments follows it.
    pub(super) fn finish(mut self) -> Result<(), Malformed> {
        if !self.open.is_empty() {
            return Err(self.wrong("the answer is not over"));
        }
        loop {
            self.at += self.rest().len() - self.rest().trim_ascii_start().len();
            if self.rest().is_empty() {
                return Ok(());
            }
            if !self.skip_comment()? {
                return Err(self.wrong("more after the end of the answer"));
            }
        }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn close_if_empty(&mut self) -> bool {
        let empty = std::mem::take(&mut self.closed_itself);
        if empty {
            self.open.pop();
        }
        empty
    }

    /// The next start tag's name, or `None` for an end tag, with nothing but white space,
    /// comments and processing instructions before it.
    fn next_tag(&mut self) -> Result<Option<&'a str>, Malformed> {
        loop {
            let between = self.until_tag()?;
            if !between.bytes().all(|byte| byte.is_ascii_whitespace()) {
                return Err(self.wrong("text between elements"));
            }
            if let Some(end) = self.rest().strip_prefix("</") {
                self.leave(end)?;
                return Ok(None);
            }
            if !self.skip_comment()? {
                return self.open_tag().map(Some);
            }
        }
    }

    /// Moves to the next `<` and gives what stands before it.
    fn until_tag(&mut self) -> Result<&'a str, Malformed> {
        let rest = self.rest();
        if rest.starts_with('<') {
            return Ok("");
        }
        match memchr(b'<', rest.as_bytes()) {
            Some(len) => {
                self.at += len;
                Ok(&rest[..len])
            }
            None => {
                self.at = self.text.len();
                Err(self.wrong("the answer is cut off"))
            }
        }
    }

    /// Moves behind `end`, which closes what starts `opening` bytes before `content`.
    fn through(&mut self, content: &'a str, opening: usize, end: &str) -> Result<&'a str, Malformed> {
        let len = memmem::find(content.as_bytes(), end.as_bytes())
            .ok_or_else(|| Malformed::new(self.text.len(), "the answer is cut off"))?;
        self.at += opening + len + end.len();
        Ok(&content[..len])
    }

    fn skip_comment(&mut self) -> Result<bool, Malformed> {
        let rest = self.rest();
        if let Some(comment) = rest.strip_prefix("<!--") {
            self.through(comment, 4, "-->")?;
        } else if let Some(instruction) = rest.strip_prefix("<?") {
            self.through(instruction, 2, "?>")?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// Leaves the innermost element; `after` follows the `</` of its end tag.
    fn leave(&mut self, after: &'a str) -> Result<(), Malformed> {
        if let Some(open) = self.open.last()
            && after.strip_prefix(open).is_some_and(|rest| rest.starts_with('>'))
        {
            self.at += 2 + open.len() + 1;
            self.open.pop();
            return Ok(());
        }
        let len = memchr(b'>', after.as_bytes())
            .ok_or_else(|| Malformed::new(self.text.len(), "the answer is cut off"))?;
        let name = after[..len].trim_ascii_end();
        match self.open.pop() {
            Some(open) if open == name => {
                self.at += 2 + len + 1;
                Ok(())
            }
            _ => Err(self.wrong(format!("`</{name}>` ends nothing that is open"))),
        }
    }

    fn open_tag(&mut self) -> Result<&'a str, Malformed> {
        let tag = &self.rest()[1..];
        let bytes = tag.as_bytes();
        let len = bytes
            .iter()
            .position(|byte| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'>'))
            .ok_or_else(|| Malformed::new(self.text.len(), "the answer is cut off"))?;
        let name = &tag[..len];
        if name.is_empty() || name.starts_with('!') {
            return Err(self.wrong("markup that has no place in an answer"));
        }
        let end =
            tag_end(&bytes[len..]).ok_or_else(|| Malformed::new(self.text.len(), "the answer is cut off"))?;
        self.closed_itself = bytes[len..len + end].last() == Some(&b'/');
        self.open.push(name);
        self.at += 1 + len + end + 1;
        Ok(local(name))
    }
}

/// The offset of the `>` that ends a tag; one inside quotes does not.
fn tag_end(attributes: &[u8]) -> Option<usize> {
    let mut quote = None;
    attributes.iter().position(|byte| match quote {
        None if matches!(byte, b'"' | b'\'') => {
            quote = Some(*byte);
            false
        }
        None => *byte == b'>',
        Some(open) => {
            if *byte == open {
                quote = None;
            }
            false
        }
    })
}

/// A name without its namespace prefix.
fn local(name: &str) -> &str {
    name.split_once(':').map_or(name, |(_, local)| local)
}

/// Resolves entity and character references. A raw carriage return is refused: XML would have it
/// read as a line feed, which in a key is another key.
pub(super) fn resolve(raw: &str, at: usize) -> Result<Cow<'_, str>, Malformed> {
    let Some(first) = memchr2(b'&', b'\r', raw.as_bytes()) else { return Ok(Cow::Borrowed(raw)) };
    let mut resolved = String::with_capacity(raw.len());
    let mut rest = raw;
    let mut next = Some(first);
    while let Some(special) = next {
        resolved.push_str(&rest[..special]);
        let here = at + raw.len() - rest.len() + special;
        let Some(reference) = rest[special..].strip_prefix('&') else {
            return Err(Malformed::new(here, "a raw carriage return"));
        };
        let (name, after) =
            reference.split_once(';').ok_or_else(|| Malformed::new(here, "a reference without its end"))?;
        resolved.push(character(name).ok_or_else(|| Malformed::new(here, "an unknown reference"))?);
        rest = after;
        next = memchr2(b'&', b'\r', rest.as_bytes());
    }
    resolved.push_str(rest);
    Ok(Cow::Owned(resolved))
}

fn character(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let (digits, radix) = match number.strip_prefix(['x', 'X']) {
                Some(hex) => (hex, 16),
                None => (number, 10),
            };
            let plain = digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
            plain.then(|| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32)).flatten()
        }
    }
}
