//! Who removes an object that is explained, and when: S3, Shelflife, or nobody.

use chrono::{DateTime, Days, Utc};

use crate::calendar::Period;
use crate::decide::{Clock, Decision, RuleFinding};
use crate::lifecycle::{Compiled, Engine, LifecycleTerms, eligible_at};
use crate::object::{BucketFacts, Kind, Observed, Versioning};
use crate::plan::{BucketContext, Disposal, Item, Planner};
use crate::policy::{Enforce, Policy, Rule};

/// What S3 does with the object under the policy's rule at `rule`.
pub fn under_lifecycle(object: &Observed<'_>, rule: usize, compiled: &Compiled) -> String {
    let rules = [rule];
    let claims = compiled.claims_on(object.key, &rules).filter(|claim| claim.carries.contains(&rule));
    // Where S3 has several rules for an object, it obeys the shortest.
    if let Some(claim) = claims.min_by_key(|claim| claim.terms.expire_days) {
        return by_terms(object, claim.terms);
    }
    match compiled.engine(rule) {
        Some(
            Engine::Direct(reasons) | Engine::Refused(reasons) | Engine::Split { elsewhere: reasons, .. },
        ) => {
            let why: Vec<String> = reasons.iter().map(ToString::to_string).collect();
            format!("not S3's: {}", why.join("; "))
        }
        Some(Engine::Observe | Engine::Lifecycle(_)) | None => "not S3's".to_owned(),
    }
}

fn by_terms(object: &Observed<'_>, terms: LifecycleTerms) -> String {
    let counted = |from: DateTime<Utc>, days: u32, event: &str| {
        let when = eligible_at(from, days).map(day).unwrap_or_default();
        let [days, late] = [days, terms.lateness_days].map(Period::days);
        format!("S3 counts {days} from {event}: eligible from {when}, at most {late} late")
    };
    match (object.kind, object.superseded, terms.noncurrent_days) {
        (Kind::Upload, ..) => match terms.abort_days {
            Some(days) => counted(object.uploaded, days, "the initiation"),
            None => "not S3's: the rule has no `incomplete-uploads`".to_owned(),
        },
        (_, Some(superseded), Some(days)) => {
            counted(superseded, days, "the creation of the next newer version")
        }
        (Kind::Marker, ..) if object.alone => {
            "S3 removes a delete marker that is all that is left of its key, on no certain day".to_owned()
        }
        (Kind::Marker, ..) => {
            "S3 removes the delete marker once the versions below are gone, on no certain day".to_owned()
        }
        (_, None, Some(noncurrent_days)) => {
            let when = eligible_at(object.uploaded, terms.expire_days).map(day).unwrap_or_default();
            let [days, then, late] =
                [terms.expire_days, noncurrent_days, terms.lateness_days].map(Period::days);
            format!(
                "S3 counts {days} from the upload and only puts a delete marker on top: eligible from {when}; \
                 the version itself goes {then} after that, at most {late} late"
            )
        }
        _ => counted(object.uploaded, terms.expire_days, "the upload"),
    }
}

/// What Shelflife itself may do with the object under one rule.
pub fn under_direct(
    object: &Observed<'_>,
    facts: &BucketFacts,
    rule: &Rule,
    finding: &RuleFinding,
) -> String {
    if rule.enforce == Enforce::Observe {
        "observed only, never touched".to_owned()
    } else if facts.mfa_delete && matches!(object.kind, Kind::Version | Kind::Marker) {
        "never: the bucket has MFA delete".to_owned()
    } else if finding.clock == Clock::HidesVersions {
        "Shelflife could remove it once the versions below are gone".to_owned()
    } else {
        match finding.outlook.due() {
            Some(due) => in_its_way(object, facts, rule, due),
            None => "Shelflife leaves it alone".to_owned(),
        }
    }
}

fn in_its_way(object: &Observed<'_>, facts: &BucketFacts, rule: &Rule, due: DateTime<Utc>) -> String {
    let holds_data = matches!(object.kind, Kind::Object | Kind::Version);
    let copied = match &rule.export {
        Some(place) if holds_data => {
            format!("; it is copied to s3://{}/{} before", place.bucket, place.prefix)
        }
        _ => String::new(),
    };
    match rule.undo_window {
        Some(_) if holds_data && facts.versioning != Versioning::Enabled => {
            "never: its undo window needs a bucket that keeps versions".to_owned()
        }
        Some(window) if holds_data && object.is_latest => format!(
            "marked with a delete marker from {} on, and the version removed {window} after that{copied}",
            day(due)
        ),
        Some(window) if holds_data => format!(
            "Shelflife could remove it from {} on, and not before it has been hidden for {window}{copied}",
            day(due)
        ),
        _ => format!("Shelflife could remove it from {} on{copied}", day(due)),
    }
}

/// Who removes the object, as the planner decides; `None` for what is not expired.
pub fn disposal(
    policy: &Policy,
    facts: &BucketFacts,
    compiled: &Compiled,
    object: &Observed<'_>,
    decision: &Decision,
    now: DateTime<Utc>,
) -> Option<Disposal> {
    let bucket = BucketContext { facts: facts.clone(), compiled: compiled.clone() };
    let item = Item {
        kind: object.kind,
        version_id: object.version_id.map(Into::into),
        upload_id: object.upload_id.map(Into::into),
        is_latest: object.is_latest,
        uploaded: object.uploaded,
        superseded: object.superseded,
        size: object.size,
        etag: object.etag.map(Into::into),
        storage_class: object.storage_class.map(Into::into),
        decision: decision.clone(),
        read_failed: false,
        when_alone: None,
    };
    Planner::new(policy, now).disposal(&bucket, object.key, &item, decision)
}

/// The disposal in a sentence.
pub fn describe_disposal(
    policy: &Policy,
    facts: &BucketFacts,
    object: &Observed<'_>,
    due: Option<DateTime<Utc>>,
    disposal: Disposal,
) -> String {
    let sweep = due
        .and_then(|due| due.checked_add_days(Days::new(policy.tolerance_days.into())))
        .map(day)
        .unwrap_or_default();
    match disposal {
        // Only a null version can go from on top of others in a suspended bucket.
        Disposal::Direct
            if facts.versioning == Versioning::Suspended
                && object.kind != Kind::Upload
                && object.is_latest
                && object.version_id != Some("null") =>
        {
            "Shelflife removes it with the next run in which no older version of its key stays".to_owned()
        }
        Disposal::Direct => "Shelflife removes it with the next run".to_owned(),
        Disposal::LeftToS3 => {
            format!("left to S3; what S3 should have removed is swept after {sweep}")
        }
        Disposal::Swept => format!(
            "what S3 should have removed is swept after {sweep}: Shelflife removes it with the next run"
        ),
        Disposal::Observed => "it stays: its rules are only observed".to_owned(),
        Disposal::Refused => {
            "it stays: the policy says `enforce: lifecycle`, and S3 cannot be proved to keep it".to_owned()
        }
        Disposal::MfaDelete => "it stays: the bucket has MFA delete".to_owned(),
        Disposal::Null => {
            format!("it stays: a null {} of a suspended bucket cannot be removed safely", object.kind.word())
        }
        Disposal::HidesVersions => "it stays until the versions below are gone".to_owned(),
        Disposal::Marked => "Shelflife hides it behind a delete marker with the next run, and removes it \
             with the first run after its undo window"
            .to_owned(),
        Disposal::InUndoWindow => "it stays hidden until its undo window is over; until then the \
             delete marker can be taken away"
            .to_owned(),
        Disposal::NoUndo => "it stays: its undo window needs a bucket that keeps versions".to_owned(),
        Disposal::NoExport => {
            "it stays: its copy would have to go to two places, or its key there would be too long".to_owned()
        }
    }
}

fn day(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d").to_string()
}

#[cfg(test)]
#[path = "engines_tests.rs"]
mod tests;
