//! What stands under one key: the latest first and nothing twice, on one page and over two.

use super::list_cursor::Cursor;
use super::list_tests::{ids, listed, marker, version};
use super::list_xml::{Uploads, Versions};

/// Many more than are compared one by one.
const MANY: i64 = 300;

#[test]
fn the_latest_of_a_key_below_another_is_an_error() {
    let oldest_first = [version("a", false, 0), version("a", true, 9)].concat();
    let marked_first = [marker("a", false, 0), version("a", true, 9)].concat();
    let twice_latest = [version("a", true, 9), version("a", true, 0)].concat();
    for wrong in [&oldest_first, &twice_latest] {
        let body = listed(wrong);
        let error = ids(&body).unwrap_err();
        assert!(error.what.contains("stands below another"), "{error}");
        assert_eq!(error.at, body.rfind("<Key>").unwrap());
    }
    // Versions and markers in two lists are put in order first.
    assert_eq!(ids(&listed(&marked_first)), Ok(vec!["a:v9".to_owned(), "a:m0".to_owned()]));
    let of_two_keys = [version("a", true, 9), version("a", false, 0), version("b", true, 5)].concat();
    assert_eq!(ids(&listed(&of_two_keys)).unwrap().len(), 3);
}

#[test]
fn an_entry_that_stands_twice_under_its_key_is_an_error() {
    let older = |count: i64| (0..count).map(|place| version("a", false, MANY - place)).collect::<String>();
    for count in [0, 1, 14, 15, 16, 17, MANY] {
        let whole = format!("{}{}", version("a", true, MANY + 1), older(count));
        assert_eq!(ids(&listed(&whole)).unwrap().len() as i64, count + 1);
        for repeated in [0, count / 2, count - 1].into_iter().filter(|place| (0..count).contains(place)) {
            let twice = format!("{whole}{}", version("a", false, MANY - repeated));
            let error = ids(&listed(&twice)).unwrap_err();
            assert!(error.what.contains("twice"), "{count} {repeated}: {error}");
        }
        // Under another key it is another.
        assert!(ids(&listed(&format!("{whole}{}", version("b", true, MANY + 1)))).is_ok());
    }
    let null = |id: &str| version("a", false, 0).replace("<VersionId>v0</VersionId>", id);
    let both = format!("{}{}{}", version("a", true, 9), null(""), null("<VersionId>null</VersionId>"));
    assert!(ids(&listed(&both)).is_err());
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
fn a_key_that_is_begun_anew_on_the_next_page_is_an_error() {
    let [top, middle, last] = [version("a", true, 9), version("a", false, 5), version("a", false, 1)];
    let first = page(Some(("a", "v5")), &[version("Z", true, 9), top.clone(), middle.clone()]);
    let read = |next: &[String]| {
        let mut cursor = Cursor::new("", None);
        cursor.read::<Versions>(first.clone().into()).unwrap();
        cursor.read::<Versions>(page(None, next).into()).map(|page| page.entries().len())
    };
    assert_eq!(read(&[last.clone(), version("b", true, 9)]), Ok(2));
    // The latest went away between the two.
    assert_eq!(read(&[version("a", true, 1)]), Ok(1));
    assert!(read(&[top.clone(), middle.clone(), last]).unwrap_err().what.contains("anew"));
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
    let twice = Cursor::new("", None).read::<Uploads>(body(&[upload(1), upload(1)]).into());
    assert!(twice.unwrap_err().what.contains("twice"));
}
