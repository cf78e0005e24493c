//! Instants in the ledger's resolution, and IANA zones.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An instant: milliseconds since 1970-01-01T00:00:00Z. Serialised as RFC 3339 with three decimals, so text order
/// is time order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// How long `earlier` lies before this instant; zero when it does not.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0 - earlier.0).unwrap_or(0))
    }

    /// Reads an HTTP date (RFC 9110, section 5.6.7): today's form, RFC 850's or C's `asctime`. All are UTC.
    pub fn from_http_date(text: &str) -> Option<Self> {
        const FORMS: [&str; 3] =
            ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];
        let civil = FORMS.iter().find_map(|form| jiff::civil::DateTime::strptime(form, text.trim()).ok())?;
        Some(Self(jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()?.as_millisecond()))
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, rhs: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(rhs.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl std::ops::Sub<Duration> for Timestamp {
    type Output = Self;
    fn sub(self, rhs: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(rhs.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(at) => write!(f, "{at:.3}"),
            Err(_) => write!(f, "{}ms", self.0),
        }
    }
}

impl FromStr for Timestamp {
    type Err = jiff::Error;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Ok(Self(s.parse::<jiff::Timestamp>()?.as_millisecond()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// An IANA time zone name that exists in the bundled database, for example `America/Chicago`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Zone(String);

impl Zone {
    /// The IANA name.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// Its rules. `None` cannot be: a name without rules is never a `Zone`.
    pub fn rules(&self) -> Option<jiff::tz::TimeZone> {
        jiff::tz::TimeZone::get(&self.0).ok()
    }

    /// The day that lies so many days from the one it is there now, as `2026-03-05`.
    pub fn day(&self, now: Timestamp, days: i32) -> Option<String> {
        let now = jiff::Timestamp::from_millisecond(now.0).ok()?;
        let today = now.to_zoned(self.rules()?).date();
        Some(today.checked_add(jiff::Span::new().try_days(days).ok()?).ok()?.to_string())
    }
}

impl FromStr for Zone {
    type Err = String;
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match jiff::tz::TimeZone::get(name) {
            Ok(_) => Ok(Self(name.to_owned())),
            Err(_) => Err(format!("`{name}` is not an IANA time zone (example: America/Chicago)")),
        }
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_where_the_practice_is() {
        let zone: Zone = "America/Chicago".parse().unwrap();
        let late: Timestamp = "2026-03-08T04:30:00Z".parse().unwrap();
        assert_eq!(zone.day(late, 0).as_deref(), Some("2026-03-07"));
        assert_eq!(zone.day(late, -7).as_deref(), Some("2026-02-28"));
        assert_eq!(zone.day(late, 1).as_deref(), Some("2026-03-08"), "the clocks going forward is no matter");
    }

    #[test]
    fn text_form_is_rfc3339_with_milliseconds() {
        let at = Timestamp::from_millis(1_700_000_000_050);
        assert_eq!(at.to_string(), "2023-11-14T22:13:20.050Z");
        assert_eq!(at.to_string().parse::<Timestamp>().ok(), Some(at));
    }

    #[test]
    fn unknown_zone_is_refused_by_name() {
        assert!("America/Chicago".parse::<Zone>().is_ok());
        assert!("Mars/Olympus".parse::<Zone>().is_err_and(|e| e.contains("Mars/Olympus")));
    }
}
