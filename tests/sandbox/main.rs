//! The embedded sandbox, driven as a user drives it: through the AWS SDK over HTTP, and through its own API.
#![cfg(feature = "sandbox")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod client;
mod conditions;
mod faults;
mod lifecycle;
mod lifecycle_configuration;
mod listings;
mod locks;
mod objects;
mod uploads;
mod wire;
