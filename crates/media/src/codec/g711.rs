//! G.711: mu-law and A-law (ITU-T G.711, RFC 3551 §4.5.14).

use crate::Codec;

#[cfg(test)]
mod tests;

/// Which of the two companding laws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Law {
    Mu,
    A,
}

impl Codec {
    /// The companding law, if this is G.711.
    pub(crate) fn law(self) -> Option<Law> {
        match self {
            Codec::Pcmu => Some(Law::Mu),
            Codec::Pcma => Some(Law::A),
            Codec::Opaque { .. } => None,
        }
    }

    /// The RTP clock rate.
    pub(crate) fn rate_hz(self) -> u32 {
        match self {
            Codec::Pcmu | Codec::Pcma => 8_000,
            Codec::Opaque { rate_hz } => rate_hz,
        }
    }
}

impl Law {
    /// One sample to one byte.
    pub(crate) fn encode(self, sample: i16) -> u8 {
        match self {
            Law::Mu => encode_mu(sample),
            Law::A => encode_a(sample),
        }
    }

    /// One byte to one sample.
    pub(crate) fn decode(self, byte: u8) -> i16 {
        let table = match self {
            Law::Mu => &MU_TO_LINEAR,
            Law::A => &A_TO_LINEAR,
        };
        entry(table, byte, 0)
    }

    /// The byte that stands for silence.
    pub(crate) fn silence(self) -> u8 {
        match self {
            Law::Mu => 0xff,
            Law::A => 0xd5,
        }
    }
}

/// Appends `payload`, written by one law, as the other law writes it.
pub(crate) fn transcode(payload: &[u8], from: Law, to: Law, out: &mut Vec<u8>) {
    let table = match (from, to) {
        (Law::Mu, Law::A) => &MU_TO_A,
        (Law::A, Law::Mu) => &A_TO_MU,
        (Law::Mu, Law::Mu) | (Law::A, Law::A) => {
            out.extend_from_slice(payload);
            return;
        }
    };
    out.extend(payload.iter().map(|&byte| entry(table, byte, byte)));
}

/// A table of 256 has an entry for each byte, so `otherwise` is never taken and compiles to nothing.
fn entry<T: Copy>(table: &[T; 256], byte: u8, otherwise: T) -> T {
    table.get(usize::from(byte)).copied().unwrap_or(otherwise)
}

const fn encode_mu(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let magnitude = sample.unsigned_abs();
    let biased = if magnitude > MU_CLIP { MU_CLIP } else { magnitude } + MU_BIAS;
    let exponent = 8 - biased.leading_zeros() as u16;
    let mantissa = (biased >> (exponent + 3)) & 0x0f;
    !(sign | ((exponent << 4) | mantissa) as u8)
}

const fn decode_mu(byte: u8) -> i16 {
    let code = !byte;
    let exponent = (code >> 4) & 7;
    let magnitude = ((((code & 0x0f) as i16) << 3) + MU_BIAS as i16) << exponent;
    if code & 0x80 == 0 { magnitude - MU_BIAS as i16 } else { MU_BIAS as i16 - magnitude }
}

const fn encode_a(sample: i16) -> u8 {
    // Negative values are mirrored about -1/2, so that both signs have as many steps.
    let (mask, magnitude) =
        if sample < 0 { (0x55, (!sample) as u16 >> 3) } else { (0xd5, sample as u16 >> 3) };
    let segment = if magnitude < 32 { 0 } else { 11 - magnitude.leading_zeros() as u16 };
    let shift = if segment < 2 { 1 } else { segment };
    let mantissa = (magnitude >> shift) & 0x0f;
    ((segment << 4) | mantissa) as u8 ^ mask
}

const fn decode_a(byte: u8) -> i16 {
    let code = byte ^ 0x55;
    let segment = (code >> 4) & 7;
    let mantissa = ((code & 0x0f) as i16) << 4;
    let magnitude = match segment {
        0 => mantissa + 8,
        _ => (mantissa + 0x108) << (segment - 1),
    };
    if code & 0x80 == 0 { -magnitude } else { magnitude }
}

const MU_BIAS: u16 = 132;
const MU_CLIP: u16 = 32_635;

static MU_TO_LINEAR: [i16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, within bounds")]
        {
            table[byte] = decode_mu(byte as u8);
        }
        byte += 1;
    }
    table
};

static A_TO_LINEAR: [i16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, within bounds")]
        {
            table[byte] = decode_a(byte as u8);
        }
        byte += 1;
    }
    table
};

static MU_TO_A: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, within bounds")]
        {
            table[byte] = encode_a(decode_mu(byte as u8));
        }
        byte += 1;
    }
    table
};

static A_TO_MU: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, within bounds")]
        {
            table[byte] = encode_mu(decode_a(byte as u8));
        }
        byte += 1;
    }
    table
};
