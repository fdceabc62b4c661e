//! Writes a sound as a WAV file in memory, for exports.

/// A complete WAV file: 16-bit mono at 8,000 Hz. Sounds beyond what the format can say, 37 hours,
/// are cut there.
pub fn wav(samples: &[i16]) -> Vec<u8> {
    let samples = samples.get(..SAMPLES_MAX).unwrap_or(samples);
    let data_bytes = samples.len() as u32 * 2;
    let mut file = Vec::with_capacity(HEADER_BYTES + samples.len() * 2);
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(data_bytes + HEADER_BYTES as u32 - 8).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt ");
    file.extend_from_slice(&16_u32.to_le_bytes());
    file.extend_from_slice(&1_u16.to_le_bytes());
    file.extend_from_slice(&1_u16.to_le_bytes());
    file.extend_from_slice(&8_000_u32.to_le_bytes());
    file.extend_from_slice(&16_000_u32.to_le_bytes());
    file.extend_from_slice(&2_u16.to_le_bytes());
    file.extend_from_slice(&16_u16.to_le_bytes());
    file.extend_from_slice(b"data");
    file.extend_from_slice(&data_bytes.to_le_bytes());
    file.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    file
}

const HEADER_BYTES: usize = 44;
const SAMPLES_MAX: usize = (u32::MAX as usize - HEADER_BYTES) / 2;
