//! Every setting that a driver knows, in one table. `[any]`
//!
//! From it come the parsing of every source, `--help`, `--print-config`, the warnings, and `docs/configuration.md`.
//! Names, types and ranges: driver.md §15, 15a and 15b; defaults are those of [`Context`](super::Context).

mod driver;
mod network;
mod other;
mod streams;

use super::setting::Setting;

const I32_MIN: i128 = i32::MIN as i128;
const I32_MAX: i128 = i32::MAX as i128;
const I64_MIN: i128 = i64::MIN as i128;
const I64_MAX: i128 = i64::MAX as i128;
const U64_MAX: i128 = u64::MAX as i128;
/// Aeron's longest term, 1 GiB.
const TERM_MAX: i128 = 1 << 30;

/// Makes rows: `kind NAME Scope field "sentence"`.
macro_rules! settings {
    ($table:ident:
        $($kind:ident($($argument:tt)*) $name:literal $scope:ident $(= $($field:ident).+)?, $doc:literal;)+
    ) => {
        pub(super) const $table: &[$crate::config::setting::Setting] = &[$($crate::config::setting::Setting {
            name: $name,
            scope: $crate::config::setting::Scope::$scope,
            kind: settings!(@$kind($($argument)*) $($($field).+)?),
            doc: $doc,
        },)+];
    };
    (@switch() $($field:ident).+) => {
        $crate::config::setting::Kind::Switch {
            read: |context| context.$($field).+,
            write: |context, value| context.$($field).+ = value,
        }
    };
    (@size($min:expr, $max:expr) $($field:ident).+) => { settings!(@number(Size, $min, $max) $($field).+) };
    (@duration($min:expr) $($field:ident).+) => {
        settings!(@number(Duration, $min, $crate::config::table::I64_MAX) $($field).+)
    };
    (@number($form:ident, $min:expr, $max:expr) $($field:ident).+) => {
        $crate::config::setting::Kind::Number {
            form: $crate::config::setting::Form::$form,
            min: $min,
            max: $max,
            #[allow(clippy::cast_lossless)] // there is no From for usize
            read: |context| Some(context.$($field).+ as i128),
            // The range fits the field's type, which a test makes sure of.
            write: |context, number| {
                if let Ok(number) = number.try_into() {
                    context.$($field).+ = number;
                }
            },
            unreadable: None,
        }
    };
    (@optional($form:ident, $min:expr, $max:expr, $unreadable:expr) $($field:ident).+) => {
        $crate::config::setting::Kind::Number {
            form: $crate::config::setting::Form::$form,
            min: $min,
            max: $max,
            read: |context| context.$($field).+.map(i128::from),
            write: |context, number| context.$($field).+ = number.try_into().ok(),
            unreadable: $unreadable,
        }
    };
    (@choice($type:ty, $unknown:expr) $($field:ident).+) => {
        $crate::config::setting::Kind::Choice {
            read: |context| $crate::config::choice::Choice::name(context.$($field).+),
            write: |context, word| match <$type as $crate::config::choice::Choice>::named(word) {
                Some(choice) => {
                    context.$($field).+ = choice;
                    true
                }
                None => false,
            },
            accepted: <$type as $crate::config::choice::Choice>::accepted,
            unknown: $unknown,
        }
    };
    (@text() $($field:ident).+) => {
        $crate::config::setting::Kind::Text {
            read: |context| context.$($field).+.clone(),
            write: |context, text| context.$($field).+ = Some(text.to_string_lossy().into_owned()),
        }
    };
    (@path() $($field:ident).+) => {
        $crate::config::setting::Kind::Text {
            read: |context| Some(context.$($field).+.display().to_string()),
            write: |context, text| context.$($field).+ = text.into(),
        }
    };
    (@ports() $($field:ident).+) => {
        $crate::config::setting::Kind::Ports {
            read: |context| context.$($field).+.map(|range| range.to_string()),
            write: |context, text| match $crate::config::choice::PortRange::parse(text) {
                Some(range) => {
                    context.$($field).+ = Some(range);
                    true
                }
                None => false,
            },
        }
    };
    (@meta()) => { $crate::config::setting::Kind::Meta };
    (@foreign()) => { $crate::config::setting::Kind::Foreign };
}
use settings;

/// The variable that makes warnings and unknown names errors.
pub const STRICT: &str = "GANNET_STRICT";
/// The variable that chooses the small profile.
pub const SMALL: &str = "GANNET_SMALL";

/// All settings, in the order in which they are applied and shown.
pub fn all() -> impl Iterator<Item = &'static Setting> {
    [driver::DRIVER, driver::THREADS, driver::FILES, streams::STREAMS, network::NETWORK, network::RESOLVER]
        .into_iter()
        .chain([other::DEBUG, other::CLIENT, other::UNSUPPORTED])
        .flatten()
}

/// The setting of a variable.
#[must_use]
pub fn find(name: &str) -> Option<&'static Setting> {
    all().find(|setting| setting.name == name)
}

/// Whether a variable looks as if it were a driver's: those of Aeron's archive and cluster are not.
#[must_use]
pub fn is_ours(name: &str) -> bool {
    (name.starts_with("AERON_") && !name.starts_with("AERON_ARCHIVE_") && !name.starts_with("AERON_CLUSTER_"))
        || name.starts_with("GANNET_")
}

/// The known name that looks most like an unknown one, if any looks much like it.
#[must_use]
pub fn nearest(unknown: &str) -> Option<&'static str> {
    all()
        .map(|setting| (distance(unknown, setting.name), setting.name))
        .min()
        .filter(|(edits, name)| *edits <= name.len() / 4)
        .map(|(_, name)| name)
}

/// How many letters must be changed, added or dropped to make one word of the other.
fn distance(one: &str, other: &str) -> usize {
    let other = other.as_bytes();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, letter) in one.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for column in 0..other.len() {
            let replaced = diagonal + usize::from(letter != other[column]);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}
