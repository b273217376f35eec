//! Faults on demand: which calls go wrong, and how.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::call::Call;
use super::quirks::Quirk;

/// How a call goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// This status and this code; without a code an answer without a body. Nothing is done.
    Refuse(u16, &'static str),
    /// Somebody does something to the store just before or after the call is carried out.
    Meddle(Meddling),
    /// The answer comes this much later (real time).
    Delay(Duration),
    /// 503 `SlowDown`; nothing is done.
    SlowDown,
    /// 500 `InternalError`; nothing is done.
    InternalError,
    /// 403 `AccessDenied`; nothing is done.
    AccessDenied,
    /// 200 with a body that is a bare `<Error>` of this code; nothing is done.
    ErrorBody(&'static str),
    /// The body ends after this many bytes, and Content-Length says so: only the XML tells.
    CutBody(usize),
    /// The connection breaks after this many bytes of a body whose Content-Length promises more.
    AbortBody(usize),
    /// 501 `NotImplemented`; nothing is done.
    NotImplemented,
    /// The call is carried out, and the connection closed without an answer.
    AnswerLost,
    /// Nothing is done, and the connection closed without an answer.
    Unreachable,
    /// A lifecycle configuration that is put becomes what another store makes of it.
    Quirk(Quirk),
    /// A read of a lifecycle configuration shows what the last write replaced.
    Stale,
    /// A listing answers with the continuation that it was asked with.
    RepeatToken,
    /// A listing has so many entries on a page at most, whatever is asked.
    ShortPages(usize),
    /// The answer carries this header with this value, or does not carry it.
    Header(&'static str, Option<&'static str>),
    /// A `DeleteObjects` fails for the keys that match, with this code.
    KeyError(&'static str),
    /// A `DeleteObjects` is carried out, but its answer leaves out the keys that match.
    OmitKey,
}

/// What somebody does to the store while a call is under way, and whether that is before or after it.
#[derive(Clone)]
pub struct Meddling {
    is_after: bool,
    act: Arc<dyn Fn(&Call) + Send + Sync>,
}

impl Effect {
    /// Something is done just before the call is carried out. It may be done with a clone of the sandbox,
    /// which then lives until its faults are cleared.
    pub fn before(act: impl Fn(&Call) + Send + Sync + 'static) -> Self {
        Self::Meddle(Meddling { is_after: false, act: Arc::new(act) })
    }

    /// Something is done as soon as the call was carried out, before it is answered.
    pub fn after(act: impl Fn(&Call) + Send + Sync + 'static) -> Self {
        Self::Meddle(Meddling { is_after: true, act: Arc::new(act) })
    }
}

impl fmt::Debug for Meddling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meddling").field("is_after", &self.is_after).finish_non_exhaustive()
    }
}

impl PartialEq for Meddling {
    fn eq(&self, other: &Self) -> bool {
        self.is_after == other.is_after && Arc::ptr_eq(&self.act, &other.act)
    }
}

impl Eq for Meddling {}

/// Which calls go wrong, and how. Without further conditions every call of the operation does.
#[derive(Clone, Debug)]
pub struct Fault {
    operation: String,
    bucket: Option<String>,
    key_part: String,
    skip: usize,
    times: usize,
    effect: Effect,
}

impl Fault {
    /// A fault of an operation, by S3's name of it (`DeleteObjects`); `*` stands for every one.
    pub fn on(operation: &str, effect: Effect) -> Self {
        Self {
            operation: operation.to_owned(),
            bucket: None,
            key_part: String::new(),
            skip: 0,
            times: usize::MAX,
            effect,
        }
    }

    /// Only in this bucket.
    pub fn bucket(mut self, name: &str) -> Self {
        self.bucket = Some(name.to_owned());
        self
    }

    /// Only for keys that contain this text; of many keys in one call, one is enough.
    pub fn key_containing(mut self, part: &str) -> Self {
        part.clone_into(&mut self.key_part);
        self
    }

    /// Only from the `first` matching call (the first is 1) to the `last`, both included.
    pub fn calls(mut self, first: usize, last: usize) -> Self {
        self.skip = first.saturating_sub(1);
        self.times = last.saturating_sub(self.skip);
        self
    }

    /// Only the first matching call.
    pub fn once(self) -> Self {
        self.calls(1, 1)
    }

    fn matches(&self, call: &Call) -> bool {
        (self.operation == "*" || self.operation == call.operation)
            && self.bucket.as_ref().is_none_or(|bucket| call.bucket.as_ref() == Some(bucket))
            && (self.key_part.is_empty() || call.keys.iter().any(|key| key.contains(&self.key_part)))
    }
}

/// The faults that are in force.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<Vec<Fault>>>);

impl Faults {
    /// Adds a fault.
    pub fn add(&self, fault: Fault) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(fault);
    }

    /// Takes all faults away.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// What happens to this call; counts it.
    pub(super) fn strike(&self, call: &Call) -> Strike {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut struck = Vec::new();
        for fault in faults.iter_mut().filter(|fault| fault.matches(call)) {
            if fault.skip > 0 {
                fault.skip -= 1;
            } else if fault.times > 0 {
                fault.times = fault.times.saturating_sub(1);
                struck.push((fault.effect.clone(), fault.key_part.clone()));
            }
        }
        Strike(Arc::new(struck))
    }
}

/// The effects on one call. Travels with the request to whoever answers it.
#[derive(Clone, Debug, Default)]
pub(super) struct Strike(Arc<Vec<(Effect, String)>>);

impl Strike {
    pub fn effects(&self) -> impl Iterator<Item = &Effect> {
        self.0.iter().map(|(effect, _)| effect)
    }

    pub fn has(&self, wanted: &Effect) -> bool {
        self.effects().any(|effect| effect == wanted)
    }

    /// Lets those meddle who do it before the call, or after it.
    pub fn meddle(&self, is_after: bool, call: &Call) {
        for effect in self.effects() {
            if let Effect::Meddle(meddling) = effect
                && meddling.is_after == is_after
            {
                (meddling.act)(call);
            }
        }
    }

    /// What a lifecycle configuration meets that is put.
    pub fn quirks(&self) -> impl Iterator<Item = Quirk> {
        self.effects().filter_map(|effect| match effect {
            Effect::Quirk(quirk) => Some(*quirk),
            _ => None,
        })
    }

    /// The error that a key of a `DeleteObjects` gets.
    pub fn key_error(&self, key: &str) -> Option<&'static str> {
        self.0.iter().find_map(|(effect, part)| match effect {
            Effect::KeyError(code) if key.contains(part) => Some(*code),
            _ => None,
        })
    }

    /// Whether the answer to a `DeleteObjects` leaves this key out.
    pub fn omits(&self, key: &str) -> bool {
        self.0.iter().any(|(effect, part)| *effect == Effect::OmitKey && key.contains(part))
    }
}
