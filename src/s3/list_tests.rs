//! Pages against documents written naively from random entries, and against every way to be wrong.

use chrono::{DateTime, Utc};
use proptest::prelude::*;

use super::list_cursor::Cursor;
use super::list_xml::{Asked, Entry, Page, Shape, Uploads, Versions};
use super::xml::Malformed;
use crate::object::Kind;

fn read<S: Shape>(body: &str) -> Result<Page, Malformed> {
    Page::read::<S>(body.to_owned().into(), Asked { prefix: "", from: "", from_is_done: false })
}

fn time(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
}

fn stamp(seconds: i64) -> String {
    time(seconds).format("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

pub(super) fn listed(entries: &str) -> String {
    format!("<ListVersionsResult><IsTruncated>false</IsTruncated>{entries}</ListVersionsResult>")
}

pub(super) fn version(key: &str, latest: bool, seconds: i64) -> String {
    format!(
        "<Version><Key>{key}</Key><VersionId>v{seconds}</VersionId><IsLatest>{latest}</IsLatest>\
         <LastModified>{}</LastModified><Size>1</Size></Version>",
        stamp(seconds)
    )
}

pub(super) fn marker(key: &str, latest: bool, seconds: i64) -> String {
    format!(
        "<DeleteMarker><Key>{key}</Key><VersionId>m{seconds}</VersionId><IsLatest>{latest}</IsLatest>\
         <LastModified>{}</LastModified></DeleteMarker>",
        stamp(seconds)
    )
}

pub(super) fn ids(body: &str) -> Result<Vec<String>, Malformed> {
    let page = read::<Versions>(body)?;
    Ok(page.entries().map(|entry| format!("{}:{}", entry.key, entry.version_id.unwrap_or("-"))).collect())
}

/// An answer as AWS writes it (API Reference, ListObjectVersions).
const AWS: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
<ListVersionsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>media</Name><Prefix>in/</Prefix>\
<KeyMarker></KeyMarker><VersionIdMarker></VersionIdMarker><NextKeyMarker>in/b+c</NextKeyMarker>\
<NextVersionIdMarker>3L4</NextVersionIdMarker><MaxKeys>2</MaxKeys><EncodingType>url</EncodingType>\
<IsTruncated>true</IsTruncated><DeleteMarker><Key>in/a</Key><VersionId>QU</VersionId><IsLatest>true</IsLatest>\
<LastModified>2026-11-12T17:50:30.000Z</LastModified><Owner><ID>75</ID></Owner></DeleteMarker><Version>\
<Key>in/b+c</Key><VersionId>3L4</VersionId><IsLatest>false</IsLatest><LastModified>2026-10-12T17:50:30.250Z\
</LastModified><ETag>&quot;fba9&quot;</ETag><Size>434234</Size><StorageClass>GLACIER_IR</StorageClass><Owner>\
<ID>75</ID><DisplayName>o</DisplayName></Owner></Version></ListVersionsResult>";

#[test]
fn keys_whose_encoding_is_itself_written_as_references_are_decoded() {
    for (written, key) in [
        ("a&#43;b", "a b"),
        ("a&#37;20b", "a b"),
        ("a&#x2b;&#x25;41", "a A"),
        ("a&amp;b", "a&b"),
        ("a+b", "a b"),
    ] {
        let encoded = format!("<EncodingType>url</EncodingType>{}", version(written, true, 0));
        assert_eq!(ids(&listed(&encoded)), Ok(vec![format!("{key}:v0")]), "{written}");
    }
}

#[test]
fn an_answer_of_aws_is_read() {
    let page = read::<Versions>(AWS).unwrap();
    let entries: Vec<_> = page.entries().collect();
    let marker = Entry {
        key: "in/a",
        kind: Kind::Marker,
        version_id: Some("QU"),
        upload_id: None,
        is_latest: true,
        last_modified: "2026-11-12T17:50:30Z".parse().unwrap(),
        etag: None,
        size: 0,
        storage_class: None,
        is_repeated: false,
    };
    let version = Entry {
        key: "in/b c",
        kind: Kind::Version,
        version_id: Some("3L4"),
        is_latest: false,
        last_modified: "2026-10-12T17:50:30.250Z".parse().unwrap(),
        etag: Some("fba9"),
        size: 434_234,
        storage_class: Some("GLACIER_IR"),
        ..marker
    };
    assert_eq!(entries, [marker, version]);
    let next = page.next().unwrap();
    assert_eq!((next.key.as_str(), next.id.as_deref()), ("in/b c", Some("3L4")));
}

#[test]
fn a_page_cut_at_any_byte_is_an_error() {
    for end in 0..AWS.len() {
        assert!(read::<Versions>(&AWS[..end]).is_err(), "{}", &AWS[..end]);
    }
}

#[test]
fn every_field_that_decides_is_demanded_once() {
    let whole = version("a", true, 0);
    for (name, empty_is_wrong) in
        [("Key", true), ("IsLatest", true), ("LastModified", true), ("Size", true), ("VersionId", true)]
    {
        let (start, end) = (format!("<{name}>"), format!("</{name}>"));
        let (before, rest) = whole.split_once(&start).unwrap();
        let (value, after) = rest.split_once(&end).unwrap();
        let without = format!("{before}{after}");
        assert_eq!(read::<Versions>(&listed(&without)).is_err(), name != "VersionId", "{without}");
        let empty = format!("{before}{start}{end}{after}");
        assert_eq!(read::<Versions>(&listed(&empty)).is_err(), empty_is_wrong, "{empty}");
        let twice = format!("{before}{start}{value}{end}{start}{value}{end}{after}");
        assert!(read::<Versions>(&listed(&twice)).is_err(), "{twice}");
    }
}

#[test]
fn a_missing_field_is_reported_with_the_place_of_its_entry() {
    let body = listed(&version("a", true, 0).replace("<Size>1</Size>", ""));
    let error = read::<Versions>(&body).unwrap_err();
    assert_eq!(error.what, "`Size` is missing from an entry");
    assert_eq!(error.at, body.find("<Key>").unwrap());
}

#[test]
fn a_page_that_does_not_say_whether_there_is_more_is_an_error() {
    let body = listed(&version("a", true, 0));
    for odd in ["", "<IsTruncated/>", "<IsTruncated>perhaps</IsTruncated>", "<IsTruncated>true</IsTruncated>"]
    {
        assert!(read::<Versions>(&body.replace("<IsTruncated>false</IsTruncated>", odd)).is_err(), "{odd}");
    }
}

#[test]
fn what_is_said_twice_of_the_page_is_an_error() {
    for told in [
        "<IsTruncated>false</IsTruncated>",
        "<EncodingType/><EncodingType>url</EncodingType>",
        "<NextKeyMarker>a</NextKeyMarker><NextKeyMarker>b</NextKeyMarker>",
        "<NextVersionIdMarker>a</NextVersionIdMarker><NextVersionIdMarker>a</NextVersionIdMarker>",
    ] {
        assert!(read::<Versions>(&listed(told)).is_err(), "{told}");
    }
}

#[test]
fn elements_that_stand_behind_an_entry_are_not_taken_into_it() {
    assert!(read::<Versions>(&listed("<Version/><Key>a</Key>")).is_err());
    assert!(
        read::<Versions>(&listed("<DeleteMarker></DeleteMarker><Key>a</Key><IsLatest>true</IsLatest>"))
            .is_err()
    );
}

#[test]
fn an_id_that_begins_like_that_of_a_null_version_is_another() {
    for (written, id) in [
        ("<VersionId>null</VersionId>", Some("null")),
        ("<VersionId>null</VersionId >", Some("null")),
        ("<VersionId>nul&#108;</VersionId>", Some("null")),
        ("<VersionId>null<!-- --></VersionId>", Some("null")),
        ("<VersionId>null </VersionId>", Some("null ")),
        ("<VersionId>nullable</VersionId>", Some("nullable")),
        ("<VersionId>null&amp;</VersionId>", Some("null&")),
        ("<VersionId>nul</VersionId>", Some("nul")),
        ("<VersionId>null</VersionId><VersionId>null</VersionId>", None),
        ("<VersionId>null", None),
    ] {
        let body = listed(&version("a", true, 0).replace("<VersionId>v0</VersionId>", written));
        match read::<Versions>(&body) {
            Ok(page) => assert_eq!(page.get(0).unwrap().version_id, id, "{written}"),
            Err(_) => assert_eq!(id, None, "{written}"),
        }
    }
}

#[test]
fn an_answer_that_is_not_utf8_is_an_error_with_its_place() {
    let mut body = listed(&version("a", true, 0)).into_bytes();
    let at = body.len() / 2;
    body[at] = 0xff;
    assert_eq!(Page::from_answer(body).unwrap_err(), Malformed::new(at, "not UTF-8"));
}

#[test]
fn odd_values_are_errors() {
    let whole = listed(&version("a", true, 0));
    for (from, to) in [
        ("<Size>1<", "<Size>-1<"),
        ("<Size>1<", "<Size>+1<"),
        ("<Size>1<", "<Size>99999999999999999999<"),
        (">true</IsLatest>", ">TRUE</IsLatest>"),
        ("<Key>a<", "<Key>a\rb<"),
        ("<Key>a<", "<Key><b/><"),
        ("<Version>", "<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes><Version>"),
        ("<IsTruncated>", "<EncodingType>base64</EncodingType><IsTruncated>"),
        ("ListVersionsResult", "ListBucketResult"),
        ("ListVersionsResult", "Error"),
    ] {
        let odd = whole.replace(from, to);
        assert_ne!(odd, whole);
        assert!(read::<Versions>(&odd).is_err(), "{odd}");
    }
}

#[test]
fn keys_are_decoded_only_where_the_answer_says_that_they_are_encoded() {
    let body = listed(&version("a+%20", true, 0));
    assert_eq!(ids(&body).unwrap(), ["a+%20:v0"]);
    let encoded =
        body.replace("</ListVersionsResult>", "<EncodingType>url</EncodingType></ListVersionsResult>");
    assert_eq!(ids(&encoded).unwrap(), ["a  :v0"]);
    let broken = encoded.replace("a+%20", "100%");
    assert!(ids(&broken).is_err());
}

#[test]
fn keys_that_do_not_ascend_are_an_error() {
    assert!(ids(&listed(&(version("b", true, 0) + &version("a", true, 0)))).is_err());
    assert!(ids(&listed(&(version("b", true, 2) + &marker("a", true, 0) + &version("c", true, 1)))).is_err());
    // Byte order: `Z` is before `a`, and `é` behind both.
    assert!(ids(&listed(&(version("Z", true, 0) + &version("a", true, 0) + &version("é", true, 0)))).is_ok());
}

#[test]
fn interleaved_pages_keep_their_order_whatever_the_times_say() {
    // The second version was uploaded in parts, from second 1 on, and completed after the marker.
    let body = listed(&(version("a", true, 20) + &version("a", false, 1) + &marker("a", false, 5)));
    assert_eq!(ids(&body).unwrap(), ["a:v20", "a:v1", "a:m5"]);
    let body = listed(
        &(marker("a", true, 9) + &version("a", false, 1) + &marker("a", false, 5) + &version("a", false, 7)),
    );
    assert_eq!(ids(&body).unwrap(), ["a:m9", "a:v1", "a:m5", "a:v7"]);
}

#[test]
fn two_lists_become_one() {
    let versions =
        version("a", false, 5) + &version("a", false, 1) + &version("b", true, 3) + &version("c", false, 2);
    let markers = marker("a", true, 7) + &marker("a", false, 3) + &marker("c", true, 4);
    let merged = ["a:m7", "a:v5", "a:m3", "a:v1", "b:v3", "c:m4", "c:v2"];
    assert_eq!(ids(&listed(&format!("{versions}{markers}"))).unwrap(), merged);
    assert_eq!(ids(&listed(&format!("{markers}{versions}"))).unwrap(), merged);
}

#[test]
fn two_lists_of_one_key_become_one() {
    let latest_version = version("a", true, 9) + &version("a", false, 1);
    assert_eq!(ids(&listed(&(marker("a", false, 5) + &latest_version))).unwrap(), ["a:v9", "a:m5", "a:v1"]);
    let latest_marker = marker("a", true, 9) + &marker("a", false, 3);
    let body = listed(&(latest_marker.clone() + &version("a", false, 5) + &version("a", false, 1)));
    assert_eq!(ids(&body).unwrap(), ["a:m9", "a:v5", "a:m3", "a:v1"]);
    let body = listed(&(version("a", false, 5) + &latest_marker));
    assert_eq!(ids(&body).unwrap(), ["a:m9", "a:v5", "a:m3"]);
}

#[test]
fn uploads_need_an_id_and_a_start() {
    let upload = "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated><Upload><Key>a</Key>\
                  <UploadId>u</UploadId><Initiated>2026-01-01T00:00:00.000Z</Initiated></Upload>\
                  </ListMultipartUploadsResult>";
    let page = read::<Uploads>(upload).unwrap();
    let entry = page.entries().next().unwrap();
    assert_eq!((entry.kind, entry.upload_id, entry.version_id), (Kind::Upload, Some("u"), None));
    for field in ["<UploadId>u</UploadId>", "<Initiated>2026-01-01T00:00:00.000Z</Initiated>", "<Key>a</Key>"]
    {
        assert!(read::<Uploads>(&upload.replace(field, "")).is_err(), "{field}");
    }
}

#[test]
fn a_listing_goes_on_within_a_key_and_not_back() {
    let page = |entries: &str, key: &str, id: &str| {
        format!(
            "<ListVersionsResult>{entries}<IsTruncated>true</IsTruncated><NextKeyMarker>{key}</NextKeyMarker>\
             <NextVersionIdMarker>{id}</NextVersionIdMarker></ListVersionsResult>"
        )
        .into()
    };
    let mut cursor = Cursor::new("", None);
    assert!(cursor.read::<Versions>(page(&version("a", true, 9), "a", "v9")).is_ok());
    assert!(cursor.read::<Versions>(page(&version("a", false, 8), "a", "v8")).is_ok());
    assert!(cursor.read::<Versions>(page("", "b", "")).is_ok(), "a page may be empty");
    assert!(
        cursor.read::<Versions>(page(&version("c", true, 8), "b", "v8")).is_err(),
        "the marker stays behind"
    );
    assert!(cursor.read::<Versions>(page(&version("a", false, 7), "d", "")).is_err(), "a key comes again");
    assert!(cursor.read::<Versions>(listed(&version("c", true, 8)).into()).is_ok());
    assert!(cursor.done);
}

/// What a naive writer makes of one entry.
#[derive(Clone, Debug)]
struct Wanted {
    key: String,
    marker: bool,
    id: String,
    latest: bool,
    seconds: i64,
    etag: String,
    size: u64,
}

fn wanted() -> impl Strategy<Value = Vec<Wanted>> {
    let key = prop_oneof![
        "[a-c/]{1,4}",
        "[ +%&<>'\"=é🎧\\]]{1,5}",
        any::<String>().prop_filter("not empty", |k| !k.is_empty())
    ];
    let entry = (
        key,
        any::<bool>(),
        "[A-Za-z0-9._-]{1,12}",
        any::<bool>(),
        0..1_000_000i64,
        "[0-9a-f]{32}",
        any::<u64>(),
    )
        .prop_map(|(key, marker, id, latest, seconds, etag, size)| Wanted {
            key,
            marker,
            id,
            latest,
            seconds,
            etag,
            size,
        });
    prop::collection::vec(entry, 0..20).prop_map(|mut entries| {
        entries.sort_by(|a, b| a.key.cmp(&b.key));
        entries.dedup_by(|a, b| a.key == b.key);
        entries
    })
}

fn escape(text: &str, how: u8) -> String {
    match how {
        0 => text
            .chars()
            .map(|c| match c {
                '&' => "&amp;".to_owned(),
                '<' => "&lt;".to_owned(),
                '\r' => "&#13;".to_owned(),
                c => c.to_string(),
            })
            .collect(),
        1 => text.chars().map(|c| format!("&#x{:x};", u32::from(c))).collect(),
        2 => text.bytes().map(|b| if b == b' ' { "+".to_owned() } else { format!("%{b:02x}") }).collect(),
        _ => format!(
            "<![CDATA[{}]]>",
            text.replace("]]>", "]]]]><![CDATA[>").replace('\r', "]]>&#13;<![CDATA[")
        ),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn every_entry_of_a_random_page_is_read(entries in wanted(), how in 0..4u8, order in any::<u64>(), cut in any::<prop::sample::Index>()) {
        let mut body = String::from("<?xml version='1.0'?>\n<ListVersionsResult xmlns='x'>\n");
        for entry in &entries {
            let mut fields = vec![
                format!("<Key>{}</Key>", escape(&entry.key, how)),
                format!("<VersionId>{}</VersionId>", entry.id),
                format!("<IsLatest>{}</IsLatest>", entry.latest),
                format!("<LastModified>{}</LastModified>\n", stamp(entry.seconds)),
                "<Owner><ID>x</ID><Key>not this</Key></Owner>".to_owned(),
            ];
            if !entry.marker {
                fields.push(format!("<Size>{}</Size>", entry.size));
                fields.push(if how % 2 == 0 { format!("<ETag>&quot;{}&quot;</ETag>", entry.etag) } else { format!("<ETag>\"{}\"</ETag>", entry.etag) });
            }
            let turn = usize::try_from(order % 7).unwrap() % fields.len();
            fields.rotate_left(turn);
            let name = if entry.marker { "DeleteMarker" } else { "Version" };
            body.push_str(&format!("<{name}>{}</{name}>\n", fields.concat()));
        }
        if how == 2 {
            body.push_str("<EncodingType>url</EncodingType>");
        }
        body.push_str("<IsTruncated>false</IsTruncated></ListVersionsResult>");
        let page = read::<Versions>(&body).unwrap();
        prop_assert_eq!(page.entries().len(), entries.len());
        for (read, entry) in page.entries().zip(&entries) {
            prop_assert_eq!(read.key, &entry.key);
            prop_assert_eq!(read.kind == Kind::Marker, entry.marker);
            prop_assert_eq!(read.version_id, Some(entry.id.as_str()));
            prop_assert_eq!(read.is_latest, entry.latest);
            prop_assert_eq!(read.last_modified, time(entry.seconds));
            prop_assert_eq!(read.etag, (!entry.marker).then_some(entry.etag.as_str()));
            prop_assert_eq!(read.size, if entry.marker { 0 } else { entry.size });
        }
        let mut end = cut.index(body.len());
        while !body.is_char_boundary(end) {
            end -= 1;
        }
        prop_assert!(read::<Versions>(&body[..end]).is_err());
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "(<|>|/|!|\\[CDATA\\[|\\]\\]>|--|\\?|&|;|#x?|\"|a|ListVersionsResult|Version|Key| |é){0,40}") {
        let _ = read::<Versions>(&text);
        let _ = read::<Versions>(&format!("<ListVersionsResult>{text}</ListVersionsResult>"));
    }
}

/// What stands behind the fields that each entry has of its own.
const ENDINGS: [&str; 10] = [
    "",
    "<StorageClass>STANDARD</StorageClass>",
    "<StorageClass>GLACIER</StorageClass><Owner><ID>75</ID></Owner>",
    "<Owner><ID>75</ID><DisplayName>o</DisplayName></Owner><StorageClass>STANDARD</StorageClass>",
    "<Owner><ID>75</ID></Owner><!-- end -->\n",
    "<StorageClass>a&amp;b</StorageClass>",
    "<StorageClass><![CDATA[x]]></StorageClass>",
    "<StorageClass>STANDARD</StorageClass><Size>2</Size>",
    "<Owner><ID>75</ID></Owner><ETag>e</ETag>",
    "<IsLatest>true</IsLatest>",
];

proptest! {
    /// Entries that end alike are read alike, and no other.
    #[test]
    fn an_entry_is_read_among_others_as_it_is_alone(
        chosen in prop::collection::vec((0..4usize, 0..ENDINGS.len(), any::<[bool; 3]>()), 1..9),
    ) {
        let entries: Vec<String> = chosen
            .iter()
            .enumerate()
            .map(|(place, (name, ending, [has_size, has_etag, is_latest]))| {
                let name = ["Version", "Version", "DeleteMarker", "s:Version"][*name];
                let size = if *has_size { "<Size>1</Size>" } else { "" };
                let etag = if *has_etag { "<ETag>&quot;e&quot;</ETag>" } else { "" };
                let ending = ENDINGS[*ending];
                format!(
                    "<{name}><Key>{place}</Key><VersionId>v</VersionId><IsLatest>{is_latest}</IsLatest>\
                     <LastModified>{}</LastModified>{etag}{size}{ending}</{name}>",
                    stamp(0)
                )
            })
            .collect();
        let alone: Result<Vec<Page>, Malformed> =
            entries.iter().map(|entry| read::<Versions>(&listed(entry))).collect();
        let together = read::<Versions>(&listed(&entries.concat()));
        match (alone, together) {
            (Ok(alone), Ok(together)) => {
                let alone: Vec<Entry<'_>> = alone.iter().flat_map(Page::entries).collect();
                prop_assert_eq!(together.entries().collect::<Vec<_>>(), alone);
            }
            (Err(_), Err(_)) => {}
            (alone, together) => prop_assert!(false, "{alone:?}\n{together:?}"),
        }
    }
}
