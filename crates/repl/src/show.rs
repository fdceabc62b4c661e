//! What is shown of a pause, in words.

use crate::replay::Pause;

/// What somebody can do now, if the line goes on.
pub(crate) fn hint(pause: &Pause) -> Option<String> {
    let text = match pause {
        Pause::Done | Pause::Over => return None,
        Pause::Rings(who) => {
            format!("{who} rings: .answer {who}, .busy {who}, or an empty line to wait")
        }
        Pause::Talks(who) => format!("the caller and {who} talk: .hangup, .hangup {who}, .wait 5"),
        Pause::Waits(asked) => match asked.function {
            "read" | "menu" | "mailbox" => {
                format!("{} waits for keys: .press 1, or an empty line to wait", asked.function)
            }
            "record" | "voicemail" => {
                format!("{} listens: .says 4, .press #, .hangup", asked.function)
            }
            "echo" => "the caller hears their own voice: .press #, .hangup".to_owned(),
            "" => "something goes on: an empty line to wait".to_owned(),
            name => format!("{name} goes on: an empty line to wait, .hangup"),
        },
        Pause::Long => "it goes on and on: an empty line to wait, .hangup, .undo".to_owned(),
    };
    Some(text)
}
