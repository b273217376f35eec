//! Where the parts of a valid policy stand, each list in the policy's own order.

use super::diagnostic::At;

/// The places of a policy's parts.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// The policy's name.
    pub(crate) name: At,
    /// Its time zone, where it says one.
    pub(crate) timezone: Option<At>,
    pub(crate) rules: Vec<RuleLayout>,
    pub(crate) overrides: Vec<OverrideLayout>,
    pub(crate) erasures: Vec<ErasureLayout>,
    pub(crate) holds: Vec<HoldLayout>,
}

/// The places of a rule.
#[derive(Clone, Debug)]
pub(crate) struct RuleLayout {
    pub(crate) id: At,
    pub(crate) select: At,
    pub(crate) trigger: At,
    pub(crate) retain: At,
    pub(crate) enforce: Option<At>,
    pub(crate) export: Option<At>,
}

/// The places of an override.
#[derive(Clone, Debug)]
pub(crate) struct OverrideLayout {
    pub(crate) whole: At,
    pub(crate) until: Option<At>,
}

/// The places of an erasure.
#[derive(Clone, Debug)]
pub(crate) struct ErasureLayout {
    pub(crate) select: At,
    pub(crate) requested: At,
}

/// The places of a hold.
#[derive(Clone, Debug)]
pub(crate) struct HoldLayout {
    pub(crate) select: At,
    pub(crate) released: Option<At>,
}
