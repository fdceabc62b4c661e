//! What an RTP payload type means (RFC 3551, RFC 8866 §6.6 and §6.15).

use crate::MediaLine;

#[cfg(test)]
mod tests;

/// One payload type and the encoding it stands for in one description.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RtpCodec {
    /// 0 to 127. From 96 on a number means only what its description says it means.
    pub payload_type: u8,
    /// The encoding's name as written; compare in any case.
    pub name: String,
    /// Ticks of the RTP timestamp a second. For G.722 that is 8000 though it samples at 16000
    /// (RFC 3551 §4.5.2).
    pub rate_hz: u32,
    /// Audio channels; 1 when not said.
    pub channels: u8,
    /// The encoding's parameters, word for word.
    pub fmtp: Option<String>,
}

impl RtpCodec {
    /// A codec with no parameters and one channel.
    pub fn new(payload_type: u8, name: &str, rate_hz: u32) -> RtpCodec {
        RtpCodec { payload_type, name: name.into(), rate_hz, channels: 1, fmtp: None }
    }

    /// G.711 mu-law.
    pub fn pcmu() -> RtpCodec {
        RtpCodec::new(0, "PCMU", 8000)
    }

    /// G.711 A-law.
    pub fn pcma() -> RtpCodec {
        RtpCodec::new(8, "PCMA", 8000)
    }

    /// Whether both name the same encoding, whatever their numbers and parameters.
    pub fn same_encoding(&self, other: &RtpCodec) -> bool {
        self.name.eq_ignore_ascii_case(&other.name)
            && self.rate_hz == other.rate_hz
            && self.channels == other.channels
    }

    /// Whether this carries key presses instead of sound (RFC 4733).
    pub fn is_telephone_event(&self) -> bool {
        self.name.eq_ignore_ascii_case("telephone-event")
    }

    /// Whether this carries a voice: not key presses, tones, comfort noise, or a wrapping of other
    /// payloads for repair.
    pub fn is_voice(&self) -> bool {
        !NOT_VOICE.iter().any(|name| self.name.eq_ignore_ascii_case(name))
    }

    /// `payload-type encoding/rate[/channels]`, the value of `a=rtpmap`.
    pub(crate) fn rtpmap(&self) -> String {
        let RtpCodec { payload_type, name, rate_hz, channels, .. } = self;
        match channels {
            1 => format!("{payload_type} {name}/{rate_hz}"),
            _ => format!("{payload_type} {name}/{rate_hz}/{channels}"),
        }
    }

    fn from_rtpmap(payload_type: u8, mapping: &str) -> Option<RtpCodec> {
        let mut parts = mapping.split('/').map(str::trim);
        let name = parts.next().filter(|name| !name.is_empty())?;
        let rate_hz = parts.next()?.parse().ok().filter(|&rate_hz| rate_hz > 0)?;
        // For other than audio a third part means something else, and an unreadable one nothing.
        let channels = parts.next().and_then(|text| text.parse().ok()).unwrap_or(1).max(1);
        Some(RtpCodec { payload_type, name: name.into(), rate_hz, channels, fmtp: None })
    }

    fn from_static_type(payload_type: u8) -> Option<RtpCodec> {
        let &(_, name, rate_hz, channels) =
            STATIC_TYPES.iter().find(|(number, ..)| *number == payload_type)?;
        Some(RtpCodec { channels, ..RtpCodec::new(payload_type, name, rate_hz) })
    }
}

impl MediaLine {
    /// What the line's payload types mean, in the order of preference they stand in.
    ///
    /// A type without a meaning (no `a=rtpmap`, none by RFC 3551) is left out, as are repeats, so
    /// there are at most 128. Key presses and comfort noise are in the list; ask
    /// [`RtpCodec::is_voice`]. Takes time linear in the size of the line.
    pub fn codecs(&self) -> Vec<RtpCodec> {
        let mut mappings = ByType::default();
        let mut parameters = ByType::default();
        for (name, value) in &self.attributes {
            let Some(value) = value else { continue };
            if name.eq_ignore_ascii_case("rtpmap") {
                mappings.note(value);
            } else if name.eq_ignore_ascii_case("fmtp") {
                parameters.note(value);
            }
        }
        let mut seen = 0_u128;
        let mut codecs = Vec::new();
        for payload_type in self.formats.iter().filter_map(|format| payload_type(format)) {
            if seen & (1 << payload_type) != 0 {
                continue;
            }
            seen |= 1 << payload_type;
            let codec = match mappings.of(payload_type) {
                Some(mapping) => RtpCodec::from_rtpmap(payload_type, mapping),
                None => RtpCodec::from_static_type(payload_type),
            };
            if let Some(mut codec) = codec {
                codec.fmtp = parameters.of(payload_type).map(str::to_owned);
                codecs.push(codec);
            }
        }
        codecs
    }
}

/// The values of `a=rtpmap` or `a=fmtp` by payload type; the first one of a type counts.
struct ByType<'a>([Option<&'a str>; 128]);

impl Default for ByType<'_> {
    fn default() -> Self {
        ByType([None; 128])
    }
}

impl<'a> ByType<'a> {
    fn note(&mut self, value: &'a str) {
        let Some((number, rest)) = value.trim().split_once([' ', '\t']) else { return };
        let slot = payload_type(number).and_then(|number| self.0.get_mut(usize::from(number)));
        if let Some(slot) = slot {
            slot.get_or_insert(rest.trim());
        }
    }

    fn of(&self, payload_type: u8) -> Option<&'a str> {
        self.0.get(usize::from(payload_type)).copied().flatten()
    }
}

fn payload_type(text: &str) -> Option<u8> {
    text.parse().ok().filter(|&number| number < 128)
}

/// The payload types with a fixed meaning (RFC 3551 §6, tables 4 and 5).
const STATIC_TYPES: [(u8, &str, u32, u8); 24] = [
    (0, "PCMU", 8000, 1),
    (3, "GSM", 8000, 1),
    (4, "G723", 8000, 1),
    (5, "DVI4", 8000, 1),
    (6, "DVI4", 16000, 1),
    (7, "LPC", 8000, 1),
    (8, "PCMA", 8000, 1),
    (9, "G722", 8000, 1),
    (10, "L16", 44100, 2),
    (11, "L16", 44100, 1),
    (12, "QCELP", 8000, 1),
    (13, "CN", 8000, 1),
    (14, "MPA", 90000, 1),
    (15, "G728", 8000, 1),
    (16, "DVI4", 11025, 1),
    (17, "DVI4", 22050, 1),
    (18, "G729", 8000, 1),
    (25, "CelB", 90000, 1),
    (26, "JPEG", 90000, 1),
    (28, "nv", 90000, 1),
    (31, "H261", 90000, 1),
    (32, "MPV", 90000, 1),
    (33, "MP2T", 90000, 1),
    (34, "H263", 90000, 1),
];

/// Payloads that stand beside a voice codec and are never chosen as one.
const NOT_VOICE: [&str; 7] = ["telephone-event", "tone", "CN", "red", "ulpfec", "rtx", "flexfec"];
