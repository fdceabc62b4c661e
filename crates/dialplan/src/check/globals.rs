//! Names: globals that nothing sets, globals set by accident, locals and functions without use.

use std::collections::{BTreeMap, BTreeSet};

use super::Report;
use super::code::Code;
use super::facts::{
    Binding, BindingId, BindingKind, Facts, FileId, FunctionName, Global, GlobalPlace, Need, Role,
};
use super::modules::{Modules, module_name};
use super::types::Table;
use crate::error::SCRIPTS_FOLDER;
use crate::syntax::{Attribute, ExpressionKind};
use crate::verbs::{LUA_GLOBALS, LUA_LIBRARIES, nearest};

/// Names among which the nearest is looked for.
const NAMES_MAX: usize = 2_000;

/// Whether a global of that name is there before any script is run.
fn is_given(table: &Table, role: Role, name: &str) -> bool {
    LUA_GLOBALS.contains(&name)
        || LUA_LIBRARIES.iter().any(|(library, _)| *library == name)
        || table.library(role, name).is_some()
        || table.function(role, name).is_some()
}

fn given(table: &Table, role: Role) -> Vec<&'static str> {
    let lua = LUA_GLOBALS.iter().copied().chain(LUA_LIBRARIES.iter().map(|(name, _)| *name));
    table.names(role).chain(lua).collect()
}

/// Globals that are read and never set.
pub(super) fn unknown(facts: &Facts<'_>, table: &Table, modules: &Modules, report: &mut Report) {
    if facts.dynamic_globals {
        return;
    }
    let mut locals: BTreeMap<FileId, BTreeSet<&str>> = BTreeMap::new();
    for binding in &facts.bindings {
        locals.entry(binding.file).or_default().insert(binding.name);
    }
    for (name, global) in &facts.globals {
        if report.is_full() {
            continue;
        }
        let setter = match setter(facts, modules, global) {
            Setter::Somebody => continue,
            Setter::Unreached(file) => Some(file),
            Setter::Nobody => None,
        };
        // Who looks whether it is there, or hands it on, can do without it.
        let careful = global.reads.iter().any(|place| place.need.is_none() || place.explicit);
        // The nearest name is the same wherever the wrong one stands in a file.
        let mut helps: BTreeMap<FileId, Option<String>> = BTreeMap::new();
        for place in global.reads.iter().filter(|place| !place.explicit) {
            let role = facts.files.get(place.file).map_or(Role::Dialplan, |file| file.role);
            if is_given(table, role, name) || setter == Some(place.file) {
                continue;
            }
            let known = || {
                let set = facts.globals.iter().filter(|(_, global)| !global.writes.is_empty());
                let locals = locals.get(&place.file).into_iter().flatten().copied();
                set.map(|(name, _)| *name).chain(locals).chain(given(table, role))
            };
            let help = helps.entry(place.file).or_insert_with(|| match setter {
                Some(file) => Some(bring_in(facts, file)),
                None => help(table, name, known()),
            });
            let nobody = if setter.is_some() { "no file that is loaded" } else { "nothing" };
            let (code, so) = match place.need.filter(|_| !careful) {
                Some(Need::Call) => (Code::UNKNOWN_FUNCTION, "it cannot be called"),
                Some(Need::Reach) => (Code::UNKNOWN_FUNCTION, "there is nothing in it"),
                None => (Code::UNKNOWN_GLOBAL, "it is nil"),
            };
            let problem = format!("{nobody} sets the global {name}, so {so}");
            report.tell(place.file, place.span, code, problem).help = help.clone();
        }
    }
}

/// Who gives a global its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Setter {
    Nobody,
    Somebody,
    /// Only a file that nothing brings in.
    Unreached(FileId),
}

fn setter(facts: &Facts<'_>, modules: &Modules, global: &Global<'_>) -> Setter {
    let Some(first) = global.writes.first() else { return Setter::Nobody };
    if global.writes.iter().any(|place| modules.is_used(facts, place.file)) {
        return Setter::Somebody;
    }
    Setter::Unreached(first.file)
}

fn bring_in(facts: &Facts<'_>, file: FileId) -> String {
    let path = facts.files.get(file).map_or("", |file| file.path);
    format!("{SCRIPTS_FOLDER}{path} does; write require \"{}\"", module_name(path))
}

fn help<'a>(table: &Table, name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    if table.object(name).is_some() {
        return Some(format!("{name} is what a function is given: function({name}) ... end"));
    }
    let known: Vec<&str> = known.take(NAMES_MAX).collect();
    let habit = super::habits::global(name);
    // A local of the same name is elsewhere in the file.
    if known.contains(&name) {
        return Some(format!("the local {name} is not seen here; declare it further out or above"));
    }
    // Of two letters one is soon like another.
    let telling = name.len() > 2;
    let near = nearest(name, known).filter(|_| telling);
    let near = near.map(|near| format!("did you mean {near}?"));
    habit.or(near)
}

/// Globals that a function sets.
pub(super) fn accidental(facts: &Facts<'_>, report: &mut Report) {
    for (name, global) in &facts.globals {
        for place in &global.writes {
            if place.explicit || facts.is_chunk(place.function) {
                continue;
            }
            let problem = format!("this sets a global {name}, which this call alone will see");
            let elsewhere =
                |read: &&GlobalPlace<'_>| !facts.is_within(read.function, place.function);
            let help = if global.reads.iter().any(|read| elsewhere(&read)) {
                format!("write call.vars.{name} for a value that belongs to the call")
            } else if place.body.is_some() {
                format!("write local function {name}")
            } else {
                format!("write local {name}")
            };
            report.tell(place.file, place.span, Code::ACCIDENTAL_GLOBAL, problem).help = Some(help);
        }
    }
}

/// Locals that nothing reads.
pub(super) fn unused_locals(facts: &Facts<'_>, report: &mut Report) {
    // `local digits, why = ...` is of use when one of them is.
    let mut used = BTreeSet::new();
    for binding in facts.bindings.iter().filter(|binding| binding.reads > 0) {
        used.insert((binding.file, binding.statement));
    }
    for binding in &facts.bindings {
        if binding.kind == BindingKind::Local
            && !used.contains(&(binding.file, binding.statement))
            && binding.attribute != Attribute::Close
            && !binding.name.starts_with('_')
            && !holds_function(binding)
        {
            let problem = format!("nothing reads {}", binding.name);
            let help = match binding.value {
                Some((value, _)) if matches!(value.kind, ExpressionKind::Suffixed { .. }) => {
                    "leave out the name and the =, or begin the name with _"
                }
                Some(_) | None => "delete it, or begin its name with _",
            };
            let told = report.tell(binding.file, binding.span, Code::UNUSED_LOCAL, problem);
            told.help = Some(help.into());
        }
    }
}

fn holds_function(binding: &Binding<'_>) -> bool {
    matches!(binding.value, Some((value, 0)) if matches!(value.kind, ExpressionKind::Function(_)))
}

/// Whether a table is reached under keys that are not written out, or is what a library offers: it
/// leaves a file that lies in a folder within the scripts folder. Not every dialplan uses all of a
/// library.
fn is_offered(facts: &Facts<'_>, holder: BindingId) -> bool {
    facts.bindings.get(holder).is_some_and(|binding| {
        let file = facts.files.get(binding.file);
        let library = file.is_some_and(|file| file.path.contains('/'));
        binding.indexed || (binding.escapes && library)
    })
}

/// Functions that nothing calls or hands on.
pub(super) fn unused_functions(facts: &Facts<'_>, report: &mut Report) {
    for function in &facts.functions {
        let (file, name, span) = match function.name {
            FunctionName::Local(id) => match facts.bindings.get(id) {
                Some(binding) if binding.reads == 0 => (binding.file, binding.name, binding.span),
                Some(_) | None => continue,
            },
            FunctionName::Global(name, span) => {
                let read = facts.globals.get(name).is_some_and(|global| !global.reads.is_empty());
                if read || facts.dynamic_globals || facts.reached.contains(name) {
                    continue;
                }
                (function.file, name, span)
            }
            FunctionName::Field(holder, name, span) => {
                if facts.reached.contains(name)
                    || name.starts_with("__")
                    || is_offered(facts, holder)
                {
                    continue;
                }
                (function.file, name, span)
            }
            FunctionName::Nothing => continue,
        };
        if name.starts_with('_') {
            continue;
        }
        let problem = format!("nothing calls the function {name}");
        let told = report.tell(file, span, Code::UNUSED_FUNCTION, problem);
        told.help = Some("delete it, or begin its name with _ if it is there for later".into());
    }
}
