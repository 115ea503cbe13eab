//! Ctrl-C and SIGTERM as a flag, so that a tool closes its client and removes what it made.

use std::fmt;
use std::process;
use std::sync::{Arc, OnceLock};
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::Failure;

/// Set once and never again.
type Flag = Arc<OnceLock<()>>;

/// Whether the user wants the tool to stop.
#[derive(Clone)]
pub(crate) struct Interrupt {
    flag: Flag,
    parent: Option<Flag>,
}

impl Interrupt {
    /// From now on, a first signal sets the flag and a second one ends the process.
    pub(crate) fn install() -> Result<Interrupt, Failure> {
        let mut signals = Signals::new([SIGINT, SIGTERM])?;
        let flag = Flag::default();
        let raised = Arc::clone(&flag);
        thread::Builder::new().name("signals".to_owned()).spawn(move || {
            for signal in signals.forever() {
                if raised.set(()).is_err() {
                    process::exit(128 + signal);
                }
            }
        })?;
        Ok(Interrupt { flag, parent: None })
    }

    /// Whether a signal has come, or [`Interrupt::raise`] was called.
    pub(crate) fn is_raised(&self) -> bool {
        self.flag.get().is_some() || self.parent.as_ref().is_some_and(|parent| parent.get().is_some())
    }

    /// For a part of the tool: raised with this one, and by itself when the part is to end.
    pub(crate) fn child(&self) -> Interrupt {
        Interrupt { flag: Flag::default(), parent: Some(Arc::clone(&self.flag)) }
    }

    /// Ends this part of the tool.
    pub(crate) fn raise(&self) {
        // Set already: it is raised.
        let _ = self.flag.set(());
    }

    /// Fails once a signal has come.
    pub(crate) fn check(&self) -> Result<(), Interrupted> {
        if self.is_raised() { Err(Interrupted) } else { Ok(()) }
    }
}

/// The user stopped the tool before it had done its job.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interrupted;

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}
