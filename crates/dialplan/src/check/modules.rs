//! Which file requires which.

use std::collections::{BTreeMap, BTreeSet};

use super::Report;
use super::code::Code;
use super::facts::{Access, Facts, FileId, Role};
use super::outside::Problem;
use super::values::{Possible, Value, Values};
use crate::error::SCRIPTS_FOLDER;
use crate::generation::{ENTRY, module_path};
use crate::syntax::{Span, Suffix};
use crate::verbs::{Kind, nearest};

/// Who brings in whom.
#[derive(Debug, Default)]
pub(super) struct Modules {
    /// By file, what it brings in when it is run: the place in the list of accesses, and which file.
    pub(super) brought: BTreeMap<FileId, Vec<(usize, FileId)>>,
    /// Files that are run when the dialplan loads.
    pub(super) reached: BTreeSet<FileId>,
    /// Files that a test brings in: dialplans of their own, with other routes.
    tested: BTreeSet<FileId>,
    /// Whether some name is put together at run time, so that any file may be brought in.
    dynamic: bool,
}

impl Modules {
    pub(super) fn of(facts: &Facts<'_>, values: &Values<'_, '_>) -> Self {
        let mut modules = Self::default();
        for (index, access) in facts.accesses.iter().enumerate() {
            match required(access, values) {
                Some(Some(name)) => {
                    if let Some(file) = facts.file(&module_path(&name)) {
                        modules.brought.entry(access.file).or_default().push((index, file));
                    }
                }
                Some(None) => modules.dynamic = true,
                None => {}
            }
        }
        modules.reached = modules.reached_from(facts.file(ENTRY).into_iter().collect());
        let tests = facts.files.iter().enumerate().filter(|(_, file)| file.role == Role::Test);
        modules.tested = modules.reached_from(tests.map(|(id, _)| id).collect());
        modules
    }

    /// All that is brought in by these, and they themselves.
    fn reached_from(&self, mut waiting: Vec<FileId>) -> BTreeSet<FileId> {
        let mut reached = BTreeSet::new();
        while let Some(file) = waiting.pop() {
            if reached.insert(file) {
                let brought = self.brought.get(&file).map(Vec::as_slice).unwrap_or_default();
                waiting.extend(brought.iter().map(|(_, file)| *file));
            }
        }
        reached
    }

    /// Whether a file may stand beside all routes: not if it is part of other dialplans alone.
    pub(super) fn is_among_routes(&self, facts: &Facts<'_>, file: FileId) -> bool {
        self.dynamic || facts.file(ENTRY).is_none() || self.reached.contains(&file)
    }

    /// Whether a file is run at all: by the dialplan, or by or as a test.
    pub(super) fn is_used(&self, facts: &Facts<'_>, file: FileId) -> bool {
        self.is_among_routes(facts, file)
            || self.tested.contains(&file)
            || facts.files.get(file).is_some_and(|facts| facts.role == Role::Test)
    }

    /// Tells of files that nothing brings in.
    pub(super) fn unused(&self, facts: &Facts<'_>, report: &mut Report) {
        for (id, file) in facts.files.iter().enumerate() {
            if self.is_used(facts, id) {
                continue;
            }
            let name = module_name(file.path);
            let problem = "no other script requires this file".to_owned();
            let told = report.tell(id, Span::default(), Code::UNUSED_FILE, problem);
            told.help = Some(format!("write require \"{name}\" in {ENTRY}, or delete the file"));
        }
    }
}

/// What to write behind `require` for a file.
pub(super) fn module_name(path: &str) -> String {
    path.trim_end_matches(".lua").replace('/', ".")
}

/// The name that is required there: `Some(None)` when it is not written out.
fn required<'t>(access: &Access<'t>, values: &Values<'_, 't>) -> Option<Option<String>> {
    let [Suffix::Call(given), ..] = access.suffixes else { return None };
    let base = values.of_base(access);
    let [Possible { value: Value::Native(spec), .. }] = base.as_slice() else { return None };
    if spec.arguments.first()?.kind != Kind::Module {
        return None;
    }
    let name = given.values.first().map(|name| values.of(access.file, name));
    Some(match name.as_deref() {
        Some([Possible { value: Value::Text(Some(text)), .. }]) => Some(text.to_string()),
        Some(_) | None => None,
    })
}

/// What is wrong with requiring a name, when `paths` are all files there are.
pub(super) fn problem(name: &str, paths: &BTreeSet<&str>) -> Option<Problem> {
    let path = module_path(name);
    if paths.contains(path.as_str()) {
        return None;
    }
    let near = nearest(&path, paths.iter().copied());
    let hint = near.map(|near| format!("; did you mean {SCRIPTS_FOLDER}{near}?"));
    let message = format!("there is no {SCRIPTS_FOLDER}{path}{}", hint.unwrap_or_default());
    Some(Problem::new(Code::UNKNOWN_MODULE, message))
}
