//! Configurations as people and their tools leave them in buckets: a list by hand, and a generator over parts.

use std::collections::HashSet;

/// What is to become of a configuration when a rule of ours is put into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Every rule of others stays as it is.
    Kept,
    /// The same, once the old form is rewritten.
    Upgraded,
    /// The bucket is refused, and the reason names this.
    Refused(&'static str),
}

/// A configuration, and what is to become of it.
#[derive(Clone, Debug)]
pub struct Shape {
    pub xml: String,
    pub expect: Expect,
}

use Expect::{Kept, Refused, Upgraded};

const ROOT: &str = "<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
const END: &str = "</LifecycleConfiguration>";

/// Rules under S3's own root. `{D}` stands for an expiration after 30 days, `{E}` for `Enabled`.
const BY_HAND: [(&str, Expect); 54] = [
    // User guides and consoles.
    ("<Rule><ID>Delete old logs</ID><Filter><Prefix>logs/</Prefix></Filter>{E}{D}</Rule>", Kept),
    (
        "<Rule><ID>sample-rule</ID><Filter><And><Prefix>documents/</Prefix><Tag><Key>class</Key><Value>blue</Value></Tag></And></Filter>{E}<Transition><Days>365</Days><StorageClass>GLACIER</StorageClass></Transition><Expiration><Days>3650</Days></Expiration></Rule>",
        Kept,
    ),
    (
        "<Rule><ID>id-1</ID><Filter><Prefix>documents/</Prefix></Filter>{E}<Transition><Days>1</Days><StorageClass>GLACIER</StorageClass></Transition></Rule><Rule><ID>id-2</ID><Filter><Prefix>logs/</Prefix></Filter>{E}<Expiration><Days>365</Days></Expiration></Rule>",
        Kept,
    ),
    (
        "<Rule><Filter/>{E}<NoncurrentVersionExpiration><NewerNoncurrentVersions>5</NewerNoncurrentVersions><NoncurrentDays>30</NoncurrentDays></NoncurrentVersionExpiration></Rule>",
        Kept,
    ),
    (
        "<Rule><ID>size</ID><Filter><And><ObjectSizeGreaterThan>500</ObjectSizeGreaterThan><ObjectSizeLessThan>64000</ObjectSizeLessThan></And></Filter>{E}{D}</Rule>",
        Kept,
    ),
    (
        "<Rule><ID>mpu</ID><Filter><Prefix>SomeKeyPrefix/</Prefix></Filter><Status>Disabled</Status><AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule>",
        Kept,
    ),
    // Terraform, CloudFormation, CDK, Serverless.
    (
        "<Rule><Expiration><Days>90</Days></Expiration><ID>tf-s3-lifecycle-20240102030405060700000001</ID><Filter><Prefix></Prefix></Filter>{E}<NoncurrentVersionExpiration><NoncurrentDays>30</NoncurrentDays></NoncurrentVersionExpiration><AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule>",
        Kept,
    ),
    (
        "<Rule><Expiration><ExpiredObjectDeleteMarker>false</ExpiredObjectDeleteMarker></Expiration><ID>tf-empty</ID><Filter/>{E}<AbortIncompleteMultipartUpload><DaysAfterInitiation>3</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule>",
        Kept,
    ),
    (
        "<Rule><ID>tf-both</ID><Filter/>{E}<Expiration><Days>9</Days><ExpiredObjectDeleteMarker>false</ExpiredObjectDeleteMarker></Expiration></Rule>",
        Kept,
    ),
    (
        "<Rule><ID>MmUxOGRmMzYtZTJhNi00</ID><Filter><Prefix></Prefix></Filter>{E}<Transition><StorageClass>INTELLIGENT_TIERING</StorageClass><Days>0</Days></Transition></Rule>",
        Kept,
    ),
    (
        "<Rule><ID>cdk</ID><Filter><Prefix/></Filter>{E}<NoncurrentVersionTransition><NoncurrentDays>30</NoncurrentDays><StorageClass>STANDARD_IA</StorageClass></NoncurrentVersionTransition><NoncurrentVersionTransition><NoncurrentDays>60</NoncurrentDays><StorageClass>GLACIER</StorageClass></NoncurrentVersionTransition><NoncurrentVersionExpiration><NoncurrentDays>300</NoncurrentDays></NoncurrentVersionExpiration></Rule>",
        Kept,
    ),
    (
        "<Rule><ID>sls-cleanup</ID><Filter><Prefix>serverless/my-service/dev/</Prefix></Filter>{E}<Expiration><Days>14</Days></Expiration></Rule>",
        Kept,
    ),
    // MinIO, Ceph, R2 and their like.
    (
        "<Rule><ID>clq1</ID>{E}<Filter><Prefix></Prefix></Filter><Expiration><Days>91</Days></Expiration><NoncurrentVersionExpiration><NoncurrentDays>91</NoncurrentDays></NoncurrentVersionExpiration></Rule>",
        Kept,
    ),
    (
        "<Rule><ID>tier</ID>{E}<Filter><Prefix>a/</Prefix></Filter><Transition><Days>5</Days><StorageClass>MY-COLD-TIER</StorageClass></Transition></Rule>",
        Kept,
    ),
    (
        "<Rule><ID>allversions</ID><Filter/>{E}<Expiration><Days>5</Days><ExpiredObjectAllVersions>true</ExpiredObjectAllVersions></Expiration></Rule>",
        Kept,
    ),
    (
        "<Rule><ID>delmarker</ID><Filter/>{E}<DelMarkerExpiration><Days>5</Days></DelMarkerExpiration></Rule>",
        Kept,
    ),
    (
        "<Rule><ID>Default Multipart Abort Rule</ID>{E}<Filter><Prefix/></Filter><AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule>",
        Kept,
    ),
    (
        "<Rule><ID>flag</ID><Filter><ArchiveZone/><Prefix>z/</Prefix></Filter>{E}{D}</Rule>",
        Refused("FilterMembers(2)"),
    ),
    (
        "<Rule><ID>old-minio</ID>{E}<Filter><Prefix>data-in/</Prefix><And></And><Tag></Tag></Filter>{D}</Rule>",
        Refused("FilterMembers(3)"),
    ),
    // A filter of one, twice wrapped.
    ("<Rule><ID>and1</ID><Filter><And><Prefix>p/</Prefix></And></Filter>{E}{D}</Rule>", Kept),
    (
        "<Rule><ID>and1t</ID><Filter><And><Tag><Key>a</Key><Value>1</Value></Tag></And></Filter>{E}{D}</Rule>",
        Kept,
    ),
    ("<Rule><ID>tag0</ID><Filter><Tag><Key>tmp</Key><Value></Value></Tag></Filter>{E}{D}</Rule>", Kept),
    ("<Rule><ID>tag1</ID><Filter><Tag><Key>tmp</Key></Tag></Filter>{E}{D}</Rule>", Kept),
    (
        "<Rule><ID>tagx</ID><Filter><Tag><Value>&lt;&amp;&gt;</Value><Key>a&#32;b</Key></Tag></Filter>{E}{D}</Rule>",
        Kept,
    ),
    // Line ends, white space, entities, CDATA, comments.
    ("<Rule><ID>cr</ID><Filter><Prefix>a&#xD;&#xA;b&#13;&#10;</Prefix></Filter>{E}{D}</Rule>", Kept),
    (
        "<Rule>\r\n\t<ID>crlf</ID>\r\n\t<Filter>\r\n\t\t<Prefix>raw\r\nline/</Prefix>\r\n\t</Filter>\r\n\t{E}{D}\r\n</Rule>",
        Kept,
    ),
    (
        "<Rule><ID>  spaced  </ID><Filter><Prefix>  two  </Prefix></Filter><Status>\n  Enabled\n</Status>{D}</Rule>",
        Kept,
    ),
    (
        "<Rule><ID><![CDATA[a & b]]></ID><Filter><Prefix><![CDATA[<x>]]>&#47;</Prefix></Filter>{E}{D}</Rule>",
        Kept,
    ),
    (
        "<Rule><!-- platform team, #4711 --><ID>c</ID><Filter><!-- none --></Filter>{E}<!-- > --><Expiration><Days><!-- x -->30</Days></Expiration></Rule>",
        Kept,
    ),
    (
        "<Rule><ID>q&quot;&apos;&#x1F600;</ID><Filter><Prefix>žš/日本/&#x20AC;</Prefix></Filter>{E}{D}</Rule>",
        Kept,
    ),
    ("<Rule ><ID >gt</ID ><Filter  /><Status\n>Enabled</Status\t>{D}</Rule\n>", Kept),
    // Namespaces, attributes, elements of tomorrow.
    (
        "<Rule xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><ID>xsi</ID><Filter xsi:type=\"LifecycleFilter\"><Prefix>x</Prefix></Filter>{E}{D}</Rule>",
        Kept,
    ),
    ("<Rule xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><ID>again</ID><Filter/>{E}{D}</Rule>", Kept),
    (
        "<Rule><ID>vendor</ID><Filter/>{E}{D}<v:note xmlns:v=\"urn:vendor\" v:by='ops \"x\"'>keep <v:b/> this</v:note></Rule>",
        Kept,
    ),
    (
        "<Rule><ID>new</ID><Filter><ObjectAgeSource>metadata</ObjectAgeSource></Filter>{E}<Archive><Days>3</Days></Archive></Rule>",
        Kept,
    ),
    ("<Rule rev=\"7\"><ID>attr</ID><Filter/>{E}{D}</Rule>", Kept),
    // Dates.
    (
        "<Rule><ID>d1</ID><Filter/>{E}<Expiration><Date>2027-01-01T00:00:00.000Z</Date></Expiration></Rule>",
        Kept,
    ),
    ("<Rule><ID>d2</ID><Filter/>{E}<Expiration><Date>2027-01-01</Date></Expiration></Rule>", Kept),
    (
        "<Rule><ID>d3</ID><Filter/>{E}<Expiration><Date>2027-01-01T01:00:00+01:00</Date></Expiration></Rule>",
        Kept,
    ),
    (
        "<Rule><ID>d4</ID><Filter/>{E}<Transition><Date>2027-01-01T00:00:00Z</Date><StorageClass>GLACIER</StorageClass></Transition><Expiration><Date>2028-01-01T00:00:00Z</Date></Expiration></Rule>",
        Kept,
    ),
    (
        "<Rule><ID>d5</ID><Filter/>{E}<Expiration><Date>2027-01-01T10:00:00Z</Date></Expiration></Rule>",
        Refused("DateNotMidnight"),
    ),
    (
        "<Rule><ID>n0</ID><Filter/>{E}<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays><NewerNoncurrentVersions>0</NewerNoncurrentVersions></NoncurrentVersionExpiration></Rule>",
        Kept,
    ),
    // Ids that are nearly ours.
    ("<Rule><ID>shelflife:acme-2:media:0123456789ab</ID><Filter/>{E}{D}</Rule>", Kept),
    ("<Rule><ID>shelflife:acme:media:0123456789AB</ID><Filter/>{E}{D}</Rule>", Kept),
    (
        "<Rule><ID>shelflife:acme:media</ID><Filter/>{E}{D}</Rule><Rule><ID>Shelflife:acme:media:0123456789ab</ID><Filter/>{E}{D}</Rule>",
        Kept,
    ),
    (
        "<Rule><Filter><Prefix>a</Prefix></Filter>{E}{D}</Rule><Rule><ID></ID><Filter><Prefix>b</Prefix></Filter>{E}{D}</Rule><Rule><Filter><Prefix>a</Prefix></Filter>{E}{D}</Rule>",
        Kept,
    ),
    (
        "<Rule><ID>twice</ID><Filter/>{E}{D}</Rule><Rule><ID>twice</ID><Filter/>{E}{D}</Rule>",
        Refused("IdTwice"),
    ),
    // The old form, as boto2 and s3cmd wrote it.
    (
        "<Rule><ID>Archive</ID><Prefix>arch/</Prefix>{E}<Transition><Days>30</Days><StorageClass>GLACIER</StorageClass></Transition><Expiration><Days>365</Days></Expiration></Rule>",
        Upgraded,
    ),
    ("<Rule><ID>s3cmd</ID><Prefix/>{E}{D}</Rule>", Upgraded),
    (
        "<Rule><Prefix>a&#xD;&amp;<!-- c --></Prefix>{E}<New/>{D}</Rule><Rule><Prefix><![CDATA[b]]></Prefix>{E}{D}</Rule>",
        Upgraded,
    ),
    (
        "<Rule><ID>v1</ID><Prefix>a/</Prefix>{E}{D}</Rule><Rule><ID>v2</ID><Filter><Prefix>b/</Prefix></Filter>{E}{D}</Rule>",
        Upgraded,
    ),
    (
        "<Rule><ID>both</ID><Prefix>a</Prefix><Filter><Prefix>a</Prefix></Filter>{E}{D}</Rule>",
        Refused("Upgrade"),
    ),
    // What cannot be kept.
    (
        "<Rule><ID>top</ID><Filter/>{E}{D}</Rule><ExpiryUpdatedAt>2026-01-01T00:00:00Z</ExpiryUpdatedAt>",
        Refused("Content"),
    ),
    ("<Rule><ID>ent</ID><Filter><Prefix>&nbsp;</Prefix></Filter>{E}{D}</Rule>", Refused("Entity")),
];

fn by_hand() -> impl Iterator<Item = Shape> {
    let fill = |rules: &str| {
        rules
            .replace("{D}", "<Expiration><Days>30</Days></Expiration>")
            .replace("{E}", "<Status>Enabled</Status>")
    };
    let shapes = BY_HAND.into_iter();
    shapes.map(move |(rules, expect)| Shape { xml: format!("{ROOT}{}{END}", fill(rules)), expect })
}

fn simple(n: usize) -> String {
    format!(
        "<Rule><ID>r{n}</ID><Filter><Prefix>p{n}/</Prefix></Filter><Status>Enabled</Status><Expiration><Days>{}</Days></Expiration></Rule>",
        n + 1
    )
}

/// Whole documents.
fn documents() -> Vec<Shape> {
    let rules = |count: usize| (0..count).map(simple).collect::<String>();
    let one = simple(1);
    let kept = |xml: String| Shape { xml, expect: Kept };
    let refused = |xml: String, why| Shape { xml, expect: Refused(why) };
    vec![
        kept(format!("<LifecycleConfiguration>{one}{END}")),
        kept(format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{ROOT}\n  {one}\n{END}\n")),
        kept(format!("<?xml version='1.0' encoding='utf-8' standalone='yes'?>{ROOT}{one}{END}")),
        kept(format!("\u{feff}{ROOT}<!-- first -->{one}<!-- last -->{END}<!-- end -->")),
        kept(format!(
            "<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\" xmlns:v=\"urn:a&amp;b\">{}{END}",
            one.replace("<Filter>", "<v:x v:y='1'/><Filter>")
        )),
        kept(format!(
            "<s3:LifecycleConfiguration xmlns:s3=\"http://s3.amazonaws.com/doc/2006-03-01/\">{}</s3:LifecycleConfiguration>",
            one.replace("</", "<//").replace('<', "<s3:").replace("<s3://", "</s3:")
        )),
        kept(format!("<LifecycleConfiguration xmlns=\"http://obs.example/doc/2015-06-30/\">{one}{END}")),
        kept(format!("{ROOT}{}{END}", rules(999))),
        refused(format!("{}{one}{END}", ROOT.replace('>', " xml:lang=\"en\">")), "Attribute"),
        refused(format!("<!DOCTYPE x>{ROOT}{one}{END}"), "Dtd"),
        refused(format!("{ROOT}{one}stray{END}"), "Content"),
        refused(format!("{ROOT}{}{END}", one.replace("Enabled", "enabled")), "Status(\"enabled\")"),
        refused(format!("{ROOT}{}", one), "IllFormed"),
    ]
}

/// Filters, and whether they look at more than the key.
const FILTERS: [(&str, bool); 14] = [
    ("<Filter/>", false),
    ("<Filter></Filter>", false),
    ("<Filter>\n  </Filter>", false),
    ("<Filter><Prefix/></Filter>", false),
    ("<Filter><Prefix>logs/</Prefix></Filter>", false),
    ("<Filter><Prefix>a&#13;&#10;b&amp;/</Prefix></Filter>", false),
    ("<Filter><Prefix>caf\u{e9}/ \u{1f4ce}</Prefix></Filter>", false),
    ("<Filter><And><Prefix>only/</Prefix></And></Filter>", false),
    ("<Filter><Tag><Key>env</Key><Value>dev</Value></Tag></Filter>", true),
    ("<Filter><Tag><Key>env</Key><Value/></Tag></Filter>", true),
    (
        "<Filter><And><Prefix>t/</Prefix><Tag><Key>b</Key><Value>2</Value></Tag><Tag><Key>a</Key><Value>1</Value></Tag></And></Filter>",
        true,
    ),
    ("<Filter><ObjectSizeGreaterThan>131072</ObjectSizeGreaterThan></Filter>", true),
    ("<Filter><And><ObjectSizeLessThan>1000</ObjectSizeLessThan><Prefix>s/</Prefix></And></Filter>", true),
    ("<Filter><Later><Deep>1</Deep></Later></Filter>", true),
];

/// Actions, and whether they go with any filter.
const ACTIONS: [(&str, bool); 12] = [
    ("<Expiration><Days>1</Days></Expiration>", true),
    ("<Expiration>\n    <Days> 365 </Days>\n  </Expiration>", true),
    ("<Expiration><Date>2030-06-01T00:00:00.000Z</Date></Expiration>", true),
    ("<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>", false),
    ("<NoncurrentVersionExpiration><NoncurrentDays>7</NoncurrentDays></NoncurrentVersionExpiration>", true),
    (
        "<NoncurrentVersionExpiration><NewerNoncurrentVersions>3</NewerNoncurrentVersions><NoncurrentDays>7</NoncurrentDays></NoncurrentVersionExpiration>",
        true,
    ),
    (
        "<AbortIncompleteMultipartUpload><DaysAfterInitiation>2</DaysAfterInitiation></AbortIncompleteMultipartUpload>",
        false,
    ),
    (
        "<Transition><Days>30</Days><StorageClass>STANDARD_IA</StorageClass></Transition><Transition><Days>90</Days><StorageClass>GLACIER_IR</StorageClass></Transition><Expiration><Days>400</Days></Expiration>",
        true,
    ),
    (
        "<NoncurrentVersionTransition><NoncurrentDays>30</NoncurrentDays><StorageClass>GLACIER</StorageClass></NoncurrentVersionTransition>",
        true,
    ),
    (
        "<Transition><StorageClass>DEEP_ARCHIVE</StorageClass><Date>2030-01-01T00:00:00Z</Date></Transition>",
        true,
    ),
    ("<FutureAction mode=\"x\"><Days>3</Days>text<Empty/></FutureAction>", true),
    ("<Expiration><Days>5</Days><FutureField>true</FutureField></Expiration><!-- end -->", true),
];

/// `count` configurations of one to six rules each, always the same ones.
fn generated(count: usize) -> Vec<Shape> {
    let mut state = 0x5eed_u64;
    let mut next = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let mut shapes = Vec::new();
    for at in 0..count {
        let is_old = at % 8 == 7;
        let mut rules = String::new();
        for number in 0..=next(6) {
            let (filter, is_narrow) = FILTERS[next(FILTERS.len())];
            let fitting: Vec<_> = ACTIONS.iter().filter(|(_, any)| *any || (!is_narrow && !is_old)).collect();
            let action = fitting[next(fitting.len())].0;
            let old = format!("<Prefix>old{number}/&#xA;</Prefix>");
            // `NewerNoncurrentVersions` wants a `Filter`, which the old form has not.
            let (filter, action) =
                if is_old { (old.as_str(), ACTIONS[number % 3].0) } else { (filter, action) };
            let status = ["<Status>Enabled</Status>", "<Status>Disabled</Status>"][next(2)];
            let id = match next(4) {
                0 => String::new(),
                1 => format!("<ID>{number} &amp; co</ID>"),
                _ => format!("<ID>rule-{at}-{number}</ID>"),
            };
            rules += &match next(3) {
                0 => format!("<Rule>{id}{filter}{status}{action}</Rule>"),
                1 => format!("\n  <Rule>\n    {status}{action}{id}\r\n    {filter}</Rule>\n"),
                _ => format!("<Rule><!-- {at} -->{action}{filter}{status}{id}</Rule>"),
            };
        }
        let root = ["<LifecycleConfiguration>", ROOT][next(2)];
        shapes
            .push(Shape { xml: format!("{root}{rules}{END}"), expect: if is_old { Upgraded } else { Kept } });
    }
    shapes
}

/// All of them, no two alike.
pub fn shapes() -> Vec<Shape> {
    let mut seen = HashSet::new();
    let all = by_hand().chain(documents()).chain(generated(260));
    all.filter(|shape| seen.insert(shape.xml.clone())).collect()
}
