"""Requests that get a defined refusal or answer, one by one, from a phone written here."""

import time

from kit import sip
from kit.case import case
from kit.phone import Phone


@case
def options_is_answered(place):
    """OPTIONS from anybody gets 200 with Allow."""
    phone = Phone(place, place.server())
    response = phone.transact("OPTIONS")
    assert response.status == 200, response
    for method in ("INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER"):
        assert method in response.get("Allow"), f"Allow: {response.get('Allow')}"


@case
def unknown_number_is_404(place):
    """A number that no route matches."""
    call = Phone(place, place.server()).invite("55555")
    call.expect(404)


@case
def unregistered_extension_takes_a_message(place):
    """A known extension without a phone: the demo dialplan answers with voicemail."""
    call = Phone(place, place.server()).invite("102")
    call.answered()
    call.hang_up()


@case
def incomplete_number_is_484(place):
    """What was dialled could still become a match of 1XX."""
    call = Phone(place, place.server()).invite("10")
    call.expect(484)


@case
def no_common_codec_is_488(place):
    """A codec that an announcement cannot be sent in: 488 with a Warning."""
    body = sip.description("127.0.0.1", 4_000, codecs=((96, "speex/32000"),))
    call = Phone(place, place.server()).invite("600", body)
    response = call.expect(488)
    assert response.get("Warning"), "no Warning says why"


@case
def unauthenticated_invite_reaches_nobody(place):
    """401 with SHA-256 first and MD5 second, and the called phone hears nothing."""
    server = place.server()
    callee = Phone(place, server, "102")
    callee.register()
    stranger = Phone(place, server, "101")
    request = stranger.send("INVITE", f"sip:102@{server.address}", body=sip.description("127.0.0.1", 4_000))
    response = stranger.final(request)
    assert response.status == 401, response
    offered = [challenge.get("algorithm") for challenge in sip.challenges(response)]
    assert offered == ["SHA-256", "MD5"], f"offered {offered}"
    callee.expect_nothing("INVITE", 0.5)


@case
def valid_account_cannot_speak_as_another(place):
    """101 with its own secret but 102 in From: refused, or shown as 101."""
    server = place.server()
    callee = Phone(place, server, "103")
    callee.register()
    liar = Phone(place, server, "101")
    uri = f"sip:103@{server.address}"
    body = sip.description("127.0.0.1", 4_000)
    from_ = f"<sip:102@{server.address}>;tag={sip.token()}"
    fields = {"from_": from_, "call_id": sip.token()}
    first = liar.send("INVITE", uri, body=body, **fields)
    challenge = liar.final(first)
    liar.acknowledge_refusal(first, challenge)
    proof = liar.proof(challenge, "INVITE", uri)
    liar.send("INVITE", uri, [("Authorization", proof)], body, cseq=2, **fields)
    invite = callee.next(lambda m: m.method == "INVITE", 2)
    if invite is not None:
        assert "102@" not in invite.get("From"), f"shown as {invite.get('From')}"
        callee.reply(invite, 486, "Busy Here", tag="x")
    else:
        assert liar.next(lambda m: m.status == 403, 2), "neither refused nor shown as itself"


@case
def unauthenticated_requests_reach_nobody(place):
    """MESSAGE, SUBSCRIBE, PUBLISH, REFER, NOTIFY and INFO from a stranger: refused, not relayed."""
    server = place.server()
    callee = Phone(place, server, "102")
    callee.register()
    stranger = Phone(place, server, "101")
    for method in ("MESSAGE", "SUBSCRIBE", "PUBLISH", "REFER", "NOTIFY", "INFO"):
        request = stranger.send(method, f"sip:102@{server.address}")
        response = stranger.final(request)
        assert 400 <= response.status < 600, f"{method}: {response}"
    callee.expect_nothing(lambda m: m.method is not None, 0.5)


@case
def unknown_method_is_501(place):
    """A method nobody knows: 501 with Allow."""
    response = Phone(place, place.server()).transact("FROBNICATE")
    assert response.status == 501, response
    assert "INVITE" in response.get("Allow")


@case
def unknown_extension_is_420(place):
    """A Require that we do not know: 420 with Unsupported."""
    phone = Phone(place, place.server())
    response = phone.transact("OPTIONS", headers=[("Require", "nothing-known")])
    assert response.status == 420, response
    assert "nothing-known" in response.get("Unsupported")


@case
def bye_out_of_dialog_is_481(place):
    """A BYE, and an in-dialog INVITE, for a call that does not exist."""
    phone = Phone(place, place.server())
    for method in ("BYE", "INVITE"):
        to = f"<sip:101@{phone.server.address}>;tag=nobody"
        request = phone.send(method, to=to)
        response = phone.final(request)
        assert response.status == 481, f"{method}: {response}"


@case
def cancel_of_nothing_is_481(place):
    """A CANCEL that matches no INVITE."""
    phone = Phone(place, place.server())
    assert phone.transact("CANCEL", f"sip:600@{phone.server.address}").status == 481


@case
def hops_used_up_is_483(place):
    """Max-Forwards 0 on an INVITE is answered, not bridged."""
    phone = Phone(place, place.server())
    data = phone.request("INVITE", f"sip:102@{phone.server.address}")
    phone.send_bytes(data.replace(b"Max-Forwards: 70", b"Max-Forwards: 0"))
    response = phone.final(sip.Message(data))
    assert response.status in (401, 483), response


@case
def keep_alives_are_tolerated(place):
    """CRLF over UDP and a ping over TCP; the pong comes (RFC 5626)."""
    server = place.server()
    phone = Phone(place, server)
    for junk in (b"\r\n\r\n", b"\r\n", b"\0\0\0\0", b"   ", b"\xff" * 20):
        phone.send_bytes(junk)
    assert phone.transact("OPTIONS").status == 200
    caller = Phone(place, server, transport="tcp")
    caller.send_bytes(b"\r\n\r\n")
    caller.socket.settimeout(3)
    assert caller.socket.recv(10) == b"\r\n"


@case
def tcp_messages_come_in_pieces(place):
    """A request split at every tenth byte, and two in one piece."""
    phone = Phone(place, place.server(), transport="tcp")
    data = phone.request("OPTIONS", branch="z9hG4bKpieces")
    for at in range(0, len(data), 10):
        phone.send_bytes(data[at : at + 10])
        time.sleep(0.001)
    assert phone.final(sip.Message(data)).status == 200
    one, two = phone.request("OPTIONS"), phone.request("OPTIONS")
    phone.send_bytes(one + two)
    for data in (one, two):
        assert phone.final(sip.Message(data)).status == 200


@case
def tcp_callee_keeps_its_connection(place):
    """A phone registered over TCP is called on the connection that it opened."""
    server = place.server()
    callee = Phone(place, server, "102", transport="tcp")
    callee.register()
    caller = Phone(place, server, "101")
    call = caller.invite("102")
    there = callee.accept(callee.expect("INVITE"))
    there.ring()
    call.expect(180)
    there.reply(200, "OK", there.body)
    call.answered()
    callee.expect("ACK")
    there_bye = there.hang_up()
    assert there_bye.status == 200
    call.hung_up()


@case
def message_too_large_is_refused(place):
    """70 KB over TCP: an answer or a closed connection, and the next caller is served."""
    server = place.server()
    phone = Phone(place, server, transport="tcp")
    data = phone.request("OPTIONS", headers=[("X-Padding", "x" * 7_000)] * 10)
    try:
        phone.send_bytes(data)
        response = phone.next(lambda m: m.status is not None, 5)
        assert response is None or response.status in (400, 413, 513), response
    except ConnectionError:
        pass
    assert Phone(place, server).transact("OPTIONS").status == 200
