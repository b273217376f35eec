//! The rules that Shelflife itself writes: their content, their ids and their XML.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};

use super::rule::{Expiration, Filter, Form, NoncurrentExpiration, RuleView, Status};
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
    policy_rule: String,
    prefix: String,
    action: Action,
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
    /// expiration days.
    RemoveMarkers,
}

impl OwnedRule {
    /// The rule `action` under `prefix` (empty: the whole bucket) for the rule `policy_rule` of
    /// the policy `name`.
    pub fn new(name: &str, policy_rule: &str, prefix: &str, action: Action) -> Self {
        let content = content(prefix, action, "").concat();
        let digest = Sha256::digest(content);
        let digest: String =
            digest.iter().map(|byte| format!("{byte:02x}")).take(DIGEST_LENGTH / 2).collect();
        let id = format!("{}{}:{digest}", owner(name), utf8_percent_encode(policy_rule, ESCAPED));
        Self { id, policy_rule: policy_rule.to_owned(), prefix: prefix.to_owned(), action }
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The id of the policy's rule that it carries out.
    pub fn policy_rule(&self) -> &str {
        &self.policy_rule
    }

    /// The start of the keys that it takes.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// What it makes S3 do.
    pub fn action(&self) -> Action {
        self.action
    }

    /// As S3 understands it.
    pub(super) fn view(&self, status: Status) -> RuleView {
        let (expiration, noncurrent, abort_days) = match self.action {
            Action::Expire { days, noncurrent_days, abort_days } => (
                Expiration { days: Some(days.into()), ..Expiration::default() },
                noncurrent_days.map(|days| NoncurrentExpiration { days: Some(days.into()), newer: 0 }),
                abort_days.map(i64::from),
            ),
            Action::RemoveMarkers => (Expiration { markers: true, ..Expiration::default() }, None, None),
        };
        RuleView {
            id: Some(self.id.clone()),
            status,
            form: Form::Filter { members: 1, and: None },
            filter: Filter::prefix(&self.prefix),
            expiration: Some(expiration),
            noncurrent,
            abort_days,
            transitions: Vec::new(),
            noncurrent_transitions: Vec::new(),
            unknown: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// As XML; `p` is the namespace prefix (with its colon) of every element.
    pub(super) fn to_xml(&self, p: &str, status: &Status) -> String {
        let id = tag(p, "ID", &xml::escape(&self.id));
        let status = tag(p, "Status", &xml::escape(&status.to_string()));
        let [filter, actions] = content(&self.prefix, self.action, p);
        tag(p, "Rule", &[id, filter, status, actions].concat())
    }
}

fn tag(p: &str, name: &str, content: &str) -> String {
    format!("<{p}{name}>{content}</{p}{name}>")
}

/// The filter and the actions as XML: all of a rule but its id and status.
fn content(prefix: &str, action: Action, p: &str) -> [String; 2] {
    let filter = tag(p, "Filter", &tag(p, "Prefix", &xml::escape(prefix)));
    let days = |parent: &str, name: &str, days: u32| tag(p, parent, &tag(p, name, &days.to_string()));
    let actions = match action {
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
    [filter, actions]
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
        // Ids stand in buckets for years: this one must never change between releases.
        assert_eq!(rule.id(), "shelflife:acme:ott-media:fd3f0a946edd");
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
