"""Where one case happens: its folder, and everything it started, which it also ends."""

import os
import pathlib
import signal
import subprocess
import time

from .cordboard import Server

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]


class Place:
    """A folder of its own and the programs, servers and phones that live in it."""

    def __init__(self, binary, folder):
        self.binary = binary
        self.folder = pathlib.Path(folder)
        self._closing = []
        self._servers = []
        self._log_starts = {}

    def server(self, **settings):
        """Starts a Cordboard with a configuration of its own and waits until it answers."""
        server = Server(self, f"server{len(self._servers) or ''}", **settings)
        self._servers.append(server)
        server.start()
        return server

    def unstarted_server(self, **settings):
        """The same, not started: for cases about starting."""
        server = Server(self, f"server{len(self._servers) or ''}", **settings)
        self._servers.append(server)
        return server

    def on_close(self, function):
        """Has `function()` called at the end of the case, last given first."""
        self._closing.append(function)

    def start(self, name, command, **options):
        """Starts a program whose output goes to `NAME.log`; it is ended with the case."""
        log = open(self.folder / f"{name}.log", "ab")
        self._log_starts[name] = log.tell()
        environment = {**os.environ, **options.pop("environment", {})}
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=options.pop("stdin", subprocess.DEVNULL),
            stdout=options.pop("stdout", log),
            stderr=log,
            cwd=options.pop("folder", self.folder),
            env=environment,
            **options,
        )
        log.close()
        self.on_close(lambda: end(process))
        return process

    def run(self, name, command, seconds=30, **options):
        """Runs a program to its end; gives its exit code and its output, errors included."""
        process = self.start(name, command, **options)
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{name} did not end within {seconds} s") from None
        return code, self.said(name)

    def said(self, name):
        """What the program last started under this name has written so far, errors included."""
        with open(self.folder / f"{name}.log", "rb") as log:
            log.seek(self._log_starts[name])
            return log.read().decode(errors="replace")

    def close(self):
        """Ends everything. Every server must still be alive, and end well when asked."""
        faults = []
        for function in reversed(self._closing):
            try:
                function()
            except Exception as fault:  # noqa: BLE001 - the others must be closed all the same
                faults.append(fault)
        self._closing.clear()
        for server in self._servers:
            try:
                server.close()
            except Exception as fault:  # noqa: BLE001
                faults.append(fault)
        if faults:
            raise faults[0]


def end(process, seconds=3):
    """Ends one program: asks first."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def until(condition, seconds=5, what="what was waited for"):
    """Returns the first true value of `condition()`; fails after that time."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {seconds} s")
        time.sleep(0.01)
