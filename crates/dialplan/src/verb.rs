//! What a script can ask the switch to do.
//!
//! A verb is a request; the script sleeps until the matching [`Outcome`](crate::Outcome) arrives.
//! Everything here is already checked: numbers are in range, names exist, strings carry no line ends.

use std::time::Duration;

use crate::event::Side;
use crate::handler::Handler;
use crate::outside::{Fetch, Query};

/// What a script asks for; it sleeps until the matching [`Outcome`](crate::Outcome) arrives.
#[derive(Debug, Clone, PartialEq)]
pub enum Verb {
    /// Send 180 (RFC 3261 §21.1.2). Outcome: [`Outcome::Done`](crate::Outcome::Done).
    Ringing,
    /// Send 183 with early media (RFC 3261 §21.1.5). Outcome: `Done`.
    Progress,
    /// Send 182 and play music as early media (RFC 3261 §21.1.4). Outcome: `Done`.
    Queued {
        /// The caller's place in the queue, from 1; told in the reason phrase.
        place: Option<u32>,
        /// What the caller hears while the script goes on, over and over; `None` for nothing.
        music: Option<Sound>,
    },
    /// Answer with 200 (RFC 3261 §13.3.1.4); does nothing when answered already. Outcome: `Done`.
    Answer,
    /// Refuse with a final 4xx, 5xx or 6xx; ends the handler.
    Reject {
        /// 400 to 699.
        code: u16,
        /// Reason phrase; `None` for the standard one.
        reason: Option<String>,
        /// Extra headers, in order.
        headers: Vec<(String, String)>,
    },
    /// Send the caller elsewhere (RFC 3261 §21.3); ends the handler.
    Redirect {
        /// 300, 301, 302, 305 or 380.
        code: u16,
        /// At least one.
        targets: Vec<RedirectTarget>,
    },
    /// End the call by the right means for its state; ends the handler.
    Hangup {
        /// Q.850-like word or status the caller's side is told, for example `normal` or `busy`.
        cause: HangupCause,
    },
    /// Play sounds one after the other, as early media when not answered. Outcome: `Played`, or
    /// `Unspoken`.
    Play(Play),
    /// Play a prompt and collect DTMF digits. Outcome: `Read`.
    Read(Read),
    /// Record the caller. Outcome: `Recorded`.
    Record(Record),
    /// Ring targets and bridge the first to answer. Outcome: `Dialed`.
    Dial(Dial),
    /// Send key presses to a party, if there is one (RFC 4733). Outcome: `Done`.
    Dtmf {
        /// `0-9 A-D * #`, 1 to 32.
        digits: String,
        /// To whom.
        to: Side,
    },
    /// Call somebody who did not call us. Outcome: `Originated`.
    Originate(Box<Originate>),
    /// Join the caller and somebody who was called with `Originate`. Outcome: `Dialed`.
    Bridge(Leg),
    /// Hang up on somebody who was called with `Originate`. Outcome: `Done`.
    HangupLeg(Leg),
    /// Wait. Outcome: `Done`.
    Sleep(Duration),
    /// Take a message for a mailbox. Outcome: `Voicemail`.
    Voicemail {
        /// Mailbox name, as in the configuration.
        mailbox: String,
        /// Why the callee is not there; chooses the default greeting.
        reason: Absence,
    },
    /// Let the caller listen to a mailbox, with its PIN. Outcome: `Mailbox`.
    Mailbox {
        /// Mailbox name; `None` asks the caller for it.
        mailbox: Option<String>,
    },
    /// Ask another program over HTTP. Outcome: `Fetched`.
    Fetch(Box<Fetch>),
    /// Ask the scripts' own database. Outcome: `Queried`.
    Query(Box<Query>),
    /// Wait for a lock that all calls share. Outcome: `Locked`.
    Lock {
        /// Its name.
        name: String,
        /// How long to wait for it.
        timeout: Duration,
    },
    /// Send the caller's own sound back until hang-up or a `#`. Outcome: `Done`.
    Echo,
}

/// Sounds for the caller.
#[derive(Debug, Clone, PartialEq)]
pub struct Play {
    /// Played in this order, at least one.
    pub sounds: Vec<Sound>,
    /// Begin again at the end, until stopped by a digit or hang-up.
    pub repeat: Repeat,
    /// Whether a digit stops it.
    pub barge: Barge,
    /// Start this far into the first sound.
    pub from: Duration,
    /// Decibels, -60 to 12.
    pub gain_db: f32,
}

/// Whether a sound starts again when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// Play once.
    Once,
    /// Play until something stops it.
    Forever,
}

/// Which digits stop what is playing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Barge {
    /// None: digits are kept for the next read.
    Never,
    /// Any.
    Any,
}

/// One thing to be heard.
#[derive(Debug, Clone, PartialEq)]
pub enum Sound {
    /// Name under `prompts/` with the language folder, without the ending: `en/vm/greeting`.
    Prompt(String),
    /// A tone of the caller's country or an explicit one.
    Tone(Tone),
    /// Nothing, for this long.
    Silence(Duration),
    /// A text, spoken by a synthesiser.
    Speech(Speech),
    /// What `call:record` kept under this name: letters, digits, `-` and `_`.
    Recording(String),
}

/// A text to be spoken.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Speech {
    /// 1 to 4,000 bytes, without control characters.
    pub text: String,
    /// The language it is in: that of the office unless the script says otherwise.
    pub language: String,
    /// Who speaks it; `None`: whoever the configuration says.
    pub voice: Option<String>,
}

impl Speech {
    /// How long a person takes to say it: 70 ms a character, half a second at least and a minute at
    /// most. For whoever has no sound of it.
    pub fn usual_length(text: &str) -> Duration {
        let letters = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
        LETTER.saturating_mul(letters).clamp(SPEECH_MIN, SPEECH_MAX)
    }
}

/// A synthesised tone: up to two frequencies, on and off in turn.
#[derive(Debug, Clone, PartialEq)]
pub struct Tone {
    /// Sounding together; 20 to 3,900 each, one or two.
    pub frequencies_hz: Vec<f32>,
    /// On, off, on, off ...; empty for a steady tone. Repeats.
    pub cadence: Vec<Duration>,
    /// Total length; `None` for ever.
    pub length: Option<Duration>,
}

/// How to collect digits.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// Heard first; a digit stops it. May be empty.
    pub prompt: Vec<Sound>,
    /// Stop after this many digits, 1 to 64.
    pub digits_max: u8,
    /// Silence allowed after the prompt before the first digit.
    pub timeout: Duration,
    /// Silence allowed between digits.
    pub between: Duration,
    /// Ends the input and is not part of it; `None` for no such key.
    pub terminator: Option<char>,
    /// How often to try in all, 1 to 10.
    pub tries: u8,
    /// Acceptable inputs, as dialplan patterns (`1XX`); empty accepts everything.
    pub accept: Vec<String>,
    /// Heard when the input did not match, before the next try. May be empty.
    pub invalid: Vec<Sound>,
}

/// How to record the caller.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// File name under the recordings folder, without the ending; `None` lets the switch choose.
    pub name: Option<String>,
    /// Longest recording, 1 s to 1 h.
    pub max: Duration,
    /// Stop after this much silence; `None` never.
    pub silence: Option<Duration>,
    /// Whether a beep comes first.
    pub beep: bool,
    /// Key that ends it; `None` for none.
    pub terminator: Option<char>,
}

/// Whom to ring, and for how long.
#[derive(Debug, Clone, PartialEq)]
pub struct Dial {
    /// Rounds in turn; the targets of one round ring together. At least one round of one target.
    pub rounds: Vec<Vec<Target>>,
    /// How long each round rings unless a target says otherwise; 1 s to 1 h.
    pub timeout: Duration,
    /// Heard instead of ringback while nobody sends early media.
    pub music: Option<Sound>,
    /// Shown to the callee instead of the caller's own user name and display name.
    pub caller: Option<Identity>,
}

/// Whom to call by ourselves, and what then.
#[derive(Debug, Clone, PartialEq)]
pub struct Originate {
    /// Rounds in turn; the targets of one round ring together. At least one round of one target.
    pub rounds: Vec<Vec<Target>>,
    /// How long each round rings unless a target says otherwise; 1 s to 1 h.
    pub timeout: Duration,
    /// Who is shown as calling.
    pub caller: Option<Identity>,
    /// What becomes of whoever answers; `None`: a leg for the script that asked.
    pub run: Option<Run>,
    /// Whether the script waits until somebody has answered or nobody did.
    pub waits: bool,
}

/// What a call of its own does with whoever answered it.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its handler.
    pub handler: Handler,
    /// The number whose route that is, if it is one.
    pub number: Option<String>,
}

/// Names somebody who was called with [`Verb::Originate`] and answered; the switch chooses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leg(pub u64);

/// One destination of a dial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Where.
    pub to: Destination,
    /// Start ringing it this long after the others.
    pub delay: Duration,
    /// Give it up after this long; `None`: with its round.
    pub timeout: Option<Duration>,
}

/// Where a call can go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// `ext/101`: every phone registered for this account.
    Extension(String),
    /// `sip:user@host:port`: straight there.
    Uri(String),
}

/// Who the callee is told is calling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// User part of From.
    pub user: Option<String>,
    /// Display name of From.
    pub name: Option<String>,
}

/// Where a redirected caller should try (RFC 3261 §20.10).
#[derive(Debug, Clone, PartialEq)]
pub struct RedirectTarget {
    /// A SIP or tel URI.
    pub uri: String,
    /// Preference, 0 to 1.
    pub q: Option<f32>,
}

/// Why a script hangs up, as the other side is told (RFC 3326).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HangupCause {
    /// Normal clearing: BYE, or 480 when nothing was answered.
    Normal,
    /// 486 when nothing was answered.
    Busy,
    /// 503 when nothing was answered.
    Congestion,
    /// 404 when nothing was answered.
    Unallocated,
    /// 603 when nothing was answered.
    Rejected,
}

/// Why nobody answered, as the voicemail greeting tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absence {
    /// Did not answer, or is not reachable.
    Unavailable,
    /// On another call.
    Busy,
}

/// How long a character takes.
const LETTER: Duration = Duration::from_millis(70);
/// How long a text takes, at least and at most.
const SPEECH_MIN: Duration = Duration::from_millis(500);
const SPEECH_MAX: Duration = Duration::from_secs(60);
