"""`cordboard repl`: a Lua prompt with a pretend caller, typed through a pipe."""

import subprocess

from kit.case import case


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
