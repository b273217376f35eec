//! `--evidence s3://…`: the log is copied to a store as well, while it is written.

use std::future::Future;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::args::StoreArgs;
use super::exit::Failure;
use super::store::{self};
use crate::evidence::{Copy, CopyError};
use crate::policy::{self, Policy};
use crate::s3::Locking;
use crate::text;

/// A piece is sent when so much is waiting,
const ENOUGH: u64 = 8 << 20;

/// or when something has waited for so long.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// A copy that is made beside a run.
pub struct Copying {
    copy: Mutex<Copy>,
    fault: Mutex<Option<CopyError>>,
    place: String,
    locking: Locking,
    lock_until: Option<DateTime<Utc>>,
}

/// A copy that was made.
#[derive(Clone, Debug)]
pub struct Copied {
    place: String,
    pieces: u32,
    locking: Locking,
    lock_until: Option<DateTime<Utc>>,
}

impl Copying {
    /// Makes sure that the evidence `log` can be copied to `place`, before anything is changed.
    pub async fn open(
        args: &StoreArgs,
        place: &str,
        policy: &Policy,
        log: &Path,
        keep_until: Option<DateTime<Utc>>,
    ) -> Result<Self, Failure> {
        let (bucket, prefix) = place
            .strip_prefix("s3://")
            .map(|rest| rest.split_once('/').unwrap_or((rest, "")))
            .filter(|(bucket, _)| !bucket.is_empty())
            .ok_or_else(|| {
                Failure::usage(format!("{} is no place for evidence", text::terminal(place)))
                    .help("write --evidence s3://bucket/prefix")
            })?;
        let prefix = prefix.trim_end_matches('/');
        let slash = if prefix.is_empty() { "" } else { "/" };
        let name = log.file_name().unwrap_or_default().to_string_lossy();
        let prefix = format!("{prefix}{slash}{name}/");
        if let Some(what) = policy::deletes_under(policy, bucket, &prefix) {
            return Err(Failure::refused(format!("{what} can delete evidence in s3://{bucket}/{prefix}"))
                .help("copy the evidence to a bucket that no rule selects"));
        }
        // Evidence is best kept in an account of its own, so the policy's says nothing here.
        let store = store::connect(args, None).await?;
        let bucket = store.bucket(bucket).await?;
        let locking = bucket.locking().await?;
        let place = format!("s3://{}/{prefix}", bucket.name());
        let copy = Copy::open(bucket, prefix, log).await.map_err(|error| failure(&place, &error, true))?;
        // A bucket's default is its owner's word, and may be stricter.
        let lock_until = keep_until.filter(|_| locking == Locking::On);
        let copy = copy.locked_until(lock_until);
        Ok(Self { lock_until, copy: Mutex::new(copy), fault: Mutex::new(None), place, locking })
    }

    /// Sends what is written so far: before the first change, so that what is wrong shows then.
    pub async fn begin(&self) -> Result<(), Failure> {
        self.copy.lock().await.send().await.map_err(|error| failure(&self.place, &error, true))
    }

    /// Runs `run` and sends pieces meanwhile. A piece that cannot be sent sets `stop`: the run ends
    /// after the batches in flight.
    pub async fn beside<T>(&self, stop: &AtomicBool, run: impl Future<Output = T>) -> T {
        tokio::pin!(run);
        let sending = async {
            let mut since: Option<Instant> = None;
            loop {
                tokio::time::sleep(BETWEEN_LOOKS).await;
                let mut copy = self.copy.lock().await;
                let waiting = copy.waiting();
                let first = *since.get_or_insert_with(Instant::now);
                if waiting == 0 {
                    since = None;
                } else if waiting >= ENOUGH || first.elapsed() >= LONGEST_WAIT {
                    since = None;
                    if let Err(error) = copy.send().await {
                        *self.fault.lock().await = Some(error);
                        stop.store(true, Ordering::SeqCst);
                        return;
                    }
                }
            }
        };
        tokio::pin!(sending);
        tokio::select! {
            biased;
            done = &mut run => return done,
            () = &mut sending => {}
        }
        run.await
    }

    /// Whether a piece could not be sent while the run went on.
    pub async fn is_stopped(&self) -> bool {
        self.fault.lock().await.is_some()
    }

    /// Sends the rest.
    pub async fn finish(&self) -> Result<Copied, Failure> {
        let mut copy = self.copy.lock().await;
        copy.send().await.map_err(|error| {
            let from = format!("; pieces from {} on are missing", text::terminal(&copy.next_key()));
            let failure = failure(&self.place, &error, false);
            Failure { message: format!("{}{from}", failure.message), ..failure }
        })?;
        Ok(Copied {
            place: self.place.clone(),
            pieces: copy.pieces(),
            locking: self.locking.clone(),
            lock_until: self.lock_until,
        })
    }
}

fn failure(place: &str, error: &CopyError, is_first: bool) -> Failure {
    let why = text::terminal(&Failure::chain(error)).into_owned();
    let place = text::terminal(place);
    let failure = Failure::failed(format!("the evidence could not be copied to {place}: {why}"));
    match error {
        CopyError::Other { .. } | CopyError::Gap { .. } | CopyError::Longer => {
            failure.help("look at what is there, or copy to another place; nothing is ever written over")
        }
        _ if is_first => failure.help("nothing was deleted; the same command can be tried again"),
        _ => failure.help("the same command sends what is missing; the log itself is whole"),
    }
}

impl Copied {
    /// Where it is, and how well it is kept there.
    pub fn describe(&self) -> String {
        let pieces = if self.pieces == 1 { "1 piece".to_owned() } else { format!("{} pieces", self.pieces) };
        format!("{} ({pieces}, {})", text::terminal(&self.place), self.locked())
    }

    fn locked(&self) -> String {
        if let Some(until) = self.lock_until {
            return format!("locked until {} (GOVERNANCE)", until.format("%Y-%m-%d"));
        }
        match &self.locking {
            Locking::ByDefault { mode, period } => {
                format!("locked for {} ({})", text::terminal(period), text::terminal(mode))
            }
            Locking::On => "not locked: the bucket has Object Lock and no default retention".to_owned(),
            Locking::Off => "not locked: the bucket has no Object Lock".to_owned(),
        }
    }

    /// For machines.
    pub fn as_json(&self) -> Value {
        let (mode, period) = match &self.locking {
            Locking::ByDefault { mode, period } => (Some(mode), Some(period)),
            Locking::On | Locking::Off => (None, None),
        };
        json!({
            "place": self.place, "pieces": self.pieces, "lock_mode": mode, "lock_period": period,
            "locked_until": self.lock_until,
        })
    }
}
