//! Plans: what would change, as an immutable file.

pub mod canary;
mod configuration;
mod context;
mod counts;
pub mod file;
mod guard_result;
mod guards;
mod header;
mod history;
mod place;
mod planner;
pub mod row;
mod summary;
mod tenants;

pub use configuration::{
    Proposal, ProposalError, describe as describe_engine, draft, propose, propose_narrowing, xml_of,
};
pub use context::BucketContext;
pub use counts::PlainCounts;
pub use file::{PlanFileError, PlanReader, PlanWriter, Spool, Stretch, Written, file_digest};
pub use guard_result::GuardResult;
pub use guards::evaluate as evaluate_guards;
pub use header::{BucketPlan, InventoryUse, LifecycleChange, PlanHeader, RecordsDigest};
pub use history::{History, Planned, RowCount, compare as compare_with_earlier, first_runs};
pub use place::{segment, short_segment};
pub use planner::{Item, KeyGroup, Planner};
pub use row::{Action, PlanRow};
pub use summary::{Disposal, Line, Summary, Tally, total};
pub use tenants::{MOST_TENANTS, Tenants};
