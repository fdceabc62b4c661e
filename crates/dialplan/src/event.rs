//! What happens to a call by itself, for the functions that a script gave to `call:on`.

use crate::verbs::nearest;

/// Something that happened to a call while its script did something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallEvent {
    /// Somebody answered a dial and is joined to the caller.
    Answer {
        /// The target, as the script wrote it.
        by: String,
    },
    /// A key was pressed.
    Dtmf {
        /// `0-9 A-D * #`.
        digit: char,
        /// Whose.
        by: Side,
    },
    /// A party put the other on hold (RFC 3264 §8.4).
    Hold {
        /// Who.
        by: Side,
    },
    /// A party came back from holding.
    Resume {
        /// Who.
        by: Side,
    },
}

/// One of the two parties of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Who called.
    Caller,
    /// Who was called.
    Callee,
}

impl CallEvent {
    /// As `call:on` names it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Answer { .. } => "answer",
            Self::Dtmf { .. } => "dtmf",
            Self::Hold { .. } => "hold",
            Self::Resume { .. } => "resume",
        }
    }

    /// What its functions are given.
    pub(crate) fn arguments(self) -> Vec<String> {
        match self {
            Self::Answer { by } => vec![by],
            Self::Dtmf { digit, by } => vec![digit.into(), by.word().into()],
            Self::Hold { by } | Self::Resume { by } => vec![by.word().into()],
        }
    }
}

impl Side {
    fn word(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Callee => "callee",
        }
    }
}

/// Every name that `call:on` takes.
pub(crate) const EVENTS: &[&str] = &["answer", "dtmf", "hold", "resume"];

/// The event of this name.
pub(crate) fn event_named(name: &str) -> Result<&'static str, String> {
    EVENTS.iter().copied().find(|event| *event == name).ok_or_else(|| {
        match nearest(name, EVENTS.iter().copied()) {
            Some(near) => format!("there is no event \"{name}\"; did you mean \"{near}\"?"),
            None => format!("there is no event \"{name}\"; there are {}", EVENTS.join(", ")),
        }
    })
}
