//! The JSONata evaluator of a thread: limits, variables and functions of our own.

use std::{
    cell::{Cell, RefCell},
    mem::take,
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
};

use jiff::tz::TimeZone;
use jsonata_core::{
    ast::{AstNode, PathStep},
    evaluator::{self, Evaluator, EvaluatorError, EvaluatorOptions},
    value::JValue,
};
use serde_json::Value;

use crate::{
    Context, ast,
    explain::{Failure, OURS},
    functions, limits, number, trace,
};

/// Variables that stand for the parts of [`Context`].
const VARIABLES: [&str; 4] = ["zone", "kind", "headers", "settings"];

/// What a mapping mentions of [`Context`]: nothing else is made for it.
#[derive(Debug, Default)]
pub(crate) struct Mentioned {
    /// Which of [`VARIABLES`].
    variables: [bool; VARIABLES.len()],
    /// Which settings. Nothing where it looks at them in a way that does not tell.
    settings: Option<Vec<String>>,
}

/// What the functions of one evaluation look at.
pub(crate) struct Run {
    /// Marks protected numbers, where there are any.
    pub(crate) tag: Option<char>,
    zone: Option<(String, TimeZone)>,
    variables: [JValue; VARIABLES.len()],
    /// Parts entered and not left, see [`trace`].
    open_parts: Vec<usize>,
}

impl Run {
    /// The connection's zone.
    pub(crate) fn zone(&self) -> Option<&TimeZone> {
        self.zone.as_ref().map(|(_, zone)| zone)
    }

    fn begin(&mut self, tag: Option<char>, mentioned: &Mentioned, context: &Context<'_>) {
        self.tag = tag;
        self.open_parts.clear();
        if self.zone.as_ref().is_none_or(|(name, _)| name != context.zone.name()) {
            self.zone =
                TimeZone::get(context.zone.name()).ok().map(|zone| (context.zone.name().to_owned(), zone));
        }
        let [zone, kind, headers, settings] = mentioned.variables;
        let only =
            |mentioned: bool, value: &dyn Fn() -> JValue| if mentioned { value() } else { JValue::Undefined };
        self.variables = [
            only(zone, &|| JValue::from(context.zone.name())),
            only(kind, &|| JValue::from(context.kind)),
            only(headers, &|| texts(context.headers)),
            only(settings, &|| match &mentioned.settings {
                None => texts(context.settings),
                Some(names) => texts(names.iter().filter_map(|name| context.settings.get_key_value(name))),
            }),
        ];
    }
}

fn texts<'a>(pairs: impl IntoIterator<Item = (&'a String, &'a String)>) -> JValue {
    JValue::object(
        pairs.into_iter().map(|(name, text)| (name.clone(), JValue::from(text.as_str()))).collect(),
    )
}

/// The name of the function behind a variable. No mapping can spell it.
fn reader(variable: &str) -> String {
    format!("the {variable}")
}

/// `tree` with those variables of [`Context`] bound around it that it mentions.
pub(crate) fn with_variables(mut tree: AstNode) -> (AstNode, Mentioned) {
    let mut mentioned = Mentioned::default();
    let (mut mentions, mut settings) = (0, Vec::new());
    ast::walk(&mut tree, &mut |node| match node {
        AstNode::Variable(name) => {
            mentions += usize::from(name == "settings");
            VARIABLES.iter().zip(&mut mentioned.variables).for_each(|(known, flag)| *flag |= name == known);
        }
        AstNode::Path { steps } => settings.extend(setting(steps)),
        _ => {}
    });
    mentioned.settings = (settings.len() == mentions).then_some(settings);
    let bind = |variable: &str| ast::bind(variable, ast::internal_call(&reader(variable), Vec::new()));
    let mut block: Vec<AstNode> = VARIABLES
        .iter()
        .zip(mentioned.variables)
        .filter(|(_, flag)| *flag)
        .map(|(variable, _)| bind(variable))
        .collect();
    if block.is_empty() {
        return (tree, mentioned);
    }
    block.push(tree);
    (AstNode::Block(block), mentioned)
}

/// The setting that a path begins with: `$settings.name`.
fn setting(steps: &[PathStep]) -> Option<String> {
    let (first, second) = (steps.first()?, steps.get(1)?);
    match (&first.node, &second.node) {
        (AstNode::Variable(of), AstNode::Name(name)) if of == "settings" && first.stages.is_empty() => {
            Some(name.clone())
        }
        _ => None,
    }
}

/// An evaluator of this thread: jsonata-core's values are `Rc`. Kept from one evaluation to the next, because it
/// keeps the steps it has compiled.
pub(crate) struct Engine {
    evaluator: Evaluator,
    run: Rc<RefCell<Run>>,
}

thread_local! {
    static ENGINE: Cell<Option<Engine>> = const { Cell::new(None) };
}

impl Engine {
    /// Lends this thread's engine. One that panics is not used again.
    pub(crate) fn with<T>(use_it: impl FnOnce(&mut Self) -> T) -> T {
        let mut engine = ENGINE.take().unwrap_or_else(Self::new);
        let result = use_it(&mut engine);
        ENGINE.set(Some(engine));
        result
    }

    fn new() -> Self {
        let options = EvaluatorOptions {
            timeout_ms: Some(limits::TIME_MS),
            max_stack_depth: Some(limits::DEPTH),
            max_sequence_length: Some(limits::SEQUENCE),
            ..EvaluatorOptions::default()
        };
        let evaluator = Evaluator::with_options(evaluator::Context::new(), options);
        let variables = std::array::from_fn(|_| JValue::Undefined);
        let run = Run { tag: None, zone: None, variables, open_parts: Vec::new() };
        let mut engine = Self { evaluator, run: Rc::new(RefCell::new(run)) };
        for (name, function) in functions::ALL {
            engine.register(name, move |args, run| {
                function(args, run)
                    .map_err(|text| EvaluatorError::EvaluationError(format!("{OURS}${name} {text}")))
            });
        }
        for (index, variable) in VARIABLES.iter().enumerate() {
            engine.register(&reader(variable), move |_, run| Ok(run.variables[index].clone()));
        }
        engine.register_conversion(number::DOUBLE, number::as_double);
        engine.register_conversion(number::TEXT, number::as_text);
        engine.register_conversion(number::COMPARED, number::as_compared);
        engine.register_conversion(number::TRUTH, number::as_truth);
        engine.register(trace::ENTER, |args, run| {
            run.open_parts.extend(part(args));
            Ok(JValue::Undefined)
        });
        engine.register(trace::LEAVE, |args, run| {
            run.open_parts.pop();
            Ok(args.get(1).cloned().unwrap_or(JValue::Undefined))
        });
        engine
    }

    fn register(
        &mut self,
        name: &str,
        function: impl Fn(&[JValue], &mut Run) -> Result<JValue, EvaluatorError> + 'static,
    ) {
        let run = Rc::clone(&self.run);
        let host = move |args: &[JValue]| function(args, &mut run.borrow_mut());
        // Refused only for names that jsonata-core compiles; the tests call every function.
        let registered = self.evaluator.register_fn_override(name, host);
        debug_assert!(registered.is_ok(), "{name}");
    }

    /// A function of [`crate::exact`].
    fn register_conversion(&mut self, name: &str, convert: fn(&JValue, char) -> JValue) {
        self.register(name, move |args, run| {
            let value = args.first().unwrap_or(&JValue::Undefined);
            Ok(run.tag.map_or_else(|| value.clone(), |tag| convert(value, tag)))
        });
    }

    /// Evaluates a tree over a record.
    ///
    /// # Errors
    /// jsonata-core's message, which may quote values. Some arguments that no mapping should give make it panic
    /// (`$substring` from 1e20): that is a record's fault like any other, and the engine is not used again.
    pub(crate) fn evaluate(
        &mut self,
        tree: &AstNode,
        mentioned: &Mentioned,
        record: &number::Protected,
        context: &Context<'_>,
    ) -> Result<JValue, String> {
        self.run.borrow_mut().begin(record.tag, mentioned, context);
        let evaluated = catch_unwind(AssertUnwindSafe(|| self.evaluator.evaluate(tree, &record.value)));
        match evaluated {
            Ok(result) => result.map_err(|error| error.message().to_owned()),
            Err(_) => {
                let open_parts = take(&mut self.run.borrow_mut().open_parts);
                *self = Self::new();
                self.run.borrow_mut().open_parts = open_parts;
                Err(format!("{OURS}an argument is out of range"))
            }
        }
    }

    /// The part that the last evaluation entered and did not leave, if its tree was [`trace::traced`].
    pub(crate) fn open_part(&self) -> Option<usize> {
        self.run.borrow().open_parts.last().copied()
    }
}

fn part(args: &[JValue]) -> Option<usize> {
    args.first().and_then(JValue::as_i64).and_then(|part| usize::try_from(part).ok())
}

/// The result as JSON.
pub(crate) fn finish(result: &JValue, tag: Option<char>) -> Result<Value, Failure> {
    number::restore(result, tag, &mut limits::RESULT_VALUES.clone()).map_err(|error| match error {
        number::NoJson::TooLarge => {
            Failure::Limit(format!("results in more than {} values", limits::RESULT_VALUES))
        }
        number::NoJson::NotFinite => Failure::Record("a number of the result is out of range".to_owned()),
    })
}
