//! How a command ends: exit codes, and failures with what to do about them.

use std::fmt::Display;
use std::process::ExitCode;

/// The exit codes. Where several apply, the greatest in this order counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Done, nothing pending.
    Done,
    /// Changes are pending.
    Pending,
    /// The notice is not kept, or what the evidence says is not so.
    NotKept,
    /// Some objects failed.
    SomeFailed,
    /// Usage, or an invalid policy.
    Usage,
    /// Failed.
    Failed,
    /// Refused by a guard, a stale plan or a moved configuration.
    Refused,
    /// Interrupted.
    Interrupted,
}

impl Exit {
    /// The number.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::SomeFailed => 3,
            Self::Refused => 4,
            Self::Pending => 5,
            Self::NotKept => 6,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Why a command could not do what it was asked for.
#[derive(Debug)]
pub struct Failure {
    /// How it ends.
    pub exit: Exit,
    /// What went wrong, with the place.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Failure {
    /// A failure with this exit code.
    pub fn new(exit: Exit, message: impl Display) -> Self {
        Self { exit, message: message.to_string(), help: None }
    }

    /// Something failed.
    pub fn failed(message: impl Display) -> Self {
        Self::new(Exit::Failed, message)
    }

    /// The request was wrong.
    pub fn usage(message: impl Display) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// It was refused, for safety.
    pub fn refused(message: impl Display) -> Self {
        Self::new(Exit::Refused, message)
    }

    /// Adds what to do.
    #[must_use]
    pub fn help(mut self, help: impl Display) -> Self {
        self.help = Some(help.to_string());
        self
    }

    /// The error and all its causes in one line.
    pub fn chain(error: &dyn std::error::Error) -> String {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let more = error.to_string();
            if !text.contains(&more) {
                text.push_str(": ");
                text.push_str(&more);
            }
            cause = error.source();
        }
        text
    }
}
