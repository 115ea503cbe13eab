//! The small profile: a driver and one IPC publication in a shared-memory file system of 64 MiB.

use crate::case::Case;
use crate::client::Failure;
use crate::report::{Table, short};
use crate::round::{Round, Settings};
use crate::side::{Maker, Programs, Side};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What containers get unless told otherwise.
const FILE_SYSTEM_BYTES: u64 = 64 * 1024 * 1024;

/// A file system in memory of 64 MiB, mounted while this lives.
pub struct SmallFileSystem(PathBuf);

impl SmallFileSystem {
    /// Mounts one.
    ///
    /// # Errors
    /// When that is not allowed: mounting takes root.
    pub fn mount() -> Result<SmallFileSystem, Failure> {
        let folder = std::env::temp_dir().join(format!("gannet-bench-small-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let options = format!("size={FILE_SYSTEM_BYTES}");
        let status = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(&folder).status()?;
        if status.success() {
            Ok(SmallFileSystem(folder))
        } else {
            let _ = fs::remove_dir(&folder);
            Err("a file system of 64 MiB cannot be mounted: run this as root".into())
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for SmallFileSystem {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
        let _ = fs::remove_dir(&self.0);
    }
}

/// Runs one publication on our driver with `--small`, in such a file system, and makes the table of what it takes.
///
/// # Errors
/// When it does not fit, or a process fails.
pub fn table(programs: &Programs, settings: &Settings) -> Result<Table, Failure> {
    let file_system = SmallFileSystem::mount()?;
    let settings = Settings {
        root: file_system.path().to_path_buf(),
        gannetd_arguments: vec!["--small".to_owned()],
        ..settings.clone()
    };
    let side = Side { client: Maker::Ours, driver: Maker::Ours };
    let round = Round::run_undisturbed(programs, side, &Case::small(), &settings)?;
    let mut table =
        Table::new("The small profile in 64 MiB of shared memory", ["what", "figure"].map(str::to_owned).to_vec());
    #[allow(clippy::cast_precision_loss)] // figures for people
    let mib = |bytes: u64| format!("{} MiB", short(bytes as f64 / 1024.0 / 1024.0));
    let mut row = |what: &str, figure: String| table.push(vec![what.to_owned(), figure]);
    row("files of the directory: CnC, loss report, one log", mib(round.storage));
    row("driver's own memory (RssAnon)", mib(round.driver_resident.anonymous * 1024));
    row("driver's code (RssFile)", mib(round.driver_resident.file * 1024));
    row("messages of 32 bytes a second", format!("{} M", short(round.rate() * 1e-6)));
    Ok(table)
}
