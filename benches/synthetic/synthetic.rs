//! An S3 that costs almost nothing, for benchmarks: keys and pages are computed from the bucket's name, so
//! `hierarchical-1000000` is there as soon as it is asked for. And a client that does nothing but download.
//!
//!     synthetic serve [PORT]
//!     synthetic fetch 127.0.0.1:PORT BUCKET [versions]
//!
//! Names are `hierarchical`, `flat`, `skewed` or `one-key`, the number of keys (of `one-key`: of versions), and
//! perhaps `-v3`, the versions of each key, and `-d30`, the milliseconds that each request takes. `GET /-/counters`
//! tells how often each operation was asked for, `POST /-/reset` begins anew and brings back what was deleted.

#![allow(clippy::unwrap_used, reason = "a figure that cannot be measured is none")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "entries and digits, all far smaller than their types"
)]

mod fetch;
mod listing;
mod server;
mod space;

use std::io::Write as _;

use tokio::net::TcpListener;
use tokio::task::LocalSet;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, async {
        match args[..] {
            ["serve"] => serve("0").await,
            ["serve", port] => serve(port).await,
            ["fetch", authority, bucket] => fetch(authority, bucket, listing::Kind::Objects).await,
            ["fetch", authority, bucket, "versions"] => {
                fetch(authority, bucket, listing::Kind::Versions).await;
            }
            _ => {
                eprintln!("usage: synthetic serve [PORT] | synthetic fetch HOST:PORT BUCKET [versions]");
                std::process::exit(2);
            }
        }
    });
}

async fn serve(port: &str) {
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await.unwrap();
    println!("http://{}", listener.local_addr().unwrap());
    std::io::stdout().flush().unwrap();
    server::serve(listener).await.unwrap();
}

async fn fetch(authority: &str, bucket: &str, kind: listing::Kind) {
    let (pages, bytes) = fetch::fetch(authority, bucket, kind).await.unwrap();
    println!("{pages} pages, {bytes} bytes");
}
