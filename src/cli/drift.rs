//! What somebody has changed in a bucket's lifecycle configuration since Shelflife last wrote it: its
//! evidence says what that was.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;

use chrono::{DateTime, Utc};

use crate::evidence::{self, Body, ConfigurationResult};
use crate::lifecycle::{Difference, LifecycleDocument, same_meaning};

/// A configuration that a run has written.
#[derive(Clone, Debug)]
pub struct Written {
    at: DateTime<Utc>,
    /// `None` where the run has deleted it.
    xml: Option<String>,
    policy: String,
}

/// What the runs of `policy` have last written to each bucket, as the logs in `folder` tell.
pub fn last_written(folder: &Path, policy: &str) -> BTreeMap<String, Written> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let mut found: BTreeMap<String, Written> = BTreeMap::new();
    let logs = fs::read_dir(folder).into_iter().flatten().filter_map(|entry| {
        let path = entry.ok()?.path();
        let is_log = path.to_string_lossy().ends_with(".evidence.jsonl");
        is_log.then(|| Some((fs::metadata(&path).ok()?.modified().ok()?, path)))?
    });
    // Entries carry the more careful of two clocks, which is no order between runs.
    let mut logs: Vec<_> = logs.collect();
    logs.sort();
    for (_, log) in logs {
        let Ok(file) = File::open(&log) else { continue };
        let mut intended: BTreeMap<String, Option<String>> = BTreeMap::new();
        // A log that breaks off still tells what it tells.
        for entry in evidence::entries(BufReader::new(file)).map_while(Result::ok) {
            match entry.body {
                Body::Opening(opened) if opened.opening.policy != policy => break,
                Body::ConfigurationIntent(intent) => {
                    intended.insert(intent.bucket, intent.after);
                }
                Body::ConfigurationOutcome(outcome) if outcome.result == ConfigurationResult::Applied => {
                    let Some(xml) = intended.remove(&outcome.bucket) else { continue };
                    let written = Written { at: entry.at, xml, policy: policy.to_owned() };
                    found.insert(outcome.bucket, written);
                }
                _ => {}
            }
        }
    }
    found
}

impl Written {
    /// What differs in `found`, in words: which rule, whose, and how.
    pub fn drift(&self, found: Option<&str>) -> Vec<String> {
        let read = |xml: Option<&str>| match xml {
            Some(xml) => LifecycleDocument::read(xml).ok(),
            None => Some(LifecycleDocument::default()),
        };
        let (Some(written), Some(found)) = (read(self.xml.as_deref()), read(found)) else {
            return Vec::new();
        };
        let differences = same_meaning(&written, &found).err().unwrap_or_default();
        let since = self.at.format("%Y-%m-%d %H:%M UTC");
        differences
            .iter()
            .map(|difference| format!("since {since} {}", self.words(&written, difference)))
            .collect()
    }

    fn words(&self, written: &LifecycleDocument, difference: &Difference) -> String {
        let (Difference::Missing { id, .. }
        | Difference::Unexpected { id, .. }
        | Difference::Changed { id, .. }) = difference;
        let was_ours =
            written.rules().iter().any(|rule| rule.id() == id && rule.policy_rule(&self.policy).is_some());
        let whose = if was_ours { "a rule of this policy" } else { "a rule of another owner" };
        match difference {
            Difference::Missing { expected, .. } => format!("{whose} was removed, {id:?}: {expected}"),
            Difference::Unexpected { found, .. } => format!("{whose} was added, {id:?}: {found}"),
            Difference::Changed { expected, found, .. } => {
                format!("{whose} was changed, {id:?}: from {expected}; to {found}")
            }
        }
    }
}
