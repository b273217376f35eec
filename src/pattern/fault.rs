//! What can be wrong with a pattern.

/// Why a text is not a pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Nothing at all.
    #[error("an empty pattern matches nothing")]
    Empty,
    /// A brace without its partner.
    #[error("a brace without its partner; write `\\{{` for the character itself")]
    Brace,
    /// A capture that is not one of the known ones.
    #[error(
        "unknown capture {{{0}}}; known are {{tenant}}, {{id}}, {{yyyy}}, {{MM}}, {{dd}}, {{HH}}, {{mm}} and {{ss}}"
    )]
    Capture(String),
    /// The same capture twice.
    #[error("capture {{{0}}} stands twice")]
    CaptureTwice(String),
    /// Square brackets are kept for later.
    #[error("character classes are not part of the pattern language; write `\\[` for the character itself")]
    Class,
    /// A backslash at the very end.
    #[error("a backslash at the end takes no character")]
    Backslash,
    /// What no bucket's name can have.
    #[error("a bucket pattern has only `*` and `?` beside the characters of bucket names")]
    Bucket,
    /// Beyond what the matcher takes.
    #[error("the pattern is too large")]
    TooLarge,
}
