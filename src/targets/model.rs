//! What the forms are made from: where it comes from, and what is said of each bucket.

use crate::lifecycle::{Compiled, Invalid, LifecycleDocument, MergeError, RuleView, Target, merge, validate};
use crate::object::{BucketFacts, Versioning};
use crate::plan::describe_engine;
use crate::policy::Policy;

/// Why something cannot be said in the form that was asked for.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// A configuration of the old form; a new one is none.
    #[error("{0}")]
    Merge(#[from] MergeError),
    /// S3 would refuse it.
    #[error("S3 would refuse the configuration of bucket {bucket}: {}", list(.faults))]
    Invalid {
        /// The bucket.
        bucket: String,
        /// What is wrong.
        faults: Vec<Invalid>,
    },
    /// A rule that says more than is understood of it.
    #[error("the lifecycle rule {0:?} says more than is understood of it")]
    NotUnderstood(String),
    /// CloudFormation would put something else in its place.
    #[error(
        "CloudFormation would resolve {0:?} as a dynamic reference, and has no way to write it otherwise"
    )]
    DynamicReference(String),
    /// Terraform would write another text, which other keys or tags have.
    #[error(
        "bucket {bucket}: lifecycle rule {rule}: Terraform brings text to the Unicode form NFC, and {text:?} \
         would be another then"
    )]
    NotNfc {
        /// The bucket.
        bucket: String,
        /// The lifecycle rule's id.
        rule: String,
        /// The prefix, or the key or value of a tag.
        text: String,
    },
    /// Terraform's provider would give S3 a wider rule.
    #[error(
        "bucket {bucket}: lifecycle rule {rule}: Terraform's AWS provider leaves out {condition}, so that S3 \
         would remove what the rule does not cover"
    )]
    LeftOut {
        /// The bucket.
        bucket: String,
        /// The lifecycle rule's id.
        rule: String,
        /// What would be left out.
        condition: String,
    },
}

fn list(faults: &[Invalid]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// The policy that something was made from.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Its name.
    pub policy: String,
    /// Digest of all that it says but its holds.
    pub digest: String,
    /// Digest of its holds.
    pub holds_digest: String,
}

impl Origin {
    /// The policy's.
    pub fn of(policy: &Policy) -> Self {
        Self {
            policy: policy.name.clone(),
            digest: policy.digest.clone(),
            holds_digest: policy.holds_digest.clone(),
        }
    }

    /// In one line: the tool with its version, and the policy.
    pub fn line(&self) -> String {
        format!("Made by shelflife {} from the policy {}.", env!("CARGO_PKG_VERSION"), self.policy)
    }

    /// The digests, one a line.
    pub fn digests(&self) -> [String; 2] {
        [format!("policy sha256:{}", self.digest), format!("holds  sha256:{}", self.holds_digest)]
    }
}

/// Where what is known of a bucket comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// The store was asked.
    Store,
    /// It was stated with `--versioning`.
    Stated,
    /// Nobody said.
    Assumed,
}

/// The lifecycle rules of one bucket, and who removes what is due in it.
#[derive(Clone, Debug)]
pub struct BucketRules {
    /// Its name.
    pub bucket: String,
    /// Whether it keeps versions.
    pub versioning: Versioning,
    /// What the rules count on, in words.
    pub counts_on: String,
    /// The policy's rules that cover it, each with who removes what is due, in words.
    pub engines: Vec<(String, String)>,
    /// What S3 is to do. S3 takes no configuration without rules: then there is none.
    pub rules: Vec<RuleView>,
    /// The same as the store takes it; `None` without rules.
    pub document: Option<String>,
    /// Whether S3 could perhaps be given more, if directories were listed.
    pub wants_listing: bool,
}

impl BucketRules {
    /// What was compiled for one bucket. The one place where a compilation is looked into.
    ///
    /// # Errors
    /// If S3 would refuse the outcome.
    pub fn compiled(
        policy: &Policy,
        facts: &BucketFacts,
        compiled: &Compiled,
        ground: Ground,
    ) -> Result<Self, TargetError> {
        let id = |rule: usize| policy.rules.get(rule).map_or_else(String::new, |rule| rule.id.clone());
        let engines = compiled.engines.iter().map(|it| (id(it.rule), describe_engine(&it.engine))).collect();
        let document = match merge(None, &policy.name, &compiled.rules)?.after {
            Target::Put(document) => Some(document),
            Target::Delete => None,
        };
        let wants_listing = !compiled.unlisted.is_empty();
        Ok(Self { wants_listing, ..Self::of(facts, ground, engines, document.as_ref())? })
    }

    /// A bucket with the rules of `document`.
    ///
    /// # Errors
    /// If S3 would refuse it, or it says more than is understood of it.
    pub fn of(
        facts: &BucketFacts,
        ground: Ground,
        engines: Vec<(String, String)>,
        document: Option<&LifecycleDocument>,
    ) -> Result<Self, TargetError> {
        if let Some(document) = document {
            let refused = |faults| TargetError::Invalid { bucket: facts.name.clone(), faults };
            validate(document).map_err(refused)?;
        }
        let rules: Vec<RuleView> =
            document.into_iter().flat_map(LifecycleDocument::rules).map(|rule| rule.view().clone()).collect();
        let strange = |rule: &&RuleView| !rule.unknown.is_empty() || !rule.faults.is_empty();
        if let Some(rule) = rules.iter().find(strange) {
            return Err(TargetError::NotUnderstood(rule.id.clone().unwrap_or_default()));
        }
        Ok(Self {
            bucket: facts.name.clone(),
            versioning: facts.versioning,
            counts_on: counts_on(facts, ground),
            engines,
            rules,
            document: document.map(LifecycleDocument::to_xml),
            wants_listing: false,
        })
    }

    /// What is said of the bucket, one remark a line; untrusted text.
    pub fn remarks(&self) -> Vec<String> {
        let engines = self.engines.iter().map(|(rule, engine)| format!("{rule}: {engine}"));
        std::iter::once(format!("{}: {}", self.bucket, self.counts_on)).chain(engines).collect()
    }
}

fn counts_on(facts: &BucketFacts, ground: Ground) -> String {
    let versions = match facts.versioning {
        Versioning::Never => "never had versions",
        Versioning::Enabled => "keeps versions",
        Versioning::Suspended => "has its versioning suspended",
    };
    let word = |has: bool| if has { "has" } else { "no" };
    let locks = format!("{} Object Lock, {} MFA delete", word(facts.object_lock), word(facts.mfa_delete));
    match ground {
        Ground::Store => format!("{versions}, {locks} (as the store says)"),
        Ground::Stated => format!("{versions}, as was stated, {locks} (assumed)"),
        Ground::Assumed => format!("{versions}, {locks} (assumed, the store was not asked)"),
    }
}

/// One thing that a filter asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Condition<'a> {
    Prefix(&'a str),
    Tag(&'a str, &'a str),
    Over(i64),
    Under(i64),
}

/// What a rule's filter asks for; nothing for the whole bucket.
pub(super) fn conditions(rule: &RuleView) -> Vec<Condition<'_>> {
    let filter = &rule.filter;
    let prefix = (!filter.prefix.is_empty()).then_some(Condition::Prefix(&filter.prefix));
    let tags = filter.tags.iter().map(|(key, value)| Condition::Tag(key, value));
    let sizes =
        filter.size_over.map(Condition::Over).into_iter().chain(filter.size_under.map(Condition::Under));
    prefix.into_iter().chain(tags).chain(sizes).collect()
}

/// The texts that a rule's filter compares keys and tags with.
pub(super) fn texts(rule: &RuleView) -> impl Iterator<Item = &String> {
    let filter = &rule.filter;
    std::iter::once(&filter.prefix).chain(filter.tags.iter().flat_map(|(key, value)| [key, value]))
}

/// A date as S3 takes it: midnight UTC.
pub(super) fn date(at: chrono::DateTime<chrono::Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}
