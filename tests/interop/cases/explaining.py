"""`cordboard explain`: what would happen, without calling anybody."""

import json

from kit.case import case


def explain(place, server, *arguments, code=0):
    """What the program prints of a question, which must end with this code."""
    ended, said = place.run("explain", server.command("explain", *arguments), seconds=20)
    assert ended == code, f"it ended with {ended}, not {code}:\n{said}"
    return said


@case
def explains_a_call_without_an_exchange(place):
    """A tree of every way, with the prompts' texts, of a dialplan that nobody runs."""
    server = place.unstarted_server()
    said = explain(place, server, "101", "102", "--at", "2026-11-22 03:00")
    assert said.splitlines() == [
        "101 dials 102 on Sunday 22 November 2026 at 03:00, a call from an account (Phone 101)",
        'route "1XX"  scripts/extensions.lua:5',
        "├ rings ext/102 for 25 s",
        "├─ answered → they talk until one hangs up",
        "├─ busy or refused → takes a message for 102 (greeting: on another line) → ends: BYE",
        "└─ no answer or not reachable → takes a message for 102 (greeting: not available) → ends: BYE",
    ], said
    menu = explain(place, server, "101", "0", "--given", "key=2")
    assert 'plays main/welcome "Welcome to Cordboard."' in menu, menu
    assert "given: 2" in menu and 'goes to 600, route "600"' in menu, menu


@case
def explains_for_programs(place):
    """`--json` holds the same tree, with lengths of prompts as they are."""
    server = place.unstarted_server()
    tree = json.loads(explain(place, server, "101", "600", "--json"))["tree"]
    verbs = [step["verb"] for step in tree["steps"]]
    assert verbs == ["answer", "play", "echo", "play"], tree
    (intro,) = tree["steps"][1]["sounds"]
    assert intro["name"] == "main/echo-intro" and 3 < intro["seconds"] < 15, intro
    assert tree["then"]["end"]["how"] == "bye", tree


@case
def explains_what_was_mistyped(place):
    """A wrong fact or time names the nearest right one, with exit code 2."""
    server = place.unstarted_server()
    said = explain(place, server, "101", "0", "--given", "ext/101=bussy", code=2)
    assert "did you mean busy?" in said, said
    said = explain(place, server, "101", "0", "--at", "sundey 03:00", code=2)
    assert "did you mean sunday?" in said, said
