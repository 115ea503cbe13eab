//! The shared-memory file system is full: the client that asks gets the storage error, no process dies by SIGBUS, and
//! traffic goes on when there is space again.
//!
//! Needs root, for a small tmpfs in a mount namespace of the test's own thread; without, it is skipped and says so.

use crate::support::{Stream, connect, full};
use gannet::{Aeron, ErrorCode, RegistrationError};
use gannet_tests::{AeronDirectory, DriverProcess, PATIENCE, Settings, gannetd, skip, wait_until};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use rustix::fs::{FallocateFlags, fallocate, statvfs};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A tmpfs of this thread and its children only. It goes with them.
struct SmallFileSystem {
    path: PathBuf,
}

impl SmallFileSystem {
    fn mount(name: &str, bytes: u64) -> Result<Self, nix::Error> {
        unshare(CloneFlags::CLONE_NEWNS)?;
        let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
        mount(None::<&str>, "/", None::<&str>, private, None::<&str>)?;
        let path = std::env::temp_dir().join(format!("gannet-tests-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        let size = format!("size={bytes},mode=0755");
        mount(Some("tmpfs"), &path, Some("tmpfs"), MsFlags::empty(), Some(size.as_str()))?;
        Ok(SmallFileSystem { path })
    }

    fn free_bytes(&self) -> u64 {
        let status = statvfs(&self.path).unwrap();
        status.f_bavail * status.f_frsize
    }

    /// Takes all the space that is left, but for `spare` bytes.
    fn fill(&self, spare: u64) -> Ballast {
        let path = self.path.join("ballast");
        let file = File::create(&path).unwrap();
        let mut length = 0;
        // What is free may shrink meanwhile, as the driver reserves ahead.
        while self.free_bytes() > spare {
            let step = (self.free_bytes() - spare).min(1 << 20);
            if fallocate(&file, FallocateFlags::empty(), length, step).is_err() {
                continue;
            }
            length += step;
        }
        Ballast(path)
    }
}

impl Drop for SmallFileSystem {
    fn drop(&mut self) {
        let _ = nix::mount::umount2(&self.path, nix::mount::MntFlags::MNT_DETACH);
        let _ = fs::remove_dir(&self.path);
    }
}

/// Space that is taken until this goes.
struct Ballast(PathBuf);

impl Drop for Ballast {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Runs a test in a thread of its own, on a small file system of its own.
fn on_small_file_system(test: &'static str, bytes: u64, body: fn(&SmallFileSystem)) {
    let outcome = std::thread::spawn(move || match SmallFileSystem::mount(test, bytes) {
        Ok(file_system) => body(&file_system),
        Err(error) => skip(test, &format!("it needs root, to mount a small tmpfs ({error})")),
    })
    .join();
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

fn launch(parent: &Path, settings: &Settings) -> DriverProcess {
    DriverProcess::launch_in(Command::new(gannetd::program()), AeronDirectory::inside(parent, "aeron"), settings)
}

/// An add is refused for want of storage.
#[track_caller]
fn assert_no_storage(aeron: &Aeron, channel: &str, stream_id: i32) {
    match aeron.add_publication(channel, stream_id).map(drop) {
        Err(RegistrationError::Refused { code: ErrorCode::StorageSpace, .. }) => {}
        other => panic!("{other:?} instead of the storage error"),
    }
}

const MEBIBYTE: u64 = 1 << 20;

/// Logs of 12 MiB in all, sparse: a cycle uses a part of one.
const CHANNEL: &str = "aeron:ipc?term-length=4m";

fn fill_and_free(file_system: &SmallFileSystem) {
    let cycles = if full() { 1000 } else { 100 };
    let mut driver = launch(&file_system.path, &Settings::small());
    let aeron = connect(driver.path());
    for cycle in 0..cycles {
        let mut stream = Stream::new(&aeron, CHANNEL, 10 + cycle);
        stream.transfer(20);
        let ballast = file_system.fill(0);
        assert_no_storage(&aeron, CHANNEL, 5);
        // The publisher goes on for as long as there is space that the driver reserved, and is then held back.
        let sent = stream.sent();
        let mut refusals = 0;
        wait_until("the publisher is held back for good", PATIENCE, || {
            match stream.offer() {
                Ok(()) => refusals = 0,
                Err(gannet::OfferError::BackPressured) => {
                    stream.drain();
                    // The driver has looked at the stream since: it answered a command.
                    assert_no_storage(&aeron, CHANNEL, 5);
                    refusals += 1;
                }
                Err(error) => assert!(error.is_retryable(), "{error}"),
            }
            refusals == 3
        });
        let position = stream.publication.position().0;
        assert!(position < 3 * 4 * 1024 * 1024, "it was not the whole log: {position}");
        assert!(driver.process().is_running(), "{}", driver.process().report());
        drop(ballast);
        stream.transfer(200);
        assert!(stream.sent() > sent);
        let id = stream.publication.registration_id();
        drop(stream);
        let log = driver.path().join(format!("publications/{id}.logbuffer"));
        wait_until("its log goes", PATIENCE, || !log.exists());
    }
    let errors = driver.cnc().errors;
    assert!(!errors.is_empty(), "it is in the error log");
    assert_eq!(driver.process().errors(), [""; 0], "nothing on standard error");
}

#[test]
fn a_full_file_system_is_back_pressure_and_not_a_death() {
    on_small_file_system("storage-cycles", 48 * MEBIBYTE, fill_and_free);
}

/// Publishers that share a log pass the limit together; none of them dies.
fn publishers_pass_the_limit_together(file_system: &SmallFileSystem) {
    const PUBLISHERS: u64 = 4;
    let rounds = if full() { 200 } else { 20 };
    let mut driver = launch(&file_system.path, &Settings::small());
    let aeron = connect(driver.path());
    for round in 0..rounds {
        let stream_id = 10 + round;
        let mut subscription = aeron.add_subscription("aeron:ipc", stream_id).unwrap();
        let publication = aeron.add_publication("aeron:ipc?term-length=1m", stream_id).unwrap();
        wait_until("the stream is connected", PATIENCE, || publication.is_connected());
        let ballast = file_system.fill(0);
        let threads: Vec<_> = (0..PUBLISHERS)
            .map(|_| {
                let publication = publication.clone();
                std::thread::spawn(move || {
                    let mut taken = 0_u64;
                    let mut refused = 0;
                    while refused < 200 {
                        match publication.offer(&[9; 1000]) {
                            Ok(_) => taken += 1,
                            Err(gannet::OfferError::BackPressured) => {
                                refused += 1;
                                std::thread::yield_now();
                            }
                            Err(error) => assert!(error.is_retryable(), "{error}"),
                        }
                    }
                    taken
                })
            })
            .collect();
        let mut received = 0_u64;
        let mut read = |received: &mut u64| {
            subscription.poll(100, |bytes, _| {
                assert_eq!(bytes, [9; 1000]);
                *received += 1;
            });
        };
        wait_until("all publishers are held back", PATIENCE, || {
            read(&mut received);
            threads.iter().all(std::thread::JoinHandle::is_finished)
        });
        let taken: u64 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
        wait_until("all that was taken has come", PATIENCE, || {
            read(&mut received);
            received == taken
        });
        drop(ballast);
        for _ in 0..3000 {
            wait_until("traffic goes on", PATIENCE, || {
                read(&mut received);
                publication.offer(&[9; 1000]).is_ok()
            });
        }
        wait_until("all has come", PATIENCE, || {
            read(&mut received);
            received == taken + 3000
        });
    }
    assert!(driver.process().is_running(), "{}", driver.process().report());
    assert_eq!(driver.process().errors(), [""; 0], "nothing on standard error");
}

#[test]
fn publishers_that_share_a_log_do_not_die_on_a_full_file_system() {
    on_small_file_system("storage-shared", 32 * MEBIBYTE, publishers_pass_the_limit_together);
}

/// A driver that cannot have its own files says so and ends.
fn a_driver_does_not_start(file_system: &SmallFileSystem) {
    let directory = AeronDirectory::inside(&file_system.path, "aeron");
    let mut command = Command::new(gannetd::program());
    Settings::small().apply(&mut command);
    command.env("AERON_DIR", directory.path());
    let mut process = gannet_tests::Process::spawn(command);
    let status = process.wait_exit(PATIENCE);
    assert_eq!(status.code(), Some(1), "{}", process.report());
    assert!(!process.errors().is_empty(), "it says why");
}

#[test]
fn a_driver_without_space_for_its_own_files_does_not_start() {
    on_small_file_system("storage-start", 4 * MEBIBYTE, a_driver_does_not_start);
}

/// What the issue promises for containers: a driver with small files and one publication in 64 MiB.
fn the_small_profile_fits(file_system: &SmallFileSystem) {
    let mut command = Command::new(gannetd::program());
    command.arg("--small");
    let directory = AeronDirectory::inside(&file_system.path, "aeron");
    let driver = DriverProcess::launch_in(command, directory, &Settings::bare());
    let aeron = connect(driver.path());
    Stream::new(&aeron, "aeron:ipc", 1).transfer(20_000);
}

#[test]
fn the_small_profile_fits_a_container() {
    on_small_file_system("storage-small", 64 * MEBIBYTE, the_small_profile_fits);
}
