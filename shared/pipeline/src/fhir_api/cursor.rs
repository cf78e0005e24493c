//! `_page`: where a search goes on. Sealed, and bound to its search: nobody can read one, make one up, or use it elsewhere.

use bridge_core::Phi;
use bridge_seal::Binding;
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

use super::refusal::{Code, Refused};
use crate::{
    bridge::Bridge,
    keys::{Keep, KeyError},
    ledger::docs_write,
    ports::Ports,
    product::Product,
};

/// A place in a list.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Cursor {
    /// The product's page; `None` for the first.
    pub(super) page: Option<Phi<String>>,
    /// Matches of that page that have been given out.
    pub(super) skip: usize,
}

impl<P: Ports> Bridge<P> {
    pub(super) async fn seal_cursor(
        &self,
        product: &Product,
        search: &str,
        cursor: &Cursor,
    ) -> Result<String, Refused> {
        let connection = &product.loaded.connection.connection;
        let binding = Binding { connection, purpose: "fhir-page", id: search };
        let keep = Keep::Payload(product.loaded.retention);
        let sealed = self.seal(binding, keep, docs_write(cursor).as_bytes()).await?;
        Ok(BASE64URL_NOPAD.encode(&sealed))
    }

    pub(super) async fn open_cursor(
        &self,
        product: &Product,
        search: &str,
        text: &str,
    ) -> Result<Cursor, Refused> {
        let wrong = || {
            let text = "not a page of this search, or one whose time is over: begin the search anew";
            Refused::new(400, Code::Value, text).at("_page")
        };
        let connection = &product.loaded.connection.connection;
        let binding = Binding { connection, purpose: "fhir-page", id: search };
        let sealed = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| wrong())?;
        match self.open(binding, &sealed).await {
            Ok(plain) => serde_json::from_slice(plain.expose()).map_err(|_| wrong()),
            Err(KeyError::Port(error)) => Err(error.into()),
            Err(_) => Err(wrong()),
        }
    }
}
