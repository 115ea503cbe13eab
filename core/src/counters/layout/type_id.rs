//! Type ids of counters, as `aeron_counters.h` assigns them. `[any]`

use core::ops::RangeInclusive;

/// The driver's counters of itself: [`system`](super::super::system).
pub const SYSTEM_COUNTER: i32 = 0;
/// `pub-lmt`.
pub const PUBLISHER_LIMIT: i32 = 1;
/// `snd-pos`.
pub const SENDER_POSITION: i32 = 2;
/// `rcv-hwm`.
pub const RECEIVER_HWM: i32 = 3;
/// `sub-pos`.
pub const SUBSCRIBER_POSITION: i32 = 4;
/// `rcv-pos`.
pub const RECEIVER_POSITION: i32 = 5;
/// `snd-channel`.
pub const SEND_CHANNEL_STATUS: i32 = 6;
/// `rcv-channel`.
pub const RECEIVE_CHANNEL_STATUS: i32 = 7;
/// `snd-lmt`.
pub const SENDER_LIMIT: i32 = 9;
/// Congestion control's counters of an image.
pub const PER_IMAGE: i32 = 10;
/// `client-heartbeat`.
pub const CLIENT_HEARTBEAT_TIMESTAMP: i32 = 11;
/// `pub-pos`.
pub const PUBLISHER_POSITION: i32 = 12;
/// `snd-bpe`.
pub const SENDER_BPE: i32 = 13;
/// `snd-local-sockaddr` and `rcv-local-sockaddr`.
pub const LOCAL_SOCKADDR: i32 = 14;
/// `Resolver neighbors`.
pub const NAME_RESOLVER_NEIGHBORS: i32 = 15;
/// `Resolver cache entries`.
pub const NAME_RESOLVER_CACHE_ENTRIES: i32 = 16;
/// `fc-receivers`.
pub const FLOW_CONTROL_RECEIVERS: i32 = 17;
/// `mdc-num-dest`.
pub const CHANNEL_NUM_DESTINATIONS: i32 = 18;
/// `snd-naks-received`.
pub const SENDER_NAKS_RECEIVED: i32 = 19;
/// `rcv-naks-sent`.
pub const RECEIVER_NAKS_SENT: i32 = 20;
/// `Bootstrap neighbor`.
pub const NAME_RESOLVER_BOOTSTRAP_NEIGHBOR: i32 = 21;

/// Of the premium transports (ef_vi, VMA, ATS, DPDK).
pub const PREMIUM: RangeInclusive<i32> = 50..=95;

/// `rec-pos`: up to where the archive has recorded.
pub const ARCHIVE_RECORDING_POSITION: i32 = 100;
/// The archive's errors.
pub const ARCHIVE_ERROR_COUNT: i32 = 101;
/// The archive's control sessions.
pub const ARCHIVE_CONTROL_SESSIONS: i32 = 102;
/// The longest work cycle of an archive's agent, in nanoseconds.
pub const ARCHIVE_MAX_CYCLE_TIME: i32 = 103;
/// How often a work cycle of an archive's agent took longer than its threshold.
pub const ARCHIVE_CYCLE_TIME_THRESHOLD_EXCEEDED: i32 = 104;
/// The recorder's longest write, in nanoseconds.
pub const ARCHIVE_RECORDER_MAX_WRITE_TIME: i32 = 105;
/// What the recorder has written, in bytes.
pub const ARCHIVE_RECORDER_TOTAL_WRITE_BYTES: i32 = 106;
/// How long the recorder has written, in nanoseconds.
pub const ARCHIVE_RECORDER_TOTAL_WRITE_TIME: i32 = 107;
/// The replayer's longest read, in nanoseconds.
pub const ARCHIVE_REPLAYER_MAX_READ_TIME: i32 = 108;
/// What the replayer has read, in bytes.
pub const ARCHIVE_REPLAYER_TOTAL_READ_BYTES: i32 = 109;
/// How long the replayer has read, in nanoseconds.
pub const ARCHIVE_REPLAYER_TOTAL_READ_TIME: i32 = 110;
/// The archive's replays.
pub const ARCHIVE_REPLAY_SESSION_COUNT: i32 = 112;
/// A control session of the archive.
pub const ARCHIVE_CONTROL_SESSION: i32 = 113;
/// Of persistent subscriptions: state, join difference, live left and live joined counts.
pub const ARCHIVE_PERSISTENT_SUBSCRIPTION: RangeInclusive<i32> = 114..=117;

/// Of the cluster.
pub const CLUSTER: RangeInclusive<i32> = 200..=241;
/// Of the selector.
pub const SELECTOR: RangeInclusive<i32> = 300..=303;
/// Of the sequencer.
pub const SEQUENCER: RangeInclusive<i32> = 500..=570;
