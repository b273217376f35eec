//! The XML that the API takes, with a comment that says where it comes from.

use super::model::{BucketRules, Origin};
use crate::text;

/// The configuration of one bucket; `None` if S3 has no part in it.
pub fn configuration(origin: &Origin, bucket: &BucketRules) -> Option<String> {
    let document = bucket.document.as_deref()?;
    let lines = std::iter::once(origin.line()).chain(origin.digests()).chain(bucket.remarks());
    let lines: Vec<String> = lines.map(|line| format!("  {}\n", text::xml_comment(&line))).collect();
    let head = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!--\n{}-->\n", lines.concat());
    Some(format!("{head}{}", text::xml(&indented(document))))
}

/// Puts each element on a line of its own. Space is added between elements only: in an element that
/// holds text, or nothing, it would be part of what is said.
fn indented(document: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut depth = 0_usize;
    let mut leaf = false;
    for piece in document.split('<').skip(1) {
        let (tag, after) = piece.split_once('>').unwrap_or((piece, ""));
        let is_end = tag.starts_with('/');
        if is_end {
            depth = depth.saturating_sub(1);
        }
        if is_end && leaf {
            if let Some(line) = lines.last_mut() {
                line.push_str(&format!("<{tag}>"));
            }
        } else {
            // Text before another element stands between elements, where there is only space.
            let after = if is_end { "" } else { after };
            lines.push(format!("{}<{tag}>{after}", "  ".repeat(depth)));
        }
        leaf = !is_end && !tag.ends_with('/');
        depth += usize::from(leaf);
    }
    format!("{}\n", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::indented;

    #[test]
    fn space_is_added_between_elements_alone() {
        let document = "<L xmlns=\"u\"><R><F><P></P></F><S>a &gt; b </S></R><R><F/></R></L>";
        let expected = "<L xmlns=\"u\">
  <R>
    <F>
      <P></P>
    </F>
    <S>a &gt; b </S>
  </R>
  <R>
    <F/>
  </R>
</L>
";
        assert_eq!(indented(document), expected);
    }
}
