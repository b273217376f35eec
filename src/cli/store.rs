//! Reaching the store: connection, enrolment, the store's clock, and what to say when it fails.

use chrono::{DateTime, Duration, Utc};

use super::args::StoreArgs;
use super::context::Context;
use super::exit::Failure;
use crate::policy::Policy;
use crate::s3::{ConnectError, ConnectOptions, Store, StoreError, StoreErrorKind};
use crate::survey::{self, Enrolment};
use crate::text;

/// How far the clocks may lie apart before it is said.
const CLOCK_SKEW: Duration = Duration::minutes(5);

/// Connects as the arguments say.
pub async fn connect(args: &StoreArgs, policy: Option<&Policy>) -> Result<Store, Failure> {
    let options = ConnectOptions {
        endpoint_url: args.endpoint_url.clone(),
        region: args.region.clone(),
        profile: args.profile.clone(),
        path_style: args.path_style,
        allow_http: args.allow_http,
        request_payer: args.request_payer,
        expected_owner: policy.and_then(|policy| policy.account.clone()),
        first_pause: args.retry_pause.map(std::time::Duration::from_millis),
        ..ConnectOptions::default()
    };
    Store::connect(&options).await.map_err(|error| connect_failure(&error))
}

/// The arguments again, for a command to paste.
pub fn words(args: &StoreArgs) -> Vec<&str> {
    let StoreArgs { endpoint_url, region, profile, path_style, allow_http, request_payer, .. } = args;
    let valued = [("--endpoint-url", endpoint_url), ("--region", region), ("--profile", profile)];
    let flags =
        [("--path-style", path_style), ("--allow-http", allow_http), ("--request-payer", request_payer)];
    let mut words: Vec<&str> =
        valued.into_iter().filter_map(|(name, value)| Some([name, value.as_deref()?])).flatten().collect();
    words.extend(flags.into_iter().filter(|(_, is_set)| **is_set).map(|(name, _)| name));
    words
}

/// Opens every bucket that the policy reaches, and says which it leaves alone.
pub async fn enrol(context: &Context, store: &Store, policy: &Policy) -> Result<Enrolment, Failure> {
    let enrolment = survey::enrol(store, policy).await?;
    for name in &enrolment.left_alone {
        let tag = format!("{}={}", survey::ENROLMENT_TAG, policy.name);
        let why = format!("bucket {name} matches a pattern and does not carry the tag {tag}: left alone");
        context.note("note:", &why);
    }
    if enrolment.buckets.is_empty() {
        return Err(Failure::failed("no bucket is enrolled").help(format!(
            "name buckets exactly in the policy, or tag them {}={}",
            survey::ENROLMENT_TAG,
            policy.name
        )));
    }
    Ok(enrolment)
}

/// What this machine's clock and the store's say.
#[derive(Clone, Copy, Debug)]
pub struct Clocks {
    /// The date to decide for, so that nothing goes early because one of them is fast.
    pub earlier: DateTime<Utc>,
    /// The date that record files are as old by, so that none is fresh because one is slow.
    pub later: DateTime<Utc>,
}

/// Reads both clocks, and says when they lie far apart.
pub fn clocks(context: &Context, enrolment: &Enrolment, local: DateTime<Utc>) -> Clocks {
    let store = || enrolment.buckets.values().filter_map(|enrolled| enrolled.bucket.store_time());
    let (Some(first), Some(last)) = (store().min(), store().max()) else {
        return Clocks { earlier: local, later: local };
    };
    if (local - first).abs() > CLOCK_SKEW {
        let (store, local) = (first.format("%Y-%m-%d %H:%M:%S UTC"), local.format("%Y-%m-%d %H:%M:%S UTC"));
        let why = format!("the store's clock says {store}, this machine's {local}: the earlier one counts");
        context.note("note:", &why);
    }
    Clocks { earlier: local.min(first), later: local.max(last) }
}

fn connect_failure(error: &ConnectError) -> Failure {
    let failure = if matches!(error, ConnectError::Endpoint(_)) {
        Failure::usage(Failure::chain(error))
    } else {
        Failure::failed(Failure::chain(error))
    };
    match error {
        ConnectError::NoCredentials(_) | ConnectError::Credentials(_) => failure.help(
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a --profile, or give the machine a role",
        ),
        ConnectError::PlainHttp => {
            failure.help("use https, or pass --allow-http if the network in between is yours")
        }
        _ => failure.help("see `shelflife help` for --endpoint-url, --region and --profile"),
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        store_failure(&error)
    }
}

/// What a store's error means for the person at the keyboard.
pub fn store_failure(error: &StoreError) -> Failure {
    let failure = Failure::failed(text::terminal(&Failure::chain(error)).into_owned());
    match error.kind() {
        StoreErrorKind::NotFound if error.key().is_none() => {
            failure.help("create the bucket, or mend its name in the policy")
        }
        StoreErrorKind::Denied => failure
            .help("the credentials lack this permission on the bucket, or it belongs to another account"),
        StoreErrorKind::WrongRegion { region: Some(region) } => {
            failure.help(format!("pass --region {region}"))
        }
        StoreErrorKind::WrongRegion { region: None } => failure.help("pass the bucket's --region"),
        StoreErrorKind::Unreachable => failure.help(
            "is the address right and the store up? see --endpoint-url; the same command can be tried again",
        ),
        StoreErrorKind::Throttled | StoreErrorKind::Failed => {
            failure.help("the store is busy or ill; the same command can be tried again")
        }
        _ => failure,
    }
}
