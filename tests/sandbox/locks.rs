//! Object Lock, legal holds, MFA delete.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::{
    DefaultRetention, Delete, ObjectIdentifier, ObjectLockConfiguration, ObjectLockEnabled,
    ObjectLockLegalHold, ObjectLockLegalHoldStatus, ObjectLockRetention, ObjectLockRetentionMode,
    ObjectLockRule,
};
use shelflife::sandbox::{BucketOptions, LockConfiguration, Sandbox, Versioning};

use crate::client::{at, put, refusal, sandbox, says};

async fn lockable() -> (Sandbox, Client) {
    let (sandbox, client) = sandbox().await;
    client.delete_bucket().bucket("media").send().await.unwrap();
    let lock = Some(LockConfiguration::default());
    sandbox.create_bucket(BucketOptions { lock, ..BucketOptions::named("media") }).unwrap();
    (sandbox, client)
}

async fn retain(
    client: &Client,
    mode: ObjectLockRetentionMode,
    until: &str,
    bypass: bool,
) -> Result<(), (String, u16)> {
    let retention = ObjectLockRetention::builder()
        .mode(mode)
        .retain_until_date(DateTime::from_secs(at(until).timestamp()))
        .build();
    let request = client.put_object_retention().bucket("media").key("a").retention(retention);
    let answer = request.set_bypass_governance_retention(bypass.then_some(true)).send().await;
    if answer.is_ok() { Ok(()) } else { Err(refusal(answer)) }
}

#[tokio::test]
async fn a_locked_version_cannot_be_removed_but_can_be_hidden() {
    let (sandbox, client) = lockable().await;
    let version = put(&client, "a", "1").await;
    retain(&client, ObjectLockRetentionMode::Compliance, "2026-02-01T00:00:00Z", false).await.unwrap();
    let remove = |bypass: bool| {
        let remove = client.delete_object().bucket("media").key("a").version_id(&version);
        remove.set_bypass_governance_retention(bypass.then_some(true)).send()
    };
    assert_eq!(refusal(remove(false).await), says("AccessDenied", 403));
    assert_eq!(refusal(remove(true).await), says("AccessDenied", 403));
    let named = ObjectIdentifier::builder().key("a").version_id(&version).build().unwrap();
    let batch = Delete::builder().objects(named).build().unwrap();
    let batch = client.delete_objects().bucket("media").delete(batch).send().await.unwrap();
    assert_eq!(batch.errors()[0].code(), Some("AccessDenied"));
    let hidden = client.delete_object().bucket("media").key("a").send().await.unwrap();
    assert_eq!(hidden.delete_marker(), Some(true));

    sandbox.advance_to(at("2026-01-31T23:59:59Z")).unwrap();
    assert_eq!(refusal(remove(false).await), says("AccessDenied", 403));
    sandbox.advance_to(at("2026-02-01T00:00:00Z")).unwrap();
    remove(false).await.unwrap();
}

#[tokio::test]
async fn governance_yields_to_a_bypass_and_compliance_does_not() {
    let (_sandbox, client) = lockable().await;
    put(&client, "a", "1").await;
    let (governance, compliance) = (ObjectLockRetentionMode::Governance, ObjectLockRetentionMode::Compliance);
    retain(&client, governance.clone(), "2026-03-01T00:00:00Z", false).await.unwrap();
    let shorter = retain(&client, governance.clone(), "2026-02-01T00:00:00Z", false).await;
    assert_eq!(shorter, Err(says("AccessDenied", 403)));
    retain(&client, governance.clone(), "2026-04-01T00:00:00Z", false).await.unwrap();
    retain(&client, governance.clone(), "2026-02-01T00:00:00Z", true).await.unwrap();
    retain(&client, compliance.clone(), "2026-03-01T00:00:00Z", false).await.unwrap();
    for (mode, until) in [(compliance.clone(), "2026-02-01T00:00:00Z"), (governance, "2026-04-01T00:00:00Z")]
    {
        assert_eq!(retain(&client, mode, until, true).await, Err(says("AccessDenied", 403)));
    }
    let past = retain(&client, compliance, "2026-01-01T00:00:00Z", false).await;
    assert_eq!(past, Err(says("InvalidArgument", 400)));
}

#[tokio::test]
async fn a_legal_hold_keeps_a_version_whatever_is_bypassed() {
    let (_sandbox, client) = lockable().await;
    let version = put(&client, "a", "1").await;
    let none = client.get_object_legal_hold().bucket("media").key("a").send().await;
    assert_eq!(refusal(none), says("NoSuchObjectLockConfiguration", 404));
    let set = |status: ObjectLockLegalHoldStatus| {
        let hold = ObjectLockLegalHold::builder().status(status).build();
        client.put_object_legal_hold().bucket("media").key("a").legal_hold(hold).send()
    };
    set(ObjectLockLegalHoldStatus::On).await.unwrap();
    let head = client.head_object().bucket("media").key("a").send().await.unwrap();
    assert_eq!(head.object_lock_legal_hold_status(), Some(&ObjectLockLegalHoldStatus::On));
    let remove = || {
        let remove = client.delete_object().bucket("media").key("a").version_id(&version);
        remove.bypass_governance_retention(true).send()
    };
    assert_eq!(refusal(remove().await), says("AccessDenied", 403));
    set(ObjectLockLegalHoldStatus::Off).await.unwrap();
    let off = client.get_object_legal_hold().bucket("media").key("a").send().await.unwrap();
    assert_eq!(off.legal_hold().unwrap().status(), Some(&ObjectLockLegalHoldStatus::Off));
    remove().await.unwrap();
}

#[tokio::test]
async fn default_retention_stamps_new_versions() {
    let (_sandbox, client) = lockable().await;
    put(&client, "before", "1").await;
    let retention = DefaultRetention::builder().mode(ObjectLockRetentionMode::Governance).days(10).build();
    let configuration = ObjectLockConfiguration::builder()
        .object_lock_enabled(ObjectLockEnabled::Enabled)
        .rule(ObjectLockRule::builder().default_retention(retention).build())
        .build();
    let set = client.put_object_lock_configuration().bucket("media");
    set.object_lock_configuration(configuration.clone()).send().await.unwrap();
    let got = client.get_object_lock_configuration().bucket("media").send().await.unwrap();
    assert_eq!(got.object_lock_configuration(), Some(&configuration));
    put(&client, "a", "1").await;
    let retention = client.get_object_retention().bucket("media").key("a").send().await.unwrap();
    let until = retention.retention().unwrap().retain_until_date().unwrap().secs();
    assert_eq!(until, at("2026-01-25T10:30:00Z").timestamp());
    let before = client.get_object_retention().bucket("media").key("before").send().await;
    assert_eq!(refusal(before), says("NoSuchObjectLockConfiguration", 404));
}

#[tokio::test]
async fn buckets_without_object_lock_say_so() {
    let (_sandbox, client) = sandbox().await;
    put(&client, "a", "1").await;
    let configuration = client.get_object_lock_configuration().bucket("media").send().await;
    assert_eq!(refusal(configuration), says("ObjectLockConfigurationNotFoundError", 404));
    let retention = client.get_object_retention().bucket("media").key("a").send().await;
    assert_eq!(refusal(retention), says("InvalidRequest", 400));
    let held = client.put_object().bucket("media").key("b");
    let held = held.object_lock_legal_hold_status(ObjectLockLegalHoldStatus::On).send().await;
    assert_eq!(refusal(held), says("InvalidRequest", 400));
}

#[tokio::test]
async fn mfa_delete_guards_versions_and_forbids_lifecycle_rules() {
    let (sandbox, client) = sandbox().await;
    let guarded = BucketOptions {
        versioning: Versioning::Enabled,
        mfa_delete: true,
        ..BucketOptions::named("guarded")
    };
    sandbox.create_bucket(guarded).unwrap();
    let stored = client.put_object().bucket("guarded").key("a").send().await.unwrap();
    let version = stored.version_id().unwrap();
    let remove = || client.delete_object().bucket("guarded").key("a").version_id(version);
    assert_eq!(refusal(remove().send().await), says("AccessDenied", 403));
    let named = ObjectIdentifier::builder().key("a").version_id(version).build().unwrap();
    let other = ObjectIdentifier::builder().key("b").build().unwrap();
    let batch = Delete::builder().objects(other).objects(named).build().unwrap();
    let batch = client.delete_objects().bucket("guarded").delete(batch).send().await;
    assert_eq!(refusal(batch), says("AccessDenied", 403));
    client.delete_object().bucket("guarded").key("a").send().await.unwrap();
    remove().mfa("serial 123456").send().await.unwrap();
    let status = client.get_bucket_versioning().bucket("guarded").send().await.unwrap();
    assert_eq!(status.mfa_delete().unwrap().as_str(), "Enabled");
    let rules = "<LifecycleConfiguration><Rule><Filter/><Status>Enabled</Status><Expiration><Days>1</Days>\
                 </Expiration></Rule></LifecycleConfiguration>";
    assert_eq!(sandbox.put_lifecycle("guarded", rules).unwrap_err().code, "InvalidBucketState");
}
