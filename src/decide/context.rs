//! What an object is looked at with, if it is a certain tenant's.

use super::tenant::Supposed;
use crate::object::Observed;
use crate::policy::Policy;
use crate::records::Records;

/// Everything a trigger is evaluated against.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// External facts.
    pub records: &'a Records,
    /// The object.
    pub object: &'a Observed<'a>,
    /// Whose it is, or is supposed to be.
    pub tenant: Supposed<'a>,
}
