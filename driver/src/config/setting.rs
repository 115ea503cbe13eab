//! One setting: its name, what it accepts, and the field that it fills. `[any]`
//!
//! What is given is taken as the C driver's `aeron_config_parse_*` take it: out of range becomes the nearest end of
//! the range, what cannot be read becomes the default. The C driver does the first in silence; here every value that
//! is not taken as given is told.

use std::ffi::OsStr;
use std::fmt;

use gannet_core::uri::value::{
    parse_duration_ns, parse_i32, parse_i64_saturating, parse_size, parse_switch, parse_u64_prefix,
};

use super::context::Context;

/// Which part of the driver a setting concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The driver as a whole: directory, process, configuration.
    Driver,
    /// Threads and how they wait.
    Threads,
    /// The files that driver and clients share.
    Files,
    /// Publications and subscriptions of every kind, `aeron:ipc` among them.
    Streams,
    /// Channels over UDP.
    Network,
    /// Fault injection in channels over UDP.
    Debug,
    /// Clients, which read it themselves; known here so that `--strict` lets it pass.
    Client,
    /// The C driver only: known here, and without effect.
    Unsupported,
}

/// How a number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Bytes, with `k`, `m` or `g`.
    Size,
    /// Nanoseconds, with `us`, `ms` or `s`.
    Duration,
    /// An unsigned number; what follows it is ignored, as the C driver does.
    Unsigned,
    /// A number of 32 bits; beyond them it counts as unreadable, as to the C driver.
    Signed32,
    /// A number of 64 bits.
    Signed64,
}

/// What becomes of a word that is none of those accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// The default is taken.
    Default,
    /// This is taken.
    Taken(&'static str),
    /// The driver does not start.
    Refused,
}

/// What a setting accepts and which field it fills.
#[derive(Clone, Copy)]
pub enum Kind {
    /// A boolean.
    Switch {
        /// The field.
        read: fn(&Context) -> bool,
        /// Fills it.
        write: fn(&mut Context, bool),
    },
    /// A number in a range.
    Number {
        /// How it is written.
        form: Form,
        /// The least that is accepted.
        min: i128,
        /// The most that is accepted.
        max: i128,
        /// The field; none while it is unset.
        read: fn(&Context) -> Option<i128>,
        /// Fills it with a number in the range.
        write: fn(&mut Context, i128),
        /// Fills it when what was given cannot be read; the C driver knows one such case.
        unreadable: Option<i128>,
    },
    /// One of a few words.
    Choice {
        /// The field's word.
        read: fn(&Context) -> &'static str,
        /// Fills it; whether there is such a word.
        write: fn(&mut Context, &str) -> bool,
        /// The words.
        accepted: fn() -> String,
        /// What becomes of any other.
        unknown: Unknown,
    },
    /// A text that something else makes sense of.
    Text {
        /// The field; none while it is unset.
        read: fn(&Context) -> Option<String>,
        /// Fills it.
        write: fn(&mut Context, &OsStr),
    },
    /// A pair of ports.
    Ports {
        /// The field; none while it is unset.
        read: fn(&Context) -> Option<String>,
        /// Fills it; whether it is a pair of ports.
        write: fn(&mut Context, &str) -> bool,
    },
    /// A boolean about the configuration itself, with no field.
    Meta,
    /// A name that others read, or nobody.
    Foreign,
}

/// One row of the table.
#[derive(Clone, Copy)]
pub struct Setting {
    /// The variable.
    pub name: &'static str,
    /// What it concerns.
    pub scope: Scope,
    /// What it accepts.
    pub kind: Kind,
    /// What it is for, in a sentence.
    pub doc: &'static str,
}

/// How a value was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// As given.
    AsGiven,
    /// Something else was.
    Instead {
        /// What is wrong with what was given, behind its name and value.
        reason: String,
        /// What the setting is now.
        taken: String,
    },
    /// Nothing can be.
    Refused(String),
}

impl Setting {
    /// Fills the field from a text.
    pub fn apply(&self, context: &mut Context, given: &OsStr) -> Taken {
        let text = given.to_str();
        match self.kind {
            Kind::Switch { write, .. } => match text.map(parse_switch) {
                Some(Ok(value)) => {
                    write(context, value);
                    Taken::AsGiven
                }
                _ => self.keep(context),
            },
            Kind::Number { form, min, max, write, unreadable, .. } => {
                let Some(number) = text.and_then(|text| form.parse(text)) else {
                    if let Some(number) = unreadable {
                        write(context, number);
                    }
                    return self.keep(context);
                };
                write(context, number.clamp(min, max));
                if (min..=max).contains(&number) {
                    return Taken::AsGiven;
                }
                Taken::Instead { reason: format!("is not {}", self.accepted()), taken: self.shown(context) }
            }
            Kind::Choice { write, unknown, .. } => {
                if text.is_some_and(|text| write(context, text)) {
                    return Taken::AsGiven;
                }
                match unknown {
                    Unknown::Default => self.keep(context),
                    Unknown::Taken(word) => {
                        write(context, word);
                        self.keep(context)
                    }
                    Unknown::Refused => Taken::Refused(format!("is not {}", self.accepted())),
                }
            }
            Kind::Text { write, .. } => {
                write(context, given);
                Taken::AsGiven
            }
            Kind::Ports { write, .. } => {
                if text.is_some_and(|text| write(context, text)) {
                    return Taken::AsGiven;
                }
                Taken::Refused(format!("is not {}", self.accepted()))
            }
            Kind::Meta => match text.map(parse_switch) {
                Some(Ok(_)) => Taken::AsGiven,
                _ => self.keep(context),
            },
            Kind::Foreign => Taken::AsGiven,
        }
    }

    fn keep(&self, context: &Context) -> Taken {
        Taken::Instead { reason: format!("is not {}", self.accepted()), taken: self.shown(context) }
    }

    /// The field's value as one would write it; `(unset)` where there is none.
    #[must_use]
    pub fn shown(&self, context: &Context) -> String {
        const UNSET: &str = "(unset)";
        match self.kind {
            Kind::Switch { read, .. } => read(context).to_string(),
            Kind::Number { form, read, .. } => {
                read(context).map_or_else(|| UNSET.to_owned(), |number| form.shown(number))
            }
            Kind::Choice { read, .. } => read(context).to_owned(),
            Kind::Text { read, .. } | Kind::Ports { read, .. } => read(context).unwrap_or_else(|| UNSET.to_owned()),
            Kind::Meta => "false".to_owned(),
            Kind::Foreign => UNSET.to_owned(),
        }
    }

    /// What is accepted, as the end of a sentence.
    #[must_use]
    pub fn accepted(&self) -> String {
        match self.kind {
            Kind::Switch { .. } | Kind::Meta => "true (1, on) or false (0, off)".to_owned(),
            Kind::Number { form, min, max, .. } => {
                let what = match form {
                    Form::Size => "a number of bytes (k, m, g)",
                    Form::Duration => "a duration (ns, us, ms, s)",
                    Form::Unsigned | Form::Signed32 | Form::Signed64 => "a number",
                };
                let (least, most) = (form.shown(min), form.shown(max));
                if max < i128::from(i64::MAX) {
                    format!("{what} from {least} to {most}")
                } else if min > i128::from(i64::MIN) {
                    format!("{what} of at least {least}")
                } else {
                    format!("{what} of 64 bits")
                }
            }
            Kind::Choice { accepted, .. } => format!("one of {}", accepted()),
            Kind::Text { .. } | Kind::Foreign => "any text".to_owned(),
            Kind::Ports { .. } => "two ports, the lower first, such as `20000 20100`".to_owned(),
        }
    }
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setting").field("name", &self.name).field("scope", &self.scope).finish_non_exhaustive()
    }
}

impl Form {
    fn parse(self, text: &str) -> Option<i128> {
        match self {
            Form::Size => parse_size(text).map(i128::from),
            Form::Duration => parse_duration_ns(text).map(i128::from),
            Form::Unsigned => parse_u64_prefix(text).map(i128::from),
            Form::Signed32 => parse_i32(text).map(i128::from),
            Form::Signed64 => parse_i64_saturating(text).map(i128::from),
        }
        .ok()
    }

    /// A number with the largest unit that leaves it whole.
    fn shown(self, number: i128) -> String {
        let units: &[(i128, &str)] = match self {
            Form::Size => &[(1 << 30, "g"), (1 << 20, "m"), (1 << 10, "k")],
            Form::Duration => &[(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us"), (1, "ns")],
            Form::Unsigned | Form::Signed32 | Form::Signed64 => &[],
        };
        match units.iter().find(|(unit, _)| number != 0 && number % unit == 0) {
            Some((unit, suffix)) => format!("{}{suffix}", number / unit),
            None => number.to_string(),
        }
    }
}
