//! Rows of a certificate, in clear or hidden behind a secret.

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use sha2::Sha256;

use super::standing::{Kept, Standing, standing};
use smol_str::SmolStr;

use crate::evidence::{Item, ItemResult, Told};
use crate::object::Kind;
use crate::text::hex;

/// What is shorter can be guessed.
const SHORTEST: usize = 16;

/// A secret of less than 16 bytes.
#[derive(Debug, thiserror::Error)]
#[error("the secret has {0} bytes; names can be guessed behind fewer than {SHORTEST}")]
pub struct ShortSecret(usize);

/// Hides names behind a secret: who has it and a name can find it again, nobody else can.
#[derive(Clone)]
pub struct Redaction(Hmac<Sha256>);

impl std::fmt::Debug for Redaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redaction(..)")
    }
}

impl Redaction {
    /// By this secret.
    ///
    /// # Errors
    /// If it is too short.
    pub fn by(secret: &[u8]) -> Result<Self, ShortSecret> {
        let short = ShortSecret(secret.len());
        if secret.len() < SHORTEST {
            return Err(short);
        }
        Hmac::new_from_slice(secret).map(Self).map_err(|_| short)
    }

    /// HMAC-SHA256 of bucket, key and version id (or upload id) with a NUL in between, in hex.
    pub fn item(&self, bucket: &str, key: &str, id: Option<&str>) -> String {
        self.of(&[bucket, key, id.unwrap_or_default()])
    }

    /// HMAC-SHA256 of a NUL, `tenant`, a NUL and the tenant, in hex.
    pub fn tenant(&self, tenant: &str) -> String {
        self.of(&["", "tenant", tenant])
    }

    fn of(&self, parts: &[&str]) -> String {
        let mut mac = self.0.clone();
        for (place, part) in parts.iter().enumerate() {
            if place > 0 {
                mac.update(b"\0");
            }
            mac.update(part.as_bytes());
        }
        hex(&mac.finalize().into_bytes())
    }
}

/// One item of a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// What became of it: `deleted`, `already gone`, `marker on top`, `put back`, …, or why it was kept.
    pub result: &'static str,
    /// When that was written down.
    pub at: DateTime<Utc>,
    /// `object`, `version`, `marker` or `upload`.
    pub kind: &'static str,
    /// The bucket.
    pub bucket: String,
    /// The key; `None` if it is hidden.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The version's or the upload's id; `None` if it is hidden.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What stands for key and id where they are hidden.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hmac: Option<String>,
    /// Bytes.
    pub size: u64,
    /// The rule; empty where an erasure removes what no rule covers.
    pub rule: String,
    /// The tenant, or what stands for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The erasure that it went by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub erasure: Option<String>,
}

impl Row {
    /// Of what is told of an item, hidden or not; `shows_tenant` even then.
    pub fn of(told: &Told, redaction: Option<&Redaction>, shows_tenant: bool) -> Self {
        let Item { kind, bucket, key, version_id, upload_id, size, tenant, rule, erasure, .. } = &told.item;
        let id = version_id.as_ref().or(upload_id.as_ref());
        let tenant = tenant.as_ref().map(|tenant| match redaction {
            Some(redaction) if !shows_tenant => redaction.tenant(tenant),
            _ => tenant.to_string(),
        });
        let result = match standing(told.item.action, told.result) {
            Standing::Deleted => match kind {
                Kind::Upload => "aborted",
                Kind::Object | Kind::Version | Kind::Marker => "deleted",
            },
            Standing::Gone => "already gone",
            Standing::Covered => "marker on top",
            Standing::Hidden => "hidden",
            Standing::Copied => "copied",
            Standing::PutBack if told.result == ItemResult::Restored => "put back",
            Standing::PutBack => "may be put back",
            Standing::Shown if told.result == ItemResult::MarkerRemoved => "made visible",
            Standing::Shown => "may be made visible",
            Standing::NotCovered => Kept::Failed.word(),
            Standing::Aside => told.result.word(),
            Standing::Kept(kept) => kept.word(),
        };
        Self {
            result,
            at: told.at,
            kind: kind.word(),
            bucket: bucket.to_string(),
            key: redaction.is_none().then(|| key.to_string()),
            id: id.filter(|_| redaction.is_none()).map(SmolStr::to_string),
            hmac: redaction.map(|redaction| redaction.item(bucket, key, id.map(SmolStr::as_str))),
            size: *size,
            rule: rule.to_string(),
            tenant,
            erasure: erasure.as_ref().map(SmolStr::to_string),
        }
    }
}
