//! The conditions of the proof, to be left out one at a time.
//!
//! These have no entry. A rule that says `direct` is not even looked for; what it keeps from others
//! goes by the condition on other rules. Days beyond what S3 can count are refused by S3 itself, and so are ids and
//! prefixes that it does not take: those are held to S3's rules in `tests/lifecycle`.

use shelflife::lifecycle::DirectReason as R;

/// Cases that are tried to find what leaving one out breaks.
pub const ENOUGH: u64 = 400_000;

/// Whether a reason is what a condition is known by.
pub type Known = fn(&R) -> bool;

/// Each condition, and what it is known by.
pub const ALL: &[(&str, Known)] = &[
    ("the trigger needs no records", |r| *r == R::TriggerNeedsRecords),
    ("the trigger is one date", |r| *r == R::TriggerOfSeveralDates),
    // Without a window, or one that has no end, nothing can count as its end: two go together.
    ("the trigger lies within a window", |r| matches!(r, R::NoWithin | R::NoClamp)),
    ("the window has an end before the upload", |r| *r == R::UnlimitedBefore),
    ("the window has an end after the upload", |r| matches!(r, R::UnlimitedAfter | R::NoClamp)),
    ("a value outside counts as the end of the window", |r| *r == R::NoClamp),
    ("a missing value counts as the upload", |r| *r == R::MissingIsNotUploaded),
    ("S3 is late by no more than the tolerance", |r| matches!(r, R::Late { .. })),
    ("no override goes by records, or for tenants that the key does not tell", |r| {
        matches!(r, R::Overridden { .. })
    }),
    ("no override that shortens ends", |r| *r == R::OverrideEnds),
    ("nothing under it stays longer", |r| *r == R::StaysLonger),
    ("no hold could keep some of it", |r| matches!(r, R::Hold(_))),
    ("no other rule could keep some of it longer", |r| matches!(r, R::Overlaps(_))),
    ("a versioned bucket has days for noncurrent versions", |r| *r == R::VersionedWithoutNoncurrent),
    ("no versions are kept by number", |r| matches!(r, R::NewerVersionsStay(_))),
    ("tags and sizes are not for versioned buckets", |r| *r == R::LeavesMarkers),
    ("versioning is not suspended", |r| *r == R::Suspended),
    ("no second factor", |r| *r == R::MfaDelete),
    ("no locks", |r| *r == R::ObjectLock),
    ("what is exported first is left to Shelflife", |r| *r == R::Export),
    ("what can be undone is left to Shelflife", |r| *r == R::UndoWindow),
    ("what must leave evidence is left to Shelflife", |r| *r == R::EvidencePerObject),
];
