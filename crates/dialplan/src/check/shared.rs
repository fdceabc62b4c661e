//! Tables that all calls have in common, changed by one of them.

use std::collections::BTreeSet;

use super::Report;
use super::code::Code;
use super::facts::{Access, Facts, FunctionId};
use super::values::{Constructed, Possible, Value, Values};
use crate::syntax::{ExpressionKind, Span, Suffix};

/// Functions of Lua's that change the list they are given first.
const CHANGING: [&str; 4] = ["insert", "remove", "sort", "move"];

/// Tells of each place in functions that run for calls where such a table is changed.
pub(super) fn check<'t>(
    facts: &Facts<'t>,
    values: &Values<'_, 't>,
    in_calls: &BTreeSet<FunctionId>,
    report: &mut Report,
) {
    for access in &facts.accesses {
        if !in_calls.contains(&access.function) {
            continue;
        }
        let (name, span) = match changed(access, values) {
            Some((table, name, span)) if is_common(facts, table, name) => (name, span),
            Some(_) | None => continue,
        };
        let problem =
            format!("this changes {name} for all calls that there are, and until a reload");
        let told = report.tell(access.file, span, Code::SHARED_TABLE, problem);
        told.help = Some(
            "call.vars is a table of the call's own; shared.set keeps what all calls should see"
                .into(),
        );
    }
}

/// The table that is changed, and by what name.
fn changed<'t>(
    access: &Access<'t>,
    values: &Values<'_, 't>,
) -> Option<(Constructed<'t>, &'t str, Span)> {
    let (file, holder) = match (access.assigned, access.suffixes) {
        (true, [_]) => (access.file, access.base),
        (false, [Suffix::Field(function), Suffix::Call(given)])
            if CHANGING.contains(&function.text) =>
        {
            let library = values.of_base(access);
            let table = matches!(
                library.as_slice(),
                [Possible { value: Value::LuaLibrary("table", _), .. }]
            );
            (access.file, given.values.first().filter(|_| table)?)
        }
        _ => return None,
    };
    let ExpressionKind::Name(name) = &holder.kind else { return None };
    match values.of(file, holder).as_slice() {
        [Possible { value: Value::Table(table), .. }] => Some((*table, name.text, holder.span)),
        _ => None,
    }
}

/// Whether the table was made while the scripts were loaded.
fn is_common(facts: &Facts<'_>, table: Constructed<'_>, name: &str) -> bool {
    match table.holder.and_then(|holder| facts.bindings.get(holder)) {
        Some(binding) => facts.is_chunk(binding.function),
        // A global, which is followed only when it is set once and at load.
        None => facts.globals.get(name).is_some_and(|global| !global.writes.is_empty()),
    }
}
