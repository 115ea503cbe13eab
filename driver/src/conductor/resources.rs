//! What the native-resource agent did, and what it is asked to do. `[conductor]`
//!
//! Mirrors the results that the C conductor polls for, and the counters that its agent moves: here the conductor moves
//! them, so that each has one writer.

use super::DriverConductor;
use super::ipc_publication::IpcPublication;
use super::ipc_publication::reservation::Range;
use crate::native_resource_agent::{NativeResourceAgentProxy, Reply, Request};

/// After how long a file system that had no space is asked again.
const RESERVE_AGAIN_AFTER_NS: i64 = 20_000_000;
/// How many replies are taken in one duty cycle.
const REPLY_LIMIT: usize = 16;

impl DriverConductor {
    pub(super) fn request(&mut self, request: Request) {
        if !self.agent.request(request) {
            self.system.agent_proxy_fails.add(1);
        }
    }

    /// Takes what the agent has done.
    pub(super) fn process_resources(&mut self) -> usize {
        let mut work_count = 0;
        while work_count < REPLY_LIMIT {
            let Some(reply) = self.agent.poll() else { break };
            self.on_reply(reply);
            work_count += 1;
        }
        work_count
    }

    fn on_reply(&mut self, reply: Reply) {
        match reply {
            Reply::LogCreated { registration_id, result } => self.on_log_created(registration_id, result),
            Reply::ReservedSoFar { registration_id, to } | Reply::Reserved { registration_id, to } => {
                if let Some(publication) = self.find_publication(registration_id) {
                    publication.on_reserved(to);
                }
            }
            Reply::ReserveFailed { registration_id, error } => {
                let retry_at_ns = self.now.ns.saturating_add(RESERVE_AGAIN_AFTER_NS);
                let Some(publication) = self.find_publication(registration_id) else { return };
                // Told once for each time that the space runs out, not for each try; and always in the same words, so
                // that the log counts them.
                if publication.on_reserve_failed(retry_at_ns) {
                    let (stream_id, session_id) = (publication.stream_id(), publication.session_id());
                    let directory = self.settings.aeron_dir.display().to_string();
                    self.report(
                        error.code,
                        &format_args!(
                            "publication registrationId={registration_id} sessionId={session_id} streamId={stream_id} \
                             is back-pressured until there is storage space for its log in {directory}"
                        ),
                    );
                }
            }
            Reply::LogFreed { length } => {
                self.system.bytes_mapped.add(-i64::try_from(length).unwrap_or(i64::MAX));
            }
            Reply::FreeFailed { error } => {
                self.system.free_fails.add(1);
                self.report(error.code, &error);
            }
            Reply::Warning { message } => self.warn(&message),
        }
    }

    pub(super) fn find_publication(&mut self, registration_id: i64) -> Option<&mut IpcPublication> {
        self.publications.iter_mut().find(|publication| publication.registration_id == registration_id)
    }
}

/// Asks for space ahead of a publication's limit; when the agent has enough to do, a later cycle asks again.
pub(super) fn request_reservation(
    agent: &mut NativeResourceAgentProxy,
    publication: &mut IpcPublication,
    range: Range,
    now_ns: i64,
) {
    if !agent.is_accepting_reservations() {
        publication.on_reserve_deferred(now_ns);
        return;
    }
    agent.request(Request::Reserve {
        registration_id: publication.registration_id,
        region: publication.region().clone(),
        term_length: publication.term_length(),
        range,
    });
}
