"""Tones, G.711, WAV files, and measuring which tones a sound holds."""

import array
import math
import wave

RATE_HZ = 8_000


def tone(frequency_hz, seconds, height=8_000, rate_hz=RATE_HZ):
    """A sine, 16-bit."""
    step = 2 * math.pi * frequency_hz / rate_hz
    return array.array("h", (int(height * math.sin(step * i)) for i in range(int(seconds * rate_hz))))


def write_wav(path, samples, rate_hz=RATE_HZ):
    """Writes 16-bit mono samples."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(array.array("h", samples).tobytes())


def read_wav(path):
    """The samples of a 16-bit WAV file, only its first channel, and its rate."""
    with wave.open(str(path), "rb") as file:
        assert file.getsampwidth() == 2, f"{path} is not 16-bit"
        channels = file.getnchannels()
        samples = array.array("h", file.readframes(file.getnframes()))
        return samples[::channels], file.getframerate()


def _law(byte):
    byte = ~byte & 0xFF
    value = (((byte & 0x0F) << 3) + 132) << ((byte >> 4) & 7)
    return 132 - value if byte & 0x80 else value - 132


_DECODED = [_law(byte) for byte in range(256)]
_ENCODED = {}


def from_ulaw(data):
    """Samples out of G.711 mu-law bytes."""
    return array.array("h", (_DECODED[byte] for byte in data))


def to_ulaw(samples):
    """G.711 mu-law bytes out of samples."""
    out = bytearray()
    for sample in samples:
        code = _ENCODED.get(sample)
        if code is None:
            code = min(range(256), key=lambda byte: abs(_DECODED[byte] - sample))
            _ENCODED[sample] = code
        out.append(code)
    return bytes(out)


def level(samples):
    """Root mean square, 0 for no samples."""
    return math.sqrt(sum(s * s for s in samples) / len(samples)) if len(samples) else 0.0


def amplitude(samples, frequency_hz, rate_hz=RATE_HZ):
    """How high the sine of this frequency is in the sound (Goertzel, Hann window)."""
    count = len(samples)
    if count < 2:
        return 0.0
    step = 2 * math.pi * frequency_hz / rate_hz
    turn = 2 * math.cos(step)
    before, last = 0.0, 0.0
    hann = 2 * math.pi / (count - 1)
    for i, sample in enumerate(samples):
        weighted = sample * (0.5 - 0.5 * math.cos(hann * i))
        before, last = last, weighted + turn * last - before
    power = last * last + before * before - turn * last * before
    return 4 * math.sqrt(max(power, 0.0)) / count


def sounding(samples, threshold=200, rate_hz=RATE_HZ):
    """The samples from the first to the last 20 ms that are not silent."""
    width = rate_hz // 50
    loud = [
        i for i in range(0, len(samples) - width + 1, width) if level(samples[i : i + width]) > threshold
    ]
    return samples[loud[0] : loud[-1] + width] if loud else samples[:0]


def seconds_of(samples, rate_hz=RATE_HZ):
    """How long they sound."""
    return len(samples) / rate_hz


def expect_only_tone(samples, frequency_hz, others_hz, seconds, rate_hz=RATE_HZ, what="the sound"):
    """Fails unless the sound is that tone for about that long, and none of the others.

    The first and last fifth of a second are not judged: phones fade in and stop in mid-wave.
    """
    heard = sounding(samples, rate_hz=rate_hz)
    length = seconds_of(heard, rate_hz)
    assert length >= seconds, f"{what} sounds {length:.2f} s, expected at least {seconds} s"
    edge = rate_hz // 5
    middle = heard[edge:-edge]
    wanted = amplitude(middle, frequency_hz, rate_hz)
    assert wanted > 1_000, f"{what} has no {frequency_hz} Hz (amplitude {wanted:.0f})"
    for other_hz in others_hz:
        other = amplitude(middle, other_hz, rate_hz)
        assert other < wanted / 100, (
            f"{what} has {other_hz} Hz (amplitude {other:.0f}) beside {frequency_hz} Hz ({wanted:.0f})"
        )
    # A pure sine has all its power at one place; a gap, a click or a second voice shows here.
    share = (wanted / math.sqrt(2)) / level(middle)
    assert share > 0.9, f"only {share:.2f} of {what} is {frequency_hz} Hz"


def seconds_of_tone(samples, frequency_hz, rate_hz=RATE_HZ):
    """For how long in all the sound is this tone and nothing much else."""
    width = rate_hz // 20
    count = 0
    for i in range(0, len(samples) - width + 1, width):
        piece = samples[i : i + width]
        loud = level(piece)
        if loud > 200 and amplitude(piece, frequency_hz, rate_hz) / math.sqrt(2) > 0.8 * loud:
            count += 1
    return count * width / rate_hz
