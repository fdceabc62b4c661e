//! The order of streams in a session, which never changes (RFC 3264 §8).

use crate::media_line::own_direction;
use crate::{Connection, Description, MediaLine};

/// What each `m=` line of a description of ours is.
///
/// Streams may be added or refused during a session, but their order and count stay (RFC 3264 §8),
/// and in a bridge both legs have the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    pub(crate) slots: Vec<Slot>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Slot {
    /// The audio that ends with us.
    Audio {
        /// `RTP/AVP` or `RTP/AVPF`.
        protocol: String,
    },
    /// Written as it is, with port 0 or another.
    Verbatim(Box<MediaLine>),
}

impl Layout {
    /// One audio stream and nothing else: a first offer of our own making.
    pub fn audio_only() -> Layout {
        Layout { slots: vec![Slot::Audio { protocol: "RTP/AVP".into() }] }
    }

    /// For the offer to the other leg of a bridge: the audio becomes ours, every stream that is not
    /// audio over RTP is carried with its address spelled out, and further audio is refused.
    ///
    /// Has no audio at all if the offer has none.
    pub fn for_other_leg(offer: &Description) -> Layout {
        let audio = usable_audio(offer).map(|(index, _)| index);
        let slots = offer.media.iter().enumerate().map(|(index, line)| {
            if Some(index) == audio {
                Slot::Audio { protocol: "RTP/AVP".into() }
            } else if line.kind.eq_ignore_ascii_case("audio") {
                Slot::Verbatim(Box::new(refused(line)))
            } else {
                Slot::Verbatim(Box::new(carried(offer, line)))
            }
        });
        Layout { slots: slots.collect() }
    }

    /// For another offer in a session in which we said `last` last: everything stays where it was.
    ///
    /// See [`crate::Origin::last`].
    pub fn again(last: &Description) -> Layout {
        let audio = usable_audio(last).map(|(index, _)| index);
        let slots = last.media.iter().enumerate().map(|(index, line)| {
            if Some(index) == audio {
                Slot::Audio { protocol: line.protocol.clone() }
            } else {
                Slot::Verbatim(Box::new(line.clone()))
            }
        });
        Layout { slots: slots.collect() }
    }

    /// Whether there is an audio stream of ours in it.
    pub fn has_audio(&self) -> bool {
        self.slots.iter().any(|slot| matches!(slot, Slot::Audio { .. }))
    }

    /// Whether a stream of another kind is carried in it.
    pub fn carries(&self) -> bool {
        self.slots.iter().any(|slot| match slot {
            Slot::Audio { .. } => false,
            Slot::Verbatim(line) => !line.is_refused(),
        })
    }
}

/// Whether a stream that is not audio over RTP is accepted (or offered) in `description`.
pub fn carries_accepted_streams(description: &Description) -> bool {
    description.media.iter().any(|line| !is_audio(line) && !line.is_refused())
}

/// The first audio stream over plain RTP that is not refused.
pub(crate) fn usable_audio(description: &Description) -> Option<(usize, &MediaLine)> {
    let mut lines = description.media.iter().enumerate();
    lines.find(|(_, line)| line.is_rtp_audio() && !line.is_refused())
}

/// Audio in whatever transport: what we end or refuse, and never carry.
pub(crate) fn is_audio(line: &MediaLine) -> bool {
    line.kind.eq_ignore_ascii_case("audio")
}

/// The line with port 0 and nothing below it (RFC 3264 §6).
pub(crate) fn refused(line: &MediaLine) -> MediaLine {
    let mut formats = line.formats.clone();
    if formats.is_empty() {
        // The grammar wants one, and for a refused stream it means nothing.
        formats.push("0".into());
    }
    let bare = MediaLine::new(&line.kind, 0, &line.protocol, &[]);
    MediaLine { formats, ..bare }
}

/// The line as it can stand in another description: what it took from its session is written into
/// it.
pub(crate) fn carried(session: &Description, line: &MediaLine) -> MediaLine {
    if line.is_refused() {
        return refused(line);
    }
    let mut line = line.clone();
    if line.connection.is_none() {
        line.connection.clone_from(&session.connection);
    }
    if own_direction(&line.attributes).is_none()
        && let Some(direction) = own_direction(&session.attributes)
    {
        line.attributes.push((direction.as_str().into(), None));
    }
    for attribute in &session.attributes {
        let (name, _) = attribute;
        let inherits = INHERITED.iter().any(|known| name.eq_ignore_ascii_case(known));
        if inherits && line.attribute(name).is_none() {
            line.attributes.push(attribute.clone());
        }
    }
    line
}

/// The address that holds for no stream of ours.
pub(crate) fn session_connection(ip: std::net::IpAddr) -> Option<Connection> {
    Some(Connection::from_ip(ip))
}

/// Attributes of the session that hold for each stream without its own: keys and the ways to
/// connect (RFC 8122 §5, RFC 8839 §5, RFC 4145 §4).
const INHERITED: [&str; 7] =
    ["fingerprint", "setup", "connection", "ice-ufrag", "ice-pwd", "ice-options", "tls-id"];
