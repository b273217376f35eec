//! Multipart uploads: initiated, filled part by part, completed or aborted.

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, SubsecRound, Utc};
use md5::{Digest, Md5};

use super::journal::Deed;
use super::model::{Attributes, Body, Bucket, Checksum, Object, Part, Upload};
use super::objects::{Condition, Written, valid_key};
use super::refusal::Refusal;
use super::values::hex;

/// The smallest part that may not be the last one.
const MIN_PART_BYTES: u64 = 5 * 1024 * 1024;

impl Bucket {
    /// Begins an upload and answers with its id.
    pub fn initiate(
        &mut self,
        at: DateTime<Utc>,
        key: &str,
        attributes: Attributes,
    ) -> Result<String, Refusal> {
        valid_key(key)?;
        let sequence = self.next_sequence();
        let id = self.opaque_id(sequence);
        let upload = Upload {
            id: id.clone(),
            initiated: at.trunc_subsecs(0),
            attributes,
            checksum: None,
            parts: Default::default(),
        };
        self.journal.note_upload(&self.name, Deed::Added, key, &upload);
        self.uploads.insert((key.to_owned(), sequence), upload);
        Ok(id)
    }

    /// An upload by key and id.
    pub fn upload(&self, key: &str, id: &str) -> Result<&Upload, Refusal> {
        let place = self.place_of(key, id)?;
        self.uploads.get(&place).ok_or_else(no_such_upload)
    }

    /// Wants a checksum of the whole object, by the algorithm of this name.
    pub fn want_checksum(&mut self, key: &str, id: &str, algorithm: &str) -> Result<(), Refusal> {
        let place = self.place_of(key, id)?;
        let upload = self.uploads.get_mut(&place).ok_or_else(no_such_upload)?;
        upload.checksum = Some(algorithm.to_owned());
        Ok(())
    }

    fn place_of(&self, key: &str, id: &str) -> Result<(String, u64), Refusal> {
        let of_key = (key.to_owned(), 0)..=(key.to_owned(), u64::MAX);
        let mut uploads = self.uploads.range(of_key);
        uploads.find(|(_, upload)| upload.id == id).map(|(place, _)| place.clone()).ok_or_else(no_such_upload)
    }

    /// Stores a part and answers with its ETag, without quotes.
    pub fn put_part(
        &mut self,
        now: DateTime<Utc>,
        key: &str,
        id: &str,
        number: i32,
        body: Body,
    ) -> Result<String, Refusal> {
        if !(1..=10_000).contains(&number) {
            return Err(Refusal::invalid_argument(
                "Part number must be an integer between 1 and 10000, inclusive",
            ));
        }
        let place = self.place_of(key, id)?;
        let upload = self.uploads.get_mut(&place).ok_or_else(no_such_upload)?;
        let md5 = body.md5();
        upload.parts.insert(number, Part { body, md5, uploaded: now.trunc_subsecs(0) });
        Ok(hex(&md5))
    }

    /// Makes one object of the named parts. Its Last-Modified is when the upload was initiated
    /// (UG:UsingMetadata), its ETag `md5-of-md5s-N`.
    pub fn complete(
        &mut self,
        now: DateTime<Utc>,
        key: &str,
        id: &str,
        named: &[(i32, String)],
        condition: Option<&Condition>,
    ) -> Result<Written, Refusal> {
        let place = self.place_of(key, id)?;
        self.check_write(key, condition)?;
        let upload = self.uploads.get(&place).ok_or_else(no_such_upload)?;
        let parts = chosen_parts(upload, named)?;
        let mut digests = Md5::new();
        for part in &parts {
            digests.update(part.md5);
        }
        let etag = format!("{}-{}", hex(&digests.finalize()), parts.len());
        let body = joined(&parts);
        let checksum = upload.checksum.as_deref().and_then(|algorithm| Checksum::of(algorithm, &body));
        let object = Object { body, etag, checksum, attributes: upload.attributes.clone() };
        let initiated = upload.initiated;
        let written = self.put(now, initiated, key, object)?;
        self.take_upload(&place);
        Ok(written)
    }

    /// Drops an upload and its parts.
    pub fn abort(&mut self, key: &str, id: &str) -> Result<(), Refusal> {
        let place = self.place_of(key, id)?;
        self.take_upload(&place);
        Ok(())
    }

    /// Takes an upload away.
    pub fn take_upload(&mut self, place: &(String, u64)) -> Option<Upload> {
        let upload = self.uploads.remove(place)?;
        self.journal.note_upload(&self.name, Deed::Removed, &place.0, &upload);
        Some(upload)
    }
}

fn chosen_parts<'a>(upload: &'a Upload, named: &[(i32, String)]) -> Result<Vec<&'a Part>, Refusal> {
    if named.is_empty() {
        return Err(Refusal::malformed_xml());
    }
    if !named.is_sorted_by(|(one, _), (next, _)| one < next) {
        return Err(Refusal::new(
            "InvalidPartOrder",
            "The list of parts was not in ascending order. Parts must be ordered by part number.",
        ));
    }
    let mut parts = Vec::with_capacity(named.len());
    for (number, etag) in named {
        let part = upload.parts.get(number).filter(|part| hex(&part.md5) == *etag);
        parts.push(part.ok_or_else(|| {
            Refusal::new(
                "InvalidPart",
                "One or more of the specified parts could not be found. The part may not have been \
                 uploaded, or the specified entity tag may not match the part's entity tag.",
            )
        })?);
    }
    let all_but_last = &parts[..parts.len() - 1];
    if all_but_last.iter().any(|part| part.body.len() < MIN_PART_BYTES) {
        return Err(Refusal::new(
            "EntityTooSmall",
            "Your proposed upload is smaller than the minimum allowed size",
        ));
    }
    Ok(parts)
}

fn joined(parts: &[&Part]) -> Body {
    let all: Option<Vec<&Bytes>> = parts
        .iter()
        .map(|part| match &part.body {
            Body::Bytes(bytes) => Some(bytes),
            Body::SizeOnly(_) => None,
        })
        .collect();
    match all {
        Some(all) => {
            let mut bytes = BytesMut::new();
            all.iter().for_each(|part| bytes.extend_from_slice(part));
            Body::Bytes(bytes.freeze())
        }
        None => Body::SizeOnly(parts.iter().map(|part| part.body.len()).sum()),
    }
}

fn no_such_upload() -> Refusal {
    Refusal::new(
        "NoSuchUpload",
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been \
         aborted or completed.",
    )
}
