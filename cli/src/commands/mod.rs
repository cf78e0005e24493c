//! The commands, one file each.

pub(crate) mod ack;
pub(crate) mod adapters;
pub(crate) mod bench;
pub(crate) mod connections;
pub(crate) mod convert;
pub(crate) mod env;
pub(crate) mod exports;
pub(crate) mod feeds;
pub(crate) mod files;
pub(crate) mod keys;
pub(crate) mod messages;
pub(crate) mod polls;
pub(crate) mod receiver;
pub(crate) mod replays;
pub(crate) mod send;
pub(crate) mod tenants;
pub(crate) mod token;
pub(crate) mod up;
