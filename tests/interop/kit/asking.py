"""Whoever asks the webhooks of a server, and a server that has some."""

import http.client
import json
import socket

from . import ports

TOKEN = "a-token-of-the-interop-cases"


def exchange(place, scripts, allow=(), http="", **settings):
    """A server that hears other programs and may ask those in `allow`, and somebody who asks it."""
    port = ports.free()
    quoted = ", ".join(f'"{entry}"' for entry in allow)
    extra = f'[http]\nallow = [{quoted}]\nlisten = "127.0.0.1:{port}"\ntoken = "{TOKEN}"\n{http}\n'
    return place.server(scripts=scripts, extra=extra, **settings), Asking(port)


class Asking:
    """A program that asks, each time on a connection of its own."""

    def __init__(self, port, host="127.0.0.1"):
        self.host = host
        self.port = port

    def ask(self, method, path, body=None, headers=(), seconds=15, token=TOKEN):
        """Status, headers and body of the answer."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=seconds)
        try:
            sent = dict(headers)
            if token:
                sent.setdefault("Authorization", f"Bearer {token}")
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def status(self, method, path, body=None, **options):
        """Only the status of the answer."""
        return self.ask(method, path, body, **options)[0]

    def post(self, path, value=None, seconds=15):
        """What is answered to a value sent as JSON, read as JSON; fails unless that is a 200."""
        status, _, body = self.ask("POST", path, json.dumps(value), seconds=seconds)
        assert status == 200, f"{path} is answered with {status}: {body[:300]}"
        return json.loads(body)

    def connect(self, seconds=15):
        """A bare connection."""
        return socket.create_connection((self.host, self.port), timeout=seconds)

    def raw(self, data, seconds=15):
        """What is answered to these bytes, until the connection is closed."""
        with self.connect(seconds) as connection:
            connection.sendall(data)
            heard = b""
            while piece := connection.recv(65_536):
                heard += piece
            return heard
