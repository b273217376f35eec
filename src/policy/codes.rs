//! Every code that a diagnostic can carry, with what it means and what to do.
//!
//! Codes are stable: scripts may match on them. SL01 is the file as text and YAML, SL02 its
//! keys and shapes, SL03 single values, SL04 what the values mean together, SL05 record files,
//! SL09 what is valid and may not be meant, SL10 what the store says to it (`check --live`).
//! SL0202 is retired: it stood for what the language had and Shelflife did not yet read.

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
    DuplicateId = "SL0303": "Two rules, holds, erasures, triggers or record files have the same id, perhaps in two \
        files.",
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
    Date = "SL0312": "Not a date. In a policy write a day, `2027-01-31`; it counts to its end in the policy's time \
        zone. In tests and descriptions of objects an instant with its zone is a date too.",
    Choice = "SL0313": "The word is not one of those that can stand here.",
    RecordPath = "SL0314": "A record file lies inside the policy folder and is named by a relative path with \
        forward slashes and without `..`, so that a policy cannot read other files; or in a store, `s3://`. Its \
        name ends in .csv, .jsonl, .ndjson or .parquet, or `format` says what it is.",
    AttributeName = "SL0315": "Not a name or a value that user metadata or a tag can have, or more of them than an \
        object can have, so that nothing would ever match.",
    RecordField = "SL0316": "A field of a record is written `table.column`.",
    Media = "SL0317": "Not a media type, or one that no file extension stands for. Write `image/*` or \
        `image/png`.",
    Size = "SL0318": "No size lies between the bounds. Both are exclusive, as in S3.",
    DateFormat = "SL0319": "`format` says how a date is written: `epoch-seconds`, `epoch-milliseconds`, or a form in \
        the words of strftime that says a whole date, such as `%d.%m.%Y`. A date that does not come out of the \
        form as it went in is no date.",
    StorePlace = "SL0320": "Not a place in a store. Write the bucket and the key, or the prefix with a `/` at its \
        end: `s3://exports/media/`.",

    Unseen = "SL0321": "A text that must equal another character by character holds a character that nobody sees, \
        or blanks at its ends where the other can have none. A hold on a tenant that nobody is called holds nothing; \
        so it is refused. Take the character out.",

    StopFile = "SL0322": "Not a place for the stop file, whose being there stops a run between two batches. Write a \
        relative path with forward slashes and without `..`, which lies in the policy folder, or an object in a \
        store, `s3://bucket/key`.",

    UnknownReference = "SL0401": "A rule, trigger, record file or column is named that the policy does not \
        define.",
    Cycle = "SL0402": "Triggers use each other in a circle, so none of them has a date.",
    TriggerTooLarge = "SL0403": "Triggers use each other so often that the whole has more than 64 terms, or is \
        nested more than 16 deep.",
    OneSource = "SL0404": "A trigger takes its date from exactly one source. To combine several, use `earliest`, \
        `latest` or `first`.",
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
        where it is agreed or a law asks for it: name the `agreement` or the `legal-basis`.",
    SelectsNothing = "SL0411": "A select says nothing, or its exceptions leave nothing of it, so it is in doubt what is \
        meant. To hold everything, say so: `buckets: [\"*\"]`. An erasure must say whose or which objects, or it \
        would empty buckets: a `size` alone does not, nor a `key` of wildcards and slashes.",
    FreshNeedsExport = "SL0412": "`fresh-within` is measured from the export time in the file, so it needs \
        `exported-at`, and `exported-at` is of no use without it.",
    FixedPeriod = "SL0413": "The tolerance is a number of days; months and years have no fixed number of them.",
    Transition = "SL0414": "Transitions go to ever colder storage classes, each later than the one before by as many \
        days as S3 wants, and before the object expires; and S3 alone makes them. Months count at their longest.",
    NeedsDirect = "SL0415": "`export` and `evidence: per-object` need Shelflife to delete each object itself, \
        which `enforce: lifecycle` and `enforce: observe` rule out.",
    ExportsIntoItself = "SL0416": "The copies would lie where the same rule deletes, so each would be exported \
        again and then deleted. Export to another place, or leave the copies out with `except`.",
    HiddenForGood = "SL0417": "What an undo window hides is the newest superseded version of its key from then on. With \
        `newer-noncurrent-versions` it is kept by number, so it stays hidden and is never removed. Leave out one of \
        the two.",
    TooManyFaults = "SL0499": "More faults were found than are shown. Mend these first.",

    RecordFile = "SL0501": "A record file cannot be read, is too old, or has rows that cannot be used. What \
        depends on it is kept, and `plan` and `reconcile` refuse to go on unless it is tolerated. Export it again.",

    Overlap = "SL0901": "Two rules can match the same object. It then stays until the last of them is due; make \
        sure that this is meant.",
    OverrideChangesNothing = "SL0902": "The override has the period that its rule has already, rests on no law, and no \
        other override of the rule is shorter, so it changes nothing.",
    Past = "SL0903": "The last day of a hold or an override is over, so it has no effect any more. Remove it, or \
        correct the date.",
    PrefixBoundary = "SL0904": "The prefix does not end in `/`, and prefixes are plain text: `inbound` also \
        matches `inbound-archive/`, and `inbound/4711` what is of customer 47110.",
    PrefixLiteral = "SL0905": "The prefix holds characters of the pattern language, but a prefix is plain text. \
        `key` takes a pattern.",
    UnusedTrigger = "SL0906": "No rule uses this trigger.",
    UnusedTable = "SL0907": "No rule uses this record file.",
    NeverMatches = "SL0908": "No object can ever match the rule: its own conditions exclude each other, or its \
        exceptions take everything out again. What it was meant for has no retention.",
    Shadowed = "SL0909": "Everything that the rule matches is matched by another rule as well, which counts from the \
        same date and keeps at least as long. An object stays until the last of its rules is due, so this rule changes \
        nothing. Remove it, or let the other one leave its objects out: `except`.",
    OverrideNeverApplies = "SL0910": "The override names a tenant whose objects its rule does not select, so for that \
        tenant it has no effect. It may name the wrong rule.",
    CoversNothing = "SL0911": "A hold or an erasure covers nothing that any rule covers. Its bucket, prefix or key \
        may be misspelt, and then what it should keep is not kept.",
    FutureErasure = "SL0912": "The day of the erasure's request has not come. Until its end nothing is erased, and \
        what is uploaded by then will be.",
    MutableTag = "SL0913": "The rule goes by a tag. Whoever may tag an object can move its date, or take it out of the \
        rule, at any time and without a trace in the object. S3 does not look at the tag at all where the rule is \
        given to it. Metadata cannot change without writing the object anew.",
    Direct = "SL0914": "S3 cannot be proved to keep the promise of this rule, so Shelflife deletes what is due itself, \
        in each `apply`. That is right and safe; it means that nothing is deleted while nothing runs.",
    CannotBeLifecycle = "SL0915": "The rule says `enforce: lifecycle`, and in no bucket can S3 be proved to keep its \
        promise. `plan` refuses. Write `enforce: auto` or `enforce: direct`, or remove the reason.",
    ReadsEveryObject = "SL0916": "What the rule goes by is not in a listing, so every run has to ask for it object by \
        object. With `within` the upload alone often tells that an object is not due yet, or surely is, and nothing \
        is read.",
    DaysOfTheZone = "SL0917": "A date without a time is a whole day in the policy's time zone, and what is due leaves \
        at the first midnight UTC after the end of its day. Away from UTC that is up to a day later than the period \
        says, never earlier.",
    ExportWithoutRetention = "SL0918": "No rule of the policy selects the place to which copies are exported. They \
        would stay for ever, which is what the notice rules out.",
    OneValue = "SL0919": "A tenant or a value of a record has a comma or a gap in it, as a list would that is written \
        as one text. It is compared as a whole, so it is one value, and most likely nobody's.",
    BlankEnds = "SL0920": "A prefix, a pattern, a tag or the name of a column begins or ends with a blank. Blanks count, \
        and are seldom meant.",
    OneLevel = "SL0921": "The key pattern of a hold, an erasure or an exception ends in a `*`, which stops at `/`. What \
        lies deeper is not held, not erased, or not left out: `recordings/4711*` does not match \
        `recordings/4711/call.mp4`. With `**` in its place all levels are reached, and with them what begins alike: an erasure should name \
        the directory, as in `recordings/4711/**`.",
    NoncurrentByItself = "SL0922": "A superseded version is due when its successor was created and `noncurrent` is over, \
        whatever period an override agrees or a law asks for: it may go sooner than a longer override says, and stay \
        after a shorter one is over. If older versions must go by the override, leave `noncurrent` out: each version then \
        goes on its own date, override and all. Or make it as long as a longer override.",
    UploadsNotSelected = "SL0923": "An upload in progress has no size, tags, metadata or content type that could be \
        read. A rule that selects by one of them covers it perhaps, and what is in doubt stays: `incomplete-uploads` \
        has no effect there. Select by bucket, prefix, key or media.",
    UploadsStay = "SL0924": "An upload that is never completed holds personal data too. Without `incomplete-uploads` it \
        goes by the rule's own date. It has no metadata and no tags, so a date that stands there is never known of it, \
        and a record may never have one: it may stay for ever, and nobody lists it by chance.",
    ErasesMore = "SL0925": "A request to erase is about what it selects, whatever rules leave out with `except`. What \
        rules only observe is not Shelflife's to remove, so there a request may have no effect. Look at the plan for \
        both.",
    NoGuards = "SL0926": "The policy deletes, and no guard says how much of it one run may remove. A slip in a rule, or in \
        the clock of whoever writes the dates, could then empty a bucket in one run. Write `guards: {max-share: 20%}`, \
        with a share that your usual runs keep well within; `--accept` lets a larger run through.",
    TenantsUnread = "SL0927": "A limit per tenant counts objects by what is known of them, and nothing is read only to \
        count it. Where the tenant stands in metadata or a tag and no rule asks for it, all such objects count as those of \
        one tenant, which stops a run too early rather than too late. Put a `key:` pattern first in `tenant:` where keys \
        name the tenant.",
    KeptByNumber = "SL0928": "With `newer-noncurrent-versions` the newest superseded versions of a key stay for ever, \
        however long the rule's period is over and whether or not anything of the key can still be seen. Only a \
        request to erase removes them. They hold personal data like any other: leave it out, so that each goes when \
        `noncurrent` is over.",
    NeedsDirectory = "SL0929": "The `/` of `**/` must be in the key, so `recordings/4711/**/*.mp4` does not match \
        `recordings/4711/call.mp4`, nor `**/*.jpg` a key without a directory. Other programs let `**/` stand for nothing, \
        too. What is missed is not held, not erased or not left out, or has no retention. `recordings/4711/**.mp4` and \
        `**.jpg` reach all levels.",
    NeverCounts = "SL0930": "Something in a trigger can never count. `first` takes the first term that is not absent, and \
        `uploaded` and what has an `if-missing` of its own never are: the terms behind one are not looked at, and a date \
        that stands there is ignored. An `if-missing` counts only where the trigger can be absent. Put the term last, or \
        name its date without `if-missing`.",

    ReachesOwnFiles = "SL0940": "A rule can delete what the policy itself makes or needs: copies that another rule \
        exports, a record file in a store, or the stop file. Copies need an end too, so a rule of their own can be \
        meant; without its record file everything that depends on it stays, and without its stop file a run that was \
        stopped goes on.",

    BucketNotFound = "SL1001": "A rule names a bucket that the store does not have. Every run ends before it \
        changes anything. Create the bucket, or correct its name.",
    BucketClosed = "SL1002": "A bucket could not be opened: access is denied, it lies in another region, it \
        belongs to another account than the policy's `account`, or the store does not answer. Every run ends \
        before it changes anything.",
    PermissionMissing = "SL1003": "Something that a run has to read was refused or could not be read. Of a bucket, \
        the run ends there; of an object, what depends on it is kept. Permissions to write and to delete cannot be \
        tried without writing and deleting, so they are not looked at.",
    NotEnrolled = "SL1004": "A pattern matches a bucket that does not carry the policy's tag. It is left alone, so \
        that a pattern never reaches another team's bucket. Tag it if the policy is meant for it.",
    NoBucket = "SL1005": "No bucket that the policy reaches is one of the rule's, so the rule does nothing.",
    NotProvable = "SL1006": "The rule says `enforce: lifecycle`, and in this bucket S3 cannot be proved to keep its \
        promise. `plan` refuses. Write `enforce: auto` or `enforce: direct`, or remove the reason.",
    LifecycleUnclear = "SL1007": "The bucket's lifecycle configuration cannot be kept as it is beside the policy's \
        rules, so `plan` refuses to go on. Nothing in it is changed.",
    OldLifecycle = "SL1008": "The bucket's lifecycle configuration is of the old form, with a bare `Prefix`, which \
        cannot hold the policy's rules. `plan` refuses unless it may rewrite it: `--upgrade-v1`.",
    ForeignRule = "SL1009": "A lifecycle rule that is not the policy's removes objects that a rule of the policy \
        covers. Shelflife never touches it and S3 obeys it: what it removes early is lost.",
    Versioned = "SL1010": "The bucket keeps versions and the rule has no `noncurrent`. Superseded versions stay \
        until their own date, and S3 cannot be given the rule. With `noncurrent: {retain: 1 day}` it can.",
    Suspended = "SL1011": "Versioning of the bucket is suspended. S3 is not given a rule, because its expiration \
        would destroy null versions; and older null versions and null markers stay, because nothing can name them \
        for certain. Enable versioning again.",
    MfaDelete = "SL1012": "Removing a version from the bucket takes a second factor, which a program does not have. \
        Nothing of the rule's is ever removed. Switch MFA delete off, or write `enforce: observe`.",
    ObjectLock = "SL1013": "The bucket has Object Lock. What is locked stays until the lock ends, whatever the policy \
        says, and S3 is not given a rule, because it would hide what is locked.",
    NoRetention = "SL1014": "The bucket holds keys that no rule can cover: data with no retention. It stays for ever. \
        Write a rule for it; `enforce: observe` is enough to have it decided and reported.",
    RecordsClosed = "SL1015": "A record file in the store cannot be read: it is not there, or access is denied. What \
        depends on it is kept.",
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
