//! What a log proves: every change of it is found, and what it says is gone is asked for.
#![cfg(unix)]

use std::fs;
use std::process::Command;
use std::sync::{Arc, Mutex};

use shelflife::evidence::{self, End, verify};
use shelflife::sandbox::{Call, Effect, Fault, PutOptions};

use crate::desk::Ran;
use crate::site::{Site, ago, versioned};

/// All lines, each with its line break.
fn lines(log: &[u8]) -> Vec<&[u8]> {
    log.split_inclusive(|byte| *byte == b'\n').collect()
}

/// A log with configurations, deletions, a lock, an upload, and an interruption.
#[tokio::test(flavor = "multi_thread")]
async fn every_change_of_a_real_log_is_found() {
    let site = Site::new().await;
    let (name, head) = site.killed_and_resumed();
    let log = fs::read(site.desk.path(&name)).unwrap();
    let kinds: Vec<String> =
        site.desk.evidence(&name).iter().map(|entry| entry["kind"].as_str().unwrap().to_owned()).collect();
    for kind in [
        "opening",
        "intent",
        "outcome",
        "configuration-intent",
        "configuration-outcome",
        "resumed",
        "closing",
    ] {
        assert!(kinds.iter().any(|it| it == kind), "the log has a {kind}: {kinds:?}");
    }
    assert_eq!(verify(&log[..], Some(&head)).unwrap().end, End::Finished);
    let lines = lines(&log);
    let last = log.len() - lines.last().unwrap().len();

    for place in 0..log.len() {
        let was = log[place];
        for now in [was ^ 1, was ^ 0x20, was ^ 0x80, b'\n', b' ', b'0'].into_iter().filter(|now| *now != was)
        {
            let mut changed = log.clone();
            changed[place] = now;
            assert!(verify(&changed[..], Some(&head)).is_err(), "byte {place} as {now}");
            assert!(place >= last || verify(&changed[..], None).is_err(), "byte {place} as {now}, no head");
        }
        let mut shorter = log.clone();
        shorter.remove(place);
        assert!(verify(&shorter[..], Some(&head)).is_err(), "byte {place} removed");
        let cut = &log[..place];
        assert!(verify(cut, Some(&head)).is_err(), "cut at {place}");
        match verify(cut, None) {
            Ok(told) => assert!(cut.ends_with(b"\n") && told.end != End::Finished, "cut at {place}, no head"),
            Err(_) => assert!(!cut.ends_with(b"\n") || cut.is_empty(), "cut at {place}, no head"),
        }
    }
    for line in 0..lines.len() {
        let mut removed = lines.clone();
        removed.remove(line);
        assert!(verify(&removed.concat()[..], Some(&head)).is_err(), "line {line} removed");
        assert!(
            line + 1 == lines.len() || verify(&removed.concat()[..], None).is_err(),
            "line {line} removed"
        );
        if line + 1 < lines.len() {
            let mut swapped = lines.clone();
            swapped.swap(line, line + 1);
            assert!(verify(&swapped.concat()[..], None).is_err(), "line {line} swapped with the next");
        }
        let again = [&log[..], lines[line]].concat();
        assert!(verify(&again[..], None).is_err(), "line {line} once more at the end");
    }
    for tail in ["x", "\n", " ", "{}\n", "{\"seq\":1}", "\0", "\r\n"] {
        let longer = [&log[..], tail.as_bytes()].concat();
        assert!(verify(&longer[..], None).is_err(), "{tail:?} at the end");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_batch_is_in_the_log_before_the_store_hears_of_it() {
    let site = Site::new().await;
    site.run(&["plan"]).ends(0);
    let folder = site.desk.path("");
    let seen: Arc<Mutex<Vec<[Vec<String>; 2]>>> = Arc::default();
    for operation in ["DeleteObjects", "DeleteObject", "AbortMultipartUpload"] {
        let (folder, seen) = (folder.clone(), Arc::clone(&seen));
        site.sandbox.on_request(operation, move |call| {
            let log = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
            let log =
                log.into_iter().find(|path| path.to_string_lossy().ends_with(".evidence.jsonl")).unwrap();
            let log = fs::read(log).unwrap();
            let open = evidence::check(&log[..], &Default::default(), |_| ()).unwrap().verified.unresolved;
            let open = open.into_iter().map(|item| item.key.into()).collect();
            seen.lock().unwrap().push([call.keys.clone(), open]);
        });
    }
    site.run(&["apply", "shelflife-plan.parquet"]).ends(0);
    let seen = seen.lock().unwrap();
    assert!(seen.len() >= 3, "two buckets and an upload: {seen:?}");
    for [sent, open] in seen.iter() {
        assert!(sent.iter().all(|key| open.contains(key)), "{sent:?} was sent while {open:?} was intended");
    }
}

/// Runs it where no file can become longer than so many kilobytes.
pub fn with_room(site: &Site, kilobytes: u32, args: &[&str]) -> Ran {
    let command = site.command(args);
    let limit = format!("trap '' XFSZ; ulimit -f {kilobytes}; exec \"$0\" \"$@\"");
    let mut limited = Command::new("bash");
    limited.args(["-c", &limit]).arg(command.get_program());
    limited.args(command.get_args()).current_dir(command.get_current_dir().unwrap());
    limited.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    Ran::of(limited.output().unwrap())
}

/// What is due in `media` becomes a large batch, whose intent takes more than 24 kilobytes.
pub fn put_long_keys(site: &Site) {
    for number in 0..60 {
        site.put("media", &format!("inbound/4711/{}{number}", "long".repeat(100)), 40);
    }
}

/// There is room for a few entries, and none for the intent of a large batch.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_cannot_be_written_stops_the_run_before_the_deletion() {
    let site = Site::new().await;
    put_long_keys(&site);
    site.run(&["plan"]).ends(0);
    let before = site.sandbox.list_everything("media").unwrap();
    let ran = with_room(&site, 8, &["apply", "shelflife-plan.parquet"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    ran.tells(&["error: ", "evidence", "could not be written"]);
    assert_eq!(site.sandbox.list_everything("media").unwrap(), before);
    let deletes =
        |call: &Call| call.operation.starts_with("Delete") && call.bucket.as_deref() == Some("media");
    assert!(!site.sandbox.requests().iter().any(|request| deletes(&request.call)));
    // With room again the same command goes on, over the line that was torn.
    site.run(&["apply", "shelflife-plan.parquet"]).ends(0);
    site.run(&["verify", &site.desk.log()]).ends(0);
}

/// There is no room for the first line: what there was of it is not in the way of the next run.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_cannot_be_begun_leaves_nothing_behind() {
    let site = Site::new().await;
    site.run(&["plan"]).ends(0);
    let before = (site.desk.files(), site.sandbox.list_everything("media").unwrap());
    let ran = with_room(&site, 0, &["apply", "shelflife-plan.parquet"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    ran.tells(&["error: ", "evidence", "could not be written"]);
    assert_eq!((site.desk.files(), site.sandbox.list_everything("media").unwrap()), before);
    site.run(&["apply", "shelflife-plan.parquet"]).ends(0);
    site.run(&["verify", &site.desk.log()]).ends(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_to_be_gone_is_asked_for() {
    let site = Site::new().await;
    let (log, head) = site.killed_and_resumed();
    let verify = ["verify", &log, "--head", &head, "--live"];
    site.run(&verify).ends(0).shows(&["is whole", "5 items asked about in the store: gone"]);

    // Written again: another object.
    site.put("media", "inbound/4711/a.jpg", 0);
    let told = site.run(&[&verify[..], &["--json"]].concat()).ends(0).json();
    assert_eq!((&told["live"]["gone"], &told["live"]["written_again"]), (&4.into(), &1.into()));
    site.run(&verify).ends(0).shows(&["something else was written since"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_to_be_gone_and_is_still_there_is_found() {
    let site = Site::new().await;
    let key = "inbound/4711/a.jpg";
    // A store that says deleted, and deletes nothing.
    site.sandbox.create_bucket(versioned("liar")).unwrap();
    let id = site.sandbox.put_object("liar", "in/1/v", PutOptions::size(1).last_modified(ago(40)));
    let id = id.unwrap().version_id.unwrap();
    let policy = crate::site::POLICY.replace("buckets: [mail]", "buckets: [mail, liar]");
    site.desk.policy(&policy);
    site.run(&["plan"]).ends(0);
    site.run(&["apply", "shelflife-plan.parquet"]).ends(0);
    let log = site.desk.log();
    site.run(&["verify", &log, "--live"]).ends(0);
    // The same log against a store in which it did not happen.
    let other = Site::new().await;
    other.sandbox.create_bucket(versioned("liar")).unwrap();
    other.sandbox.put_object("liar", "in/1/v", PutOptions::size(1).last_modified(ago(40))).unwrap();
    let text = fs::read_to_string(site.desk.path(&log)).unwrap();
    let there = other.sandbox.list_everything("liar").unwrap().remove(0).id;
    other.desk.write("copy.jsonl", &rechained(&text.replace(&id, &there)));
    let ran = other.run(&["verify", "copy.jsonl", "--live", "--quiet"]).ends(6);
    ran.shows(&["still there", &format!("s3://media/{key}"), "asked about in the store"]);
    let told = other.run(&["verify", "copy.jsonl", "--live", "--json"]).json();
    let named = told["live"]["still_there_items"].as_array().unwrap().clone();
    assert!(named.iter().any(|item| item["key"] == "in/1/v" && item["version_id"] == there), "{named:?}");
    assert!(named.iter().any(|item| item["key"] == key), "{named:?}");
    assert_eq!(named.len() as u64, told["live"]["still_there"].as_u64().unwrap());
}

/// The entries of a log that somebody has changed, chained anew.
fn rechained(log: &str) -> String {
    let mut prev = "0".repeat(64);
    let mut all = String::new();
    for line in log.lines() {
        let start = line.rfind("\"prev\":\"").unwrap() + 8;
        let line = format!("{}{prev}{}", &line[..start], &line[start + 64..]);
        prev = shelflife::plan::file::file_digest(line.as_bytes()).unwrap();
        all = all + &line + "\n";
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_about_is_said() {
    let site = Site::new().await;
    let (log, _) = site.killed_and_resumed();
    site.sandbox.faults().add(Fault::on("ListObjectVersions", Effect::AccessDenied).bucket("mail"));
    let ran = site.run(&["verify", &log, "--live"]).ends(3);
    ran.shows(&["3 items could not be asked about", "mail: ", "access denied", "help: "]);
    site.sandbox.faults().clear();
    site.sandbox.faults().add(Fault::on("*", Effect::AccessDenied));
    site.run(&["verify", &log, "--live"]).ends(1);
}

/// One more object is due, and goes by the plan `run-{number}.parquet`; that run's log and its head.
fn reconciled(site: &Site, number: usize) -> (String, String) {
    site.put("media", &format!("inbound/4711/{number}.jpg"), 40);
    let ran = site.run(&["reconcile", "--out", &format!("run-{number}.parquet"), "--json"]).ends(0).json();
    let text = |name: &str| ran[name].as_str().unwrap().to_owned();
    (text("evidence"), text("head"))
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_of_years_lead_to_each_other_and_a_missing_one_is_found() {
    let site = Site::new().await;
    let [(first, _), (second, _), (third, head)] = [0, 1, 2].map(|number| reconciled(&site, number));
    let [first, second, third] = [first.as_str(), &second, &third];
    // In any order; the newest head confirms them all.
    let told = site.run(&["verify", third, first, second, "--head", &head, "--json"]).ends(0).json();
    let named: Vec<&str> =
        told["logs"].as_array().unwrap().iter().map(|it| it["log"].as_str().unwrap()).collect();
    assert_eq!(named, [first, second, third]);
    assert!(told["logs"].as_array().unwrap().iter().all(|log| log["head_confirmed"] == true), "{told}");
    assert_eq!(told["gaps"], 0);

    let ran = site.run(&["verify", first, third, "--head", &head]).ends(1);
    ran.shows(&["agrees with itself", "a gap: nothing here leads to this log", "is whole"]);
    site.run(&["verify", first, second, "--head", &head]).ends(1).tells(&["no log ends with the head"]);
    site.run(&["verify", first, first]).ends(2).tells(&["are logs of one run"]);
    // What it was before its run went on tells the same deletions once more.
    let whole = std::fs::read_to_string(site.desk.path(first)).unwrap();
    let begun: String = whole.split_inclusive('\n').take(2).collect();
    site.desk.write("begun.evidence.jsonl", &begun);
    for command in [&["verify"][..], &["report", "--certificate"]] {
        site.run(&[command, &[first, "begun.evidence.jsonl"]].concat())
            .ends(2)
            .tells(&["are logs of one run", "the longer of them alone"]);
    }
    site.run(&["report", "--certificate", first, third, "--head", &head])
        .ends(0)
        .shows(&["There is a gap before"]);
}

/// A crash leaves the last line of the second log torn.
#[tokio::test(flavor = "multi_thread")]
async fn a_torn_log_is_followed_too_so_that_it_cannot_be_taken_away() {
    let site = Site::new().await;
    let (first, _) = reconciled(&site, 0);
    let (second, _) = reconciled(&site, 1);
    let whole = fs::read(site.desk.path(&second)).unwrap();
    fs::write(site.desk.path(&second), &whole[..whole.len() - 40]).unwrap();
    let (third, _) = reconciled(&site, 2);
    site.run(&["verify", &first, &third]).ends(1).shows(&["a gap: nothing here leads to this log"]);
    // Its run goes on from there, and all are in line.
    site.run(&["apply", "run-1.parquet"]).ends(0);
    let ran = site.run(&["verify", &first, &second, &third]).ends(0);
    ran.shows(&["follows run-0", "follows line", "of run-1", "whose run went on"]);
}

/// A crash leaves the first log torn, and its run goes on only when the second has begun and ended.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_from_between_a_crash_and_the_going_on_cannot_be_taken_away() {
    let site = Site::new().await;
    let (first, _) = reconciled(&site, 0);
    let whole = fs::read(site.desk.path(&first)).unwrap();
    fs::write(site.desk.path(&first), &whole[..whole.len() - 40]).unwrap();
    let (second, _) = reconciled(&site, 1);
    site.run(&["apply", "run-0.parquet"]).ends(0);
    let (third, head) = reconciled(&site, 2);

    let all = ["verify", &first, &second, &third, "--head", &head];
    site.run(&all).ends(0).shows(&["its run went on after run-1"]);
    let told = site.run(&[&all[..], &["--json"]].concat()).ends(0).json();
    assert_eq!(told["gaps"], 0);
    assert!(told["logs"].as_array().unwrap().iter().all(|log| log["head_confirmed"] == true), "{told}");
    let ran = site.run(&["verify", &first, &third, "--head", &head]).ends(1);
    ran.shows(&["a gap", "its run went on after a log that is not here"]);
    site.run(&["verify", &first]).ends(0);
}
