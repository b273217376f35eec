//! What the logs of earlier runs tell: of a bucket's lifecycle configuration what was written, so that what
//! somebody has changed since is seen, and what the store has made something else of; and what each run
//! was to do, for the next one to be compared with.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;

use chrono::{DateTime, Utc};
use memchr::memmem;

use crate::evidence::{Body, ConfigurationResult, Entry, Opening};
use crate::lifecycle::{Difference, LifecycleDocument, same_meaning};
use crate::plan::{History, Planned};

/// What the runs before have done to a bucket's configuration.
#[derive(Clone, Debug, Default)]
pub struct Earlier {
    written: Option<Written>,
    /// Rules of the policy, by id, of whose lifecycle rules the store has made something else.
    pub altered: BTreeSet<String>,
}

/// A configuration that a run has written.
#[derive(Clone, Debug)]
struct Written {
    at: DateTime<Utc>,
    /// `None` where the run has deleted it.
    xml: Option<String>,
    policy: String,
}

/// The logs in `folder` of runs of `policy`, the latest last, each with its opening and the lines after it.
fn logs(
    folder: &Path,
    policy: &str,
    endpoint: Option<&str>,
) -> impl Iterator<Item = (Opening, impl Iterator<Item = Vec<u8>>)> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let logs = fs::read_dir(folder).into_iter().flatten().filter_map(|entry| {
        let path = entry.ok()?.path();
        let is_log = path.to_string_lossy().ends_with(".evidence.jsonl");
        is_log.then(|| Some((fs::metadata(&path).ok()?.modified().ok()?, path)))?
    });
    // Entries carry the more careful of two clocks, which is no order between runs.
    let mut logs: Vec<_> = logs.collect();
    logs.sort();
    logs.into_iter().filter_map(move |(_, log)| {
        let mut lines = BufReader::new(File::open(&log).ok()?).split(b'\n').map_while(Result::ok);
        match entry(&lines.next()?)?.body {
            Body::Opening(opened) if is_of(&opened.opening, policy, endpoint) => {
                Some((opened.opening, lines))
            }
            _ => None,
        }
    })
}

/// What the runs of `policy` were to do, as the logs in `folder` tell. What the plan with the digest
/// `own` was to do is no history of its own; the buckets that it was carried out on are.
pub fn history(folder: &Path, policy: &str, endpoint: Option<&str>, own: Option<&str>) -> History {
    let mut history = History::default();
    let mut runs = BTreeMap::new();
    for (place, (opening, lines)) in logs(folder, policy, endpoint).enumerate() {
        let Some(planned) = opening.planned.or_else(|| resumed(lines)) else { continue };
        history.buckets.extend(planned.buckets.iter().cloned());
        // The log of an `undo` opens as that of its run does.
        if own != Some(opening.plan_digest.as_str()) {
            runs.entry(opening.plan_digest).or_insert((place, planned));
        }
    }
    let mut runs: Vec<_> = runs.into_values().collect();
    runs.sort_by_key(|(place, _)| *place);
    history.runs = runs.into_iter().map(|(_, planned)| planned).collect();
    history
}

/// What a run was to do that began by making S3 do less, and nothing else.
fn resumed(lines: impl Iterator<Item = Vec<u8>>) -> Option<Planned> {
    let resumed = lines.filter(|line| memmem::find(line, RESUMED).is_some()).filter_map(|line| entry(&line));
    resumed.filter_map(|entry| if let Body::Resumed(it) = entry.body { it.planned } else { None }).next()
}

/// What the runs of `policy` have done to each bucket, as the logs in `folder` tell.
pub fn earlier(folder: &Path, policy: &str, endpoint: Option<&str>) -> BTreeMap<String, Earlier> {
    let mut found: BTreeMap<String, Earlier> = BTreeMap::new();
    for (_, lines) in logs(folder, policy, endpoint) {
        let mut intended: BTreeMap<String, Option<String>> = BTreeMap::new();
        // A log names every object of its run: only the few lines that matter are read in full.
        for entry in
            lines.filter(|line| memmem::find(line, CONFIGURATION).is_some()).filter_map(|it| entry(&it))
        {
            match entry.body {
                Body::ConfigurationIntent(intent) => {
                    intended.insert(intent.bucket, intent.after);
                }
                Body::ConfigurationOutcome(outcome) => {
                    let earlier = found.entry(outcome.bucket.clone()).or_default();
                    earlier.altered.extend(outcome.altered);
                    if outcome.result == ConfigurationResult::Applied
                        && let Some(xml) = intended.remove(&outcome.bucket)
                    {
                        earlier.written = Some(Written { at: entry.at, xml, policy: policy.to_owned() });
                    }
                }
                _ => {}
            }
        }
    }
    found
}

const RESUMED: &[u8] = b"\"kind\":\"resumed\"";

/// What only entries on configurations have: within a text of theirs the quotes would be escaped.
const CONFIGURATION: &[u8] = b"\"kind\":\"configuration-";

fn entry(line: &[u8]) -> Option<Entry> {
    serde_json::from_slice(line).ok()
}

/// Whether a run was of this policy on this store.
fn is_of(opening: &Opening, policy: &str, endpoint: Option<&str>) -> bool {
    opening.policy == policy && opening.endpoint.as_deref() == endpoint
}

impl Earlier {
    /// What somebody has changed in what stands there now, in words.
    pub fn drift(&self, found: Option<&str>) -> Vec<String> {
        self.written.as_ref().map_or_else(Vec::new, |written| written.drift(found))
    }
}

impl Written {
    /// What differs in `found`, in words: which rule, whose, and how.
    fn drift(&self, found: Option<&str>) -> Vec<String> {
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
