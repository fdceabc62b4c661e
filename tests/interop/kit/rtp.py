"""An RTP socket that sends a sound at 20 ms a packet and keeps what it hears."""

import collections
import random
import select
import socket
import struct
import threading
import time

from . import ports, sound

FRAME = 160


class Rtp:
    """One media port of a test phone, mu-law, on a thread of its own while it talks."""

    def __init__(self, place, host="127.0.0.1"):
        self.host = host
        self.socket = socket.socket(ports.family(host), socket.SOCK_DGRAM)
        self.socket.bind((host, 0))
        self.port = self.socket.getsockname()[1]
        self.ssrc = random.getrandbits(32)
        self.sequence = random.getrandbits(16)
        self.timestamp = random.getrandbits(31)
        self.packets = []
        self._talking = None
        self._keys = collections.deque()
        self._stopped = threading.Event()
        place.on_close(self.close)

    def close(self):
        """Falls silent and lets the port go."""
        self._stopped.set()
        if self._talking:
            self._talking.join()
        self.socket.close()

    def packet(self, payload, payload_type=0, marker=False):
        """The next packet of its stream; moves the sequence on, the timestamp is the caller's."""
        data = struct.pack(
            "!BBHII",
            0x80,
            payload_type | (0x80 if marker else 0),
            self.sequence & 0xFFFF,
            self.timestamp & 0xFFFFFFFF,
            self.ssrc,
        )
        self.sequence += 1
        return data + payload

    def talk(self, samples, to, payload_type=0):
        """Starts sending the samples, over and over, and keeping what comes."""
        data = sound.to_ulaw(samples)
        self._talking = threading.Thread(target=self._run, args=(data, to, payload_type), daemon=True)
        self._talking.start()

    def press(self, digits, payload_type=101):
        """Sends these keys while it talks, 100 ms each with as much silence after it (RFC 4733)."""
        for digit in digits:
            code = "0123456789*#ABCD".index(digit)
            for i in range(5):
                self._keys.append((code, FRAME * (i + 1), False, i == 0, payload_type))
            # The end is told three times, in case two of them are lost.
            self._keys.extend([(code, FRAME * 5, True, False, payload_type)] * 3)
            self._keys.extend([None] * 5)

    def pressed(self, seconds=10):
        """Returns once every key has gone out."""
        until = time.monotonic() + seconds
        while self._keys:
            assert time.monotonic() < until, "the keys did not go out"
            time.sleep(0.02)

    def _key(self, key):
        code, duration, ended, first, payload_type = key
        if first:
            self._key_from = self.timestamp
        header = struct.pack("!BBH", code, (0x80 if ended else 0) | 10, duration)
        kept, self.timestamp = self.timestamp, self._key_from
        data = self.packet(header, payload_type, marker=first)
        self.timestamp = kept
        return data

    def _run(self, data, to, payload_type):
        due = time.monotonic()
        at = 0
        while not self._stopped.is_set():
            wait = due - time.monotonic()
            if wait > 0:
                if select.select([self.socket], [], [], wait)[0]:
                    self._keep()
                continue
            key = self._keys.popleft() if self._keys else None
            if key:
                self.socket.sendto(self._key(key), to)
            elif data and to:
                frame = data[at : at + FRAME]
                if len(frame) < FRAME:
                    at, frame = 0, data[:FRAME]
                at += FRAME
                self.socket.sendto(self.packet(frame, payload_type), to)
            self.timestamp += FRAME
            due += 0.02

    def listen(self, seconds):
        """Only hears, for that long."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if select.select([self.socket], [], [], max(0.0, until - time.monotonic()))[0]:
                self._keep()

    def _keep(self):
        try:
            data, source = self.socket.recvfrom(2_048)
        except OSError:
            return
        if len(data) >= 12 and data[0] >> 6 == 2:
            self.packets.append((time.monotonic(), source, data))

    def stop(self):
        """Falls silent; the port stays open."""
        self._stopped.set()
        if self._talking:
            self._talking.join()

    def heard(self, payload_type=0):
        """What it heard, in the order of the sequence numbers, gaps left out."""
        frames = {}
        for _, _, data in self.packets:
            if data[1] & 0x7F == payload_type:
                frames[(struct.unpack("!I", data[8:12]), struct.unpack("!H", data[2:4]))] = data[12:]
        # One talk lasts seconds: a sequence that wraps would need the next higher cycle.
        numbers = sorted(frames)
        if numbers and numbers[-1][1][0] - numbers[0][1][0] > 32_768:
            numbers.sort(key=lambda key: (key[0], (key[1][0] + 32_768) % 65_536))
        return sound.from_ulaw(b"".join(frames[number] for number in numbers))
