//! The retention policy: from YAML text to validated types.
//!
//! [`read`] goes through four stages, each in its own module: `yaml` (bytes to trees with
//! places), `decode` (trees to raw parts, every value parsed), `validate` (raw parts to a
//! [`Policy`], every reference resolved) and `digest`. All faults of all stages come out of
//! one run.

mod case;
mod cases;
mod codes;
mod decode;
mod diagnostic;
mod digest;
mod layout;
pub mod model;
mod places;
mod read;
mod render;
mod schema;
mod validate;
mod yaml;

pub use case::{Case, Expectation, GivenObject, GivenTable, GivenUnreadable};
pub use cases::{read_cases, read_object};
pub use codes::Code;
pub(crate) use diagnostic::At;
pub use diagnostic::{Diagnostic, Place, Severity, SourceFile};
pub use model::*;
pub use places::end_of;
pub use read::{ReadPolicy, read};
pub use render::render;
pub use schema::schema;
pub use validate::deletes_under;

#[cfg(test)]
mod tests;
