//! What is told to the authors of scripts: what they log, what goes wrong, what costs too much.

use std::time::Instant;

use dialplan::{LogLevel, LogLine, Remark, ScriptError};

use crate::desk::Desk;
use crate::notice::{Cost, Notice, ScriptFailure, ScriptStrain};
use crate::output::Output;
use crate::repeats::Complaint;

/// Whose script it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Whose<'a> {
    /// Names the call or job in the log.
    pub(crate) name: &'a str,
    /// Who calls; empty for a job.
    pub(crate) from: &'a str,
    /// The number that was dialled; empty for a job.
    pub(crate) to: &'a str,
}

impl Desk {
    /// Hands on what a script logged, and what there is to say of it.
    pub(crate) fn pass_on(&mut self, now: Instant, whose: Whose<'_>, lines: Vec<LogLine>) {
        for line in lines {
            let LogLine { level, text, file, line, call: _, remark } = line;
            match remark.map(|remark| *remark) {
                None => {
                    let (call, text) = (whose.name.to_owned(), one_line(text));
                    self.push(Output::Publish(Notice::Script { call, level, file, line, text }));
                }
                Some(Remark::Failed { what, error }) => self.tell_failure(now, whose, what, error),
                Some(Remark::Strained(strain)) => {
                    self.tell_cost(now, whose.name, (file, line), Cost::Script(strain));
                }
            }
        }
    }

    /// Tells whose script could not go on, or which part of it; an empty part is the whole.
    pub(crate) fn tell_failure(
        &mut self,
        now: Instant,
        whose: Whose<'_>,
        part: &'static str,
        error: ScriptError,
    ) {
        let (file, line) = (error.file.clone(), error.line.unwrap_or_default());
        let verb = error.verb.map(|verb| format!("call:{verb}: ")).unwrap_or_default();
        let about = format!("{verb}{}", error.message);
        let level = LogLevel::Error;
        let repeated = !self.repeats.is_new(now, &Complaint { level, file, line, about });
        let [call, from, to] = [whose.name, whose.from, whose.to].map(str::to_owned);
        let failure = ScriptFailure { call, from, to, part, error, repeated };
        self.push(Output::Publish(Notice::ScriptFailed(Box::new(failure))));
    }

    /// Tells what a line of the script of a call or job costs.
    pub(crate) fn tell_cost(
        &mut self,
        now: Instant,
        name: &str,
        (file, line): (String, u32),
        cost: Cost,
    ) {
        let complaint = Complaint { level: LogLevel::Warn, file, line, about: cost.about() };
        let repeated = !self.repeats.is_new(now, &complaint);
        let Complaint { file, line, .. } = complaint;
        let strain = ScriptStrain { call: name.to_owned(), file, line, cost, repeated };
        self.push(Output::Publish(Notice::ScriptStrained(Box::new(strain))));
    }
}

/// What a script logs may come from the network: it cannot begin a line of its own.
fn one_line(text: String) -> String {
    if text.contains(char::is_control) { text.replace(char::is_control, " ") } else { text }
}
