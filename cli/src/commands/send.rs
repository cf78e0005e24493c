//! `bridge send`: HL7 v2 messages from files to a receiver, one after the other, and what it answers.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use bridge_adapters::{Material, MllpAddress, MllpConnection, MllpError, http_client};
use bridge_core::Phi;
use bridge_hl7v2::{
    Message,
    charset::{Charset, Reading},
};
use reqwest::{
    Client, Url,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use serde_json::json;

use crate::{
    environment,
    failure::Failure,
    hl7::{Heard, Item, Source, Tally, read},
    output::{Out, note},
};

/// Its arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// File of one message or many (FHS/BHS batches too), a folder of such files, or `-` for standard input
    file: PathBuf,
    #[command(flatten)]
    to: To,
    /// Seconds to wait for an answer
    #[arg(long, default_value_t = 10, value_name = "SECONDS")]
    timeout: u64,
    /// Messages a second at most
    #[arg(long, value_name = "N")]
    rate: Option<f64>,
    /// PEM file of the authority that signed the receiver's certificate
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// PEM file of our certificate and its key, for receivers that ask for one
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// The header `Authorization` (HTTP) [default: BRIDGE_AUTHORIZATION]
    #[arg(long, value_name = "VALUE")]
    authorization: Option<String>,
}

/// Where to.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct To {
    /// MLLP: `HOST:PORT`, or `mllps://HOST:PORT` with TLS
    #[arg(long, value_name = "HOST:PORT", value_parser = mllp)]
    mllp: Option<MllpAddress>,
    /// HL7 over HTTP: the acknowledgment comes in the body
    #[arg(long, value_name = "URL")]
    http: Option<Url>,
}

/// An address on a command line.
pub(crate) fn mllp(text: &str) -> Result<MllpAddress, String> {
    let whole = if text.contains("://") { text.to_owned() } else { format!("mllp://{text}") };
    MllpAddress::parse(&whole).ok_or_else(|| {
        "write HOST:PORT, or mllps://HOST:PORT with TLS, which a public address needs".to_owned()
    })
}

/// Sends every message.
pub(crate) async fn run(args: &Args, out: Out) -> Result<(), Failure> {
    let sources = read(&args.file)?;
    let mut way = Way::open(args).await?;
    let (mut tally, mut wrong, begun) = (Tally::default(), 0_usize, Instant::now());
    for source in &sources {
        for item in source.items() {
            match item {
                Item::Wrong(what) => {
                    note(format_args!("{}: {what}", source.name));
                    wrong += 1;
                }
                Item::Message { line, bytes } => {
                    pace(args.rate, tally.sent(), begun).await;
                    let sent = Instant::now();
                    let heard = way.send(bytes, args).await?;
                    show(source, line, &heard, out);
                    tally.add(&heard, sent.elapsed());
                }
            }
        }
    }
    if tally.sent() == 0 {
        return Err(Failure::Wrong("there is no HL7 v2 message in it: a message begins with MSH".to_owned()));
    }
    let whole = begun.elapsed();
    out.text(tally.text(whole));
    out.json(&tally.json(whole));
    match tally.sent() - tally.accepted() + wrong {
        0 => Ok(()),
        n => Err(Failure::Unsound(format!("{n} were not accepted or are no messages; they are named above"))),
    }
}

/// Waits until the next message is due.
async fn pace(rate: Option<f64>, sent: usize, begun: Instant) {
    let Some(rate) = rate.filter(|rate| *rate > 0.0) else { return };
    let due = Duration::try_from_secs_f64(sent as f64 / rate).unwrap_or_default();
    tokio::time::sleep(due.saturating_sub(begun.elapsed())).await;
}

fn show(source: &Source, line: usize, heard: &Heard, out: Out) {
    let places = heard.places.join(", ");
    if !heard.accepted {
        out.text(format_args!("{}:{line}: {} {places}", source.name, heard.code));
    }
    out.json(&json!({"file": source.name, "line": line, "answer": heard.code, "places": heard.places}));
}

/// An open way to the receiver.
enum Way {
    Mllp { address: MllpAddress, tls: Tls, connection: Option<MllpConnection> },
    Http { client: Client, url: Url },
}

impl Way {
    async fn open(args: &Args) -> Result<Self, Failure> {
        let tls = Tls::read(args)?;
        if let Some(url) = &args.to.http {
            let client =
                http_client(&tls.material()).map_err(|fault| Failure::Wrong(format!("TLS: {fault}")))?;
            return Ok(Self::Http { client, url: url.clone() });
        }
        let address = args
            .to
            .mllp
            .clone()
            .ok_or_else(|| Failure::Wrong("say where to: --mllp or --http".to_owned()))?;
        // A receiver that is not there is said once, not for every message.
        let connection = Some(connect(&address, &tls).await?);
        Ok(Self::Mllp { address, tls, connection })
    }

    async fn send(&mut self, message: &[u8], args: &Args) -> Result<Heard, Failure> {
        let time = Duration::from_secs(args.timeout);
        let control_id = control_id(message);
        match self {
            Self::Mllp { address, tls, connection } => {
                let mut open = match connection.take() {
                    Some(open) => open,
                    None => connect(address, tls).await?,
                };
                let (heard, usable) = exchange(&mut open, message, &control_id, time).await;
                *connection = usable.then_some(open);
                Ok(heard)
            }
            Self::Http { client, url } => {
                let mut request = client
                    .post(url.clone())
                    .timeout(time)
                    .header(CONTENT_TYPE, "x-application/hl7-v2+er7")
                    .body(message.to_vec());
                let own = args.authorization.clone();
                if let Some(value) = own.or_else(|| environment::variable("BRIDGE_AUTHORIZATION")) {
                    request = request.header(AUTHORIZATION, value);
                }
                post(request, &control_id).await
            }
        }
    }
}

/// What the options say about TLS.
struct Tls {
    ca: String,
    identity: Option<Phi<String>>,
}

impl Tls {
    fn read(args: &Args) -> Result<Self, Failure> {
        let file = |path: &PathBuf| {
            std::fs::read_to_string(path)
                .map_err(|error| Failure::Wrong(format!("{}: {error}", path.display())))
        };
        Ok(Self {
            ca: args.ca.as_ref().map(file).transpose()?.unwrap_or_default(),
            identity: args.identity.as_ref().map(file).transpose()?.map(Phi::new),
        })
    }

    fn material(&self) -> Material<'_> {
        Material { ca: &self.ca, identity: self.identity.as_ref() }
    }
}

async fn connect(address: &MllpAddress, tls: &Tls) -> Result<MllpConnection, Failure> {
    MllpConnection::connect(address, &tls.material()).await.map_err(|error| match error {
        MllpError::Public => Failure::Wrong(error.to_string()),
        error => Failure::World(format!("{address}: {error}")),
    })
}

/// What came of a message, and whether the connection can be used again: one with an answer still to come can't.
async fn exchange(
    connection: &mut MllpConnection,
    message: &[u8],
    control_id: &str,
    time: Duration,
) -> (Heard, bool) {
    let by = tokio::time::Instant::now() + time;
    if let Err(error) = connection.send(message, by).await {
        return (Heard::nothing(format!("not sent: {error}")), false);
    }
    loop {
        match connection.answer(by).await {
            Ok(answer) => {
                if let Some(heard) = Heard::read(&answer, control_id) {
                    return (heard, true);
                }
            }
            Err(error) => return (Heard::nothing(error.to_string()), false),
        }
    }
}

async fn post(request: reqwest::RequestBuilder, control_id: &str) -> Result<Heard, Failure> {
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) if error.is_connect() => {
            return Err(Failure::World("no connection to the address of --http".to_owned()));
        }
        Err(_) => return Ok(Heard::nothing("no answer in time")),
    };
    let status = response.status();
    let body = response.bytes().await.unwrap_or_default();
    Ok(match Heard::read(&body, control_id) {
        Some(heard) if heard.code != "no acknowledgment" => {
            Heard { accepted: heard.accepted && status.is_success(), ..heard }
        }
        _ => Heard::nothing(format!("HTTP {} without its acknowledgment", status.as_u16())),
    })
}

/// MSH-10; empty when there is none, which no answer matches.
fn control_id(message: &[u8]) -> String {
    let line = message.split(|b| matches!(b, b'\r' | b'\n')).next().unwrap_or_default();
    let header = Message::parse_as(line, Reading::Always(Charset::Windows1252));
    header.map(|header| header.header().field(10).text().into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use clap::Parser as _;
    use tokio::net::TcpListener;

    use super::*;
    use crate::{
        arguments::{Arguments, Command},
        hl7::receiver::Receiver,
        local::stop,
    };

    fn args(line: &[&str]) -> Result<Args, String> {
        let line = [&["bridge", "send"], line].concat();
        match Arguments::try_parse_from(line).map_err(|error| error.to_string())?.command {
            Some(Command::Send(args)) => Ok(args),
            other => Err(format!("{other:?}")),
        }
    }

    const MESSAGE: &str = "MSH|^~\\&|PM|NORTH|EHR|NORTH|20260302103000||ADT^A28^ADT_A05|77|P|2.5.1\r\
                           PID|1||4711^^^NORTH^MR||Testperson^Una\r";

    async fn send(text: &str, fail: f64) -> Result<(), Failure> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let to = listener.local_addr().unwrap().to_string();
        let (_stopper, stop) = stop::pair();
        tokio::spawn(Receiver::new(fail, Out::new(true)).serve(listener, stop));
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        run(&args(&[file.path().to_str().unwrap(), "--mllp", &to]).unwrap(), Out::new(true)).await
    }

    #[tokio::test]
    async fn messages_are_sent_and_their_answers_counted() {
        assert!(send(MESSAGE, 0.0).await.is_ok());
        assert!(send(&MESSAGE.repeat(50), 0.0).await.is_ok());
        assert!(matches!(send(MESSAGE, 1.0).await, Err(Failure::Unsound(_))), "answered AE");
        assert!(matches!(send(&format!("hello\r{MESSAGE}"), 0.0).await, Err(Failure::Unsound(_))));
        assert!(matches!(send("hello", 0.0).await, Err(Failure::Wrong(_))));
    }

    #[tokio::test]
    async fn a_receiver_that_is_not_there_is_said_at_once() {
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), MESSAGE).unwrap();
        let args = args(&[file.path().to_str().unwrap(), "--mllp", &closed]).unwrap();
        let failure = run(&args, Out::new(true)).await.err().unwrap();
        assert!(matches!(&failure, Failure::World(text) if text.contains("refused")), "{failure}");
    }

    #[test]
    fn it_goes_one_way() {
        assert!(args(&["f.hl7", "--mllp", "127.0.0.1:2575"]).is_ok());
        assert!(args(&["f.hl7", "--http", "http://127.0.0.1/hl7/a.b"]).is_ok());
        for wrong in [
            &["f.hl7"][..],
            &["f.hl7", "--mllp", "127.0.0.1:1", "--http", "http://127.0.0.1/"],
            &["f.hl7", "--mllp", "nowhere"],
            &["f.hl7", "--mllp", "198.51.100.7:2575"],
        ] {
            assert!(args(wrong).is_err(), "{wrong:?}");
        }
    }
}
