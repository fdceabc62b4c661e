//! Ladders of the other client transaction.

use sip_syntax::StatusCode;

use super::*;
use crate::ladder::{self, Subject};

/// RFC 3261 §17.1.2.2: Timer E doubles up to T2, and Timer F gives up after 64*T1.
#[test]
fn nobody_answers_so_the_gaps_double_up_to_t2() {
    check(
        Reliability::Unreliable,
        "
            0  -> BYE
          500  -> BYE
         1500  -> BYE
         3500  -> BYE
         7500  -> BYE
        11500  -> BYE
        15500  -> BYE
        19500  -> BYE
        23500  -> BYE
        27500  -> BYE
        31500  -> BYE
        32000  up timeout
        32000  end
        ",
    );
}

#[test]
fn an_answer_goes_up_once_and_its_repeats_are_absorbed_until_timer_k() {
    check(
        Reliability::Unreliable,
        "
            0  -> BYE
          100  <- 200
          100  up 200
          600  <- 200
         5100  end
        ",
    );
}

#[test]
fn over_a_stream_the_answer_ends_it() {
    check(
        Reliability::Reliable,
        "
            0  -> BYE
          100  <- 200
          100  up 200
          100  end
        ",
    );
}

/// RFC 3261 §17.1.2.2: in Proceeding the gap is T2, and Timer F goes on.
#[test]
fn a_provisional_slows_the_repeats_down_and_stops_nothing() {
    check(
        Reliability::Unreliable,
        "
            0  -> BYE
          500  -> BYE
         1000  <- 100
         1000  up 100
         1500  -> BYE
         5500  -> BYE
         9500  -> BYE
        13500  -> BYE
        17500  -> BYE
        21500  -> BYE
        25500  -> BYE
        29500  -> BYE
        32000  up timeout
        32000  end
        ",
    );
}

#[test]
fn a_broken_flow_is_told_only_while_an_answer_is_owed() {
    check(
        Reliability::Reliable,
        "
            0  -> BYE
          100  do break
          100  up broken
          100  end
        ",
    );
    check(
        Reliability::Unreliable,
        "
            0  -> BYE
          100  <- 200
          100  up 200
          200  do break
         5100  end
        ",
    );
}

/// Waking up late sends one repeat, not all that were missed.
#[test]
fn a_late_wake_up_sends_one_repeat() {
    let start = start();
    let (mut machine, _) = ClientNonInvite::new(start, Reliability::Unreliable);
    let late = start + std::time::Duration::from_secs(20);
    assert_eq!(machine.handle_timeout(late).as_slice(), [Output::Send]);
    assert!(machine.handle_timeout(late).is_empty());
    assert!(machine.poll_timeout().unwrap() > late);
}

struct Played {
    machine: ClientNonInvite,
    lines: Vec<String>,
}

impl Played {
    fn note(&mut self, outputs: Outputs<Output>, code: &str) {
        for output in outputs {
            self.lines.push(match output {
                Output::Send => "-> BYE".to_owned(),
                Output::Deliver => format!("up {code}"),
                Output::TimedOut => "up timeout".to_owned(),
            });
        }
    }
}

impl Subject for Played {
    fn input(&mut self, now: Instant, line: &str) {
        if line == "do break" {
            if self.machine.handle_flow_failed() == Failed::Unanswered {
                self.lines.push("up broken".to_owned());
            }
            return;
        }
        let code = line.strip_prefix("<- ").unwrap();
        let status = StatusCode::new(code.parse().unwrap()).unwrap();
        let outputs = self.machine.handle_response(now, status.class());
        self.note(outputs, code);
    }

    fn handle_timeout(&mut self, now: Instant) {
        let outputs = self.machine.handle_timeout(now);
        self.note(outputs, "");
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

#[expect(clippy::disallowed_methods, reason = "simulated time starts somewhere")]
fn start() -> Instant {
    Instant::now()
}

#[track_caller]
fn check(reliability: Reliability, ladder: &str) {
    let start = start();
    let (machine, outputs) = ClientNonInvite::new(start, reliability);
    let mut played = Played { machine, lines: Vec::new() };
    played.note(outputs, "");
    ladder::check(start, &mut played, ladder);
}
