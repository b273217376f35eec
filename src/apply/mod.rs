//! Carries a plan out; makes no choice of its own.
//!
//! Every row is looked at again before it is touched, and goes only if the planner, asked
//! anew, would plan the very same row. What it then does, it says in the evidence first.
//!
//! [`run`] writes the configurations (`configure`, `rewrite`) and takes the rows in chunks (`chunk`), each of
//! which is looked at again (`recheck`), deleted (`delete`, `cover`) and accounted for (`ending`).

mod chunk;
mod configure;
mod cover;
mod delete;
mod ending;
mod preflight;
mod put_back;
mod recheck;
mod rewrite;
mod rows;
mod run;

pub use preflight::{Refusal, preflight};
pub use put_back::WayBack;
pub use rows::{CHUNK_ROWS, row_identity, run};
pub use run::{Applied, ApplyError, Configured, Run, Watch};
