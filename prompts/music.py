#!/usr/bin/env python3
"""Plays and stores the hold music: `prompts/music/*.ogg`.

    prompts/music.py            all pieces
    prompts/music.py waltz      one

Three short pieces, composed for this project and written down below, for a telephone: nothing that
matters lies under 200 Hz or over 3,400 Hz, nothing is sharp or sudden, and each goes round without
a seam because every note and all of the room's echo that reach past the end sound on at the start.
The same score gives the same samples each time.
"""

import pathlib
import sys

sys.dont_write_bytecode = True
import workshop

FOLDER = pathlib.Path(__file__).resolve().parent / "music"


def main():
    workshop.enter()
    import sound

    unknown = [name for name in sys.argv[1:] if name not in PIECES]
    if unknown:
        sys.exit(f"no piece {', '.join(unknown)}; there are: {', '.join(PIECES)}")
    for name in sys.argv[1:] or PIECES:
        signal = PIECES[name]()
        sound.write(FOLDER / f"{name}.ogg", signal)
        print(f"music/{name}\t{len(signal) / sound.RATE_HZ:.1f} s")


# The pieces. A melody line is one bar: pitch and beats in turn, `-` for a rest. A chord is its bass
# note and then the notes above it.


def evening():
    """Electric piano, F major, unhurried: two verses and a bridge that leads back."""
    bars = [
        ("F3 A3 C4 E4", "A4 1.5 C5 .5 E5 2"),
        ("D3 A3 C4 F4", "D5 1 C5 1 A4 2"),
        ("Bb2 A3 D4 F4", "D5 1.5 F5 .5 A5 2"),
        ("C3 Bb3 D4 G4", "G5 1 F5 1 D5 1 - 1"),
        ("A2 G3 C4 E4", "E5 1.5 G5 .5 C5 2"),
        ("D3 A3 C4 F4", "F5 1 E5 1 D5 2"),
        ("G2 Bb3 D4 F4", "Bb4 1 D5 1 F5 1.5 A5 .5"),
        ("C3 Bb3 D4 E4", "G5 3 - 1"),
        ("F3 A3 C4 E4", "A4 1.5 C5 .5 E5 1 G5 1"),
        ("D3 A3 C4 F4", "F5 1 E5 .5 D5 .5 A4 2"),
        ("Bb2 A3 D4 F4", "D5 1.5 F5 .5 A5 1 C6 1"),
        ("C3 Bb3 D4 G4", "Bb5 1 G5 1 F5 1 D5 1"),
        ("A2 G3 C4 E4", "C5 1.5 E5 .5 G5 2"),
        ("D3 C4 Eb4 F#4", "F#5 1 Eb5 1 D5 2"),
        ("G2 Bb3 D4 F4 / C3 Bb3 E4 G4", "Bb4 1 D5 1 E5 1 G5 .5 F5 .5"),
        ("F3 A3 C4 E4", "C5 3 - 1"),
        ("Bb2 A3 D4 F4", "- 1 F5 1 D5 .5 F5 .5 A5 1"),
        ("C3 Bb3 E4 G4", "G5 2 E5 2"),
        ("A2 G3 C4 E4", "- 1 E5 1 C5 .5 E5 .5 G5 1"),
        ("D3 A3 C4 F4", "F5 2 D5 2"),
        ("G2 Bb3 D4 F4", "- 1 D5 1 Bb4 .5 D5 .5 F5 1"),
        ("C3 Bb3 D4 E4", "E5 1.5 F5 .5 G5 2"),
        ("F3 A3 C4 E4", "A5 1 G5 1 E5 1 C5 1"),
        ("C3 Bb3 D4 F4", "D5 3 - 1"),
    ]
    piece = Piece(bars=len(bars), beats=4, bpm=72, seed=1)
    for bar, (chords, melody) in enumerate(bars):
        halves = [chord.split() for chord in chords.split("/")]
        length = 4 / len(halves)
        for half, (bass, *upper) in enumerate(halves):
            at = half * length
            piece.play(electric_piano, bar, at, length * 0.95, bass, 0.55)
            for string, note in enumerate(upper):
                piece.play(electric_piano, bar, at + 0.02 * string, length * 0.9, note, 0.4)
        if len(halves) == 1:
            piece.play(electric_piano, bar, 2.5, 1.4, halves[0][0], 0.35)
            for string, note in enumerate(halves[0][1:]):
                again = 1.5 if bar % 2 else 2.5
                piece.play(electric_piano, bar, again + 0.02 * string, 1.2, note, 0.26)
        piece.sing(electric_piano, bar, melody, 0.62, hold=1.05)
    return piece.finished(room_s=1.6, wet=0.22, tremolo_hz=3.2)


def waltz():
    """A music box, G major, in three: sixteen bars, a middle part, and the first ones adorned."""
    g, d, em, bm = "G4 B4 D5", "F#4 A4 D5", "E4 G4 B4", "F#4 B4 D5"
    c, gb, am, d7 = "C4 G4 C5", "B3 G4 D5", "A3 E4 C5", "D4 F#4 C5"
    g7, cm, b7, a7 = "G4 B4 F5", "C4 G4 Eb5", "B3 F#4 A4", "A3 E4 C#5"
    emd = "D4 G4 B4"
    bars = [
        (g, "D5 1 G5 1 B5 1"), (d, "A5 2 F#5 1"), (em, "G5 2 B5 1"), (bm, "F#5 3"),
        (c, "E5 1 G5 1 C6 1"), (gb, "B5 2 G5 1"), (am, "A5 1 B5 1 C6 1"), (d7, "A5 3"),
        (g, "D5 1 G5 1 B5 1"), (d, "D6 2 A5 1"), (em, "B5 2 G5 1"), (g7, "F5 2 D5 1"),
        (c, "E5 1 G5 1 C6 1"), (cm, "Eb6 2 C6 1"), (d7, "B5 1 A5 1 F#5 1"), (g, "G5 3"),
        (c, "E6 2 C6 1"), (d, "D6 2 A5 1"), (bm, "F#5 1 B5 1 D6 1"), (em, "B5 3"),
        (am, "C6 2 A5 1"), (d7, "F#5 1 A5 1 C6 1"), (g, "B5 2 D6 1"), (gb, "B5 3"),
        (am, "A5 1 C6 1 E6 1"), (b7, "D#6 2 B5 1"), (em, "E6 1 B5 1 G5 1"), (emd, "E5 3"),
        (c, "G5 1 C6 1 E6 1"), (a7, "C#6 2 A5 1"), (d, "D6 1 A5 1 F#5 1"), (d7, "C6 1 A5 1 F#5 1"),
        (g, "D5 1 G5 .5 A5 .5 B5 1"), (d, "A5 1 D6 .5 A5 .5 F#5 1"),
        (em, "G5 1 B5 .5 G5 .5 E5 1"), (bm, "F#5 2 D5 1"),
        (c, "E5 1 G5 .5 B5 .5 C6 1"), (gb, "D6 1 B5 1 G5 1"),
        (am, "A5 .5 B5 .5 C6 1 E6 1"), (d7, "D6 1.5 C6 .5 A5 1"),
        (g, "B5 1 D6 1 G6 1"), (d, "F#6 2 D6 1"), (em, "E6 1 B5 1 G5 1"), (g7, "F6 1 D6 1 B5 1"),
        (c, "E6 2 C6 1"), (cm, "Eb6 2 C6 1"), (d7, "B5 1 A5 1 F#5 1"), (g, "G5 3"),
    ]
    piece = Piece(bars=len(bars), beats=3, bpm=96, seed=2)
    for bar, (chord, melody) in enumerate(bars):
        bass, *upper = chord.split()
        piece.play(music_box, bar, 0, 3, bass, 0.5)
        for beat, note in enumerate(upper, 1):
            piece.play(music_box, bar, beat, 2, note, 0.26 if beat == 1 else 0.22)
        piece.sing(music_box, bar, melody, 0.6, hold=2)
    return piece.finished(room_s=1.3, wet=0.2)


def river():
    """A plucked guitar, D major: broken chords that run on, and a slow tune over them from halfway."""
    d, ac, bm, fm = "D3 A3 D4 F#4 A4", "C#3 A3 C#4 E4 A4", "B2 F#3 B3 D4 F#4", "F#3 A3 C#4 F#4 A4"
    g, df, em, a7 = "G3 B3 D4 G4 B4", "F#3 A3 D4 F#4 A4", "E3 B3 D4 G4 B4", "A3 C#4 E4 G4 A4"
    a, asus, gmaj, dadd = "A3 C#4 E4 A4 C#5", "A3 D4 E4 A4 D5", "G3 B3 D4 F#4 B4", "D3 A3 D4 E4 A4"
    bars = [
        (d, ""), (ac, ""), (bm, ""), (fm, ""), (g, ""), (df, ""), (em, ""), (a7, ""),
        (d, "F#5 3 E5 1"), (ac, "E5 2 C#5 2"), (bm, "D5 3 F#5 1"), (fm, "A5 2 F#5 2"),
        (g, "B5 3 A5 1"), (df, "A5 2 F#5 2"), (em, "G5 1.5 F#5 .5 E5 2"), (a7, "E5 3 - 1"),
        (g, "D5 1 G5 1 B5 2"), (a, "C#6 2 A5 2"), (fm, "A5 1 F#5 1 C#5 2"), (bm, "D5 3 - 1"),
        (em, "B4 1 E5 1 G5 2"), (g, "B5 2 G5 2"), (asus, "A5 2 D5 2"), (a, "E5 2 C#5 2"),
        (gmaj, "F#5 2 D5 2"), (a, "E5 3 - 1"), (dadd, "D5 4"), (d, ""),
    ]
    runs = [[0, 2, 3, 4, 3, 2, 3, 2], [0, 2, 1, 3, 4, 3, 2, 3]]
    piece = Piece(bars=len(bars), beats=4, bpm=76, seed=3)
    for bar, (chord, melody) in enumerate(bars):
        strings = chord.split()
        for step, string in enumerate(runs[bar % 2]):
            accent = 0.6 if step == 0 else 0.46 if step == 4 else 0.36
            piece.play(guitar, bar, step / 2, 2.2, strings[string], accent)
        piece.sing(guitar, bar, melody, 0.7, hold=1.3)
    return piece.finished(room_s=1.8, wet=0.24)


PIECES = {"evening": evening, "waltz": waltz, "river": river}


class Piece:
    """A loop of so many bars, on which notes are laid; what goes past its end comes in at its start."""

    def __init__(self, bars, beats, bpm, seed):
        import numpy as np
        import sound

        self.np, self.rate_hz = np, sound.RATE_HZ
        self.beats, self.beat_s = beats, 60 / bpm
        self.chance = np.random.default_rng(seed)
        self.loop = np.zeros(round(bars * beats * self.beat_s * self.rate_hz))

    def sing(self, instrument, bar, melody, loud, hold):
        """Plays a line of `pitch beats` pairs, each note `hold` times as long as written."""
        words, at = melody.split(), 0.0
        for pitch, beats in zip(words[::2], map(float, words[1::2])):
            if pitch != "-":
                self.play(instrument, bar, at, beats * hold, pitch, loud)
            at += beats

    def play(self, instrument, bar, beat, beats, pitch, loud):
        """Lays one note on the loop, a little early or late and a little louder or softer, as people do."""
        seconds = (bar * self.beats + beat) * self.beat_s + self.chance.normal(0, 0.007)
        loud *= 1 + self.chance.normal(0, 0.07)
        if beat == 0:
            loud *= 1.06
        note = instrument(self.np, self.chance, hertz(pitch), beats * self.beat_s, self.rate_hz)
        where = self.np.arange(len(note)) + round(seconds * self.rate_hz)
        self.np.add.at(self.loop, where % len(self.loop), loud * note)

    def finished(self, room_s, wet, tremolo_hz=0.0):
        """The loop in its room, within the band of a telephone, at the common level."""
        import sound

        np, length = self.np, len(self.loop)
        seconds = np.arange(length) / self.rate_hz
        # As many swings as fit in the loop, so that it closes.
        swings = round(tremolo_hz * length / self.rate_hz)
        dry = self.loop * (1 + 0.06 * np.sin(2 * np.pi * swings * np.arange(length) / length))
        spectrum = np.fft.rfft(dry / np.abs(dry).max())
        echo = self.chance.normal(0, 1, length) * np.exp(-6.9 * seconds / room_s)
        echo *= np.clip(seconds / 0.03, 0, 1) * (seconds < 2 * room_s)
        echo /= np.sqrt((echo**2).sum())
        hz = np.fft.rfftfreq(length, 1 / self.rate_hz)
        damped = np.fft.rfft(echo) / (1 + (hz / 1500) ** 2)
        spectrum = spectrum * (1 + wet * 2 * damped)
        spectrum *= sound.fade(hz, 130, 210) * sound.fade(hz, 3600, 3000)
        return sound.evened(np.fft.irfft(spectrum, length), sound.MUSIC_DBFS)


# Instruments: one note of so many seconds, at about full scale, with its ring after the key is up.


def electric_piano(np, chance, hz, seconds, rate_hz):
    """A struck tine beside a pickup: warm, brighter for an instant at the stroke."""
    t = np.arange(round((seconds + 0.5) * rate_hz)) / rate_hz
    decay = 2.4 * (260 / hz) ** 0.4
    bell = 0.10 * np.exp(-t / 0.12) * np.sin(2 * np.pi * 4.0 * hz * t)
    bend = (0.4 + 0.9 * np.exp(-t / 0.4)) * min(1.3, 420 / hz)
    tone = np.sin(2 * np.pi * hz * t + bend * np.sin(2 * np.pi * hz * t))
    tone += 0.25 * np.sin(2 * np.pi * hz * 1.003 * t + chance.uniform(0, 6))
    strike = 1 - np.exp(-t / 0.004)
    release = np.where(t < seconds, 1, np.exp(-(t - seconds) / 0.10))
    return (tone + bell) * np.exp(-t / decay) * strike * release * closing(np, t)


def music_box(np, chance, hz, seconds, rate_hz):
    """A small steel comb: nearly pure, with a short glassy touch."""
    t = np.arange(round((seconds + 1.2) * rate_hz)) / rate_hz
    tone = np.zeros(len(t))
    for ratio, loud, decay in [(1, 1, 1.1), (2.002, 0.16, 0.5), (3.01, 0.09, 0.25), (5.4, 0.05, 0.05)]:
        if ratio * hz < 3400:
            phase = chance.uniform(0, 2 * np.pi)
            fall = np.exp(-t / (decay * (600 / hz) ** 0.5))
            tone += loud * fall * np.sin(2 * np.pi * ratio * hz * t + phase)
    return tone * (1 - np.exp(-t / 0.002)) * closing(np, t)


def guitar(np, chance, hz, seconds, rate_hz):
    """A nylon string plucked a fifth of its length from the bridge; high partials die first."""
    t = np.arange(round((seconds + 0.6) * rate_hz)) / rate_hz
    tone = np.zeros(len(t))
    for n in range(1, int(3600 / hz) + 1):
        partial = n * hz * np.sqrt(1 + 0.00006 * n * n)
        loud = abs(np.sin(np.pi * n * 0.21)) / n**1.35
        decay = 1.9 * (200 / hz) ** 0.35 / (1 + 0.16 * (n - 1) + 0.00025 * partial)
        tone += loud * np.exp(-t / decay) * np.sin(2 * np.pi * partial * t + chance.normal(0, 0.2))
    release = np.where(t < seconds, 1, np.exp(-(t - seconds) / 0.12))
    return tone * (1 - np.exp(-t / 0.0025)) * release * closing(np, t)


def closing(np, t):
    """Down to nothing over the last 50 ms, so that a cut note does not click."""
    return np.clip((t[-1] - t) / 0.05, 0, 1)


def hertz(pitch):
    """`A4` is 440 Hz; `Eb4`, `F#3`."""
    steps = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}[pitch[0]]
    steps += pitch.count("#") - pitch[1:].count("b")
    return 440 * 2 ** ((12 * (int(pitch[-1]) + 1) + steps - 69) / 12)


if __name__ == "__main__":
    main()
