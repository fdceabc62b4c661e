//! Other programs that ask the scripts something: who may, and who is refused.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use dialplan::{LogLevel, WebMatch, WebRequest, WebResponse};

use super::jobs::{JOBS_MAX, KEPT_FREE};
use super::{State, Switch};
use crate::auth::printable;
use crate::desk::CallId;
use crate::guessers::{FORGET_AFTER, Guessers, neighbourhood};
use crate::input::{AskedId, WebTrust};
use crate::job::Job;
use crate::output::Output;
use crate::repeats::{Again, Complaint, Repeats};

/// What is known of other programs.
#[derive(Debug)]
pub(super) struct Programs {
    guessers: Guessers,
    /// Where somebody knew the token, and when last: a stranger there cannot lock them out.
    at_home: BTreeMap<IpAddr, Instant>,
    refused: Repeats,
}

/// What to do with a program that has to know the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judgement {
    /// Go on.
    Allow,
    /// 401.
    Unproven,
    /// 429 without a look at the token: too many wrong ones came from there.
    Ban,
}

impl Programs {
    pub(super) fn new() -> Self {
        Self {
            guessers: Guessers::new("tokens"),
            at_home: BTreeMap::new(),
            refused: Repeats::default(),
        }
    }

    fn judge(&mut self, now: Instant, trust: WebTrust, from: SocketAddr, path: &str) -> Judgement {
        let ip = from.ip();
        let why = match trust {
            WebTrust::Stranger => "no token",
            WebTrust::Proven | WebTrust::Wrong
                if self.guessers.is_banned(now, ip) && !self.is_at_home(now, ip) =>
            {
                return Judgement::Ban;
            }
            WebTrust::Proven => {
                self.guessers.forgive(ip);
                self.note_at_home(now, ip);
                return Judgement::Allow;
            }
            WebTrust::Wrong => {
                // Nothing is held back: that would keep a seat from those who know the token.
                self.guessers.note_failure(now, ip);
                "a wrong token"
            }
        };
        let about = format!("a program at {} is refused: it sent {why}", neighbourhood(ip));
        let complaint = Complaint { level: LogLevel::Warn, file: String::new(), line: 0, about };
        if self.refused.is_new(now, &complaint) {
            tracing::warn!(
                source = %from,
                path = %printable(path),
                "a program is refused: it sent {why}; what it needs is `token` in [http]"
            );
        }
        Judgement::Unproven
    }

    fn is_at_home(&self, now: Instant, ip: IpAddr) -> bool {
        self.at_home.get(&neighbourhood(ip)).is_some_and(|last| now < *last + AT_HOME_FOR)
    }

    fn note_at_home(&mut self, now: Instant, ip: IpAddr) {
        let key = neighbourhood(ip);
        if self.at_home.len() >= AT_HOME_MAX && !self.at_home.contains_key(&key) {
            self.at_home.retain(|_, last| now < *last + AT_HOME_FOR);
        }
        if self.at_home.len() < AT_HOME_MAX || self.at_home.contains_key(&key) {
            self.at_home.insert(key, now);
        }
    }

    /// When there is something to sum up next.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.refused.poll_timeout()
    }

    /// Tells how often programs were refused again.
    pub(super) fn sum_up(&mut self, now: Instant) {
        while let Some(Again { complaint, times }) = self.refused.sum_up(now) {
            let others = || "other programs are refused".to_owned();
            let about = complaint.map_or_else(others, |complaint| complaint.about);
            let often =
                if times == 1 { "once more".to_owned() } else { format!("{times} more times") };
            tracing::warn!("{about} … happened {often} in the last minute");
        }
    }
}

impl Switch {
    /// Another program asks something.
    pub(super) fn asked(
        &mut self,
        now: Instant,
        asked: AskedId,
        request: &WebRequest,
        (trust, source): (WebTrust, SocketAddr),
    ) {
        let WebRequest { method, path, .. } = request;
        let found = self.generation.match_webhook(method, path);
        // What there is, is nobody's business who has no token.
        let is_open = matches!(found, WebMatch::Webhook { public: true, .. });
        let judgement =
            if is_open { Judgement::Allow } else { self.programs.judge(now, trust, source, path) };
        let refusal = match &found {
            _ if judgement == Judgement::Unproven => {
                let header = ("www-authenticate".to_owned(), "Bearer".to_owned());
                Some((401, "the token is missing or wrong", Some(header)))
            }
            _ if judgement == Judgement::Ban => {
                let header = ("retry-after".to_owned(), FORGET_AFTER.as_secs().to_string());
                Some((429, "too many wrong tokens came from there", Some(header)))
            }
            WebMatch::None => Some((404, "there is no webhook of this path", None)),
            WebMatch::OtherMethods(methods) => {
                let header = ("allow".to_owned(), methods.join(", "));
                Some((405, "there is no webhook for this method", Some(header)))
            }
            WebMatch::Webhook { .. }
                if self.state != State::Open
                    || self.jobs_of_their_own() >= JOBS_MAX - KEPT_FREE =>
            {
                let header = ("retry-after".to_owned(), "5".to_owned());
                Some((503, "too much is under way", Some(header)))
            }
            WebMatch::Webhook { .. } => None,
        };
        if let Some((status, text, header)) = refusal {
            let mut response = WebResponse::text(status, text);
            response.headers.extend(header);
            let response = Box::new(response);
            return self.outputs.push_back(Output::Respond { id: asked, response });
        }
        let WebMatch::Webhook { id: webhook, .. } = found else { return };
        let name = format!("webhook {path}");
        let script = self.generation.start_answer(webhook, name.clone(), request);
        let id = CallId(self.desk.next_id());
        let time = (ANSWER_MAX, Some(asked));
        let job = Job::new(&self.desk, now, id, name, script, time);
        self.jobs.insert(id, Box::new(job));
        self.with_job(now, id, |job, desk| job.turn(now, desk));
    }
}

/// How long another program waits for its answer; then that is 504.
const ANSWER_MAX: Duration = Duration::from_secs(30);
/// How long a place where somebody knew the token is not locked out by wrong ones,
const AT_HOME_FOR: Duration = Duration::from_secs(24 * 3_600);
/// and how many of these are remembered.
const AT_HOME_MAX: usize = 1_000;
