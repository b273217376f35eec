//! `--evidence s3://…`: the copy of a log in a store.
#![cfg(unix)]

use std::fs;
use std::io::Write;

use chrono::{Months, Utc};
use shelflife::evidence::{Copy, CopyError, fetch};
use shelflife::s3::{ConnectOptions, StaticCredentials, Store};
use shelflife::sandbox::{
    BucketOptions, DefaultPeriod, Effect, Fault, LockConfiguration, PutOptions, RetentionMode,
};

use crate::desk::Ran;
use crate::proof::{put_long_keys, with_room};
use crate::site::Site;

const PLACE: &str = "s3://vault/acme";

async fn site() -> Site {
    let site = Site::new().await;
    let default = Some((RetentionMode::Compliance, DefaultPeriod::Years(10)));
    let lock = Some(LockConfiguration { default });
    site.sandbox.create_bucket(BucketOptions { lock, ..BucketOptions::named("vault") }).unwrap();
    site
}

fn pieces(site: &Site) -> Vec<String> {
    site.sandbox.list_everything("vault").unwrap().into_iter().map(|entry| entry.key).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_copy_is_the_log_is_locked_and_proves_a_cut() {
    let site = site().await;
    site.run(&["plan"]).ends(0);
    let ran = site.run(&["apply", "shelflife-plan.parquet", "--evidence", PLACE]).ends(0);
    ran.shows(&["copy", "2 pieces", "locked for 10 years (COMPLIANCE)"]);
    let log = site.desk.log();
    let (first, second) = (format!("acme/{log}/000001.jsonl"), format!("acme/{log}/000002.jsonl"));
    assert_eq!(pieces(&site), [first, second]);
    let copy = format!("{PLACE}/{log}/");
    let head = |name: &str| site.run(&["verify", name, "--json"]).json()["head"].clone();
    assert_eq!(head(&copy), head(&log));

    // The log is cut at a line's end; its copy still tells.
    let text = fs::read_to_string(site.desk.path(&log)).unwrap();
    let cut: String = text.lines().take(3).map(|line| format!("{line}\n")).collect();
    fs::write(site.desk.path(&log), cut).unwrap();
    assert_ne!(head(&copy), head(&log));
    let again = site.run(&["apply", "shelflife-plan.parquet", "--evidence", PLACE]).ends(1);
    again.tells(&["the copy holds more than the log"]);

    site.run(&["report", "--certificate", &copy]).ends(0).shows(&["certificate of deletion"]);
    site.run(&["verify", "s3://vault/nothing/"]).ends(1).tells(&["no piece of a log"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_cannot_be_written_stops_before_the_first_deletion() {
    let site = site().await;
    site.run(&["plan"]).ends(0);
    let before = site.sandbox.list_everything("media").unwrap();
    site.sandbox.faults().add(Fault::on("PutObject", Effect::AccessDenied).bucket("vault"));
    let ran = site.run(&["apply", "shelflife-plan.parquet", "--evidence", PLACE]).ends(1);
    ran.tells(&["could not be copied", "000001.jsonl could not be sent", "nothing was deleted"]);
    let ran = site.run(&["apply", "shelflife-plan.parquet", "--evidence", "s3://nowhere"]).ends(1);
    ran.tells(&["s3://nowhere", "not found"]);
    site.run(&["apply", "shelflife-plan.parquet", "--evidence", "vault"]).ends(2);
    assert_eq!(site.sandbox.list_everything("media").unwrap(), before);
    site.sandbox.faults().clear();
    site.run(&["apply", "shelflife-plan.parquet", "--evidence", PLACE]).ends(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn pieces_that_could_not_be_sent_are_sent_by_the_same_command() {
    let site = site().await;
    site.run(&["plan"]).ends(0);
    site.sandbox.faults().add(Fault::on("PutObject", Effect::AccessDenied).bucket("vault").calls(2, 99));
    let ran = site.run(&["apply", "shelflife-plan.parquet", "--evidence", PLACE]).ends(1);
    ran.tells(&["could not be copied", "pieces from", "000002.jsonl on are missing", "the same command"]);
    let log = site.desk.log();
    site.run(&["verify", &log]).ends(0);
    site.run(&["verify", &format!("{PLACE}/{log}/")]).ends(1);
    site.sandbox.faults().clear();
    site.run(&["apply", "shelflife-plan.parquet", "--evidence", PLACE])
        .ends(0)
        .shows(&["carried out before"]);
    site.run(&["verify", &format!("{PLACE}/{log}/")]).ends(0);
    assert_eq!(pieces(&site).len(), 2);
}

/// Plans, and applies where there is room for the evidence of `mail`, and none for that of `media`.
fn applied_until_the_disk_is_full(site: &Site) -> Ran {
    put_long_keys(site);
    site.run(&["plan"]).ends(0);
    let apply = ["apply", "shelflife-plan.parquet", "--evidence", PLACE, "--concurrency", "1"];
    let ran = with_room(site, 16, &apply);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    ran.tells(&["error: ", "the evidence log could not be written"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_cannot_be_written_any_more_is_copied_as_far_as_it_goes() {
    let site = site().await;
    let ran = applied_until_the_disk_is_full(&site);
    let copy = format!("{PLACE}/{}/", site.desk.log());
    let told = site.run(&["verify", &copy, "--json"]).ends(1).json();
    assert_eq!(told["end"], "open");
    let head = told["head"].as_str().unwrap();
    ran.shows(&["deleted", "evidence ", "head ", head, "copy ", "2 pieces", "it ended early"]);
    site.run(&["apply", "shelflife-plan.parquet", "--evidence", PLACE]).ends(0);
    site.run(&["verify", &copy]).ends(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_fails_as_well_does_not_hide_why_the_log_ends() {
    let site = site().await;
    site.sandbox.faults().add(Fault::on("PutObject", Effect::AccessDenied).bucket("vault").calls(2, 99));
    let ran = applied_until_the_disk_is_full(&site).shows(&["deleted", "evidence ", "it ended early"]);
    assert!(!ran.err.contains("copied"), "{}", ran.err);
    assert_eq!(pieces(&site).len(), 1);
}

/// The piece arrives, its answer does not; and then a run that was killed goes on.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_over_and_a_resumed_run_goes_on() {
    let site = site().await;
    site.run(&["plan"]).ends(0);
    site.sandbox.faults().add(Fault::on("PutObject", Effect::AnswerLost).bucket("vault").once());
    site.run(&["apply", "shelflife-plan.parquet", "--evidence", PLACE]).ends(0);
    let log = site.desk.log();
    site.run(&["verify", &format!("{PLACE}/{log}/")]).ends(0);
    let written = pieces(&site);
    assert_eq!(written.len(), 2, "each piece once: {written:?}");

    site.put("media", "inbound/4711/later.jpg", 40);
    site.run(&["plan", "--out", "second.parquet"]).ends(0);
    // Somebody else's object in the way of the second run's pieces.
    let digest = site.run(&["plan", "--out", "second.parquet", "--json"]).json()["digest"].as_str().unwrap()
        [..12]
        .to_owned();
    let key = format!("acme/second.{digest}.evidence.jsonl/000001.jsonl");
    site.sandbox.put_object("vault", &key, PutOptions::bytes("something else\n")).unwrap();
    let before = site.sandbox.list_everything("media").unwrap();
    let ran = site.run(&["apply", "second.parquet", "--evidence", PLACE]).ends(1);
    ran.tells(&["the copy holds more than the log", "nothing is ever written over"]);
    assert_eq!(site.sandbox.list_everything("media").unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_is_not_put_where_a_rule_deletes() {
    let site = site().await;
    site.run(&["plan"]).ends(0);
    for place in ["s3://mail/evidence", "s3://mail", "s3://media/inbound/logs"] {
        let ran = site.run(&["apply", "shelflife-plan.parquet", "--evidence", place]).ends(4);
        ran.tells(&["can delete evidence in", "a bucket that no rule selects"]);
    }
    site.run(&["apply", "shelflife-plan.parquet", "--evidence", "s3://media/logs"])
        .ends(0)
        .shows(&["not locked"]);
}

/// Whatever was sent when, the pieces are whole lines and together the log.
#[tokio::test(flavor = "multi_thread")]
async fn pieces_are_whole_lines_also_where_a_try_arrived_that_nobody_heard_of() {
    let site = site().await;
    let options = ConnectOptions {
        endpoint_url: Some(site.sandbox.endpoint()),
        region: Some("us-east-1".to_owned()),
        credentials: Some(StaticCredentials {
            access_key_id: site.sandbox.access_key().to_owned(),
            secret_access_key: site.sandbox.secret_key().to_owned(),
        }),
        ..ConnectOptions::default()
    };
    let bucket = Store::connect(&options).await.unwrap().bucket("vault").await.unwrap();
    let path = site.desk.path("log");
    let append = |text: &str| {
        let mut log = fs::OpenOptions::new().create(true).append(true).open(&path).unwrap();
        log.write_all(text.as_bytes()).unwrap();
    };
    append("");
    let open = || async { Copy::open(bucket.clone(), "p/".to_owned(), &path).await };
    let mut copy = open().await.unwrap().pieces_of(10);
    copy.send().await.unwrap();
    append("one\ntwo\nthree\nfour\nfi");
    copy.send().await.unwrap();
    assert_eq!((copy.pieces(), copy.waiting()), (2, 2), "the torn line waits");
    append("ve\n");
    // A try of this piece arrived, and its sender was gone before more was written.
    site.sandbox.put_object("vault", "p/000003.jsonl", PutOptions::bytes("five\n")).unwrap();
    append("six\n");
    copy.send().await.unwrap();
    assert_eq!(copy.pieces(), 4);
    let mut again = open().await.unwrap();
    append("seven\n");
    again.send().await.unwrap();
    let mut fetched = Vec::new();
    assert_eq!(fetch(&bucket, "p/", &mut fetched).await.unwrap(), [""; 0]);
    assert_eq!(fetched, fs::read(&path).unwrap());

    // A bucket that keeps versions shows what was put over a piece; one that is missing is found.
    site.sandbox.put_object("vault", "p/000002.jsonl", PutOptions::bytes("tree\nfour\n")).unwrap();
    assert_eq!(fetch(&bucket, "p/", &mut Vec::new()).await.unwrap(), ["p/000002.jsonl"]);
    for key in ["q/000001.jsonl", "q/000003.jsonl"] {
        site.sandbox.put_object("vault", key, PutOptions::bytes("one\n")).unwrap();
    }
    let is_gap = |error: CopyError| matches!(error, CopyError::Gap { piece } if piece == "q/000002.jsonl");
    assert!(is_gap(fetch(&bucket, "q/", &mut Vec::new()).await.unwrap_err()));
    assert!(is_gap(Copy::open(bucket.clone(), "q/".to_owned(), &path).await.unwrap_err()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_says_how_long_evidence_is_kept_and_the_copy_is_locked_for_so_long() {
    let site = site().await;
    let lock = Some(LockConfiguration { default: None });
    site.sandbox.create_bucket(BucketOptions { lock, ..BucketOptions::named("archive") }).unwrap();
    site.desk.policy(&format!("{}evidence: {{retain: 10 years}}\n", crate::site::POLICY));
    site.run(&["plan"]).ends(0);
    let ran = site.run(&["apply", "shelflife-plan.parquet", "--evidence", "s3://archive"]).ends(0);
    let until = Utc::now().date_naive().checked_add_months(Months::new(120)).unwrap().succ_opt().unwrap();
    ran.shows(&[&format!("locked until {until} (GOVERNANCE)")]);
    for piece in site.sandbox.list_everything("archive").unwrap() {
        let retention = piece.object.unwrap().attributes.retention.unwrap();
        assert_eq!((retention.mode, retention.until.date_naive()), (RetentionMode::Governance, until));
    }
    let log = site.desk.log();
    site.run(&["verify", &log]).ends(0).shows(&[&format!("keep until {until}")]);
    let told = site.run(&["report", "--certificate", &log, "--json"]).ends(0).json();
    assert_eq!(told["certificate"]["logs"][0]["keep_until"], format!("{until}T00:00:00Z"));
    // What becomes of the evidence decides nothing: the same plan can go on.
    site.desk.policy(crate::site::POLICY);
    site.run(&["apply", "shelflife-plan.parquet"]).ends(0);
}
