//! Questions about sessions by what stands in messages.

use sip_syntax::Replaces;

use super::State;
use crate::endpoint::Endpoint;
use crate::{Flow, SessionId};

impl Endpoint {
    /// The session that was answered and has this dialog, as a Replaces header names it to us: its
    /// `to-tag` is our own (RFC 3891 §3).
    pub fn replaced_session(&self, replaces: &Replaces) -> Option<SessionId> {
        let id = SessionId::of_tag(&replaces.to_tag)?;
        let session = self.sessions.get(&id.0)?;
        let dialog = &session.dialog;
        let matches = matches!(session.state, State::Confirmed(_))
            && dialog.local_tag() == &replaces.to_tag[..]
            && dialog.call_id() == &replaces.call_id[..]
            && dialog.remote_tag() == &replaces.from_tag[..];
        matches.then_some(id)
    }

    /// The value of a Replaces header that names this session to its peer; `None` before it was
    /// answered.
    pub fn replaces_of(&self, session: SessionId) -> Option<String> {
        let session = self.sessions.get(&session.0)?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let dialog = &session.dialog;
        matches!(session.state, State::Confirmed(_)).then(|| {
            let (call_id, to, from) = (dialog.call_id(), dialog.remote_tag(), dialog.local_tag());
            format!("{};to-tag={};from-tag={}", text(call_id), text(to), text(from))
        })
    }

    /// The path to the peer of a session.
    pub fn flow_of(&self, session: SessionId) -> Option<Flow> {
        self.sessions.get(&session.0).map(|session| session.dialog.flow())
    }
}
