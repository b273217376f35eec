//! Runs lifecycle rules at midnight UTC, as S3 documents it (UG:intro-lifecycle-rules,
//! UG:lifecycle-conflicts, UG:how-to-set-lifecycle-configuration-intro).
//!
//! S3 acts some time after an object has become eligible; here it acts at the very midnight, or
//! [`Settings::lag_days`] later. Where S3 documents nothing, this is what the sandbox does: delete markers
//! match rules by prefix only; noncurrent delete markers count as versions that are kept; a delete marker
//! becomes sole at one midnight and goes at the next.

use chrono::{DateTime, Utc};

use super::due::{Due, expiry};
use super::eligibility::Settings;
use super::event::{LifecycleAction, LifecycleEvent};
use super::journal::Deed;
use super::model::{Bucket, NULL_VERSION, Upload, Version, Versioning};
use super::objects::http_date;
use super::rules::LifecycleConfiguration;

impl Bucket {
    /// Does all that is due at the midnight `at`.
    pub fn run_lifecycle(&mut self, at: DateTime<Utc>, settings: Settings) -> Vec<LifecycleEvent> {
        let Some(configuration) = self.lifecycle.take() else { return Vec::new() };
        let mut events = Vec::new();
        for (key, sequence, action, rule) in self.due(&configuration, at, settings) {
            self.carry_out(&key, sequence, action, rule, at, &mut events);
        }
        self.lifecycle = Some(configuration);
        events
    }

    /// What is due, as key, place among the writes, action and rule.
    fn due(
        &self,
        configuration: &LifecycleConfiguration,
        at: DateTime<Utc>,
        settings: Settings,
    ) -> Vec<(String, u64, LifecycleAction, String)> {
        let due = Due::new(configuration, self.versioning, settings, at);
        let mut steps = Vec::new();
        if due.has_rules() {
            for (key, versions) in &self.keys {
                let of_key = due.of_key(key, versions).into_iter();
                steps.extend(
                    of_key.map(|(version, action, rule)| {
                        (key.clone(), version.sequence, action, rule.id.clone())
                    }),
                );
            }
            for ((key, sequence), upload) in &self.uploads {
                if let Some(rule) = due.of_upload(key, upload.initiated) {
                    steps.push((key.clone(), *sequence, LifecycleAction::UploadAborted, rule.id.clone()));
                }
            }
        }
        steps
    }

    fn carry_out(
        &mut self,
        key: &str,
        sequence: u64,
        action: LifecycleAction,
        rule: String,
        at: DateTime<Utc>,
        events: &mut Vec<LifecycleEvent>,
    ) {
        let bucket = self.name.clone();
        let mut report = |version_id: String, size: u64, action: LifecycleAction| {
            events.push(LifecycleEvent {
                bucket: bucket.clone(),
                key: key.to_owned(),
                version_id,
                action,
                size,
                rule: rule.clone(),
                at,
            });
        };
        match action {
            LifecycleAction::UploadAborted => {
                if let Some(upload) = self.take_upload(&(key.to_owned(), sequence)) {
                    let Upload { id, parts, .. } = upload;
                    report(id, parts.values().map(|part| part.body.len()).sum(), action);
                }
            }
            LifecycleAction::Expired
            | LifecycleAction::NoncurrentExpired
            | LifecycleAction::MarkerRemoved => {
                if let Some(version) = self.take_version(key, sequence) {
                    report(version.id.clone(), version.size(), action);
                }
            }
            LifecycleAction::Transitioned(class) => {
                let latest = self.current(key).map(|version| version.sequence);
                let versions = self.keys.get_mut(key).into_iter().flatten();
                for version in versions.filter(|version| version.sequence == sequence) {
                    if let Some(object) = &mut version.object {
                        object.attributes.storage_class = Some(class.clone());
                    }
                    self.journal.note(&self.name, Deed::Altered, key, version, latest == Some(sequence));
                    report(version.id.clone(), version.size(), LifecycleAction::Transitioned(class.clone()));
                }
            }
            LifecycleAction::Hidden => {
                // Under suspended versioning the new marker takes the place of the null version.
                let suspended = self.versioning == Versioning::Suspended;
                for version in self.keys.get(key).into_iter().flatten() {
                    if suspended && version.id == NULL_VERSION {
                        report(version.id.clone(), version.size(), LifecycleAction::Expired);
                    } else if version.sequence == sequence {
                        report(version.id.clone(), version.size(), LifecycleAction::Hidden);
                    }
                }
                self.push(key, at, None);
            }
        }
    }

    fn take_version(&mut self, key: &str, sequence: u64) -> Option<Version> {
        let versions = self.keys.get_mut(key)?;
        let at = versions.iter().position(|version| version.sequence == sequence)?;
        let version = versions.remove(at);
        self.journal.note(&self.name, Deed::Removed, key, &version, at == versions.len());
        if versions.is_empty() {
            self.keys.remove(key);
        }
        Some(version)
    }

    /// The value of `x-amz-expiration` for a current object version, if a rule will expire it.
    pub fn expiration_header(&self, key: &str, version: &Version, settings: Settings) -> Option<String> {
        let is_current = self.current(key)?.sequence == version.sequence;
        let configuration = self.lifecycle.as_ref().filter(|_| is_current)?;
        let enabled = configuration.rules.iter().filter(|rule| rule.enabled);
        let (at, rule) = expiry(enabled, key, version, settings)?;
        let id = percent_encoding::utf8_percent_encode(&rule.id, percent_encoding::NON_ALPHANUMERIC);
        Some(format!("expiry-date=\"{}\", rule-id=\"{id}\"", http_date(at)))
    }
}
