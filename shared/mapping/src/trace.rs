//! Finding the part of a mapping that failed.
//!
//! jsonata-core's errors have no position. After a failure, and only then, the mapping is evaluated once more in
//! a form that reports which parts are entered and left; the innermost part that was entered and never left is the
//! one that failed. Parts are the values of objects and the calls of functions, which is where mappings fail.

use jsonata_core::ast::{AstNode, BinaryOp};

use crate::{
    ast,
    scan::{self, Kind},
};

/// Functions that report; no mapping can spell their names. Each takes the part's number.
pub(crate) const ENTER: &str = "enter part";
/// Takes the part's value too, and returns it.
pub(crate) const LEAVE: &str = "leave part";

/// Something that can be found both in the source and in the tree, in the same order.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Key,
    Call(String),
}

/// The form of `tree` that reports, and the place of each part in characters from the beginning of `source`.
/// Nothing when tree and source do not agree.
pub(crate) fn traced(tree: &AstNode, source: &str) -> Option<(AstNode, Vec<usize>)> {
    let mut tree = tree.clone();
    let mut found = Vec::new();
    mark(&mut tree, &mut found, false);
    let (written, places): (Vec<_>, Vec<_>) = written(source).into_iter().unzip();
    (found == written).then_some((tree, places))
}

/// The parts of a source: literal keys of objects and `$name(`.
fn written(source: &str) -> Vec<(Part, usize)> {
    let tokens = scan::tokens(source);
    let mark_at = |index: Option<usize>| match index.and_then(|index| tokens.get(index)) {
        Some(scan::Token { kind: Kind::Mark(mark), .. }) => Some(*mark),
        _ => None,
    };
    let part = |(index, token): (usize, &scan::Token)| match &token.kind {
        Kind::Text => {
            let key = matches!(mark_at(index.checked_sub(1)), Some('{' | ','))
                && mark_at(Some(index + 1)) == Some(':');
            key.then_some((Part::Key, token.start))
        }
        Kind::Variable(name) => {
            (mark_at(Some(index + 1)) == Some('(')).then(|| (Part::Call(name.clone()), token.start))
        }
        _ => None,
    };
    tokens.iter().enumerate().filter_map(part).collect()
}

/// Finds the parts of `node` in the order of the source and makes them report. A step of a path and the right side
/// of `~>` are `bound` to what stands before them and can only be numbered.
fn mark(node: &mut AstNode, found: &mut Vec<Part>, bound: bool) {
    match node {
        AstNode::Function { name, args, .. } if !ast::is_internal(name) => {
            let part = found.len();
            found.push(Part::Call(name.clone()));
            args.iter_mut().for_each(|arg| mark(arg, found, false));
            if !bound {
                report(node, part);
            }
        }
        AstNode::Object(pairs) => pairs.iter_mut().for_each(|pair| mark_pair(pair, found)),
        AstNode::ObjectTransform { input, pattern } => {
            mark(input, found, true);
            pattern.iter_mut().for_each(|pair| mark_pair(pair, found));
        }
        AstNode::Binary { op: BinaryOp::ChainPipe, lhs, rhs } => {
            mark(lhs, found, false);
            let part = found.len();
            mark(rhs, found, true);
            if found.len() > part {
                report(node, part);
            }
        }
        AstNode::Path { .. } | AstNode::Sort { .. } | AstNode::Call { .. } => {
            ast::children(node, &mut |child| mark(child, found, true));
        }
        _ => ast::children(node, &mut |child| mark(child, found, bound)),
    }
}

fn mark_pair((key, value): &mut (AstNode, AstNode), found: &mut Vec<Part>) {
    if !matches!(key, AstNode::String(_)) {
        mark(key, found, false);
        return mark(value, found, false);
    }
    let part = found.len();
    found.push(Part::Key);
    mark(value, found, false);
    report(value, part);
}

fn report(node: &mut AstNode, part: usize) {
    let number = || AstNode::number(part as f64);
    ast::replace(node, |value| {
        let enter = ast::internal_call(ENTER, vec![number()]);
        AstNode::Block(vec![enter, ast::internal_call(LEAVE, vec![number(), value])])
    });
}
