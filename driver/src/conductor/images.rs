//! Images that a subscriber refuses. `[conductor]`
//!
//! Mirrors `aeron_driver_conductor_on_invalidate_image`; commands.md §4. Over shared memory an image has the id of its
//! publication: the publisher is told, all subscribers lose the image, and get it again after a while.

use core::net::{IpAddr, Ipv4Addr, SocketAddr};

use gannet_core::Position;
use gannet_core::command::{ErrorCode, PublicationError, Response};

use super::{ConductorError, DriverConductor};

/// `AERON_ERROR_MAX_TEXT_LENGTH`.
const MAX_REASON_LENGTH: usize = 1023;

/// Who refuses, to the publisher: this host. The C driver writes its bytes the wrong way round (1.0.0.127); this is
/// what it means, and what the Java driver writes.
const THIS_HOST: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

impl DriverConductor {
    pub(super) fn on_reject_image(
        &mut self,
        correlation_id: i64,
        image_correlation_id: i64,
        position: Position,
        reason: &[u8],
    ) -> Result<(), ConductorError> {
        if reason.len() > MAX_REASON_LENGTH {
            return Err(ConductorError::ReasonTooLong { length: reason.len() });
        }
        let of_image = |publication: &super::IpcPublication| publication.registration_id == image_correlation_id;
        let Some(index) = self.publications.iter().position(of_image) else {
            return Err(ConductorError::UnknownImage { image_correlation_id, position });
        };

        let publication = &mut self.publications[index];
        let (session_id, stream_id) = (publication.session_id(), publication.stream_id());
        self.client_proxy.transmit(&Response::PublicationError(PublicationError {
            registration_id: image_correlation_id,
            destination_registration_id: -1,
            session_id,
            stream_id,
            receiver_id: -1,
            group_tag: -1,
            source: Some(THIS_HOST),
            error_code: ErrorCode::ImageRejected,
            error_message: reason,
        }));
        for subscriber in publication.reject(self.now.ns) {
            // The peer names the subscription's own channel here, not the bare aeron:ipc of its other notices.
            let channel = self.subscriptions.iter().find(|link| link.id == subscriber.link);
            self.client_proxy.transmit(&Response::UnavailableImage {
                correlation_id: image_correlation_id,
                subscription_registration_id: subscriber.subscription_registration_id,
                stream_id,
                channel: channel.map_or(&[], |link| link.channel.as_bytes()),
            });
            if let Some(counter) = subscriber.counter {
                let _ = self.counters.free(counter.id(), self.now.epoch_ms);
            }
        }
        self.report(
            ErrorCode::ImageRejected,
            &format_args!(
                "onPublicationError: registrationId={image_correlation_id}, destinationRegistrationId=-1, \
                 sessionId={session_id}, streamId={stream_id}, receiverId=-1, groupId=-1, errorCode=13, errorMessage={}",
                String::from_utf8_lossy(reason)
            ),
        );
        self.system.images_rejected.add(1);
        self.client_proxy.transmit(&Response::OperationSuccess { correlation_id });
        Ok(())
    }
}
