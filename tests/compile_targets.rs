//! What `compile` writes, held to the tools that it is written for: botocore's model of the API, an HCL
//! parser with the provider's schema, Terraform itself where it is installed, cfn-lint, and parliament.
//! `compile_targets/check.py` installs and asks them; see there.
#![cfg(test)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use shelflife::lifecycle::LifecycleDocument;
use shelflife::object::{BucketFacts, Versioning};
use shelflife::targets::{self, BucketRules, Ground, Origin};
use tempfile::TempDir;

const SKIP: &str = "SHELFLIFE_SKIP_COMPILE_TARGETS";

/// Says that no bucket ever had versions.
const NEVER: [&str; 2] = ["--versioning", "never"];

/// Prefixes that mean something in one of the forms, each under a rule of its own.
const HOSTILE: [&str; 15] = [
    r#"quo"te'd/"#,
    "dollar${a}/",
    "percent%{b}/",
    "doubled$${c}%%{d}$%{e}%${f}/",
    "$/",
    r"back\slash\u0041\",
    "# comment/",
    "// comment /* */",
    "--> <!-- ]]>/",
    "&amp; & < >/",
    "{{ f }}/",
    "*?[g]/",
    " space ",
    "čć日本語😀/",
    "<<EOT ~ => = {}",
];

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn shelflife(policy: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shelflife"));
    command.arg("compile").arg(policy).args(args).arg("--quiet").env_clear();
    command.output().unwrap()
}

fn compiled(policy: &Path, args: &[&str]) -> String {
    let ran = shelflife(policy, args);
    assert!(ran.status.success(), "{args:?}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap()
}

/// Everything that is compiled from a policy; `more` says what it takes. Returns the buckets with rules.
fn compile_all(policy: &Path, folder: &Path, buckets: &[&str], more: &[&str]) -> usize {
    let named: Vec<&str> = buckets.iter().flat_map(|bucket| ["--bucket", bucket]).collect();
    let to =
        |form: &str, also: &[&str]| compiled(policy, &[&["--to", form][..], &named, more, also].concat());
    fs::write(folder.join("module.tf"), to("terraform", &[])).unwrap();
    fs::write(folder.join("template.json"), to("cloudformation", &[])).unwrap();
    for duty in ["plan", "apply", "audit"] {
        fs::write(folder.join(format!("iam-{duty}.json")), to("iam", &["--for", duty])).unwrap();
    }
    for engine in ["lifecycle", "direct"] {
        let file = folder.join(format!("iam-apply-{engine}.json"));
        fs::write(file, to("iam", &["--for", "apply", "--engine", engine])).unwrap();
    }
    let made: Value = serde_json::from_str(&to("terraform", &["--json"])).unwrap();
    let mut with_rules = 0;
    for bucket in made["buckets"].as_array().unwrap() {
        let name = bucket["bucket"].as_str().unwrap();
        let one = |form: &str| shelflife(policy, &[&["--to", form, "--bucket", name], more].concat());
        for form in ["json", "xml"] {
            let ran = one(form);
            // 1: S3 has no part in it.
            match ran.status.code() {
                Some(0) => fs::write(folder.join(format!("{name}.{form}")), ran.stdout).unwrap(),
                code => assert_eq!(code, Some(1), "{}", String::from_utf8_lossy(&ran.stderr)),
            }
        }
        with_rules += usize::from(folder.join(format!("{name}.json")).exists());
    }
    with_rules
}

/// What the tools find wrong, each with its folder and file. `None` only if they are skipped, which is said.
fn check(folders: &[&Path]) -> Option<String> {
    if std::env::var(SKIP).is_ok_and(|value| value == "1") {
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("a test");
        // Past the capture of the test harness.
        let _ = writeln!(
            std::io::stderr().lock(),
            "NOT TESTED with the tools of others, because {SKIP}=1: {name}"
        );
        return None;
    }
    let state = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("compile-targets");
    let script = r#". localstack/find-python && exec "$python" -I tests/compile_targets/check.py "$@""#;
    let mut command = Command::new("bash");
    command.args(["-euc", script, "check"]).arg(&state).args(folders).current_dir(repository());
    let ran = command.output().unwrap();
    let (told, noted) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    let _ = write!(std::io::stderr().lock(), "{noted}");
    match ran.status.code() {
        Some(0 | 3) => Some(told.into_owned()),
        _ => panic!(
            "the tools that check what is compiled are needed and did not run:\n{told}{noted}\n\
             Set {SKIP}=1 to leave out what needs them."
        ),
    }
}

#[track_caller]
fn passes(folder: &Path) {
    if let Some(problems) = check(&[folder]) {
        assert_eq!(problems, "");
    }
}

fn policy_file(folder: &TempDir, yaml: &str) -> PathBuf {
    let path = folder.path().join("policy.yaml");
    fs::write(&path, yaml).unwrap();
    path
}

/// Buckets that are no labels as they are, and rules with [`HOSTILE`] prefixes.
fn hostile() -> String {
    let rules = HOSTILE.iter().enumerate().map(|(place, prefix)| {
        let prefix = Value::from(*prefix).to_string();
        format!(
            "  - id: rule--{place}
    data: {prefix}
    select: {{buckets: [hostile.bucket--x, hostile-bucket-x, 0hostile], prefix: {prefix}}}
    trigger: uploaded
    retain: {} days
",
            place + 1
        )
    });
    format!(
        "version: 1
name: hostile--policy
records:
  customers: {{file: 's3://exports/a${{b}}*?$c.csv', id: id, by: {{key: '{{id}}/**'}}}}
overrides:
  - {{where: {{record: customers.country, is: DE}}, rule: overridden, retain: 1 day}}
holds:
  - {{id: case--1, reason: '--> ${{x}} # \"', select: {{prefix: held/}}}}
rules:
  - {{id: overridden, select: {{buckets: [hostile-bucket-x], prefix: zz/}}, trigger: uploaded, retain: 9 days}}
  - {{id: held, select: {{buckets: [hostile-bucket-x], prefix: held/}}, trigger: uploaded, retain: 9 days}}
{}",
        rules.collect::<String>()
    )
}

#[test]
fn the_shipped_policies_compile_to_what_each_tool_takes() {
    let folder = tempfile::tempdir().unwrap();
    assert!(compile_all(&repository().join("policies"), folder.path(), &[], &NEVER) >= 2);
    passes(folder.path());
}

#[test]
fn names_that_mean_something_in_a_form_mean_themselves() {
    let (made, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let policy = policy_file(&made, &hostile());
    assert_eq!(compile_all(&policy, folder.path(), &[], &NEVER), 3);
    passes(folder.path());
    // All forms say the same as the JSON; and that says what the policy does.
    let json: Value =
        serde_json::from_slice(&fs::read(folder.path().join("0hostile.json")).unwrap()).unwrap();
    let prefix = |rule: &Value| rule["Filter"]["Prefix"].as_str().unwrap().to_owned();
    let mut found: Vec<String> = json["Rules"].as_array().unwrap().iter().map(prefix).collect();
    found.sort();
    let mut expected = HOSTILE.map(str::to_owned);
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn buckets_with_versions_and_patterns_compile_to_what_each_tool_takes() {
    let (made, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let policy = policy_file(
        &made,
        "version: 1
name: versions
account: \"123456789012\"
tolerance: 10 days
rules:
  - id: media
    select: {buckets: [\"*-media\"], prefix: inbound/, metadata: {kind: [a]}}
    trigger: {tag: said}
    retain: 30 days
    enforce: direct
  - id: mail
    select: {buckets: [\"acme-m*\"], prefix: mail/}
    trigger: uploaded
    retain: 6 months
    noncurrent: {retain: 1 day}
    incomplete-uploads: 7 days
",
    );
    let stated = ["--versioning", "enabled"];
    assert_eq!(compile_all(&policy, folder.path(), &["acme-media", "acme-mail"], &stated), 2);
    for duty in ["plan", "apply", "audit"] {
        let file = folder.path().join(format!("iam-patterns-{duty}.json"));
        fs::write(file, compiled(&policy, &["--to", "iam", "--for", duty])).unwrap();
    }
    passes(folder.path());
}

/// All that a lifecycle rule can say, a policy's or not.
const EVERYTHING: &str = r#"<LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Rule>
<ID>and</ID><Filter><And><Prefix>a/</Prefix><Tag><Key>kind "${x}"</Key><Value>%{y} é</Value></Tag><Tag><Key>k</Key><Value></Value></Tag><ObjectSizeGreaterThan>131072</ObjectSizeGreaterThan><ObjectSizeLessThan>5368709120</ObjectSizeLessThan></And></Filter><Status>Enabled</Status>
<Expiration><Days>365</Days></Expiration><Transition><Days>30</Days><StorageClass>STANDARD_IA</StorageClass></Transition><Transition><Days>90</Days><StorageClass>GLACIER</StorageClass></Transition>
<NoncurrentVersionTransition><NoncurrentDays>30</NoncurrentDays><StorageClass>GLACIER_IR</StorageClass></NoncurrentVersionTransition><NoncurrentVersionExpiration><NoncurrentDays>60</NoncurrentDays><NewerNoncurrentVersions>3</NewerNoncurrentVersions></NoncurrentVersionExpiration>
</Rule><Rule><ID>tag</ID><Filter><Tag><Key>kind</Key><Value>media</Value></Tag></Filter><Status>Disabled</Status><Expiration><Date>2030-01-01T00:00:00Z</Date></Expiration><Transition><Date>2029-01-01T00:00:00Z</Date><StorageClass>DEEP_ARCHIVE</StorageClass></Transition></Rule>
<Rule><ID>over</ID><Filter><ObjectSizeGreaterThan>1</ObjectSizeGreaterThan></Filter><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule>
<Rule><ID>under</ID><Filter><ObjectSizeLessThan>10</ObjectSizeLessThan></Filter><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule>
<Rule><ID>sizes</ID><Filter><And><ObjectSizeGreaterThan>5</ObjectSizeGreaterThan><ObjectSizeLessThan>10</ObjectSizeLessThan></And></Filter><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule>
<Rule><ID>whole</ID><Filter></Filter><Status>Enabled</Status><NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration><AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule>
<Rule><ID>markers</ID><Filter><Prefix>a/</Prefix></Filter><Status>Enabled</Status><Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration></Rule></LifecycleConfiguration>"#;

/// The forms of one bucket with the rules of `document`.
fn render(document: &str, folder: &Path) {
    let origin = Origin { policy: "p".to_owned(), digest: "0".repeat(64), holds_digest: "1".repeat(64) };
    let facts = BucketFacts {
        name: "everything".to_owned(),
        versioning: Versioning::Enabled,
        mfa_delete: false,
        object_lock: false,
    };
    let engines = vec![("r".to_owned(), "direct: *} --> ${x}\n\u{202e}".to_owned())];
    let document = LifecycleDocument::read(document).unwrap();
    let bucket = BucketRules::of(&facts, Ground::Store, engines, Some(&document)).unwrap();
    let buckets = std::slice::from_ref(&bucket);
    fs::write(folder.join("module.tf"), targets::terraform(&origin, buckets).unwrap()).unwrap();
    fs::write(folder.join("template.json"), targets::cloudformation(&origin, buckets).unwrap()).unwrap();
    fs::write(folder.join("everything.json"), targets::json(&bucket).unwrap()).unwrap();
    fs::write(folder.join("everything.xml"), targets::xml(&origin, &bucket).unwrap()).unwrap();
}

#[test]
fn all_that_a_rule_can_say_is_said_in_every_form() {
    let folder = tempfile::tempdir().unwrap();
    render(EVERYTHING, folder.path());
    passes(folder.path());
}

#[test]
fn what_is_wrong_in_a_form_is_found() {
    let whole = tempfile::tempdir().unwrap();
    let shipped = compiled(&repository().join("policies"), &["--to", "iam", "--for", "apply"]);
    fs::write(whole.path().join("iam-apply.json"), shipped).unwrap();
    render(EVERYTHING, whole.path());
    let breaks = [
        ("everything.json", "\"Days\": 365", "\"Days\": \"365\""),
        ("everything.json", "\"Status\": \"Enabled\"", "\"Status\": \"On\""),
        ("everything.json", "  \"Rules\"", " \"Rules\""),
        ("everything.xml", "<Days>365</Days>", "<Days>364</Days>"),
        ("everything.xml", "StorageClass>", "Class>"),
        ("module.tf", "days = 365", "days = 366"),
        ("module.tf", "noncurrent_days = 1\n", "\n"),
        ("module.tf", "$${x}", "${x}"),
        ("module.tf", "status = \"Enabled\"", "enabled = true"),
        ("template.json", "ExpirationInDays", "ExpirationDays"),
        ("template.json", "\"Prefix\": \"a/\"", "\"Prefix\": \"b/\""),
        ("iam-apply.json", "s3:DeleteObjectVersion", "s3:DeleteObjectVersions"),
        ("iam-apply.json", "acme-recordings/*", "acme-recordings"),
    ];
    let broken: Vec<TempDir> = breaks
        .iter()
        .map(|(file, from, to)| {
            let folder = tempfile::tempdir().unwrap();
            render(EVERYTHING, folder.path());
            fs::copy(whole.path().join("iam-apply.json"), folder.path().join("iam-apply.json")).unwrap();
            for other in ["everything.xml", "module.tf", "template.json", "iam-apply.json"] {
                if other != *file {
                    fs::remove_file(folder.path().join(other)).unwrap();
                }
            }
            let path = folder.path().join(file);
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.contains(from), "{from} is not in {file}");
            fs::write(&path, text.replace(from, to)).unwrap();
            folder
        })
        .collect();
    let folders: Vec<&Path> = broken.iter().map(TempDir::path).collect();
    let Some(told) = check(&folders) else { return };
    for ((file, from, to), folder) in breaks.iter().zip(folders) {
        let found = format!("{}/{file}: ", folder.file_name().unwrap().to_str().unwrap());
        assert!(told.lines().any(|line| line.starts_with(&found)), "{from} became {to}:\n{told}");
    }
}
