//! What a policy says, in one canonical form, and its SHA-256: how files are split, ordered,
//! formatted and commented makes no difference, every value does.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::model::{
    Attribute, By, Enforce, Guards, Hold, IfMissing, Outside, Override, Policy, Rule, Select, Source, Table,
    Term, Trigger, Within,
};

/// The digest of everything but the holds.
pub(super) fn of_all_but_holds(policy: &Policy) -> String {
    sha256(
        &Form::new("policy 1")
            .text("name", &policy.name)
            .text("timezone", policy.timezone.name())
            .maybe("account", policy.account.as_ref())
            .list("tenant", policy.tenant.iter().map(attribute))
            .set("tables", policy.tables.iter().map(table))
            .set("rules", policy.rules.iter().map(|r| rule(r, policy)))
            .set("overrides", policy.overrides.iter().map(|o| over(o, policy)))
            .form("guards", guards(&policy.guards))
            .text("tolerance", policy.tolerance_days)
            .0,
    )
}

/// The digest of the holds.
pub(super) fn of_holds(policy: &Policy) -> String {
    sha256(&Form::new("holds 1").set("holds", policy.holds.iter().map(hold)).0)
}

fn sha256(text: &str) -> String {
    let mut hex = String::new();
    for byte in Sha256::digest(text) {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// Canonical text under construction. Each value carries its length, so that no value can
/// imitate another's end.
struct Form(String);

impl Form {
    fn new(kind: &str) -> Self {
        Self(format!("({kind})"))
    }

    fn text(mut self, name: &str, value: impl ToString) -> Self {
        let value = value.to_string();
        let _ = write!(self.0, "{name}={}:{value};", value.len());
        self
    }

    fn maybe(self, name: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    fn form(self, name: &str, form: Self) -> Self {
        self.text(name, form.0)
    }

    /// Values whose order counts.
    fn list(self, name: &str, values: impl Iterator<Item = Self>) -> Self {
        let inner = values.fold(Self(String::new()), |all, value| all.form("", value));
        self.form(name, inner)
    }

    /// Values whose order does not.
    fn set(self, name: &str, values: impl Iterator<Item = Self>) -> Self {
        let mut values: Vec<_> = values.map(|value| value.0).collect();
        values.sort();
        self.list(name, values.into_iter().map(Self))
    }
}

fn attribute(attribute: &Attribute) -> Form {
    match attribute {
        Attribute::Key(pattern) => Form::new("key").text("pattern", pattern.as_str()),
        Attribute::Metadata(name) => Form::new("metadata").text("name", name),
        Attribute::Tag(key) => Form::new("tag").text("key", key),
    }
}

fn table(table: &Table) -> Form {
    let by = match &table.by {
        By::Tenant => Form::new("tenant"),
        By::Attribute(found) => attribute(found),
    };
    let form = Form::new("table")
        .text("name", &table.name)
        .text("file", &table.file)
        .text("id", &table.id)
        .form("by", by)
        .set("columns", table.columns.iter().map(|column| Form::new("column").text("name", column)));
    match &table.fresh {
        Some(fresh) => form.text("fresh-within", fresh.within).text("exported-at", &fresh.exported_at),
        None => form,
    }
}

fn rule(rule: &Rule, policy: &Policy) -> Form {
    let form = Form::new("rule")
        .text("id", &rule.id)
        .maybe("data", rule.data.as_ref())
        .form("select", select(&rule.select))
        .form("trigger", trigger(&rule.trigger, policy))
        .text("retain", rule.retain)
        .text("enforce", enforce(rule.enforce))
        .maybe("incomplete-uploads", rule.incomplete_uploads)
        .form("guards", guards(&rule.guards));
    match rule.noncurrent {
        Some(noncurrent) => {
            form.text("noncurrent", noncurrent.retain).text("newer", noncurrent.newer_versions)
        }
        None => form,
    }
}

const fn enforce(enforce: Enforce) -> &'static str {
    match enforce {
        Enforce::Auto => "auto",
        Enforce::Lifecycle => "lifecycle",
        Enforce::Direct => "direct",
        Enforce::Observe => "observe",
    }
}

fn select(select: &Select) -> Form {
    let form = Form::new("select")
        .set("buckets", select.buckets.iter().map(|bucket| Form::new("bucket").text("name", bucket.as_str())))
        .maybe("prefix", select.prefix.as_ref())
        .maybe("key", select.key.as_ref().map(|pattern| pattern.as_str()));
    match &select.tenants {
        Some(tenants) => form.form("tenants", set_of_tenants(tenants)),
        None => form,
    }
}

fn set_of_tenants(tenants: &[String]) -> Form {
    Form::new("tenants").set("", tenants.iter().map(|tenant| Form::new("tenant").text("id", tenant)))
}

fn trigger(trigger: &Trigger, policy: &Policy) -> Form {
    let source = match &trigger.source {
        Source::Uploaded => Form::new("uploaded"),
        Source::Attribute(found) => attribute(found),
        Source::Record { table, column } => Form::new("record")
            .maybe("table", policy.tables.get(*table).map(|table| &table.name))
            .text("column", column),
        Source::Earliest(terms) => Form::new("earliest").set("terms", terms.iter().map(|t| term(t, policy))),
    };
    let form = Form::new("trigger").maybe("name", trigger.name.as_ref()).form("source", source);
    let form = match trigger.within {
        Some(found) => form.form("within", within(found)),
        None => form,
    };
    let outside = match trigger.outside {
        Outside::Undecided => "undecided",
        Outside::Clamp => "clamp",
    };
    let if_missing = trigger.if_missing.map(|if_missing| match if_missing {
        IfMissing::Undecided => "undecided",
        IfMissing::Uploaded => "uploaded",
        IfMissing::Retained => "retained",
    });
    form.text("outside", outside).maybe("if-missing", if_missing)
}

fn term(term: &Term, policy: &Policy) -> Form {
    Form::new("term").form("trigger", trigger(&term.trigger, policy)).maybe("plus", term.plus)
}

fn within(within: Within) -> Form {
    Form::new("within").maybe("before", within.before).maybe("after", within.after)
}

fn over(over: &Override, policy: &Policy) -> Form {
    Form::new("override")
        .form("tenants", set_of_tenants(&over.tenants))
        .maybe("rule", policy.rules.get(over.rule).map(|rule| &rule.id))
        .text("retain", over.retain)
        .maybe("agreement", over.agreement.as_ref())
        .maybe("until", over.until)
}

fn hold(hold: &Hold) -> Form {
    Form::new("hold")
        .text("id", &hold.id)
        .text("reason", &hold.reason)
        .form("select", select(&hold.select))
        .maybe("released", hold.released)
}

fn guards(guards: &Guards) -> Form {
    Form::new("guards")
        .maybe("max-share", guards.max_share)
        .maybe("max-objects", guards.max_objects)
        .maybe("max-bytes", guards.max_bytes)
        .maybe("max-plan-age", guards.max_plan_age)
}
