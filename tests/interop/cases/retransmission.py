"""What is repeated, lost or late, measured on the clock: RFC 3261 §13.3.1.4, §17."""

import time

from kit import sip
from kit.case import case, long
from kit.phone import Phone


def ready_callee(place, server, user="102"):
    """A registered phone."""
    phone = Phone(place, server, user)
    phone.register()
    return phone


@case
def repeated_invite_is_one_call(place):
    """The same INVITE three times: the same answer, and the callee rings once."""
    server = place.server()
    callee = ready_callee(place, server)
    caller = Phone(place, server, "101")
    call = caller.invite("102")
    caller.send_bytes(call.request.data)
    caller.send_bytes(call.request.data)
    there = callee.accept(callee.expect("INVITE"))
    there.ring()
    first = call.expect(180)
    caller.send_bytes(call.request.data)
    again = call.expect(180)
    assert again.data == first.data, "the repeated INVITE was answered differently"
    callee.expect_nothing(lambda m: m.method == "INVITE" and m.get("Call-ID") != there.call_id, 0.5)
    there.answer()
    call.answered()
    call.hang_up()
    there.hung_up()


@case
def repeated_bye_is_answered_again(place):
    """The 200 of a BYE was lost: the BYE comes again and gets the same 200."""
    server = place.server()
    call = Phone(place, server, "101").invite("600")
    call.answered()
    call.cseq += 1
    bye = call._send("BYE")
    first = call.phone.final(bye)
    assert first.status == 200
    call.phone.send_bytes(bye.data)
    assert call.phone.final(bye).data == first.data


@long
@case
def unacknowledged_200_is_repeated_and_then_hung_up(place):
    """200 again at 0.5, 1, 2, 4, 4 ... seconds, BYE at 32 (RFC 3261 §13.3.1.4)."""
    server = place.server()
    caller = Phone(place, server, "101")
    call = caller.invite("600")
    call.expect(200)
    started = time.monotonic()
    at = []
    while True:
        message = caller.next(
            lambda m: m.method == "BYE" or (m.status == 200 and m.cseq == call.request.cseq), 40
        )
        assert message is not None, f"no BYE; 200 came again at {at}"
        if message.method == "BYE":
            break
        at.append(round(time.monotonic() - started, 1))
    ended = time.monotonic() - started
    caller.reply(message, 200, "OK")
    expected = [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert len(at) == len(expected), f"200 came again at {at}"
    for seen, wanted in zip(at, expected):
        assert abs(seen - wanted) < 0.4, f"200 came again at {at}"
    assert 31.5 < ended < 33.5, f"BYE came after {ended:.1f} s"


@long
@case
def silent_callee_is_given_up_at_timer_b(place):
    """A phone that answers nothing gets the INVITE at 0, 0.5, 1.5, 3.5 ... s; then voicemail."""
    server = place.server()
    callee = ready_callee(place, server)
    caller = Phone(place, server, "101")
    call = caller.invite("102")
    callee.expect("INVITE")
    started = time.monotonic()
    at = []
    while time.monotonic() - started < 8:
        if callee.next(lambda m: m.method == "INVITE", 1):
            at.append(time.monotonic() - started)
    for seen, wanted in zip(at, (0.5, 1.5, 3.5, 7.5)):
        assert abs(seen - wanted) < 0.4, f"the INVITE came again at {at}"
    assert len(at) == 4, f"the INVITE came again at {at}"
    # Its script waits 25 s for an answer, then voicemail answers.
    call.expect(200, seconds=30)
    call.acknowledge()
    call.hang_up()


@case
def cancel_after_the_answer_changes_nothing(place):
    """CANCEL crosses the 200: it is answered, the call stands, BYE ends it."""
    server = place.server()
    call = Phone(place, server, "101").invite("600")
    call.answered()
    cancel = call.cancel()
    assert call.phone.final(cancel).status in (200, 481)
    call.hang_up()


@case
def bye_crosses_bye(place):
    """Both hang up at once: each BYE gets an answer, and nothing is left."""
    server = place.server()
    callee = ready_callee(place, server)
    caller = Phone(place, server, "101")
    call = caller.invite("102")
    there = callee.accept(callee.expect("INVITE"))
    there.reply(200, "OK", there.body)
    call.answered()
    callee.expect("ACK")
    call.cseq += 1
    there.cseq += 1
    ours, theirs = call._send("BYE"), there._send("BYE")
    for phone, bye in ((caller, ours), (callee, theirs)):
        assert phone.final(bye).status in (200, 481)


@case
def callee_hangs_up(place):
    """BYE from the callee reaches the caller."""
    server = place.server()
    callee = ready_callee(place, server)
    caller = Phone(place, server, "101")
    call = caller.invite("102")
    there = callee.accept(callee.expect("INVITE"))
    there.reply(200, "OK", there.body)
    call.answered()
    callee.expect("ACK")
    there.hang_up()
    call.hung_up()


@case
def busy_callee_leads_to_voicemail(place):
    """486 from the phone: the demo dialplan takes a message."""
    server = place.server()
    callee = ready_callee(place, server)
    call = Phone(place, server, "101").invite("102")
    there = callee.accept(callee.expect("INVITE"))
    there.reply(486, "Busy Here")
    callee.expect("ACK")
    call.answered()
    call.hang_up()


@case
def refusals_are_relayed(place):
    """Final codes of the callee come back as they are when the script passes them on."""
    server = place.server(scripts=RELAY)
    callee = ready_callee(place, server)
    for status in (404, 480, 486, 488, 600, 603):
        call = Phone(place, server, "101").invite("102")
        there = callee.accept(callee.expect("INVITE"))
        there.reply(status, "No")
        callee.expect("ACK")
        call.expect(status)


@case
def response_to_another_address_is_not_sent(place):
    """The answer goes to where the request came from, not to the address in Via (rport)."""
    server = place.server()
    phone = Phone(place, server, "101")
    data = phone.request("OPTIONS")
    stranger = Phone(place, server, "102")
    forged = data.replace(f"127.0.0.1:{phone.port};rport".encode(), f"127.0.0.1:{stranger.port};rport".encode())
    phone.send_bytes(forged)
    assert phone.final(sip.Message(forged)).status == 200
    stranger.expect_nothing(lambda m: True, 0.3)


RELAY = """
route("1XX", function(call)
  local result = call:dial("ext/" .. call.to.user)
  if result.status ~= "ANSWERED" then call:reject(result.code) end
end)
"""
