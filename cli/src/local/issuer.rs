//! The local issuer: whom `bridge up` lets ask in FHIR. Its key stays in the state folder.

use std::{fs, path::Path};

use bridge_aws::SystemClock;
use bridge_core::id::TenantId;
use bridge_pipeline::{
    fhir_api::access::{Access, FixedKeys, Issuer},
    ports::Clock as _,
};
use bridge_seal::Es256Key;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::failure::Failure;

const FILE: &str = "issuer.key";
const ISSUER: &str = "urn:pms-bridge:local-issuer";
const AUDIENCE: &str = "pms-bridge";
const TENANT: &str = "tenant";
/// A token is good for so many seconds.
pub(crate) const LIFETIME: i64 = 900;

/// The issuer.
#[derive(Debug)]
pub(crate) struct LocalIssuer(Es256Key);

impl LocalIssuer {
    /// The one of a state folder; a new one, where there is none yet.
    ///
    /// # Errors
    /// When its key can't be read or written.
    pub(crate) fn open(folder: &Path) -> Result<Self, Failure> {
        let file = folder.join(FILE);
        match fs::read(&file) {
            Ok(document) => Self::read(&document, &file),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let none = || Failure::World("the system has no random numbers for a key".to_owned());
                let document = Es256Key::generate().ok_or_else(none)?;
                fs::create_dir_all(folder)?;
                write_private(&file, &document)?;
                Self::read(&document, &file)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The one of a state folder in which a bridge runs or ran.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn find(folder: &Path) -> Result<Self, Failure> {
        let file = folder.join(FILE);
        let missing =
            |_| Failure::NotRunning(format!("{} has no issuer yet: run `bridge up`", folder.display()));
        Self::read(&fs::read(&file).map_err(missing)?, &file)
    }

    fn read(document: &[u8], file: &Path) -> Result<Self, Failure> {
        let wrong = || Failure::Wrong(format!("{} is not a key of this program: remove it", file.display()));
        Es256Key::read(document).map(Self).ok_or_else(wrong)
    }

    /// Lets those in who have a token of this issuer.
    pub(crate) fn access(&self) -> Access<FixedKeys> {
        let issuer = Issuer {
            issuer: ISSUER.to_owned(),
            audience: AUDIENCE.to_owned(),
            tenant_claim: TENANT.to_owned(),
        };
        Access::new(issuer, FixedKeys(self.keys().to_string()))
    }

    /// Its JSON Web Key Set.
    fn keys(&self) -> Value {
        let (x, y) = self.0.coordinates().unwrap_or_default();
        json!({"keys": [{
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": "local",
            "x": BASE64URL_NOPAD.encode(x), "y": BASE64URL_NOPAD.encode(y),
        }]})
    }

    /// A token for a practice.
    ///
    /// # Errors
    /// When the system has no random numbers to sign with.
    pub(crate) fn token(&self, tenant: &TenantId, scope: &str) -> Result<String, Failure> {
        let now = SystemClock.now().as_secs();
        let claims = json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": "bridge-token", TENANT: tenant, "scope": scope,
            "iat": now, "exp": now + LIFETIME,
        });
        let part = |json: &Value| BASE64URL_NOPAD.encode(json.to_string().as_bytes());
        let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": "local"});
        let signed = format!("{}.{}", part(&header), part(&claims));
        let none = || Failure::World("the system has no random numbers to sign with".to_owned());
        let signature = self.0.sign(signed.as_bytes()).ok_or_else(none)?;
        Ok(format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature)))
    }
}

#[cfg(unix)]
fn write_private(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?.write_all(bytes)
}

#[cfg(not(unix))]
fn write_private(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    fs::write(file, bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_key_stays_and_is_the_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(LocalIssuer::find(folder.path()), Err(Failure::NotRunning(_))));
        let first = LocalIssuer::open(folder.path()).unwrap().keys();
        assert_eq!(LocalIssuer::open(folder.path()).unwrap().keys(), first);
        assert_eq!(LocalIssuer::find(folder.path()).unwrap().keys(), first);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(folder.path().join(FILE)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::write(folder.path().join(FILE), "other").unwrap();
        assert!(matches!(LocalIssuer::open(folder.path()), Err(Failure::Wrong(_))));
    }
}
