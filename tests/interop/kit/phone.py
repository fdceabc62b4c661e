"""A phone that does exactly what a case tells it to: one socket, no automatic answers.

It sends what it is given and waits for what it is told to wait for, so a case can be early, late,
wrong or silent as it needs to be.
"""

import select
import socket
import time

from . import ports, sip


class Phone:
    """One SIP socket of one user. Blocking; every wait has an end."""

    def __init__(self, place, server, user="101", secret=None, transport="udp", host=None):
        self.server = server
        self.user = user
        self.secret = f"secret-of-{user}" if secret is None else secret
        self.transport = transport
        self.host = host or server.host
        kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
        self.socket = socket.socket(ports.family(self.host), kind)
        self.socket.bind((self.host, 0))
        if transport == "tcp":
            self.socket.connect((server.host, server.port))
        self.port = self.socket.getsockname()[1]
        self.stream = b""
        self.kept = []
        self.trace = open(place.folder / f"phone-{user}-{self.port}.log", "wb")
        place.on_close(self.close)

    def close(self):
        """Lets the port go."""
        self.socket.close()
        self.trace.close()

    @property
    def bracketed(self):
        """The host as in a URI."""
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def contact(self):
        """Its own URI."""
        transport = "" if self.transport == "udp" else f";transport={self.transport}"
        return f"sip:{self.user}@{self.bracketed}:{self.port}{transport}"

    def via(self, branch=None):
        """A Via of its own."""
        branch = branch or sip.token("z9hG4bK")
        return f"SIP/2.0/{self.transport.upper()} {self.bracketed}:{self.port};rport;branch={branch}"

    # What goes out.

    def send_bytes(self, data):
        """Sends to the server, as it is."""
        self.trace.write(f"--> {time.monotonic():.3f}\n".encode() + data + b"\n")
        self.trace.flush()
        if self.transport == "udp":
            self.socket.sendto(data, (self.server.host, self.server.port))
        else:
            self.socket.sendall(data)

    def request(self, method, uri=None, headers=(), body=b"", **fields):
        """A request; `to`, `from_`, `call_id`, `cseq`, `branch` and `contact` may be given."""
        uri = uri or f"sip:{self.server.address}"
        values = [
            ("Via", self.via(fields.get("branch"))),
            ("Max-Forwards", "70"),
            ("From", fields.get("from_") or f"<sip:{self.user}@{self.server.address}>;tag={sip.token()}"),
            ("To", fields.get("to") or f"<{uri}>"),
            ("Call-ID", fields.get("call_id") or sip.token("call-")),
            ("CSeq", f"{fields.get('cseq', 1)} {fields.get('cseq_method', method)}"),
        ]
        contact = fields.get("contact", f"<{self.contact}>")
        if contact:
            values.append(("Contact", contact))
        values += headers
        if body and not any(name.lower() == "content-type" for name, _ in values):
            values.append(("Content-Type", "application/sdp"))
        return sip.message_bytes(f"{method} {uri} SIP/2.0", values, body)

    def send(self, method, uri=None, headers=(), body=b"", **fields):
        """Sends such a request and gives it back as a message."""
        data = self.request(method, uri, headers, body, **fields)
        self.send_bytes(data)
        return sip.Message(data)

    def reply(self, request, status, reason="Whatever", headers=(), body=b"", tag=None):
        """Answers a request that came in; gives the bytes sent."""
        to = request.get("To")
        if tag and ";tag=" not in to:
            to += f";tag={tag}"
        values = [
            *(("Via", value) for value in request.all("Via")),
            *(("Record-Route", value) for value in request.all("Record-Route")),
            ("From", request.get("From")),
            ("To", to),
            ("Call-ID", request.get("Call-ID")),
            ("CSeq", request.get("CSeq")),
            ("Contact", f"<{self.contact}>"),
            *headers,
        ]
        if body:
            values.append(("Content-Type", "application/sdp"))
        data = sip.message_bytes(f"SIP/2.0 {status} {reason}", values, body)
        self.send_bytes(data)
        return data

    # What comes in.

    def _read(self, deadline):
        """The next message, or None when the time is over or the stream has ended."""
        while True:
            if self.transport == "tcp":
                message = self._cut()
                if message:
                    return message
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                return None
            try:
                data = self.socket.recv(65_535)
            except ConnectionError:
                continue
            if self.transport == "tcp":
                if not data:
                    return None
                self.stream += data
                continue
            if data.strip(b"\r\n\0"):
                return self._noted(data)

    def _cut(self):
        """One whole message off the stream, if there is one."""
        self.stream = self.stream.lstrip(b"\r\n")
        head, found, rest = self.stream.partition(b"\r\n\r\n")
        if not found:
            return None
        length = int(sip.Message(head + found).get("Content-Length") or 0)
        if len(rest) < length:
            return None
        self.stream = rest[length:]
        return self._noted(head + found + rest[:length])

    def _noted(self, data):
        self.trace.write(f"<-- {time.monotonic():.3f}\n".encode() + data + b"\n")
        self.trace.flush()
        return sip.Message(data)

    def next(self, wanted, seconds=5):
        """The next message for which `wanted(message)`; others are kept for later."""
        for i, message in enumerate(self.kept):
            if wanted(message):
                return self.kept.pop(i)
        deadline = time.monotonic() + seconds
        while True:
            message = self._read(deadline)
            if message is None:
                return None
            if wanted(message):
                return message
            self.kept.append(message)

    def expect(self, what, seconds=5, of=None):
        """The next message that is `what`: a status, a method, or a function.

        With `of`, it must belong to that request's Call-ID. Fails when nothing comes, and when a
        final answer of another status comes instead.
        """
        call_id = of.get("Call-ID") if of else None

        def mine(message):
            return call_id is None or message.get("Call-ID") == call_id

        def wanted(message):
            if not mine(message):
                return False
            if callable(what):
                return what(message)
            if isinstance(what, str):
                return message.method == what
            if message.status is None or (of and message.cseq != of.cseq):
                return False
            return message.status == what or message.status >= 200

        message = self.next(wanted, seconds)
        assert message is not None, f"{self.user} got no {what} within {seconds} s; kept {self.kept}"
        if isinstance(what, int):
            assert message.status == what, f"{self.user} got {message.start!r} instead of {what}"
        return message

    def expect_nothing(self, what, seconds):
        """Fails if such a message comes within that time."""
        wanted = what if callable(what) else lambda message: what in (message.method, message.status)
        message = self.next(wanted, seconds)
        assert message is None, f"{self.user} got {message} although nothing should come"

    def final(self, request, seconds=5):
        """The final response to a request."""
        return self.expect(
            lambda m: m.status is not None and m.status >= 200 and m.cseq == request.cseq, seconds, request
        )

    # Whole exchanges.

    def transact(self, method, uri=None, headers=(), body=b"", algorithm=None, seconds=5, **fields):
        """Sends a request, answers one challenge, gives the final response.

        `algorithm` chooses among the challenges; without it the first is answered.
        """
        uri = uri or f"sip:{self.server.address}"
        fields.setdefault("call_id", sip.token("call-"))
        fields.setdefault("from_", f"<sip:{self.user}@{self.server.address}>;tag={sip.token()}")
        cseq = fields.pop("cseq", 1)
        request = self.send(method, uri, headers, body, cseq=cseq, **fields)
        response = self.final(request, seconds)
        if response.status == 401:
            if method == "INVITE":
                self.acknowledge_refusal(request, response)
            proof = self.proof(response, method, uri, algorithm)
            fields.pop("branch", None)
            request = self.send(
                method, uri, [*headers, ("Authorization", proof)], body, cseq=cseq + 1, **fields
            )
            response = self.final(request, seconds)
        response.request = request
        return response

    def proof(self, response, method, uri, algorithm=None):
        """The Authorization for a challenge that came in this response."""
        offered = sip.challenges(response)
        chosen = [c for c in offered if algorithm in (None, c.get("algorithm", "MD5").upper())]
        assert chosen, f"no {algorithm} challenge among {offered}"
        return sip.credentials(chosen[0], self.user, self.secret, method, uri)

    def acknowledge_refusal(self, request, response):
        """The ACK of a 300-699, which belongs to the INVITE's own transaction."""
        values = [
            ("Via", request.get("Via")),
            ("Max-Forwards", "70"),
            ("From", request.get("From")),
            ("To", response.get("To")),
            ("Call-ID", request.get("Call-ID")),
            ("CSeq", f"{request.cseq[0]} ACK"),
        ]
        self.send_bytes(sip.message_bytes(f"ACK {request.uri} SIP/2.0", values))

    def register(self, expires=300, algorithm=None, expect=200):
        """Registers its own address; fails unless the answer is as expected."""
        response = self.transact(
            "REGISTER",
            f"sip:{self.server.address}",
            [("Expires", str(expires))],
            to=f"<sip:{self.user}@{self.server.address}>",
            algorithm=algorithm,
        )
        assert response.status == expect, f"REGISTER of {self.user}: {response.start}"
        return response

    def invite(self, number, body=None, headers=(), seconds=5, is_known=False):
        """Calls a number, answering the challenge unless the server knows our address; gives the
        call, not yet answered."""
        uri = f"sip:{number}@{self.server.address}"
        call = Call(self, uri)
        call.invite(body if body is not None else sip.description(self.host, 9), headers)
        if is_known:
            return call
        challenge = self.next(
            lambda m: m.status is not None and m.get("Call-ID") == call.call_id and m.status != 100, seconds
        )
        assert challenge is not None, f"no answer to the INVITE to {number}"
        if challenge.status != 401:
            self.kept.insert(0, challenge)
            return call
        self.acknowledge_refusal(call.request, challenge)
        proof = self.proof(challenge, "INVITE", uri)
        call.invite(call.body, [*headers, ("Authorization", proof)])
        return call

    def accept(self, invite, body=None):
        """Makes a call out of an INVITE that came in, to be answered by the case."""
        return Call.of_invite(self, invite, body)


class Call:
    """One dialog as its phone keeps it, caller or callee."""

    def __init__(self, phone, uri):
        self.phone = phone
        self.uri = uri
        self.target = uri
        self.call_id = sip.token("call-")
        self.own = f"<sip:{phone.user}@{phone.server.address}>;tag={sip.token()}"
        self.other = f"<{uri}>"
        self.cseq = 0
        self.request = None
        self.body = b""
        self.routes = []

    @classmethod
    def of_invite(cls, phone, invite, body=None):
        """The callee's side."""
        call = cls(phone, invite.uri)
        call.call_id = invite.get("Call-ID")
        call.own = f"{invite.get('To')};tag={sip.token()}"
        call.other = invite.get("From")
        call.target = invite.contact_uri
        call.request = invite
        call.routes = invite.all("Record-Route")
        call.body = body if body is not None else sip.description(phone.host, 9)
        return call

    def _send(self, method, headers=(), body=b"", cseq=None, branch=None):
        routes = [("Route", route) for route in self.routes]
        return self.phone.send(
            method,
            self.target,
            [*routes, *headers],
            body,
            from_=self.own,
            to=self.other,
            call_id=self.call_id,
            cseq=cseq if cseq is not None else self.cseq,
            branch=branch,
        )

    # As the caller.

    def invite(self, body, headers=()):
        """Sends an INVITE of this call: the first, the one with credentials, or a re-INVITE."""
        self.cseq += 1
        self.body = body
        self.request = self._send("INVITE", headers, body)
        return self.request

    def expect(self, status, seconds=5):
        """Waits for a response to the INVITE; a 2xx makes the dialog whole."""
        response = self.phone.expect(status, seconds, self.request)
        if response.tag("To"):
            self.other = response.get("To")
        if 200 <= response.status < 300:
            self.target = response.contact_uri or self.target
            self.routes = list(reversed(response.all("Record-Route")))
            self.sound_at = sip.audio_address(response.body) if response.body else None
        elif response.status >= 300:
            self.phone.acknowledge_refusal(self.request, response)
        return response

    def acknowledge(self):
        """The ACK of the 2xx."""
        return self._send("ACK", cseq=self.request.cseq[0])

    def answered(self, seconds=5):
        """Waits for the 200 and acknowledges it."""
        response = self.expect(200, seconds)
        self.acknowledge()
        return response

    def cancel(self):
        """Cancels the INVITE; gives the CANCEL."""
        request = self.request
        values = [
            ("Via", request.get("Via")),
            ("Max-Forwards", "70"),
            ("From", request.get("From")),
            ("To", request.get("To")),
            ("Call-ID", self.call_id),
            ("CSeq", f"{request.cseq[0]} CANCEL"),
        ]
        data = sip.message_bytes(f"CANCEL {request.uri} SIP/2.0", values)
        self.phone.send_bytes(data)
        return sip.Message(data)

    # As the callee.

    def reply(self, status, reason="Whatever", body=b"", headers=()):
        """Answers the INVITE."""
        tag = self.own.rsplit(";tag=", 1)[1]
        return self.phone.reply(self.request, status, reason, headers, body, tag)

    def ring(self):
        """180."""
        return self.reply(180, "Ringing")

    def answer(self, body=None, seconds=5):
        """200 with the description, then waits for the ACK."""
        self.reply(200, "OK", body or self.body)
        return self.phone.expect("ACK", seconds, self.request)

    # As either.

    def hang_up(self, seconds=5):
        """BYE, and waits for its 200."""
        self.cseq += 1
        bye = self._send("BYE")
        response = self.phone.final(bye, seconds)
        assert response.status == 200, f"BYE: {response.start}"
        return response

    def hung_up(self, seconds=5):
        """Waits for the other's BYE and answers it."""
        bye = self.phone.expect("BYE", seconds, self.request)
        self.phone.reply(bye, 200, "OK")
        return bye
