//! JSONata mappings: what an adapter's `mappings/*.jsonata` does to a record.
//!
//! [JSONata](https://docs.jsonata.org) evaluates a mapping; this crate makes that safe for an engine that carries
//! clinical data:
//!
//! * **Bounded**: time, depth and sequence length have limits, see [`limits`].
//! * **Deterministic**: the same record gives the same result on every attempt and every replay. `$now`,
//!   `$millis`, `$random`, `$shuffle` and `$eval` are refused when the mapping is compiled.
//! * **Exact**: JSONata's numbers are IEEE doubles, but `1.00` or a 20-digit id comes out as it went in.
//! * **Silent about values**: an error names the mapping, the line and the rule, never what the record held.
//!
//! The functions added for PMS data are listed in [`functions`]. Nothing here performs I/O or reads a clock,
//! and nothing knows FHIR: whether a result is a valid resource is `bridge-fhir`'s to say.

mod ast;
mod engine;
mod error;
mod exact;
mod explain;
pub mod functions;
pub mod limits;
mod mapping;
mod number;
mod parse;
mod scan;
mod trace;

pub use error::{MappingError, Place};
pub use mapping::{Context, Mapping};
