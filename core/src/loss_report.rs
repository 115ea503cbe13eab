//! The loss report: for each image that lost frames, how often and how much. `[any]`
//!
//! Mirrors `aeron_loss_reporter.h` and `LossReport.java`; cnc.md §6. One writer, any number of readers. As in the error
//! log, and for its reasons, texts are copied by words, atomically, on both sides.
//!
//! ```text
//!    0 observation_count  i64   released last
//!    8 total_bytes_lost   i64
//!   16 first_observation  i64   ms since the epoch
//!   24 last_observation   i64   ms since the epoch
//!   32 session_id         i32
//!   36 stream_id          i32
//!   40 channel_length     i32
//!   44 channel, and at the next multiple of 4: source_length i32, source           entries at multiples of 64
//! ```

use crate::position::align;
use crate::sync::{Memory, Ordering};
use crate::{SessionId, StreamId};

const COUNT_OFFSET: usize = 0;
const BYTES_OFFSET: usize = 8;
const FIRST_OFFSET: usize = 16;
const LAST_OFFSET: usize = 24;
const SESSION_OFFSET: usize = 32;
const STREAM_OFFSET: usize = 36;
const CHANNEL_LENGTH_OFFSET: usize = 40;
const CHANNEL_OFFSET: usize = 44;
/// Entries begin at multiples of this.
pub const ALIGNMENT: usize = 64;

/// The entry of one image, to be counted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LossEntry(usize);

/// The writer of a loss report.
#[derive(Debug)]
pub struct LossReport<M> {
    memory: M,
    next: usize,
}

impl<M: Memory> LossReport<M> {
    /// Starts over zeroed memory.
    #[must_use]
    pub fn new(memory: M) -> Self {
        LossReport { memory, next: 0 }
    }

    /// Adds the entry of an image at its first loss; none when the report is full.
    pub fn create(
        &mut self,
        bytes_lost: i64,
        now_ms: i64,
        session_id: SessionId,
        stream_id: StreamId,
        channel: &[u8],
        source: &[u8],
    ) -> Option<LossEntry> {
        let source_offset = align(CHANNEL_OFFSET + channel.len(), 4);
        let length = source_offset + 4 + source.len();
        let offset = self.next;
        if length > whole_words(&self.memory).saturating_sub(offset) {
            return None;
        }
        let (channel_length, source_length) = (i32::try_from(channel.len()).ok()?, i32::try_from(source.len()).ok()?);
        let memory = &self.memory;
        // Relaxed: the count's release shows them.
        memory.store_i64(offset + BYTES_OFFSET, bytes_lost, Ordering::Relaxed);
        memory.store_i64(offset + FIRST_OFFSET, now_ms, Ordering::Relaxed);
        memory.store_i64(offset + LAST_OFFSET, now_ms, Ordering::Relaxed);
        memory.store_i32(offset + SESSION_OFFSET, session_id.0, Ordering::Relaxed);
        memory.store_i32(offset + STREAM_OFFSET, stream_id.0, Ordering::Relaxed);
        memory.store_i32(offset + CHANNEL_LENGTH_OFFSET, channel_length, Ordering::Relaxed);
        memory.write_racing(offset + CHANNEL_OFFSET, channel);
        memory.store_i32(offset + source_offset, source_length, Ordering::Relaxed);
        memory.write_racing(offset + source_offset + 4, source);
        // SYNC: loss_entry. Whoever sees a count sees the entry.
        memory.store_i64(offset + COUNT_OFFSET, 1, Ordering::Release);
        self.next = align(offset + length, ALIGNMENT);
        Some(LossEntry(offset))
    }

    /// Counts a further loss.
    pub fn record(&self, LossEntry(offset): LossEntry, bytes_lost: i64, now_ms: i64) {
        self.memory.fetch_add_i64(offset + BYTES_OFFSET, bytes_lost);
        self.memory.fetch_add_i64(offset + COUNT_OFFSET, 1);
        // Relaxed suffices for a number for people; released as the peer does, for its readers.
        // SYNC: loss_observation.
        self.memory.store_i64(offset + LAST_OFFSET, now_ms, Ordering::Release);
    }
}

/// What a loss report says of one image.
#[derive(Debug)]
pub struct Loss<'a, M> {
    memory: &'a M,
    offset: usize,
    channel_length: usize,
    source_length: usize,
}

impl<M: Memory> Loss<'_, M> {
    /// How many losses.
    #[must_use]
    pub fn observation_count(&self) -> i64 {
        // Relaxed: a number for people.
        self.memory.load_i64(self.offset + COUNT_OFFSET, Ordering::Relaxed)
    }

    /// How many bytes.
    #[must_use]
    pub fn total_bytes_lost(&self) -> i64 {
        // Relaxed: a number for people.
        self.memory.load_i64(self.offset + BYTES_OFFSET, Ordering::Relaxed)
    }

    /// When the first one was seen, in milliseconds since the epoch.
    #[must_use]
    pub fn first_observation_ms(&self) -> i64 {
        // Relaxed: the count's acquire has ordered it.
        self.memory.load_i64(self.offset + FIRST_OFFSET, Ordering::Relaxed)
    }

    /// When the last one was seen, in milliseconds since the epoch.
    #[must_use]
    pub fn last_observation_ms(&self) -> i64 {
        // SYNC: loss_observation.
        self.memory.load_i64(self.offset + LAST_OFFSET, Ordering::Acquire)
    }

    /// Of the image.
    #[must_use]
    pub fn session_id(&self) -> SessionId {
        SessionId(self.memory.load_i32(self.offset + SESSION_OFFSET, Ordering::Relaxed))
    }

    /// Of the image.
    #[must_use]
    pub fn stream_id(&self) -> StreamId {
        StreamId(self.memory.load_i32(self.offset + STREAM_OFFSET, Ordering::Relaxed))
    }

    /// Copies as much of the subscription's channel as `target` holds, and returns that part.
    pub fn channel<'t>(&self, target: &'t mut [u8]) -> &'t [u8] {
        self.copy(CHANNEL_OFFSET, self.channel_length, target)
    }

    /// Copies as much of the source's address as `target` holds, and returns that part.
    pub fn source<'t>(&self, target: &'t mut [u8]) -> &'t [u8] {
        self.copy(align(CHANNEL_OFFSET + self.channel_length, 4) + 4, self.source_length, target)
    }

    fn copy<'t>(&self, from: usize, length: usize, target: &'t mut [u8]) -> &'t [u8] {
        let length = length.min(target.len());
        let target = &mut target[..length];
        self.memory.read_racing(self.offset + from, target);
        target
    }
}

/// The entries of a loss report, its driver's or another's; damaged entries end the list.
pub fn losses<M: Memory>(memory: &M) -> Losses<'_, M> {
    Losses { memory, offset: 0 }
}

/// Iterator of [`losses`].
#[derive(Debug)]
pub struct Losses<'a, M> {
    memory: &'a M,
    offset: usize,
}

impl<'a, M: Memory> Iterator for Losses<'a, M> {
    type Item = Loss<'a, M>;

    fn next(&mut self) -> Option<Loss<'a, M>> {
        let offset = self.offset;
        let left = whole_words(self.memory).saturating_sub(offset);
        // SYNC: loss_entry.
        if left < CHANNEL_OFFSET + 4 || self.memory.load_i64(offset + COUNT_OFFSET, Ordering::Acquire) <= 0 {
            return None;
        }
        // Relaxed: the count's acquire has ordered them.
        let length = |at| usize::try_from(self.memory.load_i32(at, Ordering::Relaxed)).ok();
        let channel_length = length(offset + CHANNEL_LENGTH_OFFSET).filter(|length| *length <= left)?;
        let source_offset = align(CHANNEL_OFFSET + channel_length, 4);
        if source_offset + 4 > left {
            return None;
        }
        let source_length = length(offset + source_offset).filter(|length| *length <= left - source_offset - 4)?;
        self.offset = align(offset + source_offset + 4 + source_length, ALIGNMENT);
        Some(Loss { memory: self.memory, offset, channel_length, source_length })
    }
}

/// The length of the part of a memory that is whole words, in bytes.
fn whole_words<M: Memory>(memory: &M) -> usize {
    memory.len() & !7
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::AtomicBuffer;
    use proptest::prelude::*;
    use std::vec;
    use std::vec::Vec;

    #[test]
    fn losses_of_one_image_add_up_in_its_entry() {
        let mut words = vec![0; 64];
        let memory = AtomicBuffer::from_mut(&mut words);
        let mut report = LossReport::new(memory);
        let first = report.create(1408, 5, SessionId(-7), StreamId(10), b"aeron:udp?endpoint=a:1", b"b:2").unwrap();
        report.create(64, 6, SessionId(8), StreamId(10), b"c", b"").unwrap();
        report.record(first, 32, 9);
        let losses: Vec<_> = losses(&memory).collect();
        assert_eq!(losses.len(), 2);
        assert_eq!((losses[0].observation_count(), losses[0].total_bytes_lost()), (2, 1440));
        assert_eq!((losses[0].first_observation_ms(), losses[0].last_observation_ms()), (5, 9));
        assert_eq!((losses[0].session_id(), losses[0].stream_id()), (SessionId(-7), StreamId(10)));
        assert_eq!(losses[0].channel(&mut [0; 64]), b"aeron:udp?endpoint=a:1");
        assert_eq!(losses[0].source(&mut [0; 64]), b"b:2");
        assert_eq!(losses[1].channel(&mut [0; 64]), b"c");
        assert_eq!(losses[1].source(&mut [0; 64]), b"");
    }

    #[test]
    fn a_full_report_takes_no_more_entries() {
        let mut words = vec![0; 16];
        let memory = AtomicBuffer::from_mut(&mut words);
        let mut report = LossReport::new(memory);
        assert!(report.create(1, 1, SessionId(1), StreamId(1), &[b'c'; 60], b"s").is_some());
        assert_eq!(report.create(1, 1, SessionId(2), StreamId(1), b"c", b"s"), None);
        assert_eq!(losses(&memory).count(), 1);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_to_an_end_within_the_memory(mut words in proptest::collection::vec(prop_oneof![0_u64..64, any::<u64>()], 0..96)) {
            let memory = AtomicBuffer::from_mut(&mut words);
            for loss in losses(&memory) {
                let mut text = vec![0; 1024];
                prop_assert!(loss.channel(&mut text).len() <= memory.len());
                prop_assert!(loss.source(&mut text).len() <= memory.len());
            }
        }
    }
}
