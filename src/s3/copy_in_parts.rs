//! CreateMultipartUpload, UploadPartCopy and CompleteMultipartUpload: a copy of what is too large for
//! one request. The store takes neither metadata nor tags along, so they are carried by hand.

use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::bucket::Bucket;
use super::copy_object::{CopySource, patient};
use super::error::StoreError;
use super::head_object::Inspected;
use super::values;
use crate::object::Attributes;

/// The most parts of an upload, and the size of one unless there would be more of them
/// (user guide, "Amazon S3 multipart upload limits").
const MOST_PARTS: u64 = 10_000;
const PART: u64 = 512 << 20;

/// The bytes of each part of `size` bytes, first and last.
fn parts(size: u64) -> impl Iterator<Item = (u64, u64)> {
    let part = PART.max(size.div_ceil(MOST_PARTS));
    (0..size.div_ceil(part)).map(move |place| (place * part, ((place + 1) * part).min(size) - 1))
}

impl Bucket {
    /// Copies `source`, which `inspected` and `tags` describe, to `key` in this bucket, part by part, if
    /// nothing is there. `checksum` names the algorithm by which the whole copy is to have a checksum.
    ///
    /// # Errors
    /// What any request can end in; the copy may have been made nevertheless. An upload that was begun is
    /// aborted, as far as the store allows that.
    pub async fn copy_in_parts_from(
        &self,
        key: &str,
        source: &CopySource<'_>,
        (inspected, tags): (&Inspected, &Attributes),
        checksum: &str,
        overwrite: bool,
    ) -> Result<(), StoreError> {
        let upload_id = self.begin(key, inspected, tags, checksum).await?;
        let copied = self.fill(key, &upload_id, source, inspected.size, overwrite).await;
        if copied.is_err() {
            // What is left of it is told by the next listing of uploads.
            let _ = self.give_up_upload(key, &upload_id).await;
        }
        copied
    }

    async fn begin(
        &self,
        key: &str,
        like: &Inspected,
        tags: &Attributes,
        checksum: &str,
    ) -> Result<String, StoreError> {
        let call = self.call_on("CreateMultipartUpload", key);
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let tags: Vec<String> =
            tags.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        // Others than these have checksums of whole objects in one piece alone.
        let is_whole = checksum.starts_with("CRC");
        let headers = &like.headers;
        let begun = self
            .client()
            .create_multipart_upload()
            .bucket(self.name())
            .key(key)
            .set_metadata(Some(like.metadata.clone().into_iter().collect()))
            .set_content_type(headers.content_type.clone())
            .set_cache_control(headers.cache_control.clone())
            .set_content_disposition(headers.content_disposition.clone())
            .set_content_encoding(headers.content_encoding.clone())
            .set_content_language(headers.content_language.clone())
            .set_tagging((!tags.is_empty()).then(|| tags.join("&")))
            .set_checksum_algorithm(is_whole.then(|| ChecksumAlgorithm::from(checksum)))
            .set_checksum_type(is_whole.then_some(ChecksumType::FullObject))
            .set_expected_bucket_owner(self.owner())
            .set_request_payer(self.payer())
            .send()
            .await
            .map_err(|error| StoreError::from_sdk(call, error))?;
        let id = begun.upload_id().filter(|id| !id.is_empty()).map(str::to_owned);
        id.ok_or_else(|| StoreError::unreadable(call, "the upload has no id"))
    }

    async fn fill(
        &self,
        key: &str,
        upload_id: &str,
        source: &CopySource<'_>,
        size: u64,
        overwrite: bool,
    ) -> Result<(), StoreError> {
        let mut done = Vec::new();
        for (number, (first, last)) in (1..).zip(parts(size)) {
            let call = self.call_on("UploadPartCopy", key);
            let copied = self
                .client()
                .upload_part_copy()
                .bucket(self.name())
                .key(key)
                .upload_id(upload_id)
                .part_number(number)
                .copy_source(source.header())
                .copy_source_if_match(values::quoted(source.etag))
                .copy_source_range(format!("bytes={first}-{last}"))
                .set_expected_bucket_owner(self.owner())
                .set_expected_source_bucket_owner(source.bucket.owner())
                .set_request_payer(self.payer().or_else(|| source.bucket.payer()))
                .customize()
                .config_override(patient())
                .send()
                .await
                .map_err(|error| StoreError::from_sdk(call, error))?;
            let part = copied.copy_part_result();
            let etag = part.and_then(|part| part.e_tag());
            let etag = etag.ok_or_else(|| StoreError::unreadable(call, "a part without ETag"))?;
            let part = CompletedPart::builder()
                .part_number(number)
                .e_tag(etag)
                .set_checksum_crc32(part.and_then(|part| part.checksum_crc32().map(str::to_owned)))
                .set_checksum_crc32_c(part.and_then(|part| part.checksum_crc32_c().map(str::to_owned)))
                .set_checksum_crc64_nvme(part.and_then(|part| part.checksum_crc64_nvme().map(str::to_owned)));
            done.push(part.build());
        }
        let call = self.call_on("CompleteMultipartUpload", key);
        self.client()
            .complete_multipart_upload()
            .bucket(self.name())
            .key(key)
            .upload_id(upload_id)
            .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(done)).build())
            .set_if_none_match((!overwrite).then(|| "*".to_owned()))
            .set_expected_bucket_owner(self.owner())
            .set_request_payer(self.payer())
            .customize()
            .config_override(patient())
            .send()
            .await
            .map_err(|error| StoreError::from_sdk(call, error))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_the_whole_and_are_within_the_limits() {
        for size in [LARGEST, LARGEST + 1, 11 << 30, 50_000_000_000_000, PART * 11, PART * 11 + 1] {
            let all: Vec<_> = parts(size).collect();
            assert!(all.len() as u64 <= MOST_PARTS, "{size}: {}", all.len());
            assert_eq!((all[0].0, all[all.len() - 1].1), (0, size - 1));
            assert!(all.windows(2).all(|pair| pair[0].1 + 1 == pair[1].0));
            assert!(all.iter().all(|(first, last)| last - first < LARGEST));
        }
    }

    const LARGEST: u64 = super::super::copy_object::LARGEST_COPY;
}
