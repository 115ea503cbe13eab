//! What the tests of this folder share: a log in plain words.

use std::vec;
use std::vec::Vec;

use super::descriptor::METADATA_LENGTH;
use super::{LogBuffers, LogProperties, PARTITION_COUNT, frame_descriptor};
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
        LogBuffers::initialise(&self.buffer(), properties, None).unwrap()
    }
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
