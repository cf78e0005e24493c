//! The conditions of the guide, and how to meet or break them.

/// One thing asked of a field or component.
#[derive(Debug, Clone)]
pub(crate) struct Atom {
    /// `PID-25`, `PV1-2.1`, `XTN.3`.
    pub(crate) place: String,
    pub(crate) test: Test,
}

#[derive(Debug, Clone)]
pub(crate) enum Test {
    Valued,
    Empty,
    OneOf(Vec<String>),
    NoneOf(Vec<String>),
}

impl Test {
    pub(crate) fn negated(&self) -> Self {
        match self {
            Self::Valued => Self::Empty,
            Self::Empty => Self::Valued,
            Self::OneOf(codes) => Self::NoneOf(codes.clone()),
            Self::NoneOf(codes) => Self::OneOf(codes.clone()),
        }
    }
}

/// The atoms of a condition, all of which must hold; of alternatives, the first. `None` for what is not of this form.
pub(crate) fn parse(text: &str) -> Option<Vec<Atom>> {
    let text = text.trim().trim_start_matches("IF ").trim();
    let first = text.split(" OR ").next()?;
    let mut place = String::new();
    // `PRT-5 AND PRT-6 ARE NOT VALUED`: a place without a verb has the verb of the last one.
    let verb = text.rsplit([' ']).take(2).collect::<Vec<_>>();
    let verb = if verb == ["VALUED", "NOT"] { " NOT VALUED" } else { " VALUED" };
    let whole = |part: &str| {
        let bare = part.trim().trim_start_matches("IF ").to_owned();
        if bare.contains(' ') { bare } else { bare + verb }
    };
    first.split(" AND ").map(|part| atom(&whole(part), &mut place)).collect()
}

fn atom(text: &str, last: &mut String) -> Option<Atom> {
    let text = text.trim().trim_start_matches("IF ").trim_matches(['(', ' ']);
    let text = &text.replace(" IS EMPTY", " NOT VALUED").replace(" DOES NOT EXIST", " NOT VALUED");
    let text = &text.replace("HD-", "HD.").replace("XON-", "XON.");
    let (place, rest) = text.split_once(' ')?;
    let negated = place == "NOT";
    let place = if negated || place == "IS" { last.clone() } else { place.to_owned() };
    let segment_or_type = place.split(['-', '.']).next()?;
    if !(2..=3).contains(&segment_or_type.len()) || !place.contains(['-', '.']) {
        return None;
    }
    last.clone_from(&place);
    let rest = &rest.replace('\'', "\"");
    let codes: Vec<String> = rest.split('"').skip(1).step_by(2).map(str::to_owned).collect();
    let not = negated || rest.contains("NOT ") || rest.contains("IS NOT");
    let test = match (rest.to_uppercase().contains("VALUE"), codes.is_empty(), not) {
        (_, false, false) => Test::OneOf(codes),
        (_, false, true) => Test::NoneOf(codes),
        (true, true, false) => Test::Valued,
        (true, true, true) => Test::Empty,
        (false, true, _) => return None,
    };
    Some(Atom { place, test })
}
