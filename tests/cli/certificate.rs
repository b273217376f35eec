//! `report --certificate`: what it says, whom it shows it to, and what it never claims.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};
use shelflife::sandbox::{BucketOptions, Effect, Fault, PutOptions};

use crate::site::{Site, ago, versioned};

fn certificate(site: &Site, log: &str, more: &[&str]) -> Value {
    let args = [&["report", "--certificate", log, "--json"], more].concat();
    site.run(&args).ends(0).json()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_counts_each_item_once_and_never_claims_what_did_not_happen() {
    let site = Site::new().await;
    let (log, head) = site.killed_and_resumed();
    let told = certificate(&site, &log, &["--head", &head, "--policy", "policies"]);
    let it = &told["certificate"];
    let total = &it["total"];
    // The older of two versions went with the batch whose answer nobody heard.
    assert_eq!(total["gone_after_lost_answer"], 1, "{total}");
    assert_eq!(total["objects"], serde_json::json!({"count": 2, "bytes": 2_000}), "{total}");
    assert_eq!((&total["versions"]["count"], &total["versions"]["bytes"]), (&1.into(), &1_000.into()));
    assert_eq!(
        (&total["uploads"], &total["already_gone"], &total["kept"]),
        (&1.into(), &0.into(), &serde_json::json!({}))
    );
    let mail = it["groups"].as_array().unwrap().iter().find(|group| group["name"] == "mail").unwrap();
    assert_eq!((&mail["data"], &mail["tally"]["uploads"]), (&"Attachments of e-mail".into(), &1.into()));
    let of = &it["logs"][0];
    assert_eq!(
        (&of["head"], &of["head_confirmed"], &of["is_policy"]),
        (&head.clone().into(), &true.into(), &true.into())
    );
    assert_eq!(it["policy_text"]["files"][0][1], crate::site::POLICY);
    assert_eq!(it["configurations"][0]["bucket"], "media");
    assert_eq!(told["items"], Value::Null, "keys are left out unless they are asked for");
    assert!(!told.to_string().contains("twice.pdf"));

    let ran = site.run(&["report", "--certificate", &log, "--head", &head, "--policy", "policies"]).ends(0);
    ran.shows(&[
        "certificate of deletion: acme",
        "deleted, and confirmed",
        "gone after a deletion whose answer was lost",
        &head,
    ]);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_about_one_tenant_or_rule_where_that_is_asked_for() {
    let site = Site::new().await;
    let (log, _) = site.killed_and_resumed();
    let told =
        certificate(&site, &log, &["--tenant", "0815", "--by", "tenant", "--keys", "--policy", "policies"]);
    let mut keys: Vec<&str> =
        told["items"].as_array().unwrap().iter().map(|item| item["key"].as_str().unwrap()).collect();
    // Buckets are worked on side by side.
    keys.sort_unstable();
    assert_eq!(keys, ["in/0815/half.bin", "inbound/0815/<b>\u{202e}'&.jpg"]);
    assert_eq!(told["certificate"]["groups"][0]["name"], "0815");
    assert_eq!(
        told["certificate"]["policy_text"]["files"],
        serde_json::json!([]),
        "it can name other tenants"
    );
    let told = certificate(&site, &log, &["--rule", "mail", "--keys"]);
    assert_eq!(told["items"].as_array().unwrap().len(), 3);
    let nothing = certificate(&site, &log, &["--tenant", "nobody"]);
    assert!(nothing["certificate"]["notes"].to_string().contains("tell of nothing that this"), "{nothing}");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_hidden_behind_a_secret() {
    let site = Site::new().await;
    let (log, _) = site.killed_and_resumed();
    site.desk.write("secret", "0123456789abcdef0123456789abcdef\n");
    let more =
        ["--keys", "--by", "tenant", "--redact", "secret", "--policy", "policies", "--html", "page.html"];
    let told = certificate(&site, &log, &more);
    let page = fs::read_to_string(site.desk.path("page.html")).unwrap();
    for shown in [told.to_string(), page] {
        for name in ["/4711/", "\"4711\"", ">4711<", "\"0815\"", ">0815<", "twice.pdf", "a.jpg"] {
            assert!(!shown.contains(name), "{name} shows");
        }
        // printf 'media\0inbound/4711/a.jpg\0' | openssl dgst -sha256 -hmac "$(cat secret)"
        assert!(shown.contains(A_JPG), "{shown}");
    }
    let mut from_environment =
        site.command(&["report", "--certificate", &log, "--json", "--keys", "--redact", "env:SECRET"]);
    from_environment.env("SECRET", "0123456789abcdef0123456789abcdef");
    assert!(String::from_utf8(from_environment.output().unwrap().stdout).unwrap().contains(A_JPG));
    site.desk.write("short", "guess me\n");
    site.run(&["report", "--certificate", &log, "--redact", "short"]).ends(2).tells(&["8 bytes"]);
    site.run(&["report", "--certificate", &log, "--redact", "env:NOBODY"])
        .ends(2)
        .tells(&["NOBODY is not set"]);
}

const A_JPG: &str = "b148e355c899cae81e6f693e2a7c6ff74309d782f5707625c166750aa01ddf67";

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_harmless_complete_and_for_its_owner_alone() {
    let site = Site::new().await;
    let (log, head) = site.killed_and_resumed();
    let more = ["--head", &head, "--policy", "policies", "--keys", "--html", "page.html"];
    certificate(&site, &log, &more);
    let path = site.desk.path("page.html");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let page = fs::read_to_string(&path).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"));
    assert!(page.contains(r"inbound/0815/&lt;b&gt;\u{202e}&#39;&amp;.jpg"), "the hostile key, made harmless");
    assert!(page.contains("Media received via OTT &lt;b&gt;channels&lt;/b&gt;"));
    for foreign in ["<script", "<link", "<img", "src=", "url(", "@import", "\u{202e}", "<b>"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert!(page.contains(&head));
    assert!(!site.desk.files().iter().any(|name| name.ends_with(".partial")));
    // A page is written over, anything else is not.
    certificate(&site, &log, &more);
    let before = fs::read(site.desk.path(&log)).unwrap();
    site.run(&["report", "--certificate", &log, "--html", &log]).ends(2).tells(&["is no page"]);
    assert_eq!(fs::read(site.desk.path(&log)).unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_changed_is_not_certified_and_an_unfinished_one_only_for_what_is_known() {
    let site = Site::new().await;
    let (log, _) = site.killed_and_resumed();
    let text = fs::read_to_string(site.desk.path(&log)).unwrap();
    site.desk.write("changed.jsonl", &text.replacen("\"deleted\"", "\"aborted\"", 1));
    let ran = site.run(&["report", "--certificate", "changed.jsonl", "--html", "page.html"]).ends(1);
    ran.tells(&["changed.jsonl", "help:"]);
    assert!(!site.desk.files().contains(&"page.html".to_owned()));

    let intents = text.lines().position(|line| line.contains("\"kind\":\"intent\"")).unwrap();
    let cut: String = text.lines().take(intents + 1).map(|line| format!("{line}\n")).collect();
    site.desk.write("cut.jsonl", &cut);
    let told = certificate(&site, "cut.jsonl", &[]);
    let notes = told["certificate"]["notes"].to_string();
    assert!(notes.contains("not closed") && notes.contains("without outcome"), "{notes}");
    assert_eq!(told["certificate"]["total"]["versions"]["count"], 0);
    let kept = &told["certificate"]["total"]["kept"]["no-outcome"]["count"];
    assert!(kept.as_u64().unwrap() > 0, "{told}");
    site.run(&["report", "--certificate", "cut.jsonl"]).ends(0).shows(&[
        "note:",
        "not closed",
        "may be gone",
    ]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_is_another_one_is_said_and_not_quoted() {
    let site = Site::new().await;
    let (log, _) = site.killed_and_resumed();
    site.desk.write("other/policy.yaml", &crate::site::POLICY.replace("30 days", "31 days"));
    let told = certificate(&site, &log, &["--policy", "other"]);
    assert_eq!(told["certificate"]["policy_text"], Value::Null);
    assert!(told["certificate"]["notes"].to_string().contains("another version of the policy"));
    site.desk.write("foreign/policy.yaml", &crate::site::POLICY.replace("name: acme", "name: other"));
    site.run(&["report", "--certificate", &log, "--policy", "foreign"])
        .ends(2)
        .tells(&["are of the policy `acme`"]);
}

/// What one rule hides for a week, and another copies first.
const UNDOABLE: &str = r#"version: 1
name: acme
tenant:
  - key: "*/{tenant}/**"
rules:
  - id: hidden
    select: {buckets: [hidden]}
    trigger: uploaded
    retain: 30 days
    undo-window: 7 days
  - id: saved
    select: {buckets: [saved]}
    trigger: uploaded
    retain: 30 days
    export: s3://exports/
  - {id: copies, select: {buckets: [exports]}, trigger: uploaded, retain: 90 days, enforce: direct}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_an_undo_has_put_back_or_made_visible_is_not_called_deleted_or_hidden() {
    let site = Site::new().await;
    site.desk.policy(UNDOABLE);
    site.sandbox.create_bucket(BucketOptions::named("exports")).unwrap();
    for bucket in ["hidden", "saved"] {
        site.sandbox.create_bucket(versioned(bucket)).unwrap();
        for key in ["in/1/a", "in/2/b"] {
            let object = PutOptions::bytes("medium").last_modified(ago(40));
            site.sandbox.put_object(bucket, key, object).unwrap();
        }
    }
    site.run(&["reconcile"]).ends(0);
    let log = site.desk.log();
    let undo = ["undo", &log, "--tenant", "1", "--accept", "markers", "--restore-exports", "--json"];
    let undone = site.run(&undo).ends(0).json();
    assert_eq!(undone["results"], json!({"marker-removed": 1, "restored": 1}));
    let undone = undone["evidence"].as_str().unwrap();

    let told = site.run(&["report", "--certificate", &log, undone, "--keys", "--json"]).ends(0).json();
    let total = &told["certificate"]["total"];
    assert_eq!((&total["versions"]["count"], &total["put_back"]["count"]), (&json!(1), &json!(1)), "{total}");
    assert_eq!((&total["markers_added"], &total["made_visible"]), (&json!(1), &json!(1)), "{total}");
    assert_eq!(total["copied"]["count"], 2);
    let items = told["items"].as_array().unwrap().iter();
    let mut listed: Vec<_> = items.map(|item| (item["key"].as_str(), item["result"].as_str())).collect();
    listed.sort_unstable();
    let expected =
        [("in/1/a", "made visible"), ("in/1/a", "put back"), ("in/2/b", "deleted"), ("in/2/b", "hidden")];
    assert_eq!(listed, expected.map(|(key, result)| (Some(key), Some(result))));
    let page = ["report", "--certificate", &log, undone, "--html", "page.html"];
    site.run(&page).ends(0).shows(&[
        "Put back from copies after they were removed, or perhaps: 1.",
        "Delete markers taken away again, or perhaps: 1.",
        "Copied to another place before they were to go: 2.",
        "not counted as deleted",
    ]);
    let page = fs::read_to_string(site.desk.path("page.html")).unwrap();
    assert!(page.contains("put back from a copy") && page.contains("leaves the copy there"));
    // Without the undo there are the copies all the same.
    let told = certificate(&site, &log, &[]);
    assert_eq!(told["certificate"]["total"]["versions"]["count"], 2);
    assert!(told["certificate"]["notes"].to_string().contains("The copies stand there"), "{told}");
}

/// The first run is killed when nobody could delete; the second one deletes the same.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_log_leaves_open_a_later_one_can_tell() {
    let site = Site::new().await;
    for operation in ["DeleteObjects", "DeleteObject", "AbortMultipartUpload"] {
        site.sandbox.faults().add(Fault::on(operation, Effect::AccessDenied));
    }
    site.run(&["reconcile", "--out", "first.parquet"]).ends(3);
    site.sandbox.faults().clear();
    let first = site.desk.log();
    let text = fs::read_to_string(site.desk.path(&first)).unwrap();
    let intent = text.lines().position(|line| line.contains("\"kind\":\"intent\"")).unwrap();
    let cut: String = text.lines().take(intent + 1).map(|line| format!("{line}\n")).collect();
    site.desk.write(&first, &cut);
    let open = certificate(&site, &first, &[]);
    assert!(open["certificate"]["total"]["kept"]["no-outcome"]["count"].as_u64() > Some(0), "{open}");
    let second = site.run(&["reconcile", "--out", "second.parquet", "--json"]).ends(0).json();
    let second = second["evidence"].as_str().unwrap();

    let told = site.run(&["report", "--certificate", &first, second, "--json"]).ends(0).json();
    let total = &told["certificate"]["total"];
    assert_eq!((&total["kept"], &total["objects"]["count"]), (&json!({}), &json!(2)), "{total}");
}
