//! The whole policy: what must be there, unique and known, and all parts put together.

use std::collections::HashMap;

use chrono_tz::Tz;

use super::lengths::Lengths;
use super::placed::{PlacedErasure, PlacedHold};
use super::references::Tables;
use super::triggers::Triggers;
use super::{overrides, own_files, rules, warnings};
use crate::policy::codes::Code;
use crate::policy::decode::{Raw, RawErasure, RawHold, RawTable};
use crate::policy::diagnostic::{At, Faults, Spanned};
use crate::policy::digest;
use crate::policy::layout::{ErasureLayout, HoldLayout, Layout, OverrideLayout, RuleLayout};
use crate::policy::model::{By, Erasure, Freshness, Hold, Policy, RecordPlace, Source, Table, Trigger};

/// How late S3 may be by default, in days.
const DEFAULT_TOLERANCE_DAYS: u32 = 3;

/// Builds the policy; what comes back is of use only if no fault was recorded.
///
/// `complete` is false if a file could not be read, and then nothing is reported as missing.
pub(in crate::policy) fn policy(
    mut raw: Raw,
    complete: bool,
    faults: &mut Faults,
    warnings: &mut Faults,
) -> (Policy, Layout) {
    if complete {
        missing(&raw, faults);
    }
    unique("record file", raw.tables.iter().map(|(name, _)| name), faults);
    unique("trigger", raw.triggers.iter().map(|(name, _)| name), faults);
    unique("rule", raw.rules.iter().filter_map(|rule| rule.id.as_ref()), faults);
    unique("erasure", raw.erasures.iter().filter_map(|erasure| erasure.id.as_ref()), faults);
    unique("hold", raw.holds.iter().filter_map(|hold| hold.id.as_ref()), faults);

    let mut tables: Vec<Table> = raw.tables.iter().map(|(name, raw)| table(name, raw.as_ref())).collect();
    tables.sort_by(|a, b| a.name.cmp(&b.name));

    let named = Tables::new(&tables, complete);
    let mut lengths = Lengths::default();
    let mut triggers = Triggers::new(&raw.triggers, &named, faults);
    let mut rules: Vec<_> =
        raw.rules.iter().filter_map(|raw| rules::rule(raw, &mut triggers, &mut lengths, faults)).collect();
    rules.sort_by(|a, b| a.rule.id.cmp(&b.rule.id));
    for unused in triggers.resolve_unused(faults) {
        warnings.add(Code::UnusedTrigger, unused.at, format!("no rule uses the trigger `{}`", unused.value));
    }
    warnings.append(triggers.warnings());
    for placed in &rules {
        ask_for_dates(&placed.rule.trigger, &mut tables);
    }

    let overrides = overrides::overrides(raw.overrides, &raw.rules, &rules, &named, &mut lengths, faults);
    for condition in overrides.iter().filter_map(|placed| placed.over.condition.as_ref()) {
        ask_for(condition.table, &condition.column, &mut tables);
    }
    let mut erasures: Vec<_> = raw.erasures.into_iter().filter_map(erasure).collect();
    erasures.sort_by(|a, b| a.erasure.id.cmp(&b.erasure.id));
    let mut holds: Vec<_> = raw.holds.into_iter().filter_map(hold).collect();
    holds.sort_by(|a, b| a.hold.id.cmp(&b.hold.id));

    warnings.append(std::mem::take(&mut raw.warnings));
    warnings::overrides(&overrides, &rules, &mut lengths, warnings);
    warnings::tables(&raw.tables, &tables, warnings);
    let table_names: Vec<_> = raw.tables.iter().map(|(name, _)| name).collect();
    let stop_file = raw.guards.as_ref().and_then(|it| Some((it.value.as_ref()?.stop_file.as_ref()?, it.at)));
    own_files::of_other_rules(&rules, &tables, &table_names, stop_file, warnings);
    let layout = Layout {
        name: raw.name.as_ref().map_or(At { file: 0, start: 0, end: 0 }, |name| name.at),
        timezone: raw.timezone.as_ref().map(|zone| zone.at),
        rules: rules.iter().map(RuleLayout::from).collect(),
        overrides: overrides.iter().map(OverrideLayout::from).collect(),
        erasures: erasures.iter().map(ErasureLayout::from).collect(),
        holds: holds.iter().map(HoldLayout::from).collect(),
    };

    let mut policy = Policy {
        name: raw.name.and_then(|name| name.value).unwrap_or_default(),
        timezone: raw.timezone.and_then(|zone| zone.value).unwrap_or(Tz::UTC),
        account: raw.account.and_then(|account| account.value),
        tenant: raw.tenant.and_then(|tenant| tenant.value).unwrap_or_default(),
        tables,
        rules: rules.into_iter().map(|placed| placed.rule).collect(),
        overrides: overrides.into_iter().map(|placed| placed.over).collect(),
        erasures: erasures.into_iter().map(|placed| placed.erasure).collect(),
        holds: holds.into_iter().map(|placed| placed.hold).collect(),
        guards: raw.guards.and_then(|guards| guards.value).unwrap_or_default(),
        tolerance_days: raw.tolerance.and_then(|days| days.value).unwrap_or(DEFAULT_TOLERANCE_DAYS),
        evidence_retain: raw.evidence.and_then(|retain| retain.value),
        digest: String::new(),
        holds_digest: String::new(),
    };
    policy.digest = digest::of_all_but_holds(&policy);
    policy.holds_digest = digest::of_holds(&policy);
    (policy, layout)
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
        place: raw.and_then(|raw| raw.place.clone()).unwrap_or_else(|| RecordPlace::Folder(String::new())),
        format: raw.and_then(|raw| raw.format).unwrap_or_default(),
        id: raw.and_then(|raw| raw.id.clone()).unwrap_or_default(),
        by: raw.and_then(|raw| raw.by.clone()).unwrap_or(By::Tenant),
        fresh,
        columns: Vec::new(),
    }
}

fn ask_for(table: usize, column: &String, tables: &mut [Table]) {
    if let Some(table) = tables.get_mut(table)
        && let Err(place) = table.columns.binary_search(column)
    {
        table.columns.insert(place, column.clone());
    }
}

fn ask_for_dates(trigger: &Trigger, tables: &mut [Table]) {
    match &trigger.source {
        Source::Record { table, column } => ask_for(*table, column, tables),
        Source::Earliest(terms) | Source::Latest(terms) | Source::First(terms) => {
            terms.iter().for_each(|term| ask_for_dates(&term.trigger, tables))
        }
        Source::Uploaded | Source::Attribute(_) => {}
    }
}

fn hold(raw: RawHold) -> Option<PlacedHold> {
    let (id, select) = raw.id.zip(raw.select)?;
    let released_at = raw.released.as_ref().map(|released| released.at);
    let hold = Hold {
        id: id.value,
        reason: raw.reason?,
        select: select.select,
        released: raw.released.map(|released| released.value),
    };
    Some(PlacedHold { hold, select_at: select.at, released_at })
}

fn erasure(raw: RawErasure) -> Option<PlacedErasure> {
    let (id, select) = raw.id.zip(raw.select)?;
    let requested = raw.requested?;
    let erasure =
        Erasure { id: id.value, reason: raw.reason?, select: select.select, requested: requested.value };
    Some(PlacedErasure { erasure, select_at: select.at, requested_at: requested.at })
}
