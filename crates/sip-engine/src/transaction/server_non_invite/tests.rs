//! Ladders of the other server transaction.

use sip_syntax::StatusCode;

use super::*;
use crate::ladder::{self, Subject};

/// RFC 3261 §17.2.2: repeats before an answer are absorbed, those after it get it again.
#[test]
fn repeats_get_the_answer_until_timer_j() {
    check(
        Reliability::Unreliable,
        "
          500  <- OPTIONS
          600  do 200
          600  -> answer
         1500  <- OPTIONS
         1500  -> answer
         1600  do 404
        32600  end
        ",
    );
}

#[test]
fn over_a_stream_the_answer_ends_it() {
    check(
        Reliability::Reliable,
        "
          600  do 200
          600  -> answer
          600  end
        ",
    );
}

/// RFC 4320 §4.1: no 100 before the peer's Timer E has reached T2; §4.2: no answer when the peer waits
/// no longer.
#[test]
fn an_answer_that_takes_long_is_announced_and_given_up_in_the_end() {
    check(
        Reliability::Unreliable,
        "
         3500  -> 100
        32000  end
        ",
    );
    check(
        Reliability::Reliable,
        "
        32000  end
        ",
    );
}

#[test]
fn a_provisional_is_repeated_too() {
    check(
        Reliability::Unreliable,
        "
         1000  do 183
         1000  -> answer
         1500  <- OPTIONS
         1500  -> answer
        32000  end
        ",
    );
}

struct Played {
    machine: ServerNonInvite,
    lines: Vec<String>,
}

impl Played {
    fn note(&mut self, outputs: Outputs<Output>) {
        for output in outputs {
            self.lines.push(match output {
                Output::Send => "-> answer".to_owned(),
                Output::SayTrying => "-> 100".to_owned(),
            });
        }
    }
}

impl Subject for Played {
    fn input(&mut self, now: Instant, line: &str) {
        let outputs = match line.strip_prefix("do ") {
            None => self.machine.handle_repeat(),
            Some(code) => {
                let status = StatusCode::new(code.parse().unwrap()).unwrap();
                self.machine.respond(now, status.class())
            }
        };
        self.note(outputs);
    }

    fn handle_timeout(&mut self, now: Instant) {
        let outputs = self.machine.handle_timeout(now);
        self.note(outputs);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.machine.poll_timeout()
    }

    fn drain(&mut self) -> Vec<String> {
        mem::take(&mut self.lines)
    }

    fn is_over(&self) -> bool {
        self.machine.is_terminated()
    }
}

#[track_caller]
#[expect(clippy::disallowed_methods, reason = "simulated time starts somewhere")]
fn check(reliability: Reliability, ladder: &str) {
    let start = Instant::now();
    let machine = ServerNonInvite::new(start, reliability);
    let mut played = Played { machine, lines: Vec::new() };
    ladder::check(start, &mut played, ladder);
}
