//! Tests of directories: whose they are, who takes them over, what is deleted. `[any]`

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use gannet_core::cnc::{Cnc, CncConfig, CncLengths, semantic_version};
use gannet_core::error_log::DistinctErrorLog;
use gannet_core::ring::ManyToOneRing;
use gannet_core::sync::{Memory, Ordering};

use super::*;
use crate::{CncFile, CncFileError, Region, Sharing};

const TIMEOUT_MS: i64 = 10_000;

fn options() -> ClaimOptions {
    ClaimOptions { sharing: Sharing::Owner, driver_timeout_ms: TIMEOUT_MS, delete_on_start: false }
}

/// A place for directories in the shared-memory file system, and one that does not exist yet in it.
fn place() -> (tempfile::TempDir, AeronDirectory) {
    let place = tempfile::Builder::new().prefix("gannet-ipc-").tempdir_in("/dev/shm").unwrap();
    let directory = AeronDirectory::at(place.path().join("aeron"));
    (place, directory)
}

fn epoch_ms() -> i64 {
    std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis() as i64
}

/// What a driver that has just started leaves in its directory.
fn drive(directory: &AeronDirectory, heartbeat_ms: i64) -> Cnc<Region> {
    drive_as(4711, directory, heartbeat_ms)
}

fn drive_as(pid: i64, directory: &AeronDirectory, heartbeat_ms: i64) -> Cnc<Region> {
    let claim = directory.claim(options()).unwrap();
    let config = CncConfig {
        lengths: CncLengths { counters_metadata: 4 << 20, counters_values: 1 << 20, ..CncLengths::DEFAULT },
        client_liveness_timeout_ns: 1,
        start_timestamp_ms: 1,
        pid,
        file_page_size: 4096,
    };
    let cnc = CncFile::create(directory, config, Sharing::Owner).unwrap();
    ManyToOneRing::new(cnc.to_driver()).unwrap().set_consumer_heartbeat_ms(heartbeat_ms);
    cnc.publish();
    drop(claim);
    cnc
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn paths_are_where_every_aeron_client_looks() {
    let directory = AeronDirectory::at("/dev/shm/aeron-x/");
    assert_eq!(directory.path(), Path::new("/dev/shm/aeron-x"));
    assert_eq!(directory.cnc_file(), Path::new("/dev/shm/aeron-x/cnc.dat"));
    assert_eq!(directory.publication_log(-3), Path::new("/dev/shm/aeron-x/publications/-3.logbuffer"));
    assert_eq!(directory.image_log(7), Path::new("/dev/shm/aeron-x/images/7.logbuffer"));
    assert!(AeronDirectory::default_path().to_str().unwrap().starts_with("/dev/shm/aeron-"));
}

#[test]
fn a_new_directory_is_private_and_has_its_two_subdirectories() {
    let (place, _) = place();
    let directory = AeronDirectory::at(place.path().join("not/there/yet"));
    let claim = directory.claim(options()).unwrap();
    assert!(!claim.existed && claim.saved_errors.is_none() && claim.left.is_empty());
    assert_eq!(names(directory.path()), ["images", "publications"]);
    for path in [directory.path().to_path_buf(), directory.path().join("images")] {
        assert_eq!(fs::metadata(path).unwrap().mode() & 0o7777, 0o700);
    }
}

#[test]
fn widening_opens_directory_and_subdirectories_for_reading_only() {
    let (_place, directory) = place();
    for (sharing, mode) in [(Sharing::Group, 0o750), (Sharing::World, 0o755), (Sharing::Owner, 0o700)] {
        drop(directory.claim(ClaimOptions { sharing, ..options() }).unwrap());
        for path in [directory.path().to_path_buf(), directory.path().join("publications")] {
            assert_eq!(fs::metadata(path).unwrap().mode() & 0o7777, mode);
        }
    }
}

#[test]
fn a_living_driver_is_not_disturbed() {
    let (_place, directory) = place();
    assert!(!directory.is_driver_active(TIMEOUT_MS));
    let _cnc = drive(&directory, epoch_ms());
    assert!(directory.is_driver_active(TIMEOUT_MS));
    assert_eq!(directory.heartbeat().unwrap().unwrap().pid, 4711);
    let error = directory.claim(options()).unwrap_err();
    assert!(matches!(error, DirectoryError::Active { pid: 4711, heartbeat_age_ms: 0..5000, .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("process 4711") && text.contains("/aeron: ") && text.contains("AERON_DIR"), "{text}");
    assert!(directory.cnc_file().exists());
}

#[test]
fn a_dead_drivers_directory_is_taken_over_and_emptied() {
    let (place, directory) = place();
    drop(drive(&directory, epoch_ms() - TIMEOUT_MS - 1));
    fs::write(directory.publication_log(1), "log").unwrap();
    fs::write(directory.image_log(2), "log").unwrap();
    fs::write(directory.loss_report_file(), "report").unwrap();
    let inode = fs::metadata(directory.path()).unwrap().ino();
    let claim = directory.claim(options()).unwrap();
    assert!(claim.existed && claim.heartbeat_age_ms.unwrap() > TIMEOUT_MS);
    assert!(claim.saved_errors.is_none(), "it recorded none");
    assert_eq!(names(directory.path()), ["images", "publications"]);
    assert!(names(&directory.path().join("publications")).is_empty());
    assert_eq!(fs::metadata(directory.path()).unwrap().ino(), inode);
    assert_eq!(names(place.path()), ["aeron"]);
}

#[test]
fn a_driver_that_closed_its_directory_is_dead_at_once() {
    let (_place, directory) = place();
    drop(drive(&directory, -1));
    assert!(directory.heartbeat().unwrap().unwrap().is_closed);
    assert!(!directory.is_driver_active(TIMEOUT_MS));
    assert!(directory.claim(options()).is_ok());
}

#[test]
fn a_dead_drivers_errors_are_saved_beside_its_directory() {
    let (place, directory) = place();
    let cnc = drive(&directory, -1);
    let mut log = DistinctErrorLog::new(cnc.error_log());
    log.record("first\nof two lines", 1_700_000_000_000).unwrap();
    log.record("second", 1_700_000_000_001).unwrap();
    log.record("second", 1_700_000_000_002).unwrap();
    drop(cnc);
    let claim = directory.claim(options()).unwrap();
    let Some(SavedErrors::Saved { path, distinct: 2 }) = claim.saved_errors else { panic!("{claim:?}") };
    assert_eq!(path.parent(), Some(place.path()));
    let name = path.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("aeron-20") && name.ends_with("-error.log") && !name.contains(':'), "{name}");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((lines[0], lines[2], lines[3], lines[4]), ("***", " first", "of two lines", "***"));
    assert!(lines[1].starts_with("1 observations from 2023-11-1") && lines[1].ends_with(" for:"), "{}", lines[1]);
    assert!(lines[5].starts_with("2 observations from "), "{}", lines[5]);
    assert_eq!(*lines.last().unwrap(), "2 distinct errors observed.");
}

#[test]
fn errors_that_cannot_be_saved_are_handed_over() {
    let place = tempfile::tempdir().unwrap();
    // The name of the file beside the directory is too long for the file system, that of the directory is not.
    let directory = AeronDirectory::at(place.path().join("d".repeat(250)));
    let cnc = drive(&directory, -1);
    DistinctErrorLog::new(cnc.error_log()).record("an error", 1).unwrap();
    drop(cnc);
    let claim = directory.claim(options()).unwrap();
    let Some(SavedErrors::NotSaved { text, .. }) = claim.saved_errors else { panic!("{claim:?}") };
    assert!(text.contains(" an error\n"));
}

#[test]
fn only_one_driver_starts_in_a_directory_at_a_time() {
    let (_place, directory) = place();
    let claim = directory.claim(options()).unwrap();
    let error = directory.claim(options()).unwrap_err();
    assert!(matches!(error, DirectoryError::Starting { .. }), "{error}");
    drop(claim);
    assert!(directory.claim(options()).is_ok());
}

#[test]
fn of_many_that_start_at_once_one_wins_and_keeps_its_file() {
    let (_place, directory) = place();
    drop(drive(&directory, -1));
    let winners: usize = thread::scope(|scope| {
        let starts: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| match directory.claim(options()) {
                    Ok(claim) => {
                        fs::File::create_new(directory.publication_log(1)).unwrap();
                        Some(claim)
                    }
                    Err(DirectoryError::Starting { .. }) => None,
                    Err(error) => panic!("{error}"),
                })
            })
            .collect();
        // The claims are kept until all have tried.
        let claims: Vec<_> = starts.into_iter().filter_map(|start| start.join().unwrap()).collect();
        claims.len()
    });
    assert_eq!(winners, 1);
    assert!(directory.publication_log(1).exists());
}

#[test]
fn a_file_that_becomes_ready_while_waited_for_is_judged_by_its_heartbeat() {
    let (_place, directory) = place();
    let cnc = drive(&directory, epoch_ms());
    cnc.memory().store_i32(0, 0, Ordering::Release);
    thread::scope(|scope| {
        let second = scope.spawn(|| directory.claim(options()));
        cnc.publish();
        assert!(matches!(second.join().unwrap(), Err(DirectoryError::Active { .. })));
    });
}

#[test]
fn a_wait_for_a_file_that_nobody_finishes_can_be_stopped() {
    let (_place, directory) = place();
    fs::create_dir(directory.path()).unwrap();
    fs::write(directory.cnc_file(), vec![0; 4096]).unwrap();
    let error = directory.claim_unless(options(), &|| true).unwrap_err();
    assert!(matches!(error, DirectoryError::Stopped { .. }), "{error}");
    assert!(directory.cnc_file().exists(), "it touched nothing");
}

#[test]
fn a_heartbeat_far_in_the_future_counts_only_while_its_process_lives() {
    let future = epoch_ms() + 3_600_000;
    for (pid, lives) in [(i64::from(std::process::id()), true), (i64::from(i32::MAX), false), (0, false), (-1, false)] {
        let (_place, directory) = place();
        let _cnc = drive_as(pid, &directory, future);
        assert_eq!(directory.is_driver_active(TIMEOUT_MS), lives, "{pid}");
        assert_eq!(directory.claim(options()).is_err(), lives, "{pid}");
    }
    let (_place, directory) = place();
    let _cnc = drive_as(i64::from(i32::MAX), &directory, epoch_ms() + TIMEOUT_MS / 2);
    assert!(directory.is_driver_active(TIMEOUT_MS), "clocks of one machine may differ a little");
}

#[test]
fn nobody_starts_in_a_directory_that_is_held() {
    let (_place, directory) = place();
    assert!(directory.hold(Duration::ZERO).unwrap().is_none(), "there is none");
    drop(drive(&directory, -1));
    let held = directory.hold(Duration::ZERO).unwrap();
    assert!(held.is_some());
    assert!(matches!(directory.claim(options()), Err(DirectoryError::Starting { .. })));
    assert!(matches!(directory.hold(Duration::ZERO), Err(DirectoryError::Starting { .. })));
    drop(held);
    let claim = directory.claim(options()).unwrap();
    assert!(matches!(directory.hold(Duration::ZERO), Err(DirectoryError::Starting { .. })));
    thread::scope(|scope| {
        let waiting = scope.spawn(|| directory.hold(Duration::from_secs(30)));
        drop(claim);
        assert!(waiting.join().unwrap().unwrap().is_some());
    });
}

#[test]
fn a_driver_that_starts_waits_for_one_that_ends_and_can_be_stopped_meanwhile() {
    let (_place, directory) = place();
    drop(drive(&directory, -1));
    let held = directory.hold(Duration::ZERO).unwrap();
    let error = directory.claim_unless(options(), &|| true).unwrap_err();
    assert!(matches!(error, DirectoryError::Stopped { .. }), "{error}");
    let held = std::cell::RefCell::new(held);
    // It ends as soon as the other waits.
    let claim = directory.claim_unless(options(), &|| {
        held.borrow_mut().take();
        false
    });
    assert!(claim.is_ok());
}

#[test]
fn a_lock_ends_with_its_driver_though_a_child_has_inherited_it() {
    let (_place, directory) = place();
    drop(drive(&directory, -1));
    let held = directory.hold(Duration::ZERO).unwrap().unwrap();
    // What a fork makes: another descriptor of the same open directory.
    let inherited = held.directory.try_clone().unwrap();
    drop(held);
    assert!(directory.hold(Duration::ZERO).is_ok());
    drop(inherited);
}

#[test]
fn a_file_that_nobody_finishes_is_dead_after_the_timeout() {
    let (_place, directory) = place();
    fs::create_dir(directory.path()).unwrap();
    fs::write(directory.cnc_file(), vec![0; 4096]).unwrap();
    assert!(matches!(directory.heartbeat(), Err(CncFileError::NotReady { .. })));
    let claim = directory.claim(ClaimOptions { driver_timeout_ms: 5, ..options() }).unwrap();
    assert!(claim.existed && claim.heartbeat_age_ms.is_none());
}

#[test]
fn another_version_is_refused_unless_everything_shall_go() {
    let (_place, directory) = place();
    let cnc = drive(&directory, epoch_ms());
    cnc.memory().store_i32(0, semantic_version(1, 0, 0), Ordering::Release);
    let error = directory.claim(options()).unwrap_err();
    assert!(error.to_string().contains("CnC version 1.0.0"), "{error}");
    assert!(directory.claim(ClaimOptions { delete_on_start: true, ..options() }).is_ok());
}

#[test]
fn delete_on_start_does_not_ask_for_a_living_driver() {
    let (_place, directory) = place();
    let _cnc = drive(&directory, epoch_ms());
    let claim = directory.claim(ClaimOptions { delete_on_start: true, ..options() }).unwrap();
    assert!(claim.existed && !directory.cnc_file().exists());
}

#[test]
fn a_link_in_the_place_of_the_directory_is_refused_and_not_followed() {
    let (place, directory) = place();
    let target = place.path().join("target");
    fs::create_dir(&target).unwrap();
    fs::write(target.join("cnc.dat"), "precious").unwrap();
    symlink(&target, directory.path()).unwrap();
    for path in [directory.path().to_path_buf(), PathBuf::from(format!("{}/", directory.path().display()))] {
        let directory = AeronDirectory::at(path);
        let error = directory.claim(ClaimOptions { delete_on_start: true, ..options() }).unwrap_err();
        assert!(matches!(error, DirectoryError::Link { .. }), "{error}");
        assert!(error.to_string().contains("/aeron is a symbolic link"), "{error}");
        assert!(matches!(directory.delete(), Err(DirectoryError::Link { .. })));
    }
    assert_eq!(names(&target), ["cnc.dat"]);
}

#[test]
fn a_file_in_the_place_of_the_directory_is_refused() {
    let (_place, directory) = place();
    fs::write(directory.path(), "").unwrap();
    assert!(matches!(directory.claim(options()), Err(DirectoryError::NotADirectory { .. })));
}

#[test]
fn another_users_directory_is_refused_by_name() {
    if !nix::unistd::geteuid().is_root() {
        // Where it is seen: the harness keeps what a passing test prints to itself.
        let line = "SKIPPED transport-ipc: making a directory another user's needs root\n";
        let _ = std::io::stderr().write_all(line.as_bytes());
        if let Some(path) = std::env::var_os("GANNET_SKIPPED") {
            let mut list = fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
            list.write_all(line.as_bytes()).unwrap();
        }
        return;
    }
    let (_place, directory) = place();
    fs::create_dir(directory.path()).unwrap();
    fs::write(directory.cnc_file(), "precious").unwrap();
    chown(directory.path(), Some(65_534), None).unwrap();
    let error = directory.claim(ClaimOptions { delete_on_start: true, ..options() }).unwrap_err();
    assert!(matches!(error, DirectoryError::ForeignOwner { owner: 65_534, user: 0, .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("nobody (65534)") && text.contains("root (0)") && text.contains("AERON_DIR"), "{text}");
    assert!(matches!(directory.delete(), Err(DirectoryError::ForeignOwner { .. })));
    assert!(directory.cnc_file().exists());
}

#[test]
fn deleting_takes_what_is_aerons_and_the_directory() {
    let (place, directory) = place();
    drop(drive(&directory, -1));
    fs::write(directory.publication_log(1), "log").unwrap();
    assert_eq!(directory.delete().unwrap(), Deleted::default());
    assert!(names(place.path()).is_empty());
    assert_eq!(directory.delete().unwrap(), Deleted::default(), "what is not there is deleted already");
}

#[test]
fn deleting_leaves_what_is_not_aerons_and_follows_no_link() {
    let (place, directory) = place();
    let outside = place.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("5.logbuffer"), "precious").unwrap();
    drop(drive(&directory, -1));
    fs::remove_dir(directory.path().join("images")).unwrap();
    symlink(&outside, directory.path().join("images")).unwrap();
    symlink(outside.join("5.logbuffer"), directory.publication_log(5)).unwrap();
    let mine = [directory.path().join("notes.txt"), directory.path().join("publications/notes.logbuffer")];
    for path in &mine {
        fs::write(path, "precious").unwrap();
    }
    let mut deleted = directory.delete().unwrap();
    deleted.left.sort();
    assert_eq!(deleted.left, mine);
    assert_eq!(names(directory.path()), ["notes.txt", "publications"]);
    assert_eq!(fs::read_to_string(outside.join("5.logbuffer")).unwrap(), "precious");
}

#[test]
fn what_is_not_aerons_stays_through_a_takeover_and_is_told() {
    let (_place, directory) = place();
    drop(drive(&directory, -1));
    let mine = directory.path().join("notes.txt");
    fs::write(&mine, "precious").unwrap();
    assert_eq!(directory.claim(options()).unwrap().left.as_slice(), std::slice::from_ref(&mine));
    assert!(mine.exists());
}
