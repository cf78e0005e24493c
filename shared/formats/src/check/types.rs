//! The types of columns: what is accepted, and how it is written as JSON.

use bridge_core::feed::{Column, Holds};
use jiff::{
    civil::{Date, DateTime, Time},
    fmt::strtime,
    tz::TimeZone,
};

use super::{Rule, trim};
use crate::write;

/// ISO 8601, to the second; what a column without a pattern has.
const DATE: &str = "%Y-%m-%d";
const TIME: &str = "%H:%M:%S";
const LOCAL: [&str; 4] = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];
const WITH_OFFSET: [&str; 3] =
    ["%Y-%m-%dT%H:%M:%S%.f%:z", "%Y-%m-%dT%H:%M:%S%.fZ", "%Y-%m-%d %H:%M:%S%.f%:z"];

/// Appends `field`, which is not empty, as JSON.
pub(super) fn write(column: &Column, field: &str, zone: &TimeZone, out: &mut String) -> Result<(), Rule> {
    let text = trim(field);
    let pattern = column.pattern.as_deref();
    match column.holds {
        Holds::Text => write::string(field, out),
        Holds::Integer => integer(text, out).ok_or(Rule::Type("a whole number"))?,
        Holds::Decimal => decimal(text, out).ok_or(Rule::Type("a number with a decimal point"))?,
        Holds::DecimalComma => {
            let pointed = with_point(text).ok_or(Rule::Type("a number with a decimal comma"))?;
            decimal(&pointed, out).ok_or(Rule::Type("a number with a decimal comma"))?;
        }
        Holds::Boolean => {
            let truth = boolean(text).ok_or(Rule::Type("true or false"))?;
            out.push_str(if truth { "true" } else { "false" });
        }
        Holds::Date => {
            let pattern = pattern.unwrap_or(DATE);
            if plain_date(pattern, text, out).is_none() {
                let date = any_date(pattern, text).ok_or_else(|| not_written("a date", pattern))?;
                write::string(&date, out);
            }
        }
        Holds::Time => {
            let pattern = pattern.unwrap_or(TIME);
            let time = any_time(pattern, text).ok_or_else(|| not_written("a time", pattern))?;
            write::string(&time, out);
        }
        Holds::DateTime => {
            let stamp = date_time(pattern, text, zone);
            let stamp = stamp.ok_or_else(|| not_written("a date and time", pattern.unwrap_or(LOCAL[0])))?;
            write::string(&stamp, out);
        }
    }
    Ok(())
}

// What strtime needs is large: inlined, every field of any type would make room for it.
#[inline(never)]
fn any_date(pattern: &str, text: &str) -> Option<String> {
    Some(Date::strptime(pattern, text).ok()?.to_string())
}

#[inline(never)]
fn any_time(pattern: &str, text: &str) -> Option<String> {
    Some(Time::strptime(pattern, text).ok()?.strftime(TIME).to_string())
}

fn not_written(what: &'static str, pattern: &str) -> Rule {
    Rule::Pattern { what, pattern: pattern.to_owned() }
}

/// Appends a date that is written in the plainest way: as many digits as its pattern of `%Y`, `%m`, `%d` and what stands
/// between them can have. `None`: nothing was appended, and `strptime` may know better. Most columns of dates are such, and
/// were most of what a row took.
fn plain_date(pattern: &str, text: &str, out: &mut String) -> Option<()> {
    let (mut year, mut month, mut day) = (None, None, None);
    let (mut pattern, mut rest) = (pattern.bytes(), text);
    while let Some(b) = pattern.next() {
        if b != b'%' {
            rest = rest.strip_prefix(char::from(b))?;
            continue;
        }
        let (part, length) = match pattern.next()? {
            b'Y' => (&mut year, 4),
            b'm' => (&mut month, 2),
            b'd' => (&mut day, 2),
            _ => return None,
        };
        let (digits, after) = rest.split_at_checked(length)?;
        if part.is_some() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        (*part, rest) = (Some(digits), after);
    }
    let (year, month, day) = (year?, month?, day?);
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok().filter(|_| rest.is_empty())?;
    for part in ["\"", year, "-", month, "-", day, "\""] {
        out.push_str(part);
    }
    Some(())
}

/// A sign and digits, without the leading zeros that JSON does not have.
fn integer(text: &str, out: &mut String) -> Option<()> {
    let (sign, digits) = sign(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| push_number(sign, digits, "", out))
}

/// As an integer, with digits behind a point; they all stay.
fn decimal(text: &str, out: &mut String) -> Option<()> {
    let Some((before, after)) = text.split_once('.') else { return integer(text, out) };
    let (sign, before) = sign(before);
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let is_number = digits(before) && digits(after) && !after.is_empty();
    is_number.then(|| push_number(sign, before, after, out))
}

fn sign(text: &str) -> (&'static str, &str) {
    match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    }
}

fn push_number(sign: &str, before: &str, after: &str, out: &mut String) {
    let zeros = before.bytes().take_while(|b| *b == b'0').count();
    let before = before.get(zeros..).filter(|digits| !digits.is_empty()).unwrap_or("0");
    out.push_str(sign);
    out.push_str(before);
    if !after.is_empty() {
        out.push('.');
        out.push_str(after);
    }
}

/// `1.234,50` as `1234.50`. A point groups thousands, or it is no number: `1.5` would become fifteen.
fn with_point(text: &str) -> Option<String> {
    let (whole, fraction) = text.split_once(',').map_or((text, None), |(whole, after)| (whole, Some(after)));
    let (sign, whole) = sign(whole);
    let mut groups = whole.split('.');
    let first = groups.next()?;
    let mut digits = format!("{sign}{first}");
    for group in groups {
        if group.len() != 3 || first.is_empty() || first.len() > 3 {
            return None;
        }
        digits.push_str(group);
    }
    if let Some(fraction) = fraction {
        digits.push('.');
        digits.push_str(fraction);
    }
    Some(digits)
}

fn boolean(text: &str) -> Option<bool> {
    let is = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    match (is(&["1", "true", "t", "yes", "y"]), is(&["0", "false", "f", "no", "n"])) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}

/// RFC 3339. A time without an offset gets the one it had in the zone: when clocks go forward, one that did not exist
/// moves forward by the gap; when they go back, the first of two counts (as RFC 5545 does, and the mappings).
#[inline(never)]
fn date_time(pattern: Option<&str>, text: &str, zone: &TimeZone) -> Option<String> {
    let parsed = match pattern {
        Some(pattern) => strtime::parse(pattern, text).ok()?,
        None => {
            let patterns = LOCAL.iter().chain(&WITH_OFFSET);
            patterns.into_iter().find_map(|pattern| strtime::parse(pattern, text).ok())?
        }
    };
    let local: DateTime = parsed.to_datetime().ok()?;
    let is_utc = pattern.is_none() && text.ends_with('Z');
    let offset = match parsed.offset() {
        Some(offset) => offset,
        None if is_utc => jiff::tz::Offset::UTC,
        None => {
            let zoned = zone.to_ambiguous_zoned(local).compatible().ok()?;
            return Some(zoned.strftime("%Y-%m-%dT%H:%M:%S%.f%:z").to_string());
        }
    };
    // Exists on the line of time.
    offset.to_timestamp(local).ok()?;
    let zoned = local.to_zoned(TimeZone::fixed(offset)).ok()?;
    // `Z` stays what it was: it says that the sender's own zone is not known.
    let form = if is_utc { "%Y-%m-%dT%H:%M:%S%.fZ" } else { "%Y-%m-%dT%H:%M:%S%.f%:z" };
    Some(zoned.strftime(form).to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn plain_dates_are_what_strptime_says_they_are() {
        let texts = [
            "2026-02-28",
            "2026-02-29",
            "2024-02-29",
            "2024-2-29",
            "0001-01-01",
            "0000-12-31",
            "9999-12-31",
            "02/28/2026",
            "28.02.2026",
            "20260228",
            "2026-02-28 ",
            "2026-02-281",
            "-026-02-28",
            "2026-13-01",
            "2026-00-10",
            "２026-02-28",
            "",
        ];
        let patterns =
            ["%Y-%m-%d", "%m/%d/%Y", "%d.%m.%Y", "%Y%m%d", "%d %B %Y", "%Y-%m", "%Y-%Y-%m-%d", "%F", "%"];
        let mut plain = 0;
        for pattern in patterns {
            for text in texts {
                let mut out = String::new();
                if plain_date(pattern, text, &mut out).is_some() {
                    plain += 1;
                    let known = Date::strptime(pattern, text).unwrap();
                    assert_eq!(out, format!("\"{known}\""), "{text} by {pattern}");
                } else {
                    assert_eq!(out, "");
                }
            }
        }
        assert_eq!(plain, 8);
    }
}
