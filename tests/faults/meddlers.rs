//! Others who change the bucket while a plan is made or carried out.

use std::collections::BTreeMap;

use chrono::{NaiveTime, TimeDelta};
use shelflife::sandbox::{Call, Effect, Fault, PutOptions, Retention, RetentionMode, Sandbox, Versioning};

use crate::scene::Kind;
use crate::stage::{BUCKET, Stage};
use crate::troubles::Trouble;

/// The operations in which a run looks at objects, and those in which it deletes.
const LOOK: &str = "ListObjectVersions";
const DELETE: [&str; 2] = ["DeleteObjects", "DeleteObject"];

/// Has `act` done before the first call of each of `operations`.
fn before(
    name: &'static str,
    operations: &'static [&'static str],
    act: impl Fn(&Sandbox, &Call) + Clone + Send + Sync + 'static,
) -> Trouble {
    let arrange = move |stage: &Stage| {
        for operation in operations {
            let (sandbox, act) = (stage.sandbox.clone(), act.clone());
            let meddle = Effect::before(move |call| act(&sandbox, call));
            stage.sandbox.faults().add(Fault::on(operation, meddle).once());
        }
    };
    Trouble { meddles: true, ..Trouble::new(name, arrange) }
}

fn upload(sandbox: &Sandbox, key: &str) {
    sandbox.put_object(BUCKET, key, PutOptions::bytes("something newer")).unwrap();
}

/// The ids of all versions of keys that begin so, markers aside.
fn versions(sandbox: &Sandbox, start: &str) -> Vec<(String, String)> {
    let all = sandbox.list_everything(BUCKET).unwrap();
    let of_keys = all.into_iter().filter(|entry| entry.key.starts_with(start) && entry.object.is_some());
    of_keys.map(|entry| (entry.key, entry.id)).collect()
}

pub fn all() -> Vec<Trouble> {
    let keeps_old_versions = |kind: Kind| kind != Kind::Noncurrent;
    vec![
        before("a key uploaded anew before it is looked at", &[LOOK], |sandbox, _| {
            upload(sandbox, "inbound/1/old-03");
        }),
        // What a version is superseded by decides when it goes, so that one more is its own case below.
        Trouble {
            kinds: keeps_old_versions,
            ..before("every key uploaded anew before its deletion", &DELETE, |sandbox, call| {
                call.keys.iter().for_each(|key| upload(sandbox, key));
            })
            .when_applied()
        },
        Trouble {
            kinds: |kind| kind == Kind::Noncurrent,
            ..before("a version superseded once more before its deletion", &DELETE, |sandbox, call| {
                let many = |key: &&String| key.as_str() == "inbound/1/newest-stays";
                call.keys.iter().filter(many).for_each(|key| upload(sandbox, key));
            })
            .when_applied()
        },
        Trouble {
            kinds: |kind| kind == Kind::Locked,
            ..before("legal holds placed before the deletion", &DELETE, |sandbox, call| {
                for key in &call.keys {
                    for (key, id) in versions(sandbox, key) {
                        sandbox.set_legal_hold(BUCKET, &key, Some(&id), true).unwrap();
                    }
                }
            })
            .when_applied()
        },
        Trouble {
            kinds: |kind| kind == Kind::Locked,
            ..before("versions locked before the deletion", &DELETE, |sandbox, _| {
                for (mode, start) in
                    [(RetentionMode::Governance, "inbound/1/old-0"), (RetentionMode::Compliance, "said/1/")]
                {
                    let until = sandbox.now() + TimeDelta::days(9);
                    for (key, id) in versions(sandbox, start) {
                        let to = Some(Retention { mode, until });
                        sandbox.set_retention(BUCKET, &key, Some(&id), to).unwrap();
                    }
                }
            })
            .when_applied()
        },
        Trouble {
            kinds: |kind| kind == Kind::Locked,
            ..before("a legal hold placed before the last look", &[LOOK], |sandbox, _| {
                for (key, id) in versions(sandbox, "inbound/1/many") {
                    sandbox.set_legal_hold(BUCKET, &key, Some(&id), true).unwrap();
                }
            })
        },
        before("a tag changed before it is read", &["GetObjectTagging"], |sandbox, _| {
            let tags = BTreeMap::from([("class".to_owned(), "long".to_owned())]);
            sandbox.set_tags(BUCKET, "tagged/1/retagged", None, tags).unwrap();
        }),
        Trouble {
            others_remove: true,
            ..before(
                "others remove what is due",
                &["ListObjectVersions", "DeleteObjects"],
                |sandbox, call| {
                    let start = if call.operation == LOOK { "inbound/1/old-0" } else { "inbound/1/old-1" };
                    for (key, id) in versions(sandbox, start) {
                        sandbox.delete(BUCKET, &key, Some(&id)).unwrap();
                    }
                },
            )
        },
        Trouble {
            others_remove: true,
            ..before("uploads end by themselves", &["AbortMultipartUpload"], |sandbox, call| {
                let uploads = sandbox.list_everything(BUCKET).unwrap();
                let of_key = uploads.iter().filter(|entry| call.keys.contains(&entry.key));
                for upload in of_key.filter(|entry| entry.kind == shelflife::sandbox::EntryKind::Upload) {
                    sandbox.abort_upload(BUCKET, &upload.key, &upload.id).unwrap();
                }
            })
            .when_applied()
        },
        Trouble { others_remove: true, kinds: keeps_old_versions, ..lifecycle() },
        Trouble {
            kinds: |kind| kind == Kind::Unversioned,
            ..before("versioning switched on before the deletion", &["DeleteObjects"], |sandbox, _| {
                sandbox.set_versioning(BUCKET, Versioning::Enabled).unwrap();
            })
            .when_applied()
        },
        Trouble {
            kinds: |kind| kind == Kind::Suspended,
            ..before("versioning switched on again before it is looked at", &[LOOK], |sandbox, _| {
                sandbox.set_versioning(BUCKET, Versioning::Enabled).unwrap();
            })
        },
        // Where it comes while the plan is carried out, latest versions above others may be covered or wait.
        Trouble {
            kinds: |kind| kind == Kind::Versioned,
            apply: false,
            ..before("versioning suspended before it is looked at", &[LOOK], |sandbox, _| {
                sandbox.set_versioning(BUCKET, Versioning::Suspended).unwrap();
            })
        },
    ]
}

/// A rule of somebody else that removes no object early, at a midnight that comes between the last look and
/// the deletion.
fn lifecycle() -> Trouble {
    let arrange = |stage: &Stage| {
        let rule = "<LifecycleConfiguration><Rule><ID>others</ID><Filter><Prefix>inbound/1/old-</Prefix></Filter>\
                    <Status>Enabled</Status><Expiration><Days>35</Days></Expiration></Rule></LifecycleConfiguration>";
        stage.sandbox.put_lifecycle(BUCKET, rule).unwrap();
        let sandbox = stage.sandbox.clone();
        let meddle = Effect::before(move |_| {
            let tomorrow = sandbox.now().date_naive().succ_opt().unwrap();
            sandbox.advance_to(tomorrow.and_time(NaiveTime::MIN).and_utc()).unwrap();
        });
        for operation in DELETE {
            stage.sandbox.faults().add(Fault::on(operation, meddle.clone()).once());
        }
    };
    Trouble { meddles: true, ..Trouble::new("lifecycle acts before the deletion", arrange).when_applied() }
}
