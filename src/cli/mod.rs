//! Commands: arguments, progress, output, exit codes.

mod applying;
pub mod args;
mod audit;
mod caching;
mod check;
mod compile;
mod context;
mod copying;
#[cfg(feature = "sandbox")]
mod demo;
mod earlier;
mod evidence_files;
mod exit;
mod explain;
mod inputs;
mod interrupting;
mod inventories;
mod live;
mod logs;
mod output;
mod planning;
mod progress;
mod record_files;
mod refusing;
mod report;
mod rereading;
mod run;
mod show;
mod store;
mod test;
mod undo;
mod verify;

use std::process::ExitCode;

use chrono::Utc;
use clap::Parser;

use args::{Cli, Command};
use context::Context;
use exit::{Exit, Failure};

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    keep_freed_memory();
    keep_quiet_about_damaged_files();
    let cli = Cli::parse();
    let context = Context::of(&cli.global);
    match dispatch(context, cli) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            output::note(&output::wrap(&format!("{} ", context.err.red("error:")), &failure.message));
            if let Some(help) = &failure.help {
                output::note(&output::wrap(&format!(" {} ", context.err.bold("help:")), help));
            }
            failure.exit.into()
        }
    }
}

/// Has the allocator keep what is freed for what comes next. The one of GNU gives large pieces back to the system,
/// such as a page of a listing, and has each byte of the next one zeroed again; once a piece of this size was freed
/// it does so with larger ones only, and keeps up to twice as much at the end of each arena (mallopt(3),
/// `M_MMAP_THRESHOLD`). No byte of it is touched.
fn keep_freed_memory() {
    const PIECE: usize = 4 << 20;
    drop(std::hint::black_box(Vec::<u8>::with_capacity(PIECE)));
}

/// A damaged Parquet file or cache can make its decoder panic: that is told with the file's name, and the
/// decoder's own words are of no use to anybody.
fn keep_quiet_about_damaged_files() {
    let told = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let guarded =
            [crate::records::READING_THREAD, crate::survey::CACHE_THREAD, crate::inventory::DECODING_THREAD];
        if !std::thread::current().name().is_some_and(|name| guarded.contains(&name)) {
            told(info);
        }
    }));
}

/// As much as the main thread mostly has.
const STACK: usize = 8 << 20;

/// Runs a command on the one thread that makes its requests: what they bring is used up faster than any store sends
/// it, and to hand each page to another thread costs more than it saves. So nothing may wait there for what a
/// request brings, but in `block_in_place`.
///
/// `apply`, `reconcile` and `undo` run on the thread that is left: they wait for the disk, so that what they have
/// done is written down, and requests go on meanwhile.
fn dispatch(context: Context, cli: Cli) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_stack_size(STACK)
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("the runtime could not be started: {error}")))?;
    let writes_evidence = matches!(cli.command, Command::Apply(_) | Command::Reconcile(_) | Command::Undo(_));
    let command = run_command(context, cli);
    if writes_evidence {
        return runtime.block_on(command);
    }
    match runtime.block_on(runtime.spawn(command)) {
        Ok(result) => result,
        // Nobody aborts it, so it can only have panicked.
        Err(ended) => std::panic::resume_unwind(ended.into_panic()),
    }
}

async fn run_command(context: Context, cli: Cli) -> Result<Exit, Failure> {
    let (context, store) = (&context, &cli.global.store);
    match &cli.command {
        Command::Check(args) => check::run(context, store, args, Utc::now()).await,
        Command::Plan(args) => run::plan(context, store, args).await,
        Command::Apply(args) => run::apply(context, store, args).await,
        Command::Reconcile(args) => run::reconcile(context, store, args).await,
        Command::Audit(args) => audit::run(context, store, args).await,
        Command::Explain(args) => explain::run(context, store, args).await,
        Command::Compile(args) => compile::run(context, store, args, Utc::now()).await,
        Command::Test(args) => test::run(context, args),
        Command::Verify(args) => verify::run(context, store, args).await,
        Command::Report(args) => report::run(context, store, args, Utc::now()).await,
        Command::Undo(args) => undo::run(context, store, args).await,
        #[cfg(feature = "sandbox")]
        Command::Demo(args) => demo::run(context, args).await,
    }
}
