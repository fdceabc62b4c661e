//! Formats that `symphonia` reads.

use std::io::{Cursor, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};

use symphonia::core::codecs::audio::AudioDecoderOptions;
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, TrackType};
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;

use super::{DecodeError, Mixer, Pcm};

/// Decodes the first sound track. A packet here and there may be broken, as the first of an MP3
/// stream often is; when it is more than a tenth, the file is.
pub(super) fn decode(ending: &str, bytes: Vec<u8>) -> Result<Pcm, DecodeError> {
    if bytes.is_empty() {
        return Err(DecodeError::Empty);
    }
    // Some readers count beyond what an integer holds when a file is broken. All they touched is
    // dropped with them, so nothing half-done is seen afterwards.
    catch_unwind(AssertUnwindSafe(|| decode_all(ending, bytes)))
        .unwrap_or(Err(DecodeError::Unreadable { flaw: "its reader gave up" }))
}

fn decode_all(ending: &str, bytes: Vec<u8>) -> Result<Pcm, DecodeError> {
    let source = Box::new(Cursor::new(bytes));
    let stream = MediaSourceStream::new(source, MediaSourceStreamOptions::default());
    let mut hint = Hint::new();
    hint.with_extension(ending);
    let mut format = symphonia::default::get_probe()
        .probe(&hint, stream, FormatOptions::default(), MetadataOptions::default())
        .map_err(|error| unreadable(&error))?;
    let track = format
        .default_track(TrackType::Audio)
        .ok_or(DecodeError::Unreadable { flaw: "no sound track" })?;
    let track_id = track.id;
    let parameters = track
        .codec_params
        .as_ref()
        .and_then(|parameters| parameters.audio())
        .ok_or(DecodeError::Unreadable { flaw: "a codec that is not known" })?;
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default())
        .map_err(|error| unreadable(&error))?;

    let mut mixer: Option<Mixer> = None;
    let mut samples: Vec<f32> = Vec::new();
    let mut packets = 0_usize;
    let mut broken: Vec<DecodeError> = Vec::new();
    loop {
        let packet = match format.next_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => break,
            // Cut short: what there is can be heard.
            Err(Error::IoError(error)) if error.kind() == ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(unreadable(&error)),
        };
        if packet.track_id != track_id {
            continue;
        }
        packets += 1;
        let decoded = match decoder.decode(&packet) {
            Ok(decoded) => decoded,
            Err(error @ (Error::DecodeError(_) | Error::IoError(_))) => {
                broken.push(unreadable(&error));
                continue;
            }
            Err(error) => return Err(unreadable(&error)),
        };
        let spec = decoded.spec();
        let rate_hz = spec.rate();
        let channels = u16::try_from(spec.channels().count())
            .map_err(|_| DecodeError::Unreadable { flaw: "too many channels" })?;
        let mixer = match &mut mixer {
            Some(mixer) if (mixer.rate_hz, mixer.channels) == (rate_hz, channels) => mixer,
            Some(_) => return Err(DecodeError::Changes),
            empty @ None => empty.insert(Mixer::new(rate_hz, channels)?),
        };
        decoded.copy_to_vec_interleaved(&mut samples);
        mixer.push(samples.iter().copied())?;
    }
    if broken.len() > packets / 10 + 1
        && let Some(first) = broken.into_iter().next()
    {
        return Err(first);
    }
    mixer.map_or(Err(DecodeError::Empty), Mixer::finish)
}

fn unreadable(error: &Error) -> DecodeError {
    let flaw = match error {
        Error::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => "it ends too early",
        Error::IoError(_) => "it could not be read to its end",
        Error::DecodeError(flaw) | Error::Unsupported(flaw) | Error::LimitError(flaw) => flaw,
        Error::SeekError(_) => "its parts are not where it says",
        Error::ResetRequired => return DecodeError::Changes,
        _ => "it is broken",
    };
    DecodeError::Unreadable { flaw }
}
