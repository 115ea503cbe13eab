//! Numbers, sizes, durations and booleans as operators write them. `[any]`
//!
//! One set of parsers for channel URIs and for the driver's settings, with the C driver's accept and reject rules:
//! mirrors `aeron_parse_util.c` and the `strtoll` that it rests on; uri.md §1. They say what a text means and nothing
//! of ranges: a URI refuses what is out of range, a setting clamps it.

use core::fmt;

/// A text that is no value of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueError {
    /// What would be one, as the end of a sentence: "a number of bytes …".
    pub accepts: &'static str,
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "is not {}", self.accepts)
    }
}

impl core::error::Error for ValueError {}

const INT32: ValueError = ValueError { accepts: "an integer from -2147483648 to 2147483647" };
const INT64: ValueError = ValueError { accepts: "a 64-bit integer" };
const UNSIGNED: ValueError = ValueError { accepts: "a number" };
const SIZE: ValueError = ValueError { accepts: "a number of bytes, with k, m or g after it if wanted" };
const DURATION: ValueError = ValueError { accepts: "a duration: a number of ns, us, ms or s" };
const BOOL: ValueError = ValueError { accepts: "true or false" };
const SWITCH: ValueError = ValueError { accepts: "true, on or 1, nor false, off or 0" };

/// In which base digits are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Base {
    /// 10 always.
    Decimal,
    /// 16 after `0x`, 8 after `0`, else 10: `strtol`'s base 0.
    Prefixed,
}

/// What `strtol` and its family see at the beginning of a text.
struct Leading<'a> {
    negative: bool,
    /// `None`: more than 64 bits.
    magnitude: Option<u64>,
    /// What follows the last digit.
    rest: &'a str,
}

/// White space, a sign, digits; `None` when there is no digit.
fn leading(text: &str, base: Base) -> Option<Leading<'_>> {
    let text = text.trim_start_matches([' ', '\t', '\n', '\x0B', '\x0C', '\r']);
    let (negative, text) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let is_hex = |text: &str| text.as_bytes().first().is_some_and(u8::is_ascii_hexdigit);
    let (radix, digits) = match (base, text.as_bytes()) {
        (Base::Prefixed, [b'0', b'x' | b'X', ..]) if is_hex(&text[2..]) => (16, &text[2..]),
        (Base::Prefixed, [b'0', ..]) => (8, text),
        _ => (10, text),
    };
    let mut magnitude = Some(0_u64);
    let mut count = 0;
    for digit in digits.chars().map_while(|character| character.to_digit(radix)) {
        magnitude = magnitude
            .and_then(|value| value.checked_mul(u64::from(radix)))
            .and_then(|value| value.checked_add(u64::from(digit)));
        count += 1; // a digit is one byte
    }
    (count > 0).then(|| Leading { negative, magnitude, rest: &digits[count..] })
}

impl Leading<'_> {
    /// As `strtoll`: whether it fits, and the value or the end of the range that it lies beyond.
    fn signed(&self) -> (i64, bool) {
        let (saturated, value) = if self.negative {
            (i64::MIN, self.magnitude.and_then(|magnitude| 0_i64.checked_sub_unsigned(magnitude)))
        } else {
            (i64::MAX, self.magnitude.and_then(|magnitude| i64::try_from(magnitude).ok()))
        };
        (value.unwrap_or(saturated), value.is_some())
    }

    /// As `strtoull`: a negative number wraps around, one beyond the range is its end.
    fn unsigned(&self) -> u64 {
        match self.magnitude {
            None => u64::MAX,
            Some(magnitude) if self.negative => magnitude.wrapping_neg(),
            Some(magnitude) => magnitude,
        }
    }
}

/// A whole text that is a 64-bit integer: decimal, `0x…` or `0…`, with a sign if wanted. An empty text is 0, as it is
/// to the C driver.
///
/// # Errors
/// When it is none, or lies outside 64 bits.
pub fn parse_i64(text: &str) -> Result<i64, ValueError> {
    match strict(text, Base::Prefixed) {
        Some((value, true)) => Ok(value),
        _ => Err(INT64),
    }
}

/// As [`parse_i64`], in decimal only: tags.
///
/// # Errors
/// When it is none, or lies outside 64 bits.
pub fn parse_decimal_i64(text: &str) -> Result<i64, ValueError> {
    match strict(text, Base::Decimal) {
        Some((value, true)) => Ok(value),
        _ => Err(INT64),
    }
}

/// As [`parse_i64`], where a number outside 64 bits is the end of the range that it lies beyond: settings, which are
/// clamped anyway.
///
/// # Errors
/// When it is no integer.
pub fn parse_i64_saturating(text: &str) -> Result<i64, ValueError> {
    strict(text, Base::Prefixed).map(|(value, _)| value).ok_or(INT64)
}

/// A whole text that is a 32-bit integer, written as for [`parse_i64`].
///
/// # Errors
/// When it is none, or lies outside 32 bits.
pub fn parse_i32(text: &str) -> Result<i32, ValueError> {
    parse_i64(text).ok().and_then(|value| i32::try_from(value).ok()).ok_or(INT32)
}

fn strict(text: &str, base: Base) -> Option<(i64, bool)> {
    if text.is_empty() {
        return Some((0, true));
    }
    leading(text, base).filter(|number| number.rest.is_empty()).map(|number| number.signed())
}

/// The unsigned number at the beginning of a text, written as for [`parse_i64`]; what follows is ignored. A negative
/// number wraps around and one beyond 64 bits is `u64::MAX`, as in C.
///
/// # Errors
/// When it does not begin with a number.
pub fn parse_u64_prefix(text: &str) -> Result<u64, ValueError> {
    leading(text, Base::Prefixed).map(|number| number.unsigned()).ok_or(UNSIGNED)
}

/// The decimal unsigned number at the beginning of a text, as [`parse_u64_prefix`]: channel tags.
///
/// # Errors
/// When it does not begin with a number.
pub fn parse_decimal_u64_prefix(text: &str) -> Result<u64, ValueError> {
    leading(text, Base::Decimal).map(|number| number.unsigned()).ok_or(UNSIGNED)
}

/// A number of bytes: decimal, with a suffix `k`, `m` or `g` of either case for 1024, its square or its cube. What
/// follows the suffix is ignored, as the C driver does.
///
/// # Errors
/// When it is none, is negative, or the suffix takes it beyond 63 bits.
pub fn parse_size(text: &str) -> Result<u64, ValueError> {
    let (number, rest) = non_negative(text).ok_or(SIZE)?;
    let shift = match rest.as_bytes().first() {
        None => return Ok(number),
        Some(b'k' | b'K') => 10,
        Some(b'm' | b'M') => 20,
        Some(b'g' | b'G') => 30,
        Some(_) => return Err(SIZE),
    };
    if number > (i64::MAX.unsigned_abs() >> shift) {
        return Err(SIZE);
    }
    Ok(number << shift)
}

/// A duration in nanoseconds: decimal, with a suffix `ns`, `us`, `ms` or `s` of either case, without one nanoseconds.
/// What is beyond 63 bits is `i64::MAX`.
///
/// Of a two-letter suffix the C driver reads the first letter, and then wants either an `s` second or nothing third;
/// so do we, except that a lone first letter is refused (there it depends on the byte behind the text).
///
/// # Errors
/// When it is none or negative.
pub fn parse_duration_ns(text: &str) -> Result<u64, ValueError> {
    let (number, rest) = non_negative(text).ok_or(DURATION)?;
    let unit = match rest.as_bytes() {
        [] => return Ok(number),
        [b's' | b'S'] => 1_000_000_000,
        [unit, b's' | b'S', ..] | [unit, _] => match unit {
            b'm' | b'M' => 1_000_000,
            b'u' | b'U' => 1_000,
            b'n' | b'N' => return Ok(number),
            _ => return Err(DURATION),
        },
        _ => return Err(DURATION),
    };
    let limit = i64::MAX.unsigned_abs();
    Ok(if number > limit / unit { limit } else { number * unit })
}

/// A decimal number that is not negative (beyond 63 bits: the end of the range), and what follows it.
fn non_negative(text: &str) -> Option<(u64, &str)> {
    let number = leading(text, Base::Decimal)?;
    u64::try_from(number.signed().0).ok().map(|value| (value, number.rest))
}

/// A boolean of a channel URI: begins with `true` or `false`.
///
/// # Errors
/// When it begins with neither.
pub fn parse_bool(text: &str) -> Result<bool, ValueError> {
    if text.starts_with("true") {
        Ok(true)
    } else if text.starts_with("false") {
        Ok(false)
    } else {
        Err(BOOL)
    }
}

/// A boolean of a setting: begins with `1`, `on` or `true`, or with `0`, `off` or `false`.
///
/// # Errors
/// When it begins with none of them.
pub fn parse_switch(text: &str) -> Result<bool, ValueError> {
    if ["1", "on", "true"].iter().any(|yes| text.starts_with(yes)) {
        Ok(true)
    } else if ["0", "off", "false"].iter().any(|no| text.starts_with(no)) {
        Ok(false)
    } else {
        Err(SWITCH)
    }
}

/// A boolean that may be left to the driver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InferableBoolean {
    /// Yes.
    ForceTrue,
    /// No.
    ForceFalse,
    /// What the channel suggests: the default.
    #[default]
    Infer,
}

impl InferableBoolean {
    /// `true` and `infer` are themselves, any other text means false.
    #[must_use]
    pub fn parse(text: &str) -> InferableBoolean {
        match text {
            "true" => InferableBoolean::ForceTrue,
            "infer" => InferableBoolean::Infer,
            _ => InferableBoolean::ForceFalse,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::format;

    #[test]
    fn integers_are_read_as_strtol_reads_them() {
        let read = [
            ("", 0),
            ("0", 0),
            ("-1", -1),
            ("+7", 7),
            (" \t\n12", 12),
            ("0x1F", 31),
            ("-0X10", -16),
            ("010", 8),
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808", i64::MIN),
            ("0xFFFFFFFF", 0xFFFF_FFFF),
        ];
        for (text, value) in read {
            assert_eq!(parse_i64(text), Ok(value), "{text:?}");
        }
        for text in [" ", "-", "+-1", "12 ", "1a", "0x", "0xg", "08", "1_0", "9223372036854775808", "١", "0b1"] {
            assert_eq!(parse_i64(text), Err(INT64), "{text:?}");
        }
        assert_eq!(parse_i64_saturating("-99999999999999999999"), Ok(i64::MIN));
        assert_eq!(parse_i32("2147483648"), Err(INT32));
        assert_eq!(parse_i32("-2147483648"), Ok(i32::MIN));
        assert_eq!(parse_decimal_i64("010"), Ok(10));
    }

    #[test]
    fn unsigned_prefixes_wrap_and_saturate_as_in_c() {
        assert_eq!(parse_u64_prefix("64x"), Ok(64));
        assert_eq!(parse_u64_prefix("-1"), Ok(u64::MAX));
        assert_eq!(parse_u64_prefix("0x10,"), Ok(16));
        assert_eq!(parse_u64_prefix("18446744073709551616"), Ok(u64::MAX));
        assert_eq!(parse_decimal_u64_prefix("0x10"), Ok(0));
        assert!(parse_u64_prefix("x").is_err());
        assert!(parse_u64_prefix("").is_err());
    }

    #[test]
    fn sizes_take_one_suffix_and_ignore_what_follows_it() {
        let read = [
            ("0", 0),
            ("64", 64),
            ("64k", 65_536),
            ("1M", 1 << 20),
            ("2g", 2 << 30),
            ("4kb", 4096),
            (" 1k", 1024),
            ("99999999999999999999", i64::MAX.unsigned_abs()),
            ("8589934591g", 8_589_934_591 << 30),
        ];
        for (text, value) in read {
            assert_eq!(parse_size(text), Ok(value), "{text:?}");
        }
        for text in ["", "k", "-1", "-1k", "64 k", "1.5k", "0x10", "8589934592g", "9007199254740992k", "64t"] {
            assert_eq!(parse_size(text), Err(SIZE), "{text:?}");
        }
    }

    #[test]
    fn durations_take_the_suffixes_that_the_c_driver_takes() {
        let read = [
            ("5", 5),
            ("5ns", 5),
            ("5US", 5_000),
            ("5Ms", 5_000_000),
            ("5s", 5_000_000_000),
            ("5msec", 5_000_000),
            ("5mX", 5_000_000),
            ("9223372037s", i64::MAX.unsigned_abs()),
            ("9223372036s", 9_223_372_036_000_000_000),
            ("99999999999999999999ms", i64::MAX.unsigned_abs()),
        ];
        for (text, value) in read {
            assert_eq!(parse_duration_ns(text), Ok(value), "{text:?}");
        }
        for text in ["", "s", "-5s", "5m", "5u", "5sec", "5h", "5min", "5 s", "5xs"] {
            assert_eq!(parse_duration_ns(text), Err(DURATION), "{text:?}");
        }
    }

    #[test]
    fn booleans_go_by_their_beginning() {
        assert_eq!(parse_bool("trueish"), Ok(true));
        assert_eq!(parse_bool("false"), Ok(false));
        for text in ["", "TRUE", "1", "on", "tru"] {
            assert_eq!(parse_bool(text), Err(BOOL));
        }
        assert_eq!(parse_switch("on"), Ok(true));
        assert_eq!(parse_switch("10"), Ok(true));
        assert_eq!(parse_switch("offside"), Ok(false));
        assert!(parse_switch("yes").is_err());
        assert_eq!(InferableBoolean::parse("true"), InferableBoolean::ForceTrue);
        assert_eq!(InferableBoolean::parse("trueish"), InferableBoolean::ForceFalse);
        assert_eq!(InferableBoolean::parse("infer"), InferableBoolean::Infer);
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(value: i64, size in 0..1_u64 << 33) {
            prop_assert_eq!(parse_i64(&format!("{value}")), Ok(value));
            prop_assert_eq!(parse_i64(&format!("{:#x}", value.unsigned_abs() >> 1)), Ok(value.unsigned_abs() as i64 >> 1));
            prop_assert_eq!(parse_u64_prefix(&format!("{value}")), Ok(value as u64));
            prop_assert_eq!(parse_size(&format!("{size}")), Ok(size));
            if size < 1 << 33 {
                prop_assert_eq!(parse_size(&format!("{size}k")), Ok(size * 1024));
            }
            prop_assert_eq!(parse_duration_ns(&format!("{size}us")), Ok(size * 1000));
        }

        #[test]
        fn no_text_panics(text in "\\PC*") {
            let _ = (parse_i64(&text), parse_i32(&text), parse_i64_saturating(&text), parse_decimal_i64(&text));
            let _ = (parse_u64_prefix(&text), parse_decimal_u64_prefix(&text));
            let _ = (parse_size(&text), parse_duration_ns(&text), parse_bool(&text), parse_switch(&text));
        }

        #[test]
        fn no_text_that_begins_as_a_number_panics(text in "[ +-]{0,2}0?[xX]?[0-9a-f]{0,25}[kmgunsMS ]{0,3}\\PC?") {
            let _ = (parse_i64(&text), parse_i32(&text), parse_u64_prefix(&text));
            let _ = (parse_size(&text), parse_duration_ns(&text));
        }
    }
}
