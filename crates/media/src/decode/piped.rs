//! WAV files that were written into a pipe: whoever writes one begins with how long it is, and cannot
//! go back there once that is known.

/// Puts the true lengths where a WAV file says that it, or the sound in it, is longer than what there
/// is, or has no length yet. Leaves all other files as they are.
pub(super) fn tell_lengths(file: &mut [u8]) {
    let end = file.len();
    let said = number(file, LENGTH_AT);
    let is_open = said.is_none_or(|said| said == 0 || LENGTH_AT + 4 + said > end);
    if !file.starts_with(b"RIFF") || !is_open {
        return;
    }
    put(file, LENGTH_AT, end.saturating_sub(LENGTH_AT + 4));
    let mut at = CHUNKS_AT;
    // Bytes of one moment of sound, of all channels.
    let mut frame = 1;
    while let (Some(name), Some(length)) = (file.get(at..at + 4), number(file, at + 4)) {
        let content = at + 8;
        match name {
            b"fmt " => {
                let bytes = file.get(content + 12..content + 14);
                let bytes = bytes.and_then(|bytes| bytes.try_into().ok()).map(u16::from_le_bytes);
                frame = usize::from(bytes.unwrap_or(1).max(1));
            }
            b"data" => {
                let there = end.saturating_sub(content);
                if length == 0 || length > there {
                    put(file, at + 4, there - there % frame);
                }
                return;
            }
            _ => {}
        }
        // Chunks begin at even places.
        at = content.saturating_add(length).saturating_add(length % 2);
    }
}

fn number(file: &[u8], at: usize) -> Option<usize> {
    let bytes = file.get(at..at.checked_add(4)?)?.try_into().ok()?;
    usize::try_from(u32::from_le_bytes(bytes)).ok()
}

fn put(file: &mut [u8], at: usize, length: usize) {
    if let (Some(bytes), Ok(length)) = (file.get_mut(at..at + 4), u32::try_from(length)) {
        bytes.copy_from_slice(&length.to_le_bytes());
    }
}

/// Where a file says how long it is, after these bytes,
const LENGTH_AT: usize = 4;
/// and where its parts begin.
const CHUNKS_AT: usize = 12;
