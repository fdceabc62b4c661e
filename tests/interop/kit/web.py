"""Web servers that scripts ask, good and bad."""

import http.server
import pathlib
import shutil
import socket
import ssl
import subprocess
import threading

from .case import Skip


class Web:
    """A web server on a port of its own.

    `pages` has a function for each path, which is given the request as `http.server` has it and writes
    the answer. What was asked stands in `asked`, as method and path; `connections` counts them, and
    `closed` those that it has closed.
    """

    def __init__(self, place, pages, host="127.0.0.1", identity=None):
        self.asked = []
        self.connections = 0
        self.closed = 0
        self.pages = pages
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.server = _server(self, family)((host, 0), _handler(self))
        self.server.daemon_threads = True
        # Whatever a script breaks off is none of this server's faults.
        self.server.handle_error = lambda request, client: None
        if identity:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(identity.certificate, identity.key)
            # Hands are shaken on the connection's own thread.
            self.server.socket = context.wrap_socket(
                self.server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port = self.server.server_address[1]
        shown = f"[{host}]" if ":" in host else host
        self.url = f"{'https' if identity else 'http'}://{shown}:{self.port}"
        thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        place.on_close(self.close)

    def close(self):
        """Ends it."""
        self.server.shutdown()
        self.server.server_close()


def _server(web, family):
    class Server(http.server.ThreadingHTTPServer):
        address_family = family

        def shutdown_request(self, request):
            super().shutdown_request(request)
            web.closed += 1

    return Server


def _handler(web):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self):
            web.connections += 1
            super().setup()

        def answer(self):
            web.asked.append((self.command, self.path))
            length = int(self.headers.get("Content-Length") or 0)
            self.body = self.rfile.read(length)
            page = web.pages.get(self.path.split("?")[0])
            if page is None:
                return say(self, 404, "nothing here")
            return page(self)

        do_GET = do_POST = do_PUT = do_DELETE = answer

        def log_message(self, *_):
            pass

    return Handler


def say(request, status=200, body="", headers=()):
    """Answers a request as a good server does."""
    body = body if isinstance(body, bytes) else body.encode()
    request.send_response(status)
    for name, value in headers:
        request.send_header(name, value)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


class Identity:
    """A certificate for `localhost` and 127.0.0.1, with its key, and who signed it."""

    def __init__(self, place, name="web", signed_by=None, days=2, names="DNS:localhost,IP:127.0.0.1"):
        if shutil.which("openssl") is None:
            raise Skip("openssl is not installed")
        folder = pathlib.Path(place.folder)
        self.certificate, self.key = folder / f"{name}.pem", folder / f"{name}.key"
        command = [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
            "-nodes", "-keyout", self.key, "-out", self.certificate, "-days", str(days),
            "-subj", f"/CN=interop {name}",
        ]
        if signed_by:
            command += [
                "-CA", signed_by.certificate, "-CAkey", signed_by.key,
                "-addext", "basicConstraints=critical,CA:FALSE",
            ]
        if names:
            command += ["-addext", f"subjectAltName={names}"]
        subprocess.run([str(part) for part in command], check=True, capture_output=True)


def raw_server(place, answer):
    """A server that reads once, sends these bytes and closes; gives its port."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                connection.recv(65_536)
                connection.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    place.on_close(lambda: (listening.shutdown(socket.SHUT_RDWR), listening.close()))
    return listening.getsockname()[1]
