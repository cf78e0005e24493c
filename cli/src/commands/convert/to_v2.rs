//! FHIR R4 as HL7 v2 messages: those that a destination would get, were all of it new.

use std::io::IsTerminal as _;

use bridge_aws::SystemClock;
use bridge_convert::{
    Profile,
    to_v2::{Event, Header, Outgoing, V2Writer},
};
use bridge_fhir::Resource;
use bridge_pipeline::{
    normalize::{Change, Changes, Told, tell},
    ports::Clock as _,
};
use serde_json::{Value, json};

use super::{Args, Count};
use crate::{
    failure::Failure,
    hl7::Source,
    output::{self, Out},
};

const EVENTS: [Event; 11] = [
    Event::AdtA28,
    Event::AdtA31,
    Event::AdtA40,
    Event::SiuS12,
    Event::SiuS13,
    Event::SiuS14,
    Event::SiuS15,
    Event::SiuS17,
    Event::SiuS26,
    Event::DftP03,
    Event::OruR01,
];

/// Converts every document of a file.
pub(super) fn convert(
    source: &Source,
    profile: &Profile,
    args: &Args,
    count: &mut Count,
    out: Out,
) -> Result<(), Failure> {
    let event = args.event.as_deref().map(event).transpose()?;
    let now = SystemClock.now();
    let sent = jiff::Timestamp::from_millisecond(now.as_millis())
        .map_err(|error| Failure::World(error.to_string()))?;
    let writer =
        V2Writer::new(profile.clone(), Header { sending_application: "BRIDGE".into(), ..Header::default() });
    // One document after the other: a file of lines of JSON is many.
    for document in serde_json::Deserializer::from_slice(&source.bytes).into_iter::<Value>() {
        count.seen += 1;
        let number = count.seen;
        let document = match document {
            Ok(document) => document,
            Err(error) => {
                count.refuse(
                    source,
                    format_args!("line {}, column {}: not JSON", error.line(), error.column()),
                );
                break;
            }
        };
        let messages = messages(document, event);
        if messages.is_empty() {
            let wanted = args.event.as_deref().unwrap_or("any event");
            count.refuse(source, format_args!("document {number}: no resource that is told by {wanted}"));
        }
        for (n, told) in (1_usize..).zip(&messages) {
            let control_id = format!("{:X}{:04}", now.as_millis(), number * 100 + n);
            let outgoing =
                Outgoing { event: told.event, resources: &told.resources, control_id: &control_id, sent };
            match writer.write(outgoing) {
                Ok(written) => show(told.event, &written.message, &written.left_out, args.diagnostics, out),
                Err(why) => {
                    let name = name(told.event);
                    count.refuse(source, format_args!("document {number}: no {name}: {why}"));
                }
            }
        }
    }
    Ok(())
}

/// What is told of a document's resources, each of them new.
fn messages(document: Value, event: Option<Event>) -> Vec<Told> {
    let resources: Vec<Resource> = (1_usize..).zip(resources(document)).filter_map(resource).collect();
    let changes: Changes = resources.iter().map(|one| (one.reference(), Change::Created)).collect();
    let family = |event: Event| event.message_type()[0];
    let mut told = tell(&resources, &changes);
    if let Some(event) = event {
        told.retain(|told| family(told.event) == family(event));
        told.iter_mut().for_each(|told| told.event = event);
    }
    told
}

/// The resources of a resource, a Bundle or a list.
fn resources(document: Value) -> Vec<Value> {
    match document {
        Value::Array(items) => items.into_iter().flat_map(resources).collect(),
        Value::Object(mut bundle) if bundle.get("resourceType").and_then(Value::as_str) == Some("Bundle") => {
            let Some(Value::Array(entries)) = bundle.remove("entry") else { return Vec::new() };
            let resource = |mut entry: Value| entry.get_mut("resource").map(Value::take);
            entries.into_iter().filter_map(resource).collect()
        }
        other => vec![other],
    }
}

/// A resource without an id gets its number: nothing can refer to it.
fn resource((number, json): (usize, Value)) -> Option<Resource> {
    let resource_type = json.get("resourceType")?.as_str()?.to_owned();
    let id = json.get("id").and_then(Value::as_str).map_or_else(|| number.to_string(), str::to_owned);
    Some(Resource { resource_type, id, json })
}

fn event(text: &str) -> Result<Event, Failure> {
    EVENTS.into_iter().find(|event| name(*event) == text).ok_or_else(|| {
        let all: Vec<String> = EVENTS.into_iter().map(name).collect();
        Failure::Wrong(format!("`{text}` can't be written: --event takes {}", all.join(", ")))
    })
}

fn name(event: Event) -> String {
    let [message, trigger, _] = event.message_type();
    format!("{message}^{trigger}")
}

fn show(event: Event, message: &[u8], left_out: &[String], diagnostics: bool, out: Out) {
    let text = String::from_utf8_lossy(message);
    if out.json {
        out.json(&json!({"event": name(event), "message": text, "left_out": left_out}));
    } else if diagnostics {
        left_out.iter().for_each(|path| out.text(format_args!("{path}: no field")));
    } else if std::io::stdout().is_terminal() {
        // CR alone would write all segments over each other.
        output::print(text.replace('\r', "\n"));
    } else {
        output::print(text);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use bridge_convert::Converter;
    use bridge_hl7v2::Message;
    use jiff::{Timestamp, tz::TimeZone};

    use super::*;

    fn profile() -> Profile {
        Profile::new(uuid::Uuid::nil(), TimeZone::UTC, "https://bridge.invalid/fhir")
            .authority("NORTH", "https://north.example/mrn")
    }

    /// A message as FHIR, and that as messages again.
    fn there_and_back(message: &str) -> String {
        let message = Message::parse(message).unwrap();
        let converted = Converter::new(profile()).convert(&message, Timestamp::UNIX_EPOCH).unwrap();
        let bundle = serde_json::from_slice(&converted.bundle).unwrap();
        let writer =
            V2Writer::new(profile(), Header { sending_application: "BRIDGE".into(), ..Header::default() });
        let write = |(n, told): (usize, &Told)| {
            let sent = Timestamp::UNIX_EPOCH;
            let control_id = n.to_string();
            let outgoing =
                Outgoing { event: told.event, resources: &told.resources, control_id: &control_id, sent };
            String::from_utf8(writer.write(outgoing).unwrap().message).unwrap().replace('\r', "\n")
        };
        messages(bundle, None).iter().enumerate().map(write).collect()
    }

    const HEAD: &str = "MSH|^~\\&|PM|NORTH|EHR|NORTH|20260302103000+0000||";
    const PID: &str = "PID|1||4711^^^NORTH^MR||Testperson^Una^Q^^^^L||19700101|F|||\
                       1 Invented Way^^Nowhere^IL^60601^USA^H||^PRN^PH^^1^555^0100\r";

    #[test]
    fn adt_comes_back() {
        insta::assert_snapshot!(there_and_back(&format!(
            "{HEAD}ADT^A28^ADT_A05|77|P|2.5.1\rEVN|A28|20260302103000+0000\r{PID}\
             NK1|1|Testparent^Ulf|FTH^Father^HL70063\rPV1|1|N\r"
        )));
    }

    #[test]
    fn a_merge_comes_back() {
        insta::assert_snapshot!(there_and_back(&format!(
            "{HEAD}ADT^A40^ADT_A39|78|P|2.5.1\rEVN|A40|20260302103000+0000\r{PID}MRG|4712^^^NORTH^MR\r"
        )));
    }

    #[test]
    fn siu_comes_back() {
        insta::assert_snapshot!(there_and_back(&format!(
            "{HEAD}SIU^S12^SIU_S12|79|P|2.5.1\r\
             SCH||V1^NORTH||||||ROUTINE^Routine^HL70277|30|min|^^30^20260402140000+0000^20260402143000+0000||||||||||||||Booked\r\
             {PID}RGS|1|A\rAIS|1|A|EXAM^Examination^L|20260402140000+0000\r"
        )));
    }

    #[test]
    fn dft_comes_back() {
        insta::assert_snapshot!(there_and_back(&format!(
            "{HEAD}DFT^P03^DFT_P03|80|P|2.5.1\rEVN|P03|20260302103000+0000\r{PID}\
             FT1|1|C1||20260302|20260302|CG|D0120^Oral evaluation^CDT|||1|52.00&USD\r"
        )));
    }

    #[test]
    fn oru_comes_back() {
        insta::assert_snapshot!(there_and_back(&format!(
            "{HEAD}ORU^R01^ORU_R01|81|P|2.5.1\r{PID}\
             OBR|1|P1^NORTH|F1^NORTH|2345-7^Glucose^LN|||20260302090000+0000|||||||||||||||20260302100000+0000||LAB|F\r\
             OBX|1|NM|2345-7^Glucose^LN||98|mg/dL^^UCUM|70-110|N|||F|||20260302090000+0000\r"
        )));
    }
}
