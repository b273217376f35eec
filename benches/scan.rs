//! What it costs to read a page of a listing: time for each entry and bytes a second, for the
//! pages that S3 sends.
//!
//! `cargo bench --bench scan`
//!
//! With `--count N` it reads N entries, in pages of a thousand, and does nothing else that would not be the same
//! for any N: for tools that count instructions, which take the difference of two runs.

#![allow(clippy::unwrap_used, reason = "a figure that cannot be measured is none")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use shelflife::s3::Page;

/// As many as S3 puts on a page.
const ENTRIES: u64 = 1_000;

/// Timed one by one, so that the fastest had the processor to itself.
const PAGES: usize = 2_000;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let pages = [("hierarchical", page(hierarchical)), ("flat", page(flat)), ("encoded", page(encoded))];
    if let Some(at) = args.iter().position(|arg| arg == "--count") {
        let entries: u64 = args[at + 1].parse().unwrap();
        for (_, body) in pages.iter().cycle().take((entries / ENTRIES) as usize) {
            black_box(read(body.clone()));
        }
        return;
    }
    for (name, body) in &pages {
        let mut times: Vec<f64> = (0..PAGES).map(|_| time(body)).collect();
        times.sort_by(f64::total_cmp);
        println!(
            "{name}: {} bytes an entry, {:.0} ns an entry (median {:.0}), {:.0} MB/s",
            body.len() as u64 / ENTRIES,
            times[0] * 1e9 / ENTRIES as f64,
            times[PAGES / 2] * 1e9 / ENTRIES as f64,
            body.len() as f64 / times[0] / 1e6
        );
    }
}

/// Seconds for one page.
fn time(body: &[u8]) -> f64 {
    let copy = body.to_vec();
    let began = Instant::now();
    black_box(read(copy));
    began.elapsed().as_secs_f64()
}

/// The bytes of all entries, so that each of them is looked at.
fn read(body: Vec<u8>) -> u64 {
    let page = Page::from_answer(body).unwrap();
    page.entries().map(|entry| entry.size + entry.key.len() as u64).sum()
}

/// A page as AWS writes it: nine versions and a marker, over and over.
fn page(key: impl Fn(u64) -> String) -> Vec<u8> {
    let mut body = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <ListVersionsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>media</Name><Prefix></Prefix>\
         <KeyMarker></KeyMarker><VersionIdMarker></VersionIdMarker><MaxKeys>1000</MaxKeys>\
         <EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>",
    );
    let owner = format!("<Owner><ID>{}</ID></Owner>", "75aa57f0".repeat(8));
    let first: DateTime<Utc> = "2025-03-01T04:00:00Z".parse().unwrap();
    for number in 0..ENTRIES {
        let scattered = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let name = if number % 10 == 9 { "DeleteMarker" } else { "Version" };
        let at = first + TimeDelta::milliseconds((scattered >> 30) as i64);
        write!(
            body,
            "<{name}><Key>{}</Key><VersionId>{}</VersionId><IsLatest>{}</IsLatest><LastModified>{}</LastModified>",
            key(number),
            format!("{scattered:016x}").repeat(2),
            number % 10 != 8,
            at.format("%Y-%m-%dT%H:%M:%S%.3fZ")
        )
        .unwrap();
        if name == "Version" {
            let etag = format!("{:016x}", !scattered).repeat(2);
            write!(
                body,
                "<ETag>&quot;{etag}&quot;</ETag><ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm>\
                 <ChecksumType>FULL_OBJECT</ChecksumType><Size>{}</Size>{owner}\
                 <StorageClass>STANDARD</StorageClass></Version>",
                scattered % 5_000_000
            )
            .unwrap();
        } else {
            write!(body, "{owner}</DeleteMarker>").unwrap();
        }
    }
    body.push_str("</ListVersionsResult>");
    body.into_bytes()
}

fn hierarchical(number: u64) -> String {
    format!("recordings/{:05}/2026/11/{:02}/{number:08}.mp3", number / 100, number % 100 / 4)
}

fn flat(number: u64) -> String {
    format!("{number:08x}-6b1f-4c3a-9d2e-8f7a6b5c4d3e")
}

fn encoded(number: u64) -> String {
    format!("tenant%3D{:05}/date%3D2026-11-{:02}/caf%C3%A9+{number:08}.jpg", number / 100, number % 100 / 4)
}
