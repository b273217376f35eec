//! When a decision changes next.
//!
//! Between two of the dates that bear on it nothing changes: those on which a rule, a law or an
//! erasure may make the object due, and those on which a hold, an override or a lock ends. So it
//! is enough to look at each of them in turn, until one brings another verdict.

use chrono::{DateTime, Utc};

use super::decision::Decision;
use super::judge::{self, Judgement, Scope};
use super::outlook::Outlook;
use super::select::{self, Fit};
use super::settle::settle;
use super::tenant::{self, Supposed, Tenancy};
use crate::calendar::end_of_day;
use crate::object::{Observed, Reading};
use crate::policy::Policy;
use crate::records::Records;

/// The first date after `now` on which the verdict is another one, and the decision on it, if
/// nothing but the date changes: no file, no record and no object.
pub fn next_change(
    policy: &Policy,
    records: &Records,
    object: &Observed<'_>,
    tenancy: &Tenancy<'_>,
    now: DateTime<Utc>,
) -> Option<(DateTime<Utc>, Decision)> {
    let suppositions = tenant::suppositions(policy, tenancy.owner);
    let before = settle((policy, Scope::Everything), records, object, tenancy, now).0.verdict;
    let mut at = now;
    loop {
        let judged = suppositions.iter().map(|tenant| {
            let judgement = judge::judge((policy, Scope::Everything), records, object, tenancy, *tenant, at);
            (*tenant, judgement)
        });
        at = judged
            .flat_map(|(tenant, judgement)| dates(policy, object, tenancy, tenant, &judgement))
            .filter(|date| *date > at && *date < DateTime::<Utc>::MAX_UTC)
            .min()?;
        let (decision, _) = settle((policy, Scope::Everything), records, object, tenancy, at);
        if decision.verdict != before {
            return Some((at, decision));
        }
    }
}

/// The verdict of `judgement` can change on these dates alone, as far as nothing ends before.
fn dates(
    policy: &Policy,
    object: &Observed<'_>,
    tenancy: &Tenancy<'_>,
    tenant: Supposed<'_>,
    judgement: &Judgement,
) -> Vec<DateTime<Utc>> {
    let zone = policy.timezone;
    let ends = |outlook: &Outlook| [outlook.earliest, outlook.latest];
    let mut dates = Vec::new();
    for (rule, finding) in
        judgement.rules.iter().filter_map(|view| Some((view.rule, view.view.as_ref().ok()?)))
    {
        dates.extend(ends(&finding.outlook));
        dates.extend(finding.laws.iter().flat_map(|law| ends(&law.outlook)));
        let overrides = policy.overrides.iter().filter(|over| over.rule == rule);
        dates.extend(overrides.filter_map(|over| over.until).map(|day| end_of_day(day, zone)));
    }
    let erasures = judgement.erasures.iter().filter_map(|(index, _)| policy.erasures.get(*index));
    dates.extend(erasures.map(|erasure| erasure.due(zone)));
    let fits = |select| !matches!(select::holds(select, object, tenant, tenancy), Fit::No(_));
    let holds = policy.holds.iter().filter(|hold| fits(&hold.select));
    dates.extend(holds.filter_map(|hold| hold.released).map(|day| end_of_day(day, zone)));
    if let Reading::Known(lock) = object.lock {
        dates.extend(lock.retain_until);
    }
    dates
}

#[cfg(test)]
mod tests {
    use chrono::{Days, TimeDelta};
    use chrono_tz::Tz;
    use proptest::prelude::*;

    use super::super::{Verdict, tenancy};
    use super::*;
    use crate::object::{Attributes, Kind, Lock};
    use crate::policy::{self, SourceFile};
    use crate::records::{RecordTable, Records};

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn policy(more: &str) -> Policy {
        let text = format!(
            "version: 1
name: next
timezone: Europe/Zagreb
tenant: [{{key: \"{{tenant}}/**\"}}, {{metadata: customer}}]
records: {{customers: {{file: a.csv, id: id, by: tenant}}}}
rules:
  - id: dated
    select: {{buckets: [media], except: [{{tags: {{keep: yes-please}}}}]}}
    trigger: {{metadata: date, within: 2 days, outside: clamp, if-missing: uploaded}}
    retain: 30 days
  - id: ended
    select: {{buckets: [media], prefix: 4711/}}
    trigger: {{record: customers.ended, if-missing: retained}}
    retain: 3 months
{more}"
        );
        let read = policy::read(&[SourceFile { path: "p.yaml".to_owned(), bytes: text.into_bytes() }]);
        read.unwrap_or_else(|faults| panic!("{faults:?}")).policy
    }

    fn records(policy: &Policy, ended: Option<&str>) -> Records {
        let csv = format!("id,ended\n4711,{}\n", ended.unwrap_or_default());
        let read =
            RecordTable::read_csv(&policy.tables[0], csv.as_bytes(), at("2026-01-01T00:00:00Z"), Tz::UTC);
        Records { tables: vec![read.unwrap().table] }
    }

    fn object<'a>(
        key: &'a str,
        metadata: Reading<&'a Attributes>,
        tags: Reading<&'a Attributes>,
    ) -> Observed<'a> {
        Observed {
            bucket: "media",
            key,
            kind: Kind::Object,
            version_id: None,
            upload_id: None,
            is_latest: true,
            uploaded: at("2026-01-10T12:00:00Z"),
            superseded: None,
            newer_noncurrent: 0,
            alone: false,
            size: 1,
            etag: None,
            storage_class: None,
            metadata,
            content_type: Reading::Known(""),
            tags,
            lock: Reading::Known(Lock::default()),
        }
    }

    fn next(
        policy: &Policy,
        records: &Records,
        object: &Observed<'_>,
        now: &str,
    ) -> Option<(String, Verdict)> {
        let found = next_change(policy, records, object, &tenancy(policy, object), at(now));
        found.map(|(on, decision)| (on.to_rfc3339(), decision.verdict))
    }

    #[test]
    fn a_hold_ends_with_its_day_and_a_date_comes_at_midnight() {
        let policy = policy("holds:\n  - {id: h, reason: r, select: {prefix: 1/}, released: 2026-03-31}\n");
        let nothing = Attributes::new();
        let object = object("1/a", Reading::Known(&nothing), Reading::Known(&nothing));
        let records = records(&policy, None);
        let after = next(&policy, &records, &object, "2026-02-01T00:00:00Z");
        assert_eq!(after, Some(("2026-03-31T22:00:00+00:00".to_owned(), Verdict::Expired)));
        let free = Observed { key: "2/a", ..object };
        let after = next(&policy, &records, &free, "2026-02-01T00:00:00Z");
        assert_eq!(after, Some(("2026-02-10T00:00:00+00:00".to_owned(), Verdict::Expired)));
        assert_eq!(next(&policy, &records, &free, "2026-02-10T00:00:00Z"), None);
    }

    #[test]
    fn an_override_that_ends_before_its_date_gives_the_object_free_at_once() {
        let over = "overrides:\n  - {tenants: [\"1\"], rule: dated, retain: 2 years, agreement: A, until: 2026-06-30}\n";
        let nothing = Attributes::new();
        let object = object("1/a", Reading::Known(&nothing), Reading::Known(&nothing));
        let policy = policy(over);
        let after = next(&policy, &records(&policy, None), &object, "2026-04-01T00:00:00Z");
        assert_eq!(after, Some(("2026-06-30T22:00:00+00:00".to_owned(), Verdict::Expired)));
    }

    #[test]
    fn what_has_not_happened_and_what_stays_unknown_change_on_no_date() {
        let nothing = Attributes::new();
        let object = object("4711/a", Reading::Known(&nothing), Reading::Known(&nothing));
        let policy = policy("");
        let records = records(&policy, None);
        assert_eq!(next(&policy, &records, &object, "2026-04-01T00:00:00Z"), None);
        let unread = Observed { tags: Reading::Unread, key: "1/a", ..object };
        let after = next(&policy, &records, &unread, "2026-01-11T00:00:00Z");
        assert_eq!(after, Some(("2026-02-10T00:00:00+00:00".to_owned(), Verdict::Undecided)));
        assert_eq!(next(&policy, &records, &unread, "2026-03-01T00:00:00Z"), None);
    }

    fn attributes() -> impl Strategy<Value = Option<Attributes>> {
        let dates =
            prop_oneof![Just("2026-01-09"), Just("2026-01-12T08:00:00Z"), Just("2025-01-01"), Just("x")];
        let filled = (dates, prop_oneof![Just("1"), Just("4711")]).prop_map(|(date, customer)| {
            [("date", date), ("customer", customer)].map(|(k, v)| (k.to_owned(), v.to_owned())).into()
        });
        prop_oneof![
            Just(None),
            Just(Some(Attributes::new())),
            Just(Some([("keep".to_owned(), "yes-please".to_owned())].into())),
            filled.prop_map(Some),
        ]
    }

    fn read(known: &Option<Attributes>) -> Reading<&Attributes> {
        known.as_ref().map_or(Reading::Unread, Reading::Known)
    }

    proptest! {
        /// Every quarter of a day up to the change, and a second before it, says the same.
        #[test]
        fn between_two_changes_nothing_changes(
            metadata in attributes(),
            tags in attributes(),
            key in prop_oneof![Just("4711/a"), Just("1/a"), Just("a")],
            ended in prop_oneof![Just(None), Just(Some("2025-12-15")), Just(Some("2026-03-01")), Just(Some("?"))],
            days in proptest::array::uniform4(0_u64..300),
            locked in proptest::option::of(0_i64..9_000),
            start in 0_i64..9_000,
        ) {
            let day = |n: u64| at("2026-01-01T00:00:00Z").date_naive().checked_add_days(Days::new(n)).unwrap();
            let policy = policy(&format!(
                "overrides:
  - {{tenants: [\"1\"], rule: dated, retain: 5 months, agreement: A, until: {}}}
  - {{tenants: [\"4711\"], rule: dated, retain: 4 months, legal-basis: L, until: {}}}
erasures:
  - {{id: e, reason: r, select: {{tenants: [\"1\", \"4711\"]}}, requested: {}}}
holds:
  - {{id: h, reason: r, select: {{tenants: [\"1\"]}}, released: {}}}
",
                day(days[0]), day(days[1]), day(days[2]), day(days[3])
            ));
            let records = records(&policy, ended);
            let hours = |n: i64| at("2026-01-01T00:30:00Z") + TimeDelta::hours(n);
            let lock = Lock { legal_hold: false, retain_until: locked.map(hours) };
            let object = Observed { lock: Reading::Known(lock), ..object(key, read(&metadata), read(&tags)) };
            let tenancy = tenancy(&policy, &object);
            let verdict = |at| settle((&policy, Scope::Everything), &records, &object, &tenancy, at).0.verdict;
            let now = hours(start);
            let found = next_change(&policy, &records, &object, &tenancy, now);
            let end = found.as_ref().map_or(hours(24 * 700), |(on, _)| *on);
            let mut probe = now;
            while probe < end {
                prop_assert_eq!(verdict(probe), verdict(now), "at {}", probe);
                probe += TimeDelta::hours(6);
            }
            if let Some((on, decision)) = found {
                prop_assert_eq!(verdict(on - TimeDelta::seconds(1)), verdict(now));
                prop_assert_ne!(decision.verdict, verdict(now));
                prop_assert_eq!(decision.verdict, verdict(on));
            }
        }
    }
}
