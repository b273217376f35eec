//! The built binary on the sandbox, as a user runs it: what it does to a store, what it tells, and what is left
//! when something goes wrong or somebody gets in between.
#![cfg(feature = "sandbox")]
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, reason = "tests")]

#[path = "../cli/desk.rs"]
mod desk;
#[path = "../decide_reference/rng.rs"]
mod rng;
#[path = "../store_layer/server.rs"]
mod server;

mod cache;
mod configuring;
mod counted;
mod covered;
mod demo;
mod export;
mod holding;
mod inventory;
mod listing;
mod on_top;
mod overtaken;
mod throttled;
mod undo_window;

use desk::{Desk, Ran};
use shelflife::sandbox::Sandbox;

/// Runs the binary with the sandbox's credentials.
fn run(sandbox: &Sandbox, desk: &Desk, args: &[&str]) -> Ran {
    let mut command = desk.command(args);
    command.env("AWS_ACCESS_KEY_ID", sandbox.access_key());
    command.env("AWS_SECRET_ACCESS_KEY", sandbox.secret_key());
    Ran::of(command.output().unwrap())
}

/// A client that knows nothing of Shelflife.
fn client(sandbox: &Sandbox) -> aws_sdk_s3::Client {
    use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new(
            sandbox.access_key(),
            sandbox.secret_key(),
            None,
            None,
            "tests",
        ))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(sandbox.endpoint())
        .force_path_style(true)
        .build();
    aws_sdk_s3::Client::from_conf(config)
}
