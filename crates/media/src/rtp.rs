//! RTP on the wire (RFC 3550 §5.1). Knows nothing of codecs.

pub(crate) mod dtmf;
pub(crate) mod gate;
pub(crate) mod out_stream;

#[cfg(test)]
mod tests;

/// What a datagram on an RTP port is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Datagram<'a> {
    Rtp(Rtp<'a>),
    /// RTCP on the same port (RFC 5761 §4).
    Rtcp,
    /// STUN, DTLS, junk, or RTP cut short.
    Other,
}

/// A received RTP packet, without padding, contributing sources and header extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rtp<'a> {
    pub(crate) marker: bool,
    pub(crate) payload_type: u8,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) ssrc: u32,
    pub(crate) payload: &'a [u8],
}

/// The changing parts of a header that we write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) marker: bool,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) ssrc: u32,
}

/// Bytes of a header without contributing sources and extension.
pub(crate) const HEADER_BYTES: usize = 12;

/// Longest datagram that is looked at; more than any codec sends in one packet.
pub(crate) const PACKET_BYTES_MAX: usize = 1_500;

/// Tells what a datagram is. Allocates nothing.
pub(crate) fn read(bytes: &[u8]) -> Datagram<'_> {
    let Some((header, rest)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
        return Datagram::Other;
    };
    let [flags, kind, s0, s1, t0, t1, t2, t3, r0, r1, r2, r3] = *header;
    if flags >> 6 != 2 || bytes.len() > PACKET_BYTES_MAX {
        return Datagram::Other;
    }
    if (192..=223).contains(&kind) {
        return Datagram::Rtcp;
    }
    let Some(payload) = payload(flags, rest) else {
        return Datagram::Other;
    };
    Datagram::Rtp(Rtp {
        marker: kind & 0x80 != 0,
        payload_type: kind & 0x7f,
        sequence: u16::from_be_bytes([s0, s1]),
        timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
        ssrc: u32::from_be_bytes([r0, r1, r2, r3]),
        payload,
    })
}

/// What is left of `rest` once contributing sources, extension and padding are taken away.
fn payload(flags: u8, rest: &[u8]) -> Option<&[u8]> {
    let mut rest = rest.get(usize::from(flags & 0x0f) * 4..)?;
    if flags & 0x10 != 0 {
        let (&[_, _, high, low], after) = rest.split_first_chunk::<4>()?;
        rest = after.get(usize::from(u16::from_be_bytes([high, low])) * 4..)?;
    }
    if flags & 0x20 != 0 {
        let padding = usize::from(*rest.last()?);
        if padding == 0 {
            return None;
        }
        rest = rest.get(..rest.len().checked_sub(padding)?)?;
    }
    Some(rest)
}

/// The header in front of a payload that we send.
pub(crate) fn header(payload_type: u8, stamp: Stamp) -> [u8; HEADER_BYTES] {
    let [s0, s1] = stamp.sequence.to_be_bytes();
    let [t0, t1, t2, t3] = stamp.timestamp.to_be_bytes();
    let [r0, r1, r2, r3] = stamp.ssrc.to_be_bytes();
    let marker = if stamp.marker { 0x80 } else { 0 };
    [0x80, marker | (payload_type & 0x7f), s0, s1, t0, t1, t2, t3, r0, r1, r2, r3]
}

/// How far `to` lies after `from` in sequence, negative if before (RFC 1982).
pub(crate) fn sequence_distance(from: u16, to: u16) -> i16 {
    to.wrapping_sub(from).cast_signed()
}

/// How far `to` lies after `from` in time, negative if before.
pub(crate) fn timestamp_distance(from: u32, to: u32) -> i32 {
    to.wrapping_sub(from).cast_signed()
}
