//! ListObjectVersions with a delimiter: what stands directly under a start of keys, what lies
//! below a further `/` folded.

use std::collections::BTreeSet;

use aws_sdk_s3::types::EncodingType;

use super::answer::Take;
use super::bucket::Bucket;
use super::error::{Call, StoreError};
use super::values;
use super::xml::{Malformed, Reader};

/// What stands directly under a start of keys, current or not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Level {
    /// Starts of keys through the next `/`.
    pub prefixes: BTreeSet<String>,
    /// Keys without a further `/`.
    pub keys: BTreeSet<String>,
    /// Whether it is all that there is.
    pub is_whole: bool,
}

impl Bucket {
    /// Lists what stands directly under `start` (empty: at the top of the bucket), and stops once
    /// `at_most` prefixes and keys are known.
    ///
    /// # Errors
    /// What any request can end in; also if the listing does not get on.
    pub async fn level(&self, start: &str, at_most: usize) -> Result<Level, StoreError> {
        let call = self.call("ListObjectVersions");
        let mut level = Level::default();
        let mut after: Option<Behind> = None;
        loop {
            match self.level_page(start, after.as_ref(), &mut level).await? {
                None => {
                    level.is_whole = true;
                    return Ok(level);
                }
                Some(_) if level.prefixes.len() + level.keys.len() >= at_most => return Ok(level),
                Some(next) if after.as_ref() == Some(&next) => {
                    return Err(StoreError::unreadable(call, "the listing does not get on"));
                }
                Some((key, _)) if after.as_ref().is_some_and(|(before, _)| key < *before) => {
                    return Err(StoreError::unreadable(call, "the listing goes back"));
                }
                next => after = next,
            }
        }
    }

    /// The same from behind a key, and one answer of it only.
    ///
    /// # Errors
    /// What any request can end in.
    pub async fn level_after(&self, start: &str, after: &str) -> Result<Level, StoreError> {
        let mut level = Level::default();
        let after = (!after.is_empty()).then(|| (after.to_owned(), None));
        level.is_whole = self.level_page(start, after.as_ref(), &mut level).await?.is_none();
        Ok(level)
    }

    /// Adds one answer to `level`, and says where to go on.
    async fn level_page(
        &self,
        start: &str,
        after: Option<&Behind>,
        level: &mut Level,
    ) -> Result<Option<Behind>, StoreError> {
        let call = self.call("ListObjectVersions");
        let take = Take::new("ListVersionsResult");
        self.client()
            .list_object_versions()
            .bucket(self.name())
            .delimiter("/")
            .set_prefix((!start.is_empty()).then(|| start.to_owned()))
            .encoding_type(EncodingType::Url)
            .set_key_marker(after.map(|(key, _)| key.clone()))
            .set_version_id_marker(after.and_then(|(_, id)| id.clone()))
            .set_expected_bucket_owner(self.owner())
            .set_request_payer(self.payer())
            .customize()
            .interceptor(take.clone())
            .send()
            .await
            .map_err(|error| StoreError::from_sdk(call, error))?;
        take.read(call, Page::read)?.into(level, call)
    }
}

/// A key, and a version of it.
type Behind = (String, Option<String>);

/// One answer, its texts as they were sent.
#[derive(Default)]
struct Page {
    prefixes: Vec<String>,
    keys: Vec<String>,
    truncated: Option<bool>,
    url_encoded: bool,
    next_key: Option<String>,
    next_id: Option<String>,
}

impl Page {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut page = Self::default();
        while let Some(name) = reader.child()? {
            match name {
                "CommonPrefixes" => page.prefixes.extend(only(reader, "Prefix")?),
                "Version" | "DeleteMarker" => page.keys.extend(only(reader, "Key")?),
                "IsTruncated" => {
                    page.truncated = Some(match reader.string()?.as_str() {
                        "true" => true,
                        "false" => false,
                        _ => return Err(reader.wrong("neither `true` nor `false`")),
                    });
                }
                "EncodingType" => page.url_encoded = reader.string()? == "url",
                "NextKeyMarker" => page.next_key = Some(reader.string()?),
                "NextVersionIdMarker" => page.next_id = Some(reader.string()?),
                _ => reader.skip()?,
            }
        }
        Ok(page)
    }

    /// Adds what the page names to `level`, and says where to go on.
    fn into(self, level: &mut Level, call: Call<'_>) -> Result<Option<Behind>, StoreError> {
        let wrong = |why: &'static str| StoreError::unreadable(call, why);
        let plain = |sent: String| {
            let plain = if self.url_encoded { values::form_decode(&sent) } else { Some(sent) };
            plain.filter(|text| !text.is_empty()).ok_or_else(|| wrong("a key that cannot be read"))
        };
        for prefix in self.prefixes {
            level.prefixes.insert(plain(prefix)?);
        }
        for key in self.keys {
            level.keys.insert(plain(key)?);
        }
        if !self.truncated.ok_or_else(|| wrong("`IsTruncated` is missing"))? {
            return Ok(None);
        }
        let key = self.next_key.ok_or_else(|| wrong("there is more, but not said from where"))?;
        Ok(Some((plain(key)?, self.next_id.filter(|id| !id.is_empty()))))
    }
}

/// The one child of this name.
fn only(reader: &mut Reader<'_>, wanted: &'static str) -> Result<Option<String>, Malformed> {
    let mut found = None;
    while let Some(name) = reader.child()? {
        if name == wanted {
            found = Some(reader.string()?);
        } else {
            reader.skip()?;
        }
    }
    if found.is_none() {
        return Err(reader.wrong(format!("`{wanted}` is missing from an entry")));
    }
    Ok(found)
}
