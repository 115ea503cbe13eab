//! One role of a bench, over our client.

use clap::Parser;
use gannet_benches::client::Failure;
use gannet_benches::gannet::Gannet;
use gannet_benches::roles::{self, Arguments};

fn main() -> Result<(), Failure> {
    roles::run::<Gannet>(&Arguments::parse())
}
