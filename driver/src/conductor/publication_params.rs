//! What a channel says about a publication, with the driver's defaults for what it leaves open. `[conductor]`
//!
//! Mirrors `aeron_diver_uri_publication_params` and `aeron_confirm_publication_match`; uri.md §4. Values are read in the
//! peer's order, so that of several bad ones the same is named.

use gannet_core::uri::{ChannelUri, InitialPosition, PublicationSessionId};
use gannet_core::{Position, SessionId, TermLength};

use super::ipc_publication::IpcPublication;
use super::untethered::UntetheredTimeouts;
use super::{ConductorError, ConductorSettings};

/// `AERON_NULL_VALUE`: no tag, no correlation.
const NONE: i64 = -1;

/// A publication as its channel asks for it.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools)] // as many as the channel says
pub(super) struct PublicationParams {
    pub(super) session_id: Option<SessionId>,
    pub(super) entity_tag: i64,
    pub(super) linger_timeout_ns: i64,
    pub(super) term_length: TermLength,
    has_term_length: bool,
    pub(super) max_resend: i32,
    pub(super) mtu_length: i32,
    has_mtu_length: bool,
    pub(super) window_length: i32,
    pub(super) position: Option<InitialPosition>,
    pub(super) is_sparse: bool,
    pub(super) signal_eos: bool,
    pub(super) spies_simulate_connection: bool,
    pub(super) response_correlation_id: i64,
    pub(super) untethered: UntetheredTimeouts,
}

impl PublicationParams {
    /// Reads the channel of an IPC publication.
    pub(super) fn read(
        uri: &ChannelUri<'_>,
        channel: &str,
        settings: &ConductorSettings,
    ) -> Result<Self, ConductorError> {
        let bad = |error| ConductorError::uri(&error, channel);
        let session_id = match uri.publication_session_id().map_err(bad)? {
            None => None,
            Some(PublicationSessionId::Id(session_id)) => Some(session_id),
            Some(PublicationSessionId::Tag(tag)) => return Err(ConductorError::UnknownTag { tag }),
        };
        let entity_tag = uri.entity_tag().map_err(bad)?.unwrap_or(NONE);
        let linger_timeout_ns = duration(uri.linger_timeout_ns().map_err(bad)?, settings.publication_linger_timeout_ns);
        let own_term_length = uri.term_length().map_err(bad)?;
        let term_length = own_term_length.unwrap_or(settings.ipc_term_length);
        let max_resend = uri.max_resend().map_err(bad)?.map_or(0, |count| i32::try_from(count).unwrap_or(0));
        let own_mtu = uri.mtu_length().map_err(bad)?.and_then(|mtu| i32::try_from(mtu).ok());
        let mtu_length = own_mtu.unwrap_or(settings.ipc_mtu_length);
        let own_window = uri.publication_window(usize::try_from(mtu_length).unwrap_or(0), term_length).map_err(bad)?;
        let window_length =
            own_window.unwrap_or_else(|| default_window(settings.ipc_publication_window_length, term_length));
        let position = uri.initial_position(term_length).map_err(bad)?;
        let is_sparse = uri.sparse().map_err(bad)?.unwrap_or(settings.term_buffer_sparse_file);
        let signal_eos = uri.signal_eos().map_err(bad)?.unwrap_or(true);
        let spies_simulate_connection =
            uri.spies_simulate_connection().map_err(bad)?.unwrap_or(settings.spies_simulate_connection);
        let response_correlation_id = uri.response_correlation_id().map_err(bad)?.map_or(NONE, |id| id.value());
        let untethered = untethered(uri, settings).map_err(bad)?;
        Ok(PublicationParams {
            session_id,
            entity_tag,
            linger_timeout_ns,
            term_length,
            has_term_length: own_term_length.is_some(),
            max_resend,
            mtu_length,
            has_mtu_length: own_mtu.is_some(),
            window_length,
            position,
            is_sparse,
            signal_eos,
            spies_simulate_connection,
            response_correlation_id,
            untethered,
        })
    }

    /// Refuses to share a publication that is not as this channel asks for it.
    pub(super) fn confirm_match(&self, existing: &IpcPublication) -> Result<(), ConductorError> {
        let log = existing.log();
        let same = |key, existing: i64, requested: i64| {
            if existing == requested { Ok(()) } else { Err(ConductorError::Mismatch { key, existing, requested }) }
        };
        if let Some(session_id) = self.session_id {
            same("session-id", log.session_id().0.into(), session_id.0.into())?;
        }
        if self.has_mtu_length {
            same("mtu", i64::try_from(log.mtu_length()).unwrap_or(i64::MAX), self.mtu_length.into())?;
        }
        if self.has_term_length {
            same("term-length", log.term_length().bytes().into(), self.term_length.bytes().into())?;
        }
        if let Some(position) = self.position {
            let start = existing.first();
            same("init-term-id", log.initial_term_id().0.into(), position.initial_term_id.0.into())?;
            same("term-id", start.0.0.into(), position.term_id.0.into())?;
            same("term-offset", start.1.into(), position.term_offset.into())?;
        }
        Ok(())
    }

    /// The position at which it starts.
    pub(super) fn start(&self) -> Position {
        self.position.map_or(Position(0), |position| {
            Position::new(position.term_id, position.term_offset, self.term_length, position.initial_term_id)
        })
    }
}

fn untethered<'a>(
    uri: &ChannelUri<'a>,
    settings: &ConductorSettings,
) -> Result<UntetheredTimeouts, gannet_core::uri::UriError<'a>> {
    let window_limit_ns =
        duration(uri.untethered_window_limit_timeout_ns()?, settings.untethered_window_limit_timeout_ns);
    // 0 is as good as none.
    let linger = uri.untethered_linger_timeout_ns()?.filter(|timeout| *timeout > 0);
    let linger_ns = duration(linger, settings.untethered_linger_timeout_ns.unwrap_or(window_limit_ns));
    let resting_ns = duration(uri.untethered_resting_timeout_ns()?, settings.untethered_resting_timeout_ns);
    Ok(UntetheredTimeouts { window_limit_ns, linger_ns, resting_ns })
}

fn duration(value: Option<u64>, default: i64) -> i64 {
    value.map_or(default, |ns| i64::try_from(ns).unwrap_or(i64::MAX))
}

/// The driver's window, at most half a term; 0 is half a term.
fn default_window(window_length: i64, term_length: TermLength) -> i32 {
    let half = term_length.bytes() / 2;
    match i32::try_from(window_length) {
        Ok(length) if length > 0 => length.min(half),
        _ => half,
    }
}
