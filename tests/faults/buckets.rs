//! Buckets that set limits of their own: MFA delete, replication, owners, directory buckets; and how close to a
//! deletion the last look is.

use chrono::TimeDelta;
use shelflife::sandbox::{BucketOptions, Effect, Fault, PutOptions, Sandbox, Versioning};

use crate::accounts::{self, Told};
use crate::desk::Ran;
use crate::scene::{Filling, Kind};
use crate::stage::{APPLY, BUCKET, PLAN, PLAN_AGAIN, RECONCILE, Stage};

const KEY: &str = "inbound/1/photo.jpg";

fn deletions(sandbox: &Sandbox) -> usize {
    let deletes = |operation: &str| operation.starts_with("Delete") || operation == "AbortMultipartUpload";
    sandbox.requests().iter().filter(|request| deletes(request.call.operation)).count()
}

fn fails(ran: &Ran, code: i32, words: &[&str]) {
    assert_eq!(ran.code, code, "{}{}", ran.out, ran.err);
    let told = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in words {
        assert!(told.contains(words), "{words:?} is not in {told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn versions_under_mfa_delete_are_reported_and_left_and_uploads_go() {
    let stage = Stage::empty(Kind::Versioned, TimeDelta::zero()).await;
    let mfa = BucketOptions {
        versioning: Versioning::Enabled,
        mfa_delete: true,
        ..BucketOptions::named("media-mfa")
    };
    stage.sandbox.create_bucket(mfa).unwrap();
    stage.desk.policy(&Kind::Versioned.policy().replace("[media]", "[media-mfa]"));
    let ago = |days| stage.sandbox.now() - TimeDelta::days(days);
    let old = PutOptions::bytes("medium").last_modified(ago(40));
    stage.sandbox.put_object("media-mfa", KEY, old).unwrap();
    let upload = stage.sandbox.start_upload("media-mfa", KEY, Default::default(), Some(ago(10)));
    assert!(upload.is_ok());

    let planned = stage.run(&["plan"]).ends(0);
    planned.shows(&["kept by MFA delete"]);
    stage.run(&RECONCILE).ends(0);

    let left = stage.sandbox.list_everything("media-mfa").unwrap();
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(left[0].object.is_some());
    accounts::agree(&Told::by(&stage, "MFA delete"), &stage.history(), false, "MFA delete");
    assert_eq!(stage.run(&PLAN_AGAIN).code, 0);
}

/// Direct deletion does not wait for replication, which S3 Lifecycle does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_due_goes_whatever_its_replication_has_come_to() {
    for kind in [Kind::Unversioned, Kind::Versioned] {
        let stage = Stage::empty(kind, TimeDelta::zero()).await;
        let fill = Filling { sandbox: &stage.sandbox, now: stage.sandbox.now() };
        for status in ["PENDING", "COMPLETED", "FAILED", "REPLICA"] {
            let key = format!("inbound/1/{status}");
            fill.put(&key, 40);
            stage.sandbox.set_replication_status(BUCKET, &key, None, status).unwrap();
        }
        stage.run(&RECONCILE).ends(0);
        assert_eq!(stage.sandbox.list_everything(BUCKET).unwrap(), [], "{kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_of_another_account_is_not_touched() {
    for phase in [&PLAN[..], &APPLY, &RECONCILE] {
        let stage = Stage::set(Kind::Versioned, TimeDelta::zero()).await;
        let ours = stage.desk.run(&["check"]).code;
        assert_eq!(ours, 0);
        let owned = |account: &str| Kind::Versioned.policy() + &format!("account: \"{account}\"\n");
        stage.desk.policy(&owned("123456789012"));
        stage.run(&PLAN).ends(0);
        stage.desk.policy(&owned("999999999999"));
        let ran = stage.run(phase);
        fails(&ran, 1, &["access denied"]);
        assert_eq!(deletions(&stage.sandbox), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_bucket_is_refused_before_anything_is_asked() {
    let stage = Stage::set(Kind::Unversioned, TimeDelta::zero()).await;
    stage.desk.policy(&Kind::Unversioned.policy().replacen("[media]", "[media, media--euc1-az1--x-s3]", 1));
    for phase in [&PLAN[..], &RECONCILE] {
        let before = stage.requests();
        fails(&stage.run(phase), 1, &["media--euc1-az1--x-s3", "directory bucket"]);
        let asked = stage.sandbox.requests().split_off(before);
        assert!(asked.iter().all(|it| it.call.bucket.as_deref() == Some(BUCKET)), "{asked:#?}");
        assert_eq!(deletions(&stage.sandbox), 0);
    }
}

/// Bytes that are uploaded again have the same ETag, by which alone S3 lets deletions be conditional. So the date
/// is looked at, and as late as it can be: whatever is there at the last listing before the deletion decides.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_bytes_uploaded_again_before_the_last_look_stay() {
    for kind in [Kind::Unversioned, Kind::Suspended] {
        let mut looks = 0;
        for look in 1.. {
            let stage = Stage::empty(kind, TimeDelta::zero()).await;
            if kind == Kind::Suspended {
                stage.sandbox.set_versioning(BUCKET, Versioning::Suspended).unwrap();
            }
            let ago = stage.sandbox.now() - TimeDelta::days(40);
            stage.sandbox.put_object(BUCKET, KEY, PutOptions::bytes("medium").last_modified(ago)).unwrap();
            stage.run(&PLAN).ends(0);
            let (sandbox, before) = (stage.sandbox.clone(), stage.requests());
            let again = Effect::before(move |_| {
                sandbox.put_object(BUCKET, KEY, PutOptions::bytes("medium")).unwrap();
            });
            stage.sandbox.faults().add(Fault::on("ListObjectVersions", again).calls(look, look));
            let ran = stage.run(&APPLY).ends(0);
            let asked = stage.sandbox.requests().split_off(before);
            let is = |operation: &str| asked.iter().position(|it| it.call.operation.starts_with(operation));
            let seen = asked.iter().filter(|it| it.call.operation == "ListObjectVersions").count();
            if seen < look
                || is("DeleteObject").is_some_and(|deletion| {
                    let listings =
                        asked[..deletion].iter().filter(|it| it.call.operation == "ListObjectVersions");
                    listings.count() < look
                })
            {
                break;
            }
            looks += 1;
            let left = stage.sandbox.list_everything(BUCKET).unwrap();
            let is_there = left.iter().any(|entry| entry.object.is_some() && entry.is_latest);
            assert!(is_there, "{kind:?}, look {look}: {left:#?}\n{}", ran.out);
        }
        assert!(looks >= 1, "{kind:?}: {looks} looks");
    }
}

/// A delete marker in a suspended bucket takes the place of the null version, wherever that stands.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_null_version_stays_where_versioning_is_suspended_before_the_latest_is_covered() {
    for look in 1..6 {
        let stage = Stage::empty(Kind::Unversioned, TimeDelta::zero()).await;
        let fill = Filling { sandbox: &stage.sandbox, now: stage.sandbox.now() };
        fill.said_ago("said/1/photo", 60, 5);
        stage.sandbox.set_versioning(BUCKET, Versioning::Enabled).unwrap();
        fill.said_ago("said/1/photo", 50, 50);
        stage.run(&PLAN).ends(0);
        let sandbox = stage.sandbox.clone();
        let suspend = Effect::before(move |_| {
            sandbox.set_versioning(BUCKET, Versioning::Suspended).unwrap();
        });
        stage.sandbox.faults().add(Fault::on("ListObjectVersions", suspend).calls(look, look));
        let ran = stage.run(&APPLY);
        let is_over = stage.sandbox.versioning(BUCKET).unwrap() == Versioning::Enabled;
        let left = stage.sandbox.list_everything(BUCKET).unwrap();
        let is_there = left.iter().any(|entry| entry.id == "null" && entry.object.is_some());
        assert!(is_over || is_there, "look {look}: {left:#?}\n{}{}", ran.out, ran.err);
    }
}
