//! Deletions: of what was named and nothing else, and each with its own outcome.

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use chrono::{TimeDelta, Utc};
use shelflife::object::Kind;
use shelflife::s3::{
    DeleteAnswer, DeleteReport, DeleteTarget, MAX_DELETE_TARGETS, StoreErrorKind, needs_single_delete,
};

use crate::subject::{Difference, Subject, all, keys, list};

on_every_store! {
    a_batch_removes_the_versions_it_names_and_no_others,
    a_batch_takes_a_thousand_and_accounts_for_each,
    a_batch_takes_what_is_not_there_for_deleted,
    a_batch_deletes_only_where_the_etag_is_still_the_same,
    a_single_deletion_is_made_only_where_the_etag_is_still_the_same,
    a_single_deletion_takes_every_odd_key,
    a_key_that_xml_cannot_hold_fails_a_batch_that_is_sent_all_the_same,
    without_a_version_a_marker_is_made_and_can_be_removed_again,
    a_locked_version_stays_and_the_others_of_its_batch_go,
}

fn target(key: &str, version_id: Option<&str>, if_match: Option<&str>) -> DeleteTarget {
    DeleteTarget {
        key: key.into(),
        version_id: version_id.map(Into::into),
        if_match: if_match.map(Into::into),
    }
}

const GONE: DeleteAnswer = DeleteAnswer::Deleted { delete_marker: false, marker_version_id: None };

fn all_gone(count: usize) -> DeleteReport {
    DeleteReport { answers: vec![GONE; count], foreign: Vec::new() }
}

async fn a_batch_removes_the_versions_it_names_and_no_others(store: &Subject) {
    let bucket = store.versioned().await;
    let first = store.put(&bucket, "k & <ö>", "one").await;
    let second = store.put(&bucket, "k & <ö>", "two").await;
    let third = store.put(&bucket, "k & <ö>", "three").await;
    let other = store.put(&bucket, "other", "one").await;

    let targets = [target("k & <ö>", Some(&first), None), target("k & <ö>", Some(&third), None)];
    assert_eq!(bucket.delete_objects(&targets).await.unwrap(), all_gone(2));

    let left: Vec<_> = all(&bucket).await.into_iter().map(|it| (it.id, it.kind, it.is_latest)).collect();
    assert_eq!(left, [(second, Kind::Version, true), (other, Kind::Version, true)]);
}

async fn a_batch_takes_a_thousand_and_accounts_for_each(store: &Subject) {
    let bucket = store.bucket().await;
    let names: Vec<String> = (0..=MAX_DELETE_TARGETS).map(|number| format!("k{number:04}")).collect();
    store.put_all(&bucket, names.clone()).await;
    let targets: Vec<_> = names.iter().map(|key| target(key, None, None)).collect();

    let too_many = bucket.delete_objects(&targets).await.unwrap_err();
    assert_eq!(too_many.kind(), &StoreErrorKind::NotSent);
    assert_eq!(keys(&bucket).await, names);
    let report = bucket.delete_objects(&targets[..MAX_DELETE_TARGETS]).await.unwrap();
    assert_eq!(report, all_gone(MAX_DELETE_TARGETS));
    assert_eq!(keys(&bucket).await, names[MAX_DELETE_TARGETS..]);
}

async fn a_batch_takes_what_is_not_there_for_deleted(store: &Subject) {
    let bucket = store.versioned().await;
    let id = store.put(&bucket, "k", "one").await;
    let named = target("k", Some(&id), None);
    let delete = || bucket.delete_objects(std::slice::from_ref(&named));
    assert_eq!(delete().await.unwrap(), all_gone(1));
    let again = delete().await.unwrap();
    if store.differs(Difference::MissingVersionsAreErrors) {
        let [DeleteAnswer::Failed { kind: StoreErrorKind::NotFound, .. }] = &again.answers[..] else {
            panic!("{again:?}")
        };
    } else {
        assert_eq!(again, all_gone(1));
    }
    let plain = store.bucket().await;
    assert_eq!(plain.delete_objects(&[target("none", None, None)]).await.unwrap(), all_gone(1));
}

async fn a_batch_deletes_only_where_the_etag_is_still_the_same(store: &Subject) {
    let bucket = store.bucket().await;
    store.put(&bucket, "same", "one").await;
    store.put(&bucket, "changed", "one").await;
    let etag = bucket.head("same", None).await.unwrap().etag.unwrap();
    store.put(&bucket, "changed", "two").await;

    let targets = [target("same", None, Some(&etag)), target("changed", None, Some(&etag))];
    let report = bucket.delete_objects(&targets).await.unwrap();
    if store.differs(Difference::BatchesIgnoreEtags) {
        assert_eq!(report, all_gone(2));
        assert_eq!(keys(&bucket).await, [""; 0]);
        return;
    }
    assert_eq!(report.answers[0], GONE);
    let DeleteAnswer::Failed { kind, code, .. } = &report.answers[1] else { panic!("{report:?}") };
    assert_eq!((kind, code.as_str()), (&StoreErrorKind::Changed, "PreconditionFailed"));
    assert_eq!(keys(&bucket).await, ["changed"]);
}

async fn a_single_deletion_is_made_only_where_the_etag_is_still_the_same(store: &Subject) {
    let bucket = store.bucket().await;
    store.put(&bucket, "k", "one").await;
    let etag = bucket.head("k", None).await.unwrap().etag.unwrap();
    let matching = bucket.delete_object(&target("k", None, Some(&etag))).await;
    if store.differs(Difference::IfMatchIsNotImplemented) {
        assert_eq!(matching.unwrap_err().kind(), &StoreErrorKind::NotImplemented);
        assert_eq!(keys(&bucket).await, ["k"]);
        return;
    }
    assert_eq!(matching.unwrap(), GONE);
    assert_eq!(keys(&bucket).await, [""; 0]);

    store.put(&bucket, "k", "two").await;
    let other = bucket.delete_object(&target("k", None, Some(&etag))).await.unwrap_err();
    assert_eq!(other.kind(), &StoreErrorKind::Changed);
    assert_eq!(keys(&bucket).await, ["k"]);
}

async fn a_single_deletion_takes_every_odd_key(store: &Subject) {
    let bucket = store.bucket().await;
    let odd = ["a\u{1}b", "a\nb", " a ", "a\u{7f}", "/a", "a//b", "../a", "a?b#c", "a%2Fb", "\u{1f4ce}"];
    for key in odd {
        store.put(&bucket, key, "medium").await;
    }
    store.put(&bucket, "a", "stays").await;
    for key in odd {
        assert_eq!(bucket.delete_object(&target(key, None, None)).await.unwrap(), GONE, "{key:?}");
    }
    assert_eq!(keys(&bucket).await, ["a"]);
}

async fn a_key_that_xml_cannot_hold_fails_a_batch_that_is_sent_all_the_same(store: &Subject) {
    let bucket = store.bucket().await;
    store.put(&bucket, "a\u{1}b", "medium").await;
    store.put(&bucket, "k", "medium").await;
    assert!(needs_single_delete("a\u{1}b") && !needs_single_delete("k"));
    let ours = bucket.delete_objects(&[target("k", None, None), target("a\u{1}b", None, None)]).await;
    assert_eq!(ours.unwrap_err().kind(), &StoreErrorKind::NotSent);

    let named = ["k", "a\u{1}b"].map(|key| ObjectIdentifier::builder().key(key).build().unwrap());
    let delete = Delete::builder().set_objects(Some(named.into())).build().unwrap();
    let error = store.raw.delete_objects().bucket(bucket.name()).delete(delete).send().await.unwrap_err();
    let status = error.raw_response().map(|response| response.status().as_u16());
    if store.differs(Difference::ControlCharactersBreakBatches) {
        assert_eq!(status, Some(500));
    } else {
        assert_eq!((status, error.code()), (Some(400), Some("MalformedXML")));
    }
    assert_eq!(keys(&bucket).await, ["a\u{1}b", "k"]);
}

async fn without_a_version_a_marker_is_made_and_can_be_removed_again(store: &Subject) {
    let bucket = store.versioned().await;
    let id = store.put(&bucket, "k", "one").await;

    let batch = bucket.delete_objects(&[target("k", None, None)]).await.unwrap();
    let [DeleteAnswer::Deleted { delete_marker: true, marker_version_id: Some(first) }] = &batch.answers[..]
    else {
        panic!("{batch:?}")
    };
    let single = bucket.delete_object(&target("k", None, None)).await.unwrap();
    let DeleteAnswer::Deleted { delete_marker: true, marker_version_id: Some(second) } = &single else {
        panic!("{single:?}")
    };
    let (listed, _) = list(&bucket, "", None).await.unwrap();
    let ids: Vec<_> = listed.iter().map(|it| (it.id.as_str(), it.kind)).collect();
    let expected =
        [(second.as_str(), Kind::Marker), (first.as_str(), Kind::Marker), (id.as_str(), Kind::Version)];
    assert_eq!(ids, expected);

    let removed = bucket.delete_objects(&[target("k", Some(first), None)]).await.unwrap();
    let marker =
        |id: &str| DeleteAnswer::Deleted { delete_marker: true, marker_version_id: Some(id.to_owned()) };
    assert_eq!(removed.answers, [marker(first)]);
    let removed = bucket.delete_object(&target("k", Some(second), None)).await.unwrap();
    assert_eq!(removed, marker(second));
    let left: Vec<_> = all(&bucket).await.into_iter().map(|it| (it.id, it.is_latest)).collect();
    assert_eq!(left, [(id, true)]);
}

async fn a_locked_version_stays_and_the_others_of_its_batch_go(store: &Subject) {
    let bucket = store.lockable().await;
    for key in ["free", "held", "retained"] {
        store.put(&bucket, key, "medium").await;
    }
    store.set_legal_hold(&bucket, "held", true).await;
    store.retain_until(&bucket, "retained", Utc::now() + TimeDelta::days(1)).await;
    let targets: Vec<_> = all(&bucket).await.iter().map(|it| target(&it.key, Some(&it.id), None)).collect();

    let report = bucket.delete_objects(&targets).await.unwrap();
    assert_eq!((&report.answers[0], &report.foreign[..]), (&GONE, &[][..]));
    for locked in &report.answers[1..] {
        let DeleteAnswer::Failed { kind, .. } = locked else { panic!("{report:?}") };
        assert_eq!(kind, &StoreErrorKind::Denied);
    }
    for locked in &targets[1..] {
        assert!(bucket.delete_object(locked).await.unwrap_err().is_denied());
    }
    assert_eq!(keys(&bucket).await, ["held", "retained"]);
}
