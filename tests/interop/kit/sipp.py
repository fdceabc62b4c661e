"""Runs SIPp with our own scenarios."""

import pathlib

from . import ports

SCENARIOS = pathlib.Path(__file__).resolve().parents[1] / "sipp"


class Sipp:
    """One SIPp process that plays a scenario against the server."""

    def __init__(
        self, place, server, scenario, number="", user="101", port=None, transport="u1",
        calls=1, waits_for_calls=False, seconds=20, secret=None, logs_messages=True, extra=(),
    ):
        # A name of ours, or the path of another, without its ending.
        path = SCENARIOS / f"{scenario}.xml"
        self.scenario = scenario = path.stem
        self.seconds = seconds
        self.port = port or ports.free(server.host)
        self.name = f"sipp-{scenario}-{self.port}"
        self.folder = place.folder
        command = [
            "sipp", server.address,
            "-sf", path,
            "-i", server.host, "-p", self.port, "-mi", server.host, "-mp", ports.free(server.host),
            "-t", transport, "-m", calls, "-nostdin", "-trace_err",
            "-error_file", place.folder / f"{self.name}-errors.log",
            "-timeout", f"{seconds}s", "-timeout_error",
            "-s", number or user, "-key", "user", user,
            "-au", user, "-ap", secret or f"secret-of-{user}",
            *extra,
        ]
        if logs_messages:
            command += ["-trace_msg", "-message_file", place.folder / f"{self.name}-messages.log"]
        self.process = place.start(self.name, command, environment={"TERM": "dumb"})
        if waits_for_calls:
            ports.wait_until_bound(self.port, "tcp" if transport.startswith("t") else "udp")

    def succeeded(self):
        """Waits for its end; fails unless every call went as the scenario says."""
        code = self.process.wait(self.seconds + 10)
        if code == 0:
            return
        errors = self.folder / f"{self.name}-errors.log"
        text = errors.read_text(errors="replace")[-1_500:] if errors.exists() else ""
        raise AssertionError(f"SIPp scenario {self.scenario} ended with {code}\n{text}")


def register(place, server, user, port, transport="u1"):
    """Registers a user at a port that another SIPp will then use."""
    Sipp(place, server, "register", user=user, port=port, transport=transport).succeeded()
