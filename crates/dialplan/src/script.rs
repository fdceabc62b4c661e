//! One run of a handler, for one call.

use jiff::Zoned;

use crate::error::ScriptError;
use crate::log::LogLine;
use crate::outcome::Outcome;
use crate::verb::Verb;

/// One run of a handler, for one call: a coroutine that sleeps between verbs.
///
/// Keeps its generation alive. Dropping it without [`Script::close`] runs nothing more.
#[derive(Debug)]
pub struct Script {}

/// Where a script stopped.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// It asks for this; resume it with the outcome.
    Ask(Verb),
    /// Its slice of instructions is used up: resume it with [`Outcome::Done`] after serving others.
    Slice,
    /// The handler returned.
    Returned,
    /// It cannot go on.
    Failed(ScriptError),
}

/// Why a call is over, as `on_hangup` functions are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// In words: `caller hung up`, `hung up by script`.
    pub cause: String,
    /// SIP status that belongs to it; 200 for a normal end.
    pub code: u16,
}

impl Script {
    /// Runs the script until it next has to wait. The first outcome is [`Outcome::Start`].
    ///
    /// After a verb that ends the handler, or once it returned or failed, there is nothing to
    /// resume: close it.
    pub fn resume(&mut self, _outcome: Outcome, _now: &Zoned) -> Step {
        Step::Returned
    }

    /// Ends the script where it stands: `<close>` values run, then `on_hangup` functions.
    ///
    /// They have a budget of their own and cannot use verbs. Gives back what went wrong in them.
    /// A second close does nothing.
    pub fn close(&mut self, _ending: Ending, _now: &Zoned) -> Vec<ScriptError> {
        Vec::new()
    }

    /// Takes the lines logged since the last time by any script of the generation.
    pub fn take_logs(&self) -> Vec<LogLine> {
        Vec::new()
    }
}
