//! What call control can ask of a media thread.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use crate::Sound;

/// Names one leg's RTP socket, chosen by call control and never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LegId(pub u64);

/// Names one playback or recording, chosen by call control and never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(pub u64);

/// A request to a media thread. None is answered; what happens comes back as an
/// [`Event`](crate::Event).
#[derive(Debug, Clone)]
pub enum Command {
    /// Bind a socket for this leg. The rim binds it; the engine makes the leg.
    Open {
        /// The new leg.
        leg: LegId,
        /// Our address, as written in the session description.
        ip: IpAddr,
        /// Our even RTP port.
        port: u16,
    },
    /// What the offer and answer agreed on; again after each re-INVITE.
    Configure {
        /// Which leg.
        leg: LegId,
        /// What was agreed.
        stream: Stream,
    },
    /// Relay between two legs, both ways, instead of whatever they did before; only recordings go
    /// on. A playback started later on one of them is heard there instead of the other.
    Bridge {
        /// One side.
        a: LegId,
        /// The other side.
        b: LegId,
    },
    /// Stop relaying to and from this leg; its peer falls silent too.
    Unbridge {
        /// Which leg.
        leg: LegId,
    },
    /// Play a list; replaces what was playing on this leg.
    Play {
        /// Which leg hears it.
        leg: LegId,
        /// Named in the events that follow.
        job: JobId,
        /// What, in order.
        playlist: Playlist,
    },
    /// Stop this playback if it is still going; ends with [`Event::PlayEnded`](crate::Event).
    StopPlay {
        /// Which leg.
        leg: LegId,
        /// Which playback.
        job: JobId,
    },
    /// Record what this leg says.
    Record {
        /// Which leg.
        leg: LegId,
        /// Named in the events that follow.
        job: JobId,
        /// When to stop by itself.
        limits: RecordLimits,
    },
    /// Stop this recording; ends with [`Event::RecordEnded`](crate::Event).
    StopRecord {
        /// Which leg.
        leg: LegId,
        /// Which recording.
        job: JobId,
    },
    /// Send the leg's own sound back to it, until `Unbridge`.
    Echo {
        /// Which leg.
        leg: LegId,
    },
    /// Send digits as telephone-events (RFC 4733), 100 ms each with 100 ms between.
    SendDigits {
        /// Which leg.
        leg: LegId,
        /// `0-9 A-D * #`, at most 64.
        digits: String,
    },
    /// Send silence to this leg whenever nothing else is sent to it and it is neither bridged nor
    /// echoing, or stop doing so. For peers that hang up when no packets come; off unless asked.
    KeepAlive {
        /// Which leg.
        leg: LegId,
        /// Whether to.
        keep_alive: Flag,
    },
    /// Close the socket and forget the leg.
    Close {
        /// Which leg.
        leg: LegId,
    },
}

/// How one leg's RTP looks, as agreed by offer and answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// Where to send; `None` while the peer has not said or holds with 0.0.0.0.
    pub remote: Option<SocketAddr>,
    /// What both sides speak.
    pub codec: Codec,
    /// Payload type we send `codec` with.
    pub payload_type: u8,
    /// Payload type the peer sends it with; the same unless its answer renumbered our offer.
    pub receive_payload_type: u8,
    /// Payload type we send telephone-events with, if the peer takes any.
    pub dtmf_payload_type: Option<u8>,
    /// Payload type the peer sends them with.
    pub receive_dtmf_payload_type: Option<u8>,
    /// Samples per packet that we send when playing, in milliseconds; 20 unless asked otherwise.
    pub ptime_ms: u16,
    /// Whether we may send.
    pub sending: Flag,
    /// Whether we listen.
    pub receiving: Flag,
    /// Whose packets are let in.
    pub latch: Latch,
}

/// Whether a direction is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flag {
    /// In use.
    On,
    /// Not in use.
    Off,
}

impl From<bool> for Flag {
    fn from(on: bool) -> Self {
        if on { Flag::On } else { Flag::Off }
    }
}

/// Whose packets are let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Latch {
    /// Only from the described IP address; sent to where they come from. Another port than the
    /// described one is believed after five packets in 60 ms or more.
    SameHost,
    /// From the described host, or else from where such five packets come first (a peer behind
    /// NAT). Whoever is nearer to the description takes over from whoever is not.
    Nat,
}

/// An audio encoding, as far as the engine must know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Codec {
    /// G.711 mu-law, 8,000 Hz (RFC 3551 §4.5.14).
    Pcmu,
    /// G.711 A-law, 8,000 Hz.
    Pcma,
    /// Anything else: relayed untouched, never played or recorded.
    Opaque {
        /// RTP clock rate.
        rate_hz: u32,
    },
}

/// Sounds to play one after the other.
#[derive(Debug, Clone)]
pub struct Playlist {
    /// In order, at least one.
    pub items: Vec<PlayItem>,
    /// Start again at the end.
    pub repeat: Flag,
    /// Stop at the first digit.
    pub barge: Flag,
    /// Skip this much of the first item.
    pub from: Duration,
    /// Decibels added, -60 to 12; 0 is played from the shared encoding without any work.
    pub gain_db: f32,
}

/// One thing in a playlist.
#[derive(Debug, Clone)]
pub enum PlayItem {
    /// A decoded sound.
    Sound(Arc<Sound>),
    /// A synthesised tone.
    Tone(ToneSpec),
    /// Nothing, for this long.
    Silence(Duration),
}

/// A tone: one or two frequencies, on and off in turn.
#[derive(Debug, Clone, PartialEq)]
pub struct ToneSpec {
    /// Sounding together, 20 to 3,900 each.
    pub frequencies_hz: Vec<f32>,
    /// On, off, on, off ...; empty for a steady tone. Repeats.
    pub cadence: Vec<Duration>,
    /// Total length; `None` for ever.
    pub length: Option<Duration>,
}

/// When a recording stops by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordLimits {
    /// Longest recording.
    pub max: Duration,
    /// Stop after this much silence (also at the start); `None` never.
    pub silence: Option<Duration>,
    /// Key that ends it.
    pub terminator: Option<char>,
}
