//! A guard's verdict: a limit, what the plan would do to it, and what allows it all the same.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use crate::text;

/// Stands for a rule where all erasures together are held to the policy's guards. No rule's id
/// has capitals.
pub(super) const ERASURES: &str = "ERASURES";

/// Stands for a rule where a limit for each tenant holds what is of no known tenant.
pub(super) const NO_TENANT: &str = "NO-TENANT";

/// Stands for a rule where a limit for each tenant holds all small ones together.
pub(super) const SMALL_TENANTS: &str = "SMALL-TENANTS";

/// Stands for a rule where more tenants are beyond a limit than are named.
pub(super) const TENANTS: &str = "TENANTS";

/// A tenant is untrusted text; what is left of it means nothing to a shell or a terminal.
const NOT_PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// A limit and what the plan would do to it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GuardResult {
    /// The key in the policy, `max-share`.
    pub guard: String,
    /// The rule whose guard it is, or a word in capitals for other things that are counted together;
    /// `None` for the policy's own.
    pub rule: Option<String>,
    /// The bucket that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket: Option<String>,
    /// The tenant that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The record file that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<String>,
    /// The most that is allowed: objects, bytes, or a share of 0 to 1.
    pub limit: f64,
    /// What the plan would remove; of a record file, the share that is missing.
    pub value: f64,
    /// Whether the plan keeps within the limit.
    pub kept: bool,
    /// What limit or value were worked out from, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<String>,
}

impl GuardResult {
    /// What the names of all guards of single tenants begin with.
    pub const OF_TENANT: &str = "tenant:";

    /// The guard that is broken where there are more tenants than are counted.
    pub const PER_TENANT: &'static str = "per-tenant";

    /// What to pass to accept it: `max-share`; `ott-media:max-share` for a rule's own,
    /// `ERASURES:max-share` for what goes by erasures; `bucket:acme-media:max-share`,
    /// `tenant:4711:max-share`, with the tenant percent-encoded; `customers:max-shrink`.
    pub fn name(&self) -> String {
        let guard = &self.guard;
        if let Some(tenant) = &self.tenant {
            return format!("{}{}:{guard}", Self::OF_TENANT, utf8_percent_encode(tenant, NOT_PLAIN));
        }
        if let Some(bucket) = &self.bucket {
            return format!("bucket:{bucket}:{guard}");
        }
        match self.rule.as_ref().or(self.records.as_ref()) {
            Some(of) => format!("{of}:{guard}"),
            None => guard.clone(),
        }
    }

    /// Whether `accepted` names it, or all tenants at once.
    pub fn is_accepted(&self, accepted: &[String]) -> bool {
        let all_tenants = self.tenant.is_some().then(|| format!("{TENANTS}:{}", self.guard));
        accepted.iter().any(|name| *name == self.name() || Some(name) == all_tenants.as_ref())
    }

    /// The limit and the value in words.
    pub fn describe(&self) -> String {
        let (name, value, limit) = (self.name(), self.figure(self.value), self.figure(self.limit));
        let basis = self.basis.as_ref().map(|basis| format!(": {basis}")).unwrap_or_default();
        match (self.guard.as_str(), self.rule.as_deref()) {
            (Self::PER_TENANT, _) => format!(
                "{name} counts {} tenants at most, and there are more: what the others would lose is not known",
                text::count(whole(self.limit))
            ),
            (_, Some(TENANTS)) => {
                let more = text::count(whole(self.value));
                format!("{name} is broken for {more} tenants more, the limit is {limit}")
            }
            ("max-shrink", _) => format!("{name} finds {value} missing, the limit is {limit}{basis}"),
            _ => format!("{name} would remove {value}, the limit is {limit}{basis}"),
        }
    }

    fn figure(&self, number: f64) -> String {
        match self.guard.as_str() {
            "max-share" | "max-shrink" => format!("{:.1}%", number * 100.0),
            "max-bytes" => text::bytes(whole(number)),
            _ if number == 1.0 => "1 object".to_owned(),
            _ => format!("{} objects", text::count(whole(number))),
        }
    }

    /// What in the policy would allow it, in words.
    pub fn remedy(&self) -> String {
        let guard = &self.guard;
        match (self.rule.as_deref(), &self.bucket, &self.tenant) {
            _ if guard == Self::PER_TENANT => "take `per-tenant` out of the policy's `guards`".to_owned(),
            (_, Some(_), _) => format!("raise `{guard}` under `guards: per-bucket:`"),
            (Some(TENANTS | SMALL_TENANTS | NO_TENANT), ..) | (_, _, Some(_)) => {
                format!("raise `{guard}` under `guards: per-tenant:`")
            }
            (Some(rule), ..) if rule != ERASURES => {
                format!("raise `{guard}` in the `guards` of the rule `{rule}`")
            }
            _ => format!("raise `{guard}` in the policy's `guards`"),
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts, made from u64")]
const fn whole(number: f64) -> u64 {
    number as u64
}
