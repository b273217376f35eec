//! The manifest: of which bucket an inventory is, of when, and in which files.
//!
//! S3 user guide, "Locating your inventory list" and "Cataloging and analyzing your data with S3 Inventory".

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use md5::{Digest, Md5};
use serde::Deserialize;

use super::fault::{InventoryError, MOST_DAYS, VERSION};
use crate::object::{BucketFacts, Versioning};

/// Where clocks differ by more, S3 takes no signature.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::minutes(15);

/// An inventory of one bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The bucket that was listed.
    pub source_bucket: String,
    /// The bucket that the files lie in.
    pub destination_bucket: String,
    /// When the listing began.
    pub created: DateTime<Utc>,
    /// What the files are.
    pub format: Format,
    /// What the files tell.
    pub columns: Columns,
    /// The files.
    pub files: Vec<DataFile>,
}

/// What the files are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// CSV without a header, compressed by gzip, keys url-encoded.
    Csv,
    /// Apache Parquet.
    Parquet,
}

/// Where in a row of CSV each field stands. For Parquet the places mean nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Columns {
    /// How many fields a row has.
    pub width: usize,
    /// The key.
    pub key: usize,
    /// Bytes.
    pub size: usize,
    /// Last-Modified.
    pub last_modified: usize,
    /// Whether it is the latest version, and whether it is a delete marker; `None` where only
    /// current versions are listed.
    pub versions: Option<(usize, usize)>,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataFile {
    /// Its key in the destination bucket.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// Its MD5.
    pub md5: [u8; 16],
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawManifest {
    source_bucket: String,
    destination_bucket: String,
    version: String,
    creation_timestamp: String,
    file_format: String,
    file_schema: String,
    files: Vec<RawFile>,
}

#[derive(Deserialize)]
struct RawFile {
    key: String,
    size: u64,
    #[serde(rename = "MD5checksum")]
    md5: String,
}

impl Manifest {
    /// Reads `manifest.json`; `checksum` is what stands in `manifest.checksum`, where that is there.
    ///
    /// # Errors
    /// If it is not whole, or not of a kind that is read here.
    pub fn read(bytes: &[u8], checksum: Option<&[u8]>) -> Result<Self, InventoryError> {
        if let Some(checksum) = checksum
            && md5_of_hex(&String::from_utf8_lossy(checksum)) != Some(Md5::digest(bytes).into())
        {
            return Err(InventoryError::ManifestChecksum);
        }
        let raw: RawManifest = serde_json::from_slice(bytes).map_err(InventoryError::Manifest)?;
        if raw.version != VERSION {
            return Err(InventoryError::Version(raw.version));
        }
        let format = match raw.file_format.as_str() {
            "CSV" => Format::Csv,
            "Parquet" => Format::Parquet,
            _ => return Err(InventoryError::Format(raw.file_format)),
        };
        let unsound = |what: String| InventoryError::Unsound(what);
        let created = raw.creation_timestamp.parse().ok().and_then(DateTime::from_timestamp_millis);
        let created = created.ok_or_else(|| unsound("creationTimestamp is no time".to_owned()))?;
        let destination = &raw.destination_bucket;
        // `arn:aws:s3:::name`, in other partitions `arn:aws-cn:…`; some stores send the name alone.
        let destination = destination.rsplit_once(":::").map_or(destination.as_str(), |(_, name)| name);
        let (mut names, mut contents) = (BTreeSet::new(), BTreeSet::new());
        let mut files = Vec::with_capacity(raw.files.len());
        for file in raw.files {
            let md5 = md5_of_hex(&file.md5).ok_or_else(|| unsound("MD5checksum is no MD5".to_owned()))?;
            if !names.insert(file.key.clone()) {
                return Err(unsound("it names a file twice".to_owned()));
            }
            // Rows are of one version each: what is there twice would only count twice.
            if contents.insert((file.size, md5)) {
                files.push(DataFile { key: file.key, size: file.size, md5 });
            }
        }
        Ok(Self {
            source_bucket: raw.source_bucket,
            destination_bucket: destination.to_owned(),
            created,
            format,
            columns: Columns::of(format, &raw.file_schema)?,
            files,
        })
    }

    /// Whether a plan for the bucket can start from this inventory at `now`, by the clock.
    ///
    /// # Errors
    /// If it is of another day than it could be of, or leaves out what the bucket may hold.
    pub fn check(&self, facts: &BucketFacts, now: DateTime<Utc>) -> Result<(), InventoryError> {
        let created = self.created;
        if created > now + CLOCKS_DIFFER {
            return Err(InventoryError::Future { created });
        }
        if now - created > TimeDelta::days(MOST_DAYS) {
            return Err(InventoryError::Stale { created });
        }
        if facts.versioning != Versioning::Never && self.columns.versions.is_none() {
            return Err(InventoryError::CurrentOnly(Field::IsLatest.name(self.format)));
        }
        Ok(())
    }
}

#[derive(Clone, Copy)]
enum Field {
    Key,
    Size,
    LastModified,
    IsLatest,
    IsDeleteMarker,
}

impl Field {
    const fn name(self, format: Format) -> &'static str {
        match (format, self) {
            (Format::Csv, Self::Key) => "Key",
            (Format::Csv, Self::Size) => "Size",
            (Format::Csv, Self::LastModified) => "LastModifiedDate",
            (Format::Csv, Self::IsLatest) => "IsLatest",
            (Format::Csv, Self::IsDeleteMarker) => "IsDeleteMarker",
            (Format::Parquet, Self::Key) => "key",
            (Format::Parquet, Self::Size) => "size",
            (Format::Parquet, Self::LastModified) => "last_modified_date",
            (Format::Parquet, Self::IsLatest) => "is_latest",
            (Format::Parquet, Self::IsDeleteMarker) => "is_delete_marker",
        }
    }
}

impl Columns {
    fn of(format: Format, schema: &str) -> Result<Self, InventoryError> {
        let names: Vec<&str> = match format {
            Format::Csv => schema.split(',').map(str::trim).collect(),
            // `message s3.inventory { required binary bucket (UTF8); … }`: a name is a word of it. What
            // the files hold is seen when they are opened.
            Format::Parquet => schema.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect(),
        };
        let place = |field: Field| names.iter().position(|name| *name == field.name(format));
        let needed = |field: Field| place(field).ok_or(InventoryError::MissingField(field.name(format)));
        Ok(Self {
            width: names.len(),
            key: needed(Field::Key)?,
            size: needed(Field::Size)?,
            last_modified: needed(Field::LastModified)?,
            versions: place(Field::IsLatest).zip(place(Field::IsDeleteMarker)),
        })
    }
}

fn md5_of_hex(text: &str) -> Option<[u8; 16]> {
    let text = text.trim();
    let mut md5 = [0; 16];
    if text.len() != 32 || !text.is_ascii() {
        return None;
    }
    for (place, byte) in md5.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * place..2 * place + 2)?, 16).ok()?;
    }
    Some(md5)
}
