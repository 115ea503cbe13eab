//! What the conductor looks after on each tick of its timer. `[conductor]`
//!
//! The driver's heartbeat, clients, publications, and commands whose writer died. Mirrors
//! `aeron_driver_conductor_on_check_managed_resources` and `_on_check_for_blocked_driver_commands`, in their order.

use gannet_core::command::{AvailableImage, ErrorCode, Response};

use super::ipc_publication::Notice;
use super::{DriverConductor, IPC_CHANNEL};

impl DriverConductor {
    pub(super) fn on_timer(&mut self) {
        self.to_driver.ring().set_consumer_heartbeat_ms(self.now.epoch_ms);
        self.check_clients();
        self.check_publications();
        self.check_for_blocked_commands();
    }

    fn check_publications(&mut self) {
        let mut notices = Vec::new();
        for index in (0..self.publications.len()).rev() {
            // Who subscribes untethered can make images go and come as often as it likes; that waits until all is said.
            let may_change_tethers = !self.client_proxy.is_waiting();
            self.publications[index].on_time_event(self.now.ns, may_change_tethers, &mut notices);
            for notice in notices.drain(..) {
                self.on_notice(index, notice);
            }
            if self.publications[index].has_ended() {
                self.delete_publication(index);
            }
        }
    }

    fn on_notice(&mut self, index: usize, notice: Notice) {
        let publication = &self.publications[index];
        let correlation_id = publication.registration_id;
        match notice {
            Notice::Unavailable { subscription_registration_id } => {
                self.client_proxy.transmit(&Response::UnavailableImage {
                    correlation_id,
                    subscription_registration_id,
                    stream_id: publication.stream_id(),
                    channel: IPC_CHANNEL.as_bytes(),
                });
            }
            Notice::Available { subscription_registration_id, counter_id } => {
                self.client_proxy.transmit(&Response::AvailableImage(AvailableImage {
                    correlation_id,
                    session_id: publication.session_id(),
                    stream_id: publication.stream_id(),
                    subscription_registration_id,
                    subscriber_position_id: counter_id,
                    log_file: &publication.log_path,
                    source_identity: IPC_CHANNEL.as_bytes(),
                }));
            }
            Notice::FreeCounter(counter_id) => self.free_counter(counter_id),
            Notice::Revoked => {
                self.system.publications_revoked.add(1);
            }
            Notice::CooledDown => {
                if let Err(error) = self.link_publication(index) {
                    self.report(ErrorCode::GenericError, &error);
                }
            }
        }
    }

    /// A publisher that died between claiming and committing keeps the readers of its stream waiting.
    pub(super) fn check_for_blocked_publishers(&mut self) {
        for publication in &mut self.publications {
            publication.check_for_blocked_publisher(self.now.ns);
        }
    }

    /// A client that died between claiming and committing a command would keep all others waiting.
    fn check_for_blocked_commands(&mut self) {
        let timeout_ns = self.settings.client_liveness_timeout_ns;
        if self.stalled_commands.check(&mut self.to_driver, self.now.ns, timeout_ns) {
            self.system.unblocked_commands.add(1);
        }
    }
}
