//! What the exchange publishes, in a few words.

use dialplan::{LogLevel, Strain};
use pbx::{Cost, Notice};

/// What a notice says to the author of the scripts; `None` if a ladder is no better for it.
pub(super) fn words(notice: &Notice) -> Option<String> {
    match notice {
        Notice::Script { level, file, line, text, .. } => {
            let mark = match level {
                LogLevel::Debug | LogLevel::Info => "logs",
                LogLevel::Warn => "warns",
                LogLevel::Error => "complains",
            };
            Some(format!("{mark}: {text}{}", place(file, *line)))
        }
        Notice::ScriptFailed(failure) => {
            let part = if failure.part.is_empty() { "script fails" } else { failure.part };
            Some(format!("{part}: {}", failure.error))
        }
        Notice::ScriptStrained(strain) => {
            Some(format!("{}{}", cost(&strain.cost), place(&strain.file, strain.line)))
        }
        Notice::ScriptUndecided { file, line, pattern, .. } => Some(format!(
            "warns: the handler of \"{pattern}\" ended without answering, rejecting or \
             redirecting{}",
            place(file, *line)
        )),
        Notice::Transferred(note) => Some(match note.status {
            200 => format!("{} sent {} to {}", note.by, note.who, note.to),
            code => format!("{} could not send {} to {}: {code}", note.by, note.who, note.to),
        }),
        Notice::Reloaded { .. } => Some("uses the new scripts".to_owned()),
        Notice::ReloadFailed { mistakes, .. } => Some(match mistakes.as_slice() {
            [] => "keeps the old scripts".to_owned(),
            [only] => format!("keeps the old scripts: {only}"),
            [first, more @ ..] => {
                format!("keeps the old scripts: {first}; and {} more", more.len())
            }
        }),
        // Each time is drawn where it happens, and so is what ends a call.
        Notice::ScriptRepeated { .. } | Notice::CallOver(_) => None,
        // Answers to whoever runs the exchange.
        Notice::Snapshot { .. } | Notice::Idle => None,
    }
}

fn cost(cost: &Cost) -> String {
    match cost {
        Cost::Script(Strain::Busy { instructions, instructions_max }) => format!(
            "computes for long: {} of {} instructions between two verbs",
            grouped(*instructions),
            grouped(*instructions_max)
        ),
        Cost::Script(Strain::Holding { instructions }) => format!(
            "holds up all other calls: work worth {} instructions without a pause",
            grouped(*instructions)
        ),
        Cost::Waited { .. } => format!("is slow: {cost}"),
    }
}

/// A line of a script, behind what is said of it.
fn place(file: &str, line: u32) -> String {
    if file.is_empty() { String::new() } else { format!(" ({file}:{line})") }
}

/// A number that people can read: `1,200,000`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
