//! The form of a mapping that is evaluated over a record with protected numbers (see [`crate::number`]).
//!
//! A protected number is text to JSONata, and must not be noticed as such: `amount > 0`, `amount ? a : b` and
//! `$string(amount)` mean what they mean for any number. So wherever JSONata looks **into** a value, this form
//! converts it first; wherever it only **carries** a value, it stays as it was written.
//!
//! * Arithmetic, order, truth and the arguments of JSONata's functions see the nearest double. What is computed is a
//!   double; what is selected, sorted, merged or otherwise handed on is not touched.
//! * `=`, `!=` and `in` compare protected numbers by their decimal value: two 20-digit ids are only equal when
//!   all digits are.
//! * `&` and `$string` see the digits as written.
//!
//! A record without protected numbers never pays for this.

use jsonata_core::ast::{AstNode, BinaryOp, Stage};

use crate::{
    ast,
    number::{COMPARED, DOUBLE, TEXT, TRUTH},
};

/// JSONata's functions that look into their arguments, with how many they take when they are passed to another
/// function, and whether they take the context when called with none. Those that only carry values (`$append`,
/// `$merge`, `$map`, `$lookup`, ...) are not here.
const LOOKING: [(&str, usize, bool); 43] = [
    ("abs", 1, true),
    ("assert", 2, false),
    ("average", 1, false),
    ("base64decode", 1, true),
    ("base64encode", 1, true),
    ("boolean", 1, true),
    ("ceil", 1, true),
    ("contains", 2, true),
    ("decodeUrl", 1, true),
    ("decodeUrlComponent", 1, true),
    ("encodeUrl", 1, true),
    ("encodeUrlComponent", 1, true),
    ("error", 1, false),
    ("floor", 1, true),
    ("formatBase", 2, true),
    ("formatInteger", 2, true),
    ("formatNumber", 3, true),
    ("fromMillis", 3, true),
    ("join", 2, false),
    ("length", 1, true),
    ("lowercase", 1, true),
    ("match", 3, true),
    ("max", 1, false),
    ("min", 1, false),
    ("not", 1, true),
    ("number", 1, true),
    ("pad", 3, true),
    ("parseInteger", 2, true),
    ("power", 2, true),
    ("replace", 4, true),
    ("round", 2, true),
    ("sort", 2, false),
    ("split", 3, true),
    ("sqrt", 1, true),
    ("string", 1, true),
    ("substring", 3, true),
    ("substringAfter", 2, true),
    ("substringBefore", 2, true),
    ("sum", 1, false),
    ("toMillis", 2, true),
    ("trim", 1, true),
    ("type", 1, false),
    ("uppercase", 1, true),
];

fn looking(name: &str) -> Option<(usize, bool)> {
    LOOKING.iter().find(|(looking, ..)| *looking == name).map(|(_, arity, context)| (*arity, *context))
}

/// How a function of [`LOOKING`] sees its arguments.
fn sight(name: &str) -> &'static str {
    if name == "string" { TEXT } else { DOUBLE }
}

/// The exact form of `tree`.
pub(crate) fn exact(tree: &AstNode) -> AstNode {
    let mut tree = tree.clone();
    convert(&mut tree);
    tree
}

fn convert(node: &mut AstNode) {
    match node {
        AstNode::Binary { op: BinaryOp::ChainPipe, lhs, rhs } => {
            convert(lhs);
            chain(lhs, rhs);
        }
        AstNode::Function { name, args, .. } => {
            args.iter_mut().for_each(convert);
            if name == "sort" {
                return in_order(args);
            }
            if let Some((_, from_context)) = looking(name) {
                if args.is_empty() && from_context {
                    args.push(AstNode::variable(""));
                }
                args.iter_mut().for_each(|arg| see(arg, sight(name)));
            }
            if let ("filter" | "sift" | "single", Some(AstNode::Lambda { body, .. })) =
                (name.as_str(), args.last_mut())
            {
                see(body, DOUBLE);
            }
        }
        AstNode::Variable(name) if looking(name).is_some() => by_value(node),
        _ => {
            ast::children(node, &mut convert);
            operands(node);
        }
    }
}

/// `$sort(items)` with a function that compares doubles, so that the items themselves are only carried.
fn in_order(args: &mut Vec<AstNode>) {
    if args.len() != 1 {
        return;
    }
    let [lhs, rhs] =
        ["a", "b"].map(|name| Box::new(ast::internal_call(DOUBLE, vec![AstNode::variable(name)])));
    let body = AstNode::Binary { op: BinaryOp::GreaterThan, lhs, rhs };
    let params = vec!["a".to_owned(), "b".to_owned()];
    args.push(AstNode::Lambda { params, body: Box::new(body), signature: None, thunk: false });
}

/// `lhs ~> rhs`, where `rhs` takes `lhs` as its first argument.
fn chain(lhs: &mut AstNode, rhs: &mut AstNode) {
    let name = match rhs {
        AstNode::Function { name, .. } | AstNode::Variable(name) => name.clone(),
        _ => return convert(rhs),
    };
    if let AstNode::Function { args, .. } = rhs {
        args.iter_mut().for_each(convert);
    }
    if looking(&name).is_some() && name != "sort" {
        see(lhs, sight(&name));
        if let AstNode::Function { args, .. } = rhs {
            args.iter_mut().for_each(|arg| see(arg, sight(&name)));
        }
    }
}

/// A function of [`LOOKING`] that is handed to another, as in `$map(amounts, $string)`.
fn by_value(node: &mut AstNode) {
    let AstNode::Variable(name) = node else { return };
    let Some((arity, _)) = looking(name) else { return };
    let params: Vec<String> =
        ["a", "b", "c", "d"].iter().take(arity).map(|&param| param.to_owned()).collect();
    let args =
        params.iter().map(|param| ast::internal_call(sight(name), vec![AstNode::variable(param.as_str())]));
    let body = AstNode::Function { name: name.clone(), args: args.collect(), is_builtin: true };
    *node = AstNode::Lambda { params, body: Box::new(body), signature: None, thunk: false };
}

/// The places of a node at which a value is looked into. Its children have been converted.
fn operands(node: &mut AstNode) {
    match node {
        AstNode::Binary { op, lhs, rhs } => {
            let sights = match op {
                BinaryOp::Equal | BinaryOp::NotEqual | BinaryOp::In => [Some(COMPARED), Some(COMPARED)],
                BinaryOp::Concatenate => [Some(TEXT), Some(TEXT)],
                BinaryOp::Default => [Some(TRUTH), None],
                BinaryOp::Coalesce
                | BinaryOp::ColonEqual
                | BinaryOp::FocusBind
                | BinaryOp::IndexBind
                | BinaryOp::ChainPipe => [None, None],
                _ => [Some(DOUBLE), Some(DOUBLE)],
            };
            for (operand, sight) in [lhs, rhs].into_iter().zip(sights) {
                if let Some(sight) = sight {
                    see(operand, sight);
                }
            }
        }
        AstNode::Unary { operand: value, .. } | AstNode::Conditional { condition: value, .. } => {
            see(value, DOUBLE)
        }
        AstNode::Path { steps } => {
            for stage in steps.iter_mut().flat_map(|step| &mut step.stages) {
                if let Stage::Filter(predicate) = stage {
                    see(predicate, DOUBLE);
                }
            }
        }
        AstNode::Sort { terms, .. } => terms.iter_mut().for_each(|(term, _)| see(term, DOUBLE)),
        AstNode::Object(pairs) | AstNode::ObjectTransform { pattern: pairs, .. } => {
            pairs.iter_mut().for_each(|(key, _)| see(key, DOUBLE));
        }
        _ => {}
    }
}

/// Converts what `node` evaluates to, when it can be a protected number.
fn see(node: &mut AstNode, sight: &str) {
    let plain = match node {
        AstNode::Array(items) => {
            // As an item of an array a number is no text: `$string([1.50])` is `[1.5]`.
            let sight = if sight == TEXT { DOUBLE } else { sight };
            return items.iter_mut().for_each(|item| see(item, sight));
        }
        AstNode::String(_)
        | AstNode::Number(_)
        | AstNode::Boolean(_)
        | AstNode::Null
        | AstNode::Undefined
        | AstNode::Placeholder
        | AstNode::Regex { .. }
        | AstNode::Lambda { .. }
        | AstNode::Unary { .. } => true,
        AstNode::Function { name, .. } => ast::is_internal(name) || looking(name).is_some(),
        AstNode::Binary { op, .. } => {
            !matches!(op, BinaryOp::Default | BinaryOp::Coalesce | BinaryOp::ChainPipe | BinaryOp::ColonEqual)
        }
        _ => false,
    };
    if !plain {
        ast::replace(node, |value| ast::internal_call(sight, vec![value]));
    }
}
