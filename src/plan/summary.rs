//! What a run found, counted: per bucket, rule and verdict, and who removes what is due.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::text;

/// Objects, bytes, and the oldest due date among them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Object versions, delete markers and uploads.
    pub objects: u64,
    /// Their bytes; those of uploads are not known.
    pub bytes: u64,
    /// The oldest due date that is known.
    pub oldest_due: Option<DateTime<Utc>>,
}

impl Tally {
    /// Counts one more.
    pub fn add(&mut self, bytes: u64, due: Option<DateTime<Utc>>) {
        self.merge(Self { objects: 1, bytes, oldest_due: due });
    }

    /// `4 objects, 6.4 MiB`.
    pub fn words(&self) -> String {
        let objects = if self.objects == 1 { "object" } else { "objects" };
        format!("{} {objects}, {}", text::count(self.objects), text::bytes(self.bytes))
    }

    /// Counts all of `other` too.
    pub fn merge(&mut self, other: Self) {
        self.objects += other.objects;
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.oldest_due = match (self.oldest_due, other.oldest_due) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
}

/// Who removes an object that is expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Disposal {
    /// Shelflife, now: it has a row in the plan.
    Direct,
    /// Shelflife, now, although the rule is S3's: it is overdue beyond the tolerance.
    Swept,
    /// S3 does, within the tolerance.
    LeftToS3,
    /// Nobody: the rule is only observed.
    Observed,
    /// Nobody: the policy demands it of S3, which cannot be proved to keep it.
    Refused,
    /// Nobody can without the second factor.
    MfaDelete,
    /// Nobody: in a suspended bucket, what is called `null` and is not the latest version cannot be
    /// removed safely.
    Null,
    /// Nobody yet: older versions under it stay, and it must not uncover them.
    HidesVersions,
    /// Shelflife hides it now behind a delete marker, and removes it after its undo window.
    Marked,
    /// Nobody yet: it is hidden, and its undo window is not over.
    InUndoWindow,
    /// Nobody: its rule wants an undo window, and the bucket does not keep versions.
    NoUndo,
    /// Nobody: where its copy would have to go is not clear.
    NoExport,
}

impl Disposal {
    /// In words, as the summary shows it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Direct => "to delete",
            Self::Swept => "to sweep, overdue",
            Self::LeftToS3 => "left to S3",
            Self::Observed => "observed only",
            Self::Refused => "not provable for S3",
            Self::MfaDelete => "kept by MFA delete",
            Self::Null => "null version, left",
            Self::HidesVersions => "waits for versions below",
            Self::Marked => "to mark",
            Self::InUndoWindow => "waits for its undo window",
            Self::NoUndo => "left, no undo window here",
            Self::NoExport => "left, export place unclear",
        }
    }
}

/// One line of the summary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The bucket.
    pub bucket: String,
    /// The rule that keeps longest; `None` where none covers the objects.
    pub rule: Option<String>,
    /// The erasure that they go by, where their rules would keep them longer, or there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erasure: Option<String>,
    /// The verdict's word.
    pub verdict: String,
    /// Who removes them, for what is expired.
    pub disposal: Option<Disposal>,
    /// How many.
    #[serde(flatten)]
    pub tally: Tally,
}

/// Bucket, rule, erasure, verdict and disposal.
type Cell = (String, Option<String>, Option<String>, usize, Option<Disposal>);

/// Everything that a run found, counted.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    cells: BTreeMap<Cell, Tally>,
}

impl Summary {
    /// Counts all of `tally` too.
    pub fn merge(
        &mut self,
        bucket: &str,
        rule: Option<&str>,
        erasure: Option<&str>,
        (verdict, disposal): (crate::decide::Verdict, Option<Disposal>),
        tally: Tally,
    ) {
        if tally.objects > 0 {
            let place = crate::decide::Verdict::ALL.iter().position(|v| *v == verdict).unwrap_or_default();
            let cell =
                (bucket.to_owned(), rule.map(str::to_owned), erasure.map(str::to_owned), place, disposal);
            self.cells.entry(cell).or_default().merge(tally);
        }
    }

    /// Counts all of `other` too.
    pub fn merge_all(&mut self, other: &Self) {
        for (cell, tally) in &other.cells {
            self.cells.entry(cell.clone()).or_default().merge(*tally);
        }
    }

    /// The lines, by bucket, rule and verdict.
    pub fn lines(&self) -> Vec<Line> {
        self.cells
            .iter()
            .map(|((bucket, rule, erasure, verdict, disposal), tally)| Line {
                bucket: bucket.clone(),
                rule: rule.clone(),
                erasure: erasure.clone(),
                verdict: crate::decide::Verdict::ALL[*verdict].word().to_owned(),
                disposal: *disposal,
                tally: *tally,
            })
            .collect()
    }
}

/// Sums up the lines that `wanted` picks.
pub fn total(lines: &[Line], wanted: impl Fn(&Line) -> bool) -> Tally {
    lines.iter().filter(|line| wanted(line)).fold(Tally::default(), |mut sum, line| {
        sum.merge(line.tally);
        sum
    })
}

impl Line {
    /// Whether a rule or an erasure covers these: what neither does is no part of the whole.
    pub const fn is_covered(&self) -> bool {
        self.rule.is_some() || self.erasure.is_some()
    }

    /// Whether something is removed or hidden, by whichever engine.
    pub const fn is_removed(&self) -> bool {
        removes(self.disposal)
    }
}

/// Whether something is removed, by whichever engine.
pub(super) const fn removes(disposal: Option<Disposal>) -> bool {
    matches!(disposal, Some(Disposal::Direct | Disposal::Swept | Disposal::LeftToS3 | Disposal::Marked))
}
