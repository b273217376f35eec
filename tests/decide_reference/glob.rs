//! A tiny matcher for key and bucket patterns: tries everything, longest first.

/// What each brace captured.
pub type Captured = Vec<(String, String)>;

/// Matches the whole `text`; `None` if it does not.
pub fn captures(pattern: &str, text: &str) -> Option<Captured> {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let mut captured = Captured::new();
    tried(&pattern, &text, &mut captured).then_some(captured)
}

/// Whether the whole `text` matches.
pub fn matches(pattern: &str, text: &str) -> bool {
    captures(pattern, text).is_some()
}

fn tried(pattern: &[char], text: &[char], captured: &mut Captured) -> bool {
    let no_slash = |part: &[char]| !part.contains(&'/');
    match pattern {
        [] => text.is_empty(),
        ['*', '*', rest @ ..] => (0..=text.len()).rev().any(|taken| tried(rest, &text[taken..], captured)),
        ['*', rest @ ..] => (0..=text.len())
            .rev()
            .any(|taken| no_slash(&text[..taken]) && tried(rest, &text[taken..], captured)),
        ['?', rest @ ..] => text.first().is_some_and(|c| *c != '/') && tried(rest, &text[1..], captured),
        ['{', rest @ ..] => {
            let end = rest.iter().position(|c| *c == '}').expect("patterns are valid");
            let name: String = rest[..end].iter().collect();
            let width = match name.as_str() {
                "yyyy" => Some(4),
                "MM" | "dd" | "HH" | "mm" | "ss" => Some(2),
                _ => None,
            };
            (1..=text.len()).rev().any(|taken| {
                let part = &text[..taken];
                let fits = match width {
                    Some(width) => taken == width && part.iter().all(char::is_ascii_digit),
                    None => no_slash(part),
                };
                let mark = captured.len();
                captured.push((name.clone(), part.iter().collect()));
                let found = fits && tried(&rest[end + 1..], &text[taken..], captured);
                if !found {
                    captured.truncate(mark);
                }
                found
            })
        }
        ['\\', c, rest @ ..] | [c, rest @ ..] => text.first() == Some(c) && tried(rest, &text[1..], captured),
    }
}
