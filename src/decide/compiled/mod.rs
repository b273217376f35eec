//! Deciding many objects of one bucket: a policy is made ready once, and its answers are those of
//! [`super::decide`].
//!
//! The places of all rules are read off a key in one pass ([`walk`]). What is left then are the few
//! rules that select there; and for most objects, which are retained, their upload alone says so.

mod automaton;
mod clock;
mod decider;
mod media;
mod places;
mod plain;
mod together;
mod walk;

pub use decider::{Decider, Trail};
pub use plain::{Plain, Stay};
