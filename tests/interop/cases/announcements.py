"""What a phone hears: prompts of any format, the echo test, music while queued; and its keys."""

import signal
import socket
import statistics
import subprocess
import time

from kit import sip, sound
from kit.case import case
from kit.phone import Phone
from kit.place import until
from kit.rtp import Rtp

SCRIPT = """
route("81", function(call) call:answer() call:play("test/tone") call:hangup() end)
route("82", function(call) call:play("test/tone") call:reject(486) end)
route("83", function(call)
  call:answer()
  local digits = call:read { prompt = "test/tone", max = 12, timeout = 5, terminator = "#" }
  call:play("tone:" .. (digits == "13579*02468" and "1200" or "300") .. ":0.8")
end)
route("84", function(call)
  call:answer()
  local played = call:play("test/tone", { barge = true })
  call:play(played.digit == "5" and "tone:1200:0.5" or "tone:300:0.5")
end)
"""


def prompt_server(place, seconds, rate_hz=8_000):
    """A server whose prompt `test/tone` is 700 Hz, in a WAV file of that rate."""
    prompts = place.folder / f"prompts-{rate_hz}"
    folder = prompts / "en" / "test"
    folder.mkdir(parents=True)
    sound.write_wav(folder / "tone.wav", sound.tone(700, seconds, rate_hz=rate_hz), rate_hz)
    return place.server(scripts=SCRIPT, prompts=prompts)


def answered_call(place, server, number, samples=(), user="101"):
    """Calls a number with sound; gives call and RTP, already talking."""
    phone = Phone(place, server, user)
    rtp = Rtp(place, server.host)
    call = phone.invite(number, sip.description(server.host, rtp.port))
    call.answered()
    rtp.talk(samples, call.sound_at)
    return call, rtp


@case
def prompt_is_heard_as_recorded(place):
    """Prompts of 8, 16, 44.1 and 48 kHz: the right tone, for the right time, paced at 20 ms."""
    for rate_hz in (8_000, 16_000, 44_100, 48_000):
        server = prompt_server(place, 2.0, rate_hz)
        call, rtp = answered_call(place, server, "81")
        call.hung_up(8)
        rtp.stop()
        heard = rtp.heard()
        sound.expect_only_tone(heard, 700, (440, 1_000), 1.95, what=f"the {rate_hz} Hz prompt")
        length = sound.seconds_of(sound.sounding(heard))
        assert length < 2.05, f"the {rate_hz} Hz prompt of 2 s sounds {length:.3f} s"
        expect_even_pace(rtp)


def expect_even_pace(rtp):
    """The packets of a talk come 20 ms apart, without drift over the whole.

    A busy machine makes single packets late, never early: the earliest of each second tell the pace.
    """
    at = [moment for moment, _, data in rtp.packets if data[1] & 0x7F == 0]
    assert len(at) > 75, f"only {len(at)} packets"
    off = [moment - at[0] - 0.02 * i for i, moment in enumerate(at)]
    drift = min(off[-25:]) - min(off[:25])
    assert abs(drift) < 0.02, f"the pace drifts by {drift * 1000:.0f} ms in {len(at)} packets"
    unevenness = statistics.median(abs(moment - statistics.median(off)) for moment in off)
    assert unevenness < 0.02, f"packets come {unevenness * 1000:.0f} ms off their time in the middle"


@case
def prompt_is_heard_before_the_answer(place):
    """Early media: 183 with a description, the tone, then 486."""
    server = prompt_server(place, 1.5)
    phone, rtp = Phone(place, server), Rtp(place)
    call = phone.invite("82", sip.description("127.0.0.1", rtp.port))
    call.expect(183)
    rtp.talk([], None)
    call.expect(486, 6)
    rtp.stop()
    sound.expect_only_tone(rtp.heard(), 700, (440, 1_000), 1.4, what="the early media")


@case
def echo_test_gives_back_what_is_said(place):
    """600: after its introduction the caller hears its own tone."""
    server = place.server()
    call, rtp = answered_call(place, server, "600", sound.tone(440, 20))
    time.sleep(14)
    call.hang_up()
    rtp.stop()
    seconds = sound.seconds_of_tone(rtp.heard(), 440)
    assert seconds > 3, f"the caller heard itself for {seconds} s in 14 s"


@case
def music_is_heard_while_queued(place):
    """700: 182 with a description, and music before any answer."""
    server = place.server()
    phone, rtp = Phone(place, server), Rtp(place)
    call = phone.invite("700", sip.description("127.0.0.1", rtp.port))
    response = call.expect(182)
    assert response.body, "182 has no description"
    rtp.talk([], None)
    # A new exchange answers before it has read all its sounds; until then they are silent.
    until(lambda: sound.level(rtp.heard()[-8_000:]) > 300, 8, "music")
    time.sleep(2)
    call.cancel()
    call.expect(487)
    rtp.stop()
    heard = sound.sounding(rtp.heard())
    assert sound.seconds_of(heard) > 2, f"{sound.seconds_of(heard)} s of music"


@case
def keys_are_read(place):
    """RFC 4733 digits during a prompt reach the script, each once, in order."""
    server = prompt_server(place, 4.0)
    call, rtp = answered_call(place, server, "83", sound.tone(440, 1))
    rtp.press("13579*02468#")
    rtp.pressed()
    call.hung_up(10)
    rtp.stop()
    heard = rtp.heard()
    assert sound.seconds_of_tone(heard, 1_200) > 0.6, "the digits did not arrive as they were pressed"


@case
def key_stops_a_prompt(place):
    """A prompt with barge ends at the first key."""
    server = prompt_server(place, 10.0)
    call, rtp = answered_call(place, server, "84", sound.tone(440, 1))
    time.sleep(1)
    rtp.press("5")
    call.hung_up(4)
    rtp.stop()
    heard = rtp.heard()
    assert sound.seconds_of_tone(heard, 700) < 2, "the prompt went on"
    assert sound.seconds_of_tone(heard, 1_200) > 0.3, "the digit was not what was pressed"


@case
def outsiders_are_never_heard(place):
    """Packets of a stranger at the call's port are neither heard nor answered, whatever they are."""
    server = place.server()
    callee = Phone(place, server, "102")
    callee.register()
    caller = Phone(place, server, "101")
    ours, theirs = Rtp(place), Rtp(place)
    call = caller.invite("102", sip.description("127.0.0.1", ours.port))
    there = callee.accept(callee.expect("INVITE"), sip.description("127.0.0.1", theirs.port))
    there_at = sip.audio_address(there.request.body)
    there.answer()
    call.answered()
    ours.talk(sound.tone(440, 5), call.sound_at)
    theirs.talk(sound.tone(1_000, 5), there_at)
    time.sleep(0.5)
    stranger = Rtp(place)
    stranger.talk(sound.tone(1_900, 5), call.sound_at)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as junk:
        stun, dtls = b"\0\1\0\0\x21\x12\xa4\x42" + b"\0" * 12, b"\x16\xfe\xff" + b"\0" * 40
        for packet in (b"", b"x", stun, dtls, b"\xff" * 1_400):
            for to in (call.sound_at, there_at):
                junk.sendto(packet, to)
    time.sleep(2)
    for rtp in (ours, theirs, stranger):
        rtp.stop()
    call.hang_up()
    there.hung_up()
    sound.expect_only_tone(theirs.heard(), 440, (1_000, 1_900), 2, what="what the callee heard")
    sound.expect_only_tone(ours.heard(), 1_000, (440, 1_900), 2, what="what the caller heard")
    assert len(stranger.packets) <= 5, f"the stranger got {len(stranger.packets)} packets"


@case
def laws_are_converted(place):
    """One phone with mu-law only, the other with A-law only: each hears the other's tone."""
    server = place.server()
    command = [place.binary, "call"]
    target = ["--server", server.address]
    alaw = place.start(
        "alaw",
        [*command, *target, "--user", "102", "--secret", "secret-of-102", "--register", "--answer",
         "--wait", "15", "--codec", "pcma", "--tone", "1000", "--record", place.folder / "alaw.wav"],
    )
    until(lambda: "registered" in place.said("alaw").lower(), 8, "registration")
    code, said = place.run(
        "ulaw",
        [*command, f"sip:102@{server.address}", "--user", "101", "--secret", "secret-of-101",
         "--codec", "pcmu", "--tone", "440", "--record", place.folder / "ulaw.wav", "--hangup-after", "3"],
    )
    assert code == 0, said
    try:
        assert alaw.wait(5) == 0
    except subprocess.TimeoutExpired:
        raise AssertionError("the callee did not end with the call") from None
    for name, heard_hz, own_hz in (("ulaw", 1_000, 440), ("alaw", 440, 1_000)):
        samples, rate_hz = sound.read_wav(place.folder / f"{name}.wav")
        sound.expect_only_tone(samples, heard_hz, (own_hz,), 2.5, rate_hz, f"what {name} heard")


FAILS = """
route("91", function(call) call:play(call.vars.unset) end)
route("92", function(call) call:answer() call:play(call.vars.unset) end)
"""


@case
def callers_of_a_failing_script_hear_an_apology(place):
    """Before any answer: early media, then 500. After it: the apology, then BYE. The log tells it once."""
    folder = place.folder / "prompts" / "en" / "main"
    folder.mkdir(parents=True)
    sound.write_wav(folder / "sorry.wav", sound.tone(700, 0.8))
    server = place.server(scripts=FAILS, prompts=place.folder / "prompts", log="info,cordboard=debug")
    # What is not decoded yet is no apology.
    until(lambda: "prompts decoded" in server.log(), 10, "the prompts")
    for number in ("91", "92"):
        rtp = Rtp(place, server.host)
        call = Phone(place, server, "101").invite(number, sip.description(server.host, rtp.port))
        if number == "91":
            call.expect(183)
            rtp.listen(1.5)
            call.expect(500)
        else:
            call.answered()
            rtp.listen(1.5)
            call.hung_up()
        rtp.stop()
        sound.expect_only_tone(rtp.heard(), 700, (440, 1_000), 0.7, what=f"the apology at {number}")
    server.process.send_signal(signal.SIGHUP)
    for _ in range(3):
        Phone(place, server, "102").invite("91").expect(500)
    server.says("scripts/main.lua:2: call:play")
    complaints = [line for line in server.log().splitlines() if "scripts/main.lua:2: call:play" in line]
    assert len(complaints) == 1, complaints
    assert "from=101 to=91" in complaints[0], complaints
