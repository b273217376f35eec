//! Random policies of the kind that S3 can be given, mostly, and things that they are about.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Tz;
use shelflife::calendar::Period;
use shelflife::media::MediaRange;
use shelflife::object::{Attributes, BucketFacts, Kind, Lock, Versioning};
use shelflife::pattern::{BucketPattern, KeyPattern};
use shelflife::policy::{
    Attribute, By, Condition, Enforce, Erasure, ExportPlace, Guards, Hold, IfMissing, Noncurrent, Outside,
    Override, Policy, RecordCondition, RecordFormat, RecordPlace, Rule, Select, SizeRange, Source, Table,
    Term, Trigger, Within,
};

use crate::dates::{self, DAY, Sec};
use crate::facts::{COLUMNS, Facts};
use crate::reference::Thing;
use crate::rng::Rng;

/// One policy, one bucket, and what stands there.
#[derive(Clone, Debug)]
pub struct Case {
    pub policy: Policy,
    pub facts: BucketFacts,
    pub records: Vec<Facts>,
    /// Directories that are there when the policy is compiled.
    pub directories: BTreeSet<String>,
    /// Whether they were listed.
    pub is_listed: bool,
    pub now: Sec,
    pub things: Vec<Thing>,
}

const TENANTS: [&str; 3] = ["0815", "4711", "acme"];
const STARTS: [&str; 11] = [
    "",
    "in/",
    "in/0815/",
    "in/08",
    "in/4711/x/",
    "out/",
    "i",
    "in/acme/",
    "in/4711/",
    "in/4711/x/y/",
    "in/0815/x/",
];
const DATE: &str = "communication-date";
const HOUR: u64 = 3600;

/// The case of a seed.
pub fn case(seed: u64) -> Case {
    let rng = &mut Rng(seed.wrapping_mul(0x9E37_79B9).wrapping_add(77));
    let now = rng.between(dates::day_of((2015, 1, 1)).unwrap(), dates::day_of((2030, 1, 1)).unwrap()) * DAY
        + rng.between(0, DAY - 1);
    let policy = policy(rng, now);
    let versioning = rng.pick(&[
        Versioning::Never,
        Versioning::Never,
        Versioning::Never,
        Versioning::Never,
        Versioning::Enabled,
        Versioning::Enabled,
        Versioning::Enabled,
        Versioning::Enabled,
        Versioning::Suspended,
    ]);
    let facts = BucketFacts {
        name: "media".to_owned(),
        versioning,
        mfa_delete: versioning != Versioning::Never && rng.chance(8),
        object_lock: versioning == Versioning::Enabled && rng.chance(10),
    };
    let directories: BTreeSet<String> = (0..rng.below(10)).map(|_| directory_of(&key(rng))).collect();
    let records = policy.tables.iter().map(|_| records(rng)).collect();
    let things = (0..6).map(|_| thing(rng, &policy, &facts, now)).collect();
    Case { policy, facts, records, directories, is_listed: rng.chance(85), now, things }
}

fn directory_of(key: &str) -> String {
    key.rfind('/').map_or_else(String::new, |slash| key[..=slash].to_owned())
}

fn key(rng: &mut Rng) -> String {
    let top = rng.pick(&["in", "in", "in", "out", "inn", "i"]);
    let whose = rng.pick(&["0815", "4711", "acme", "08156", "stranger", ""]);
    let name = rng.pick(&["a.jpg", "b.mp4", "c"]);
    match rng.below(8) {
        0 => name.to_owned(),
        1 => format!("{top}/{name}"),
        2 => format!("{top}/{whose}/x/{name}"),
        3 => format!("{top}/{whose}/x/y/{name}"),
        _ => format!("{top}/{whose}/{name}"),
    }
}

fn pattern(text: &str) -> KeyPattern {
    thread_local! {
        static KNOWN: RefCell<BTreeMap<String, KeyPattern>> = const { RefCell::new(BTreeMap::new()) };
    }
    KNOWN.with_borrow_mut(|known| {
        let new = || KeyPattern::parse(text).expect("a pattern");
        known.entry(text.to_owned()).or_insert_with(new).clone()
    })
}

fn policy(rng: &mut Rng, now: Sec) -> Policy {
    let by_key = || Attribute::Key(pattern("*/{tenant}/**"));
    let in_only = || Attribute::Key(pattern("in/{tenant}/**"));
    let metadata = || Attribute::Metadata("customer".to_owned());
    let tag = || Attribute::Tag("customer".to_owned());
    let tenant = match rng.below(12) {
        0 => Vec::new(),
        1 => vec![by_key(), metadata()],
        2 => vec![metadata(), by_key()],
        3 => vec![by_key(), tag()],
        4 => vec![in_only(), by_key()],
        5 => vec![in_only(), metadata()],
        6 => vec![metadata()],
        _ => vec![by_key()],
    };
    let rules: Vec<Rule> = (0..rng.pick(&[1, 1, 2, 2, 3, 4])).map(|at| rule(rng, at)).collect();
    let has_tenants = !tenant.is_empty();
    let overrides = (0..rng.pick(&[0, 0, 1, 1, 2, 3])).filter(|_| has_tenants).map(|_| Override {
        tenants: Some(tenants(rng)),
        condition: rng.chance(12).then(|| RecordCondition {
            table: 0,
            column: COLUMNS[2].to_owned(),
            is: vec!["DE".to_owned()],
        }),
        rule: rng.below(rules.len()),
        retain: period(rng),
        agreement: None,
        legal_basis: None,
        until: rng.chance(25).then(|| day(rng, now)),
    });
    let overrides: Vec<Override> = overrides.collect();
    let holds = (0..rng.pick(&[0, 0, 0, 0, 1, 1, 2])).map(|at| Hold {
        id: format!("hold-{at}"),
        reason: "court".to_owned(),
        select: departing(rng, has_tenants),
        released: rng.chance(30).then(|| day(rng, now)),
    });
    let holds: Vec<Hold> = holds.collect();
    let erasures = (0..usize::from(rng.chance(8))).map(|at| Erasure {
        id: format!("req-{at}"),
        reason: "asked".to_owned(),
        select: departing(rng, has_tenants),
        requested: day(rng, now),
    });
    let erasures = erasures.collect();
    let table = Table {
        name: "customers".to_owned(),
        place: RecordPlace::Folder("records/customers.csv".to_owned()),
        format: RecordFormat::Csv,
        id: "id".to_owned(),
        by: By::Tenant,
        fresh: None,
        columns: COLUMNS.map(str::to_owned).to_vec(),
    };
    Policy {
        name: "acme".to_owned(),
        timezone: rng.pick(&[Tz::UTC, Tz::Europe__Zagreb, Tz::America__St_Johns, Tz::Pacific__Kiritimati]),
        account: None,
        tenant,
        tables: vec![table],
        rules,
        overrides,
        erasures,
        holds,
        guards: Guards::default(),
        tolerance_days: rng.pick(&[0, 2, 3, 5, 5, 10, 10]),
        evidence_retain: None,
        digest: String::new(),
        holds_digest: String::new(),
    }
}

fn day(rng: &mut Rng, now: Sec) -> chrono::NaiveDate {
    let day = now.div_euclid(DAY) + rng.between(-3, 40);
    dates::write_day(day).parse().expect("a day")
}

fn tenants(rng: &mut Rng) -> Vec<String> {
    (0..1 + rng.below(2)).map(|_| rng.pick(&TENANTS).to_owned()).collect()
}

fn period(rng: &mut Rng) -> Period {
    rng.pick(&[
        Period::days(1),
        Period::days(2),
        Period::days(7),
        Period::days(30),
        Period::days(31),
        Period::months(1),
        Period::months(6),
        Period::months(12),
        Period { months: 1, days: 3 },
    ])
}

/// What a hold, an erasure or an exception is about.
fn departing(rng: &mut Rng, has_tenants: bool) -> Select {
    let mut select = Select::default();
    match rng.below(7) {
        0 if has_tenants => select.tenants = Some(tenants(rng)),
        1 => select.tags = vec![class(rng)],
        2 => select.key = Some(pattern(rng.pick(&["in/0815/**", "**.jpg", "in/*/a.jpg", "out/**"]))),
        3 => select.size = Some(sizes(rng)),
        4 => select.media = Some(vec![MediaRange::parse("image/*").expect("a range")]),
        _ => {}
    }
    if rng.chance(70) || select.tenants.is_none() && select.tags.is_empty() {
        let start = rng.pick(&STARTS[1..]);
        select.prefix = Some(start.to_owned());
    }
    select
}

fn class(rng: &mut Rng) -> Condition {
    let values = rng.pick(&[vec!["media"], vec!["contract"], vec!["media", "contract"], vec![""]]);
    Condition { name: "class".to_owned(), values: values.into_iter().map(str::to_owned).collect() }
}

fn sizes(rng: &mut Rng) -> SizeRange {
    rng.pick(&[
        SizeRange { over: Some(10), under: None },
        SizeRange { over: None, under: Some(11) },
        SizeRange { over: Some(9), under: Some(11) },
    ])
}

fn rule(rng: &mut Rng, at: usize) -> Rule {
    let mut select = Select {
        buckets: vec![BucketPattern::parse("media").expect("a bucket")],
        prefix: Some(rng.pick(&STARTS).to_owned()).filter(|start| !start.is_empty()),
        ..Select::default()
    };
    match rng.below(14) {
        0 | 1 => select.tags = vec![class(rng)],
        2 => select.size = Some(sizes(rng)),
        3 => {
            select.tags = vec![class(rng)];
            select.size = Some(sizes(rng));
        }
        4 => select.tenants = Some(tenants(rng)),
        5 => select.key = Some(pattern(rng.pick(&["in/**", "in/*.jpg", "**.jpg", "out/0815/**"]))),
        6 if rng.chance(30) => select.media = Some(vec![MediaRange::parse("image/*").expect("a range")]),
        7 | 8 => select.except = (0..1 + rng.below(2)).map(|_| departing(rng, true)).collect(),
        9 if rng.chance(30) => {
            select.metadata = vec![Condition { name: "team".to_owned(), values: vec!["a".to_owned()] }];
        }
        _ => {}
    }
    Rule {
        id: format!("rule-{at}"),
        data: None,
        select,
        trigger: trigger(rng),
        retain: period(rng),
        enforce: rng.pick(&[
            Enforce::Auto,
            Enforce::Auto,
            Enforce::Auto,
            Enforce::Auto,
            Enforce::Lifecycle,
            Enforce::Auto,
            Enforce::Auto,
            Enforce::Auto,
            Enforce::Auto,
            Enforce::Direct,
            Enforce::Observe,
        ]),
        noncurrent: rng.chance(90).then(|| Noncurrent {
            retain: rng.pick(&[Period::days(1), Period::days(1), Period::days(2), Period::days(7)]),
            newer_versions: rng.pick(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
        }),
        incomplete_uploads: rng.chance(60).then(|| period(rng)),
        transitions: Vec::new(),
        export: rng.chance(2).then(|| ExportPlace { bucket: "exports".to_owned(), prefix: String::new() }),
        undo_window: rng.chance(2).then(|| Period::days(7)),
        evidence_per_object: rng.chance(2),
        guards: Guards::default(),
    }
}

fn trigger(rng: &mut Rng) -> Trigger {
    let plain = |source| Trigger {
        name: None,
        source,
        format: None,
        within: None,
        outside: Outside::Undecided,
        if_missing: None,
    };
    let recorded = || Source::Record { table: 0, column: COLUMNS[0].to_owned() };
    match rng.below(26) {
        0..=15 => plain(Source::Uploaded),
        16 => Trigger { if_missing: Some(IfMissing::Retained), ..plain(recorded()) },
        17 => {
            let term = |trigger| Term { trigger, plus: None };
            let dated = Source::Attribute(Attribute::Metadata(DATE.to_owned()));
            let terms = vec![term(plain(dated)), term(plain(Source::Uploaded))];
            Trigger { if_missing: Some(IfMissing::Uploaded), ..plain(Source::Latest(terms)) }
        }
        _ => {
            let limit = |rng: &mut Rng| Some(rng.pick(&[0, HOUR, 6 * HOUR, 24 * HOUR]));
            let mut within = Within { before: limit(rng), after: limit(rng) };
            let mut trigger = Trigger {
                outside: Outside::Clamp,
                if_missing: Some(IfMissing::Uploaded),
                ..plain(Source::Attribute(rng.pick(&[
                    Attribute::Metadata(DATE.to_owned()),
                    Attribute::Metadata(DATE.to_owned()),
                    Attribute::Tag(DATE.to_owned()),
                ])))
            };
            match rng.below(16) {
                0 => trigger.outside = Outside::Undecided,
                1 => trigger.if_missing = rng.pick(&[Some(IfMissing::Retained), Some(IfMissing::Undecided)]),
                2 => within.before = None,
                3 => {
                    within.after = None;
                    trigger.outside = Outside::Undecided;
                }
                4 => {
                    trigger.outside = Outside::Undecided;
                    return trigger;
                }
                _ => {}
            }
            Trigger { within: Some(within), ..trigger }
        }
    }
}

fn records(rng: &mut Rng) -> Facts {
    let mut rows = BTreeMap::new();
    for tenant in TENANTS {
        let ended = rng.chance(50).then(|| "2020-05-05".to_owned());
        let country = rng.chance(80).then(|| rng.pick(&["DE", "FR"]).to_owned());
        rows.insert(tenant.to_owned(), Some([ended, None, country]));
    }
    Facts { rows, unusable: false }
}

fn thing(rng: &mut Rng, policy: &Policy, facts: &BucketFacts, now: Sec) -> Thing {
    let versioned = facts.versioning != Versioning::Never;
    let kind = match rng.below(if versioned { 10 } else { 5 }) {
        0 => Kind::Upload,
        1..=4 if !versioned => Kind::Object,
        1..=7 => Kind::Version,
        _ => Kind::Marker,
    };
    let at_midnight = rng.chance(25);
    let moment = |rng: &mut Rng, from: Sec, to: Sec| {
        let at = rng.between(from, to);
        if at_midnight { at.div_euclid(DAY) * DAY } else { at }
    };
    let uploaded = moment(rng, now - 400 * DAY, now + 60 * DAY);
    let is_superseded = matches!(kind, Kind::Version | Kind::Marker) && rng.chance(40);
    let superseded = is_superseded.then(|| moment(rng, uploaded, uploaded + 50 * DAY).max(uploaded));
    let has_content = matches!(kind, Kind::Object | Kind::Version);
    let attributes = |rng: &mut Rng, is_tag: bool| {
        let mut found = Attributes::new();
        if !has_content {
            return found;
        }
        if rng.chance(70) {
            found.insert(DATE.to_owned(), date(rng, policy.timezone, uploaded));
        }
        if rng.chance(50) {
            found.insert("class".to_owned(), rng.pick(&["media", "contract", ""]).to_owned());
        }
        if rng.chance(30) {
            found.insert("customer".to_owned(), rng.pick(&TENANTS).to_owned());
        }
        if !is_tag && rng.chance(40) {
            found.insert("team".to_owned(), "a".to_owned());
        }
        found
    };
    let metadata = attributes(rng, false);
    let tags = attributes(rng, true);
    let is_locked = facts.object_lock && kind == Kind::Version && rng.chance(50);
    let retain_until = chrono::DateTime::from_timestamp(now + 500 * DAY, 0);
    Thing {
        bucket: "media".to_owned(),
        key: key(rng),
        kind,
        uploaded,
        superseded,
        newer_noncurrent: if superseded.is_some() { rng.pick(&[0, 0, 1]) } else { 0 },
        alone: kind == Kind::Marker && superseded.is_none() && rng.chance(80),
        size: has_content.then(|| rng.pick(&[0, 9, 10, 11, 5000])),
        content_type: String::new(),
        metadata,
        tags,
        lock: Lock { legal_hold: false, retain_until: retain_until.filter(|_| is_locked) },
    }
}

/// Near the upload, on the edges of windows among it, or what is no date.
fn date(rng: &mut Rng, zone: Tz, uploaded: Sec) -> String {
    let hour = HOUR as Sec;
    let at = uploaded
        + match rng.below(8) {
            0 => 0,
            1 => -24 * hour,
            2 => 24 * hour,
            3 => hour,
            4 => -hour,
            5 => rng.between(-30 * hour, 30 * hour),
            6 => rng.between(-400, 400) * DAY,
            _ => 6 * hour,
        };
    match rng.below(10) {
        0 => "soon".to_owned(),
        1 => String::new(),
        2..=4 => dates::write_day(dates::local_day(at, zone)),
        _ => format!("{}Z", dates::write_time(at)),
    }
}
