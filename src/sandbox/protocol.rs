//! The operations that the protocol library takes apart and puts together: which function answers which.

use async_trait::async_trait;
use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result};

use super::state::SharedState;
use super::{attribute_calls, bucket_calls, object_calls, upload_calls};

/// S3 as the protocol library calls it.
pub(super) struct Protocol {
    pub state: SharedState,
}

/// Each operation is one function of the state and the request.
macro_rules! operations {
    ($($name:ident($input:ident) -> $output:ident = $answer:path;)*) => {
        #[async_trait]
        impl S3 for Protocol {
            $(
                async fn $name(&self, request: S3Request<$input>) -> S3Result<S3Response<$output>> {
                    $answer(&self.state, request).await
                }
            )*
        }
    };
}

operations! {
    list_buckets(ListBucketsInput) -> ListBucketsOutput = bucket_calls::list;
    create_bucket(CreateBucketInput) -> CreateBucketOutput = bucket_calls::create;
    delete_bucket(DeleteBucketInput) -> DeleteBucketOutput = bucket_calls::delete;
    head_bucket(HeadBucketInput) -> HeadBucketOutput = bucket_calls::head;
    get_bucket_location(GetBucketLocationInput) -> GetBucketLocationOutput = bucket_calls::location;
    get_bucket_versioning(GetBucketVersioningInput) -> GetBucketVersioningOutput = bucket_calls::versioning;
    put_bucket_versioning(PutBucketVersioningInput) -> PutBucketVersioningOutput = bucket_calls::set_versioning;
    get_bucket_tagging(GetBucketTaggingInput) -> GetBucketTaggingOutput = bucket_calls::tags;
    put_bucket_tagging(PutBucketTaggingInput) -> PutBucketTaggingOutput = bucket_calls::set_tags;
    delete_bucket_tagging(DeleteBucketTaggingInput) -> DeleteBucketTaggingOutput = bucket_calls::delete_tags;
    get_object_lock_configuration(GetObjectLockConfigurationInput) -> GetObjectLockConfigurationOutput
        = bucket_calls::lock;
    put_object_lock_configuration(PutObjectLockConfigurationInput) -> PutObjectLockConfigurationOutput
        = bucket_calls::set_lock;

    put_object(PutObjectInput) -> PutObjectOutput = object_calls::put;
    get_object(GetObjectInput) -> GetObjectOutput = object_calls::get;
    head_object(HeadObjectInput) -> HeadObjectOutput = object_calls::head;
    copy_object(CopyObjectInput) -> CopyObjectOutput = object_calls::copy;
    delete_object(DeleteObjectInput) -> DeleteObjectOutput = object_calls::delete;
    get_object_tagging(GetObjectTaggingInput) -> GetObjectTaggingOutput = attribute_calls::tags;
    put_object_tagging(PutObjectTaggingInput) -> PutObjectTaggingOutput = attribute_calls::set_tags;
    delete_object_tagging(DeleteObjectTaggingInput) -> DeleteObjectTaggingOutput = attribute_calls::delete_tags;
    get_object_retention(GetObjectRetentionInput) -> GetObjectRetentionOutput = attribute_calls::retention;
    put_object_retention(PutObjectRetentionInput) -> PutObjectRetentionOutput = attribute_calls::set_retention;
    get_object_legal_hold(GetObjectLegalHoldInput) -> GetObjectLegalHoldOutput = attribute_calls::legal_hold;
    put_object_legal_hold(PutObjectLegalHoldInput) -> PutObjectLegalHoldOutput = attribute_calls::set_legal_hold;

    create_multipart_upload(CreateMultipartUploadInput) -> CreateMultipartUploadOutput = upload_calls::create;
    upload_part(UploadPartInput) -> UploadPartOutput = upload_calls::put_part;
    upload_part_copy(UploadPartCopyInput) -> UploadPartCopyOutput = upload_calls::copy_part;
    list_parts(ListPartsInput) -> ListPartsOutput = upload_calls::parts;
    complete_multipart_upload(CompleteMultipartUploadInput) -> CompleteMultipartUploadOutput
        = upload_calls::complete;
    abort_multipart_upload(AbortMultipartUploadInput) -> AbortMultipartUploadOutput = upload_calls::abort;
}
