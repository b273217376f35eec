//! `plan --inventory`: manifests and their files, from a folder or a store, and the part of a plan that starts from one.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::thread;

use chrono::{DateTime, Utc};
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use super::exit::{Exit, Failure};
use super::output;
use super::progress::Progress;
use super::store::store_failure;
use crate::decide::Decider;
use crate::inventory::{DataFile, Found, InventoryError, Judge, Manifest, Row, Scan};
use crate::object::Kind;
use crate::plan::{BucketContext, InventoryUse, Item, PlanFileError, PlanWriter, Planner};
use crate::s3::{Bucket, Store, StoreError, StoreErrorKind};
use crate::survey::{Enrolment, Survey};
use crate::text;

/// How many bytes of keys are kept in memory before they go to a temporary file.
const MEMORY: usize = 256 << 20;

/// More threads than that wait for each other.
const MOST_THREADS: usize = 16;

/// The largest manifest that is read, in bytes: of a million files.
const LARGEST_MANIFEST: usize = 256 << 20;

type Cause = Box<dyn Error + Send + Sync>;

/// An inventory that a plan can start from.
pub struct Inventory {
    place: String,
    manifest: Manifest,
    /// The folder of its manifest, if that is in one.
    folder: Option<PathBuf>,
    /// The bucket that it lies in, where that is needed.
    destination: Option<Bucket>,
}

/// Reads the manifests at `places`, by the bucket that each is of.
pub async fn load(
    places: &[String],
    store: &Store,
    enrolment: &Enrolment,
    clock: DateTime<Utc>,
) -> Result<BTreeMap<String, Inventory>, Failure> {
    let mut inventories = BTreeMap::new();
    for place in places {
        let inventory = Inventory::open(place, store).await?;
        let name = inventory.manifest.source_bucket.clone();
        let Some(enrolled) = enrolment.buckets.get(&name) else {
            let ours: Vec<&str> = enrolment.buckets.keys().map(String::as_str).collect();
            let what = format!("{} is an inventory of the bucket {name}", inventory.place);
            return Err(Failure::usage(text::terminal(&what))
                .help(format!("name one of a bucket that the policy reaches: {}", ours.join(", "))));
        };
        inventory.manifest.check(&enrolled.facts, clock).map_err(|error| inventory.failure(&error))?;
        if let Some(other) = inventories.insert(name, inventory) {
            let name = &other.manifest.source_bucket;
            return Err(Failure::usage(format!("there are two inventories of the bucket {name}"))
                .help("name the newer one alone"));
        }
    }
    Ok(inventories)
}

impl Inventory {
    async fn open(place: &str, store: &Store) -> Result<Self, Failure> {
        let (manifest, checksum, folder) = match place.strip_prefix("s3://") {
            Some(rest) => {
                let (bucket, key) =
                    rest.split_once('/').filter(|(_, key)| key.ends_with(".json")).ok_or_else(|| {
                        Failure::usage(format!("{} is no manifest", text::terminal(place)))
                            .help("write --inventory s3://bucket/prefix/…/manifest.json")
                    })?;
                let bucket = store.bucket(bucket).await?;
                let manifest = fetch_whole(&bucket, key).await?;
                let missing = || {
                    Failure::usage(format!("there is no manifest {}", text::terminal(place)))
                        .help("a manifest is written last: is the inventory delivered?")
                };
                let checksum = fetch_whole(&bucket, &beside(key)).await?;
                (manifest.ok_or_else(missing)?, checksum, None)
            }
            None => {
                let path = Path::new(place);
                let wrong = |error: io::Error| {
                    Failure::usage(format!("inventory {} could not be read: {error}", output::path(path)))
                        .help("name its manifest.json: a path, or s3://bucket/prefix/…/manifest.json")
                };
                let manifest = fs::read(path).map_err(wrong)?;
                let checksum = match fs::read(beside(place)) {
                    Ok(checksum) => Some(checksum),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                    Err(error) => return Err(wrong(error)),
                };
                (manifest, checksum, Some(path.parent().unwrap_or(Path::new("")).to_owned()))
            }
        };
        let read = Manifest::read(&manifest, checksum.as_deref());
        let manifest = read.map_err(|error| failure(place, &error))?;
        let mut inventory = Self { place: place.to_owned(), manifest, folder, destination: None };
        if inventory.manifest.files.iter().any(|file| inventory.local(file).is_none()) {
            let name = &inventory.manifest.destination_bucket;
            let opened = store.bucket(name).await.map_err(|error| {
                let failure = store_failure(&error);
                let what =
                    format!("not all files of the inventory {place} are beside it: {}", failure.message);
                Failure { message: text::terminal(&what).into_owned(), ..failure }
            })?;
            inventory.destination = Some(opened);
        }
        Ok(inventory)
    }

    /// Where a file is beside the manifest, by its last name alone: keys are not to be trusted as paths.
    fn local(&self, file: &DataFile) -> Option<PathBuf> {
        let folder = self.folder.as_ref()?;
        let name = file.key.rsplit(['/', '\\']).next().filter(|name| !matches!(*name, "" | "." | ".."))?;
        // As S3 lays them out, the folder of the manifest lies beside that of the files.
        let places = [folder.join(name), folder.join("data").join(name), folder.join("../data").join(name)];
        places.into_iter().find(|path| path.is_file())
    }

    /// Opens a file, fetching it if need be.
    fn fetch(&self, file: &DataFile, runtime: &Handle) -> Result<File, Cause> {
        if let Some(path) = self.local(file) {
            return Ok(File::open(path)?);
        }
        let bucket = self.destination.as_ref().ok_or("it is not there")?;
        runtime.block_on(async {
            // Without a name, and readable by nobody else.
            let mut open = tempfile::tempfile()?;
            let mut body = bucket.get(&file.key).await?;
            let mut written = 0;
            while let Some(bytes) = body.next().await? {
                open.write_all(&bytes)?;
                written += bytes.len() as u64;
                // What is too long is told by whoever measures it.
                if written > file.size {
                    break;
                }
            }
            open.rewind()?;
            Ok(open)
        })
    }

    fn failure(&self, error: &InventoryError) -> Failure {
        failure(&self.place, error)
    }

    /// Plans what is due by the inventory and still there.
    pub async fn plan(
        &self,
        survey: &Survey<'_>,
        context: &BucketContext,
        planner: &mut Planner<'_>,
        writer: &mut PlanWriter<&mut File>,
        quiet: bool,
    ) -> Result<InventoryUse, Failure> {
        let name = &context.facts.name;
        let decider = Decider::new(survey.policy, survey.records, name, survey.now);
        let found = self.scan(survey, &decider, quiet)?;
        planner.count_before(&found.counted.summary(survey.policy, name), found.counted.tenants());
        let mut used = InventoryUse {
            manifest: self.place.clone(),
            created: self.manifest.created,
            rows: found.rows,
            counted: found.counted.rows(),
            looked_up: 0,
            gone: 0,
        };
        let progress = Progress::surveying(&format!("looking up keys of {name}"), &survey.reads, quiet);
        let mut judge = Judge::new(&decider, &survey.facts);
        let keys = found.candidates.map(|key| key.map_err(LookingError::Spill));
        let result = survey.chosen(keys, |looked_up| {
            progress.advance(looked_up.asked);
            used.looked_up += looked_up.asked;
            used.gone += looked_up.gone;
            for group in looked_up.groups {
                let is_counted = |item: &Item| self.is_counted(&mut judge, &group.key, item);
                for row in planner.plan_uncounted(context, &group, is_counted) {
                    writer.push(&row).map_err(LookingError::File)?;
                }
            }
            Ok(())
        });
        let result = result.await;
        progress.finish();
        result.map_err(LookingError::into_failure)?;
        Ok(used)
    }

    fn scan(&self, survey: &Survey<'_>, decider: &Decider<'_>, quiet: bool) -> Result<Found, Failure> {
        let threads = thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
        let scan = Scan { manifest: &self.manifest, decider, facts: &survey.facts, threads, memory: MEMORY };
        let progress = Progress::counting(&format!("reading the inventory of {}", survey.facts.name), quiet);
        let runtime = Handle::current();
        let found =
            block_in_place(|| scan.run(|file| self.fetch(file, &runtime), |rows| progress.advance(rows)));
        progress.finish();
        found.map_err(|error| self.failure(&error))
    }

    /// Whether the inventory has a row of what was found, which was counted by what it says.
    fn is_counted(&self, judge: &mut Judge<'_>, key: &str, item: &Item) -> bool {
        let created = self.manifest.created;
        let row = Row {
            key,
            uploaded: Some(item.uploaded.into()),
            size: Some(item.size),
            is_latest: Some(item.is_latest || item.superseded.is_some_and(|at| at >= created)),
            is_marker: Some(item.kind == Kind::Marker),
        };
        item.kind != Kind::Upload && item.uploaded < created && judge.would_count(&row)
    }
}

/// Why looking up ended early.
enum LookingError {
    Store(StoreError),
    File(PlanFileError),
    Spill(io::Error),
}

impl From<StoreError> for LookingError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl LookingError {
    fn into_failure(self) -> Failure {
        match self {
            Self::Store(error) => store_failure(&error),
            Self::File(error) => Failure::failed(Failure::chain(&error)),
            Self::Spill(error) => Failure::failed(Failure::chain(&InventoryError::Spill(error))),
        }
    }
}

/// The checksum of a manifest.
fn beside(manifest: &str) -> String {
    format!("{}.checksum", manifest.strip_suffix(".json").unwrap_or(manifest))
}

/// A small object; `None` if it is not there.
async fn fetch_whole(bucket: &Bucket, key: &str) -> Result<Option<Vec<u8>>, Failure> {
    let mut body = match bucket.get(key).await {
        Ok(body) => body,
        Err(error) if *error.kind() == StoreErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(store_failure(&error)),
    };
    let mut whole = Vec::new();
    while let Some(bytes) = body.next().await? {
        whole.extend_from_slice(&bytes);
        if whole.len() > LARGEST_MANIFEST {
            let what = format!("{} is too large for a manifest", text::terminal(key));
            return Err(Failure::usage(what));
        }
    }
    Ok(Some(whole))
}

fn failure(place: &str, error: &InventoryError) -> Failure {
    use InventoryError as E;
    let exit = match error {
        E::Stale { .. } | E::Future { .. } => Exit::Refused,
        E::Manifest(_)
        | E::Unsound(_)
        | E::Version(_)
        | E::Format(_)
        | E::MissingField(_)
        | E::CurrentOnly(_) => Exit::Usage,
        _ => Exit::Failed,
    };
    let what = format!("inventory {place}: {}", Failure::chain(error));
    let failure = Failure::new(exit, text::terminal(&what));
    match error {
        E::Format(_) => failure.help("set the format to Parquet in the inventory's configuration"),
        E::MissingField("size" | "Size") => {
            failure.help("add Size to the optional fields in the inventory's configuration")
        }
        E::MissingField(_) => {
            failure.help("add LastModifiedDate to the optional fields in the inventory's configuration")
        }
        E::CurrentOnly(_) => failure
            .help("set IncludedObjectVersions to All in the inventory's configuration, or list: leave --inventory out"),
        E::Stale { .. } => failure.help("name a newer one, or list: leave --inventory out"),
        E::Future { .. } => failure.help("is this machine's clock right?"),
        E::ManifestChecksum | E::Fetch { .. } | E::Size { .. } | E::Checksum { .. } | E::Damaged { .. } => {
            failure.help("no plan was made, since a part of an inventory would hide what is due; fetch it again, or list: leave --inventory out")
        }
        E::Manifest(_) | E::Unsound(_) | E::Version(_) | E::Spill(_) => failure,
    }
}
