//! Puts the policy's own part of a bucket's lifecycle configuration back as it was before a run.

use super::rewrite::{Stop, replace};
use super::run::Configured;
use crate::evidence::{ConfigurationIntent, ConfigurationResult};
use crate::lifecycle::{DocumentError, LifecycleDocument, Target, removes_more, restore, same_meaning};
use crate::s3::{Bucket, StoredLifecycle};

/// A way back.
#[derive(Clone, Debug)]
pub struct WayBack {
    policy: String,
    written: Option<LifecycleDocument>,
    before: Option<LifecycleDocument>,
}

impl WayBack {
    /// From what a run of `policy` has written.
    ///
    /// # Errors
    /// If its log holds no configurations that can be read.
    pub fn of(policy: &str, intent: &ConfigurationIntent) -> Result<Self, DocumentError> {
        let read = |xml: &Option<String>| xml.as_deref().map(LifecycleDocument::read).transpose();
        Ok(Self { policy: policy.to_owned(), written: read(&intent.after)?, before: read(&intent.before)? })
    }

    /// Whether what stands there is what the run has written.
    pub fn is_as_written(&self, now: Option<&StoredLifecycle>) -> bool {
        is(self.written.as_ref(), now).unwrap_or(false)
    }

    /// Whether it is what stood there before the run.
    pub fn is_as_before(&self, now: Option<&StoredLifecycle>) -> bool {
        is(self.before.as_ref(), now).unwrap_or(false)
    }

    /// Whether S3 would then remove something that it does not remove now, or sooner.
    pub fn removes_more(&self) -> bool {
        removes_more(self.written.as_ref(), self.before.as_ref())
    }

    /// What it leads to from what was written.
    pub fn target(&self) -> Target {
        restore(self.written.as_ref(), self.before.as_ref(), self.written.as_ref(), &self.policy)
    }

    /// Goes it, if the bucket still has what the run has written; everybody else's rules stay.
    pub async fn go(&self, bucket: &Bucket) -> Configured {
        let target = self.target();
        let as_written = |now: Option<&StoredLifecycle>| {
            let same = is(self.written.as_ref(), now)
                .map_err(|error| Stop::new(ConfigurationResult::Failed, error.to_string()))?;
            let why = "somebody has changed it since the run; nothing was put back";
            if same { Ok(target.clone()) } else { Err(Stop::moved(why)) }
        };
        match replace(bucket, None, None, as_written).await {
            Ok(_) => Configured { result: ConfigurationResult::Applied, detail: None },
            Err(Stop { result, why, .. }) => Configured { result, detail: Some(why) },
        }
    }
}

/// Whether what stands there means the same as `known`.
fn is(known: Option<&LifecycleDocument>, now: Option<&StoredLifecycle>) -> Result<bool, DocumentError> {
    let now = now.map(|now| LifecycleDocument::read(&now.xml)).transpose()?;
    Ok(match (known, &now) {
        (None, None) => true,
        (Some(known), Some(now)) => same_meaning(known, now).is_ok(),
        _ => false,
    })
}
