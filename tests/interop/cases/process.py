"""The process itself: starting, stopping, reloading, and what it says of mistakes."""

import json
import re
import signal
import socket
import sys
import time

from kit import alone
from kit.case import Skip, case
from kit.phone import Phone
from kit.place import REPOSITORY, until

ALONE = [sys.executable, REPOSITORY / "tests/interop/kit/alone.py"]


def fails_to_start(place, server):
    """Starts a server that must refuse; gives what it says."""
    code, said = place.run("refused", server.command(), seconds=10)
    assert code == 1, f"it ended with {code}:\n{said}"
    checked, says = place.run("check", server.command("check"), seconds=20)
    return re.sub(r"\x1b\[[0-9;]*m", "", said), checked, re.sub(r"\x1b\[[0-9;]*m", "", says)


def expect_parts(text, *parts):
    """Fails unless every part stands in the text."""
    missing = [part for part in parts if part not in text]
    assert not missing, f"no {missing} in:\n{text}"


@case
def first_start_tells_what_to_type(place):
    """An empty folder: configuration, scripts and prompts appear; what is printed works in a phone."""
    if not alone.is_possible():
        raise Skip("this system gives nobody a network namespace")
    folder = place.folder / "office"
    folder.mkdir()
    exchange = place.start("exchange", [*ALONE, place.binary], folder=folder)
    until(lambda: "open for calls" in place.said("exchange"), 10, "the first start")
    until(lambda: re.search(r"Password\s+\S+\n", place.said("exchange")), 5, "what to type")
    said = place.said("exchange")
    user = re.search(r"User\s+(\S+)", said).group(1)
    secret = re.search(r"Password\s+(\S+)", said).group(1)
    expect_parts(said, "127.0.0.1", "*97", "600", "700", "302", "123", "cordboard.toml")
    assert (folder / "cordboard.toml").stat().st_mode & 0o777 == 0o600
    assert (folder / "scripts/main.lua").exists() and any((folder / "prompts").glob("**/*.*"))
    inside = [*ALONE, "--join", exchange.pid, place.binary, "call"]
    target = ["sip:600@127.0.0.1", "--user", user, "--secret", secret, "--hangup-after", "1"]
    code, heard = place.run("typed", [*inside, *target], folder=folder)
    assert code == 0, heard
    code, heard = place.run("as", [*inside, "600", "--as", "101", "--hangup-after", "1"], folder=folder)
    assert code == 0, heard
    exchange.send_signal(signal.SIGINT)
    assert exchange.wait(5) == 0
    # The second start changes nothing and keeps the secrets to itself.
    again = place.start("again", [*ALONE, place.binary], folder=folder)
    until(lambda: "open for calls" in place.said("again"), 10, "the second start")
    assert secret not in place.said("again")
    again.send_signal(signal.SIGTERM)
    assert again.wait(5) == 0


@case
def sigterm_says_goodbye(place):
    """Calls get BYE, ringing ones are cancelled, and the process ends within seconds."""
    server = place.server()
    callee = Phone(place, server, "102")
    callee.register()
    talking = Phone(place, server, "101").invite("600")
    talking.answered()
    waiting = Phone(place, server, "103").invite("102")
    there = callee.accept(callee.expect("INVITE"))
    there.ring()
    waiting.expect(180)
    server.ended_on_purpose = True
    server.process.send_signal(signal.SIGTERM)
    started = time.monotonic()
    talking.hung_up(3)
    cancel = callee.expect("CANCEL", 3)
    callee.reply(cancel, 200, "OK", tag="c")
    there.reply(487, "Request Terminated")
    refused = waiting.expect(lambda m: m.status is not None and m.status >= 400, 3)
    assert refused.status in (480, 487, 500, 503), refused
    assert server.process.wait(6) == 0
    assert time.monotonic() - started < 4, f"it took {time.monotonic() - started:.1f} s"


@case
def second_interrupt_ends_at_once(place):
    """Nobody answers the BYE: the second Ctrl-C does not wait for that."""
    server = place.server()
    call = Phone(place, server, "101").invite("600")
    call.answered()
    server.ended_on_purpose = True
    server.process.send_signal(signal.SIGINT)
    call.phone.expect("BYE")
    started = time.monotonic()
    server.process.send_signal(signal.SIGINT)
    server.process.wait(5)
    assert time.monotonic() - started < 1


@case
def port_in_use_is_named(place):
    """Which port, and what to change."""
    server = place.unstarted_server()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", server.port))
        code, said = place.run("refused", server.command(), seconds=10)
    assert code == 1, said
    expect_parts(said, f"127.0.0.1:{server.port}", "UDP", "[listen]", "udp = ")


@case
def wrong_key_names_the_nearest(place):
    """Line, key, and what it was probably meant to be; nothing secret is shown."""
    server = place.unstarted_server(extra="[limits]\nclals = 3\n")
    said, checked, says = fails_to_start(place, server)
    line = server.config.read_text().splitlines().index("clals = 3") + 1
    for text in (said, says):
        expect_parts(text, f"cordboard.toml:{line}:", "clals", "did you mean `calls`?")
        assert "secret-of" not in text
    assert checked == 1


@case
def broken_toml_names_the_line(place):
    """A string that does not end."""
    server = place.unstarted_server(extra='[peer.x]\nnetwork = "127.0.0.1\n')
    said, checked, says = fails_to_start(place, server)
    line = server.config.read_text().splitlines().index('network = "127.0.0.1') + 1
    for text in (said, says):
        expect_parts(text, f"cordboard.toml:{line}:")
    assert checked == 1


@case
def broken_lua_names_the_line(place):
    """Syntax, an unknown verb, and a missing prompt: file, line, nearest name."""
    for script, parts in (
        ('route("1", function(call)\n  call:answer(\nend)\n', ["main.lua:"]),
        ('route("1", function(call)\n  call:plya("main/welcome")\nend)\n', ["main.lua:2", "plya", "play"]),
        ('route("1", function(call)\n  call:play("main/welcom")\nend)\n', ["main.lua:2", "main/welcome"]),
        ('rout("1", function(call) end)\n', ["main.lua:1", "did you mean", "route"]),
    ):
        server = place.unstarted_server(scripts=script)
        said, checked, says = fails_to_start(place, server)
        for text in (said, says):
            expect_parts(text, *parts)
        assert checked == 1


@case
def check_finds_all_right(place):
    """The demo of the tree, without starting anything."""
    server = place.unstarted_server()
    code, said = place.run("check", server.command("check"), seconds=60)
    assert code == 0, said
    assert not server.data.exists(), "check wrote something"


@case
def broken_prompt_is_found_by_check(place):
    """A file that is no sound is told with its path."""
    prompts = place.folder / "prompts"
    (prompts / "en/test").mkdir(parents=True)
    (prompts / "en/test/broken.wav").write_bytes(b"RIFF\x00\x00\x00\x00WAVEnonsense")
    server = place.unstarted_server(scripts='route("1", function(call) call:busy() end)', prompts=prompts)
    code, said = place.run("check", server.command("check"), seconds=20)
    assert code == 1, said
    expect_parts(said, "en/test/broken.wav")


GOOD = 'route("5", function(call) call:reject({code}) end)\n'


@case
def reload_keeps_what_works(place):
    """SIGHUP takes a right dialplan into use, and keeps the old one when the new one is wrong."""
    server = place.server(scripts=GOOD.format(code=486))
    script = server.folder / "scripts/main.lua"
    phone = Phone(place, server, "101")
    phone.invite("5").expect(486)
    script.write_text(GOOD.format(code=603))
    server.process.send_signal(signal.SIGHUP)

    def answer():
        response = phone.invite("5").expect(lambda m: m.status is not None and m.status >= 400)
        return response.status

    until(lambda: answer() == 603, 5, "the new dialplan")
    script.write_text('route("5", function(call) call:rejetc(600) end)\n')
    server.process.send_signal(signal.SIGHUP)
    server.says("rejetc", "main.lua:1")
    assert answer() == 603


FAULTS = """
route("1", function(call)
  local nothing = nil
  call:play(nothing.name)
end)
route("2", function(call) while true do end end)
route("3", function(call) pcall(function() while true do end end) end)
route("4", function(call) local s = "x"; while true do s = s .. s end end)
route("5", function(call) call:reject(486) end)
"""


@case
def faulty_scripts_end_one_call(place):
    """An error, endless loops and a gigabyte: 500 to that caller, the place in the log, others go on."""
    server = place.server(scripts=FAULTS)
    for number in "1234":
        call = Phone(place, server, "101").invite(number, seconds=10)
        call.expect(500, 10)
        Phone(place, server, "102").invite("5").expect(486)
    server.says("main.lua:4")


@case
def unanswered_handler_is_hung_up(place):
    """A handler that ends without an answer: the caller is not left hanging."""
    server = place.server(scripts='route("1", function(call) call:ringing() end)\n')
    call = Phone(place, server, "101").invite("1")
    response = call.expect(lambda m: m.status is not None and m.status >= 300)
    assert response.status >= 400, response


@case
def accounts_are_added_and_listed(place):
    """A phone added by `account add` registers after the next start."""
    server = place.server()
    code, said = place.run("add", server.command("account", "add", "150", "--name", "New"))
    assert code == 0, said
    code, said = place.run("listed", [*server.command("account", "list"), "--json", "--secrets"])
    assert code == 0, said
    [secret] = [account["secret"] for account in json.loads(said) if account["user"] == "150"]
    assert server.stop() == 0
    server.start()
    phone = Phone(place, server, "150", secret=secret)
    phone.register()


@case
def calls_are_refused_when_full(place):
    """Beyond the limit: 503 with Retry-After; calls under way end as always."""
    server = place.server(extra="[limits]\ncalls = 2\n")
    calls = [Phone(place, server, "101").invite("600") for _ in range(2)]
    for call in calls:
        call.answered()
    third = Phone(place, server, "102")
    request = third.invite("600")
    response = request.expect(503)
    assert int(response.get("Retry-After").split(";")[0].split("(")[0]) > 0
    for call in calls:
        call.hang_up()
    again = third.invite("600")
    again.answered()
    again.hang_up()


