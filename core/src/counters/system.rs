//! The driver's 46 counters of itself, whose ids are fixed. `[conductor]`
//!
//! Mirrors `aeron_system_counters.c` and `SystemCounterDescriptor.java`; cnc.md §4.

use super::layout::{NULL_OWNER, NewCounter, type_id};
use super::{AllocateError, CounterId, CounterSlot, CountersManager};
use crate::sync::Memory;

/// How many system counters there are.
pub const COUNT: usize = 46;

macro_rules! system_counters {
    ($($id:literal $name:ident $label:literal)*) => {
        /// A counter that the driver keeps of itself; its discriminant is its counter id.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(i32)]
        pub enum SystemCounter {
            $(#[doc = concat!("\"", $label, "\"")] $name = $id,)*
        }

        impl SystemCounter {
            /// All, by rising id.
            pub const ALL: [SystemCounter; COUNT] = [$(SystemCounter::$name),*];

            /// Its label before anything is appended; of `Errors` and `AeronVersion`, what comes before the version.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self { $(SystemCounter::$name => $label,)* }
            }
        }
    };
}

system_counters! {
    0 BytesSent "Bytes sent"
    1 BytesReceived "Bytes received"
    2 ReceiverProxyFails "Failed offers to ReceiverProxy"
    3 SenderProxyFails "Failed offers to SenderProxy"
    4 ConductorProxyFails "Failed offers to DriverConductorProxy"
    5 NakMessagesSent "NAKs sent"
    6 NakMessagesReceived "NAKs received"
    7 StatusMessagesSent "Status Messages sent"
    8 StatusMessagesReceived "Status Messages received"
    9 HeartbeatsSent "Heartbeats sent"
    10 HeartbeatsReceived "Heartbeats received"
    11 RetransmitsSent "Retransmits sent"
    12 FlowControlUnderRuns "Flow control under runs"
    13 FlowControlOverRuns "Flow control over runs"
    14 InvalidPackets "Invalid packets"
    15 Errors "Errors:"
    16 ShortSends "Short sends"
    17 FreeFails "Failed attempts to free log buffers"
    18 SenderFlowControlLimits "Sender flow control limits, i.e. back-pressure events"
    19 UnblockedPublications "Unblocked Publications"
    20 UnblockedCommands "Unblocked Control Commands"
    21 PossibleTtlAsymmetry "Possible TTL Asymmetry"
    22 ControllableIdleStrategy "ControllableIdleStrategy status"
    23 LossGapFills "Loss gap fills"
    24 ClientTimeouts "Client liveness timeouts"
    25 ResolutionChanges "Resolution changes"
    26 ConductorMaxCycleTime "Conductor max cycle time doing its work in ns"
    27 ConductorCycleTimeThresholdExceeded "Conductor work cycle exceeded threshold count"
    28 SenderMaxCycleTime "Sender max cycle time doing its work in ns"
    29 SenderCycleTimeThresholdExceeded "Sender work cycle exceeded threshold count"
    30 ReceiverMaxCycleTime "Receiver max cycle time doing its work in ns"
    31 ReceiverCycleTimeThresholdExceeded "Receiver work cycle exceeded threshold count"
    32 NameResolverMaxTime "NameResolver max time in ns"
    33 NameResolverTimeThresholdExceeded "NameResolver exceeded threshold count"
    34 AeronVersion "Aeron software:"
    35 BytesCurrentlyMapped "Bytes currently mapped"
    36 RetransmittedBytes "Retransmitted bytes"
    37 RetransmitOverflow "Retransmit Pool Overflow count"
    38 ErrorFramesReceived "Error Frames received"
    39 ErrorFramesSent "Error Frames sent"
    40 PublicationsRevoked "Publications Revoked"
    41 PublicationImagesRevoked "Publication Images Revoked"
    42 ImagesRejected "Images rejected"
    43 ControlProtocolVersion "Control protocol version"
    44 StatusMessagesRejected "Status Messages rejected"
    45 NativeResourceAgentProxyFails "Failed offers to NativeResourceAgentProxy"
}

impl SystemCounter {
    /// Its counter id.
    #[must_use]
    pub const fn id(self) -> CounterId {
        CounterId(self as i32)
    }

    /// How it is allocated; `version` and `commit` are of the driver's software.
    #[must_use]
    pub fn new_counter(self, version: &str, commit: &str) -> NewCounter {
        let (id, label) = (self as i32, self.label());
        let key = id.to_le_bytes();
        let counter = match self {
            SystemCounter::Errors | SystemCounter::AeronVersion => NewCounter::new(
                type_id::SYSTEM_COUNTER,
                &key,
                format_args!("{label} version={version} commit={commit}"),
            ),
            _ => NewCounter::new(type_id::SYSTEM_COUNTER, &key, label),
        };
        NewCounter { registration_id: id.into(), owner_id: NULL_OWNER, ..counter }
    }
}

/// Allocates all of them in a manager that has not allocated anything.
///
/// # Errors
/// When there is no room for them.
///
/// # Panics
/// When the manager has allocated before: the ids are fixed.
pub fn allocate<M, S>(
    manager: &mut CountersManager<M, S>,
    version: &str,
    commit: &str,
    now_ms: i64,
) -> Result<(), AllocateError>
where
    M: Memory,
    S: AsRef<[CounterSlot]> + AsMut<[CounterSlot]>,
{
    for counter in SystemCounter::ALL {
        let allocated = manager.allocate_counter(&counter.new_counter(version, commit), now_ms)?;
        assert_eq!(allocated.id(), counter.id(), "system counters come first");
    }
    Ok(())
}
