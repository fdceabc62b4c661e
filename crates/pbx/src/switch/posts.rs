//! What calls tell each other, delivered; and the calls that they originate.

use std::time::Instant;

use dialplan::{DialStatus, Outcome};
use sip_syntax::StatusCode;

use super::{State, Switch};
use crate::asides::News;
use crate::call::Call;
use crate::post::{Birth, Letter, Post, Seat};

impl Switch {
    /// Delivers what calls wrote, and what those write who read it, until nobody has anything to say.
    pub(super) fn deliver(&mut self, now: Instant) {
        while let Some(post) = self.desk.take_post() {
            match post {
                Post::Birth(birth) => self.originate(now, *birth),
                Post::Transfer(transfer) => self.transfer(now, *transfer),
                Post::Job(job) => self.take_in(now, job),
                Post::Letter(to, letter) if self.calls.contains_key(&to) => {
                    self.with_one(to, |call, desk| call.handle_letter(now, desk, letter));
                }
                Post::Letter(to, Letter::Take(by)) => {
                    self.desk.post(Post::Letter(by, Letter::Taken(to, None)));
                }
                Post::Letter(to, Letter::Seat(seat)) => {
                    let Seat { by, party, note, .. } = *seat;
                    let status = StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST;
                    note.tell(&mut self.desk, status);
                    let reason = status.default_reason().to_owned();
                    let party = Some(party);
                    let letter = Letter::Returned { child: to, party, status, reason };
                    self.desk.post(Post::Letter(by, letter));
                }
                Post::Letter(
                    _,
                    Letter::Taken(_, Some(party)) | Letter::Returned { party: Some(party), .. },
                ) => party.part(now, &mut self.desk),
                Post::Letter(
                    _,
                    Letter::Abandon
                    | Letter::Gone(_)
                    | Letter::Taken(_, None)
                    | Letter::Progress(..)
                    | Letter::Joined(_)
                    | Letter::Returned { party: None, .. },
                ) => {}
                Post::Reply(ticket, outcome) => {
                    let news = News::Originated(outcome);
                    if let Some(owner) = self.desk.redeem(ticket)
                        && let Some(news) = self.tell_job(now, owner, ticket, news)
                    {
                        self.with_one(owner, |call, desk| {
                            call.handle_reply(now, desk, ticket, news);
                        });
                    }
                }
            }
        }
    }

    /// Begins a call of our own, if there is room for one more.
    fn originate(&mut self, now: Instant, birth: Birth) {
        let has_room = self.calls.len() < self.desk.config.limits.calls_max;
        if self.state != State::Open || !has_room {
            tracing::warn!("no call is originated: too many are under way, or the exchange stops");
            if let Some(ticket) = birth.ticket {
                let status = StatusCode::SERVICE_UNAVAILABLE;
                let outcome = Outcome::Originated {
                    status: DialStatus::Congestion,
                    code: status.as_u16(),
                    reason: "too many calls".to_owned(),
                    answered_by: String::new(),
                    leg: None,
                };
                self.desk.post(Post::Reply(ticket, outcome));
            }
            return;
        }
        let (id, name) = (birth.id, format!("{:08x}", self.desk.rng.u32(..)));
        let (call, dial) = Call::originated(&mut self.desk, now, name, birth);
        self.calls.insert(id, Box::new(call));
        self.with_one(id, |call, desk| call.start_ringing(now, desk, dial));
    }
}
