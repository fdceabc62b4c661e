#!/usr/bin/env python3
"""Speaks the prompts of a language with a natural voice.

    prompts/make.py en                      what has no file yet
    prompts/make.py en digits/4 vm/goodbye  these, even if they have one
    prompts/make.py en --all                everything, once more
    prompts/check.py en                     afterwards: levels, silence, missing files

The texts are in `prompts/LANGUAGE.tsv`, one `NAME<TAB>TEXT` a line; a text between slashes is
phonemes. Lines that begin with `# voice:`, `# language:` and `# speed:` choose who speaks and how.
To add a language, copy `en.tsv` to, say, `fr.tsv`, translate the texts, choose a voice
(a wrong name lists them; the first letter is the language) and run this with `fr`.

The first run sets up the speech model (see `workshop.py`); then a prompt takes about a second.
"""

import argparse
import pathlib
import sys

sys.dont_write_bytecode = True
import workshop

HERE = pathlib.Path(__file__).resolve().parent


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("language", help="which list to speak: en for prompts/en.tsv")
    parser.add_argument("names", nargs="*", help="speak only these, again if need be")
    parser.add_argument("--all", action="store_true", help="speak everything again")
    options = parser.parse_args()

    settings, texts = read_list(HERE / f"{options.language}.tsv")
    unknown = [name for name in options.names if name not in texts]
    if unknown:
        sys.exit(f"{options.language}.tsv has no {', '.join(unknown)}")
    folder = HERE / options.language
    wanted = options.names or [
        name for name in texts if options.all or not (folder / f"{name}.ogg").exists()
    ]
    if not wanted:
        print("nothing to do: every line has its file")
        return
    workshop.enter()
    speak(settings, {name: texts[name] for name in wanted}, folder)


def read_list(path):
    """The settings and the texts by name of a list; stops at the first line that is wrong."""
    settings = {"voice": "af_heart", "language": "en-us", "speed": "1.0"}
    texts = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("#"):
            key, colon, value = line.lstrip("# ").partition(":")
            if colon and key in settings:
                settings[key] = value.strip()
            continue
        if not line.strip():
            continue
        name, tab, text = line.partition("\t")
        plain = name.replace("/", "").replace("-", "")
        if not tab or not text.strip() or not (plain.isascii() and plain.isalnum()):
            sys.exit(f"{path}:{number}: want NAME<TAB>TEXT, NAME of letters, digits, `-` and `/`")
        if name in texts:
            sys.exit(f"{path}:{number}: {name} is there twice")
        texts[name] = text.strip()
    return settings, texts


def speak(settings, texts, folder):
    """Speaks each text into its file under `folder`."""
    import numpy as np
    from kokoro_onnx import Kokoro

    import sound

    voice = settings["voice"]
    table = np.fromfile(workshop.voice(voice), dtype=np.float32).reshape(-1, 1, 256)
    voices = workshop.CACHE / f"voice-{voice}.npz"
    np.savez(voices, **{voice: table})
    kokoro = Kokoro(str(workshop.model()), str(voices))
    for name, text in texts.items():
        phonemes = len(text) > 2 and text.startswith("/") and text.endswith("/")
        signal, rate_hz = kokoro.create(
            text.strip("/") if phonemes else text,
            voice=voice,
            speed=float(settings["speed"]),
            lang=settings["language"],
            is_phonemes=phonemes,
        )
        signal = sound.resampled(signal, rate_hz, sound.RATE_HZ, low_hz=90)
        signal = sound.trimmed(sound.evened(signal, sound.SPEECH_DBFS))
        sound.write(folder / f"{name}.ogg", signal)
        print(f"{name}\t{len(signal) / sound.RATE_HZ:.2f} s\t{text}", flush=True)


if __name__ == "__main__":
    main()
