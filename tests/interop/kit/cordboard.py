"""The server under test: a real `cordboard` process with a configuration of its own."""

import pathlib
import re
import signal
import socket
import subprocess
import time

from . import ports

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]

# Any answer to this tells that the switch is up.
PROBE = (
    "OPTIONS sip:{host}:{port} SIP/2.0\r\n"
    "Via: SIP/2.0/UDP {host}:{own};rport;branch=z9hG4bKprobe{count}\r\n"
    "From: <sip:probe@localhost>;tag=probe\r\nTo: <sip:{host}:{port}>\r\n"
    "Call-ID: probe-{own}-{count}\r\nCSeq: {count} OPTIONS\r\nMax-Forwards: 70\r\n"
    "Content-Length: 0\r\n\r\n"
)

# The log line of a fault that we would call our own.
PANIC = re.compile(r"panicked at|internal error: entered unreachable|stack overflow")


def secret_of(user):
    """The secret that a test account has."""
    return f"secret-of-{user}"


class Server:
    """One Cordboard in a folder under the case's own.

    `scripts` is the text of `main.lua`; without it the demo dialplan of the tree is used, and without
    `prompts`, a folder, the prompts of the tree. `top` is put at the start of `cordboard.toml`,
    `script_settings` into its section `[scripts]`, `extra` at the end. `digest` is the list of
    algorithms that are offered.
    """

    def __init__(
        self,
        place,
        name,
        scripts=None,
        accounts=("100", "101", "102", "103"),
        host="127.0.0.1",
        digest=None,
        peers=(),
        prompts=None,
        top="",
        script_settings="",
        extra="",
        mailboxes=True,
        log="info",
        seconds_to_start=10,
    ):
        self.place = place
        self.name = name
        self.folder = place.folder / name
        self.host = host
        self.port = ports.free(host)
        self.accounts = accounts
        self.process = None
        self.before_start = None
        self.ended_on_purpose = False
        self.seconds_to_start = seconds_to_start
        self.log_filter = log
        self.peers = list(peers)
        self._config = lambda: config_text(
            self, accounts, digest, self.peers, scripts, prompts, top, script_settings, extra, mailboxes
        )
        self.folder.mkdir()
        if scripts is not None:
            (self.folder / "scripts").mkdir()
            (self.folder / "scripts" / "main.lua").write_text(scripts)
        self.rtp_first, self.rtp_last = ports.rtp_block()
        self.write_config()

    @property
    def config(self):
        """The configuration file."""
        return self.folder / "cordboard.toml"

    @property
    def data(self):
        """The folder of the database."""
        return self.folder / "data"

    @property
    def log_path(self):
        """What the server said."""
        return self.place.folder / f"{self.name}.log"

    @property
    def address(self):
        """Host and port, as in a URI."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def write_config(self):
        """Writes the configuration file afresh."""
        self.config.write_text(self._config())
        self.config.chmod(0o600)

    def let_in(self, peer):
        """Allows a (name, network) to call without digest, from the next start on."""
        self.peers.append(peer)
        self.write_config()

    def log(self):
        """Everything it said so far, without colours."""
        text = self.log_path.read_text(errors="replace") if self.log_path.exists() else ""
        return re.sub(r"\x1b\[[0-9;]*m", "", text)

    def says(self, *parts, seconds=5):
        """Waits until every part stands in the log, which may come a little after what it tells of."""
        deadline = time.monotonic() + seconds
        while missing := [part for part in parts if part not in self.log()]:
            assert time.monotonic() < deadline, f"no {missing} in the log after {seconds} s"
            time.sleep(0.01)

    def command(self, *arguments):
        """The command line of a subcommand for this server's configuration."""
        return [self.place.binary, *arguments, "--config", self.config, "--data", self.data]

    def start(self):
        """Starts it and waits until it answers an OPTIONS; returns the seconds that took."""
        for attempt in range(3):
            started = time.monotonic()
            self.process = subprocess.Popen(
                [str(part) for part in [*self.command(), "--log", self.log_filter]],
                stdin=subprocess.DEVNULL,
                stdout=open(self.log_path, "ab"),
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                preexec_fn=self.before_start,
                restore_signals=self.before_start is None,
            )
            self.ended_on_purpose = False
            if self._wait_until_it_answers():
                return time.monotonic() - started
            # Somebody may have taken the port since it was found free.
            if "in use" not in self.log() or attempt == 2:
                break
            self.port = ports.free(self.host)
            self.write_config()
        raise AssertionError(f"the server did not start:\n{self.log()[-2000:]}")

    def _wait_until_it_answers(self):
        deadline = time.monotonic() + self.seconds_to_start
        with socket.socket(ports.family(self.host), socket.SOCK_DGRAM) as probe:
            probe.bind((self.host, 0))
            host = f"[{self.host}]" if ":" in self.host else self.host
            own = probe.getsockname()[1]
            count = 0
            while time.monotonic() < deadline and self.process.poll() is None:
                count += 1
                text = PROBE.format(host=host, port=self.port, own=own, count=count)
                probe.settimeout(0.002)
                try:
                    probe.sendto(text.encode(), (self.host, self.port))
                    if probe.recv(65_535).startswith(b"SIP/2.0 "):
                        return True
                except OSError:
                    time.sleep(0.001)
        return False

    def is_alive(self):
        """Whether the process still runs."""
        return self.process is not None and self.process.poll() is None

    def kill(self):
        """Ends it as a power cut would."""
        self.ended_on_purpose = True
        self.process.kill()
        self.process.wait()

    def stop(self, seconds=6):
        """Asks it to end; gives the exit code."""
        self.ended_on_purpose = True
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"it did not end within {seconds} s of SIGTERM") from None

    def close(self):
        """The end of a case: it must be alive, and then end well."""
        if self.process is None:
            return
        died = self.process.poll() is not None and not self.ended_on_purpose
        code = self.process.returncode if died else 0
        if self.is_alive():
            code = self.stop()
        found = PANIC.search(self.log())
        if found:
            raise AssertionError(f"the log has a fault of our own: {line_at(self.log(), found)}")
        if died:
            raise AssertionError(f"the server ended by itself with code {code}")
        if code != 0:
            raise AssertionError(f"the server ended with code {code} when asked to stop")


def line_at(text, found):
    """The line of `text` in which a match lies."""
    return text[text.rfind("\n", 0, found.start()) + 1 :].split("\n", 1)[0]


def config_text(
    server, accounts, digest, peers, scripts, prompts, top, script_settings, extra, mailboxes
):
    """A configuration on one port, without anything that could touch another server."""
    listen = f'["{server.address}"]'
    folder = server.folder / "scripts" if scripts is not None else REPOSITORY / "scripts"
    parts = [
        'domain = "cordboard"',
        f'prompts = "{prompts or REPOSITORY / "prompts"}"',
        top,
        "[scripts]",
        f'folder = "{folder}"',
        script_settings,
        "[listen]",
        f"udp = {listen}",
        f"tcp = {listen}",
        "[media]",
        f'ports = "{server.rtp_first}-{server.rtp_last}"',
        "threads = 1",
    ]
    if digest:
        quoted = ", ".join(f'"{algorithm}"' for algorithm in digest)
        parts += ["[auth]", f"digest = [{quoted}]"]
    for user in accounts:
        parts += [
            f"[account.{user}]",
            f'name = "Phone {user}"',
            f'secret = "{secret_of(user)}"',
        ]
        if mailboxes:
            parts += [f"[mailbox.{user}]", 'pin = "4711"']
    for name, network in peers:
        parts += [f"[peer.{name}]", f'network = "{network}"']
    parts.append(extra)
    return "\n".join(parts) + "\n"
