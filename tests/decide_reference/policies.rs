//! Random policies.

use std::cell::RefCell;
use std::collections::HashMap;

use chrono::NaiveDate;
use chrono_tz::Tz;
use shelflife::calendar::Period;
use shelflife::pattern::{BucketPattern, KeyPattern};
use shelflife::policy::{
    Attribute, By, Enforce, Guards, Hold, IfMissing, Noncurrent, Outside, Override, Policy, Rule, Select,
    Source, Table, Term, Trigger, Within,
};

use crate::cases::{COLUMNS, DATES, TENANTS, WHICH, WHOSE, start_of};
use crate::dates::{self, DAY};
use crate::rng::Rng;

fn period(rng: &mut Rng) -> Period {
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

/// One to four rules, with overrides and holds.
pub fn policy(rng: &mut Rng, zone: Tz) -> Policy {
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
            file: format!("records/{place}.csv"),
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
            select: select(rng, false),
            trigger: trigger(rng, tables.len(), 0, false),
            retain: period(rng),
            enforce: rng.pick(&[Enforce::Auto, Enforce::Lifecycle, Enforce::Direct, Enforce::Observe]),
            noncurrent: rng
                .chance(40)
                .then(|| Noncurrent { retain: period(rng), newer_versions: rng.below(3) as u32 }),
            incomplete_uploads: rng.chance(50).then(|| period(rng)),
            guards: Guards::default(),
        })
        .collect();
    let overrides = (0..rng.pick(&[0, 0, 1, 2, 3]))
        .map(|_| Override {
            tenants: some_tenants(rng),
            rule: rng.below(rules.len()),
            retain: period(rng),
            agreement: Some("MSA".to_owned()),
            until: rng.chance(30).then(|| last_day(rng)),
        })
        .collect();
    let holds = (0..rng.pick(&[0, 0, 0, 1, 2]))
        .map(|place| Hold {
            id: format!("hold-{place}"),
            reason: "case".to_owned(),
            select: select(rng, true),
            released: rng.chance(50).then(|| last_day(rng)),
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
        digest: String::new(),
        holds_digest: String::new(),
    }
}

/// A pattern; compiling one takes longer than all else in a case, so each is compiled once.
fn key(text: &'static str) -> KeyPattern {
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

fn last_day(rng: &mut Rng) -> NaiveDate {
    let day = start_of(2005) / DAY + rng.between(0, 40 * 365);
    dates::write_day(day).parse().expect("a day")
}

fn select(rng: &mut Rng, hold: bool) -> Select {
    let buckets: &[&'static str] = if hold && rng.chance(40) {
        &[]
    } else {
        rng.pick(&[&["media"] as &[&str], &["*"], &["me*a", "other"], &["m?dia"], &["other"], &["media"]])
    };
    Select {
        buckets: buckets.iter().map(|text| bucket(text)).collect(),
        prefix: rng.chance(30).then(|| rng.pick(&["inbound/", "in", "out/", "", "inbound/4711/"]).to_owned()),
        key: rng.chance(20).then(|| {
            key(rng.pick(&["inbound/**", "*/*", "**/?.jpg", "*/*/**", "**.jpg", "inbound/*/2*/**"]))
        }),
        tenants: rng.chance(if hold { 60 } else { 25 }).then(|| some_tenants(rng)),
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
        ])))),
        7 | 8 if tables > 0 => {
            Source::Record { table: rng.below(tables), column: rng.pick(&COLUMNS).to_owned() }
        }
        9..=11 if depth < 2 => Source::Earliest(
            (0..rng.pick(&[1, 2, 2, 3]))
                .map(|_| Term {
                    trigger: trigger(rng, tables, depth + 1, true),
                    plus: rng.chance(50).then(|| period(rng)),
                })
                .collect(),
        ),
        _ => Source::Attribute(Attribute::Metadata(DATES[0].to_owned())),
    };
    let takes_window = !matches!(source, Source::Uploaded | Source::Earliest(_));
    let within = (takes_window && rng.chance(60)).then(|| {
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
    Trigger { name: None, source, within, outside, if_missing }
}
