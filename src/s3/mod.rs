//! The store: one file per S3 operation, named after it; SDK types stay inside.
//!
//! [`Store::connect`] finds credentials and region, [`Store::bucket`] opens a bucket, and
//! [`Bucket`] has the operations. Requests are signed, sent and retried by the AWS SDK; XML answers
//! are read by `xml` and `list_xml`, because the SDK takes a half answer for a short one.
//!
//! Every error is a [`StoreError`]; "there is none" is told only where the store said so, and what
//! a store did not tell is an error, never a default.

mod abort_multipart_upload;
mod answer;
mod bucket;
mod client;
mod connect;
mod copy_in_parts;
mod copy_object;
mod delete_bucket_lifecycle;
mod delete_document;
mod delete_object;
mod delete_objects;
mod delete_target;
mod endpoint;
mod error;
mod get_bucket_lifecycle_configuration;
mod get_bucket_tagging;
mod get_bucket_versioning;
mod get_object;
mod get_object_legal_hold;
mod get_object_lock_configuration;
mod get_object_retention;
mod get_object_tagging;
mod guard;
mod head_bucket;
mod head_object;
mod list_buckets;
mod list_cursor;
mod list_directories;
mod list_entry;
mod list_multipart_uploads;
mod list_object_versions;
mod list_order;
mod list_xml;
mod put_bucket_lifecycle_configuration;
mod put_object;
mod replace_body;
mod tag_set;
mod values;
mod xml;

#[cfg(test)]
mod list_tests;
#[cfg(test)]
mod list_versions_tests;
#[cfg(test)]
mod values_tests;

pub use bucket::Bucket;
pub use connect::{ConnectError, ConnectOptions, StaticCredentials, Store};
pub use copy_object::{CopySource, LARGEST_COPY};
pub use delete_objects::{DeleteAnswer, DeleteReport, MAX_DELETE_TARGETS};
pub use delete_target::{DeleteTarget, needs_single_delete};
pub use error::{StoreError, StoreErrorKind};
pub use get_bucket_lifecycle_configuration::StoredLifecycle;
pub use get_object::Body;
pub use get_object_lock_configuration::Locking;
pub use head_object::{ContentHeaders, Head, Inspected};
pub use list_directories::Level;
pub use list_multipart_uploads::UploadPages;
pub use list_object_versions::VersionPages;
pub use list_xml::{Current, Entry, Page};
pub use xml::Malformed;
