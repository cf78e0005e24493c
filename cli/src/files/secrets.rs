//! Secrets that a file takes from the environment.

use bridge_core::{
    Phi,
    config::{Connection, Secret},
};

use super::{File, Problem};

/// Puts the values of `{env: NAME}` in their place.
///
/// # Errors
/// Every variable that is not set or empty, at the line that names it.
pub(crate) fn resolve(
    file: &File,
    connection: &mut Connection,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<(), Vec<Problem>> {
    let mut problems = Vec::new();
    for (name, secret) in &mut connection.secrets {
        let Secret::Env { env } = secret else { continue };
        match variable(env).filter(|value| !value.is_empty()) {
            Some(value) => *secret = Secret::One(Phi::new(value)),
            None => {
                let reason =
                    format!("the environment variable {env} is not set: export it, then apply again");
                problems.push(file.problem(&["secrets", name], reason));
            }
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}
