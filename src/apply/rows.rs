//! Through all rows of a plan, some chunks at a time; a bucket that fails does not stop the others, and
//! what the store puts off comes again a while later.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::stream::{FuturesUnordered, StreamExt};

use super::done::DoneRows;
use super::numbered::Numbered;
use super::run::{Applied, ApplyError, Run, Watch};
use super::session::Session;
use super::{chunk, configure, pace};
use crate::evidence::EvidenceLog;
use crate::plan::{PlanFileError, PlanRow};

/// How many rows are looked at, logged and deleted together, at least while keys are short of
/// versions: the most that S3 takes in one DeleteObjects (API reference, "DeleteObjects").
pub const CHUNK_ROWS: usize = 1000;

/// How many chunks are worked on at a time, unless somebody says otherwise.
pub const CHUNKS_AT_ONCE: usize = 8;

/// How often a row is tried that the store puts off.
const TRIES: u32 = 8;

/// How soon a run that is waiting notices that it is to stop.
const NOTICED: Duration = Duration::from_millis(100);

/// Rows that are carried out together.
struct Chunk {
    rows: Vec<Numbered>,
    /// The how-manieth try it is, from 1.
    attempt: u32,
    /// Not before this.
    at: Instant,
}

/// Carries out `rows`, which come with their numbers as the plan has them; those in `done` were done
/// before.
///
/// Configurations come first, the narrowing parts of all buckets before any other.
///
/// What was done is in `applied`, also where it ends in an error.
///
/// # Errors
/// [`ApplyError`]; a row, a configuration or a bucket that fails is no error of the run.
pub async fn run(
    run: &Run<'_>,
    rows: impl Iterator<Item = Result<(u64, PlanRow), PlanFileError>>,
    done: &DoneRows,
    log: &mut EvidenceLog,
    applied: &mut Applied,
    watch: &mut (dyn Watch + Send),
) -> Result<(), ApplyError> {
    configure::configure(run, log, applied, watch).await?;
    if run.narrow_only {
        return Ok(());
    }
    let session = Session::new(run, log, applied, watch);
    let mut queue = Queue { rows: rows.peekable(), done, put_off: VecDeque::new() };
    let mut working = FuturesUnordered::new();
    let mut ended = Ok(());
    loop {
        // Whether a chunk may begin, it asks for itself: those under way do not wait for the answer.
        while ended.is_ok() && !session.is_halted() && working.len() < run.at_once.max(1) && queue.is_left() {
            match queue.next(&session) {
                Ok(Some(chunk)) => working.push(carry_out(&session, chunk)),
                Ok(None) => break,
                Err(error) => {
                    session.halt();
                    ended = Err(error);
                }
            }
        }
        match working.next().await {
            Some(Ok(again)) => queue.put_off.extend(again),
            // What is in flight is brought to its end; nothing new begins.
            Some(Err(error)) => {
                session.halt();
                ended = ended.and(Err(error));
            }
            None => break,
        }
        session.tell_pace(run.pace.slowest(Instant::now()));
    }
    ended?;
    if queue.is_left() {
        session.interrupt();
    }
    Ok(())
}

/// What is still to be done.
struct Queue<'d, I: Iterator<Item = Result<(u64, PlanRow), PlanFileError>>> {
    rows: std::iter::Peekable<I>,
    done: &'d DoneRows,
    put_off: VecDeque<Chunk>,
}

impl<I: Iterator<Item = Result<(u64, PlanRow), PlanFileError>>> Queue<'_, I> {
    /// The next chunk: what was put off and whose time has come, else the plan's next rows.
    fn next(&mut self, session: &Session<'_>) -> Result<Option<Chunk>, ApplyError> {
        let now = Instant::now();
        let is_due = self.put_off.front().is_some_and(|chunk| chunk.at <= now);
        // A store that puts everything off would else have the whole plan wait in memory.
        let is_full = self.put_off.len() >= session.run.at_once.max(1);
        if is_due || is_full {
            return Ok(self.put_off.pop_front());
        }
        let rows = self.fresh(session)?;
        if rows.is_empty() {
            return Ok(self.put_off.pop_front());
        }
        Ok(Some(Chunk { rows, attempt: 1, at: now }))
    }

    /// Rows of one bucket that nobody has tried: whole keys, since the latest version waits for the older
    /// ones, and about as many as may go in a second.
    fn fresh(&mut self, session: &Session<'_>) -> Result<Vec<Numbered>, ApplyError> {
        let mut chunk: Vec<Numbered> = Vec::new();
        let mut most = CHUNK_ROWS;
        loop {
            if let (Some(last), Some(Ok((_, next)))) = (chunk.last(), self.rows.peek())
                && (last.row.bucket != next.bucket || (chunk.len() >= most && last.row.key != next.key))
            {
                break;
            }
            let Some(row) = self.rows.next() else { break };
            let (number, row) = row?;
            if self.done.contains(number) {
                session.skip(1);
            } else if !session.is_broken(&row.bucket) {
                if chunk.is_empty() {
                    let batch = |lane: &str| session.run.pace.batch(lane, CHUNK_ROWS, Instant::now());
                    most = batch(&pace::lane(&row, &row)).min(batch(&row.bucket));
                }
                chunk.push(Numbered { number, row: Arc::new(row) });
            }
        }
        Ok(chunk)
    }

    fn is_left(&mut self) -> bool {
        !self.put_off.is_empty() || self.rows.peek().is_some()
    }
}

/// Carries a chunk out at the pace that the store bears; what of it is to be tried again.
async fn carry_out(session: &Session<'_>, chunk: Chunk) -> Result<Option<Chunk>, ApplyError> {
    let Chunk { rows, attempt, at } = chunk;
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(None) };
    let (bucket, lane) = (first.row.bucket.to_string(), pace::lane(&first.row, &last.row));
    if session.is_broken(&bucket) {
        return Ok(None);
    }
    let run = session.run;
    let target = run.buckets.get(&bucket).ok_or_else(|| ApplyError::NotEnrolled(bucket.clone()))?;
    // The waiting comes before the look: between the look and the deletion there is none.
    wait_until(session, at).await;
    let now = Instant::now();
    wait_until(session, now + run.pace.admit(&lane, rows.len(), now)).await;
    if !session.may_begin().await? {
        return Ok(Some(Chunk { rows, attempt, at: now }));
    }
    let is_last = attempt >= TRIES;
    let again = |mut rows: Vec<Numbered>| {
        run.pace.slow_down(&lane, Instant::now());
        let pause = run.first_pause * 2_u32.pow(attempt - 1);
        rows.sort_by_key(|row| row.number);
        Some(Chunk { rows, attempt: attempt + 1, at: Instant::now() + pause })
    };
    let kept = if is_last { Vec::new() } else { rows.clone() };
    match chunk::carry_out(session, target, rows, is_last).await {
        Ok(put_off) if put_off.is_empty() => Ok(None),
        Ok(put_off) => Ok(again(put_off)),
        // No deletion was intended yet.
        Err(ApplyError::Store(error)) if error.kind().is_retryable() && !is_last => Ok(again(kept)),
        Err(error @ (ApplyError::Store(_) | ApplyError::BucketChanged)) => {
            session.give_up(bucket, error);
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Waits, unless the run is to stop.
async fn wait_until(session: &Session<'_>, at: Instant) {
    loop {
        let left = at.saturating_duration_since(Instant::now());
        if left.is_zero() || session.is_halted() {
            return;
        }
        tokio::time::sleep(left.min(NOTICED)).await;
    }
}
