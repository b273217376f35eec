//! What would have to be known to decide what is undecided: which attribute, record or permission.

use super::values::{Value, Values};
use super::words;
use crate::calendar::Moment;
use crate::decide::{Judgement, Owner, Reason, Verdict};
use crate::object::{Kind, Observed, Reading, Unreadable};
use crate::policy::{Attribute, By, IfMissing, Select, Source, Trigger};
use crate::records::NoValue;

/// In the order of the reasons, without repeats; empty unless it is undecided.
pub fn wanted(values: Values<'_>, judgement: &Judgement) -> Vec<String> {
    if judgement.decision.verdict != Verdict::Undecided {
        return Vec::new();
    }
    let mut wanted = Wanted { values, found: Vec::new() };
    for reason in &judgement.decision.reasons {
        wanted.by_reason(reason);
    }
    if values.tenancy.owner == Owner::Anybody {
        wanted.tenant();
    }
    let needs = judgement.needs;
    let is_there = |what: &str, found: &[String]| found.iter().any(|line| line.starts_with(what));
    if needs.head && !is_there("metadata", &wanted.found) && !is_there("its content type", &wanted.found) {
        wanted.add("its metadata and content type, which are not given".to_owned());
    }
    if needs.tags && !is_there("tag", &wanted.found) {
        wanted.add("its tags, which are not given".to_owned());
    }
    if needs.lock {
        wanted.add("its Object Lock state, which is not given".to_owned());
    }
    wanted.found
}

struct Wanted<'a> {
    values: Values<'a>,
    found: Vec<String>,
}

impl<'a> Wanted<'a> {
    fn add(&mut self, what: String) {
        if !self.found.contains(&what) {
            self.found.push(what);
        }
    }

    fn by_reason(&mut self, reason: &Reason) {
        let policy = self.values.policy;
        match *reason {
            Reason::TriggerUnknown { rule, .. } => {
                if let Some(rule) = policy.rules.get(rule) {
                    self.trigger(&rule.trigger);
                }
            }
            Reason::RuleMightCover { rule, .. } => {
                if let Some(rule) = policy.rules.get(rule) {
                    self.select(&rule.select);
                }
            }
            Reason::HoldMightFit { hold, .. } => {
                if let Some(hold) = policy.holds.get(hold) {
                    self.select(&hold.select);
                }
            }
            Reason::ErasureMightFit { erasure, .. } => {
                if let Some(erasure) = policy.erasures.get(erasure) {
                    self.select(&erasure.select);
                }
            }
            Reason::OverrideMightApply { over, .. } => {
                let condition = policy.overrides.get(over).and_then(|over| over.condition.as_ref());
                if let Some(condition) = condition {
                    self.record(condition.table, &condition.column, true);
                }
            }
            Reason::TenantUnknown(_) => self.tenant(),
            Reason::LockUnknown(why) => {
                let how = unreadable(why, "s3:GetObjectRetention and s3:GetObjectLegalHold");
                self.add(format!("its Object Lock state: {how}"));
            }
            _ => {}
        }
    }

    /// The parts of a trigger whose values are not known, or of no use.
    fn trigger(&mut self, trigger: &'a Trigger) {
        for (leaf, _) in words::leaves(trigger) {
            match &leaf.source {
                Source::Attribute(attribute) => self.dated(leaf, trigger, attribute),
                Source::Record { table, column } => {
                    self.record(*table, column, decides_when_missing(leaf, trigger));
                }
                _ => {}
            }
        }
    }

    fn dated(&mut self, leaf: &Trigger, whole: &Trigger, attribute: &'a Attribute) {
        let name = words::attribute(attribute);
        match self.values.attribute(attribute, "") {
            Value::Known(text) => {
                let zone = self.values.policy.timezone;
                let read = match &leaf.format {
                    Some(format) => format.read(text, zone),
                    None => Moment::parse(text, zone),
                };
                match read {
                    Err(_) => self.add(format!("{name} as a date that can be meant; it says \"{text}\"")),
                    Ok(_) if leaf.within.is_some() => {
                        self.add(format!("{name} as a date near the upload; it says \"{text}\""));
                    }
                    Ok(_) => {}
                }
            }
            Value::Absent if matches!(attribute, Attribute::Key(_)) => {}
            Value::Absent if decides_when_missing(leaf, whole) => {
                self.add(format!("{name}, which the object does not have"));
            }
            other => self.unknown(&name, other, permission(attribute)),
        }
    }

    fn unknown(&mut self, name: &str, value: Value<'_>, permission: &str) {
        match value {
            Value::Unread => self.add(format!("{name}, which is not given")),
            Value::Unreadable(why) => self.add(format!("{name}: {}", unreadable(why, permission))),
            _ => {}
        }
    }

    /// `matters`: an empty field leaves it open too.
    fn record(&mut self, table: usize, column: &str, matters: bool) {
        let policy = self.values.policy;
        let Some(spec) = policy.tables.get(table) else { return };
        let name = format!("record {}.{column}", spec.name);
        let id = match self.values.record_id(table) {
            Value::Known(id) => id,
            _ => {
                if let By::Attribute(attribute) = &spec.by {
                    let source = words::attribute(attribute);
                    match self.values.attribute(attribute, "id") {
                        Value::Absent => {
                            self.add(format!(
                                "{source}, which the object does not have: {name} is looked up by it"
                            ));
                        }
                        other => self.unknown(&source, other, permission(attribute)),
                    }
                } else {
                    self.add(format!("whose it is: {name} is looked up by the tenant"));
                }
                return;
            }
        };
        match self.values.record(table, column) {
            Value::NoRecord(NoValue::NoRow) => self.add(format!("{name}: a row for {id} in {}", spec.place)),
            Value::NoRecord(NoValue::Duplicate) => {
                self.add(format!("{name}: which of several rows for {id} in {} is right", spec.place));
            }
            Value::NoRecord(NoValue::Unusable) => {
                self.add(format!("{name}: {} as a file that is there, sound and fresh", spec.place));
            }
            Value::Absent if matters => self.add(format!("{name} of {id}, which is empty")),
            _ => {}
        }
    }

    /// What a select goes by and is not known.
    fn select(&mut self, select: &'a Select) {
        for select in std::iter::once(select).chain(&select.except) {
            let object = self.values.object;
            if select.content_type.is_some() {
                self.reading("its content type", &object.content_type, "s3:GetObject");
            }
            for condition in &select.metadata {
                self.reading(&format!("metadata {}", condition.name), &object.metadata, "s3:GetObject");
            }
            for condition in &select.tags {
                self.reading(&format!("tag {}", condition.name), &object.tags, "s3:GetObjectTagging");
            }
            if select.size.is_some() && !has_size(object) {
                self.add("its size: uploads and delete markers do not show any, so it stays open".to_owned());
            }
            if select.tenants.is_some() && self.values.tenancy.obscured.is_some() {
                self.tenant();
            }
        }
    }

    fn reading<T>(&mut self, name: &str, reading: &Reading<T>, permission: &str) {
        match reading {
            Reading::Known(_) => {}
            Reading::Unread => self.add(format!("{name}, which is not given")),
            Reading::Unknown(why) => self.add(format!("{name}: {}", unreadable(*why, permission))),
        }
    }

    fn tenant(&mut self) {
        for source in &self.values.policy.tenant {
            let name = format!("{} (whose it is)", words::attribute(source));
            let value = self.values.attribute(source, "tenant");
            self.unknown(&name, value, permission(source));
        }
    }
}

/// Whether nothing is said of what it means that there is no value.
fn decides_when_missing(leaf: &Trigger, whole: &Trigger) -> bool {
    let says =
        |trigger: &Trigger| matches!(trigger.if_missing, Some(IfMissing::Uploaded | IfMissing::Retained));
    !says(leaf) && !says(whole)
}

/// Whether a listing tells the size.
pub const fn has_size(object: &Observed<'_>) -> bool {
    matches!(object.kind, Kind::Object | Kind::Version)
}

const fn permission(attribute: &Attribute) -> &'static str {
    match attribute {
        Attribute::Tag(_) => "s3:GetObjectTagging",
        Attribute::Metadata(_) | Attribute::Key(_) => "s3:GetObject",
    }
}

fn unreadable(why: Unreadable, permission: &str) -> String {
    match why {
        Unreadable::Denied => format!("reading it takes the permission {permission}, which is denied"),
        Unreadable::Failed => "the store did not answer; ask again".to_owned(),
        Unreadable::NotKept => "uploads and delete markers do not show it, so it stays open".to_owned(),
        Unreadable::Unclear => "the key can be taken apart in several ways, so it stays open".to_owned(),
    }
}
