//! From raw parts to a policy: what must be unique, what refers to what, what is promised.

mod overrides;
mod placed;
mod policy;
mod triggers;
mod warnings;

pub(super) use policy::policy;
