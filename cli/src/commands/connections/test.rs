//! `bridge connections test`: whether a connection would work, without leaving a trace of a message.
//!
//! A connection with a webhook gets a request through its real door, signed with its own secret, of a kind that no
//! adapter has: what is verified is then ignored or refused for its kind, and nothing is queued. So does one that takes
//! HL7 v2, with a message of an event that nobody has. Every endpoint that is called, for deliveries or as an interface, is
//! called with OPTIONS, which has no effect; over MLLP it is connected to.

mod hl7;

use std::time::{Duration, Instant};

use bridge_adapters::{Material, MllpAddress, MllpConnection, MllpError, http_client};
use bridge_aws::SystemClock;
use bridge_core::{config::Serves, id::ConnectionId, manifest::Transport};
use bridge_pipeline::{configuration::Loaded, ports::Clock as _};
use serde_json::{Value, json};

use crate::{
    failure::Failure,
    output::{Colour, Out},
    sign::{self, Unsigned},
    system::{Found, Pipeline},
};

/// Its arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which connection
    connection: ConnectionId,
    /// Where the webhooks are [default: those of the bridge on this machine]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Where HL7 v2 is taken over MLLP [default: the port of the bridge on this machine]
    #[arg(long, value_name = "HOST:PORT", value_parser = crate::commands::send::mllp)]
    mllp: Option<MllpAddress>,
}

const PATIENCE: Duration = Duration::from_secs(15);
/// A kind that no adapter has.
const KIND: &str = "bridge-connection-test";

/// What was found: whether it is well, and what to say.
struct Finding {
    what: &'static str,
    well: bool,
    text: String,
}

impl Finding {
    /// About one of several endpoints.
    fn at(self, name: &str) -> Self {
        let text = if name.is_empty() { self.text } else { format!("{name} {}", self.text) };
        Self { text, ..self }
    }
}

/// Runs it.
pub(crate) async fn run(pipeline: &Pipeline, found: &Found, args: &Args, out: Out) -> Result<(), Failure> {
    let loaded = super::existing(pipeline, &args.connection).await?;
    let client = client()?;
    let mut findings = Vec::new();
    let base = args.url.clone().or_else(|| found.system.as_ref().map(|system| system.gateway.clone()));
    let base = base.as_deref().map(|base| base.trim_end_matches("/webhooks/").trim_end_matches('/'));
    if loaded.webhook().is_some() {
        let base = base.ok_or_else(|| {
            Failure::Wrong("say where the webhooks are with --url (the stack's output WebhookUrl)".to_owned())
        })?;
        findings.push(door(&client, &loaded, base).await);
    }
    if let Some(site) = &loaded.hl7v2 {
        let local = || {
            found.system.as_ref().and_then(|system| crate::commands::send::mllp(system.mllp.as_deref()?).ok())
        };
        let port = args.mllp.clone().or_else(local);
        findings.extend(hl7::doors(&client, &loaded, site, base, port.as_ref()).await);
    }
    for serves in [Serves::Deliveries, Serves::Interface] {
        // A connection of which nobody says where its product is may well not use it.
        if serves == Serves::Interface && loaded.connection.endpoints.is_empty() {
            continue;
        }
        for (name, place) in loaded.places(serves) {
            findings.extend(destination_at(&client, &place, serves).await.map(|finding| finding.at(&name)));
        }
    }
    for Finding { what, well, text } in &findings {
        out.json(&json!({"connection": args.connection, "what": what, "well": well, "text": text}));
        let mark =
            if *well { out.style.paint(Colour::Good, "✓") } else { out.style.paint(Colour::Bad, "✗") };
        out.text(format_args!("{mark} {what}: {text}"));
    }
    match findings.iter().find(|finding| !finding.well) {
        Some(bad) => Err(Failure::Unsound(format!("{}: the {} does not work", args.connection, bad.what))),
        None => Ok(()),
    }
}

fn client() -> Result<reqwest::Client, Failure> {
    let client =
        reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none()).build();
    client.map_err(|error| Failure::World(format!("no HTTP client can be made: {error}")))
}

/// The address with the connection's settings in their places.
fn fill(template: &str, loaded: &Loaded) -> String {
    loaded
        .settings()
        .iter()
        .fold(template.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

async fn door(client: &reqwest::Client, loaded: &Loaded, base: &str) -> Finding {
    let finding = |well, text: String| Finding { what: "webhook", well, text };
    let Some(webhook) = loaded.webhook() else { return finding(true, "none".to_owned()) };
    let path = format!("/webhooks/{}", loaded.connection.connection);
    let media_type = webhook.content_types.first().map_or("application/json", String::as_str);
    let body = json!({"test": KIND}).to_string();
    let unsigned = Unsigned { path: &path, media_type, body: body.as_bytes(), now: SystemClock.now() };
    let Some(secret) = loaded.secret(webhook.verify.secret()).first() else {
        return finding(false, "the connection has no value for the secret that verifies it".to_owned());
    };
    let Some(headers) = sign::headers(&webhook.verify, secret.expose(), &unsigned) else {
        let text = "only the sender has the key that signs (Ed25519): let the sender test it";
        return finding(true, text.to_owned());
    };
    let mut request = client.post(format!("{base}{path}")).header("content-type", media_type).body(body);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let begun = Instant::now();
    let answer = match request.send().await {
        Ok(answer) => answer,
        Err(error) => return finding(false, format!("{base} does not answer ({})", error.without_url())),
    };
    let (status, took) = (answer.status().as_u16(), begun.elapsed().as_millis());
    let answer: Value =
        answer.text().await.ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let code = answer["error"]["code"].as_str().unwrap_or_default();
    match (status, code) {
        (200, _) => finding(true, format!("verified in {took} ms, and ignored as it should be")),
        // Verified, and not a delivery of this product: the door is right to say so.
        (422, "kind.unknown" | "body.no_rows") => finding(true, format!("verified in {took} ms")),
        (status, code) => {
            let text = answer["error"]["message"].as_str().or(answer["message"].as_str()).unwrap_or_default();
            finding(false, format!("HTTP {status} {code}: {text}"))
        }
    }
}

/// Whether one side of a connection answers in one place; nothing where it has none.
async fn destination_at(client: &reqwest::Client, loaded: &Loaded, serves: Serves) -> Option<Finding> {
    let address = fill(loaded.manifest.address(serves)?, loaded);
    if address.is_empty() {
        // A connection that only receives.
        return None;
    }
    let transport = loaded.manifest.deliver.as_ref().map(|deliver| &deliver.transport);
    let (Serves::Deliveries, Some(Transport::Hl7v2 { ca, identity, .. })) = (serves, transport) else {
        return Some(destination(client, &address, serves).await);
    };
    let ca = fill(ca, loaded);
    let identity = identity.as_deref().and_then(|name| loaded.secret(name).first());
    let material = Material { ca: &ca, identity };
    Some(match (MllpAddress::parse(&address), http_client(&material)) {
        (Some(mllp), _) => mllp_destination(&mllp, &material).await,
        (None, Ok(client)) => destination(&client, &address, serves).await,
        (None, Err(fault)) => {
            Finding { what: "destination", well: false, text: format!("TLS can't be used: {fault}") }
        }
    })
}

async fn destination(client: &reqwest::Client, url: &str, serves: Serves) -> Finding {
    let begun = Instant::now();
    let (well, text) = match client.request(reqwest::Method::OPTIONS, url).send().await {
        Ok(answer) => {
            let status = answer.status().as_u16();
            (status < 500, format!("answers with HTTP {status} after {} ms", begun.elapsed().as_millis()))
        }
        Err(error) if error.is_timeout() => {
            (false, format!("does not answer within {} s", PATIENCE.as_secs()))
        }
        Err(error) => (false, format!("can't be reached ({})", error.without_url())),
    };
    let what = if serves == Serves::Interface { "interface" } else { "destination" };
    Finding { what, well, text }
}

/// A receiver that does not take our certificate says so after the handshake (TLS 1.3).
const AFTERTHOUGHT: Duration = Duration::from_millis(500);

/// Connects, and says nothing.
async fn mllp_destination(address: &MllpAddress, material: &Material<'_>) -> Finding {
    let finding = |well, text: String| Finding { what: "destination", well, text };
    let begun = Instant::now();
    let mut connection = match MllpConnection::connect(address, material).await {
        Ok(connection) => connection,
        Err(error) => return finding(false, error.to_string()),
    };
    let took = begun.elapsed().as_millis();
    match connection.answer(tokio::time::Instant::now() + AFTERTHOUGHT).await {
        Err(MllpError::Silent) | Ok(_) => finding(true, format!("takes connections after {took} ms")),
        Err(MllpError::Broken) => finding(false, "closes the connection at once".to_owned()),
        Err(error) => finding(false, error.to_string()),
    }
}
