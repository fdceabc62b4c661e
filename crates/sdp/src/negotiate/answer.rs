//! Answering an offer, and reading the answer to ours (RFC 3264 §6 and §7).

use super::layout::{carried, is_audio, refused, usable_audio};
use super::offer::{audio_line, describe};
use super::{Agreed, Local, Origin, PTIME_DEFAULT_MS, PTIME_RANGE_MS, Refusal, TELEPHONE_EVENTS};
use crate::{Description, Direction, MediaLine, RtpCodec};

/// Our answer, and what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The answer to send.
    pub description: Description,
    /// What we accepted.
    pub stream: Agreed,
}

/// Our answer in a bridge that carries streams between its legs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnsweredCarrying {
    /// The answer to send.
    pub description: Description,
    /// The audio we accepted; `None` if only carried streams were.
    pub stream: Option<Agreed>,
}

/// Accepts the first audio stream of `offer` that shares a codec with `ours`, and refuses every
/// other stream with port 0.
///
/// The order of `ours` decides between several common codecs; one is answered, so that the peer
/// does not change in mid-stream. A codec in `ours` with parameters has them written into the
/// answer. `direction` is what we are willing to do.
///
/// # Errors
/// There is no audio, or no common codec: the offer deserves a 488 with [`Refusal::warning`].
pub fn answer(
    origin: &mut Origin,
    offer: &Description,
    local: Local,
    ours: &[RtpCodec],
    direction: Direction,
) -> Result<Answered, Refusal> {
    let (stream, line) = accept_audio(offer, local, ours, direction)?;
    let media = offer.media.iter().enumerate().map(|(index, offered)| {
        if index == stream.media_index { line.clone() } else { refused(offered) }
    });
    let description = describe(origin, local, media.collect());
    Ok(Answered { description, stream })
}

/// Like [`answer`], and gives back what the other leg said to the streams carried to it.
///
/// `other` is that leg's answer to an offer laid out by [`super::Layout::for_other_leg`] from this
/// `offer`, so its lines stand in the same places. A line missing there, or of another kind, is
/// refused.
///
/// # Errors
/// Neither audio was agreed to nor any carried stream accepted.
pub fn answer_carrying(
    origin: &mut Origin,
    offer: &Description,
    local: Local,
    ours: &[RtpCodec],
    direction: Direction,
    other: &Description,
) -> Result<AnsweredCarrying, Refusal> {
    let audio = accept_audio(offer, local, ours, direction);
    let mut carries = false;
    let mut media = Vec::with_capacity(offer.media.len());
    for (index, offered) in offer.media.iter().enumerate() {
        let theirs = other.media.get(index).filter(|line| answers(offered, line));
        media.push(match (&audio, theirs) {
            (Ok((stream, line)), _) if stream.media_index == index => line.clone(),
            (_, Some(theirs)) if !theirs.is_refused() && !offered.is_refused() => {
                carries = true;
                carried(other, theirs)
            }
            _ => refused(offered),
        });
    }
    let stream = match audio {
        Ok((stream, _)) => Some(stream),
        Err(_) if carries => None,
        Err(refusal) => return Err(refusal),
    };
    Ok(AnsweredCarrying { description: describe(origin, local, media), stream })
}

/// Reads the answer to an offer of ours.
///
/// # Errors
/// The audio was refused, or accepted with nothing that we had offered.
pub fn accept_answer(offer: &Description, answer: &Description) -> Result<Agreed, Refusal> {
    let no_audio = || Refusal::no_audio(answer);
    let (index, offered) = usable_audio(offer).ok_or_else(no_audio)?;
    // A peer that leaves lines out breaks RFC 3264 §6; its audio can only be the one there is.
    let (media_index, line) = if answer.media.len() == offer.media.len() {
        answer.media.get(index).map(|line| (index, line))
    } else {
        usable_audio(answer)
    }
    .filter(|(_, line)| line.is_rtp_audio() && !line.is_refused())
    .ok_or_else(no_audio)?;

    let offered_codecs = offered.codecs();
    let (codec, receive_payload_type) = line
        .codecs()
        .into_iter()
        .filter(RtpCodec::is_voice)
        .find_map(|codec| {
            let own = best_match(&offered_codecs, &codec)?.payload_type;
            Some((codec, own))
        })
        .ok_or_else(|| Refusal::no_common_codec(answer))?;
    let own_event = event_beside(offered, &codec);
    let event = own_event.as_ref().and_then(|_| event_beside(line, &codec));
    Ok(Agreed {
        media_index,
        remote: line.remote(answer),
        receive_payload_type,
        receive_telephone_event: event.as_ref().and(own_event).map(|event| event.payload_type),
        telephone_event: event.map(|event| event.payload_type),
        direction: offered.direction(offer).and(line.direction(answer).reversed()),
        ptime_ms: ptime_to_send(line),
        codec,
    })
}

/// The audio we accept of `offer`, and our line for it.
fn accept_audio(
    offer: &Description,
    local: Local,
    ours: &[RtpCodec],
    willing: Direction,
) -> Result<(Agreed, MediaLine), Refusal> {
    usable_audio(offer).ok_or_else(|| Refusal::no_audio(offer))?;
    let usable = |line: &MediaLine| line.is_rtp_audio() && !line.is_refused();
    let lines = offer.media.iter().enumerate().filter(|(_, line)| usable(line));
    for (media_index, line) in lines {
        let offered = line.codecs();
        let common = ours.iter().filter(|own| own.is_voice()).find_map(|own| {
            let codec = best_match(&offered, own)?.clone();
            Some((codec, own))
        });
        let Some((codec, own)) = common else { continue };
        let event = event_beside(line, &codec);
        let direction = line.direction(offer).reversed().and(willing);
        let ptime_ms = ptime_to_send(line);

        let mut answered = vec![RtpCodec { fmtp: own.fmtp.clone(), ..codec.clone() }];
        let telephone_event = event.as_ref().map(|event| event.payload_type);
        answered
            .extend(event.map(|event| RtpCodec { fmtp: Some(TELEPHONE_EVENTS.into()), ..event }));
        let answer_line = audio_line(local, &line.protocol, &answered, direction, ptime_ms);
        let agreed = Agreed {
            media_index,
            remote: line.remote(offer),
            receive_payload_type: codec.payload_type,
            telephone_event,
            receive_telephone_event: telephone_event,
            direction,
            ptime_ms,
            codec,
        };
        return Ok((agreed, answer_line));
    }
    Err(Refusal::no_common_codec(offer))
}

/// The entry of `offered` that `codec` means. The same encoding may be offered several times with
/// different parameters; the number tells them apart, and failing that the parameters.
fn best_match<'a>(offered: &'a [RtpCodec], codec: &RtpCodec) -> Option<&'a RtpCodec> {
    let same = || offered.iter().filter(|own| own.same_encoding(codec));
    same()
        .find(|own| own.payload_type == codec.payload_type)
        .or_else(|| same().find(|own| own.fmtp == codec.fmtp))
        .or_else(|| same().next())
}

/// Key presses on the clock of `codec`, whose timestamps they share, or else the ones the line has:
/// many phones offer them at 8000 Hz beside any codec.
fn event_beside(line: &MediaLine, codec: &RtpCodec) -> Option<RtpCodec> {
    let codecs = line.codecs();
    let mut events = codecs.iter().filter(|event| event.is_telephone_event());
    let fitting = events.clone().find(|event| event.rate_hz == codec.rate_hz);
    fitting.or_else(|| events.next()).cloned()
}

fn ptime_to_send(line: &MediaLine) -> u16 {
    line.ptime_ms().filter(|ms| PTIME_RANGE_MS.contains(ms)).unwrap_or(PTIME_DEFAULT_MS)
}

/// Whether `theirs` can be an answer to the carried line `offered`.
fn answers(offered: &MediaLine, theirs: &MediaLine) -> bool {
    !is_audio(offered)
        && offered.kind.eq_ignore_ascii_case(&theirs.kind)
        && offered.protocol.eq_ignore_ascii_case(&theirs.protocol)
}
