//! What AWS asks a caller to be allowed to do, call by call (Service Authorization Reference, Amazon
//! S3; and "Permissions" on the page of each operation in the API Reference).
//!
//! The sandbox does not hold callers to it; it is in the log of requests, for tests to compare.

use std::collections::BTreeSet;

use super::xml::Element;

/// For a call that is no deletion of objects.
pub(super) fn of(operation: &str, versioned: bool) -> BTreeSet<&'static str> {
    let permission = match (operation, versioned) {
        ("ListBuckets", _) => "s3:ListAllMyBuckets",
        ("HeadBucket" | "ListObjects" | "ListObjectsV2", _) => "s3:ListBucket",
        ("ListObjectVersions", _) => "s3:ListBucketVersions",
        ("ListMultipartUploads", _) => "s3:ListBucketMultipartUploads",
        ("GetBucketVersioning", _) => "s3:GetBucketVersioning",
        ("GetObjectLockConfiguration", _) => "s3:GetBucketObjectLockConfiguration",
        ("GetBucketTagging", _) => "s3:GetBucketTagging",
        ("GetBucketLifecycleConfiguration", _) => "s3:GetLifecycleConfiguration",
        // There is no permission of its own for deleting a configuration.
        ("PutBucketLifecycleConfiguration" | "DeleteBucketLifecycle", _) => "s3:PutLifecycleConfiguration",
        ("GetObject" | "HeadObject", false) => "s3:GetObject",
        ("GetObject" | "HeadObject", true) => "s3:GetObjectVersion",
        ("GetObjectTagging", false) => "s3:GetObjectTagging",
        ("GetObjectTagging", true) => "s3:GetObjectVersionTagging",
        ("GetObjectRetention", _) => "s3:GetObjectRetention",
        ("GetObjectLegalHold", _) => "s3:GetObjectLegalHold",
        ("AbortMultipartUpload", _) => "s3:AbortMultipartUpload",
        // What is read where it comes from is another bucket's to allow.
        ("CopyObject", _) => return BTreeSet::from(["s3:PutObject", "s3:PutObjectTagging"]),
        (
            "PutObject"
            | "CreateMultipartUpload"
            | "UploadPart"
            | "UploadPartCopy"
            | "CompleteMultipartUpload",
            _,
        ) => "s3:PutObject",
        _ => return BTreeSet::new(),
    };
    BTreeSet::from([permission])
}

/// For the deletion of one object. To compare ETags is to read.
pub(super) fn of_deletion(versioned: bool, conditional: bool) -> BTreeSet<&'static str> {
    let deletes = if versioned { "s3:DeleteObjectVersion" } else { "s3:DeleteObject" };
    std::iter::once(deletes).chain(conditional.then_some("s3:GetObject")).collect()
}

/// For all that a `DeleteObjects` names.
pub(super) fn of_deletions(body: &[u8]) -> BTreeSet<&'static str> {
    let Ok(root) = Element::parse(body) else { return BTreeSet::new() };
    let each = root
        .all("Object")
        .map(|object| of_deletion(object.get("VersionId").is_some(), object.get("ETag").is_some()));
    each.flatten().collect()
}
