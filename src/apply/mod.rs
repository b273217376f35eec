//! Carries a plan out; makes no choice of its own.
//!
//! Every row is looked at again before it is touched, and goes only if the planner, asked
//! anew, would plan the very same row. What it then does, it says in the evidence first.
//!
//! [`run`] writes the configurations (`configure`, `rewrite`) and takes the rows in chunks (`rows`), some
//! at a time and no faster than the store likes (`pace`). Each chunk (`chunk`) is copied where that is asked for
//! (`export`, `copied`), looked at again (`recheck`), deleted or hidden (`delete`, `cover`, `mark`) and accounted
//! for (`ending`); what a run has done, the next one that goes on from it skips (`done`). [`write_index`] tells
//! where copies are. The ways back are `put_back`, `unmark` and `restore`.

mod chunk;
mod configure;
mod copied;
mod cover;
mod delete;
mod done;
mod ending;
mod export;
mod index;
mod mark;
mod numbered;
mod pace;
mod preflight;
mod put_back;
mod ready;
mod recheck;
mod restore;
mod rewrite;
mod rows;
mod run;
mod session;
mod stop_file;
mod unmark;

pub use done::DoneRows;
pub use ending::Ended;
pub use index::{IndexError, write_index};
pub use pace::Pace;
pub use preflight::{Preflight, Refusal};
pub use put_back::WayBack;
pub use restore::{Saved, restore};
pub use rows::{CHUNK_ROWS, CHUNKS_AT_ONCE, run};
pub use run::{Applied, ApplyError, Configured, Run, Watch};
pub use stop_file::{StopFile, StopFileError};
pub use unmark::{Marker, Standing, Unnamed, find, standings, take_away};
