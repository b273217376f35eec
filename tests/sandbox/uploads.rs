//! Multipart uploads.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use shelflife::sandbox::{Attributes, EntryKind};

use crate::client::{at, refusal, sandbox, says};

async fn create(client: &Client, key: &str) -> String {
    let created = client.create_multipart_upload().bucket("media").key(key).metadata("k", "v");
    created.send().await.unwrap().upload_id().unwrap().to_owned()
}

async fn upload(client: &Client, id: &str, number: i32, body: Vec<u8>) -> CompletedPart {
    let part = client.upload_part().bucket("media").key("a").upload_id(id).part_number(number);
    let part = part.body(ByteStream::from(body)).send().await.unwrap();
    CompletedPart::builder().part_number(number).e_tag(part.e_tag().unwrap()).build()
}

fn completed(parts: Vec<CompletedPart>) -> CompletedMultipartUpload {
    CompletedMultipartUpload::builder().set_parts(Some(parts)).build()
}

#[tokio::test]
async fn a_completed_upload_is_as_old_as_its_initiation() {
    let (sandbox, client) = sandbox().await;
    let id = create(&client, "a").await;
    sandbox.advance_to(at("2026-01-20T08:00:00Z")).unwrap();
    let first = upload(&client, &id, 1, vec![b'x'; 5 * 1024 * 1024]).await;
    let last = upload(&client, &id, 2, vec![b'y'; 3]).await;
    let parts =
        client.list_parts().bucket("media").key("a").upload_id(&id).max_parts(1).send().await.unwrap();
    assert_eq!((parts.parts().len(), parts.is_truncated()), (1, Some(true)));
    let done = client.complete_multipart_upload().bucket("media").key("a").upload_id(&id);
    let done = done.multipart_upload(completed(vec![first, last])).send().await.unwrap();
    assert!(done.e_tag().unwrap().ends_with("-2\""));
    let head = client.head_object().bucket("media").key("a").send().await.unwrap();
    assert_eq!(head.last_modified().unwrap().secs(), at("2026-01-15T10:30:00Z").timestamp());
    assert_eq!(head.content_length(), Some(5 * 1024 * 1024 + 3));
    assert_eq!(head.metadata().unwrap()["k"], "v");
    assert!(sandbox.list_everything("media").unwrap().iter().all(|entry| entry.kind == EntryKind::Version));
}

#[tokio::test]
async fn wrong_parts_are_refused_and_the_upload_stays() {
    let (sandbox, client) = sandbox().await;
    let id = create(&client, "a").await;
    let one = upload(&client, &id, 1, vec![1]).await;
    let two = upload(&client, &id, 2, vec![2]).await;
    let complete = |parts: Vec<CompletedPart>| {
        let complete = client.complete_multipart_upload().bucket("media").key("a").upload_id(&id);
        complete.multipart_upload(completed(parts)).send()
    };
    let small = complete(vec![one.clone(), two.clone()]).await;
    assert_eq!(refusal(small), says("EntityTooSmall", 400));
    assert_eq!(refusal(complete(vec![two.clone(), one]).await), says("InvalidPartOrder", 400));
    let missing = CompletedPart::builder().part_number(3).e_tag("\"x\"").build();
    assert_eq!(refusal(complete(vec![missing]).await), says("InvalidPart", 400));
    assert_eq!(sandbox.list_everything("media").unwrap().len(), 1);
    complete(vec![two]).await.unwrap();
    let again = client.abort_multipart_upload().bucket("media").key("a").upload_id(&id).send().await;
    assert_eq!(refusal(again), says("NoSuchUpload", 404));
}

#[tokio::test]
async fn uploads_are_listed_by_key_and_initiation_and_can_be_aborted() {
    let (sandbox, client) = sandbox().await;
    let older = create(&client, "b").await;
    let initiated = Some(at("2025-12-01T00:00:00Z"));
    let newer = sandbox.start_upload("media", "b", Attributes::default(), initiated).unwrap();
    let first = create(&client, "a").await;
    let mut seen = Vec::new();
    let (mut key, mut id) = (None, None);
    loop {
        let page = client.list_multipart_uploads().bucket("media").max_uploads(1);
        let page = page.set_key_marker(key).set_upload_id_marker(id).send().await.unwrap();
        seen.extend(page.uploads().iter().map(|upload| upload.upload_id().unwrap().to_owned()));
        if page.is_truncated() != Some(true) {
            break;
        }
        key = page.next_key_marker().map(str::to_owned);
        id = page.next_upload_id_marker().map(str::to_owned);
    }
    assert_eq!(seen, [first.as_str(), older.as_str(), newer.as_str()]);
    client.abort_multipart_upload().bucket("media").key("b").upload_id(&newer).send().await.unwrap();
    let left = client.list_multipart_uploads().bucket("media").prefix("b").send().await.unwrap();
    assert_eq!(left.uploads().len(), 1);
    assert_eq!(left.uploads()[0].initiated().unwrap().secs(), at("2026-01-15T10:30:00Z").timestamp());
}
