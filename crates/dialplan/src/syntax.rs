//! Lua 5.4 as a tree with places, for checks that look at a script without running it.
//!
//! It reads the grammar of the reference manual (§9) and nothing of its meaning: that a `goto` has
//! its label or a `<const>` is not assigned is left to Lua itself, which compiles every script too.
//!
//! Nesting is bounded ([`DEPTH_MAX`]) and everything that Lua lets run on without nesting, such as
//! `a .. b .. c` or `x.y.z()`, is a list in the tree: nobody who walks it can run out of stack.

mod flaw;
mod literal;
mod parser;
mod scanner;
#[cfg(test)]
mod tests;
mod tree;

pub(crate) use flaw::Flaw;
pub(crate) use parser::parse;
pub(crate) use scanner::Comment;
pub(crate) use tree::{
    Arguments, Attribute, BinaryOperator, Block, Clause, Expression, ExpressionKind, Field,
    FieldKey, Function, Name, Number, Span, Statement, StatementKind, Suffix, Tree, UnaryOperator,
};

/// How deep blocks, brackets and operators may nest. Lua itself stops at 200.
pub(crate) const DEPTH_MAX: u32 = 100;
