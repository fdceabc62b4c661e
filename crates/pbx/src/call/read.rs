//! `call:read`: asks for digits until they fit, a bounded number of times.

use dialplan::{Fit, Outcome, Pattern, Read, ReadEnd};

use super::perform::Performance;
use super::speak::Spoken;
use super::{Next, sounds};
use crate::Prompts;
use crate::feature::Reply;

/// One `call:read` under way.
#[derive(Debug)]
pub(crate) struct ReadDigits {
    read: Read,
    spoken: Spoken,
    tries_left: u8,
    stage: Stage,
    last: (String, ReadEnd),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Asking,
    /// Saying that the input was wrong.
    Correcting,
}

impl ReadDigits {
    pub(super) fn new(read: Read, spoken: Spoken) -> Self {
        let tries_left = read.tries.max(1);
        Self {
            read,
            spoken,
            tries_left,
            stage: Stage::Asking,
            last: (String::new(), ReadEnd::Timeout),
        }
    }

    pub(super) fn next(&mut self, reply: Reply, prompts: &Prompts) -> Next {
        match reply {
            Reply::Digits { digits, ended } => self.check(digits, ended, prompts),
            Reply::Start | Reply::Played { .. } => {
                self.stage = Stage::Asking;
                self.ask(prompts)
            }
            Reply::Recorded { .. } | Reply::Stored(_) | Reply::Told | Reply::HungUp => self.done(),
        }
    }

    fn ask(&mut self, prompts: &Prompts) -> Next {
        self.tries_left = self.tries_left.saturating_sub(1);
        Next::Perform(Performance::Collect {
            prompt: sounds::items(prompts, &self.read.prompt, &self.spoken),
            digits_max: self.read.digits_max,
            timeout: self.read.timeout,
            between: self.read.between,
            terminator: self.read.terminator,
        })
    }

    fn check(&mut self, digits: String, ended: ReadEnd, prompts: &Prompts) -> Next {
        let ended = match ended {
            ReadEnd::Timeout if digits.is_empty() => ReadEnd::Timeout,
            // Fewer digits than asked for are fine unless a pattern says otherwise.
            ReadEnd::Timeout | ReadEnd::Complete | ReadEnd::Invalid if self.fits(&digits) => {
                ReadEnd::Complete
            }
            ReadEnd::Timeout | ReadEnd::Complete | ReadEnd::Invalid => ReadEnd::Invalid,
        };
        self.last = (digits, ended);
        if ended == ReadEnd::Complete || self.tries_left == 0 {
            return self.done();
        }
        if ended == ReadEnd::Invalid && !self.read.invalid.is_empty() {
            self.stage = Stage::Correcting;
            let items = sounds::items(prompts, &self.read.invalid, &self.spoken);
            return Next::Perform(Performance::Play {
                playlist: sounds::once(items),
                barge: dialplan::Barge::Never,
            });
        }
        self.ask(prompts)
    }

    fn fits(&self, digits: &str) -> bool {
        let accept = &self.read.accept;
        accept.is_empty() || accept.iter().any(|pattern| matches(pattern, digits))
    }

    fn done(&mut self) -> Next {
        let (digits, ended) = std::mem::replace(&mut self.last, (String::new(), ReadEnd::Timeout));
        Next::Done(Outcome::Read { digits, ended })
    }
}

fn matches(pattern: &str, digits: &str) -> bool {
    Pattern::parse(pattern).is_ok_and(|pattern| pattern.fit(digits) == Fit::Full)
}
