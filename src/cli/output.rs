//! What people see: colours where they are welcome, tables that fit 80 columns, escaped text.

use std::io::{IsTerminal, Write};
use std::path::Path;

use comfy_table::{CellAlignment, ContentArrangement, Row, Table};
use serde_json::Value;
use unicode_width::UnicodeWidthStr;

use super::args::ColorWhen;
use crate::text;

/// The width that everything fits.
pub const WIDTH: usize = 80;

/// How far lines that go on are indented at most.
const MOST_INDENT: usize = 24;

/// Colours, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether to use colours.
    pub colour: bool,
}

impl Style {
    /// Colours as asked for, for text that goes to `stream`.
    pub fn of(when: ColorWhen, stream: &impl IsTerminal) -> Self {
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let colour = match when {
            ColorWhen::Always => true,
            ColorWhen::Never => false,
            ColorWhen::Auto => stream.is_terminal() && !no_colour,
        };
        Self { colour }
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// A heading.
    pub fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// Less important.
    pub fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    /// Something is wrong.
    pub fn red(self, text: &str) -> String {
        self.paint("31", text)
    }

    /// All is well.
    pub fn green(self, text: &str) -> String {
        self.paint("32", text)
    }

    /// Worth a look.
    pub fn yellow(self, text: &str) -> String {
        self.paint("33", text)
    }
}

/// A table without lines, `indent` columns from the left; the columns named in `numbers` are aligned
/// to the right.
pub fn table(indent: usize, header: &[&str], numbers: &[usize], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(WIDTH - indent).unwrap_or(u16::MAX));
    if !header.is_empty() {
        table.set_header(Row::from(header.to_vec()));
    }
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    for number in numbers {
        if let Some(column) = table.column_mut(*number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let trimmed: Vec<String> =
        table.lines().map(|line| format!("{:indent$}{}", "", line.trim_end())).collect();
    trimmed.join("\n")
}

/// `text` after the last line of `lead`, broken at spaces to fit; further lines stand under the
/// beginning of `text`. Lines that `text` has already keep their own indentation.
pub fn wrap(lead: &str, text: &str) -> String {
    let mut lines: Vec<String> = lead.split('\n').map(str::to_owned).collect();
    let lead = lines.pop().unwrap_or_default();
    for (place, paragraph) in text.split('\n').enumerate() {
        let words = paragraph.trim_start_matches(' ');
        let own = " ".repeat(paragraph.len() - words.len());
        let indent = if place == 0 { " ".repeat(columns(&lead).min(MOST_INDENT)) } else { own.clone() };
        let mut line = if place == 0 { format!("{lead}{own}") } else { own };
        let mut is_empty = line.trim().is_empty();
        let mut space = "";
        for word in words.split(' ') {
            let is_full = columns(&line) + space.len() + columns(word) > WIDTH;
            if is_full && !is_empty {
                lines.push(line.trim_end().to_owned());
                line.clone_from(&indent);
                space = "";
            }
            line.push_str(space);
            line.push_str(word);
            is_empty = false;
            space = " ";
        }
        lines.push(line);
    }
    lines.join("\n")
}

/// How many columns of a terminal a text takes, colours aside.
fn columns(text: &str) -> usize {
    let mut parts = text.split("\x1b[");
    let first = parts.next().map_or(0, UnicodeWidthStr::width);
    first + parts.map(|part| part.split_once('m').map_or(part, |(_, rest)| rest).width()).sum::<usize>()
}

/// A path as people may see it: whoever made a folder may have put into its name what drives a terminal.
pub fn path(path: &Path) -> String {
    text::terminal(&path.to_string_lossy()).into_owned()
}

/// A command to paste into a shell.
pub fn command<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    let quoted = words.into_iter().map(|word| {
        if !word.is_empty() && word.chars().all(is_plain) {
            word.to_owned()
        } else {
            format!("'{}'", text::terminal(word).replace('\'', "'\\''"))
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

/// Prints a result for machines, in one line. What could drive a terminal is written as an escape.
pub fn print_json(value: &Value) {
    print(&text::json(&value.to_string()));
}

/// Prints to stdout. A reader that has gone away is no error: `shelflife … | head` is fine.
pub fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}");
}

/// Prints a note to stderr.
pub fn note(text: &str) {
    let mut err = std::io::stderr().lock();
    let _ = writeln!(err, "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_broken_under_its_beginning() {
        let words = "word ".repeat(30);
        let wrapped = wrap("  lead  ", words.trim_end());
        assert_eq!(wrapped.lines().count(), 3);
        assert!(wrapped.lines().skip(1).all(|line| line.starts_with("        word")));
        assert!(wrapped.lines().all(|line| line.width() <= WIDTH));
        assert_eq!(wrapped.split_whitespace().count(), 31);
    }

    #[test]
    fn colours_take_no_room() {
        let style = Style { colour: true };
        let lead = format!("{} ", style.red("error:"));
        let words = "x".repeat(WIDTH - "error: ".len());
        assert_eq!(wrap(&lead, &words), format!("{lead}{words}"));
        assert_eq!(wrap(&lead, &format!("a {words}")), format!("{lead}a\n       {words}"));
    }

    #[test]
    fn lines_that_are_there_already_keep_their_indentation() {
        assert_eq!(wrap("error: ", "faults\n  first\n\n  second"), "error: faults\n  first\n\n  second");
    }

    #[test]
    fn a_word_that_is_too_long_has_a_line_to_itself() {
        let path = "p".repeat(WIDTH);
        assert_eq!(wrap("plan ", &format!("{path} is there")), format!("plan\n     {path}\n     is there"));
    }

    #[test]
    fn tables_begin_where_other_lines_begin() {
        let rows = vec![vec!["deleted".to_owned(), "1".to_owned()], vec!["held".to_owned(), "12".to_owned()]];
        assert_eq!(table(0, &[], &[1], rows.clone()), "deleted   1\nheld     12");
        assert_eq!(table(2, &[], &[], rows), "  deleted  1\n  held     12");
    }

    #[test]
    fn a_path_cannot_drive_the_terminal() {
        assert_eq!(path(Path::new("policies/\u{1b}[2J\u{202e}lmay")), r"policies/\x1b[2J\u{202e}lmay");
    }

    #[test]
    fn a_command_to_paste_means_the_same_to_a_shell() {
        let words = ["shelflife", "apply", "my plan.parquet", "it's", ""];
        assert_eq!(command(words), "shelflife apply 'my plan.parquet' 'it'\\''s' ''");
    }
}
