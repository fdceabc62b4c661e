"""`cordboard repl`: a Lua prompt with a pretend caller, typed through a pipe."""

import subprocess

from kit.case import case
from kit.terminal import END, INTERRUPT, TAB, UP, Terminal


def typed(place, server, *lines, arguments=(), code=0):
    """What the program prints of these lines, without its greeting; it must end with this code."""
    done = subprocess.run(
        [str(part) for part in server.command("repl", "--at", "2026-11-22 03:00", *arguments)],
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
        timeout=30,
        cwd=place.folder,
    )
    said = done.stdout + done.stderr
    assert done.returncode == code, f"it ended with {done.returncode}, not {code}:\n{said}"
    return said.splitlines()[3:]


@case
def tries_lines_on_a_pretend_caller(place):
    """Lines from a pipe: values, the ladder, a phone that answers, and a hang-up."""
    server = place.unstarted_server()
    said = typed(
        place,
        server,
        "local n = 20 + 1",
        "n * 2",
        'call:dial("ext/102", { timeout = n })',
        ".answer 102",
        ".hangup 102",
        ".quit",
        "never read",
        arguments=["--from", "101", "--to", "800"],
    )
    assert said == [
        "            101                        exchange",
        "   0.000     │──────── INVITE 800 ────────>│",
        "> local n = 20 + 1",
        "> n * 2",
        "= 42",
        '> call:dial("ext/102", { timeout = n })',
        "            101                        exchange                         102",
        "   0.000     │                             │──────── INVITE 102 ────────>│",
        "             │                             │<─────── 180 Ringing ────────│",
        "             │<─────── 180 Ringing ────────│                             │",
        "             │ hears ringing               │                             │",
        "102 rings: .answer 102, .busy 102, or an empty line to wait",
        "… .answer 102",
        "   1.000     │                             │<───────── 200 OK ───────────│",
        "             │                             │──────────── ACK ───────────>│",
        "             │<───────── 200 OK ───────────│                             │",
        "             │ hears 102                   │                             │ hears 101",
        "             │──────────── ACK ───────────>│                             │",
        "the caller and 102 talk: .hangup, .hangup 102, .wait 5",
        "… .hangup 102",
        "   2.000     │ hears nothing               │                             │",
        "             │                             │<─────────── BYE ────────────│",
        '= { code = 200, reason = "OK", secs = 1.0, status = "ANSWERED", to = "ext/102" }',
        "> .quit",
    ], "\n".join(said)


@case
def tries_the_dialplan_and_makes_a_test_of_it(place):
    """`.save` writes a test that `cordboard test` passes; mistakes count where nobody sees them."""
    server = place.unstarted_server()
    said = typed(
        place, server, 'call:go("0")', ".press 4", ".answer 100", ".hangup 100", ".save menu.lua"
    )
    assert said[-1] == "saved; `cordboard test menu.lua` runs it", "\n".join(said)
    code, tested = place.run("test", server.command("test", "menu.lua"), seconds=60)
    assert code == 0, f"{tested}\n{(place.folder / 'menu.lua').read_text()}"
    said = typed(place, server, 'call:plya("main/welcome")', ".help plya", code=1)
    text = "\n".join(said)
    assert "did you mean call:play?" in text, text


@case
def lines_are_typed_on_a_terminal(place):
    """Several lines for one function, Ctrl-C and Ctrl-D, lines from before, TAB, a paste, and what is no text."""
    server = place.unstarted_server()
    command = server.command("repl", "--at", "2026-11-22 03:00")
    terminal = Terminal(place, command, environment={"NO_COLOR": "1"})
    terminal.until("> ")

    def typed(keys, wanted, prompt="> "):
        terminal.type(keys)
        terminal.until(wanted)
        terminal.until(prompt)

    typed("1 + 1\r", "= 2")
    typed(UP + b"\r", "= 2")
    typed("for n = 1, 2 do\r", "do", ".. ")
    typed("log.info('line ' .. n)\r", "n)", ".. ")
    typed("end\r", "logs: line 2")
    typed("local f = function(\r", "(", ".. ")
    terminal.type(INTERRUPT)
    terminal.until("> ")
    typed("f == nil\r", "= true")
    typed("half a line" + INTERRUPT.decode(), "half a line")
    typed("call:answ" + TAB.decode() + "()\r", "200 OK")
    typed("\x1b[200~local a = 20\nlocal b = a * 2\n\x1b[201~\r", "a * 2")
    typed("a + b + 2\r", "= 62")
    typed(b"\xff\xfe\r", "UTF-8")
    typed("'é' .. '日本'\r", '= "é日本"')
    typed("#'" + "x" * 3_000 + "'\r", "= 3000")
    typed("while true do end\r", "endless loop")
    terminal.type(END)
    assert terminal.rest()[1] in (0, 1)
    terminal = Terminal(place, command)
    terminal.until("> ")
    # Lines are there the next time, too, for nobody else to read.
    terminal.type(UP + UP + b"\r")
    terminal.until("= 3000")
    kept = place.folder / "state/cordboard/repl-history"
    assert kept.stat().st_mode & 0o777 == 0o600
    terminal.until("> ")
    terminal.type(END)
    assert terminal.rest()[1] == 0
