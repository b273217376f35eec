//! Commands: arguments, progress, output, exit codes.

mod applying;
pub mod args;
mod check;
mod context;
#[cfg(feature = "sandbox")]
mod demo;
mod exit;
mod explain;
mod inputs;
mod output;
mod planning;
mod progress;
mod run;
mod show;
mod store;
mod verify;

use std::process::ExitCode;

use chrono::Utc;
use clap::Parser;

use args::{Cli, Command};
use context::Context;
use exit::{Exit, Failure};

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let context = Context::of(&cli.global);
    match dispatch(&context, cli) {
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

fn dispatch(context: &Context, cli: Cli) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("the runtime could not be started: {error}")))?;
    let store = cli.global.store;
    match cli.command {
        Command::Check(args) => check::run(context, &args, Utc::now()),
        Command::Plan(args) => runtime.block_on(run::plan(context, &store, &args)),
        Command::Apply(args) => runtime.block_on(run::apply(context, &store, &args)),
        Command::Reconcile(args) => runtime.block_on(run::reconcile(context, &store, &args)),
        Command::Explain(args) => runtime.block_on(explain::run(context, &store, &args)),
        Command::Verify(args) => verify::run(context, &args),
        #[cfg(feature = "sandbox")]
        Command::Demo(args) => runtime.block_on(demo::run(context, &args)),
    }
}
