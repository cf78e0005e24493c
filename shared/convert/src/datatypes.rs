//! One file per v2 data type: what its components become in FHIR.
//!
//! A function here writes the members of an object its caller has opened, or one member under a name its caller gives.
//! It names no segment. Resources that a data type stands for (a practitioner, an organisation, a place) are written
//! as resources of their own, and the function gives back the reference.

pub(crate) mod cnn;
pub(crate) mod cq;
pub(crate) mod cwe;
pub(crate) mod cx;
pub(crate) mod dln;
pub(crate) mod dr;
pub(crate) mod dtm;
pub(crate) mod ed;
pub(crate) mod ei;
pub(crate) mod eip;
pub(crate) mod hd;
pub(crate) mod msg;
pub(crate) mod na;
pub(crate) mod ndl;
pub(crate) mod nm;
pub(crate) mod nr;
pub(crate) mod og;
pub(crate) mod period;
pub(crate) mod pl;
pub(crate) mod pln;
pub(crate) mod pt;
pub(crate) mod ri;
pub(crate) mod rp;
pub(crate) mod rpt;
pub(crate) mod sn;
pub(crate) mod sps;
pub(crate) mod tq;
pub(crate) mod xad;
pub(crate) mod xcn;
pub(crate) mod xon;
pub(crate) mod xpn;
pub(crate) mod xtn;
