//! Configurations as found in the wild: read, kept exactly, or refused.

use shelflife::lifecycle::{
    Action, DocumentError, Form, LifecycleDocument, MergeError, OwnedRule, Status, Target, XmlError, merge,
    same_meaning,
};

use super::*;

const S3: &str = r#"xmlns="http://s3.amazonaws.com/doc/2006-03-01/""#;

/// Rules in the new form, each to be kept to the byte. All stand under a root with S3's namespace.
const RULES: [&str; 30] = [
    // The user guide's and the console's.
    "<Rule><ID>a</ID><Filter><Prefix>logs/</Prefix></Filter><Status>Enabled</Status><Expiration><Days>30</Days></Expiration></Rule>",
    "<Rule><ID>a</ID><Filter/><Status>Enabled</Status><Expiration><Days>365</Days></Expiration></Rule>",
    "<Rule><ID>a</ID><Filter></Filter><Status>Disabled</Status><Expiration><Days>1</Days></Expiration></Rule>",
    "<Rule><Filter><Prefix></Prefix></Filter><Status>Enabled</Status><Expiration><Date>2026-01-01T00:00:00.000Z</Date></Expiration></Rule>",
    "<Rule><ID>tag</ID><Filter><Tag><Key>k</Key><Value>v</Value></Tag></Filter><Status>Enabled</Status><Expiration><Days>3</Days></Expiration></Rule>",
    "<Rule><ID>tag</ID><Filter><Tag><Key>k</Key><Value/></Tag></Filter><Status>Enabled</Status><Expiration><Days>3</Days></Expiration></Rule>",
    "<Rule><ID>and</ID><Filter><And><Prefix>p/</Prefix><Tag><Key>a</Key><Value>1</Value></Tag><Tag><Key>b</Key><Value>2</Value></Tag></And></Filter><Status>Enabled</Status><Expiration><Days>3</Days></Expiration></Rule>",
    "<Rule><ID>and1</ID><Filter><And><Prefix>p/</Prefix></And></Filter><Status>Enabled</Status><Expiration><Days>3</Days></Expiration></Rule>",
    "<Rule><ID>and1t</ID><Filter><And><Tag><Key>a</Key><Value>1</Value></Tag></And></Filter><Status>Enabled</Status><Expiration><Days>3</Days></Expiration></Rule>",
    "<Rule><ID>size</ID><Filter><ObjectSizeGreaterThan>500</ObjectSizeGreaterThan></Filter><Status>Enabled</Status><Expiration><Days>365</Days></Expiration></Rule>",
    "<Rule><ID>sizes</ID><Filter><And><Prefix>t/</Prefix><ObjectSizeGreaterThan>500</ObjectSizeGreaterThan><ObjectSizeLessThan>64000</ObjectSizeLessThan></And></Filter><Status>Enabled</Status><Transition><Days>90</Days><StorageClass>GLACIER_IR</StorageClass></Transition></Rule>",
    "<Rule><ID>tiers</ID><Filter><Prefix/></Filter><Status>Enabled</Status><Transition><Days>30</Days><StorageClass>STANDARD_IA</StorageClass></Transition><Transition><Days>120</Days><StorageClass>DEEP_ARCHIVE</StorageClass></Transition><Expiration><Days>3650</Days></Expiration></Rule>",
    "<Rule><ID>markers</ID><Filter/><Status>Enabled</Status><Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration><NoncurrentVersionExpiration><NoncurrentDays>30</NoncurrentDays></NoncurrentVersionExpiration></Rule>",
    "<Rule><ID>keep5</ID><Filter><Prefix/></Filter><Status>Enabled</Status><NoncurrentVersionExpiration><NewerNoncurrentVersions>5</NewerNoncurrentVersions><NoncurrentDays>30</NoncurrentDays></NoncurrentVersionExpiration></Rule>",
    "<Rule><ID>nct</ID><Filter><Prefix/></Filter><Status>Enabled</Status><NoncurrentVersionTransition><NoncurrentDays>30</NoncurrentDays><StorageClass>GLACIER</StorageClass><NewerNoncurrentVersions>2</NewerNoncurrentVersions></NoncurrentVersionTransition></Rule>",
    "<Rule><ID>abort</ID><Filter/><Status>Enabled</Status><AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule>",
    // Whitespace, comments, CDATA, order.
    "<Rule>\n    <Status> Enabled </Status>\n    <Expiration>\n      <Days> 30 </Days>\n    </Expiration>\n    <Filter>\n      <Prefix>pretty/</Prefix>\n    </Filter>\n    <ID>pretty</ID>\n  </Rule>",
    "<Rule><!-- owned by ops, do not touch --><ID>c</ID><Filter><Prefix>c/<!-- x --></Prefix></Filter><Status>Enabled</Status><Expiration><Days>30</Days></Expiration></Rule>",
    "<Rule><ID>cd</ID><Filter><Prefix><![CDATA[a&b<c>/]]></Prefix></Filter><Status>Enabled</Status><Expiration><Days>30</Days></Expiration></Rule>",
    // Prefixes that an XML writer spoils easily.
    "<Rule><ID>crlf</ID><Filter><Prefix>a&#xD;&#xA;b&#13;&#10;/</Prefix></Filter><Status>Enabled</Status><Expiration><Days>30</Days></Expiration></Rule>",
    "<Rule><ID>tab</ID><Filter><Prefix> lead&#x9;trail </Prefix></Filter><Status>Enabled</Status><Expiration><Days>30</Days></Expiration></Rule>",
    "<Rule><ID>esc</ID><Filter><Prefix>a&amp;b&lt;c&gt;d&quot;e&apos;f</Prefix></Filter><Status>Enabled</Status><Expiration><Days>30</Days></Expiration></Rule>",
    "<Rule><ID>uni</ID><Filter><Prefix>žš/日本/&#x1F600;</Prefix></Filter><Status>Enabled</Status><Expiration><Days>30</Days></Expiration></Rule>",
    "<Rule><ID>ctl</ID><Filter><Prefix>a&#x1;b</Prefix></Filter><Status>Enabled</Status><Expiration><Days>30</Days></Expiration></Rule>",
    // What S3 or another store may add some day, or adds already.
    "<Rule><ID>new</ID><Filter><Prefix>n/</Prefix><ObjectColor>red</ObjectColor></Filter><Status>Enabled</Status><Expiration><Days>30</Days></Expiration></Rule>",
    "<Rule><ID>minio</ID><Filter><Prefix/></Filter><Status>Enabled</Status><DelMarkerExpiration><Days>9</Days></DelMarkerExpiration><Expiration><Days>3</Days><ExpiredObjectAllVersions>true</ExpiredObjectAllVersions></Expiration></Rule>",
    r#"<Rule xmlns:v="urn:vendor" v:owner="ops"><ID>v</ID><v:note a="1">keep <v:b/></v:note><Filter/><Status>Enabled</Status><Expiration><Days>30</Days></Expiration></Rule>"#,
    r#"<Rule xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><ID>xsi</ID><Filter xsi:type="F"><Prefix>x</Prefix></Filter><Status>Enabled</Status><Expiration><Days>30</Days></Expiration></Rule>"#,
    r#"<r:Rule xmlns:r="http://s3.amazonaws.com/doc/2006-03-01/"><r:ID>r</r:ID><r:Filter><r:Prefix>r/</r:Prefix></r:Filter><r:Status>Enabled</r:Status><r:Expiration><r:Days>30</r:Days></r:Expiration></r:Rule>"#,
    // Another policy's.
    "<Rule><ID>shelflife:other:media:0123456789ab</ID><Filter><Prefix>m/</Prefix></Filter><Status>Enabled</Status><Expiration><Days>30</Days></Expiration></Rule>",
];

/// Roots that each take one of the rules above, or rules written with their prefix.
fn whole_documents() -> Vec<(String, Vec<String>)> {
    let rule = RULES[0];
    let prefixed = rule.replace("</", "<//").replace('<', "<s3:").replace("<s3://", "</s3:");
    let mut documents: Vec<(String, Vec<String>)> = RULES
        .iter()
        .map(|rule| {
            let rules = vec![(*rule).to_owned()];
            (format!("<LifecycleConfiguration {S3}>{rule}</LifecycleConfiguration>"), rules)
        })
        .collect();
    let one = |xml: String, rule: &str| (xml, vec![rule.to_owned()]);
    documents.extend([
        one(format!("<LifecycleConfiguration>{rule}</LifecycleConfiguration>"), rule),
        one(
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<LifecycleConfiguration {S3}>\n  {rule}\n</LifecycleConfiguration>\n"
            ),
            rule,
        ),
        one(format!("\u{feff}<LifecycleConfiguration {S3}>{rule}</LifecycleConfiguration>"), rule),
        one(
            format!(
                r#"<s3:LifecycleConfiguration xmlns:s3="http://s3.amazonaws.com/doc/2006-03-01/">{prefixed}</s3:LifecycleConfiguration>"#
            ),
            &prefixed,
        ),
        one(
            format!(
                r#"<LifecycleConfiguration {S3} xmlns:v="urn:a&amp;b">{}</LifecycleConfiguration>"#,
                "<Rule><ID>q</ID><v:x/><Filter/><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule>"
            ),
            "<Rule><ID>q</ID><v:x/><Filter/><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule>",
        ),
        one(
            format!("<!-- c --><LifecycleConfiguration {S3}><!-- c -->{rule}<!-- c --></LifecycleConfiguration>"),
            rule,
        ),
        (
            format!("<LifecycleConfiguration {S3}>{}</LifecycleConfiguration>", RULES.concat()),
            RULES.map(str::to_owned).to_vec(),
        ),
    ]);
    documents
}

fn ours() -> OwnedRule {
    let action = Action::Expire { days: 31, noncurrent_days: Some(1), abort_days: Some(7) };
    OwnedRule::new("acme", "ott media", "in\r\n\t & <bound>/\"", action)
}

fn put(target: Target) -> LifecycleDocument {
    match target {
        Target::Put(document) => document,
        Target::Delete => panic!("there are rules"),
    }
}

#[test]
fn foreign_rules_come_out_to_the_byte_and_in_their_order_beside_a_new_one() {
    for (xml, rules) in whole_documents() {
        let before = LifecycleDocument::read(&xml).unwrap_or_else(|error| panic!("{error:?}: {xml}"));
        assert_eq!(before.rules().len(), rules.len());
        let after = put(merge(Some(&before), "acme", &[ours()]).unwrap().after);
        let text = after.to_xml();
        let mut from = 0;
        for rule in &rules {
            from += text[from..].find(rule.as_str()).unwrap_or_else(|| panic!("{rule} not in {text}"));
            from += rule.len();
        }
        // Read back, what leans on the root still means the same, and ours stands at the end.
        let read = LifecycleDocument::read(&text).unwrap();
        assert_eq!(read.rules().len(), rules.len() + 1, "{text}");
        for (old, new) in before.rules().iter().zip(read.rules()) {
            assert_eq!(old.view(), new.view());
        }
        assert_eq!(read.rules().last().unwrap().view(), after.rules().last().unwrap().view());
        same_meaning(&after, &read).unwrap();
    }
}

#[test]
fn what_stands_in_a_rule_is_understood() {
    let view = |rule: &str| document(rule).rules()[0].view().clone();
    let prefix = |at: usize| view(RULES[at]).filter.prefix;
    assert_eq!(prefix(16), "pretty/");
    assert_eq!(prefix(17), "c/");
    assert_eq!(prefix(18), "a&b<c>/");
    assert_eq!(prefix(19), "a\r\nb\r\n/");
    assert_eq!(prefix(20), " lead\ttrail ");
    assert_eq!(prefix(21), "a&b<c>d\"e'f");
    assert_eq!(prefix(22), "žš/日本/\u{1f600}");
    assert_eq!(prefix(28), "r/");
    let pretty = view(RULES[16]);
    assert_eq!((pretty.status, pretty.expiration.unwrap().days), (Status::Enabled, Some(30)));
    let and = view(RULES[6]).filter;
    let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(and.tags, [tag("a", "1"), tag("b", "2")]);
    let sizes = view(RULES[10]).filter;
    assert_eq!((sizes.size_over, sizes.size_under), (Some(500), Some(64000)));
    assert_eq!(view(RULES[3]).expiration.unwrap().date, Some(at("2026-01-01T00:00:00Z")));
    assert_eq!(view(RULES[7]).form, Form::Filter { members: 1, and: Some(1) });
    for (at, rule) in RULES.iter().enumerate() {
        assert_eq!(view(rule).unknown.is_empty(), !(24..=27).contains(&at), "{rule}");
        assert_eq!(view(rule).faults, Vec::<String>::new(), "{rule}");
    }
}

#[test]
fn what_is_known_and_wrong_is_a_fault_and_not_a_guess() {
    let faulty = [
        "<Expiration><Days>soon</Days></Expiration>",
        "<Expiration><Days>1</Days><Days>2</Days></Expiration>",
        "<Expiration><Days>1</Days></Expiration><Expiration><Days>2</Days></Expiration>",
        "<Expiration><Date>yesterday</Date></Expiration>",
        "<Expiration><ExpiredObjectDeleteMarker>maybe</ExpiredObjectDeleteMarker></Expiration>",
        "<AbortIncompleteMultipartUpload/>",
        "<Expiration><Days>99999999999999999999</Days></Expiration>",
        "<Status>Enabled</Status>",
    ];
    for action in faulty {
        let document = document(&format!("<Rule><Filter/><Status>Enabled</Status>{action}</Rule>"));
        assert_eq!(document.rules()[0].view().faults.len(), 1, "{action}");
    }
}

#[test]
fn what_cannot_be_kept_exactly_is_refused() {
    let rule = RULES[0];
    let root = |inside: &str| format!("<LifecycleConfiguration {S3}>{inside}</LifecycleConfiguration>");
    let refused = |xml: &str| LifecycleDocument::read(xml).expect_err(xml);
    let xml_error = |xml: &str| match refused(xml) {
        DocumentError::Xml(error) => error,
        other => panic!("{other:?}"),
    };
    let dtd = format!("<!DOCTYPE x [<!ENTITY e \"<Days>1</Days>\">]>{}", root(rule));
    assert_eq!(xml_error(&dtd), XmlError::Dtd);
    let entity = root(&rule.replace("logs/", "&nbsp;"));
    assert_eq!(xml_error(&entity), XmlError::Entity("nbsp".to_owned()));
    assert_eq!(xml_error(&root("<Rule><x:y/></Rule>")), XmlError::Prefix("x".to_owned()));
    assert_eq!(xml_error(&root("<Rule x:y=\"\"/>")), XmlError::Prefix("x".to_owned()));
    assert_eq!(xml_error(&root("<?keep this?>")), XmlError::Instruction);
    assert_eq!(xml_error(&format!("<?xml version=\"1.1\"?>{}", root(rule))), XmlError::Declaration);
    let latin = format!("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>{}", root(rule));
    assert_eq!(xml_error(&latin), XmlError::Declaration);
    assert_eq!(xml_error(&root(&"<Rule>".repeat(100_000))), XmlError::Deep);
    for xml in ["", "  ", "text", "<!-- -->", &format!("{}{}", root(rule), root(rule))] {
        assert_eq!(xml_error(xml), XmlError::Root, "{xml}");
    }
    let broken = [
        root(rule).replace("</LifecycleConfiguration>", ""),
        root(rule).replace("</Rule>", "</Role>"),
        root("<Rule a=\"1\" a=\"2\"/>"),
        root("<Rule a=\"<\"/>"),
        root("<Rule>a & b</Rule>"),
        root("<Rule>\u{1}</Rule>"),
        root("<Rule>&#0;</Rule>"),
        root("<Rule><!-- a -- b --></Rule>"),
        root(rule)[..root(rule).len() - 3].to_owned(),
    ];
    for xml in broken {
        assert!(matches!(xml_error(&xml), XmlError::IllFormed { .. }), "{xml}");
    }
    assert_eq!(refused("<Error><Code>SlowDown</Code></Error>"), DocumentError::Root("Error".to_owned()));
    let attribute = root(rule).replace(S3, &format!("{S3} etag=\"1\""));
    assert_eq!(refused(&attribute), DocumentError::Attribute("etag".to_owned()));
    for inside in
        ["<Rules/>", "<ExpiryUpdatedAt>2026</ExpiryUpdatedAt>", "text", "<Rule xmlns=\"urn:other\"/>"]
    {
        assert!(matches!(refused(&root(inside)), DocumentError::Content(_)), "{inside}");
    }
}

const V1: [&str; 4] = [
    "<Rule><ID>v1</ID><Prefix>logs/</Prefix><Status>Enabled</Status><Expiration><Days>30</Days></Expiration></Rule>",
    "<Rule><ID>v1e</ID><Prefix></Prefix><Status>Disabled</Status><Expiration><Days>30</Days></Expiration></Rule>",
    "<Rule><ID>v1s</ID><Prefix/><Status>Enabled</Status><Transition><Days>30</Days><StorageClass>GLACIER</StorageClass></Transition></Rule>",
    "<Rule><ID>v1x</ID><Prefix>a&#xD;&#xA;&amp;</Prefix><Status>Enabled</Status><New/><Expiration><Days>30</Days></Expiration></Rule>",
];

#[test]
fn the_old_form_takes_no_new_rule_until_it_is_upgraded() {
    let old = document(&V1.concat());
    assert!(old.is_v1());
    assert_eq!(merge(Some(&old), "acme", &[ours()]).map(|_| ()), Err(MergeError::V1));
    let upgraded = old.upgraded().unwrap();
    assert!(!upgraded.is_v1());
    for (old, new) in V1.iter().zip(upgraded.rules()) {
        let prefix = &old[old.find("<Prefix").unwrap()..old.find("<Status").unwrap()];
        let filter = old.replace(prefix, &format!("<Filter>{prefix}</Filter>"));
        assert!(upgraded.to_xml().contains(&filter), "{filter}");
        assert!(new.view().same_content(document(old).rules()[0].view()));
    }
    assert!(merge(Some(&upgraded), "acme", &[ours()]).is_ok());
}

#[test]
fn the_old_form_is_left_alone_where_the_policy_has_nothing_to_add() {
    let merged = merge(Some(&document(&V1.concat())), "acme", &[]).unwrap();
    assert!(merged.is_unchanged());
    assert!(put(merged.after).to_xml().contains(&V1.concat()));
}

#[test]
fn the_old_form_is_upgraded_under_any_prefix() {
    let xml = r#"<s:LifecycleConfiguration xmlns:s="urn:s3" xmlns="urn:s3"><Rule><ID>m</ID><s:Prefix>m/</s:Prefix><s:Status>Enabled</s:Status></Rule></s:LifecycleConfiguration>"#;
    let upgraded = LifecycleDocument::read(xml).unwrap().upgraded().unwrap();
    assert!(upgraded.to_xml().contains("<s:Filter><s:Prefix>m/</s:Prefix></s:Filter>"));
    assert_eq!(upgraded.rules()[0].view().filter.prefix, "m/");
}

#[test]
fn a_rule_with_both_forms_is_not_upgraded() {
    let both = "<Rule><ID>both</ID><Prefix>a</Prefix><Filter/><Status>Enabled</Status></Rule>";
    assert_eq!(document(both).upgraded().map(|_| ()), Err(DocumentError::Upgrade("both".to_owned())));
}

#[test]
fn the_same_policy_gives_the_same_bytes() {
    let text = || put(merge(None, "acme", &[ours()]).unwrap().after).to_xml();
    assert_eq!(text(), text());
    assert_eq!(
        text(),
        concat!(
            r#"<LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">"#,
            "<Rule><ID>shelflife:acme:ott%20media:DIGEST</ID>",
            "<Filter><Prefix>in&#xD;&#xA;&#x9; &amp; &lt;bound&gt;/&quot;</Prefix></Filter>",
            "<Status>Enabled</Status>",
            "<Expiration><Days>31</Days></Expiration>",
            "<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration>",
            "<AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload>",
            "</Rule></LifecycleConfiguration>"
        )
        .replace("DIGEST", ours().id().rsplit(':').next().unwrap())
    );
}
