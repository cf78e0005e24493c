//! FHIR data types as v2 contents: the files of `datatypes/` read backwards.

use bridge_hl7v2::write::Content;

use super::{Writing, node::Node};
use crate::{datatypes::cwe, tables::Table};

/// A `dateTime`, `date` or `instant` as DTM: its digits, its fraction and its offset.
pub(super) fn dtm(text: &str) -> String {
    let (date, time) = text.split_once('T').map_or((text, ""), |(date, time)| (date, time));
    let (clock, offset) = match time.find(['Z', '+', '-']) {
        Some(at) => time.split_at(at),
        None => (time, ""),
    };
    let digits = |text: &str| text.replace(['-', ':'], "");
    let sign = offset.chars().next().filter(|sign| *sign != 'Z');
    let offset = match sign {
        Some(sign) => format!("{sign}{}", digits(&offset[1..])),
        None if offset == "Z" => "+0000".to_owned(),
        None => String::new(),
    };
    digits(date) + &digits(clock) + &offset
}

/// A time of day as TM.
pub(super) fn tm(text: &str) -> String {
    text.replace(':', "")
}

/// An Identifier as CX.
pub(super) fn cx<'a>(writing: &Writing<'a>, identifier: Node<'a>) -> Content<'a> {
    let period = identifier.get("period");
    let digit = |url| identifier.extension(url).text("valueString");
    Content::default()
        .with(1, identifier.text("value"))
        .with(2, digit("http://hl7.org/fhir/StructureDefinition/identifier-checkDigit"))
        .with(3, digit("http://hl7.org/fhir/StructureDefinition/namingsystem-checkDigit"))
        .with(4, authority(writing, identifier))
        .with(5, identifier.get("type").first("coding").text("code"))
        .with(7, dtm(period.text("start")))
        .with(8, dtm(period.text("end")))
}

/// Who assigned an identifier, as HD: by the profile's name for the system, by the assigner, by the system itself.
pub(super) fn authority<'a>(writing: &Writing<'a>, identifier: Node<'a>) -> Content<'a> {
    let system = identifier.text("system");
    let assigner = identifier.get("assigner");
    let organization = writing.follow(assigner);
    let named =
        organization.each("identifier").find(|id| id.text("system").is_empty() && !id.get("type").is_there());
    let of_profile =
        writing.profile.authorities.iter().filter(|(_, uri)| *uri == system).map(|(name, _)| name);
    let of_profile = of_profile.min().filter(|_| !system.is_empty());
    let name = match (named.map(|id| id.text("value")), of_profile) {
        (Some(name), _) if !name.is_empty() => name,
        (_, Some(name)) => name,
        _ => assigner.text("display"),
    };
    let universal = organization.each("identifier").find(|id| id.get("type").is_there());
    let (id, kind) = match universal {
        Some(id) => universal_id(id.text("value"), id.get("type").first("coding").text("code")),
        None if of_profile.is_none() => universal_id(system, ""),
        None => ("", ""),
    };
    hd(name, id, kind)
}

/// A universal id without the scheme of its URN, and its type (table 0301).
fn universal_id<'a>(value: &'a str, kind: &'a str) -> (&'a str, &'a str) {
    if let Some(oid) = value.strip_prefix("urn:oid:") {
        (oid, "ISO")
    } else if let Some(uuid) = value.strip_prefix("urn:uuid:") {
        (uuid, if kind.is_empty() { "UUID" } else { kind })
    } else if kind.is_empty() && value.contains(':') {
        (value, "URI")
    } else {
        (value, kind)
    }
}

fn hd<'a>(name: &'a str, id: &'a str, kind: &'a str) -> Content<'a> {
    if id.is_empty() { name.into() } else { Content::default().with(1, name).with(2, id).with(3, kind) }
}

/// An Identifier as EI.
pub(super) fn ei<'a>(writing: &Writing<'a>, identifier: Node<'a>) -> Content<'a> {
    let system = identifier.text("system");
    let known =
        writing.profile.authorities.iter().filter(|(_, uri)| *uri == system).map(|(name, _)| name).min();
    let name = match known {
        Some(name) if identifier.get("assigner").text("display").is_empty() => name,
        _ => identifier.get("assigner").text("display"),
    };
    let (id, kind) = if known.is_some() { ("", "") } else { universal_id(system, "") };
    Content::default().with(1, identifier.text("value")).with(2, name).with(3, id).with(4, kind)
}

/// The first Identifier whose type is this code of table 0203.
pub(super) fn of_type<'a>(resource: Node<'a>, code: &str) -> Node<'a> {
    let typed = |id: &Node<'a>| id.get("type").each("coding").any(|coding| coding.text("code") == code);
    resource.each("identifier").find(typed).unwrap_or(Node::nothing())
}

/// A HumanName as XPN.
pub(super) fn xpn(name: Node<'_>) -> Content<'_> {
    let mut given = name.each("given").map(Node::str);
    let first = given.next().unwrap_or_default();
    let mut suffixes = name.each("suffix").map(Node::str);
    let suffix = suffixes.next().unwrap_or_default();
    let order = name.extension("http://hl7.org/fhir/StructureDefinition/humanname-assembly-order");
    let kind = match name.text("use") {
        "official" => "L",
        code => crate::tables::NAME_USE.v2(code).unwrap_or_default(),
    };
    Content::default()
        .with(1, family(name))
        .with(2, first)
        .with(3, given.collect::<Vec<_>>().join(" "))
        .with(4, suffix)
        .with(5, name.first("prefix").str())
        .with(6, suffixes.next().unwrap_or_default())
        .with(7, kind)
        .with(11, order.text("valueCode"))
        .with(12, dtm(name.get("period").text("start")))
        .with(13, dtm(name.get("period").text("end")))
        .with(14, suffixes.next().unwrap_or_default())
}

fn family(name: Node<'_>) -> Content<'_> {
    let part = |url: &str| {
        let url = format!("http://hl7.org/fhir/StructureDefinition/humanname-{url}");
        name.get("_family").extension(&url).text("valueString")
    };
    let surname = name.text("family");
    let parts = [part("own-prefix"), part("own-name"), part("partner-prefix"), part("partner-name")];
    if parts.iter().all(|text| text.is_empty()) {
        return surname.into();
    }
    let [own_prefix, own, partner_prefix, partner] = parts;
    [surname, own_prefix, own, partner_prefix, partner].into()
}

/// An Address as XAD.
pub(super) fn xad(address: Node<'_>) -> Content<'_> {
    let mut lines = address.each("line").map(Node::str);
    let (first, second) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let period = address.get("period");
    let tract = address.extension("http://hl7.org/fhir/StructureDefinition/iso21090-ADXP-censusTract");
    let kind = match (address.text("use"), address.text("type")) {
        ("work", _) => "B",
        ("", "postal") => "M",
        (code, _) => crate::tables::ADDRESS_USE.v2(code).unwrap_or_default(),
    };
    Content::default()
        .with(1, first)
        .with(2, second)
        .with(3, address.text("city"))
        .with(4, address.text("state"))
        .with(5, address.text("postalCode"))
        .with(6, address.text("country"))
        .with(7, kind)
        .with(9, address.text("district"))
        .with(10, tract.text("valueString"))
        .with(13, dtm(period.text("start")))
        .with(14, dtm(period.text("end")))
        .with(19, lines.collect::<Vec<_>>().join(" "))
}

/// A ContactPoint as XTN.
pub(super) fn xtn(point: Node<'_>) -> Content<'_> {
    let part = |name: &str| {
        point
            .extension(&format!("http://hl7.org/fhir/StructureDefinition/contactpoint-{name}"))
            .text("valueString")
    };
    let network = point.text("system") == "email";
    let kind = match (point.text("system"), point.text("use")) {
        ("phone", "mobile") => "CP",
        ("phone", _) => "PH",
        ("email", _) => "Internet",
        (code, _) => crate::tables::TELECOM_SYSTEM.v2(code).unwrap_or_default(),
    };
    let what_for = match point.text("use") {
        "mobile" => "PRN",
        "" if network => "NET",
        code => crate::tables::TELECOM_USE.v2(code).unwrap_or_default(),
    };
    let mut content = Content::default().with(2, what_for).with(3, kind);
    let parts = [part("country"), part("area"), part("local"), part("extension")];
    if network {
        content.set(4, point.text("value"));
    } else if parts[2].is_empty() {
        content.set(1, point.text("value"));
    } else {
        for (n, text) in (5..).zip(parts) {
            content.set(n, text);
        }
    }
    content
        .with(13, dtm(point.get("period").text("start")))
        .with(14, dtm(point.get("period").text("end")))
        .with(18, point.number("rank"))
}

/// A CodeableConcept as CWE. A code that was derived from one of `table` is written as that one.
pub(super) fn cwe<'a>(
    writing: &Writing<'a>,
    concept: Node<'a>,
    table: Option<&'static Table>,
) -> Content<'a> {
    let of_table = |coding: &Node<'a>| table.is_some_and(|table| coding.text("system") == table.own_system());
    let original = concept.each("coding").find(of_table);
    let derived = |coding: &Node<'a>| {
        let code = coding.text("code");
        table.is_some_and(|table| table.gives(coding.text("system"), code))
            && (original.is_some() || concept.each("coding").count() > 1)
    };
    let mut codings = original
        .into_iter()
        .chain(concept.each("coding").filter(|coding| !of_table(coding) && !derived(coding)));
    let mut content = Content::default();
    let mut first = true;
    for [code, display, system, version] in [[1, 2, 3, 7], [4, 5, 6, 8], [10, 11, 12, 13]] {
        let Some(coding) = codings.next() else { break };
        let own = table.filter(|table| first && table.gives(coding.text("system"), coding.text("code")));
        match own.and_then(|table| table.v2(coding.text("code")).map(|v2| (table, v2))) {
            Some((table, v2)) => {
                content.set(code, v2);
                content.set(system, table.name());
            }
            None => {
                content.set(code, coding.text("code"));
                content.set(system, system_name(writing, coding.text("system")));
            }
        }
        content.set(display, coding.text("display"));
        content.set(version, coding.text("version"));
        first = false;
    }
    let text = concept.text("text");
    if first {
        content.set(2, text)
    } else if !text.is_empty() {
        content.set(9, text)
    }
    content
}

/// CWE-3: the profile's name for a coding system, the one of table 0396, or the number of a v2 table.
pub(super) fn system_name(writing: &Writing<'_>, uri: &str) -> String {
    if uri.is_empty() {
        return String::new();
    }
    if let Some(name) =
        writing.profile.code_systems.iter().filter(|(_, known)| *known == uri).map(|(name, _)| name).min()
    {
        return name.clone();
    }
    if let Some(number) = uri.strip_prefix("http://terminology.hl7.org/CodeSystem/v2-") {
        return format!("HL7{number}");
    }
    cwe::name_of(uri).map_or_else(|| uri.to_owned(), str::to_owned)
}

/// A Practitioner, PractitionerRole or RelatedPerson as XCN.
pub(super) fn xcn<'a>(writing: &Writing<'a>, person: Node<'a>) -> Content<'a> {
    let person = match person.text("resourceType") {
        "PractitionerRole" => writing.follow(person.get("practitioner")),
        _ => person,
    };
    let (identifier, name) = (person.first("identifier"), person.first("name"));
    let mut given = name.each("given").map(Node::str);
    let first = given.next().unwrap_or_default();
    let kind = match name.text("use") {
        "official" => "L",
        code => crate::tables::NAME_USE.v2(code).unwrap_or_default(),
    };
    Content::default()
        .with(1, identifier.text("value"))
        .with(2, family(name))
        .with(3, first)
        .with(4, given.collect::<Vec<_>>().join(" "))
        .with(5, name.first("suffix").str())
        .with(6, name.first("prefix").str())
        .with(7, person.first("qualification").get("code").first("coding").text("code"))
        .with(9, authority(writing, identifier))
        .with(10, kind)
        .with(13, identifier.get("type").first("coding").text("code"))
}

/// An Organization as XON.
pub(super) fn xon<'a>(writing: &Writing<'a>, organization: Node<'a>) -> Content<'a> {
    let identifier = organization.first("identifier");
    Content::default()
        .with(1, organization.text("name"))
        .with(6, authority(writing, identifier))
        .with(7, identifier.get("type").first("coding").text("code"))
        .with(10, identifier.text("value"))
}

/// A Location and those it is part of, as PL.
pub(super) fn pl<'a>(writing: &Writing<'a>, location: Node<'a>) -> Content<'a> {
    let mut content = Content::default().with(9, location.text("description"));
    let mut at = location;
    // Six levels are all there are; a chain in a circle ends as well.
    for _ in 0..6 {
        let component = match at.get("physicalType").first("coding").text("code") {
            "bd" => 3,
            "ro" => 2,
            "lvl" => 8,
            "bu" => 7,
            "si" => 4,
            _ => 1,
        };
        let typed = at.each("identifier").find(|id| id.get("type").is_there());
        let plain = at.each("identifier").find(|id| !id.get("type").is_there());
        let name = plain.map_or_else(|| at.text("name"), |id| id.text("value"));
        let (id, kind) = typed.map_or(("", ""), |id| {
            universal_id(id.text("value"), id.get("type").first("coding").text("code"))
        });
        content.set(component, hd(name, id, kind));
        at = writing.follow(at.get("partOf"));
        if !at.is_there() {
            break;
        }
    }
    content
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_lose_their_signs_only() {
        for (fhir, v2) in [
            ("2024", "2024"),
            ("2024-02", "202402"),
            ("2024-02-29", "20240229"),
            ("2024-02-29T10:30:00-06:00", "20240229103000-0600"),
            ("2024-02-29T10:30:00.120+05:45", "20240229103000.120+0545"),
            ("2024-02-29T10:30:00Z", "20240229103000+0000"),
            ("", ""),
        ] {
            assert_eq!(dtm(fhir), v2, "{fhir}");
        }
        assert_eq!(tm("08:30:00"), "083000");
    }
}
