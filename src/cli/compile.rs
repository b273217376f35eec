//! `shelflife compile`: what other tools take, lifecycle rules or the least IAM policy.
//!
//! `reached` says which buckets and how they are set up; [`crate::targets`] writes the forms.

mod reached;

use std::path::Path;

use chrono::{DateTime, Utc};
use serde_json::json;

use super::args::{CompileArgs, For, ForEngine, Form, StoreArgs};
use super::context::Context;
use super::exit::{Exit, Failure};
use super::{inputs, output};
use crate::lifecycle;
use crate::policy::Policy;
use crate::targets::{self, Asked, BucketRules, Duty, Engines, Origin, TargetError};
use crate::text;
use reached::{Reached, reached};

/// The most characters, space aside, that AWS takes in a managed policy.
const LONGEST_POLICY: usize = 6144;

/// Prints the form that was asked for.
pub async fn run(
    context: &Context,
    store: &StoreArgs,
    args: &CompileArgs,
    now: DateTime<Utc>,
) -> Result<Exit, Failure> {
    refuse_what_does_not_fit(args)?;
    let loaded = inputs::load(&args.policy.policy).map_err(|fault| fault.into_failure(context.err))?;
    let policy = loaded.policy();
    let reached = reached(context, store, args, policy, now).await?;
    let origin = Origin::of(policy);
    if let (Form::Iam, Some(duty)) = (args.to, args.duty) {
        let document = iam(context, store, args, policy, &reached, duty);
        let remarks = || std::iter::once(origin.line()).chain(origin.digests());
        return print(context, args, &origin, &document, &[], remarks().collect());
    }
    let buckets = compiled(policy, &reached)?;
    let written = match args.to {
        Form::Json => targets::json(one(&buckets)?),
        Form::Xml => targets::xml(&origin, one(&buckets)?),
        Form::Cloudformation => Some(targets::cloudformation(&origin, &buckets).map_err(|e| failure(&e))?),
        Form::Terraform | Form::Iam => Some(targets::terraform(&origin, &buckets).map_err(|e| failure(&e))?),
    };
    // XML, Terraform and CloudFormation say it themselves.
    let mut remarks = Vec::new();
    if args.to == Form::Json || written.is_none() {
        remarks.extend(std::iter::once(origin.line()).chain(origin.digests()));
        remarks.extend(buckets.iter().flat_map(BucketRules::remarks));
    }
    let Some(document) = written else {
        remarks.iter().for_each(|line| context.note("note:", &text::terminal(line)));
        return Err(no_part(&buckets[0]));
    };
    print(context, args, &origin, &document, &buckets, remarks)
}

fn refuse_what_does_not_fit(args: &CompileArgs) -> Result<(), Failure> {
    let wrong = |what: &str| Err(Failure::usage(what).help("see `shelflife compile --help`"));
    match (args.to, args.duty) {
        (Form::Iam, Some(For::Apply)) => Ok(()),
        (Form::Iam, _) if args.engine.is_some() => {
            wrong("--engine is for --for apply: looking is the same for both")
        }
        (Form::Iam, _) => Ok(()),
        (_, Some(_)) => wrong("--for is for --to iam"),
        (_, None) if args.engine.is_some() => wrong("--engine is for --to iam"),
        (_, None) => Ok(()),
    }
}

/// The rules of every bucket.
fn compiled(policy: &Policy, reached: &Reached) -> Result<Vec<BucketRules>, Failure> {
    let mut buckets = Vec::new();
    for facts in &reached.facts {
        let compiled = {
            let around = reached.around.get(&facts.name).cloned().unwrap_or_default();
            lifecycle::compile(policy, facts, &around, reached.now)
        };
        if let Some((rule, reasons)) = compiled.refused().next() {
            let rule = policy.rules.get(rule).map_or("", |rule| rule.id.as_str());
            let why: Vec<String> = reasons.iter().map(ToString::to_string).collect();
            let message = format!(
                "bucket {}: rule {rule} says `enforce: lifecycle`, and S3 cannot be proved to keep it: {}",
                facts.name,
                text::terminal(&why.join("; "))
            );
            return Err(Failure::usage(message).help("write `enforce: auto` or `enforce: direct`"));
        }
        buckets.push(
            BucketRules::compiled(policy, facts, &compiled, reached.ground)
                .map_err(|error| failure(&error))?,
        );
    }
    Ok(buckets)
}

fn failure(error: &TargetError) -> Failure {
    let failure = Failure::failed(text::terminal(&Failure::chain(error)));
    match error {
        TargetError::DynamicReference(_) | TargetError::NotNfc { .. } | TargetError::LeftOut { .. } => {
            failure.help("write `enforce: direct` in the rule, or use another form")
        }
        _ => failure,
    }
}

/// S3 has no part in the bucket, as far as is known of it.
fn no_part(bucket: &BucketRules) -> Failure {
    let name = &bucket.bucket;
    let first = if bucket.wants_listing {
        "ask the store with --live first: S3 may be given directories that are there; if none, "
    } else {
        ""
    };
    let all = "take away all that stands there, rules of others as well";
    Failure::failed(format!("S3 has no part in bucket {name}, and takes no empty configuration"))
        .help(format!("{first}{all}: aws s3api delete-bucket-lifecycle --bucket {name}"))
}

/// JSON and XML are for one bucket each.
fn one(buckets: &[BucketRules]) -> Result<&BucketRules, Failure> {
    match buckets {
        [one] => Ok(one),
        several => {
            let names: Vec<&str> = several.iter().map(|bucket| bucket.bucket.as_str()).collect();
            Err(Failure::usage(format!("a configuration is for one bucket, and these are {}", names.len()))
                .help(format!("name it with --bucket: one of {}", names.join(", "))))
        }
    }
}

fn iam(
    context: &Context,
    store: &StoreArgs,
    args: &CompileArgs,
    policy: &Policy,
    reached: &Reached,
    duty: For,
) -> String {
    let duty = match duty {
        For::Plan => Duty::Plan,
        For::Apply => Duty::Apply,
        For::Audit => Duty::Audit,
    };
    let document = targets::iam(&Asked {
        policy,
        duty,
        engines: match args.engine {
            Some(ForEngine::Lifecycle) => Engines::Lifecycle,
            Some(ForEngine::Direct) => Engines::Direct,
            Some(ForEngine::Both) | None => Engines::Both,
        },
        partition: match store.region.as_deref() {
            Some(region) if region.starts_with("cn-") => "aws-cn",
            Some(region) if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        },
        places: reached.places.clone(),
    });
    for place in reached.places.iter().filter(|place| targets::too_wide(&place.name)) {
        let why = format!(
            "in IAM the pattern {0} takes `/` too, and so keys of other buckets, such as \
             s3://other/{0}/…: name buckets with --bucket, or ask the store with --live",
            place.name
        );
        context.note("warning:", &why);
    }
    let length = document.chars().filter(|c| !c.is_whitespace()).count();
    if length > LONGEST_POLICY {
        let why =
            format!("AWS takes {LONGEST_POLICY} characters in a managed policy, and these are {length}");
        context.note("warning:", &format!("{why}: compile with --bucket for some of them at a time"));
    }
    document
}

fn print(
    context: &Context,
    args: &CompileArgs,
    origin: &Origin,
    document: &str,
    buckets: &[BucketRules],
    remarks: Vec<String>,
) -> Result<Exit, Failure> {
    if let Some(path) = &args.out {
        write(path, document)?;
    }
    if context.json {
        let engines = |bucket: &BucketRules| -> Vec<_> {
            bucket.engines.iter().map(|(rule, engine)| json!({ "rule": rule, "engine": engine })).collect()
        };
        let bucket = |it: &BucketRules| json!({ "bucket": it.bucket, "counts_on": it.counts_on, "engines": engines(it) });
        output::print_json(&json!({
            "version": env!("CARGO_PKG_VERSION"),
            "policy": origin.policy,
            "policy_digest": origin.digest,
            "holds_digest": origin.holds_digest,
            "buckets": buckets.iter().map(bucket).collect::<Vec<_>>(),
            "document": document,
        }));
        return Ok(Exit::Done);
    }
    remarks.iter().for_each(|line| context.note("note:", &text::terminal(line)));
    match &args.out {
        Some(path) => context.note("written:", &path.display().to_string()),
        None => output::print(document.trim_end_matches('\n')),
    }
    Ok(Exit::Done)
}

fn write(path: &Path, document: &str) -> Result<(), Failure> {
    std::fs::write(path, document)
        .map_err(|error| Failure::failed(format!("{} could not be written: {error}", path.display())))
}
