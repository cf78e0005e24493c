//! There and back: v2 to FHIR to v2 keeps every mapped field, and FHIR to v2 to FHIR keeps the resource.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use bridge_convert::{
    Converter,
    to_v2::{Event, Header, Outgoing, V2Writer, WriteError},
};
use bridge_hl7v2::{
    Message,
    location::SegmentName,
    write::{Content, MessageBuilder},
};
use proptest::prelude::*;
use serde_json::Value;

fn header() -> Header {
    Header { sending_application: "APP".into(), sending_facility: "FAC".into(), ..Header::default() }
}

/// The resources of a message.
fn read(bytes: &[u8]) -> Vec<Value> {
    let message = Message::parse(bytes).unwrap();
    let converted = Converter::new(support::profile()).convert(&message, support::received()).unwrap();
    support::structure::check(&converted).unwrap();
    converted.resources.iter().map(|r| serde_json::from_slice(converted.json(r)).unwrap()).collect()
}

fn write(event: Event, resources: &[Value]) -> Vec<u8> {
    let writer = V2Writer::new(support::profile(), header());
    let outgoing = Outgoing { event, resources, control_id: "M1", sent: support::received() };
    writer.write(outgoing).unwrap().message
}

/// A message of one segment, or a few, from fields given as (segment, field, repetitions).
fn message(event: [&'static str; 2], fields: Vec<(&'static str, usize, Vec<Content<'static>>)>) -> Vec<u8> {
    let mut built = MessageBuilder::default();
    built
        .header()
        .set(3, "APP")
        .set(4, "FAC")
        .set(7, "20240301120000+0000")
        .set(9, event)
        .set(10, "M1")
        .set(12, "2.5.1");
    let mut names: Vec<&str> = Vec::new();
    for (name, ..) in &fields {
        if !names.contains(name) {
            names.push(name);
        }
    }
    for name in names {
        let segment = built.add(SegmentName::new(name).unwrap());
        for (_, n, repetitions) in fields.iter().filter(|(of, ..)| *of == name) {
            for content in repetitions {
                segment.push(*n, content.clone());
            }
        }
    }
    built.build().unwrap()
}

/// Every field of `sent` that is among `fields` stands in `back` as it was.
fn same_fields(sent: &[u8], back: &[u8], fields: &[(&str, &[u32])]) -> Result<(), TestCaseError> {
    let (sent, back) = (Message::parse(sent).unwrap(), Message::parse(back).unwrap());
    for (name, numbers) in fields {
        let Some(before) = sent.named(name).next() else { continue };
        let after = back.named(name).next();
        for n in *numbers {
            let was = before.field(*n).raw();
            let is = after.map_or("", |segment| segment.field(*n).raw());
            prop_assert_eq!(is, was, "{}-{}\n{}", name, n, String::from_utf8_lossy(back.as_bytes()));
        }
    }
    Ok(())
}

/// The resource of a type is the same, however often it goes out and comes in again.
fn same_resource(before: &[Value], after: &[Value], kind: &str) -> Result<(), TestCaseError> {
    let of = |resources: &[Value]| resources.iter().find(|r| r["resourceType"] == kind).cloned();
    prop_assert_eq!(of(before), of(after));
    Ok(())
}

fn word() -> impl Strategy<Value = String> {
    "[A-Z][a-z&^|~\\\\é']{0,6}[a-z]"
}

fn maybe<S: Strategy>(strategy: S) -> impl Strategy<Value = Option<S::Value>>
where
    S::Value: Clone,
{
    prop::option::weighted(0.7, strategy)
}

type Part = Content<'static>;

fn parts(list: Vec<(usize, Option<String>)>) -> Part {
    let filled = list.into_iter().filter_map(|(n, text)| Some((n, text?)));
    filled.fold(Content::default(), |content, (n, text)| content.with(n, text))
}

fn name() -> impl Strategy<Value = Part> {
    (
        word(),
        maybe(word()),
        maybe(word()),
        maybe(word()),
        maybe(Just("Dr".to_owned())),
        prop::sample::select(vec!["", "L", "M", "N"]),
    )
        .prop_map(|(family, given, second, suffix, prefix, kind)| {
            let second = second.filter(|_| given.is_some());
            let kind = Some(kind.to_owned()).filter(|kind| !kind.is_empty());
            parts(vec![(1, Some(family)), (2, given), (3, second), (4, suffix), (5, prefix), (7, kind)])
        })
}

fn address() -> impl Strategy<Value = Part> {
    let kind = prop::sample::select(vec!["H", "B", "M", "C", "BI"]);
    (
        word(),
        maybe(word()),
        word(),
        maybe("[A-Z]{2}"),
        maybe("[0-9]{5}"),
        maybe(Just("USA".to_owned())),
        kind,
        maybe(word()),
    )
        .prop_map(|(line, second, city, state, zip, country, kind, county)| {
            parts(vec![
                (1, Some(line)),
                (2, second),
                (3, Some(city)),
                (4, state),
                (5, zip),
                (6, country),
                (7, Some(kind.to_owned())),
                (9, county),
            ])
        })
}

fn phone(use_code: &'static str) -> impl Strategy<Value = Part> {
    let number = "[0-9]{3}-[0-9]{4}".prop_map(move |text| {
        parts(vec![(1, Some(text)), (2, Some(use_code.into())), (3, Some("PH".into()))])
    });
    let split = ("[1-9][0-9]{2}", "[0-9]{7}", maybe("[0-9]{2}")).prop_map(move |(area, local, extension)| {
        parts(vec![
            (2, Some(use_code.into())),
            (3, Some("PH".into())),
            (5, Some("1".into())),
            (6, Some(area)),
            (7, Some(local)),
            (8, extension),
        ])
    });
    let mail = "[a-z]{3,8}@example\\.org"
        .prop_map(|text| parts(vec![(2, Some("NET".into())), (3, Some("Internet".into())), (4, Some(text))]));
    prop_oneof![number, split, mail]
}

fn identifier() -> impl Strategy<Value = Part> {
    ("[0-9]{3,8}", prop::sample::select(vec![("NORTH", "MR"), ("EAST", "PI"), ("WEST", "DL")])).prop_map(
        |(value, (authority, kind))| {
            parts(vec![(1, Some(value)), (4, Some(authority.into())), (5, Some(kind.into()))])
        },
    )
}

fn date() -> impl Strategy<Value = String> {
    (1930..2024_i32, 1..13_u8, 1..29_u8).prop_map(|(year, month, day)| format!("{year}{month:02}{day:02}"))
}

fn moment() -> impl Strategy<Value = String> {
    (date(), 0..24_u8, 0..60_u8, prop::sample::select(vec!["-0600", "+0000", "+0530"]))
        .prop_map(|(date, hour, minute, offset)| format!("{date}{hour:02}{minute:02}00{offset}"))
}

fn coded(codes: &'static [&'static str], system: &'static str) -> impl Strategy<Value = Part> {
    (prop::sample::select(codes), word()).prop_map(move |(code, display)| {
        parts(vec![(1, Some(code.into())), (2, Some(display)), (3, Some(system.into()))])
    })
}

fn several<S: Strategy>(strategy: S) -> impl Strategy<Value = Vec<S::Value>> {
    prop::collection::vec(strategy, 1..3)
}

fn provider() -> impl Strategy<Value = Part> {
    ("D[0-9]{3}", word(), word()).prop_map(|(id, family, given)| {
        parts(vec![(1, Some(id)), (2, Some(family)), (3, Some(given)), (9, Some("NORTH".into()))])
    })
}

type Fields = Vec<(&'static str, usize, Vec<Part>)>;

fn pid() -> impl Strategy<Value = Fields> {
    let first = (
        several(identifier()),
        several(name()),
        maybe(date()),
        maybe(prop::sample::select(vec!["F", "M", "O", "U"])),
    );
    let second = (
        several(address()),
        several(phone("PRN")),
        several(phone("WPN")),
        coded(&["M", "S", "D"], "HL70002"),
        coded(&["AGN", "BUD"], "HL70006"),
    );
    let third = (maybe(word()), maybe(moment()), several(coded(&["USA", "CAN"], "ISO3166_1")));
    (first, second, third).prop_map(
        |(
            (ids, names, birth, sex),
            (addresses, home, work, marital, religion),
            (place, death, countries),
        )| {
            let one = |text: Option<String>| text.map_or_else(Vec::new, |text| vec![Content::from(text)]);
            // A mail address has no use, so it comes back among the private ones.
            let work = work.into_iter().filter(|point| !format!("{point:?}").is_empty()).collect::<Vec<_>>();
            vec![
                ("PID", 1, vec!["1".into()]),
                ("PID", 3, ids),
                ("PID", 5, names),
                ("PID", 7, one(birth)),
                ("PID", 8, one(sex.map(str::to_owned))),
                ("PID", 11, addresses),
                ("PID", 13, home),
                ("PID", 14, work),
                ("PID", 16, vec![marital]),
                ("PID", 17, vec![religion]),
                ("PID", 23, one(place)),
                ("PID", 26, countries),
                ("PID", 29, one(death)),
            ]
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_patient_comes_back_field_by_field(mut fields in pid(), gp in maybe(provider())) {
        // Mail addresses have no use to tell PID-14 from PID-13 by.
        fields.retain(|(_, n, _)| *n != 14);
        if let Some(gp) = gp {
            fields.push(("PD1", 4, vec![gp]));
        }
        let sent = message(["ADT", "A31"], fields);
        let resources = read(&sent);
        let back = write(Event::AdtA31, &resources);
        same_fields(&sent, &back, &[("PID", &[3, 5, 7, 8, 11, 13, 16, 17, 23, 26, 29]), ("PD1", &[4])])?;
        same_resource(&resources, &read(&back), "Patient")?;
    }

    #[test]
    fn next_of_kin_come_back(names in several(name()), address in address(), phones in several(phone("PRN")), role in coded(&["MTH", "SPO", "FTH"], "HL70063"), begun in date()) {
        let sent = message(["ADT", "A28"], vec![
            ("PID", 3, vec!["77".into()]), ("NK1", 1, vec!["1".into()]), ("NK1", 2, names[..1].to_vec()), ("NK1", 3, vec![role]),
            ("NK1", 4, vec![address]), ("NK1", 5, phones), ("NK1", 8, vec![begun.into()]),
        ]);
        let resources = read(&sent);
        let back = write(Event::AdtA28, &resources);
        same_fields(&sent, &back, &[("NK1", &[1, 2, 3, 4, 5, 8])])?;
        same_resource(&resources, &read(&back), "RelatedPerson")?;
    }

    #[test]
    fn an_appointment_comes_back(
        placer in "[A-Z0-9]{4,8}", filler in "[A-Z0-9]{4,8}", start in (2024..2030_i32, 1..13_u8, 1..29_u8, 0..20_u8), minutes in 5..120_i64,
        reason in coded(&["CHECKUP", "ROUTINE"], "HL70276"), kind in coded(&["Normal", "Tentative"], "HL70277"),
        status in prop::sample::select(vec!["Booked", "Pending", "Started", "Complete"]), service in coded(&["99213", "99214"], "C4"),
        person in provider(), note in word(),
    ) {
        let (year, month, day, hour) = start;
        let from = format!("{year}{month:02}{day:02}{hour:02}0000-0600");
        let to = format!("{year}{month:02}{day:02}{:02}{:02}00-0600", i64::from(hour) + minutes / 60, minutes % 60);
        let timing = parts(vec![(3, Some(format!("M{minutes}"))), (4, Some(from.clone())), (5, Some(to))]);
        let sent = message(["SIU", "S14"], vec![
            ("SCH", 1, vec![parts(vec![(1, Some(placer)), (2, Some("PLACER".into()))])]), ("SCH", 2, vec![parts(vec![(1, Some(filler)), (2, Some("FILLER".into()))])]),
            ("SCH", 7, vec![reason]), ("SCH", 8, vec![kind]), ("SCH", 9, vec![minutes.to_string().into()]), ("SCH", 10, vec!["min".into()]),
            ("SCH", 11, vec![timing]), ("SCH", 16, vec![person.clone()]), ("SCH", 25, vec![status.into()]), ("NTE", 3, vec![note.into()]), ("PID", 3, vec!["77".into()]),
            ("AIS", 3, vec![service]), ("AIS", 4, vec![from.clone().into()]), ("AIS", 7, vec![minutes.to_string().into()]), ("AIS", 8, vec!["min".into()]),
            ("AIP", 3, vec![person]), ("AIP", 6, vec![from.into()]), ("AIP", 9, vec![minutes.to_string().into()]), ("AIP", 10, vec!["min".into()]),
        ]);
        let resources = read(&sent);
        let back = write(Event::SiuS14, &resources);
        same_fields(&sent, &back, &[("SCH", &[1, 2, 7, 8, 9, 10, 11, 16]), ("NTE", &[3]), ("AIS", &[3, 4, 7, 8]), ("AIP", &[3, 6, 9, 10])])?;
        // The v2 word is one of those that mean the status.
        same_resource(&resources, &read(&back), "Appointment")?;
    }

    #[test]
    fn results_come_back(
        filler in "[A-Z0-9]{4,8}", code in coded(&["2345-7", "718-7"], "LN"), number in "[1-9][0-9]{0,2}(\\.[0-9]{1,3})?", range in "[0-9]-[0-9]{2}",
        flag in prop::sample::select(vec!["N", "H", "L", "HH"]), at in moment(), note in word(), observer in provider(), text in word(),
    ) {
        let sent = message(["ORU", "R01"], vec![
            ("PID", 3, vec!["77".into()]), ("OBR", 3, vec![parts(vec![(1, Some(filler)), (2, Some("LAB".into()))])]), ("OBR", 4, vec![code.clone()]),
            ("OBR", 7, vec![at.clone().into()]), ("OBR", 22, vec![at.clone().into()]), ("OBR", 24, vec!["CH".into()]), ("OBR", 25, vec!["F".into()]),
            ("OBX", 2, vec!["NM".into()]), ("OBX", 3, vec![code]), ("OBX", 4, vec!["1".into()]), ("OBX", 5, vec![number.into()]), ("OBX", 6, vec![parts(vec![(1, Some("mg/dL".into())), (3, Some("UCUM".into()))])]),
            ("OBX", 7, vec![range.into()]), ("OBX", 8, vec![parts(vec![(1, Some(flag.into())), (2, Some(text)), (3, Some("HL70078".into()))])]),
            ("OBX", 11, vec!["F".into()]), ("OBX", 14, vec![at.into()]), ("OBX", 16, vec![observer]), ("NTE", 3, vec![note.into()]),
        ]);
        let resources = read(&sent);
        let back = write(Event::OruR01, &resources);
        same_fields(&sent, &back, &[("OBR", &[3, 4, 7, 22, 24, 25]), ("OBX", &[2, 3, 4, 5, 6, 7, 11, 14, 16]), ("NTE", &[3])])?;
        for kind in ["Observation", "DiagnosticReport"] {
            same_resource(&resources, &read(&back), kind)?;
        }
    }

    #[test]
    fn charges_come_back(
        id in "[A-Z0-9]{4,8}", batch in "[A-Z0-9]{2,6}", at in date(), posted in moment(), code in coded(&["99213", "99214"], "C4"), quantity in 1..9_u8,
        amount in "[1-9][0-9]{0,3}\\.[0-9]{2}", reason in coded(&["E11.9", "I10"], "I10C"), doctor in provider(), plan in coded(&["PPO", "HMO"], "LN"),
    ) {
        let money = Content::default().with(1, Content::default().with(1, amount).with(2, "USD"));
        let sent = message(["DFT", "P03"], vec![
            ("PID", 3, vec!["77".into()]), ("FT1", 2, vec![parts(vec![(1, Some(id)), (4, Some("NORTH".into()))])]), ("FT1", 3, vec![batch.into()]),
            ("FT1", 4, vec![at.into()]), ("FT1", 5, vec![posted.into()]), ("FT1", 6, vec![parts(vec![(1, Some("CG".into())), (3, Some("HL70017".into()))])]),
            ("FT1", 7, vec![code.clone()]), ("FT1", 10, vec![quantity.to_string().into()]), ("FT1", 11, vec![money]), ("FT1", 19, vec![reason]),
            ("FT1", 20, vec![doctor]), ("FT1", 25, vec![code]), ("FT1", 26, vec!["25".into()]),
            ("IN1", 1, vec!["1".into()]), ("IN1", 2, vec![plan]), ("IN1", 4, vec!["Example Mutual".into()]), ("IN1", 36, vec!["POL1".into()]),
        ]);
        let resources = read(&sent);
        let back = write(Event::DftP03, &resources);
        same_fields(&sent, &back, &[("FT1", &[2, 3, 4, 5, 6, 7, 10, 11, 19, 20, 25, 26]), ("IN1", &[1, 2, 4, 36])])?;
        for kind in ["ChargeItem", "Coverage"] {
            same_resource(&resources, &read(&back), kind)?;
        }
    }
}

#[test]
fn a_merge_goes_out_as_it_came() {
    let sent = b"MSH|^~\\&|APP|FAC|||20240301||ADT^A40|M1|P|2.5.1\rPID|1||7^^^NORTH^MR||New\rMRG|8^^^NORTH^MR||||||Old";
    let resources = read(sent);
    let back = write(Event::AdtA40, &resources);
    same_fields(sent, &back, &[("PID", &[3, 5]), ("MRG", &[1, 7])]).unwrap();
    same_resource(&resources, &read(&back), "Patient").unwrap();
}

#[test]
fn what_the_event_is_about_must_be_there() {
    let writer = V2Writer::new(support::profile(), header());
    let write = |event, resources: &[Value]| {
        writer.write(Outgoing { event, resources, control_id: "1", sent: support::received() }).unwrap_err()
    };
    assert_eq!(write(Event::AdtA28, &[]), WriteError::MissingResource("Patient"));
    assert_eq!(write(Event::SiuS12, &[]), WriteError::MissingResource("Appointment"));
    let patient = serde_json::json!({"resourceType": "Patient", "id": "1"});
    assert!(matches!(write(Event::AdtA40, &[patient]), WriteError::MissingElement(_)));
}

#[test]
fn an_element_without_a_field_is_told() {
    let patient = serde_json::json!({"resourceType": "Patient", "id": "1", "photo": [{"url": "x"}], "name": [{"family": "A"}]});
    let writer = V2Writer::new(support::profile(), header());
    let outgoing =
        Outgoing { event: Event::AdtA31, resources: &[patient], control_id: "1", sent: support::received() };
    assert_eq!(writer.write(outgoing).unwrap().left_out, ["Patient.photo"]);
}
