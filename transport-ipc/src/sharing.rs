//! Who besides its owner may use a driver's directory. `[any]`
//!
//! The official driver creates directory and files with mode 0777 and 0666 less the umask. Here nobody else gets in
//! unless the operator says so.

use std::fmt;
use std::str::FromStr;

/// Who may use a directory and the files in it.
///
/// Every client maps the CnC file and the log buffers for reading **and writing**: it can corrupt the stream of every
/// other client, and a hostile one can stop the driver. Widening therefore makes all members of the group, or all
/// users of the machine, as trusted as the driver itself. What widening never gives away is the directory: only the
/// owner may create, rename or delete in it, since clients have no need to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sharing {
    /// The user of the driver alone: directory 0700, files 0600.
    #[default]
    Owner,
    /// Also the group of the driver: directory 0750, files 0660.
    Group,
    /// Every user of the machine: directory 0755, files 0666.
    World,
}

impl Sharing {
    /// The mode of a directory, whatever the umask.
    #[must_use]
    pub const fn directory_mode(self) -> u32 {
        match self {
            Sharing::Owner => 0o700,
            Sharing::Group => 0o750,
            Sharing::World => 0o755,
        }
    }

    /// The mode of a file, whatever the umask.
    #[must_use]
    pub const fn file_mode(self) -> u32 {
        match self {
            Sharing::Owner => 0o600,
            Sharing::Group => 0o660,
            Sharing::World => 0o666,
        }
    }
}

impl fmt::Display for Sharing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Sharing::Owner => "owner",
            Sharing::Group => "group",
            Sharing::World => "world",
        })
    }
}

/// A word that is none of `owner`, `group` and `world`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is none of owner, group, world")]
pub struct UnknownSharing(pub String);

impl FromStr for Sharing {
    type Err = UnknownSharing;

    fn from_str(text: &str) -> Result<Self, UnknownSharing> {
        [Sharing::Owner, Sharing::Group, Sharing::World]
            .into_iter()
            .find(|sharing| sharing.to_string() == text)
            .ok_or_else(|| UnknownSharing(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_owner_may_ever_write_the_directory() {
        for sharing in [Sharing::Owner, Sharing::Group, Sharing::World] {
            assert_eq!(sharing.directory_mode() & 0o722, 0o700, "{sharing}");
            assert_eq!(sharing.file_mode() & 0o111, 0, "{sharing}");
            assert_eq!(sharing.to_string().parse(), Ok(sharing));
        }
        assert_eq!("0777".parse::<Sharing>(), Err(UnknownSharing("0777".into())));
    }
}
