//! `x-amz-expiration` against the literal reading of a configuration that `audit` holds it to.

use chrono::{Days, NaiveTime, Utc};
use shelflife::audit::{Comparison, Difference as Differing, Expiration, compare, foretold};
use shelflife::lifecycle::LifecycleDocument;
use shelflife::object::{Attributes, BucketFacts, Kind, Lock, Observed, Reading};
use shelflife::s3::{Bucket, Head, StoredLifecycle};

use crate::subject::{Difference, Subject};

on_every_store!(
    any_configuration_is_foretold_as_it_is_read,
    of_several_rules_the_shortest_is_foretold,
    a_rules_id_is_read_back_from_the_header,
);

/// Keys, sizes and tags that fall on both sides of every condition below.
const OBJECTS: [(&str, &str, &str); 10] = [
    ("a/1", "", ""),
    ("a/2", "123456789", "t=1"),
    ("a/3", "1234567890", "t=1&u=x"),
    ("a/4", "12345678901", "t=2"),
    ("a/b/1", "1234567890", "u="),
    ("a/b/2", "12345678901", "t=1&u="),
    ("ab", "1234567890", "t=1"),
    ("c", "12345678901", ""),
    ("d/", "123", "t=1"),
    ("ä/ö +", "12345678901", "t=1"),
];

/// Filters, one rule each: what S3 documents that a filter can say.
const FILTERS: [&str; 11] = [
    "",
    "<Prefix></Prefix>",
    "<Prefix>a</Prefix>",
    "<Prefix>a/b/</Prefix>",
    "<Prefix>ä/</Prefix>",
    "<Tag><Key>t</Key><Value>1</Value></Tag>",
    "<Tag><Key>u</Key><Value></Value></Tag>",
    "<ObjectSizeGreaterThan>10</ObjectSizeGreaterThan>",
    "<ObjectSizeLessThan>10</ObjectSizeLessThan>",
    "<And><Prefix>a/</Prefix><Tag><Key>t</Key><Value>1</Value></Tag><Tag><Key>u</Key><Value>x</Value></Tag></And>",
    "<And><Prefix>a</Prefix><ObjectSizeGreaterThan>9</ObjectSizeGreaterThan><ObjectSizeLessThan>11</ObjectSizeLessThan></And>",
];

fn rule(id: &str, filter: &str, status: &str, action: &str) -> String {
    format!("<Rule><ID>{id}</ID><Filter>{filter}</Filter><Status>{status}</Status>{action}</Rule>")
}

fn days(days: u32) -> String {
    format!("<Expiration><Days>{days}</Days></Expiration>")
}

fn document(rules: &str) -> String {
    format!(
        "<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{rules}</LifecycleConfiguration>"
    )
}

/// A bucket with all objects, and what the store tells of it.
struct Shelf {
    bucket: Bucket,
    facts: BucketFacts,
}

impl Shelf {
    async fn filled(store: &Subject) -> Self {
        let bucket = store.bucket().await;
        for (key, body, tags) in OBJECTS {
            let put = store.raw.put_object().bucket(bucket.name()).key(key).tagging(tags);
            put.body(body.as_bytes().to_vec().into()).send().await.unwrap();
        }
        let facts = bucket.facts().await.unwrap();
        Self { bucket, facts }
    }

    /// Writes the rules, and reads back what came to stand there.
    async fn configure(&self, rules: &str) -> LifecycleDocument {
        let stored = StoredLifecycle { xml: document(rules), transition_default_minimum_object_size: None };
        self.bucket.put_lifecycle(&stored).await.unwrap();
        LifecycleDocument::read(&self.bucket.lifecycle().await.unwrap().unwrap().xml).unwrap()
    }

    /// Each object's header against our reading; of several rules in their order only the first
    /// that takes the object, if so asked.
    async fn compared(
        &self,
        document: &LifecycleDocument,
        only_first: bool,
    ) -> Vec<(&'static str, Comparison)> {
        let mut compared = Vec::new();
        for (key, _, _) in OBJECTS {
            let head = self.bucket.head(key, None).await.unwrap();
            let tags = self.bucket.object_tags(key, None).await.unwrap();
            let object = observed(&self.facts.name, key, &head, &tags);
            let mut rules = foretold(Some(document), self.facts.versioning, &object);
            if only_first {
                rules.truncate(1);
            }
            compared.push((key, compare(&rules, head.expiration.as_deref())));
        }
        compared
    }
}

fn observed<'a>(bucket: &'a str, key: &'a str, head: &'a Head, tags: &'a Attributes) -> Observed<'a> {
    Observed {
        bucket,
        key,
        kind: Kind::Object,
        version_id: None,
        upload_id: None,
        is_latest: true,
        uploaded: head.last_modified,
        superseded: None,
        newer_noncurrent: 0,
        alone: false,
        size: head.size,
        etag: head.etag.as_deref(),
        storage_class: None,
        metadata: Reading::Known(&head.metadata),
        content_type: Reading::Known(&head.content_type),
        tags: Reading::Known(tags),
        lock: Reading::Known(Lock::default()),
    }
}

async fn any_configuration_is_foretold_as_it_is_read(store: &Subject) {
    let shelf = Shelf::filled(store).await;
    let date = (Utc::now().date_naive() + Days::new(40)).and_time(NaiveTime::MIN).and_utc();
    let on_date = format!("<Expiration><Date>{}</Date></Expiration>", date.format("%Y-%m-%dT%H:%M:%SZ"));
    let others =
        "<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration>";
    let (mut agree, mut none) = (0, 0);
    for (number, filter) in FILTERS.into_iter().enumerate() {
        let action = [days(1), days(400), on_date.clone()][number % 3].clone();
        // What does not expire current versions foretells nothing.
        let rules = rule("other", "", "Enabled", others) + &rule("one", filter, "Enabled", &action);
        let document = shelf.configure(&rules).await;
        for (key, comparison) in shelf.compared(&document, false).await {
            match comparison {
                Comparison::Agree => agree += 1,
                Comparison::None => none += 1,
                other => panic!("{key} under {filter}: {other:?}"),
            }
        }
        let disabled = shelf.configure(&rules.replace("Enabled", "Disabled")).await;
        for (key, comparison) in shelf.compared(&disabled, false).await {
            let is_foretold = matches!(comparison, Comparison::Differ(Differing::Unexpected(_)));
            assert!(comparison == Comparison::None || is_foretold, "{key}: {comparison:?}");
            assert!(!is_foretold || store.differs(Difference::DisabledRulesAreForetold), "{key}");
        }
    }
    assert!(agree > 40 && none > 40, "{agree} and {none}");
}

async fn of_several_rules_the_shortest_is_foretold(store: &Subject) {
    let shelf = Shelf::filled(store).await;
    let is_first = store.differs(Difference::TheFirstRuleIsForetold);
    let mut differing = 0;
    for shift in 0..4 {
        let rules: String = (0..FILTERS.len())
            .map(|number| {
                let filter = FILTERS[(number * 3 + shift) % FILTERS.len()];
                rule(&format!("rule-{number}"), filter, "Enabled", &days(1 + (number as u32 * 7 + 3) % 11))
            })
            .collect();
        let document = shelf.configure(&rules).await;
        for (key, comparison) in shelf.compared(&document, is_first).await {
            assert!(matches!(comparison, Comparison::Agree), "{key}: {comparison:?}");
        }
        let compared = shelf.compared(&document, false).await;
        differing += compared.iter().filter(|(_, found)| *found != Comparison::Agree).count();
    }
    // A longer rule in its place would be said to be safe: this store's word cannot be taken for S3's.
    assert_eq!(differing > 0, is_first, "{differing}");
}

async fn a_rules_id_is_read_back_from_the_header(store: &Subject) {
    let bucket = store.bucket().await;
    store.put(&bucket, "k", "medium").await;
    for (id, is_plain) in
        [("shelflife:acme:ott-media:0a1b2c3d4e5f", true), ("a b+c, d=e", true), ("50%25", false)]
    {
        let stored = StoredLifecycle {
            xml: document(&rule(id, "", "Enabled", &days(3))),
            transition_default_minimum_object_size: None,
        };
        bucket.put_lifecycle(&stored).await.unwrap();
        let header = bucket.head("k", None).await.unwrap().expiration.unwrap();
        let said = Expiration::parse(&header).unwrap();
        // Unencoded, only an id that looks like an encoding is taken for another.
        let is_misread = !is_plain && store.differs(Difference::RuleIdsAreNotEncoded);
        assert_eq!(said.is_by(id), !is_misread, "{header}");
    }
}
