//! From trees to raw parts: every value parsed on its own, nothing compared with another yet.
//!
//! Written by hand over the trees rather than derived, so that one run finds all faults and
//! each points at its own value. A part that is at fault is left out: one fault is enough
//! that no policy comes of it, so what is left is only searched for more faults.

mod decoder;
mod fields;
mod leaf;
mod policy;
mod raw;
mod rule;
mod suggest;
mod trigger;

pub(super) use policy::document;
pub(super) use raw::{Raw, RawHold, RawOverride, RawRule, RawSource, RawTable, RawTrigger};
pub(super) use suggest::closest;
