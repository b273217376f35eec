//! Lifecycle rules running as the clock is turned forward.

use shelflife::sandbox::{
    Attributes, BucketOptions, Entry, EntryKind, ExactMidnight, LifecycleAction, LifecycleEvent,
    LockConfiguration, PutOptions, Sandbox, SandboxOptions, Versioning,
};

use crate::client::{at, client};

/// A sandbox that starts at `start`, with a bucket `media` and one enabled rule of this content.
async fn started(start: &str, versioning: Versioning, rule: &str) -> Sandbox {
    let sandbox = Sandbox::start(SandboxOptions::at(at(start))).await.unwrap();
    sandbox.create_bucket(BucketOptions { versioning, ..BucketOptions::named("media") }).unwrap();
    rules(&sandbox, &[rule]);
    sandbox
}

fn rules(sandbox: &Sandbox, rules: &[&str]) {
    let rules: String = rules
        .iter()
        .enumerate()
        .map(|(n, rule)| format!("<Rule><ID>rule {n}</ID><Status>Enabled</Status>{rule}</Rule>"))
        .collect();
    let document = format!("<LifecycleConfiguration>{rules}</LifecycleConfiguration>");
    sandbox.put_lifecycle("media", &document).unwrap();
}

fn expire(days: u32) -> String {
    format!("<Filter/><Expiration><Days>{days}</Days></Expiration>")
}

fn done(events: &[LifecycleEvent]) -> Vec<(&str, LifecycleAction, String)> {
    let line = |event: &LifecycleEvent| event.at.format("%Y-%m-%dT%H:%M").to_string();
    events.iter().map(|event| (event.key.as_str(), event.action.clone(), line(event))).collect()
}

fn left(sandbox: &Sandbox) -> Vec<Entry> {
    sandbox.list_everything("media").unwrap()
}

fn put(sandbox: &Sandbox, key: &str) -> String {
    let written = sandbox.put_object("media", key, PutOptions::size(1)).unwrap();
    written.version_id.unwrap_or_default()
}

#[tokio::test]
async fn the_guides_own_example_expires_on_the_nineteenth() {
    let sandbox = started("2014-01-15T10:30:00Z", Versioning::Never, &expire(3)).await;
    put(&sandbox, "a");
    assert_eq!(sandbox.advance_to(at("2014-01-18T23:59:59Z")).unwrap(), []);
    let events = sandbox.advance_to(at("2014-01-19T00:00:00Z")).unwrap();
    assert_eq!(done(&events), [("a", LifecycleAction::Expired, "2014-01-19T00:00".to_owned())]);
    assert_eq!((events[0].rule.as_str(), events[0].size), ("rule 0", 1));
    assert!(left(&sandbox).is_empty());
}

#[tokio::test]
async fn the_guides_other_example_expires_two_midnights_after_the_day() {
    let sandbox = started("2026-01-02T00:05:00Z", Versioning::Never, &expire(1)).await;
    put(&sandbox, "a");
    let events = sandbox.advance_to(at("2026-02-01T00:00:00Z")).unwrap();
    assert_eq!(done(&events), [("a", LifecycleAction::Expired, "2026-01-04T00:00".to_owned())]);
}

#[tokio::test]
async fn a_sum_that_is_midnight_already_goes_either_way() {
    for (exact_midnight, day) in [(ExactMidnight::Same, "2026-01-03"), (ExactMidnight::Next, "2026-01-04")] {
        let options = SandboxOptions { exact_midnight, ..SandboxOptions::at(at("2026-01-02T00:00:00Z")) };
        let sandbox = Sandbox::start(options).await.unwrap();
        sandbox.create_bucket(BucketOptions::named("media")).unwrap();
        rules(&sandbox, &[&expire(1)]);
        put(&sandbox, "a");
        let events = sandbox.advance_to(at("2026-02-01T00:00:00Z")).unwrap();
        assert_eq!(events[0].at, at(&format!("{day}T00:00:00Z")));
    }
}

#[tokio::test]
async fn a_lag_delays_the_removal_and_the_stamp_of_the_marker() {
    let options = SandboxOptions { lifecycle_lag: 2, ..SandboxOptions::at(at("2026-01-15T10:30:00Z")) };
    let sandbox = Sandbox::start(options).await.unwrap();
    sandbox
        .create_bucket(BucketOptions { versioning: Versioning::Enabled, ..BucketOptions::named("media") })
        .unwrap();
    rules(&sandbox, &[&expire(3)]);
    put(&sandbox, "a");
    let events = sandbox.advance_to(at("2026-02-01T00:00:00Z")).unwrap();
    assert_eq!(done(&events), [("a", LifecycleAction::Hidden, "2026-01-21T00:00".to_owned())]);
    assert_eq!(left(&sandbox)[0].last_modified, at("2026-01-21T00:00:00Z"));
}

#[tokio::test]
async fn the_shortest_matching_rule_wins() {
    let sandbox = started("2026-01-15T10:30:00Z", Versioning::Never, &expire(30)).await;
    let short = "<Filter><Prefix>tmp</Prefix></Filter><Expiration><Days>2</Days></Expiration>";
    rules(&sandbox, &[&expire(30), short]);
    put(&sandbox, "tmp1");
    put(&sandbox, "tm");
    let events = sandbox.advance_to(at("2026-03-01T00:00:00Z")).unwrap();
    assert_eq!(
        done(&events),
        [
            ("tmp1", LifecycleAction::Expired, "2026-01-18T00:00".to_owned()),
            ("tm", LifecycleAction::Expired, "2026-02-15T00:00".to_owned()),
        ]
    );
    assert_eq!(events[0].rule, "rule 1");
}

#[tokio::test]
async fn versioned_buckets_hide_first_and_remove_when_noncurrent() {
    let rule = "<Filter/><Expiration><Days>3</Days></Expiration><NoncurrentVersionExpiration>\
                <NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration>";
    let sandbox = started("2026-01-15T10:30:00Z", Versioning::Enabled, rule).await;
    let version = put(&sandbox, "a");
    let events = sandbox.advance_to(at("2026-01-19T08:00:00Z")).unwrap();
    assert_eq!(done(&events), [("a", LifecycleAction::Hidden, "2026-01-19T00:00".to_owned())]);
    assert_eq!(events[0].version_id, version);
    assert_eq!(left(&sandbox)[0].kind, EntryKind::Marker);
    assert_eq!(left(&sandbox)[0].last_modified, at("2026-01-19T00:00:00Z"));
    let events = sandbox.advance_to(at("2026-03-01T00:00:00Z")).unwrap();
    assert_eq!(
        done(&events),
        [
            ("a", LifecycleAction::NoncurrentExpired, "2026-01-20T00:00".to_owned()),
            ("a", LifecycleAction::MarkerRemoved, "2026-01-22T00:00".to_owned()),
        ]
    );
    assert!(left(&sandbox).is_empty());
}

#[tokio::test]
async fn noncurrent_versions_go_only_when_days_and_count_are_exceeded() {
    let rule = "<Filter/><NoncurrentVersionExpiration><NoncurrentDays>2</NoncurrentDays>\
                <NewerNoncurrentVersions>1</NewerNoncurrentVersions></NoncurrentVersionExpiration>";
    let sandbox = started("2026-01-15T10:30:00Z", Versioning::Enabled, rule).await;
    let mut ids = Vec::new();
    for day in 15..19 {
        sandbox.advance_to(at(&format!("2026-01-{day}T10:30:00Z"))).unwrap();
        ids.push(put(&sandbox, "a"));
    }
    let events = sandbox.advance_to(at("2026-03-01T00:00:00Z")).unwrap();
    let gone: Vec<_> = events.iter().map(|event| (event.version_id.clone(), event.at)).collect();
    assert_eq!(
        gone,
        [(ids[0].clone(), at("2026-01-19T00:00:00Z")), (ids[1].clone(), at("2026-01-20T00:00:00Z")),]
    );
    assert_eq!(left(&sandbox).len(), 2);
}

#[tokio::test]
async fn suspended_versioning_replaces_the_null_version_by_a_null_marker() {
    let sandbox = started("2026-01-15T10:30:00Z", Versioning::Enabled, &expire(1)).await;
    let kept = put(&sandbox, "kept");
    sandbox.set_versioning("media", Versioning::Suspended).unwrap();
    put(&sandbox, "lost");
    let events = sandbox.advance_to(at("2026-01-17T00:00:00Z")).unwrap();
    assert_eq!(
        done(&events),
        [
            ("kept", LifecycleAction::Hidden, "2026-01-17T00:00".to_owned()),
            ("lost", LifecycleAction::Expired, "2026-01-17T00:00".to_owned()),
        ]
    );
    let left: Vec<_> = left(&sandbox).into_iter().map(|entry| (entry.key, entry.kind, entry.id)).collect();
    let marker = |key: &str| (key.to_owned(), EntryKind::Marker, "null".to_owned());
    assert_eq!(left, [marker("kept"), ("kept".to_owned(), EntryKind::Version, kept), marker("lost")]);
}

#[tokio::test]
async fn a_sole_marker_goes_as_soon_as_it_is_sole() {
    let rule =
        "<Filter/><Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>";
    let sandbox = started("2026-01-15T10:30:00Z", Versioning::Enabled, rule).await;
    put(&sandbox, "covered");
    let sdk = client(&sandbox);
    for key in ["covered", "sole"] {
        sdk.delete_object().bucket("media").key(key).send().await.unwrap();
    }
    let events = sandbox.advance_to(at("2026-02-01T00:00:00Z")).unwrap();
    assert_eq!(done(&events), [("sole", LifecycleAction::MarkerRemoved, "2026-01-16T00:00".to_owned())]);
    assert_eq!(left(&sandbox).len(), 2);
}

#[tokio::test]
async fn incomplete_uploads_are_aborted_and_never_expired() {
    let abort = "<Filter><Prefix>in/</Prefix></Filter><AbortIncompleteMultipartUpload><DaysAfterInitiation>7\
                 </DaysAfterInitiation></AbortIncompleteMultipartUpload>";
    let sandbox = started("2026-01-15T10:30:00Z", Versioning::Never, abort).await;
    rules(&sandbox, &[abort, &expire(1)]);
    for key in ["in/a", "out/a"] {
        sandbox.start_upload("media", key, Attributes::default(), None).unwrap();
    }
    let events = sandbox.advance_to(at("2026-03-01T00:00:00Z")).unwrap();
    assert_eq!(done(&events), [("in/a", LifecycleAction::UploadAborted, "2026-01-23T00:00".to_owned())]);
    assert_eq!(left(&sandbox).len(), 1);
}

#[tokio::test]
async fn a_locked_version_is_hidden_but_not_removed() {
    let sandbox = Sandbox::start(SandboxOptions::at(at("2026-01-15T10:30:00Z"))).await.unwrap();
    let lock = Some(LockConfiguration::default());
    sandbox.create_bucket(BucketOptions { lock, ..BucketOptions::named("media") }).unwrap();
    let rule = "<Filter/><Expiration><Days>1</Days></Expiration><NoncurrentVersionExpiration>\
                <NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration>";
    rules(&sandbox, &[rule]);
    let version = put(&sandbox, "a");
    sandbox.set_legal_hold("media", "a", None, true).unwrap();
    let events = sandbox.advance_to(at("2026-02-01T00:00:00Z")).unwrap();
    assert_eq!(done(&events), [("a", LifecycleAction::Hidden, "2026-01-17T00:00".to_owned())]);
    sandbox.set_legal_hold("media", "a", Some(&version), false).unwrap();
    let events = sandbox.advance_to(at("2026-02-02T00:00:00Z")).unwrap();
    assert_eq!(done(&events), [("a", LifecycleAction::NoncurrentExpired, "2026-02-02T00:00".to_owned())]);
}

#[tokio::test]
async fn filters_take_prefix_tags_and_exclusive_sizes() {
    let rule = "<Filter><And><Prefix>in/</Prefix><Tag><Key>kind</Key><Value>photo</Value></Tag>\
                <ObjectSizeGreaterThan>10</ObjectSizeGreaterThan><ObjectSizeLessThan>20</ObjectSizeLessThan></And>\
                </Filter><Expiration><Days>1</Days></Expiration>";
    let sandbox = started("2026-01-15T10:30:00Z", Versioning::Never, rule).await;
    let photo = |size: u64| PutOptions::size(size).tag("kind", "photo").tag("other", "x");
    let objects = [
        ("in/10", photo(10)),
        ("in/11", photo(11)),
        ("in/19", photo(19)),
        ("in/20", photo(20)),
        ("in/untagged", PutOptions::size(15)),
        ("in/video", PutOptions::size(15).tag("kind", "video")),
        ("out/15", photo(15)),
    ];
    for (key, options) in objects {
        sandbox.put_object("media", key, options).unwrap();
    }
    let events = sandbox.advance_to(at("2026-02-01T00:00:00Z")).unwrap();
    let gone: Vec<_> = events.iter().map(|event| event.key.as_str()).collect();
    assert_eq!(gone, ["in/11", "in/19"]);
}

#[tokio::test]
async fn a_past_date_goes_on_expiring_and_a_disabled_rule_does_nothing() {
    let rule = "<Filter/><Expiration><Date>2026-01-01T00:00:00Z</Date></Expiration>";
    let sandbox = started("2026-01-15T10:30:00Z", Versioning::Never, rule).await;
    put(&sandbox, "a");
    assert_eq!(sandbox.advance_to(at("2026-01-16T09:00:00Z")).unwrap().len(), 1);
    put(&sandbox, "b");
    assert_eq!(sandbox.advance_to(at("2026-01-17T09:00:00Z")).unwrap().len(), 1);
    put(&sandbox, "c");
    let disabled = "<LifecycleConfiguration><Rule><Status>Disabled</Status><Filter/><Expiration><Days>1</Days>\
                    </Expiration></Rule></LifecycleConfiguration>";
    sandbox.put_lifecycle("media", disabled).unwrap();
    assert_eq!(sandbox.advance_to(at("2026-03-01T00:00:00Z")).unwrap(), []);
}

#[tokio::test]
async fn transitions_set_the_class_and_leave_the_age_alone() {
    let rule = "<Filter/><Transition><Days>30</Days><StorageClass>STANDARD_IA</StorageClass></Transition>\
                <Transition><Days>90</Days><StorageClass>GLACIER</StorageClass></Transition>";
    let sandbox = started("2026-01-15T10:30:00Z", Versioning::Never, rule).await;
    sandbox.put_object("media", "big", PutOptions::size(200_000)).unwrap();
    sandbox.put_object("media", "small", PutOptions::size(1000)).unwrap();
    let events = sandbox.advance_to(at("2026-06-01T00:00:00Z")).unwrap();
    let moved = |class: &str| LifecycleAction::Transitioned(class.to_owned());
    assert_eq!(
        done(&events),
        [
            ("big", moved("STANDARD_IA"), "2026-02-15T00:00".to_owned()),
            ("big", moved("GLACIER"), "2026-04-16T00:00".to_owned()),
        ]
    );
    assert!(left(&sandbox).iter().all(|entry| entry.last_modified == at("2026-01-15T10:30:00Z")));
}

#[tokio::test]
async fn the_expiration_header_tells_the_shortest_rule_on_current_versions() {
    let sandbox = started("2026-01-15T10:30:00Z", Versioning::Enabled, &expire(30)).await;
    rules(&sandbox, &[&expire(30), &expire(3)]);
    let sdk = client(&sandbox);
    let stored = sdk.put_object().bucket("media").key("a").send().await.unwrap();
    let expected = "expiry-date=\"Mon, 19 Jan 2026 00:00:00 GMT\", rule-id=\"rule%201\"";
    assert_eq!(stored.expiration(), Some(expected));
    let old = stored.version_id().unwrap();
    sdk.put_object().bucket("media").key("a").send().await.unwrap();
    let head = sdk.head_object().bucket("media").key("a").send().await.unwrap();
    assert_eq!(head.expiration(), Some(expected));
    let noncurrent = sdk.head_object().bucket("media").key("a").version_id(old).send().await.unwrap();
    assert_eq!(noncurrent.expiration(), None);
}
