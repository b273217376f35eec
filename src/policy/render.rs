//! Diagnostics as people read them in a terminal.

use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Level, Origin, Renderer, Snippet};
use unicode_width::UnicodeWidthStr;

use super::diagnostic::{Diagnostic, Place, Severity, SourceFile};
use super::yaml;
use crate::text;

/// A terminal is taken to be at least this wide.
const NARROWEST: usize = 40;

/// Lays out diagnostics with the lines that they point to, for a terminal of `width` columns.
///
/// Nothing from the policy or its paths reaches the result as a control character. Colours
/// are ANSI escape sequences; whether they are wanted is for the caller to know.
pub fn render(diagnostics: &[Diagnostic], sources: &[SourceFile], colour: bool, width: usize) -> String {
    let width = width.max(NARROWEST);
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() }.term_width(width);
    let texts: Vec<_> = sources
        .iter()
        .map(|file| (file.path.as_str(), yaml::clean(&file.bytes).unwrap_or_default()))
        .collect();
    let text_of = |at: &Place| {
        // What is wrong with a file as a whole has no line to show.
        let is_whole_file = at.span == (0..0);
        texts.iter().find(|(path, _)| *path == at.file && !is_whole_file).map_or("", |(_, text)| text)
    };
    let mut out = String::new();
    for diagnostic in diagnostics {
        let (level, label) = match diagnostic.severity {
            Severity::Error => (Level::ERROR, "error[SL0000]: "),
            Severity::Warning => (Level::WARNING, "warning[SL0000]: "),
            Severity::Note => (Level::NOTE, "note[SL0000]: "),
        };
        let message = wrap(&visible(&diagnostic.message), width - label.len());
        let title = level.primary_title(message).id(diagnostic.code.id());
        let mut group = title.elements(std::iter::empty::<Origin<'_>>());

        let (here, elsewhere): (Vec<_>, Vec<_>) =
            diagnostic.related.iter().partition(|(place, _)| place.file == diagnostic.at.file);
        let mut marks = vec![(AnnotationKind::Primary, &diagnostic.at, None)];
        marks.extend(here.iter().map(|(place, label)| (AnnotationKind::Context, place, Some(label))));
        group = match snippet(text_of(&diagnostic.at), &marks) {
            Some(snippet) => group.element(snippet),
            None => group.element(origin(&diagnostic.at)),
        };
        for (place, label) in elsewhere {
            group = match snippet(text_of(place), &[(AnnotationKind::Context, place, Some(label))]) {
                Some(snippet) => group.element(snippet),
                None => group.element(origin(place)),
            };
        }
        if let Some(help) = &diagnostic.help {
            group = group.element(Level::HELP.message(wrap(&visible(help), width - "   = help: ".len())));
        }
        out.push_str(&renderer.render(&[group]));
        out.push_str("\n\n");
    }
    out
}

fn origin(at: &Place) -> Origin<'static> {
    Origin::path(visible(&at.file)).line(at.line).char_column(at.column)
}

type Mark<'d> = (AnnotationKind, &'d Place, Option<&'d String>);

/// The lines of `text` that hold the marks, with the marks below them.
fn snippet(text: &str, marks: &[Mark<'_>]) -> Option<Snippet<'static, Annotation<'static>>> {
    let (_, first, _) = marks.iter().min_by_key(|(_, place, _)| place.span.start)?;
    if text.is_empty() {
        return None;
    }
    let spans: Vec<_> = marks.iter().map(|(_, place, _)| on_one_line(text, &place.span)).collect();
    let start =
        text[..spans.iter().map(|span| span.start).min()?].rfind('\n').map_or(0, |newline| newline + 1);
    let last = spans.iter().map(|span| span.end).max()?;
    let end = text[last..].find('\n').map_or(text.len(), |newline| last + newline);
    let annotations = marks.iter().zip(spans).map(|((kind, _, label), span)| {
        kind.span(span.start - start..span.end - start).label(label.map(|label| visible(label)))
    });
    Some(
        Snippet::source(blank_invisible(&text[start..end]))
            .path(visible(&first.file))
            .line_start(first.line)
            .annotations(annotations),
    )
}

/// The span cut to its first line, to whole characters and to the text: the renderer panics
/// on any other.
fn on_one_line(text: &str, span: &Range<usize>) -> Range<usize> {
    let start = text.floor_char_boundary(span.start.min(text.len()));
    let line_end = text[start..].find(['\n', '\r']).map_or(text.len(), |end| start + end);
    start..text.floor_char_boundary(span.end.clamp(start, line_end))
}

/// Characters that a terminal obeys or hides.
fn is_invisible(c: char) -> bool {
    c.is_control() || text::is_invisible(c)
}

/// Text in which such characters are spelt out.
fn visible(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if is_invisible(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// Source lines in which such characters are replaced by as many bytes, so that spans fit.
fn blank_invisible(text: &str) -> String {
    text.chars()
        .map(|c| match c.len_utf8() {
            _ if matches!(c, '\t' | '\n') || !is_invisible(c) => c,
            _ if c == '\r' => ' ',
            1 => '?',
            2 => '\u{b7}',
            3 => '\u{fffd}',
            _ => '\u{1f5cb}',
        })
        .collect()
}

/// Broken at spaces to lines of `width` columns; a word that is wider is shortened in its middle.
fn wrap(text: &str, width: usize) -> String {
    let mut out = String::new();
    let mut column = 0;
    for word in text.split(' ') {
        let word = text::fit(word, width);
        let length = word.width();
        if column > 0 && column + 1 + length > width {
            out.push('\n');
            column = 0;
        } else if column > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(&word);
        column += length;
    }
    out
}
