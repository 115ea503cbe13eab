//! Why a message was not published. `[any]`
//!
//! Mirrors the negative results of Aeron's `Publication.offer` (C: `AERON_PUBLICATION_*`), section 5 of
//! `logbuffer.md`.

use gannet_core::log::AppendError;
use gannet_core::log::appender::OfferBlockError;

/// Why `offer`, `try_claim` or one of their kin published nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OfferError {
    /// No subscriber is there. One may come: try again later.
    #[error("no subscriber is connected")]
    NotConnected,
    /// The slowest subscriber, or the network, has to catch up first: try again. [`why`](crate::Publication::why)
    /// names whoever holds the publication up.
    #[error("back-pressured: a subscriber or the network has to catch up first")]
    BackPressured,
    /// The log moves to its next term: try again at once.
    #[error("the log moves to its next term, try again")]
    AdminAction,
    /// The publication or its client is closed; it will not come back.
    #[error("the publication is closed")]
    Closed,
    /// The session has reached the end of its position range, 2^31 terms: only a new publication can go on.
    #[error("the session has reached its last position")]
    MaxPositionExceeded,
    /// The message is longer than this publication can carry.
    #[error("a message of {length} bytes is longer than the {max} bytes that this publication can carry")]
    MessageTooLong {
        /// Its length in bytes.
        length: usize,
        /// The longest that is accepted, in bytes.
        max: usize,
    },
    /// A block is not made of whole frames, or longer than what is left of the term.
    #[error("a block of {length} bytes is not frames of at most {remaining} bytes, what the term has left")]
    BlockLength {
        /// Its length in bytes.
        length: usize,
        /// What the term has left, in bytes.
        remaining: usize,
    },
    /// A block's first frame is not a message of this publication at its position, or a later one does not end within
    /// the block.
    #[error("the block is not whole frames, the first a message of this publication at its position")]
    InvalidBlock,
    /// The closure that makes reserved values ran for longer than the driver's unblock timeout, or while the publication
    /// was closed: the driver has made padding of the message, or of what was left of it, and nobody receives it.
    #[error(
        "the message's claim was lost: making its reserved value took longer than the driver's unblock timeout, or the \
             publication was closed meanwhile"
    )]
    ClaimLost,
    /// Somebody wrote into the log what no publisher writes.
    #[error("the publication's log is damaged")]
    Damaged,
}

impl OfferError {
    /// Whether the same call may succeed a little later.
    #[must_use]
    #[inline]
    pub const fn is_retryable(self) -> bool {
        matches!(self, OfferError::NotConnected | OfferError::BackPressured | OfferError::AdminAction)
    }

    /// Aeron's number for it: −1 to −5, or −6 for a wrong argument, a lost claim or a damaged log.
    #[must_use]
    pub const fn code(self) -> i64 {
        match self {
            OfferError::NotConnected => -1,
            OfferError::BackPressured => -2,
            OfferError::AdminAction => -3,
            OfferError::Closed => -4,
            OfferError::MaxPositionExceeded => -5,
            OfferError::MessageTooLong { .. }
            | OfferError::BlockLength { .. }
            | OfferError::InvalidBlock
            | OfferError::ClaimLost
            | OfferError::Damaged => -6,
        }
    }
}

impl From<AppendError> for OfferError {
    #[inline]
    fn from(error: AppendError) -> OfferError {
        match error {
            AppendError::NotConnected => OfferError::NotConnected,
            AppendError::BackPressured => OfferError::BackPressured,
            AppendError::AdminAction => OfferError::AdminAction,
            AppendError::MaxPositionExceeded => OfferError::MaxPositionExceeded,
            AppendError::MessageTooLong { length, max } => OfferError::MessageTooLong { length, max },
            AppendError::ClaimLost => OfferError::ClaimLost,
            AppendError::DamagedTail(_) => OfferError::Damaged,
        }
    }
}

impl From<OfferBlockError> for OfferError {
    fn from(error: OfferBlockError) -> OfferError {
        match error {
            OfferBlockError::Append(error) => error.into(),
            OfferBlockError::Length { length, remaining } => OfferError::BlockLength { length, remaining },
            OfferBlockError::FirstFrame | OfferBlockError::Frame { .. } => OfferError::InvalidBlock,
        }
    }
}
