//! What a URI says about a publication. `[any]`
//!
//! Mirrors `aeron_diver_uri_publication_params` in `aeron_driver_uri.c`; uri.md §4.

use super::value::{self, ValueError};
use super::{ChannelUri, UriError, key};
use crate::{SessionId, TermId, TermLength};

/// Which session a publication takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublicationSessionId {
    /// This one.
    Id(SessionId),
    /// That of the network publication with this entity tag, and its MTU and term length too.
    Tag(i64),
}

/// Which subscription a publication answers, or takes its answers from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseCorrelationId {
    /// That of an image or a subscription; −1 is none.
    Id(i64),
    /// A prototype: a small publication that only holds the place of later ones.
    Prototype,
}

impl ResponseCorrelationId {
    /// The number under which a prototype is recorded.
    pub const PROTOTYPE: i64 = -2;

    /// As it is recorded in the log buffer.
    #[must_use]
    pub const fn value(self) -> i64 {
        match self {
            ResponseCorrelationId::Id(id) => id,
            ResponseCorrelationId::Prototype => ResponseCorrelationId::PROTOTYPE,
        }
    }
}

/// Where a publication begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InitialPosition {
    /// The session's first term.
    pub initial_term_id: TermId,
    /// The term that it begins in.
    pub term_id: TermId,
    /// The offset in that term, a multiple of 32, at most the term's length.
    pub term_offset: i32,
}

/// Frames are aligned to 32 bytes, `AERON_LOGBUFFER_FRAME_ALIGNMENT`.
const FRAME_ALIGNMENT: u64 = 32;
/// Longer than a frame's header, `AERON_DATA_HEADER_LENGTH`.
const MTU_MORE_THAN: u64 = 32;
/// `AERON_MAX_UDP_PAYLOAD_LENGTH`.
const MTU_MAX: u64 = 65_504;
/// `AERON_RETRANSMIT_HANDLER_MAX_RESEND_MAX`.
const MAX_RESEND_MAX: u64 = 256;

impl<'a> ChannelUri<'a> {
    /// `session-id` of a publication: a number, or `tag:` and an entity tag.
    ///
    /// # Errors
    /// Code 11 when it is neither.
    pub fn publication_session_id(&self) -> Result<Option<PublicationSessionId>, UriError<'a>> {
        self.read(key::SESSION_ID, |text| match text.strip_prefix("tag:") {
            Some(tag) => value::parse_i64(tag).map(PublicationSessionId::Tag),
            None => value::parse_i32(text).map(|id| PublicationSessionId::Id(SessionId(id))),
        })
    }

    /// `term-length`.
    ///
    /// # Errors
    /// Code 11 when it is no power of two from 64 KiB to 1 GiB.
    pub fn term_length(&self) -> Result<Option<TermLength>, UriError<'a>> {
        self.read(key::TERM_LENGTH, |text| {
            let length = value::parse_size(text)?;
            let length = i64::try_from(length).ok().and_then(|length| TermLength::new(length).ok());
            length.ok_or(ValueError { accepts: "a power of two from 65536 (64k) to 1073741824 (1g)" })
        })
    }

    /// `mtu`: the longest frame, header included, in bytes.
    ///
    /// # Errors
    /// Code 11 when it is no multiple of 32 from 64 to 65504.
    pub fn mtu_length(&self) -> Result<Option<usize>, UriError<'a>> {
        self.read(key::MTU_LENGTH, |text| {
            let length = value::parse_size(text)?;
            let is_valid = length > MTU_MORE_THAN && length <= MTU_MAX && length.is_multiple_of(FRAME_ALIGNMENT);
            let length = usize::try_from(length).ok().filter(|_| is_valid);
            length.ok_or(ValueError { accepts: "a multiple of 32 from 64 to 65504" })
        })
    }

    /// `pub-wnd`: how far the publisher may be ahead, in bytes. The MTU and term length are those that the
    /// publication will have.
    ///
    /// # Errors
    /// Code 11 when it is no size, less than the MTU, or more than half a term.
    pub fn publication_window(&self, mtu: usize, term_length: TermLength) -> Result<Option<i32>, UriError<'a>> {
        let Some(window) = self.read(key::PUBLICATION_WINDOW, value::parse_size)? else { return Ok(None) };
        let (min, max) = (mtu as u64, u64::from(term_length.bytes().unsigned_abs()) / 2);
        match i32::try_from(window) {
            Ok(length) if (min..=max).contains(&window) => Ok(Some(length)),
            _ => Err(UriError::WindowOutOfRange { window, min, max }),
        }
    }

    /// `linger`: how long a log buffer stays after its publication has drained.
    ///
    /// # Errors
    /// Code 11 when it is no duration.
    pub fn linger_timeout_ns(&self) -> Result<Option<u64>, UriError<'a>> {
        self.read(key::LINGER_TIMEOUT, value::parse_duration_ns)
    }

    /// `eos`: whether the end of the stream is told.
    ///
    /// # Errors
    /// Code 11 when it is no boolean.
    pub fn signal_eos(&self) -> Result<Option<bool>, UriError<'a>> {
        self.read(key::EOS, value::parse_bool)
    }

    /// `ssc`: whether spies alone make the publication connected.
    ///
    /// # Errors
    /// Code 11 when it is no boolean.
    pub fn spies_simulate_connection(&self) -> Result<Option<bool>, UriError<'a>> {
        self.read(key::SPIES_SIMULATE_CONNECTION, value::parse_bool)
    }

    /// `max-resend`: how many retransmissions may be under way.
    ///
    /// # Errors
    /// Code 11 when it is not from 1 to 256.
    pub fn max_resend(&self) -> Result<Option<u32>, UriError<'a>> {
        self.read(key::MAX_RESEND, |text| {
            let count = value::parse_size(text).ok().filter(|count| (1..=MAX_RESEND_MAX).contains(count));
            count.and_then(|count| u32::try_from(count).ok()).ok_or(ValueError { accepts: "a number from 1 to 256" })
        })
    }

    /// `fc`: the flow control of a multicast or multi-destination channel, as text; the strategy reads it.
    #[must_use]
    pub fn flow_control(&self) -> Option<&'a str> {
        self.get(key::FLOW_CONTROL)
    }

    /// `response-correlation-id`.
    ///
    /// # Errors
    /// Code 11 when it is neither a number of at least −1 nor `prototype`.
    pub fn response_correlation_id(&self) -> Result<Option<ResponseCorrelationId>, UriError<'a>> {
        self.read(key::RESPONSE_CORRELATION_ID, |text| {
            if text == "prototype" {
                return Ok(ResponseCorrelationId::Prototype);
            }
            let id = value::parse_i64(text).ok().filter(|id| *id >= -1);
            id.map(ResponseCorrelationId::Id)
                .ok_or(ValueError { accepts: "a number greater than or equal to -1, nor 'prototype'" })
        })
    }

    /// `init-term-id`, `term-id` and `term-offset`: where the publication begins, all three or none. The term length is
    /// that which the publication will have.
    ///
    /// # Errors
    /// Code 11 when some are missing, one is no number, the term lies before the initial one, or the offset is beyond
    /// the term or no multiple of 32.
    pub fn initial_position(&self, term_length: TermLength) -> Result<Option<InitialPosition>, UriError<'a>> {
        let initial_term_id = self.read(key::INITIAL_TERM_ID, value::parse_i32)?;
        let term_id = self.read(key::TERM_ID, value::parse_i32)?;
        let term_offset = self.get(key::TERM_OFFSET);
        let (initial_term_id, term_id, offset_text) = match (initial_term_id, term_id, term_offset) {
            (None, None, None) => return Ok(None),
            (Some(initial_term_id), Some(term_id), Some(text)) => (initial_term_id, term_id, text),
            _ => return Err(UriError::IncompletePosition),
        };
        let invalid = |accepts| UriError::InvalidValue { key: key::TERM_OFFSET, value: offset_text, accepts };
        let term_offset = value::parse_u64_prefix(offset_text).map_err(|error| invalid(error.accepts))?;
        if TermId(term_id).count_since(TermId(initial_term_id)) < 0 {
            return Err(UriError::TermIdOutOfRange { initial_term_id, term_id });
        }
        let offset = match i32::try_from(term_offset) {
            Ok(offset) if offset <= term_length.bytes() => offset,
            _ => return Err(UriError::TermOffsetBeyondTerm { term_offset, term_length }),
        };
        if !term_offset.is_multiple_of(FRAME_ALIGNMENT) {
            return Err(invalid("a multiple of 32"));
        }
        Ok(Some(InitialPosition {
            initial_term_id: TermId(initial_term_id),
            term_id: TermId(term_id),
            term_offset: offset,
        }))
    }
}
