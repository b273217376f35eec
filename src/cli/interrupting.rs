//! Ctrl-C while a plan is carried out.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, mpsc};
use std::time::Duration;
use std::{io, thread};

use tokio::signal::ctrl_c;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::exit::{Exit, Failure};
use super::output;

/// Stops after the batch in flight on the first Ctrl-C, at once on the second.
///
/// # Errors
/// If nobody could wait for it: then nothing is begun that it would break off.
pub fn stop_on_ctrl_c(quiet: bool) -> Result<Arc<AtomicBool>, Failure> {
    let cannot = |error: io::Error| Failure::failed(format!("Ctrl-C cannot be waited for: {error}"));
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let (tell, told) = mpsc::sync_channel(1);
    // On a runtime of its own: it is heard whatever that of the command is doing.
    let listen = move || match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(wait(&flag, &tell, quiet)),
        Err(error) => drop(tell.send(Err(error))),
    };
    thread::Builder::new().name("ctrl-c".to_owned()).spawn(listen).map_err(cannot)?;
    told.recv().map_err(io::Error::other).flatten().map_err(cannot)?;
    Ok(stop)
}

/// Tells whether it can be heard, then waits for it.
async fn wait(stop: &AtomicBool, tell: &SyncSender<io::Result<()>>, quiet: bool) {
    // From the first look on it no longer ends the process.
    let looked = match timeout(Duration::ZERO, ctrl_c()).await {
        Ok(pressed) => pressed.map(|()| stop.store(true, Ordering::SeqCst)),
        Err(_) => Ok(()),
    };
    // Whoever asked waits for the answer.
    let _ = tell.send(looked);
    while ctrl_c().await.is_ok() {
        if stop.swap(true, Ordering::SeqCst) {
            std::process::exit(Exit::Interrupted.code().into());
        }
        // Not here: a terminal that takes nothing would keep the next one from being heard.
        if !quiet {
            spawn_blocking(|| {
                output::note("finishing the batch in flight; press Ctrl-C again to stop at once");
            });
        }
    }
}
