//! In which way Shelflife removes an object: hidden behind a delete marker first, copied first, or at once.
//!
//! Under several rules every one of them is heeded: the longest undo window counts, and a copy that
//! would have to go to two places goes to neither, so that the object stays. What goes on request to erase keeps
//! its window, for that is how its rule deletes, and is not copied, for a copy would not be erased.

use chrono::{DateTime, Days, Utc};

use super::{BucketContext, Item, Planner};
use crate::calendar::Moment;
use crate::decide::Decision;
use crate::object::{Kind, Versioning};
use crate::plan::place::{Original, copy_place};
use crate::plan::summary::Disposal;
use crate::policy::{ExportPlace, Rule};

/// Where a copy would have to go is not clear: to two places, or to a key that is too long.
pub(super) struct Unclear;

impl Planner<'_> {
    fn covering<'s>(&'s self, rules: &'s [usize]) -> impl Iterator<Item = &'s Rule> {
        rules.iter().filter_map(|rule| self.policy.rules.get(*rule))
    }

    /// Whether a rule wants objects hidden or copied before they go: S3 does neither.
    pub(super) fn asks_for_more(&self, item: &Item, rules: &[usize]) -> bool {
        holds_data(item)
            && self.covering(rules).any(|rule| rule.undo_window.is_some() || rule.export.is_some())
    }

    /// What Shelflife does with an expired item that is its own to remove.
    pub(super) fn by_shelflife(
        &self,
        bucket: &BucketContext,
        key: &str,
        item: &Item,
        decision: &Decision,
    ) -> Disposal {
        if holds_data(item) && self.covering(&decision.rules).any(|rule| rule.undo_window.is_some()) {
            // A null marker would destroy the null version, and without versions there is no way back at all.
            if bucket.facts.versioning != Versioning::Enabled {
                return Disposal::NoUndo;
            }
            if item.is_latest {
                return Disposal::Marked;
            }
            // Nobody knows since when it is hidden where the store does not date what hides it.
            let hidden = item.superseded.filter(|at| Moment::Instant(*at).plausible().is_ok());
            let end = hidden.and_then(|hidden| self.window_after(hidden, decision));
            if end.is_none_or(|end| end > self.now) {
                return Disposal::InUndoWindow;
            }
        }
        match self.export_of(bucket, key, item, decision) {
            Ok(_) => Disposal::Direct,
            Err(Unclear) => Disposal::NoExport,
        }
    }

    /// The midnight at which the longest undo window that runs from `start` is over; `None` without one,
    /// and beyond the calendar's end.
    fn window_after(&self, start: DateTime<Utc>, decision: &Decision) -> Option<DateTime<Utc>> {
        let ends = self
            .covering(&decision.rules)
            .filter_map(|rule| rule.undo_window)
            .map(|window| Moment::Instant(start).due(window, self.policy.timezone));
        // `None` is beyond the calendar's end, and so later than any other.
        ends.max_by_key(|end| (end.is_none(), *end)).flatten()
    }

    /// Where its copy goes before it is removed, if anywhere.
    pub(super) fn export_of(
        &self,
        bucket: &BucketContext,
        key: &str,
        item: &Item,
        decision: &Decision,
    ) -> Result<Option<String>, Unclear> {
        if !holds_data(item) || decision.erasure.is_some() {
            return Ok(None);
        }
        let mut place: Option<&ExportPlace> = None;
        for wanted in self.covering(&decision.rules).filter_map(|rule| rule.export.as_ref()) {
            if place.is_some_and(|other| other != wanted) {
                return Err(Unclear);
            }
            place = Some(wanted);
        }
        let Some(place) = place else { return Ok(None) };
        let original = Original {
            bucket: &bucket.facts.name,
            key,
            version_id: item.version_id.as_deref(),
            uploaded: item.uploaded,
            etag: item.etag.as_deref(),
        };
        copy_place(place, original).map(Some).ok_or(Unclear)
    }

    /// From when on what is expired is late. With an undo window a version goes a while after it is due:
    /// it is hidden within a day, and the window that begins then runs to a midnight.
    pub fn late_from(&self, item: &Item, decision: &Decision, disposal: Disposal) -> Option<DateTime<Utc>> {
        let due = decision.due?;
        let is_hidden = holds_data(item) && !item.is_latest && disposal != Disposal::NoUndo;
        let end = if is_hidden { self.window_after(due, decision) } else { None };
        Some(end.and_then(|end| end.checked_add_days(Days::new(1))).unwrap_or(due))
    }
}

const fn holds_data(item: &Item) -> bool {
    matches!(item.kind, Kind::Object | Kind::Version)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use proptest::prelude::*;

    use super::*;
    use crate::decide::{Step, decide};
    use crate::lifecycle::{self, Surroundings};
    use crate::object::{BucketFacts, Lock, Observed, Reading};
    use crate::plan::{Action, KeyGroup, PlanRow};
    use crate::policy::{Policy, SourceFile, read};
    use crate::records::Records;

    const START: &str = "2026-01-01T00:00:00Z";

    fn at(hours: i64) -> DateTime<Utc> {
        START.parse::<DateTime<Utc>>().unwrap() + TimeDelta::hours(hours)
    }

    fn policy(rules: &str, more: &str) -> Policy {
        let text =
            format!("version: 1\nname: acme\ntenant: [{{key: \"{{tenant}}/**\"}}]\nrules:\n{rules}\n{more}");
        let files = [SourceFile { path: "policy.yaml".to_owned(), bytes: text.into() }];
        read(&files).unwrap_or_else(|faults| panic!("{faults:?}")).policy
    }

    fn rule(id: &str, days: u32, more: &str) -> String {
        format!(
            "  - {{id: {id}, select: {{buckets: [media]}}, trigger: uploaded, retain: {days} days{more}}}\n"
        )
    }

    /// A version or marker of the one key: when it was made, and whether it is a marker.
    #[derive(Clone, Debug, PartialEq)]
    struct Made {
        id: String,
        at: DateTime<Utc>,
        is_marker: bool,
    }

    fn context(policy: &Policy, versioning: Versioning, now: DateTime<Utc>) -> BucketContext {
        let facts =
            BucketFacts { name: "media".to_owned(), versioning, mfa_delete: false, object_lock: false };
        let compiled = lifecycle::compile(policy, &facts, &Surroundings::NOTHING, now);
        BucketContext { facts, compiled }
    }

    /// Everything under the key, oldest first, decided.
    fn group(policy: &Policy, stack: &[Made], kind: Kind, now: DateTime<Utc>) -> KeyGroup {
        let newest_first: Vec<&Made> = stack.iter().rev().collect();
        let item = |(place, made): (usize, &&Made)| {
            let superseded = place.checked_sub(1).map(|above| newest_first[above].at);
            let decided = |alone: bool| {
                let object = Observed {
                    bucket: "media",
                    key: "1/a",
                    kind: if made.is_marker { Kind::Marker } else { kind },
                    version_id: (kind == Kind::Version).then_some(made.id.as_str()),
                    upload_id: None,
                    is_latest: place == 0,
                    uploaded: made.at,
                    superseded,
                    newer_noncurrent: 0,
                    alone: alone && made.is_marker,
                    size: 1,
                    etag: Some("abc"),
                    storage_class: None,
                    metadata: Reading::Unread,
                    content_type: Reading::Unread,
                    tags: Reading::Unread,
                    lock: Reading::Known(Lock::default()),
                };
                match decide(policy, &Records::default(), &object, now) {
                    Step::Decided(decision) => decision,
                    Step::Needs(needs) => panic!("{needs:?}"),
                }
            };
            Item {
                kind: if made.is_marker { Kind::Marker } else { kind },
                version_id: (kind == Kind::Version).then(|| made.id.as_str().into()),
                upload_id: None,
                is_latest: place == 0,
                uploaded: made.at,
                superseded,
                size: 1,
                etag: Some("abc".into()),
                storage_class: None,
                decision: decided(stack.len() == 1),
                read_failed: false,
                when_alone: (place == 0 && made.is_marker && stack.len() > 1).then(|| decided(true)),
            }
        };
        KeyGroup {
            key: "1/a".into(),
            items: newest_first.iter().enumerate().map(item).collect(),
            uploads: Vec::new(),
        }
    }

    fn plan(policy: &Policy, versioning: Versioning, stack: &[Made], now: DateTime<Utc>) -> Vec<PlanRow> {
        let kind = if versioning == Versioning::Never { Kind::Object } else { Kind::Version };
        let mut planner = Planner::new(policy, now);
        planner.plan_key(&context(policy, versioning, now), &group(policy, stack, kind, now))
    }

    /// The version that can be seen.
    fn seen(stack: &[Made]) -> Option<String> {
        stack.last().filter(|made| !made.is_marker).map(|made| made.id.clone())
    }

    fn one(hours: i64) -> Vec<Made> {
        vec![Made { id: "v1".to_owned(), at: at(hours), is_marker: false }]
    }

    #[test]
    fn a_version_is_hidden_when_it_is_due_and_removed_with_its_marker_after_the_window() {
        let policy = policy(&rule("a", 30, ", undo-window: 7 days"), "");
        let mut stack = one(10);
        let rows = |stack: &[Made], day: i64| -> Vec<(Action, Option<String>)> {
            let rows = plan(&policy, Versioning::Enabled, stack, at(24 * day));
            rows.into_iter().map(|row| (row.action, row.version_id.map(Into::into))).collect()
        };
        assert_eq!(rows(&stack, 30), []);
        assert_eq!(rows(&stack, 31), [(Action::Mark, Some("v1".to_owned()))]);
        // The marker is put at noon, and its seventh day ends with the midnight after.
        stack.push(Made { id: "m".to_owned(), at: at(24 * 31 + 12), is_marker: true });
        assert_eq!(rows(&stack, 38), []);
        let both = [(Action::Delete, Some("v1".to_owned())), (Action::Delete, Some("m".to_owned()))];
        assert_eq!(rows(&stack, 39), both);
    }

    #[test]
    fn what_is_hidden_by_a_marker_without_a_date_stays() {
        let policy = policy(&rule("a", 30, ", undo-window: 7 days"), "");
        let mut stack = one(10);
        stack.push(Made { id: "m".to_owned(), at: DateTime::UNIX_EPOCH, is_marker: true });
        assert_eq!(plan(&policy, Versioning::Enabled, &stack, at(24 * 400)), []);
    }

    #[test]
    fn the_longest_window_of_all_rules_counts() {
        let rules = rule("a", 30, ", undo-window: 7 days") + &rule("b", 10, ", undo-window: 1 month");
        let policy = policy(&rules, "");
        let mut stack = one(0);
        stack.push(Made { id: "m".to_owned(), at: at(24 * 31), is_marker: true });
        assert_eq!(plan(&policy, Versioning::Enabled, &stack, at(24 * 58)), []);
        assert_eq!(
            plan(&policy, Versioning::Enabled, &stack, at(24 * 59)).len(),
            2,
            "1 March is a month later"
        );
    }

    #[test]
    fn what_a_request_erases_keeps_its_window_and_is_not_copied() {
        let erasure = "erasures: [{id: req-1, reason: x, select: {tenants: [\"1\"]}, requested: 2026-01-02}]";
        let policy = policy(&rule("a", 300, ", undo-window: 7 days, export: s3://exports/"), erasure);
        let mut stack = one(0);
        let rows = plan(&policy, Versioning::Enabled, &stack, at(24 * 5));
        assert_eq!(rows.iter().map(|row| row.action).collect::<Vec<_>>(), [Action::Mark]);
        stack.push(Made { id: "m".to_owned(), at: at(24 * 5), is_marker: true });
        assert_eq!(plan(&policy, Versioning::Enabled, &stack, at(24 * 11)), []);
        let rows = plan(&policy, Versioning::Enabled, &stack, at(24 * 12));
        assert_eq!(
            rows.iter().map(|row| (row.action, row.export.clone())).collect::<Vec<_>>(),
            [(Action::Delete, None), (Action::Delete, None)]
        );
    }

    #[test]
    fn without_versions_a_rule_with_a_window_removes_nothing() {
        let policy = policy(&rule("a", 30, ", undo-window: 7 days"), "");
        for versioning in [Versioning::Never, Versioning::Suspended] {
            assert_eq!(plan(&policy, versioning, &one(0), at(24 * 90)), [], "{versioning:?}");
        }
    }

    #[test]
    fn what_is_copied_goes_to_one_place_and_to_none_of_two() {
        let one_place = policy(&rule("a", 30, ", export: s3://exports/x/"), "");
        let rows = plan(&one_place, Versioning::Enabled, &one(0), at(24 * 90));
        assert_eq!(rows[0].export.as_deref(), Some("s3://exports/x/media/1%2Fa/v1"));
        let rules = rule("a", 30, ", export: s3://exports/x/") + &rule("b", 10, ", export: s3://exports/y/");
        assert_eq!(plan(&policy(&rules, ""), Versioning::Enabled, &one(0), at(24 * 90)), []);
    }

    #[test]
    fn a_shorter_rule_that_asks_for_more_keeps_the_objects_of_a_longer_one_from_s3() {
        for more in [", export: s3://exports/x/", ", undo-window: 1 day"] {
            let rules = rule("long", 30, ", noncurrent: {retain: 1 day}") + &rule("short", 10, more);
            let policy = policy(&rules, "");
            let context = context(&policy, Versioning::Enabled, at(0));
            assert_eq!(context.compiled.claims, [], "{more}");
        }
    }

    proptest! {
        /// Runs come at any time, users write and delete in between: nothing is ever removed before it is due
        /// and has been hidden for the whole window, and nothing is hidden before it is due.
        #[test]
        fn nothing_goes_before_it_is_due_and_has_been_hidden_for_the_window(
            steps in proptest::collection::vec((1i64..200, 0u8..6), 1..40),
            retain in 1u32..40,
            window in 1u32..30,
            noncurrent in any::<bool>(),
        ) {
            let more = if noncurrent { ", noncurrent: {retain: 2 days}, enforce: direct" } else { "" };
            let policy = policy(&rule("a", retain, &format!(", undo-window: {window} days{more}")), "");
            let mut stack: Vec<Made> = Vec::new();
            let (mut hours, mut count) = (0, 0);
            for (passed, what) in steps {
                hours += passed;
                let now = at(hours);
                count += 1;
                match what {
                    0 => stack.push(Made { id: format!("v{count}"), at: now, is_marker: false }),
                    1 => stack.push(Made { id: format!("m{count}"), at: now, is_marker: true }),
                    _ => {
                        for row in plan(&policy, Versioning::Enabled, &stack, now) {
                            let before = seen(&stack);
                            let id = row.version_id.unwrap();
                            let place = stack.iter().position(|made| made.id == id).unwrap();
                            let made = stack[place].clone();
                            let hidden = stack.get(place + 1).map(|above| above.at);
                            let due = made.at + TimeDelta::days(retain.into());
                            match row.action {
                                Action::Mark => {
                                    prop_assert!(!made.is_marker && hidden.is_none() && now >= due);
                                    stack.push(Made { id: format!("mark{count}"), at: now, is_marker: true });
                                }
                                Action::Delete if made.is_marker => {
                                    stack.remove(place);
                                }
                                Action::Delete => {
                                    let hidden = hidden.unwrap();
                                    prop_assert!(now >= hidden + TimeDelta::days(window.into()));
                                    prop_assert!(noncurrent || now >= due);
                                    stack.remove(place);
                                }
                                Action::AbortUpload => prop_assert!(false),
                            }
                            prop_assert!(seen(&stack).is_none() || seen(&stack) == before, "it came back");
                        }
                    }
                }
            }
        }
    }
}
