//! The sound side of one party: our port, what we offered or answered, what was agreed.
//!
//! A leg knows no SIP: session descriptions go in and out, and media commands follow from them.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use media::{Codec, Command, Latch, Stream};
use sdp::{Agreed, Description, Direction, Layout, Local, Origin, Refusal, RtpCodec};

use crate::desk::{CallId, Desk, Socket, is_private};
use sip_engine::Flow;

/// The sound side of one party.
#[derive(Debug)]
pub(crate) struct Leg {
    pub(crate) socket: Socket,
    origin: Origin,
    agreed: Option<Agreed>,
    /// What we said last, ready to be said again in a 2xx after a 183.
    described: Bytes,
    negotiation: Negotiation,
    /// Whether our last word was an offer.
    asking: bool,
    latch: Latch,
    /// Where this party's SIP comes from, when the call began.
    signalling_ip: IpAddr,
}

/// How far offer and answer are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Negotiation {
    /// Nothing was said.
    Fresh,
    /// Our offer waits for its answer.
    Offered,
    /// Offer and answer are exchanged, though perhaps without any sound in them.
    Agreed,
}

impl Leg {
    /// Takes a port; `None` when there is none left.
    pub(super) fn open(desk: &mut Desk, call: CallId, thread: usize, flow: Flow) -> Option<Self> {
        let socket = desk.open_socket(call, thread, flow)?;
        Some(Self {
            socket,
            origin: Origin::new(desk.rng.u64(..)),
            agreed: None,
            described: Bytes::new(),
            negotiation: Negotiation::Fresh,
            asking: false,
            latch: if desk.config.nat { Latch::Nat } else { Latch::SameHost },
            signalling_ip: flow.remote.ip(),
        })
    }

    /// Moves the sound to a port of another media thread, where it begins once an offer of the new
    /// port, which has to follow, is answered. `false` if no port is left; then nothing has changed.
    pub(super) fn move_to(
        &mut self,
        desk: &mut Desk,
        call: CallId,
        thread: usize,
        flow: Flow,
    ) -> bool {
        let Some(socket) = desk.open_socket(call, thread, flow) else { return false };
        let old = std::mem::replace(&mut self.socket, socket);
        desk.close_socket(old);
        desk.forget_leg(old.leg);
        self.agreed = None;
        true
    }

    pub(crate) fn close(self, desk: &mut Desk) {
        desk.close_socket(self.socket);
        desk.forget_leg(self.socket.leg);
    }

    /// Whether offer and answer are exchanged.
    pub(super) fn is_agreed(&self) -> bool {
        self.negotiation == Negotiation::Agreed
    }

    /// Whether an offer of ours still waits for its answer.
    pub(super) fn awaits_answer(&self) -> bool {
        self.asking
    }

    /// Our offer came to nothing: what was agreed before holds.
    pub(super) fn offer_failed(&mut self) {
        self.asking = false;
    }

    /// Whether we can play to this party and understand it.
    pub(super) fn speaks_g711(&self) -> bool {
        self.agreed.as_ref().is_some_and(|agreed| is_g711(&agreed.codec))
    }

    /// What this party speaks, once agreed.
    pub(super) fn codec(&self) -> Option<&RtpCodec> {
        self.agreed.as_ref().map(|agreed| &agreed.codec)
    }

    pub(super) fn agreed(&self) -> Option<&Agreed> {
        self.agreed.as_ref()
    }

    /// Which way sound goes, as we see it.
    pub(super) fn direction(&self) -> Direction {
        self.agreed.as_ref().map_or(Direction::Inactive, |agreed| agreed.direction)
    }

    /// What we said last.
    pub(super) fn described(&self) -> Bytes {
        self.described.clone()
    }

    /// The same, to be read.
    pub(super) fn last_description(&self) -> Option<Description> {
        self.origin.last()
    }

    /// Answers an offer. `other` is the far leg's answer, whose carried streams are given back.
    pub(super) fn answer(
        &mut self,
        desk: &mut Desk,
        offer: &Description,
        ours: &[RtpCodec],
        direction: Direction,
        other: Option<&Description>,
    ) -> Result<Bytes, Refusal> {
        let local = self.local();
        let (description, stream) = match other {
            Some(other) => {
                let answered = sdp::negotiate::answer_carrying(
                    &mut self.origin,
                    offer,
                    local,
                    ours,
                    direction,
                    other,
                )?;
                (answered.description, answered.stream)
            }
            None => {
                let answered =
                    sdp::negotiate::answer(&mut self.origin, offer, local, ours, direction)?;
                (answered.description, Some(answered.stream))
            }
        };
        self.described = description.to_bytes().into();
        self.asking = false;
        self.settle(desk, stream);
        Ok(self.described())
    }

    /// Makes an offer, laid out like the far party's offer when there is one.
    pub(super) fn offer(
        &mut self,
        codecs: &[RtpCodec],
        telephone_event: Option<u8>,
        direction: Direction,
        theirs: Option<&Description>,
    ) -> Bytes {
        let layout = match (theirs, self.origin.last()) {
            (Some(theirs), _) => Layout::for_other_leg(theirs),
            (None, Some(last)) => Layout::again(&last),
            (None, None) => Layout::audio_only(),
        };
        let local = self.local();
        let origin = &mut self.origin;
        let description =
            sdp::negotiate::offer(origin, local, codecs, telephone_event, direction, &layout);
        self.described = description.to_bytes().into();
        self.asking = true;
        if self.negotiation == Negotiation::Fresh {
            self.negotiation = Negotiation::Offered;
        }
        self.described()
    }

    /// Offers what was agreed before, in another direction (hold and resume, RFC 3264 §8.4).
    pub(super) fn offer_again(&mut self, direction: Direction) -> Bytes {
        let codecs: Vec<RtpCodec> = self.codec().cloned().into_iter().collect();
        let event = self.agreed.as_ref().and_then(|agreed| agreed.telephone_event);
        let codecs = if codecs.is_empty() { g711() } else { codecs };
        self.offer(&codecs, event, direction, None)
    }

    /// Reads the answer to our offer.
    pub(super) fn take_answer(
        &mut self,
        desk: &mut Desk,
        answer: &Description,
    ) -> Result<(), Refusal> {
        let Some(offer) = self.origin.last() else { return Ok(()) };
        self.asking = false;
        match sdp::negotiate::accept_answer(&offer, answer) {
            Ok(agreed) => self.settle(desk, Some(agreed)),
            Err(_) if sdp::negotiate::carries_accepted_streams(answer) => self.settle(desk, None),
            Err(refusal) => return Err(refusal),
        }
        Ok(())
    }

    /// Notes what was agreed and tells the media thread.
    fn settle(&mut self, desk: &mut Desk, agreed: Option<Agreed>) {
        self.negotiation = Negotiation::Agreed;
        if self.agreed == agreed {
            return;
        }
        self.agreed = agreed;
        if let Some(agreed) = &self.agreed {
            let remote = agreed.remote.map(|described| self.reachable(described));
            let stream = stream_of(agreed, remote, self.latch);
            desk.media(self.socket, Command::Configure { leg: self.socket.leg, stream });
        }
    }

    /// Where the party's sound is to be expected. Behind NAT a phone describes an address that means
    /// nothing here; its sound will come from where its SIP comes from, and no stranger who sends
    /// first must be as near as that.
    fn reachable(&self, described: SocketAddr) -> SocketAddr {
        let behind_nat = self.latch == Latch::Nat
            && is_private(described.ip())
            && !is_private(self.signalling_ip);
        if behind_nat { SocketAddr::new(self.signalling_ip, described.port()) } else { described }
    }

    fn local(&self) -> Local {
        Local { ip: self.socket.ip, port: self.socket.port }
    }
}

/// Which way a party wants sound to go, as that party sees it.
pub(crate) fn described_direction(theirs: &Description) -> Direction {
    audio_of(theirs).map_or(Direction::Inactive, |line| line.direction(theirs))
}

/// What one party's offer lets us offer another: codecs, and the payload type of telephone events.
pub(crate) fn offerable_to_other(offer: &Description) -> (Vec<RtpCodec>, Option<u8>) {
    let audio = audio_of(offer);
    let codecs = audio.map_or_else(g711, sdp::codecs_for_other_leg);
    (codecs, audio.and_then(sdp::telephone_event_for_other_leg))
}

fn audio_of(description: &Description) -> Option<&sdp::MediaLine> {
    description.media.iter().find(|line| line.is_rtp_audio() && !line.is_refused())
}

/// Both kinds of G.711: what we can play, record and convert.
pub(crate) fn g711() -> Vec<RtpCodec> {
    vec![RtpCodec::pcmu(), RtpCodec::pcma()]
}

pub(crate) fn is_g711(codec: &RtpCodec) -> bool {
    codec.same_encoding(&RtpCodec::pcmu()) || codec.same_encoding(&RtpCodec::pcma())
}

/// What a party that is bridged to `far` may speak: the same, or what we can convert it to.
pub(crate) fn compatible_with(far: &RtpCodec) -> Vec<RtpCodec> {
    let mut codecs = vec![far.clone()];
    if is_g711(far) {
        codecs.extend(g711().into_iter().filter(|own| !own.same_encoding(far)));
    }
    codecs
}

fn stream_of(agreed: &Agreed, remote: Option<SocketAddr>, latch: Latch) -> Stream {
    let codec = &agreed.codec;
    Stream {
        remote,
        codec: if codec.same_encoding(&RtpCodec::pcmu()) {
            Codec::Pcmu
        } else if codec.same_encoding(&RtpCodec::pcma()) {
            Codec::Pcma
        } else {
            Codec::Opaque { rate_hz: codec.rate_hz }
        },
        payload_type: codec.payload_type,
        receive_payload_type: agreed.receive_payload_type,
        dtmf_payload_type: agreed.telephone_event,
        receive_dtmf_payload_type: agreed.receive_telephone_event,
        ptime_ms: agreed.ptime_ms,
        sending: agreed.direction.can_send().into(),
        receiving: agreed.direction.can_receive().into(),
        latch,
    }
}
