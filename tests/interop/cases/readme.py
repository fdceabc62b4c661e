"""The commands in README.md, as written: every block fenced with ```sh test, in order."""

import pathlib
import re
import signal
import sys
import time

from kit import alone, sound
from kit.case import Skip, case, long
from kit.place import REPOSITORY, until

ALONE = [sys.executable, REPOSITORY / "tests/interop/kit/alone.py"]


def blocks(text):
    """The commands of each block that is marked for this, and the line it starts in."""
    for found in re.finditer(r"^```sh test\n(.*?)^```$", text, re.M | re.S):
        yield text.count("\n", 0, found.start()) + 2, found.group(1)


@long
@case
def readme_commands_work(place):
    """In a fresh folder, beside an exchange on its first start; what was recorded holds the tones."""
    if not alone.is_possible():
        raise Skip("this system gives nobody a network namespace")
    folder = place.folder / "fresh"
    binary = folder / "target/release/cordboard"
    binary.parent.mkdir(parents=True)
    binary.symlink_to(pathlib.Path(place.binary))
    exchange = place.start("exchange", [*ALONE, binary], folder=folder)
    until(lambda: "open for calls" in place.said("exchange"), 10, "the first start")
    found = list(blocks((REPOSITORY / "README.md").read_text()))
    assert found, "README.md has no block fenced with ```sh test"
    for line, block in found:
        command = [*ALONE, "--join", exchange.pid, "bash", "-euo", "pipefail", "-c", block]
        code, said = place.run(f"line-{line}", command, seconds=90, folder=folder)
        assert code == 0, f"README.md, line {line}, ended with {code}:\n{said}"
        # Nobody reads on in less; a message needs some hundredths of a second until it is listed.
        time.sleep(0.5)
    for name, hz, own_hz in (("at-101.wav", 440, 700), ("at-100.wav", 700, 440)):
        samples, rate_hz = sound.read_wav(folder / name)
        sound.expect_only_tone(samples, hz, (own_hz,), 2, rate_hz, name)
    [message] = (folder / "messages").glob("*.wav")
    assert sound.seconds_of_tone(sound.read_wav(message)[0], 440) > 2, "no message was left"
    exchange.send_signal(signal.SIGINT)
    assert exchange.wait(6) == 0
