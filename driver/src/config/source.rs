//! Where values come from: the environment, then `-D`, then property files. `[any]`
//!
//! Mirrors `aeronmd.c`, where each source writes over the environment: first every `-D`, then every file, both in their
//! order, wherever they stand on the command line; the last one counts, and an empty value from `-D` or a file takes
//! back what was set before. Nothing is written to this process's environment.

use std::collections::BTreeMap;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::properties;
use super::table;
use super::warning::{ConfigError, Origin, Warning};

/// A value and who gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The value as it was written.
    pub value: OsString,
    /// By whom.
    pub origin: Origin,
}

/// What all sources together say, by variable.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    pub(super) values: BTreeMap<String, Given>,
    pub(super) warnings: Vec<Warning>,
}

impl Sources {
    /// Nothing said.
    #[must_use]
    pub fn none() -> Self {
        Sources::default()
    }

    /// The process's environment.
    #[must_use]
    pub fn environment() -> Self {
        Self::from_variables(env::vars_os())
    }

    /// Variables as of an environment.
    #[must_use]
    pub fn from_variables(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let values = variables
            .into_iter()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .filter(|(name, _)| table::is_ours(name))
            .map(|(name, value)| (name, Given { value, origin: Origin::Environment }))
            .collect();
        Sources { values, warnings: Vec::new() }
    }

    /// Takes the value of a `-D`, such as `aeron.dir=/dev/shm/mine`.
    ///
    /// # Errors
    /// When it is no name, `=` or `:`, and value.
    pub fn define(&mut self, define: &OsStr) -> Result<(), ConfigError> {
        let malformed = || ConfigError::MalformedDefine(define.to_string_lossy().into_owned());
        let bytes = define.as_bytes();
        let separator = bytes.iter().position(|byte| matches!(byte, b'=' | b':')).ok_or_else(malformed)?;
        let name = str::from_utf8(&bytes[..separator]).map_err(|_| malformed())?.trim_matches([' ', '\t']);
        let value = bytes[separator + 1..].trim_ascii_start();
        // A backslash at the end would continue in a next line that there is not.
        if name.is_empty() || name.starts_with(['#', '!']) || value.ends_with(b"\\") {
            return Err(malformed());
        }
        self.set(name, OsStr::from_bytes(value), Origin::Define);
        Ok(())
    }

    /// Takes the properties of a file, given by its path or as `file://` and its path. One that does not exist says
    /// nothing, as to the C driver, and is warned of.
    ///
    /// # Errors
    /// When it cannot be read, is given as `http://…`, which is not supported, or has a malformed line.
    pub fn load(&mut self, file: &Path) -> Result<(), ConfigError> {
        let path = match file.as_os_str().as_bytes().strip_prefix(b"file://") {
            Some(path) => Path::new(OsStr::from_bytes(path)),
            None => file,
        };
        let unreadable = |source| ConfigError::Unreadable { path: path.to_path_buf(), source };
        if file.as_os_str().as_bytes().starts_with(b"http://") {
            return Err(unreadable(io::Error::new(
                io::ErrorKind::Unsupported,
                "properties over http are not supported: fetch the file and give its path",
            )));
        }
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.warn_of_file(path, "does not exist: nothing is taken from it");
                return Ok(());
            }
            Err(error) => return Err(unreadable(error)),
        };
        let read = properties::parse(&String::from_utf8_lossy(&bytes))
            .map_err(|line| ConfigError::MalformedLine { path: path.to_path_buf(), line: line.0 })?;
        for property in read.properties {
            let origin = Origin::File { path: path.to_path_buf(), line: property.line };
            self.set(&property.name, OsStr::new(&property.value), origin);
        }
        if let Some(name) = read.unfinished {
            self.warn_of_file(path, &format!("ends within the value of {name}: it is not taken"));
        }
        Ok(())
    }

    fn set(&mut self, property: &str, value: &OsStr, origin: Origin) {
        let name = properties::variable_name(property);
        if value.is_empty() {
            self.values.remove(&name);
        } else if table::is_ours(&name) {
            self.values.insert(name, Given { value: value.to_owned(), origin });
        }
    }

    fn warn_of_file(&mut self, path: &Path, what: &str) {
        let name = path.display().to_string();
        self.warnings.push(Warning { text: format!("{name} {what}"), name, is_about_value: false });
    }
}
