"""The torture messages of RFC 4475 and RFC 5118, each sent to the running program.

They are not part of the project: the case looks for the folder `shared/torture` beside the checkout.
Every message must be survived; those whose answer the RFC defines must get it.
"""

import os
import pathlib
import random
import re
import socket

from kit import sip
from kit.case import Skip, case
from kit.phone import Phone

FOLDER = pathlib.Path(
    os.environ.get("TORTURE", pathlib.Path(__file__).resolve().parents[4] / "shared" / "torture")
)

# What an element that is the addressee must answer, by RFC 4475 §3 and RFC 5118 §4. An INVITE or
# REGISTER that is otherwise right may first be challenged; a message is let go when its answer could
# only go to an address that is none of ours.
REFUSED = (400,)
DEFINED = {
    # §3.1.2: syntactically invalid.
    "badinv01": REFUSED,
    "clerr": REFUSED,
    "ncl": REFUSED,
    "scalar02": REFUSED,
    "ltgtruri": REFUSED,
    "lwsruri": REFUSED,
    "lwsstart": REFUSED,
    "baddate": (400, 200, 401),
    "regbadct": (400,),
    "badaspec": (400,),
    "baddn": (400,),
    "mismatch01": REFUSED,
    "mismatch02": (400, 501),
    "badvers": (505,),
    # §3.2, §3.3: transaction and application layer.
    "insuf": REFUSED,
    "unkscm": (416,),
    "novelsc": (416,),
    "unksm2": (404, 416, 400, 401),
    "bext01": (420,),
    "multi01": REFUSED,
    "mcl01": REFUSED,
    "zeromf": (200, 401, 483),
    "intmeth": (501,),
    # §3.1.1: valid, and understood or challenged.
    # Its To has a tag, and there is no such dialog.
    "wsinv": (481,),
    "longreq": (401,),
    "dblreq": (200, 401),
    "lwsdisp": (200,),
    "semiuri": (200,),
    "transports": (200,),
    "mpart01": (401, 405, 501),
    "inv2543": (401,),
    "noreason": (),
    "unreason": (),
    "bcast": (),
    "bigcode": (),
    "scalarlg": (),
    # RFC 5118.
    "ipv6-good": (200, 401),
    "ipv6-bad": REFUSED,
}


def answers_of(phone, data):
    """Every status that comes back for a message, without provisional ones."""
    phone.send_bytes(data)
    # A probe behind it: once that is answered, the message has been dealt with, too.
    probe = phone.send("OPTIONS")
    found = []
    while True:
        message = phone.next(lambda m: m.status is not None and m.status != 100, 5)
        assert message is not None, "the server does not answer any more"
        if message.get("Call-ID") == probe.get("Call-ID"):
            assert message.status == 200
            return found
        found.append(message.status)


def answered_here(data):
    """The message with `rport` in its topmost Via, so that the answer comes back to where it came
    from (RFC 3581) and not to an address that is none of ours."""
    via = re.search(rb"(?im)^(?:via|v)[ \t]*:(?:[^;,\r\n]|\r?\n[ \t])*", data)
    if not via or b"rport" in data[via.start() : data.index(b"\n", via.start())]:
        return data
    return data[: via.end()] + b";rport" + data[via.end() :]


@case
def torture_messages(place):
    """Each message of RFC 4475 and RFC 5118 is survived; the defined answers come."""
    files = sorted(FOLDER.glob("rfc*/*.dat"))
    if not files:
        raise Skip("the folder shared/torture is not beside the checkout")
    server = place.server()
    wrong = []
    for file in files:
        phone = Phone(place, server, "101")
        data = answered_here(file.read_bytes())
        found = answers_of(phone, data)
        phone.close()
        assert server.is_alive(), f"{file.name} ended the server"
        expected = DEFINED.get(file.stem)
        if expected is None:
            continue
        good = [status for status in found if status in expected]
        if (expected and not good) or (not expected and found):
            wrong.append(f"{file.parent.name}/{file.stem}: got {found or 'nothing'}, expected {expected}")
    assert not wrong, "\n" + "\n".join(wrong)


@case
def torture_messages_over_tcp(place):
    """The same as a stream, each on a connection of its own: survived, and others are served."""
    files = sorted(FOLDER.glob("rfc*/*.dat"))
    if not files:
        raise Skip("the folder shared/torture is not beside the checkout")
    server = place.server()
    for file in files:
        with socket.create_connection((server.host, server.port)) as stream:
            stream.sendall(file.read_bytes())
            stream.shutdown(socket.SHUT_WR)
            stream.settimeout(2)
            try:
                while stream.recv(65_535):
                    pass
            except OSError:
                pass
        assert server.is_alive(), f"{file.name} ended the server"
    assert Phone(place, server).transact("OPTIONS").status == 200


@case
def mutated_messages_are_survived(place):
    """Three thousand seeded mutations of valid requests: nothing panics, the next caller is served."""
    server = place.server()
    seeded = random.Random(4475)
    phone = Phone(place, server, "101")
    bodies = (b"", sip.description("127.0.0.1", 4_000).encode())
    for round_ in range(3_000):
        method = seeded.choice(("INVITE", "OPTIONS", "REGISTER", "BYE", "CANCEL", "ACK", "SUBSCRIBE"))
        data = bytearray(phone.request(method, f"sip:600@{server.address}", body=seeded.choice(bodies)))
        for _ in range(seeded.randrange(1, 6)):
            at = seeded.randrange(len(data))
            kind = seeded.randrange(4)
            if kind == 0:
                data[at] = seeded.randrange(256)
            elif kind == 1:
                del data[at : at + seeded.randrange(1, 40)]
            elif kind == 2:
                data[at:at] = data[seeded.randrange(len(data)) :][: seeded.randrange(1, 60)]
            else:
                data[at:at] = seeded.choice((b"\r\n", b"\0", b"%", b"\xff\xfe", b";;", b"<<", b'"', b"\r\n "))
            if not data:
                data = bytearray(b"x")
        phone.socket.sendto(bytes(data), (server.host, server.port))
        if round_ % 50 == 49:
            # Not faster than it can be dealt with: the loss would hide what is being looked for.
            prober = Phone(place, server, "102")
            assert prober.transact("OPTIONS").status == 200
            prober.close()
    assert server.is_alive()
