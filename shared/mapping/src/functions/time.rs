//! Time stamps as text: cut apart without losing a digit.

use jiff::tz::Offset;

/// A time stamp of the form `yyyy-MM-dd[T ]HH:mm[:ss[.fff]][Z|±hh:mm]`.
pub(super) struct Stamp<'a> {
    pub(super) date: &'a str,
    /// `HH:mm`.
    pub(super) minute: &'a str,
    /// `ss[.fff]`, empty when it was left out.
    pub(super) second: &'a str,
    /// `Z` or `±hh:mm`, empty when there is none.
    pub(super) offset: &'a str,
}

/// What the database of a PMS writes for "no date".
pub(super) fn is_empty_date(date: &str) -> bool {
    date.starts_with("0000-") || date.starts_with("0001-")
}

impl<'a> Stamp<'a> {
    /// Cuts `text` apart; whether the parts are in range is for [`Stamp::civil`] to say.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (date, clock) = text.split_once(['T', ' '])?;
        let end = clock.find(['Z', '+', '-']).unwrap_or(clock.len());
        let (clock, offset) = clock.split_at(end);
        let minute = clock.get(..5)?;
        let second = match clock.get(5..)? {
            "" => "",
            rest => rest.strip_prefix(':')?,
        };
        let digits = |text: &str, pattern: &str| {
            text.len() == pattern.len()
                && text
                    .bytes()
                    .zip(pattern.bytes())
                    .all(|(b, p)| if p == b'9' { b.is_ascii_digit() } else { b == p })
        };
        let (whole, fraction) = second.split_once('.').unwrap_or((second, "0"));
        let fits = digits(date, "9999-99-99")
            && digits(minute, "99:99")
            && (second.is_empty() || digits(whole, "99"))
            && (1..=9).contains(&fraction.len())
            && fraction.bytes().all(|b| b.is_ascii_digit())
            && (offset.is_empty() || offset == "Z" || (digits(&offset[1..], "99:99")));
        fits.then_some(Self { date, minute, second, offset })
    }

    /// The seconds as FHIR wants them: always there.
    pub(super) fn seconds(&self) -> &'a str {
        if self.second.is_empty() { "00" } else { self.second }
    }

    /// Date and time to the minute, when both exist in the calendar. Seconds never depend on a zone.
    pub(super) fn civil(&self) -> Option<jiff::civil::DateTime> {
        if self.seconds().get(..2)? > "59" {
            return None;
        }
        Some(
            self.date
                .parse::<jiff::civil::Date>()
                .ok()?
                .to_datetime(format!("{}:00", self.minute).parse().ok()?),
        )
    }

    /// The instant to the minute, when there is an offset.
    pub(super) fn instant(&self) -> Option<jiff::Timestamp> {
        self.written_offset()?.to_timestamp(self.civil()?).ok()
    }

    /// The offset that was written.
    pub(super) fn written_offset(&self) -> Option<Offset> {
        if self.offset == "Z" {
            return Some(Offset::UTC);
        }
        let (hours, minutes) = self.offset.get(1..)?.split_once(':')?;
        let seconds = hours.parse::<i32>().ok()? * 3600 + minutes.parse::<i32>().ok()? * 60;
        Offset::from_seconds(if self.offset.starts_with('-') { -seconds } else { seconds }).ok()
    }
}

/// `±hh:mm`, or nothing for the offsets of local mean time, which FHIR cannot write.
pub(super) fn print_offset(offset: Offset) -> Option<String> {
    let seconds = offset.seconds();
    let minutes = seconds.abs() / 60;
    let sign = if seconds < 0 { '-' } else { '+' };
    (seconds % 60 == 0).then(|| format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60))
}
