//! The world of the demo: customers, what they send, and what happens to them over the months.
//!
//! Everything follows from the first day and a fixed seed, so that two runs tell one story.

use chrono::{DateTime, Days, Duration, Months, NaiveDate, NaiveTime, Utc};

/// How many months the demo lives through.
pub const MONTHS: u32 = 20;

/// The buckets that the shipped policies name.
pub const OTT: &str = "acme-ott-media";
/// Voice and video recordings.
pub const RECORDINGS: &str = "acme-recordings";
/// Attachments and inline media of emails.
pub const EMAIL: &str = "acme-email-attachments";

/// The customer whose contract ends.
pub const LEAVES: &str = "4711";
/// The customer that goes quiet.
pub const QUIET: &str = "0815";
/// The customer whose contract ends, and who is then under a legal hold.
pub const SUED: &str = "2604";
/// The customer with a shorter period for recordings, whose contract ends as well.
pub const SHORTER: &str = "3300";
/// The customer whose contract ended a month before the demo's last day: what that leads to is
/// left for whoever tries the sandbox by hand.
pub const LEFT_TO_YOU: &str = "5150";
/// The shorter period, in days.
pub const SHORTER_DAYS: u64 = 7;

const TENANTS: [&str; 8] = ["1001", "1002", "1003", LEAVES, QUIET, SUED, SHORTER, LEFT_TO_YOU];

/// The story's dates.
#[derive(Clone, Copy, Debug)]
pub struct World {
    /// The first day.
    pub first: NaiveDate,
    /// The day after the last.
    pub end: NaiveDate,
}

/// What the sender says of the date of communication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// An instant.
    At(DateTime<Utc>),
    /// A day.
    On(NaiveDate),
    /// Nothing.
    Nothing,
    /// Something that is no date, or cannot be one.
    Nonsense(&'static str),
}

/// One object that is uploaded.
#[derive(Clone, Debug)]
pub struct Sent {
    /// When.
    pub at: DateTime<Utc>,
    /// Where to.
    pub bucket: &'static str,
    /// Under which key.
    pub key: String,
    /// Whose it is.
    pub tenant: &'static str,
    /// Bytes.
    pub size: u64,
    /// The date of communication, as said.
    pub said: Said,
}

impl Said {
    /// As it stands in the object's metadata.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::At(at) => Some(at.to_rfc3339()),
            Self::On(day) => Some(day.to_string()),
            Self::Nothing => None,
            Self::Nonsense(text) => Some((*text).to_owned()),
        }
    }
}

impl World {
    /// A world whose last day is the one before `end`.
    pub fn until(end: NaiveDate) -> Self {
        Self { first: end.checked_sub_months(Months::new(MONTHS)).unwrap_or(end), end }
    }

    /// All its days.
    pub fn days(self) -> impl Iterator<Item = NaiveDate> {
        self.first.iter_days().take_while(move |day| *day < self.end)
    }

    fn day(self, month: u32, day: u64) -> NaiveDate {
        self.first
            .checked_add_months(Months::new(month))
            .and_then(|date| date.checked_add_days(Days::new(day)))
            .unwrap_or(self.first)
    }

    /// The day on which a customer's contract ends.
    pub fn contract_end(self, tenant: &str) -> Option<NaiveDate> {
        match tenant {
            LEAVES => Some(self.day(5, 11)),
            SUED => Some(self.day(7, 3)),
            SHORTER => Some(self.day(14, 8)),
            // 30 whole days later it is midnight at the end of the last day.
            LEFT_TO_YOU => self.end.checked_sub_days(Days::new(31)),
            _ => None,
        }
    }

    /// The last day on which a customer did anything, if there is one.
    pub fn last_active(self, tenant: &str) -> Option<NaiveDate> {
        match tenant {
            QUIET => Some(self.day(0, 12)),
            tenant => self.contract_end(tenant),
        }
    }

    /// The day on which the legal hold is placed.
    pub fn hold_placed(self) -> NaiveDate {
        self.day(7, 20)
    }

    /// When Shelflife runs on `day`.
    pub fn run_at(day: NaiveDate) -> DateTime<Utc> {
        day.and_time(NaiveTime::MIN).and_utc() + Duration::minutes(30)
    }

    /// The last day on which it holds.
    pub fn hold_released(self) -> NaiveDate {
        self.day(11, 4)
    }

    /// The record file as it is exported on `day`.
    pub fn customers(self, day: NaiveDate) -> String {
        let mut csv = String::from("customer_id,contract_ended_on,last_active_on,exported_at\n");
        for tenant in TENANTS {
            let ended = self.contract_end(tenant).filter(|end| *end <= day);
            let ended = ended.map(|end| end.to_string()).unwrap_or_default();
            let active = self.last_active(tenant).map_or(day, |last| last.min(day));
            csv.push_str(&format!("{tenant},{ended},{active},{day}T00:00:00Z\n"));
        }
        csv
    }

    /// What happens on `day`, worth telling.
    pub fn news(self, day: NaiveDate) -> Vec<String> {
        let mut news = Vec::new();
        for tenant in TENANTS {
            if self.contract_end(tenant) == Some(day) {
                news.push(format!("the contract of {tenant} ends"));
            }
        }
        if self.last_active(QUIET) == Some(day) {
            news.push(format!("customer {QUIET} goes quiet"));
        }
        if self.hold_placed() == day {
            news.push(format!("legal hold on all that is {SUED}'s"));
        }
        if self.hold_released().succ_opt() == Some(day) {
            news.push(format!("the legal hold on {SUED} has been released"));
        }
        news
    }

    /// What is uploaded on `day`, in order.
    pub fn uploads(self, day: NaiveDate) -> Vec<Sent> {
        let offset = day.signed_duration_since(self.first).num_days().unsigned_abs();
        let mut dice = Dice(0x5eed ^ offset.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let active: Vec<&'static str> = TENANTS
            .into_iter()
            .filter(|tenant| self.last_active(tenant).is_none_or(|last| day < last))
            .collect();
        let mut sent = Vec::new();
        for n in 0..8 + dice.below(3) {
            let bucket = [OTT, OTT, RECORDINGS, EMAIL][usize::try_from(n % 4).unwrap_or_default()];
            let tenant = active[usize::try_from(dice.below(active.len() as u64)).unwrap_or_default()];
            let at = day.and_time(NaiveTime::MIN).and_utc()
                + Duration::seconds(3_600 + i64::try_from(dice.below(82_800)).unwrap_or_default());
            let name = format!("{day}-{:08x}", dice.next() >> 32);
            let key = match bucket {
                OTT => format!("inbound/{tenant}/{name}.{}", ["jpg", "ogg", "mp4", "pdf"][(n % 4) as usize]),
                RECORDINGS => format!("recordings/{tenant}/{name}.{}", ["wav", "mp4"][(n % 2) as usize]),
                _ => format!("attachments/{tenant}/{name}/invoice ä+{n}.pdf"),
            };
            let said = dice.said(at, bucket);
            sent.push(Sent { at, bucket, key, tenant, size: 200 + dice.below(4_000_000), said });
        }
        sent.sort_by_key(|sent| sent.at);
        sent
    }
}

/// A small generator of numbers that look random (SplitMix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    /// Most senders give an instant shortly before the upload; some a day, some nothing.
    fn said(&mut self, at: DateTime<Utc>, bucket: &str) -> Said {
        if bucket == RECORDINGS {
            return Said::Nothing;
        }
        match self.below(100) {
            0..78 => Said::At(at - Duration::seconds(i64::try_from(self.below(7_200)).unwrap_or_default())),
            78..88 => Said::On(at.with_timezone(&chrono_tz::Europe::Zagreb).date_naive()),
            88..96 => Said::Nothing,
            96..98 => Said::Nonsense("yesterday"),
            _ => Said::Nonsense("1970-01-01T00:00:00Z"),
        }
    }
}
