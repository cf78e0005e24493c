//! `bridge keys`: the keys by which products know the bridge. They are made in KMS, and sign there.

use std::time::Duration;

use bridge_aws::{Aws, SystemClock};
use bridge_core::{Timestamp, id::TenantId};
use bridge_pipeline::{
    ports::{Clock as _, JwtAlgorithm},
    signing::{NewKey, SigningError, SigningKey},
};
use serde_json::json;

use crate::{
    arguments::Global,
    environment,
    failure::Failure,
    output::{Out, Table},
    system::{self, Pipeline},
};

const HOUR: Duration = Duration::from_hours(1);

/// The subcommands.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Make the first key of an algorithm; it signs at once
    Create(Which),
    /// Make the key that signs next, and publish it before it does
    Rotate {
        #[command(flatten)]
        which: Which,
        /// Hours until it signs: those who keep a copy of the set must have seen it by then
        #[arg(long, value_name = "HOURS", default_value_t = 24)]
        after: u32,
        /// Hours for which the one before stays published then
        #[arg(long, value_name = "HOURS", default_value_t = 24)]
        overlap: u32,
    },
    /// List the keys: which sign, which are published, which are withdrawn
    List,
    /// Print what products verify signatures with, as `/.well-known/jwks.json` serves it
    Jwks,
    /// Withdraw a key at once, and have KMS delete it in 30 days
    Retire {
        /// Its `kid`
        kid: String,
        /// Why; kept with the key
        #[arg(long)]
        reason: String,
    },
}

/// Which key is meant, and why it is made.
#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// RS384 or ES384: what the products take
    #[arg(long, default_value = "RS384", value_parser = algorithm)]
    algorithm: JwtAlgorithm,
    /// The practice that has one of its own [default: all that have none]
    #[arg(long, value_name = "TENANT")]
    tenant: Option<TenantId>,
    /// Why; kept with the key
    #[arg(long, default_value = "")]
    reason: String,
}

fn algorithm(name: &str) -> Result<JwtAlgorithm, String> {
    JwtAlgorithm::of(name).ok_or_else(|| "RS384 or ES384".to_owned())
}

impl From<SigningError> for Failure {
    fn from(error: SigningError) -> Self {
        match error {
            SigningError::Port(error) => error.into(),
            SigningError::Missing(_) => Self::Missing(error.to_string()),
            SigningError::InUse(_) => Self::Wrong(error.to_string()),
            SigningError::Unfit | SigningError::Unreadable | SigningError::Changed => {
                Self::World(error.to_string())
            }
        }
    }
}

/// Runs one.
pub(crate) async fn run(global: &Global, command: Command, out: Out) -> Result<(), Failure> {
    let found = system::find(&global.state(), global.endpoint.as_deref())?;
    let pipeline = found.pipeline().await;
    let now = SystemClock.now();
    match command {
        Command::Create(which) => {
            let keys = pipeline.signing_keys().await?;
            if let Some(key) = keys.iter().find(|key| is_for(key, &which) && key.is_published(now)) {
                let kid = &key.kid;
                return Err(Failure::Wrong(format!(
                    "there is the key {kid} already: `bridge keys rotate` makes the next"
                )));
            }
            let aws = Aws::new(found.settings).await;
            make(&pipeline, &aws, which, (now, Duration::ZERO), out).await
        }
        Command::Rotate { which, after, overlap } => {
            let aws = Aws::new(found.settings).await;
            make(&pipeline, &aws, which, (now + HOUR * after, HOUR * overlap), out).await
        }
        Command::List => {
            list(&pipeline.signing_keys().await?, now, out);
            Ok(())
        }
        Command::Jwks => {
            let set = pipeline.jwks().await?;
            out.json(&set);
            out.text(format_args!("{set:#}"));
            Ok(())
        }
        Command::Retire { kid, reason } => {
            let key = pipeline.withdraw_signing_key(&kid, environment::actor(&reason)).await?;
            Aws::new(found.settings).await.signing().delete(&key.key).await?;
            out.json(&json!({"retired": key}));
            out.text(format_args!("{kid} is withdrawn; KMS deletes {} in 30 days", key.key));
            Ok(())
        }
    }
}

fn is_for(key: &SigningKey, which: &Which) -> bool {
    key.tenant == which.tenant && key.algorithm == which.algorithm.as_str()
}

async fn make(
    pipeline: &Pipeline,
    aws: &Aws,
    which: Which,
    (signs_from, overlap): (Timestamp, Duration),
    out: Out,
) -> Result<(), Failure> {
    let stack = &aws.settings().stack;
    if stack.is_empty() {
        let text = "the environment lacks STACK_NAME: it is the name of the stack whose functions are to sign with the key";
        return Err(Failure::Wrong(text.to_owned()));
    }
    let made = aws.signing().make(stack, which.algorithm).await?;
    let new = NewKey {
        tenant: which.tenant,
        algorithm: which.algorithm,
        key: made.arn.clone(),
        public: made.public,
        signs_from,
        overlap,
    };
    let key = match pipeline.add_signing_key(new, environment::actor(&which.reason)).await {
        Ok(key) => key,
        Err(error) => {
            // A key that nobody knows of would only cost.
            aws.signing().delete(&made.arn).await?;
            return Err(error.into());
        }
    };
    out.json(&json!({"made": key}));
    out.text(format_args!("{} ({}) signs from {}", key.kid, key.algorithm, key.signs_from));
    Ok(())
}

/// What a key does now.
fn state(key: &SigningKey, now: Timestamp) -> &'static str {
    match (key.is_published(now), key.signs_from <= now) {
        (false, _) => "withdrawn",
        (true, false) => "published",
        (true, true) => "may sign",
    }
}

fn list(keys: &[SigningKey], now: Timestamp, out: Out) {
    if keys.is_empty() {
        out.text("there is no key: `bridge keys create` makes one");
        return;
    }
    let mut table = Table::new(&["kid", "for", "algorithm", "state", "signs from", "until"]);
    for key in keys {
        out.json(&json!({"key": key, "state": state(key, now)}));
        table.row([
            key.kid.clone(),
            key.tenant.as_ref().map_or_else(|| "all".to_owned(), ToString::to_string),
            key.algorithm.clone(),
            state(key, now).to_owned(),
            key.signs_from.to_string(),
            key.withdrawn.map(|until| until.to_string()).unwrap_or_default(),
        ]);
    }
    for line in table.lines() {
        out.text(line);
    }
}
