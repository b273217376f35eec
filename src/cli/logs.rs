//! Evidence logs as commands take them: files, or copies in a store that are put together again;
//! one, or several that follow each other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::args::StoreArgs;
use super::context::Context;
use super::exit::Failure;
use super::output;
use super::store;
use crate::evidence::{self, Checked, Follows, Heads, VerifyError};
use crate::text;

/// A log that can be read again and again.
pub struct Log {
    /// What it was called by.
    pub name: String,
    path: PathBuf,
    /// Its file goes with it.
    _fetched: Option<NamedTempFile>,
}

/// Logs that are as they were written, in the order in which they follow each other.
pub struct Logs {
    /// The logs.
    pub all: Vec<Log>,
    /// What each tells.
    pub checked: Vec<Checked>,
    /// What each follows.
    pub follows: Vec<Follows>,
}

impl Log {
    /// Its bytes, from the first; of a log that is still written the first `most`.
    pub fn read(&self, most: u64) -> Result<BufReader<std::io::Take<File>>, Failure> {
        let file = File::open(&self.path).map_err(|error| {
            Failure::usage(format!("{} could not be opened: {error}", text::terminal(&self.name)))
        })?;
        Ok(BufReader::new(file.take(most)))
    }

    /// The line that it begins with, which no other run's log has.
    fn first_line(&self) -> Result<Vec<u8>, Failure> {
        let mut line = Vec::new();
        self.read(u64::MAX)?.read_until(b'\n', &mut line).map_err(|error| {
            Failure::failed(format!("{} could not be read: {error}", text::terminal(&self.name)))
        })?;
        Ok(line)
    }

    /// What is wrong with it.
    pub fn fault(&self, error: &VerifyError) -> Failure {
        let why = text::terminal(&Failure::chain(error)).into_owned();
        Failure::failed(format!("{}: {why}", text::terminal(&self.name)))
            .help("the log is not as it was written; compare it with a copy, such as the CI job's artefact")
    }
}

/// Opens the logs; those in a store are fetched.
pub async fn open(context: &Context, args: &StoreArgs, paths: &[PathBuf]) -> Result<Vec<Log>, Failure> {
    let mut logs = Vec::new();
    for path in paths {
        let name = path.to_string_lossy().into_owned();
        logs.push(match name.strip_prefix("s3://") {
            Some(place) => fetch(context, args, &name, place).await?,
            None => Log { name, path: path.clone(), _fetched: None },
        });
    }
    Ok(logs)
}

async fn fetch(context: &Context, args: &StoreArgs, name: &str, place: &str) -> Result<Log, Failure> {
    let (bucket, prefix) =
        place.split_once('/').filter(|(bucket, _)| !bucket.is_empty()).ok_or_else(|| {
            Failure::usage(format!("{} names no log's copy", text::terminal(name)))
                .help("write s3://bucket/prefix/<the log's name>/")
        })?;
    let prefix =
        if prefix.is_empty() || prefix.ends_with('/') { prefix.to_owned() } else { format!("{prefix}/") };
    let store = store::connect(args, None).await?;
    let bucket = store.bucket(bucket).await?;
    let wrong =
        |error: std::io::Error| Failure::failed(format!("no temporary file could be written: {error}"));
    let mut file = NamedTempFile::new().map_err(wrong)?;
    let altered = evidence::fetch(&bucket, &prefix, &mut file).await.map_err(|error| {
        let why = text::terminal(&Failure::chain(&error)).into_owned();
        Failure::failed(format!("{}: {why}", text::terminal(name)))
            .help("name the folder that the log's pieces are in: s3://bucket/prefix/<the log's name>/")
    })?;
    for key in altered {
        let why = format!("{} was written or deleted more than once", text::terminal(&key));
        context.note("note:", &why);
    }
    Ok(Log { name: name.to_owned(), path: file.path().to_owned(), _fetched: Some(file) })
}

/// Reads all logs once, and holds them to their chains, to each other and to the `heads` that are
/// known from elsewhere.
pub fn check(logs: Vec<Log>, heads: &[String]) -> Result<Logs, Failure> {
    let mut asked: BTreeSet<String> = heads.iter().map(|head| head.to_ascii_lowercase()).collect();
    let heads: Vec<String> = asked.iter().cloned().collect();
    for log in &logs {
        let opened = evidence::opened(log.read(u64::MAX)?).map_err(|error| log.fault(&error))?;
        asked.extend(opened.opening.previous_head);
    }
    let mut begun: BTreeMap<Vec<u8>, &str> = BTreeMap::new();
    for log in &logs {
        if let Some(other) = begun.insert(log.first_line()?, &log.name) {
            let names = (text::terminal(other), text::terminal(&log.name));
            return Err(Failure::usage(format!("{} and {} are logs of one run", names.0, names.1))
                .help("give the longer of them alone: what both tell would count twice"));
        }
    }
    let mut checked = read(&logs, &asked)?;
    // What a run went on after stands in the middle of its log, and mostly names the end of another.
    let is_known = |head: &String| checked.iter().any(|log| log.found.contains_key(head));
    let named = checked.iter().flat_map(|log| &log.verified.went_on_after);
    let unknown: BTreeSet<String> = named.filter(|head| !is_known(head)).cloned().collect();
    if !unknown.is_empty() {
        asked.extend(unknown);
        checked = read(&logs, &asked)?;
    }
    let follows = evidence::chained(&checked);
    match evidence::confirm(&mut checked, &follows, &heads) {
        Heads::Confirmed => {}
        Heads::Differs(place, error) => return Err(logs[place].fault(&error)),
        Heads::Unknown(head) => {
            return Err(Failure::failed(format!("no log ends with the head {head}"))
                .help("a log is missing, was cut off or was rewritten"));
        }
    }
    Ok(sorted(logs, checked, &follows))
}

fn read(logs: &[Log], asked: &BTreeSet<String>) -> Result<Vec<Checked>, Failure> {
    let read =
        |log: &Log| evidence::check(log.read(u64::MAX)?, asked, |_| ()).map_err(|error| log.fault(&error));
    logs.iter().map(read).collect()
}

fn sorted(logs: Vec<Log>, checked: Vec<Checked>, follows: &[Follows]) -> Logs {
    let order = evidence::in_order(follows);
    let moved = |place: usize| order.iter().position(|old| *old == place).unwrap_or(place);
    let (mut logs, mut checked): (Vec<_>, Vec<_>) =
        (logs.into_iter().map(Some).collect(), checked.into_iter().map(Some).collect());
    let follows = order.iter().map(|old| match follows[*old] {
        Follows::Log(place) => Follows::Log(moved(place)),
        Follows::Within(place, line) => Follows::Within(moved(place), line),
        Follows::Nothing => Follows::Nothing,
        Follows::Missing => Follows::Missing,
    });
    Logs {
        follows: follows.collect(),
        all: order.iter().filter_map(|old| logs[*old].take()).collect(),
        checked: order.iter().filter_map(|old| checked[*old].take()).collect(),
    }
}

impl Logs {
    /// Where logs are missing: the places of those that should follow another and follow none, of
    /// each policy all but the first; and of those whose runs went on after one that is not here, unless a
    /// log is the only one of its policy.
    pub fn gaps(&self) -> Vec<usize> {
        let policy = |place: usize| &self.checked[place].verified.opening.policy;
        let is_alone =
            |place: usize| (0..self.all.len()).all(|other| other == place || policy(other) != policy(place));
        let mut begun = BTreeSet::new();
        let is_gap = |place: &usize| {
            let begins = matches!(self.follows[*place], Follows::Nothing | Follows::Missing);
            let is_later = begins && !begun.insert(policy(*place));
            is_later || (self.went_on_after(*place).any(|it| it == Follows::Missing) && !is_alone(*place))
        };
        (0..self.all.len()).filter(is_gap).collect()
    }

    /// The logs after which a log's run went on.
    fn went_on_after(&self, place: usize) -> impl Iterator<Item = Follows> {
        let heads = &self.checked[place].verified.went_on_after;
        heads.iter().map(move |head| evidence::holder(&self.checked, head))
    }

    /// What a log follows, in words.
    pub fn follows(&self, place: usize) -> String {
        let before = &self.checked[place].verified.opening.previous_head;
        let begun = match (&self.follows[place], before) {
            (Follows::Log(other), _) => format!("follows {}", file_name(&self.all[*other].name)),
            (Follows::Within(other, line), _) => {
                format!("follows line {line} of {}, whose run went on", file_name(&self.all[*other].name))
            }
            (Follows::Missing, Some(head)) => format!("follows a log that is not here, with the head {head}"),
            (Follows::Missing | Follows::Nothing, _) => "the first: it names no log before it".to_owned(),
        };
        let later = self.went_on_after(place).map(|it| match it {
            Follows::Log(other) | Follows::Within(other, _) => file_name(&self.all[other].name),
            Follows::Missing | Follows::Nothing => "a log that is not here".to_owned(),
        });
        let later = later.map(|log| format!("; its run went on after {log}"));
        std::iter::once(begun).chain(later).collect()
    }
}

/// The last part of a path or an address.
pub fn file_name(name: &str) -> String {
    let name = name.trim_end_matches('/');
    let last = if name.starts_with("s3://") {
        name.rsplit('/').next().map(str::to_owned)
    } else {
        Path::new(name).file_name().map(|name| name.to_string_lossy().into_owned())
    };
    last.unwrap_or_else(|| name.to_owned())
}

/// The log's path, for a message.
pub fn shown(log: &Log) -> String {
    output::path(Path::new(&log.name))
}
