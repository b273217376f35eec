//! Additional checksums of whole objects, as S3 keeps them beside the bytes (UG:checking-object-integrity).

use base64::prelude::{BASE64_STANDARD, Engine as _};
use hyper::HeaderMap;
use s3s::checksum::ChecksumHasher;

use super::model::{Body, Checksum};

/// Algorithms by S3's name and the header that carries the value.
const ALGORITHMS: [(&str, &str); 5] = [
    ("CRC32", "x-amz-checksum-crc32"),
    ("CRC32C", "x-amz-checksum-crc32c"),
    ("SHA1", "x-amz-checksum-sha1"),
    ("SHA256", "x-amz-checksum-sha256"),
    ("CRC64NVME", "x-amz-checksum-crc64nvme"),
];

impl Checksum {
    /// Of `body`, by the algorithm of this name; of a body that is only a size, a stand-in that depends
    /// on the size alone.
    pub(super) fn of(algorithm: &str, body: &Body) -> Option<Self> {
        let (algorithm, _) = ALGORITHMS.iter().find(|(name, _)| *name == algorithm)?;
        let wants = |name: &str| name == *algorithm;
        let mut hasher = ChecksumHasher {
            crc32: wants("CRC32").then(Default::default),
            crc32c: wants("CRC32C").then(Default::default),
            sha1: wants("SHA1").then(Default::default),
            sha256: wants("SHA256").then(Default::default),
            crc64nvme: wants("CRC64NVME").then(Default::default),
        };
        match body {
            Body::Bytes(bytes) => hasher.update(bytes),
            Body::SizeOnly(_) => {
                let value = BASE64_STANDARD.encode(body.md5());
                return Some(Self { algorithm, value });
            }
        }
        let sums = hasher.finalize();
        let value = sums
            .checksum_crc32
            .or(sums.checksum_crc32c)
            .or(sums.checksum_sha1)
            .or(sums.checksum_sha256)
            .or(sums.checksum_crc64nvme)?;
        Some(Self { algorithm, value })
    }

    /// The one that a writer sent along or named, in headers or in the trailer of a body.
    pub(super) fn asked_for(headers: &HeaderMap, body: &Body) -> Option<Self> {
        let named = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let trailer = named("x-amz-trailer").unwrap_or_default();
        let sent = ALGORITHMS.iter().find(|(_, header)| headers.contains_key(*header) || trailer == *header);
        let algorithm = sent.map(|(algorithm, _)| *algorithm);
        Self::of(algorithm.or_else(|| named("x-amz-checksum-algorithm"))?, body)
    }
}
