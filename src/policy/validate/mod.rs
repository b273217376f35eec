//! From raw parts to a policy: what must be unique, what refers to what, what is promised.

mod lengths;
mod overrides;
mod own_files;
mod placed;
mod policy;
mod references;
mod rules;
mod triggers;
mod warnings;

pub use own_files::deletes_under;
pub(super) use policy::policy;
