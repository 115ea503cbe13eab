//! Adding and removing destinations. `[any]`

use std::sync::Arc;

use gannet_core::command::Command;

use crate::asynchronous::{Async, AsyncDestination};
use crate::client::ClientHandle;
use crate::conductor::registration::{Added, Request};
use crate::error::RegistrationError;

/// Sends a command that the driver answers with success or an error; `added` is what to undo if nobody waits for it.
pub(crate) fn destination<'a>(
    handle: &Arc<ClientHandle>,
    added: Option<Added>,
    command: impl FnOnce(i64, i64) -> Command<'a>,
) -> Result<AsyncDestination, RegistrationError> {
    let correlation_id = handle.client.register(Request::Destination { added }, command)?;
    Ok(Async::new(correlation_id, handle))
}
