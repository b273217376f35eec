//! How a command shows what it does: as JSON or to people, in colours, quietly.

use super::args::Global;
use super::output::{self, Style};

/// How a command shows what it does.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// Results as JSON.
    pub json: bool,
    /// No progress and no notes.
    pub quiet: bool,
    /// Colours on stdout.
    pub out: Style,
    /// Colours on stderr.
    pub err: Style,
}

impl Context {
    /// As the options and the terminal say.
    pub fn of(global: &Global) -> Self {
        Self {
            json: global.json,
            quiet: global.quiet,
            out: Style::of(global.color, &std::io::stdout()),
            err: Style::of(global.color, &std::io::stderr()),
        }
    }

    /// Tells something beside the result, unless it is to be quiet.
    pub fn note(&self, lead: &str, text: &str) {
        if !self.quiet {
            output::note(&output::wrap(&format!("{} ", self.err.yellow(lead)), text));
        }
    }
}
