//! What stands under one key: nothing twice, on one page and over two.

use super::list_cursor::Cursor;
use super::list_tests::{listed, version};
use super::list_xml::{Page, Uploads, Versions};
use super::xml::Malformed;

/// Versions of one key.
const MANY: i64 = 300;

#[test]
fn an_entry_that_stands_twice_under_its_key_is_marked() {
    let older = |count: i64| (0..count).map(|place| version("a", false, MANY - place)).collect::<String>();
    let repeated = |entries: &str| -> Vec<usize> {
        let page = Page::from_answer(listed(entries)).unwrap();
        let all: Vec<bool> = page.entries().map(|entry| entry.is_repeated).collect();
        (0..all.len()).filter(|place| all[*place]).collect()
    };
    for count in [0, 1, 2, 17, MANY] {
        let whole = format!("{}{}", version("a", true, MANY + 1), older(count));
        assert!(repeated(&whole).is_empty());
        for again in [0, count / 2, count - 1].into_iter().filter(|place| (0..count).contains(place)) {
            let twice = format!("{whole}{}", version("a", false, MANY - again));
            assert_eq!(repeated(&twice), [count as usize + 1], "{count} {again}");
        }
        // Under another key it is another.
        assert!(repeated(&format!("{whole}{}", version("b", true, MANY + 1))).is_empty());
    }
    let null = |id: &str| version("a", false, 0).replace("<VersionId>v0</VersionId>", id);
    let both = format!("{}{}{}", version("a", true, 9), null(""), null("<VersionId>null</VersionId>"));
    assert_eq!(repeated(&both), [2]);
}

fn page(next: Option<(&str, &str)>, entries: &[String]) -> String {
    let next = next.map_or_else(
        || "<IsTruncated>false</IsTruncated>".to_owned(),
        |(key, id)| {
            format!(
                "<IsTruncated>true</IsTruncated><NextKeyMarker>{key}</NextKeyMarker>\
                 <NextVersionIdMarker>{id}</NextVersionIdMarker>"
            )
        },
    );
    format!("<ListVersionsResult>{next}{}</ListVersionsResult>", entries.concat())
}

#[test]
fn a_key_that_is_begun_anew_on_the_next_page_is_listed_once_or_is_an_error() {
    let [top, middle, last] = [version("a", true, 9), version("a", false, 5), version("a", false, 1)];
    let first = page(Some(("a", "v5")), &[version("Z", true, 9), top.clone(), middle.clone()]);
    let read = |next: &[String]| {
        let mut cursor = Cursor::new("", None);
        cursor.read::<Versions>(first.clone().into()).unwrap();
        let page = cursor.read::<Versions>(page(None, next).into())?;
        let entries: Vec<String> = page.entries().map(|it| it.version_id.unwrap().to_owned()).collect();
        Ok::<_, Malformed>((entries, page.end_of_key(0)))
    };
    let found = |ids: &[&str], of_key: usize| {
        Ok((ids.iter().map(|id| (*id).to_owned()).collect::<Vec<String>>(), of_key))
    };
    assert_eq!(read(&[last.clone(), version("b", true, 9)]), found(&["v1", "v9"], 1));
    // The latest went away between the two.
    assert_eq!(read(&[version("a", true, 1)]), found(&["v1"], 1));
    // Some stores do not find what they are to go on from, and begin the key anew.
    assert_eq!(read(&[top.clone(), middle.clone(), last.clone()]), found(&["v1"], 1));
    // With another on top all of it stands there twice, which leaves the key in doubt.
    let anew = [version("a", true, 12), top.clone(), middle.clone(), last.clone()];
    assert_eq!(read(&anew), found(&["v12", "v9", "v5", "v1"], 4));
    assert_eq!(read(&[middle, last.clone(), version("a", false, 0)]), found(&["v1", "v0"], 2));
    // And then what they are to go on from is gone.
    assert!(read(&[top.clone(), last]).unwrap_err().what.contains("anew"));
    assert!(read(&[top]).is_err());
}

#[test]
fn uploads_of_one_key_are_all_the_latest() {
    let upload = |id: u8| {
        format!(
            "<Upload><Key>a</Key><UploadId>u{id}</UploadId>\
             <Initiated>2026-01-0{id}T00:00:00Z</Initiated></Upload>"
        )
    };
    let body = |entries: &[String]| {
        let entries = entries.concat();
        format!(
            "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>{entries}</ListMultipartUploadsResult>"
        )
    };
    let mut cursor = Cursor::new("", None);
    let page = cursor.read::<Uploads>(body(&[upload(1), upload(2)]).into()).unwrap();
    assert_eq!(page.entries().len(), 2);
}
