//! Walking and changing a parsed mapping.
//!
//! jsonata-core's tree keeps no positions and offers no visitor, so both are here.

use jsonata_core::ast::{AstNode, BinaryOp, Stage, StepId};

/// Calls `visit` on every direct child of `node`, in the order of the source.
///
/// A path step that may have changed gets a new identity: the evaluator caches compiled steps by it.
pub(crate) fn children(node: &mut AstNode, visit: &mut dyn FnMut(&mut AstNode)) {
    match node {
        AstNode::Path { steps } => {
            for step in steps {
                step.id = StepId::default();
                visit(&mut step.node);
                for stage in &mut step.stages {
                    if let Stage::Filter(predicate) = stage {
                        visit(predicate);
                    }
                }
            }
        }
        AstNode::Binary { lhs, rhs, .. } => {
            visit(lhs);
            visit(rhs);
        }
        AstNode::Unary { operand: child, .. }
        | AstNode::FunctionApplication(child)
        | AstNode::Lambda { body: child, .. } => visit(child),
        AstNode::Function { args: items, .. }
        | AstNode::Array(items)
        | AstNode::ArrayGroup(items)
        | AstNode::Block(items) => items.iter_mut().for_each(visit),
        AstNode::Call { procedure, args } => {
            visit(procedure);
            args.iter_mut().for_each(visit);
        }
        AstNode::Object(pairs) => pairs.iter_mut().for_each(|(key, value)| {
            visit(key);
            visit(value);
        }),
        AstNode::ObjectTransform { input, pattern } => {
            visit(input);
            pattern.iter_mut().for_each(|(key, value)| {
                visit(key);
                visit(value);
            });
        }
        AstNode::Conditional { condition, then_branch, else_branch } => {
            visit(condition);
            visit(then_branch);
            else_branch.iter_mut().for_each(|branch| visit(branch));
        }
        AstNode::Sort { input, terms } => {
            visit(input);
            terms.iter_mut().for_each(|(term, _)| visit(term));
        }
        AstNode::Transform { location, update, delete } => {
            visit(location);
            visit(update);
            delete.iter_mut().for_each(|fields| visit(fields));
        }
        AstNode::String(_)
        | AstNode::Name(_)
        | AstNode::Number(_)
        | AstNode::Boolean(_)
        | AstNode::Null
        | AstNode::Undefined
        | AstNode::Placeholder
        | AstNode::Regex { .. }
        | AstNode::Variable(_)
        | AstNode::ParentVariable(_)
        | AstNode::Wildcard
        | AstNode::Descendant
        | AstNode::Parent(_) => {}
    }
}

/// Calls `visit` on `node` and everything in it, parents first.
pub(crate) fn walk(node: &mut AstNode, visit: &mut dyn FnMut(&mut AstNode)) {
    visit(node);
    children(node, &mut |child| walk(child, visit));
}

/// A call of a function of ours that mappings cannot name: the names below hold a blank.
pub(crate) fn internal_call(name: &str, args: Vec<AstNode>) -> AstNode {
    AstNode::Function { name: name.to_owned(), args, is_builtin: true }
}

/// Whether a function's name can only come from [`internal_call`].
pub(crate) fn is_internal(name: &str) -> bool {
    name.contains(' ')
}

/// `$name := value`.
pub(crate) fn bind(name: &str, value: AstNode) -> AstNode {
    AstNode::Binary { op: BinaryOp::ColonEqual, lhs: Box::new(AstNode::variable(name)), rhs: Box::new(value) }
}

/// Puts `wrap(node)` in the place of `node`.
pub(crate) fn replace(node: &mut AstNode, wrap: impl FnOnce(AstNode) -> AstNode) {
    *node = wrap(std::mem::replace(node, AstNode::Undefined));
}
