//! The known word that a misspelt one is closest to.

use crate::policy::diagnostic::Faults;

/// Among more words than this none is looked for: each takes its time, and input can be hostile.
const MOST_KNOWN: usize = 1_000;

/// The closest of `known` to `word`, if it is close enough to be worth naming, and `faults`
/// still shows what is added.
pub(in crate::policy) fn closest<'k>(
    word: &str,
    known: impl IntoIterator<Item = &'k str>,
    faults: &Faults,
) -> Option<&'k str> {
    // Longer words are no slip of the hand, and their distance is costly.
    if word.len() > 60 || faults.is_full() {
        return None;
    }
    let word = word.to_lowercase();
    let limit = word.chars().count().div_ceil(3);
    known
        .into_iter()
        .take(MOST_KNOWN)
        .map(|candidate| (distance(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's edit distance, in characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_word_and_nonsense_finds_none() {
        let faults = Faults::default();
        let near = |word, known| closest(word, known, &faults);
        assert_eq!(near("retian", ["rules", "retain"]), Some("retain"));
        assert_eq!(near("europe/zagreb", ["Europe/Prague", "Europe/Zagreb"]), Some("Europe/Zagreb"));
        assert_eq!(near("xyzzy", ["rules", "retain"]), None);
    }
}
