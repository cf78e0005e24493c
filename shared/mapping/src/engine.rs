//! The JSONata evaluator of this thread: limits, variables and functions of our own.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use jiff::tz::TimeZone;
use jsonata_core::{
    ast::{AstNode, BinaryOp},
    evaluator::{self, Evaluator, EvaluatorError, EvaluatorOptions},
    value::JValue,
};
use serde_json::Value;

use crate::{
    Context,
    error::{MappingError, Place},
    functions, limits, number,
};

/// Variables that stand for the parts of [`Context`].
const VARIABLES: [&str; 4] = ["zone", "kind", "headers", "settings"];

/// What the functions of one evaluation may look at.
#[derive(Default)]
pub(crate) struct Run {
    /// Marks protected numbers.
    pub(crate) tag: char,
    /// The connection's zone.
    pub(crate) zone: Option<TimeZone>,
    variables: BTreeMap<&'static str, JValue>,
}

/// An evaluation that did not end well, before it is known which mapping it was.
pub(crate) enum Failure {
    Record(String),
    Limit(String),
}

impl Failure {
    pub(crate) fn of(self, mapping: &str, place: Option<Place>) -> MappingError {
        let mapping = mapping.to_owned();
        match self {
            Self::Record(text) => MappingError::Record { mapping, place, text },
            Self::Limit(text) => MappingError::Limit { mapping, place, text },
        }
    }
}

thread_local! {
    // jsonata-core's values are Rc, so an evaluator belongs to a thread. Keeping it keeps the steps it compiled.
    static ENGINE: RefCell<Engine> = RefCell::new(Engine::new());
}

struct Engine {
    evaluator: Evaluator,
    run: Rc<RefCell<Run>>,
}

/// The host function behind a variable; its name cannot be written in JSONata.
fn reader(variable: &str) -> String {
    format!("the connection's {variable}")
}

impl Engine {
    fn new() -> Self {
        let options = EvaluatorOptions {
            timeout_ms: Some(limits::TIME_MS),
            max_stack_depth: Some(limits::DEPTH),
            max_sequence_length: Some(limits::SEQUENCE),
            ..EvaluatorOptions::default()
        };
        let mut evaluator = Evaluator::with_options(evaluator::Context::new(), options);
        let run = Rc::new(RefCell::new(Run::default()));
        for (name, function) in functions::ALL {
            let run = Rc::clone(&run);
            let host = move |args: &[JValue]| {
                function(args, &run.borrow())
                    .map_err(|text| EvaluatorError::EvaluationError(format!("{OURS}${name}: {text}")))
            };
            let registered = evaluator.register_fn_override(*name, host);
            debug_assert!(registered.is_ok(), "{name} is one of the names jsonata-core compiles");
        }
        for variable in VARIABLES {
            let run = Rc::clone(&run);
            let host = move |_: &[JValue]| {
                Ok(run.borrow().variables.get(variable).cloned().unwrap_or(JValue::Undefined))
            };
            let registered = evaluator.register_fn_override(reader(variable), host);
            debug_assert!(registered.is_ok());
        }
        Self { evaluator, run }
    }
}

/// Begins the text of an error that a function of ours raised: safe to show.
const OURS: &str = "bridge:";

/// `ast` with the variables of [`Context`] bound around it.
pub(crate) fn with_context(ast: AstNode) -> AstNode {
    let bind = |variable: &str| AstNode::Binary {
        op: BinaryOp::ColonEqual,
        lhs: Box::new(AstNode::variable(variable)),
        rhs: Box::new(AstNode::Function { name: reader(variable), args: Vec::new(), is_builtin: true }),
    };
    AstNode::Block(VARIABLES.into_iter().map(bind).chain([ast]).collect())
}

fn texts(map: &BTreeMap<String, String>) -> JValue {
    JValue::object(map.iter().map(|(name, text)| (name.clone(), JValue::from(text.as_str()))).collect())
}

/// Evaluates `ast` over one record.
pub(crate) fn evaluate(ast: &AstNode, input: &Value, context: &Context<'_>) -> Result<Value, Failure> {
    let tag = number::free_tag(input)
        .ok_or_else(|| Failure::Record("every private-use character occurs in the record".to_owned()))?;
    ENGINE.with_borrow_mut(|engine| {
        *engine.run.borrow_mut() = Run {
            tag,
            zone: TimeZone::get(context.zone.name()).ok(),
            variables: BTreeMap::from([
                ("zone", JValue::from(context.zone.name())),
                ("kind", JValue::from(context.kind)),
                ("headers", texts(context.headers)),
                ("settings", texts(context.settings)),
            ]),
        };
        let result =
            engine.evaluator.evaluate(ast, &number::protect(input, tag)).map_err(|error| explain(&error))?;
        number::restore(&result, tag, &mut limits::RESULT_VALUES.clone())
            .ok_or_else(|| Failure::Limit("the result is too large".to_owned()))
    })
}

/// jsonata-core's messages quote values, so only their code is used.
fn explain(error: &EvaluatorError) -> Failure {
    if let Some(text) = error.message().strip_prefix(OURS) {
        return Failure::Record(text.to_owned());
    }
    Failure::Record(error.code().unwrap_or("the evaluation failed").to_owned())
}
