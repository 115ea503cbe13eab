//! The two media drivers, each as a process. `[any]`

use gannet_tests::{DriverProcess, Settings, gannetd};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Whose driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    /// The C driver 1.54.
    Official,
    /// `gannetd`.
    Gannetd,
}

impl Driver {
    /// The program.
    ///
    /// # Panics
    /// When it cannot be built.
    #[must_use]
    pub fn program(self) -> &'static Path {
        static OFFICIAL: OnceLock<PathBuf> = OnceLock::new();
        match self {
            Driver::Official => OFFICIAL.get_or_init(|| gannetd::build("gannet-interop", "official-driver")),
            Driver::Gannetd => gannetd::program(),
        }
    }

    /// Starts it with the settings of most tests.
    #[must_use]
    #[track_caller]
    pub fn launch(self, name: &str) -> DriverProcess {
        self.launch_with(name, &Settings::small())
    }

    /// Starts it.
    #[must_use]
    #[track_caller]
    pub fn launch_with(self, name: &str, settings: &Settings) -> DriverProcess {
        DriverProcess::launch(self.program(), name, settings)
    }
}
