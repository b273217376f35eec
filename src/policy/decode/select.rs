//! What selects objects: every condition, and exceptions.

use std::collections::HashSet;

use super::decoder::Decoder;
use super::fields::{Fields, Keys};
use super::raw::{Raw, RawSelect, Wanted};
use super::trigger::{MOST_METADATA, TOO_MUCH_METADATA};
use crate::media::MediaRange;
use crate::pattern::{BucketPattern, KeyPattern};
use crate::policy::codes::Code;
use crate::policy::diagnostic::{At, Spanned};
use crate::policy::model::{Condition, Select, SizeRange};
use crate::policy::yaml::{Data, Entry, Node};

/// The most characters of a tag's value in S3.
const LONGEST_TAG_VALUE: usize = 256;

/// The most tags that an object can have in S3.
const MOST_TAGS: usize = 10;

pub(super) const SELECT: Keys = Keys {
    what: "a select",
    known: &[
        "buckets",
        "prefix",
        "key",
        "media",
        "content-type",
        "tags",
        "metadata",
        "size",
        "tenants",
        "except",
    ],
};

pub(super) const SIZE: Keys = Keys { what: "`size`", known: &["over", "under"] };

/// What a select belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Rule,
    Hold,
    Erasure,
    Exception,
}

impl Of {
    const fn what(self) -> &'static str {
        match self {
            Self::Rule => "the rule",
            Self::Hold => "the hold",
            Self::Erasure => "the erasure",
            Self::Exception => "the exception",
        }
    }
}

impl Decoder<'_> {
    pub(super) fn select(&mut self, node: &Node, raw: &mut Raw, of: Of) -> Option<RawSelect> {
        let before = self.faults.count();
        let fields = self.fields("select", node, &SELECT)?;
        if fields.is_empty() && of != Of::Rule {
            self.selects_nothing(fields.at, of);
            return None;
        }
        if of == Of::Erasure && !narrows(&fields) {
            self.faults
                .add(
                    Code::SelectsNothing,
                    fields.at,
                    "the erasure does not say whose or which objects, and would empty buckets",
                )
                .help("name them with `tenants`, `prefix`, `key`, `tags` or `metadata`");
            return None;
        }
        let buckets = if of == Of::Rule { self.need(&fields, "buckets") } else { fields.get("buckets") };
        let prefix = fields.get("prefix").and_then(|e| self.prefix(e, of));
        let mut select = Select {
            buckets: buckets.map(|e| self.buckets(e)).unwrap_or_default(),
            prefix,
            key: fields.get("key").and_then(|e| self.key_pattern(e)),
            media: fields.get("media").map(|e| self.media(e, true)),
            content_type: fields.get("content-type").map(|e| self.media(e, false)),
            tags: fields.get("tags").map(|e| self.conditions(e, true)).unwrap_or_default(),
            metadata: fields.get("metadata").map(|e| self.conditions(e, false)).unwrap_or_default(),
            size: fields.get("size").and_then(|e| self.size(e)),
            tenants: fields.get("tenants").map(|e| {
                raw.wanted_tenants.push(Wanted { at: e.key_at, by: "a select" });
                self.tenants(e)
            }),
            except: Vec::new(),
        };
        let is_sound = self.faults.count() == before;
        select.except = self.except(&fields, is_sound.then_some(&select), raw, of);
        Some(RawSelect { select, at: fields.at })
    }

    pub(super) fn selects_nothing(&mut self, at: At, of: Of) {
        let fault =
            self.faults.add(Code::SelectsNothing, at, format!("{} does not say what it is about", of.what()));
        match of {
            Of::Hold => fault.help("to hold everything, write `select: {buckets: [\"*\"]}`"),
            Of::Exception => fault.help("an empty exception would except everything: take it out"),
            Of::Rule | Of::Erasure => fault.help("say whose or which objects: `tenants`, `prefix`, `key`, …"),
        };
    }

    /// The exceptions from `select`, which is there if it has no fault.
    fn except(&mut self, fields: &Fields<'_>, select: Option<&Select>, raw: &mut Raw, of: Of) -> Vec<Select> {
        let Some(entry) = fields.get("except") else { return Vec::new() };
        if of == Of::Exception {
            self.faults
                .add(Code::OutOfPlace, entry.key_at, "an exception has no exceptions of its own")
                .help("select more narrowly instead");
            return Vec::new();
        }
        let items = self.list("except", &entry.value, true).unwrap_or_default();
        let mut exceptions = Vec::new();
        for item in items {
            let before = self.faults.count();
            let Some(exception) = self.select(item, raw, Of::Exception) else { continue };
            let is_sound = self.faults.count() == before;
            if is_sound && select.is_some_and(|select| covers_all(&exception.select, select)) {
                let message = format!("the exception leaves nothing of what {} selects", of.what());
                self.faults
                    .add(Code::SelectsNothing, exception.at, message)
                    .help("say in it what sets it apart, or take it out");
            }
            exceptions.push(exception.select);
        }
        exceptions
    }

    fn buckets(&mut self, entry: &Entry) -> Vec<BucketPattern> {
        let items = self.list("buckets", &entry.value, true).unwrap_or_default();
        let mut buckets: Vec<_> = items.iter().filter_map(|item| self.bucket(item)).collect();
        buckets.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        buckets.dedup_by(|a, b| a.as_str() == b.as_str());
        buckets
    }

    fn bucket(&mut self, node: &Node) -> Option<BucketPattern> {
        let text = self.exact("buckets", node)?.value;
        // Names from before 2018 can be longer and have upper case and underscores.
        let fits = text.len() <= 255
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.*?".contains(&b))
            && (text.len() >= 3 || text.contains('*'));
        match BucketPattern::parse(&text) {
            Ok(pattern) if fits => Some(pattern),
            _ => {
                self.faults
                    .add(Code::Bucket, node.at, format!("`{text}` is neither a bucket's name nor a pattern"))
                    .help("write the name alone, without `s3://` or a path; `*` and `?` make it a pattern");
                None
            }
        }
    }

    /// Media types; `by_extension`: a file extension must stand for each.
    fn media(&mut self, entry: &Entry, by_extension: bool) -> Vec<MediaRange> {
        let mut ranges = Vec::new();
        for text in self.one_or_more(entry, Self::exact) {
            match MediaRange::parse(&text.value) {
                Ok(range) if by_extension && !range.is_known() => {
                    self.faults
                        .add(
                            Code::Media,
                            text.at,
                            format!("no file extension that is known stands for `{range}`"),
                        )
                        .help("select by `content-type`, or by `key: \"**.ext\"`");
                }
                Ok(range) => ranges.push(range),
                Err(error) => {
                    self.faults.add(Code::Media, text.at, format!("`{}` is {error}", text.value));
                }
            }
        }
        ranges.sort();
        ranges.dedup();
        ranges
    }

    /// What attributes must say: a mapping from names to one value or several.
    fn conditions(&mut self, entry: &Entry, of_tags: bool) -> Vec<Condition> {
        let Data::Map(entries) = &entry.value.data else {
            self.wrong_shape(&entry.key, &entry.value, "a mapping from names to values");
            return Vec::new();
        };
        if entries.is_empty() {
            self.faults.add(Code::EmptyValue, entry.value.at, format!("`{}` is empty", entry.key));
        }
        if of_tags && entries.len() > MOST_TAGS {
            let message = format!("an object has at most {MOST_TAGS} tags, so none has all of these");
            self.faults.add(Code::AttributeName, entry.key_at, message);
            return Vec::new();
        }
        let mut conditions: Vec<Condition> = Vec::new();
        let mut names = HashSet::new();
        for one in entries {
            let name = Spanned { value: one.key.clone(), at: one.key_at };
            let name = match of_tags {
                true => self.as_it_shows("tags", name).and_then(|name| self.check_tag_key(name)),
                false => self.check_metadata_name(name),
            };
            let mut values = Vec::new();
            for value in self.one_or_more(one, Self::verbatim) {
                if of_tags && value.value.chars().count() > LONGEST_TAG_VALUE {
                    let message = format!("a tag's value has at most {LONGEST_TAG_VALUE} characters");
                    self.faults.add(Code::AttributeName, value.at, message);
                } else if !of_tags && value.value.len() > MOST_METADATA {
                    self.faults.add(Code::AttributeName, value.at, TOO_MUCH_METADATA);
                } else if !of_tags && value.value.trim_matches([' ', '\t']) != value.value {
                    self.faults.add(
                        Code::AttributeName,
                        value.at,
                        "values of user metadata have no blanks at their ends: S3 takes them off",
                    );
                } else {
                    values.push(value.value);
                }
            }
            values.sort();
            values.dedup();
            let Some(name) = name else { continue };
            if !names.insert(name.clone()) {
                // Names of metadata that differ in case alone are one name in S3.
                self.faults.add(Code::DuplicateKey, one.key_at, format!("`{name}` is given twice"));
            }
            conditions.push(Condition { name, values });
        }
        conditions.sort_by(|a, b| a.name.cmp(&b.name));
        conditions
    }

    fn size(&mut self, entry: &Entry) -> Option<SizeRange> {
        let fields = self.fields("size", &entry.value, &SIZE)?;
        if fields.is_empty() {
            self.faults
                .add(Code::EmptyValue, fields.at, "`size` has no bound")
                .help("write `over`, `under` or both: `{over: 1 MiB}`");
            return None;
        }
        let mut bound = |key: &str| match fields.get(key) {
            Some(entry) => self.amount(key, &entry.value).map(Some),
            None => Some(None),
        };
        let (over, under) = (bound("over"), bound("under"));
        let (over, under) = (over?, under?);
        // Both are exclusive, so between two neighbours there is nothing.
        let is_empty =
            under == Some(0) || over.zip(under).is_some_and(|(over, under)| under <= over.saturating_add(1));
        if is_empty {
            self.faults
                .add(Code::Size, fields.at, "no size lies between these bounds")
                .help("`over` and `under` are exclusive: `{over: 99, under: 101}` is 100 bytes");
            return None;
        }
        Some(SizeRange { over, under })
    }

    /// `1 MiB`, or a plain number of bytes.
    pub(super) fn amount(&mut self, name: &str, node: &Node) -> Option<u64> {
        match &node.data {
            Data::Scalar { text, plain: true } if text.bytes().all(|b| b.is_ascii_digit()) => {
                self.whole_number(name, node, u64::MAX)
            }
            _ => self.bytes(name, node),
        }
    }
}

/// Whether it says whose or which objects, as far as an erasure goes. A key that is at fault or
/// unknown counts, for more is said about it elsewhere.
fn narrows(fields: &Fields<'_>) -> bool {
    let names_something = |node: &Node| match &node.data {
        Data::Scalar { text, .. } => KeyPattern::parse(text).ok().is_none_or(|key| key.names_something()),
        _ => true,
    };
    let narrows = |entry: &Entry| match entry.key.as_str() {
        "buckets" | "except" | "size" => false,
        "key" => names_something(&entry.value),
        _ => true,
    };
    fields.entries().iter().any(narrows)
}

/// Whether every key matches a key pattern: it has a `**`, and nothing that a key could be without.
fn is_every_key(pattern: &str) -> bool {
    pattern.len() > 1 && pattern.bytes().all(|byte| byte == b'*')
}

/// Whether `wide` covers all that `narrow` selects, as far as their words tell: each condition
/// of the wide one stands in the narrow one, or follows from it.
fn covers_all(wide: &Select, narrow: &Select) -> bool {
    let has = |name: &str| wide.buckets.binary_search_by(|bucket| bucket.as_str().cmp(name)).is_ok();
    let buckets = wide.buckets.is_empty()
        || has("*")
        || (!narrow.buckets.is_empty() && narrow.buckets.iter().all(|bucket| has(bucket.as_str())));
    let prefix = wide
        .prefix
        .as_deref()
        .is_none_or(|wide| narrow.prefix.as_deref().is_some_and(|narrow| narrow.starts_with(wide)));
    let key = wide.key.as_ref().is_none_or(|wide| {
        is_every_key(wide.as_str())
            || narrow.key.as_ref().is_some_and(|narrow| narrow.as_str() == wide.as_str())
    });
    let size = wide.size.is_none_or(|wide| {
        let narrow = narrow.size.unwrap_or_default();
        let over = wide.over.is_none_or(|wide| narrow.over.is_some_and(|narrow| narrow >= wide));
        let under = wide.under.is_none_or(|wide| narrow.under.is_some_and(|narrow| narrow <= wide));
        over && under
    });
    let attributes = |wide: &[Condition], narrow: &[Condition]| {
        wide.iter().all(|wide| {
            let same = narrow.binary_search_by(|narrow| narrow.name.cmp(&wide.name)).ok();
            same.and_then(|place| narrow.get(place))
                .is_some_and(|narrow| is_among(&narrow.values, &wide.values))
        })
    };
    buckets
        && prefix
        && key
        && size
        && any_of(wide.media.as_deref(), narrow.media.as_deref())
        && any_of(wide.content_type.as_deref(), narrow.content_type.as_deref())
        && any_of(wide.tenants.as_deref(), narrow.tenants.as_deref())
        && attributes(&wide.tags, &narrow.tags)
        && attributes(&wide.metadata, &narrow.metadata)
}

/// Whether a list of which any will do says no less than another; both are sorted.
fn any_of<T: Ord>(wide: Option<&[T]>, narrow: Option<&[T]>) -> bool {
    wide.is_none_or(|wide| narrow.is_some_and(|narrow| is_among(narrow, wide)))
}

fn is_among<T: Ord>(few: &[T], many: &[T]) -> bool {
    few.iter().all(|one| many.binary_search(one).is_ok())
}

#[cfg(test)]
mod tests {
    use super::is_every_key;
    use crate::pattern::KeyPattern;

    #[test]
    fn a_pattern_is_of_every_key_where_none_can_miss_it() {
        for text in [
            "*", "**", "***", "****", "*****", "**/**", "**?**", "?**", "**?", "**a**", "*/**", r"**\*",
            "{id}**",
        ] {
            let pattern = KeyPattern::parse(text).unwrap();
            // One of these misses each pattern that asks for anything at all.
            let has_all = ["/", "a", "b", "a/b"].iter().all(|key| pattern.matches(key));
            assert_eq!(is_every_key(text), has_all, "{text}");
        }
    }
}
