#!/usr/bin/env python3
"""Runs a program with a loopback of its own, so that the standard ports are surely free.

    alone.py COMMAND...             in a new network namespace
    alone.py --join PID COMMAND...  in that of a program started so
"""

import ctypes
import fcntl
import os
import socket
import struct
import sys

CLONE_NEWUSER, CLONE_NEWNET = 0x1000_0000, 0x4000_0000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def leave():
    """Moves this process into a namespace of its own, with its loopback up."""
    try:
        _check(_libc.unshare(CLONE_NEWNET))
    except OSError:
        _check(_libc.unshare(CLONE_NEWUSER | CLONE_NEWNET))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(any_socket, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


def join(process_id):
    """Moves this process to where that one is."""
    for kind, flag in (("user", CLONE_NEWUSER), ("net", CLONE_NEWNET)):
        there, here = f"/proc/{process_id}/ns/{kind}", f"/proc/self/ns/{kind}"
        if os.readlink(there) != os.readlink(here):
            with open(there, encoding="ascii") as namespace:
                _check(_libc.setns(namespace.fileno(), flag))


def is_possible():
    """Whether this machine lets us."""
    child = os.fork()
    if child == 0:
        try:
            leave()
            os._exit(0)
        except OSError:
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0


def main(arguments):
    if arguments[:1] == ["--join"]:
        join(int(arguments[1]))
        arguments = arguments[2:]
    else:
        leave()
    os.execvp(arguments[0], arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
