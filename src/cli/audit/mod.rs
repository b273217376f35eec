//! `shelflife audit`: whether the notice is kept now.

mod ask;
mod audited;
mod json;
mod show;

use std::collections::BTreeMap;

use super::args::{AuditArgs, StoreArgs};
use super::caching::Caching;
use super::context::Context;
use super::exit::{Exit, Failure};
use super::output;
use super::planning::{one_by_one, proposal_failure};
use super::progress::Progress;
use super::run::{Ready, ready};
use super::store::words;
use crate::audit::{Asked, Auditor, Standing};
use crate::decide::Needs;
use crate::object::Observed;
use crate::plan::{self, BucketContext, KeyGroup};
use crate::s3::StoreError;
use crate::survey::{self, Listed, Seen, Sink, Survey};
use audited::Audited;

/// Audits every bucket.
pub async fn run(context: &Context, store: &StoreArgs, args: &AuditArgs) -> Result<Exit, Failure> {
    let policy_path = &args.policy.policy;
    let ready = ready(context, store, policy_path, args.tolerate_record_faults, None).await?;
    let sample = (!args.all).then_some(args.sample);
    let records = &ready.records.records;
    let mut auditor = Auditor::new(ready.loaded.policy(), records, ready.now, sample);
    let mut caching = ready.caching(context, &args.cache);
    let standings = standings(&ready, &caching, &mut auditor).await?;
    let mut asked = Asked::default();
    for (survey, standing) in &standings {
        let title = format!("listing {}", survey.facts.name);
        let progress = Progress::surveying(&title, &survey.reads, context.quiet);
        let mut sink = ToAudit {
            before: (auditor.clone(), asked.clone()),
            auditor: &mut auditor,
            asked: &mut asked,
            survey,
            standing,
            progress: &progress,
        };
        // What no rule covers is part of the answer.
        let result = survey.run(&survey::WHOLE_BUCKET, &mut sink, args.concurrency.into()).await;
        progress.finish();
        if result? == Listed::OneByOne {
            context.note("note:", &one_by_one(&survey.facts.name));
        }
        caching.complete(&survey.reads);
    }
    let reads = caching.end(context);
    let mut by_bucket: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for candidate in auditor.take_sample() {
        by_bucket.entry(candidate.bucket.clone()).or_default().push(candidate);
    }
    for (survey, standing) in &standings {
        let sample = by_bucket.remove(&survey.facts.name).unwrap_or_default();
        if !sample.is_empty() {
            let title = format!("asking {}", survey.facts.name);
            let progress = Progress::of(&title, sample.len() as u64, context.quiet);
            let asked_one = || progress.advance(1);
            ask::ask(survey, standing, sample, &mut auditor, &mut asked, asked_one).await;
            progress.finish();
        }
    }
    let path = policy_path.display().to_string();
    let reconcile = output::command(["shelflife", "reconcile", &path].into_iter().chain(words(store)));
    let audited = Audited { ready: &ready, findings: auditor.findings, asked, reads, reconcile };
    if context.json {
        output::print_json(&json::json(&audited));
    } else {
        show::show(context.out, &audited);
    }
    Ok(audited.exit())
}

/// What stands in every bucket, and how to look at it.
async fn standings<'a>(
    ready: &'a Ready,
    caching: &Caching,
    auditor: &mut Auditor<'_>,
) -> Result<Vec<(Survey<'a>, Standing)>, Failure> {
    let policy = ready.loaded.policy();
    let mut standings = Vec::new();
    for (name, enrolled) in &ready.enrolment.buckets {
        let stored = enrolled.bucket.lifecycle().await?;
        let before = stored.as_ref().map(|stored| stored.xml.as_str());
        // Nothing is written, so what S3 would refuse is no obstacle.
        let directories = survey::directories(policy, &enrolled.bucket, &enrolled.facts, ready.now);
        let directories = directories.await?;
        let proposal = plan::draft(policy, &enrolled.facts, before, &directories.into(), false, ready.now)
            .map_err(|error| proposal_failure(name, &error))?;
        auditor.take_proposal(name, &proposal);
        let survey = Survey {
            policy,
            records: &ready.records.records,
            bucket: enrolled.bucket.clone(),
            facts: enrolled.facts.clone(),
            now: ready.now,
            reads: caching.reads(name),
        };
        let context = BucketContext { facts: enrolled.facts.clone(), compiled: proposal.compiled };
        standings.push((survey, Standing { context, document: proposal.before }));
    }
    Ok(standings)
}

/// Takes decided keys into the audit.
struct ToAudit<'s, 'a> {
    auditor: &'s mut Auditor<'a>,
    asked: &'s mut Asked,
    /// Both as they were before the bucket.
    before: (Auditor<'a>, Asked),
    survey: &'s Survey<'s>,
    standing: &'s Standing,
    progress: &'s Progress,
}

impl Sink for ToAudit<'_, '_> {
    type Error = StoreError;
    type Part = ();

    fn key(&mut self, (): &mut (), group: KeyGroup) -> Result<(), StoreError> {
        self.auditor.take(self.standing, &[], &group);
        Ok(())
    }

    fn seen(&mut self, (): &mut (), seen: &Seen<'_>, group: KeyGroup) -> Result<(), StoreError> {
        let versions: Vec<Observed<'_>> = seen.versions().collect();
        self.auditor.take(self.standing, &versions, &group);
        Ok(())
    }

    fn asks(&self, seen: &Seen<'_>) -> Vec<Needs> {
        let versions: Vec<Observed<'_>> = seen.versions().collect();
        self.auditor.asks(self.standing, &versions)
    }

    async fn page_done(&mut self) -> Result<(), StoreError> {
        let page = self.auditor.take_page();
        let asked_one = || self.progress.asked_one();
        ask::ask(self.survey, self.standing, page, self.auditor, self.asked, asked_one).await;
        Ok(())
    }

    fn join(&mut self, (): ()) -> Result<(), StoreError> {
        Ok(())
    }

    fn start_over(&mut self) {
        self.auditor.clone_from(&self.before.0);
        self.asked.clone_from(&self.before.1);
    }

    fn progress(&mut self, listed: u64) {
        self.progress.advance(listed);
    }
}
