//! The command line of `gannetd`, which takes all that `aeronmd` takes. `[any]`
//!
//! `aeronmd` knows `-v`, `-Dname=value` (also as two arguments) and property files; the rest is ours.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{CommandFactory, FromArgMatches, Parser};

use super::configuration::{Configuration, Mode};
use super::describe;
use super::source::Sources;
use super::warning::ConfigError;

/// What was asked for on the command line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Parser)]
#[command(
    name = "gannetd",
    about = "The media driver of Aeron's clients: shared memory between processes",
    disable_version_flag = true,
    override_usage = "gannetd [-v] [-Dname=value]... [OPTIONS] [FILE]..."
)]
pub struct CommandLine {
    /// Print the version and exit
    #[arg(short = 'v', long = "version")]
    pub version: bool,

    /// Set a variable or property, such as -Daeron.dir=/dev/shm/mine; counts more than the environment
    #[arg(short = 'D', value_name = "name=value")]
    pub defines: Vec<OsString>,

    /// Do not start when a value would not be taken as given, or when a name is unknown (GANNET_STRICT=true)
    #[arg(long)]
    pub strict: bool,

    /// Take defaults with which a driver and an IPC publication fit 64 MiB of shared memory (GANNET_SMALL=true)
    #[arg(long)]
    pub small: bool,

    /// Print every setting, its value and where that comes from, and exit
    #[arg(long)]
    pub print_config: bool,

    /// Property files; they count more than -D, and the last one most
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

impl CommandLine {
    /// Reads arguments, the program's name first.
    ///
    /// # Errors
    /// When they are not understood, and when help was asked for: the error's `exit` prints either.
    pub fn read(arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> Result<Self, clap::Error> {
        let command = Self::command()
            .after_help("Every setting with its default and range: gannetd --help")
            .after_long_help(describe::help());
        Self::from_arg_matches(&command.try_get_matches_from(arguments)?)
    }

    /// Puts together the configuration: what `sources` say (the environment, as a rule), then `-D`, then files.
    ///
    /// # Errors
    /// When a define or a file cannot be read, or [`Configuration::resolve`] refuses.
    pub fn configure(&self, mut sources: Sources) -> Result<Configuration, ConfigError> {
        self.defines.iter().try_for_each(|define| sources.define(define))?;
        self.files.iter().try_for_each(|file| sources.load(file))?;
        Configuration::resolve(sources, Mode { strict: self.strict, small: self.small })
    }
}
