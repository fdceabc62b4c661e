"""A program at a terminal, and somebody who types and reads there."""

import os
import pty
import re
import select
import subprocess
import termios
import time

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
INTERRUPT, END, TAB, UP = b"\x03", b"\x04", b"\t", b"\x1b[A"


class Terminal:
    """A program whose input and output are a terminal of 100 columns."""

    def __init__(self, place, command, folder=None, environment=None):
        self.ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (40, 100))
        self.heard = ""
        self.process = subprocess.Popen(
            [str(part) for part in command],
            stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder or place.folder,
            # What is kept for the next time is none of whoever runs the cases.
            env={
                **os.environ, "TERM": "xterm", "XDG_STATE_HOME": str(place.folder / "state"),
                **(environment or {}),
            },
            # Ctrl-C is for whoever owns the terminal.
            start_new_session=True,
            preexec_fn=lambda: _own(0),
        )
        os.close(theirs)
        place.on_close(self.close)

    def close(self):
        """Ends the program, if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.ours is not None:
            os.close(self.ours)
            self.ours = None

    def type(self, text):
        """Types this; keys are bytes."""
        data = text if isinstance(text, bytes) else text.encode()
        while data:
            written = os.write(self.ours, data[:512])
            data = data[written:]
            if data:
                # Whoever never reads is never read.
                self.heard += self._read(0.01)

    def _read(self, seconds):
        if not select.select([self.ours], [], [], seconds)[0]:
            return ""
        try:
            return os.read(self.ours, 65_536).decode(errors="replace")
        except OSError:
            # The program is gone.
            return ""

    def until(self, text, seconds=20):
        """Everything up to this text, without colours and cursor movements unless it asks for them; what
        comes after it is for the next time."""
        deadline = time.monotonic() + seconds
        while True:
            plain = self.heard if "\x1b" in text else ESCAPES.sub("", self.heard)
            before, found, after = plain.partition(text)
            if found:
                self.heard = after
                return before + found
            if time.monotonic() > deadline:
                raise AssertionError(f"no {text!r} within {seconds} s; it says:\n{plain}")
            self.heard += self._read(0.1)

    def rest(self, seconds=30):
        """Everything up to the program's end, and its exit code."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"it does not end; it says:\n{self.heard}"
            self.heard += self._read(0.05)
        while piece := self._read(0.05):
            self.heard += piece
        return self.heard, self.process.returncode


def _own(terminal):
    """Makes the terminal the one that Ctrl-C comes from."""
    import fcntl

    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
