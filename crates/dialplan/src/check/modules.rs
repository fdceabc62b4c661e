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
        let mut waiting: Vec<FileId> = facts.file(ENTRY).into_iter().collect();
        while let Some(file) = waiting.pop() {
            if modules.reached.insert(file) {
                let brought = modules.brought.get(&file).map(Vec::as_slice).unwrap_or_default();
                waiting.extend(brought.iter().map(|(_, file)| *file));
            }
        }
        modules
    }

    /// Tells of files that nothing brings in.
    pub(super) fn unused(&self, facts: &Facts<'_>, report: &mut Report) {
        if self.dynamic || facts.file(ENTRY).is_none() {
            return;
        }
        for (id, file) in facts.files.iter().enumerate() {
            if self.reached.contains(&id) || file.role == Role::Test {
                continue;
            }
            let name = file.path.trim_end_matches(".lua").replace('/', ".");
            let problem = "no other script requires this file".to_owned();
            let told = report.tell(id, Span::default(), Code::UNUSED_FILE, problem);
            told.help = Some(format!("write require \"{name}\" in {ENTRY}, or delete the file"));
        }
    }
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
