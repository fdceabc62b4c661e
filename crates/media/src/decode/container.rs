//! Formats that `symphonia` reads.

use std::io::{Cursor, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};

use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
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
    let mut format = open(ending, bytes)?;
    let (track, parameters) = sound_track(format.as_ref())?;
    let track_id = track.id;
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

/// How many samples at 8,000 Hz [`decode`] would give, without decoding them: from what the container
/// says, or else from the lengths of its packets.
pub(super) fn measure(ending: &str, bytes: Vec<u8>) -> Result<u64, DecodeError> {
    if bytes.is_empty() {
        return Err(DecodeError::Empty);
    }
    catch_unwind(AssertUnwindSafe(|| measure_all(ending, bytes)))
        .unwrap_or(Err(DecodeError::Unreadable { flaw: "its reader gave up" }))
}

fn measure_all(ending: &str, bytes: Vec<u8>) -> Result<u64, DecodeError> {
    let mut format = open(ending, bytes)?;
    let (track, parameters) = sound_track(format.as_ref())?;
    let rate_hz = parameters.sample_rate.ok_or(DecodeError::Unreadable { flaw: "no rate" })?;
    let (track_id, time_base) = (track.id, track.time_base);
    let frames = match track.num_frames {
        Some(frames) => frames,
        None => {
            let mut ticks = 0_u64;
            loop {
                match format.next_packet() {
                    Ok(Some(packet)) if packet.track_id == track_id => {
                        ticks = ticks.saturating_add(packet.dur.get());
                    }
                    Ok(Some(_)) => {}
                    Ok(None) => break,
                    Err(Error::IoError(error)) if error.kind() == ErrorKind::UnexpectedEof => break,
                    Err(error) => return Err(unreadable(&error)),
                }
            }
            // Nearly always one tick is one sample.
            let ticks_hz = time_base.map_or(f64::from(rate_hz), |base| {
                f64::from(base.denom.get()) / f64::from(base.numer.get())
            });
            (ticks as f64 / ticks_hz * f64::from(rate_hz)).round() as u64
        }
    };
    Ok(frames.saturating_mul(8_000).div_ceil(u64::from(rate_hz.max(1))))
}

fn open(ending: &str, bytes: Vec<u8>) -> Result<Box<dyn FormatReader>, DecodeError> {
    let source = Box::new(Cursor::new(bytes));
    let stream = MediaSourceStream::new(source, MediaSourceStreamOptions::default());
    let mut hint = Hint::new();
    hint.with_extension(ending);
    symphonia::default::get_probe()
        .probe(&hint, stream, FormatOptions::default(), MetadataOptions::default())
        .map_err(|error| unreadable(&error))
}

fn sound_track(format: &dyn FormatReader) -> Result<(&Track, &AudioCodecParameters), DecodeError> {
    let track = format
        .default_track(TrackType::Audio)
        .ok_or(DecodeError::Unreadable { flaw: "no sound track" })?;
    let parameters = track
        .codec_params
        .as_ref()
        .and_then(|parameters| parameters.audio())
        .ok_or(DecodeError::Unreadable { flaw: "a codec that is not known" })?;
    Ok((track, parameters))
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
