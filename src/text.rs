//! Text for people: untrusted text made harmless, and numbers made readable.
//!
//! Keys, tags, metadata and what a store answers are untrusted: they can carry control
//! characters that drive a terminal, and invisible ones that make two keys look alike.

use std::borrow::Cow;
use std::fmt::Write;

use unicode_width::UnicodeWidthChar;

/// Text for the terminal: characters that drive it, reorder it or do not show are written as
/// escapes (`\n`, `\x1b`, `\u{202e}`), and a backslash as two, so that no two texts look alike
/// for want of an escape.
pub fn terminal(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|character| character == '\\' || is_unsafe(character)) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        // Writing to a string cannot fail.
        let _ = match character {
            '\\' => escaped.write_str("\\\\"),
            '\n' => escaped.write_str("\\n"),
            '\r' => escaped.write_str("\\r"),
            '\t' => escaped.write_str("\\t"),
            _ if !is_unsafe(character) => escaped.write_char(character),
            _ if character.is_ascii() => write!(escaped, "\\x{:02x}", u32::from(character)),
            _ => write!(escaped, "\\u{{{:x}}}", u32::from(character)),
        };
    }
    Cow::Owned(escaped)
}

/// JSON text for the terminal: the same characters, written as JSON writes escapes. They stand in
/// strings alone, so the text means what it meant.
pub fn json(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if is_unsafe(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(character);
        }
    }
    Cow::Owned(escaped)
}

/// Text between the quotes of an HCL string: template sequences and quotes lose their meaning, and
/// what drives a terminal or does not show is written as an escape. Means what it meant.
pub fn hcl(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    let mut before = None;
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        // Writing to a string cannot fail.
        let _ = match character {
            '"' | '\\' => write!(escaped, "\\{character}"),
            '\n' => escaped.write_str("\\n"),
            '\r' => escaped.write_str("\\r"),
            '\t' => escaped.write_str("\\t"),
            // After one of its own the doubled character would be read from the wrong place.
            '$' | '%' if rest.peek() == Some(&'{') && before == Some(character) => {
                write!(escaped, "\\u{:04x}", u32::from(character))
            }
            '$' | '%' if rest.peek() == Some(&'{') => write!(escaped, "{character}{character}"),
            _ if !is_unsafe(character) => escaped.write_char(character),
            '\0'..='\u{ffff}' => write!(escaped, "\\u{:04x}", u32::from(character)),
            _ => write!(escaped, "\\U{:08x}", u32::from(character)),
        };
        before = Some(character);
    }
    escaped
}

/// XML for the terminal: characters that drive it or do not show are written as references. They
/// stand in text and in attributes alone, so the document means what it meant.
pub fn xml(document: &str) -> String {
    document
        .chars()
        .map(|c| if c != '\n' && is_unsafe(c) { format!("&#x{:X};", u32::from(c)) } else { c.to_string() })
        .collect()
}

/// Text within an XML comment: as for the terminal, and no hyphen stands beside another or at the end.
pub fn xml_comment(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    let text = terminal(text);
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        let _ = match character {
            '-' if matches!(rest.peek(), None | Some('-')) => escaped.write_str("\\x2d"),
            '\u{fffe}' | '\u{ffff}' => write!(escaped, "\\u{{{:x}}}", u32::from(character)),
            _ => escaped.write_char(character),
        };
    }
    escaped
}

/// Text within an HTML element or a quoted attribute: as for the terminal, and nothing in it is
/// markup.
pub fn html(text: &str) -> Cow<'_, str> {
    let text = terminal(text);
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return text;
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(character),
        }
    }
    Cow::Owned(escaped)
}

/// A field of a CSV file (RFC 4180): quoted where it has to be. A field that a spreadsheet would take for
/// a formula has an apostrophe before it.
pub fn csv(field: &str) -> Cow<'_, str> {
    let is_formula = field.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let is_plain = !field.contains(['"', ',', '\r', '\n', '\0']) && field.trim() == field;
    if is_plain && !is_formula {
        return Cow::Borrowed(field);
    }
    let lead = if is_formula { "'" } else { "" };
    Cow::Owned(format!("\"{lead}{}\"", field.replace('"', "\"\"")))
}

/// Whether a character drives a terminal, reorders text or does not show.
fn is_unsafe(character: char) -> bool {
    character.is_control() || is_invisible(character)
}

/// Whether a character does not show, or reorders text, so that two texts that differ look alike.
/// White space and control characters are others.
pub const fn is_invisible(character: char) -> bool {
    matches!(
        character,
            '\u{ad}' // soft hyphen
            | '\u{34f}' // combining grapheme joiner
            | '\u{61c}' // Arabic letter mark
            | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' // Hangul fillers
            | '\u{17b4}' | '\u{17b5}' // Khmer inherent vowels
            | '\u{180b}'..='\u{180f}' // Mongolian selectors and vowel separator
            | '\u{200b}'..='\u{200f}' // zero-width characters and bidi marks
            | '\u{2028}'..='\u{202e}' // line and paragraph separator, bidi embeddings
            | '\u{2060}'..='\u{206f}' // word joiner, invisible operators, bidi isolates
            | '\u{fe00}'..='\u{fe0f}' // variation selectors
            | '\u{feff}' // byte order mark
            | '\u{fff0}'..='\u{fffb}' // interlinear annotations
            | '\u{13430}'..='\u{1343f}' // hieroglyph format controls
            | '\u{1bca0}'..='\u{1bca3}' // shorthand format controls
            | '\u{1d173}'..='\u{1d17a}' // musical format controls
            | '\u{e0000}'..='\u{e0fff}' // tags, variation selectors
    )
}

/// Shortens text in the middle so that it takes up at most `width` columns of a terminal, with
/// `…` for what is left out. Escape it first: see [`terminal`].
pub fn fit(text: &str, width: usize) -> Cow<'_, str> {
    if text.chars().map(columns).sum::<usize>() <= width {
        return Cow::Borrowed(text);
    }
    let Some(room) = width.checked_sub(1) else {
        return Cow::Borrowed("");
    };
    let tail_room = room / 2;
    let head: usize = taken(text.chars(), room - tail_room);
    let tail: usize = taken(text.chars().rev(), tail_room);
    Cow::Owned(format!("{}…{}", &text[..head], &text[text.len() - tail..]))
}

/// How many bytes of the characters fit into `room` columns.
fn taken(characters: impl Iterator<Item = char>, room: usize) -> usize {
    let mut used = 0;
    characters
        .take_while(|character| {
            used += columns(*character);
            used <= room
        })
        .map(char::len_utf8)
        .sum()
}

fn columns(character: char) -> usize {
    character.width().unwrap_or(1)
}

/// Bytes in the largest binary unit that leaves at least one: `512 B`, `12.3 MiB`.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if count < 1_024 {
        return format!("{count} B");
    }
    let mut unit = 0;
    // In tenths, rounded half up; the next unit begins where this one would show 1024.0.
    let tenths = |shift: u32| (u128::from(count) * 10 + (1 << (shift - 1))) >> shift;
    let mut value = tenths(10);
    while value >= 10_240 && unit + 1 < UNITS.len() {
        unit += 1;
        value = tenths(10 * (unit as u32 + 1));
    }
    format!("{}.{} {}", value / 10, value % 10, UNITS[unit])
}

/// A count with its thousands apart: `1,234,567`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;

    #[test]
    fn ordinary_text_stays_as_it_is() {
        for text in ["inbound/2026/a b+%2B.jpg", "čćž/日本語/😀.png", ""] {
            assert!(matches!(terminal(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn nothing_reaches_the_terminal_that_drives_it() {
        assert_eq!(terminal("a\u{1b}[2Jb\r\n\t\0"), r"a\x1b[2Jb\r\n\t\x00");
        assert_eq!(terminal("\u{7f}\u{9b}31m"), r"\x7f\u{9b}31m");
        assert_eq!(terminal("gpj\u{202e}exe.\u{2066}"), r"gpj\u{202e}exe.\u{2066}");
        assert_eq!(terminal("a\u{200b}b\u{feff}\u{2028}\u{2029}"), r"a\u{200b}b\u{feff}\u{2028}\u{2029}");
        for character in '\0'..=char::MAX {
            let text = character.to_string();
            assert!(!terminal(&text).chars().any(char::is_control), "{character:?}");
        }
    }

    #[test]
    fn text_that_spells_an_escape_does_not_look_like_the_character() {
        assert_ne!(terminal(r"\x1b"), terminal("\u{1b}"));
        assert_eq!(terminal(r"a\b"), r"a\\b");
    }

    #[test]
    fn json_with_escapes_means_the_same() {
        let key = "gpj\u{202e}.exe\u{7f}\u{e0041}čć";
        let written = serde_json::Value::from(key).to_string();
        let escaped = json(&written);
        assert_eq!(escaped, r#""gpj\u202e.exe\u007f\udb40\udc41čć""#);
        assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), key);
    }

    #[test]
    fn nothing_in_an_hcl_string_is_a_template_or_ends_it() {
        assert_eq!(hcl("a ${b} %{c} $d 5% é"), "a $${b} %%{c} $d 5% é");
        assert_eq!(hcl(r#"a"b\c"#), r#"a\"b\\c"#);
        assert_eq!(hcl("$${a}%%{b}$%{c}"), r"$\u0024{a}%\u0025{b}$%%{c}");
        assert_eq!(hcl("a\nb\r\t\u{7}\u{202e}\u{e0041}"), r"a\nb\r\t\u0007\u202e\U000e0041");
    }

    #[test]
    fn a_csv_field_reads_back_and_is_never_a_formula() {
        for field in
            ["", "a b", "a,b", "a\"b", "a\r\nb", " a ", "=1+2", "+1", "-1", "@a", "\t=1", "ć=", "a\0"]
        {
            let line = format!("{},x\r\n", csv(field));
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(line.as_bytes());
            let row = reader.records().next().unwrap().unwrap();
            let is_formula = field.starts_with(['=', '+', '-', '@', '\t']);
            let expected = if is_formula { format!("'{field}") } else { field.to_owned() };
            assert_eq!((&row[0], row.len()), (expected.as_str(), 2));
        }
    }

    #[test]
    fn nothing_ends_an_xml_comment() {
        assert_eq!(xml_comment("a -->--- b-"), r"a \x2d->\x2d\x2d- b\x2d");
        assert_eq!(xml_comment("a\u{ffff}\n- b"), r"a\u{ffff}\n- b");
    }

    #[test]
    fn nothing_in_html_is_markup_or_reorders_what_stands_beside_it() {
        assert_eq!(html("<script>a('&')</script>"), "&lt;script&gt;a(&#39;&amp;&#39;)&lt;/script&gt;");
        assert_eq!(html("\" onload=\"x"), "&quot; onload=&quot;x");
        assert_eq!(html("gpj\u{202e}exe\n\0\u{feff}"), r"gpj\u{202e}exe\n\x00\u{feff}");
        assert_eq!(html("&lt;"), "&amp;lt;", "text that spells a reference shows as it is");
        assert!(matches!(html("čć/日本語 😀"), Cow::Borrowed(_)));
        for character in '\0'..=char::MAX {
            let text = character.to_string();
            let shown = html(&text);
            assert!(
                !shown.contains(['<', '>', '"', '\'']) && !shown.contains(char::is_control),
                "{character:?}"
            );
        }
    }

    #[test]
    fn long_text_is_shortened_in_the_middle() {
        assert_eq!(fit("inbound/0001.jpg", 16), "inbound/0001.jpg");
        assert_eq!(fit("inbound/0001.jpg", 9), "inbo….jpg");
        assert_eq!(fit("inbound/0001.jpg", 1), "…");
        assert_eq!(fit("inbound/0001.jpg", 0), "");
        assert_eq!(fit("日本語日本語", 6), "日…語");
    }

    #[test]
    fn fitted_text_never_takes_more_columns() {
        for text in
            ["inbound/0001.jpg", "日本語日本語日本語", "e\u{301}e\u{301}e\u{301}x日\u{301}", "😀😀a😀"]
        {
            for width in 0..=text.width() + 1 {
                let fitted = fit(text, width);
                assert!(fitted.width() <= width, "{fitted:?} in {width}");
            }
        }
    }

    #[test]
    fn bytes_are_told_in_the_unit_that_fits() {
        for (count, text) in [
            (0, "0 B"),
            (1_023, "1023 B"),
            (1_024, "1.0 KiB"),
            (1_536, "1.5 KiB"),
            (1_048_575, "1.0 MiB"),
            (12_897_485, "12.3 MiB"),
            (10 << 40, "10.0 TiB"),
            (u64::MAX, "16.0 EiB"),
        ] {
            assert_eq!(bytes(count), text);
        }
    }

    #[test]
    fn counts_have_their_thousands_apart() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(count(number), text);
        }
        assert_eq!(count(u64::MAX), "18,446,744,073,709,551,615");
    }
}
