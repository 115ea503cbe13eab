//! What the operator should hear about the configuration. `[any]`

use std::fmt;
use std::path::PathBuf;

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said anything.
    Default,
    /// The small profile.
    Small,
    /// The environment.
    Environment,
    /// An option of the command line.
    Option,
    /// `-Dname=value` on the command line.
    Define,
    /// A line of a property file.
    File {
        /// The file as it was named.
        path: PathBuf,
        /// The line, from 1, on which the value ends.
        line: usize,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::Small => f.write_str("small profile"),
            Origin::Environment => f.write_str("environment"),
            Origin::Option => f.write_str("command line"),
            Origin::Define => f.write_str("-D"),
            Origin::File { path, line } => write!(f, "{}:{line}", path.display()),
        }
    }
}

/// Something in the configuration that was not taken as it stands; begins with `WARN` when displayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The variable, or the file, that it is about.
    pub name: String,
    /// The text behind `WARN`.
    pub text: String,
    /// Whether a value was not taken as given, which belongs into the error log too; else the name is at fault.
    pub is_about_value: bool,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WARN {}", self.text)
    }
}

/// Why a driver cannot be configured as it was told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A value for which there is no substitute.
    #[error("{name}={value} ({origin}) {reason}")]
    Refused {
        /// The variable.
        name: &'static str,
        /// What it was set to.
        value: String,
        /// By whom.
        origin: Origin,
        /// Why it cannot be, and what can.
        reason: String,
    },
    /// Values that contradict each other, or a value that an embedder set out of its range.
    #[error("{0}")]
    Invalid(String),
    /// Warnings, with `--strict`.
    #[error("strict: {}", .0.iter().map(|warning| warning.text.as_str()).collect::<Vec<_>>().join("; "))]
    Strict(Vec<Warning>),
    /// A `-D` that is not `name=value`.
    #[error("malformed define: {0}; expected -Dname=value")]
    MalformedDefine(String),
    /// A line of a property file that is neither blank, comment nor `name=value`.
    #[error("{}:{line}: malformed; expected name=value, name:value, or a comment behind # or !", path.display())]
    MalformedLine {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// A property file that cannot be read.
    #[error("cannot read properties from {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
}
