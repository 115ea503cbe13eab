//! One role of a bench, over Aeron's C client.

use clap::Parser;
use gannet_benches::client::Failure;
use gannet_benches::official::Official;
use gannet_benches::roles::{self, Arguments};

fn main() -> Result<(), Failure> {
    roles::run::<Official>(&Arguments::parse())
}
