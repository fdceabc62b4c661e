"""Phones that transfer: baresip with its transfer command, and by hand what baresip does not do."""

import json
import socket
import time
import urllib.parse

from kit import ports, sip, sound
from kit.baresip import Baresip
from kit.case import case
from kit.phone import Phone

# baresip 1.0 refuses to register when any challenge is not MD5.
OLD = ["MD5"]


def commanded(place, server, user, says_hz):
    """A baresip that can be told things while it runs; gives it and the port for that."""
    phone = Baresip(place, server, user, says_hz)
    port = ports.free()
    with open(phone.folder / "config", "a") as config:
        config.write(f"module_app ctrl_tcp.so\nctrl_tcp_listen 127.0.0.1:{port}\n")
    return phone.start().registered(), port


def tell(port, command, params):
    """Gives a running baresip a command, in its own words."""
    text = json.dumps({"command": command, "params": params, "token": "x"}).encode()
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(b"%d:%s," % (len(text), text))
        connection.settimeout(5)
        assert connection.recv(4_096), "baresip says nothing to its command"


@case
def baresip_transfers_its_caller(place):
    """102 sends 101 on to 103 with its transfer command: 101 and 103 talk, 102 is out."""
    server = place.server(digest=OLD)
    target = Baresip(place, server, "103", says_hz=1_500).start().registered()
    callee, control = commanded(place, server, "102", says_hz=1_000)
    caller = Baresip(place, server, "101", says_hz=440)
    caller.start(dial=f"sip:102@{server.address}")
    caller.wait_for("Call established")
    time.sleep(2)
    tell(control, "transfer", f"sip:103@{server.address}")
    target.wait_for("Call established")
    callee.wait_for("terminated")
    time.sleep(4)
    caller.stop()
    target.wait_for("terminated")
    for phone in (callee, target):
        phone.stop()
    sound.expect_only_tone(target.heard(), 440, (1_000, 1_500), 3, what="what 103 heard")
    heard = caller.heard()
    assert sound.seconds_of_tone(heard, 1_500) > 3, "101 did not hear 103"
    assert sound.seconds_of_tone(heard, 1_000) < 3.5, "101 heard 102 for longer than it was there"
    server.says("transferred to 103", "by=102 who=101 to=103")


@case
def transfer_to_nobody_comes_back(place):
    """Nobody has 777: the transferor is told so by NOTIFY, and the two still have a call."""
    server = place.server()
    alice, bob = (Phone(place, server, user) for user in ("101", "102"))
    bob.register()
    call = alice.invite("102")
    ringing = bob.accept(bob.expect("INVITE"))
    ringing.answer()
    call.answered()
    first = sipfrag_after_refer(ringing, f"<sip:777@{server.address}>")
    assert first == ["100 Trying", "404 Not Found"], first
    ringing.hang_up()
    call.hung_up(seconds=15)


def sipfrag_after_refer(call, refer_to, headers=()):
    """Sends a REFER in a call; gives what NOTIFYs say until the last."""
    call.cseq += 1
    refer = call._send("REFER", [("Refer-To", refer_to), *headers])
    accepted = call.phone.final(refer)
    assert accepted.status == 202, accepted.start
    assert accepted.get("Contact"), "202 without Contact"
    told = []
    while True:
        notify = call.phone.expect("NOTIFY")
        call.phone.reply(notify, 200, "OK")
        assert notify.get("Content-Type").startswith("message/sipfrag"), notify
        assert notify.get("Event") == f"refer;id={refer.cseq[0]}", notify.get("Event")
        told.append(notify.body.decode().strip().removeprefix("SIP/2.0 "))
        if notify.get("Subscription-State").startswith("terminated"):
            return told


@case
def transfer_after_asking_joins_the_two(place):
    """102 has a call with 101 and one with 103, and joins them by REFER with Replaces."""
    server = place.server()
    alice, bob, carol = (Phone(place, server, user) for user in ("101", "102", "103"))
    for phone in (bob, carol):
        phone.register()
    call = alice.invite("102", sip.description("127.0.0.1", 4_000))
    first = bob.accept(bob.expect("INVITE"))
    first.answer()
    call.answered()
    second = bob.invite("103", sip.description("127.0.0.1", 4_002))
    asked = carol.accept(carol.expect("INVITE"))
    asked.answer()
    second.answered()
    tag = second.other.rsplit(";tag=", 1)[1]
    own = second.own.rsplit(";tag=", 1)[1]
    replaces = urllib.parse.quote(f"{second.call_id};to-tag={tag};from-tag={own}", safe="")
    told = sipfrag_after_refer(first, f"<sip:103@{server.address}?Replaces={replaces}>")
    assert told == ["100 Trying", "200 OK"], told
    second.hung_up()
    first.hung_up()
    asked.hang_up()
    call.hung_up(seconds=15)


@case
def refer_outside_a_call_reaches_nobody(place):
    """A REFER out of the blue is refused, with proof or without, and calls nobody."""
    server = place.server()
    callee = Phone(place, server, "102")
    callee.register()
    phone = Phone(place, server, "101")
    to = [("Refer-To", f"<sip:102@{server.address}>")]
    response = phone.transact("REFER", f"sip:103@{server.address}", to)
    assert response.status == 405, response
    callee.expect_nothing("INVITE", 0.5)
