//! The JSON that Lambda hands to a function, as AWS documents it: the handlers can't tell where they run.

pub(crate) mod http;
pub(crate) mod sqs;
