//! XML as far as lifecycle configurations need it: a small tree that remembers where each
//! element stood in the text, and escaping.
//!
//! The tree is only for understanding. What is kept is kept as the text it was, so nothing
//! that this reader does not understand can be lost.

use std::ops::Range;

use quick_xml::NsReader;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;

/// Lifecycle configurations are five deep; anything beyond this is no such thing.
const DEEPEST: usize = 32;

/// Why a text is no XML that can be understood exactly.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// Not well-formed.
    #[error("it is not well-formed XML at byte {at}: {what}")]
    IllFormed {
        /// Where.
        at: usize,
        /// What the reader said.
        what: String,
    },
    /// A document type could define anything.
    #[error("it has a document type (DTD), which could change the meaning of anything in it")]
    Dtd,
    /// An entity that XML does not predefine.
    #[error("it uses the entity `&{0};`, which is not defined")]
    Entity(String),
    /// A namespace prefix that is not declared.
    #[error("it uses the namespace prefix `{0}`, which is not declared")]
    Prefix(String),
    /// Not XML 1.0 in UTF-8.
    #[error("it is not XML 1.0 in UTF-8")]
    Declaration,
    /// A processing instruction.
    #[error("it has a processing instruction, whose meaning is unknown")]
    Instruction,
    /// Nested too deeply.
    #[error("it is nested more than {DEEPEST} deep")]
    Deep,
    /// No root element, or more than one.
    #[error("it does not have exactly one root element")]
    Root,
}

/// An element.
#[derive(Clone, Debug)]
pub(super) struct Element {
    /// Its namespace; empty for none.
    pub namespace: String,
    /// Its name without a prefix.
    pub name: String,
    /// Its prefix with the colon, or empty.
    pub prefix: String,
    /// Attributes that are not namespace declarations: expanded name and value.
    pub attributes: Vec<(String, String)>,
    /// The namespace declarations as they stand in the text, each with a space before it.
    pub declarations: String,
    /// All its own text, references resolved.
    pub text: String,
    /// Elements in it.
    pub children: Vec<Element>,
    /// Where it stands in the text, tags included.
    pub range: Range<usize>,
}

impl Element {
    /// What it says, whatever prefixes and empty-element tags were used to say it. The
    /// namespace `home` counts as none.
    pub(super) fn canonical(&self, home: &str) -> String {
        let mut attributes = self.attributes.clone();
        attributes.sort();
        let text = if self.children.is_empty() { &self.text } else { self.text.trim() };
        let namespace = if self.namespace == home { "" } else { &self.namespace };
        let children: Vec<String> = self.children.iter().map(|child| child.canonical(home)).collect();
        format!("{{{namespace}}}{}{attributes:?}{text:?}{children:?}", self.name)
    }
}

/// Reads a document into its root element.
pub(super) fn parse(text: &str) -> Result<Element, XmlError> {
    if let Some((at, c)) = text.char_indices().find(|(_, c)| !is_xml_char(*c)) {
        return Err(XmlError::IllFormed { at, what: format!("the character {c:?} is not allowed") });
    }
    let mut reader = NsReader::from_str(text);
    reader.config_mut().check_comments = true;
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    loop {
        let start = position(&reader);
        let event = reader.read_event().map_err(|error| ill_formed(&reader, error))?;
        let end = position(&reader);
        let inside = open.last_mut();
        match event {
            Event::Eof => break,
            Event::Start(tag) => {
                if open.len() == DEEPEST {
                    return Err(XmlError::Deep);
                }
                open.push(element(&reader, &tag, start..end)?);
            }
            Event::Empty(tag) => place(element(&reader, &tag, start..end)?, inside, &mut root)?,
            Event::End(_) => {
                let mut closed = open.pop().ok_or(XmlError::Root)?;
                closed.range.end = end;
                place(closed, open.last_mut(), &mut root)?;
            }
            Event::Text(piece) => {
                let piece = piece.xml10_content().map_err(|error| ill_formed(&reader, error))?;
                match inside {
                    Some(inside) => inside.text.push_str(&piece),
                    None if piece.trim_start_matches('\u{feff}').trim().is_empty() => {}
                    None => return Err(XmlError::Root),
                }
            }
            Event::CData(piece) => {
                let piece = piece.xml10_content().map_err(|error| ill_formed(&reader, error))?;
                inside.ok_or(XmlError::Root)?.text.push_str(&piece);
            }
            Event::GeneralRef(reference) => {
                let inside = inside.ok_or(XmlError::Root)?;
                let name = reference.decode().map_err(|error| ill_formed(&reader, error))?;
                match reference.resolve_char_ref().map_err(|error| ill_formed(&reader, error))? {
                    Some(c) => inside.text.push(c),
                    None => inside.text.push_str(
                        quick_xml::escape::resolve_xml_entity(&name)
                            .ok_or_else(|| XmlError::Entity(name.to_string()))?,
                    ),
                }
            }
            Event::Decl(declaration) => {
                let version = declaration.version().map_err(|error| ill_formed(&reader, error))?;
                let utf8 = match declaration.encoding() {
                    Some(encoding) => {
                        encoding.map_err(|error| ill_formed(&reader, error))?.eq_ignore_ascii_case(b"utf-8")
                    }
                    None => true,
                };
                if version.as_ref() != b"1.0" || !utf8 {
                    return Err(XmlError::Declaration);
                }
            }
            Event::DocType(_) => return Err(XmlError::Dtd),
            Event::PI(_) => return Err(XmlError::Instruction),
            Event::Comment(_) => {}
        }
    }
    if !open.is_empty() {
        return Err(XmlError::IllFormed { at: text.len(), what: "it ends inside an element".to_owned() });
    }
    root.ok_or(XmlError::Root)
}

fn place(done: Element, inside: Option<&mut Element>, root: &mut Option<Element>) -> Result<(), XmlError> {
    match inside {
        Some(parent) => parent.children.push(done),
        None if root.is_none() => *root = Some(done),
        None => return Err(XmlError::Root),
    }
    Ok(())
}

fn element(reader: &NsReader<&[u8]>, tag: &BytesStart<'_>, range: Range<usize>) -> Result<Element, XmlError> {
    let (namespace, _) = reader.resolver().resolve_element(tag.name());
    let mut element = Element {
        namespace: namespace_of(reader, &namespace)?,
        name: utf8(reader, tag.local_name().into_inner())?,
        prefix: match tag.name().prefix() {
            Some(prefix) => format!("{}:", utf8(reader, prefix.into_inner())?),
            None => String::new(),
        },
        attributes: Vec::new(),
        declarations: String::new(),
        text: String::new(),
        children: Vec::new(),
        range,
    };
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|error| ill_formed(reader, error))?;
        if attribute.value.contains(&b'<') {
            return Err(ill_formed(reader, "`<` in an attribute"));
        }
        let value = attribute
            .normalized_value(quick_xml::XmlVersion::Explicit1_0)
            .map_err(|error| ill_formed(reader, error))?;
        if attribute.key.as_namespace_binding().is_some() {
            let name = utf8(reader, attribute.key.into_inner())?;
            element.declarations.push_str(&format!(" {name}=\"{}\"", escape(&value)));
            continue;
        }
        let (namespace, local) = reader.resolver().resolve_attribute(attribute.key);
        let local = utf8(reader, local.into_inner())?;
        let name = match namespace_of(reader, &namespace)?.as_str() {
            "" => local,
            namespace => format!("{{{namespace}}}{local}"),
        };
        element.attributes.push((name, value.into_owned()));
    }
    Ok(element)
}

fn namespace_of(reader: &NsReader<&[u8]>, found: &ResolveResult<'_>) -> Result<String, XmlError> {
    match found {
        ResolveResult::Bound(namespace) => utf8(reader, namespace.into_inner()),
        ResolveResult::Unbound => Ok(String::new()),
        ResolveResult::Unknown(prefix) => Err(XmlError::Prefix(String::from_utf8_lossy(prefix).into_owned())),
    }
}

fn utf8(reader: &NsReader<&[u8]>, bytes: &[u8]) -> Result<String, XmlError> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|error| ill_formed(reader, error))
}

fn position(reader: &NsReader<&[u8]>) -> usize {
    usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX)
}

fn ill_formed(reader: &NsReader<&[u8]>, what: impl ToString) -> XmlError {
    XmlError::IllFormed { at: position(reader), what: what.to_string() }
}

/// Whether XML 1.0 has this character at all, even as a reference.
pub(super) const fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

/// Text as element content or attribute value. Line ends and tabs become references, for a
/// reader would turn them into others (S3 itself asks for that in prefixes).
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' => escaped.push_str("&#x9;"),
            '\n' => escaped.push_str("&#xA;"),
            '\r' => escaped.push_str("&#xD;"),
            c => escaped.push(c),
        }
    }
    escaped
}
