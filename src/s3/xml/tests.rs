//! The reader takes every form of well-formed XML and nothing else.

use super::{Malformed, Raw, Reader, Text, resolve};

/// The text of the children `a` of a root `r`, other elements skipped.
fn texts(document: &str) -> Result<Vec<String>, Malformed> {
    let mut reader = Reader::enter(document, "r")?;
    let mut texts = Vec::new();
    while let Some(name) = reader.child()? {
        match name {
            "a" => texts.push(reader.string()?),
            _ => reader.skip()?,
        }
    }
    reader.finish()?;
    Ok(texts)
}

#[test]
fn text_is_read_in_all_its_forms() {
    for (inner, text) in [
        ("", ""),
        ("x y", "x y"),
        (" x ", " x "),
        ("&lt;&amp;&gt;&quot;&apos;", "<&>\"'"),
        ("&#65;&#x42;&#X43;&#1;&#x1F3A7;", "ABC\u{1}🎧"),
        ("<![CDATA[a<b&amp;]]>", "a<b&amp;"),
        ("x<![CDATA[]]]]><![CDATA[>]]>y", "x]]>y"),
        ("x<!-- > <a> -->y<?p q?>z", "xyz"),
        ("]]", "]]"),
    ] {
        assert_eq!(texts(&format!("<r><a>{inner}</a></r>")), Ok(vec![text.to_owned()]), "{inner}");
    }
}

#[test]
fn plain_text_is_borrowed_with_its_place() {
    let mut reader = Reader::enter("<r><a>&quot;x</a></r>", "r").unwrap();
    reader.child().unwrap();
    assert_eq!(reader.text().unwrap(), Text::Raw(Raw { at: 6, len: 7, plain: false }));
}

#[test]
fn prologue_namespaces_attributes_and_white_space_do_not_matter() {
    let document = "\u{feff}<?xml version=\"1.0\"?>\n<!-- x -->\r\n<s:r xmlns:s=\"http://s3>\" q='/>'>\n\t\
                    <s:a>1</s:a ><b c='<'><a>no</a><d/></b><a/>\n</s:r>\n<!-- end -->\n";
    assert_eq!(texts(document), Ok(vec!["1".to_owned(), String::new()]));
    assert_eq!(texts("<r/>"), Ok(vec![]));
    assert_eq!(texts("<r ></r >"), Ok(vec![]));
}

#[test]
fn a_form_feed_is_no_white_space() {
    for odd in ["<r>\x0c<a/></r>", "<r\x0c><a/></r>", "<r><a/></r\x0c>", "<r><a/></r>\x0c", "<r><b/\x0c></r>"]
    {
        assert!(texts(odd).is_err(), "{odd:?}");
    }
}

#[test]
fn what_looks_like_a_tag_and_is_none_is_an_error() {
    for odd in [
        "<a<b></a<b>",
        "<a b></a>",
        "<a b=c></a>",
        "<a b='c></a>",
        "<a b='c'd='e'/>",
        "<a / >",
        "<a/ ></a>",
        "<a =''/>",
        "<a&amp;/>",
        "<a b c='d'/>",
        "<a 'b'='c'/>",
        "<?>x?>",
        "<? x?>",
        "<!-- -- -->",
        "<!DOCTYPE a>",
    ] {
        assert!(texts(&format!("<r>{odd}</r>")).is_err(), "{odd}");
    }
    assert_eq!(texts("<r><a b = '>' c=\"'/>\"\n/></r>"), Ok(vec![String::new()]));
}

#[test]
fn what_is_skipped_is_still_balanced() {
    assert_eq!(texts("<r><b>x<c/><![CDATA[</b>]]><c>y</c>z</b><a>1</a></r>"), Ok(vec!["1".to_owned()]));
    assert_eq!(texts("<r><b>x<!-- y -->z<?p?>z<c/>z</b><a>1</a></r>"), Ok(vec!["1".to_owned()]));
    assert!(texts("<r><b><c></b></c><a>1</a></r>").is_err());
}

#[test]
fn a_document_cut_anywhere_is_an_error() {
    let document =
        "<?xml version=\"1.0\"?><r q=\"1\"><a>x&amp;<![CDATA[y]]><!-- z --></a><b><c/></b><a>z</a></r>";
    assert!(texts(document).is_ok());
    for end in (0..document.len()).filter(|end| document.is_char_boundary(*end)) {
        assert!(texts(&document[..end]).is_err(), "{}", &document[..end]);
    }
}

#[test]
fn what_is_not_well_formed_is_an_error() {
    for document in [
        "",
        " ",
        "x",
        "<q></q>",
        "</r>",
        "<r></q>",
        "<r><a></r></a>",
        "<r><a>x</r>",
        "<r></r><r></r>",
        "<r></r>x",
        "<r>x</r>",
        "<r>x<a></a></r>",
        "<r><a>x<b/></a></r>",
        "<r><a>&nope;</a></r>",
        "<r><a>& x</a></r>",
        "<r><a>&#xZ;</a></r>",
        "<r><a>&#+65;</a></r>",
        "<r><a>&#xD800;</a></r>",
        "<r><a>a\rb</a></r>",
        "<r><![CDATA[x]]></r>",
        "<!DOCTYPE r><r></r>",
        "<r><></></r>",
        "<Error><Code>SlowDown</Code></Error>",
    ] {
        assert!(texts(document).is_err(), "{document}");
    }
}

#[test]
fn errors_name_their_place() {
    let error = resolve("ab&nope;", 100).unwrap_err();
    assert_eq!(error.to_string(), "an unknown reference (at byte 102)");
    assert_eq!(texts("<r><a>x").unwrap_err().at, 7);
}
