//! The stop file: while it is there, a run stops between two batches, and none begins.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use chrono::{DateTime, Duration, Utc};

use crate::policy::RecordPlace;
use crate::s3::{Store, StoreError};

/// How long an answer counts. Batches follow each other faster than anybody can stop them.
const COUNTS: Duration = Duration::seconds(5);

/// Where to look, and when somebody last did.
pub struct StopFile {
    name: String,
    place: Place,
    /// Until when the last answer counts.
    clear_until: Mutex<Option<DateTime<Utc>>>,
}

enum Place {
    Folder(PathBuf),
    Store { store: Store, bucket: String, key: String },
}

/// Why it is not known whether the stop file is there, so that a run does not go on.
#[derive(Debug, thiserror::Error)]
pub enum StopFileError {
    /// Its folder could not be read.
    #[error("it is not known whether the stop file {name} is there")]
    Folder {
        /// As the policy names it.
        name: String,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// The store does not tell.
    #[error("it is not known whether the stop file {name} is there")]
    Store {
        /// As the policy names it.
        name: String,
        /// What went wrong.
        #[source]
        source: StoreError,
    },
}

impl StopFile {
    /// The stop file at `place`, in the policy's `folder` or in `store`.
    pub fn new(place: &RecordPlace, folder: &Path, store: &Store) -> Self {
        let name = place.to_string();
        let place = match place {
            RecordPlace::Folder(path) => Place::Folder(folder.join(path)),
            RecordPlace::Store { bucket, key } => {
                Place::Store { store: store.clone(), bucket: bucket.clone(), key: key.clone() }
            }
        };
        Self { name, place, clear_until: Mutex::new(None) }
    }

    /// As the policy names it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is there at `now`; an answer that it is not counts for a few seconds.
    ///
    /// # Errors
    /// Where that is not known.
    pub async fn is_raised(&self, now: DateTime<Utc>) -> Result<bool, StopFileError> {
        if self.clear_until().is_some_and(|until| now < until) {
            return Ok(false);
        }
        let is_raised = self.is_there().await?;
        *self.clear_until() = (!is_raised).then(|| now + COUNTS);
        Ok(is_raised)
    }

    /// A lock that another thread has left by a panic holds a date that is still right.
    fn clear_until(&self) -> std::sync::MutexGuard<'_, Option<DateTime<Utc>>> {
        self.clear_until.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    async fn is_there(&self) -> Result<bool, StopFileError> {
        let name = || self.name.clone();
        match &self.place {
            // A link that leads nowhere is there as well.
            Place::Folder(path) => match tokio::fs::symlink_metadata(path).await {
                Ok(_) => Ok(true),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
                Err(source) => Err(StopFileError::Folder { name: name(), source }),
            },
            Place::Store { store, bucket, key } => {
                let wrong = |source| StopFileError::Store { name: name(), source };
                // A bucket that is not there is no answer: its name may be a slip.
                let bucket = store.bucket(bucket).await.map_err(wrong)?;
                match bucket.head(key, None).await {
                    Ok(_) => Ok(true),
                    Err(error) if error.is_not_found() => Ok(false),
                    Err(source) => Err(wrong(source)),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_is_looked_for_again_every_few_seconds_and_a_link_that_leads_nowhere_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("STOP");
        let place = Place::Folder(path.clone());
        let file = StopFile { name: "STOP".to_owned(), place, clear_until: Mutex::new(None) };
        let at = |seconds| DateTime::UNIX_EPOCH + Duration::seconds(seconds);
        assert!(!file.is_raised(at(0)).await.unwrap());
        std::fs::write(&path, "").unwrap();
        assert!(!file.is_raised(at(4)).await.unwrap());
        assert!(file.is_raised(at(5)).await.unwrap());
        std::fs::remove_file(&path).unwrap();
        // What was there is asked for each time.
        assert!(!file.is_raised(at(6)).await.unwrap());
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(folder.path().join("nowhere"), &path).unwrap();
            assert!(file.is_raised(at(20)).await.unwrap());
        }
        // Below a file there is no folder to look into.
        std::fs::write(folder.path().join("file"), "").unwrap();
        let place = Place::Folder(folder.path().join("file/STOP"));
        let file = StopFile { name: "file/STOP".to_owned(), place, clear_until: Mutex::new(None) };
        assert!(file.is_raised(at(0)).await.is_err());
    }
}
