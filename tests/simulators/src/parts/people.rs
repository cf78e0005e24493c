//! Invented people. Their names say so, their numbers and domains belong to nobody.

use jiff::civil::Date;

/// A person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Family name, obviously invented.
    pub family: String,
    /// Given name.
    pub given: String,
    /// Day of birth.
    pub birth_date: Date,
    /// FHIR's word: `male`, `female`, `other`.
    pub gender: &'static str,
    /// A number from the block that is kept for fiction: `+1 555-0134`-like, ten digits.
    pub phone: String,
    /// In a domain that can't exist (RFC 2606).
    pub email: String,
    /// Street and number.
    pub street: String,
    /// Town.
    pub city: String,
    /// Postal code of five digits that no post office has.
    pub postal_code: String,
}

const GIVEN: &[&str] = &[
    "Alba", "Bodo", "Cleo", "Dara", "Edda", "Fips", "Gerti", "Hanno", "Ilka", "Jori", "Kalle", "Lumi",
    "Momo", "Nilo", "Odine", "Pelle", "Quirin", "Runa", "Sanna", "Tjark", "Ulla", "Veit", "Wanja", "Yolo",
    "Zita",
];
const FAMILY: &[&str] = &[
    "Probestein",
    "Testerley",
    "Mockingham",
    "Fabelsen",
    "Sampleton",
    "Dummfield",
    "Scheinberg",
    "Inventova",
    "Fictus",
    "Placeholder",
    "Neverborn",
    "Exampleson",
    "Trialsworth",
    "Simulacra",
    "Pretendo",
    "Nobodsky",
    "Fakenheim",
    "Madeup",
    "Phantomas",
    "Unrealski",
];
const STREETS: &[&str] = &["Nowhere Lane", "Imaginary Road", "Sample Street", "Mirage Avenue", "Fable Court"];
const TOWNS: &[&str] = &["Testville", "Mockton", "Sampleby", "Fictionburg"];

/// The next person of this chance.
#[must_use]
pub fn person(chance: &mut fastrand::Rng) -> Person {
    let given = pick(chance, GIVEN);
    // Two families a name, so that there are names with a hyphen, and few people share both.
    let family = match chance.u8(0..4) {
        0 => format!("{}-{}", pick(chance, FAMILY), pick(chance, FAMILY)),
        _ => pick(chance, FAMILY).to_owned(),
    };
    let day = Date::new(chance.i16(1930..2024), chance.i8(1..=12), chance.i8(1..=28)).unwrap_or(Date::MIN);
    let mailbox = format!("{given}.{family}.{}", chance.u16(..)).to_lowercase();
    Person {
        given: given.to_owned(),
        family,
        birth_date: day,
        gender: pick(chance, &["male", "female", "female", "male", "other"]),
        phone: format!("{}55501{:02}", chance.u16(200..999), chance.u8(0..100)),
        email: format!("{mailbox}@patients.invalid"),
        street: format!("{} {}", chance.u16(1..400), pick(chance, STREETS)),
        city: pick(chance, TOWNS).to_owned(),
        postal_code: format!("000{:02}", chance.u8(0..100)),
    }
}

/// One of several.
#[must_use]
pub fn pick<'a>(chance: &mut fastrand::Rng, words: &[&'a str]) -> &'a str {
    match words.len() {
        0 => "",
        count => words.get(chance.usize(0..count)).copied().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_people() {
        let make = || {
            let mut chance = fastrand::Rng::with_seed(7);
            (0..50).map(|_| person(&mut chance)).collect::<Vec<_>>()
        };
        assert_eq!(make(), make());
        assert!(make().iter().all(|person| person.email.ends_with(".invalid") && person.phone.len() == 10));
    }
}
