//! What reads values and records what is wrong with them; the other files teach it their parts.

use crate::policy::diagnostic::Faults;

/// Reads values and records what is wrong with them.
pub(super) struct Decoder<'f> {
    pub faults: &'f mut Faults,
    /// What can be used and may not be meant.
    pub warnings: &'f mut Faults,
}
