//! Prints every message of a stream: `cargo run --release -p gannet --example subscriber [channel] [stream]`.
//!
//! Start a driver (`gannetd`) and the `publisher` example beside it.

use std::error::Error;
use std::thread::sleep;
use std::time::Duration;

use gannet::{Aeron, Context, FragmentAssembler, SubscriptionHandlers};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let channel = arguments.next().unwrap_or_else(|| "aeron:ipc".to_owned());
    let stream_id: i32 = arguments.next().map_or(Ok(1001), |text| text.parse())?;

    let aeron = Aeron::connect(Context::new().client_name("subscriber example"))?;
    let handlers = SubscriptionHandlers::new()
        .available_image(|image| println!("session {} is here, from {}", image.session_id(), image.source_identity()))
        .unavailable_image(|image| println!("session {} is gone, read to {}", image.session_id(), image.position()));
    let mut subscription = aeron.add_subscription_with(&channel, stream_id, handlers)?;

    let mut assembler = FragmentAssembler::new();
    while !subscription.is_closed() {
        let fragments = subscription.poll(
            10,
            assembler.assemble(|message, header| {
                println!("session {}: {}", header.session_id(), String::from_utf8_lossy(message));
            }),
        );
        if fragments == 0 {
            sleep(Duration::from_millis(1));
        }
    }
    Ok(())
}
