//! The columns of the suite's table: a scenario is a function, and these macros make a test of it for every driver and
//! every choice of clients.

/// A test for both drivers.
macro_rules! for_drivers {
    ($($scenario:ident),* $(,)?) => {$(
        mod $scenario {
            use gannet_interop::Driver;

            #[test]
            fn gannetd() {
                super::$scenario(Driver::Gannetd);
            }
            #[test]
            fn official_driver() {
                super::$scenario(Driver::Official);
            }
        }
    )*};
}

/// A test for both drivers and both clients.
macro_rules! for_peers {
    ($($scenario:ident),* $(,)?) => {$(
        mod $scenario {
            use gannet_interop::{Driver, Peer};

            #[test]
            fn gannetd_official() {
                super::$scenario(Driver::Gannetd, Peer::Official);
            }
            #[test]
            fn gannetd_ours() {
                super::$scenario(Driver::Gannetd, Peer::Ours);
            }
            #[test]
            fn official_driver_official() {
                super::$scenario(Driver::Official, Peer::Official);
            }
            #[test]
            fn official_driver_ours() {
                super::$scenario(Driver::Official, Peer::Ours);
            }
        }
    )*};
}

/// A test for both drivers and every pair of clients, the publishing (or acting) one first.
macro_rules! for_pairs {
    ($($scenario:ident),* $(,)?) => {$(
        mod $scenario {
            use gannet_interop::{Driver, Peer};

            #[test]
            fn gannetd_official_to_official() {
                super::$scenario(Driver::Gannetd, Peer::Official, Peer::Official);
            }
            #[test]
            fn gannetd_official_to_ours() {
                super::$scenario(Driver::Gannetd, Peer::Official, Peer::Ours);
            }
            #[test]
            fn gannetd_ours_to_official() {
                super::$scenario(Driver::Gannetd, Peer::Ours, Peer::Official);
            }
            #[test]
            fn gannetd_ours_to_ours() {
                super::$scenario(Driver::Gannetd, Peer::Ours, Peer::Ours);
            }
            #[test]
            fn official_driver_official_to_official() {
                super::$scenario(Driver::Official, Peer::Official, Peer::Official);
            }
            #[test]
            fn official_driver_official_to_ours() {
                super::$scenario(Driver::Official, Peer::Official, Peer::Ours);
            }
            #[test]
            fn official_driver_ours_to_official() {
                super::$scenario(Driver::Official, Peer::Ours, Peer::Official);
            }
            #[test]
            fn official_driver_ours_to_ours() {
                super::$scenario(Driver::Official, Peer::Ours, Peer::Ours);
            }
        }
    )*};
}
