//! Which objects a rule, a hold or an erasure is about.

use crate::media::MediaRange;
use crate::pattern::{BucketPattern, KeyPattern};

/// Which objects: all conditions that are given must hold.
#[derive(Clone, Debug, Default)]
pub struct Select {
    /// Names or patterns; any of them. Empty in a hold or an erasure means every bucket.
    pub buckets: Vec<BucketPattern>,
    /// Literal start of the key.
    pub prefix: Option<String>,
    /// Pattern that the whole key must match.
    pub key: Option<KeyPattern>,
    /// Media types by the key's file extension; any of them.
    pub media: Option<Vec<MediaRange>>,
    /// Media types by the object's `Content-Type`; any of them.
    pub content_type: Option<Vec<MediaRange>>,
    /// Tags; all of them.
    pub tags: Vec<Condition>,
    /// User metadata; all of them.
    pub metadata: Vec<Condition>,
    /// Bounds of the size.
    pub size: Option<SizeRange>,
    /// Exact tenants; any of them.
    pub tenants: Option<Vec<String>>,
    /// What is left out again: any of them. An exception has no exceptions of its own.
    pub except: Vec<Select>,
}

impl Select {
    /// Whether it looks at what a listing does not tell: tags, metadata, or the content type.
    pub fn needs_reading(&self) -> bool {
        let own = self.content_type.is_some() || !self.tags.is_empty() || !self.metadata.is_empty();
        own || self.except.iter().any(Self::needs_reading)
    }
}

/// What an attribute must say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// A tag's key, or the name of user metadata in lower case.
    pub name: String,
    /// Exact values; any of them, and never empty.
    pub values: Vec<String>,
}

/// Bounds of an object's size in bytes, both exclusive as in S3's lifecycle filters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SizeRange {
    /// Larger than this.
    pub over: Option<u64>,
    /// Smaller than this.
    pub under: Option<u64>,
}
