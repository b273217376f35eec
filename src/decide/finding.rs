//! What one rule says of an object.

use super::attribute::Obscured;
use super::decision::Needs;
use super::outlook::Outlook;
use super::select::Miss;
use crate::calendar::Period;

/// How one rule looks at the object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleView {
    /// The rule: index into the policy.
    pub rule: usize,
    /// Why it does not cover the object, or what it says of it.
    pub view: Result<RuleFinding, Miss>,
}

/// What a rule that covers the object, or may, says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleFinding {
    /// What leaves it open whether the rule covers the object; `None` if it does.
    pub obscured: Option<Obscured>,
    /// The due dates that are possible.
    pub outlook: Outlook,
    /// The period that was added.
    pub period: Period,
    /// Why that period.
    pub clock: Clock,
    /// Overrides that may apply and would lead to other dates: indices into the policy.
    pub might_apply: Vec<usize>,
    /// Overrides with a legal basis that apply, or may: no erasure shortens these.
    pub laws: Vec<Law>,
}

/// Which clock a rule runs by for the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// The rule's trigger and period.
    Trigger,
    /// The trigger, with the period of this override: index into the policy.
    Override(usize),
    /// From the successor's creation, under `noncurrent`.
    Superseded,
    /// Kept by number, under `noncurrent`.
    KeptByNumber,
    /// A delete marker, and nothing but these is left of its key: at once.
    LoneMarker,
    /// A delete marker on top of versions: not before they are gone.
    HidesVersions,
    /// From the initiation, under `incomplete-uploads`.
    Initiation,
}

/// An override with a legal basis, seen apart from all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Law {
    /// The override: index into the policy.
    pub over: usize,
    /// What leaves it open whether it applies; `None` if it does.
    pub open: Option<Needs>,
    /// The due dates that are possible under it alone.
    pub outlook: Outlook,
}
