//! What happens by itself while two parties talk, for the functions of `call:on`.

use std::time::Duration;

use dialplan::{CallEvent, Outcome, Side};

use super::{Result, Way, World};
use crate::tree::Place;
use crate::typed;

impl World<'_> {
    /// What may happen while they talk, of what the script has functions for; each names where its
    /// function begins.
    pub(crate) fn events<'l>(
        &self,
        listens: impl Iterator<Item = (&'static str, &'l Place)>,
    ) -> Vec<Way> {
        let mut ways: Vec<Way> = Vec::new();
        let mut add = |way: Way| {
            if ways.len() < EVENTS_MAX && ways.iter().all(|known| known.label != way.label) {
                ways.push(way);
            }
        };
        for (event, place) in listens {
            let body = self.function_text(place);
            let both = body.contains("callee");
            let sides = [Some(Side::Caller), both.then_some(Side::Callee)].into_iter().flatten();
            for by in sides {
                match event {
                    "dtmf" => {
                        for digit in typed::keys_in(&body) {
                            let label = format!("{}{PRESSES}{digit}", who(by));
                            add(happens(label, CallEvent::Dtmf { digit, by }));
                        }
                    }
                    "hold" => {
                        let label = format!("{}{HOLDS}", who(by));
                        add(happens(label, CallEvent::Hold { by }));
                    }
                    _ => {}
                }
            }
        }
        ways
    }

    /// Whoever held the call comes back.
    pub(crate) fn comes_back(by: Side) -> Way {
        happens(format!("{}{COMES_BACK}", who(by)), CallEvent::Resume { by })
    }

    /// The text of a function, as far as its lines stand further in than the first.
    fn function_text(&self, place: &Place) -> String {
        let path = place.file.trim_start_matches("scripts/");
        let text = self.office.sources.files.get(path).map_or("", String::as_str);
        let first = usize::try_from(place.line).unwrap_or_default().saturating_sub(1);
        let mut lines = text.lines().skip(first);
        let Some(head) = lines.next() else { return String::new() };
        let indent = |line: &str| line.len() - line.trim_start().len();
        let inside = |line: &&str| line.trim().is_empty() || indent(line) > indent(head);
        let body: Vec<&str> = lines.take_while(inside).take(LINES_MAX).collect();
        format!("{head}\n{}", body.join("\n"))
    }
}

fn happens(label: String, event: CallEvent) -> Way {
    let mut way = Way::new(label, Outcome::Done, HAPPENS_AFTER);
    way.result = Result::Event(event);
    way
}

fn who(by: Side) -> &'static str {
    match by {
        Side::Caller => "the caller",
        Side::Callee => "the other",
    }
}

/// Whether what is said is about something that happens while they talk.
pub(crate) fn is_event(label: &str) -> bool {
    [PRESSES, HOLDS, COMES_BACK].iter().any(|words| label.contains(words))
}

/// As `call:on` names it.
pub(crate) fn event_name(event: &CallEvent) -> &'static str {
    match event {
        CallEvent::Answer { .. } => "answer",
        CallEvent::Dtmf { .. } => "dtmf",
        CallEvent::Hold { .. } => "hold",
        CallEvent::Resume { .. } => "resume",
    }
}

const PRESSES: &str = " presses ";
const HOLDS: &str = " puts the call on hold";
const COMES_BACK: &str = " comes back";
/// How long they talk before something happens.
const HAPPENS_AFTER: Duration = Duration::from_secs(5);
/// What may happen in one talk.
const EVENTS_MAX: usize = 12;
/// Lines of a function that are looked at.
const LINES_MAX: usize = 40;
