//! Ladders of the INVITE client transaction.

use sip_syntax::StatusCode;

use super::*;
use crate::ladder::{self, Subject};

/// RFC 3261 §17.1.1.2: Timer A doubles from T1, and Timer B gives up after 64*T1.
#[test]
fn nobody_answers_so_the_gaps_double_until_timer_b() {
    check(
        Reliability::Unreliable,
        "
            0  -> INVITE
          500  -> INVITE
         1500  -> INVITE
         3500  -> INVITE
         7500  -> INVITE
        15500  -> INVITE
        31500  -> INVITE
        32000  up timeout
        32000  end
        ",
    );
}

#[test]
fn a_stream_repeats_nothing_and_still_gives_up() {
    check(
        Reliability::Reliable,
        "
            0  -> INVITE
        32000  up timeout
        32000  end
        ",
    );
}

#[test]
fn a_provisional_ends_repeating_and_ringing_has_no_bound() {
    check(
        Reliability::Unreliable,
        "
             0  -> INVITE
           120  <- 180
           120  up 180
        900000  <- 183
        900000  up 183
        ",
    );
}

/// RFC 3261 §17.1.1.2: the ACK goes out for each copy, the refusal goes up once.
#[test]
fn busy_is_acknowledged_each_time_it_arrives() {
    check(
        Reliability::Unreliable,
        "
            0  -> INVITE
          120  <- 180
          120  up 180
         9000  <- 486
         9000  -> ACK
         9000  up 486
         9500  <- 486
         9500  -> ACK
        41000  end
        ",
    );
}

#[test]
fn a_refusal_over_a_stream_is_over_at_once() {
    check(
        Reliability::Reliable,
        "
            0  -> INVITE
           10  <- 404
           10  -> ACK
           10  up 404
           10  end
        ",
    );
}

/// RFC 6026 §7.2: every 2xx goes up until Timer M, since they may come from several forks.
#[test]
fn each_success_goes_up_until_timer_m() {
    check(
        Reliability::Unreliable,
        "
            0  -> INVITE
          400  <- 200
          400  up 200
          900  <- 200
          900  up 200
         1000  <- 180
         2000  <- 486
        32400  end
        ",
    );
}

/// RFC 3261 §9.1: after a CANCEL the final answer is waited for no longer than 64*T1.
#[test]
fn a_cancel_that_nobody_heeds_ends_the_wait() {
    check(
        Reliability::Unreliable,
        "
            0  -> INVITE
          100  <- 180
          100  up 180
         5000  do cancel
        37000  up timeout
        37000  end
        ",
    );
}

#[test]
fn a_broken_flow_is_told_only_while_an_answer_is_owed() {
    check(
        Reliability::Reliable,
        "
            0  -> INVITE
          100  do break
          100  up broken
          100  end
        ",
    );
    check(
        Reliability::Reliable,
        "
            0  -> INVITE
          100  <- 200
          100  up 200
          200  do break
        32100  end
        ",
    );
}

struct Played {
    machine: ClientInvite,
    lines: Vec<String>,
}

impl Played {
    fn note(&mut self, outputs: Outputs<Output>, code: &str) {
        for output in outputs {
            self.lines.push(match output {
                Output::Send => "-> INVITE".to_owned(),
                Output::Ack => "-> ACK".to_owned(),
                Output::Deliver => format!("up {code}"),
                Output::TimedOut => "up timeout".to_owned(),
            });
        }
    }
}

impl Subject for Played {
    fn input(&mut self, now: Instant, line: &str) {
        match line {
            "do cancel" => self.machine.wait_until(now + T1_64),
            "do break" => {
                if self.machine.handle_flow_failed() == Failed::Unanswered {
                    self.lines.push("up broken".to_owned());
                }
            }
            line => {
                let code = line.strip_prefix("<- ").unwrap();
                let status = StatusCode::new(code.parse().unwrap()).unwrap();
                let outputs = self.machine.handle_response(now, status.class());
                self.note(outputs, code);
            }
        }
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

#[track_caller]
#[expect(clippy::disallowed_methods, reason = "simulated time starts somewhere")]
fn check(reliability: Reliability, ladder: &str) {
    let start = Instant::now();
    let (machine, outputs) = ClientInvite::new(start, reliability);
    let mut played = Played { machine, lines: Vec::new() };
    played.note(outputs, "");
    ladder::check(start, &mut played, ladder);
}
