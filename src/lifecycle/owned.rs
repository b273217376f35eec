//! The rules that Shelflife itself writes: their content, their ids and their XML.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};

use super::rule::{Expiration, Filter, Form, NoncurrentExpiration, RuleView, Status, Transition, When};
use super::xml;

/// Everything but letters, digits and `._-` is escaped in an id, so a colon always separates.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'_').remove(b'-');

/// The most bytes that S3 takes in a rule's id.
pub(super) const LONGEST_ID: usize = 255;

const DIGEST_LENGTH: usize = 12;

/// A lifecycle rule that Shelflife owns. Its id is `shelflife:<name>:<rule>:<digest>`, the digest
/// being that of all that it says but its status.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OwnedRule {
    id: String,
    name: String,
    policy_rule: String,
    filter: Filter,
    action: Action,
    moves: Vec<Move>,
}

/// What a rule that Shelflife owns makes S3 do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Remove what is due.
    Expire {
        /// Days from the upload.
        days: u32,
        /// Days from the creation of its successor after which a noncurrent version goes.
        noncurrent_days: Option<u32>,
        /// Days from its initiation after which an incomplete multipart upload goes.
        abort_days: Option<u32>,
    },
    /// Remove delete markers that are all that is left of a key. S3 wants it in a rule without
    /// expiration days, tags and sizes.
    RemoveMarkers,
}

/// A move to colder storage on the way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Move {
    /// Days from the upload.
    pub days: u32,
    /// The storage class.
    pub class: String,
}

impl OwnedRule {
    /// The rule `action` on what `filter` picks, for the rule `policy_rule` of the policy `name`.
    pub fn new(name: &str, policy_rule: &str, filter: impl Into<Filter>, action: Action) -> Self {
        let rule = Self {
            id: String::new(),
            name: name.to_owned(),
            policy_rule: policy_rule.to_owned(),
            filter: filter.into(),
            action,
            moves: Vec::new(),
        };
        rule.with_id()
    }

    /// The same with moves to colder storage.
    #[must_use]
    pub fn moving(self, moves: &[Move]) -> Self {
        Self { moves: moves.to_vec(), ..self }.with_id()
    }

    fn with_id(self) -> Self {
        let digest = Sha256::digest(self.content("").concat());
        let digest: String =
            digest.iter().map(|byte| format!("{byte:02x}")).take(DIGEST_LENGTH / 2).collect();
        let id = format!("{}{}:{digest}", owner(&self.name), utf8_percent_encode(&self.policy_rule, ESCAPED));
        Self { id, ..self }
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The id of the policy's rule that it carries out.
    pub fn policy_rule(&self) -> &str {
        &self.policy_rule
    }

    /// Which objects it takes.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// What it makes S3 do.
    pub fn action(&self) -> Action {
        self.action
    }

    /// As S3 understands it.
    pub fn view(&self, status: Status) -> RuleView {
        let (expiration, noncurrent, abort_days) = match self.action {
            Action::Expire { days, noncurrent_days, abort_days } => (
                Expiration { days: Some(days.into()), ..Expiration::default() },
                noncurrent_days.map(|days| NoncurrentExpiration { days: Some(days.into()), newer: 0 }),
                abort_days.map(i64::from),
            ),
            Action::RemoveMarkers => (Expiration { markers: true, ..Expiration::default() }, None, None),
        };
        let conditions = self.filter.conditions();
        let moves = self.moves.iter();
        let mut transitions: Vec<Transition> = moves
            .map(|it| Transition { when: Some(When::Days(it.days.into())), class: it.class.clone() })
            .collect();
        // The policy's order is no part of what they mean, and stores give them back in any.
        transitions.sort();
        RuleView {
            id: Some(self.id.clone()),
            status,
            form: Form::Filter { members: 1, and: (conditions > 1).then_some(conditions) },
            filter: self.filter.clone(),
            expiration: Some(expiration),
            noncurrent,
            abort_days,
            transitions,
            noncurrent_transitions: Vec::new(),
            unknown: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// As XML; `p` is the namespace prefix (with its colon) of every element.
    pub(super) fn to_xml(&self, p: &str, status: &Status) -> String {
        let id = tag(p, "ID", &xml::escape(&self.id));
        let status = tag(p, "Status", &xml::escape(&status.to_string()));
        let [filter, actions] = self.content(p);
        tag(p, "Rule", &[id, filter, status, actions].concat())
    }

    /// The filter and the actions as XML: all of a rule but its id and status.
    fn content(&self, p: &str) -> [String; 2] {
        let days = |parent: &str, name: &str, days: u32| tag(p, parent, &tag(p, name, &days.to_string()));
        let mut actions = match self.action {
            Action::Expire { days: expire, noncurrent_days, abort_days } => [
                Some(days("Expiration", "Days", expire)),
                noncurrent_days.map(|n| days("NoncurrentVersionExpiration", "NoncurrentDays", n)),
                abort_days.map(|n| days("AbortIncompleteMultipartUpload", "DaysAfterInitiation", n)),
            ]
            .into_iter()
            .flatten()
            .collect(),
            Action::RemoveMarkers => tag(p, "Expiration", &tag(p, "ExpiredObjectDeleteMarker", "true")),
        };
        for Move { days, class } in &self.moves {
            let days = tag(p, "Days", &days.to_string());
            actions += &tag(p, "Transition", &(days + &tag(p, "StorageClass", &xml::escape(class))));
        }
        [tag(p, "Filter", &filter_content(&self.filter, p)), actions]
    }
}

/// What stands in a `Filter`; more than one condition in an `And`.
fn filter_content(filter: &Filter, p: &str) -> String {
    let mut conditions = Vec::new();
    if !filter.prefix.is_empty() || filter.conditions() == 0 {
        conditions.push(tag(p, "Prefix", &xml::escape(&filter.prefix)));
    }
    for (key, value) in &filter.tags {
        let pair = tag(p, "Key", &xml::escape(key)) + &tag(p, "Value", &xml::escape(value));
        conditions.push(tag(p, "Tag", &pair));
    }
    let size = |name: &str, bytes: i64| tag(p, name, &bytes.to_string());
    conditions.extend(filter.size_over.map(|bytes| size("ObjectSizeGreaterThan", bytes)));
    conditions.extend(filter.size_under.map(|bytes| size("ObjectSizeLessThan", bytes)));
    let inner = conditions.concat();
    if conditions.len() > 1 { tag(p, "And", &inner) } else { inner }
}

fn tag(p: &str, name: &str, content: &str) -> String {
    format!("<{p}{name}>{content}</{p}{name}>")
}

fn owner(name: &str) -> String {
    format!("shelflife:{}:", utf8_percent_encode(name, ESCAPED))
}

/// The policy rule that the rule with this id carries out, if the policy `name` owns it.
pub(super) fn policy_rule_of(id: &str, name: &str) -> Option<String> {
    let (rule, digest) = id.strip_prefix(&owner(name))?.split_once(':')?;
    let is_digest =
        digest.len() == DIGEST_LENGTH && digest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let decoded = percent_encoding::percent_decode_str(rule).decode_utf8().ok()?;
    let is_ours = is_digest && !rule.is_empty() && utf8_percent_encode(&decoded, ESCAPED).to_string() == rule;
    is_ours.then(|| decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACTION: Action = Action::Expire { days: 31, noncurrent_days: None, abort_days: Some(7) };

    #[test]
    fn the_same_content_has_the_same_id_and_another_content_another() {
        let rule = OwnedRule::new("acme", "ott-media", "inbound/", ACTION);
        assert_eq!(rule, OwnedRule::new("acme", "ott-media", "inbound/", ACTION));
        let longer = Action::Expire { days: 32, noncurrent_days: None, abort_days: Some(7) };
        assert_ne!(rule.id(), OwnedRule::new("acme", "ott-media", "inbound/", longer).id());
        assert_ne!(rule.id(), OwnedRule::new("acme", "ott-media", "inbound", ACTION).id());
        // Ids stand in buckets for years: these must never change between releases.
        assert_eq!(rule.id(), "shelflife:acme:ott-media:fd3f0a946edd");
        let year = Action::Expire { days: 731, noncurrent_days: None, abort_days: None };
        let moves = [(90, "GLACIER_IR"), (180, "DEEP_ARCHIVE")];
        let moves = moves.map(|(days, class)| Move { days, class: class.to_owned() });
        let moving = OwnedRule::new("acme", "ott-media", "inbound/", year).moving(&moves);
        assert_eq!(moving.id(), "shelflife:acme:ott-media:d6cd92caa67b");
    }

    #[test]
    fn a_colon_in_a_name_never_makes_anothers_rule_look_like_ours() {
        let theirs = OwnedRule::new("acme:ott", "media", "", ACTION);
        assert_eq!(policy_rule_of(theirs.id(), "acme"), None);
        assert_eq!(policy_rule_of(theirs.id(), "acme:ott").as_deref(), Some("media"));
        let ours = OwnedRule::new("acme", "ott:media", "", ACTION);
        assert_eq!(policy_rule_of(ours.id(), "acme").as_deref(), Some("ott:media"));
        assert_eq!(policy_rule_of(ours.id(), "acme:ott"), None);
    }

    #[test]
    fn an_id_that_only_looks_like_one_of_ours_is_not_ours() {
        for id in [
            "shelflife:acme:media",
            "shelflife:acme:media:12",
            "shelflife:acme:media:0123456789AB",
            "shelflife:acme::0123456789ab",
            "shelflife:acme2:media:0123456789ab",
            "shelflife:acme:a:b:0123456789ab",
        ] {
            assert_eq!(policy_rule_of(id, "acme"), None, "{id}");
        }
    }
}
