//! Terraform: one `aws_s3_bucket_lifecycle_configuration` a bucket.

use icu_normalizer::ComposingNormalizerBorrowed;
use sha2::{Digest, Sha256};
use unicode_width::UnicodeWidthChar;

use super::hcl::{Block, comment};
use super::json::{after, on};
use super::model::{BucketRules, Condition, Origin, TargetError, conditions, date, texts};
use crate::lifecycle::{Expiration, RuleView};
use crate::text;

const ADVICE: [&str; 2] = [
    "Change the policy and compile again, rather than this file. Each resource owns all lifecycle rules",
    "of its bucket: whatever else stands there goes when it is applied.",
];

/// Said of a bucket with a rule of several conditions and none on the least size: in the provider that
/// attribute is 0 where it is not set, and 0 is sent.
const LEFT_BEHIND: [&str; 2] = [
    "Where conditions stand in an `and`, the AWS provider adds a size over 0, from its version 5.86 on:",
    "S3 leaves what has no byte, and `shelflife audit` tells of it once it is overdue.",
];

/// So many marks in a row are left as they are. After 30 of them Terraform's library for NFC puts in a
/// character of its own; it counts some with the letter before, and some that are no marks.
const MOST_MARKS: usize = 24;

/// All buckets, each with a comment that says who removes what. A bucket in which S3 has no part has
/// no resource.
///
/// # Errors
/// [`TargetError::NotNfc`] and [`TargetError::LeftOut`].
pub fn module(origin: &Origin, buckets: &[BucketRules]) -> Result<String, TargetError> {
    for bucket in buckets {
        bucket.rules.iter().try_for_each(|rule| refuse_what_changes(&bucket.bucket, rule))?;
    }
    let head: Vec<String> =
        std::iter::once(origin.line()).chain(origin.digests()).chain(ADVICE.map(str::to_owned)).collect();
    let mut parts = vec![comment(&head)];
    for bucket in buckets {
        let mut lines = bucket.remarks();
        if bucket.rules.is_empty() {
            lines.push("S3 has no part in it, so there is no resource.".to_owned());
        }
        let is_narrowed = |rule: &RuleView| conditions(rule).len() > 1 && rule.filter.size_over.is_none();
        if bucket.rules.iter().any(is_narrowed) {
            lines.extend(LEFT_BEHIND.map(str::to_owned));
        }
        let resource = if bucket.rules.is_empty() { String::new() } else { resource(bucket).write(0) };
        parts.push(format!("{}{resource}", comment(&lines)));
    }
    Ok(parts.join("\n"))
}

/// What Terraform or its provider makes something else of in a filter, which then takes other objects.
fn refuse_what_changes(bucket: &str, view: &RuleView) -> Result<(), TargetError> {
    let (bucket, rule) = (bucket.to_owned(), view.id.clone().unwrap_or_default());
    if let Some(text) = texts(view).find(|text| !is_kept(text)) {
        return Err(TargetError::NotNfc { bucket, rule, text: text.clone() });
    }
    let left_out = conditions(view).into_iter().find_map(|condition| match condition {
        // Later versions keep it. None can be asked for here: a module has one `required_providers`, and
        // in most that is written already.
        Condition::Over(0) => Some("a size over 0, before its version 5.86".to_owned()),
        Condition::Tag(key, _) if key.starts_with("aws:") => Some(format!("the tag {key:?}")),
        _ => None,
    });
    match left_out {
        Some(condition) => Err(TargetError::LeftOut { bucket, rule, condition }),
        None => Ok(()),
    }
}

/// Whether a text is the same after Terraform has brought it to NFC.
fn is_kept(text: &str) -> bool {
    let marks = text.chars().scan(0_usize, |marks, character| {
        *marks = if character.width() == Some(0) { *marks + 1 } else { 0 };
        Some(*marks)
    });
    ComposingNormalizerBorrowed::new_nfc().is_normalized(text) && marks.max() <= Some(MOST_MARKS)
}

fn resource(bucket: &BucketRules) -> Block {
    let label = label(&bucket.bucket);
    Block::new(format!("resource \"aws_s3_bucket_lifecycle_configuration\" \"{label}\""))
        .text("bucket", &bucket.bucket)
        .blocks(bucket.rules.iter().map(rule))
}

/// A name for the bucket's resource, which no other bucket has and which stays the same whatever
/// other buckets there are.
fn label(bucket: &str) -> String {
    let plain = bucket.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    let mut label: String = bucket
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
        .collect();
    if !label.starts_with(|c: char| c.is_ascii_lowercase()) {
        label.insert(0, '_');
    }
    if plain { label } else { format!("{label}_{}", &text::hex(&Sha256::digest(bucket))[..8]) }
}

fn rule(view: &RuleView) -> Block {
    let newer = |newer: i64| (newer > 0).then_some(newer);
    let expiration = view.expiration.as_ref().map(expiration);
    let transitions = view.transitions.iter().map(|it| {
        let block = Block::new("transition").optional("days", after(it.when));
        match on(it.when) {
            Some(date) => block.text("date", &date),
            None => block,
        }
        .text("storage_class", &it.class)
    });
    let noncurrent = view.noncurrent.as_ref().map(|it| {
        Block::new("noncurrent_version_expiration")
            .optional("noncurrent_days", it.days)
            .optional("newer_noncurrent_versions", newer(it.newer))
    });
    let noncurrent_transitions = view.noncurrent_transitions.iter().map(|it| {
        Block::new("noncurrent_version_transition")
            .optional("noncurrent_days", it.days)
            .optional("newer_noncurrent_versions", newer(it.newer))
            .text("storage_class", &it.class)
    });
    let abort = view
        .abort_days
        .map(|days| Block::new("abort_incomplete_multipart_upload").number("days_after_initiation", days));
    Block::new("rule")
        .text("id", view.id.as_deref().unwrap_or_default())
        .text("status", &view.status.to_string())
        .blocks([filter(view)])
        .blocks(expiration)
        .blocks(transitions)
        .blocks(noncurrent)
        .blocks(noncurrent_transitions)
        .blocks(abort)
}

fn expiration(it: &Expiration) -> Block {
    let block = Block::new("expiration").optional("days", it.days);
    let block = match it.date {
        Some(at) => block.text("date", &date(at)),
        None => block,
    };
    if it.markers { block.on("expired_object_delete_marker") } else { block }
}

/// An empty filter means the whole bucket; more than one condition stands in an `and`.
fn filter(view: &RuleView) -> Block {
    match conditions(view).as_slice() {
        [] => Block::new("filter"),
        [Condition::Tag(key, value)] => {
            Block::new("filter").blocks([Block::new("tag").text("key", key).text("value", value)])
        }
        [one] => with(Block::new("filter"), one),
        several => {
            let and = several.iter().fold(Block::new("and"), with);
            let tags = several.iter().filter_map(|condition| match condition {
                Condition::Tag(key, value) => Some((*key, *value)),
                _ => None,
            });
            let has_tags = !view.filter.tags.is_empty();
            Block::new("filter").blocks([if has_tags { and.map("tags", tags) } else { and }])
        }
    }
}

fn with(block: Block, condition: &Condition<'_>) -> Block {
    match condition {
        Condition::Prefix(prefix) => block.text("prefix", prefix),
        Condition::Over(bytes) => block.number("object_size_greater_than", *bytes),
        Condition::Under(bytes) => block.number("object_size_less_than", *bytes),
        Condition::Tag(..) => block,
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_MARKS, is_kept, label};

    #[test]
    fn a_text_that_would_be_another_in_nfc_is_known() {
        for text in ["", "inbound/", "m\u{e9}dias/", "čć/日本語/한국어/😀", "\u{e17}\u{e35}\u{e48}"]
        {
            assert!(is_kept(text), "{text:?}");
        }
        // Marks and letters apart, marks in another order, and characters that NFC writes as others.
        for text in ["me\u{301}dias/", "\u{1112}\u{1161}\u{11ab}", "\u{e1}\u{323}", "\u{212b}", "\u{f900}"] {
            assert!(!is_kept(text), "{text:?}");
        }
        let marked = |marks: usize| format!("e{}/", "\u{30d}".repeat(marks));
        assert!(is_kept(&marked(MOST_MARKS)) && !is_kept(&marked(31)));
    }

    #[test]
    fn no_two_buckets_have_one_label() {
        assert_eq!(label("acme-ott-media"), "acme_ott_media");
        assert_eq!(label("7-media"), "_7_media");
        assert_ne!(label("acme.media"), label("acme-media"));
        assert_ne!(label("acme.media"), label("acme_media"));
        assert_ne!(label("Acme"), label("acme"));
    }
}
