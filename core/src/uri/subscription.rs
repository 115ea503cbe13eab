//! What a URI says about a subscription. `[any]`
//!
//! Mirrors `aeron_driver_uri_subscription_params` in `aeron_driver_uri.c`; uri.md §4.

use super::value::{self, InferableBoolean, ValueError};
use super::{ChannelUri, UriError, key};
use crate::SessionId;

/// How a receiver sizes its window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CongestionControl {
    /// Always the same.
    Static,
    /// By CUBIC.
    Cubic,
}

impl<'a> ChannelUri<'a> {
    /// `session-id` of a subscription: only images of this session.
    ///
    /// # Errors
    /// Code 11 when it is no 32-bit integer.
    pub fn subscription_session_id(&self) -> Result<Option<SessionId>, UriError<'a>> {
        Ok(self.read(key::SESSION_ID, value::parse_i32)?.map(SessionId))
    }

    /// `reliable`: whether loss is repaired.
    ///
    /// # Errors
    /// Code 11 when it is no boolean.
    pub fn reliable(&self) -> Result<Option<bool>, UriError<'a>> {
        self.read(key::RELIABLE, value::parse_bool)
    }

    /// `tether`: whether the subscription may hold back publications for ever.
    ///
    /// # Errors
    /// Code 11 when it is no boolean.
    pub fn tether(&self) -> Result<Option<bool>, UriError<'a>> {
        self.read(key::TETHER, value::parse_bool)
    }

    /// `rejoin`: whether a session that ended here may come again.
    ///
    /// # Errors
    /// Code 11 when it is no boolean.
    pub fn rejoin(&self) -> Result<Option<bool>, UriError<'a>> {
        self.read(key::REJOIN, value::parse_bool)
    }

    /// `group`: whether other receivers hear what this one tells. Any text but `true` and `infer` means false.
    #[must_use]
    pub fn group(&self) -> Option<InferableBoolean> {
        self.get(key::GROUP).map(InferableBoolean::parse)
    }

    /// `cc`: congestion control.
    ///
    /// # Errors
    /// Code 11 when it is neither `static` nor `cubic`.
    pub fn congestion_control(&self) -> Result<Option<CongestionControl>, UriError<'a>> {
        self.read(key::CONGESTION_CONTROL, |text| match text {
            "static" => Ok(CongestionControl::Static),
            "cubic" => Ok(CongestionControl::Cubic),
            _ => Err(ValueError { accepts: "static or cubic" }),
        })
    }

    /// `gtag`: the group that the receiver says it belongs to.
    ///
    /// # Errors
    /// Code 11 when it is no 64-bit integer.
    pub fn group_tag(&self) -> Result<Option<i64>, UriError<'a>> {
        self.read(key::GROUP_TAG, value::parse_i64)
    }

    /// `rcv-wnd`: the receiver's window in bytes.
    ///
    /// # Errors
    /// Code 11 when it is no size.
    pub fn receiver_window(&self) -> Result<Option<u64>, UriError<'a>> {
        self.read(key::RECEIVER_WINDOW, value::parse_size)
    }

    /// `nak-delay`: how long a unicast receiver waits before it asks again for what it misses.
    ///
    /// # Errors
    /// Code 11 when it is no duration.
    pub fn nak_delay_ns(&self) -> Result<Option<u64>, UriError<'a>> {
        self.read(key::NAK_DELAY, value::parse_duration_ns)
    }
}
