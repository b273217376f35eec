//! `verify --live`: asks the store whether what logs say is gone is gone.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::args::StoreArgs;
use super::context::Context;
use super::exit::{Exit, Failure};
use super::logs::Logs;
use super::output;
use super::progress::Progress;
use super::store::{self, store_failure};
use crate::evidence::{self, ItemResult, Outcomes};
use crate::s3::{Bucket, Store, StoreError, StoreErrorKind};
use crate::survey::claims::{Claim, Finding, look};
use crate::text;

/// How many claims are asked about together: as many as a page lists.
const BLOCK: usize = 1000;

/// How many blocks are asked about at once.
const AT_ONCE: usize = 16;

/// How many are told of by name on a terminal.
const SHOWN: usize = 10;

/// How many are told of by name at all.
const MOST_NAMED: usize = 100_000;

/// What the store said.
#[derive(Default)]
pub struct Asked {
    gone: u64,
    another: u64,
    there: u64,
    named: Vec<Claim>,
    not_asked: u64,
    faults: BTreeMap<String, Failure>,
}

/// A bucket, or why it is of no use.
type Opened = Result<Bucket, Failure>;

/// Asks about everything that `logs` say is gone.
pub async fn ask(context: &Context, args: &StoreArgs, logs: &Logs) -> Result<Asked, Failure> {
    let store = store::connect(args, None).await?;
    for checked in &logs.checked {
        must_be_store_of_run(context, args, &store, checked.verified.opening.endpoint.as_deref())?;
    }
    let claimed = logs.checked.iter().map(|checked| {
        let of = |result| checked.verified.totals.of(result);
        of(ItemResult::Deleted) + of(ItemResult::Aborted) + of(ItemResult::AlreadyGone)
    });
    let progress = Progress::of("asking", claimed.sum(), context.quiet);
    let mut asked = Asked::default();
    let mut buckets: BTreeMap<String, Opened> = BTreeMap::new();
    let mut running = JoinSet::new();
    let mut block: Vec<Claim> = Vec::new();
    for (log, checked) in logs.all.iter().zip(&logs.checked) {
        let mut outcomes = Outcomes::default();
        for entry in evidence::entries(log.read(checked.bytes)?) {
            let told = outcomes.take(entry.map_err(|error| log.fault(&error))?);
            for claim in told.into_iter().filter_map(Claim::of) {
                let ends =
                    block.last().is_some_and(|last| last.bucket != claim.bucket) || block.len() == BLOCK;
                if ends {
                    let full = std::mem::take(&mut block);
                    send(&store, full, &mut buckets, &mut running, &mut asked, &progress).await;
                }
                block.push(claim);
            }
        }
    }
    send(&store, block, &mut buckets, &mut running, &mut asked, &progress).await;
    while let Some(answer) = running.join_next().await {
        asked.take(answer, &mut buckets, &progress);
    }
    progress.finish();
    Ok(asked)
}

/// Makes sure that `store` is the one that a run worked on, whose log has `then` for its address. Another
/// address is only told of where it was given outright: the same store can have several.
pub fn must_be_store_of_run(
    context: &Context,
    args: &StoreArgs,
    store: &Store,
    then: Option<&str>,
) -> Result<(), Failure> {
    if then == store.endpoint_url() {
        return Ok(());
    }
    let what =
        format!("the run worked on another address than this: {}", text::terminal(then.unwrap_or("AWS")));
    if args.endpoint_url.is_some() {
        context.note("note:", &what);
        return Ok(());
    }
    // Another store may have buckets of the same names, and never had the keys.
    Err(Failure::failed(what).help(match then {
        Some(_) => "pass --endpoint-url: that one, or another under which the same store is reached",
        None => {
            "the environment or the profile names an address: take it out, or pass --endpoint-url with one \
             under which the same store is reached"
        }
    }))
}

/// What came of a block.
type Answer = (Vec<Claim>, Result<Vec<Finding>, StoreError>);

async fn send(
    store: &Store,
    block: Vec<Claim>,
    buckets: &mut BTreeMap<String, Opened>,
    running: &mut JoinSet<Answer>,
    asked: &mut Asked,
    progress: &Progress,
) {
    let Some(name) = block.first().map(|claim| claim.bucket.clone()) else { return };
    if running.len() >= AT_ONCE
        && let Some(answer) = running.join_next().await
    {
        asked.take(answer, buckets, progress);
    }
    if !buckets.contains_key(&name) {
        let opened = store.bucket(&name).await.map_err(|error| store_failure(&error));
        buckets.insert(name.clone(), opened);
    }
    match buckets.get(&name) {
        Some(Ok(bucket)) => {
            let bucket = bucket.clone();
            running.spawn(async move {
                let found = look(&bucket, &block).await;
                (block, found)
            });
        }
        Some(Err(failure)) => {
            asked.not_asked += block.len() as u64;
            progress.advance(block.len() as u64);
            let again = || Failure { message: failure.message.clone(), help: None, exit: failure.exit };
            asked.faults.entry(name).or_insert_with(again);
        }
        None => {}
    }
}

impl Asked {
    fn take(
        &mut self,
        answer: Result<Answer, tokio::task::JoinError>,
        buckets: &mut BTreeMap<String, Opened>,
        progress: &Progress,
    ) {
        let Ok((claims, found)) = answer else {
            self.faults.insert("?".to_owned(), Failure::failed("a question was lost"));
            return;
        };
        progress.advance(claims.len() as u64);
        match found {
            Ok(findings) => {
                for (claim, finding) in claims.into_iter().zip(findings) {
                    match finding {
                        Finding::Gone => self.gone += 1,
                        Finding::Another => self.another += 1,
                        Finding::There => {
                            self.there += 1;
                            if self.named.len() < MOST_NAMED {
                                self.named.push(claim);
                            }
                        }
                    }
                }
            }
            Err(error) => {
                self.not_asked += claims.len() as u64;
                let Some(name) = claims.into_iter().next().map(|claim| claim.bucket) else { return };
                // Nothing else in that bucket will be told either.
                let is_shut = matches!(error.kind(), StoreErrorKind::Denied | StoreErrorKind::NotFound);
                if is_shut {
                    buckets.insert(name.clone(), Err(store_failure(&error)));
                }
                self.faults.entry(name).or_insert_with(|| store_failure(&error));
            }
        }
    }

    /// Something that is there was said to be gone; or some could not be asked about, or none.
    pub fn exit(&self) -> Exit {
        let told = self.gone + self.another + self.there;
        let lie = if self.there > 0 { Exit::NotKept } else { Exit::Done };
        let silence = match (self.faults.is_empty(), told) {
            (true, _) => Exit::Done,
            (false, 0) => Exit::Failed,
            (false, _) => Exit::SomeFailed,
        };
        lie.max(silence)
    }

    /// For people.
    pub fn show(&self, context: &Context) {
        let style = context.out;
        let all = self.gone + self.another;
        output::print("");
        if self.there > 0 {
            output::print(&style.red(&output::wrap(
                "",
                &format!("{} that the evidence says is gone is still there:", items(self.there)),
            )));
            for claim in self.named.iter().take(SHOWN) {
                let id = claim.version_id.as_ref().or(claim.upload_id.as_ref());
                let id = id.map(|id| format!(" {}", text::terminal(id))).unwrap_or_default();
                let key = text::terminal(&claim.key);
                output::print(&format!(
                    "  {} s3://{}/{key}{id}",
                    claim.result.word(),
                    text::terminal(&claim.bucket)
                ));
            }
            if self.there > SHOWN as u64 {
                output::print("  … --json names them all");
            }
        }
        if self.not_asked > 0 {
            output::print(&style.yellow(&format!("{} could not be asked about", items(self.not_asked))));
        }
        for (bucket, failure) in &self.faults {
            output::print(&output::wrap(&format!("  {}: ", text::terminal(bucket)), &failure.message));
            if let Some(help) = &failure.help {
                output::print(&output::wrap("  help: ", help));
            }
        }
        let gone = format!("{} asked about in the store: gone, as the evidence says", items(all));
        output::print(&if self.there + self.not_asked == 0 { style.green(&gone) } else { gone });
        if self.another > 0 {
            let words = "of these keys something else was written since; what was deleted is gone";
            output::print(&output::wrap(&format!("{}  ", text::count(self.another)), words));
        }
    }

    /// For machines.
    pub fn as_json(&self) -> Value {
        let named: Vec<Value> = self
            .named
            .iter()
            .map(|claim| {
                json!({
                    "bucket": claim.bucket, "key": claim.key, "version_id": claim.version_id,
                    "upload_id": claim.upload_id, "kind": claim.kind.word(), "result": claim.result,
                })
            })
            .collect();
        let faults: BTreeMap<&str, &str> =
            self.faults.iter().map(|(bucket, failure)| (bucket.as_str(), failure.message.as_str())).collect();
        json!({
            "gone": self.gone,
            "written_again": self.another,
            "still_there": self.there,
            "still_there_items": named,
            "not_asked": self.not_asked,
            "faults": faults,
        })
    }
}

fn items(count: u64) -> String {
    format!("{} {}", text::count(count), if count == 1 { "item" } else { "items" })
}
