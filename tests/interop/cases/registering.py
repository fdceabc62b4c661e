"""The registrar: both digests, bindings, expiry, and what a restart leaves."""

import re
import time

from kit import sip
from kit.case import case
from kit.phone import Phone


def bindings(phone):
    """The Contacts that a query shows: URI to remaining seconds."""
    response = phone.transact(
        "REGISTER", headers=[], to=f"<sip:{phone.user}@{phone.server.address}>", contact=False
    )
    assert response.status == 200, response
    found = {}
    for value in ",".join(response.all("Contact")).split(","):
        if "<" in value:
            seconds = re.search(r"expires=(\d+)", value)
            found[sip.uri_of(value)] = int(seconds.group(1))
    return found


def register(phone, expires=300, contact=None, algorithm=None):
    """REGISTER of a Contact; gives the response."""
    return phone.transact(
        "REGISTER",
        headers=[("Expires", str(expires))],
        to=f"<sip:{phone.user}@{phone.server.address}>",
        algorithm=algorithm,
        **({"contact": contact} if contact else {}),
    )


@case
def register_with_sha256_and_with_md5(place):
    """Both challenges can be answered."""
    server = place.server()
    for user, algorithm in (("101", "SHA-256"), ("102", "MD5")):
        phone = Phone(place, server, user)
        assert register(phone, algorithm=algorithm).status == 200
        assert phone.contact in bindings(phone)


@case
def wrong_secret_gets_401_again(place):
    """A wrong secret and an unknown name look the same, and guessing gets slower."""
    server = place.server()
    shapes = []
    for user in ("101", "nobody-at-all"):
        phone = Phone(place, server, user, secret="wrong")
        response = register(phone)
        assert response.status == 401, response
        shapes.append(sorted(name for name, _ in response.headers))
    assert shapes[0] == shapes[1], f"they can be told apart: {shapes}"
    server.says("wrong secret")
    phone = Phone(place, server, "101", secret="wrong")
    started = time.monotonic()
    register(phone)
    assert time.monotonic() - started > 0.1, "the third guess was answered as fast as the first"


@case
def right_secret_after_a_wrong_one(place):
    """Guessing by somebody else at the same address does not lock the owner out."""
    server = place.server()
    owner = Phone(place, server, "102")
    assert register(owner).status == 200
    for _ in range(3):
        assert register(Phone(place, server, "102", secret="wrong")).status == 401
    assert register(owner).status == 200


@case
def stale_nonce_is_told_so(place):
    """Credentials are used once: the same Authorization again gets 401 with stale."""
    phone = Phone(place, place.server())
    response = register(phone)
    assert response.status == 200
    proof = response.request.get("Authorization")
    again = phone.send(
        "REGISTER", headers=[("Authorization", proof)], to=f"<sip:101@{phone.server.address}>"
    )
    repeated = phone.final(again)
    assert repeated.status == 401, repeated
    assert all(c.get("stale", "").lower() == "true" for c in sip.challenges(repeated))


@case
def several_bindings_query_and_removal(place):
    """Two phones of one account; a query shows both; one leaves; `*` removes the rest."""
    server = place.server()
    one, two = Phone(place, server, "101"), Phone(place, server, "101")
    for phone in (one, two):
        assert register(phone).status == 200
    found = bindings(one)
    assert set(found) == {one.contact, two.contact}, found
    assert all(0 < seconds <= 300 for seconds in found.values())
    assert register(two, expires=0).status == 200
    assert set(bindings(one)) == {one.contact}
    assert register(one, expires=0, contact="*").status == 200
    assert bindings(one) == {}


@case
def all_phones_of_an_account_ring(place):
    """Two phones ring; one answers; the other is cancelled."""
    server = place.server()
    one, two = Phone(place, server, "102"), Phone(place, server, "102")
    for phone in (one, two):
        phone.register()
    caller = Phone(place, server, "101")
    call = caller.invite("102")
    here, there = (phone.accept(phone.expect("INVITE")) for phone in (one, two))
    here.ring()
    there.ring()
    call.expect(180)
    there.answer()
    call.answered()
    cancel = one.expect("CANCEL", of=here.request)
    one.reply(cancel, 200, "OK", tag="cancel")
    here.reply(487, "Request Terminated")
    one.expect("ACK", of=here.request)
    call.hang_up()
    there.hung_up()


@case
def too_short_an_expiry_is_423(place):
    """423 with Min-Expires."""
    response = register(Phone(place, place.server()), expires=5)
    assert response.status == 423, response
    assert int(response.get("Min-Expires")) > 5


@case
def bindings_survive_sigkill(place):
    """A phone registered before a power cut can be called after it."""
    server = place.server()
    callee = Phone(place, server, "102")
    callee.register()
    # Confirmed bindings may reach the disk a moment after the answer.
    time.sleep(0.3)
    server.kill()
    server.start()
    caller = Phone(place, server, "101")
    call = caller.invite("102")
    there = callee.accept(callee.expect("INVITE"))
    there.ring()
    call.expect(180)
    call.cancel()
    cancel = callee.expect("CANCEL")
    callee.reply(cancel, 200, "OK", tag="c")
    there.reply(487, "Request Terminated")
    call.expect(487)
