"""`cordboard test` and its neighbours, as an author types them: on a terminal, in a pipe, for programs."""

import os
import re
import shutil
import subprocess
import xml.etree.ElementTree

from kit.case import case
from kit.terminal import INTERRUPT, Terminal

# One of each kind, with what must be escaped.
MIXED = """
test("odd # name <&\\"> \\\\ é", function(t) t:equal("a\\27[31mb]]>", { 1 }) end)
test("left out", { skip = "why # not" }, function(t) end)
test("passes", function(t) t:call { as = "101", to = "600" }:hangs_up() end)
"""


def project(place):
    """A folder as `cordboard init` makes it."""
    folder = place.folder / "office"
    code, said = place.run("init", [place.binary, "init", folder])
    assert code == 0, said
    return folder


def run(place, folder, *arguments, environment=None):
    """Exit code, standard output and standard error of a command in the folder."""
    done = subprocess.run(
        [str(part) for part in (place.binary, *arguments)],
        cwd=folder, capture_output=True, text=True, timeout=60, env={**os.environ, **(environment or {})},
    )
    return done.returncode, done.stdout, done.stderr


@case
def tests_are_told_to_programs(place):
    """TAP that `prove` reads, XML that parses, coverage beside them; exit codes; the same with the same seed."""
    folder = project(place)
    tests = folder / "scripts/tests"

    def prove(*arguments):
        done = subprocess.run(
            ["prove", "--exec", f"{place.binary} test --format tap", *arguments],
            cwd=folder, capture_output=True, text=True, timeout=60,
        )
        return done.returncode, done.stdout + done.stderr

    has_prove = shutil.which("prove") is not None
    if has_prove:
        code, said = prove("scripts/tests/main.lua")
        assert code == 0 and "Result: PASS" in said and "Tests=5" in said, said
    (tests / "mixed.lua").write_text(MIXED)
    code, tap, _ = run(place, folder, "test", "--format", "tap", "--seed", "5")
    assert code == 1 and tap.splitlines()[-2:] == ["1..8", "# seed 5"], tap
    assert "ok 7 - scripts/tests/mixed.lua: left out # SKIP why \\# not" in tap, tap
    assert run(place, folder, "test", "--format", "tap", "--seed", "5", "--jobs", "1")[1] == tap
    if has_prove:
        code, said = prove("scripts/tests/mixed.lua")
        assert code == 1 and "Failed 1/3 subtests" in said and "Parse errors" not in said, said

    code, text, told = run(place, folder, "test", "--format", "junit", "--coverage=cov")
    suites = xml.etree.ElementTree.fromstring(text)
    counts = {name: suites.get(name) for name in ("tests", "failures", "skipped")}
    assert code == 1 and counts == {"tests": "8", "failures": "1", "skipped": "1"}, counts
    assert 'odd # name <&"> \\ é' in [one.get("name") for one in suites.iter("testcase")]
    assert "coverage" in told and "listings are in cov" in told, told
    lcov = (folder / "cov/lcov.info").read_text()
    lines = [line for line in lcov.splitlines() if line.startswith("DA:")]
    assert lines and all(re.fullmatch(r"DA:[1-9]\d*,\d+", line) for line in lines), lcov
    assert lcov.count("SF:") == lcov.count("end_of_record") >= 2, lcov

    code, said, _ = run(place, folder, "test", "--list", "--filter", "ODD")
    assert code == 0 and said.startswith("scripts/tests/mixed.lua:2: odd # name"), said
    code, said, _ = run(place, folder, "test", "--fail-fast", "--jobs", "1", "scripts/tests/mixed.lua")
    assert code == 1 and "0 tests passed, 1 failed" in said, said
    code, said, _ = run(place, folder, "test", "--filter", "passes")
    assert code == 0 and "1 test passed" in said, said
    for arguments in (["--filter", "martians"], ["nowhere.lua"], ["--jobs", "0"]):
        code, said, told = run(place, folder, "test", *arguments)
        assert (code, said) == (2, "") and told, arguments
    (tests / "mixed.lua").write_text('\ntest("never ends", function(t)\n')
    code, said, told = run(place, folder, "test", "--format", "tap")
    assert code == 2 and said.startswith("Bail out!"), said
    assert "scripts/tests/mixed.lua:2:" in told or "scripts/tests/mixed.lua:3:" in told, told


@case
def readers_may_leave_early(place):
    """`| head`: no command minds, and its exit code is its own; a disk that is full is told."""
    folder = project(place)
    for arguments, wanted in [
        (["check"], 0), (["test", "--verbose"], 0), (["test", "--list"], 0), (["test", "--format", "tap"], 0),
        (["reference"], 0), (["annotations"], 0), (["explain", "101", "0"], 0), (["account", "list"], 0),
        (["test", "--filter", "martians"], 2), (["status"], 3), (["init", "other"], 0),
    ]:
        read, write = os.pipe()
        os.close(read)
        command = [str(part) for part in (place.binary, *arguments)]
        code = subprocess.run(command, cwd=folder, stdout=write, stderr=write, timeout=60).returncode
        os.close(write)
        assert code == wanted, f"{arguments} ended with {code}"
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [str(place.binary), "check"], cwd=folder, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60
        )
    assert done.returncode == 1 and "standard output cannot be written" in done.stderr, done


@case
def colours_are_for_terminals(place):
    """On a terminal there are some; none with NO_COLOR, and none in a pipe."""
    folder = project(place)
    (folder / "scripts/tests/mixed.lua").write_text(MIXED)
    wrong = folder / "scripts/tests/wrong.lua"

    def shown(environment, *arguments):
        return Terminal(place, [place.binary, *arguments], folder, environment).rest()[0]

    assert "\x1b[" in shown({"NO_COLOR": ""}, "test")
    assert "\x1b[" not in shown({"NO_COLOR": "1"}, "test")
    assert "\x1b[" not in "".join(run(place, folder, "test")[1:])
    assert "\x1b[" not in shown({"NO_COLOR": "1"}, "explain", "101", "0")
    wrong.write_text("tets()")
    assert "\x1b[" in shown({"NO_COLOR": ""}, "test")
    assert "\x1b[" not in shown({"NO_COLOR": "1"}, "test")
    assert "\x1b[" not in shown({"TERM": "dumb", "NO_COLOR": ""}, "test")


@case
def watch_runs_tests_again(place):
    """Saved through a rename, wrong, mended, deleted: told each time on a clean screen; Ctrl-C gives the last
    result."""
    folder = project(place)
    file = folder / "scripts/tests/mine.lua"
    terminal = Terminal(place, [place.binary, "test", "--watch"], folder)

    def save(text):
        beside = file.with_suffix(".lua~")
        beside.write_text(text)
        beside.rename(file)

    def next_run():
        terminal.until("\x1b[2J")
        return terminal.until("waiting for a change")

    assert "5 tests passed" in next_run()
    save('test("mine", function(t) end)\n')
    assert "6 tests passed" in next_run()
    save('test("mine", function(t)\n')
    assert "scripts/tests/mine.lua:" in next_run(), "a mistake must be left on the screen"
    save('test("mine", function(t) t:equal(1, 2) end)\n')
    assert "5 tests passed, 1 failed" in next_run()
    terminal.type(INTERRUPT)
    said, code = terminal.rest()
    assert code == 1, said
    terminal = Terminal(place, [place.binary, "test", "--watch"], folder)
    next_run()
    file.unlink()
    assert "5 tests passed" in next_run()
    main = folder / "scripts/main.lua"
    main.write_text(main.read_text() + 'route("9", function(call) call:busy() end)\n')
    assert "5 tests passed" in next_run()
    terminal.type(INTERRUPT)
    assert terminal.rest()[1] == 0
