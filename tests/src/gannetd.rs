//! The `gannetd` that is built from this tree. `[any]`

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The path of `gannetd`, built now if it is not: cargo builds no binary of another package for a test. The variable
/// `GANNETD` names another program: a release build, or the official driver, to tell a fault of a test from one of ours.
///
/// # Panics
/// When the build fails.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| std::env::var_os("GANNETD").map_or_else(|| build("gannet-driver", "gannetd"), PathBuf::from))
}

/// Builds a binary of this workspace in the profile and the target directory of the running test.
///
/// # Panics
/// When the build fails.
pub fn build(package: &str, binary: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    // <target>/<profile>/deps/<test> or, for a binary of the package, <target>/<profile>/<binary>
    let folder = test.ancestors().skip(1).find(|folder| !folder.ends_with("deps")).expect("a target directory");
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(profile) => profile,
    };
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--quiet", "--manifest-path", manifest, "--profile", profile, "-p", package, "--bin", binary])
        .arg("--target-dir")
        .arg(folder.parent().expect("a profile directory lies in a target directory"))
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "cannot build {binary}: {}", String::from_utf8_lossy(&output.stderr));
    folder.join(binary)
}
