//! One file per v2 segment: what its fields become in FHIR. Field numbers and conditions are those of the v2-to-FHIR
//! guide; where a file departs from it, it says why.
//!
//! A function here writes one resource, or its share of one that several segments fill. Which segments belong to which
//! resource is the business of `messages/`.

pub(crate) mod ai;
pub(crate) mod al1;
pub(crate) mod dg1;
pub(crate) mod evn;
pub(crate) mod ft1;
pub(crate) mod gt1;
pub(crate) mod iam;
pub(crate) mod in1;
pub(crate) mod in3;
pub(crate) mod mrg;
pub(crate) mod msh;
pub(crate) mod nk1;
pub(crate) mod nte;
pub(crate) mod obr;
pub(crate) mod obx;
pub(crate) mod orc;
pub(crate) mod pd1;
pub(crate) mod pid;
pub(crate) mod pr1;
pub(crate) mod prt;
pub(crate) mod pv1;
pub(crate) mod pv2;
pub(crate) mod rol;
pub(crate) mod sch;
pub(crate) mod sft;
pub(crate) mod spm;
pub(crate) mod tq1;
