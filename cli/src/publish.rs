//! `gannet pub`: publishes a text, the lines of standard input, or numbered and checksummed messages.

use std::io::{self, BufRead};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use clap::Args;

use crate::cnc::DriverDirectory;
use crate::idle::Idle;
use crate::interrupt::Interrupt;
use crate::stream::{Pace, StreamArguments, await_connected, send};
use crate::{Failure, check};

/// How soon a signal is noticed while standard input is silent.
const INTERRUPT_POLL: Duration = Duration::from_millis(50);
/// Lines read ahead of those published.
const LINES_AHEAD: usize = 256;

/// Publish messages: a text, the lines of standard input, or numbered and checksummed ones
#[derive(Args)]
#[command(after_help = "Waits for a subscriber first, and for the slowest one always.

Examples:
  gannet pub --message hello
  tail -f prices.csv | gannet pub --stream 7
  gannet pub --numbered 1000000 --length 256    and `gannet sub --verify` on the other side
  gannet pub --numbered 600 --rate 10")]
pub(crate) struct Arguments {
    #[command(flatten)]
    driver: DriverDirectory,
    #[command(flatten)]
    stream: StreamArguments,
    /// Publish this text instead of standard input
    #[arg(long, short, value_name = "TEXT", conflicts_with = "numbered")]
    message: Option<String>,
    /// Publish this many messages with numbers and checksums
    #[arg(long, short, value_name = "COUNT")]
    numbered: Option<u64>,
    /// Length of a numbered message in bytes
    #[arg(long, short, default_value_t = 32, value_name = "BYTES", requires = "numbered",
        value_parser = clap::value_parser!(u64).range(check::MIN_LENGTH as u64..=16 * 1024 * 1024))]
    length: u64,
    /// Messages per second [default: as fast as the subscribers read]
    #[arg(long, short, value_name = "RATE", value_parser = rate)]
    rate: Option<f64>,
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if (1e-3..=1e9).contains(&rate) => Ok(rate),
        _ => Err("is not a number of messages per second from 0.001 to 1e9".to_owned()),
    }
}

/// Publishes, once there is a subscriber.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let interrupt = Interrupt::install()?;
    let aeron = arguments.driver.connect("gannet pub")?;
    let mut publication = aeron.add_exclusive_publication(&arguments.stream.channel, arguments.stream.stream)?;
    await_connected(&publication, &interrupt)?;
    let (mut pace, mut idle) = (Pace::new(arguments.rate), Idle::patient());
    let mut publish = |message: &[u8]| -> Result<(), Failure> {
        pace.wait(&interrupt)?;
        Ok(send(&mut publication, message, &mut idle, &interrupt)?)
    };
    if let Some(text) = &arguments.message {
        return publish(text.as_bytes());
    }
    if let Some(count) = arguments.numbered {
        let mut message = vec![0; usize::try_from(arguments.length)?];
        for number in 0..count {
            interrupt.check()?;
            check::write(number, &mut message);
            publish(&message)?;
        }
        return Ok(());
    }
    publish_lines(&interrupt, publish)
}

/// Publishes each line of standard input, without its end. A thread of its own reads, so that a signal is noticed
/// while nothing comes.
fn publish_lines(interrupt: &Interrupt, mut publish: impl FnMut(&[u8]) -> Result<(), Failure>) -> Result<(), Failure> {
    let (sender, lines) = sync_channel(LINES_AHEAD);
    thread::spawn(move || {
        for line in io::stdin().lock().split(b'\n') {
            let ends = line.is_err();
            if sender.send(line).is_err() || ends {
                return;
            }
        }
    });
    loop {
        interrupt.check()?;
        match lines.recv_timeout(INTERRUPT_POLL) {
            Ok(line) => publish(&line?)?,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_sensible_number() {
        assert_eq!(rate("2.5"), Ok(2.5));
        for text in ["0", "-1", "nan", "inf", "2e9", "x", ""] {
            assert!(rate(text).is_err(), "{text}");
        }
    }
}
