//! Diagnostics as SARIF 2.1.0, which code hosts show beside the lines of a change.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::report::Report;
use crate::policy::{self, Code, Diagnostic, Place, SourceFile};
use crate::text;

/// What RFC 3986 calls unreserved stays; a colon in a first segment would look like a scheme.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What relative addresses are relative to: where the program was started, which in CI is the
/// root of the checkout. The name is the one that code hosts know.
const ROOT: &str = "%SRCROOT%";

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The report as a SARIF log; paths are relative to `started_in`.
pub fn log(report: &Report, started_in: &Path) -> Value {
    let rules: Vec<Value> = Code::ALL.iter().map(|code| rule(*code)).collect();
    let mut seen = HashMap::new();
    let results: Vec<Value> =
        report.diagnostics.iter().map(|found| result(found, report, started_in, &mut seen)).collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "Shelflife",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "invocations": [{ "executionSuccessful": true }],
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": { ROOT: {
                "description": { "text": "The folder that shelflife was started in: the root of the repository." },
            }},
            "results": results,
        }],
    })
}

fn rule(code: Code) -> Value {
    let explanation = code.explanation();
    let first = explanation.split_once(". ").map_or(explanation, |(first, _)| first);
    json!({
        "id": code.id(),
        "name": format!("{code:?}"),
        "shortDescription": { "text": format!("{}.", first.trim_end_matches('.')) },
        "fullDescription": { "text": explanation },
        "help": { "text": explanation },
        "defaultConfiguration": { "level": usual_level(code) },
    })
}

/// Each result says its own level; this is only what a code host shows for the rule.
fn usual_level(code: Code) -> &'static str {
    match code.id().get(..4) {
        Some("SL01" | "SL02" | "SL03" | "SL04") => "error",
        _ => "warning",
    }
}

fn result(
    found: &Diagnostic,
    report: &Report,
    started_in: &Path,
    seen: &mut HashMap<String, usize>,
) -> Value {
    let index = Code::ALL.iter().position(|code| *code == found.code);
    let text = found.help.as_ref().map_or_else(
        || plain(&found.message),
        |help| format!("{}\n\nHelp: {}", plain(&found.message), plain(help)),
    );
    let related: Vec<Value> = found
        .related
        .iter()
        .enumerate()
        .map(|(id, (place, label))| {
            json!({
                "id": id,
                "physicalLocation": physical(place, &report.sources, started_in),
                "message": { "text": plain(label) },
            })
        })
        .collect();
    json!({
        "ruleId": found.code.id(),
        "ruleIndex": index,
        "level": found.severity.word(),
        "message": { "text": text },
        "locations": [{ "physicalLocation": physical(&found.at, &report.sources, started_in) }],
        "relatedLocations": related,
        "partialFingerprints": { "shelflifeLine/v1": fingerprint(found, &report.sources, started_in, seen) },
    })
}

/// Without characters that hide or reorder text; and without `[text](target)`, which in SARIF is a link,
/// for a policy's text is not to make one.
fn plain(message: &str) -> String {
    text::terminal(message).replace("\\\\", "\\").replace("](", "] (")
}

fn physical(at: &Place, sources: &[SourceFile], started_in: &Path) -> Value {
    let (end_line, end_column) = policy::end_of(at, sources);
    json!({
        "artifactLocation": artifact(&at.file, started_in),
        // SARIF's end column is the one behind the last character, as ours is.
        "region": {
            "startLine": at.line,
            "startColumn": at.column,
            "endLine": end_line,
            "endColumn": end_column,
        },
    })
}

fn artifact(file: &str, started_in: &Path) -> Value {
    let whole = whole_path(file, started_in);
    match whole.strip_prefix(started_in) {
        Ok(inside) => json!({ "uri": uri(inside), "uriBaseId": ROOT }),
        Err(_) => json!({ "uri": format!("file:///{}", uri(&whole)) }),
    }
}

/// The path without `.` and `..`, from the root on.
fn whole_path(file: &str, started_in: &Path) -> PathBuf {
    let mut whole = started_in.to_owned();
    for part in Path::new(file).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                whole.pop();
            }
            part => whole.push(part),
        }
    }
    whole
}

fn uri(path: &Path) -> String {
    let parts = path.components().filter_map(|part| match part {
        Component::RootDir => None,
        part => Some(utf8_percent_encode(&part.as_os_str().to_string_lossy(), ESCAPED).to_string()),
    });
    parts.collect::<Vec<_>>().join("/")
}

/// The same for the same fault on the same line, wherever in the file that has moved to.
fn fingerprint(
    found: &Diagnostic,
    sources: &[SourceFile],
    started_in: &Path,
    seen: &mut HashMap<String, usize>,
) -> String {
    let source = sources.iter().find(|source| source.path == found.at.file);
    let text = source.map(|source| String::from_utf8_lossy(&source.bytes)).unwrap_or_default();
    let line = text.lines().nth(found.at.line.saturating_sub(1)).unwrap_or_default().trim();
    let mut hash = Sha256::new();
    let place = artifact(&found.at.file, started_in).to_string();
    for part in [found.code.id(), &place, line, &found.message] {
        hash.update(part);
        hash.update([0]);
    }
    let digest = text::hex(&hash.finalize()[..16]);
    let times = seen.entry(digest.clone()).and_modify(|times| *times += 1).or_insert(1);
    format!("{digest}:{times}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(file: &str) -> Value {
        artifact(file, Path::new("/home/me/repo"))
    }

    #[test]
    fn paths_are_relative_addresses_with_forward_slashes() {
        assert_eq!(of("policies/a.yaml"), json!({ "uri": "policies/a.yaml", "uriBaseId": ROOT }));
        assert_eq!(of("./policies//a.yaml"), of("policies/a.yaml"));
        assert_eq!(of("/home/me/repo/policies/a.yaml"), of("policies/a.yaml"));
        assert_eq!(of("x/../policies/a.yaml"), of("policies/a.yaml"));
        assert_eq!(of("a b/č:#%?.yaml")["uri"], "a%20b/%C4%8D%3A%23%25%3F.yaml");
    }

    #[test]
    fn a_path_outside_of_the_root_is_told_as_it_is() {
        assert_eq!(of("../other/a b.yaml"), json!({ "uri": "file:///home/me/other/a%20b.yaml" }));
        assert_eq!(of("/etc/a.yaml"), json!({ "uri": "file:///etc/a.yaml" }));
    }
}
