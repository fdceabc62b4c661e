//! Verbs in functions that run when the call is over.

use std::collections::BTreeSet;

use super::Report;
use super::code::Code;
use super::facts::{Access, Facts, FunctionId};
use super::values::{Possible, Value, Values};
use crate::syntax::{ExpressionKind, Suffix};

/// Tells of each verb in a function given to `call:on_hangup`.
pub(super) fn check<'t>(facts: &Facts<'t>, values: &Values<'_, 't>, report: &mut Report) {
    let functions: BTreeSet<FunctionId> =
        facts.accesses.iter().filter_map(|access| at_the_end(access, values)).collect();
    for access in &facts.accesses {
        let [Suffix::Method(verb, _), ..] = access.suffixes else { continue };
        let around = |function: &FunctionId| facts.functions.get(*function)?.parent;
        let mut around = std::iter::successors(Some(access.function), around);
        let Some(function) = around.find(|function| functions.contains(function)) else {
            continue;
        };
        let is_verb = crate::verbs::verb_spec(verb.text).is_some();
        if is_verb && is_outer_call(access, function, values) {
            let problem = format!("call:{} comes when the call is over, and fails", verb.text);
            let told = report.tell(access.file, verb.span, Code::AFTER_THE_END, problem);
            told.help = Some(match verb.text {
                "sleep" => "write sleep(...), which needs no call".into(),
                _ => {
                    "http, db, log, shared and sleep work there; verbs belong before the end".into()
                }
            });
        }
    }
}

/// The function that this gives to `call:on_hangup`, if it does.
fn at_the_end<'t>(access: &Access<'t>, values: &Values<'_, 't>) -> Option<FunctionId> {
    let [Suffix::Method(verb, given), ..] = access.suffixes else { return None };
    if verb.text != "on_hangup" || !is_call(access, values) {
        return None;
    }
    match values.of(access.file, given.values.first()?).as_slice() {
        [Possible { value: Value::Function(function), .. }] => Some(*function),
        _ => None,
    }
}

/// Whether it is a verb of the call that is over: one that the function begins has a name of its own.
fn is_outer_call<'t>(access: &Access<'t>, function: FunctionId, values: &Values<'_, 't>) -> bool {
    let ExpressionKind::Name(name) = &access.base.kind else { return false };
    let facts = values.facts;
    let declared = facts.binding_of(access.file, name).and_then(|id| facts.bindings.get(id));
    declared.is_some_and(|binding| !facts.is_within(binding.function, function))
        && is_call(access, values)
}

fn is_call<'t>(access: &Access<'t>, values: &Values<'_, 't>) -> bool {
    match values.of_base(access).as_slice() {
        [Possible { value, .. }] => values.is_call(value),
        _ => false,
    }
}
