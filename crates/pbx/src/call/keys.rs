//! Keys pressed, in RTP or in INFO, and what they do to the task at hand.

use std::time::{Duration, Instant};

use dialplan::{Barge, CallEvent, Outcome, Side};
use media::Command;
use sip_engine::{Reply, SessionId};
use sip_syntax::{Method, Request, StatusCode};

use super::perform::{RecordStage, Recording, Waiting};
use super::{Call, Finished, Task};
use crate::desk::Desk;

/// How a digit reached us; those in RTP are relayed by the media thread itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    ByRtp,
    BySip,
}

impl Call {
    /// A key was pressed.
    pub(super) fn digit(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        by: Side,
        digit: char,
        told: Told,
    ) {
        self.take_digit(now, desk, by, digit, told);
        self.tell_event(now, desk, CallEvent::Dtmf { digit, by });
    }

    fn take_digit(&mut self, now: Instant, desk: &mut Desk, by: Side, digit: char, told: Told) {
        if let Task::Bridged(bridge) = &self.task {
            if told == Told::BySip {
                let to = match by {
                    Side::Caller => Some(&bridge.leg),
                    Side::Callee => self.caller.leg.as_ref(),
                };
                if let Some(leg) = to {
                    let command =
                        Command::SendDigits { leg: leg.socket.leg, digits: digit.to_string() };
                    desk.media(leg.socket, command);
                }
            }
            return;
        }
        if by == Side::Callee {
            return;
        }
        match &mut self.task {
            Task::Collecting(collecting) => {
                if let (Waiting::Prompt(job), Some(leg)) = (collecting.waiting, &self.caller.leg) {
                    desk.media(leg.socket, Command::StopPlay { leg: leg.socket.leg, job });
                }
                if let Some(ended) = collecting.take(now, digit) {
                    self.finish_collecting(now, desk, ended);
                }
            }
            // The media thread stops what plays, and tells with which digit.
            Task::Playing { barge: Barge::Any, job } => {
                if let (Told::BySip, Some(leg)) = (told, &self.caller.leg) {
                    let job = *job;
                    desk.media(leg.socket, Command::StopPlay { leg: leg.socket.leg, job });
                    let heard = Duration::ZERO;
                    self.proceed(now, desk, Finished::Played { digit: Some(digit), heard });
                }
            }
            Task::Recording(Recording { limits, stage: RecordStage::Rolling(job), .. }) => {
                if let (Told::BySip, Some(leg)) = (told, &self.caller.leg)
                    && limits.terminator == Some(digit)
                {
                    let command = Command::StopRecord { leg: leg.socket.leg, job: *job };
                    desk.media(leg.socket, command);
                }
            }
            Task::Echoing if digit == '#' => {
                if let Some(leg) = &self.caller.leg {
                    desk.media(leg.socket, Command::Unbridge { leg: leg.socket.leg });
                }
                self.proceed(now, desk, Finished::Outcome(Outcome::Done));
            }
            Task::Recording(_)
            | Task::Echoing
            | Task::Idle
            | Task::Playing { .. }
            | Task::Preparing(..)
            | Task::Taking(_)
            | Task::Transferring(_)
            | Task::Dialing(_)
            | Task::Bridged(_)
            | Task::Speaking(_)
            | Task::Storing { .. } => {
                if self.typed.len() < TYPED_AHEAD_MAX {
                    self.typed.push_back(digit);
                }
            }
        }
    }

    /// INFO with a digit (both body types in use) or anything else, and OPTIONS.
    pub(super) fn in_dialog(
        &mut self,
        now: Instant,
        desk: &mut Desk,
        session: SessionId,
        request: &Request,
    ) -> Reply {
        match request.method() {
            Method::Info => {
                if let Some(digit) = digit_of_info(request) {
                    self.digit(now, desk, self.side_of(session), digit, Told::BySip);
                }
                Reply::new(StatusCode::OK)
            }
            Method::Options => Reply::new(StatusCode::OK),
            // Nobody would read it.
            Method::Message
            | Method::Invite
            | Method::Ack
            | Method::Bye
            | Method::Cancel
            | Method::Register
            | Method::Prack
            | Method::Subscribe
            | Method::Notify
            | Method::Update
            | Method::Refer
            | Method::Publish
            | Method::Other(_) => {
                Reply::new(StatusCode::METHOD_NOT_ALLOWED).header("Allow", sip_engine::ALLOW)
            }
        }
    }
}

/// `Signal=5` of application/dtmf-relay, or the lone digit of application/dtmf.
fn digit_of_info(request: &Request) -> Option<char> {
    let body = std::str::from_utf8(request.body()).ok()?;
    let signal = body
        .lines()
        .find_map(|line| {
            let (name, value) = line.split_once('=')?;
            name.trim().eq_ignore_ascii_case("signal").then(|| value.trim())
        })
        .unwrap_or_else(|| body.trim());
    let mut chars = signal.chars();
    match (chars.next(), chars.next(), chars.next()) {
        (Some(digit), None, _) if is_digit(digit) => Some(digit.to_ascii_uppercase()),
        (Some('1'), Some('0'), None) => Some('*'),
        (Some('1'), Some('1'), None) => Some('#'),
        _ => None,
    }
}

fn is_digit(digit: char) -> bool {
    matches!(digit, '0'..='9' | '*' | '#' | 'A'..='D' | 'a'..='d')
}

/// Keys kept that nobody asked for; more are dropped.
const TYPED_AHEAD_MAX: usize = 64;
