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
mod tests {
    use chrono_tz::Tz;

    use super::*;
    use crate::decide::{Finding, NEVER, Outlook, Verdict};
    use crate::lifecycle::{Claim, RuleEngine};
    use crate::object::Reading;
    use crate::policy::{Guards, Outside, Select, Source, Trigger};

    fn at(day: &str) -> DateTime<Utc> {
        format!("{day}T12:00:00Z").parse().unwrap()
    }

    fn object(kind: Kind) -> Observed<'static> {
        Observed {
            bucket: "media",
            key: "a",
            kind,
            version_id: Some("v1"),
            upload_id: None,
            is_latest: true,
            uploaded: at("2026-01-01"),
            superseded: None,
            newer_noncurrent: 0,
            alone: false,
            size: 1,
            etag: None,
            storage_class: None,
            metadata: Reading::Unread,
            content_type: Reading::Unread,
            tags: Reading::Unread,
            lock: Reading::Unread,
        }
    }

    const TERMS: LifecycleTerms =
        LifecycleTerms { expire_days: 30, lateness_days: 9, noncurrent_days: Some(7), abort_days: Some(5) };

    fn compiled(engine: Engine) -> Compiled {
        let claims = match &engine {
            Engine::Lifecycle(terms) => vec![Claim::everything(0, *terms)],
            _ => Vec::new(),
        };
        Compiled { claims, engines: vec![RuleEngine { rule: 0, engine }], ..Compiled::default() }
    }

    fn says(object: &Observed<'_>, terms: LifecycleTerms) -> String {
        under_lifecycle(object, 0, &compiled(Engine::Lifecycle(terms)))
    }

    #[test]
    fn a_noncurrent_version_is_counted_from_its_successor() {
        let old = Observed { superseded: Some(at("2026-03-01")), ..object(Kind::Version) };
        let text = says(&old, TERMS);
        assert!(text.contains("7 days from the creation of the next newer version"), "{text}");
        assert!(text.contains("eligible from 2026-03-09"), "{text}");
    }

    #[test]
    fn an_incomplete_upload_is_counted_from_its_initiation_or_not_s3s_at_all() {
        let text = says(&object(Kind::Upload), TERMS);
        assert!(text.contains("5 days from the initiation: eligible from 2026-01-07"), "{text}");
        let text = says(&object(Kind::Upload), LifecycleTerms { abort_days: None, ..TERMS });
        assert!(text.contains("not S3's") && !text.contains("2026"), "{text}");
    }

    #[test]
    fn of_a_delete_marker_no_date_is_claimed() {
        let lone = Observed { alone: true, ..object(Kind::Marker) };
        let text = says(&lone, TERMS);
        assert!(text.contains("all that is left of its key") && !text.contains("2026"), "{text}");
        let text = says(&object(Kind::Marker), TERMS);
        assert!(text.contains("once the versions below are gone") && !text.contains("2026"), "{text}");
    }

    #[test]
    fn a_current_version_gets_a_marker_first_and_goes_later() {
        let text = says(&object(Kind::Version), TERMS);
        assert!(text.contains("only puts a delete marker on top: eligible from 2026-02-01"), "{text}");
        assert!(text.contains("the version itself goes 7 days after that"), "{text}");
        let plain = LifecycleTerms { noncurrent_days: None, ..TERMS };
        let text = says(&object(Kind::Object), plain);
        assert!(text.contains("30 days from the upload") && !text.contains("marker"), "{text}");
    }

    #[test]
    fn one_day_is_not_days() {
        let one = LifecycleTerms { expire_days: 1, lateness_days: 1, noncurrent_days: Some(1), ..TERMS };
        let text = says(&object(Kind::Version), one);
        assert!(text.starts_with("S3 counts 1 day from the upload"), "{text}");
        assert!(text.ends_with("goes 1 day after that, at most 1 day late"), "{text}");
        let text = says(&object(Kind::Object), LifecycleTerms { noncurrent_days: None, ..one });
        assert!(text.starts_with("S3 counts 1 day from the upload"), "{text}");
        assert!(text.ends_with("at most 1 day late"), "{text}");
    }

    #[test]
    fn a_marker_on_top_of_versions_goes_once_they_are_gone() {
        let finding = RuleFinding {
            outlook: Outlook::certain(NEVER, Finding::NotHappened),
            period: Period::default(),
            clock: Clock::HidesVersions,
            obscured: None,
            might_apply: Vec::new(),
            laws: Vec::new(),
        };
        let direct = |facts: &BucketFacts, enforce| {
            under_direct(&object(Kind::Marker), facts, &rule(enforce), &finding)
        };
        let text = direct(&facts(), Enforce::Direct);
        assert_eq!(text, "Shelflife could remove it once the versions below are gone");
        assert!(direct(&facts(), Enforce::Observe).contains("never touched"));
        let mfa = BucketFacts { mfa_delete: true, ..facts() };
        assert!(direct(&mfa, Enforce::Direct).contains("MFA delete"));
    }

    fn facts() -> BucketFacts {
        BucketFacts {
            name: "media".to_owned(),
            versioning: Versioning::Enabled,
            mfa_delete: false,
            object_lock: false,
        }
    }

    fn rule(enforce: Enforce) -> Rule {
        Rule {
            id: "media".to_owned(),
            data: None,
            select: Select::default(),
            trigger: Trigger {
                name: None,
                format: None,
                source: Source::Uploaded,
                within: None,
                outside: Outside::default(),
                if_missing: None,
            },
            retain: Period::days(30),
            enforce,
            noncurrent: None,
            incomplete_uploads: None,
            transitions: Vec::new(),
            export: None,
            undo_window: None,
            evidence_per_object: false,
            guards: Guards::default(),
        }
    }

    /// What is said of an object that is due on 31 January under the first `covering` of two rules.
    fn removal(
        object: &Observed<'_>,
        facts: &BucketFacts,
        engine: Engine,
        enforce: [Enforce; 2],
        covering: usize,
        now: &str,
    ) -> String {
        let policy = Policy {
            name: "acme".to_owned(),
            timezone: Tz::UTC,
            account: None,
            tenant: Vec::new(),
            tables: Vec::new(),
            rules: enforce.map(rule).into(),
            overrides: Vec::new(),
            holds: Vec::new(),
            guards: Guards::default(),
            tolerance_days: 3,
            evidence_retain: None,
            digest: String::new(),
            erasures: Vec::new(),
            holds_digest: String::new(),
        };
        let decision = Decision {
            verdict: Verdict::Expired,
            due: Some(at("2026-01-31")),
            rules: (0..covering).collect(),
            tenant: None,
            trigger: None,
            erasure: None,
            reasons: Vec::new(),
        };
        let disposal = disposal(&policy, facts, &compiled(engine), object, &decision, at(now)).unwrap();
        describe_disposal(&policy, facts, object, decision.due, disposal)
    }

    #[test]
    fn a_sweep_is_announced_only_where_s3_removes_it() {
        use Enforce::{Auto, Observe};
        let version = object(Kind::Version);
        let said = |object, terms, enforce, covering, now| {
            removal(object, &facts(), Engine::Lifecycle(terms), enforce, covering, now)
        };
        let left = said(&version, TERMS, [Auto, Auto], 1, "2026-02-01");
        assert_eq!(left, "left to S3; what S3 should have removed is swept after 2026-02-03");
        let overdue = said(&version, TERMS, [Auto, Auto], 1, "2026-02-20");
        assert!(overdue.contains("swept after 2026-02-03: Shelflife removes it with the next run"));
        let beside_observed = said(&version, TERMS, [Auto, Observe], 2, "2026-02-01");
        assert!(beside_observed.starts_with("left to S3"), "{beside_observed}");

        let by_us = "Shelflife removes it with the next run";
        // What S3 is given bears every rule that could cover it.
        assert!(said(&version, TERMS, [Auto, Auto], 2, "2026-02-01").starts_with("left to S3"));
        let no_abort = LifecycleTerms { abort_days: None, ..TERMS };
        assert_eq!(said(&object(Kind::Upload), no_abort, [Auto, Auto], 1, "2026-02-01"), by_us);
    }

    #[test]
    fn what_nobody_removes_is_said_to_stay() {
        let said = |object: &Observed<'_>, facts: &BucketFacts, enforce| {
            removal(object, facts, Engine::Direct(Vec::new()), [enforce; 2], 1, "2026-02-01")
        };
        let version = object(Kind::Version);
        assert!(said(&version, &facts(), Enforce::Observe).contains("only observed"));
        let mfa = BucketFacts { mfa_delete: true, ..facts() };
        assert!(said(&version, &mfa, Enforce::Direct).contains("it stays: the bucket has MFA delete"));
        let suspended = BucketFacts { versioning: Versioning::Suspended, ..facts() };
        let null = Observed { version_id: Some("null"), alone: true, ..object(Kind::Marker) };
        assert!(said(&null, &suspended, Enforce::Direct).contains("it stays: a null marker"));
        let old = Observed { version_id: Some("null"), is_latest: false, ..object(Kind::Version) };
        assert!(said(&old, &suspended, Enforce::Direct).contains("it stays: a null version"));
        assert!(said(&version, &suspended, Enforce::Direct).contains("no older version of its key stays"));
    }
}
