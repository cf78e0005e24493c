//! `bridge convert`: HL7 v2 messages as the FHIR R4 that they become, and FHIR R4 as HL7 v2 messages, on this machine
//! and without a running bridge. What the file holds says which way.

mod to_fhir;
mod to_v2;

use std::path::PathBuf;

use bridge_convert::Profile;
use bridge_core::Zone;

use crate::{
    failure::Failure,
    hl7::{Source, read},
    output::{Out, note},
};

/// Ids of a dry run: no tenant's, so they match nothing that is stored.
const NAMESPACE: &[u8; 16] = b"bridge convert\0\0";

/// Its arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// File of one HL7 v2 message or many (FHS/BHS batches too), or of FHIR (a resource, a Bundle, a list); a folder of
    /// such files; `-` is standard input
    file: PathBuf,
    /// Zone of times that have no offset
    #[arg(long, value_name = "IANA", default_value = "UTC")]
    zone: Zone,
    /// Identifier system of an assigning authority, repeatable
    #[arg(long = "authority", value_name = "NAME=URI", value_parser = authority)]
    authorities: Vec<(String, String)>,
    /// Of FHIR: the event to write, instead of the one that follows from the resources
    #[arg(long, value_name = "ADT^A31")]
    event: Option<String>,
    /// Say what was not mapped, not the result
    #[arg(long)]
    diagnostics: bool,
}

fn authority(text: &str) -> Result<(String, String), String> {
    let (name, uri) =
        text.split_once('=').ok_or("write NAME=URI, for example NORTH=https://north.example/mrn")?;
    Ok((name.to_owned(), uri.to_owned()))
}

/// How many messages or documents were looked at, and how many parts could not be converted.
#[derive(Debug, Default)]
struct Count {
    seen: usize,
    refused: usize,
}

impl Count {
    /// Names what was not converted.
    fn refuse(&mut self, source: &Source, why: impl std::fmt::Display) {
        note(format_args!("{}: {why}", source.name));
        self.refused += 1;
    }
}

/// Converts everything in the file. What can't be is named; the rest is still converted.
pub(crate) fn run(args: &Args, out: Out) -> Result<(), Failure> {
    let profile = profile(args)?;
    let mut count = Count::default();
    for source in read(&args.file)? {
        if is_json(&source.bytes) {
            to_v2::convert(&source, &profile, args, &mut count, out)?;
        } else {
            to_fhir::convert(&source, &profile, args, &mut count, out)?;
        }
    }
    match count {
        Count { seen: 0, .. } => Err(Failure::Wrong(
            "there is nothing to convert in it: an HL7 v2 message begins with MSH, FHIR is JSON".to_owned(),
        )),
        Count { refused: 0, .. } => Ok(()),
        Count { refused, .. } => {
            Err(Failure::Unsound(format!("{refused} parts were not converted; they are named above")))
        }
    }
}

fn profile(args: &Args) -> Result<Profile, Failure> {
    let zone =
        jiff::tz::TimeZone::get(args.zone.name()).map_err(|error| Failure::Wrong(error.to_string()))?;
    let namespace = uuid::Uuid::from_bytes(*NAMESPACE);
    let profile = Profile::new(namespace, zone, "https://bridge.invalid/fhir");
    Ok(args.authorities.iter().fold(profile, |profile, (name, uri)| profile.authority(name, uri)))
}

fn is_json(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    text.trim_ascii_start().starts_with(b"{") || text.trim_ascii_start().starts_with(b"[")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use super::*;

    fn convert(text: &str, event: Option<&str>) -> Result<(), Failure> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        let args = Args {
            file: file.path().to_owned(),
            zone: "America/Chicago".parse().unwrap(),
            authorities: vec![("NORTH".to_owned(), "https://north.example/mrn".to_owned())],
            event: event.map(str::to_owned),
            diagnostics: true,
        };
        run(&args, Out::new(true))
    }

    const MESSAGE: &str = "MSH|^~\\&|PM|NORTH|EHR|NORTH|20260302103000||ADT^A28^ADT_A05|77|P|2.5.1\r\
                           PID|1||4711^^^NORTH^MR||Testperson^Una^Q||19700101|F\r";
    const PATIENT: &str = r#"{"resourceType": "Patient", "identifier": [{"value": "4711"}]}"#;

    #[test]
    fn good_messages_are_converted_and_others_named() {
        assert!(convert(MESSAGE, None).is_ok());
        assert!(convert(&format!("{MESSAGE}{MESSAGE}"), None).is_ok());
        assert!(matches!(convert("hello", None), Err(Failure::Wrong(_))));
        assert!(matches!(convert(&format!("{MESSAGE}MSH|broken\r"), None), Err(Failure::Unsound(_))));
    }

    #[test]
    fn fhir_is_converted_the_other_way() {
        assert!(convert(PATIENT, None).is_ok());
        assert!(convert(&format!("[{PATIENT}]"), Some("ADT^A28")).is_ok());
        let bundle = format!(r#"{{"resourceType": "Bundle", "entry": [{{"resource": {PATIENT}}}]}}"#);
        assert!(convert(&bundle, None).is_ok());
        for nothing in [r#"{"resourceType": "Location"}"#, r#"{"resourceType": "Bundle"}"#, "[1]"] {
            assert!(matches!(convert(nothing, None), Err(Failure::Unsound(_))), "{nothing}");
        }
        assert!(matches!(convert("{\"resourceType\"", None), Err(Failure::Unsound(_))), "not JSON");
        assert!(matches!(convert(PATIENT, Some("ADT^A99")), Err(Failure::Wrong(_))));
        assert!(matches!(convert(PATIENT, Some("SIU^S12")), Err(Failure::Unsound(_))), "no appointment");
    }

    #[test]
    fn an_authority_is_a_name_and_a_uri() {
        assert_eq!(authority("A=urn:x"), Ok(("A".to_owned(), "urn:x".to_owned())));
        assert!(authority("A").is_err_and(|why| why.contains("NAME=URI")));
    }
}
