//! An S3 in memory that is reached over HTTP like any other.
//!
//! It speaks the protocol through the `s3s` crate on a loopback port, so the same SDK code talks to it as
//! to any store. It behaves as S3 documents (the sources are named where the behaviour is: *UG:x* is
//! `docs.aws.amazon.com/AmazonS3/latest/userguide/x.html`, *API:X* is `…/latest/API/API_X.html`); what it
//! does not have answers `NotImplemented`.
//!
//! Its clock stands still until [`Sandbox::advance_to`] turns it forward, and then the lifecycle rules
//! run at every midnight that passes. [`Faults`] make calls go wrong; [`Sandbox::requests`] tells what was
//! asked, [`Sandbox::take_journal`] what was done.
//!
//! - The store, which knows no HTTP: `state`, `model`, `content`, `objects`, `uploads`, `lock`, `listing`, `clock`;
//!   `journal` notes what is done to it.
//! - Lifecycle: `rules` and `validation` read configurations, `due` decides, `lifecycle` carries out.
//!   They share nothing with [`crate::lifecycle`], which is checked against them. `quirks` imitates stores that
//!   depart from S3 here.
//! - The protocol: `server` takes connections and applies `faults`; then either `routes` answers, with
//!   `list_answers` and `delete_objects`, or `s3s` calls `protocol` and the `*_calls`.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use shelflife::sandbox::{BucketOptions, PutOptions, Sandbox, SandboxOptions};
//!
//! let sandbox = Sandbox::start(SandboxOptions::at("2026-01-15T10:30:00Z".parse()?)).await?;
//! sandbox.create_bucket(BucketOptions::named("acme-media"))?;
//! sandbox.put_object("acme-media", "inbound/1.jpg", PutOptions::size(4096))?;
//! let gone = sandbox.advance_to("2026-02-20T00:00:00Z".parse()?)?;
//! assert!(gone.is_empty());
//! # Ok(())
//! # }
//! ```

mod access;
mod admin;
mod answer;
mod attribute_calls;
mod bucket_calls;
mod call;
mod checksums;
mod clock;
mod content;
mod delete_objects;
mod due;
mod eligibility;
mod event;
mod faults;
mod journal;
mod lifecycle;
mod list_answers;
mod listing;
mod lock;
mod model;
mod object_calls;
mod objects;
mod permissions;
mod protocol;
mod quirks;
mod refusal;
mod retention;
mod routes;
mod rules;
mod server;
mod state;
mod upload_calls;
mod uploads;
mod validation;
mod values;
mod xml;

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use s3s::config::{S3Config, StaticConfigProvider};
use s3s::service::S3ServiceBuilder;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use self::access::{Gate, Keys};
use self::eligibility::Settings;
use self::protocol::Protocol;
use self::routes::Routes;
use self::server::Front;
use self::state::{SharedState, State};

pub use self::admin::PutOptions;
pub use self::call::{Call, RequestRecord, Scope};
pub use self::clock::TurnedBack;
pub use self::eligibility::ExactMidnight;
pub use self::event::{LifecycleAction, LifecycleEvent};
pub use self::faults::{Effect, Fault, Faults, Meddling};
pub use self::journal::{Change, Deed, Entry, EntryKind};
pub use self::model::{Attributes, Body, Checksum, Object, Version, Versioning};
pub use self::objects::Written;
pub use self::quirks::Quirk;
pub use self::refusal::Refusal;
pub use self::retention::{DefaultPeriod, LockConfiguration, Retention, RetentionMode};
pub use self::rules::MinimumSize;
pub use self::state::{ACCOUNT, BucketOptions};

/// How a sandbox starts.
#[derive(Clone, Copy, Debug)]
pub struct SandboxOptions {
    /// The loopback port; a free one if not given.
    pub port: Option<u16>,
    /// Where the clock starts.
    pub start: DateTime<Utc>,
    /// Where lifecycle rounding leads from exactly midnight.
    pub exact_midnight: ExactMidnight,
    /// How many days after eligibility lifecycle rules act (S3 says "days or even weeks").
    pub lifecycle_lag: u32,
}

impl SandboxOptions {
    /// A sandbox on a free port whose clock starts at `start`, and whose rules act at once.
    pub fn at(start: DateTime<Utc>) -> Self {
        Self { port: None, start, exact_midnight: ExactMidnight::default(), lifecycle_lag: 0 }
    }
}

/// A running sandbox. Clones share it; it ends with the last of them, or when it is stopped.
#[derive(Clone)]
pub struct Sandbox {
    front: Arc<Front>,
    address: SocketAddr,
    server: Arc<Server>,
}

/// The task that accepts connections.
struct Server(AbortHandle);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Sandbox {
    /// Starts a sandbox on loopback. Must be called within a tokio runtime, which then serves it.
    ///
    /// # Errors
    /// When the port cannot be bound.
    pub async fn start(options: SandboxOptions) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port.unwrap_or(0))).await?;
        let address = listener.local_addr()?;
        let settings = Settings { exact_midnight: options.exact_midnight, lag_days: options.lifecycle_lag };
        let state = SharedState::new(State::new(options.start, settings));
        let mut builder = S3ServiceBuilder::new(Protocol { state: state.clone() });
        builder.set_auth(Keys);
        builder.set_access(Gate { state: state.clone() });
        builder.set_route(Routes { state: state.clone() });
        let mut config = S3Config::default();
        // Clients sign with the time of the last `Date` that they saw, and that is the sandbox's.
        config.presigned_url_max_skew_time_secs = u32::MAX;
        builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config))));
        let front = Arc::new(Front {
            state,
            service: builder.build(),
            faults: Faults::default(),
            arrived: AtomicU64::new(0),
            log: Mutex::default(),
            hooks: Mutex::new(HashMap::new()),
        });
        let task = tokio::spawn(Arc::clone(&front).accept(listener));
        Ok(Self { front, address, server: Arc::new(Server(task.abort_handle())) })
    }

    /// Where it listens, such as `http://127.0.0.1:41234`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The access key that it takes.
    pub fn access_key(&self) -> &'static str {
        access::ACCESS_KEY
    }

    /// The secret key that it takes.
    pub fn secret_key(&self) -> &'static str {
        access::SECRET_KEY
    }

    /// The sandbox's time.
    pub fn now(&self) -> DateTime<Utc> {
        self.state().lock().now()
    }

    /// Turns the clock forward to `to`. At every midnight UTC that passes, `to` included, the lifecycle
    /// rules of all buckets run; what they did is returned in order.
    ///
    /// # Errors
    /// When `to` lies before [`Self::now`].
    pub fn advance_to(&self, to: DateTime<Utc>) -> Result<Vec<LifecycleEvent>, TurnedBack> {
        let mut state = self.state().lock();
        let mut events = Vec::new();
        while let Some(midnight) = state.clock.next_midnight(to) {
            state.clock.turn_to(midnight)?;
            let settings = state.settings;
            for bucket in state.buckets.values_mut() {
                events.extend(bucket.run_lifecycle(midnight, settings));
            }
        }
        state.clock.turn_to(to)?;
        Ok(events)
    }

    /// What goes wrong, and how.
    pub fn faults(&self) -> &Faults {
        &self.front.faults
    }

    /// All requests so far, in the order of their answers.
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.front.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Has `hook` called just before each call of `operation` is served: to change the store under the
    /// caller's feet. The hook may use a clone of this sandbox, but not add hooks or stop it;
    /// [`Self::stop`] drops the hook.
    pub fn on_request(&self, operation: &str, hook: impl FnMut(&Call) + Send + 'static) {
        let mut hooks = self.front.hooks.lock().unwrap_or_else(PoisonError::into_inner);
        hooks.entry(operation.to_owned()).or_default().push(Box::new(hook));
    }

    /// Takes no more connections, and drops all hooks and faults.
    pub fn stop(&self) {
        self.server.0.abort();
        self.front.hooks.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.front.faults.clear();
    }

    fn state(&self) -> &SharedState {
        &self.front.state
    }
}
