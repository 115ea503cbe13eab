//! A whole log: three terms and the metadata, made by a driver or validated by a client. `[any]`
//!
//! Does not map files. Who makes a [`LogBuffers`] vouches, once, for what the appenders, readers and cleaners over it rely
//! on: see [`LogBuffers::initialise`], "the log's contract" in the proofs of this folder.
//!
//! Mirrors `aeron_raw_log_map_existing` and `aeron_log_buffer.c`; spec: logbuffer.md §1 and §3.

use core::fmt;

use super::descriptor::{METADATA_LENGTH, MTU_MAX, PAGE_MAX, PAGE_MIN, PARTITION_COUNT};
use super::frame_descriptor::{FRAME_ALIGNMENT, HEADER_LENGTH};
use super::metadata::Metadata;
use super::properties::{LogProperties, LogType};
use crate::position::{Position, SessionId, StreamId, TermId, TermLength};
use crate::sync::Memory;

/// A log whose numbers were checked once and are not read again.
///
/// Clones are of the same log, and under the same contract: see [`LogBuffers::initialise`].
#[derive(Clone, Debug)]
pub struct LogBuffers<M> {
    /// Invariant: each exactly `term_length` long.
    terms: [M; PARTITION_COUNT],
    metadata: Metadata<M>,
    term_length: TermLength,
    initial_term_id: TermId,
    /// Invariant: a multiple of 32 from 0 to 65,472, and less than the term length by 32 or more.
    max_payload_length: usize,
    session_id: SessionId,
    stream_id: StreamId,
    page_size: usize,
}

/// Why memory is no log, or cannot become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogError {
    /// Shorter than the smallest log, or not a multiple of 8 bytes.
    Length(usize),
    /// The term length is not a power of two from 64 KiB to 1 GiB.
    TermLength(i32),
    /// The page size is not a power of two from 4 KiB to 1 GiB.
    PageSize(i32),
    /// Too short for its three terms and the metadata.
    TooShort {
        /// Of the memory, in bytes.
        length: usize,
        /// In bytes.
        term_length: TermLength,
    },
    /// The MTU is not a multiple of 32 from 32 to 65,504 that fits a term.
    Mtu(i32),
    /// The first position is not a multiple of 32 in a term at or after the initial one.
    Start {
        /// The first term.
        term_id: TermId,
        /// The offset in it, in bytes.
        offset: i32,
    },
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LogError::Length(length) => {
                write!(f, "log length {length} is not a multiple of 8 of at least {MIN_LENGTH}")
            }
            LogError::TermLength(length) => {
                write!(f, "term length {length} is not a power of two from {} to {}", TermLength::MIN, TermLength::MAX)
            }
            LogError::PageSize(size) => {
                write!(f, "page size {size} is not a power of two from {PAGE_MIN} to {PAGE_MAX}")
            }
            LogError::TooShort { length, term_length } => {
                write!(f, "log length {length} is too short for three terms of {term_length} and the metadata")
            }
            LogError::Mtu(mtu) => {
                write!(f, "MTU {mtu} is not a multiple of 32 from {HEADER_LENGTH} to {MTU_MAX} that fits a term")
            }
            LogError::Start { term_id, offset } => {
                write!(
                    f,
                    "offset {offset} in term {term_id} is not a multiple of 32 at or after the initial term's start"
                )
            }
        }
    }
}

impl core::error::Error for LogError {}

/// `AERON_LOGBUFFER_MIN_FILE_SIZE`.
const MIN_LENGTH: usize = PARTITION_COUNT * TermLength::MIN.as_usize() + METADATA_LENGTH;

impl<M: Memory> LogBuffers<M> {
    /// Takes the memory of a log that somebody else made, after checking every number in it that is used later.
    ///
    /// Accepts what the C client accepts, but for an MTU that no driver can have (the C client computes with it) and a
    /// length that is not a multiple of 8 (no page size allows it).
    ///
    /// # Errors
    /// When the memory is no log.
    ///
    /// # Safety
    /// As for [`LogBuffers::initialise`].
    pub unsafe fn open(memory: &M) -> Result<Self, LogError> {
        let length = memory.len();
        if length < MIN_LENGTH || !length.is_multiple_of(8) {
            return Err(LogError::Length(length));
        }
        let metadata = Metadata::at_end_of(memory);
        let stated = metadata.term_length();
        let term_length = TermLength::new(i64::from(stated)).map_err(|_| LogError::TermLength(stated))?;
        Self::validated(memory, metadata, term_length)
    }

    /// Makes a log of zeroed memory, beginning at `start` (a term at or after the initial one, and an offset in it) or
    /// at the initial term. Nobody else sees the memory yet. An image has no tails and ignores `start`.
    ///
    /// # Errors
    /// When the memory, the properties or the start are out of range; the metadata is then partly written.
    ///
    /// # Safety
    /// A log is shared, and only whoever maps it can know with whom. So the caller vouches, for as long as this value or a
    /// clone of it lives, for all who share the memory, in this process and in others:
    /// - **Publishers.** There is at most one [`ExclusiveAppender`](super::ExclusiveAppender) at any time, and no
    ///   [`ConcurrentAppender`](super::ConcurrentAppender) beside it. An image has no appender, but one receiver at most,
    ///   which inserts frames, none of them over one that is committed, and fills gaps.
    /// - **Readers** poll and scan from positions where a frame begins, or none does yet.
    /// - **Cleaning**, and the limit that lets the space be claimed again, stay behind what every reader has finished with:
    ///   its position, and the slices that it was lent.
    /// - **Nobody else writes**: what is committed stays as it is until it is cleaned, what is claimed is its claimer's,
    ///   tails and term count move as appenders, rotation and unblocker move them, and what the metadata's setters or the
    ///   memory itself would let one write otherwise is not written.
    ///
    /// A publisher that outsleeps the driver's unblock timeout breaks this, as docs/adr/0005-late-publishers.md says.
    pub unsafe fn initialise(
        memory: &M,
        properties: &LogProperties,
        start: Option<(TermId, i32)>,
    ) -> Result<Self, LogError> {
        let length = memory.len();
        if length < METADATA_LENGTH || !length.is_multiple_of(8) {
            return Err(LogError::Length(length));
        }
        let metadata = Metadata::at_end_of(memory);
        metadata.initialise(properties);
        let log = Self::validated(memory, metadata, properties.term_length)?;
        if properties.log_type != LogType::Image {
            let (term_id, offset) = start.unwrap_or((properties.initial_term_id, 0));
            let aligned = offset >= 0 && (offset as usize).is_multiple_of(FRAME_ALIGNMENT);
            if !aligned || offset > log.term_length().bytes() || term_id.count_since(log.initial_term_id()) < 0 {
                return Err(LogError::Start { term_id, offset });
            }
            log.metadata.initialise_tails(log.initial_term_id(), term_id, offset);
        }
        Ok(log)
    }

    fn validated(memory: &M, metadata: Metadata<M>, term_length: TermLength) -> Result<Self, LogError> {
        let length = memory.len();
        let page_size = metadata.page_size();
        let pages = page_size as usize;
        if page_size < 0 || !(PAGE_MIN..=PAGE_MAX).contains(&pages) || !pages.is_power_of_two() {
            return Err(LogError::PageSize(page_size));
        }
        let term = term_length.as_usize();
        if length < PARTITION_COUNT * term + METADATA_LENGTH {
            return Err(LogError::TooShort { length, term_length });
        }
        let stated = metadata.mtu_length();
        let mtu_length = stated as usize;
        if stated < HEADER_LENGTH as i32
            || mtu_length > MTU_MAX.min(term)
            || !mtu_length.is_multiple_of(FRAME_ALIGNMENT)
        {
            return Err(LogError::Mtu(stated));
        }
        let terms = [memory.slice(0, term), memory.slice(term, term), memory.slice(2 * term, term)];
        assert!(terms.iter().all(|memory| memory.len() == term));
        Ok(LogBuffers {
            terms,
            term_length,
            initial_term_id: metadata.initial_term_id(),
            max_payload_length: mtu_length - HEADER_LENGTH,
            session_id: metadata.session_id(),
            stream_id: metadata.stream_id(),
            page_size: pages,
            metadata,
        })
    }

    /// The term of a partition, less than 3.
    ///
    /// # Panics
    /// When there is no such partition.
    #[inline]
    pub(super) fn term(&self, partition: usize) -> &M {
        &self.terms[partition]
    }

    /// As `term`.
    ///
    /// # Safety
    /// The partition is less than 3.
    #[inline]
    pub(super) unsafe fn term_unchecked(&self, partition: usize) -> &M {
        // SAFETY: by the caller's contract.
        unsafe { self.terms.get_unchecked(partition) }
    }

    /// The words that everyone shares.
    #[must_use]
    #[inline]
    pub fn metadata(&self) -> &Metadata<M> {
        &self.metadata
    }

    /// The length of each term.
    #[must_use]
    #[inline]
    pub fn term_length(&self) -> TermLength {
        self.term_length
    }

    /// The term of position 0.
    #[must_use]
    #[inline]
    pub fn initial_term_id(&self) -> TermId {
        self.initial_term_id
    }

    /// The longest frame in bytes, header included.
    #[must_use]
    #[inline]
    pub fn mtu_length(&self) -> usize {
        self.max_payload_length + HEADER_LENGTH
    }

    /// The longest payload of one frame in bytes.
    #[must_use]
    #[inline]
    pub fn max_payload_length(&self) -> usize {
        self.max_payload_length
    }

    /// The longest message in bytes.
    #[must_use]
    #[inline]
    pub fn max_message_length(&self) -> usize {
        self.term_length().max_message_length()
    }

    /// The publication's session.
    #[must_use]
    #[inline]
    pub fn session_id(&self) -> SessionId {
        self.session_id
    }

    /// The publication's stream.
    #[must_use]
    #[inline]
    pub fn stream_id(&self) -> StreamId {
        self.stream_id
    }

    /// The page size that the file is a multiple of, in bytes.
    #[must_use]
    #[inline]
    pub fn page_size(&self) -> usize {
        self.page_size
    }

    /// All that the driver stated, as it stands in the memory now; `None` for a type that this version does not know.
    #[must_use]
    pub fn properties(&self) -> Option<LogProperties> {
        Some(self.metadata.properties(self.term_length(), self.metadata.log_type()?))
    }

    /// How far publishers have claimed.
    #[must_use]
    #[inline]
    pub fn producer_position(&self) -> Position {
        let count = self.metadata.active_term_count_acquire();
        let tail = self.metadata.raw_tail_acquire(super::metadata::partition_of_count(count));
        Position::new(tail.term_id(), tail.term_offset(self.term_length()), self.term_length(), self.initial_term_id())
    }
}

#[cfg(test)]
mod tests;
