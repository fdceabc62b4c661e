//! Making an offer (RFC 3264 §5 and §8).

use super::layout::{Slot, session_connection};
use super::{Layout, Local, Origin, PTIME_DEFAULT_MS, TELEPHONE_EVENTS};
use crate::{Description, Direction, MediaLine, RtpCodec};

/// An offer of ours: the audio at `local` with these codecs, first choice first, and whatever else
/// `layout` has.
///
/// Key presses are offered under the number `telephone_event`. If `layout` has no audio the codecs
/// are not used.
pub fn offer(
    origin: &mut Origin,
    local: Local,
    codecs: &[RtpCodec],
    telephone_event: Option<u8>,
    direction: Direction,
    layout: &Layout,
) -> Description {
    let mut offered = codecs.to_vec();
    offered.extend(telephone_event.map(|number| event_codec(number, codecs)));
    let media = layout.slots.iter().map(|slot| match slot {
        Slot::Audio { protocol } => {
            audio_line(local, protocol, &offered, direction, PTIME_DEFAULT_MS)
        }
        Slot::Verbatim(line) => MediaLine::clone(line),
    });
    describe(origin, local, media.collect())
}

/// The codecs to offer to the other leg of a bridge: those of `offer`, with its numbers and
/// parameters, and after them the two kinds of G.711, into which we can convert.
pub fn codecs_for_other_leg(offer: &MediaLine) -> Vec<RtpCodec> {
    let all = offer.codecs();
    let mut codecs: Vec<RtpCodec> = all.iter().filter(|codec| codec.is_voice()).cloned().collect();
    for own in [RtpCodec::pcmu(), RtpCodec::pcma()] {
        // A peer may have given our number to something else, which then keeps it.
        let taken = all.iter().any(|codec| codec.payload_type == own.payload_type);
        if !taken && !codecs.iter().any(|codec| codec.same_encoding(&own)) {
            codecs.push(own);
        }
    }
    codecs
}

/// The number for key presses to offer to the other leg: the one `offer` has, else 101 or the first
/// after it that the offer leaves free.
pub fn telephone_event_for_other_leg(offer: &MediaLine) -> Option<u8> {
    let free = |number: &u8| !offer.formats.iter().any(|format| *format == number.to_string());
    offer.telephone_event().or_else(|| (101..=127).chain(96..=100).find(free))
}

/// A description of ours with these lines, stamped with its version.
pub(super) fn describe(origin: &mut Origin, local: Local, media: Vec<MediaLine>) -> Description {
    let mut description = Description {
        origin: origin.line(local.ip),
        session_name: "-".into(),
        information: None,
        connection: session_connection(local.ip),
        bandwidths: Vec::new(),
        attributes: Vec::new(),
        media,
    };
    origin.stamp(&mut description);
    description
}

/// Our audio stream with these codecs, in this order.
pub(super) fn audio_line(
    local: Local,
    protocol: &str,
    codecs: &[RtpCodec],
    direction: Direction,
    ptime_ms: u16,
) -> MediaLine {
    let mut line = MediaLine::new("audio", local.port, protocol, &[]);
    for codec in codecs {
        line.formats.push(codec.payload_type.to_string());
        line.attributes.push(("rtpmap".into(), Some(codec.rtpmap())));
        if let Some(fmtp) = &codec.fmtp {
            let value = format!("{} {fmtp}", codec.payload_type);
            line.attributes.push(("fmtp".into(), Some(value)));
        }
    }
    line.attributes.push(("ptime".into(), Some(ptime_ms.to_string())));
    line.attributes.push((direction.as_str().into(), None));
    line
}

/// Key presses under this number, at a clock that one of `codecs` has, since they share timestamps.
fn event_codec(number: u8, codecs: &[RtpCodec]) -> RtpCodec {
    let common = codecs.iter().any(|codec| codec.rate_hz == 8000);
    let rate_hz = codecs.first().filter(|_| !common).map_or(8000, |codec| codec.rate_hz);
    let codec = RtpCodec::new(number, "telephone-event", rate_hz);
    RtpCodec { fmtp: Some(TELEPHONE_EVENTS.into()), ..codec }
}
