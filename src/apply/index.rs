//! The index of a run's copies: what was removed after it was copied, and where the copy is; as CSV and
//! JSON, for each tenant, in the export place itself.
//!
//! It is made from the run's own evidence. Rows wait in files, so that it takes no more memory than the
//! number of tenants asks for.

use std::collections::{BTreeMap, HashMap};
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};

use serde_json::json;
use smol_str::SmolStr;

use crate::evidence::{Action, Item, ItemResult, Told, VerifyError, told};
use crate::plan::{segment, short_segment};
use crate::policy::{ExportPlace, Policy};
use crate::s3::{Bucket, StoreError};
use crate::text;

/// How much of it waits in memory before it goes to the files.
const HELD: usize = 4 << 20;

/// Stands for objects whose tenant is not known. No [`segment`] is like it.
const NO_TENANT: &str = "~unknown";

const COLUMNS: [&str; 10] =
    ["bucket", "key", "version_id", "size", "etag", "tenant", "rule", "due", "reason", "copy"];

/// Why an index could not be written.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The evidence that it is made from could not be read.
    #[error("the evidence could not be read")]
    Evidence(#[from] VerifyError),
    /// The files that it waits in, or the evidence, could not be read or written.
    #[error("a file could not be read or written")]
    File(#[from] io::Error),
    /// It could not be stored.
    #[error("it could not be stored")]
    Store(#[from] StoreError),
    /// A copy went to where the policy exports nothing.
    #[error("a copy was made at {0}, where the policy exports nothing")]
    NoPlace(String),
}

/// Place and tenant.
type Name = (usize, String);

/// What waits for one place and tenant.
#[derive(Default)]
struct Waiting {
    file: usize,
    csv: String,
    json: String,
}

/// Writes the index of the run called `run`, from its evidence at `log`; how many files were stored.
///
/// # Errors
/// [`IndexError`]; what was stored until then is stored again by the next try.
pub async fn write_index(
    policy: &Policy,
    run: &str,
    log: &Path,
    buckets: &BTreeMap<String, Bucket>,
) -> Result<usize, IndexError> {
    let places: Vec<&ExportPlace> = policy.rules.iter().filter_map(|rule| rule.export.as_ref()).collect();
    let folder = tempfile::tempdir()?;
    let mut waiting: BTreeMap<Name, Waiting> = BTreeMap::new();
    let mut held = 0;
    // What was copied is removed within the same chunk of the run, so this stays small.
    let mut copies: HashMap<[u8; 16], SmolStr> = HashMap::new();
    for told in told(BufReader::new(File::open(log)?)) {
        let Told { item, result, copy, .. } = told?;
        let identity = item.identity();
        match (item.action, result) {
            (Action::Export, ItemResult::Exported) => {
                copies.extend(copy.map(|(copy, _)| (identity, copy)));
            }
            (Action::Delete, result) => {
                // Where an answer was lost, a later look tells whether it is gone.
                if matches!(result, ItemResult::Unclear | ItemResult::PutOff) {
                    continue;
                }
                let is_gone = matches!(result, ItemResult::Deleted | ItemResult::AlreadyGone);
                let Some(copy) = copies.remove(&identity).filter(|_| is_gone) else { continue };
                let place =
                    place_of(&places, &item, &copy).ok_or_else(|| IndexError::NoPlace(copy.to_string()))?;
                let tenant = item.tenant.as_deref().map_or_else(|| NO_TENANT.to_owned(), short_segment);
                let file = waiting.len();
                let rows =
                    waiting.entry((place, tenant)).or_insert_with(|| Waiting { file, ..Waiting::default() });
                held += rows.add(&item, &copy);
                if held > HELD {
                    waiting.values_mut().try_for_each(|rows| rows.flush(folder.path()))?;
                    held = 0;
                }
            }
            _ => {}
        }
    }
    for ((place, tenant), rows) in &mut waiting {
        rows.flush(folder.path())?;
        rows.append(folder.path(), "json", "\n]\n")?;
        let place = places[*place];
        let bucket = buckets.get(&place.bucket).ok_or_else(|| IndexError::NoPlace(place.bucket.clone()))?;
        for (ending, kind) in [("csv", "text/csv; charset=utf-8"), ("json", "application/json")] {
            let key = format!("{}index/{run}/{tenant}.{ending}", place.prefix);
            bucket.put_file(&key, &rows.path(folder.path(), ending), kind).await?;
        }
    }
    Ok(waiting.len() * 2)
}

/// Which of the places a copy of the item went to.
fn place_of(places: &[&ExportPlace], item: &Item, copy: &str) -> Option<usize> {
    places.iter().position(|place| {
        copy.starts_with(&format!("s3://{}/{}{}/", place.bucket, place.prefix, segment(&item.bucket)))
    })
}

impl Waiting {
    /// Adds a row; how many bytes it takes.
    fn add(&mut self, item: &Item, copy: &str) -> usize {
        let before = self.csv.len() + self.json.len();
        let due = item.due.to_rfc3339();
        let size = item.size.to_string();
        let text = |value: &Option<SmolStr>| value.clone().unwrap_or_default();
        let fields = [
            &*item.bucket,
            &item.key,
            &text(&item.version_id),
            &size,
            &text(&item.etag),
            &text(&item.tenant),
            &item.rule,
            &due,
            &item.reason,
            copy,
        ];
        let fields: Vec<_> = fields.into_iter().map(|field| text::csv(field)).collect();
        self.csv.push_str(&fields.join(","));
        self.csv.push_str("\r\n");
        let row = json!({
            "bucket": item.bucket, "key": item.key, "version_id": item.version_id, "size": item.size,
            "etag": item.etag, "tenant": item.tenant, "rule": item.rule, "due": item.due,
            "reason": item.reason, "copy": copy,
        });
        self.json.push_str(&row.to_string());
        self.json.push('\n');
        self.csv.len() + self.json.len() - before
    }

    fn path(&self, folder: &Path, ending: &str) -> PathBuf {
        folder.join(format!("{}.{ending}", self.file))
    }

    fn append(&self, folder: &Path, ending: &str, text: &str) -> io::Result<()> {
        let mut file = OpenOptions::new().append(true).create(true).open(self.path(folder, ending))?;
        file.write_all(text.as_bytes())
    }

    fn flush(&mut self, folder: &Path) -> io::Result<()> {
        let is_new = !self.path(folder, "csv").exists();
        let mut csv = std::mem::take(&mut self.csv);
        let mut json = std::mem::take(&mut self.json);
        if csv.is_empty() {
            return Ok(());
        }
        if is_new {
            csv.insert_str(0, &format!("{}\r\n", COLUMNS.join(",")));
        }
        json.pop();
        let json = json.replace('\n', ",\n");
        let lead = if is_new { "[\n" } else { ",\n" };
        self.append(folder, "csv", &csv)?;
        self.append(folder, "json", &format!("{lead}{json}"))
    }
}
