//! Lifecycle configurations: stored as they came, refused as S3 refuses them.

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{
    BucketLifecycleConfiguration, ExpirationStatus, LifecycleExpiration, LifecycleRule, LifecycleRuleFilter,
    TransitionDefaultMinimumObjectSize,
};

use shelflife::sandbox::{Effect, Fault, Quirk};

use crate::client::{refusal, sandbox, says};
use crate::wire::{Capture, Replace};

fn simple() -> BucketLifecycleConfiguration {
    let rule = LifecycleRule::builder()
        .id("ours")
        .status(ExpirationStatus::Enabled)
        .filter(LifecycleRuleFilter::builder().prefix("in/").build())
        .expiration(LifecycleExpiration::builder().days(30).build());
    BucketLifecycleConfiguration::builder().rules(rule.build().unwrap()).build().unwrap()
}

/// Puts a configuration of raw XML.
async fn put_raw(client: &Client, rules: &str) -> Result<(), (String, u16)> {
    let document = format!("<LifecycleConfiguration>{rules}</LifecycleConfiguration>");
    let request =
        client.put_bucket_lifecycle_configuration().bucket("media").lifecycle_configuration(simple());
    let answer = request.customize().interceptor(Replace(document)).send().await;
    if answer.is_ok() { Ok(()) } else { Err(refusal(answer)) }
}

/// One enabled rule.
fn rule(content: &str) -> String {
    format!("<Rule><Status>Enabled</Status>{content}</Rule>")
}

#[tokio::test]
async fn a_configuration_comes_back_until_it_is_deleted() {
    let (_sandbox, client) = sandbox().await;
    let get = || client.get_bucket_lifecycle_configuration().bucket("media").send();
    assert_eq!(refusal(get().await), says("NoSuchLifecycleConfiguration", 404));
    let put = client.put_bucket_lifecycle_configuration().bucket("media").lifecycle_configuration(simple());
    let put = put.send().await.unwrap();
    let default = TransitionDefaultMinimumObjectSize::AllStorageClasses128K;
    assert_eq!(put.transition_default_minimum_object_size(), Some(&default));
    let got = get().await.unwrap();
    assert_eq!(got.rules(), simple().rules());
    assert_eq!(got.transition_default_minimum_object_size(), Some(&default));
    let varies = TransitionDefaultMinimumObjectSize::VariesByStorageClass;
    let put = client.put_bucket_lifecycle_configuration().bucket("media").lifecycle_configuration(simple());
    put.transition_default_minimum_object_size(varies.clone()).send().await.unwrap();
    assert_eq!(get().await.unwrap().transition_default_minimum_object_size(), Some(&varies));
    client.delete_bucket_lifecycle().bucket("media").send().await.unwrap();
    assert_eq!(refusal(get().await), says("NoSuchLifecycleConfiguration", 404));
}

#[tokio::test]
async fn unknown_elements_are_kept_and_missing_ids_are_made() {
    let (sandbox, client) = sandbox().await;
    let foreign = rule(
        "<Filter><Prefix>a&#13;b</Prefix></Filter><Expiration><Days>1</Days></Expiration>\
         <FutureAction><Days>3</Days></FutureAction>",
    );
    put_raw(&client, &foreign).await.unwrap();
    let capture = Capture::default();
    let got = client.get_bucket_lifecycle_configuration().bucket("media").customize();
    let got = got.interceptor(capture.clone()).send().await.unwrap();
    assert!(capture.text().contains("<FutureAction><Days>3</Days></FutureAction>"));
    assert_eq!(got.rules()[0].filter().unwrap().prefix(), Some("a\rb"));
    assert_eq!(got.rules()[0].id().unwrap().len(), 48);
    assert!(sandbox.lifecycle("media").unwrap().unwrap().contains("FutureAction"));
}

#[tokio::test]
async fn what_s3_accepts_is_accepted() {
    let (_sandbox, client) = sandbox().await;
    let days = "<Expiration><Days>1</Days></Expiration>";
    for rules in [
        rule(&format!("<Filter/>{days}")),
        rule(&format!("<Prefix/>{days}")),
        // The second version of the configuration takes overlapping prefixes.
        rule(&format!("<Filter/>{days}")) + &rule(&format!("<Filter><Prefix>a</Prefix></Filter>{days}")),
        rule("<Filter/><Expiration><Date>2026-01-01T00:00:00.000Z</Date></Expiration>"),
        rule("<Filter/><Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>"),
        rule(
            "<Filter><Tag><Key>k</Key><Value>v</Value></Tag></Filter><NoncurrentVersionExpiration>\
             <NoncurrentDays>1</NoncurrentDays><NewerNoncurrentVersions>100</NewerNoncurrentVersions>\
             </NoncurrentVersionExpiration>",
        ),
        rule(
            "<Filter/><Transition><Days>0</Days><StorageClass>GLACIER_IR</StorageClass></Transition>\
             <Transition><Days>90</Days><StorageClass>DEEP_ARCHIVE</StorageClass></Transition>\
             <Expiration><Days>91</Days></Expiration>",
        ),
        (0..1000).map(|n| rule(&format!("<ID>{n}</ID><Filter/>{days}"))).collect(),
    ] {
        assert_eq!(put_raw(&client, &rules).await, Ok(()), "{rules:.300}");
    }
}

#[tokio::test]
async fn what_s3_refuses_is_refused_and_changes_nothing() {
    let (sandbox, client) = sandbox().await;
    let days = "<Expiration><Days>1</Days></Expiration>";
    let filter = |filter: &str| rule(&format!("<Filter>{filter}</Filter>{days}"));
    let transition = |class: &str, days: u32| {
        format!("<Transition><Days>{days}</Days><StorageClass>{class}</StorageClass></Transition>")
    };
    put_raw(&client, &rule(&format!("<ID>before</ID><Filter/>{days}"))).await.unwrap();
    let before = sandbox.lifecycle("media").unwrap();
    let abort = "<AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation>\
                 </AbortIncompleteMultipartUpload>";
    let marker = "<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>";
    let tag = "<Tag><Key>k</Key><Value>v</Value></Tag>";
    let noncurrent =
        |content: &str| format!("<NoncurrentVersionExpiration>{content}</NoncurrentVersionExpiration>");
    let cases = [
        ("MalformedXML", String::new()),
        ("MalformedXML", (0..1001).map(|n| rule(&format!("<ID>{n}</ID><Filter/>{days}"))).collect()),
        ("InvalidArgument", rule(&format!("<ID>{}</ID><Filter/>{days}", "x".repeat(256)))),
        ("InvalidArgument", rule(&format!("<ID>a</ID><Filter/>{days}")).repeat(2)),
        ("MalformedXML", format!("<Rule><Filter/>{days}</Rule>")),
        ("MalformedXML", format!("<Rule><Status>enabled</Status><Filter/>{days}</Rule>")),
        ("MalformedXML", rule(days)),
        ("InvalidRequest", rule(&format!("<Prefix/><Filter/>{days}"))),
        ("InvalidRequest", rule(&format!("<Prefix>a</Prefix>{days}")) + &filter("<Prefix>b</Prefix>")),
        ("InvalidRequest", rule(&format!("<Prefix/>{days}")) + &rule(&format!("<Prefix>b</Prefix>{days}"))),
        ("InvalidRequest", rule("<Filter/>")),
        ("MalformedXML", filter(&format!("<Prefix>a</Prefix>{tag}"))),
        ("MalformedXML", filter("<And><Prefix>a</Prefix></And>")),
        ("InvalidRequest", filter(&format!("<And>{tag}{tag}</And>"))),
        ("InvalidArgument", filter("<ObjectSizeLessThan>0</ObjectSizeLessThan>")),
        (
            "InvalidRequest",
            filter(
                "<And><ObjectSizeGreaterThan>5</ObjectSizeGreaterThan>\
                 <ObjectSizeLessThan>5</ObjectSizeLessThan></And>",
            ),
        ),
        ("InvalidArgument", rule("<Filter/><Expiration><Days>0</Days></Expiration>")),
        ("InvalidArgument", rule("<Filter/><Expiration><Days>-3</Days></Expiration>")),
        ("MalformedXML", rule("<Filter/><Expiration><Days>x</Days></Expiration>")),
        ("MalformedXML", rule("<Filter/><Expiration/>")),
        ("InvalidArgument", rule("<Filter/><Expiration><Date>2026-01-01T01:00:00Z</Date></Expiration>")),
        (
            "MalformedXML",
            rule("<Filter/><Expiration><Days>1</Days><Date>2026-01-01T00:00:00Z</Date></Expiration>"),
        ),
        ("InvalidRequest", rule(&format!("<Filter>{tag}</Filter>{marker}"))),
        ("InvalidRequest", rule(&format!("<Filter>{tag}</Filter>{abort}"))),
        (
            "InvalidRequest",
            rule(&format!("<Filter><ObjectSizeGreaterThan>1</ObjectSizeGreaterThan></Filter>{abort}")),
        ),
        (
            "MalformedXML",
            rule(
                "<Filter/><Expiration><Days>1</Days><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker>\
                 </Expiration>",
            ),
        ),
        (
            "MalformedXML",
            rule(&format!("<Filter/>{}", noncurrent("<NewerNoncurrentVersions>1</NewerNoncurrentVersions>"))),
        ),
        ("InvalidArgument", rule(&format!("<Filter/>{}", noncurrent("<NoncurrentDays>0</NoncurrentDays>")))),
        (
            "InvalidArgument",
            rule(&format!(
                "<Filter/>{}",
                noncurrent(
                    "<NoncurrentDays>1</NoncurrentDays><NewerNoncurrentVersions>101</NewerNoncurrentVersions>"
                )
            )),
        ),
        (
            "InvalidRequest",
            rule(&format!(
                "<Prefix/>{}",
                noncurrent(
                    "<NoncurrentDays>1</NoncurrentDays><NewerNoncurrentVersions>1</NewerNoncurrentVersions>"
                )
            )),
        ),
        ("InvalidArgument", rule(&format!("<Filter/>{}", transition("STANDARD_IA", 29)))),
        ("MalformedXML", rule(&format!("<Filter/>{}", transition("STANDARD", 60)))),
        (
            "InvalidArgument",
            rule(&format!("<Filter/>{}{}", transition("GLACIER_IR", 4), transition("DEEP_ARCHIVE", 93))),
        ),
        (
            "InvalidArgument",
            rule(&format!(
                "<Filter/>{}<Expiration><Days>60</Days></Expiration>",
                transition("STANDARD_IA", 60)
            )),
        ),
        (
            "InvalidRequest",
            rule(&format!(
                "<Filter/>{}<Expiration><Date>2030-01-01T00:00:00Z</Date></Expiration>",
                transition("STANDARD_IA", 60)
            )),
        ),
    ];
    for (code, rules) in cases {
        assert_eq!(put_raw(&client, &rules).await, Err(says(code, 400)), "{rules:.300}");
    }
    assert_eq!(sandbox.lifecycle("media").unwrap(), before);
}

#[tokio::test]
async fn other_stores_can_be_imitated() {
    let (sandbox, client) = sandbox().await;
    let whole = "<ID>r</ID><Filter><And><Prefix>a</Prefix><Tag><Key>k</Key><Value>v</Value></Tag>\
                 <ObjectSizeGreaterThan>1</ObjectSizeGreaterThan></And></Filter><NoncurrentVersionExpiration>\
                 <NoncurrentDays>1</NoncurrentDays><NewerNoncurrentVersions>2</NewerNoncurrentVersions>\
                 </NoncurrentVersionExpiration>";
    let plain = "<ID>s</ID><Filter><Prefix>b</Prefix></Filter><Expiration><ExpiredObjectDeleteMarker>true\
                 </ExpiredObjectDeleteMarker></Expiration><AbortIncompleteMultipartUpload><DaysAfterInitiation>1\
                 </DaysAfterInitiation></AbortIncompleteMultipartUpload>";
    let rules = rule(whole) + &rule(plain).replace("Enabled", "Disabled");
    put_raw(&client, &rules).await.unwrap();
    let faithful = sandbox.lifecycle("media").unwrap().unwrap();
    // What is there no more, and what is there instead.
    let cases = [
        (Quirk::DropTags, "<Tag>", ""),
        (Quirk::DropSizes, "<ObjectSizeGreaterThan>", ""),
        (Quirk::DropNewerVersions, "<NewerNoncurrentVersions>", ""),
        (Quirk::DropMarkers, "<ExpiredObjectDeleteMarker>", "<Expiration></Expiration>"),
        (Quirk::DropAbort, "<AbortIncompleteMultipartUpload>", ""),
        (Quirk::DropPrefixes, "<Prefix>", "<Filter></Filter>"),
        (Quirk::DropIds, "<ID>", ""),
        (Quirk::RenameIds, "<ID>r</ID>", "<ID>rule-0</ID>"),
        (Quirk::LowercaseStatus, "Enabled", "<Status>enabled</Status>"),
        (Quirk::IgnoreDisabled, "Disabled", "Enabled"),
        (Quirk::RewriteAnd, "<Filter><Prefix>b", "<Filter><And><Prefix>b</Prefix></And></Filter>"),
        (Quirk::OldForm, "<Filter><Prefix>b", "<Prefix>b</Prefix><Expiration>"),
        (Quirk::Reorder, "</Rule><Rule><Status>Disabled", "</Rule><Rule><Status>Enabled"),
    ];
    for (quirk, gone, instead) in cases {
        sandbox.faults().add(Fault::on("PutBucketLifecycleConfiguration", Effect::Quirk(quirk)).once());
        put_raw(&client, &rules).await.unwrap();
        let found = sandbox.lifecycle("media").unwrap().unwrap();
        assert!(faithful.contains(gone) && !found.contains(gone), "{quirk:?}: {found}");
        assert!(found.contains(instead), "{quirk:?}: {found}");
    }
    for (quirk, refused) in [
        (Quirk::RefuseFilter, rule("<Filter/><Expiration><Days>1</Days></Expiration>")),
        (Quirk::RefuseEmptyPrefix, rule("<Prefix/><Expiration><Days>1</Days></Expiration>")),
    ] {
        sandbox.faults().add(Fault::on("PutBucketLifecycleConfiguration", Effect::Quirk(quirk)).once());
        assert_eq!(put_raw(&client, &refused).await, Err(says("MalformedXML", 400)));
        put_raw(&client, &refused).await.unwrap();
    }
}

#[tokio::test]
async fn a_read_can_show_what_the_last_write_has_replaced() {
    let (sandbox, client) = sandbox().await;
    let get = || client.get_bucket_lifecycle_configuration().bucket("media").send();
    let stale = || sandbox.faults().add(Fault::on("GetBucketLifecycleConfiguration", Effect::Stale).once());
    let days = |days: u32| rule(&format!("<ID>r</ID><Filter/><Expiration><Days>{days}</Days></Expiration>"));
    put_raw(&client, &days(1)).await.unwrap();
    stale();
    assert_eq!(refusal(get().await), says("NoSuchLifecycleConfiguration", 404));
    put_raw(&client, &days(2)).await.unwrap();
    stale();
    let found = |rules: &[LifecycleRule]| rules[0].expiration().unwrap().days();
    assert_eq!(found(get().await.unwrap().rules()), Some(1));
    assert_eq!(found(get().await.unwrap().rules()), Some(2));
    client.delete_bucket_lifecycle().bucket("media").send().await.unwrap();
    stale();
    assert_eq!(found(get().await.unwrap().rules()), Some(2));
}
