//! The span-keeping reader: events of `granit-parser` into trees. The only module that knows it.

use std::borrow::Cow;
use std::collections::HashMap;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, Span, Tag};

use super::look_alike::look_alike;
use crate::policy::codes::Code;
use crate::policy::diagnostic::{At, Faults};

/// The documents of one file.
pub(in crate::policy) struct Documents {
    pub(in crate::policy) roots: Vec<Node>,
    /// Whether they are all that the file holds.
    pub(in crate::policy) complete: bool,
}

/// How deep lists and mappings may be nested.
const MAX_DEPTH: usize = 64;

/// A value and where it stands.
#[derive(Debug)]
pub(in crate::policy) struct Node {
    pub at: At,
    pub data: Data,
}

#[derive(Debug)]
pub(in crate::policy) enum Data {
    /// Text; `plain` if it was written without quotes and not as a block.
    Scalar { text: String, plain: bool },
    /// A list.
    List(Vec<Node>),
    /// A mapping, in the order of the file, without the entries that were at fault.
    Map(Vec<Entry>),
    /// An alias: its fault is recorded.
    Faulty,
}

/// One key of a mapping with its value.
#[derive(Debug)]
pub(in crate::policy) struct Entry {
    pub key: String,
    pub key_at: At,
    pub value: Node,
}

impl Node {
    /// Where to point when the whole is meant: at the first key or item of a block, since a
    /// block's own span runs on to whatever follows it.
    pub fn head(&self) -> At {
        match &self.data {
            Data::Map(entries) => entries.first().map_or(self.at, |entry| entry.key_at),
            Data::List(items) => items.first().map_or(self.at, Self::head),
            Data::Scalar { .. } | Data::Faulty => self.at,
        }
    }

    /// Whether there is no value at all, as in `key:`.
    pub fn is_nothing(&self) -> bool {
        matches!(&self.data, Data::Scalar { text, plain: true } if text.is_empty())
    }
}

/// Parses all documents of a file. `dates_as_keys`: a date without quotes can be a key.
pub(super) fn parse(file: usize, text: &str, dates_as_keys: bool, faults: &mut Faults) -> Documents {
    let mut options = granit_parser::options! {
        disallow_directives: true,
        emit_anchor_events: true,
        emit_unresolved_aliases: true,
        block_scalar_eof_without_line_feed: true,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    options.set_emit_comments(false);
    let mut parser = Parser::new_from_str_with_options(text, options);
    let mut builder = Builder { file, dates_as_keys, faults, open: Vec::new(), roots: Vec::new() };
    let mut complete = true;
    while let Some(event) = parser.next_event() {
        let went_on = match event {
            Ok((event, span)) => builder.event(event, &span),
            Err(error) => {
                let at = builder.at_byte(error.marker().byte_offset().unwrap_or(text.len()));
                if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
                    builder.too_deep(at);
                } else {
                    builder.faults.add(Code::Syntax, at, format!("not YAML: {}", error.info()));
                }
                false
            }
        };
        if !went_on {
            complete = false;
            builder.open.clear();
            if !matches!(parser.proceed_next_document(), Ok(true)) {
                break;
            }
        }
    }
    let Builder { faults, roots, .. } = builder;
    if complete && roots.iter().all(Node::is_nothing) {
        faults.add(Code::Empty, At { file, start: 0, end: 0 }, "the file says nothing");
        complete = false;
        return Documents { roots: Vec::new(), complete };
    }
    Documents { roots, complete }
}

enum Open {
    List { at: At, items: Vec<Node> },
    Map { at: At, entries: Vec<Entry>, keys: HashMap<String, At>, key: Option<Node> },
}

struct Builder<'f> {
    file: usize,
    dates_as_keys: bool,
    faults: &'f mut Faults,
    open: Vec<Open>,
    roots: Vec<Node>,
}

impl Builder<'_> {
    /// Takes one event; false if the document must be given up.
    fn event(&mut self, event: Event<'_>, span: &Span) -> bool {
        let at = self.at(span);
        match event {
            Event::Scalar(text, style, _, tag) => {
                self.tag(tag, span, at);
                let plain = style == ScalarStyle::Plain;
                // The reader writes `~` for a value that is not there.
                let text = if plain && at.start == at.end { String::new() } else { text.into_owned() };
                self.put(Node { at, data: Data::Scalar { text, plain } });
            }
            Event::SequenceStart(_, _, tag) => {
                self.tag(tag, span, at);
                return self.descend(at, Open::List { at, items: Vec::new() });
            }
            Event::MappingStart(_, _, tag) => {
                self.tag(tag, span, at);
                let map = Open::Map { at, entries: Vec::new(), keys: HashMap::new(), key: None };
                return self.descend(at, map);
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let node = match self.open.pop() {
                    Some(Open::List { at: start, items }) => {
                        Node { at: start.to(at), data: Data::List(items) }
                    }
                    Some(Open::Map { at: start, entries, .. }) => {
                        Node { at: start.to(at), data: Data::Map(entries) }
                    }
                    None => return false,
                };
                self.put(node);
            }
            Event::Anchor(_, name) => {
                self.faults
                    .add(Code::Alias, at, format!("the anchor `&{name}` is not part of the policy language"))
                    .help("write the value out wherever it is needed");
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                self.faults
                    .add(Code::Alias, at, "an alias is not part of the policy language")
                    .help("write the value out; text that starts with `*` needs quotes, such as \"*-media\"");
                self.put(Node { at, data: Data::Faulty });
            }
            _ => {}
        }
        true
    }

    fn descend(&mut self, at: At, open: Open) -> bool {
        if self.open.len() >= MAX_DEPTH {
            self.too_deep(at);
            return false;
        }
        self.open.push(open);
        true
    }

    fn too_deep(&mut self, at: At) {
        self.faults.add(Code::TooDeep, at, format!("nested more than {MAX_DEPTH} deep"));
    }

    /// Hands a finished node to what is open around it.
    fn put(&mut self, node: Node) {
        match self.open.last_mut() {
            None => self.roots.push(node),
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Map { entries, keys, key, .. }) => match key.take() {
                None => *key = Some(node),
                Some(key) => {
                    if let Some((key, key_at)) = check_key(key, keys, self.dates_as_keys, self.faults) {
                        let value = if node.is_nothing() { Node { at: key_at, ..node } } else { node };
                        entries.push(Entry { key, key_at, value });
                    }
                }
            },
        }
    }

    fn tag(&mut self, tag: Option<Cow<'_, Tag>>, span: &Span, at: At) {
        if let Some(tag) = tag {
            let at = span.tag_span().map_or(at, |span| self.at(&span));
            self.faults
                .add(
                    Code::Tag,
                    at,
                    format!("the tag `{}` is not part of the policy language", tag.original()),
                )
                .help("remove it; text that starts with `!` needs quotes");
        }
    }

    fn at(&self, span: &Span) -> At {
        let range = span.byte_range().unwrap_or_default();
        At { file: self.file, start: range.start, end: range.end.max(range.start) }
    }

    const fn at_byte(&self, byte: usize) -> At {
        At { file: self.file, start: byte, end: byte }
    }
}

impl At {
    const fn to(self, end: Self) -> Self {
        Self { end: if end.end > self.end { end.end } else { self.end }, ..self }
    }
}

/// The key's text, or `None` after recording why it cannot be one.
fn check_key(
    key: Node,
    keys: &mut HashMap<String, At>,
    dates_as_keys: bool,
    faults: &mut Faults,
) -> Option<(String, At)> {
    let at = key.head();
    let (text, plain) = match key.data {
        Data::Scalar { text, plain } => (text, plain),
        Data::Faulty => return None,
        Data::List(_) | Data::Map(_) => {
            faults.add(Code::KeyForm, at, "a key must be text, not a list or a mapping");
            return None;
        }
    };
    if text == "<<" {
        faults
            .add(Code::Alias, at, "the merge key `<<` is not part of the policy language")
            .help("write the settings out");
        return None;
    }
    if plain
        && let Some(kind) = look_alike(&text)
        && !(dates_as_keys && kind == "a date")
    {
        faults
            .add(Code::KeyForm, at, format!("the key `{text}` can be read as {kind}"))
            .help("if text is meant, quote it");
        return None;
    }
    if let Some(first) = keys.get(&text) {
        faults
            .add(Code::DuplicateKey, at, format!("`{text}` stands here twice"))
            .see(*first, "first given here");
        return None;
    }
    keys.insert(text.clone(), at);
    Some((text, at))
}
