//! The `<Tagging>` document, which buckets and objects share.

use super::xml::{Malformed, Reader};
use crate::object::Attributes;

/// The root of the document.
pub(super) const ROOT: &str = "Tagging";

/// Reads the tags; one without a name, or two of the same name, make all of them an error.
pub(super) fn read(reader: &mut Reader<'_>) -> Result<Attributes, Malformed> {
    let mut tags = None;
    while let Some(name) = reader.child()? {
        match name {
            "TagSet" => tags = Some(read_set(reader)?),
            _ => reader.skip()?,
        }
    }
    tags.ok_or_else(|| reader.wrong("`TagSet` is missing"))
}

fn read_set(reader: &mut Reader<'_>) -> Result<Attributes, Malformed> {
    let mut tags = Attributes::new();
    while reader.child()?.is_some() {
        let (mut key, mut value) = (None, None);
        while let Some(name) = reader.child()? {
            match name {
                "Key" => key = Some(reader.string()?),
                "Value" => value = Some(reader.string()?),
                _ => reader.skip()?,
            }
        }
        let key = key.filter(|key| !key.is_empty()).ok_or_else(|| reader.wrong("a tag without a name"))?;
        let value = value.ok_or_else(|| reader.wrong("a tag without a value"))?;
        if tags.insert(key, value).is_some() {
            return Err(reader.wrong("two tags of the same name"));
        }
    }
    Ok(tags)
}
