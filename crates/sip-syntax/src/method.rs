//! Request methods (RFC 3261 §7.1 and the RFCs named at each).

use std::fmt;

/// What a request asks for. Names are case sensitive: `invite` is [`Method::Other`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Method {
    /// RFC 3261 §13.
    Invite,
    /// RFC 3261 §13.2.2.4.
    Ack,
    /// RFC 3261 §15.
    Bye,
    /// RFC 3261 §9.
    Cancel,
    /// RFC 3261 §10.
    Register,
    /// RFC 3261 §11.
    Options,
    /// RFC 3262.
    Prack,
    /// RFC 6665.
    Subscribe,
    /// RFC 6665.
    Notify,
    /// RFC 3311.
    Update,
    /// RFC 3428.
    Message,
    /// RFC 3515.
    Refer,
    /// RFC 3903.
    Publish,
    /// RFC 6086.
    Info,
    /// Any other token; answered 501 by who does not know it.
    Other(Box<str>),
}

impl Method {
    /// Every method with a name of its own here, in the order in which Allow lists them.
    pub const KNOWN: [Self; 14] = [
        Self::Invite,
        Self::Ack,
        Self::Bye,
        Self::Cancel,
        Self::Register,
        Self::Options,
        Self::Prack,
        Self::Subscribe,
        Self::Notify,
        Self::Update,
        Self::Message,
        Self::Refer,
        Self::Publish,
        Self::Info,
    ];

    /// The method of this name; bytes that are not UTF-8 are replaced.
    pub fn from_bytes(name: &[u8]) -> Self {
        match name {
            b"INVITE" => Self::Invite,
            b"ACK" => Self::Ack,
            b"BYE" => Self::Bye,
            b"CANCEL" => Self::Cancel,
            b"REGISTER" => Self::Register,
            b"OPTIONS" => Self::Options,
            b"PRACK" => Self::Prack,
            b"SUBSCRIBE" => Self::Subscribe,
            b"NOTIFY" => Self::Notify,
            b"UPDATE" => Self::Update,
            b"MESSAGE" => Self::Message,
            b"REFER" => Self::Refer,
            b"PUBLISH" => Self::Publish,
            b"INFO" => Self::Info,
            other => Self::Other(String::from_utf8_lossy(other).into()),
        }
    }

    /// The name as it stands on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Invite => "INVITE",
            Self::Ack => "ACK",
            Self::Bye => "BYE",
            Self::Cancel => "CANCEL",
            Self::Register => "REGISTER",
            Self::Options => "OPTIONS",
            Self::Prack => "PRACK",
            Self::Subscribe => "SUBSCRIBE",
            Self::Notify => "NOTIFY",
            Self::Update => "UPDATE",
            Self::Message => "MESSAGE",
            Self::Refer => "REFER",
            Self::Publish => "PUBLISH",
            Self::Info => "INFO",
            Self::Other(name) => name,
        }
    }

    /// The name as bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.as_str().as_bytes()
    }

    /// False for [`Method::Other`].
    pub fn is_known(&self) -> bool {
        !matches!(self, Self::Other(_))
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_case_sensitive_and_open() {
        for method in Method::KNOWN {
            assert_eq!(Method::from_bytes(method.as_bytes()), method);
            assert!(method.is_known());
        }
        assert_eq!(Method::from_bytes(b"invite"), Method::Other("invite".into()));
        assert_eq!(Method::from_bytes(b"NEWMETHOD").as_str(), "NEWMETHOD");
    }
}
