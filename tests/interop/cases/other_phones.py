"""Other people's phones: two baresips that call each other, a baresip at the echo test, Net::SIP."""

import pathlib
import time

from kit import sound
from kit.baresip import Baresip
from kit.case import case

HERE = pathlib.Path(__file__).resolve().parents[1]

# baresip 1.0 refuses to register when any challenge is not MD5.
OLD = ["MD5"]


def conversation(place, transport="udp"):
    """Two baresips talk for some seconds; each must have heard the other's tone and only that."""
    server = place.server(digest=OLD)
    callee = Baresip(place, server, "102", says_hz=1_000, transport=transport).start().registered()
    caller = Baresip(place, server, "101", says_hz=440, transport=transport)
    caller.start(dial=f"sip:102@{server.address}")
    caller.wait_for("Call established")
    callee.wait_for("Call established")
    time.sleep(4)
    caller.stop()
    callee.wait_for("terminated")
    callee.stop()
    sound.expect_only_tone(callee.heard(), 440, (1_000,), 3, what="what the callee heard")
    sound.expect_only_tone(caller.heard(), 1_000, (440,), 3, what="what the caller heard")


@case
def two_baresips_talk(place):
    """Registered over UDP; each hears the other's tone and only that."""
    conversation(place)


@case
def two_baresips_talk_with_tcp_signalling(place):
    """The same with SIP over TCP."""
    conversation(place, transport="tcp")


@case
def baresip_hears_itself_at_the_echo_test(place):
    """600: a prompt, then its own tone."""
    server = place.server(digest=OLD)
    phone = Baresip(place, server, "101", says_hz=440).start(dial=f"sip:600@{server.address}")
    phone.wait_for("Call established")
    time.sleep(13)
    phone.stop()
    heard = phone.heard()
    seconds = sound.seconds_of_tone(heard, 440)
    assert seconds > 2, f"it heard itself for {seconds} s in 13 s"
    spoken = heard[: 3 * sound.RATE_HZ]
    assert sound.level(spoken) > 300, "the introduction was not heard"
    assert sound.seconds_of_tone(spoken, 440) < 0.5, "there is an echo before the introduction is over"


@case
def net_sip_hears_itself_at_the_echo_test(place):
    """Net::SIP registers, calls 600, sends PCMU and gets it back."""
    server = place.server()
    says, heard = place.folder / "says.ulaw", place.folder / "heard.ulaw"
    says.write_bytes(sound.to_ulaw(sound.tone(440, 5)))
    code, said = place.run(
        "net-sip",
        ["perl", HERE / "net_sip_echo.pl", server.address, "101", "secret-of-101", says, heard, 13],
        seconds=40,
    )
    assert code == 0 and "ended" in said, said
    seconds = sound.seconds_of_tone(sound.from_ulaw(heard.read_bytes()), 440)
    assert seconds > 2, f"it heard itself for {seconds} s in 13 s"
