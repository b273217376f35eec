//! Why a rule is not given to S3, in types and in plain words.

use std::fmt;

use super::rule::count;

/// One thing that keeps a rule from S3.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DirectReason {
    /// `enforce: direct`.
    PolicySaysDirect,
    /// `select.key`.
    KeyPattern,
    /// `select.tenants`.
    Tenants,
    /// `select.media`.
    Media,
    /// `select` by tags, size, metadata or content type.
    Attributes,
    /// `select.except`.
    Exception,
    /// `export`.
    Export,
    /// `undo-window`.
    UndoWindow,
    /// `evidence: per-object`.
    EvidencePerObject,
    /// The prefix has characters that XML cannot carry, or is longer than a key can be.
    Prefix,
    /// Name and rule id together are longer than S3's ids.
    IdTooLong,
    /// The trigger looks something up in records.
    TriggerNeedsRecords,
    /// The trigger compares several dates.
    TriggerOfSeveralDates,
    /// The trigger has no `within`.
    NoWithin,
    /// `within` has no limit before the upload.
    UnlimitedBefore,
    /// `within` has no limit after the upload.
    UnlimitedAfter,
    /// No `outside: clamp`.
    NoClamp,
    /// No `if-missing: uploaded`.
    MissingIsNotUploaded,
    /// Days beyond what S3 takes.
    TooLong,
    /// S3 could be later than the policy tolerates.
    Late {
        /// By how many days it could be.
        bound: u32,
        /// How many the policy tolerates.
        tolerance: u32,
    },
    /// An override of the rule is in force.
    Overridden {
        /// For how many tenants by name.
        tenants: usize,
        /// Whether a record tells for whom.
        by_record: bool,
    },
    /// The store has been seen to make something else of its lifecycle rules.
    Altered,
    /// It selects by tags or size in a bucket that keeps versions.
    LeavesMarkers,
    /// An override that shortens the period has an `until`.
    OverrideEnds,
    /// Something that the policy says of a longer start of keys stays longer.
    StaysLonger,
    /// Other rules keep all of its objects longer.
    Outlasted,
    /// What stands directly under this start of keys, and directories that come later: S3 was
    /// given the directories that were listed.
    Beside(String),
    /// The directories under this start were not listed, so S3 was not given them one by one.
    Unlisted(String),
    /// More directories stand under this start than are worth a rule each.
    TooManyDirectories {
        /// The start of keys.
        start: String,
        /// How many were found before looking was given up.
        found: usize,
    },
    /// S3 takes 1,000 rules in a bucket.
    TooManyRules {
        /// How many more it would have taken.
        needed: usize,
        /// How many there was room for.
        room: usize,
    },
    /// The hold with this id is in force and could keep some of its objects.
    Hold(String),
    /// The rule with this id could cover some of the same objects.
    Overlaps(String),
    /// The bucket keeps versions and the rule does not say what becomes of them.
    VersionedWithoutNoncurrent,
    /// `newer-noncurrent-versions` is not zero.
    NewerVersionsStay(u32),
    /// Versioning is suspended.
    Suspended,
    /// Removing versions takes a second factor.
    MfaDelete,
    /// The bucket has Object Lock.
    ObjectLock,
}

impl DirectReason {
    /// Whether they pass by themselves, as a hold does when it is released, or with the next run:
    /// then `enforce: lifecycle` is no mistake, and the rule is direct in the meantime.
    pub(super) fn are_passing(reasons: &[Self]) -> bool {
        let passes = |reason: &Self| matches!(reason, Self::Hold(_) | Self::Unlisted(_) | Self::Beside(_));
        // A hold is what the rest has to be split up for.
        let is_split = |reason: &Self| {
            matches!(reason, Self::StaysLonger | Self::TooManyDirectories { .. } | Self::TooManyRules { .. })
        };
        let is_held = reasons.iter().any(|reason| matches!(reason, Self::Hold(_)));
        reasons.iter().all(|reason| passes(reason) || is_held && is_split(reason))
    }
}

impl fmt::Display for DirectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PolicySaysDirect => f.write_str("the policy says `enforce: direct`"),
            Self::KeyPattern => f.write_str("it selects by a key pattern, and S3 knows only prefixes"),
            Self::Tenants => f.write_str("it selects by tenant, which S3 does not know"),
            Self::Prefix => f.write_str(
                "its prefix is longer than a key can be or has characters that a lifecycle configuration cannot carry",
            ),
            Self::IdTooLong => {
                f.write_str("the policy's name and the rule's id are together too long for an id in S3")
            }
            Self::TriggerNeedsRecords => f.write_str("its trigger needs records, which S3 does not have"),
            Self::TriggerOfSeveralDates => {
                f.write_str("its trigger compares several dates, and S3 knows only the upload")
            }
            Self::NoWithin => {
                f.write_str("its trigger has no `within`, so its date can lie anywhere from the upload")
            }
            Self::UnlimitedBefore => {
                f.write_str("its trigger's `within` is unlimited before the upload, so S3 could be late without limit")
            }
            Self::UnlimitedAfter => {
                f.write_str("its trigger's `within` is unlimited after the upload, so S3 could be early")
            }
            Self::NoClamp => f.write_str(
                "its trigger has no `outside: clamp`, so objects with a date outside of `within` must stay",
            ),
            Self::MissingIsNotUploaded => f.write_str(
                "its trigger has no `if-missing: uploaded`, so objects without a date must stay",
            ),
            Self::TooLong => f.write_str("its period is longer than S3 can count"),
            Self::Late { bound, tolerance } => write!(
                f,
                "S3 could be {} late, and the policy tolerates {}",
                count(i64::from(*bound)),
                count(i64::from(*tolerance))
            ),
            Self::Media => f.write_str("it selects by file extension, and S3 knows only prefixes"),
            Self::Attributes => {
                f.write_str("it selects by size, tags, metadata or content type, which is not given to S3")
            }
            Self::Exception => f.write_str("it has exceptions, which S3 does not know"),
            Self::Export => f.write_str("its objects are exported before they are deleted"),
            Self::EvidencePerObject => {
                f.write_str("it asks for evidence of every deletion, which S3 does not give")
            }
            Self::Overridden { by_record: true, .. } => {
                f.write_str("an override is in force that goes by records, which S3 does not have")
            }
            Self::Overridden { tenants: 1, .. } => f.write_str("an override is in force for one tenant"),
            Self::Overridden { tenants, .. } => write!(f, "an override is in force for {tenants} tenants"),
            Self::UndoWindow => f.write_str("its deletions can be undone for a while, which S3 does not offer"),
            Self::Altered => f.write_str(
                "the store has made something else of its lifecycle rules, as the log of an earlier run says",
            ),
            Self::LeavesMarkers => f.write_str(
                "the bucket keeps versions, and S3 would leave delete markers behind that no rule with tags or sizes removes",
            ),
            Self::OverrideEnds => f.write_str(
                "an override that shortens it ends on a certain day, and S3 would go by it until the next run after that",
            ),
            Self::StaysLonger => f.write_str("something under its prefix stays longer, and S3 would obey the shorter period"),
            Self::Outlasted => f.write_str("other rules keep all of its objects longer"),
            Self::Beside(start) => write!(
                f,
                "under {start:?} S3 was given the directories that are there; what stands beside them, and new ones until the next run, are Shelflife's"
            ),
            Self::Unlisted(start) => write!(
                f,
                "the directories under {start:?} would have to be listed, so that S3 can be given them one by one"
            ),
            Self::TooManyDirectories { start, found } => write!(
                f,
                "S3 would have to be given the directories under {start:?} one by one, and there are {found} or more"
            ),
            Self::TooManyRules { needed, room } => write!(
                f,
                "it would take {needed} more lifecycle rules, and in this bucket there is room for {room}"
            ),
            Self::Hold(id) => write!(f, "the hold `{id}` could keep some of its objects"),
            Self::Overlaps(id) => write!(
                f,
                "the rule `{id}` could cover some of the same objects, and S3 would obey the shorter of the two"
            ),
            Self::VersionedWithoutNoncurrent => {
                f.write_str("the bucket keeps versions and the rule has no `noncurrent`")
            }
            Self::NewerVersionsStay(kept) => write!(
                f,
                "it keeps the newest {kept} noncurrent version{}, and S3 would count expired objects among them",
                if *kept == 1 { "" } else { "s" }
            ),
            Self::Suspended => f.write_str(
                "the bucket's versioning is suspended, and S3's expiration would destroy its null versions",
            ),
            Self::MfaDelete => f.write_str("the bucket has MFA delete, which S3 does not combine with lifecycle"),
            Self::ObjectLock => f.write_str(
                "the bucket has Object Lock, and S3 would hide locked objects behind delete markers",
            ),
        }
    }
}
