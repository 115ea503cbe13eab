//! Ctrl-C and SIGTERM as a flag, so that a tool closes its client and removes what it made.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};

use crate::Failure;

/// Whether the user wants the tool to stop.
#[derive(Clone)]
pub(crate) struct Interrupt {
    flag: Arc<AtomicBool>,
    parent: Option<Arc<AtomicBool>>,
}

impl Interrupt {
    /// From now on, a first signal sets the flag and a second one ends the process.
    pub(crate) fn install() -> Result<Interrupt, Failure> {
        let flag = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            signal_hook::flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&flag))?;
            signal_hook::flag::register(signal, Arc::clone(&flag))?;
        }
        Ok(Interrupt { flag, parent: None })
    }

    /// Whether a signal has come, or [`Interrupt::raise`] was called.
    pub(crate) fn is_raised(&self) -> bool {
        // Relaxed: the flags stand for themselves.
        self.flag.load(Ordering::Relaxed) || self.parent.as_ref().is_some_and(|parent| parent.load(Ordering::Relaxed))
    }

    /// For a part of the tool: raised with this one, and by itself when the part is to end.
    pub(crate) fn child(&self) -> Interrupt {
        Interrupt { flag: Arc::default(), parent: Some(Arc::clone(&self.flag)) }
    }

    /// Ends this part of the tool.
    pub(crate) fn raise(&self) {
        // Relaxed: the flag stands for itself.
        self.flag.store(true, Ordering::Relaxed);
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
