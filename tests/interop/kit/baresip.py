"""A baresip phone without a sound card: speaks a WAV file, writes down what it hears."""

import shutil

from . import sound
from .place import end, until

MODULES = "/usr/lib/baresip/modules"


class Baresip:
    """One registered phone that answers by itself."""

    def __init__(self, place, server, user, says_hz, transport="udp"):
        self.user = user
        self.folder = place.folder / f"baresip-{user}"
        self.folder.mkdir()
        self.log_path = place.folder / f"baresip-{user}.log"
        sound.write_wav(self.folder / "says.wav", sound.tone(says_hz, 30))
        (self.folder / "config").write_text(
            "\n".join([
                "sip_listen 127.0.0.1:0",
                "net_interface 127.0.0.1",
                f"audio_source aufile,{self.folder / 'says.wav'}",
                f"snd_path {self.folder}",
                f"module_path {module_path()}",
                "module g711.so",
                "module aufile.so",
                "module sndfile.so",
                "module_app account.so",
                "module_app menu.so",
            ]) + "\n"
        )
        (self.folder / "accounts").write_text(
            f"<sip:{user}@{server.address};transport={transport}>;auth_user={user};"
            f"auth_pass=secret-of-{user};answermode=auto;regint=300;audio_codecs=pcmu\n"
        )
        for file in ("contacts", "current_contact"):
            (self.folder / file).touch()
        self.place = place
        self.process = None

    def start(self, dial=None, seconds=None):
        """Starts it; with `dial` it calls that URI as soon as it is registered."""
        command = ["baresip", "-f", self.folder]
        if dial:
            command += ["-e", f"/dial {dial}"]
        if seconds:
            command += ["-t", seconds]
        self.process = self.place.start(f"baresip-{self.user}", command)
        return self

    def log(self):
        """What it said so far."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def wait_for(self, text, seconds=8):
        """Returns once it has said this."""
        until(lambda: text in self.log(), seconds, f"'{text}' from baresip {self.user}")

    def registered(self):
        """Returns once its registration was taken."""
        self.wait_for("200 OK")
        return self

    def stop(self):
        """Ends it; it hangs up first."""
        end(self.process)

    def heard(self):
        """What it heard in its call."""
        files = sorted(self.folder.glob("dump-*-dec.wav"))
        assert files, f"baresip {self.user} was in no call"
        samples, rate_hz = sound.read_wav(files[-1])
        assert rate_hz == sound.RATE_HZ
        return samples


def module_path():
    """Where the distribution keeps baresip's modules."""
    return MODULES


def is_installed():
    """Whether it can be run."""
    return shutil.which("baresip") is not None
