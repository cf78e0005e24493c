//! `bridge convert`: HL7 v2 messages as the FHIR R4 that they become, on this machine and without a running bridge.

use std::{fs, io::Read as _, path::PathBuf};

use bridge_convert::{Converted, Converter, Profile};
use bridge_core::Zone;
use bridge_hl7v2::{
    Message,
    batch::{self, Part},
};
use bridge_pipeline::ports::Clock as _;
use serde_json::{Value, json};

use crate::{
    failure::Failure,
    output::{self, Out, note},
};

/// Ids of a dry run: no tenant's, so they match nothing that is stored.
const NAMESPACE: &[u8; 16] = b"bridge convert\0\0";

/// Its arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// File of one message or many (FHS/BHS batches too); `-` is standard input
    file: PathBuf,
    /// Zone of times that have no offset
    #[arg(long, value_name = "IANA", default_value = "UTC")]
    zone: Zone,
    /// Identifier system of an assigning authority, repeatable
    #[arg(long = "authority", value_name = "NAME=URI", value_parser = authority)]
    authorities: Vec<(String, String)>,
    /// Say what was not mapped, not the resources
    #[arg(long)]
    diagnostics: bool,
}

fn authority(text: &str) -> Result<(String, String), String> {
    let (name, uri) =
        text.split_once('=').ok_or("write NAME=URI, for example NORTH=https://north.example/mrn")?;
    Ok((name.to_owned(), uri.to_owned()))
}

/// Converts every message of the file. Those that can't be are named; the others are still converted.
pub(crate) fn run(args: &Args, out: Out) -> Result<(), Failure> {
    let file = read(&args.file)?;
    let zone =
        jiff::tz::TimeZone::get(args.zone.name()).map_err(|error| Failure::Wrong(error.to_string()))?;
    let namespace = uuid::Uuid::from_bytes(*NAMESPACE);
    let mut profile = Profile::new(namespace, zone, "https://bridge.invalid/fhir");
    for (name, uri) in &args.authorities {
        profile = profile.authority(name, uri);
    }
    let converter = Converter::new(profile);
    let received = jiff::Timestamp::from_millisecond(bridge_aws::SystemClock.now().as_millis())
        .map_err(|error| Failure::World(error.to_string()))?;
    let (mut messages, mut refused) = (0_usize, 0_usize);
    for part in batch::split(&file) {
        let lines = match part {
            Part::Message(lines) => lines,
            Part::Stray(lines) => {
                note(format_args!("line {}: in no message", lines.line));
                refused += 1;
                continue;
            }
            Part::BatchEnd(count) | Part::FileEnd(count) if !count.agrees() => {
                note(format_args!(
                    "line {}: the trailer's count is not what was found ({})",
                    count.line, count.found
                ));
                refused += 1;
                continue;
            }
            _ => continue,
        };
        messages += 1;
        let converted = Message::parse(lines.bytes)
            .map_err(|error| error.to_string())
            .and_then(|message| converter.convert(&message, received).map_err(|error| error.to_string()));
        match converted {
            Ok(converted) => show(&converted, args.diagnostics, out)?,
            Err(why) => {
                note(format_args!("message at line {}: {why}", lines.line));
                refused += 1;
            }
        }
    }
    match (messages, refused) {
        (0, _) => {
            Err(Failure::Wrong("there is no HL7 v2 message in it: a message begins with MSH".to_owned()))
        }
        (_, 0) => Ok(()),
        _ => Err(Failure::Unsound(format!("{refused} parts were not converted; they are named above"))),
    }
}

fn read(file: &PathBuf) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let done = if file.as_os_str() == "-" {
        std::io::stdin().lock().read_to_end(&mut bytes)
    } else {
        fs::File::open(file).and_then(|mut file| file.read_to_end(&mut bytes))
    };
    done.map_err(|error| Failure::Wrong(format!("{}: {error}", file.display())))?;
    Ok(bytes)
}

fn show(converted: &Converted, diagnostics: bool, out: Out) -> Result<(), Failure> {
    let lines: Vec<String> = converted.diagnostics.iter().map(ToString::to_string).collect();
    let removals = converted.removals.iter().map(|removal| {
        json!({"resource": format!("{}/{}", removal.kind, removal.id), "path": removal.path,
               "location": removal.location.to_string()})
    });
    let removals: Vec<Value> = removals.collect();
    if out.json {
        let bundle: Value =
            serde_json::from_slice(&converted.bundle).map_err(|error| Failure::World(error.to_string()))?;
        out.json(&json!({"bundle": bundle, "removals": removals, "diagnostics": lines}));
    } else if diagnostics {
        lines.iter().for_each(|line| out.text(line));
        removals.iter().for_each(|removal| out.text(format_args!("remove {removal}")));
    } else {
        let bundle: Value =
            serde_json::from_slice(&converted.bundle).map_err(|error| Failure::World(error.to_string()))?;
        output::print(format_args!("{bundle:#}\n"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn convert(text: &str) -> Result<(), Failure> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        let args = Args {
            file: file.path().to_owned(),
            zone: "America/Chicago".parse().unwrap(),
            authorities: vec![("NORTH".to_owned(), "https://north.example/mrn".to_owned())],
            diagnostics: true,
        };
        run(&args, Out::new(true))
    }

    const MESSAGE: &str = "MSH|^~\\&|PM|NORTH|EHR|NORTH|20260302103000||ADT^A28^ADT_A05|77|P|2.5.1\r\
                           PID|1||4711^^^NORTH^MR||Testperson^Una^Q||19700101|F\r";

    #[test]
    fn good_messages_are_converted_and_others_named() {
        assert!(convert(MESSAGE).is_ok());
        assert!(convert(&format!("{MESSAGE}{MESSAGE}")).is_ok());
        assert!(matches!(convert("hello"), Err(Failure::Wrong(_))));
        assert!(matches!(convert(&format!("{MESSAGE}MSH|broken\r")), Err(Failure::Unsound(_))));
    }

    #[test]
    fn an_authority_is_a_name_and_a_uri() {
        assert_eq!(authority("A=urn:x"), Ok(("A".to_owned(), "urn:x".to_owned())));
        assert!(authority("A").is_err_and(|why| why.contains("NAME=URI")));
    }
}
