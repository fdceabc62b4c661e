"""Texts that are spoken: a program or a web server makes the sound, and a caller hears it."""

import http.server
import json
import sys
import threading
import time

from kit import sip, sound
from kit.case import case
from kit.phone import Phone
from kit.place import until
from kit.rtp import Rtp

SCRIPT = """
route("81", function(call)
  call:answer()
  call:speak("Your order 12 is ready.", { voice = "low" })
  call:hangup()
end)
route("82", function(call)
  call:answer()
  local spoken = call:speak("This hangs")
  log.info("told:", spoken.why)
  call:play("tone:1200:0.6")
  call:hangup()
end)
"""

# A synthesiser in a few lines: its voice is the height of a tone of 0.8 s, at 22,050 Hz. It notes
# what it was asked, and for one text it waits for ever, with a child.
SYNTHESISER = """
import array, math, subprocess, sys, wave
text = sys.stdin.read()
with open({asked!r}, "a") as asked:
    print(sys.argv[1:], text, file=asked, flush=True)
if text == "This hangs":
    child = subprocess.Popen(["sleep", "1000"])
    with open({children!r}, "a") as children:
        print(child.pid, file=children, flush=True)
    child.wait()
height = 500 if "low" in sys.argv else 900
step = 2 * math.pi * height / 22050
samples = array.array("h", (int(8000 * math.sin(step * i)) for i in range(22050 * 8 // 10)))
with wave.open(sys.stdout.buffer, "wb") as file:
    file.setnchannels(1)
    file.setsampwidth(2)
    file.setframerate(22050)
    file.writeframes(samples.tobytes())
"""


def speaking_server(place, settings):
    """A server whose section `[speech]` has these lines."""
    return place.server(scripts=SCRIPT, extra="\n[speech]\n" + settings + "\n")


def with_program(place, more=""):
    """A server that speaks with a program; gives it, and where the program notes what it did."""
    asked, children = place.folder / "asked", place.folder / "children"
    program = place.folder / "synthesiser.py"
    program.write_text(SYNTHESISER.format(asked=str(asked), children=str(children)))
    command = [sys.executable, str(program), "--voice", "{voice}", "{lang}"]
    settings = f"command = {json.dumps(command)}\nvoice = \"high\"\n{more}"
    return speaking_server(place, settings), asked, children


def heard_of(place, server, number, seconds):
    """Calls, listens until the server hangs up, and gives what was heard."""
    phone, rtp = Phone(place, server, "101"), Rtp(place, server.host)
    call = phone.invite(number, sip.description(server.host, rtp.port))
    call.answered()
    rtp.talk([], call.sound_at)
    call.hung_up(seconds)
    rtp.stop()
    return rtp.heard()


def lines(path):
    """The lines of a file that may not be there yet."""
    return path.read_text().splitlines() if path.exists() else []


@case
def a_program_speaks_and_is_asked_once(place):
    """Its tone of 500 Hz for 0.8 s is heard; the second time, and after a new start, from what is kept."""
    server, asked, _ = with_program(place)
    for _ in range(2):
        heard = heard_of(place, server, "81", 10)
        sound.expect_only_tone(heard, 500, (900, 1_200), 0.75, what="the spoken text")
        length = sound.seconds_of(sound.sounding(heard))
        assert length < 0.85, f"a text of 0.8 s sounds {length:.3f} s"
    server.stop()
    server.start()
    heard = heard_of(place, server, "81", 10)
    sound.expect_only_tone(heard, 500, (900, 1_200), 0.75, what="the text that was kept")
    assert lines(asked) == ["['--voice', 'low', 'en'] Your order 12 is ready."], lines(asked)


@case
def a_program_that_hangs_is_killed_in_time(place):
    """After two seconds the script goes on and the log tells its line; nothing of the program is left."""
    server, _, children = with_program(place, "timeout = 2")
    began = time.monotonic()
    heard = heard_of(place, server, "82", 15)
    took = time.monotonic() - began
    assert 2.0 < took < 6.0, f"the call took {took:.1f} s"
    sound.expect_only_tone(heard, 1_200, (500, 900), 0.5, what="what the script plays instead")
    server.says("told: timeout", "no sound came within 2 s")
    told = [line for line in server.log().splitlines() if "no sound came within 2 s" in line]
    assert len(told) == 1 and "main.lua:9" in told[0], told
    [child] = lines(children)
    until(lambda: not is_alive(int(child)), 3, "the end of the program's child")


def is_alive(process):
    """Whether a process runs; one that is dead and not yet buried does not."""
    try:
        with open(f"/proc/{process}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@case
def a_web_server_speaks(place):
    """It gets the text as JSON with the secret header, and its tone of 900 Hz is heard."""
    got = []
    tone = place.folder / "tone.wav"
    sound.write_wav(tone, sound.tone(900, 0.8, rate_hz=16_000), 16_000)

    class Speaker(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((self.path, self.headers["X-Key"], json.loads(body)))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(tone.read_bytes())

        def log_message(self, *_):
            """Says nothing."""

    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Speaker)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    try:
        key = place.folder / "key"
        key.write_text("s3cret\n")
        url = f"http://127.0.0.1:{web.server_address[1]}/say"
        server = speaking_server(place, f'url = "{url}"\nheaders = {{ X-Key = "file:{key}" }}')
        heard = heard_of(place, server, "81", 10)
        sound.expect_only_tone(heard, 900, (500, 1_200), 0.75, what="what the web server spoke")
    finally:
        web.shutdown()
    said = {"text": "Your order 12 is ready.", "lang": "en", "voice": "low"}
    assert got == [("/say", "s3cret", said)], got
    assert "s3cret" not in server.log(), "the log shows the key"
