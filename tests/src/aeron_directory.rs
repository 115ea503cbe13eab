//! An Aeron directory of a test's own, removed when the test ends. `[any]`

use nix::sys::statvfs::statvfs;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// What a suite needs at most at one time, in bytes.
const ROOM: u64 = 1 << 30;

/// A path under shared memory that nobody else uses. The directory itself is the driver's to make.
#[derive(Debug)]
pub struct AeronDirectory {
    path: PathBuf,
}

impl AeronDirectory {
    /// A new path; `name` shows up in it, so that a leftover tells its test.
    #[must_use]
    pub fn new(name: &str) -> Self {
        // Relaxed: the number only has to differ from the others of this process.
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let unique = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = parent().join(format!("gannet-tests-{}-{unique}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        AeronDirectory { path }
    }

    /// A directory inside a file system of the caller's, who removes that.
    #[must_use]
    pub fn inside(parent: &Path, name: &str) -> Self {
        AeronDirectory { path: parent.join(name) }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its files and folders, as paths relative to it, sorted; folders end with a slash.
    #[must_use]
    pub fn listing(&self) -> Vec<String> {
        let mut names = Vec::new();
        list(&self.path, "", &mut names);
        names.sort();
        names
    }
}

/// Shared memory where it is roomy; containers have 64 MiB of it by default, less than two drivers with default settings.
fn parent() -> &'static Path {
    static PARENT: OnceLock<PathBuf> = OnceLock::new();
    PARENT.get_or_init(|| {
        let shared = Path::new("/dev/shm");
        let is_roomy = statvfs(shared).is_ok_and(|status| status.blocks_available() * status.fragment_size() >= ROOM);
        if is_roomy { shared.to_path_buf() } else { std::env::temp_dir() }
    })
}

fn list(folder: &Path, prefix: &str, names: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            list(&entry.path(), &format!("{name}/"), names);
            names.push(format!("{name}/"));
        } else {
            names.push(name);
        }
    }
}

impl Drop for AeronDirectory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}
