//! `bridge ack`: the acknowledgments that messages would get, without sending them anywhere.

use std::{path::PathBuf, sync::Arc};

use bridge_aws::SystemClock;
use bridge_convert::Event;
use bridge_core::{config::Hl7v2Site, id::ConnectionId};
use bridge_hl7v2::{
    Message,
    ack::{Acknowledgment, Mode, Problem, ProblemCode, Verdict, Wanted, refuse},
};
use bridge_pipeline::{configuration::Loaded, ports::Clock as _};
use serde_json::json;

use super::connections;
use crate::{
    arguments::Global,
    failure::Failure,
    hl7::{Item, read, receiver::made},
    output::{Out, note, print},
    system::{self, Pipeline},
};

/// Its arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// File of one message or many, a folder of such files, or `-` for standard input
    file: PathBuf,
    /// By the rules of this connection; without it, of a site that has none of its own
    #[arg(long)]
    connection: Option<ConnectionId>,
    /// Which acknowledgments: as MSH-15 and MSH-16 ask, or always so
    #[arg(long, value_enum, default_value_t = Asked::Auto, conflicts_with = "connection")]
    mode: Asked,
}

/// How to answer.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Asked {
    /// As MSH-15 and MSH-16 ask
    Auto,
    /// AA, AE, AR
    Original,
    /// CA, CE, CR
    Enhanced,
}

/// Whose rules.
enum Rules {
    /// Those of nobody in particular.
    Common(Mode),
    /// A connection's.
    Of(Box<Pipeline>, Arc<Loaded>),
}

/// What a message would be told.
struct Told {
    /// `None`: nothing.
    answer: Option<Vec<u8>>,
    verdict: Verdict,
    /// What else the sender would hear, and where.
    later: Option<String>,
}

/// Answers every message.
pub(crate) async fn run(global: &Global, args: &Args, out: Out) -> Result<(), Failure> {
    let rules = rules(global, args).await?;
    let (mut messages, mut refused) = (0_usize, 0_usize);
    for source in read(&args.file)? {
        for item in source.items() {
            let (line, bytes) = match item {
                Item::Message { line, bytes } => (line, bytes),
                Item::Wrong(what) => {
                    note(format_args!("{}: {what}", source.name));
                    refused += 1;
                    continue;
                }
            };
            messages += 1;
            let Told { answer, verdict, later } = rules.answer(bytes)?;
            let accepted = verdict == Verdict::Accept;
            refused += usize::from(!accepted);
            let text = answer.as_deref().map(|answer| String::from_utf8_lossy(answer).replace('\r', "\n"));
            out.json(&json!({
                "file": source.name, "line": line, "accepted": accepted, "answer": text, "later": later,
            }));
            match text {
                Some(text) if !out.json => print(text),
                None => note(format_args!("{}:{line}: no answer is asked for", source.name)),
                Some(_) => {}
            }
            if let Some(later) = later {
                out.text(later);
            }
        }
    }
    match (messages, refused) {
        (0, _) => {
            Err(Failure::Wrong("there is no HL7 v2 message in it: a message begins with MSH".to_owned()))
        }
        (_, 0) => Ok(()),
        (_, n) => Err(Failure::Unsound(format!("{n} would be refused"))),
    }
}

async fn rules(global: &Global, args: &Args) -> Result<Rules, Failure> {
    let Some(connection) = &args.connection else {
        return Ok(Rules::Common(match args.mode {
            Asked::Auto => Mode::AsAsked,
            Asked::Original => Mode::Original,
            Asked::Enhanced => Mode::Commit,
        }));
    };
    let pipeline = system::find(&global.state(), global.endpoint.as_deref())?.pipeline().await;
    let loaded = connections::existing(&pipeline, connection).await?;
    Ok(Rules::Of(Box::new(pipeline), loaded))
}

impl Rules {
    fn answer(&self, bytes: &[u8]) -> Result<Told, Failure> {
        match self {
            Self::Common(mode) => {
                common(bytes, *mode).map(|(answer, verdict)| Told { answer, verdict, later: None })
            }
            Self::Of(pipeline, loaded) => {
                let prepared = pipeline.rehearse_hl7(loaded, bytes);
                let later = later(loaded, bytes).filter(|_| prepared.verdict == Verdict::Accept);
                Ok(Told { answer: prepared.answer, verdict: prepared.verdict, later })
            }
        }
    }
}

/// The acknowledgments that come when the message has been worked: `AA or AE follows to sunrise.answers`.
fn later(loaded: &Loaded, bytes: &[u8]) -> Option<String> {
    let site = loaded.hl7v2.as_ref()?;
    let to = site.acknowledge_to.as_ref()?;
    let message = Message::parse_as(bytes, site.charset.unwrap_or_default()).ok()?;
    let wanted = Wanted::by(&message, site.ack.unwrap_or_default());
    let codes = [Verdict::Accept, Verdict::Error].into_iter().filter_map(|verdict| wanted.deferred(verdict));
    let codes: Vec<_> = codes.map(|code| code.to_string()).collect();
    (!codes.is_empty()).then(|| format!("{} follows to {to}", codes.join(" or ")))
}

/// The answer of a site without rules of its own, when one is asked for, and what it says.
fn common(bytes: &[u8], mode: Mode) -> Result<(Option<Vec<u8>>, Verdict), Failure> {
    let now = SystemClock.now();
    let (made, own) = (made(now), format!("{:X}", now.as_millis()));
    let unwritable =
        |error: bridge_hl7v2::Error| Failure::Wrong(format!("the answer can't be written: {error}"));
    let message = match Message::parse(bytes) {
        Ok(message) => message,
        Err(error) => {
            let answer = refuse(bytes, &error, mode, &made, &own).map_err(unwritable)?;
            return Ok((answer, Verdict::Reject));
        }
    };
    let event = Event::of(message.header().field(9).first());
    let accepted = Hl7v2Site::default().accepts(event.message, event.trigger);
    let verdict = if accepted { Verdict::Accept } else { Verdict::Reject };
    let wanted = Wanted::by(&message, mode);
    let Some(code) = wanted.commit(verdict).or_else(|| wanted.application(verdict)) else {
        return Ok((None, verdict));
    };
    let mut ack = Acknowledgment::to(&message, code).made(&made).control_id(&own);
    if !accepted {
        let text = format!("{event} messages are not taken, unless a connection says so");
        let place = "MSH-9".parse().ok();
        ack = ack.problem(Problem::error(ProblemCode::UnsupportedEvent, place, text));
    }
    Ok((Some(ack.build().map_err(unwritable)?), verdict))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn said(text: &str, mode: Mode) -> (String, Verdict) {
        let (bytes, verdict) = common(text.as_bytes(), mode).unwrap();
        let bytes = bytes.unwrap_or_default();
        let code = match Message::parse(&bytes) {
            Ok(message) => message.at(&"MSA-1".parse().unwrap()).unwrap().text().into_owned(),
            Err(_) => String::new(),
        };
        (code, verdict)
    }

    #[test]
    fn each_message_gets_the_answer_it_asks_for() {
        let message =
            |event: &str, asks: &str| format!("MSH|^~\\&|A|B|C|D|2026||{event}|1|P|2.5.1|||{asks}\rPID|1");
        let accept = |code: &str| (code.to_owned(), Verdict::Accept);
        assert_eq!(said(&message("ADT^A08", "|"), Mode::AsAsked), accept("AA"));
        assert_eq!(said(&message("ADT^A08", "AL|NE"), Mode::AsAsked), accept("CA"));
        assert_eq!(said(&message("ADT^A08", "NE|NE"), Mode::AsAsked), accept(""));
        assert_eq!(said(&message("ADT^A08", "|"), Mode::Commit), accept("CA"));
        assert_eq!(said(&message("MDM^T02", "|"), Mode::AsAsked), ("AR".to_owned(), Verdict::Reject));
        assert_eq!(said("MSH|broken", Mode::AsAsked), ("AR".to_owned(), Verdict::Reject));
    }
}
