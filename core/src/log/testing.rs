//! What the tests of this folder share: a log in plain words.

use std::vec;
use std::vec::Vec;

use super::descriptor::METADATA_LENGTH;
use super::{LogBuffers, LogError, LogProperties, PARTITION_COUNT, frame_descriptor};
use crate::position::{SessionId, StreamId, TermId, TermLength};
use crate::sync::AtomicBuffer;

pub(crate) const TERM: usize = TermLength::MIN.as_usize();
pub(crate) const LENGTH: usize = PARTITION_COUNT * TERM + METADATA_LENGTH;

pub(crate) fn properties() -> LogProperties {
    LogProperties::ipc(42, SessionId(0x5e55_1011), StreamId(1001), TermId(-3), TermLength::MIN)
}

pub(crate) struct Log(Vec<u64>);

impl Log {
    pub(crate) fn new() -> Self {
        Log(vec![0; LENGTH / 8])
    }

    pub(crate) fn buffer(&mut self) -> AtomicBuffer<'_> {
        AtomicBuffer::from_mut(&mut self.0)
    }

    pub(crate) fn initialised(&mut self, properties: &LogProperties) -> LogBuffers<AtomicBuffer<'_>> {
        initialise(&self.buffer(), properties, None).unwrap()
    }

    pub(crate) fn starting_at(
        &mut self,
        properties: &LogProperties,
        term_id: TermId,
        offset: i32,
    ) -> LogBuffers<AtomicBuffer<'_>> {
        initialise(&self.buffer(), properties, Some((term_id, offset))).unwrap()
    }
}

pub(crate) fn initialise<'a>(
    memory: &AtomicBuffer<'a>,
    properties: &LogProperties,
    start: Option<(TermId, i32)>,
) -> Result<LogBuffers<AtomicBuffer<'a>>, LogError> {
    // SAFETY: a test's memory: one thread has it, and keeps nothing that was lent over a call that writes there.
    unsafe { LogBuffers::initialise(memory, properties, start) }
}

pub(crate) fn open<'a>(memory: &AtomicBuffer<'a>) -> Result<LogBuffers<AtomicBuffer<'a>>, LogError> {
    // SAFETY: as for `initialise`.
    unsafe { LogBuffers::open(memory) }
}

/// A zeroed term of `length` bytes.
pub(crate) fn words(length: usize) -> Vec<u64> {
    vec![0; length / 8]
}

fn framed(offset: usize, frame_type: u16, frame_length: usize) -> Vec<u8> {
    let mut header = frame_descriptor::header(
        frame_descriptor::UNFRAGMENTED,
        frame_type,
        i32::try_from(offset).unwrap(),
        properties().session_id,
        properties().stream_id,
        properties().initial_term_id,
    );
    header[..4].copy_from_slice(&i32::try_from(frame_length).unwrap().to_le_bytes());
    header.to_vec()
}

/// A data frame for `offset` of the initial term with `length` bytes of payload, filled up to a multiple of 32.
pub(crate) fn frame(offset: usize, length: usize, byte: u8) -> Vec<u8> {
    let mut bytes = framed(offset, frame_descriptor::TYPE_DATA, length + 32);
    bytes.resize(length + 32, byte);
    bytes.resize(frame_descriptor::aligned(length + 32), 0);
    bytes
}

/// The header of a frame of padding.
pub(crate) fn padding(offset: usize, frame_length: usize) -> Vec<u8> {
    framed(offset, frame_descriptor::TYPE_PAD, frame_length)
}
