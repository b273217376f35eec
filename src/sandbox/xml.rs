//! A small tree of XML elements: how the sandbox reads and writes the documents that it handles itself.

use std::fmt::Write as _;

use quick_xml::Reader;
use quick_xml::events::Event;

/// The namespace of S3's documents.
const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// Deeper documents than this are refused; S3's own are five deep.
const MAX_DEPTH: usize = 32;

/// An element with its text and its children, in document order. Comments and attributes are dropped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub name: String,
    pub text: String,
    pub children: Vec<Element>,
}

/// Bytes that are no XML 1.0 document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotXml;

impl Element {
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// Adds a child that holds only text.
    pub fn push(&mut self, name: &str, text: impl Into<String>) -> &mut Self {
        self.children.push(Self { name: name.to_owned(), text: text.into(), children: Vec::new() });
        self
    }

    /// Adds a child.
    pub fn push_element(&mut self, child: Self) -> &mut Self {
        self.children.push(child);
        self
    }

    /// The children of this name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first child of this name.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first child of this name.
    pub fn text_of(&self, name: &str) -> Option<&str> {
        self.get(name).map(|child| child.text.as_str())
    }

    /// Reads a document and answers with its root.
    pub fn parse(bytes: &[u8]) -> Result<Self, NotXml> {
        let text = std::str::from_utf8(bytes).map_err(|_| NotXml)?;
        let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
        reader.config_mut().expand_empty_elements = true;
        let mut open: Vec<Self> = Vec::new();
        let mut root = None;
        loop {
            match reader.read_event().map_err(|_| NotXml)? {
                Event::Start(start) => {
                    if root.is_some() || open.len() >= MAX_DEPTH {
                        return Err(NotXml);
                    }
                    let name = std::str::from_utf8(start.local_name().into_inner()).map_err(|_| NotXml)?;
                    open.push(Self::new(name));
                }
                Event::End(_) => {
                    let done = open.pop().ok_or(NotXml)?;
                    match open.last_mut() {
                        Some(parent) => parent.children.push(done),
                        None => root = Some(done),
                    }
                }
                Event::Text(text) => append(&mut open, &text.xml10_content().map_err(|_| NotXml)?)?,
                Event::CData(text) => append(&mut open, &text.xml10_content().map_err(|_| NotXml)?)?,
                Event::GeneralRef(reference) => {
                    let resolved = match reference.resolve_char_ref().map_err(|_| NotXml)? {
                        Some(character) => character.to_string(),
                        None => {
                            let name = reference.decode().map_err(|_| NotXml)?;
                            quick_xml::escape::resolve_predefined_entity(&name).ok_or(NotXml)?.to_owned()
                        }
                    };
                    append(&mut open, &resolved)?;
                }
                Event::DocType(_) => return Err(NotXml),
                Event::Eof => return if open.is_empty() { root.ok_or(NotXml) } else { Err(NotXml) },
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::Empty(_) => {}
            }
        }
    }

    /// Writes a whole document with this element as its root.
    pub fn document(&self) -> String {
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        self.write(&mut out, Some(NAMESPACE));
        out
    }

    fn write(&self, out: &mut String, namespace: Option<&str>) {
        out.push('<');
        out.push_str(&self.name);
        if let Some(namespace) = namespace {
            out.push_str(" xmlns=\"");
            out.push_str(namespace);
            out.push('"');
        }
        out.push('>');
        if self.children.is_empty() {
            escape_into(out, &self.text);
        }
        for child in &self.children {
            child.write(out, None);
        }
        out.push_str("</");
        out.push_str(&self.name);
        out.push('>');
    }
}

fn append(open: &mut [Element], text: &str) -> Result<(), NotXml> {
    if !text.chars().all(is_xml_character) {
        return Err(NotXml);
    }
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.trim().is_empty() => {}
        None => return Err(NotXml),
    }
    Ok(())
}

/// XML 1.0's `Char`: what a document may hold at all, even as a character reference.
fn is_xml_character(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// Escapes text. What XML 1.0 cannot hold becomes a character reference all the same: that is how S3
/// lists such keys, and it is not valid XML (UG:object-keys; S3-compatible clients read it).
fn escape_into(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\t' | '\n' | '\r' => {
                let _ = write!(out, "&#{};", u32::from(character));
            }
            _ if is_xml_character(character) => out.push(character),
            _ => {
                let _ = write!(out, "&#x{:x};", u32::from(character));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_read_and_written_back_with_unknown_elements() {
        let text = "<?xml version=\"1.0\"?><R xmlns=\"x\"><A>1 &amp; &#50;</A><B><Odd/></B></R>";
        let root = Element::parse(text.as_bytes()).unwrap();
        assert_eq!(root.text_of("A"), Some("1 & 2"));
        assert!(root.document().ends_with("<A>1 &amp; 2</A><B><Odd></Odd></B></R>"));
    }

    #[test]
    fn characters_that_xml_cannot_hold_are_refused_raw_and_as_references() {
        for text in ["<a>\u{1}</a>", "<a>&#1;</a>", "<a>&#x1f;</a>", "<a>\u{ffff}</a>"] {
            assert_eq!(Element::parse(text.as_bytes()), Err(NotXml), "{text:?}");
        }
    }

    #[test]
    fn what_is_not_one_well_formed_document_is_refused() {
        let deep = "<a>".repeat(40) + &"</a>".repeat(40);
        for text in ["", "a", "<a>", "<a></b>", "<a/><a/>", "<!DOCTYPE a><a/>", "<a>&none;</a>", &deep] {
            assert_eq!(Element::parse(text.as_bytes()), Err(NotXml), "{text:?}");
        }
    }

    #[test]
    fn a_raw_carriage_return_is_a_newline_as_every_xml_reader_makes_it() {
        assert_eq!(Element::parse(b"<a>x\r\ny\rz&#13;</a>").unwrap().text, "x\ny\nz\r");
    }
}
