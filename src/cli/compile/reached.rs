//! Which buckets are compiled for, and what is known of them: from the store, or from what was said.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::cli::args::{CompileArgs, Form, KeepsVersions, StoreArgs};
use crate::cli::context::Context;
use crate::cli::exit::Failure;
use crate::cli::store;
use crate::lifecycle::{self, LifecycleDocument, Surroundings};
use crate::object::{BucketFacts, Versioning};
use crate::policy::Policy;
use crate::survey::{self, Enrolled};
use crate::targets::{Ground, Place};
use crate::text;

/// How many rules of others a message names.
const NAMED: usize = 5;

/// What is compiled for.
pub struct Reached {
    /// How each bucket is set up. Patterns have none.
    pub facts: Vec<BucketFacts>,
    /// What bears on what S3 can be given in each bucket, where the store was asked.
    pub around: BTreeMap<String, Surroundings>,
    /// Buckets and patterns to have permissions on.
    pub places: Vec<Place>,
    /// Where the facts come from.
    pub ground: Ground,
    /// The date to compile for.
    pub now: DateTime<Utc>,
}

/// Finds out.
///
/// # Errors
/// If buckets have to be named, or their versioning stated, and were not; or if the store fails.
pub async fn reached(
    context: &Context,
    store: &StoreArgs,
    args: &CompileArgs,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<Reached, Failure> {
    if args.live { asked(context, store, args, policy, now).await } else { stated(args, policy, now) }
}

fn stated(args: &CompileArgs, policy: &Policy, now: DateTime<Utc>) -> Result<Reached, Failure> {
    let patterns = || policy.rules.iter().flat_map(|rule| &rule.select.buckets);
    for name in &args.bucket {
        if !patterns().any(|pattern| pattern.matches(name)) {
            return Err(Failure::usage(format!("no rule covers the bucket {}", text::terminal(name)))
                .help("mend the name, or name the bucket in a rule"));
        }
    }
    let (exact, open): (BTreeSet<&str>, BTreeSet<&str>) = if args.bucket.is_empty() {
        let (exact, open): (Vec<_>, Vec<_>) = patterns().partition(|pattern| pattern.is_exact());
        (exact.iter().map(|it| it.as_str()).collect(), open.iter().map(|it| it.as_str()).collect())
    } else {
        (args.bucket.iter().map(String::as_str).collect(), BTreeSet::new())
    };
    if let (Some(pattern), true) = (open.first(), args.to != Form::Iam) {
        return Err(Failure::usage(format!("a rule names buckets by the pattern {pattern}"))
            .help("name the buckets with --bucket, or ask the store with --live"));
    }
    let facts_of = |name: &str, versioning| BucketFacts {
        name: name.to_owned(),
        versioning,
        mfa_delete: false,
        object_lock: false,
    };
    let versioning = args.versioning.map(|stated| match stated {
        KeepsVersions::Never => Versioning::Never,
        KeepsVersions::Enabled => Versioning::Enabled,
        KeepsVersions::Suspended => Versioning::Suspended,
    });
    if versioning.is_none() && args.to != Form::Iam {
        let rules = |name: &str, state| {
            lifecycle::compile(policy, &facts_of(name, state), &Surroundings::default(), now).rules
        };
        // Rules for a bucket without versions hide objects for ever in one that keeps them, and destroy
        // null versions in one that did.
        let differs = |name: &&&str| {
            let never = rules(name, Versioning::Never);
            [Versioning::Enabled, Versioning::Suspended].into_iter().any(|state| rules(name, state) != never)
        };
        if let Some(name) = exact.iter().find(differs) {
            return Err(Failure::usage(format!(
                "the lifecycle rules of bucket {name} depend on how it keeps versions, and nobody said"
            ))
            .help("say --versioning never, enabled or suspended, or ask the store with --live"));
        }
    }
    let facts = exact.iter().map(|name| facts_of(name, versioning.unwrap_or(Versioning::Never)));
    // Only a bucket with versions can have Object Lock, and it was not said that it has none.
    let known = versioning.map(|state| (state, state != Versioning::Never));
    let place = |name: &&str| Place { name: (*name).to_owned(), facts: known };
    Ok(Reached {
        facts: facts.collect(),
        around: BTreeMap::new(),
        places: exact.iter().chain(&open).map(place).collect(),
        ground: if versioning.is_some() { Ground::Stated } else { Ground::Assumed },
        now,
    })
}

async fn asked(
    context: &Context,
    args: &StoreArgs,
    compile: &CompileArgs,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<Reached, Failure> {
    let store = store::connect(args, Some(policy)).await?;
    let mut enrolment = store::enrol(context, &store, policy).await?;
    let now = store::clocks(context, &enrolment, now).earlier;
    if let Some(name) = compile.bucket.iter().find(|name| !enrolment.buckets.contains_key(*name)) {
        return Err(Failure::usage(format!("the bucket {} is not enrolled", text::terminal(name)))
            .help("name it exactly in a rule, or tag it for a pattern"));
    }
    enrolment.buckets.retain(|name, _| compile.bucket.is_empty() || compile.bucket.contains(name));
    let mut around = BTreeMap::new();
    if compile.to != Form::Iam {
        for (name, Enrolled { bucket, facts }) in &enrolment.buckets {
            let directories = survey::directories(policy, bucket, facts, now).await;
            let directories = directories?;
            around.insert(name.clone(), directories.into());
        }
        for enrolled in enrolment.buckets.values() {
            tell_of_others(context, enrolled, policy).await?;
        }
    }
    let facts: Vec<BucketFacts> = enrolment.buckets.into_values().map(|enrolled| enrolled.facts).collect();
    let place = |facts: &BucketFacts| Place {
        name: facts.name.clone(),
        facts: Some((facts.versioning, facts.object_lock)),
    };
    let places = facts.iter().map(place).collect();
    Ok(Reached { places, facts, around, ground: Ground::Store, now })
}

/// Says which rules of others stand in a bucket: what is compiled has none of them, and takes the
/// place of the whole configuration.
async fn tell_of_others(context: &Context, enrolled: &Enrolled, policy: &Policy) -> Result<(), Failure> {
    let stored = enrolled.bucket.lifecycle().await?;
    let Some(stored) = stored else { return Ok(()) };
    let ids = match LifecycleDocument::read(&stored.xml) {
        Ok(document) => {
            let others = document.rules().iter().filter(|rule| rule.policy_rule(&policy.name).is_none());
            others.map(|rule| format!("`{}`", text::terminal(rule.id()))).collect::<Vec<_>>()
        }
        Err(_) => vec!["what cannot be read".to_owned()],
    };
    if let Some(more) = ids.len().checked_sub(1) {
        let named = ids.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        let more = if more >= NAMED { format!(" and {} more", ids.len() - NAMED) } else { String::new() };
        let name = &enrolled.facts.name;
        let why = format!(
            "bucket {name} has lifecycle rules of others, which go when this is written there: {named}{more}"
        );
        context.note("warning:", &why);
    }
    Ok(())
}
