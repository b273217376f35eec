//! A user's desk: a folder with a policy in it, an environment that knows nothing else, and the built binary.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use unicode_width::UnicodeWidthStr;

/// The folder that commands are run in, and the store that they are pointed to.
pub struct Desk {
    folder: TempDir,
    endpoint: String,
}

/// A command that has ended.
pub struct Ran {
    /// Its exit code.
    pub code: i32,
    /// What it printed.
    pub out: String,
    /// What it noted beside that.
    pub err: String,
}

impl Desk {
    /// An empty folder, and a store at `endpoint`.
    pub fn at(endpoint: &str) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), endpoint: endpoint.to_owned() }
    }

    /// Where a file of the desk lies.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file, and the folders above it.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Writes the policy, `policies/policy.yaml`.
    pub fn policy(&self, yaml: &str) {
        self.write("policies/policy.yaml", yaml);
    }

    /// The names of all files and folders that lie on the desk, one level deep.
    pub fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The name of the one evidence log that lies on the desk.
    pub fn log(&self) -> String {
        let mut logs = self.files();
        logs.retain(|name| name.ends_with(".evidence.jsonl"));
        assert_eq!(logs.len(), 1, "one log: {logs:?}");
        logs.remove(0)
    }

    /// The entries of an evidence log.
    pub fn evidence(&self, log: &str) -> Vec<Value> {
        let text = fs::read_to_string(self.path(log)).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// What the evidence says became of each item.
    pub fn outcomes(&self, log: &str) -> Vec<Outcome> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        self.evidence(log)
            .iter()
            .filter(|entry| entry["kind"] == "outcome")
            .flat_map(|entry| entry["items"].as_array().unwrap().clone())
            .map(|item| Outcome {
                key: text(&item["key"]),
                version_id: item["version_id"].as_str().map(str::to_owned),
                result: text(&item["result"]),
                detail: text(&item["detail"]),
            })
            .collect()
    }

    /// A command of `shelflife` that knows static credentials and the store's address. Every bucket is new
    /// to its test, and most tests are about something else: `--first-run` is given where it can be.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = self.cautious_command(args);
        let carries_out = args.first().is_some_and(|first| ["apply", "reconcile"].contains(first));
        command.args(carries_out.then_some("--first-run"));
        command
    }

    /// The same without `--first-run`.
    pub fn cautious_command(&self, args: &[&str]) -> Command {
        let mut command = self.bare_command(args);
        command.args(["--endpoint-url", &self.endpoint]);
        command.envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")]);
        command
    }

    /// A command of `shelflife` in an environment without anything.
    pub fn bare_command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shelflife"));
        command.args(args).current_dir(self.folder.path()).env_clear();
        command.envs([("AWS_EC2_METADATA_DISABLED", "true")]);
        command.env("HOME", self.folder.path()).env("SHELFLIFE_RETRY_PAUSE", "20").stdin(Stdio::null());
        command
    }

    /// Runs `shelflife` to its end.
    pub fn run(&self, args: &[&str]) -> Ran {
        Ran::of(self.command(args).output().unwrap())
    }
}

impl Ran {
    /// What a process left behind.
    pub fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Makes sure of the exit code, and that what it printed is fit for people.
    #[track_caller]
    pub fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "exit code\n--- stdout\n{}\n--- stderr\n{}", self.out, self.err);
        for line in self.out.lines().chain(self.err.lines()) {
            assert!(!line.contains(is_raw), "a raw control character: {line:?}");
            assert!(fits(line), "{} columns: {line}", line.width());
        }
        self
    }

    /// Makes sure of what the errors and notes say, in this order.
    #[track_caller]
    pub fn tells(self, fragments: &[&str]) -> Self {
        contains_in_order("stderr", &self.err, fragments);
        self
    }

    /// Makes sure of what the result says, in this order.
    #[track_caller]
    pub fn shows(self, fragments: &[&str]) -> Self {
        contains_in_order("stdout", &self.out, fragments);
        self
    }

    /// The result as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        match serde_json::from_str(&self.out) {
            Ok(value) => value,
            Err(error) => panic!("{error}\n--- stdout\n{}\n--- stderr\n{}", self.out, self.err),
        }
    }
}

/// Line breaks are where the terminal ends, so they count as spaces.
#[track_caller]
fn contains_in_order(stream: &str, text: &str, fragments: &[&str]) {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut rest = words.as_str();
    for fragment in fragments {
        match rest.split_once(fragment) {
            Some((_, after)) => rest = after,
            None => panic!("{stream} does not say {fragment:?} (in this place):\n{text}"),
        }
    }
}

fn is_raw(character: char) -> bool {
    character.is_control() || ('\u{202a}'..='\u{202e}').contains(&character)
}

/// Whether a line fits the terminal; paths, digests, commands to paste and JSON may be longer.
fn fits(line: &str) -> bool {
    let is_digest = |word: &str| word.len() >= 32 && word.chars().all(|c| c.is_ascii_hexdigit());
    let is_long = |word: &str| word.contains('/') || word.contains("evidence.jsonl");
    line.width() <= 80
        || line.starts_with('{')
        || line.starts_with('[')
        || line.contains("shelflife ")
        || line.split([' ', ':', ',']).any(|word| is_digest(word) || (word.len() > 40 && is_long(word)))
}

/// What became of one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Its key.
    pub key: String,
    /// Its version.
    pub version_id: Option<String>,
    /// `deleted`, `changed`, …
    pub result: String,
    /// Why.
    pub detail: String,
}
