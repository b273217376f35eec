//! Conditional writes and deletes, and `DeleteObjects`.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use shelflife::sandbox::PutOptions;

use crate::client::{put, refusal, sandbox, says, versioned};
use crate::wire::Replace;

/// The MD5 of `1`.
const ONE: &str = "\"c4ca4238a0b923820dcc509a6f75849b\"";

fn key(key: &str) -> ObjectIdentifier {
    ObjectIdentifier::builder().key(key).build().unwrap()
}

async fn delete(
    client: &Client,
    objects: Vec<ObjectIdentifier>,
) -> aws_sdk_s3::operation::delete_objects::DeleteObjectsOutput {
    let delete = Delete::builder().set_objects(Some(objects)).build().unwrap();
    client.delete_objects().bucket("media").delete(delete).send().await.unwrap()
}

#[tokio::test]
async fn a_conditional_put_looks_at_what_is_there() {
    let (_sandbox, client) = sandbox().await;
    let put_if = |none_match: Option<&str>, if_match: Option<&str>| {
        let put = client.put_object().bucket("media").key("lock").body(ByteStream::from_static(b"1"));
        put.set_if_none_match(none_match.map(str::to_owned)).set_if_match(if_match.map(str::to_owned)).send()
    };
    assert_eq!(refusal(put_if(None, Some(ONE)).await), says("NoSuchKey", 404));
    put_if(Some("*"), None).await.unwrap();
    assert_eq!(refusal(put_if(Some("*"), None).await), says("PreconditionFailed", 412));
    put_if(None, Some(ONE)).await.unwrap();
    assert_eq!(refusal(put_if(None, Some("\"0\"")).await), says("PreconditionFailed", 412));
}

#[tokio::test]
async fn a_conditional_read_tells_changed_from_unchanged() {
    let (sandbox, client) = sandbox().await;
    put(&client, "a", "1").await;
    let head = || client.head_object().bucket("media").key("a");
    assert_eq!(refusal(head().if_match("\"0\"").send().await).1, 412);
    head().if_match(ONE).send().await.unwrap();
    let unchanged = client.get_object().bucket("media").key("a").if_none_match(ONE).send().await;
    assert_eq!(refusal(unchanged).1, 304);
    let stored = DateTime::from_secs(sandbox.now().timestamp());
    assert_eq!(refusal(head().if_modified_since(stored).send().await).1, 304);
    let before = DateTime::from_secs(stored.secs() - 1);
    assert_eq!(refusal(head().if_unmodified_since(before).send().await).1, 412);
    head().if_modified_since(before).send().await.unwrap();
}

#[tokio::test]
async fn a_conditional_delete_needs_the_etag_of_the_current_version() {
    let (sandbox, client) = sandbox().await;
    put(&client, "a", "1").await;
    let delete_if = |etag: &str| client.delete_object().bucket("media").key("a").if_match(etag).send();
    assert_eq!(refusal(delete_if("\"other\"").await), says("PreconditionFailed", 412));
    assert_eq!(sandbox.list_everything("media").unwrap().len(), 1);
    delete_if(ONE).await.unwrap();
    assert_eq!(sandbox.list_everything("media").unwrap().len(), 0);
    assert_eq!(refusal(delete_if(ONE).await), says("PreconditionFailed", 412));
    put(&client, "a", "2").await;
    delete_if("*").await.unwrap();
    assert_eq!(refusal(delete_if("*").await), says("PreconditionFailed", 412));
}

#[tokio::test]
async fn under_a_delete_marker_no_condition_holds_even_for_an_older_version() {
    let (_sandbox, client) = versioned().await;
    let version = put(&client, "a", "1").await;
    client.delete_object().bucket("media").key("a").send().await.unwrap();
    for etag in ["*", ONE] {
        let hidden = client.delete_object().bucket("media").key("a").if_match(etag).send().await;
        assert_eq!(refusal(hidden), says("PreconditionFailed", 412));
        let named = client.delete_object().bucket("media").key("a").version_id(&version).if_match(etag);
        assert_eq!(refusal(named.send().await), says("PreconditionFailed", 412));
    }
}

#[tokio::test]
async fn each_key_of_a_batch_has_its_own_outcome() {
    let (sandbox, client) = sandbox().await;
    put(&client, "a", "1").await;
    put(&client, "b", "2").await;
    let with = |key: &str, etag: &str| ObjectIdentifier::builder().key(key).e_tag(etag).build().unwrap();
    let answer =
        delete(&client, vec![with("a", ONE), with("b", ONE), key("missing"), with("gone", "*")]).await;
    let deleted: Vec<_> = answer.deleted().iter().map(|line| line.key().unwrap()).collect();
    assert_eq!(deleted, ["a", "missing"]);
    let errors: Vec<_> =
        answer.errors().iter().map(|line| (line.key().unwrap(), line.code().unwrap())).collect();
    assert_eq!(errors, [("b", "PreconditionFailed"), ("gone", "PreconditionFailed")]);
    assert_eq!(sandbox.list_everything("media").unwrap().len(), 1);
}

#[tokio::test]
async fn a_batch_says_which_markers_it_made_and_removed() {
    let (_sandbox, client) = versioned().await;
    let version = put(&client, "a", "1").await;
    put(&client, "b", "1").await;
    let answer = delete(&client, vec![key("b")]).await;
    let made = &answer.deleted()[0];
    assert_eq!((made.version_id(), made.delete_marker()), (None, Some(true)));
    let marker = made.delete_marker_version_id().unwrap();
    let named = |key: &str, id: &str| ObjectIdentifier::builder().key(key).version_id(id).build().unwrap();
    let answer = delete(&client, vec![named("a", &version), named("b", marker)]).await;
    let (object, marked) = (&answer.deleted()[0], &answer.deleted()[1]);
    assert_eq!((object.version_id(), object.delete_marker()), (Some(version.as_str()), None));
    assert_eq!((marked.version_id(), marked.delete_marker()), (Some(marker), Some(true)));
    assert_eq!(marked.delete_marker_version_id(), Some(marker));
}

#[tokio::test]
async fn quiet_tells_errors_only() {
    let (_sandbox, client) = sandbox().await;
    put(&client, "a", "1").await;
    put(&client, "b", "1").await;
    let wrong = ObjectIdentifier::builder().key("b").e_tag("\"0\"").build().unwrap();
    let quiet = Delete::builder().quiet(true).objects(key("a")).objects(wrong).build().unwrap();
    let answer = client.delete_objects().bucket("media").delete(quiet).send().await.unwrap();
    assert!(answer.deleted().is_empty());
    assert_eq!(answer.errors().len(), 1);
}

#[tokio::test]
async fn more_than_a_thousand_keys_are_refused_and_nothing_is_deleted() {
    let (sandbox, client) = sandbox().await;
    let keys: Vec<String> = (0..1001).map(|n| format!("k{n}")).collect();
    for key in &keys {
        sandbox.put_object("media", key, PutOptions::size(1)).unwrap();
    }
    let objects: Vec<_> = keys.iter().map(|name| key(name)).collect();
    let all = Delete::builder().set_objects(Some(objects.clone())).build().unwrap();
    let refused = client.delete_objects().bucket("media").delete(all).send().await;
    assert_eq!(refusal(refused), says("MalformedXML", 400));
    assert_eq!(sandbox.list_everything("media").unwrap().len(), 1001);
    assert_eq!(delete(&client, objects[..1000].to_vec()).await.deleted().len(), 1000);
    assert_eq!(sandbox.list_everything("media").unwrap().len(), 1);
}

#[tokio::test]
async fn a_key_that_xml_cannot_hold_fails_the_batch_but_not_a_single_delete() {
    let (sandbox, client) = sandbox().await;
    sandbox.put_object("media", "a\u{1}b", PutOptions::size(1)).unwrap();
    sandbox.put_object("media", "c", PutOptions::size(1)).unwrap();
    let delete = Delete::builder().objects(key("c")).objects(key("a\u{1}b")).build().unwrap();
    let refused = client.delete_objects().bucket("media").delete(delete.clone()).send().await;
    assert_eq!(refusal(refused), says("MalformedXML", 400));
    let reference = "<Delete><Object><Key>a&#1;b</Key></Object></Delete>";
    let refused = client.delete_objects().bucket("media").delete(delete).customize();
    let refused = refused.interceptor(Replace(reference.to_owned())).send().await;
    assert_eq!(refusal(refused), says("MalformedXML", 400));
    assert_eq!(sandbox.list_everything("media").unwrap().len(), 2);
    client.delete_object().bucket("media").key("a\u{1}b").send().await.unwrap();
    assert_eq!(sandbox.list_everything("media").unwrap().len(), 1);
}

#[tokio::test]
async fn conditions_of_directory_buckets_are_not_implemented() {
    let (_sandbox, client) = sandbox().await;
    put(&client, "a", "1").await;
    let sized = client.delete_object().bucket("media").key("a").if_match_size(1).send().await;
    assert_eq!(refusal(sized), says("NotImplemented", 501));
    let dated =
        ObjectIdentifier::builder().key("a").last_modified_time(DateTime::from_secs(0)).build().unwrap();
    let dated = Delete::builder().objects(dated).build().unwrap();
    let dated = client.delete_objects().bucket("media").delete(dated).send().await;
    assert_eq!(refusal(dated), says("NotImplemented", 501));
}
