//! Random records, objects and dates for a random policy, crowded around the dates where calendars go wrong.

use std::collections::HashMap;
use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use shelflife::object::{Attributes, Kind, Lock, Unreadable};
use shelflife::policy::{Attribute, Policy, Source, Trigger, Within};

use crate::dates::{self, DAY, Day, FORMS, Sec, When};
use crate::facts::{COLUMNS, Facts};
use crate::policies::{self, policy};
use crate::reference::{self, Thing};
use crate::rng::Rng;

/// How much is seen of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    Seen,
    Unread,
    Unknown(Unreadable),
}

/// What is seen of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sights {
    /// Of the content type too.
    pub metadata: Sight,
    pub tags: Sight,
    pub lock: Sight,
}

pub const ALL_SEEN: Sights = Sights { metadata: Sight::Seen, tags: Sight::Seen, lock: Sight::Seen };

/// Everything that a decision depends on, and the seed for whatever a check chooses.
#[derive(Clone, Debug)]
pub struct Case {
    pub seed: u64,
    pub policy: Policy,
    pub facts: Vec<Facts>,
    pub thing: Thing,
    pub sights: Sights,
    pub now: Sec,
}

pub const TENANTS: [&str; 3] = ["4711", "0815", "acme"];
pub const STRANGERS: [&str; 2] = ["stranger", "recorded"];
pub const DATES: [&str; 2] = ["communication-date", "send-at"];
/// Names, of metadata and of tags, that selects look at, with the values that they ask for.
pub const LABELS: [(&str, [&str; 2]); 2] = [("class", ["media", "contract"]), ("team", ["a", "b"])];
pub const CONTENT_TYPES: [&str; 6] =
    ["image/jpeg", "Image/PNG; q=1", "audio/ogg", "video/mp4;codecs=x", "application/pdf", ""];
pub const SIZES: [u64; 6] = [0, 1, 1000, 1001, 1002, 5_000_000];
/// What somebody can have meant stands twice, so that it stays the most.
const COUNTRIES: [&str; 10] = ["DE", "AT", "FR", "de", "NULL", "DE", "AT", "FR", "?", "DE\u{200b}"];
pub const WHOSE: &str = "customer";
pub const WHICH: &str = "campaign";

pub const ZONES: [Tz; 18] = [
    Tz::UTC,
    Tz::Europe__Zagreb,
    Tz::America__St_Johns,
    Tz::America__Sao_Paulo,
    Tz::Asia__Beirut,
    Tz::Pacific__Apia,
    Tz::Asia__Kathmandu,
    Tz::Pacific__Kiritimati,
    Tz::Etc__GMTPlus12,
    Tz::Africa__Casablanca,
    Tz::America__Havana,
    Tz::Atlantic__Azores,
    Tz::Australia__Lord_Howe,
    Tz::Asia__Amman,
    Tz::America__Asuncion,
    Tz::Asia__Pyongyang,
    Tz::Antarctica__Troll,
    Tz::America__New_York,
];

/// The instants from 2000 to 2045 at which a zone's clocks change.
static CHANGES: LazyLock<HashMap<Tz, Vec<Sec>>> = LazyLock::new(|| {
    let (start, end) = (start_of(2000), start_of(2045));
    ZONES
        .iter()
        .map(|zone| {
            let mut found = Vec::new();
            for day in (start..end).step_by(DAY as usize) {
                if dates::offset(day, *zone) != dates::offset(day + DAY, *zone) {
                    let changed = |at: &Sec| dates::offset(*at, *zone) != dates::offset(day, *zone);
                    found.extend((day..=day + DAY).step_by(60).find(changed));
                }
            }
            (*zone, found)
        })
        .collect()
});

pub fn start_of(year: i32) -> Sec {
    dates::day_of((year, 1, 1)).expect("a year of the walk") * DAY
}

/// The case that grows from a seed.
pub fn case(seed: u64) -> Case {
    let mut rng = Rng(seed);
    let zone = rng.pick(&ZONES);
    let uploaded = upload(&mut rng, zone);
    let policy = policy(&mut rng, zone, uploaded);
    let facts = facts(&mut rng, &policy, uploaded);
    let thing = thing(&mut rng, &policy, uploaded);
    let now = now(&mut rng, &policy, &facts, &thing);
    let sights = sights(&mut rng, thing.kind);
    Case { seed, policy, facts, thing, sights, now }
}

pub fn upload(rng: &mut Rng, zone: Tz) -> Sec {
    let changes = &CHANGES[&zone];
    let base = match rng.below(5) {
        0 if !changes.is_empty() => rng.pick(changes),
        1 => {
            let leap = rng.pick(&[(2004, 2, 29), (2024, 2, 29), (2028, 2, 29), (2100, 3, 1), (2023, 2, 28)]);
            dates::day_of(leap).expect("a day of the walk") * DAY
        }
        2 | 3 => {
            let (year, month) = (rng.between(2001, 2044) as i32, rng.between(1, 12) as u32);
            let first = dates::day_of((year, month, 1)).expect("a day of the walk");
            (first + rng.between(-4, 1)) * DAY
        }
        _ => start_of(2001) + rng.between(0, 40 * 366) * DAY,
    };
    let jitter = match rng.below(6) {
        0 => 0,
        1 => rng.between(-1, 1),
        2 => rng.between(-2, 2) * 3600,
        3 => rng.between(-1, 1) * 1800 + rng.between(-1, 1),
        4 => DAY - 1,
        _ => rng.between(-DAY, DAY),
    };
    (base + jitter).max(start_of(2001))
}

/// A date near `uploaded`, in the form that the triggers which read it want, or in any other.
fn date_near(rng: &mut Rng, policy: &Policy, uploaded: Sec, source: &dyn Fn(&Source) -> bool) -> String {
    let away = match rng.below(8) {
        0 => 0,
        1 => rng.pick(&[-DAY, DAY, -3600, 3600, -30 * DAY, 30 * DAY, 2 * DAY]) + rng.between(-1, 1),
        2 => rng.between(-DAY, DAY),
        3 => rng.between(-40, 40) * DAY,
        4 => rng.between(-400, 400) * DAY,
        5 => dates::midnight(uploaded) - uploaded - DAY * rng.between(0, 2),
        6 => {
            return rng
                .pick(&["garbage", "1970-01-01T00:00:00Z", "1999-12-31", "2023-02-29", "0", "31.12.1999"])
                .to_owned();
        }
        _ => rng.between(-2, 2),
    };
    // A day later, so that it is the same year everywhere.
    let at = (uploaded + away).max(start_of(2000) + DAY);
    let zone = policy.timezone;
    let leaves = policy.rules.iter().flat_map(|rule| policies::leaves(&rule.trigger));
    let wanting: Vec<&Trigger> = leaves.filter(|leaf| source(&leaf.source)).collect();
    let form = match wanting.len() {
        0 => None,
        n => form_of(wanting[rng.below(n)]),
    };
    match form {
        _ if rng.chance(5) => dates::write_as(Some(rng.pick(&FORMS)), When::At(at), zone),
        Some(form) => dates::write_as(Some(&form), When::At(at), zone),
        None => written(rng, zone, at),
    }
}

/// How the date of a trigger must be written.
pub fn form_of(trigger: &Trigger) -> Option<String> {
    trigger.format.as_ref().map(ToString::to_string)
}

fn written(rng: &mut Rng, zone: Tz, at: Sec) -> String {
    let local = dates::shown(at, zone);
    match rng.below(5) {
        0 => format!("{}Z", dates::write_time(at)),
        1 => format!("{}+05:30", dates::write_time(at + 19_800)),
        2 => format!("{}-03:00", dates::write_time(at - 10_800)),
        3 => dates::write_time(local),
        _ => dates::write_day(local.div_euclid(DAY)),
    }
}

pub fn facts(rng: &mut Rng, policy: &Policy, uploaded: Sec) -> Vec<Facts> {
    let mut found = Vec::new();
    for table in 0..policy.tables.len() {
        let mut facts = Facts { unusable: rng.chance(12), ..Facts::default() };
        for id in TENANTS.iter().chain(&["recorded", "c-1", "c-2"]) {
            let values = match rng.below(10) {
                0 => continue,
                1 => None,
                _ => Some(COLUMNS.map(|name| {
                    let is = |source: &Source| matches!(source, Source::Record { table: t, column } if *t == table && column == name);
                    let text = match name {
                        "country" => rng.pick(&COUNTRIES).to_owned(),
                        _ => date_near(rng, policy, uploaded, &is),
                    };
                    (!rng.chance(25)).then_some(text)
                })),
            };
            facts.rows.insert((*id).to_owned(), values);
        }
        found.push(facts);
    }
    found
}

pub fn thing(rng: &mut Rng, policy: &Policy, uploaded: Sec) -> Thing {
    let kind = rng.pick(&[
        Kind::Object,
        Kind::Object,
        Kind::Object,
        Kind::Object,
        Kind::Version,
        Kind::Version,
        Kind::Version,
        Kind::Marker,
        Kind::Upload,
    ]);
    let versioned = matches!(kind, Kind::Version | Kind::Marker);
    let superseded =
        (versioned && rng.chance(50)).then(|| uploaded + rng.pick(&[0, 1, DAY, 30 * DAY, 40_000, 400 * DAY]));
    let spelt = dates::shown(uploaded + rng.pick(&[0, 0, -3600, DAY, -DAY, -40 * DAY]), policy.timezone)
        .max(start_of(2000));
    let (year, month, day) = dates::date_of(spelt.div_euclid(DAY));
    let (hour, minute) = (spelt.rem_euclid(DAY) / 3600, spelt.rem_euclid(3600) / 60);
    let top = rng.pick(&["inbound", "out", "4711"]);
    let whose = rng.pick(&["4711", "0815", "acme", "stranger", "recorded", "c-1"]);
    let name = if rng.chance(60) {
        "a.jpg"
    } else {
        rng.pick(&["a.png", "a.JPG", "b.ogg", "a.mp4", "call.pdf", ".jpg", "a.jpg.bak", "a"])
    };
    let key = match rng.below(6) {
        5 => format!("{top}/{whose}/{year}/{month:02}/{day:02}/2001/01/01/{name}"),
        0 => format!("{top}/{whose}/{year}/{month:02}/{day:02}/{name}"),
        1 => format!("{top}/{whose}/{year}/{month:02}/{day:02}/{hour:02}/{minute:02}/{name}"),
        2 => format!("{year}-{month:02}-{day:02}/{whose}/{name}"),
        3 => format!("{top}/{whose}/{year}/{month:02}/{name}"),
        _ => format!("{top}/{name}"),
    };
    let has_content = matches!(kind, Kind::Object | Kind::Version);
    let mut attributes = |is_metadata: bool| {
        let mut found = Attributes::new();
        if !has_content {
            return found;
        }
        for name in DATES {
            if rng.chance(75) {
                let is = |source: &Source| match source {
                    Source::Attribute(Attribute::Metadata(known)) => is_metadata && known == name,
                    Source::Attribute(Attribute::Tag(known)) => !is_metadata && known == name,
                    _ => false,
                };
                found.insert(name.to_owned(), date_near(rng, policy, uploaded, &is));
            }
        }
        if rng.chance(60) {
            found.insert(
                WHOSE.to_owned(),
                rng.pick(&["4711", "0815", "acme", "stranger", "recorded", ""]).to_owned(),
            );
        }
        if rng.chance(70) {
            found.insert(WHICH.to_owned(), rng.pick(&["c-1", "c-2", "c-3"]).to_owned());
        }
        for (name, values) in LABELS {
            if rng.chance(85) {
                let value = rng.pick(&[values[0], values[0], values[1], values[1], "other"]);
                found.insert(name.to_owned(), value.to_owned());
            }
        }
        found
    };
    let (metadata, tags) = (attributes(true), attributes(false));
    let content_type = if has_content { rng.pick(&CONTENT_TYPES).to_owned() } else { String::new() };
    let until = rng.chance(20).then(|| instant(uploaded + rng.between(-10, 500) * DAY));
    Thing {
        bucket: rng.pick(&["media", "media", "media", "other"]).to_owned(),
        key,
        kind,
        uploaded,
        superseded,
        newer_noncurrent: if superseded.is_some() { rng.below(3) as u32 } else { 0 },
        // The older ones of several markers too, where these are all that is left.
        alone: kind == Kind::Marker && rng.chance(if superseded.is_none() { 60 } else { 20 }),
        size: has_content.then(|| rng.pick(&SIZES)),
        content_type,
        metadata,
        tags,
        lock: Lock { legal_hold: rng.chance(5), retain_until: until },
    }
}

pub fn now(rng: &mut Rng, policy: &Policy, facts: &[Facts], thing: &Thing) -> Sec {
    let dates = reference::dates_of_interest(policy, facts, thing);
    let base = if dates.is_empty() || rng.chance(25) {
        thing.uploaded + rng.between(-1, 800) * DAY
    } else {
        rng.pick(&dates)
    };
    let away = match rng.below(6) {
        0 => 0,
        1 => -1,
        2 => 1,
        3 => rng.between(-2, 2) * DAY,
        4 => rng.between(-DAY, DAY),
        _ => rng.between(0, 3000) * DAY,
    };
    base + away
}

pub fn sights(rng: &mut Rng, kind: Kind) -> Sights {
    let has_content = matches!(kind, Kind::Object | Kind::Version);
    let why = if has_content { Unreadable::Denied } else { Unreadable::NotKept };
    // Of uploads and markers nothing can be read, as a rule.
    let unknown = if has_content { 1 } else { 6 };
    let mut sight = |unknown: usize| match rng.below(10) {
        n if n < unknown => Sight::Unknown(why),
        n if n < unknown + (10 - unknown) / 2 => Sight::Unread,
        _ => Sight::Seen,
    };
    Sights { metadata: sight(unknown), tags: sight(unknown), lock: sight(1) }
}

pub fn instant(at: Sec) -> DateTime<Utc> {
    DateTime::from_timestamp(at, 0).expect("a time of our own making")
}

/// The other days and instants at which an unseen date could turn the answer.
pub fn telling_dates(case: &Case, within: Option<Within>, form: Option<&str>) -> Vec<String> {
    let zone = case.policy.timezone;
    let uploaded = case.thing.uploaded;
    let mut found = vec![When::At(uploaded), When::Whole(day(2000, 2)), When::Whole(day(2099, 1))];
    let within = within.unwrap_or(Within { before: Some(DAY as u64), after: Some(DAY as u64) });
    let edges = [within.before.map(|n| uploaded - n as i64), within.after.map(|n| uploaded + n as i64)];
    for edge in edges.into_iter().flatten() {
        let edge = edge.max(start_of(2000) + 2 * DAY);
        let day = edge.div_euclid(DAY);
        for at in [edge - 1, edge, edge + 1, day * DAY, day * DAY + 1, (day + 1) * DAY, day * DAY - 1] {
            found.push(When::At(at));
        }
        let local = dates::local_day(edge, zone);
        found.extend((local - 2..=local + 2).map(When::Whole));
    }
    let retained = case.policy.rules.iter().map(|rule| rule.retain);
    for retain in retained.chain(case.policy.overrides.iter().map(|o| o.retain)) {
        let span = i64::from(retain.months) * 30 + i64::from(retain.days);
        let at = (case.now - span * DAY).max(start_of(2000) + 10 * DAY);
        for away in [-4, -1, 0, 1] {
            found.push(When::At(at + away * DAY));
            found.push(When::Whole(at.div_euclid(DAY) + away));
        }
    }
    let written = found.into_iter().map(|when| dates::write_as(form, when, zone));
    ["garbage", "1970-01-01T00:00:00Z"].map(str::to_owned).into_iter().chain(written).collect()
}

fn day(year: i32, month: u32) -> Day {
    dates::day_of((year, month, 1)).expect("a day of the walk")
}
