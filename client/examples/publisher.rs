//! Publishes a greeting each second: `cargo run --release -p gannet --example publisher [channel] [stream]`.
//!
//! Start a driver (`gannetd`) and the `subscriber` example beside it.

use std::error::Error;
use std::thread::sleep;
use std::time::Duration;

use gannet::{Aeron, Context, OfferError};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let channel = arguments.next().unwrap_or_else(|| "aeron:ipc".to_owned());
    let stream_id: i32 = arguments.next().map_or(Ok(1001), |text| text.parse())?;

    let aeron = Aeron::connect(Context::new().client_name("publisher example"))?;
    let publication = aeron.add_publication(&channel, stream_id)?;

    for number in 1.. {
        let message = format!("hello {number}");
        match publication.offer(message.as_bytes()) {
            Ok(position) => println!("published `{message}`, now at {position}"),
            Err(OfferError::NotConnected) => println!("nobody listens on {channel}, stream {stream_id}"),
            Err(OfferError::BackPressured) => println!("{}", publication.why()),
            Err(error) if error.is_retryable() => continue,
            Err(error) => return Err(error.into()),
        }
        sleep(Duration::from_secs(1));
    }
    Ok(())
}
