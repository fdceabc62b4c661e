"""`cordboard call`, as scripts use it: what it prints, records, and ends with."""

import time

from kit import ports, sound
from kit.case import case
from kit.phone import Phone
from kit.place import until


def call(place, server, *arguments, seconds=30):
    """Runs `cordboard call` as an account of the server's configuration."""
    return place.run("call", server.command("call", *arguments), seconds=seconds)


@case
def call_records_what_it_hears(place):
    """The speaking clock into a WAV file; 0."""
    server = place.server()
    heard = place.folder / "heard.wav"
    code, said = call(place, server, "123", "--as", "101", "--record", heard, "--hangup-after", 4)
    assert code == 0, said
    samples, rate_hz = sound.read_wav(heard)
    assert 3.5 < sound.seconds_of(samples, rate_hz) < 4.5
    assert sound.level(samples) > 300, "nobody speaks"


@case
def call_presses_keys(place):
    """9 reads back digits: with 12# it speaks, and ends the call by itself."""
    server = place.server()
    heard = place.folder / "heard.wav"
    code, said = call(
        place, server, "9", "--as", "101", "--digits", "12#", "--record", heard, "--hangup-after", 20
    )
    assert code == 0, said
    samples, rate_hz = sound.read_wav(heard)
    assert sound.seconds_of(samples, rate_hz) < 12, "the exchange did not hang up after the digits"


@case
def call_through_the_menu(place):
    """0, then 2: the menu leads to the echo test."""
    server = place.server()
    heard = place.folder / "heard.wav"
    code, said = call(
        place, server, "0", "--as", "101", "--tone", "440", "--digits", "2", "--digits-after", 4,
        "--record", heard, "--hangup-after", 16,
    )
    assert code == 0, said
    samples, rate_hz = sound.read_wav(heard)
    seconds = sound.seconds_of_tone(samples, 440, rate_hz)
    assert seconds > 1, f"it heard itself for {seconds} s"


@case
def call_follows_a_redirect(place):
    """302 sends it to 100, which rings."""
    server = place.server()
    callee = Phone(place, server, "100")
    callee.register()
    process = place.start("call", server.command("call", "302", "--as", "101", "--hangup-after", 1))
    there = callee.accept(callee.expect("INVITE"))
    there.answer()
    there.hung_up()
    assert process.wait(5) == 0, place.said("call")


@case
def two_command_line_phones(place):
    """One waits registered, one calls: each hears the other's tone and only that."""
    server = place.server()
    waiting = place.start(
        "waiting",
        server.command(
            "call", "--as", "102", "--register", "--answer", "--wait", 15, "--tone", 1_000,
            "--record", place.folder / "waiting.wav",
        ),
    )
    until(lambda: "registered" in place.said("waiting").lower(), 8, "registering")
    code, said = call(
        place, server, "102", "--as", "101", "--tone", 440, "--record", place.folder / "calling.wav",
        "--hangup-after", 3,
    )
    assert code == 0, said
    assert waiting.wait(5) == 0
    for name, other_hz, own_hz in (("waiting", 440, 1_000), ("calling", 1_000, 440)):
        samples, rate_hz = sound.read_wav(place.folder / f"{name}.wav")
        sound.expect_only_tone(samples, other_hz, (own_hz,), 2.5, rate_hz, f"what the {name} phone heard")


@case
def exit_codes_tell_what_happened(place):
    """2 usage, 3 refused, 4 no answer, 5 wrong secret, 6 nobody there."""
    server = place.server()
    silent = Phone(place, server, "103")
    silent.register()
    nobody = ports.free()
    for wanted, arguments in (
        (2, ["600", "--as", "101", "--hangup-after", "soon"]),
        (3, ["5555", "--as", "101"]),
        (5, [f"sip:600@{server.address}", "--user", "101", "--secret", "wrong"]),
        (6, [f"sip:600@127.0.0.1:{nobody}", "--transport", "tcp"]),
        (4, ["--as", "102", "--register", "--answer", "--wait", "1"]),
    ):
        code, said = call(place, server, *arguments, seconds=45)
        assert code == wanted, f"{arguments} ended with {code}, not {wanted}:\n{said}"
    started = time.monotonic()
    ringing = place.start("ringing", server.command("call", "103", "--as", "101", "--ring-timeout", 2))
    there = silent.accept(silent.expect("INVITE"))
    there.ring()
    cancel = silent.expect("CANCEL")
    silent.reply(cancel, 200, "OK", tag="c")
    there.reply(487, "Request Terminated")
    assert ringing.wait(5) == 4, place.said("ringing")
    assert time.monotonic() - started < 6
