//! Every length, by every way to publish, shared and exclusive, between every pair of clients on both drivers; and
//! every way to poll.

use crate::support::{How, Pair, transfer};
use gannet_interop::peer::Way;
use gannet_interop::{Driver, Peer};
use gannet_tests::messages::Chance;

/// A row of the table.
#[derive(Clone, Copy)]
struct Case {
    driver: Driver,
    publisher: Peer,
    subscriber: Peer,
    exclusive: bool,
    how: How,
}

/// The longest message for terms of 64 KiB.
const MAXIMUM: usize = 8 * 1024;

impl Case {
    /// Sends enough messages of `length` to pass through more than three terms.
    fn run(self, length: usize) {
        let term_length: usize = if length > MAXIMUM { 8 * length } else { 64 * 1024 };
        let channel = format!("aeron:ipc?term-length={term_length}");
        let mut pair = Pair::new(self.driver, self.publisher, self.subscriber, self.exclusive, &channel);
        let constants = pair.publication.constants();
        assert_eq!((constants.term_length, constants.max_message_length), (term_length, term_length / 8));
        assert_eq!((constants.max_payload_length, constants.channel.as_str()), (1376, channel.as_str()));
        let frames_length = (length / 1376) * 1408 + (length % 1376 + 32).next_multiple_of(32);
        let count = 7 * term_length / 2 / frames_length;
        transfer(&mut pair, self.how, Way::Assembled, count.max(20) as u64, |_| length);
        assert!(pair.publication.position().unwrap() > 3 * term_length as i64, "three terms were filled");
    }
}

macro_rules! lengths {
    ($driver:ident, $publisher:ident, $subscriber:ident, $exclusive:literal, $how:ident: $($name:ident = $length:expr),*) => {$(
        #[test]
        fn $name() {
            let (driver, publisher, subscriber) = (Driver::$driver, Peer::$publisher, Peer::$subscriber);
            Case { driver, publisher, subscriber, exclusive: $exclusive, how: How::$how }.run($length);
        }
    )*};
}

macro_rules! hows {
    ($driver:ident, $publisher:ident, $subscriber:ident, $exclusive:literal) => {
        mod offer {
            use super::*;
            lengths!($driver, $publisher, $subscriber, $exclusive, Offer:
                length_0 = 0, length_1 = 1, length_31 = 31, length_32 = 32, length_1376 = 1376, length_1377 = 1377,
                length_64k = 64 * 1024, length_maximum = MAXIMUM);
        }
        mod vectored {
            use super::*;
            lengths!($driver, $publisher, $subscriber, $exclusive, Parts:
                length_0 = 0, length_1 = 1, length_31 = 31, length_32 = 32, length_1376 = 1376, length_1377 = 1377,
                length_64k = 64 * 1024, length_maximum = MAXIMUM);
        }
        mod claim {
            use super::*;
            lengths!($driver, $publisher, $subscriber, $exclusive, Claim:
                length_0 = 0, length_1 = 1, length_31 = 31, length_32 = 32, length_1376 = 1376);
        }
    };
}

macro_rules! pairs {
    ($($name:ident: $driver:ident, $publisher:ident => $subscriber:ident;)*) => {$(
        mod $name {
            use super::*;
            mod shared {
                use super::*;
                hows!($driver, $publisher, $subscriber, false);
            }
            mod exclusive {
                use super::*;
                hows!($driver, $publisher, $subscriber, true);
            }
            ways!($driver, $publisher, $subscriber);
        }
    )*};
}

macro_rules! ways {
    ($driver:ident, $publisher:ident, $subscriber:ident) => {
        mod polls {
            use super::*;
            #[test]
            fn assembled() {
                mixed(Driver::$driver, Peer::$publisher, Peer::$subscriber, Way::Assembled, MAXIMUM);
            }
            #[test]
            fn fragments() {
                mixed(Driver::$driver, Peer::$publisher, Peer::$subscriber, Way::Fragments, 1376);
            }
            #[test]
            fn controlled() {
                mixed(Driver::$driver, Peer::$publisher, Peer::$subscriber, Way::Controlled, MAXIMUM);
            }
            #[test]
            fn bounded() {
                mixed(Driver::$driver, Peer::$publisher, Peer::$subscriber, Way::Bounded, MAXIMUM);
            }
            #[test]
            fn block() {
                mixed(Driver::$driver, Peer::$publisher, Peer::$subscriber, Way::Block, 1376);
            }
        }
    };
}

pairs! {
    gannetd_official_to_official: Gannetd, Official => Official;
    gannetd_official_to_ours: Gannetd, Official => Ours;
    gannetd_ours_to_official: Gannetd, Ours => Official;
    gannetd_ours_to_ours: Gannetd, Ours => Ours;
    official_driver_official_to_official: Official, Official => Official;
    official_driver_official_to_ours: Official, Official => Ours;
    official_driver_ours_to_official: Official, Ours => Official;
    official_driver_ours_to_ours: Official, Ours => Ours;
}

/// Messages of mixed lengths, by a way to poll.
fn mixed(driver: Driver, publisher: Peer, subscriber: Peer, way: Way, longest: usize) {
    let mut pair = Pair::new(driver, publisher, subscriber, false, "aeron:ipc?term-length=64k");
    let length = |number| usize::try_from(Chance(number).below(longest as u64 + 1)).unwrap();
    transfer(&mut pair, How::Offer, way, 400, length);
}

/// The longest message that Aeron knows: 16 MiB, in terms of 128 MiB.
fn sixteen_mebibytes(driver: Driver, publisher: Peer, subscriber: Peer) {
    let channel = "aeron:ipc?term-length=128m|mtu=65504";
    let mut pair = Pair::new(driver, publisher, subscriber, true, channel);
    transfer(&mut pair, How::Offer, Way::Assembled, 3, |_| 16 * 1024 * 1024);
}

macro_rules! sixteen_mebibytes {
    ($($name:ident: $driver:ident, $publisher:ident => $subscriber:ident;)*) => {
        mod sixteen_mebibytes {
            use super::*;
            $(#[test]
            fn $name() {
                sixteen_mebibytes(Driver::$driver, Peer::$publisher, Peer::$subscriber);
            })*
        }
    };
}

sixteen_mebibytes! {
    gannetd_official_to_ours: Gannetd, Official => Ours;
    gannetd_ours_to_official: Gannetd, Ours => Official;
    official_driver_ours_to_ours: Official, Ours => Ours;
    official_driver_official_to_official: Official, Official => Official;
}
