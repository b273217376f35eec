//! The retention policy: from YAML text to validated types.
//!
//! [`read`] goes through four stages, each in its own module: `yaml` (bytes to trees with
//! places), `decode` (trees to raw parts, every value parsed), `validate` (raw parts to a
//! [`Policy`], every reference resolved) and `digest`. All faults of all stages come out of
//! one run.

mod codes;
mod decode;
mod diagnostic;
mod digest;
mod lint;
pub mod model;
mod places;
mod read;
mod render;
mod validate;
mod yaml;

pub use codes::Code;
pub use diagnostic::{Diagnostic, Place, Severity, SourceFile};
pub use lint::lint;
pub use model::*;
pub use read::{ReadPolicy, read};
pub use render::render;

#[cfg(test)]
mod tests;
