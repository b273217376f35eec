//! Whether a key can be taken apart in one way only: which part of it a brace means must not
//! be a guess.

use super::tokens::{Class, Token};

/// Whether the captures mean the same parts of every key that matches, whatever the key.
pub(super) fn always(tokens: &[Token]) -> bool {
    let from_left = anchored(tokens.iter());
    let mut from_right = anchored(tokens.iter().rev());
    from_right.reverse();
    let sure = from_left.iter().zip(&from_right).map(|(left, right)| *left || *right);
    tokens.iter().zip(sure).all(|(token, sure)| sure || !matches!(token, Token::Capture(..)))
}

/// For each token, whether where it starts and ends follows from the tokens before it.
fn anchored<'t>(tokens: impl Iterator<Item = &'t Token>) -> Vec<bool> {
    let slash = Token::One(Class::Exact('/'));
    let mut tokens = tokens.peekable();
    let mut sure = true;
    let mut found = Vec::new();
    while let Some(token) = tokens.next() {
        let stops = tokens.peek().is_none_or(|next| **next == slash);
        sure &= match token {
            Token::One(_) | Token::Capture(_, 1..) => true,
            Token::Many(Class::NotSlash) | Token::Capture(_, 0) => stops,
            Token::Many(_) => false,
        };
        found.push(sure);
    }
    found
}

/// Whether every way to take `key` apart gives each capture the same part of it.
pub(super) fn here(tokens: &[Token], key: &str) -> bool {
    let key: Vec<char> = key.chars().collect();
    let mut starts = vec![vec![false; key.len() + 1]; tokens.len() + 1];
    starts[0][0] = true;
    for (at, token) in tokens.iter().enumerate() {
        for start in 0..=key.len() {
            if starts[at][start] {
                ends(*token, &key, start).for_each(|end| starts[at + 1][end] = true);
            }
        }
    }
    // From the end back: whether the rest of the key can be taken by the rest of the tokens.
    let mut rest = vec![false; key.len() + 1];
    rest[key.len()] = true;
    for (at, token) in tokens.iter().enumerate().rev() {
        let leads: Vec<(usize, usize)> = (0..=key.len())
            .filter(|start| starts[at][*start])
            .flat_map(|start| ends(*token, &key, start).map(move |end| (start, end)))
            .filter(|(_, end)| rest[*end])
            .collect();
        if matches!(token, Token::Capture(..)) && leads.len() > 1 {
            return false;
        }
        rest = vec![false; key.len() + 1];
        leads.iter().for_each(|(start, _)| rest[*start] = true);
    }
    true
}

/// Where a token can end that starts at `start`.
fn ends(token: Token, key: &[char], start: usize) -> impl Iterator<Item = usize> + use<> {
    let (class, least, most) = match token {
        Token::One(class) => (class, 1, 1),
        Token::Many(class) => (class, 0, usize::MAX),
        Token::Capture(_, 0) => (Class::NotSlash, 1, usize::MAX),
        Token::Capture(_, digits) => (Class::Digit, digits, digits),
    };
    let taken = key[start..].iter().take(most).take_while(|c| class.has(**c)).count();
    start + least..=start + taken
}

#[cfg(test)]
mod tests {
    use super::super::tokens::tokens;
    use super::*;

    fn is_unique(pattern: &str, key: &str) -> bool {
        let tokens = tokens(pattern).unwrap();
        let unique = here(&tokens, key);
        assert!(unique || !always(&tokens), "{pattern} {key}");
        unique
    }

    #[test]
    fn a_part_between_slashes_is_no_guess() {
        for pattern in ["*/{tenant}/**", "cdr/*/{yyyy}/{MM}/{dd}/**", "**/{yyyy}{MM}{dd}.csv", "{tenant}/**"]
        {
            assert!(always(&tokens(pattern).unwrap()), "{pattern}");
        }
    }

    #[test]
    fn a_part_that_could_be_another_is_a_guess_only_where_it_could() {
        let dates = "**/{yyyy}/{MM}/{dd}/**";
        assert!(is_unique(dates, "mail/2026/11/20/scan.pdf"));
        assert!(!is_unique(dates, "mail/2026/11/20/msg/2019/01/02/scan.pdf"));
        // The same text at another place is another part.
        assert!(!is_unique(dates, "a/2026/11/20/2026/11/20/b"));
        assert!(is_unique("{tenant}-*", "acme-photo.jpg"));
        assert!(!is_unique("{tenant}-*", "acme-corp-photo.jpg"));
        assert!(is_unique("**/{tenant}/*", "a/b/c"));
        assert!(!is_unique("**{tenant}/*", "ab/c"));
    }

    #[test]
    fn only_the_braces_count() {
        assert!(is_unique("**a**/{yyyy}", "aaa/2026"));
    }
}
