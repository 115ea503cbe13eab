//! Publishes and reads messages through `gannet-core` with no standard library, no C library and no allocator: what an
//! appliance without an operating system does, on a static array.
//!
//! Run by `core/tests/freestanding.rs`; exit status 0 and a last line of `ok` mean that every message came back, in
//! order and unchanged, through several rotations of the log.
#![no_std]
#![no_main]

mod start;

use core::sync::atomic::AtomicU64;

use gannet_core::log::reader::{self, Polled};
use gannet_core::log::{
    AppendError, Cleaner, ConcurrentAppender, ExclusiveAppender, LogBuffers, LogProperties, METADATA_LENGTH,
    PARTITION_COUNT,
};
use gannet_core::sync::AtomicBuffer;
use gannet_core::{Position, SessionId, StreamId, TermId, TermLength};

const TERM: TermLength = TermLength::MIN;
const LOG_LENGTH: usize = PARTITION_COUNT * TERM.as_usize() + METADATA_LENGTH;
/// Enough for the log to rotate a dozen times with the lengths below.
const MESSAGES: u64 = 10_000;

static EXCLUSIVE: [AtomicU64; LOG_LENGTH / 8] = [const { AtomicU64::new(0) }; LOG_LENGTH / 8];
static CONCURRENT: [AtomicU64; LOG_LENGTH / 8] = [const { AtomicU64::new(0) }; LOG_LENGTH / 8];

/// What went wrong, as an exit status.
#[derive(Clone, Copy)]
#[repr(i32)]
enum Wrong {
    Log = 1,
    Append = 2,
    Read = 3,
}

fn run() -> i32 {
    match exclusive().and_then(|()| concurrent()) {
        Ok(()) => {
            start::print("ok\n");
            0
        }
        Err(wrong) => wrong as i32,
    }
}

/// Makes a log in a static array: no file, no driver, connected by hand.
fn log(words: &'static [AtomicU64]) -> Result<LogBuffers<AtomicBuffer<'static>>, Wrong> {
    let properties = LogProperties::ipc(1, SessionId(7), StreamId(10), TermId(i32::MAX), TERM);
    // SAFETY: one thread uses the log, by one appender that it makes once; it cleans what it has read, up to its reader's
    // position, and keeps no slice of a message beyond the handler.
    let log = unsafe { LogBuffers::initialise(&AtomicBuffer::from_words(words), &properties, None) };
    let log = log.map_err(|_| Wrong::Log)?;
    log.metadata().set_is_connected(true);
    Ok(log)
}

/// Message `number`: its number, over and over, of a length that varies from empty to fragmented.
fn message(number: u64, scratch: &mut [u8; 4096]) -> &[u8] {
    let length = (number * 37 % 4096) as usize;
    for chunk in scratch[..length].chunks_mut(8) {
        chunk.copy_from_slice(&number.to_le_bytes()[..chunk.len()]);
    }
    &scratch[..length]
}

/// The subscriber's and the driver's part: reads what is there, checks it, cleans behind it and says how far the
/// publisher may go.
struct Reader {
    log: LogBuffers<AtomicBuffer<'static>>,
    cleaner: Cleaner,
    position: Position,
    number: u64,
    offset: usize,
    intact: bool,
}

impl Reader {
    fn new(log: LogBuffers<AtomicBuffer<'static>>) -> Reader {
        let position = Position(0);
        Reader { log, cleaner: Cleaner::new(position), position, number: 0, offset: 0, intact: true }
    }

    fn limit(&self) -> Position {
        self.position.plus(i64::from(TERM.bytes() / 2))
    }

    fn read(&mut self) -> Result<(), Wrong> {
        let (mut number, mut offset, mut intact) = (self.number, self.offset, self.intact);
        let mut expected = [0; 4096];
        let Polled { position, damaged, .. } = reader::poll(&self.log, self.position, usize::MAX, |payload, header| {
            let message = message(number, &mut expected);
            intact &= message.get(offset..offset + payload.len()) == Some(payload);
            offset += payload.len();
            if header.flags() & gannet_core::log::frame_descriptor::END_FLAG != 0 {
                intact &= offset == message.len();
                (number, offset) = (number + 1, 0);
            }
        });
        (self.position, self.number, self.offset, self.intact) = (position, number, offset, intact);
        while self.cleaner.clean_to(&self.log, self.position) {}
        if damaged || !intact { Err(Wrong::Read) } else { Ok(()) }
    }
}

fn publish_all(
    reader: &mut Reader,
    mut offer: impl FnMut(Position, &[u8]) -> Result<Position, AppendError>,
) -> Result<(), Wrong> {
    let mut scratch = [0; 4096];
    for number in 0..MESSAGES {
        let message = message(number, &mut scratch);
        loop {
            match offer(reader.limit(), message) {
                Ok(_) => break,
                Err(AppendError::AdminAction) => {}
                Err(AppendError::BackPressured) => reader.read()?,
                Err(_) => return Err(Wrong::Append),
            }
        }
    }
    while reader.number < MESSAGES {
        let before = reader.position;
        reader.read()?;
        if reader.position == before {
            return Err(Wrong::Read);
        }
    }
    Ok(())
}

fn exclusive() -> Result<(), Wrong> {
    let log = log(&EXCLUSIVE)?;
    let mut appender = ExclusiveAppender::new(log.clone()).map_err(|_| Wrong::Log)?;
    publish_all(&mut Reader::new(log), |limit, message| appender.offer(limit, message))
}

fn concurrent() -> Result<(), Wrong> {
    let log = log(&CONCURRENT)?;
    let appender = ConcurrentAppender::new(log.clone());
    publish_all(&mut Reader::new(log), |limit, message| appender.offer(limit, message))
}
