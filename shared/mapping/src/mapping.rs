//! A compiled mapping and what it is applied to.

use std::{collections::BTreeMap, fmt, sync::OnceLock};

use bridge_core::Zone;
use jsonata_core::ast::AstNode;
use serde_json::Value;

use crate::{
    ast,
    engine::{self, Engine, Mentioned},
    error::{MappingError, Place},
    exact,
    explain::{self, Failure},
    number::{self, Protected},
    parse, trace,
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
    source: String,
    tree: AstNode,
    mentioned: Mentioned,
    /// For records with numbers that a double cannot hold; made when the first one comes.
    exact: OnceLock<AstNode>,
    /// Characters of the source that cannot mark such numbers.
    taken: Vec<char>,
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
        let mut tree = parse::parse(source).map_err(|refused| MappingError::Source {
            mapping: name.to_owned(),
            place: Place::at(source, refused.offset),
            text: refused.text,
        })?;
        let mut taken = Vec::new();
        ast::walk(&mut tree, &mut |node| {
            if let AstNode::String(text) | AstNode::Name(text) = node {
                taken.extend(text.chars().filter(|c| number::is_tag(*c)));
            }
        });
        let (tree, mentioned) = engine::with_variables(tree);
        let (name, source) = (name.to_owned(), source.to_owned());
        Ok(Self { name, source, tree, mentioned, exact: OnceLock::new(), taken })
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
        let Some(record) = number::protect(input, &self.taken) else {
            return Err(self.error(Failure::Record("every private-use character is in use".to_owned()), None));
        };
        let tree = match record.tag {
            None => &self.tree,
            Some(_) => self.exact.get_or_init(|| exact::exact(&self.tree)),
        };
        Engine::with(|engine| match engine.evaluate(tree, &self.mentioned, &record, context) {
            Ok(result) => engine::finish(&result, record.tag).map_err(|failure| self.error(failure, None)),
            Err(message) => {
                let failure = explain::explain(&message, |text| self.says(text));
                let place = self.find(engine, tree, &record, context);
                Err(self.error(failure, place))
            }
        })
    }

    /// Where the evaluation that just failed did so.
    fn find(
        &self,
        engine: &mut Engine,
        tree: &AstNode,
        record: &Protected,
        context: &Context<'_>,
    ) -> Option<Place> {
        let (traced, places) = trace::traced(tree, &self.source)?;
        engine.evaluate(&traced, &self.mentioned, record, context).err()?;
        let offset = places.get(engine.open_part()?)?;
        Some(Place::at(&self.source, *offset))
    }

    /// Whether `text` is a literal of the source, so that it is nobody's data.
    fn says(&self, text: &str) -> bool {
        let mut said = false;
        ast::walk(&mut self.tree.clone(), &mut |node| {
            said |= matches!(node, AstNode::String(literal) if literal == text)
        });
        said
    }

    fn error(&self, failure: Failure, place: Option<Place>) -> MappingError {
        let mapping = self.name.clone();
        match failure {
            Failure::Record(text) => MappingError::Record { mapping, place, text },
            Failure::Limit(text) => MappingError::Limit { mapping, place, text },
        }
    }
}
