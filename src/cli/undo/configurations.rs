//! What a run has written to lifecycle configurations, or may have: by its log, and by what stands there now.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::files::{broken, opened};
use crate::apply::WayBack;
use crate::cli::exit::Failure;
use crate::evidence::{self, Body, ConfigurationIntent, ConfigurationResult, Opening};
use crate::s3::Store;

/// What the log of a run says that is to be undone.
pub struct RunLog {
    /// Its opening, for a log that follows it.
    pub opening: Opening,
    /// By bucket.
    pub written: BTreeMap<String, Written>,
    /// The number of the last line, if that is torn.
    pub torn: Option<u64>,
}

/// What a run wrote to a bucket's configuration. What stood there `before` is in all what stood there before the
/// run wrote to it at all: a run that narrows first, or is interrupted, writes more than once.
#[derive(Default)]
pub struct Written {
    certain: Option<ConfigurationIntent>,
    /// What it may have written since: nobody has heard what became of it.
    perhaps: Vec<ConfigurationIntent>,
}

/// The way back from one of these.
pub struct Way {
    /// What the run has written.
    pub intent: ConfigurationIntent,
    /// To what stood there before.
    pub back: WayBack,
}

/// Reads the log of a run that is over.
pub fn read(log: &Path) -> Result<RunLog, Failure> {
    let broken = |error| broken(log, error);
    if evidence::is_in_use(opened(log)?.get_ref()) {
        return Err(Failure::refused("the run is still going on").help("wait for its end, or stop it first"));
    }
    // `apply` would only go on after a torn line with the plan and the policy that are to be undone.
    let (verified, torn) = evidence::verify_torn(opened(log)?).map_err(broken)?;
    let (mut first, mut intended) = (BTreeMap::new(), BTreeMap::new());
    let mut written: BTreeMap<String, Written> = BTreeMap::new();
    for entry in evidence::entries(opened(log)?) {
        match entry.map_err(broken)?.body {
            Body::ConfigurationIntent(intent) => {
                let before =
                    first.entry(intent.bucket.clone()).or_insert_with(|| intent.before.clone()).clone();
                let intent = ConfigurationIntent { before, ..intent };
                // Of one before it that was killed nobody will hear any more.
                if let Some(open) = intended.insert(intent.bucket.clone(), intent) {
                    written.entry(open.bucket.clone()).or_default().perhaps.push(open);
                }
            }
            Body::ConfigurationOutcome(outcome) => {
                let Some(intent) = intended.remove(&outcome.bucket) else { continue };
                match outcome.result {
                    ConfigurationResult::Applied => {
                        let certain = Written { certain: Some(intent), perhaps: Vec::new() };
                        written.insert(outcome.bucket, certain);
                    }
                    // What has failed can have failed half-way.
                    ConfigurationResult::Unclear
                    | ConfigurationResult::Differs
                    | ConfigurationResult::Failed => {
                        written.entry(outcome.bucket).or_default().perhaps.push(intent);
                    }
                    // Nothing was written, and what stood there was another's doing since then.
                    ConfigurationResult::Moved | ConfigurationResult::Denied => {
                        if !written.contains_key(&outcome.bucket) {
                            first.remove(&outcome.bucket);
                        }
                    }
                }
            }
            _ => {}
        }
    }
    for (bucket, intent) in intended {
        written.entry(bucket).or_default().perhaps.push(intent);
    }
    let opening = Opening { previous_head: Some(verified.head), ..verified.opening };
    Ok(RunLog { opening, written, torn })
}

/// What can be put back.
#[derive(Default)]
pub struct Ways {
    /// For each bucket the way back from what stands there, where the run may have written that; else from what
    /// it wrote last for certain.
    pub known: BTreeMap<String, Way>,
    /// Buckets where neither stands what the run may have written, nor what stood there before.
    pub unknown: BTreeSet<String>,
}

/// Why nothing is put back where nothing is known.
pub const UNKNOWN: &str = "what the run wrote last to it is not known, and what stands there is neither that nor what \
                           stood there before; look at it, and put it right";

/// Finds what can be put back; asks the store only where the log does not tell for certain.
pub async fn ways(store: &Store, policy: &str, written: BTreeMap<String, Written>) -> Result<Ways, Failure> {
    let mut ways = Ways::default();
    for (bucket, Written { certain, perhaps }) in written {
        let way = |intent: ConfigurationIntent| match WayBack::of(policy, &intent) {
            Ok(back) => Ok(Way { intent, back }),
            Err(error) => Err(Failure::failed(Failure::chain(&error))),
        };
        let certain = certain.map(way).transpose()?;
        if perhaps.is_empty() {
            ways.known.extend(certain.map(|certain| (bucket, certain)));
            continue;
        }
        let now = store.bucket(&bucket).await?.lifecycle().await?;
        let perhaps: Vec<Way> = perhaps.into_iter().rev().map(way).collect::<Result<_, _>>()?;
        let is_as_before = perhaps.iter().any(|way| way.back.is_as_before(now.as_ref()));
        match perhaps.into_iter().chain(certain).find(|way| way.back.is_as_written(now.as_ref())) {
            Some(way) => {
                ways.known.insert(bucket, way);
            }
            None if is_as_before => {}
            None => {
                ways.unknown.insert(bucket);
            }
        }
    }
    Ok(ways)
}
