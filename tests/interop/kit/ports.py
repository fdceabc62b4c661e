"""Free ports on loopback, and waiting until a program listens on one."""

import itertools
import os
import pathlib
import random
import socket
import threading
import time

# RTP ports below the range that the kernel hands out by itself, so that no phone takes one of them.
RTP_FIRST, RTP_LAST, RTP_BLOCK = 16_384, 32_000, 200

_lock = threading.Lock()
# Whole blocks only, so that none overlaps another: a server binds its ports call by call.
_blocks = itertools.cycle(range(RTP_FIRST, RTP_LAST - RTP_BLOCK + 1, RTP_BLOCK))
for _ in range(random.Random(os.getpid()).randrange(70)):
    next(_blocks)
_given = set()


def family(host):
    """The socket family of an address."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _is_free(host, port, kind):
    with socket.socket(family(host), kind) as probe:
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free(host="127.0.0.1"):
    """A port that neither UDP nor TCP uses on `host`, never given out twice in one run."""
    for _ in range(200):
        with socket.socket(family(host), socket.SOCK_DGRAM) as probe:
            probe.bind((host, 0))
            port = probe.getsockname()[1]
        with _lock:
            if port in _given or not _is_free(host, port, socket.SOCK_STREAM):
                continue
            _given.add(port)
            return port
    raise RuntimeError(f"no free port on {host}")


def rtp_block(size=RTP_BLOCK):
    """The first and last of a block of UDP ports of which none is in use.

    Blocks of the usual size never overlap; whoever wants a larger one is alone.
    """
    for _ in range(160):
        with _lock:
            first = next(_blocks)
        if first + size > RTP_LAST:
            continue
        if all(_is_free("127.0.0.1", first + i, socket.SOCK_DGRAM) for i in range(size)):
            return first, first + size - 1
    raise RuntimeError(f"no {size} free RTP ports in a row")


def is_bound(port, protocol="udp"):
    """Whether some program on this machine listens on the port."""
    wanted = f":{port:04X}"
    for table in (protocol, protocol + "6"):
        path = pathlib.Path("/proc/net") / table
        if not path.exists():
            continue
        for line in path.read_text().splitlines()[1:]:
            fields = line.split()
            listening = protocol == "udp" or fields[3] == "0A"
            if fields[1].endswith(wanted) and listening:
                return True
    return False


def wait_until_bound(port, protocol="udp", seconds=5):
    """Returns once a program listens on the port; fails after that time."""
    until = time.monotonic() + seconds
    while not is_bound(port, protocol):
        if time.monotonic() > until:
            raise AssertionError(f"nothing listens on {protocol} port {port} after {seconds} s")
        time.sleep(0.005)
