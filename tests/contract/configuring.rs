//! Lifecycle configurations: stored as written, read back with the same meaning, and foretold by HEAD.

use aws_sdk_s3::types::BucketVersioningStatus;
use chrono::{DateTime, Utc};
use shelflife::calendar::Period;
use shelflife::lifecycle::{
    Action, LifecycleDocument, Merge, OwnedRule, Surroundings, Target, compile, eligible_at, merge,
    same_meaning,
};
use shelflife::object::BucketFacts;
use shelflife::policy::{Enforce, Guards, Noncurrent, Outside, Policy, Rule, Select, Source, Trigger};
use shelflife::s3::{Bucket, StoreError, StoredLifecycle};

use crate::subject::{Difference, Subject};

on_every_store! {
    a_bucket_has_no_configuration_until_one_is_put_and_none_after_it_is_deleted,
    what_we_write_reads_back_with_the_same_meaning,
    the_minimum_size_of_transitions_stays_as_it_was_sent,
    the_rules_of_others_stay_beside_ours,
    rules_that_s3_refuses_are_refused,
    the_old_forms_are_taken,
    head_foretells_the_expiration_that_we_compute,
}

fn stored(document: &LifecycleDocument) -> StoredLifecycle {
    StoredLifecycle { xml: document.to_xml(), transition_default_minimum_object_size: None }
}

fn document(rules: &str) -> LifecycleDocument {
    let namespace = "http://s3.amazonaws.com/doc/2006-03-01/";
    let xml = format!("<LifecycleConfiguration xmlns=\"{namespace}\">{rules}</LifecycleConfiguration>");
    LifecycleDocument::read(&xml).unwrap()
}

fn put_of(target: &Target) -> &LifecycleDocument {
    let Target::Put(document) = target else { panic!("nothing to put") };
    document
}

async fn read_back(bucket: &Bucket) -> LifecycleDocument {
    LifecycleDocument::read(&bucket.lifecycle().await.unwrap().unwrap().xml).unwrap()
}

/// Everything that a rule of ours can say.
fn ours() -> Merge {
    let expire = Action::Expire { days: 30, noncurrent_days: Some(1), abort_days: Some(7) };
    let rules = [
        OwnedRule::new("acme", "ott-media", "inbound/", expire),
        OwnedRule::new("acme", "ott-media", "inbound/", Action::RemoveMarkers),
        OwnedRule::new("acme", "e-mail & <co> ö", "a & <b> \"ö\"/'\u{1f4ce}/", expire),
        OwnedRule::new("acme", "everything", "", expire),
    ];
    merge(None, "acme", &rules).unwrap()
}

async fn a_bucket_has_no_configuration_until_one_is_put_and_none_after_it_is_deleted(store: &Subject) {
    let bucket = store.bucket().await;
    assert_eq!(bucket.lifecycle().await.unwrap(), None);
    bucket.put_lifecycle(&stored(put_of(&ours().after))).await.unwrap();
    assert!(bucket.lifecycle().await.unwrap().is_some());
    bucket.delete_lifecycle().await.unwrap();
    assert_eq!(bucket.lifecycle().await.unwrap(), None);
    bucket.delete_lifecycle().await.unwrap();
}

async fn what_we_write_reads_back_with_the_same_meaning(store: &Subject) {
    let bucket = store.versioned().await;
    let merged = ours();
    for step in [&merged.staged, &merged.after] {
        let written = put_of(step);
        bucket.put_lifecycle(&stored(written)).await.unwrap();
        assert_eq!(same_meaning(written, &read_back(&bucket).await), Ok(()));
    }
    // And the comparison can fail: the one step is not the other.
    assert!(same_meaning(put_of(&merged.staged), &read_back(&bucket).await).is_err());
}

async fn the_minimum_size_of_transitions_stays_as_it_was_sent(store: &Subject) {
    let bucket = store.bucket().await;
    let configuration = stored(put_of(&ours().after));
    for size in ["varies_by_storage_class", "all_storage_classes_128K"] {
        let transition_default_minimum_object_size = Some(size.to_owned());
        let sent = StoredLifecycle { transition_default_minimum_object_size, ..configuration.clone() };
        bucket.put_lifecycle(&sent).await.unwrap();
        let found = bucket.lifecycle().await.unwrap().unwrap();
        assert_eq!(found.transition_default_minimum_object_size.as_deref(), Some(size));
    }
}

/// Rules in the forms that careless tools lose.
const FOREIGN: &str = "<Rule><ID>by tag</ID><Filter><Tag><Key>archive</Key><Value>yes &amp; no</Value></Tag></Filter>\
    <Status>Enabled</Status><Transition><Days>90</Days><StorageClass>GLACIER</StorageClass></Transition></Rule>\
    <Rule><ID>by all</ID><Filter><And><Prefix>exports/</Prefix><Tag><Key>a</Key><Value>1</Value></Tag>\
    <Tag><Key>b</Key><Value>2</Value></Tag><ObjectSizeGreaterThan>1024</ObjectSizeGreaterThan>\
    <ObjectSizeLessThan>4096</ObjectSizeLessThan></And></Filter><Status>Disabled</Status>\
    <Expiration><Days>3650</Days></Expiration><NoncurrentVersionExpiration><NoncurrentDays>7</NoncurrentDays>\
    <NewerNoncurrentVersions>3</NewerNoncurrentVersions></NoncurrentVersionExpiration></Rule>\
    <Rule><ID>by size</ID><Filter><ObjectSizeGreaterThan>500</ObjectSizeGreaterThan></Filter>\
    <Status>Enabled</Status><Expiration><Date>2040-01-01T00:00:00.000Z</Date></Expiration></Rule>";

async fn the_rules_of_others_stay_beside_ours(store: &Subject) {
    let bucket = store.versioned().await;
    let foreign = document(FOREIGN);
    bucket.put_lifecycle(&stored(&foreign)).await.unwrap();
    let before = read_back(&bucket).await;
    assert_eq!(same_meaning(&foreign, &before), Ok(()));

    let rule = OwnedRule::new(
        "acme",
        "ott-media",
        "inbound/",
        Action::Expire { days: 30, noncurrent_days: None, abort_days: None },
    );
    let merged = merge(Some(&before), "acme", &[rule]).unwrap();
    for step in [&merged.staged, &merged.after] {
        bucket.put_lifecycle(&stored(put_of(step))).await.unwrap();
        assert_eq!(same_meaning(put_of(step), &read_back(&bucket).await), Ok(()));
    }
    let removed = merge(Some(&read_back(&bucket).await), "acme", &[]).unwrap();
    bucket.put_lifecycle(&stored(put_of(&removed.after))).await.unwrap();
    assert_eq!(same_meaning(&foreign, &read_back(&bucket).await), Ok(()));
}

async fn put_rules(bucket: &Bucket, rules: &str) -> Result<(), StoreError> {
    let xml = format!("<LifecycleConfiguration>{rules}</LifecycleConfiguration>");
    bucket.put_lifecycle(&StoredLifecycle { xml, transition_default_minimum_object_size: None }).await
}

fn rule(id: &str, days: u32) -> String {
    format!(
        "<Rule>{id}<Filter><Prefix>in/</Prefix></Filter><Status>Enabled</Status>\
         <Expiration><Days>{days}</Days></Expiration></Rule>"
    )
}

async fn rules_that_s3_refuses_are_refused(store: &Subject) {
    let bucket = store.bucket().await;
    let many: String = (0..=1_000).map(|number| rule(&format!("<ID>r{number}</ID>"), 30)).collect();
    for (name, rules) in [
        ("no days", rule("<ID>zero</ID>", 0)),
        ("two of one id", rule("<ID>same</ID>", 30) + &rule("<ID>same</ID>", 60)),
        ("1,001 rules", many),
    ] {
        let put = put_rules(&bucket, &rules).await;
        if store.differs(Difference::UnsoundRulesAreStored) {
            assert!(put.is_ok(), "{name}: {put:?}");
        } else {
            assert_eq!(put.unwrap_err().status(), Some(400), "{name}");
            assert_eq!(bucket.lifecycle().await.unwrap(), None);
        }
    }
}

async fn the_old_forms_are_taken(store: &Subject) {
    let bucket = store.bucket().await;
    let by_prefix = "<Rule><ID>v1</ID><Prefix>in/</Prefix><Status>Enabled</Status>\
                     <Expiration><Days>30</Days></Expiration></Rule>";
    for (name, rules) in [("no id", rule("", 30)), ("a prefix of its own", by_prefix.to_owned())] {
        let put = put_rules(&bucket, &rules).await;
        if store.differs(Difference::LegalRulesAreRefused) {
            assert_eq!(put.unwrap_err().status(), Some(400), "{name}");
        } else {
            put.unwrap();
            assert_eq!(read_back(&bucket).await.rules().len(), 1, "{name}");
            assert_eq!(read_back(&bucket).await.is_v1(), name != "no id");
        }
    }
}

/// A rule of this prefix and period from the upload on, given to S3.
fn uploaded_rule(id: &str, prefix: &str, retain: Period) -> Rule {
    Rule {
        id: id.to_owned(),
        data: None,
        select: Select { prefix: Some(prefix.to_owned()), ..Select::default() },
        trigger: Trigger {
            name: None,
            format: None,
            source: Source::Uploaded,
            within: None,
            outside: Outside::Undecided,
            if_missing: None,
        },
        retain,
        enforce: Enforce::Lifecycle,
        noncurrent: Some(Noncurrent { retain: Period::days(1), newer_versions: 0 }),
        incomplete_uploads: None,
        transitions: Vec::new(),
        export: None,
        undo_window: None,
        evidence_per_object: false,
        guards: Guards::default(),
    }
}

fn policy(rules: Vec<Rule>) -> Policy {
    Policy {
        name: "acme".to_owned(),
        timezone: chrono_tz::UTC,
        account: None,
        tenant: Vec::new(),
        tables: Vec::new(),
        rules,
        overrides: Vec::new(),
        holds: Vec::new(),
        guards: Guards::default(),
        tolerance_days: 10,
        evidence_retain: None,
        digest: String::new(),
        erasures: Vec::new(),
        holds_digest: String::new(),
    }
}

/// Date and rule of `x-amz-expiration`.
fn foretold(header: &str) -> (DateTime<Utc>, String) {
    let mut quoted = header.split('"').skip(1).step_by(2);
    let date = DateTime::parse_from_rfc2822(quoted.next().unwrap()).unwrap().to_utc();
    let rule = percent_encoding::percent_decode_str(quoted.next().unwrap()).decode_utf8().unwrap();
    (date, rule.into_owned())
}

async fn head_foretells_the_expiration_that_we_compute(store: &Subject) {
    for versioned in [false, true] {
        let bucket = store.bucket().await;
        if versioned {
            store.set_versioning(&bucket, BucketVersioningStatus::Enabled).await;
        }
        let facts: BucketFacts = bucket.facts().await.unwrap();
        let policy = policy(vec![
            uploaded_rule("media", "inbound/", Period::days(30)),
            uploaded_rule("mail", "attachments/", Period::months(12)),
            uploaded_rule("calls", "recordings/", Period { months: 6, days: 3 }),
        ]);
        let compiled = compile(&policy, &facts, &Surroundings::default(), Utc::now());
        let merged = merge(None, "acme", &compiled.rules).unwrap();

        // What is disabled foretells nothing.
        bucket.put_lifecycle(&stored(put_of(&merged.staged))).await.unwrap();
        store.put(&bucket, "inbound/k", "medium").await;
        let expiration = bucket.head("inbound/k", None).await.unwrap().expiration;
        assert_eq!(expiration.is_some(), store.differs(Difference::DisabledRulesAreForetold));

        bucket.put_lifecycle(&stored(put_of(&merged.after))).await.unwrap();
        for (index, rule) in policy.rules.iter().enumerate() {
            let key = format!("{}k", rule.select.prefix.as_deref().unwrap());
            store.put(&bucket, &key, "medium").await;
            let head = bucket.head(&key, None).await.unwrap();
            let (date, id) = foretold(&head.expiration.unwrap());
            let days = compiled.lifecycle(index).unwrap().expire_days;
            assert_eq!(Some(date), eligible_at(head.last_modified, days), "{}", rule.id);
            assert!(
                compiled.rules.iter().any(|ours| ours.id() == id && ours.policy_rule() == rule.id),
                "{id}"
            );
        }
        store.put(&bucket, "elsewhere/k", "medium").await;
        assert_eq!(bucket.head("elsewhere/k", None).await.unwrap().expiration, None);
    }
}
