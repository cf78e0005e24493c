//! What is wrong with a set of files as a whole: adapters, settings, secrets, routes, tenants.

use std::collections::{BTreeMap, BTreeSet};

use bridge_adapters::Catalog;
use bridge_core::{
    config::{Connection, Instead},
    id::{ConnectionId, TenantId},
    manifest::Transport,
};

use super::{Content, File, Problem};

/// What stands in the `config` table already.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Tenants.
    pub(crate) tenants: BTreeSet<TenantId>,
    /// Connections and their adapters.
    pub(crate) connections: BTreeMap<ConnectionId, String>,
    /// The names of secrets that connections have.
    pub(crate) secrets: BTreeMap<ConnectionId, Vec<String>>,
}

/// Everything that is wrong with files that are to be applied together.
pub(crate) fn check(files: &[File], known: &Known, catalog: &Catalog) -> Vec<Problem> {
    let mut tenants = known.tenants.clone();
    let mut adapters = known.connections.clone();
    for file in files {
        match &file.content {
            Content::Tenant(tenant) => {
                tenants.insert(tenant.tenant.clone());
            }
            Content::Connection(connection) => {
                adapters.insert(connection.connection.clone(), connection.adapter.clone());
            }
        }
    }
    let mut problems = twice(files);
    for file in files {
        let Some(connection) = file.connection() else { continue };
        if !tenants.contains(&connection.connection.tenant()) {
            let tenant = connection.connection.tenant();
            let reason =
                format!("the tenant `{tenant}` does not exist: apply a file with `tenant: {tenant}` first");
            problems.push(file.problem(&["connection"], reason));
        }
        problems.extend(of_adapter(file, connection, known, catalog));
        problems.extend(routes(file, connection, &adapters, catalog));
        problems.extend(fallbacks(file, connection, &adapters, catalog));
    }
    problems
}

/// Two files about one thing: which of them would be meant?
fn twice(files: &[File]) -> Vec<Problem> {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    let mut problems = Vec::new();
    for file in files {
        let (key, id) = match &file.content {
            Content::Tenant(tenant) => ("tenant", tenant.tenant.as_str()),
            Content::Connection(connection) => ("connection", connection.connection.as_str()),
        };
        if let Some(first) = seen.insert(id, &file.name) {
            problems.push(file.problem(&[key], format!("`{id}` stands in {first} as well")));
        }
    }
    problems
}

fn of_adapter(file: &File, connection: &Connection, known: &Known, catalog: &Catalog) -> Vec<Problem> {
    let Some(adapter) = catalog.get(&connection.adapter) else {
        let names = catalog.names().collect::<Vec<_>>().join(", ");
        let reason = format!("there is no adapter `{}` (there are: {names})", connection.adapter);
        return vec![file.problem(&["adapter"], reason)];
    };
    let mut connection = connection.clone();
    // Secrets that a file leaves out keep the values they have.
    for name in known.secrets.get(&connection.connection).into_iter().flatten() {
        let kept = bridge_core::config::Secret::Env { env: String::new() };
        connection.secrets.entry(name.clone()).or_insert(kept);
    }
    let problem = |problem: bridge_adapters::Problem| Problem {
        file: file.name.clone(),
        line: problem.line(&file.text),
        reason: problem.to_string(),
    };
    adapter.check_connection(&connection).into_iter().map(problem).collect()
}

/// What a destination does not take goes to connections that exist, and take the same form.
fn fallbacks(
    file: &File,
    connection: &Connection,
    adapters: &BTreeMap<ConnectionId, String>,
    catalog: &Catalog,
) -> Vec<Problem> {
    let own = connection.fallback.as_ref().and_then(|fallback| fallback.deliveries.as_ref());
    let own = own.map(|other| (vec!["fallback", "deliveries", "to"], &connection.connection, &other.to));
    let numbers: Vec<String> = (0..connection.routes.len()).map(|number| number.to_string()).collect();
    let of_routes = connection.routes.iter().zip(&numbers).filter_map(|(route, number)| {
        let place = vec!["routes", number.as_str(), "fallback", "to"];
        Some((place, &route.to, &route.fallback.as_ref()?.to))
    });
    let speaks = |id: &ConnectionId| {
        let adapter = catalog.get(adapters.get(id)?)?;
        let transport = adapter.manifest().deliver.as_ref().map(|deliver| &deliver.transport);
        Some(transport.map(|transport| (transport.speaks_hl7v2(), *transport == Transport::Api)))
    };
    let problem = |(place, instead_of, to): (Vec<&str>, &ConnectionId, &Instead)| {
        // A tenant's border is watched by the adapter's check.
        let Instead::Connection(to) = to else { return None };
        let reason = match (speaks(instead_of), speaks(to)) {
            _ if to.tenant() != connection.connection.tenant() => return None,
            (_, None) => {
                format!("there is no connection `{to}`: apply it first, or together with this one")
            }
            (Some(Some((v2, _))), Some(Some((other, false)))) if v2 == other => return None,
            (None, Some(Some((_, false)))) => return None,
            _ => format!(
                "`{to}` does not take what is meant for `{instead_of}`: both take FHIR by webhook or interface, and the \
                 one that steps in by webhook, or both take HL7 v2"
            ),
        };
        Some(file.problem(&place, reason))
    };
    own.into_iter().chain(of_routes).filter_map(problem).collect()
}

/// Routes lead to connections that exist and take deliveries.
fn routes(
    file: &File,
    connection: &Connection,
    adapters: &BTreeMap<ConnectionId, String>,
    catalog: &Catalog,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, route) in connection.routes.iter().enumerate() {
        let reason = match adapters.get(&route.to) {
            // Said by the adapter's check.
            _ if route.to.tenant() != connection.connection.tenant() => continue,
            None => {
                format!("there is no connection `{}`: apply it first, or together with this one", route.to)
            }
            Some(adapter) => {
                let takes = catalog.get(adapter).is_none_or(|adapter| adapter.manifest().deliver.is_some());
                if takes {
                    continue;
                }
                format!(
                    "`{}` takes no deliveries: its adapter `{adapter}` has no `deliver` section",
                    route.to
                )
            }
        };
        let index = index.to_string();
        problems.push(file.problem(&["routes", &index, "to"], reason));
    }
    problems
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::files::{parse, resolve};

    const DESK: &str = "\
connection: sunrise.desk
adapter: opendental
zone: America/Chicago
secrets:
  customer-key: synthetic
routes:
  - to: sunrise.studio
    resources: [Patient]
";
    const STUDIO: &str = "\
connection: sunrise.studio
adapter: practice-studio
zone: America/Chicago
settings:
  url: https://studio.example/hook
secrets:
  signing-secret: {env: STUDIO_SECRET}
";
    const TENANT: &str = "tenant: sunrise\nname: Sunrise Dental\n";

    /// What is said about the desk's file when `from` in it is replaced by `to`.
    fn said(from: &str, to: &str) -> String {
        assert!(DESK.contains(from), "{from}");
        let desk = match parse("desk.yaml", DESK.replace(from, to)) {
            Ok(file) => file,
            Err(problem) => return problem.to_string(),
        };
        let others = [parse("tenant.yaml", TENANT.to_owned()), parse("studio.yaml", STUDIO.to_owned())];
        let files: Vec<File> = others.into_iter().map(Result::unwrap).chain([desk]).collect();
        let front = ("sunrise.front".parse().unwrap(), "generic-json".to_owned());
        let known = Known { connections: BTreeMap::from([front]), ..Known::default() };
        let problems = check(&files, &known, &Catalog::builtin());
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_right_set_has_no_problems() {
        assert_eq!(said("synthetic", "another"), "");
    }

    #[test]
    fn what_is_wrong_is_said_with_file_line_and_reason() {
        let cases = [
            ("adapter: opendental", "adapter: [opendental"),
            ("zone:", "zome:"),
            ("America/Chicago", "America/Chicagoo"),
            ("sunrise.desk", "Sunrise"),
            ("secrets:", "allow-ips: [10.0.0.0/33]\nsecrets:"),
            ("adapter: opendental", "adapter: opendentl"),
            ("  customer-key: synthetic", "  key: synthetic"),
            ("secrets:", "settings: {sytem: x}\nsecrets:"),
            ("to: sunrise.studio", "to: sunset.studio"),
            ("to: sunrise.studio", "to: sunrise.nobody"),
            ("to: sunrise.studio", "to: sunrise.front"),
            ("sunrise.desk", "sunset.desk"),
            ("connection: sunrise.desk", "desk: sunrise.desk"),
            ("connection: sunrise.desk", "connection: sunrise.studio"),
        ];
        let said: Vec<String> = cases.iter().map(|(from, to)| said(from, to)).collect();
        insta::assert_snapshot!(said.join("\n--\n"));
    }

    #[test]
    fn what_steps_in_is_there_and_takes_the_same_form() {
        let route = |to: &str| {
            let more = format!("resources: [Patient]\n    fallback: {{after: 30, to: {to}}}");
            said("resources: [Patient]", &more)
        };
        assert_eq!(route("outbox"), "");
        assert_eq!(
            route("sunrise.nobody"),
            "desk.yaml:9: there is no connection `sunrise.nobody`: apply it first, or together with this one"
        );
        assert!(route("sunrise.front").contains("does not take what is meant for `sunrise.studio`"));
        assert!(route("sunrise.desk").contains("leads back to the connection itself"));
    }

    #[test]
    fn a_secret_comes_from_the_environment_or_is_missed_by_name() {
        let file = parse("studio.yaml", STUDIO.to_owned()).unwrap();
        let mut connection = file.connection().unwrap().clone();
        let problems = resolve(&file, &mut connection, |_| None).unwrap_err();
        assert_eq!(
            problems[0].to_string(),
            "studio.yaml:7: the environment variable STUDIO_SECRET is not set: export it, then apply again"
        );
        let value = |name: &str| (name == "STUDIO_SECRET").then(|| "hush".to_owned());
        resolve(&file, &mut connection, value).unwrap();
        assert_eq!(connection.secrets["signing-secret"].values()[0].expose(), "hush");
        assert!(!format!("{connection:?}").contains("hush"));
    }

    #[test]
    fn secrets_that_are_known_may_be_left_out() {
        let file = parse("desk.yaml", DESK.replace("secrets:\n  customer-key: synthetic\n", "")).unwrap();
        let id: ConnectionId = "sunrise.desk".parse().unwrap();
        let known = Known {
            tenants: BTreeSet::from(["sunrise".parse().unwrap()]),
            connections: BTreeMap::from([("sunrise.studio".parse().unwrap(), "practice-studio".to_owned())]),
            secrets: BTreeMap::from([(id, vec!["customer-key".to_owned()])]),
        };
        assert_eq!(check(&[file], &known, &Catalog::builtin()), []);
    }
}
