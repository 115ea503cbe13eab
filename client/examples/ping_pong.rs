//! Measures round trips between two threads: `cargo run --release -p gannet --example ping_pong`.
//!
//! Start a driver (`gannetd`) beside it.

use std::error::Error;
use std::thread;
use std::time::{Duration, Instant};

use gannet::{Aeron, Context, ExclusivePublication, RegistrationError, Subscription};

const CHANNEL: &str = "aeron:ipc?term-length=64k";
const PING: i32 = 1002;
const PONG: i32 = 1003;
const WARM_UP: usize = 10_000;
const ROUND_TRIPS: usize = 100_000;

fn main() -> Result<(), Box<dyn Error>> {
    let aeron = Aeron::connect(Context::new().client_name("ping-pong example"))?;
    let (mut pings, mut pongs) = stream_pair(&aeron, PING, PONG)?;
    let (mut answers, mut questions) = stream_pair(&aeron, PONG, PING)?;

    let pong = thread::spawn(move || {
        for _ in 0..WARM_UP + ROUND_TRIPS {
            let mut number = [0; 8];
            receive(&mut questions, &mut number);
            send(&mut answers, number);
        }
    });

    let mut times = Vec::with_capacity(ROUND_TRIPS);
    for number in 0..(WARM_UP + ROUND_TRIPS) as u64 {
        let start = Instant::now();
        send(&mut pings, number.to_le_bytes());
        let mut answer = [0; 8];
        receive(&mut pongs, &mut answer);
        assert_eq!(u64::from_le_bytes(answer), number, "an answer to another question");
        if number >= WARM_UP as u64 {
            times.push(start.elapsed());
        }
    }
    if pong.join().is_err() {
        return Err("the other thread panicked".into());
    }

    times.sort_unstable();
    for (name, share) in [("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999)] {
        let index = (share * ROUND_TRIPS as f64) as usize;
        println!("{name:>6} {:?}", times[index]);
    }
    println!("   max {:?}", times.last().copied().unwrap_or(Duration::ZERO));
    Ok(())
}

/// A publication of one stream and a subscription to another.
fn stream_pair(aeron: &Aeron, out: i32, back: i32) -> Result<(ExclusivePublication, Subscription), RegistrationError> {
    Ok((aeron.add_exclusive_publication(CHANNEL, out)?, aeron.add_subscription(CHANNEL, back)?))
}

fn send(publication: &mut ExclusivePublication, number: [u8; 8]) {
    loop {
        match publication.try_claim(number.len()) {
            Ok(mut claim) => {
                claim.data_mut().copy_from_slice(&number);
                return match claim.commit() {
                    Ok(_) => (),
                    Err(lost) => panic!("cannot publish: {lost}"),
                };
            }
            Err(error) if error.is_retryable() => std::hint::spin_loop(),
            Err(error) => panic!("cannot publish: {error}"),
        }
    }
}

fn receive(subscription: &mut Subscription, number: &mut [u8; 8]) {
    while subscription.poll(1, |payload, _| number.copy_from_slice(payload)) == 0 {
        assert!(!subscription.is_closed(), "the client is closed");
        std::hint::spin_loop();
    }
}
