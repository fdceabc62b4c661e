#!/usr/bin/env python3
"""Listens to every prompt and piece of music and prints a table; fails if one is not as it should be.

    prompts/check.py            all languages and the music
    prompts/check.py en         one language

Wanted of a prompt: there is one for each line of the list and no other; it decodes; it is within
2 dB of the common loudness; at most 60 ms of silence before and after; no peak over the limit.
Of a piece of music: the same level rules, 60 to 120 s, and no jump from its end to its start.
"""

import pathlib
import sys

sys.dont_write_bytecode = True
import make
import workshop

HERE = pathlib.Path(__file__).resolve().parent


def main():
    workshop.enter()
    languages = sys.argv[1:] or sorted(path.stem for path in HERE.glob("*.tsv"))
    faults = [fault for language in languages for fault in check_language(language)]
    if not sys.argv[1:]:
        faults += check_music()
    bytes_in_all = sum(path.stat().st_size for path in HERE.rglob("*.ogg"))
    print(f"\n{bytes_in_all / 1e6:.2f} MB in all, {len(faults)} faults")
    for fault in faults:
        print(f"  {fault}")
    sys.exit(1 if faults else 0)


def check_language(language):
    """The faults of one language's prompts."""
    _, texts = make.read_list(HERE / f"{language}.tsv")
    folder = HERE / language
    there = {str(path.relative_to(folder).with_suffix("")) for path in folder.rglob("*.ogg")}
    faults = [f"{language}/{name} has no line in {language}.tsv" for name in there - set(texts)]
    print(f"{'prompt':34} {'s':>6} {'level':>6} {'peak':>6} {'before':>6} {'after':>6}")
    for name, text in texts.items():
        full = f"{language}/{name}"
        if name not in there:
            faults.append(f"{full} has no file: run prompts/make.py {language}")
            continue
        faults += check_prompt(full, text)
    return faults


def check_prompt(name, text):
    """The faults of one prompt."""
    import sound

    signal = sound.read(HERE / f"{name}.ogg")
    start, end = sound.sounding(signal)
    before_ms = 1000 * start / sound.RATE_HZ
    after_ms = 1000 * (len(signal) - end) / sound.RATE_HZ
    seconds = len(signal) / sound.RATE_HZ
    level, peak = sound.level(signal), sound.true_peak(signal)
    print(f"{name:34} {seconds:6.2f} {level:6.1f} {peak:6.1f} {before_ms:6.0f} {after_ms:6.0f}  {text}")
    yield from check_level(name, level, peak, sound.SPEECH_DBFS)
    if max(before_ms, after_ms) >= 60:
        yield f"{name} has {before_ms:.0f} ms of silence before and {after_ms:.0f} ms after it"
    # A tenth of a second a word is the fastest of speakers; three quarters a letter no speech at all.
    if not 0.1 * len(text.split()) < seconds < 1 + 0.2 * len(text):
        yield f"{name} lasts {seconds:.2f} s, which is not {text!r}"


def check_music():
    """The faults of the hold music."""
    import numpy as np

    import sound

    faults = []
    for path in sorted((HERE / "music").glob("*.ogg")):
        name = f"music/{path.stem}"
        signal = sound.read(path)
        seconds = len(signal) / sound.RATE_HZ
        level, peak = sound.level(signal), sound.true_peak(signal)
        seam = abs(signal[0] - signal[-1]) / np.abs(np.diff(signal)).max()
        print(f"{name:34} {seconds:6.2f} {level:6.1f} {peak:6.1f}  seam {seam:.2f}")
        faults += check_level(name, level, peak, sound.MUSIC_DBFS)
        if not 60 <= seconds <= 120:
            faults.append(f"{name} lasts {seconds:.1f} s")
        if seam > 0.7:
            faults.append(f"{name} jumps where it begins again")
    return faults


def check_level(name, level, peak, wanted_dbfs):
    """Whether it is as loud as the others and clips nowhere."""
    import sound

    if abs(level - wanted_dbfs) > 2:
        yield f"{name} is at {level:.1f} dBFS, want {wanted_dbfs:.0f} within 2"
    if peak > sound.PEAK_DBFS:
        yield f"{name} peaks at {peak:.1f} dBFS, over {sound.PEAK_DBFS:.0f}"


if __name__ == "__main__":
    main()
