//! Carries a plan out; makes no choice of its own.
//!
//! Every row is looked at again before it is touched, and goes only if the planner, asked
//! anew, would plan the very same row. What it then does, it says in the evidence first.
//!
//! [`run`] writes the configurations (`configure`, `rewrite`) and takes the rows in chunks (`rows`), some
//! at a time and no faster than the store likes (`pace`). Each chunk (`chunk`) is looked at again (`recheck`),
//! deleted (`delete`, `cover`) and accounted for (`ending`); what a run has done, the next one that goes
//! on from it skips (`done`).

mod chunk;
mod configure;
mod cover;
mod delete;
mod done;
mod ending;
mod pace;
mod preflight;
mod put_back;
mod recheck;
mod rewrite;
mod rows;
mod run;
mod session;
mod stop_file;

pub use done::DoneRows;
pub use pace::Pace;
pub use preflight::{Preflight, Refusal};
pub use put_back::WayBack;
pub use rows::{CHUNK_ROWS, CHUNKS_AT_ONCE, run};
pub use run::{Applied, ApplyError, Configured, Run, Watch};
pub use stop_file::{StopFile, StopFileError};
