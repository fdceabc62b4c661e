//! What becomes of a caller whose script cannot go on: an apology instead of silence.

use std::time::{Duration, Instant};

use dialplan::{Barge, ScriptError};
use media::PlayItem;
use sip_engine::Reply;
use sip_syntax::StatusCode;

use super::caller::Stage;
use super::perform::Performance;
use super::{Call, Feature, Presence, sounds};
use crate::desk::Desk;

impl Call {
    /// The script cannot go on. That is told; the caller hears an apology, if there is one, and the
    /// call ends after it.
    pub(super) fn script_failed(&mut self, now: Instant, desk: &mut Desk, error: ScriptError) {
        if self.is_sorry {
            return;
        }
        self.tell_failure(now, desk, "", error);
        if self.presence == Presence::Gone || !self.apologise(now, desk) {
            self.end_failed(now, desk);
        }
    }

    /// After the apology, or without one.
    pub(super) fn end_failed(&mut self, now: Instant, desk: &mut Desk) {
        let reply = Reply::new(StatusCode::SERVER_INTERNAL_ERROR);
        self.end(now, desk, reply, "script fault");
    }

    /// Begins to tell the caller that something went wrong; `false` if that cannot be.
    fn apologise(&mut self, now: Instant, desk: &mut Desk) -> bool {
        let named = |name: &str| {
            let folder = &desk.config.language;
            let found = self.prompts.find(name);
            found.or_else(|| self.prompts.find(&format!("{folder}/{name}")))
        };
        // One that is still being decoded would only be a longer silence.
        let found = desk.config.apology.as_deref().and_then(named);
        let Some(sound) = found.filter(|sound| !sound.is_pending()) else { return false };
        let playlist = sounds::once(vec![PlayItem::Sound(sound.clone())]);
        // To hear it, a caller who wants an offer of ours would have to be answered.
        let late_offer = self.caller.offer.is_none() && self.caller.stage == Stage::Trying;
        if self.caller.session.is_none() || late_offer {
            return false;
        }
        match self.feature.as_deref() {
            // What these were about to keep is kept as when the caller hangs up, so it comes to that.
            Some(Feature::Record(_) | Feature::Leave(_) | Feature::Listen(_)) => return false,
            Some(Feature::Read(_)) | None => self.feature = None,
        }
        // Nobody is left to be told what came of it.
        drop(self.stop_task(now, desk));
        self.asides.end(desk);
        self.hang_up_legs(desk);
        self.stop_background(desk);
        self.held = None;
        self.line = None;
        self.paused = None;
        self.more = false;
        self.todo.clear();
        self.typed.clear();
        self.is_sorry = true;
        self.give_up_at = self.give_up_at.min(now + APOLOGY_MAX);
        let performance = Performance::Play { playlist, barge: Barge::Never };
        if self.perform(now, desk, performance).is_some() {
            self.end_failed(now, desk);
        }
        true
    }
}

/// Longest apology; what is left of a longer one is not heard.
const APOLOGY_MAX: Duration = Duration::from_secs(15);
