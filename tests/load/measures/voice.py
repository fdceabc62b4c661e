"""RTP: what relaying a packet costs beside the least it can cost, and what a listener costs.

The same senders, here in Python, drive the exchange and `bare_relay` with the same packets.
"""

import select
import socket
import statistics
import struct
import subprocess
import time

from kit import sip
from kit.phone import Phone

from .cost import Spent

PTIME = 0.02


class Ends:
    """Many UDP ports that all send a packet every 20 ms and take what comes."""

    def __init__(self, count):
        self.sockets = []
        self.poll = select.epoll()
        self.by_fd = {}
        for _ in range(count):
            end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            end.bind(("127.0.0.1", 0))
            end.setblocking(False)
            self.sockets.append(end)
            self.by_fd[end.fileno()] = end
            self.poll.register(end.fileno(), select.EPOLLIN)
        self.sequence = 0
        self.received = 0
        self.delays_us = []

    def ports(self):
        """Their port numbers, in order."""
        return [end.getsockname()[1] for end in self.sockets]

    def send_all(self, targets):
        """One packet from each end; the time of sending stands in it."""
        self.sequence += 1
        for number, (end, target) in enumerate(zip(self.sockets, targets)):
            header = struct.pack(
                "!BBHII", 0x80, 0, self.sequence & 0xFFFF, self.sequence * 160, number
            )
            stamp = struct.pack("!Q", time.perf_counter_ns())
            end.sendto(header + stamp + b"\xff" * 152, target)

    def take(self, seconds):
        """Takes what comes for that long."""
        until = time.perf_counter() + seconds
        while True:
            left = until - time.perf_counter()
            if left <= 0:
                return
            for descriptor, _ in self.poll.poll(left):
                data = self.by_fd[descriptor].recv(2_048)
                self.received += 1
                if len(data) == 172:
                    sent = struct.unpack("!Q", data[12:20])[0]
                    self.delays_us.append((time.perf_counter_ns() - sent) / 1_000)

    def talk(self, targets, seconds):
        """Sends from every end for that long, a packet every 20 ms, spread evenly over it."""
        groups = 10
        size = -(-len(self.sockets) // groups)
        everything = self.sockets
        due = time.perf_counter()
        end_at = due + seconds
        while due < end_at:
            for group in range(groups):
                part = slice(group * size, (group + 1) * size)
                self.sockets = everything[part]
                self.send_all(targets[part])
                due += PTIME / groups
                self.take(due - time.perf_counter())
        self.sockets = everything
        self.take(0.1)

    def close(self):
        """Lets the ports go."""
        for end in self.sockets:
            end.close()
        self.poll.close()


def relayed_packet(office, pairs=100, seconds=8):
    """Processor time of one relayed packet, the exchange beside a bare receive and send."""
    server = office.server()
    ends = Ends(2 * pairs)
    own = ends.ports()
    caller, callee = Phone(office, server, "caller"), Phone(office, server, "callee")
    targets, calls = [None] * (2 * pairs), []
    for pair in range(pairs):
        body = sip.description("127.0.0.1", own[2 * pair])
        call = caller.invite(f"9{callee.port}", body, is_known=True)
        there = callee.accept(callee.expect("INVITE"), sip.description("127.0.0.1", own[2 * pair + 1]))
        targets[2 * pair + 1] = sip.audio_address(there.request.body)
        there.answer()
        call.answered()
        targets[2 * pair] = call.sound_at
        calls.append((call, there))
    ours = _relay_cost(ends, targets, server.process.pid, seconds)
    for call, there in calls:
        call.cseq += 1
        bye = call._send("BYE")
        there.hung_up()
        caller.final(bye)
    ends.close()
    server.close()

    ends = Ends(2 * pairs)
    bare = subprocess.Popen([office.bare_relay, str(pairs)], stdout=subprocess.PIPE, text=True)
    office.on_close(bare.kill)
    opened = [bare.stdout.readline().split() for _ in range(pairs)]
    targets = [("127.0.0.1", int(port)) for pair in opened for port in pair]
    least = _relay_cost(ends, targets, bare.pid, seconds)
    bare.kill()
    bare.wait()
    ends.close()
    for name, cost in (("relayed packet", ours), ("the same by a bare receive and send", least)):
        yield (
            name,
            f"{cost['us']:.2f} us",
            f"processor time; delay {cost['middle_us']:.0f} us in the middle, {cost['late_us']:.0f} at 99 %;"
            f" {cost['lost']} of {cost['sent']:,} lost",
        )
    yield ("relay beside bare", f"{ours['us'] / least['us']:.2f} times", f"{pairs} calls, 50 packets a second")


def _relay_cost(ends, targets, pid, seconds):
    # Both sides learn where the other is before anything is counted.
    ends.talk(targets, 0.5)
    ends.received, ends.delays_us = 0, []
    first = ends.sequence
    with Spent(pid) as spent:
        ends.talk(targets, seconds)
    # A group's sequence counts its own rounds: ten groups make one round of all.
    sent = (ends.sequence - first) * len(targets) // 10
    delays = sorted(ends.delays_us)
    return {
        "us": spent.seconds / max(ends.received, 1) * 1e6,
        "middle_us": statistics.median(delays),
        "late_us": delays[int(len(delays) * 0.99)],
        "sent": sent,
        "lost": sent - ends.received,
    }


def announcement_listener(office, listeners=200, seconds=8):
    """Share of a core per listener of an announcement, all hearing the same file."""
    server = office.server()
    ends = Ends(1)
    phone = Phone(office, server, "listener")
    calls = []
    for _ in range(listeners):
        call = phone.invite("7", sip.description("127.0.0.1", ends.ports()[0]), is_known=True)
        call.answered()
        calls.append(call)
    ends.take(1)
    ends.received = 0
    with Spent(server.process.pid) as spent:
        ends.take(seconds)
    yield (
        f"announcement, {listeners} listeners",
        f"{spent.seconds / seconds / listeners * 100:.4f} %",
        f"of a core each; {ends.received / seconds / listeners:.1f} packets a second each",
    )
    for call in calls:
        call.hang_up()
    ends.close()
    server.close()
