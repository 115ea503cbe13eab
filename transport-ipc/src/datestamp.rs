//! Local date and time as Aeron's tools and file names write it. `[any]`
//!
//! Mirrors `aeron_format_date` of the C client's `util/aeron_strutil.c`.

use std::fmt::Write as _;

/// `2026-11-20 09:05:07.042+0100` for milliseconds since the epoch, in the machine's time zone.
pub(crate) fn datestamp(epoch_ms: i64) -> String {
    let seconds: libc::time_t = epoch_ms.div_euclid(1000);
    // SAFETY: `tm` is a C struct of integers and a pointer, for which zeroes are values.
    let mut time: libc::tm = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are of living variables, one read and one written; the re-entrant variant keeps nothing.
    if unsafe { libc::localtime_r(&raw const seconds, &raw mut time) }.is_null() {
        return epoch_ms.to_string();
    }
    let offset_minutes = time.tm_gmtoff / 60;
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:03}{}{:02}{:02}",
        i64::from(time.tm_year) + 1900,
        time.tm_mon + 1,
        time.tm_mday,
        time.tm_hour,
        time.tm_min,
        time.tm_sec,
        epoch_ms.rem_euclid(1000),
        if offset_minutes < 0 { '-' } else { '+' },
        offset_minutes.abs() / 60,
        offset_minutes.abs() % 60,
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_has_aerons_form_and_keeps_its_milliseconds() {
        let text = datestamp(1_700_000_000_042);
        assert_eq!(text.len(), 28, "{text}");
        assert!(text.starts_with("2023-11-1"), "{text}");
        assert_eq!(&text[19..23], ".042");
        assert!(matches!(&text[23..24], "+" | "-"));
        let digits = |range| text.get::<std::ops::Range<usize>>(range).map(|part| part.parse::<u32>().is_ok());
        assert_eq!((digits(11..13), digits(24..28)), (Some(true), Some(true)));
    }
}
