//! What other tools take: lifecycle rules as JSON, XML, Terraform and CloudFormation, and the least
//! IAM policy.
//!
//! `model` puts together what is said of a bucket, from what was compiled; each form has a file of
//! its own, and knows nothing but that and [`crate::lifecycle::RuleView`]. Every form escapes what
//! the policy says, and refuses what it cannot carry.

mod cloudformation;
mod hcl;
mod iam;
mod json;
mod model;
mod needs;
mod terraform;
mod xml;

pub use cloudformation::template as cloudformation;
pub use iam::{Asked, Duty, Engines, Place, policy as iam, too_wide};
pub use json::configuration as json;
pub use model::{BucketRules, Ground, Origin, TargetError};
pub use needs::Needs;
pub use terraform::module as terraform;
pub use xml::configuration as xml;
