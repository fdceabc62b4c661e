"""SIPp as caller and callee: whole calls through the bridge, and the caller's part of others."""

import re

from kit import ports
from kit.case import case
from kit.sipp import Sipp, register

# SIPp 3.6 dies of a first challenge that is not MD5.
OLD = ["MD5"]


def bridged(place, server, caller, callee, transport="u1", seconds=20):
    """Registers 101 and 102 and lets 101 call 102; gives both SIPps, ended."""
    ours, theirs = ports.free(server.host), ports.free(server.host)
    register(place, server, "102", theirs)
    register(place, server, "101", ours, transport)
    answering = Sipp(place, server, callee, user="102", port=theirs, waits_for_calls=True, seconds=seconds)
    calling = Sipp(
        place, server, caller, number="102", user="101", port=ours, transport=transport,
        seconds=seconds, extra=("-d", 500),
    )
    calling.succeeded()
    answering.succeeded()
    return calling, answering


def received(place, sipp, start):
    """How often a SIPp received a message that starts like this."""
    text = (place.folder / f"{sipp.name}-messages.log").read_text(errors="replace")
    arrived = re.findall(r"message received \[\d+\] bytes :\n\n([^\n]*)", text)
    return sum(line.startswith(start) for line in arrived)


@case
def sipp_basic_call(place):
    """INVITE, 180, 200, ACK, BYE between two registered phones through the Lua bridge."""
    bridged(place, place.server(digest=OLD), "call", "answer")


@case
def sipp_basic_call_over_tcp(place):
    """The caller speaks TCP, the callee UDP."""
    bridged(place, place.server(digest=OLD), "call", "answer", transport="t1")


@case
def sipp_basic_call_over_ipv6(place):
    """Both on ::1."""
    bridged(place, place.server(digest=OLD, host="::1"), "call", "answer")


@case
def sipp_cancel_while_ringing(place):
    """CANCEL reaches the ringing phone; the caller gets 487."""
    bridged(place, place.server(digest=OLD), "cancel_caller", "cancel_callee")


@case
def sipp_hold_and_resume(place):
    """A re-INVITE with sendonly, and one with sendrecv, arrive at the other phone as such."""
    bridged(place, place.server(digest=OLD), "hold_caller", "hold_callee")


@case
def sipp_retransmissions(place):
    """A callee that is silent for two seconds gets the INVITE again; a caller that acknowledges
    late gets the 200 again; both are one call."""
    server = place.server(digest=OLD)
    caller, callee = bridged(place, server, "late_ack", "answer_late")
    invites, answers = received(place, callee, "INVITE "), received(place, caller, "SIP/2.0 200")
    # At 0, 0.5 and 1.5 s each; the caller's count includes the 200 of its BYE.
    assert invites == 3, f"the callee got {invites} INVITEs in two seconds"
    assert answers in (4, 5), f"the caller got {answers} 200s"


@case
def sipp_redirect_302(place):
    """302 is answered with a Contact."""
    Sipp(place, place.server(digest=OLD), "redirected", number="302").succeeded()


@case
def sipp_queued_182(place):
    """700 queues with 182 and early media; the caller gives up with CANCEL."""
    Sipp(place, place.server(digest=OLD), "queued", number="700").succeeded()


@case
def sipp_register_with_md5(place):
    """Registers with digest MD5."""
    register(place, place.server(digest=OLD), "101", ports.free())


@case
def sipp_register_with_a_wrong_password(place):
    """401 again, and a log line that names account and source."""
    server = place.server(digest=OLD)
    phone = Sipp(place, server, "wrong_password", user="101", secret="not-the-secret")
    phone.succeeded()
    server.says("wrong secret")
    lines = [line for line in server.log().splitlines() if "101" in line and "wrong secret" in line]
    assert lines, "the log says nothing of the wrong secret"
    assert f"127.0.0.1:{phone.port}" in lines[0], f"no source in {lines[0]!r}"
    logged = "\n".join(line for line in server.log().splitlines() if " INFO " in line or " WARN " in line)
    assert "not-the-secret" not in logged and "secret-of-101" not in logged


@case
def sipp_many_calls(place):
    """A hundred calls at twenty a second, two ports each: all succeed."""
    server = place.server(scripts=BRIDGE, peers=[("load", "127.0.0.1/32")])
    theirs = ports.free()
    callee = Sipp(place, server, "answer_at_once", user="102", port=theirs, calls=100, waits_for_calls=True)
    caller = Sipp(
        place, server, "call_without_digest", number=f"9{theirs}", calls=100,
        extra=("-r", 20, "-d", 300),
    )
    caller.succeeded()
    callee.succeeded()


# 9 and a port: the phone that listens there.
BRIDGE = """
route("9.", function(call)
  call:dial("sip:phone@127.0.0.1:" .. call.to.user:sub(2))
end)
"""
