//! The whole policy: what must be there, unique and known, and all parts put together.

use std::collections::HashMap;

use chrono::NaiveDate;
use chrono_tz::Tz;

use super::overrides::{self, PlacedOverride};
use super::placed::PlacedRule;
use super::triggers::Triggers;
use super::warnings;
use crate::policy::codes::Code;
use crate::policy::decode::{Raw, RawHold, RawRule, RawTable};
use crate::policy::diagnostic::{At, Faults, Spanned};
use crate::policy::digest;
use crate::policy::model::{By, Freshness, Hold, Policy, Rule, Source, Table, Trigger};

/// How late S3 may be by default, in days.
const DEFAULT_TOLERANCE_DAYS: u32 = 3;

/// The day on which something stops having an effect.
pub(in crate::policy) struct LastDay {
    pub day: NaiveDate,
    pub at: At,
    /// `the hold `case-1``.
    pub what: String,
}

/// Builds the policy; what comes back is of use only if no fault was recorded.
///
/// `complete` is false if a file could not be read, and then nothing is reported as missing.
pub(in crate::policy) fn policy(
    raw: Raw,
    complete: bool,
    faults: &mut Faults,
    warnings: &mut Faults,
) -> (Policy, Vec<LastDay>) {
    if complete {
        missing(&raw, faults);
    }
    unique("record file", raw.tables.iter().map(|(name, _)| name), faults);
    unique("trigger", raw.triggers.iter().map(|(name, _)| name), faults);
    unique("rule", raw.rules.iter().filter_map(|rule| rule.id.as_ref()), faults);
    unique("hold", raw.holds.iter().filter_map(|hold| hold.id.as_ref()), faults);

    let mut tables: Vec<Table> = raw.tables.iter().map(|(name, raw)| table(name, raw.as_ref())).collect();
    tables.sort_by(|a, b| a.name.cmp(&b.name));

    let mut triggers = Triggers::new(&raw.triggers, &tables, complete, faults);
    let mut rules: Vec<_> = raw.rules.iter().filter_map(|raw| rule(raw, &mut triggers, faults)).collect();
    rules.sort_by(|a, b| a.rule.id.cmp(&b.rule.id));
    for unused in triggers.resolve_unused(faults) {
        warnings.add(Code::UnusedTrigger, unused.at, format!("no rule uses the trigger `{}`", unused.value));
    }
    for placed in &rules {
        ask_for_columns(&placed.rule.trigger, &mut tables);
    }

    let overrides = overrides::overrides(&raw.overrides, &raw.rules, &rules, complete, faults);
    let mut holds: Vec<_> = raw.holds.into_iter().filter_map(hold).collect();
    holds.sort_by(|a, b| a.value.id.cmp(&b.value.id));

    warnings::rules(&rules, warnings);
    warnings::overrides(&overrides, &rules, warnings);
    warnings::tables(&raw.tables, &tables, warnings);
    let last_days = last_days(&overrides, &holds, &rules);

    let mut policy = Policy {
        name: raw.name.and_then(|name| name.value).unwrap_or_default(),
        timezone: raw.timezone.and_then(|zone| zone.value).unwrap_or(Tz::UTC),
        account: raw.account.and_then(|account| account.value),
        tenant: raw.tenant.and_then(|tenant| tenant.value).unwrap_or_default(),
        tables,
        rules: rules.into_iter().map(|placed| placed.rule).collect(),
        overrides: overrides.into_iter().map(|placed| placed.over).collect(),
        holds: holds.into_iter().map(|hold| hold.value).collect(),
        guards: raw.guards.and_then(|guards| guards.value).unwrap_or_default(),
        tolerance_days: raw.tolerance.and_then(|days| days.value).unwrap_or(DEFAULT_TOLERANCE_DAYS),
        digest: String::new(),
        holds_digest: String::new(),
    };
    policy.digest = digest::of_all_but_holds(&policy);
    policy.holds_digest = digest::of_holds(&policy);
    (policy, last_days)
}

/// Reports what every policy must say, at the start of its first file.
fn missing(raw: &Raw, faults: &mut Faults) {
    let start = At { file: 0, start: 0, end: 0 };
    let needed = [
        (raw.version.is_some(), "`version: 1`"),
        (raw.name.is_some(), "`name`, which marks the lifecycle rules that it owns"),
        (!raw.rules.is_empty(), "rules"),
    ];
    for (_, what) in needed.iter().filter(|(given, _)| !given) {
        faults.add(Code::MissingKey, start, format!("the policy needs {what}"));
    }
    if raw.tenant.is_none() {
        for wanted in &raw.wanted_tenants {
            faults
                .add(
                    Code::NoTenantSource,
                    wanted.at,
                    format!("{} goes by tenant, and there is no `tenant:`", wanted.by),
                )
                .help("say where an object's tenant stands: `tenant: [{key: \"*/{tenant}/**\"}]`");
        }
    }
}

fn unique<'r>(what: &str, names: impl Iterator<Item = &'r Spanned<String>>, faults: &mut Faults) {
    let mut first: HashMap<&str, At> = HashMap::new();
    for name in names {
        match first.get(name.value.as_str()) {
            Some(first) => {
                faults
                    .add(Code::DuplicateId, name.at, format!("there is another {what} `{}`", name.value))
                    .see(*first, "first given here");
            }
            None => {
                first.insert(&name.value, name.at);
            }
        }
    }
}

fn table(name: &Spanned<String>, raw: Option<&RawTable>) -> Table {
    let fresh = raw.and_then(|raw| {
        let (within, exported_at) = raw.fresh_within.as_ref().zip(raw.exported_at.as_ref())?;
        Some(Freshness { within: within.value, exported_at: exported_at.value.clone() })
    });
    Table {
        name: name.value.clone(),
        file: raw.and_then(|raw| raw.file.clone()).unwrap_or_default(),
        id: raw.and_then(|raw| raw.id.clone()).unwrap_or_default(),
        by: raw.and_then(|raw| raw.by.clone()).unwrap_or(By::Tenant),
        fresh,
        columns: Vec::new(),
    }
}

fn ask_for_columns(trigger: &Trigger, tables: &mut [Table]) {
    match &trigger.source {
        Source::Record { table, column } => {
            if let Some(table) = tables.get_mut(*table)
                && let Err(place) = table.columns.binary_search(column)
            {
                table.columns.insert(place, column.clone());
            }
        }
        Source::Earliest(terms) => terms.iter().for_each(|term| ask_for_columns(&term.trigger, tables)),
        Source::Uploaded | Source::Attribute(_) => {}
    }
}

fn rule<'r>(raw: &'r RawRule, triggers: &mut Triggers<'r>, faults: &mut Faults) -> Option<PlacedRule> {
    let trigger = raw.trigger.as_ref().and_then(|trigger| triggers.of_rule(trigger, faults));
    let (id, select) = raw.id.as_ref().zip(raw.select.as_ref())?;
    let rule = Rule {
        id: id.value.clone(),
        data: raw.data.clone(),
        select: select.select.clone(),
        trigger: trigger?,
        retain: raw.retain?,
        enforce: raw.enforce,
        noncurrent: raw.noncurrent,
        incomplete_uploads: raw.incomplete_uploads,
        guards: raw.guards,
    };
    Some(PlacedRule { rule, at: id.at, prefix_at: select.prefix_at })
}

fn hold(raw: RawHold) -> Option<Spanned<Hold>> {
    let id = raw.id?;
    let at = raw.released.as_ref().map_or(id.at, |released| released.at);
    let value = Hold {
        id: id.value,
        reason: raw.reason?,
        select: raw.select?.select,
        released: raw.released.map(|released| released.value),
    };
    Some(Spanned { value, at })
}

fn last_days(overrides: &[PlacedOverride], holds: &[Spanned<Hold>], rules: &[PlacedRule]) -> Vec<LastDay> {
    let of_overrides = overrides.iter().filter_map(|placed| {
        let what = rules
            .get(placed.over.rule)
            .map_or_else(String::new, |placed| format!("the override of `{}`", placed.rule.id));
        Some(LastDay { day: placed.over.until?, at: placed.until_at?, what })
    });
    let of_holds = holds.iter().filter_map(|hold| {
        Some(LastDay {
            day: hold.value.released?,
            at: hold.at,
            what: format!("the hold `{}`", hold.value.id),
        })
    });
    of_overrides.chain(of_holds).collect()
}
