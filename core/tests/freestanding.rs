//! The core works without `std`, libc and an allocator: a program that has none of them is built and run.
#![cfg(all(target_arch = "x86_64", target_os = "linux"))]

use std::path::PathBuf;
use std::process::Command;

#[test]
fn a_program_without_std_publishes_and_reads_messages() {
    let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("freestanding/Cargo.toml");
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("freestanding");
    let build = Command::new(env!("CARGO"))
        .args(["build", "--release", "--locked", "--manifest-path"])
        .arg(&manifest)
        .arg("--target-dir")
        .arg(&target)
        // Flags and wrappers meant for the tests themselves would break a program that is its own runtime.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .output()
        .expect("cargo runs");
    assert!(build.status.success(), "{}", String::from_utf8_lossy(&build.stderr));

    let program = target.join("release/gannet-freestanding");
    let image = std::fs::read(&program).expect("the program was built");
    // A dynamic program names its loader; this one has nobody to load.
    assert!(!contains(&image, b"ld-linux"), "the program is linked dynamically");
    let run = Command::new(&program).output().expect("the program runs");
    assert_eq!(run.status.code(), Some(0), "{}", String::from_utf8_lossy(&run.stdout));
    assert_eq!(String::from_utf8_lossy(&run.stdout), "ok\n");
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}
