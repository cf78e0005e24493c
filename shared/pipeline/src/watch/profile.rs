//! In which hours of the week a connection usually speaks, and how unlikely its silence is. Pure.
//!
//! Of each hour of the week the last eight are remembered: whether anything came. An hour in which something came in `n` of
//! the last `m` weeks is silent by chance in one of `1 - n / (m + 1)` weeks. Silent hours in a row multiply; when that
//! product is below a thousandth, the silence is no chance. So a busy connection is missed within hours, one that speaks
//! twice a week after a week or two, and nobody at night or on a Sunday.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Hours of a week.
const HOURS: usize = 168;
/// Before so many weeks are known nothing is expected of an hour.
const WEEKS: u32 = 3;
/// A silence of this surprise, the negative natural logarithm of its likelihood, is told: a thousandth.
pub(super) const TOLD: f64 = 6.9;

/// What is known of the hours of a week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// For each hour whether something came: the last week in the lowest bit, and how many weeks are known.
    hours: Vec<(u8, u8)>,
}

impl Default for Profile {
    fn default() -> Self {
        Self { hours: vec![(0, 0); HOURS] }
    }
}

impl Profile {
    /// How surprising it is that nothing came in this hour; 0 where nothing is expected.
    pub(super) fn surprise(&self, hour: usize) -> f64 {
        let (came, known) = self.hours.get(hour).copied().unwrap_or_default();
        if u32::from(known) < WEEKS {
            return 0.0;
        }
        -(1.0 - f64::from(came.count_ones()) / f64::from(known + 1)).ln()
    }

    /// Another week is known of this hour.
    pub(super) fn learn(&mut self, hour: usize, came: bool) {
        if let Some((bits, known)) = self.hours.get_mut(hour) {
            *bits = *bits << 1 | u8::from(came);
            *known = (*known + 1).min(8);
        }
    }

    /// The hours of the week in which something is expected.
    pub fn expected_hours(&self) -> usize {
        (0..HOURS).filter(|hour| self.surprise(*hour) >= std::f64::consts::LN_2).count()
    }
}

impl Serialize for Profile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text: String = self.hours.iter().map(|(bits, known)| format!("{bits:02x}{known}")).collect();
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Profile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let hour = |three: &[u8]| {
            let three = std::str::from_utf8(three).ok()?;
            let (bits, known) = three.split_at_checked(2)?;
            Some((u8::from_str_radix(bits, 16).ok()?, known.parse().ok().filter(|known| *known <= 8)?))
        };
        let hours: Option<Vec<_>> = text.as_bytes().chunks(3).map(hour).collect();
        match hours {
            Some(hours) if hours.len() == HOURS => Ok(Self { hours }),
            _ => Err(de::Error::custom("not the hours of a week")),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn learned(weeks: &[bool]) -> Profile {
        let mut profile = Profile::default();
        weeks.iter().for_each(|came| profile.learn(9, *came));
        profile
    }

    /// Silent hours in a row until it is told.
    fn hours_until_told(profile: &Profile) -> f64 {
        (TOLD / profile.surprise(9)).ceil()
    }

    #[test]
    fn the_surer_the_rhythm_the_sooner_its_end_is_told() {
        assert!(hours_until_told(&learned(&[true; 2])).is_infinite(), "too early to say");
        assert_eq!(hours_until_told(&learned(&[true; 3])), 5.0);
        assert_eq!(hours_until_told(&learned(&[true; 20])), 4.0);
        assert_eq!(hours_until_told(&learned(&[true, false].repeat(4))), 12.0);
        assert!(hours_until_told(&learned(&[false; 8])).is_infinite(), "nothing ever comes then");
    }

    #[test]
    fn only_the_last_eight_weeks_count() {
        let mut profile = learned(&[true; 30]);
        (0..8).for_each(|_| profile.learn(9, false));
        assert_eq!(profile, { learned(&[&[true][..], &[false; 8]].concat()) });
        assert_eq!(profile.expected_hours(), 0);
    }

    #[test]
    fn it_is_kept_as_text() {
        let profile = learned(&[true, false, true]);
        let text = serde_json::to_string(&profile).unwrap();
        assert_eq!(text.len(), 3 * HOURS + 2);
        assert_eq!(serde_json::from_str::<Profile>(&text).unwrap(), profile);
        for wrong in ["\"\"", "\"001\"", &text.replace("053", "05ä"), &text.replace("053", "059")] {
            assert!(serde_json::from_str::<Profile>(wrong).is_err(), "{wrong}");
        }
    }
}
