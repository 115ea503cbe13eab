//! `aeron_publication_t` and `aeron_exclusive_publication_t`.

use super::client::{Handle, c_string, check};
use super::{last_error, text};
use crate::peer::{Publication, PublicationConstants, Refused, Stuck};
use libaeron_sys as c;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Arc;

enum Kind {
    Shared(*mut c::aeron_publication_t),
    Exclusive(*mut c::aeron_exclusive_publication_t),
}

struct OfficialPublication {
    kind: Kind,
    #[allow(dead_code)] // keeps the client, and with it the publication's memory
    client: Arc<Handle>,
}

// SAFETY: a shared publication may be used from any thread, an exclusive one from one at a time, which `&mut` gives.
unsafe impl Send for OfficialPublication {}

pub(super) fn add(client: &Arc<Handle>, channel: &str, stream_id: i32) -> Result<Box<dyn Publication>, Refused> {
    let uri = c_string(channel.as_bytes());
    let mut command = null_mut();
    // SAFETY: the URI is copied into the command.
    check(unsafe { c::aeron_async_add_publication(&raw mut command, client.client, uri.as_ptr(), stream_id) })?;
    let publication = client.finish(&format!("publication {channel} is added"), |publication| {
        // SAFETY: the command is polled until it answers, and not after.
        unsafe { c::aeron_async_add_publication_poll(publication, command) }
    })?;
    Ok(Box::new(OfficialPublication { kind: Kind::Shared(publication), client: Arc::clone(client) }))
}

pub(super) fn add_exclusive(
    client: &Arc<Handle>,
    channel: &str,
    stream_id: i32,
) -> Result<Box<dyn Publication>, Refused> {
    let uri = c_string(channel.as_bytes());
    let mut command = null_mut();
    // SAFETY: the URI is copied into the command.
    check(unsafe {
        c::aeron_async_add_exclusive_publication(&raw mut command, client.client, uri.as_ptr(), stream_id)
    })?;
    let publication = client.finish(&format!("exclusive publication {channel} is added"), |publication| {
        // SAFETY: the command is polled until it answers, and not after.
        unsafe { c::aeron_async_add_exclusive_publication_poll(publication, command) }
    })?;
    Ok(Box::new(OfficialPublication { kind: Kind::Exclusive(publication), client: Arc::clone(client) }))
}

fn outcome(result: i64) -> Result<i64, Stuck> {
    match result {
        position if position >= 0 => Ok(position),
        c::AERON_PUBLICATION_NOT_CONNECTED => Err(Stuck::NotConnected),
        c::AERON_PUBLICATION_BACK_PRESSURED => Err(Stuck::BackPressured),
        c::AERON_PUBLICATION_ADMIN_ACTION => Err(Stuck::AdminAction),
        c::AERON_PUBLICATION_CLOSED => Err(Stuck::Closed),
        c::AERON_PUBLICATION_MAX_POSITION_EXCEEDED => Err(Stuck::MaxPositionExceeded),
        _ => Err(Stuck::Error(last_error().text)),
    }
}

unsafe extern "C" fn supply_reserved_value(state: *mut c_void, _buffer: *mut u8, _length: usize) -> i64 {
    // SAFETY: `state` is the i64 that `offer_reserved` lends during the call.
    unsafe { *state.cast::<i64>() }
}

impl Publication for OfficialPublication {
    fn offer(&mut self, message: &[u8]) -> Result<i64, Stuck> {
        // SAFETY: the publication lives until it is closed, which consumes it; the message has that length.
        outcome(unsafe {
            match self.kind {
                Kind::Shared(publication) => {
                    c::aeron_publication_offer(publication, message.as_ptr(), message.len(), None, null_mut())
                }
                Kind::Exclusive(publication) => {
                    c::aeron_exclusive_publication_offer(publication, message.as_ptr(), message.len(), None, null_mut())
                }
            }
        })
    }

    fn offer_parts(&mut self, parts: &[&[u8]]) -> Result<i64, Stuck> {
        let mut vector: Vec<c::aeron_iovec_t> = parts
            .iter()
            .map(|part| c::aeron_iovec_t { iov_base: part.as_ptr().cast_mut(), iov_len: part.len() })
            .collect();
        let (start, count) = (vector.as_mut_ptr(), vector.len());
        // SAFETY: as for `offer`; the parts are only read.
        outcome(unsafe {
            match self.kind {
                Kind::Shared(publication) => c::aeron_publication_offerv(publication, start, count, None, null_mut()),
                Kind::Exclusive(publication) => {
                    c::aeron_exclusive_publication_offerv(publication, start, count, None, null_mut())
                }
            }
        })
    }

    fn offer_reserved(&mut self, message: &[u8], reserved_value: i64) -> Result<i64, Stuck> {
        let mut value = reserved_value;
        let state: *mut c_void = (&raw mut value).cast();
        let supplier = Some(supply_reserved_value as unsafe extern "C" fn(*mut c_void, *mut u8, usize) -> i64);
        // SAFETY: as for `offer`; the supplier's state lives through the call.
        outcome(unsafe {
            match self.kind {
                Kind::Shared(publication) => {
                    c::aeron_publication_offer(publication, message.as_ptr(), message.len(), supplier, state)
                }
                Kind::Exclusive(publication) => {
                    c::aeron_exclusive_publication_offer(publication, message.as_ptr(), message.len(), supplier, state)
                }
            }
        })
    }

    fn claim(&mut self, length: usize, write: &mut dyn FnMut(&mut [u8]) -> bool) -> Result<i64, Stuck> {
        // SAFETY: plain data, filled by the claim.
        let mut claim: c::aeron_buffer_claim_t = unsafe { std::mem::zeroed() };
        // SAFETY: as for `offer`.
        let position = outcome(unsafe {
            match self.kind {
                Kind::Shared(publication) => c::aeron_publication_try_claim(publication, length, &raw mut claim),
                Kind::Exclusive(publication) => {
                    c::aeron_exclusive_publication_try_claim(publication, length, &raw mut claim)
                }
            }
        })?;
        // SAFETY: the claimed range is this caller's alone until commit or abort, each called once.
        unsafe {
            if write(std::slice::from_raw_parts_mut(claim.data, claim.length)) {
                c::aeron_buffer_claim_commit(&raw mut claim);
            } else {
                c::aeron_buffer_claim_abort(&raw mut claim);
            }
        }
        Ok(position)
    }

    fn append_padding(&mut self, length: usize) -> Result<i64, Stuck> {
        let Kind::Exclusive(publication) = self.kind else { panic!("padding needs an exclusive publication") };
        // SAFETY: as for `offer`.
        outcome(unsafe { c::aeron_exclusive_publication_append_padding(publication, length) })
    }

    fn offer_block(&mut self, frames: &[u8]) -> Result<i64, Stuck> {
        let Kind::Exclusive(publication) = self.kind else { panic!("a block needs an exclusive publication") };
        // SAFETY: as for `offer`.
        outcome(unsafe { c::aeron_exclusive_publication_offer_block(publication, frames.as_ptr(), frames.len()) })
    }

    fn constants(&self) -> PublicationConstants {
        // SAFETY: plain data, filled by the next call.
        let mut constants: c::aeron_publication_constants_t = unsafe { std::mem::zeroed() };
        // SAFETY: as for `offer`; the channel's text lives as long as the publication.
        unsafe {
            match self.kind {
                Kind::Shared(publication) => c::aeron_publication_constants(publication, &raw mut constants),
                Kind::Exclusive(publication) => {
                    c::aeron_exclusive_publication_constants(publication, &raw mut constants)
                }
            };
            PublicationConstants {
                channel: text(constants.channel),
                stream_id: constants.stream_id,
                session_id: constants.session_id,
                initial_term_id: constants.initial_term_id,
                registration_id: constants.registration_id,
                original_registration_id: constants.original_registration_id,
                term_length: constants.term_buffer_length,
                max_payload_length: constants.max_payload_length,
                max_message_length: constants.max_message_length,
                max_possible_position: constants.max_possible_position,
            }
        }
    }

    fn position(&self) -> Option<i64> {
        // SAFETY: as for `offer`.
        let position = unsafe {
            match self.kind {
                Kind::Shared(publication) => c::aeron_publication_position(publication),
                Kind::Exclusive(publication) => c::aeron_exclusive_publication_position(publication),
            }
        };
        (position >= 0).then_some(position)
    }

    fn position_limit(&self) -> Option<i64> {
        // SAFETY: as for `offer`.
        let limit = unsafe {
            match self.kind {
                Kind::Shared(publication) => c::aeron_publication_position_limit(publication),
                Kind::Exclusive(publication) => c::aeron_exclusive_publication_position_limit(publication),
            }
        };
        (limit >= 0).then_some(limit)
    }

    fn is_connected(&self) -> bool {
        // SAFETY: as for `offer`.
        unsafe {
            match self.kind {
                Kind::Shared(publication) => c::aeron_publication_is_connected(publication),
                Kind::Exclusive(publication) => c::aeron_exclusive_publication_is_connected(publication),
            }
        }
    }

    fn is_closed(&self) -> bool {
        // SAFETY: as for `offer`.
        unsafe {
            match self.kind {
                Kind::Shared(publication) => c::aeron_publication_is_closed(publication),
                Kind::Exclusive(publication) => c::aeron_exclusive_publication_is_closed(publication),
            }
        }
    }

    fn revoke(self: Box<Self>) {
        let Kind::Exclusive(publication) = self.kind else { panic!("only an exclusive publication can be revoked") };
        // SAFETY: the publication is not used after this call.
        unsafe { c::aeron_exclusive_publication_revoke(publication, None, null_mut()) };
    }

    fn close(self: Box<Self>) {
        // SAFETY: the publication is not used after this call.
        unsafe {
            match self.kind {
                Kind::Shared(publication) => c::aeron_publication_close(publication, None, null_mut()),
                Kind::Exclusive(publication) => c::aeron_exclusive_publication_close(publication, None, null_mut()),
            }
        };
    }
}
