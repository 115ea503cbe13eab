//! What happens when a file system has no room left, shown on one of 1 MiB that only this test's thread sees.
//!
//! Mounting it needs root; without root the tests say on standard error that they were skipped, and in the file that
//! `GANNET_SKIPPED` names.
#![allow(clippy::unwrap_used)] // a test: what cannot be unwrapped has failed

use std::fs;
use std::io::Write;
use std::path::Path;
use std::thread;

use gannet_core::sync::{Memory, Ordering};
use gannet_transport_ipc::{FileError, MappedFile, Sharing, Space, storage};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

/// Says that a test did not run where it is seen: the harness keeps what a passing test prints to itself.
fn skipped(why: &str) {
    let line = format!("SKIPPED transport-ipc/tests/full_file_system.rs: {why}\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
    if let Some(path) = std::env::var_os("GANNET_SKIPPED") {
        let mut list = fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
        list.write_all(line.as_bytes()).unwrap();
    }
}

/// Runs a test on a thread whose view of a temporary directory is a memory file system of 1 MiB.
fn on_a_mebibyte(test: impl FnOnce(&Path) + Send) {
    let directory = tempfile::tempdir().unwrap();
    thread::scope(|scope| {
        let outcome = scope.spawn(|| {
            let mounted = unshare(CloneFlags::CLONE_NEWNS)
                .and_then(|()| {
                    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)
                })
                .and_then(|()| {
                    mount(Some("gannet"), directory.path(), Some("tmpfs"), MsFlags::empty(), Some("size=1m"))
                });
            match mounted {
                Ok(()) => test(directory.path()),
                Err(errno) => skipped(&format!("a private tmpfs needs root: {errno}")),
            }
        });
        if let Err(panic) = outcome.join() {
            std::panic::resume_unwind(panic);
        }
    });
}

#[test]
fn a_reserved_file_that_does_not_fit_is_an_error_and_leaves_nothing() {
    on_a_mebibyte(|directory| {
        let path = directory.join("file");
        let error = MappedFile::create(&path, 2 << 20, Space::Reserved, Sharing::Owner).unwrap_err();
        let FileError::NoSpace { offset: 0, length, usable, .. } = error else { panic!("{error}") };
        assert_eq!(length, 2 << 20);
        assert!(usable <= 1 << 20);
        assert!(!path.exists());
        assert_eq!(storage::usable_space(directory).unwrap(), 1 << 20);
    });
}

#[test]
fn reserving_steps_of_a_sparse_file_fails_cleanly_when_full_and_works_again_when_space_returns() {
    on_a_mebibyte(|directory| {
        let ballast = directory.join("ballast");
        let region = MappedFile::create(&directory.join("file"), 4 << 20, Space::Sparse, Sharing::Owner).unwrap();
        let step = 64 << 10;
        for cycle in 0..100 {
            let mut reserved = 0;
            let error = loop {
                match region.reserve(reserved, step) {
                    Ok(()) => reserved += step,
                    Err(error) => break error,
                }
            };
            assert!(error.is_out_of_space(), "{error}");
            assert!(reserved >= (1 << 20) - 3 * step, "only {reserved} bytes could be reserved in cycle {cycle}");
            // What was reserved can be written to the last byte: a promise broken here is a SIGBUS.
            for page in (0..reserved).step_by(4096) {
                region.store_i64(page + 4088, 1, Ordering::Relaxed);
            }
            let file = fs::File::options().write(true).open(region.path()).unwrap();
            nix::fcntl::fallocate(
                &file,
                nix::fcntl::FallocateFlags::FALLOC_FL_PUNCH_HOLE | nix::fcntl::FallocateFlags::FALLOC_FL_KEEP_SIZE,
                0,
                4 << 20,
            )
            .unwrap();
        }
        fs::write(&ballast, vec![0; 512 << 10]).unwrap();
        assert!(region.reserve(0, 1 << 20).unwrap_err().is_out_of_space());
        fs::remove_file(&ballast).unwrap();
        region.reserve(0, 768 << 10).unwrap();
    });
}

#[test]
fn pages_that_cannot_be_made_are_an_error_even_when_the_name_is_gone() {
    on_a_mebibyte(|directory| {
        let path = directory.join("file");
        let region = MappedFile::create(&path, 4 << 20, Space::Sparse, Sharing::Owner).unwrap();
        fs::rename(&path, directory.join("moved")).unwrap();
        region.reserve(0, 256 << 10).unwrap();
        assert!(region.reserve(0, 4 << 20).unwrap_err().is_out_of_space());
    });
}
