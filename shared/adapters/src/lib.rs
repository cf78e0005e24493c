//! What the project knows about each product, and the ways to call out to one.
//!
//! An adapter is data: a folder under `adapters/` with a manifest, JSONata mappings and fixtures. This crate finds
//! the folders ([`Catalog`]), refuses what is wrong in them or in a connection that uses one ([`Problem`]), and
//! has the few things that are code: the transports that deliveries leave by, and the caller of products' interfaces
//! ([`Transports`]).
//!
//! It may not know a product by name, decide what happens after a call (the pipeline does), or retry one.

mod adapter;
mod api;
mod catalog;
mod check;
mod fault;
mod issuer;
mod place;
mod template;
mod transport;

pub use adapter::Adapter;
pub use catalog::Catalog;
pub use fault::{CatalogError, Fault, Problem};
pub use issuer::{IssuerError, OpenId};
pub use place::line_of;
pub use transport::{
    Material, MllpAddress, MllpConnection, MllpError, NoClient, TlsFault, Transports, http_client,
};
