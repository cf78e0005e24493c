//! Calling a product's own interface, as its manifest's `api` says.
//!
//! A call is one request and one reply: the request is made of the operation ([`request`], [`body`], [`auth`]), sent once
//! ([`send`]), judged ([`answer`]), and cut into records ([`pages`]; [`export`] where they come as files). A write is several calls ([`write`]). Nothing is kept
//! between calls but connections, compiled mappings and where a server says that its token endpoint is; nothing is tried
//! twice, and no cause holds what was sent or answered.
//!
//! Where calls may go is decided in two places: [`site`] by the host, [`guard`] by the address that its name leads to.

mod answer;
mod assertion;
mod auth;
mod body;
mod call;
mod encode;
mod export;
mod guard;
mod lines;
mod mappings;
mod pages;
mod request;
mod send;
mod site;
mod soap;
mod token;
mod write;
mod xml;

use bridge_core::remote::{Answer, ApiCall, Authenticate, CallError, Remote, Token, WriteCall, Written};
pub(crate) use guard::Guard;
pub(crate) use mappings::Mappings;
pub(crate) use site::{callable, is_base};
pub(crate) use token::Discovered;

use crate::Transports;

impl Remote for Transports {
    async fn authenticate(&self, ask: &Authenticate<'_>) -> Result<Token, CallError> {
        token::authenticate(self, ask).await
    }

    async fn call(&self, call: &ApiCall<'_>) -> Result<Answer, CallError> {
        let site = site::Site::of(call.party)?;
        call::Caller { ways: self, site: &site, token: call.token }
            .page(
                call.operation,
                call.arguments.expose(),
                call.input.map(bridge_core::Phi::expose),
                call.page,
            )
            .await
    }

    async fn write(&self, call: &WriteCall<'_>) -> Result<Written, CallError> {
        let site = site::Site::of(call.party)?;
        write::Writer::of(self, &site, call)?.write().await
    }

    async fn confirm(&self, call: &WriteCall<'_>) -> Result<Option<Written>, CallError> {
        let site = site::Site::of(call.party)?;
        write::Writer::of(self, &site, call)?.confirm().await
    }
}
