//! The two sides, as a client and a driver each: whose programs run in a round.

use crate::client::Failure;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Whose program it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maker {
    /// Gannet.
    Ours,
    /// Aeron's C client or driver.
    Official,
}

impl fmt::Display for Maker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Maker::Ours => "gannet",
            Maker::Official => "official",
        })
    }
}

/// A client on a driver; written `gannet`, `official`, `gannet-on-official` or `official-on-gannet`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Side {
    /// Whose client the roles use.
    pub client: Maker,
    /// Whose driver serves them.
    pub driver: Maker,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.client == self.driver { self.client.fmt(f) } else { write!(f, "{}-on-{}", self.client, self.driver) }
    }
}

impl FromStr for Side {
    type Err = String;

    fn from_str(name: &str) -> Result<Side, String> {
        let maker = |name: &str| match name {
            "gannet" => Ok(Maker::Ours),
            "official" => Ok(Maker::Official),
            other => Err(format!("{other} is neither gannet nor official")),
        };
        let (client, driver) = name.split_once("-on-").unwrap_or((name, name));
        Ok(Side { client: maker(client)?, driver: maker(driver)? })
    }
}

/// Where the programs are: beside the running one, all built by `cargo build --release`.
#[derive(Clone, Debug)]
pub struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// The folder of the running program.
    ///
    /// # Errors
    /// When the system does not tell it.
    pub fn beside_this() -> Result<Programs, Failure> {
        let this = std::env::current_exe()?;
        let folder = this.parent().map(Path::to_path_buf).ok_or("the program stands in no folder")?;
        Ok(Programs { folder })
    }

    /// The client program of a maker.
    ///
    /// # Errors
    /// When it is not built.
    pub fn client(&self, maker: Maker) -> Result<PathBuf, Failure> {
        self.find(match maker {
            Maker::Ours => "bench-gannet-client",
            Maker::Official => "bench-official-client",
        })
    }

    /// The driver program of a maker.
    ///
    /// # Errors
    /// When it is not built.
    pub fn driver(&self, maker: Maker) -> Result<PathBuf, Failure> {
        self.find(match maker {
            Maker::Ours => "gannetd",
            Maker::Official => "bench-official-driver",
        })
    }

    fn find(&self, name: &str) -> Result<PathBuf, Failure> {
        let program = self.folder.join(name);
        if program.is_file() {
            Ok(program)
        } else {
            Err(format!("{} is not built: cargo build --release -p gannet-driver -p gannet-benches", program.display())
                .into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_side_reads_back_as_it_is_written() {
        for name in ["gannet", "official", "gannet-on-official", "official-on-gannet"] {
            assert_eq!(name.parse::<Side>().unwrap().to_string(), name);
        }
        assert!("aeron".parse::<Side>().is_err());
    }
}
