//! The adapters as data, and the ways out over a real socket. One binary: what is slow here is linking.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod api;
mod catalog;
mod catalog_api;
mod catalog_reads;
mod connections;
mod endpoints;
mod fixture;
mod fixtures;
mod hl7v2;
mod hl7v2_site;
mod receiver;
mod schema;
mod standard_webhook;
mod statuses;
