//! Deciding: policy + records + one observed object + a date → a decision, or what to read first.
//!
//! An object is expired only if it is so under every value that the unknown could take, and
//! retained only if it is expired under none; else it is undecided, and kept. Where a read
//! could settle it, [`decide`] answers with what to read, and nothing is read in vain.

mod attribute;
mod combination;
mod compiled;
mod conclude;
mod context;
mod covered;
mod decision;
mod explained;
mod finding;
mod grounds;
mod judge;
mod next;
mod outlook;
mod overriding;
mod record;
mod select;
mod settle;
mod tenant;
#[cfg(test)]
mod tests;
mod trigger;
mod window;

pub use attribute::Obscured;
pub use compiled::{Decider, Plain, Stay, Trail};
pub use covered::covered;
pub use decision::*;
pub use explained::{explain, explain_as};
pub use finding::{Clock, Law, RuleFinding, RuleView};
pub use judge::{Judgement, Scope};
pub use next::next_change;
pub use outlook::{Finding, NEVER, Outlook};
pub use select::{Fit, Miss};
pub use settle::decide;
pub use tenant::{Owner, Supposed, Tenancy, tenancy};
