//! One range of keys: where it is, and what is known of what lies ahead.

use std::collections::VecDeque;

use super::keyspace::common;

/// A stretch of keys.
#[derive(Debug)]
pub(super) struct Range {
    /// What all of its keys start with.
    pub prefix: String,
    /// Behind which key it begins; empty for the first.
    pub from: String,
    /// The last key with which it ends; `None` for the last with the prefix.
    pub upto: Option<String>,
    /// The last key that was listed, or where it begins.
    pub after: String,
    /// Behind which key its last page began.
    pub page: Option<String>,
    /// How many entries were listed.
    pub listed: u64,
    /// Places between directories that lie ahead.
    pub marks: VecDeque<String>,
    /// Whether there are more of them behind these.
    pub has_more_marks: bool,
    /// Under which start of keys directories were looked for last.
    pub level: Option<String>,
    /// Whether there are no directories to be found.
    pub is_flat: bool,
    /// What lies between two marks, as it seemed when they were found, and what was listed and passed since.
    pub rate: (f64, u64, u64),
    /// How many entries are expected, before any are listed.
    pub expected: f64,
    /// Whether its keys may end long before it does.
    pub is_open: bool,
    /// Whether it is its turn.
    pub state: State,
    /// Whether directories are being looked for.
    pub is_looked_at: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Its next page can be asked for.
    Waiting,
    /// A page is on its way.
    Listing,
    /// It has come to its end.
    Done,
}

impl Range {
    /// Those with this prefix behind a key.
    pub fn new(prefix: String, from: String, upto: Option<String>) -> Self {
        Self {
            prefix,
            after: from.clone(),
            from,
            upto,
            page: None,
            listed: 0,
            marks: VecDeque::new(),
            has_more_marks: false,
            level: None,
            is_flat: false,
            rate: (0.0, 0, 0),
            expected: 0.0,
            is_open: true,
            state: State::Waiting,
            is_looked_at: false,
        }
    }

    /// How many entries there seem to be between two marks.
    pub fn per_mark(&self) -> f64 {
        let (before, listed, passed) = self.rate;
        (before + listed as f64) / (passed + 1) as f64
    }

    /// Where in a key the part begins that no directory tells apart.
    pub fn name(&self, key: &str) -> usize {
        let level = self.level.as_ref().filter(|level| key.starts_with(level.as_str()));
        level.unwrap_or(&self.prefix).len()
    }

    /// Whether its keys are all that there is to go by.
    pub fn is_flat(&self) -> bool {
        self.is_flat || (self.level.is_some() && !self.is_looked_at && self.look().is_none())
    }

    /// Where to look for directories next, if there may be some.
    pub fn look(&self) -> Option<(String, String)> {
        if self.is_flat || self.is_looked_at || !self.marks.is_empty() {
            return None;
        }
        let after = self.after.clone();
        let level = self.level.as_deref().and_then(|level| Some((level, after.strip_prefix(level)?)));
        let under = match level {
            Some((level, _)) if self.has_more_marks => level,
            Some((level, rest)) => &after[..level.len() + rest.find('/')? + 1],
            None => {
                let alike = self.upto.as_ref().map_or("", |upto| &after[..common(&after, upto)]);
                let directory = alike.rfind('/').map_or("", |at| &alike[..=at]);
                if directory.len() > self.prefix.len() { directory } else { &self.prefix }
            }
        };
        Some((under.to_owned(), after))
    }
}
