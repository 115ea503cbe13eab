//! The words of a log's metadata, and rotation to the next term. `[any]`
//!
//! Mirrors `aeron_logbuffer_metadata_t` and `aeron_logbuffer_rotate_log`; spec: logbuffer.md §2 and §3.
//!
//! The constant fields are written before the log's path is told to anybody, and the ring buffer or the socket that
//! tells it orders them: relaxed loads suffice. They are loads of words nevertheless, since whoever maps the file may
//! write it; what arithmetic needs of them is cached by [`LogBuffers`](super::LogBuffers).

use super::descriptor::{self, METADATA_LENGTH, PARTITION_COUNT, RawTail};
use super::frame_descriptor::{self, HEADER_LENGTH, TYPE_DATA, UNFRAGMENTED};
use super::properties::{LogProperties, LogType};
use crate::position::{Position, SessionId, StreamId, TermId, TermLength};
use crate::sync::{Memory, Ordering, unchecked};

/// The last page of a log.
#[derive(Clone, Debug)]
pub struct Metadata<M> {
    /// Invariant: exactly [`METADATA_LENGTH`] bytes.
    memory: M,
}

impl<M: Memory> Metadata<M> {
    /// The metadata in the last page of a log of `M`'s length, which is at least that and a multiple of 8.
    pub(super) fn at_end_of(log: &M) -> Self {
        let memory = log.slice(log.len() - METADATA_LENGTH, METADATA_LENGTH);
        assert!(memory.len() == METADATA_LENGTH);
        Metadata { memory }
    }

    /// Writes everything but the tails and the term count.
    pub(super) fn initialise(&self, properties: &LogProperties) {
        self.set_end_of_stream_position(Position(i64::MAX));
        self.set_is_connected(false);
        self.set_active_transport_count(0);
        self.set_i64(descriptor::CORRELATION_ID, properties.correlation_id);
        self.set_i32(descriptor::INITIAL_TERM_ID, properties.initial_term_id.0);
        self.set_i32(descriptor::MTU_LENGTH, properties.mtu_length);
        self.set_i32(descriptor::TERM_LENGTH, properties.term_length.bytes());
        self.set_i32(descriptor::PAGE_SIZE, properties.page_size);
        self.set_i32(descriptor::PUBLICATION_WINDOW_LENGTH, properties.publication_window_length);
        self.set_i32(descriptor::RECEIVER_WINDOW_LENGTH, properties.receiver_window_length);
        self.set_i32(descriptor::SOCKET_SNDBUF_LENGTH, properties.socket_sndbuf_length);
        self.set_i32(descriptor::OS_DEFAULT_SOCKET_SNDBUF_LENGTH, properties.os_default_socket_sndbuf_length);
        self.set_i32(descriptor::OS_MAX_SOCKET_SNDBUF_LENGTH, properties.os_max_socket_sndbuf_length);
        self.set_i32(descriptor::SOCKET_RCVBUF_LENGTH, properties.socket_rcvbuf_length);
        self.set_i32(descriptor::OS_DEFAULT_SOCKET_RCVBUF_LENGTH, properties.os_default_socket_rcvbuf_length);
        self.set_i32(descriptor::OS_MAX_SOCKET_RCVBUF_LENGTH, properties.os_max_socket_rcvbuf_length);
        self.set_i32(descriptor::MAX_RESEND, properties.max_resend);
        self.fill_default_header(properties);
        self.set_i64(descriptor::ENTITY_TAG, properties.entity_tag);
        self.set_i64(descriptor::RESPONSE_CORRELATION_ID, properties.response_correlation_id);
        self.set_i64(descriptor::LINGER_TIMEOUT_NS, properties.linger_timeout_ns);
        self.set_i64(descriptor::UNTETHERED_WINDOW_LIMIT_TIMEOUT_NS, properties.untethered_window_limit_timeout_ns);
        self.set_i64(descriptor::UNTETHERED_RESTING_TIMEOUT_NS, properties.untethered_resting_timeout_ns);
        for (offset, flag) in [
            (descriptor::GROUP, properties.group),
            (descriptor::IS_RESPONSE, properties.is_response),
            (descriptor::REJOIN, properties.rejoin),
            (descriptor::RELIABLE, properties.reliable),
            (descriptor::SPARSE, properties.sparse),
            (descriptor::SIGNAL_EOS, properties.signal_eos),
            (descriptor::SPIES_SIMULATE_CONNECTION, properties.spies_simulate_connection),
            (descriptor::TETHER, properties.tether),
            (descriptor::IS_PUBLICATION_REVOKED, false),
        ] {
            self.memory.store_u8(offset, u8::from(flag), Ordering::Relaxed);
        }
        self.memory.store_u8(descriptor::TYPE, properties.log_type as u8, Ordering::Relaxed);
        for (index, byte) in properties.untethered_linger_timeout_ns.to_le_bytes().into_iter().enumerate() {
            self.memory.store_u8(descriptor::UNTETHERED_LINGER_TIMEOUT_NS + index, byte, Ordering::Relaxed);
        }
    }

    fn fill_default_header(&self, properties: &LogProperties) {
        self.set_i32(descriptor::DEFAULT_FRAME_HEADER_LENGTH, HEADER_LENGTH as i32);
        let header = frame_descriptor::header(
            UNFRAGMENTED,
            TYPE_DATA,
            0,
            properties.session_id,
            properties.stream_id,
            properties.initial_term_id,
        );
        self.memory.write_racing(descriptor::DEFAULT_FRAME_HEADER, &header);
    }

    fn set_i32(&self, offset: usize, value: i32) {
        self.memory.store_i32(offset, value, Ordering::Relaxed);
    }

    fn set_i64(&self, offset: usize, value: i64) {
        self.memory.store_i64(offset, value, Ordering::Relaxed);
    }

    fn i32(&self, offset: usize) -> i32 {
        self.memory.load_i32(offset, Ordering::Relaxed)
    }

    fn i64(&self, offset: usize) -> i64 {
        self.memory.load_i64(offset, Ordering::Relaxed)
    }

    fn flag(&self, offset: usize) -> bool {
        self.memory.load_u8(offset, Ordering::Relaxed) != 0
    }

    // SYNC: tail. A tail's value is all that its release makes visible: what was claimed shows by each frame's length.
    // The driver reads it for the producer's position (foreign: aeron_ipc_publication.c, aeron_network_publication.c).

    /// The tail of a partition, less than 3.
    ///
    /// # Panics
    /// When there is no such partition.
    #[must_use]
    #[inline]
    pub fn raw_tail_acquire(&self, partition: usize) -> RawTail {
        let offset = tail_offset(partition);
        // SAFETY: a multiple of 8 within the metadata, whose length is the type's invariant.
        RawTail(unsafe { unchecked::load_i64(&self.memory, offset, Ordering::Acquire) })
    }

    /// Sets the tail of a partition, less than 3: for whom it is theirs alone.
    ///
    /// # Panics
    /// When there is no such partition.
    #[inline]
    pub fn set_raw_tail_release(&self, partition: usize, tail: RawTail) {
        let offset = tail_offset(partition);
        // SAFETY: as for `raw_tail_acquire`.
        unsafe { unchecked::store_i64(&self.memory, offset, tail.0, Ordering::Release) };
    }

    /// As `set_raw_tail_release`.
    ///
    /// # Safety
    /// The partition is less than 3.
    #[inline]
    pub(super) unsafe fn set_raw_tail_release_unchecked(&self, partition: usize, tail: RawTail) {
        debug_assert!(partition < PARTITION_COUNT);
        let offset = descriptor::TERM_TAIL_COUNTERS + partition * 8;
        // SAFETY: by the caller's contract a multiple of 8 within the metadata.
        unsafe { unchecked::store_i64(&self.memory, offset, tail.0, Ordering::Release) };
    }

    /// Replaces the tail of a partition if it is `expected`; whether it was.
    ///
    /// # Panics
    /// When there is no such partition.
    #[inline]
    pub fn cas_raw_tail(&self, partition: usize, expected: RawTail, update: RawTail) -> bool {
        self.memory.compare_exchange_i64(tail_offset(partition), expected.0, update.0)
    }

    /// Moves the tail of a partition on by `length` bytes and returns what it was: the claim of a concurrent publisher.
    ///
    /// # Panics
    /// When there is no such partition.
    #[inline]
    pub fn fetch_add_raw_tail(&self, partition: usize, length: usize) -> RawTail {
        let offset = tail_offset(partition);
        // SAFETY: as for `raw_tail_acquire`.
        RawTail(unsafe { unchecked::fetch_add_i64(&self.memory, offset, length as i64) })
    }

    // SYNC: rotation. Whoever sees a term count sees the tail of its term as it was when the term began.

    /// How many terms were begun before the active one.
    #[must_use]
    #[inline]
    pub fn active_term_count_acquire(&self) -> i32 {
        // SAFETY: a multiple of 4 within the metadata, whose length is the type's invariant.
        unsafe { unchecked::load_i32(&self.memory, descriptor::ACTIVE_TERM_COUNT, Ordering::Acquire) }
    }

    /// Sets the term count: for an exclusive publisher.
    #[inline]
    pub fn set_active_term_count_release(&self, count: i32) {
        self.memory.store_i32(descriptor::ACTIVE_TERM_COUNT, count, Ordering::Release);
    }

    /// Replaces the term count if it is `expected`; whether it was.
    #[inline]
    pub fn cas_active_term_count(&self, expected: i32, update: i32) -> bool {
        self.memory.compare_exchange_i32(descriptor::ACTIVE_TERM_COUNT, expected, update)
    }

    /// Makes the term after `current` (the one of `current_count`) the active one, unless somebody did already. Any
    /// number of publishers and the driver may do so at once; whether it was this call that moved the count.
    #[cold]
    pub fn rotate_log(&self, current_count: i32, current: TermId) -> bool {
        let next = current.plus(1);
        let next_count = current_count.wrapping_add(1);
        let next_partition = partition_of_count(next_count);
        let expected = next.plus(-(PARTITION_COUNT as i32));
        loop {
            let tail = self.raw_tail_acquire(next_partition);
            if tail.term_id() != expected || self.cas_raw_tail(next_partition, tail, RawTail::new(next, 0)) {
                break;
            }
        }
        self.cas_active_term_count(current_count, next_count)
    }

    /// Sets the tails and the term count so that `offset` in `term` is the first position.
    pub(super) fn initialise_tails(&self, initial: TermId, term: TermId, offset: i32) {
        let count = term.count_since(initial);
        self.set_raw_tail_release(partition_of_count(count), RawTail::new(term, offset));
        for after in 1..PARTITION_COUNT as i32 {
            let previous = term.plus(after - PARTITION_COUNT as i32);
            self.set_raw_tail_release(partition_of_count(count.wrapping_add(after)), RawTail::new(previous, 0));
        }
        self.set_active_term_count_release(count);
    }

    // SYNC: end of stream. The position is all that is made visible.

    /// Where the stream ends; `i64::MAX` until that is known.
    #[must_use]
    #[inline]
    pub fn end_of_stream_position(&self) -> Position {
        Position(self.memory.load_i64(descriptor::END_OF_STREAM_POSITION, Ordering::Acquire))
    }

    /// Says where the stream ends.
    pub fn set_end_of_stream_position(&self, position: Position) {
        self.memory.store_i64(descriptor::END_OF_STREAM_POSITION, position.0, Ordering::Release);
    }

    // SYNC: connected. The flag is all that is made visible.

    /// Whether a publication has a subscriber.
    #[must_use]
    #[inline]
    pub fn is_connected(&self) -> bool {
        self.memory.load_i32(descriptor::IS_CONNECTED, Ordering::Acquire) == 1
    }

    /// Says whether a publication has a subscriber.
    pub fn set_is_connected(&self, connected: bool) {
        self.memory.store_i32(descriptor::IS_CONNECTED, i32::from(connected), Ordering::Release);
    }

    /// From how many transports an image receives.
    #[must_use]
    #[inline]
    pub fn active_transport_count(&self) -> i32 {
        self.memory.load_i32(descriptor::ACTIVE_TRANSPORT_COUNT, Ordering::Acquire)
    }

    /// Says from how many transports an image receives.
    pub fn set_active_transport_count(&self, count: i32) {
        self.memory.store_i32(descriptor::ACTIVE_TRANSPORT_COUNT, count, Ordering::Release);
    }

    // SYNC: revoked. The flag is all that is made visible.

    /// Whether the publisher took back what was not consumed.
    #[must_use]
    #[inline]
    pub fn is_publication_revoked(&self) -> bool {
        self.memory.load_u8(descriptor::IS_PUBLICATION_REVOKED, Ordering::Acquire) != 0
    }

    /// Says that the publisher takes back what was not consumed.
    pub fn set_is_publication_revoked(&self) {
        self.memory.store_u8(descriptor::IS_PUBLICATION_REVOKED, 1, Ordering::Release);
    }

    /// The registration id of the log.
    #[must_use]
    pub fn correlation_id(&self) -> i64 {
        self.i64(descriptor::CORRELATION_ID)
    }

    /// Who writes the log; `None` for a type that this version does not know.
    #[must_use]
    pub fn log_type(&self) -> Option<LogType> {
        LogType::from_byte(self.memory.load_u8(descriptor::TYPE, Ordering::Relaxed))
    }

    pub(super) fn initial_term_id(&self) -> TermId {
        TermId(self.i32(descriptor::INITIAL_TERM_ID))
    }

    pub(super) fn mtu_length(&self) -> i32 {
        self.i32(descriptor::MTU_LENGTH)
    }

    pub(super) fn term_length(&self) -> i32 {
        self.i32(descriptor::TERM_LENGTH)
    }

    pub(super) fn page_size(&self) -> i32 {
        self.i32(descriptor::PAGE_SIZE)
    }

    pub(super) fn session_id(&self) -> SessionId {
        SessionId(self.i32(descriptor::DEFAULT_FRAME_HEADER + frame_descriptor::SESSION_ID))
    }

    pub(super) fn stream_id(&self) -> StreamId {
        StreamId(self.i32(descriptor::DEFAULT_FRAME_HEADER + frame_descriptor::STREAM_ID))
    }

    /// All that the driver stated, as it stands in the memory now; what a log caches is passed in.
    pub(super) fn properties(&self, term_length: TermLength, log_type: LogType) -> LogProperties {
        let mut linger = [0; 8];
        for (index, byte) in linger.iter_mut().enumerate() {
            *byte = self.memory.load_u8(descriptor::UNTETHERED_LINGER_TIMEOUT_NS + index, Ordering::Relaxed);
        }
        LogProperties {
            correlation_id: self.correlation_id(),
            session_id: self.session_id(),
            stream_id: self.stream_id(),
            initial_term_id: self.initial_term_id(),
            mtu_length: self.mtu_length(),
            term_length,
            page_size: self.page_size(),
            publication_window_length: self.i32(descriptor::PUBLICATION_WINDOW_LENGTH),
            receiver_window_length: self.i32(descriptor::RECEIVER_WINDOW_LENGTH),
            socket_sndbuf_length: self.i32(descriptor::SOCKET_SNDBUF_LENGTH),
            os_default_socket_sndbuf_length: self.i32(descriptor::OS_DEFAULT_SOCKET_SNDBUF_LENGTH),
            os_max_socket_sndbuf_length: self.i32(descriptor::OS_MAX_SOCKET_SNDBUF_LENGTH),
            socket_rcvbuf_length: self.i32(descriptor::SOCKET_RCVBUF_LENGTH),
            os_default_socket_rcvbuf_length: self.i32(descriptor::OS_DEFAULT_SOCKET_RCVBUF_LENGTH),
            os_max_socket_rcvbuf_length: self.i32(descriptor::OS_MAX_SOCKET_RCVBUF_LENGTH),
            max_resend: self.i32(descriptor::MAX_RESEND),
            entity_tag: self.i64(descriptor::ENTITY_TAG),
            response_correlation_id: self.i64(descriptor::RESPONSE_CORRELATION_ID),
            linger_timeout_ns: self.i64(descriptor::LINGER_TIMEOUT_NS),
            untethered_window_limit_timeout_ns: self.i64(descriptor::UNTETHERED_WINDOW_LIMIT_TIMEOUT_NS),
            untethered_linger_timeout_ns: i64::from_le_bytes(linger),
            untethered_resting_timeout_ns: self.i64(descriptor::UNTETHERED_RESTING_TIMEOUT_NS),
            group: self.flag(descriptor::GROUP),
            is_response: self.flag(descriptor::IS_RESPONSE),
            rejoin: self.flag(descriptor::REJOIN),
            reliable: self.flag(descriptor::RELIABLE),
            sparse: self.flag(descriptor::SPARSE),
            signal_eos: self.flag(descriptor::SIGNAL_EOS),
            spies_simulate_connection: self.flag(descriptor::SPIES_SIMULATE_CONNECTION),
            tether: self.flag(descriptor::TETHER),
            log_type,
        }
    }
}

#[inline]
fn tail_offset(partition: usize) -> usize {
    assert!(partition < PARTITION_COUNT, "no such partition");
    descriptor::TERM_TAIL_COUNTERS + partition * 8
}

/// The partition of the term of a count. Counts are never negative but in a damaged file, where any partition does.
#[inline]
pub(super) fn partition_of_count(count: i32) -> usize {
    (count as u32 % PARTITION_COUNT as u32) as usize
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Log, properties};
    use super::*;

    #[test]
    fn the_properties_of_a_log_are_read_back() {
        let stated = LogProperties {
            mtu_length: 4096,
            publication_window_length: 1,
            receiver_window_length: 2,
            socket_sndbuf_length: 3,
            os_default_socket_sndbuf_length: 4,
            os_max_socket_sndbuf_length: 5,
            socket_rcvbuf_length: 6,
            os_default_socket_rcvbuf_length: 7,
            os_max_socket_rcvbuf_length: 8,
            max_resend: 9,
            entity_tag: 10,
            response_correlation_id: 11,
            linger_timeout_ns: 12,
            untethered_window_limit_timeout_ns: 13,
            untethered_linger_timeout_ns: 0x0102_0304_0506_0708,
            untethered_resting_timeout_ns: 15,
            group: true,
            reliable: true,
            tether: true,
            log_type: LogType::Image,
            ..properties()
        };
        let mut log = Log::new();
        assert_eq!(log.initialised(&stated).properties(), Some(stated));
    }

    #[test]
    fn rotation_moves_the_count_once_whoever_calls_it() {
        let mut memory = Log::new();
        let log = memory.initialised(&properties());
        let (metadata, initial) = (log.metadata(), log.initial_term_id());
        metadata.fetch_add_raw_tail(0, 65_568);
        assert!(metadata.rotate_log(0, initial));
        metadata.fetch_add_raw_tail(1, 64);
        assert!(!metadata.rotate_log(0, initial));
        assert_eq!(metadata.active_term_count_acquire(), 1);
        assert_eq!(metadata.raw_tail_acquire(1), RawTail::new(initial.plus(1), 64));
        assert_eq!(metadata.raw_tail_acquire(0).term_id(), initial);
    }

    #[test]
    fn a_rotation_that_comes_late_leaves_the_count_and_the_tails_alone() {
        let mut memory = Log::new();
        let log = memory.initialised(&properties());
        let (metadata, initial) = (log.metadata(), log.initial_term_id());
        for count in 0..4 {
            assert!(metadata.rotate_log(count, initial.plus(count)));
        }
        let tails = [0, 1, 2].map(|partition| metadata.raw_tail_acquire(partition));
        for late in 0..4 {
            // A publisher whose claim crossed the end of this term, and that slept while others went on.
            assert!(!metadata.rotate_log(late, initial.plus(late)));
            assert_eq!(metadata.active_term_count_acquire(), 4);
            assert_eq!([0, 1, 2].map(|partition| metadata.raw_tail_acquire(partition)), tails);
        }
    }

    #[test]
    fn rotation_goes_round_all_partitions_and_over_the_wrap_of_term_ids() {
        let mut memory = Log::new();
        let initial = TermId(i32::MAX - 2);
        let log = memory.initialised(&LogProperties { initial_term_id: initial, ..properties() });
        for count in 0..7 {
            assert!(log.metadata().rotate_log(count, initial.plus(count)));
            let partition = partition_of_count(count + 1);
            assert_eq!(log.metadata().raw_tail_acquire(partition), RawTail::new(initial.plus(count + 1), 0));
        }
    }
}
