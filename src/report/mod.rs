//! Documents that tell of what was done: a certificate of deletion.
//!
//! A [`Collector`] hears of everything that logs tell, in their order; a [`Certificate`] is what
//! it amounts to, and [`html`] writes it down. Nothing here reads a file or a clock.

mod certificate;
mod collect;
pub mod html;
mod redact;
mod returned;
mod standing;
mod tally;
#[cfg(test)]
mod tests;

pub use certificate::{Certificate, Configured, Grouped, LogFacts, PolicyText, RuleFacts};
pub use collect::{By, Collector, Scope};
pub use redact::{Redaction, Row, ShortSecret};
pub use standing::{Kept, Standing, standing};
pub use tally::{Amount, Tally};
