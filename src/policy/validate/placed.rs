//! Parts of the policy together with where they stand, for warnings to point to.

use crate::policy::diagnostic::At;
use crate::policy::layout::{ErasureLayout, HoldLayout, OverrideLayout, RuleLayout};
use crate::policy::model::{Erasure, Hold, Override, Rule};

/// A rule with its places.
#[derive(Debug)]
pub(in crate::policy) struct PlacedRule {
    pub rule: Rule,
    /// Its id.
    pub at: At,
    pub select_at: At,
    pub trigger_at: At,
    pub retain_at: At,
    pub enforce_at: Option<At>,
    pub export_at: Option<At>,
}

/// An override with its places.
#[derive(Debug)]
pub(in crate::policy) struct PlacedOverride {
    pub over: Override,
    pub at: At,
    pub retain_at: At,
    pub until_at: Option<At>,
}

/// An erasure with its places.
#[derive(Debug)]
pub(in crate::policy) struct PlacedErasure {
    pub erasure: Erasure,
    pub select_at: At,
    pub requested_at: At,
}

/// A hold with its places.
#[derive(Debug)]
pub(in crate::policy) struct PlacedHold {
    pub hold: Hold,
    pub select_at: At,
    pub released_at: Option<At>,
}

impl From<&PlacedRule> for RuleLayout {
    fn from(placed: &PlacedRule) -> Self {
        let PlacedRule { at, select_at, trigger_at, retain_at, enforce_at, export_at, .. } = *placed;
        Self {
            id: at,
            select: select_at,
            trigger: trigger_at,
            retain: retain_at,
            enforce: enforce_at,
            export: export_at,
        }
    }
}

impl From<&PlacedOverride> for OverrideLayout {
    fn from(placed: &PlacedOverride) -> Self {
        Self { whole: placed.at, until: placed.until_at }
    }
}

impl From<&PlacedErasure> for ErasureLayout {
    fn from(placed: &PlacedErasure) -> Self {
        Self { select: placed.select_at, requested: placed.requested_at }
    }
}

impl From<&PlacedHold> for HoldLayout {
    fn from(placed: &PlacedHold) -> Self {
        Self { select: placed.select_at, released: placed.released_at }
    }
}
