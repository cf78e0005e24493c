//! HL7 v2 messages as FHIR R4.

use bridge_aws::SystemClock;
use bridge_convert::{Converted, Converter, Profile};
use bridge_hl7v2::Message;
use bridge_pipeline::ports::Clock as _;
use serde_json::{Value, json};

use super::{Args, Count};
use crate::{
    failure::Failure,
    hl7::{Item, Source},
    output::{self, Out},
};

/// Converts every message of a file.
pub(super) fn convert(
    source: &Source,
    profile: &Profile,
    args: &Args,
    count: &mut Count,
    out: Out,
) -> Result<(), Failure> {
    let converter = Converter::new(profile.clone());
    let received = jiff::Timestamp::from_millisecond(SystemClock.now().as_millis())
        .map_err(|error| Failure::World(error.to_string()))?;
    for item in source.items() {
        let (line, bytes) = match item {
            Item::Message { line, bytes } => (line, bytes),
            Item::Wrong(what) => {
                count.refuse(source, what);
                continue;
            }
        };
        count.seen += 1;
        let converted = Message::parse(bytes)
            .map_err(|error| error.to_string())
            .and_then(|message| converter.convert(&message, received).map_err(|error| error.to_string()));
        match converted {
            Ok(converted) => show(&converted, args.diagnostics, out)?,
            Err(why) => count.refuse(source, format_args!("message at line {line}: {why}")),
        }
    }
    Ok(())
}

fn show(converted: &Converted, diagnostics: bool, out: Out) -> Result<(), Failure> {
    let lines: Vec<String> = converted.diagnostics.iter().map(ToString::to_string).collect();
    let removals = converted.removals.iter().map(|removal| {
        json!({"resource": format!("{}/{}", removal.kind, removal.id), "path": removal.path,
               "location": removal.location.to_string()})
    });
    let removals: Vec<Value> = removals.collect();
    let bundle = || -> Result<Value, Failure> {
        serde_json::from_slice(&converted.bundle).map_err(|error| Failure::World(error.to_string()))
    };
    if out.json {
        out.json(&json!({"bundle": bundle()?, "removals": removals, "diagnostics": lines}));
    } else if diagnostics {
        lines.iter().for_each(|line| out.text(line));
        removals.iter().for_each(|removal| out.text(format_args!("remove {removal}")));
    } else {
        output::print(format_args!("{:#}\n", bundle()?));
    }
    Ok(())
}
