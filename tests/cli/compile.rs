//! `compile`: what other tools are given, and what is refused before they are given anything.
//! `tests/compile_targets.rs` holds the same to what those tools check themselves.

use std::fs;

use crate::desk::{Desk, Ran};
use crate::thirty_days;

fn desk(policy: &str) -> Desk {
    let desk = Desk::at("http://127.0.0.1:1");
    desk.policy(policy);
    desk
}

/// Compiles for buckets that never had versions.
fn compile(desk: &Desk, args: &[&str]) -> Ran {
    desk.run(&[&["compile", "--versioning", "never"], args].concat())
}

/// The rule of [`thirty_days`] given to S3, and one beside it that cannot be.
fn both_engines() -> String {
    let more = "  - id: held-back
    select: {buckets: [media], prefix: 'out${x}\"/', key: 'out*/**'}
    trigger: uploaded
    retain: 1 year
";
    thirty_days("media", more).replace("    enforce: direct", "    incomplete-uploads: 7 days")
}

#[test]
fn terraform_is_one_resource_a_bucket_with_what_stays_direct_beside_it() {
    let ran = compile(&desk(&both_engines()), &["--to", "terraform"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let (head, body) = ran.out.split_once("\n\n").unwrap();
    let lines: Vec<&str> = head.lines().collect();
    assert!(lines[0].starts_with("# Made by shelflife ") && lines[0].ends_with(" from the policy e2e."));
    assert!(lines[1].starts_with("# policy sha256:") && lines[1].len() == 80, "{head}");
    assert!(lines[2].starts_with("# holds  sha256:") && lines[2].len() == 80, "{head}");
    assert_eq!(
        body,
        "# media: never had versions, as was stated, no Object Lock, no MFA delete (assumed)
# held-back: direct: it selects by a key pattern, and S3 knows only prefixes
# ott-media: lifecycle: 30 days, at most 1 day late
resource \"aws_s3_bucket_lifecycle_configuration\" \"media\" {
  bucket = \"media\"

  rule {
    id     = \"shelflife:e2e:ott-media:4e84aade49b4\"
    status = \"Enabled\"

    filter {
      prefix = \"inbound/\"
    }

    expiration {
      days = 30
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}
"
    );
}

#[test]
fn json_goes_into_the_aws_cli_and_its_head_to_stderr() {
    let desk = desk(&both_engines());
    let ran = compile(&desk, &["--to", "json"]).ends(0).tells(&[
        "from the policy e2e",
        "policy sha256:",
        "media: never had versions",
        "held-back: direct:",
    ]);
    assert_eq!(
        ran.out,
        "{
  \"Rules\": [
    {
      \"ID\": \"shelflife:e2e:ott-media:4e84aade49b4\",
      \"Filter\": {
        \"Prefix\": \"inbound/\"
      },
      \"Status\": \"Enabled\",
      \"Expiration\": {
        \"Days\": 30
      },
      \"AbortIncompleteMultipartUpload\": {
        \"DaysAfterInitiation\": 7
      }
    }
  ]
}
"
    );
    let quiet = compile(&desk, &["--to", "json", "--quiet"]).ends(0);
    assert_eq!((quiet.out, quiet.err.as_str()), (ran.out, ""));
}

#[test]
fn a_file_that_is_named_holds_what_would_have_been_printed() {
    let desk = desk(&both_engines());
    for form in ["json", "xml", "terraform", "cloudformation"] {
        let printed = compile(&desk, &["--to", form, "--quiet"]).out;
        let ran = compile(&desk, &["--to", form, "--out", "made", "--quiet"]).ends(0);
        assert_eq!((ran.out.as_str(), fs::read_to_string(desk.path("made")).unwrap()), ("", printed));
    }
}

#[test]
fn for_machines_the_document_comes_with_who_removes_what() {
    let made = compile(&desk(&both_engines()), &["--to", "terraform", "--json"]).ends(0).json();
    assert_eq!(made["policy"], "e2e");
    assert_eq!(made["buckets"][0]["engines"][0]["rule"], "held-back");
    assert!(made["document"].as_str().unwrap().contains("resource \"aws_s3"));
}

#[test]
fn one_configuration_is_for_one_bucket() {
    let desk = desk(&both_engines().replace("[media]", "[media, other]"));
    for form in ["json", "xml"] {
        compile(&desk, &["--to", form]).ends(2).tells(&["for one bucket", "--bucket", "media, other"]);
        assert_eq!(compile(&desk, &["--to", form, "--bucket", "other", "--quiet"]).code, 0);
    }
    desk.run(&["compile", "--to", "json", "--bucket", "third"]).ends(2).tells(&["no rule covers", "third"]);
}

#[test]
fn a_bucket_in_which_s3_has_no_part_is_never_an_empty_configuration() {
    let desk = desk(&thirty_days("media", ""));
    desk.write("made", "what stood there before");
    let ran = desk.run(&["compile", "--to", "json", "--out", "made"]).ends(1);
    let told =
        ["ott-media: direct:", "no part in bucket media", "rules of others", "delete-bucket-lifecycle"];
    assert!(!ran.tells(&told).err.contains("--live"));
    let terraform = desk.run(&["compile", "--to", "terraform"]).out;
    assert!(terraform.contains("no resource") && !terraform.contains("\nresource"), "{terraform}");
    let template = desk.run(&["compile", "--to", "cloudformation"]).json();
    assert_eq!(template["Resources"]["Media"]["Properties"], serde_json::json!({"BucketName": "media"}));
}

#[test]
fn directories_that_s3_could_be_given_are_asked_for_before_anything_is_taken_away() {
    let hold = "holds:\n  - {id: case-1, reason: Order, select: {prefix: inbound/1/}}\n";
    let desk = desk(&thirty_days("media", hold).replace("    enforce: direct\n", ""));
    let told = ["no part in bucket media", "--live first", "rules of others", "delete-bucket-lifecycle"];
    compile(&desk, &["--to", "json"]).ends(1).tells(&told);
}

#[test]
fn how_a_bucket_keeps_versions_is_not_guessed_where_rules_depend_on_it() {
    let desk = desk(&both_engines());
    for form in ["json", "xml", "terraform", "cloudformation"] {
        let ran = desk.run(&["compile", "--to", form, "--out", "made"]).ends(2);
        let told = ["bucket media depend on how it keeps versions", "--versioning never, enabled", "--live"];
        assert_eq!(ran.tells(&told).out, "");
    }
    assert_eq!(desk.files(), ["policies"]);
    compile(&desk, &["--to", "json", "--quiet"]).ends(0);
    for state in ["enabled", "suspended"] {
        let ran = desk.run(&["compile", "--to", "json", "--versioning", state]).ends(1);
        ran.tells(&["ott-media: direct:", "no part in bucket media"]);
    }
}

#[test]
fn patterns_and_versions_that_matter_have_to_be_said() {
    let pattern = desk(&both_engines().replace("[media]", "[\"med*\"]"));
    pattern.run(&["compile", "--to", "terraform"]).ends(2).tells(&["pattern med*", "--bucket", "--live"]);
    compile(&pattern, &["--to", "json", "--bucket", "media", "--quiet"]).ends(0);

    let noncurrent = "tolerance: 5 days\n";
    let versioned =
        thirty_days("media", noncurrent).replace("enforce: direct", "noncurrent: {retain: 1 day}");
    let versioned = desk(&versioned);
    let in_state = |state: &[&str]| versioned.run(&[&["compile", "--to", "terraform"], state].concat());
    in_state(&[]).ends(2).tells(&["bucket media depend on", "--versioning"]);
    let enabled = in_state(&["--versioning", "enabled"]).out;
    assert!(
        enabled.contains("noncurrent_days = 1") && enabled.contains("expired_object_delete_marker = true")
    );
    assert!(!in_state(&["--versioning", "never"]).out.contains("noncurrent_days"));
    assert!(!in_state(&["--versioning", "suspended"]).out.contains("resource \""));
}

#[test]
fn what_the_policy_demands_of_s3_and_cannot_have_ends_with_the_reasons() {
    let policy = both_engines().replace("retain: 1 year", "retain: 1 year\n    enforce: lifecycle");
    let ran = compile(&desk(&policy), &["--to", "cloudformation"]).ends(2);
    assert_eq!(ran.tells(&["rule held-back", "key pattern", "enforce: auto"]).out, "");
}

#[test]
fn a_prefix_that_cloudformation_would_resolve_is_refused() {
    let policy = both_engines().replace("inbound/", "'{{resolve:ssm:x}}/'");
    let desk = desk(&policy);
    compile(&desk, &["--to", "cloudformation"]).ends(1).tells(&["dynamic reference", "enforce: direct"]);
    compile(&desk, &["--to", "json", "--quiet"]).ends(0);
}

/// The policy of thirty days with this beside its prefix, for S3 to keep.
fn narrowed(more: &str) -> Desk {
    let policy = thirty_days("media", "").replace("    enforce: direct\n", "");
    desk(&policy.replace("prefix: inbound/", &format!("prefix: inbound/, {more}")))
}

#[test]
fn what_terraform_would_write_otherwise_in_unicode_is_refused_there_alone() {
    let with_prefix = |prefix: &str| {
        let policy = thirty_days("media", "").replace("    enforce: direct\n", "");
        desk(&policy.replace("inbound/", &format!("\"{prefix}\"")))
    };
    for apart in [
        with_prefix("me\u{301}dias/"),
        narrowed("tags: {\"me\u{301}dia\": \"yes\"}"),
        narrowed("tags: {kind: \"me\u{301}dia\"}"),
    ] {
        let told = ["bucket media", "shelflife:e2e:ott-media:", "NFC", r"me\\u{301}dia", "enforce: direct"];
        assert_eq!(compile(&apart, &["--to", "terraform"]).ends(1).tells(&told).out, "");
        for other in ["json", "xml", "cloudformation"] {
            let ran = compile(&apart, &["--to", other, "--quiet"]);
            assert!(ran.code == 0 && ran.out.contains("me\u{301}dia"), "{other}: {}{}", ran.out, ran.err);
        }
    }
    let ran = compile(&with_prefix("m\u{e9}dias/"), &["--to", "terraform"]);
    assert!(ran.out.contains("prefix = \"m\u{e9}dias/\""), "{}{}", ran.out, ran.err);
}

#[test]
fn a_condition_that_terraform_leaves_out_is_refused_there_alone() {
    for (condition, name) in
        [("size: {over: 0}", "a size over 0"), ("tags: {\"aws:kind\": media}", "the tag \"aws:kind\"")]
    {
        let desk = narrowed(condition);
        let told = ["bucket media", "shelflife:e2e:ott-media:", "leaves out", name, "enforce: direct"];
        assert_eq!(compile(&desk, &["--to", "terraform"]).ends(1).tells(&told).out, "");
        let made = compile(&desk, &["--to", "json"]).ends(0).json();
        let and = &made["Rules"][0]["Filter"]["And"];
        assert!(and["ObjectSizeGreaterThan"] == 0 || and["Tags"][0]["Key"] == "aws:kind", "{and}");
    }
    let ran = compile(&narrowed("size: {over: 1}"), &["--to", "terraform"]);
    assert!(ran.out.contains("object_size_greater_than = 1\n"), "{}{}", ran.out, ran.err);
}

#[test]
fn empty_objects_that_terraform_leaves_behind_are_told_of() {
    let says = |desk: &Desk| {
        let ran = compile(desk, &["--to", "terraform"]);
        assert!(ran.out.contains("\nresource"), "{}{}", ran.out, ran.err);
        ran.out.contains("leaves what has no byte")
    };
    assert!(says(&narrowed("tags: {kind: media}")));
    assert!(!says(&narrowed("tags: {kind: media}, size: {over: 9}")));
    assert!(!says(&desk(&both_engines())));
}

#[test]
fn an_address_that_is_none_is_wrong_usage() {
    let desk = Desk::at("nonsense");
    desk.policy(&both_engines());
    let told = ["the endpoint URL cannot be used", "help:", "--endpoint-url"];
    desk.run(&["compile", "--to", "json", "--live"]).ends(2).tells(&told);
}

#[test]
fn options_that_say_nothing_are_refused() {
    let desk = desk(&both_engines());
    for wrong in [
        &["--to", "iam"][..],
        &["--to", "json", "--for", "plan"],
        &["--to", "iam", "--for", "plan", "--engine", "direct"],
        &["--to", "json", "--engine", "direct"],
        &["--to", "json", "--live", "--versioning", "never"],
    ] {
        assert_eq!(desk.run(&[&["compile"], wrong].concat()).code, 2, "{wrong:?}");
    }
}
