//! What is wrong with a dialplan and its tests, found without using them: for `cordboard check`, and
//! before a reload.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dialplan::{
    Check, Code, Finding, Generation, Kept, LoadError, Loading, Names, Project, Sources,
};
use jiff::Zoned;

use crate::config::Settings;
use crate::report::{self, Place, Severity};

/// What is looked at.
#[derive(Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) settings: &'a Settings,
    /// The scripts.
    pub(crate) dialplan: &'a Sources,
    /// Their tests, as `tests/night.lua`.
    pub(crate) tests: &'a Sources,
    /// All prompts, by full name.
    pub(crate) prompts: BTreeSet<String>,
    /// Those of them that cannot be played, and why.
    pub(crate) broken: &'a BTreeMap<String, String>,
    /// Where what loading made is left, so that loading the same again is quick.
    pub(crate) kept: Option<&'a Kept>,
}

/// Something found.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// What sort of mistake it is: the name of a [`Code`], or a word for what is no script.
    pub(crate) code: &'static str,
    /// Where, and what to do.
    pub(crate) place: Place,
}

/// All that was found.
#[derive(Debug, Default)]
pub(crate) struct Inspection {
    pub(crate) items: Vec<Item>,
    /// The routes, if the scripts could be loaded.
    pub(crate) routes: Option<usize>,
}

impl Subject<'_> {
    /// Loads the scripts as the switch would, in a Lua state of their own, throws that away, and looks
    /// at their text.
    pub(crate) fn inspect(&self) -> Inspection {
        let names = Names {
            prompts: self.prompts.clone(),
            extensions: self.settings.accounts.keys().cloned().collect(),
            mailboxes: self.settings.mailboxes.keys().cloned().collect(),
            language: self.settings.language.clone(),
            speech: self.settings.speech.is_some(),
        };
        let now = Zoned::now().with_time_zone(self.settings.time_zone.clone());
        let limits = self.settings.script_limits;
        // Their text is looked at below, with the routes that loading makes.
        let kept = self.kept.cloned();
        let loading = Loading { check: Check::Done, kept, ..Loading::default() };
        let loaded = Generation::load_as(self.dialplan, names.clone(), limits, loading, &now);
        let routes = loaded.as_ref().ok().map(Generation::routes);
        let findings = dialplan::check(&Project {
            dialplan: self.dialplan,
            tests: self.tests,
            names: &names,
            broken_prompts: self.broken,
            routes,
            test_libraries: rehearsal::TEST_LIBRARIES,
            shared_with_tests: rehearsal::SHARED,
        });
        let mut inspection = Inspection { items: Vec::new(), routes: routes.map(<[_]>::len) };
        if let Err(errors) = loaded {
            // A file that is no Lua is among the findings, and where running it ended says less than
            // what was found there.
            let known = |error: &LoadError| {
                findings.iter().any(|finding| {
                    finding.file == error.file
                        && (finding.code == Code::SYNTAX
                            || (finding.severity == dialplan::Severity::Error
                                && Some(finding.line) == error.line))
                })
            };
            let errors = errors.iter().filter(|error| !known(error));
            inspection.items.extend(errors.map(|error| self.of_loading(error)));
        }
        // What stopped the loading is told once, as the error that it is.
        let stopped: Vec<(String, u64)> =
            inspection.items.iter().filter_map(|item| line_of(&item.place)).collect();
        let findings = findings.into_iter().filter(|finding| {
            !stopped
                .iter()
                .any(|(file, line)| finding.file == *file && u64::from(finding.line) == *line)
        });
        // A file in which much is found is kept once.
        let mut texts: BTreeMap<String, Arc<str>> = BTreeMap::new();
        inspection.items.extend(findings.map(|finding| {
            let text = texts.entry(finding.file.clone());
            let text = Arc::clone(text.or_insert_with(|| self.text(&finding.file)));
            of_finding(finding, text)
        }));
        inspection
    }

    fn text(&self, file: &str) -> Arc<str> {
        let name = file.strip_prefix("scripts/").unwrap_or(file);
        let text = self.dialplan.files.get(name).or_else(|| self.tests.files.get(name));
        text.map(String::as_str).unwrap_or_default().into()
    }

    fn of_loading(&self, error: &LoadError) -> Item {
        Item { code: "load", place: report::script_place(error, self.dialplan) }
    }
}

/// What was found in a file with this text.
fn of_finding(finding: Finding, text: Arc<str>) -> Item {
    let text = if finding.length > 0 { text } else { Arc::default() };
    let lines = text.split_inclusive('\n').take(finding.line.saturating_sub(1) as usize);
    let start = lines.map(str::len).sum::<usize>() + finding.column.saturating_sub(1) as usize;
    let severity = match finding.severity {
        dialplan::Severity::Error => Severity::Error,
        dialplan::Severity::Warning => Severity::Warning,
    };
    let place = Place {
        severity,
        file: finding.file,
        span: start..start + finding.length as usize,
        text,
        message: finding.message,
        label: finding.code.name().to_owned(),
        help: finding.help,
    };
    Item { code: finding.code.name(), place }
}

/// The file and line of a place.
fn line_of(place: &Place) -> Option<(String, u64)> {
    let (line, _) = place.line_and_column()?;
    Some((place.file.clone(), u64::try_from(line).ok()?))
}
