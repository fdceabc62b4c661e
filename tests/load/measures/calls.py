"""Calls and registrations offered by SIPp at a fixed rate."""

import statistics
import time

from .cost import Spent, descriptors, rss_kib
from .starting import restarts


def bridged_calls(office, server, label="", rates=(100, 300, 600)):
    """Processor time of one bridged call, INVITE to BYE: a Lua handler and two media ports each."""
    for rate in rates:
        count = rate * 5
        answering = office.sipp(server, "answer_at_once", user="phone", calls=count, waits_for_calls=True)
        with Spent(server.process.pid) as spent:
            calling = office.sipp(
                server, "call_without_digest", number=f"9{answering.port}", calls=count,
                extra=("-r", rate, "-d", 200, "-l", rate * 4),
            )
            calling.succeeded()
            answering.succeeded()
        yield (
            f"bridged call at {rate}/s{label}",
            f"{spent.seconds / count * 1_000:.3f} ms",
            f"processor time a call; {count} of {count} good",
        )


def registrations(office, server, count, rate=500):
    """Processor time of one REGISTER with digest: two requests, one binding stored."""
    users = office.folder / "users.csv"
    rows = [
        f"{user};[authentication username={user} password=secret-of-{user}]" for user in server.accounts
    ]
    users.write_text("SEQUENTIAL\n" + "\n".join(rows) + "\n")
    with Spent(server.process.pid) as spent:
        phone = office.sipp(
            server, office.scenarios / "register_each", calls=count, extra=("-r", rate, "-inf", users)
        )
        phone.succeeded()
    yield (
        f"REGISTER with digest at {rate}/s, {len(server.accounts):,} accounts",
        f"{spent.seconds / count * 1_000:.3f} ms",
        f"processor time; {count} registrations",
    )


def with_everybody_registered(office, count):
    """Registers that many accounts, and then makes calls: those must cost as if there were ten."""
    server = office.server(accounts=count, peers=())
    yield from registrations(office, server, count, rate=1_000)
    # Bindings survive a restart; who registers is asked for a password, who makes the calls is not.
    server.let_in(("load", "127.0.0.1/32"))
    took = restarts(server, 5)
    yield (f"start with {count:,} bindings", f"{statistics.median(took):.0f} ms", f"worst {max(took):.0f} ms of 5")
    yield from bridged_calls(office, server, f", {count:,} registered", rates=(300,))
    server.close()


def memory_of_calls(office, count=1_000, rate=200):
    """Resident memory per held and per waiting call, and what is left after they ended."""
    seen = []
    for kind, scenario in (("held (bridged, two legs)", "hold"), ("waiting (a script asleep)", "wait")):
        server = office.server()
        pid = server.process.pid
        # The first calls pay for what is allocated once.
        _hold(office, server, scenario, 100, rate, lambda: None)
        before, files = rss_kib(pid), descriptors(pid)
        at_full = _hold(office, server, scenario, count, rate, lambda: rss_kib(pid))
        seen.append((kind, server, before, at_full, files))
    # What may still be repeated is kept for 32 s after a call (Timer J, Timer H).
    time.sleep(34)
    for kind, server, before, at_full, files in seen:
        pid = server.process.pid
        yield (
            f"memory per call {kind}",
            f"{(at_full - before) / count:.1f} KiB",
            f"{before} KiB before, {at_full} with {count}, {rss_kib(pid)} half a minute after;"
            f" {descriptors(pid) - files:+d} descriptors",
        )
        server.close()


def _hold(office, server, scenario, count, rate, at_full):
    """Has `count` calls at one time, gives what `at_full()` says then, and waits for their end."""
    ramp = count / rate
    hold_ms = int((ramp + 2.5) * 1_000)
    if scenario == "hold":
        callee = office.sipp(server, "answer_at_once", user="phone", calls=count, waits_for_calls=True)
        number = f"9{callee.port}"
    else:
        callee, number = None, "8"
    caller = office.sipp(
        server, "call_without_digest", number=number, calls=count,
        extra=("-r", rate, "-d", hold_ms, "-l", count + 1),
    )
    time.sleep(ramp + 1.2)
    seen = at_full()
    caller.succeeded()
    if callee:
        callee.succeeded()
    return seen
