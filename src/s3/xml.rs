//! A strict pull reader for the XML of S3 answers: it borrows from the answer, knows where it
//! is, and accepts nothing that is cut, unbalanced or followed by more.
//!
//! The SDK's own reader takes a document that ends anywhere for a shorter one and reads CDATA as
//! nothing; a listing or a delete report read like that would be a lie.

use std::borrow::Cow;

use memchr::{memchr, memmem};

pub use self::text::Malformed;
pub(super) use self::text::Raw;
use self::text::{leaf_at, resolve};

mod expected;
#[cfg(test)]
mod tests;
mod text;

/// White space as XML has it.
const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

/// The character data of one element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Text {
    /// One uninterrupted stretch of the answer.
    Raw(Raw),
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
    /// The text of the current element if it is `<name/>` or `<name>text</name>`: it is then not
    /// among the open ones, and the reader stands behind it.
    leaf: Option<Raw>,
}

impl<'a> Reader<'a> {
    /// Enters the root element, which must have this name.
    pub(super) fn enter(text: &'a str, root: &str) -> Result<Self, Malformed> {
        let at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let mut reader = Self { text, at, open: Vec::with_capacity(4), leaf: None };
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

    /// The name of the current element, as written.
    pub(super) fn current(&self) -> Option<&'a str> {
        self.open.last().copied()
    }

    /// What is wrong here.
    pub(super) fn wrong(&self, what: impl Into<Cow<'static, str>>) -> Malformed {
        Malformed::new(self.at, what)
    }

    /// Enters the next child of the current element and gives its name without prefix; `None` when
    /// the current element has ended, which is then left.
    pub(super) fn child(&mut self) -> Result<Option<&'a str>, Malformed> {
        match self.leaf.take() {
            None => self.next_tag(),
            Some(Raw { at, len, .. }) if is_blank(&self.text[at..at + len]) => Ok(None),
            Some(text) => Err(Malformed::new(text.at, "text between elements")),
        }
    }

    /// The character data of the current element, which is then left. It must have no children.
    pub(super) fn text(&mut self) -> Result<Text, Malformed> {
        if let Some(text) = self.leaf.take() {
            return Ok(Text::Raw(text));
        }
        let start = self.at;
        let mut pieces: Option<String> = None;
        loop {
            let from = self.at;
            let piece = self.until_tag()?;
            let rest = self.rest();
            if let Some(end) = rest.strip_prefix("</") {
                let text = match pieces {
                    None => Text::Raw(Raw { at: start, len: piece.len(), plain: false }),
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
            Text::Raw(raw) => raw.resolve(self.text)?,
            Text::Pieced(text) => Cow::Owned(text),
        })
    }

    /// As [`Reader::value`], owned.
    pub(super) fn string(&mut self) -> Result<String, Malformed> {
        self.value().map(Cow::into_owned)
    }

    /// Leaves the current element, whatever is in it.
    pub(super) fn skip(&mut self) -> Result<(), Malformed> {
        if self.leaf.take().is_some() {
            return Ok(());
        }
        let depth = self.open.len();
        while self.open.len() >= depth {
            self.until_tag()?;
            if let Some(data) = self.rest().strip_prefix("<![CDATA[") {
                self.through(data, 9, "]]>")?;
            } else if !self.skip_comment()? {
                self.next_tag()?;
                self.leaf = None;
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
            self.at += self.rest().len() - self.rest().trim_start_matches(SPACE).len();
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

    /// The next start tag's name, or `None` for an end tag, with nothing but white space,
    /// comments and processing instructions before it.
    fn next_tag(&mut self) -> Result<Option<&'a str>, Malformed> {
        loop {
            let between = self.until_tag()?;
            if !is_blank(between) {
                return Err(self.wrong("text between elements"));
            }
            let tag = &self.rest()[1..];
            if let Some(end) = tag.strip_prefix('/') {
                self.leave(end)?;
                return Ok(None);
            }
            if !tag.starts_with(['!', '?']) || !self.skip_comment()? {
                return self.open_tag(tag).map(Some);
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
            self.through(comment, 4, "--")?;
            if !self.rest().starts_with('>') {
                return Err(self.wrong("`--` in a comment"));
            }
            self.at += 1;
        } else if let Some(instruction) = rest.strip_prefix("<?") {
            if !instruction.starts_with(|c: char| c.is_alphabetic() || c == '_') {
                return Err(self.wrong("an instruction without a name"));
            }
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
        let name = after[..len].trim_end_matches(SPACE);
        match self.open.pop() {
            Some(open) if open == name => {
                self.at += 2 + len + 1;
                Ok(())
            }
            _ => Err(self.wrong(format!("`</{name}>` ends nothing that is open"))),
        }
    }

    /// Enters an element; `tag` follows the `<` of its start tag.
    fn open_tag(&mut self, tag: &'a str) -> Result<&'a str, Malformed> {
        let bytes = tag.as_bytes();
        let (name, local, end) = match bytes.iter().position(|byte| !byte.is_ascii_alphabetic()) {
            Some(len) if bytes[len] == b'>' => (&tag[..len], &tag[..len], len),
            _ => self.long_tag(tag)?,
        };
        if name.is_empty() || name.starts_with('!') {
            return Err(self.wrong("markup that has no place in an answer"));
        }
        self.at += 1 + end + 1;
        if bytes[..end].ends_with(b"/") {
            self.leaf = Some(Raw { at: self.at, len: 0, plain: true });
        } else if let Some(leaf) = leaf_at(self.at, &bytes[end + 1..], name) {
            self.at += leaf.len + "</".len() + name.len() + ">".len();
            self.leaf = Some(leaf);
        } else {
            self.open.push(name);
        }
        Ok(local)
    }

    /// The name in a start tag, that without its namespace prefix, and the offset of the `>`.
    #[cold]
    fn long_tag(&self, tag: &'a str) -> Result<(&'a str, &'a str, usize), Malformed> {
        let cut = || Malformed::new(self.text.len(), "the answer is cut off");
        let len = tag.find(|c: char| SPACE.contains(&c) || "/><&='\"".contains(c)).ok_or_else(cut)?;
        let (name, mut rest) = tag.split_at(len);
        while rest.starts_with(SPACE) {
            let attribute = rest.trim_start_matches(SPACE);
            if attribute.starts_with(['/', '>']) {
                rest = attribute;
                break;
            }
            rest = after_attribute(attribute).ok_or_else(|| self.wrong("an attribute that is none"))?;
        }
        match rest.strip_prefix('/').unwrap_or(rest).find('>') {
            Some(0) => {}
            Some(_) => return Err(self.wrong("a tag that is none")),
            None => return Err(cut()),
        }
        let end = tag.len() - rest.len() + usize::from(rest.starts_with('/'));
        Ok((name, name.split_once(':').map_or(name, |(_, local)| local), end))
    }
}

/// What follows `name = "value"`.
fn after_attribute(text: &str) -> Option<&str> {
    let (name, value) = text.split_once('=')?;
    let value = value.trim_start_matches(SPACE);
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let unfit = |c: char| SPACE.contains(&c) || "/><&'\"".contains(c);
    let name = name.trim_end_matches(SPACE);
    let named = !name.is_empty() && !name.contains(unfit);
    named.then(|| value[1..].split_once(quote)).flatten().map(|(_, rest)| rest)
}

fn is_blank(text: &str) -> bool {
    text.trim_start_matches(SPACE).is_empty()
}
