//! A compiled mapping and what it is applied to.

use std::{collections::BTreeMap, fmt};

use bridge_core::Zone;
use jsonata_core::ast::AstNode;
use serde_json::Value;

use crate::{
    engine,
    error::{MappingError, Place},
    limits,
};

/// What a mapping may know besides the record. Each part is a JSONata variable of the same name.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// `$zone`, the connection's IANA zone; `$zoned` uses it.
    pub zone: &'a Zone,
    /// `$kind`, the adapter's word for what the message is.
    pub kind: &'a str,
    /// `$headers.name`, the request's headers that the adapter keeps, by lower-case name.
    pub headers: &'a BTreeMap<String, String>,
    /// `$settings.name`, the connection's settings.
    pub settings: &'a BTreeMap<String, String>,
}

/// A header may hold PHI.
impl fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("zone", &self.zone).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// A compiled mapping. Compile once, apply from any thread.
pub struct Mapping {
    name: String,
    ast: AstNode,
}

impl fmt::Debug for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mapping").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Mapping {
    /// Compiles `source`. The name is for errors: `opendental/appointment`.
    ///
    /// # Errors
    /// [`MappingError::Source`] with line and column: a syntax error, or a function whose result is not
    /// determined by the record.
    pub fn compile(name: &str, source: &str) -> Result<Self, MappingError> {
        let refused = |place, text: String| MappingError::Source { mapping: name.to_owned(), place, text };
        if source.len() > limits::SOURCE {
            return Err(refused(
                Place { line: 1, column: 1 },
                format!("longer than {} bytes", limits::SOURCE),
            ));
        }
        let ast = jsonata_core::parser::parse(source)
            .map_err(|error| refused(Place::at(source, 0), error.to_string()))?;
        Ok(Self { name: name.to_owned(), ast: engine::with_context(ast) })
    }

    /// The name it was compiled with.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Maps one record. No result at all (an expression that selects nothing) is `null`.
    ///
    /// # Errors
    /// [`MappingError::Record`] when the record is not what the mapping expects, [`MappingError::Limit`] when the
    /// evaluation would use too much. Neither holds a value of the record.
    pub fn apply(&self, input: &Value, context: &Context<'_>) -> Result<Value, MappingError> {
        engine::evaluate(&self.ast, input, context).map_err(|failure| failure.of(&self.name, None))
    }
}
