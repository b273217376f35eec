//! HCL as `terraform fmt` would leave it: blocks two spaces apart, equals signs in line.

use unicode_width::UnicodeWidthChar;

use crate::text;

/// A block.
pub(super) struct Block {
    head: String,
    attributes: Vec<(String, String)>,
    maps: Vec<(String, Vec<(String, String)>)>,
    blocks: Vec<Self>,
}

impl Block {
    /// An empty block; `head` is written as it is.
    pub fn new(head: impl Into<String>) -> Self {
        Self { head: head.into(), attributes: Vec::new(), maps: Vec::new(), blocks: Vec::new() }
    }

    /// With this text.
    pub fn text(mut self, name: &str, value: &str) -> Self {
        self.attributes.push((name.to_owned(), quoted(value)));
        self
    }

    /// With this number.
    pub fn number(mut self, name: &str, value: i64) -> Self {
        self.attributes.push((name.to_owned(), value.to_string()));
        self
    }

    /// With this number, if there is one.
    pub fn optional(self, name: &str, value: Option<i64>) -> Self {
        match value {
            Some(value) => self.number(name, value),
            None => self,
        }
    }

    /// Switched on.
    pub fn on(mut self, name: &str) -> Self {
        self.attributes.push((name.to_owned(), "true".to_owned()));
        self
    }

    /// With these texts by name.
    pub fn map<'a>(mut self, name: &str, entries: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let entries = entries.map(|(key, value)| (quoted(key), quoted(value))).collect();
        self.maps.push((name.to_owned(), entries));
        self
    }

    /// With these blocks in it.
    pub fn blocks(mut self, blocks: impl IntoIterator<Item = Self>) -> Self {
        self.blocks.extend(blocks);
        self
    }

    /// As text, `depth` blocks deep.
    pub fn write(&self, depth: usize) -> String {
        let outer = "  ".repeat(depth);
        let inner = "  ".repeat(depth + 1);
        let mut parts: Vec<String> = Vec::new();
        let aligned = aligned(&self.attributes, &inner);
        parts.extend((!aligned.is_empty()).then_some(aligned));
        for (name, entries) in &self.maps {
            let entries = self::aligned(entries, &"  ".repeat(depth + 2));
            parts.push(format!("{inner}{name} = {{\n{entries}{inner}}}\n"));
        }
        parts.extend(self.blocks.iter().map(|block| block.write(depth + 1)));
        if parts.is_empty() {
            return format!("{outer}{} {{}}\n", self.head);
        }
        format!("{outer}{} {{\n{}{outer}}}\n", self.head, parts.join("\n"))
    }
}

/// A text in quotes.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text::hcl(text))
}

/// A comment, each line of it.
pub(super) fn comment<'a>(lines: impl IntoIterator<Item = &'a String>) -> String {
    lines.into_iter().map(|line| format!("# {}\n", text::terminal(line))).collect()
}

fn aligned(entries: &[(String, String)], indent: &str) -> String {
    // As the formatter does: a mark that sits on another character takes no room.
    let width = |name: &str| name.chars().filter(|c| c.width() != Some(0)).count();
    let widest = entries.iter().map(|(name, _)| width(name)).max().unwrap_or_default();
    let line = |(name, value): &(String, String)| {
        format!("{indent}{name}{} = {value}\n", " ".repeat(widest - width(name)))
    };
    entries.iter().map(line).collect()
}
