//! What is stored under each row of the notice, and by when it must be gone: every date is read off the notice
//! and a calendar by hand, and none is computed.
//!
//! A day that stands alone is a whole day in Zagreb, one or two hours ahead of UTC. Whatever ends during a day
//! in UTC is due at its end.

/// An object and its fate.
#[derive(Clone, Copy, Debug)]
pub struct Medium {
    /// The row of the notice.
    pub row: u8,
    pub bucket: &'static str,
    pub key: &'static str,
    pub uploaded: &'static str,
    pub metadata: &'static [(&'static str, &'static str)],
    /// The first day on which it may, and must, go; `None` if it stays.
    pub due: Option<&'static str>,
}

impl Medium {
    /// Whether it is stored long before it is sent.
    pub fn is_planned(&self) -> bool {
        self.key.contains("/planned")
    }
}

const fn medium(
    row: u8,
    (bucket, key): (&'static str, &'static str),
    uploaded: &'static str,
    metadata: &'static [(&'static str, &'static str)],
    due: Option<&'static str>,
) -> Medium {
    Medium { row, bucket, key, uploaded, metadata, due }
}

const CONVERSATIONS: &str = "acme-conversations";
const MESSAGING: &str = "acme-messaging";
const CAMPAIGNS: &str = "acme-campaigns";
const OTT: &str = "acme-ott-media";
const ANALYTICS: &str = "acme-analytics";
const DATABASES: &str = "acme-customer-databases";
const RECORDINGS: &str = "acme-recordings";
const EMAIL: &str = "acme-email-content";
const ATTACHMENTS: &str = "acme-email-attachments";
const TRAFFIC: &str = "acme-traffic-records";

const SENT: &str = "communication-date";

/// All that is stored in the course of the journeys. The first day is 1 January 2026.
pub const OBJECTS: &[Medium] = &[
    // --- 1: content of conversations, 6 months after the start. `long` starts on 31 August 2026 at noon and goes
    // on for more than half a year; February has no 31st.
    medium(1, (CONVERSATIONS, "content/1001/long/first"), "2026-08-31T12:00:05Z", &[], Some("2027-03-01")),
    medium(
        1,
        (CONVERSATIONS, "content/1001/long/fifth-month"),
        "2027-01-15T09:00:00Z",
        &[],
        Some("2027-03-01"),
    ),
    medium(1, (CONVERSATIONS, "content/1001/long/last-day"), "2027-02-28T20:00:00Z", &[], Some("2027-03-01")),
    // In the seventh month its time is up when it comes, and it goes with the next run.
    medium(
        1,
        (CONVERSATIONS, "content/1001/long/seventh-month"),
        "2027-03-04T09:00:00Z",
        &[],
        Some("2027-03-01"),
    ),
    // `day` starts on 31 December 2026, and `leap` on 31 August 2027.
    medium(1, (CONVERSATIONS, "content/1002/day/first"), "2026-12-31T07:00:00Z", &[], Some("2027-07-01")),
    medium(1, (CONVERSATIONS, "content/1003/leap/first"), "2027-08-31T12:00:05Z", &[], Some("2028-03-01")),
    medium(1, (CONVERSATIONS, "content/1003/never-recorded/first"), "2026-01-10T07:00:00Z", &[], None),
    // --- 2: content of programmable messaging, 3 months.
    medium(
        2,
        (MESSAGING, "content/1001/to-february"),
        "2026-11-30T10:00:02Z",
        &[(SENT, "2026-11-30T10:00:00Z")],
        Some("2027-03-01"),
    ),
    medium(
        2,
        (MESSAGING, "content/1001/to-leap-day"),
        "2027-11-30T10:00:02Z",
        &[(SENT, "2027-11-30T10:00:00Z")],
        Some("2028-03-01"),
    ),
    // Half past midnight on 1 April in Zagreb is 31 March in UTC, and 30 June is its last day;
    medium(
        2,
        (MESSAGING, "content/1002/at-night"),
        "2027-03-31T22:31:00Z",
        &[(SENT, "2027-04-01T00:30:00+02:00")],
        Some("2027-07-01"),
    ),
    // but the day in Zagreb is 1 April.
    medium(
        2,
        (MESSAGING, "content/1002/that-day"),
        "2027-03-31T22:31:00Z",
        &[(SENT, "2027-04-01")],
        Some("2027-07-02"),
    ),
    medium(2, (MESSAGING, "content/1003/silent"), "2027-03-31T08:00:00Z", &[], Some("2027-07-01")),
    // Stored in January, and sent on the last of March as it was planned.
    medium(
        2,
        (MESSAGING, "content/1003/planned"),
        "2027-01-19T08:00:00Z",
        &[(SENT, "2027-03-31T08:00:00Z")],
        Some("2027-07-01"),
    ),
    // --- 3: logs of conversations, as their content.
    medium(3, (CONVERSATIONS, "logs/1001/long/2026-09.gz"), "2026-10-01T02:00:00Z", &[], Some("2027-03-01")),
    medium(3, (CONVERSATIONS, "logs/1001/long/2027-02.gz"), "2027-03-01T02:00:00Z", &[], Some("2027-03-01")),
    medium(3, (CONVERSATIONS, "logs/1002/day/2027-01.gz"), "2027-02-01T02:00:00Z", &[], Some("2027-07-01")),
    medium(3, (CONVERSATIONS, "logs/1003/leap/2027-09.gz"), "2027-10-01T02:00:00Z", &[], Some("2028-03-01")),
    // --- 4: logs of programmable messaging, 3 months.
    medium(
        4,
        (MESSAGING, "logs/1001/2026-11-30.gz"),
        "2026-12-01T01:00:00Z",
        &[(SENT, "2026-11-30")],
        Some("2027-03-01"),
    ),
    medium(
        4,
        (MESSAGING, "logs/1001/2027-03-31.gz"),
        "2027-04-01T01:00:00Z",
        &[(SENT, "2027-03-31")],
        Some("2027-07-01"),
    ),
    medium(
        4,
        (MESSAGING, "logs/1001/2027-11-30.gz"),
        "2027-12-01T01:00:00Z",
        &[(SENT, "2027-11-30")],
        Some("2028-03-01"),
    ),
    // --- 5: campaigns, 3 months after their end. `over` ends on 30 November 2026. `resumed` does too, goes on from
    // 10 February 2027, and ends on 31 March. `endless` never does.
    medium(5, (CAMPAIGNS, "flow/1001/over/flow.json"), "2026-01-05T09:00:00Z", &[], Some("2027-03-01")),
    medium(
        5,
        (CAMPAIGNS, "broadcast/1002/resumed/audience.csv"),
        "2026-01-05T09:00:00Z",
        &[],
        Some("2027-07-01"),
    ),
    medium(5, (CAMPAIGNS, "flow/1003/endless/flow.json"), "2026-01-05T09:00:00Z", &[], None),
    // --- 6: media received via OTT channels, 30 days.
    medium(
        6,
        (OTT, "inbound/1001/photo.jpg"),
        "2027-01-29T10:05:00Z",
        &[(SENT, "2027-01-29T10:00:00Z")],
        Some("2027-03-01"),
    ),
    // Exactly midnight; the day before is over at its very end.
    medium(
        6,
        (OTT, "inbound/1001/at-midnight.ogg"),
        "2027-01-30T00:10:00Z",
        &[(SENT, "2027-01-30T00:00:00Z")],
        Some("2027-03-01"),
    ),
    medium(
        6,
        (OTT, "inbound/1002/day.pdf"),
        "2027-05-31T10:05:00Z",
        &[(SENT, "2027-05-31")],
        Some("2027-07-01"),
    ),
    // No date that can be: an hour after the upload counts, and that is the next day.
    medium(
        6,
        (OTT, "inbound/1002/epoch.pdf"),
        "2027-05-30T23:30:00Z",
        &[(SENT, "1970-01-01T00:00:00Z")],
        Some("2027-07-01"),
    ),
    medium(
        6,
        (OTT, "inbound/1003/leap.jpg"),
        "2028-01-30T10:05:00Z",
        &[(SENT, "2028-01-30T10:00:00Z")],
        Some("2028-03-01"),
    ),
    // --- 7: analytics, 6 months after the day in the key.
    medium(7, (ANALYTICS, "events/1001/2026/08/31/0.gz"), "2026-09-01T03:00:00Z", &[], Some("2027-03-01")),
    medium(7, (ANALYTICS, "events/1001/2026/12/31/0.gz"), "2027-01-01T03:00:00Z", &[], Some("2027-07-01")),
    medium(7, (ANALYTICS, "events/1001/2027/08/31/0.gz"), "2027-09-01T03:00:00Z", &[], Some("2028-03-01")),
    // --- 8: customers' databases, 30 days after the contract's end (`leaves`: 29 January 2027) or 18 months of
    // silence (`quiet`: since 29 July 2025, and so from 29 January 2027).
    medium(8, (DATABASES, "profiles/leaves/1.json"), "2026-01-05T09:00:00Z", &[], Some("2027-03-01")),
    medium(8, (DATABASES, "knowledge/quiet/index.bin"), "2026-01-05T09:00:00Z", &[], Some("2027-03-01")),
    medium(8, (DATABASES, "profiles/back/1.json"), "2026-01-05T09:00:00Z", &[], Some("2027-07-01")),
    medium(8, (DATABASES, "profiles/1001/1.json"), "2026-01-05T09:00:00Z", &[], None),
    // --- 9: recordings, the same. `back` has been quiet as long as `quiet`, comes back on 20 February 2027 and
    // leaves on 31 May. `goes-on` is active after the end of its contract on 29 January 2027.
    medium(9, (RECORDINGS, "recordings/leaves/1.wav"), "2026-05-05T09:00:00Z", &[], Some("2027-03-01")),
    medium(9, (RECORDINGS, "recordings/quiet/1.wav"), "2026-01-05T09:00:00Z", &[], Some("2027-03-01")),
    medium(9, (RECORDINGS, "recordings/goes-on/1.wav"), "2026-01-05T09:00:00Z", &[], Some("2027-03-01")),
    medium(9, (RECORDINGS, "recordings/back/1.wav"), "2026-01-05T09:00:00Z", &[], Some("2027-07-01")),
    medium(9, (RECORDINGS, "recordings/1001/1.wav"), "2026-01-05T09:00:00Z", &[], None),
    medium(9, (RECORDINGS, "recordings/stranger/1.wav"), "2026-01-05T09:00:00Z", &[], None),
    // --- 10: emails over SMTP, 7 days.
    medium(
        10,
        (EMAIL, "smtp/1001/1.eml"),
        "2027-02-21T10:00:02Z",
        &[(SENT, "2027-02-21T10:00:00Z")],
        Some("2027-03-01"),
    ),
    medium(
        10,
        (EMAIL, "smtp/1001/2.eml"),
        "2027-06-23T10:00:02Z",
        &[(SENT, "2027-06-23T10:00:00Z")],
        Some("2027-07-01"),
    ),
    medium(
        10,
        (EMAIL, "smtp/1001/3.eml"),
        "2028-02-22T10:00:02Z",
        &[(SENT, "2028-02-22T10:00:00Z")],
        Some("2028-03-01"),
    ),
    // --- 11: emails over HTTP, 2 days; from the send-at where there is one.
    medium(
        11,
        (EMAIL, "http/1001/at-once.json"),
        "2027-02-26T10:00:02Z",
        &[(SENT, "2027-02-26T10:00:00Z")],
        Some("2027-03-01"),
    ),
    medium(
        11,
        (EMAIL, "http/1001/later.json"),
        "2027-02-10T10:00:02Z",
        &[(SENT, "2027-02-10T10:00:00Z"), ("send-at", "2027-02-26T18:00:00Z")],
        Some("2027-03-01"),
    ),
    medium(
        11,
        (EMAIL, "http/1002/late-at-night.json"),
        "2027-06-20T10:00:02Z",
        &[(SENT, "2027-06-20T10:00:00Z"), ("send-at", "2027-06-29T01:30:00+02:00")],
        Some("2027-07-01"),
    ),
    medium(
        11,
        (EMAIL, "http/1002/no-date.json"),
        "2027-02-26T10:00:02Z",
        &[(SENT, "2027-02-26T10:00:00Z"), ("send-at", "tomorrow")],
        None,
    ),
    medium(
        11,
        (EMAIL, "http/1003/leap.json"),
        "2028-02-27T10:00:02Z",
        &[(SENT, "2028-02-27T10:00:00Z")],
        Some("2028-03-01"),
    ),
    // --- 12: attachments and inline media of emails, 1 year.
    medium(
        12,
        (ATTACHMENTS, "attachments/1001/1.pdf"),
        "2026-02-28T10:00:02Z",
        &[(SENT, "2026-02-28T10:00:00Z")],
        Some("2027-03-01"),
    ),
    medium(
        12,
        (ATTACHMENTS, "attachments/1001/day.pdf"),
        "2026-06-30T10:00:02Z",
        &[(SENT, "2026-06-30")],
        Some("2027-07-01"),
    ),
    // A year of 366 days, to the second.
    medium(
        12,
        (ATTACHMENTS, "attachments/1001/leap.pdf"),
        "2027-03-01T00:00:02Z",
        &[(SENT, "2027-03-01T00:00:00Z")],
        Some("2028-03-01"),
    ),
    // Stored with emails that are sent later: the one 60 days, the other at most 90, and that is 30 June too.
    medium(
        12,
        (ATTACHMENTS, "attachments/1002/planned.pdf"),
        "2026-05-01T10:00:00Z",
        &[(SENT, "2026-06-30T10:00:00Z")],
        Some("2027-07-01"),
    ),
    medium(
        12,
        (ATTACHMENTS, "attachments/1002/planned-too-far.pdf"),
        "2026-04-01T10:00:00Z",
        &[(SENT, "2062-06-30T10:00:00Z")],
        Some("2027-07-01"),
    ),
    // --- 13: detail records, 12 months; in Italy 72, in Germany 10 years.
    medium(13, (TRAFFIC, "cdr/1001/2026/02/28/0.gz"), "2026-03-01T01:00:00Z", &[], Some("2027-03-01")),
    medium(13, (TRAFFIC, "cdr/1001/2026/06/30/0.gz"), "2026-07-01T01:00:00Z", &[], Some("2027-07-01")),
    medium(13, (TRAFFIC, "cdr/1001/2027/02/28/0.gz"), "2027-03-01T01:00:00Z", &[], Some("2028-02-29")),
    medium(13, (TRAFFIC, "cdr/italian/2026/02/28/0.gz"), "2026-03-01T01:00:00Z", &[], Some("2032-02-29")),
    medium(13, (TRAFFIC, "cdr/german/2026/02/28/0.gz"), "2026-03-01T01:00:00Z", &[], Some("2036-02-29")),
    // Whose country is not known may be a German.
    medium(13, (TRAFFIC, "cdr/nowhere/2026/02/28/0.gz"), "2026-03-01T01:00:00Z", &[], Some("2036-02-29")),
    medium(13, (TRAFFIC, "cdr/stranger/2026/02/28/0.gz"), "2026-03-01T01:00:00Z", &[], Some("2036-02-29")),
    medium(13, (TRAFFIC, "cdr/1001/undated.gz"), "2026-03-01T01:00:00Z", &[], None),
];
