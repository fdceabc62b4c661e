"""Levels, trimming, rates and files: what every sound in this folder has in common.

All sounds are one channel at 16 kHz in Ogg Vorbis, each about as loud as the others, so that a
sentence put together from several prompts sounds like one. A signal is a numpy array of floats,
full scale at 1.
"""

import numpy as np
import soundfile

RATE_HZ = 16_000
SPEECH_DBFS = -19.0
MUSIC_DBFS = -22.0
# Telephones clip gladly, and so do decoders between the samples: leave them this much.
PEAK_DBFS = -3.0
# Below this, beside the speech level, nobody hears anything over a telephone.
SILENCE_DBFS = -50.0
# Vorbis, from 0 (smallest) to 1; at 0.5 speech at 16 kHz takes about 50 kbit/s.
QUALITY = 0.5

FRAME_MS = 20


def amplitude(dbfs):
    """Decibels below full scale as a factor."""
    return 10 ** (dbfs / 20)


def dbfs(value):
    """An amplitude in decibels below full scale."""
    return 20 * np.log10(max(float(value), 1e-9))


def frames(signal, rate_hz=RATE_HZ, frame_ms=FRAME_MS):
    """RMS of each frame; the last, unfinished one counts, too."""
    length = rate_hz * frame_ms // 1000
    padded = np.pad(signal, (0, -len(signal) % length))
    return np.sqrt(np.mean(padded.reshape(-1, length) ** 2, axis=1))


def level(signal):
    """Loudness in dBFS: RMS of the frames within 25 dB of the loudest, so that pauses weigh nothing."""
    loud = frames(signal)
    loud = loud[loud > loud.max() * amplitude(-25)]
    return dbfs(np.sqrt(np.mean(loud**2))) if loud.size else -180.0


def true_peak(signal):
    """The highest point of the wave between the samples, too, in dBFS (four times oversampled)."""
    return dbfs(np.abs(resampled(signal, RATE_HZ, 4 * RATE_HZ)).max()) if len(signal) else -180.0


def resampled(signal, rate_hz, to_hz, low_hz=0.0):
    """The signal at another rate, without what lies under `low_hz`; edges of the band are smooth."""
    # Silence around it keeps the end from leaking into the start: a discrete spectrum is a circle.
    pad = rate_hz // 10
    length = len(signal) + 2 * pad
    step = np.gcd(rate_hz, to_hz)
    length += -length % (rate_hz // step)
    spectrum = np.fft.rfft(np.pad(signal, (pad, length - pad - len(signal))))
    hz = np.fft.rfftfreq(length, 1 / rate_hz)
    top = min(rate_hz, to_hz) / 2
    if to_hz < rate_hz:
        spectrum *= fade(hz, top, 0.94 * top)
    if low_hz:
        spectrum *= fade(hz, 0.7 * low_hz, low_hz)
    out_length = length * to_hz // rate_hz
    bins = np.zeros(out_length // 2 + 1, dtype=complex)
    shared = min(len(bins), len(spectrum))
    bins[:shared] = spectrum[:shared]
    out = np.fft.irfft(bins, out_length) * (to_hz / rate_hz)
    start = pad * to_hz // rate_hz
    return out[start : start + len(signal) * to_hz // rate_hz]


def fade(at, silent, full):
    """A half cosine over `at`: 0 from `silent` outwards, 1 from `full` inwards."""
    return 0.5 - 0.5 * np.cos(np.pi * np.clip((at - silent) / (full - silent), 0, 1))


def evened(signal, target_dbfs):
    """The signal at the target loudness, its peaks bent under the limit without a click."""
    for _ in range(4):
        signal = signal * amplitude(target_dbfs - level(signal))
        signal = limited(signal, amplitude(PEAK_DBFS - 1.2))
    return signal


def limited(signal, ceiling):
    """Turns down, for some milliseconds around it, what would go over the ceiling."""
    fine = np.abs(resampled(signal, RATE_HZ, 4 * RATE_HZ))
    peaks = np.pad(fine, (0, 4 * len(signal) - len(fine))).reshape(-1, 4).max(axis=1)
    gain = np.minimum(1, ceiling / np.maximum(peaks, 1e-9))
    if gain.min() >= 1:
        return signal
    reach = RATE_HZ * 4 // 1000
    window = np.lib.stride_tricks.sliding_window_view
    lowest = window(np.pad(gain, 2 * reach, mode="edge"), 2 * reach + 1).min(axis=1)
    hann = np.hanning(2 * reach + 3)[1:-1]
    return signal * np.convolve(lowest, hann / hann.sum(), mode="valid")


def trimmed(signal, keep_ms=20):
    """Without the silence at both ends but for `keep_ms`, faded so that nothing clicks."""
    start, end = sounding(signal)
    keep = RATE_HZ * keep_ms // 1000
    signal = signal[max(0, start - keep) : end + keep].copy()
    ramp = np.sin(np.linspace(0, np.pi / 2, min(keep // 2, len(signal) // 2))) ** 2
    signal[: len(ramp)] *= ramp
    signal[len(signal) - len(ramp) :] *= ramp[::-1]
    return signal


def sounding(signal):
    """First and last sample of what can be heard."""
    frame_ms = 5
    heard = np.flatnonzero(frames(signal, frame_ms=frame_ms) > amplitude(SILENCE_DBFS))
    if heard.size == 0:
        return 0, 0
    length = RATE_HZ * frame_ms // 1000
    return heard[0] * length, min(len(signal), (heard[-1] + 1) * length)


def read(path):
    """The samples of a file of ours."""
    signal, rate_hz = soundfile.read(path)
    if rate_hz != RATE_HZ or signal.ndim != 1:
        raise ValueError(f"{path}: want one channel at {RATE_HZ} Hz")
    return signal


def write(path, signal):
    """Stores the signal as Ogg Vorbis; the folder is made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with soundfile.SoundFile(
        path, "w", RATE_HZ, 1, format="OGG", subtype="VORBIS", compression_level=1 - QUALITY
    ) as out:
        # Whole minutes at once overflow the encoder's stack.
        for start in range(0, len(signal), RATE_HZ):
            out.write(signal[start : start + RATE_HZ])
