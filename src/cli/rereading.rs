//! The policy, read again while a plan is carried out: that can take hours, and a hold may be placed
//! meanwhile.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::spawn_blocking;

use super::context::Context;
use super::exit::{Exit, Failure};
use super::inputs::{self, Loaded};
use super::output::Style;

/// How long a change can go unseen.
pub const BETWEEN_LOOKS: Duration = Duration::from_secs(10);

/// How long it takes to save a file, and more.
const SETTLED: Duration = Duration::from_secs(1);

/// Runs `run`, and meanwhile reads the policy again `every` so often, the first time at once: records and
/// buckets may have taken a while since. Where it is not the one that was `loaded`, or cannot be read, that
/// sets `stop`: the run ends after the batches in flight. Answers with why as well.
pub async fn beside<T>(
    context: &Context,
    loaded: &Loaded,
    every: Duration,
    stop: &AtomicBool,
    run: impl Future<Output = T>,
) -> (T, Option<Failure>) {
    let looking = async {
        loop {
            // A file that is being saved, or a disk that hesitates, is another thing a moment later.
            if changed(loaded, context.err).await.is_some() {
                tokio::time::sleep(SETTLED).await;
                if let Some(failure) = changed(loaded, context.err).await {
                    break failure;
                }
            }
            tokio::time::sleep(every).await;
        }
    };
    tokio::pin!(run);
    let failure = tokio::select! {
        biased;
        done = &mut run => return (done, None),
        failure = looking => failure,
    };
    stop.store(true, Ordering::SeqCst);
    context.note(
        "note:",
        "the policy is no longer what the run began with: finishing the batches in flight; press Ctrl-C to \
         stop at once",
    );
    (run.await, Some(failure))
}

/// Why a run must not go on with the policy that was `loaded`, if its files say so.
async fn changed(loaded: &Loaded, style: Style) -> Option<Failure> {
    let path = loaded.path.clone();
    // Requests go on meanwhile, however slow the disk is.
    let reading = spawn_blocking(move || inputs::load(&path).map_err(|fault| fault.into_failure(style)));
    let (digest, holds_digest) = loaded.digests();
    let why = match reading.await {
        Ok(Ok(again)) if again.digests().0 != digest => "the policy was changed meanwhile".to_owned(),
        Ok(Ok(again)) if again.digests().1 != holds_digest => {
            "the policy's holds were changed meanwhile".to_owned()
        }
        Ok(Ok(_)) => return None,
        Ok(Err(failure)) => failure.message,
        Err(_) => "the policy could not be read again".to_owned(),
    };
    let failure = Failure::new(Exit::Interrupted, format!("the run was stopped: {why}"));
    Some(failure.help(
        "where only holds were changed the same command goes on, under the holds as they are then; after any \
         other change `apply` needs a new plan",
    ))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use tokio::time::{sleep, timeout};

    use super::*;

    const PLAIN: Style = Style { colour: false };
    const QUIET: Context = Context { json: false, quiet: true, out: PLAIN, err: PLAIN };
    const POLICY: &str = "version: 1
name: a
rules:
  - {id: m, select: {buckets: [media]}, trigger: uploaded, retain: 1 year}
";
    const HOLD: &str = "holds:\n  - {id: case-1, reason: Order, select: {prefix: inbound/1/}}\n";

    /// Puts the policy in place in one step: half of it would be another one.
    fn put(folder: &Path, text: &str) {
        let hidden = folder.join(".policy.yaml");
        fs::write(&hidden, text).unwrap();
        fs::rename(hidden, folder.join("policy.yaml")).unwrap();
    }

    fn loaded(folder: &Path) -> Loaded {
        put(folder, POLICY);
        inputs::load(folder).map_err(|fault| fault.into_failure(PLAIN)).unwrap()
    }

    #[tokio::test]
    async fn a_hold_that_is_placed_while_a_run_is_under_way_tells_it_to_stop_and_says_why() {
        const EVERY: Duration = Duration::from_millis(5);
        let folder = tempfile::tempdir().unwrap();
        let (loaded, stop) = (loaded(folder.path()), AtomicBool::new(false));
        let run = async {
            sleep(20 * EVERY).await;
            assert!(!stop.load(Ordering::SeqCst), "it was read again, and was the same");
            put(folder.path(), &format!("{POLICY}{HOLD}"));
            while !stop.load(Ordering::SeqCst) {
                sleep(EVERY).await;
            }
            "the batches in flight have ended"
        };
        let running = beside(&QUIET, &loaded, EVERY, &stop, run);
        let (end, failure) = timeout(Duration::from_secs(60), running).await.unwrap();
        assert_eq!(end, "the batches in flight have ended");
        let failure = failure.unwrap();
        assert_eq!(failure.exit, Exit::Interrupted);
        assert_eq!(failure.message, "the run was stopped: the policy's holds were changed meanwhile");
        assert!(failure.help.unwrap().starts_with("where only holds were changed the same command goes on"));
    }

    #[tokio::test]
    async fn a_run_that_comes_to_its_end_waits_for_no_look() {
        let folder = tempfile::tempdir().unwrap();
        let (loaded, stop) = (loaded(folder.path()), AtomicBool::new(false));
        let run = sleep(Duration::from_millis(50));
        let running = beside(&QUIET, &loaded, Duration::from_secs(3_600), &stop, run);
        let ((), failure) = timeout(Duration::from_secs(60), running).await.unwrap();
        assert!(failure.is_none() && !stop.load(Ordering::SeqCst));
    }

    #[tokio::test]
    async fn whatever_could_decide_otherwise_is_a_change_and_so_is_what_cannot_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let loaded = loaded(folder.path());
        let longer = POLICY.replace("1 year", "2 years");
        for (text, said) in [
            (format!("# A comment.\n{POLICY}evidence: {{retain: 10 years}}\n"), None),
            (format!("{POLICY}{HOLD}"), Some("the policy's holds were changed meanwhile")),
            (format!("{longer}{HOLD}"), Some("the policy was changed meanwhile")),
            (longer, Some("the policy was changed meanwhile")),
            (POLICY.replace("retain", "retains"), Some("the policy is not valid")),
            (String::new(), Some("the policy is not valid")),
        ] {
            put(folder.path(), &text);
            let message = changed(&loaded, PLAIN).await.map(|failure| failure.message);
            match (&message, said) {
                (None, None) => {}
                (Some(message), Some(said)) => assert!(message.contains(said), "{text}\n{message}"),
                _ => panic!("{text}\n{message:?}"),
            }
        }
        fs::remove_file(folder.path().join("policy.yaml")).unwrap();
        let failure = changed(&loaded, PLAIN).await.unwrap();
        assert!(failure.message.contains("holds no YAML file"), "{}", failure.message);
    }
}
