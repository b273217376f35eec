//! A rule together with where it stands.

use crate::policy::diagnostic::At;
use crate::policy::model::Rule;

/// A rule with the places that a warning can point to.
pub(super) struct PlacedRule {
    pub rule: Rule,
    pub at: At,
    pub prefix_at: Option<At>,
}
