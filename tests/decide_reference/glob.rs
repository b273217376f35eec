//! A tiny matcher for key and bucket patterns: tries everything, longest first.

/// What each brace captured.
pub type Captured = Vec<(String, String)>;

/// Matches the whole `text`; `None` if it does not.
pub fn captures(pattern: &str, text: &str) -> Option<Captured> {
    every(pattern, text).into_iter().next().map(texts)
}

/// Whether the braces could stand for other parts of `text` as well.
pub fn is_unclear(pattern: &str, text: &str) -> bool {
    every(pattern, text).len() > 1
}

/// What each brace took, and how much was left of the text behind it.
type Places = Vec<(String, String, usize)>;

fn every(pattern: &str, text: &str) -> Vec<Places> {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    tried(&pattern, &text, &mut Places::new(), &mut found);
    found
}

fn texts(places: Places) -> Captured {
    places.into_iter().map(|(name, text, _)| (name, text)).collect()
}

/// Whether the whole `text` matches.
pub fn matches(pattern: &str, text: &str) -> bool {
    captures(pattern, text).is_some()
}

fn tried(pattern: &[char], text: &[char], captured: &mut Places, found: &mut Vec<Places>) {
    let no_slash = |part: &[char]| !part.contains(&'/');
    match pattern {
        [] if text.is_empty() && !found.contains(captured) => found.push(captured.clone()),
        [] => {}
        ['*', '*', rest @ ..] => {
            (0..=text.len()).rev().for_each(|taken| tried(rest, &text[taken..], captured, found));
        }
        ['*', rest @ ..] => (0..=text.len())
            .rev()
            .filter(|taken| no_slash(&text[..*taken]))
            .for_each(|taken| tried(rest, &text[taken..], captured, found)),
        ['?', rest @ ..] => {
            if text.first().is_some_and(|c| *c != '/') {
                tried(rest, &text[1..], captured, found);
            }
        }
        ['{', rest @ ..] => {
            let end = rest.iter().position(|c| *c == '}').expect("patterns are valid");
            let name: String = rest[..end].iter().collect();
            let width = match name.as_str() {
                "yyyy" => Some(4),
                "MM" | "dd" | "HH" | "mm" | "ss" => Some(2),
                _ => None,
            };
            for taken in (1..=text.len()).rev() {
                let part = &text[..taken];
                let fits = match width {
                    Some(width) => taken == width && part.iter().all(char::is_ascii_digit),
                    None => no_slash(part),
                };
                if fits {
                    captured.push((name.clone(), part.iter().collect(), text.len() - taken));
                    tried(&rest[end + 1..], &text[taken..], captured, found);
                    captured.pop();
                }
            }
        }
        ['\\', c, rest @ ..] | [c, rest @ ..] => {
            if text.first() == Some(c) {
                tried(rest, &text[1..], captured, found);
            }
        }
    }
}
