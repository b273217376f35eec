//! What goes wrong in the store and on the wire.

use std::sync::Arc;
use std::time::Duration;

use shelflife::sandbox::{Effect, Fault};

use crate::scene::Kind;
use crate::stage::Stage;

/// How far behind the store's clock is as a rule: so it can be turned forward while ours stands where it is.
pub const BEHIND_DAYS: i64 = -4;

/// Something that goes wrong for a while.
#[derive(Clone)]
pub struct Trouble {
    pub name: &'static str,
    /// Whether it goes wrong while a plan is made.
    pub plan: bool,
    /// Whether it goes wrong while it is carried out.
    pub apply: bool,
    /// In which buckets it can.
    pub kinds: fn(Kind) -> bool,
    /// How many days the store's clock is off.
    pub skew_days: i64,
    /// Others change what is there.
    pub meddles: bool,
    /// Others remove what is due as well.
    pub others_remove: bool,
    /// Deletions fail and delete markers do not, so that a latest version is covered whose older ones would have
    /// gone: what is left of the key then waits for the next days.
    pub covers: bool,
    /// Arranges for it.
    pub arrange: Arc<dyn Fn(&Stage) + Send + Sync>,
}

impl Trouble {
    pub fn new(name: &'static str, arrange: impl Fn(&Stage) + Send + Sync + 'static) -> Self {
        Self {
            name,
            plan: true,
            apply: true,
            kinds: |_| true,
            skew_days: BEHIND_DAYS,
            meddles: false,
            others_remove: false,
            covers: false,
            arrange: Arc::new(arrange),
        }
    }

    fn of(name: &'static str, faults: Vec<Fault>) -> Self {
        Self::new(name, move |stage| {
            faults.iter().for_each(|fault| stage.sandbox.faults().add(fault.clone()))
        })
    }

    /// Only where things are deleted.
    pub fn when_applied(self) -> Self {
        Self { plan: false, ..self }
    }
}

const DELETIONS: [&str; 3] = ["DeleteObjects", "DeleteObject", "AbortMultipartUpload"];
const READINGS: [&str; 4] = ["HeadObject", "GetObjectTagging", "GetObjectRetention", "GetObjectLegalHold"];
const ALWAYS: usize = usize::MAX;

fn each(operations: &[&str], effect: &Effect, first: usize, last: usize) -> Vec<Fault> {
    operations.iter().map(|operation| Fault::on(operation, effect.clone()).calls(first, last)).collect()
}

fn any(effect: Effect, first: usize, last: usize) -> Vec<Fault> {
    each(&["*"], &effect, first, last)
}

pub fn all() -> Vec<Trouble> {
    let batch = |effect: Effect| Fault::on("DeleteObjects", effect);
    let retry_after = || Effect::Header("retry-after", Some("1"));
    let mut all = vec![
        Trouble::of("500 for a while", any(Effect::InternalError, 3, 6)),
        Trouble::of("500 from the fifth call on", any(Effect::InternalError, 5, ALWAYS)),
        Trouble::of("503 for a while", any(Effect::SlowDown, 2, 5)),
        Trouble::of("503 without a body", any(Effect::Refuse(503, ""), 4, 6)),
        Trouble::of("429 without a body", any(Effect::Refuse(429, ""), 4, 6)),
        Trouble::of(
            "503 with Retry-After",
            [any(Effect::Refuse(503, ""), 6, 6), any(retry_after(), 6, 6)].concat(),
        ),
        Trouble::of("403 midway", any(Effect::AccessDenied, 8, ALWAYS)),
        Trouble::of("403 on what is read of an object", each(&READINGS, &Effect::AccessDenied, 1, ALWAYS)),
        Trouble::of("500 on what is read of an object", each(&READINGS, &Effect::InternalError, 2, ALWAYS)),
        Trouble::of("credentials expire midway", any(Effect::Refuse(400, "ExpiredToken"), 7, ALWAYS)),
        Trouble::of(
            "the clock is refused midway",
            any(Effect::Refuse(403, "RequestTimeTooSkewed"), 6, ALWAYS),
        ),
        Trouble::of("bodies cut", any(Effect::CutBody(150), 2, 7)),
        Trouble::of("bodies cut for good", any(Effect::CutBody(150), 7, ALWAYS)),
        Trouble::of("bodies broken off", any(Effect::AbortBody(90), 2, 7)),
        Trouble::of("delays", any(Effect::Delay(Duration::from_millis(15)), 1, ALWAYS)),
        Trouble::of("calls that do not arrive", any(Effect::Unreachable, 3, 6)),
        Trouble::of("gone from the ninth call on", any(Effect::Unreachable, 9, ALWAYS)),
        Trouble::of("answers lost", any(Effect::AnswerLost, 4, 8)),
        Trouble::of(
            "500 in the body of a listing",
            each(&["ListObjectVersions"], &Effect::ErrorBody("InternalError"), 1, 2),
        ),
        Trouble::of(
            "no listing of uploads",
            each(&["ListMultipartUploads"], &Effect::AccessDenied, 1, ALWAYS),
        ),
        Trouble { skew_days: 3, ..Trouble::of("the store's clock is ahead", Vec::new()) },
        Trouble { skew_days: 0, ..Trouble::of("both clocks are right", Vec::new()) },
    ];
    all.extend(
        [
            Trouble::of("answers to deletions lost", each(&DELETIONS, &Effect::AnswerLost, 1, 1)),
            Trouble::of(
                "answers to deletions lost for good",
                each(&DELETIONS, &Effect::AnswerLost, 1, ALWAYS),
            ),
            Trouble::of(
                "answers to deletions lost, and nothing after them",
                [
                    each(&DELETIONS, &Effect::AnswerLost, 1, ALWAYS),
                    each(&["ListObjectVersions", "ListMultipartUploads"], &Effect::Unreachable, 4, ALWAYS),
                ]
                .concat(),
            ),
            Trouble::of("SlowDown in the body", vec![batch(Effect::ErrorBody("SlowDown")).calls(1, 2)]),
            Trouble {
                covers: true,
                ..Trouble::of("500 in the body for good", vec![batch(Effect::ErrorBody("InternalError"))])
            },
            Trouble::of("deletions refused", each(&DELETIONS, &Effect::AccessDenied, 1, ALWAYS)),
            Trouble { covers: true, ..Trouble::of("no batches", vec![batch(Effect::NotImplemented)]) },
            Trouble::of("no single deletions", each(&DELETIONS[1..], &Effect::NotImplemented, 1, ALWAYS)),
            Trouble::of("cut answers to deletions", vec![batch(Effect::CutBody(150)).once()]),
            Trouble::of("deletions that do not arrive", each(&DELETIONS, &Effect::Unreachable, 1, ALWAYS)),
            Trouble::of(
                "keys slowed down",
                vec![batch(Effect::KeyError("SlowDown")).key_containing("old-0").once()],
            ),
            Trouble::of(
                "keys failed",
                vec![batch(Effect::KeyError("InternalError")).key_containing("old-03").calls(1, 2)],
            ),
            Trouble::of(
                "keys refused",
                vec![batch(Effect::KeyError("AccessDenied")).key_containing("old-0")],
            ),
            Trouble::of(
                "keys with an unknown error",
                vec![batch(Effect::KeyError("Whatever")).key_containing("old-1")],
            ),
            Trouble::of("keys passed over", vec![batch(Effect::OmitKey).key_containing("old-0")]),
        ]
        .map(Trouble::when_applied),
    );
    all
}
