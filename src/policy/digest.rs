//! What a policy says, in one canonical form, and its SHA-256: how files are split, ordered,
//! formatted and commented makes no difference, every value does.
//!
//! Each struct is taken apart field by field, so that the compiler asks for what is new.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::media::MediaRange;

use super::model::{
    Attribute, By, Condition, Enforce, Erasure, ExportPlace, Freshness, Guards, Hold, IfMissing, Limits,
    Noncurrent, Outside, Override, Policy, RecordCondition, RecordFormat, Rule, Select, SizeRange, Source,
    Table, Term, Transition, Trigger, Within,
};

/// The digest of everything but the holds.
pub(super) fn of_all_but_holds(policy: &Policy) -> String {
    let Policy {
        name,
        timezone,
        account,
        tenant,
        tables,
        rules,
        overrides,
        erasures,
        holds: _,
        guards: of_policy,
        tolerance_days,
        // What becomes of the evidence decides nothing.
        evidence_retain: _,
        digest: _,
        holds_digest: _,
    } = policy;
    sha256(
        &Form::new("policy 1")
            .text("name", name)
            .text("timezone", timezone.name())
            .maybe("account", account.as_ref())
            .list("tenant", tenant.iter().map(attribute))
            .set("tables", tables.iter().map(table))
            .set("rules", rules.iter().map(|r| rule(r, policy)))
            .set("overrides", overrides.iter().map(|o| over(o, policy)))
            .set("erasures", erasures.iter().map(erasure))
            .form("guards", guards(of_policy))
            .text("tolerance", tolerance_days)
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
    let Table { name, place, format, id, by, fresh, columns } = table;
    let by = match by {
        By::Tenant => Form::new("tenant"),
        By::Attribute(found) => attribute(found),
    };
    let form = Form::new("table")
        .text("name", name)
        .text("file", place)
        .text("format", format_name(*format))
        .text("id", id)
        .form("by", by)
        .set("columns", columns.iter().map(|column| Form::new("column").text("name", column)));
    match fresh {
        Some(Freshness { within, exported_at }) => {
            form.text("fresh-within", within).text("exported-at", exported_at)
        }
        None => form,
    }
}

fn rule(rule: &Rule, policy: &Policy) -> Form {
    let Rule {
        id,
        data,
        select: selected,
        trigger: from,
        retain,
        enforce: by,
        noncurrent,
        incomplete_uploads,
        transitions,
        export,
        undo_window,
        evidence_per_object,
        guards: of_rule,
    } = rule;
    let place = |ExportPlace { bucket, prefix }: &ExportPlace| format!("s3://{bucket}/{prefix}");
    let form = Form::new("rule")
        .text("id", id)
        .maybe("data", data.as_ref())
        .form("select", select(selected))
        .form("trigger", trigger(from, policy))
        .text("retain", retain)
        .text("enforce", enforce(*by))
        .maybe("incomplete-uploads", *incomplete_uploads)
        .list("transitions", transitions.iter().map(transition))
        .maybe("export", export.as_ref().map(place))
        .maybe("undo-window", *undo_window)
        .text("evidence-per-object", evidence_per_object)
        .form("guards", guards(of_rule));
    match noncurrent {
        Some(Noncurrent { retain, newer_versions }) => {
            form.text("noncurrent", retain).text("newer", newer_versions)
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
    let Select { buckets, prefix, key, media, content_type, tags, metadata, size, tenants, except } = select;
    let SizeRange { over, under } = size.unwrap_or_default();
    let form = Form::new("select")
        .set("buckets", buckets.iter().map(|bucket| Form::new("bucket").text("name", bucket.as_str())))
        .maybe("prefix", prefix.as_ref())
        .maybe("key", key.as_ref().map(|pattern| pattern.as_str()));
    let form = match media {
        Some(media) => form.set("media", media.iter().map(media_range)),
        None => form,
    };
    let form = match content_type {
        Some(types) => form.set("content-type", types.iter().map(media_range)),
        None => form,
    };
    let form = form
        .set("tags", tags.iter().map(condition))
        .set("metadata", metadata.iter().map(condition))
        .maybe("over", over)
        .maybe("under", under)
        .set("except", except.iter().map(self::select));
    match tenants {
        Some(tenants) => form.form("tenants", set_of_tenants(tenants)),
        None => form,
    }
}

fn media_range(range: &MediaRange) -> Form {
    Form::new("media").text("range", range)
}

fn condition(condition: &Condition) -> Form {
    let Condition { name, values } = condition;
    Form::new("condition").text("name", name).set("values", words(values))
}

fn words(words: &[String]) -> impl Iterator<Item = Form> + '_ {
    words.iter().map(|word| Form::new("word").text("", word))
}

fn transition(transition: &Transition) -> Form {
    let Transition { after, to } = transition;
    Form::new("transition").text("after", after).text("to", to)
}

const fn format_name(format: RecordFormat) -> &'static str {
    match format {
        RecordFormat::Csv => "csv",
        RecordFormat::JsonLines => "jsonl",
        RecordFormat::Parquet => "parquet",
    }
}

fn set_of_tenants(tenants: &[String]) -> Form {
    Form::new("tenants").set("", tenants.iter().map(|tenant| Form::new("tenant").text("id", tenant)))
}

fn trigger(trigger: &Trigger, policy: &Policy) -> Form {
    let Trigger { name, source, format, within: window, outside, if_missing } = trigger;
    let source = match source {
        Source::Uploaded => Form::new("uploaded"),
        Source::Attribute(found) => attribute(found),
        Source::Record { table, column } => Form::new("record")
            .maybe("table", policy.tables.get(*table).map(|table| &table.name))
            .text("column", column),
        Source::Earliest(terms) => Form::new("earliest").set("terms", terms.iter().map(|t| term(t, policy))),
        Source::Latest(terms) => Form::new("latest").set("terms", terms.iter().map(|t| term(t, policy))),
        Source::First(terms) => Form::new("first").list("terms", terms.iter().map(|t| term(t, policy))),
    };
    let form = Form::new("trigger")
        .maybe("name", name.as_ref())
        .form("source", source)
        .maybe("format", format.as_ref());
    let form = match window {
        Some(found) => form.form("within", within(*found)),
        None => form,
    };
    let outside = match outside {
        Outside::Undecided => "undecided",
        Outside::Clamp => "clamp",
    };
    let if_missing = if_missing.map(|if_missing| match if_missing {
        IfMissing::Undecided => "undecided",
        IfMissing::Uploaded => "uploaded",
        IfMissing::Retained => "retained",
    });
    form.text("outside", outside).maybe("if-missing", if_missing)
}

fn term(term: &Term, policy: &Policy) -> Form {
    let Term { trigger: of_term, plus } = term;
    Form::new("term").form("trigger", trigger(of_term, policy)).maybe("plus", *plus)
}

fn within(within: Within) -> Form {
    let Within { before, after } = within;
    Form::new("within").maybe("before", before).maybe("after", after)
}

fn over(over: &Override, policy: &Policy) -> Form {
    let Override { tenants, condition, rule, retain, agreement, legal_basis, until } = over;
    let condition = condition.as_ref().map(|RecordCondition { table, column, is }| {
        Form::new("where")
            .maybe("table", policy.tables.get(*table).map(|table| &table.name))
            .text("column", column)
            .set("is", words(is))
            .0
    });
    Form::new("override")
        .maybe("where", condition)
        .maybe("legal-basis", legal_basis.as_ref())
        .maybe("tenants", tenants.as_ref().map(|tenants| set_of_tenants(tenants).0))
        .maybe("rule", policy.rules.get(*rule).map(|rule| &rule.id))
        .text("retain", retain)
        .maybe("agreement", agreement.as_ref())
        .maybe("until", *until)
}

fn erasure(erasure: &Erasure) -> Form {
    let Erasure { id, reason, select: selected, requested } = erasure;
    Form::new("erasure")
        .text("id", id)
        .text("reason", reason)
        .form("select", select(selected))
        .text("requested", requested)
}

fn hold(hold: &Hold) -> Form {
    let Hold { id, reason, select: selected, released } = hold;
    Form::new("hold")
        .text("id", id)
        .text("reason", reason)
        .form("select", select(selected))
        .maybe("released", *released)
}

fn guards(guards: &Guards) -> Form {
    let Guards {
        max_share,
        max_objects,
        max_bytes,
        max_times_usual,
        max_plan_age,
        max_shrink,
        per_bucket,
        per_tenant,
        stop_file,
    } = guards;
    let each = |limits: &Limits| (!limits.is_none()).then(|| self::limits(*limits).0);
    limits(Limits { max_share: *max_share, max_objects: *max_objects, max_bytes: *max_bytes })
        .maybe("max-plan-age", *max_plan_age)
        .maybe("max-shrink", *max_shrink)
        .maybe("max-times-usual", *max_times_usual)
        .maybe("per-bucket", each(per_bucket))
        .maybe("per-tenant", each(per_tenant))
        .maybe("stop-file", stop_file.as_ref())
}

fn limits(limits: Limits) -> Form {
    let Limits { max_share, max_objects, max_bytes } = limits;
    Form::new("guards")
        .maybe("max-share", max_share)
        .maybe("max-objects", max_objects)
        .maybe("max-bytes", max_bytes)
}
