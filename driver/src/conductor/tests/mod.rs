//! The conductor over a real CnC file: commands go in through the ring, answers come out of the broadcast buffer, and
//! time is what the test says.

mod blocked;
mod clients;
mod counters;
mod errors;
mod harness;
mod hostile;
mod images;
mod life;
mod limits;
mod publications;
mod reservations;
mod sharing;
mod subscriptions;
mod untethered;

use harness::{Harness, Heard};
