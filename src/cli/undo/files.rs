//! The log that is undone, and the one that tells of it.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use crate::cli::exit::Failure;
use crate::cli::output;
use crate::evidence::{EvidenceError, VerifyError};
use crate::text;

/// The log, from its beginning.
pub fn opened(log: &Path) -> Result<BufReader<File>, Failure> {
    File::open(log).map(BufReader::new).map_err(|error| {
        Failure::usage(format!("{} could not be opened: {error}", output::path(log)))
            .help("name the evidence log of the run")
    })
}

/// For a log that is not as it was written.
pub fn broken(log: &Path, error: VerifyError) -> Failure {
    Failure::failed(format!("{}: {}", output::path(log), text::terminal(&Failure::chain(&error))))
        .help("the log is not as it was written, so nothing is undone by it")
}

/// For evidence that could not be written.
pub fn evidence_failure(path: &Path, error: &EvidenceError) -> Failure {
    Failure::failed(format!("evidence {}: {}", output::path(path), Failure::chain(error)))
}
