//! The `.au` format of Sun and NeXT, which many systems keep G.711 prompts in.

use super::{DecodeError, Mixer, Pcm};
use crate::codec::g711::Law;

/// How samples are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Law(Law),
    /// Big-endian signed integers of so many bytes, 1 to 4.
    Linear(usize),
    Float,
}

pub(super) fn decode(bytes: &[u8]) -> Result<Pcm, DecodeError> {
    let field = |index: usize| -> Option<u32> {
        bytes.get(index * 4..)?.first_chunk().map(|field| u32::from_be_bytes(*field))
    };
    let header = (|| Some((field(0)?, field(1)?, field(2)?, field(3)?, field(4)?, field(5)?)))();
    let Some((MAGIC, offset, length, encoding, rate_hz, channels)) = header else {
        return Err(DecodeError::Unreadable { flaw: "it does not begin with an .au header" });
    };
    let encoding = match encoding {
        1 => Encoding::Law(Law::Mu),
        27 => Encoding::Law(Law::A),
        2..=5 => Encoding::Linear(encoding as usize - 1),
        6 => Encoding::Float,
        _ => return Err(DecodeError::Unreadable { flaw: "an .au encoding that is not known" }),
    };
    let data = bytes.get(offset as usize..).unwrap_or_default();
    // A length of all ones means up to the end; a file cut short is played as far as it goes.
    let data = data.get(..length as usize).unwrap_or(data);
    let channels = u16::try_from(channels)
        .map_err(|_| DecodeError::Unreadable { flaw: "too many channels" })?;
    let mut mixer = Mixer::new(rate_hz, channels)?;
    match encoding {
        Encoding::Law(law) => {
            mixer.push(data.iter().map(|&byte| f32::from(law.decode(byte)) / 32_768.0))?;
        }
        Encoding::Linear(width) => mixer.push(data.chunks_exact(width).map(linear))?,
        Encoding::Float => mixer.push(data.chunks_exact(4).map(|sample| {
            sample.first_chunk().map_or(0.0, |sample| f32::from_be_bytes(*sample))
        }))?,
    }
    mixer.finish()
}

/// A big-endian integer of up to four bytes, as a part of full scale.
fn linear(sample: &[u8]) -> f32 {
    let mut wide = [0; 4];
    for (place, &byte) in wide.iter_mut().zip(sample) {
        *place = byte;
    }
    i32::from_be_bytes(wide) as f32 / 2_147_483_648.0
}

/// `.snd`
const MAGIC: u32 = 0x2e73_6e64;
