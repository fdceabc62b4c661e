//! Ladders of the INVITE server transaction.

use sip_syntax::StatusCode;

use super::*;
use crate::ladder::{self, Subject};

/// RFC 3261 §17.2.1: the last provisional answers each repeat.
#[test]
fn repeats_get_the_last_provisional() {
    check(
        Reliability::Unreliable,
        "
           10  do 100
           10  -> answer
          500  <- INVITE
          500  -> answer
          600  do 200
          600  -> answer
          900  <- INVITE
        32600  end
        ",
    );
}

/// RFC 3261 §17.2.1: Timer G repeats a refusal until the ACK, which Timer I then absorbs.
#[test]
fn a_refusal_is_repeated_until_it_is_acknowledged() {
    check(
        Reliability::Unreliable,
        "
            0  do 486
            0  -> answer
          500  -> answer
         1500  -> answer
         3500  -> answer
         4000  <- INVITE
         4000  -> answer
         5000  <- ACK
         5500  <- ACK
         6000  <- INVITE
        10000  end
        ",
    );
}

#[test]
fn a_refusal_nobody_acknowledges_is_given_up_at_timer_h() {
    check(
        Reliability::Unreliable,
        "
            0  do 404
            0  -> answer
          500  -> answer
         1500  -> answer
         3500  -> answer
         7500  -> answer
        11500  -> answer
        15500  -> answer
        19500  -> answer
        23500  -> answer
        27500  -> answer
        31500  -> answer
        32000  end
        ",
    );
}

#[test]
fn over_a_stream_a_refusal_goes_out_once_and_the_ack_ends_it() {
    check(
        Reliability::Reliable,
        "
            0  do 404
            0  -> answer
          100  <- ACK
          100  end
        ",
    );
}

/// RFC 6026 §7.1: after a 2xx, repeats of the INVITE are absorbed, and an ACK goes up.
#[test]
fn accepted_absorbs_repeats_and_hands_acks_up() {
    check(
        Reliability::Unreliable,
        "
            0  do 200
            0  -> answer
          500  <- INVITE
          600  <- ACK
          600  up ACK
          700  do 486
        32000  end
        ",
    );
}

/// RFC 3261 §13.3.1.1: without it, proxies would give the call up after three minutes.
#[test]
fn ringing_is_said_again_each_minute() {
    check(
        Reliability::Reliable,
        "
             0  do 180
             0  -> answer
         60000  -> answer
        120000  -> answer
        150000  do 183
        150000  -> answer
        210000  -> answer
        220000  do 486
        220000  -> answer
        220500  <- ACK
        220500  end
        ",
    );
}

struct Played {
    machine: ServerInvite,
    lines: Vec<String>,
}

impl Played {
    fn note(&mut self, outputs: Outputs<Output>) {
        for output in outputs {
            self.lines.push(match output {
                Output::Send => "-> answer".to_owned(),
                Output::DeliverAck => "up ACK".to_owned(),
            });
        }
    }
}

impl Subject for Played {
    fn input(&mut self, now: Instant, line: &str) {
        let outputs = match line {
            "<- INVITE" => self.machine.handle_repeat(),
            "<- ACK" => self.machine.handle_ack(now),
            line => {
                let code = line.strip_prefix("do ").unwrap();
                let status = StatusCode::new(code.parse().unwrap()).unwrap();
                let trying = if status == StatusCode::TRYING { Trying::Only } else { Trying::More };
                self.machine.respond(now, status.class(), trying)
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
    let machine = ServerInvite::new(reliability);
    let mut played = Played { machine, lines: Vec::new() };
    ladder::check(start, &mut played, ladder);
}
