//! Every code that a diagnostic can carry, with what it means and what to do.
//!
//! Codes are stable: scripts may match on them. SL01 is the file as text and YAML, SL02 its
//! keys and shapes, SL03 single values, SL04 what the values mean together, SL09 warnings.

macro_rules! codes {
    ($($name:ident = $id:literal: $explanation:literal,)*) => {
        /// What kind of fault a diagnostic reports.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $explanation] $name,)*
        }

        impl Code {
            /// All codes, in the order of their ids.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The stable id, `SL0101`.
            pub const fn id(self) -> &'static str {
                match self {
                    $(Self::$name => $id,)*
                }
            }

            /// One paragraph on what it means and what to do.
            pub const fn explanation(self) -> &'static str {
                match self {
                    $(Self::$name => $explanation,)*
                }
            }
        }
    };
}

codes! {
    TooLarge = "SL0101": "A policy file is larger than 1 MiB. Policies are written and reviewed by people; \
        split it, or move what is data into a record file.",
    NotUtf8 = "SL0102": "The file is not UTF-8 text. Save it again as UTF-8.",
    ControlCharacter = "SL0103": "The file or a quoted value holds a control character, a text-direction \
        character or a line break that YAML readers treat in different ways. What a reviewer sees and what a \
        program reads would differ; remove it.",
    Syntax = "SL0104": "The file is not YAML. The place is where the reader gave up; the slip is often on the \
        line before.",
    TooDeep = "SL0105": "Lists and mappings are nested more than 64 deep. No policy needs that.",
    Alias = "SL0106": "Anchors (`&`), aliases (`*`) and merge keys (`<<`) are not part of the policy language: \
        a reviewer must see what a rule says where it stands. Write the value out, or name a trigger under \
        `triggers:`. A value that starts with `*` needs quotes.",
    Tag = "SL0107": "YAML tags (`!name`) are not part of the policy language. A value that starts with `!` \
        needs quotes.",
    DuplicateKey = "SL0108": "A mapping has the same key twice, so one of the two values would be lost. Keep one.",
    KeyForm = "SL0109": "A key is not text: it is a number, a date, true or false, nothing, a list or a mapping. \
        If text is meant, quote it.",
    ReadersDisagree = "SL0110": "Two YAML readers understand this place in different ways, so what it means is \
        in doubt. Write it in a plainer way; quotes usually settle it.",
    Empty = "SL0111": "A file or one of its documents says nothing. It may have been cut off, and what is lost \
        could be a hold; so it is refused. Remove the file, or say it is empty on purpose: `holds: []`.",

    UnknownKey = "SL0201": "The key is not part of the policy language at this place. An unknown key is never \
        skipped: it could be a misspelt hold.",
    NotSupported = "SL0202": "The policy language has this, but this version of Shelflife does not carry it out \
        yet. It is refused because skipping it would change what is deleted.",
    MissingKey = "SL0203": "Something that has no safe default is not given.",
    WrongShape = "SL0204": "The value has the wrong shape: text, a list or a mapping is expected.",
    Unquoted = "SL0205": "An exact text is written so that YAML may read it as a number, a date, true or false, \
        or nothing: `0815` may become 815. Put it in quotes.",
    SaidTwice = "SL0206": "A setting that can stand only once in a policy is given twice, perhaps in two files. \
        Keep one.",
    EmptyValue = "SL0207": "A list or a text is empty where that would mean nothing, or everything by accident.",

    Version = "SL0301": "The version of the policy language is not one that this Shelflife reads. Write \
        `version: 1`.",
    Name = "SL0302": "A name or id has not the form that is safe in lifecycle rule ids, bucket tags and reports: \
        lower-case letters, digits and hyphens, up to the given length.",
    DuplicateId = "SL0303": "Two rules, holds, triggers or record files have the same id, perhaps in two files.",
    Period = "SL0304": "Not a period. Write a whole number and a unit, `30 days`, `6 months`, `1 year`, or \
        `P6M`; not zero, and at most 100 years.",
    Duration = "SL0305": "Not a length of time. Write a whole number and seconds, minutes, hours, days or weeks, \
        `1 hour`; months have no fixed length and cannot be used here.",
    TimeZone = "SL0306": "Not a time zone of the IANA database, such as `Europe/Zagreb` or `UTC`.",
    Account = "SL0307": "Not an AWS account id, which is twelve digits, in quotes.",
    Pattern = "SL0308": "Not a pattern. `*` stops at `/`, `**` does not, `?` is one character, braces capture.",
    Bucket = "SL0309": "Not a bucket name or a pattern of one. Write the name alone, without `s3://`, a path or \
        an ARN.",
    Prefix = "SL0310": "No key can start with this prefix: it is longer than 1,024 bytes, the length of the \
        longest key.",
    Number = "SL0311": "Not the number that is expected here.",
    Date = "SL0312": "Not a civil date. Write `2027-01-31`; the day counts to its end in the policy's time zone.",
    Choice = "SL0313": "The word is not one of those that can stand here.",
    RecordPath = "SL0314": "A record file lies inside the policy folder and is named by a relative path with \
        forward slashes and without `..`, so that a policy cannot read other files.",
    AttributeName = "SL0315": "Not a name that user metadata or a tag can have.",
    RecordField = "SL0316": "A field of a record is written `table.column`.",

    UnknownReference = "SL0401": "A rule, trigger, record file or column is named that the policy does not \
        define.",
    Cycle = "SL0402": "Triggers use each other in a circle, so none of them has a date.",
    TriggerTooLarge = "SL0403": "Triggers use each other so often that the whole has more than 64 terms, or is \
        nested more than 16 deep.",
    OneSource = "SL0404": "A trigger takes its date from exactly one source. To combine several, use `earliest`.",
    OutsideNeedsWithin = "SL0405": "`outside` says what a date outside of `within` counts as, so it needs \
        `within`.",
    ClampNeedsLimit = "SL0406": "`outside: clamp` counts a date outside of `within` as the upload plus \
        `within.after`, so that needs a limit.",
    OutOfPlace = "SL0407": "The setting has no meaning where it stands, so something else must be meant.",
    CaptureMissing = "SL0408": "The key pattern has not the captures that its place needs: `{tenant}` for a \
        tenant, `{id}` for a record's id, `{yyyy}`, `{MM}` and `{dd}` for a date. A date without its day could \
        only be guessed, and a guess can delete early.",
    NoTenantSource = "SL0409": "Tenants are used, but the policy does not say where an object's tenant stands. \
        Without `tenant:` nothing could ever match.",
    NeedsAgreement = "SL0410": "An override keeps data longer than its rule can. The notice allows that only \
        where it is agreed: name the agreement.",
    SelectsNothing = "SL0411": "A hold has no select, or an empty one. To hold everything, say so: \
        `buckets: [\"*\"]`.",
    FreshNeedsExport = "SL0412": "`fresh-within` is measured from the export time in the file, so it needs \
        `exported-at`, and `exported-at` is of no use without it.",
    FixedPeriod = "SL0413": "The tolerance is a number of days; months and years have no fixed number of them.",
    TooManyFaults = "SL0499": "More faults were found than are shown. Mend these first.",

    Overlap = "SL0901": "Two rules can match the same object. It then stays until the last of them is due; make \
        sure that this is meant.",
    OverrideChangesNothing = "SL0902": "The override has the period that its rule has already.",
    Past = "SL0903": "The last day of a hold or an override is over, so it has no effect any more. Remove it, or \
        correct the date.",
    PrefixBoundary = "SL0904": "The prefix does not end in `/`, and prefixes are plain text: `inbound` also \
        matches `inbound-archive/`.",
    PrefixLiteral = "SL0905": "The prefix holds characters of the pattern language, but a prefix is plain text. \
        `key` takes a pattern.",
    UnusedTrigger = "SL0906": "No rule uses this trigger.",
    UnusedTable = "SL0907": "No rule uses this record file.",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_in_order() {
        let ids: Vec<_> = Code::ALL.iter().map(|code| code.id()).collect();
        assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
    }
}
