//! Finds mistakes in scripts without running them.
//!
//! Each file is read as a tree ([`crate::syntax`]); one walk notes names, functions, calls and
//! assignments of all files (`facts`); values are followed as far as the text tells (`values`); and
//! then come the checks, each a file of its own. What functions take stands in the one table of
//! [`crate::verbs`], and nothing about any of them is said here.
//!
//! A check speaks only where the text leaves no doubt, since a dialplan that is right must have no
//! findings. What may be deliberate is a warning, and a comment can allow it.

mod afterwards;
mod allow;
mod calls;
mod code;
mod facts;
mod flow;
mod globals;
mod habits;
mod kinds;
mod lines;
mod modules;
mod operations;
mod outside;
mod reaching;
mod routes;
mod shared;
#[cfg(test)]
mod tests;
mod types;
mod values;

use std::collections::{BTreeMap, BTreeSet};

use mlua::chunk::ChunkMode;
use mlua::{Lua, LuaOptions, StdLib};

pub use self::code::{Code, Severity};

use self::allow::Allowances;
use self::calls::Calls;
use self::facts::{Facts, FileId, FunctionId, Role};
use self::flow::{Flow, Onward, Passage};
use self::lines::Lines;
use self::modules::Modules;
use self::outside::Outside;
use self::routes::Routes;
use self::types::Table;
use self::values::Values;
use crate::error::{LoadError, SCRIPTS_FOLDER, ScriptError};
use crate::generation::{Names, RouteInfo, Sources};
use crate::syntax::{Flaw, Span, Tree, parse};
use crate::verbs::{LIBRARIES, LibrarySpec};

/// Bytes of a line that stand in a finding.
const LINE_BYTES_MAX: usize = 1_000;
/// Findings of one check; what goes beyond is left out.
const FINDINGS_MAX: usize = 1_000;

/// A dialplan, its tests, and what exists around them.
#[derive(Debug, Clone, Copy)]
pub struct Project<'a> {
    /// The scripts.
    pub dialplan: &'a Sources,
    /// Their tests, by path in the scripts folder: `tests/night.lua`.
    pub tests: &'a Sources,
    /// What exists outside of the scripts.
    pub names: &'a Names,
    /// Prompts that exist and cannot be played, by full name, and why.
    pub broken_prompts: &'a BTreeMap<String, String>,
    /// The routes as loading the scripts made them. Without, those that are written out count.
    pub routes: Option<&'a [RouteInfo]>,
    /// What only tests can call.
    pub test_libraries: &'a [&'static LibrarySpec],
    /// What tests find of what scripts find: names of libraries and of globals.
    pub shared_with_tests: &'a [&'static str],
}

/// Something found in a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What sort of mistake it is.
    pub code: Code,
    /// How much it matters.
    pub severity: Severity,
    /// The script file, for example `scripts/main.lua`.
    pub file: String,
    /// The line in that file, from 1.
    pub line: u32,
    /// The column in that line, in bytes from 1.
    pub column: u32,
    /// How many bytes of that line it covers; 0 for the file as a whole.
    pub length: u32,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The text of that line, or of as much of it as anybody would read.
    pub source_line: String,
}

impl From<Finding> for LoadError {
    fn from(finding: Finding) -> Self {
        Self {
            file: finding.file,
            line: Some(finding.line),
            column: Some(finding.column),
            length: Some(finding.length),
            message: finding.message,
            hint: finding.help,
            source_line: Some(finding.source_line),
        }
    }
}

/// Finds mistakes in the scripts and tests of a project, in the order of files and lines.
///
/// Takes time in proportion to the length of the scripts, and never fails.
pub fn check(project: &Project<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut trees = Vec::new();
    let lua = Lua::new_with(StdLib::NONE, LuaOptions::default()).ok();
    let files = [(project.dialplan, Role::Dialplan), (project.tests, Role::Test)];
    for (sources, role) in files {
        for (path, text) in &sources.files {
            let told = lua.as_ref().and_then(|lua| refused(lua, path, text));
            match (parse(text), told) {
                (Ok(tree), None) => trees.push((path.as_str(), text.as_str(), role, tree)),
                (Ok(_), Some(told)) => findings.push(finding_of_lua(path, text, told)),
                (Err(flaws), told) => findings.extend(refusal(path, text, flaws, told)),
            }
        }
    }
    let readable = findings.is_empty();
    findings.extend(look(project, &trees, readable));
    findings.sort_by(|one, other| {
        let place = |finding: &Finding| (finding.line, finding.column);
        one.file.cmp(&other.file).then(place(one).cmp(&place(other)))
    });
    findings.truncate(FINDINGS_MAX);
    findings
}

/// The first mistake in a file that is not Lua, placed where its author should look; `None` where
/// only Lua itself can tell what is wrong.
pub(crate) fn syntax_error(path: &str, text: &str) -> Option<Finding> {
    let flaw = parse(text).err()?.into_iter().next().filter(|flaw| !flaw.too_deep)?;
    Some(finding_of_flaw(path, text, flaw, Code::SYNTAX))
}

/// What is told of a file that cannot be read: all that we find, or what Lua says where it is only
/// too much for us.
fn refusal(path: &str, text: &str, flaws: Vec<Flaw>, told: Option<ScriptError>) -> Vec<Finding> {
    let (deep, flaws): (Vec<_>, Vec<_>) = flaws.into_iter().partition(|flaw| flaw.too_deep);
    let of = |flaws: Vec<Flaw>, code| {
        flaws.into_iter().map(|flaw| finding_of_flaw(path, text, flaw, code)).collect()
    };
    match told {
        _ if !flaws.is_empty() => of(flaws, Code::SYNTAX),
        Some(told) => vec![finding_of_lua(path, text, told)],
        None => of(deep, Code::NOT_CHECKED),
    }
}

/// What Lua says to a file that it does not take.
fn refused(lua: &Lua, path: &str, text: &str) -> Option<ScriptError> {
    let name = format!("@{SCRIPTS_FOLDER}{path}");
    let chunk = lua.load(text).set_name(name).set_mode(ChunkMode::Text);
    chunk.into_function().err().map(|error| ScriptError::from_lua(&error))
}

/// What was found, before it is placed in its line.
#[derive(Debug)]
struct Draft {
    file: FileId,
    span: Span,
    code: Code,
    severity: Severity,
    message: String,
    help: Option<String>,
}

/// What was found so far.
#[derive(Debug, Default)]
struct Report {
    drafts: Vec<Draft>,
    /// Takes what goes beyond [`FINDINGS_MAX`].
    overflow: Option<Draft>,
}

impl Report {
    fn is_full(&self) -> bool {
        self.drafts.len() >= FINDINGS_MAX
    }

    /// Adds a finding; help can be put into what is given back.
    fn tell(&mut self, file: FileId, span: Span, code: Code, message: String) -> &mut Draft {
        let draft = Draft { file, span, code, severity: code.severity(), message, help: None };
        if self.is_full() {
            return self.overflow.insert(draft);
        }
        self.drafts.push(draft);
        match self.drafts.last_mut() {
            Some(last) => last,
            // Something was pushed just now.
            None => self.overflow.get_or_insert_with(Draft::empty),
        }
    }
}

/// All checks over the files that could be read; `readable` says that these are all there are.
fn look<'t>(
    project: &Project<'t>,
    trees: &'t [(&'t str, &'t str, Role, Tree<'t>)],
    readable: bool,
) -> Vec<Finding> {
    let mut facts = Facts::default();
    let mut report = Report::default();
    let mut allowances = Allowances::default();
    let mut lines = Vec::new();
    for (file, (path, text, role, tree)) in trees.iter().enumerate() {
        let starts = Lines::of(text);
        allowances.read(file, text, &starts, &tree.comments, &mut report);
        facts.add(path, text, *role, tree);
        lines.push(starts);
    }
    facts.follow();
    let table = Table::new(LIBRARIES, project.test_libraries, project.shared_with_tests);
    let values = Values::new(&facts, &table);
    let modules = Modules::of(&facts, &values);
    let mut routes = Routes::of(&facts, &values, &modules);
    if let Some(known) = project.routes {
        routes.know(known);
    }
    let known = readable || project.routes.is_some();
    let routed = |number: &str| if known { routes.matches(number) } else { None };
    let paths: BTreeSet<&str> = project.dialplan.files.keys().map(String::as_str).collect();
    let module = |name: &str| modules::problem(name, &paths);
    let outside = Outside { names: project.names, broken: project.broken_prompts };
    let calls = Calls { values: &values, outside, routed: &routed, module: &module };
    let elsewhere = Calls { values: &values, outside, routed: &|_| None, module: &module };
    for access in &facts.accesses {
        let among_routes = modules.is_among_routes(&facts, access.file);
        if !report.is_full() {
            let calls = if among_routes { &calls } else { &elsewhere };
            calls.check(access, &mut report);
        }
    }
    for expressed in &facts.comparisons {
        operations::check(&values, expressed, &mut report);
    }
    for (file, statement) in &facts.statements {
        operations::statement(&facts, &values, *file, statement, &mut report);
    }
    for expressed in &facts.tables {
        calls.table(expressed, &mut report);
    }
    let passages = Flow::new(&facts, &values, &routes.handlers).check(&mut report);
    let in_calls = run_in_calls(&facts, &values, &passages);
    shared::check(&facts, &values, &in_calls, &mut report);
    afterwards::check(&facts, &values, &mut report);
    globals::accidental(&facts, &mut report);
    globals::unused_locals(&facts, &mut report);
    if readable {
        globals::unknown(&facts, &table, &modules, &mut report);
        globals::unused_functions(&facts, &mut report);
        modules.unused(&facts, &mut report);
        routes.shadowed(&mut report);
        routes.circles(&passages, &mut report);
    }
    for draft in &mut report.drafts {
        // What never runs keeps no exchange from starting: a recipe may name phones that are not there.
        let is_test = facts.files.get(draft.file).is_some_and(|file| file.role == Role::Test);
        if !is_test && !modules.is_among_routes(&facts, draft.file) {
            draft.severity = Severity::Warning;
        }
    }
    let files = Placed { trees, lines: &lines };
    let mut findings = files.findings(report, &mut allowances);
    if readable {
        let mut report = Report::default();
        allowances.tell_unused(&mut report);
        findings.extend(files.findings(report, &mut allowances));
    }
    findings
}

/// Functions that run while a call does: those that have the call, those in them, and those that
/// they call.
fn run_in_calls(
    facts: &Facts<'_>,
    values: &Values<'_, '_>,
    passages: &[Passage],
) -> BTreeSet<FunctionId> {
    let mut onward: BTreeMap<FunctionId, Vec<FunctionId>> = BTreeMap::new();
    for passage in passages {
        if let Onward::Function(to) = passage.to {
            onward.entry(passage.from).or_default().push(to);
        }
    }
    let has_call = |parameters: &[usize]| {
        parameters.iter().any(|parameter| {
            let known = values.of_binding(*parameter);
            known.iter().any(|possible| values.is_call(&possible.value))
        })
    };
    let begin = facts.functions.iter().enumerate();
    let mut waiting: Vec<FunctionId> =
        begin.filter(|(_, facts)| has_call(&facts.parameters)).map(|(id, _)| id).collect();
    let mut found = BTreeSet::new();
    while let Some(function) = waiting.pop() {
        if found.insert(function) {
            waiting.extend(onward.get(&function).into_iter().flatten().copied());
        }
    }
    found
}

/// Files with their lines.
struct Placed<'p, 't> {
    trees: &'t [(&'t str, &'t str, Role, Tree<'t>)],
    lines: &'p [Lines],
}

impl Placed<'_, '_> {
    /// Places what was found, without what is allowed and without what is said twice.
    fn findings(&self, report: Report, allowances: &mut Allowances) -> Vec<Finding> {
        let mut said = BTreeSet::new();
        let mut findings = Vec::new();
        for draft in report.drafts {
            let file = self.trees.get(draft.file).zip(self.lines.get(draft.file));
            let Some(((path, text, _, _), lines)) = file else { continue };
            let line = lines.line(draft.span.start);
            if allowances.allows(draft.file, line, draft.code)
                || !said.insert((draft.file, draft.span, draft.code))
            {
                continue;
            }
            findings.push(place(path, text, draft, lines));
        }
        findings
    }
}

impl Draft {
    fn empty() -> Self {
        Self {
            file: 0,
            span: Span::default(),
            code: Code::NOT_CHECKED,
            severity: Severity::Warning,
            message: String::new(),
            help: None,
        }
    }
}

/// A finding with its line; what goes over a line end is cut there.
fn place(path: &str, text: &str, draft: Draft, lines: &Lines) -> Finding {
    let Span { start, end } = draft.span;
    let line_start = lines.start(start);
    let rest = text.get(line_start as usize..).unwrap_or_default();
    let source_line = rest.lines().next().unwrap_or_default();
    let line_end = line_start + u32::try_from(source_line.len()).unwrap_or(u32::MAX);
    Finding {
        code: draft.code,
        severity: draft.severity,
        file: format!("{SCRIPTS_FOLDER}{path}"),
        line: lines.line(start),
        column: start - line_start + 1,
        length: end.min(line_end).saturating_sub(start),
        message: draft.message,
        help: draft.help,
        source_line: readable_part(source_line).to_owned(),
    }
}

/// A file may be one long line, with a thousand findings.
fn readable_part(line: &str) -> &str {
    line.get(..line.floor_char_boundary(LINE_BYTES_MAX)).unwrap_or_default()
}

fn finding_of_flaw(path: &str, text: &str, flaw: Flaw, code: Code) -> Finding {
    let Flaw { span, message, help, .. } = flaw;
    let draft = Draft { file: 0, span, code, severity: code.severity(), message, help };
    place(path, text, draft, &Lines::of(text))
}

/// What Lua alone finds, such as a `goto` without its label; it knows the line only.
fn finding_of_lua(path: &str, text: &str, told: ScriptError) -> Finding {
    let line = told.line.unwrap_or(1);
    let index = usize::try_from(line).unwrap_or_default().saturating_sub(1);
    let source_line = text.lines().nth(index).unwrap_or_default();
    let indent = source_line.len() - source_line.trim_start().len();
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Finding {
        code: Code::SYNTAX,
        severity: Severity::Error,
        file: format!("{SCRIPTS_FOLDER}{path}"),
        line,
        column: number(indent + 1),
        length: number(source_line.trim().len()),
        message: told.message,
        help: None,
        source_line: readable_part(source_line).to_owned(),
    }
}
