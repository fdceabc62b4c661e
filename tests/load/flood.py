#!/usr/bin/env python3
"""What strangers can do to the calls of others: floods, half-open connections, silence, too many calls.

    tests/load/flood.py [BINARY] [--seconds N] [--rate N] [--only PART]...

Wants `cargo build --release -p cordboard`. Everything stays on 127.0.0.0/8. Each part prints what it saw and
ends with `ok` or `WEAK`; the exit code is the number of weak ones. Takes about three minutes.
"""

import argparse
import contextlib
import multiprocessing
import os
import pathlib
import random
import resource
import select
import socket
import statistics
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "interop")]
sys.dont_write_bytecode = True

from kit import phone, place, sip  # noqa: E402
from kit.phone import Phone  # noqa: E402
from measures.cost import Spent, descriptors, rss_kib  # noqa: E402

REPOSITORY = HERE.parents[1]

# 600 is answered and left waiting, 1XX are phones.
SCRIPT = """
route("1XX", function(call) call:dial("ext/" .. call.to.user, { timeout = 20 }) end)
route("600", function(call) call:answer() call:sleep(600) end)
"""

# HARDENING's figures.
GOOD_SHARE = 0.95
SETUP_MS = 50
GROWTH_KIB = 16_384
DEADLINE_S = 40
CONNECTION_KIB = 16


class Polling:
    """`select.select` for more than 1,024 descriptors, as far as phones use it."""

    @staticmethod
    def select(readable, writable, broken, seconds):
        """Waits until one can be read."""
        poll = select.poll()
        for one in readable:
            poll.register(one, select.POLLIN)
        return (poll.poll(seconds * 1_000), [], [])


phone.select = Polling


def without_prompts(office, **settings):
    """A server that has no prompts to decode: what that gives back would hide what strangers take."""
    empty = office.folder / "prompts"
    empty.mkdir(exist_ok=True)
    return office.server(scripts=SCRIPT, prompts=empty, **settings)


class Verdict:
    """Prints figures, and counts those that are not as they should be."""

    weak = 0

    def __call__(self, what, figure, good=True):
        Verdict.weak += not good
        print(f"{what:58} {figure:>26}  {'ok' if good else 'WEAK'}", flush=True)


say = Verdict()


# Registered users who call each other, in a process of their own.


def answering(callee, stop):
    """A phone that takes every call at once and hangs up when told."""
    while not stop.is_set():
        message = callee.next(lambda m: m.method is not None, 0.2)
        if message is None:
            continue
        if message.method == "INVITE":
            callee.reply(message, 200, "OK", body=sip.description(callee.host, 9), tag=sip.token())
        elif message.method != "ACK":
            callee.reply(message, 200, "OK")


def one_call(caller, number):
    """Sets a call up and ends it; gives the milliseconds from the first INVITE to the 200."""
    started = time.monotonic()
    call = caller.invite(number, seconds=2)
    call.answered(2)
    took = (time.monotonic() - started) * 1_000
    call.hang_up(2)
    return took


class Quiet(Phone):
    """A phone without a trace."""

    def __init__(self, server, user, transport="udp"):
        self.server, self.user, self.transport = server, user, transport
        self.secret, self.host = f"secret-of-{user}", server.host
        kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
        self.socket = socket.socket(socket.AF_INET, kind)
        self.socket.bind((self.host, 0))
        if transport == "tcp":
            self.socket.connect((server.host, server.port))
        self.port = self.socket.getsockname()[1]
        self.stream, self.kept = b"", []
        self.trace = open(os.devnull, "wb")


class Address:
    """What a phone must know of the server."""

    def __init__(self, server):
        self.host, self.port, self.address = server.host, server.port, server.address


def callers(server, seconds, results):
    """101 calls 102 about ten times a second; says how each went."""
    stop, outcomes = threading.Event(), []
    try:
        callee, caller = Quiet(server, "102"), Quiet(server, "101")
        callee.register()
        caller.register()
        thread = threading.Thread(target=answering, args=(callee, stop), daemon=True)
        thread.start()
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            due = time.monotonic() + 0.1
            try:
                outcomes.append(one_call(caller, "102"))
            except AssertionError:
                outcomes.append(None)
            caller.kept.clear()
            time.sleep(max(0.0, due - time.monotonic()))
    except AssertionError:
        outcomes.append(None)
    finally:
        stop.set()
        results.put(outcomes)


@contextlib.contextmanager
def users_calling(server, seconds):
    """Has users call for that long; the list given is filled at the end."""
    results, outcomes = multiprocessing.Queue(), []
    process = multiprocessing.Process(target=callers, args=(Address(server), seconds, results))
    process.start()
    yield outcomes
    outcomes += results.get(timeout=seconds + 30)
    process.join()


def tell_calls(label, outcomes):
    """Share and set-up time of the calls of users."""
    good = sorted(took for took in outcomes if took is not None)
    share = len(good) / max(len(outcomes), 1)
    say(f"{label}: good calls", f"{len(good)} of {len(outcomes)}", share >= GOOD_SHARE and outcomes)
    if good:
        middle, late = statistics.median(good), good[int(len(good) * 0.99)]
        say(f"{label}: set-up, middle and 99 %", f"{middle:.1f} ms, {late:.1f} ms", middle <= SETUP_MS)


# The flood.


def request(method, count, own, server, extra=""):
    """A request of a stranger."""
    return (
        f"{method} sip:{100 + count % 50}@{server.address} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP {own}:5060;rport;branch=z9hG4bKflood{count}\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:{count % 1_000}@{server.address}>;tag={count}\r\n"
        f"To: <sip:{100 + count % 50}@{server.address}>\r\nCall-ID: flood-{count}-{own}\r\n"
        f"CSeq: 1 {method}\r\nContact: <sip:x@{own}>\r\n{extra}Content-Length: 0\r\n\r\n"
    ).encode()


WRONG = (
    'Authorization: Digest username="{user}", realm="cordboard", nonce="{nonce:040x}", uri="sip:cordboard", '
    'response="{response:032x}", algorithm=MD5, cnonce="a", qop=auth, nc=00000001\r\n'
)


def stranger_bytes(count, own, server, chance):
    """One datagram of the mix."""
    kind = count % 10
    if kind < 3:
        return request("INVITE", count, own, server)
    if kind < 5:
        return request("REGISTER", count, own, server)
    if kind < 7:
        return request("OPTIONS", count, own, server)
    if kind == 7:
        wrong = WRONG.format(user=100 + count % 50, nonce=chance.getrandbits(160), response=chance.getrandbits(128))
        return request("REGISTER", count, own, server, wrong)
    if kind == 8:
        whole = bytearray(request(chance.choice(["BYE", "CANCEL", "ACK", "MESSAGE", "X"]), count, own, server))
        for _ in range(chance.randrange(4)):
            whole[chance.randrange(len(whole))] = chance.randrange(256)
        return bytes(whole)
    return chance.choice([chance.randbytes(chance.randrange(1, 1_400)), b"(" * 60_000, b"SIP/2.0 200 OK\r\n" * 40])


def flood(server, seconds, rate, sources, sent):
    """Sends `rate` datagrams a second from many addresses, and reads nothing."""
    chance, sockets = random.Random(1), []
    for number in range(sources):
        own = f"127.9.{number // 250}.{number % 250 + 1}"
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sender.bind((own, 0))
        sockets.append((sender, own))
    to, started, count = (server.host, server.port), time.monotonic(), 0
    while (now := time.monotonic()) < started + seconds:
        while count < (now - started) * rate:
            sender, own = sockets[count % sources]
            sender.sendto(stranger_bytes(count, own, server, chance), to)
            count += 1
        time.sleep(0.002)
    sent.put(count)


def under_flood(office, options):
    """2,000 requests of strangers a second while users call."""
    server = without_prompts(office)
    pid = server.process.pid
    with users_calling(server, 3) as outcomes:
        pass
    tell_calls("in quiet", outcomes)
    before, sent = rss_kib(pid), multiprocessing.Queue()
    flooding = multiprocessing.Process(
        target=flood, args=(Address(server), options.seconds, options.rate, 200, sent)
    )
    with Spent(pid) as spent:
        started = time.monotonic()
        flooding.start()
        time.sleep(0.5)
        halfway = []
        with users_calling(server, options.seconds - 1) as outcomes:
            time.sleep(options.seconds / 2)
            halfway.append(rss_kib(pid))
        flooding.join()
        took = time.monotonic() - started
    tell_calls("under the flood", outcomes)
    count, after = sent.get(), rss_kib(pid)
    say("under the flood: datagrams a second", f"{count / options.seconds:,.0f}")
    say("under the flood: share of a core", f"{spent.seconds / took * 100:.0f} %")
    figures = f"{before:,}, {halfway[0]:,}, {after:,} KiB"
    say("under the flood: memory before, halfway, after", figures, after - before < GROWTH_KIB)
    lines = server.log().count("\n")
    say("under the flood: lines in the log", f"{lines:,}", lines < 3_000)
    server.close()


# Connections that never say anything whole.


def connect(server, count, own):
    """That many connections from one address; those that the server closed at once are left out."""
    made = []
    for _ in range(count):
        one = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        one.bind((own, 0))
        one.settimeout(5)
        try:
            one.connect((server.host, server.port))
        except OSError:
            one.close()
            continue
        one.setblocking(False)
        made.append(one)
    return made


def closed(connections):
    """How many of them the server has ended."""
    count = 0
    for one in connections:
        try:
            count += one.recv(1_000) == b""
        except BlockingIOError:
            pass
        except OSError:
            count += 1
    return count


HEAD = b"INVITE sip:100@cordboard SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bKx\r\nSubject: "


def half_open(office, options):
    """2,000 connections that stop in the middle of a message, and 300 that drip a byte a second."""
    server = without_prompts(office)
    pid = server.process.pid
    before, files, started = rss_kib(pid), descriptors(pid), time.monotonic()
    silent = []
    for host in range(1, 7):
        silent += connect(server, 334, f"127.8.0.{host}")
    for one in silent:
        with contextlib.suppress(OSError):
            one.send(HEAD)
    dripping = connect(server, 300, "127.8.1.1")
    time.sleep(0.5)
    held = rss_kib(pid)
    say("half open: connections made", f"{len(silent)} + {len(dripping)}", len(silent) > 1_900)
    per_connection = (held - before) / (len(silent) + len(dripping))
    say("half open: memory a connection", f"{per_connection:.1f} KiB", per_connection <= CONNECTION_KIB)
    with users_calling(server, DEADLINE_S - 5) as outcomes:
        for second in range(DEADLINE_S - 5):
            byte = (HEAD * 2)[second : second + 1]
            for one in dripping:
                with contextlib.suppress(OSError):
                    one.send(byte)
            time.sleep(max(0.0, started + second + 1 - time.monotonic()))
        reached = Quiet(server, "103", "tcp")
        with contextlib.suppress(AssertionError):
            answer = reached.register()
            say("half open: another registers over TCP", answer.start)
    tell_calls("half open", outcomes)
    time.sleep(max(0.0, started + DEADLINE_S - time.monotonic()))
    ended = closed(silent), closed(dripping)
    say(
        f"half open: closed within {DEADLINE_S} s",
        f"{ended[0]} + {ended[1]}",
        ended == (len(silent), len(dripping)),
    )
    for one in silent + dripping + [reached.socket]:
        one.close()
    place.until(lambda: descriptors(pid) <= files, 5, "the return of all descriptors")
    server.close()


def stuffed(office, options):
    """Connections that hold as much of a message back as they may, and ones that read no answer."""
    server = without_prompts(office)
    pid = server.process.pid
    before = rss_kib(pid)
    line = b"Subject: " + b"x" * 7_000 + b"\r\n"
    holding = []
    for host in range(1, 5):
        holding += connect(server, 499, f"127.7.0.{host}")
    for one in holding:
        one.setblocking(True)
        one.settimeout(2)
        with contextlib.suppress(OSError):
            one.sendall(HEAD + b"x\r\n" + line * 8)
    time.sleep(1)
    held = rss_kib(pid) - before
    say("stuffed: memory a connection", f"{held / len(holding):.1f} KiB", held / len(holding) <= CONNECTION_KIB)
    with users_calling(server, 3) as outcomes:
        pass
    tell_calls("stuffed", outcomes)
    for one in holding:
        one.close()
    server.close()

    server = without_prompts(office)
    pid = server.process.pid
    before = rss_kib(pid)
    deaf = []
    for host in range(1, 4):
        deaf += connect(server, 200, f"127.7.1.{host}")
    via = b"Via: SIP/2.0/TCP h;branch=z9hG4bK" + b"y" * 400 + b"\r\n"
    options_request = (
        b"OPTIONS sip:a@b SIP/2.0\r\n" + via * 100
        + b"From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: z\r\nCSeq: 1 OPTIONS\r\nl: 0\r\n\r\n"
    )
    for one in deaf:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    ends = time.monotonic() + 6
    pending = {one.fileno(): [one, b""] for one in deaf}
    highest = 0
    while time.monotonic() < ends and pending:
        time.sleep(0.01)
        for descriptor in list(pending):
            entry = pending[descriptor]
            entry[1] = entry[1] or options_request
            try:
                entry[1] = entry[1][entry[0].send(entry[1]) :]
            except BlockingIOError:
                pass
            except OSError:
                del pending[descriptor]
        highest = max(highest, rss_kib(pid) - before)
    say("deaf: memory a connection", f"{highest / len(deaf):.0f} KiB", highest / len(deaf) <= 300)
    for one in deaf:
        one.close()
    server.close()


# Too many calls.


def past_capacity(office, options):
    """Four times as many callers as there is room for: 503 at once, calls under way go on."""
    server = office.server(scripts=SCRIPT, extra="[limits]\ncalls = 20\n")
    users = [Quiet(server, user) for user in ("100", "101", "102", "103")]
    under_way, refused, slowest = [], 0, 0.0
    for number in range(80):
        started = time.monotonic()
        call = users[number % len(users)].invite("600")
        answer = call.expect(lambda m: m.status is not None and m.status >= 200)
        slowest = max(slowest, time.monotonic() - started)
        if answer.status == 200:
            call.acknowledge()
            under_way.append(call)
        else:
            refused += answer.status == 503 and int(answer.get("Retry-After") or 0) > 0
    say("past capacity: taken, refused", f"{len(under_way)}, {refused}", (len(under_way), refused) == (20, 60))
    say("past capacity: slowest answer", f"{slowest * 1_000:.0f} ms", slowest < 1)
    ended = 0
    for call in under_way:
        # A re-INVITE still goes through, and so does BYE.
        call.invite(sip.description(server.host, 9, version=2))
        call.answered()
        ended += call.hang_up().status == 200
    say("past capacity: refreshed and ended", f"{ended} of 20", ended == 20)
    say("past capacity: room again", str(users[0].invite("600").expect(200).status))
    server.close()


def never_acknowledged(office, options):
    """100 calls that are answered and never acknowledged: 200 again and again, then BYE, then nothing."""
    server = office.server(scripts=SCRIPT)
    caller = Quiet(server, "101")
    for _ in range(100):
        caller.invite("600").expect(200)
    until, byes, repeats = time.monotonic() + 38, set(), {}
    while time.monotonic() < until:
        message = caller.next(lambda m: True, 0.5)
        if message is None:
            continue
        if message.method == "BYE":
            caller.reply(message, 200, "OK")
            byes.add(message.get("Call-ID"))
        elif message.status == 200:
            name = message.get("Call-ID")
            repeats[name] = repeats.get(name, 0) + 1
    say("never acknowledged: BYE", f"{len(byes)} of 100", len(byes) == 100)
    counts = sorted(set(repeats.values()))
    say("never acknowledged: 200 again", f"{counts}", len(repeats) == 100 and counts == [10])
    server.close()


# A log that nobody reads.


def blocked_log(office, options):
    """What is told is not taken: calls go on."""
    server = office.unstarted_server(scripts=SCRIPT, log="debug")
    reading, writing = os.pipe()
    server.before_start = lambda: os.dup2(writing, 2)
    server.start()
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writing, b"x" * 4_096)
    os.set_blocking(writing, True)
    with users_calling(server, 5) as outcomes:
        pass
    tell_calls("log not read", outcomes)
    os.close(writing)
    os.close(reading)
    server.close()


PARTS = {
    "flood": under_flood,
    "half-open": half_open,
    "stuffed": stuffed,
    "capacity": past_capacity,
    "unacknowledged": never_acknowledged,
    "log": blocked_log,
}


def main():
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")) / "release"
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("binary", nargs="?", default=os.environ.get("CORDBOARD", target / "cordboard"))
    parser.add_argument("--seconds", type=int, default=20, help="how long the flood lasts")
    parser.add_argument("--rate", type=int, default=2_000, help="its datagrams a second")
    parser.add_argument("--only", action="append", choices=sorted(PARTS))
    options = parser.parse_args()
    binary = pathlib.Path(options.binary).resolve()
    if not binary.exists():
        print(f"{binary} does not exist; `cargo build --release -p cordboard` makes it", file=sys.stderr)
        return 2
    options.seconds, options.rate = min(options.seconds, 600), min(options.rate, 20_000)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    for name, part in PARTS.items():
        if options.only and name not in options.only:
            continue
        with tempfile.TemporaryDirectory(prefix="flood-") as folder:
            office = place.Place(binary, folder)
            try:
                part(office, options)
            except AssertionError as fault:
                say(f"{name}: {fault}"[:200], "", False)
            finally:
                with contextlib.suppress(AssertionError):
                    office.close()
    return Verdict.weak


if __name__ == "__main__":
    sys.exit(main())
