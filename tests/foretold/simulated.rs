//! The simulator that the compiler is proved by, asked of the same things.

use chrono::{DateTime, Utc};
use shelflife::lifecycle::{Effect, LifecycleDocument};
use shelflife::object::{Attributes, BucketFacts, Kind, Lock, Observed, Reading, Versioning};

use crate::dates::Sec;
use crate::reference::Thing;
use crate::s3::{self, Done};

/// Whether the simulator knows all that stands in the configuration. It knows what the compiler can
/// write: no dates, no numbers of versions to keep, and no expiration in a suspended bucket.
pub fn knows(document: &LifecycleDocument, versioning: Versioning) -> bool {
    versioning != Versioning::Suspended
        && document.rules().iter().map(|rule| rule.view()).all(|rule| {
            let has_date = rule.expiration.as_ref().is_some_and(|it| it.date.is_some());
            !has_date && rule.noncurrent.as_ref().is_none_or(|it| it.newer == 0)
        })
}

/// What happens to the object, and when: at the earliest, and at the latest.
pub fn effects(
    document: &LifecycleDocument,
    versioning: Versioning,
    object: &Observed<'_>,
    written: DateTime<Utc>,
) -> Vec<(Effect, Sec, Sec)> {
    let name = object.bucket.to_owned();
    let facts = BucketFacts { name, versioning, mfa_delete: false, object_lock: false };
    let done = s3::does(document, &facts, &thing(object), written.timestamp());
    let mut effects = Vec::new();
    for what in done {
        effects.push(match what {
            Done::Hidden(early, late) => (Effect::Hidden, early, late),
            // What follows the hiding is a matter of the night after it.
            Done::Removed(..) if !effects.is_empty() => continue,
            Done::Removed(early, late) => (effect(object), early, late),
        });
    }
    effects
}

fn effect(object: &Observed<'_>) -> Effect {
    match (object.kind, object.superseded) {
        (Kind::Upload, _) => Effect::Aborted,
        (Kind::Marker, None) => Effect::MarkerRemoved,
        (_, Some(_)) => Effect::NoncurrentRemoved,
        (_, None) => Effect::Removed,
    }
}

fn thing(object: &Observed<'_>) -> Thing {
    let tags = match object.tags {
        Reading::Known(tags) => tags.clone(),
        _ => Attributes::new(),
    };
    Thing {
        bucket: object.bucket.to_owned(),
        key: object.key.to_owned(),
        kind: object.kind,
        uploaded: object.uploaded.timestamp(),
        superseded: object.superseded.map(|at| at.timestamp()),
        newer_noncurrent: object.newer_noncurrent,
        alone: object.alone,
        size: matches!(object.kind, Kind::Object | Kind::Version).then_some(object.size),
        content_type: String::new(),
        metadata: Attributes::new(),
        tags,
        lock: Lock::default(),
    }
}
