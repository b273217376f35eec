//! `shelflife demo`: all of it on the sandbox, through 20 months in seconds.
//!
//! Every day customers upload, S3 runs its lifecycle rules at midnight, and Shelflife
//! reconciles half an hour later. What happens is held to a naive reading of the notice.

mod books;
mod notice;
mod stage;
mod world;

use std::path::PathBuf;
use std::time::Instant;

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, Utc};

use self::books::Books;
use self::stage::Stage;
use self::world::{EMAIL, OTT, RECORDINGS, World};
use super::args::DemoArgs;
use super::context::Context;
use super::exit::{Exit, Failure};
use super::output;
use super::progress::Progress;
use crate::text;

/// Runs the demo.
pub async fn run(context: &Context, args: &DemoArgs) -> Result<Exit, Failure> {
    let started = Instant::now();
    let world = World::until(Utc::now().date_naive());
    let folder = folder(args)?;
    let mut stage = Stage::build(world, &folder, args.port).await?;
    let mut books = Books::new(world);
    if !context.json {
        introduce(context, &stage);
    }

    let days: Vec<NaiveDate> = world.days().collect();
    let progress = Progress::of("living through days", days.len() as u64, context.quiet);
    let mut months = Vec::new();
    let mut month = Month::default();
    for (place, day) in days.iter().enumerate() {
        stage.live(*day, &mut books).await?;
        progress.advance(1);
        month.news.extend(world.news(*day).into_iter().map(|news| format!("{day}  {news}")));
        let ends =
            days.get(place + 1).is_none_or(|next| (next.year(), next.month()) != (day.year(), day.month()));
        if ends {
            month.finish(*day, &mut books);
            if !context.json {
                progress.suspend(|| month.show(context));
            }
            months.push(std::mem::take(&mut month));
        }
    }
    progress.finish();

    let verified = stage.verify_all(&mut books)?;
    let faults = books.faults();
    if context.json {
        output::print(&as_json(&stage, &months, &books, faults, verified).to_string());
    } else {
        conclude(context, &stage, &books, verified).await?;
        let seconds = started.elapsed().as_secs_f64();
        let sentence = format!("{} days in {seconds:.0} s", days.len());
        output::print(&context.out.dim(&sentence));
    }
    if args.serve && faults.is_empty() {
        stage.serve(context).await?;
    }
    if faults.is_empty() {
        return Ok(Exit::Done);
    }
    let shown: Vec<&str> = faults.iter().take(10).map(String::as_str).collect();
    Err(Failure::failed(format!("the self-check found {} faults\n  {}", faults.len(), shown.join("\n  ")))
        .help("please report this with the folder of the demo"))
}

fn folder(args: &DemoArgs) -> Result<PathBuf, Failure> {
    let folder = args.dir.clone().unwrap_or_else(|| {
        std::env::temp_dir().join(format!("shelflife-demo-{}", Utc::now().format("%Y%m%d-%H%M%S")))
    });
    let taken = std::fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some());
    if taken {
        return Err(Failure::usage(format!("{} is there already, and not empty", output::path(&folder)))
            .help("choose another folder with --dir"));
    }
    std::fs::create_dir_all(&folder)
        .map_err(|error| Failure::failed(format!("{} could not be made: {error}", output::path(&folder))))?;
    Ok(folder)
}

fn introduce(context: &Context, stage: &Stage) {
    let style = context.out;
    output::print(&style.bold("Shelflife: 20 months of media under a retention notice"));
    output::print(&format!(
        "\n  {OTT:<24}OTT media          30 days after the communication\n  \
         {RECORDINGS:<24}recordings         30 days after the contract's end\n  \
         {:<24}                   or 18 months without activity\n  \
         {EMAIL:<24}email attachments  1 year after the communication\n",
        ""
    ));
    output::print(&format!("An S3 in memory at {} with a clock that runs fast.", stage.endpoint()));
    output::print("Every day customers upload, S3's lifecycle runs, and Shelflife reconciles.\n");
    output::print(&style.bold(&format!(
        "{:<9}{:>9}{:>13}{:>15}{:>9}{:>9}",
        "month", "uploaded", "removed", "removed by", "held", "left"
    )));
    output::print(&style.bold(&format!("{:<9}{:>9}{:>13}{:>15}", "", "", "by S3", "Shelflife")));
}

/// One month in figures.
#[derive(Clone, Debug, Default)]
struct Month {
    name: String,
    uploaded: u64,
    by_s3: u64,
    by_shelflife: u64,
    held: u64,
    left: u64,
    news: Vec<String>,
}

impl Month {
    fn finish(&mut self, day: NaiveDate, books: &mut Books) {
        self.name = day.format("%Y-%m").to_string();
        let counts = books.close_month();
        self.uploaded = counts.uploaded;
        self.by_s3 = counts.by_s3;
        self.by_shelflife = counts.by_shelflife;
        self.held = books.held(end_of(day));
        self.left = books.left();
    }

    fn show(&self, context: &Context) {
        output::print(&format!(
            "{:<9}{:>9}{:>13}{:>15}{:>9}{:>9}",
            self.name,
            text::count(self.uploaded),
            text::count(self.by_s3),
            text::count(self.by_shelflife),
            text::count(self.held),
            text::count(self.left)
        ));
        for news in &self.news {
            output::print(&context.out.yellow(&format!("         {news}")));
        }
    }
}

fn end_of(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc() + chrono::Duration::hours(23)
}

async fn conclude(context: &Context, stage: &Stage, books: &Books, verified: u64) -> Result<(), Failure> {
    let style = context.out;
    output::print("");
    output::print(&style.bold("One object of each kind, explained"));
    for bucket in [OTT, RECORDINGS, EMAIL] {
        if let Some(key) = books.an_object_in(bucket) {
            output::print("");
            output::print(&stage.explain(bucket, key, style).await?);
        }
    }
    output::print("");
    if books.faults().is_empty() {
        output::print(&style.green(&format!(
            "self-check passed: {} objects, {} removed, none early,\n                   none more than {} days late",
            text::count(books.total()),
            text::count(books.removed()),
            notice::TOLERANCE_DAYS
        )));
        output::print(&style.green(&format!(
            "every removal is in one of {verified} verified evidence logs,\nor is a lifecycle rule's of ours"
        )));
    }
    output::print("");
    output::print(&format!("policy    {}", output::path(&stage.policy())));
    output::print(&format!("plan      {}", output::path(&stage.plan())));
    output::print(&format!("evidence  {}", output::path(&stage.evidence())));
    Ok(())
}

fn as_json(
    stage: &Stage,
    months: &[Month],
    books: &Books,
    faults: &[String],
    verified: u64,
) -> serde_json::Value {
    let months: Vec<serde_json::Value> = months
        .iter()
        .map(|month| {
            serde_json::json!({
                "month": month.name,
                "uploaded": month.uploaded,
                "removed_by_s3": month.by_s3,
                "removed_by_shelflife": month.by_shelflife,
                "held": month.held,
                "left": month.left,
                "news": month.news,
            })
        })
        .collect();
    serde_json::json!({
        "months": months,
        "objects": books.total(),
        "removed": books.removed(),
        "faults": faults,
        "verified_logs": verified,
        "policy": stage.policy().display().to_string(),
        "plan": stage.plan().display().to_string(),
        "evidence": stage.evidence().display().to_string(),
    })
}
