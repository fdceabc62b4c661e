"""SIP messages as the test phones see them: read leniently, written plainly; digest; SDP."""

import hashlib
import random
import re

_random = random.SystemRandom()

COMPACT = {
    "v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length",
    "c": "content-type",
}


def token(prefix=""):
    """A fresh random word."""
    return prefix + f"{_random.getrandbits(48):012x}"


class Message:
    """A request or a response that was received."""

    def __init__(self, data, source=None):
        self.data = data
        self.source = source
        head, _, self.body = data.partition(b"\r\n\r\n")
        text = re.sub(r"\r\n[ \t]+", " ", head.decode("utf-8", "replace"))
        first, *lines = text.split("\r\n")
        self.start = first
        self.status = None
        self.method = None
        if first.startswith("SIP/2.0 "):
            self.status = int(first[8:11])
            self.reason = first[12:]
        else:
            self.method, self.uri = first.split(" ")[:2]
        self.headers = []
        for line in lines:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            self.headers.append((COMPACT.get(name, name), value.strip()))

    def all(self, name):
        """Every value of a header, in order."""
        return [value for key, value in self.headers if key == name.lower()]

    def get(self, name):
        """The first value of a header, or ''."""
        values = self.all(name)
        return values[0] if values else ""

    @property
    def cseq(self):
        """The number and the method in CSeq."""
        number, method = self.get("CSeq").split()
        return int(number), method

    def tag(self, name):
        """The tag in From or To, or ''."""
        found = re.search(r";tag=([^;>\s]+)", self.get(name))
        return found.group(1) if found else ""

    @property
    def contact_uri(self):
        """The first Contact's URI."""
        return uri_of(self.get("Contact"))

    def __repr__(self):
        return f"<{self.start}>"


def uri_of(value):
    """The URI in a name-addr or addr-spec."""
    found = re.search(r"<([^>]*)>", value)
    return found.group(1) if found else value.split(";")[0].strip()


def message_bytes(start, headers, body=b""):
    """A message out of its start line, (name, value) pairs and body."""
    if isinstance(body, str):
        body = body.encode()
    lines = [start, *(f"{name}: {value}" for name, value in headers)]
    lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}


def parameters(value):
    """The parameters of a challenge or of credentials."""
    pairs = re.findall(r'(\w[\w-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))', value)
    return {name.lower(): quoted or plain for name, quoted, plain in pairs}


def challenges(response):
    """The digest challenges of a 401 or 407, in order, each as a dictionary."""
    name = "WWW-Authenticate" if response.status == 401 else "Proxy-Authenticate"
    return [parameters(value) for value in response.all(name)]


def credentials(challenge, user, secret, method, uri, count=1):
    """The value of an Authorization header that answers the challenge."""
    algorithm = challenge.get("algorithm", "MD5")
    make = HASHES[algorithm.upper()]

    def hashed(*parts):
        return make(":".join(parts).encode()).hexdigest()

    realm, nonce, own = challenge["realm"], challenge["nonce"], token()
    proof = hashed(
        hashed(user, realm, secret), nonce, f"{count:08x}", own, "auth", hashed(method, uri)
    )
    return (
        f'Digest username="{user}", realm="{realm}", nonce="{nonce}", uri="{uri}", '
        f'response="{proof}", algorithm={algorithm}, cnonce="{own}", qop=auth, nc={count:08x}'
        + (f', opaque="{challenge["opaque"]}"' if "opaque" in challenge else "")
    )


PCMU = (0, "PCMU/8000")
PCMA = (8, "PCMA/8000")
EVENTS = (101, "telephone-event/8000")


def description(host, port, codecs=(PCMU, EVENTS), direction="sendrecv", version=1):
    """A session description of one audio stream."""
    version_of_ip = "IP6" if ":" in host else "IP4"
    numbers = " ".join(str(number) for number, _ in codecs)
    maps = "".join(f"a=rtpmap:{number} {name}\r\n" for number, name in codecs)
    return (
        f"v=0\r\no=- 1 {version} IN {version_of_ip} {host}\r\ns=-\r\n"
        f"c=IN {version_of_ip} {host}\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP {numbers}\r\n{maps}a={direction}\r\n"
    )


def audio_address(body):
    """Where a description wants the sound: (host, port)."""
    text = body.decode(errors="replace") if isinstance(body, bytes) else body
    host = re.findall(r"^c=IN IP[46] (\S+?)(?:/.*)?\r?$", text, re.M)[-1]
    port = int(re.search(r"^m=audio (\d+)", text, re.M).group(1))
    return host, port


def direction_of(body):
    """sendrecv, sendonly, recvonly or inactive."""
    text = body.decode(errors="replace") if isinstance(body, bytes) else body
    found = re.search(r"^a=(sendrecv|sendonly|recvonly|inactive)\r?$", text, re.M)
    return found.group(1) if found else "sendrecv"
