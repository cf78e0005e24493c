//! The example practice of `bridge up`: its configuration from `examples/sunrise/`, and some traffic to begin with.

pub(crate) mod products;
pub(crate) mod traffic;

use bridge_adapters::Catalog;
use bridge_core::{
    Phi,
    config::{Connection, Secret},
    id::{InvalidId, TenantId},
};

use crate::{
    commands::connections::apply::{apply_connection, apply_tenant},
    failure::Failure,
    files::{self, Content, File, Known},
    system::Pipeline,
};

/// The practice.
pub(crate) const TENANT: &str = "sunrise";
/// The connection behind which the receiver stands.
const STUDIO: &str = "sunrise.practice-studio";
const SECRET: &str = "signing-secret";
const REASON: &str = "the example practice of bridge up";

macro_rules! examples {
    ($($name:literal),*) => {
        &[$(($name, include_str!(concat!("../../../examples/sunrise/", $name)))),*]
    };
}

const FILES: &[(&str, &str)] = examples![
    "tenant.yaml",
    "practice-studio.yaml",
    "opendental.yaml",
    "drchrono.yaml",
    "athenahealth.yaml",
    "front-desk.yaml",
    "registration.yaml"
];

/// The practice's id.
///
/// # Errors
/// Never: it is one.
pub(crate) fn tenant() -> Result<TenantId, Failure> {
    TENANT.parse().map_err(|error: InvalidId| Failure::World(error.to_string()))
}

/// What seeding came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seeded {
    /// Connections of the example.
    pub(crate) connections: usize,
    /// Whether any of them was not there before.
    pub(crate) new: bool,
}

/// Applies what is not there yet. What somebody has changed since the last time stays as they want it; only the
/// address of the receiver is brought up to date.
pub(crate) async fn seed(pipeline: &Pipeline, receiver: &str) -> Result<Seeded, Failure> {
    let files = read()?;
    let mut seeded = Seeded { connections: 0, new: false };
    for file in files {
        match file.content {
            Content::Tenant(tenant) => {
                if pipeline.tenant(&tenant.tenant).await?.is_none() {
                    apply_tenant(pipeline, &tenant, false).await?;
                }
            }
            Content::Connection(connection) => {
                seeded.connections += 1;
                seeded.new |= seed_connection(pipeline, *connection, receiver).await?;
            }
        }
    }
    Ok(seeded)
}

async fn seed_connection(
    pipeline: &Pipeline,
    mut wanted: Connection,
    receiver: &str,
) -> Result<bool, Failure> {
    let is_studio = wanted.connection.as_str() == STUDIO;
    if let Some(known) = pipeline.connection(&wanted.connection).await? {
        let url = known.connection.settings.get("url");
        let moved =
            is_studio && url.is_some_and(|url| url != receiver && url.starts_with("http://127.0.0.1:"));
        if moved {
            let mut known = known.connection.clone();
            known.settings.insert("url".to_owned(), receiver.to_owned());
            apply_connection(pipeline, known, "the receiver has a new address", false).await?;
        }
        return Ok(false);
    }
    if is_studio {
        wanted.settings.insert("url".to_owned(), receiver.to_owned());
    }
    apply_connection(pipeline, wanted, REASON, false).await?;
    Ok(true)
}

/// The example's destination, with the receiver's address.
pub(crate) fn studio(receiver: &str) -> Result<Connection, Failure> {
    let files = read()?;
    let mut studio = files
        .iter()
        .filter_map(File::connection)
        .find(|connection| connection.connection.as_str() == STUDIO)
        .cloned()
        .ok_or_else(|| Failure::World(format!("the example has no {STUDIO}")))?;
    studio.settings.insert("url".to_owned(), receiver.to_owned());
    Ok(studio)
}

/// The signing secret that the example's destination has.
pub(crate) fn signing_secret() -> Result<Phi<String>, Failure> {
    let files = read()?;
    let studio =
        files.iter().filter_map(File::connection).find(|connection| connection.connection.as_str() == STUDIO);
    let secret = studio
        .and_then(|studio| studio.secrets.get(SECRET))
        .and_then(|secret| Secret::values(secret).first());
    secret.cloned().ok_or_else(|| Failure::World(format!("{STUDIO} has no {SECRET}")))
}

fn read() -> Result<Vec<File>, Failure> {
    let wrong = |problem: files::Problem| Failure::World(problem.to_string());
    let files: Vec<File> = FILES
        .iter()
        .map(|(name, text)| {
            files::parse(&format!("examples/sunrise/{name}"), (*text).to_owned()).map_err(wrong)
        })
        .collect::<Result<_, _>>()?;
    match files::check(&files, &Known::default(), &Catalog::builtin()).into_iter().next() {
        Some(problem) => Err(wrong(problem)),
        None => Ok(files),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_example_is_right() {
        let files = read().unwrap();
        assert_eq!(files.len(), FILES.len());
        assert!(files.iter().all(|file| match &file.content {
            Content::Tenant(tenant) => tenant.tenant.as_str() == TENANT,
            Content::Connection(connection) => connection.connection.tenant().as_str() == TENANT,
        }));
        assert!(signing_secret().unwrap().expose().starts_with("whsec_"));
    }
}
