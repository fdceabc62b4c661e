//! Comments that allow what would be found: `-- check: allow unknown-global`.
//!
//! Such a comment counts for its own line, and for the next one if it has a line to itself;
//! `-- check: allow-file unused-file` counts for the whole file.

use std::collections::BTreeMap;

use super::Report;
use super::code::Code;
use super::facts::FileId;
use super::lines::Lines;
use crate::syntax::{Comment, Span};
use crate::verbs::nearest;

/// Stands for every line, which are counted from 1.
const WHOLE_FILE: u32 = 0;

/// What one comment allows.
#[derive(Debug)]
struct Allowance {
    file: FileId,
    span: Span,
    code: Code,
    used: bool,
}

/// What the comments of all files allow.
#[derive(Debug, Default)]
pub(super) struct Allowances {
    all: Vec<Allowance>,
    /// By file, line and code.
    places: BTreeMap<(FileId, u32, Code), Vec<usize>>,
}

impl Allowances {
    /// Reads the comments of a file; codes that do not exist are told.
    pub(super) fn read(
        &mut self,
        file: FileId,
        text: &str,
        lines: &Lines,
        comments: &[Comment],
        report: &mut Report,
    ) {
        for comment in comments {
            let (start, end) = (comment.span.start as usize, comment.span.end as usize);
            let words = text.get(start..end).unwrap_or_default().trim_start_matches('-');
            let Some(rest) = words.trim_start().strip_prefix("check:") else { continue };
            let rest = rest.trim_start();
            let of_file = rest.strip_prefix("allow-file").filter(|codes| codes.starts_with(' '));
            let of_line = rest.strip_prefix("allow").filter(|codes| codes.starts_with(' '));
            let Some(codes) = of_file.or(of_line) else {
                let problem = "this comment is not understood".to_owned();
                let told = report.tell(file, comment.span, Code::UNUSED_ALLOW, problem);
                told.help = Some("write -- check: allow NAME".into());
                continue;
            };
            let line = lines.line(comment.span.start);
            let alone = lines.indent(text, comment.span.start).is_some();
            let counts = match of_file {
                Some(_) => WHOLE_FILE..=WHOLE_FILE,
                None => line..=line + u32::from(alone),
            };
            for name in codes.split([',', ' ', '\t']).filter(|name| !name.is_empty()) {
                match Code::of(name) {
                    Some(code) => {
                        let index = self.all.len();
                        self.all.push(Allowance { file, span: comment.span, code, used: false });
                        for line in counts.clone() {
                            self.places.entry((file, line, code)).or_default().push(index);
                        }
                    }
                    None => {
                        let near = nearest(name, Code::ALL.iter().map(|code| code.name()));
                        let problem = format!("nothing is called {name} here");
                        let told = report.tell(file, comment.span, Code::UNUSED_ALLOW, problem);
                        told.help = near.map(|near| format!("did you mean {near}?"));
                    }
                }
            }
        }
    }

    /// Whether a finding is allowed; notes that the comment was of use.
    pub(super) fn allows(&mut self, file: FileId, line: u32, code: Code) -> bool {
        let mut allowed = false;
        for line in [line, WHOLE_FILE] {
            for index in self.places.get(&(file, line, code)).into_iter().flatten() {
                if let Some(allowance) = self.all.get_mut(*index) {
                    allowance.used = true;
                    allowed = true;
                }
            }
        }
        allowed
    }

    /// Tells of comments that allow what is not found.
    pub(super) fn tell_unused(&self, report: &mut Report) {
        for allowance in self.all.iter().filter(|allowance| !allowance.used) {
            let problem = format!("there is no {} here to allow", allowance.code.name());
            let told = report.tell(allowance.file, allowance.span, Code::UNUSED_ALLOW, problem);
            told.help = Some("delete the comment".into());
        }
    }
}
