//! The fuzz targets' bodies on a bounded number of inputs: random ones, and sound ones that were tampered with.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test whose files cannot be read must fail")]

#[path = "../fuzz/bodies.rs"]
mod bodies;

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::Index;

/// One change: where, how many bytes go, and what comes in their place.
type Edit = (Index, usize, Vec<u8>);

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let token = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..4),
        "[-\\[\\]{}:#&*!|>'\"%@`,? \\n\\t\\x0c0-9a-z]{0,6}".prop_map(String::into_bytes),
        prop::sample::select(vec![
            "- ", ": ", "{", "}", "[", "]", "\"", "\n  ", "**", "{tenant}", "%Y", "\0", ",", "\r\n"
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    prop::collection::vec((any::<Index>(), 0..8_usize, token), 0..6)
}

fn tampered(sound: &[u8], edits: Vec<Edit>) -> Vec<u8> {
    let mut bytes = sound.to_vec();
    for (place, cut, insert) in edits {
        let start = place.index(bytes.len() + 1);
        let end = (start + cut).min(bytes.len());
        bytes.splice(start..end, insert);
    }
    bytes
}

fn shipped(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("policies").join(name)).unwrap()
}

/// `SHELFLIFE_CASES` asks for another number of them.
fn cases() -> ProptestConfig {
    // A panic in the decoder of Parquet is caught, and is nothing to be told.
    std::panic::set_hook(Box::new(|info| {
        if std::thread::current().name() != Some(shelflife::records::READING_THREAD) {
            eprintln!("{info}");
        }
    }));
    if let Some(asked) = std::env::var_os("SHELFLIFE_CASES") {
        let asked = asked.to_str().and_then(|asked| asked.parse().ok());
        return ProptestConfig::with_cases(asked.expect("SHELFLIFE_CASES is a number"));
    }
    ProptestConfig::with_cases(if std::env::var_os("CI").is_some() { 4_000 } else { 1_000 })
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn policies(which in 0..5_usize, edits in edits()) {
        let names = ["traffic-records.yaml", "shelflife.yaml", "recordings.yaml", "email-content.yaml", "conversations.yaml"];
        bodies::policy(&tampered(&shipped(names[which]), edits));
    }

    #[test]
    fn bytes_that_are_no_policy(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        bodies::policy(&bytes);
    }

    #[test]
    fn key_patterns(edits in edits(), which in 0..3_usize) {
        let sound = ["*/{tenant}/**\0inbound/4711/a.jpg", "events/*/{yyyy}/{MM}/{dd}/**\0events/1/2026/02/28/x", "**/?.jpg\0a/b.jpg"];
        bodies::key_pattern(&tampered(sound[which].as_bytes(), edits));
    }

    #[test]
    fn date_formats(edits in edits(), which in 0..3_usize) {
        let sound = ["%d.%m.%Y\x0024.03.2026", "%Y-%m-%dT%H:%M:%S%.f%z\x002026-03-24T12:00:00.5+0100", "epoch-seconds\x001774353600"];
        bodies::date_format(&tampered(sound[which].as_bytes(), edits));
    }

    #[test]
    fn record_files(kind in 0..6_u8, edits in edits()) {
        let csv = b"id,ended,exported_at\n1,2026-01-01,2026-11-24T01:00:00Z\n\"2\",,2026-11-24\n".to_vec();
        let json = b"{\"id\": 1, \"ended\": \"2026-01-01\", \"exported_at\": \"2026-11-24\"}\n{\"id\": \"2\", \"ended\": null}\n".to_vec();
        let sound = if kind / 2 == 1 { json } else { csv };
        let mut bytes = vec![kind];
        bytes.extend(tampered(&sound, edits));
        bodies::records(&bytes);
    }

    #[test]
    fn listings(which in 0..100_usize, edits in edits()) {
        let corpus = corpus();
        bodies::listing(&tampered(&corpus[which % corpus.len()], edits));
    }
}

/// Listings of many forms, and what the fuzzer has found.
fn corpus() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/listing");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

#[test]
fn what_the_fuzzer_has_found() {
    let corpus = corpus();
    assert!(!corpus.is_empty());
    corpus.iter().for_each(|listing| bodies::listing(listing));
}
