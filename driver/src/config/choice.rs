//! Settings that are one of a few words. `[any]`
//!
//! Mirrors the C driver's `aeron_config_parse_threading_mode` and its kin, and the symbol tables by whose names
//! strategies and suppliers are chosen. A symbol table knows each thing by a short name and by its C symbol.

use std::fmt;

use gannet_core::uri::value::InferableBoolean;
use gannet_transport_ipc::Sharing;

/// A word that names one of several things.
pub trait Choice: Copy + PartialEq + Sized + 'static {
    /// Each thing with its names, the one that is shown first.
    const NAMES: &'static [(Self, &'static [&'static str])];

    /// The thing of a name, spelled exactly.
    #[must_use]
    fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, names)| names.contains(&name)).map(|(choice, _)| *choice)
    }

    /// The name that is shown.
    #[must_use]
    fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(choice, _)| *choice == self).map_or("", |(_, names)| names[0])
    }

    /// The names that are shown, between commas.
    #[must_use]
    fn accepted() -> String {
        Self::NAMES.iter().map(|(_, names)| names[0]).collect::<Vec<_>>().join(", ")
    }
}

macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $($text:literal)|+,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl Choice for $name {
            const NAMES: &'static [(Self, &'static [&'static str])] = &[$(($name::$variant, &[$($text),+]),)+];
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }
    };
}

choice! {
    /// Which agents share a thread.
    ThreadingMode {
        /// Conductor, sender, receiver and native-resource agent each have their own.
        #[default]
        Dedicated = "DEDICATED",
        /// Sender and receiver share one; conductor and native-resource agent each have their own.
        SharedNetwork = "SHARED_NETWORK",
        /// All share one.
        Shared = "SHARED",
        /// None: whoever embeds the driver calls it.
        Invoker = "INVOKER",
    }
}

choice! {
    /// How the agents' threads are called.
    ThreadNaming {
        /// `conductor`, `sender`, `receiver`, `[sender, receiver]`, `[conductor, sender, receiver]`.
        #[default]
        Classic = "classic",
        /// `aeron-md-cnd`, `aeron-md-snd`, `aeron-md-rcv`, `aeron-md-net`, `aeron-md-shd`.
        New = "new",
    }
}

choice! {
    /// Whether a client may ask the driver to terminate.
    TerminationValidator {
        /// Nobody may.
        #[default]
        Deny = "deny" | "aeron_driver_termination_validator_default_deny",
        /// Every client may.
        Allow = "allow" | "aeron_driver_termination_validator_default_allow",
    }
}

choice! {
    /// How a sender's limit follows its receivers.
    FlowControl {
        /// By the furthest of one receiver.
        #[default]
        Unicast = "unicast_max" | "aeron_unicast_flow_control_strategy_supplier",
        /// By the furthest of many.
        Max = "multicast_max" | "aeron_max_multicast_flow_control_strategy_supplier",
        /// By the slowest of many.
        Min = "multicast_min" | "aeron_min_flow_control_strategy_supplier",
        /// By the slowest of those with the tag.
        Tagged = "multicast_tagged" | "aeron_tagged_flow_control_strategy_supplier",
    }
}

choice! {
    /// How a receiver's window follows what the network bears.
    CongestionControl {
        /// As the channel's `cc` says, else static.
        #[default]
        Channel = "default" | "aeron_congestion_control_default_strategy_supplier",
        /// One window for ever.
        Static = "static" | "aeron_static_window_congestion_control_strategy_supplier",
        /// CUBIC.
        Cubic = "cubic" | "aeron_cubic_congestion_control_strategy_supplier",
    }
}

choice! {
    /// Who turns names into addresses.
    NameResolver {
        /// The operating system.
        #[default]
        System = "default" | "aeron_default_name_resolver_supplier",
        /// The drivers among themselves, then the operating system.
        Driver = "driver" | "aeron_driver_name_resolver_supplier",
        /// A table in the init args.
        CsvTable = "csv_table" | "aeron_csv_table_name_resolver_supplier",
    }
}

choice! {
    /// Who moves datagrams for channels that do not say.
    MediaBindings {
        /// Plain UDP sockets.
        #[default]
        Default = "default" | "aeron_udp_channel_transport_bindings_default",
    }
}

choice! {
    /// The name of an idle strategy; its init args stand beside it.
    IdleStrategyName {
        /// Spins, then yields, then parks for longer and longer.
        #[default]
        Backoff = "backoff" | "aeron_idle_strategy_backoff",
        /// Sleeps for a fixed time.
        Sleeping = "sleep-ns" | "sleeping" | "aeron_idle_strategy_sleeping",
        /// Yields its time slice.
        Yielding = "yield" | "aeron_idle_strategy_yielding",
        /// Spins with a pause instruction.
        BusySpinning = "spin" | "aeron_idle_strategy_busy_spinning",
        /// Spins.
        Noop = "noop" | "aeron_idle_strategy_noop",
    }
}

impl Choice for Sharing {
    const NAMES: &'static [(Self, &'static [&'static str])] =
        &[(Sharing::Owner, &["owner"]), (Sharing::Group, &["group"]), (Sharing::World, &["world"])];
}

impl Choice for InferableBoolean {
    const NAMES: &'static [(Self, &'static [&'static str])] = &[
        (InferableBoolean::Infer, &["infer"]),
        (InferableBoolean::ForceTrue, &["true"]),
        (InferableBoolean::ForceFalse, &["false"]),
    ];
}

/// How an agent waits when it has no work: a strategy, and what it is told at the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdleStrategyConfig {
    /// Which strategy.
    pub name: IdleStrategyName,
    /// Its init args, such as `10-20-1us-1ms` for back-off or `1ms` for sleeping; none for its own defaults.
    pub init_args: Option<String>,
}

/// The ports from which a wildcard port is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRange {
    /// The lowest.
    pub low: u16,
    /// The highest, inclusive.
    pub high: u16,
}

impl PortRange {
    /// Two decimal numbers with white space between them, the lower first.
    #[must_use]
    pub fn parse(text: &str) -> Option<PortRange> {
        let mut numbers = text.split_ascii_whitespace().map(|number| number.parse().ok());
        match (numbers.next()??, numbers.next()??, numbers.next()) {
            (low, high, None) if low <= high => Some(PortRange { low, high }),
            _ => None,
        }
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.low, self.high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_known_by_short_name_and_c_symbol_spelled_exactly() {
        assert_eq!(ThreadingMode::named("SHARED_NETWORK"), Some(ThreadingMode::SharedNetwork));
        assert_eq!(ThreadingMode::named("shared"), None);
        assert_eq!(IdleStrategyName::named("sleeping"), Some(IdleStrategyName::Sleeping));
        assert_eq!(FlowControl::named("aeron_min_flow_control_strategy_supplier"), Some(FlowControl::Min));
        assert_eq!(IdleStrategyName::accepted(), "backoff, sleep-ns, yield, spin, noop");
    }

    #[test]
    fn port_ranges_rise_within_sixteen_bits() {
        assert_eq!(PortRange::parse("1000 2000"), Some(PortRange { low: 1000, high: 2000 }));
        assert_eq!(PortRange::parse(" 7\t7 "), Some(PortRange { low: 7, high: 7 }));
        for text in ["", "1000", "2000 1000", "0 65536", "1-2", "1 2 3", "-1 2"] {
            assert_eq!(PortRange::parse(text), None, "{text:?}");
        }
    }
}
