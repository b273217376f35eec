//! Texts that are compared with others character by character: what nobody sees in them, and what may
//! not be meant. A hold on a tenant that nobody is called holds nothing.

use super::decoder::Decoder;
use super::select::Of;
use crate::pattern::KeyPattern;
use crate::policy::codes::Code;
use crate::policy::diagnostic::Spanned;
use crate::policy::yaml::{Data, Entry, Node};
use crate::text;

/// The longest key in S3, in bytes.
const LONGEST_KEY: usize = 1024;

impl Decoder<'_> {
    /// Exact text in which nothing is hidden; blanks at its ends are warned of.
    pub(super) fn verbatim(&mut self, name: &str, node: &Node) -> Option<Spanned<String>> {
        let found = self.exact(name, node)?;
        self.as_it_shows(name, found)
    }

    /// The text, if nothing in it is hidden.
    pub(super) fn as_it_shows(&mut self, name: &str, found: Spanned<String>) -> Option<Spanned<String>> {
        let found = self.visible(name, found)?;
        if found.value.trim() != found.value {
            self.warnings
                .add(Code::BlankEnds, found.at, format!("`{name}` begins or ends with a blank, which counts"))
                .help("take it out, unless what it is compared with has it too");
        }
        Some(found)
    }

    /// One tenant, or one value of a record: what they are compared with has no blanks at its ends.
    pub(super) fn one_value(&mut self, name: &str, node: &Node) -> Option<Spanned<String>> {
        let found = self.exact(name, node)?;
        let found = self.visible(name, found)?;
        let text = &found.value;
        if text.trim() != text {
            self.faults
                .add(
                    Code::Unseen,
                    found.at,
                    format!("`{name}` begins or ends with a blank, so nothing equals it"),
                )
                .help(format!("take it out: \"{}\"", text.trim()));
            return None;
        }
        let is_blank_run = |pair: &[char]| matches!(pair, [a, b] if a.is_whitespace() && b.is_whitespace());
        let characters: Vec<char> = text.chars().collect();
        let has_gap = text.contains('\t') || characters.windows(2).any(is_blank_run);
        if has_gap || text.contains([',', ';']) {
            self.warnings
                .add(Code::OneValue, found.at, format!("this is one value of the name `{text}`"))
                .help("if several are meant, write a list: [\"4711\", \"0815\"]");
        }
        Some(found)
    }

    fn visible(&mut self, name: &str, found: Spanned<String>) -> Option<Spanned<String>> {
        let Some(hidden) = found.value.chars().find(|c| text::is_invisible(*c)) else { return Some(found) };
        let message = format!("`{name}` holds U+{:04X}, which nobody sees", u32::from(hidden));
        self.faults
            .add(Code::Unseen, found.at, message)
            .help("take it out; it may have come with text that was copied: type the text anew");
        None
    }

    pub(super) fn prefix(&mut self, entry: &Entry, of: Of) -> Option<String> {
        let prefix = self.verbatim("prefix", &entry.value)?;
        let text = &prefix.value;
        if text.len() > LONGEST_KEY {
            let message = format!("a prefix of {} bytes is longer than any key", text.len());
            self.faults.add(Code::Prefix, prefix.at, message);
            return None;
        }
        if text.contains(['*', '?', '{', '}']) {
            let message = "a prefix is plain text: `*`, `?` and braces stand for themselves";
            self.warnings.add(Code::PrefixLiteral, prefix.at, message).help("use `key` for a pattern");
        } else if !text.ends_with('/') {
            let message = match of {
                Of::Erasure => {
                    format!(
                        "the prefix also reaches keys such as `{text}0/…`, which may be another customer's"
                    )
                }
                Of::Rule | Of::Hold | Of::Exception => {
                    format!("the prefix also matches keys such as `{text}-old/…`")
                }
            };
            self.warnings
                .add(Code::PrefixBoundary, prefix.at, message)
                .help(format!("if a folder is meant, write `{text}/`"));
        }
        Some(prefix.value)
    }

    pub(super) fn key_pattern(&mut self, entry: &Entry) -> Option<KeyPattern> {
        let text = self.verbatim("key", &entry.value)?;
        match KeyPattern::parse(&text.value) {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                self.faults.add(Code::Pattern, text.at, format!("not a pattern: {error}"));
                None
            }
        }
    }

    /// A text, or a list of texts that is not empty, each as `read` takes it.
    pub(super) fn one_or_more(
        &mut self,
        entry: &Entry,
        read: fn(&mut Self, &str, &Node) -> Option<Spanned<String>>,
    ) -> Vec<Spanned<String>> {
        if matches!(entry.value.data, Data::Scalar { .. }) {
            return read(self, &entry.key, &entry.value).into_iter().collect();
        }
        let items = match &entry.value.data {
            Data::List(_) => self.list(&entry.key, &entry.value, true),
            _ => {
                self.wrong_shape(&entry.key, &entry.value, "text or a list of texts");
                None
            }
        };
        items.unwrap_or_default().iter().filter_map(|item| read(self, &entry.key, item)).collect()
    }

    pub(super) fn tenants(&mut self, entry: &Entry) -> Vec<String> {
        let items = self.list("tenants", &entry.value, true).unwrap_or_default();
        let mut tenants: Vec<_> = items
            .iter()
            .filter_map(|item| self.one_value("tenants", item))
            .map(|tenant| tenant.value)
            .collect();
        tenants.sort();
        tenants.dedup();
        tenants
    }
}
