//! A lifecycle rule as S3 understands it, and which of two rules does more.

use std::fmt;

use chrono::{DateTime, Utc};

/// A rule of a lifecycle configuration, as far as it is understood.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleView {
    /// Its id; a store gives one to rules that come without.
    pub id: Option<String>,
    /// Whether it runs.
    pub status: Status,
    /// How its filter is written down.
    pub form: Form,
    /// Which objects.
    pub filter: Filter,
    /// What becomes of current versions.
    pub expiration: Option<Expiration>,
    /// What becomes of noncurrent versions.
    pub noncurrent: Option<NoncurrentExpiration>,
    /// Days from the initiation of an incomplete multipart upload to its abortion.
    pub abort_days: Option<i64>,
    /// Changes of storage class of current versions; sorted.
    pub transitions: Vec<Transition>,
    /// Changes of storage class of noncurrent versions; sorted.
    pub noncurrent_transitions: Vec<NoncurrentTransition>,
    /// What was not understood, each written in one canonical way; sorted.
    pub unknown: Vec<String>,
    /// What is understood and wrong, in plain words: a number that is none, an element twice.
    pub faults: Vec<String>,
}

/// Whether a rule runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// It does.
    Enabled,
    /// It does not.
    Disabled,
    /// Something else stands there, or nothing.
    Other(String),
}

/// How a rule's filter is written down. Says nothing about which objects it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `<Prefix>` in the rule itself, the old form ("V1").
    Prefix,
    /// `<Filter>`.
    Filter {
        /// How many elements stand in it.
        members: usize,
        /// How many stand in its `<And>`, if there is one.
        and: Option<usize>,
    },
    /// Both, which S3 refuses.
    Both,
    /// Neither, which S3 refuses.
    Neither,
}

/// Which objects a rule means: all conditions must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Filter {
    /// Literal start of the key; empty for every key.
    pub prefix: String,
    /// Tags, exact and sorted. A tag without a value is one with the empty value.
    pub tags: Vec<(String, String)>,
    /// Larger than this many bytes; exclusive.
    pub size_over: Option<i64>,
    /// Smaller than this many bytes; exclusive.
    pub size_under: Option<i64>,
}

/// When an action applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum When {
    /// Days from creation, rounded up to midnight UTC.
    Days(i64),
    /// From this instant on, for whatever is there then or comes later.
    Date(DateTime<Utc>),
}

/// What becomes of current versions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expiration {
    /// `Days`.
    pub days: Option<i64>,
    /// `Date`.
    pub date: Option<DateTime<Utc>>,
    /// `ExpiredObjectDeleteMarker`: remove markers that are all that is left of a key.
    pub markers: bool,
}

/// What becomes of noncurrent versions. Both must be exceeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoncurrentExpiration {
    /// `NoncurrentDays`, from the creation of the successor. S3 requires it.
    pub days: Option<i64>,
    /// `NewerNoncurrentVersions`; zero and absent are the same.
    pub newer: i64,
}

/// A change of storage class of current versions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Transition {
    /// When; S3 requires it.
    pub when: Option<When>,
    /// To which storage class.
    pub class: String,
}

/// A change of storage class of noncurrent versions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NoncurrentTransition {
    /// `NoncurrentDays`.
    pub days: Option<i64>,
    /// `NewerNoncurrentVersions`.
    pub newer: i64,
    /// To which storage class.
    pub class: String,
}

impl Filter {
    /// A filter by prefix alone.
    pub fn prefix(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), ..Self::default() }
    }

    /// How many conditions it has.
    pub(super) fn conditions(&self) -> usize {
        let sizes = [self.size_over, self.size_under].into_iter().flatten().count();
        usize::from(!self.prefix.is_empty()) + self.tags.len() + sizes
    }

    /// Whether every object that this filter takes is taken by `wider` too.
    fn is_within(&self, wider: &Self) -> bool {
        self.prefix.starts_with(&wider.prefix)
            && wider.tags.iter().all(|tag| self.tags.contains(tag))
            && wider.size_over.is_none_or(|over| self.size_over.is_some_and(|own| own >= over))
            && wider.size_under.is_none_or(|under| self.size_under.is_some_and(|own| own <= under))
    }
}

/// By prefix alone.
impl From<&str> for Filter {
    fn from(prefix: &str) -> Self {
        Self::prefix(prefix)
    }
}

/// Whether some key can start with both.
pub(super) fn prefixes_meet(a: &str, b: &str) -> bool {
    a.starts_with(b) || b.starts_with(a)
}

impl RuleView {
    /// Whether it runs.
    pub fn is_enabled(&self) -> bool {
        self.status == Status::Enabled
    }

    /// Whether it means the same as `other`, however written; id and status aside.
    pub fn same_content(&self, other: &Self) -> bool {
        self.filter == other.filter
            && self.expiration.clone().unwrap_or_default() == other.expiration.clone().unwrap_or_default()
            && self.noncurrent == other.noncurrent
            && self.abort_days == other.abort_days
            && self.transitions == other.transitions
            && self.noncurrent_transitions == other.noncurrent_transitions
            && self.unknown == other.unknown
            && self.faults == other.faults
    }

    /// Whether whatever this rule makes S3 do, and when, `other` makes it do by then as well. So
    /// putting this one in the other's place can only make S3 do less. In doubt: no.
    pub fn is_implied_by(&self, other: &Self) -> bool {
        if self.status == Status::Disabled {
            return true;
        }
        let understood =
            |rule: &Self| rule.unknown.is_empty() && rule.faults.is_empty() && rule.form != Form::Both;
        // S3 requires the days of a noncurrent expiration; without them nothing is sure.
        let noncurrent = match (&self.noncurrent, &other.noncurrent) {
            (None, _) => true,
            (Some(own), Some(wider)) => at_least(own.days, wider.days) && own.newer >= wider.newer,
            (Some(_), None) => false,
        };
        other.is_enabled()
            && understood(self)
            && understood(other)
            && self.filter.is_within(&other.filter)
            && expires_no_sooner(self.expiration.as_ref(), other.expiration.as_ref())
            && noncurrent
            && (self.abort_days.is_none() || at_least(self.abort_days, other.abort_days))
            && (self.transitions.is_empty() || self.transitions == other.transitions)
            && (self.noncurrent_transitions.is_empty()
                || self.noncurrent_transitions == other.noncurrent_transitions)
    }
}

fn at_least(own: Option<i64>, wider: Option<i64>) -> bool {
    matches!((own, wider), (Some(own), Some(wider)) if own >= wider)
}

fn expires_no_sooner(own: Option<&Expiration>, wider: Option<&Expiration>) -> bool {
    let Some(own) = own else { return true };
    let Some(wider) = wider else { return *own == Expiration::default() };
    (own.days.is_none() || at_least(own.days, wider.days))
        && (own.date.is_none() || own.date == wider.date)
        && (!own.markers || wider.markers)
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Enabled => "Enabled",
            Self::Disabled => "Disabled",
            Self::Other(text) => text,
        })
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Days(days) => write!(f, "after {}", count(*days)),
            Self::Date(date) => write!(f, "from {} on", date.format("%Y-%m-%d")),
        }
    }
}

/// What it does, in one line of plain words. Keys, tags and ids in it are as they came.
impl fmt::Display for RuleView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Vec::new();
        if let Some(expiration) = &self.expiration {
            let when = expiration.days.map(When::Days).or(expiration.date.map(When::Date));
            words.extend(when.map(|when| format!("expires {when}")));
            if expiration.markers {
                words.push("removes delete markers that are left alone".to_owned());
            }
        }
        if let Some(NoncurrentExpiration { days, newer }) = &self.noncurrent {
            let mut text = "removes noncurrent versions".to_owned();
            if let Some(days) = days {
                text.push_str(&format!(" after {}", count(*days)));
            }
            if *newer > 0 {
                text.push_str(&format!(" but the newest {newer}"));
            }
            words.push(text);
        }
        if let Some(days) = self.abort_days {
            words.push(format!("aborts incomplete uploads after {}", count(days)));
        }
        for transition in &self.transitions {
            let when = transition.when.map_or_else(String::new, |when| format!(" {when}"));
            words.push(format!("moves to {}{when}", transition.class));
        }
        for transition in &self.noncurrent_transitions {
            words.push(format!("moves noncurrent versions to {}", transition.class));
        }
        if !self.unknown.is_empty() || !self.faults.is_empty() {
            words.push("and more that is not understood".to_owned());
        }
        f.write_str(&words.join(", "))?;
        match self.filter.prefix.as_str() {
            "" => f.write_str(" in the whole bucket")?,
            prefix => write!(f, " under `{prefix}`")?,
        }
        for (key, value) in &self.filter.tags {
            write!(f, ", tag {key}={value}")?;
        }
        if let Some(bytes) = self.filter.size_over {
            write!(f, ", larger than {bytes} bytes")?;
        }
        if let Some(bytes) = self.filter.size_under {
            write!(f, ", smaller than {bytes} bytes")?;
        }
        if self.is_enabled() { Ok(()) } else { write!(f, " ({})", self.status) }
    }
}

pub(super) fn count(days: i64) -> String {
    format!("{days} day{}", if days == 1 { "" } else { "s" })
}
