//! Random policies.

use std::cell::RefCell;
use std::collections::HashMap;

use chrono::NaiveDate;
use chrono_tz::Tz;
use shelflife::calendar::{DateFormat, Period};
use shelflife::media::MediaRange;
use shelflife::pattern::{BucketPattern, KeyPattern};
use shelflife::policy::{
    Attribute, By, Condition, Enforce, Erasure, Guards, Hold, IfMissing, Noncurrent, Outside, Override,
    Policy, RecordCondition, RecordFormat, RecordPlace, Rule, Select, SizeRange, Source, Table, Term,
    Trigger, Within,
};

use crate::cases::{DATES, LABELS, STRANGERS, TENANTS, WHICH, WHOSE};
use crate::dates::{self, DAY, FORMS, Sec};
use crate::facts::COLUMNS;
use crate::rng::Rng;

pub fn period(rng: &mut Rng) -> Period {
    match rng.below(8) {
        0 => Period::days(0),
        1 => Period::days(1),
        2 => Period::days(30),
        3 => Period::months(1),
        4 => Period::months(6),
        5 => Period::months(12 * rng.between(1, 4) as u32),
        6 => Period { months: rng.between(0, 18) as u32, days: rng.between(0, 40) as u32 },
        _ => Period::days(rng.between(0, 400) as u32),
    }
}

/// One to four rules, with overrides, erasures and holds, about what was uploaded at `uploaded`.
pub fn policy(rng: &mut Rng, zone: Tz, uploaded: Sec) -> Policy {
    let mut tenant = vec![
        Attribute::Key(key(rng.pick(&["*/{tenant}/**", "{tenant}/**", "*/?{tenant}/**/a.jpg"]))),
        Attribute::Metadata(WHOSE.to_owned()),
        Attribute::Tag(WHOSE.to_owned()),
    ];
    rng.shuffle(&mut tenant);
    tenant.truncate(rng.below(4));
    let tables: Vec<Table> = (0..rng.below(3))
        .map(|place| Table {
            name: format!("table-{place}"),
            place: RecordPlace::Folder(format!("records/{place}.csv")),
            format: RecordFormat::Csv,
            id: "id".to_owned(),
            by: match rng.below(5) {
                0 => By::Attribute(Attribute::Metadata(WHICH.to_owned())),
                1 => By::Attribute(Attribute::Tag(WHICH.to_owned())),
                2 => By::Attribute(Attribute::Key(key("*/{id}/**"))),
                _ => By::Tenant,
            },
            fresh: None,
            columns: COLUMNS.map(str::to_owned).to_vec(),
        })
        .collect();
    let rules: Vec<Rule> = (0..rng.pick(&[1, 1, 1, 2, 2, 3, 4]))
        .map(|place| Rule {
            id: format!("rule-{place}"),
            data: None,
            select: select(rng, Role::Rule),
            trigger: trigger(rng, tables.len(), 0, false),
            retain: period(rng),
            enforce: rng.pick(&[Enforce::Auto, Enforce::Lifecycle, Enforce::Direct, Enforce::Observe]),
            noncurrent: rng
                .chance(40)
                .then(|| Noncurrent { retain: period(rng), newer_versions: rng.below(3) as u32 }),
            incomplete_uploads: rng.chance(50).then(|| period(rng)),
            transitions: Vec::new(),
            export: None,
            undo_window: None,
            evidence_per_object: false,
            guards: Guards::default(),
        })
        .collect();
    let overrides =
        (0..rng.pick(&[0, 0, 1, 2, 3])).map(|_| an_override(rng, rules.len(), tables.len(), uploaded));
    let mut overrides: Vec<Override> = overrides.collect();
    let mut erasures: Vec<Erasure> = (0..rng.pick(&[0, 0, 0, 1, 1, 2]))
        .map(|place| Erasure {
            id: format!("erasure-{place}"),
            reason: "asked".to_owned(),
            select: select(rng, Role::Erasure),
            requested: a_day(rng, uploaded),
        })
        .collect();
    if rng.chance(12) {
        ask_against_a_law(rng, uploaded, &mut overrides, &mut erasures, rules.len());
    }
    let holds = (0..rng.pick(&[0, 0, 0, 1, 2]))
        .map(|place| Hold {
            id: format!("hold-{place}"),
            reason: "case".to_owned(),
            select: select(rng, Role::Hold),
            released: rng.chance(50).then(|| a_day(rng, uploaded)),
        })
        .collect();
    Policy {
        name: "acme-media".to_owned(),
        timezone: zone,
        account: None,
        tenant,
        tables,
        rules,
        overrides,
        holds,
        guards: Guards::default(),
        tolerance_days: 3,
        evidence_retain: None,
        digest: String::new(),
        erasures,
        holds_digest: String::new(),
    }
}

/// A pattern; compiling one takes longer than all else in a case, so each is compiled once.
pub fn key(text: &'static str) -> KeyPattern {
    thread_local! {
        static COMPILED: RefCell<HashMap<&'static str, KeyPattern>> = RefCell::default();
    }
    COMPILED.with_borrow_mut(|compiled| {
        compiled.entry(text).or_insert_with(|| KeyPattern::parse(text).expect("a pattern")).clone()
    })
}

fn bucket(text: &'static str) -> BucketPattern {
    thread_local! {
        static COMPILED: RefCell<HashMap<&'static str, BucketPattern>> = RefCell::default();
    }
    COMPILED.with_borrow_mut(|compiled| {
        compiled.entry(text).or_insert_with(|| BucketPattern::parse(text).expect("a pattern")).clone()
    })
}

fn some_tenants(rng: &mut Rng) -> Vec<String> {
    let mut tenants = TENANTS.map(str::to_owned).to_vec();
    rng.shuffle(&mut tenants);
    tenants.truncate(rng.between(1, 2) as usize);
    tenants
}

/// Mostly near `uploaded`, sometimes at any time.
fn a_day(rng: &mut Rng, uploaded: Sec) -> NaiveDate {
    let away = match rng.below(6) {
        0 => rng.between(-1, 1),
        1 => rng.between(-10, 60),
        2..=4 => rng.between(0, 700),
        _ => rng.between(0, 9000),
    };
    dates::write_day(uploaded.div_euclid(DAY) + away).parse().expect("a day")
}

fn an_override(rng: &mut Rng, rules: usize, tables: usize, uploaded: Sec) -> Override {
    let by_record = tables > 0 && rng.chance(60);
    let condition = by_record.then(|| RecordCondition {
        table: rng.below(tables),
        column: COLUMNS[2].to_owned(),
        is: rng
            .pick(&[&["DE"] as &[&str], &["DE", "AT"], &["FR", "AT"]])
            .iter()
            .map(|is| (*is).to_owned())
            .collect(),
    });
    Override {
        tenants: (!by_record || rng.chance(30)).then(|| some_tenants(rng)),
        condition,
        rule: rng.below(rules),
        retain: period(rng),
        agreement: Some("MSA".to_owned()),
        legal_basis: rng.chance(40).then(|| "HGB 257".to_owned()),
        until: rng.chance(30).then(|| a_day(rng, uploaded)),
    }
}

/// A request and a law that meet: left to chance they seldom would.
fn ask_against_a_law(
    rng: &mut Rng,
    uploaded: Sec,
    overrides: &mut Vec<Override>,
    erasures: &mut Vec<Erasure>,
    rules: usize,
) {
    for rule in 0..rules {
        if rng.chance(75) {
            let mut law = an_override(rng, rules, 0, uploaded);
            let everybody = TENANTS.iter().chain(&STRANGERS).map(|name| (*name).to_owned());
            law = Override { rule, legal_basis: Some("HGB 257".to_owned()), until: None, ..law };
            law.tenants = Some(everybody.collect());
            if rng.chance(60) {
                law.retain = Period::days(rng.between(0, 150) as u32);
            }
            overrides.push(law);
        }
    }
    erasures.push(Erasure {
        id: "erasure-9".to_owned(),
        reason: "asked".to_owned(),
        select: Select { prefix: Some(rng.pick(&["", "", "in"]).to_owned()), ..Select::default() },
        requested: dates::write_day(uploaded.div_euclid(DAY) + rng.between(0, 90)).parse().expect("a day"),
    });
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Rule,
    Erasure,
    Hold,
    Exception,
}

/// All of its conditions must hold, so there are few of them.
fn select(rng: &mut Rng, role: Role) -> Select {
    let everywhere = role == Role::Exception || role != Role::Rule && rng.chance(50);
    let buckets: &[&'static str] = if everywhere {
        &[]
    } else {
        rng.pick(&[&["media"] as &[&str], &["*"], &["me*a", "other"], &["m?dia"], &["other"], &["media"]])
    };
    let mut select =
        Select { buckets: buckets.iter().map(|text| bucket(text)).collect(), ..Select::default() };
    let conditions = if role == Role::Rule { rng.pick(&[0, 0, 1, 1, 2]) } else { rng.pick(&[1, 1, 1, 2]) };
    let by_tenant = if role == Role::Hold { 10 } else { 0 };
    for _ in 0..conditions {
        match rng.below(14 + by_tenant) {
            0..=2 => {
                select.prefix = Some(rng.pick(&["inbound/", "in", "out/", "", "inbound/4711/"]).to_owned());
            }
            3 | 4 => {
                let keys = ["inbound/**", "*/*", "**/?.jpg", "*/*/**", "**.jpg", "inbound/*/2*/**"];
                select.key = Some(key(rng.pick(&keys)));
            }
            5 => select.media = Some(some_media(rng)),
            6 => select.content_type = Some(some_media(rng)),
            7 | 8 => select.tags = conditions_on(rng),
            9 | 10 => select.metadata = conditions_on(rng),
            11 => select.size = Some(sizes(rng)),
            _ => select.tenants = Some(some_tenants(rng)),
        }
    }
    if role != Role::Exception && rng.chance(30) {
        select.except = (0..rng.pick(&[1, 1, 2])).map(|_| self::select(rng, Role::Exception)).collect();
    }
    select
}

fn some_media(rng: &mut Rng) -> Vec<MediaRange> {
    let ranges: &[&str] = rng.pick(&[
        &["image/*"] as &[&str],
        &["image/jpeg", "audio/ogg"],
        &["image/png", "video/*"],
        &["application/pdf", "audio/*"],
    ]);
    ranges.iter().map(|text| MediaRange::parse(text).expect("a range")).collect()
}

fn conditions_on(rng: &mut Rng) -> Vec<Condition> {
    let mut names = LABELS.to_vec();
    rng.shuffle(&mut names);
    names.truncate(rng.pick(&[1, 1, 1, 2]));
    names
        .into_iter()
        .map(|(name, values)| {
            let mut values = values.map(str::to_owned).to_vec();
            rng.shuffle(&mut values);
            values.truncate(rng.pick(&[1, 2, 2]));
            Condition { name: name.to_owned(), values }
        })
        .collect()
}

fn sizes(rng: &mut Rng) -> SizeRange {
    let (over, under) = (rng.pick(&[0, 999, 1000]), rng.pick(&[1001, 1002, 5_000_000]));
    match rng.below(3) {
        0 => SizeRange { over: Some(over), under: None },
        1 => SizeRange { over: None, under: Some(under) },
        _ => SizeRange { over: Some(over), under: Some(under) },
    }
}

fn trigger(rng: &mut Rng, tables: usize, depth: usize, term: bool) -> Trigger {
    let source = match rng.below(12) {
        0 | 1 => Source::Uploaded,
        2..=4 => Source::Attribute(Attribute::Metadata(rng.pick(&DATES).to_owned())),
        5 => Source::Attribute(Attribute::Tag(rng.pick(&DATES).to_owned())),
        6 => Source::Attribute(Attribute::Key(key(rng.pick(&[
            "*/*/{yyyy}/{MM}/{dd}/**",
            "*/*/{yyyy}/{MM}/{dd}/{HH}/**",
            "*/*/{yyyy}/{MM}/{dd}/{HH}/{mm}/**",
            "{yyyy}-{MM}-{dd}/**",
            "**/{yyyy}/{MM}/{dd}/**",
        ])))),
        7 | 8 if tables > 0 => {
            Source::Record { table: rng.below(tables), column: rng.pick(&COLUMNS[..2]).to_owned() }
        }
        9..=11 if depth < 2 => {
            let terms = (0..rng.pick(&[1, 2, 2, 3]))
                .map(|_| Term {
                    trigger: trigger(rng, tables, depth + 1, true),
                    plus: rng.chance(50).then(|| period(rng)),
                })
                .collect();
            match rng.below(3) {
                0 => Source::Earliest(terms),
                1 => Source::Latest(terms),
                _ => Source::First(terms),
            }
        }
        _ => Source::Attribute(Attribute::Metadata(DATES[0].to_owned())),
    };
    let is_text = matches!(
        source,
        Source::Attribute(Attribute::Metadata(_) | Attribute::Tag(_)) | Source::Record { .. }
    );
    let format = (is_text && rng.chance(25)).then(|| format(rng.pick(&FORMS)));
    let is_leaf = is_text || matches!(source, Source::Attribute(_));
    let within = (is_leaf && rng.chance(60)).then(|| {
        let mut side = |unlimited| {
            (!rng.chance(unlimited)).then(|| {
                rng.pick(&[0, 1, 3600, 12 * 3600, DAY as u64, DAY as u64, 2 * DAY as u64, 30 * DAY as u64])
            })
        };
        Within { before: side(25), after: side(25) }
    });
    let limited = within.is_some_and(|within| within.after.is_some());
    let outside = if limited && rng.chance(60) { Outside::Clamp } else { Outside::Undecided };
    let if_missing = match rng.below(5) {
        _ if matches!(source, Source::Uploaded) => None,
        0 | 1 if term => None,
        0 | 1 => Some(IfMissing::Undecided),
        2 | 3 => Some(IfMissing::Uploaded),
        _ => Some(IfMissing::Retained),
    };
    let if_missing = if term { if_missing } else { if_missing.or(Some(IfMissing::Undecided)) };
    Trigger { name: None, source, format, within, outside, if_missing }
}

fn format(text: &'static str) -> DateFormat {
    thread_local! {
        static PARSED: RefCell<HashMap<&'static str, DateFormat>> = RefCell::default();
    }
    PARSED.with_borrow_mut(|parsed| {
        parsed.entry(text).or_insert_with(|| DateFormat::parse(text).expect("a format")).clone()
    })
}

/// The dates that a trigger takes from outside, at the bottom of its terms.
pub fn leaves(trigger: &Trigger) -> Vec<&Trigger> {
    match &trigger.source {
        Source::Earliest(terms) | Source::Latest(terms) | Source::First(terms) => {
            terms.iter().flat_map(|term| leaves(&term.trigger)).collect()
        }
        _ => vec![trigger],
    }
}

/// Every select of a policy, exceptions among them.
pub fn selects(policy: &Policy) -> impl Iterator<Item = &Select> {
    let rules = policy.rules.iter().map(|rule| &rule.select);
    let erasures = policy.erasures.iter().map(|erasure| &erasure.select);
    let holds = policy.holds.iter().map(|hold| &hold.select);
    let own = rules.chain(erasures).chain(holds);
    own.flat_map(|select| std::iter::once(select).chain(&select.except))
}

/// The selects of a policy, to be changed; their exceptions stand in them.
pub fn selects_mut(policy: &mut Policy) -> impl Iterator<Item = &mut Select> {
    let rules = policy.rules.iter_mut().map(|rule| &mut rule.select);
    let erasures = policy.erasures.iter_mut().map(|erasure| &mut erasure.select);
    rules.chain(erasures).chain(policy.holds.iter_mut().map(|hold| &mut hold.select))
}

/// Does something to every trigger, terms before the whole.
pub fn each_trigger(policy: &mut Policy, change: &dyn Fn(&mut Trigger)) {
    fn down(trigger: &mut Trigger, change: &dyn Fn(&mut Trigger)) {
        if let Source::Earliest(terms) | Source::Latest(terms) | Source::First(terms) = &mut trigger.source {
            terms.iter_mut().for_each(|term| down(&mut term.trigger, change));
        }
        change(trigger);
    }
    policy.rules.iter_mut().for_each(|rule| down(&mut rule.trigger, change));
}
