//! The lifecycle engine: policy → S3 Lifecycle rules with proof, merge, validation.
//!
//! [`compile`] says which rules S3 can be proved to keep. [`LifecycleDocument`] reads what
//! stands in a bucket, [`merge`] puts the compiled rules into it without touching anybody
//! else's, [`validate`] holds the result against S3's own rules, [`same_meaning`] compares what
//! was written with what the store gives back, [`foreign_conflicts`] shows the rules of
//! others that reach the same objects, and [`removals`] says what all rules together, read
//! literally, would do to a key.
//!
#![doc = include_str!("proof.md")]

mod claim;
mod compare;
mod compile;
mod days;
mod directories;
mod document;
mod eligible;
mod emit;
mod foreign;
#[cfg(test)]
mod foreign_tests;
mod merge;
#[cfg(test)]
mod merge_tests;
mod owned;
mod problem;
mod reach;
mod read;
mod reason;
mod rule;
mod select;
mod terms;
mod validate;
mod whose;
mod xml;

pub use claim::{Claim, Target as ClaimTarget};
pub use compare::{Difference, altered, same_meaning};
pub use compile::{Compiled, Engine, RuleEngine, compile, compile_without, eligible_at};
pub use directories::{Directories, Listing, Surroundings};
pub use document::{DocumentError, DocumentRule, LifecycleDocument};
pub use eligible::{Effect, Match, Removal, removals};
pub use foreign::{ForeignConflict, ForeignRemoval, foreign_conflicts};
pub use merge::{
    ChangeKind, Merge, MergeError, RuleChange, Target, merge, merge_in_any_form, removes_more, restore,
    retreat,
};
pub use owned::{Action, Move, OwnedRule};
pub use problem::{Invalid, Problem};
pub use reason::DirectReason;
pub use rule::{
    Expiration, Filter, Form, NoncurrentExpiration, NoncurrentTransition, RuleView, Status, Transition, When,
};
pub use terms::LifecycleTerms;
pub use validate::validate;
pub use xml::XmlError;
