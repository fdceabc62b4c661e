"""New scripts, prompts and accounts for a running exchange, and the commands that talk to it."""

import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import time

from kit.case import Skip, case
from kit.phone import Phone
from kit.place import until

REFUSES = 'route("5", function(call) call:reject({code}) end)\n'
WAITS = 'route("5", function(call) call:ringing() call:sleep({seconds}) call:reject({code}) end)\n'
WRONG = 'route("5", function(call)\n  call:rejetc(600)\nend)\n'
NO_EXCHANGE = 3


def ask(place, server, *arguments):
    """Runs a command for this server; gives its exit code and what it said, without colours."""
    code, said = place.run(arguments[0], server.command(*arguments), seconds=20)
    return code, re.sub(r"\x1b\[[0-9;]*m", "", said)


def status(place, server):
    """How the server says that it stands."""
    code, said = ask(place, server, "status", "--json")
    assert code == 0, said
    return json.loads(said)


def generations(place, server):
    """The sets of scripts in use, each with the calls that follow it."""
    return [(one["number"], one["calls"]) for one in status(place, server)["generations"]]


def write(server, text):
    """Puts another dialplan there, as an editor does: beside it first."""
    script = server.folder / "scripts/main.lua"
    beside = script.with_suffix(".new")
    beside.write_text(text)
    beside.rename(script)


def answer(place, server, number="5", user="101"):
    """How a call to this number is refused."""
    call = Phone(place, server, user).invite(number)
    return call.expect(lambda m: m.status is not None and m.status >= 400).status


@case
def reload_by_command(place):
    """What is right is in use at once; what is wrong is shown with its place, and changes nothing."""
    server = place.server(scripts=REFUSES.format(code=486))
    assert answer(place, server) == 486
    write(server, REFUSES.format(code=603))
    code, said = ask(place, server, "reload")
    assert code == 0 and "generation 2 with 1 route" in said, said
    assert answer(place, server) == 603
    write(server, WRONG)
    for arguments in (["reload", "--check-only"], ["reload"]):
        code, said = ask(place, server, *arguments)
        assert code == 1, said
        for part in ("scripts/main.lua:2:", "call:rejetc(600)", "──", "did you mean call:reject?"):
            assert part in said, f"no {part} in:\n{said}"
    assert answer(place, server) == 603
    # Everywhere an administrator looks.
    failed = status(place, server)["failed_reload"]["mistakes"]
    assert [(told["file"], told["line"], told["column"]) for told in failed] == [("scripts/main.lua", 2, 8)]
    code, said = ask(place, server, "status")
    assert code == 0 and "last reload   failed" in said and "scripts/main.lua:2:" in said, said
    server.says("scripts/main.lua:2: there is no verb call:rejetc")
    write(server, REFUSES.format(code=604))
    code, said = ask(place, server, "reload", "--check-only", "--json")
    assert code == 0 and json.loads(said)["generation"] is None, said
    assert answer(place, server) == 603, "it was only to be checked"
    code, said = ask(place, server, "reload", "--json")
    assert code == 0 and json.loads(said)["generation"] == 3, said
    assert status(place, server)["failed_reload"] is None
    assert answer(place, server) == 604
    # What may be deliberate is told, and stops nothing.
    write(server, "local function unused() end\n" + REFUSES.format(code=605))
    code, said = ask(place, server, "reload")
    assert code == 0 and "Warning: " in said and "unused" in said and "generation 4" in said, said
    assert answer(place, server) == 605


@case
def reload_by_saved_file(place):
    """With `watch`, saving is enough; a mistake is told, and a file that is only touched is nothing."""
    server = place.server(scripts=REFUSES.format(code=486), script_settings="watch = true")
    write(server, REFUSES.format(code=603))
    until(lambda: answer(place, server) == 603, 5, "the new dialplan")
    write(server, WRONG)
    until(lambda: status(place, server)["failed_reload"], 5, "the complaint")
    assert answer(place, server) == 603
    write(server, REFUSES.format(code=604))
    until(lambda: answer(place, server) == 604, 5, "the mended dialplan")
    number = generations(place, server)[-1][0]
    os.utime(server.folder / "scripts/main.lua")
    (server.folder / "scripts/main.lua~").write_text("an editor's copy")
    # A new account is in a file, too.
    server.accounts += ("104",)
    server._config = with_accounts(server, server.accounts)
    server.write_config()
    until(lambda: "in use generation=" + str(number + 1) in server.log(), 5, "the new account")
    Phone(place, server, "104").register()
    assert generations(place, server) == [(number + 1, 0)], "touching a file was taken for a change"


@case
def files_are_not_watched_unasked(place):
    """Without `watch`, what is saved waits until somebody says so."""
    server = place.server(scripts=REFUSES.format(code=486))
    write(server, REFUSES.format(code=603))
    time.sleep(1)
    assert answer(place, server) == 486
    assert generations(place, server) == [(1, 0)]


@case
def calls_keep_their_scripts(place):
    """A call over three reloads ends as it began, and its scripts are gone with it."""
    server = place.server(scripts=WAITS.format(seconds=3, code=486))
    old = Phone(place, server, "101").invite("5")
    old.expect(180)
    for code in (600, 603, 604):
        write(server, REFUSES.format(code=code))
        assert ask(place, server, "reload")[0] == 0
    assert generations(place, server) == [(1, 1), (4, 0)]
    [call] = json.loads(ask(place, server, "calls", "--json")[1])["calls"]
    assert (call["from"], call["to"], call["state"], call["generation"]) == ("101", "5", "script", 1), call
    code, said = ask(place, server, "calls")
    assert code == 0 and call["id"] in said, said
    [wait] = call["waits_for"]
    assert (wait["what"], wait["function"]) == ("sleeping", "sleep"), call
    assert f'sleeping, {wait["at"]}' in said and "main.lua:" in wait["at"], said
    assert answer(place, server, user="102") == 604
    old.expect(486, 5)
    until(lambda: generations(place, server) == [(4, 0)], 2, "the end of the old scripts")


@case
def accounts_come_and_go(place):
    """An added account registers after a reload; a removed one is unknown and its phone forgotten."""
    server = place.server(scripts='route("1XX", function(call) call:dial("ext/" .. call.to.user) end)\n')
    callee = Phone(place, server, "102")
    callee.register()
    code, said = ask(place, server, "account", "add", "150")
    assert code == 0 and "cordboard reload" in said, said
    secret = re.search(r"password\s+(\S+)", said).group(1)
    assert ask(place, server, "reload")[0] == 0
    Phone(place, server, "150", secret=secret).register()
    assert status(place, server)["registrations"] == 2
    server._config = with_accounts(server, ["100", "101", "103"])
    server.write_config()
    assert ask(place, server, "reload")[0] == 0
    assert status(place, server)["registrations"] == 0
    assert answer(place, server, "102") == 404


def with_accounts(server, accounts):
    """The server's configuration with these accounts instead."""
    text = server._config().split("[account.", 1)[0]
    sections = "".join(f'[account.{user}]\nsecret = "secret-of-{user}"\n' for user in accounts)
    return lambda: text + sections


@case
def what_needs_a_restart_is_said(place):
    """Keys that only a new start heeds are named; all others change at once."""
    server = place.server(scripts=REFUSES.format(code=486))
    text = server.config.read_text().replace("threads = 1", "threads = 2") + "[limits]\ncalls = 0x10\n"
    server.config.write_text(text)
    code, said = ask(place, server, "reload")
    assert code == 0 and "`media.threads` changed; that counts from the next start" in said, said
    assert "calls" not in said.replace("`media.threads`", ""), said
    server.config.write_text(text.replace("[limits]", "[limtis]"))
    code, said = ask(place, server, "reload")
    assert code == 1 and "did you mean `limits`?" in said and "secret-of" not in said, said
    assert answer(place, server) == 486


@case
def a_broken_prompt_stops_a_reload(place):
    """A sound that cannot be played is found before any caller waits for it."""
    prompts = place.folder / "prompts"
    prompts.mkdir()
    server = place.server(scripts=REFUSES.format(code=486), prompts=prompts)
    (prompts / "broken.wav").write_bytes(b"RIFF\x00\x00\x00\x00WAVEnonsense")
    code, said = ask(place, server, "reload")
    assert code == 1 and "prompts/broken.wav" in said and "convert it" in said, said
    (prompts / "broken.wav").unlink()
    assert ask(place, server, "reload")[0] == 0


@case
def tests_come_before_a_reload(place):
    """With `test_on_reload`, a dialplan whose tests fail is not used, and told where they fail."""
    server = place.unstarted_server(
        scripts=REFUSES.format(code=486), script_settings="test_on_reload = true"
    )
    tests = server.folder / "scripts/tests"
    tests.mkdir()
    (tests / "five.lua").write_text(
        'test("nobody is at five", function(t)\n'
        '  local caller = t:call { as = "101", to = "5" }\n'
        "  caller:is_refused(486)\n"
        "end)\n"
    )
    server.start()
    write(server, REFUSES.format(code=603))
    code, said = ask(place, server, "reload")
    assert code == 1 and "five.lua:3" in said and "nobody is at five" in said, said
    assert answer(place, server) == 486
    mistakes = status(place, server)["failed_reload"]["mistakes"]
    assert [told["line"] for told in mistakes] == [3], mistakes
    write(server, REFUSES.format(code=486) + REFUSES.format(code=603).replace('"5"', '"6"'))
    code, said = ask(place, server, "reload")
    assert code == 0 and "2 routes" in said, said


@case
def reloads_at_once_are_all_met(place):
    """Twenty people reload in the same moment, one of them by signal: each hears what came of it."""
    server = place.server(scripts=REFUSES.format(code=486))
    write(server, REFUSES.format(code=603))
    commands = [place.start(f"reload{n}", server.command("reload")) for n in range(20)]
    server.process.send_signal(signal.SIGHUP)
    assert [command.wait(20) for command in commands] == [0] * 20
    assert answer(place, server) == 603
    number = generations(place, server)[-1][0]
    assert 2 <= number <= 22, number


@case
def the_control_socket_bears_everything(place):
    """Garbage, silence, floods and people in the way: the others are answered, and calls go on."""
    server = place.server(scripts=REFUSES.format(code=486))
    path = server.data / "cordboard.sock"
    mode = path.stat().st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o600, oct(mode)

    def connect():
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        client.settimeout(15)
        client.connect(str(path))
        place.on_close(client.close)
        return client

    def said(data):
        client = connect()
        client.sendall(data)
        return client.makefile("rb").readline()

    for garbage in (b"\n", b"{}\n", b"\xff\xfe\n", b"[" * 4_000 + b"\n", b'{"ask":"format"}\n',
                    b'{"ask":"reload","force":true}\n', b'{"ask":"calls","max":-1}\n'):
        assert b'"error"' in json_line(said(garbage)), garbage
    # Several questions on one connection, and one without an end.
    client = connect()
    client.sendall(b'{"ask":"status"}\n{"ask":"calls","max":3}\n')
    lines = client.makefile("rb")
    assert b'"status"' in lines.readline() and b'"calls"' in lines.readline()
    try:
        flood = connect()
        flood.sendall(b"x" * 1_000_000)
        assert flood.recv(100) == b""
    except (BrokenPipeError, ConnectionResetError):
        pass
    # More silent ones than there is room for: whoever comes after is answered all the same.
    silent = [connect() for _ in range(40)]
    assert answer(place, server) == 486
    code, heard = place.run("status", server.command("status"), seconds=60)
    assert code == 0 or "did not answer" in heard, heard
    for client in silent:
        client.close()
    assert ask(place, server, "status")[0] == 0


def json_line(line):
    """The line, which must be JSON."""
    json.loads(line)
    return line


@case
def one_exchange_in_a_folder(place):
    """A second one is refused by name; one that was killed leaves nothing in the way."""
    server = place.server(scripts=REFUSES.format(code=486))
    again, said = place.run("again", server.command(), seconds=10)
    assert again == 1 and f"process {server.process.pid}" in said, said
    server.kill()
    assert (server.data / "cordboard.sock").exists()
    code, said = ask(place, server, "status")
    assert code == NO_EXCHANGE and "no exchange runs" in said, said
    assert ask(place, server, "reload", "--json") == (NO_EXCHANGE, '{"running":false}\n')
    server.start()
    assert status(place, server)["pid"] == server.process.pid
    assert server.stop() == 0
    assert not (server.data / "cordboard.sock").exists()


@case
def a_file_in_place_of_the_socket_is_left_alone(place):
    """Somebody's file of that name: told, kept, and calls work; SIGHUP still reloads."""
    server = place.unstarted_server(scripts=REFUSES.format(code=486))
    server.data.mkdir()
    (server.data / "cordboard.sock").write_text("mine")
    server.start()
    until(lambda: "cordboard.sock in the data folder cannot be used" in server.log(), 5, "the warning")
    assert (server.data / "cordboard.sock").read_text() == "mine"
    write(server, REFUSES.format(code=603))
    server.process.send_signal(signal.SIGHUP)
    until(lambda: answer(place, server) == 603, 5, "the new dialplan")


@case
def others_may_not_command(place):
    """Another user of the machine can neither ask nor reload."""
    if os.geteuid() != 0:
        raise Skip("only root can play another user")
    server = place.server(scripts=REFUSES.format(code=486))
    # A folder that everybody may enter, so that the socket alone is in the way.
    binary = shutil.copy(place.binary, place.folder / "cordboard")
    # Those of this run are ours to open.
    place.folder.parent.chmod(0o711)
    for folder in (place.folder, *place.folder.parents):
        if not folder.stat().st_mode & stat.S_IXOTH:
            raise Skip(f"nobody else may enter {folder}")
    server.config.chmod(0o644)
    def as_nobody():
        return subprocess.run(
            [str(part) for part in [binary, *server.command("status")[1:]]],
            capture_output=True, text=True, user=65_534, timeout=20,
        )

    done = as_nobody()
    assert done.returncode == 1 and "only by whoever runs the exchange" in done.stderr, done
    # Even with the door open, whoever is not the owner is sent away.
    (server.data / "cordboard.sock").chmod(0o666)
    done = as_nobody()
    assert done.returncode == 1 and "phones" not in done.stdout, done
    server.says("without the right")
    assert status(place, server)["calls"] == 0
