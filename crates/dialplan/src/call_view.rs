//! What a script may know of its call when it starts.

/// The plain values behind `call.from`, `call.to` and the rest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallView {
    /// Names the call in logs and records.
    pub id: String,
    /// Who calls.
    pub from: Party,
    /// Who was dialled.
    pub to: Party,
    /// The Request-URI as it came.
    pub uri: String,
    /// Authenticated account, if any.
    pub account: Option<String>,
    /// Address of the sender, `ip:port`.
    pub source: String,
    /// Headers of the INVITE in order, unfolded; bytes outside UTF-8 are replaced.
    pub headers: Vec<(String, String)>,
    /// Who transferred the caller to this call: an account, or a number; `None` if nobody did.
    pub transferred_by: Option<String>,
}

/// One end of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Party {
    /// User part of the URI, unescaped.
    pub user: String,
    /// Host part of the URI.
    pub host: String,
    /// Display name, empty if none.
    pub name: String,
}
