//! Questions about sessions by what stands in messages.

use crate::endpoint::Endpoint;
use crate::{Flow, SessionId};

impl Endpoint {
    /// The session of this dialog, by the tags as we see them (RFC 3261 §12); as a Replaces header
    /// names it to us, its `to-tag` is ours (RFC 3891 §3).
    pub fn find_dialog(
        &self,
        call_id: &[u8],
        local_tag: &[u8],
        remote_tag: &[u8],
    ) -> Option<SessionId> {
        let id = SessionId::of_tag(local_tag)?;
        let session = self.sessions.get(&id.0)?;
        let dialog = &session.dialog;
        let matches = dialog.local_tag() == local_tag
            && dialog.call_id() == call_id
            && dialog.remote_tag() == remote_tag;
        matches.then_some(id)
    }

    /// The path to the peer of a session.
    pub fn flow_of(&self, session: SessionId) -> Option<Flow> {
        self.sessions.get(&session.0).map(|session| session.dialog.flow())
    }
}
