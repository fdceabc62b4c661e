//! What a script costs beyond the usual, and the line that costs it.

use std::fmt;

use crate::budget::Limits;
use crate::error::Place;

/// Something that a script did at a cost worth mending, before it reached a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Strain {
    /// It ran long between two verbs. Others were served meanwhile, but the call may be ended for it.
    Busy {
        /// Lua instructions it used.
        instructions: u64,
        /// With this many its call is ended.
        instructions_max: u64,
    },
    /// It ran where it cannot be paused: nobody else was served meanwhile.
    Holding {
        /// Lua instructions it used there, or what was done for it costs as many.
        instructions: u64,
    },
}

impl fmt::Display for Strain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy { instructions, instructions_max } => write!(
                f,
                "this line keeps the script busy: {instructions} instructions between two verbs, of \
                 {instructions_max} that a call may use"
            ),
            Self::Holding { instructions } => write!(
                f,
                "this line holds up all other calls: work worth {instructions} instructions without \
                 a pause"
            ),
        }
    }
}

/// Instructions between two verbs from which a script is told to be busy.
pub(crate) fn busy_from(limits: &Limits) -> u64 {
    limits.instructions_per_verb / BUSY_PART
}

/// Where instructions go: the lines that were seen most often, approximately when there are many.
#[derive(Debug, Default)]
pub(crate) struct Heat {
    seen: Vec<(Place, u32)>,
}

impl Heat {
    /// Notes a line that was seen.
    pub(crate) fn note(&mut self, place: &Place) {
        if let Some((_, times)) = self.seen.iter_mut().find(|(known, _)| known == place) {
            *times = times.saturating_add(1);
        } else if self.seen.len() < LINES_MAX {
            self.seen.push((place.clone(), 1));
        } else {
            // Whatever is seen more often than all others together stays (Misra and Gries).
            self.seen.retain_mut(|(_, times)| {
                *times -= 1;
                *times > 0
            });
        }
    }

    /// The line that was seen most often.
    pub(crate) fn hottest(&self) -> Option<Place> {
        self.seen.iter().max_by_key(|(_, times)| *times).map(|(place, _)| place.clone())
    }
}

/// A script that used this part of its instructions between two verbs is busy.
const BUSY_PART: u64 = 5;
/// Work without a pause, in instructions, from which it is told.
pub(crate) const HOLDING_FROM: u64 = 50_000;
/// Lines that are counted at one time.
const LINES_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn place(line: u32) -> Place {
        Place { file: "scripts/main.lua".into(), line }
    }

    #[test]
    fn the_hottest_line_is_found_among_many_others() {
        let mut heat = Heat::default();
        assert_eq!(heat.hottest(), None);
        for n in 0..1_000 {
            heat.note(&place(7));
            heat.note(&place(100 + n));
        }
        assert_eq!(heat.hottest(), Some(place(7)));
        assert!(heat.seen.len() <= LINES_MAX);
    }
}
