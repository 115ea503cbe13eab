//! `gannet sub`: receives messages and prints or verifies them.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, BufWriter, Write};

use clap::{Args, ValueEnum};
use gannet::{FragmentAssembler, Header, SessionId};
use serde::Serialize;

use crate::Failure;
use crate::check::{Checker, Fault};
use crate::cnc::DriverDirectory;
use crate::idle::Idle;
use crate::interrupt::Interrupt;
use crate::stream::StreamArguments;

/// Fragments taken in one poll.
const FRAGMENT_LIMIT: usize = 256;

/// Receive messages and print or verify them
#[derive(Args)]
#[command(after_help = "Examples:
  gannet sub --stream 7
  gannet sub --format json | jq .length
  gannet sub --verify --count 1000000           of `gannet pub --numbered 1000000`")]
pub(crate) struct Arguments {
    #[command(flatten)]
    driver: DriverDirectory,
    #[command(flatten)]
    stream: StreamArguments,
    /// How a message is printed
    #[arg(long, short, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// End after this many messages [default: when interrupted]
    #[arg(long, short = 'n', value_name = "COUNT")]
    count: Option<u64>,
    /// Verify the numbers and checksums of `gannet pub --numbered`, those of each publisher by themselves, instead of
    /// printing
    #[arg(long, conflicts_with = "format")]
    verify: bool,
}

/// How a message is printed.
#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// The message as it came, a line each
    Text,
    /// A line of hexadecimal digits each
    Hex,
    /// A line of JSON each, with session, stream, position and length; a message that is not UTF-8 as `payload_hex`
    Json,
}

#[derive(Serialize)]
struct Record<'a> {
    session_id: i32,
    stream_id: i32,
    position: i64,
    length: usize,
    reserved_value: i64,
    #[serde(flatten)]
    payload: Payload<'a>,
}

/// A message's bytes, none lost.
#[derive(Serialize)]
enum Payload<'a> {
    #[serde(rename = "payload")]
    Text(&'a str),
    #[serde(rename = "payload_hex")]
    Hex(String),
}

impl<'a> Payload<'a> {
    fn of(message: &'a [u8]) -> Payload<'a> {
        match std::str::from_utf8(message) {
            Ok(text) => Payload::Text(text),
            Err(_) => Payload::Hex(message.iter().fold(String::new(), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}"); // a String takes everything
                hex
            })),
        }
    }
}

/// A fault, and whose.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("session {session_id}: {fault}")]
struct SessionFault {
    session_id: SessionId,
    fault: Fault,
}

/// Verifies what each session sends by itself: every publisher counts from 0.
#[derive(Default)]
struct Checkers(HashMap<SessionId, Checker>);

impl Checkers {
    fn check(&mut self, message: &[u8], session_id: SessionId) -> Result<(), SessionFault> {
        let checker = self.0.entry(session_id).or_default();
        checker.check(message).map_err(|fault| SessionFault { session_id, fault })
    }
}

fn print(out: &mut impl Write, format: Format, message: &[u8], header: Header<'_>) -> io::Result<()> {
    match format {
        Format::Text => out.write_all(message)?,
        Format::Hex => {
            for byte in message {
                write!(out, "{byte:02x}")?;
            }
        }
        Format::Json => serde_json::to_writer(
            &mut *out,
            &Record {
                session_id: header.session_id().0,
                stream_id: header.stream_id().0,
                position: header.position().0,
                length: message.len(),
                reserved_value: header.reserved_value(),
                payload: Payload::of(message),
            },
        )?,
    }
    out.write_all(b"\n")
}

/// Receives until the count is reached, a fault is found or a signal comes.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let interrupt = Interrupt::install()?;
    let aeron = arguments.driver.connect("gannet sub")?;
    let mut subscription = aeron.add_subscription(&arguments.stream.channel, arguments.stream.stream)?;
    let mut output = Output {
        out: BufWriter::new(io::stdout().lock()),
        format: arguments.format,
        checkers: arguments.verify.then(Checkers::default),
        received: 0,
        wanted: arguments.count.unwrap_or(u64::MAX),
        failure: None,
    };
    let (mut assembler, mut idle) = (FragmentAssembler::new(), Idle::patient());
    while !output.is_done() && !interrupt.is_raised() {
        if aeron.is_closed() {
            output.out.flush()?;
            return Err(aeron.closed().map_or_else(|| "the client is closed".into(), Into::into));
        }
        let fragments =
            subscription.poll(FRAGMENT_LIMIT, assembler.assemble(|message, header| output.take(message, header)));
        if fragments == 0 {
            // Whoever reads along sees all that has come.
            output.out.flush()?;
        }
        idle.idle(fragments);
    }
    let is_interrupted = !output.is_done();
    output.finish()?;
    // Without a count the signal is the way to end it; with one, not all has come that was asked for.
    if is_interrupted && arguments.count.is_some() {
        interrupt.check()?;
    }
    Ok(())
}

/// Where messages go, and what has become of them.
struct Output<W> {
    out: W,
    format: Format,
    checkers: Option<Checkers>,
    received: u64,
    wanted: u64,
    failure: Option<Failure>,
}

impl<W: Write> Output<W> {
    fn is_done(&self) -> bool {
        self.failure.is_some() || self.received == self.wanted
    }

    fn take(&mut self, message: &[u8], header: Header<'_>) {
        if self.is_done() {
            return;
        }
        let result: Result<(), Failure> = match &mut self.checkers {
            Some(checkers) => checkers.check(message, header.session_id()).map_err(Into::into),
            None => print(&mut self.out, self.format, message, header).map_err(Into::into),
        };
        match result {
            Ok(()) => self.received += 1,
            Err(failure) => self.failure = Some(failure),
        }
    }

    fn finish(mut self) -> Result<(), Failure> {
        self.out.flush()?;
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        if self.checkers.is_some() {
            writeln!(self.out, "{} messages, complete, in order and unchanged", self.received)?;
            self.out.flush()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check;

    #[test]
    fn every_session_counts_by_itself() {
        let (one, two) = (SessionId(1), SessionId(-2));
        let message = |number| {
            let mut message = [0; 16];
            check::write(number, &mut message);
            message
        };
        let mut checkers = Checkers::default();
        for (number, session_id) in [(0, one), (0, two), (1, two), (1, one)] {
            assert_eq!(checkers.check(&message(number), session_id), Ok(()));
        }
        let error = checkers.check(&message(3), two).map_err(|error| error.to_string());
        assert_eq!(error, Err("session -2: messages 2 to 2 were lost".to_owned()));
    }

    #[test]
    fn json_keeps_every_byte() {
        let json = |message: &[u8]| serde_json::to_string(&Payload::of(message)).unwrap_or_default();
        assert_eq!(json("ü\n".as_bytes()), r#"{"payload":"ü\n"}"#);
        assert_eq!(json(b"\xFF\x00A"), r#"{"payload_hex":"ff0041"}"#);
    }
}
