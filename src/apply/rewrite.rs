//! Puts a lifecycle configuration in another's place and reads it back.
//!
//! S3 replaces a configuration as a whole and takes no condition on it (API reference,
//! "PutBucketLifecycleConfiguration"). So it is read right before every attempt to write, and no
//! attempt is repeated unread. Whatever somebody else writes is then seen, before the write or after
//! it, but for one window: between that reading and the arrival of the write, one round trip. What
//! falls in there is replaced, and no reading can show it, for then the store has just what was written.

use std::time::Duration;

use crate::evidence::ConfigurationResult;
use crate::lifecycle::{LifecycleDocument, Target, same_meaning};
use crate::s3::{Bucket, StoreError, StoreErrorKind, StoredLifecycle};

/// How long after a write a store may still show what was there before: S3's bucket
/// configurations are eventually consistent (user guide, "Amazon S3 data consistency model").
const PATIENCE: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(300), Duration::from_secs(1), Duration::from_secs(2)];

/// A change that could not be made.
#[derive(Debug)]
pub(super) struct Stop {
    /// How it ended.
    pub result: ConfigurationResult,
    /// Why.
    pub why: String,
    /// Whether something may have been written.
    pub wrote: bool,
    /// What the store shows in place of what was written, where that could be read.
    pub shown: Option<Shown>,
}

impl Stop {
    /// Before anything was written.
    pub fn new(result: ConfigurationResult, why: impl Into<String>) -> Self {
        Self { result, why: why.into(), wrote: false, shown: None }
    }

    /// Because somebody else has changed it.
    pub fn moved(why: impl Into<String>) -> Self {
        Self::new(ConfigurationResult::Moved, why)
    }

    fn wrote(self) -> Self {
        Self { wrote: true, ..self }
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        let result =
            if error.is_denied() { ConfigurationResult::Denied } else { ConfigurationResult::Failed };
        Self::new(result, error.to_string())
    }
}

/// What a store shows: a configuration, or that there is none.
pub(super) type Shown = Option<StoredLifecycle>;

/// Writes what `make` makes of what stands there, unless it stands there already, and answers with
/// what was read back. What was read just now is `seen`. `minimum` is the header to send where the
/// store shows none.
pub(super) async fn replace(
    bucket: &Bucket,
    minimum: Option<&str>,
    mut seen: Option<Shown>,
    make: impl Fn(Option<&StoredLifecycle>) -> Result<Target, Stop>,
) -> Result<Shown, Stop> {
    let mut lost: Option<(Target, Option<String>, Stop)> = None;
    for pause in PATIENCE {
        tokio::time::sleep(pause).await;
        let now = match seen.take() {
            Some(seen) => seen,
            None => match (bucket.lifecycle().await, &lost) {
                (Ok(now), _) => now,
                (Err(error), None) => return Err(error.into()),
                (Err(_), Some(_)) => continue,
            },
        };
        if let Some((target, sent, _)) = &lost
            && same(target, now.as_ref(), sent.as_deref()).is_ok()
        {
            return Ok(now);
        }
        let target = make(now.as_ref()).map_err(|stop| Stop { wrote: lost.is_some(), ..stop })?;
        let shown = now.as_ref().and_then(|now| now.transition_default_minimum_object_size.clone());
        let sent = shown.or_else(|| minimum.map(str::to_owned));
        if same(&target, now.as_ref(), sent.as_deref()).is_ok() {
            return Ok(now);
        }
        match write(bucket, &target, sent.clone()).await {
            Ok(()) => return compare(bucket, &target, sent.as_deref()).await.map_err(Stop::wrote),
            Err(error) => {
                let may_have_arrived =
                    error.kind().is_retryable() || *error.kind() == StoreErrorKind::Unreadable;
                let stop = Stop { wrote: may_have_arrived || lost.is_some(), ..Stop::from(error) };
                if !may_have_arrived {
                    return Err(stop);
                }
                lost = Some((target, sent, stop));
            }
        }
    }
    let Some((target, sent, stop)) = lost else {
        return Err(Stop::new(ConfigurationResult::Failed, "it could not be read"));
    };
    compare(bucket, &target, sent.as_deref()).await.map_err(|_| stop)
}

async fn write(bucket: &Bucket, target: &Target, minimum: Option<String>) -> Result<(), StoreError> {
    match target {
        Target::Delete => bucket.delete_lifecycle().await,
        Target::Put(document) => {
            let xml = document.to_xml();
            let stored = StoredLifecycle { xml, transition_default_minimum_object_size: minimum };
            bucket.put_lifecycle(&stored).await
        }
    }
}

/// Waits until the store shows `expected`, and answers with what it shows.
pub(super) async fn compare(
    bucket: &Bucket,
    expected: &Target,
    minimum: Option<&str>,
) -> Result<Shown, Stop> {
    let mut last = Stop::new(ConfigurationResult::Failed, "it could not be read");
    for pause in PATIENCE {
        tokio::time::sleep(pause).await;
        last = match bucket.lifecycle().await {
            Ok(shown) => match same(expected, shown.as_ref(), minimum) {
                Ok(()) => return Ok(shown),
                Err(why) => Stop { shown: Some(shown), ..Stop::new(ConfigurationResult::Differs, why) },
            },
            Err(error) => error.into(),
        };
    }
    Err(last)
}

fn same(expected: &Target, shown: Option<&StoredLifecycle>, minimum: Option<&str>) -> Result<(), String> {
    let (document, shown) = match (expected, shown) {
        (Target::Delete, None) => return Ok(()),
        (Target::Delete, Some(_)) => return Err("the store still has a configuration".to_owned()),
        (Target::Put(_), None) => return Err("the store has no configuration".to_owned()),
        (Target::Put(document), Some(shown)) => (document, shown),
    };
    let read = LifecycleDocument::read(&shown.xml).map_err(|error| error.to_string())?;
    same_meaning(document, &read).map_err(|differences| {
        let all: Vec<String> = differences.iter().map(ToString::to_string).collect();
        format!("the store has made something else of it: {}", all.join("; "))
    })?;
    let found = shown.transition_default_minimum_object_size.as_deref();
    match minimum {
        Some(sent) if found != Some(sent) => Err(format!(
            "the store was sent transition-default-minimum-object-size {sent} and shows {}",
            found.unwrap_or("none")
        )),
        _ => Ok(()),
    }
}
