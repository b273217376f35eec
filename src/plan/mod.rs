//! Plans: what would change, as an immutable file.

mod configuration;
pub mod file;
mod guards;
mod header;
mod planner;
pub mod row;
mod summary;

pub use configuration::{Proposal, ProposalError, describe as describe_engine, propose, xml_of};
pub use file::{PlanFileError, PlanReader, PlanWriter, Written, file_digest};
pub use guards::{GuardResult, evaluate as evaluate_guards};
pub use header::{BucketPlan, LifecycleChange, PlanHeader, RecordsDigest};
pub use planner::{BucketContext, Item, KeyGroup, Planner};
pub use row::{Action, PlanRow};
pub use summary::{Disposal, Line, Summary, Tally, total};
