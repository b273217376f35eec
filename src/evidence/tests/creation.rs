//! A log is there as a whole or not at all, and one run's alone.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

#[test]
fn a_log_never_replaces_a_file() {
    let folder = Folder::new();
    fs::write(folder.log(), "precious").unwrap();
    let error = EvidenceLog::create(&folder.log(), at(0), opening()).unwrap_err();
    assert!(matches!(error, EvidenceError::Open(e) if e.kind() == io::ErrorKind::AlreadyExists));
    assert_eq!(folder.bytes(), b"precious");
    assert_eq!(fs::read_dir(folder.0.path()).unwrap().count(), 1, "nothing else is left");
}

#[test]
fn two_runs_never_write_to_one_log() {
    let folder = Folder::new();
    let _running = folder.create();
    assert!(matches!(folder.resume(), Err(EvidenceError::InUse)));
}

#[cfg(unix)]
#[test]
fn a_log_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    drop(folder.create());
    assert_eq!(fs::metadata(folder.log()).unwrap().permissions().mode() & 0o777, 0o600);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_before_anything_is_sent() {
    let full = OpenOptions::new().append(true).open("/dev/full").unwrap();
    let error = EvidenceLog::open(full, at(0), opening()).unwrap_err();
    assert!(matches!(error, EvidenceError::Write(_)));
}

/// However early somebody finds the log, it is whole and in use.
#[test]
fn a_log_is_in_use_from_the_moment_it_is_there() {
    for round in 0..50 {
        let folder = Folder::new();
        let is_made = AtomicBool::new(false);
        let (made, found) = std::thread::scope(|scope| {
            let looking = scope.spawn(|| {
                while !is_made.load(Ordering::SeqCst) {
                    match folder.resume() {
                        Err(EvidenceError::Open(error)) if error.kind() == io::ErrorKind::NotFound => {}
                        found => return Some(found),
                    }
                }
                None
            });
            let made = EvidenceLog::create(&folder.log(), at(0), opening());
            is_made.store(true, Ordering::SeqCst);
            (made, looking.join().unwrap())
        });
        assert!(made.is_ok(), "round {round}: {made:?}");
        assert!(matches!(found, None | Some(Err(EvidenceError::InUse))), "round {round}: {found:?}");
    }
}

#[test]
fn of_many_that_make_one_log_one_has_it() {
    let folder = Folder::new();
    let create = || EvidenceLog::create(&folder.log(), at(0), opening());
    let made: Vec<_> = std::thread::scope(|scope| {
        let making: Vec<_> = (0..8).map(|_| scope.spawn(create)).collect();
        making.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(made.iter().filter(|one| one.is_ok()).count(), 1);
    for error in made.iter().filter_map(|one| one.as_ref().err()) {
        let is_there = matches!(error, EvidenceError::Open(e) if e.kind() == io::ErrorKind::AlreadyExists);
        assert!(is_there, "{error:?}");
    }
    verify(&folder.bytes()[..], None).unwrap();
    assert_eq!(fs::read_dir(folder.0.path()).unwrap().count(), 1, "nothing else is left");
}
