//! The document of a DeleteObjects: the SDK's own writer takes several times as long for a thousand keys as all
//! the rest of the request.

use super::delete_target::DeleteTarget;
use super::values;

/// About as many bytes as one target takes.
const ABOUT_ONE: usize = 192;

/// Deletes `targets`, and asks what became of each.
pub(super) fn delete_document(targets: &[DeleteTarget]) -> String {
    let mut xml = String::with_capacity(targets.len() * ABOUT_ONE + ABOUT_ONE);
    xml.push_str("<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for target in targets {
        xml.push_str("<Object>");
        element(&mut xml, "Key", &target.key);
        if let Some(version_id) = &target.version_id {
            element(&mut xml, "VersionId", version_id);
        }
        if let Some(etag) = &target.if_match {
            element(&mut xml, "ETag", &values::quoted(etag));
        }
        xml.push_str("</Object>");
    }
    xml.push_str("<Quiet>false</Quiet></Delete>");
    xml
}

fn element(xml: &mut String, name: &str, text: &str) {
    xml.extend(["<", name, ">"]);
    let mut rest = text;
    while let Some(place) = rest.bytes().position(|byte| matches!(byte, b'&' | b'<' | b'>' | b'"')) {
        xml.push_str(&rest[..place]);
        xml.push_str(match rest.as_bytes()[place] {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            _ => "&quot;",
        });
        rest = &rest[place + 1..];
    }
    xml.extend([rest, "</", name, ">"]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::s3::needs_single_delete;
    use crate::s3::xml::Reader;

    /// Key, version and condition of each target, as a strict reader finds them.
    fn read(document: &str) -> Vec<(String, Option<String>, Option<String>)> {
        let mut reader = Reader::enter(document, "Delete").unwrap();
        let mut targets = Vec::new();
        while let Some(name) = reader.child().unwrap() {
            if name == "Quiet" {
                assert_eq!(reader.string().unwrap(), "false");
                continue;
            }
            assert_eq!(name, "Object");
            let (mut key, mut version_id, mut etag) = (None, None, None);
            while let Some(name) = reader.child().unwrap() {
                let field = match name {
                    "Key" => &mut key,
                    "VersionId" => &mut version_id,
                    "ETag" => &mut etag,
                    name => panic!("{name}"),
                };
                assert_eq!(field.replace(reader.string().unwrap()), None);
            }
            targets.push((key.unwrap(), version_id, etag));
        }
        reader.finish().unwrap();
        targets
    }

    proptest! {
        #[test]
        fn whatever_a_batch_can_carry_is_read_as_it_was_meant(
            targets in proptest::collection::vec(
                (any::<String>(), "[ -~]{1,9}", proptest::option::of("[ -~&&[^\"]]{1,9}"), any::<bool>()),
                0..9,
            ),
        ) {
            let wanted: Vec<_> = targets
                .into_iter()
                .map(|(key, plain, other, has_version)| {
                    let key = if needs_single_delete(&key) { format!("_{plain}_") } else { key };
                    let (version_id, if_match) = if has_version { (other, None) } else { (None, other) };
                    (key, version_id, if_match)
                })
                .collect();
            let targets: Vec<_> = wanted
                .iter()
                .map(|(key, version_id, if_match)| DeleteTarget {
                    key: key.into(),
                    version_id: version_id.as_ref().map(Into::into),
                    if_match: if_match.as_ref().map(Into::into),
                })
                .collect();
            let quoted = |etag: &String| format!("\"{etag}\"");
            let wanted: Vec<_> =
                wanted.iter().map(|(key, id, etag)| (key.clone(), id.clone(), etag.as_ref().map(quoted))).collect();
            prop_assert_eq!(read(&delete_document(&targets)), wanted);
        }
    }
}
