//! Who may call: signatures, the bucket owner that a caller expects, and the region that it signed for.

use async_trait::async_trait;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use hyper::{HeaderMap, Uri};
use md5::{Digest, Md5};
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::checksum::ChecksumHasher;
use s3s::{S3Result, s3_error};

use super::call::{Call, Query};
use super::refusal::Refusal;
use super::state::{ACCOUNT, SharedState};

/// The access key that the sandbox knows.
pub(super) const ACCESS_KEY: &str = "AKIASHELFLIFESANDBOX";
/// Its secret.
pub(super) const SECRET_KEY: &str = "not-a-secret/only-for-the-sandbox";

/// Knows the one pair of keys.
pub(super) struct Keys;

#[async_trait]
impl S3Auth for Keys {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        if access_key == ACCESS_KEY {
            return Ok(SecretKey::from(SECRET_KEY));
        }
        Err(s3_error!(
            InvalidAccessKeyId,
            "The AWS Access Key Id you provided does not exist in our records."
        ))
    }
}

/// Checks every call that the protocol library takes apart itself.
pub(super) struct Gate {
    pub state: SharedState,
}

#[async_trait]
impl S3Access for Gate {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let call = Call::of(context.method(), context.uri(), context.headers(), &[]);
        admit(&self.state, context.credentials().is_some(), &call, context.uri(), context.headers())?;
        Ok(())
    }
}

/// Lets a call pass, or refuses it.
///
/// - `x-amz-expected-bucket-owner` must name the owning account, else 403 (UG:bucket-owner-condition).
/// - The region that a call was signed for stands for the regional endpoint that it was sent to: for a
///   bucket elsewhere the answer is 301 with `x-amz-bucket-region` (API:HeadBucket).
pub(super) fn admit(
    state: &SharedState,
    signed: bool,
    call: &Call,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<(), Refusal> {
    if !signed {
        return Err(Refusal::access_denied());
    }
    let state = state.lock();
    let bucket = call.bucket.as_ref().and_then(|name| state.buckets.get(name));
    let region = bucket.map(|bucket| bucket.region.as_str());
    for header in ["x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"] {
        if headers.get(header).is_some_and(|owner| owner != ACCOUNT) {
            let refusal = Refusal::access_denied();
            return Err(match region {
                Some(region) => refusal.with_header("x-amz-bucket-region", region),
                None => refusal,
            });
        }
    }
    match (region, signed_region(uri, headers)) {
        (Some(region), Some(signed))
            if region != signed && !matches!(call.operation, "CreateBucket" | "GetBucketLocation") =>
        {
            Err(Refusal::new(
                "PermanentRedirect",
                "The bucket you are attempting to access must be addressed using the specified endpoint. \
                 Please send all future requests to this endpoint.",
            )
            .with_header("x-amz-bucket-region", region))
        }
        _ => Ok(()),
    }
}

/// The region in the credential scope of a request's signature.
pub(super) fn signed_region(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    let from_query = Query::of(uri).get("X-Amz-Credential").map(str::to_owned);
    let scope = from_query.or_else(|| {
        let header = headers.get("authorization")?.to_str().ok()?;
        Some(header.split_once("Credential=")?.1.split(',').next()?.to_owned())
    })?;
    scope.split('/').nth(2).map(str::to_owned)
}

/// Demands `Content-MD5` or a checksum, and that those which are there fit the body: XML bodies are
/// taken with one only (`requestChecksumRequired` in the service model).
pub(super) fn checksum_of(headers: &HeaderMap, body: &[u8]) -> Result<(), Refusal> {
    let given = headers.contains_key("content-md5")
        || headers.keys().any(|name| name.as_str().starts_with("x-amz-checksum-"));
    if !given {
        return Err(Refusal::invalid_request(
            "Missing required header for this request: Content-MD5 OR x-amz-checksum-*",
        ));
    }
    verify_checksums(headers, body)
}

/// Refuses a body that does not fit a checksum in the headers.
pub(super) fn verify_checksums(headers: &HeaderMap, body: &[u8]) -> Result<(), Refusal> {
    let has = |name: &str| headers.contains_key(name);
    let mut hasher = ChecksumHasher {
        crc32: has("x-amz-checksum-crc32").then(Default::default),
        crc32c: has("x-amz-checksum-crc32c").then(Default::default),
        sha1: has("x-amz-checksum-sha1").then(Default::default),
        sha256: has("x-amz-checksum-sha256").then(Default::default),
        crc64nvme: has("x-amz-checksum-crc64nvme").then(Default::default),
    };
    hasher.update(body);
    let sums = hasher.finalize();
    let computed = [
        ("x-amz-checksum-crc32", sums.checksum_crc32),
        ("x-amz-checksum-crc32c", sums.checksum_crc32c),
        ("x-amz-checksum-sha1", sums.checksum_sha1),
        ("x-amz-checksum-sha256", sums.checksum_sha256),
        ("x-amz-checksum-crc64nvme", sums.checksum_crc64nvme),
        ("content-md5", has("content-md5").then(|| base64(&Md5::digest(body)))),
    ];
    for (name, sum) in computed {
        if let (Some(sum), Some(given)) = (sum, headers.get(name))
            && given.as_bytes() != sum.as_bytes()
        {
            return Err(Refusal::new(
                "BadDigest",
                format!("The {name} you specified did not match the calculated checksum."),
            ));
        }
    }
    Ok(())
}

fn base64(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}
