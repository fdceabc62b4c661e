"""`http` of scripts against web servers, good and bad: what the script gets, what the log says, and what
a caller hears meanwhile."""

import json
import socket
import threading
import time

from kit import sip, sound
from kit.asking import exchange
from kit.case import case
from kit.phone import Phone
from kit.place import until
from kit.rtp import Rtp
from kit.web import Identity, Web, raw_server, say

# Asks whatever it is told to, and tells what came of it.
TRIES = """
webhook("/try", function(request)
  local answer, why, advice = http.request(request:json())
  if not answer then return { json = { why = why, advice = advice } } end
  local value, problem = answer:json()
  return { json = {
    status = answer.status, ok = answer.ok, body = answer.body, value = value, problem = problem,
    header = answer.headers["X-Told"],
  } }
end)
"""


def chunked_without_end(request):
    """Sends for ever."""
    request.send_response(200)
    request.send_header("Transfer-Encoding", "chunked")
    request.end_headers()
    while True:
        request.wfile.write(b"1000\r\n" + b"x" * 4_096 + b"\r\n")


def broken_off(request):
    """Promises more than it sends."""
    request.send_response(200)
    request.send_header("Content-Length", "100")
    request.end_headers()
    request.wfile.write(b"abc")
    request.close_connection = True


def dripping(request):
    """A byte now and then."""
    request.send_response(200)
    request.send_header("Content-Length", "1000")
    request.end_headers()
    for _ in range(1_000):
        request.wfile.write(b"x")
        request.wfile.flush()
        time.sleep(0.02)


def closing(request):
    """Closes the connection after its answer, and does not say so before."""
    say(request, 200, "once")
    request.close_connection = True


@case
def scripts_ask_servers_good_and_bad(place):
    """Each answer, and each way to have none, is told to the script as the reference says."""
    web = Web(place, {
        "/ok": lambda r: say(r, 200, '{"name":"Ann"}', [("x-told", "yes")]),
        "/echo": lambda r: say(r, 200, json.dumps([r.command, r.path, r.body.decode(), r.headers["Content-Type"]])),
        "/broken-json": lambda r: say(r, 200, '{"name":'),
        "/to": lambda r: say(r, 302, "", [("Location", "/ok")]),
        "/loop": lambda r: say(r, 302, "", [("Location", "/loop")]),
        "/no": lambda r: say(r, 404, "none"),
        "/endless": chunked_without_end,
        "/big": lambda r: say(r, 200, "x" * 600_000),
        "/broken-off": broken_off,
        "/drip": dripping,
        "/headers": lambda r: say(r, 200, "x", [(f"X-{n}", "y") for n in range(200)]),
    })
    bare = {
        "broken": [b"SSH-2.0-OpenSSH_9.9\r\n", b"", b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"],
        "old": [b"HTTP/1.0 200 OK\r\n\r\nold"],
    }
    ports = {why: [raw_server(place, answer) for answer in answers] for why, answers in bare.items()}
    deaf = socket.create_server(("127.0.0.1", 0))
    place.on_close(deaf.close)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = unused.getsockname()[1]
    local = [closed, deaf.getsockname()[1], *ports["broken"], *ports["old"]]
    allow = [f"{web.url}/", "http://no-such-host.invalid/", *[f"http://127.0.0.1:{port}/" for port in local]]
    _, asking = exchange(place, TRIES, allow)

    def heard(url, **wish):
        return asking.post("/try", {"method": "GET", "url": url, **wish})

    ok = heard(f"{web.url}/ok")
    assert (ok["status"], ok["ok"], ok["value"], ok["header"]) == (200, True, {"name": "Ann"}, "yes"), ok
    assert heard(f"{web.url}/to") == ok
    assert heard(f"{web.url}/to", redirects=0)["status"] == 302
    assert heard(f"{web.url}/echo", method="POST", json={"a": [1]}, query={"q": "é &"})["value"] == [
        "POST", "/echo?q=%C3%A9%20%26", '{"a":[1]}', "application/json"]
    form = heard(f"{web.url}/echo", method="PUT", form={"b": "1 +"})["value"]
    assert form == ["PUT", "/echo", "b=1%20%2B", "application/x-www-form-urlencoded"], form
    broken = heard(f"{web.url}/broken-json")
    assert "value" not in broken and "EOF" in broken["problem"], broken
    missing = heard(f"{web.url}/no")
    assert (missing["status"], missing["ok"], missing["body"]) == (404, False, "none"), missing
    connections = web.connections
    assert heard(f"{web.url}/ok") == ok and web.connections == connections, "connections are kept"
    assert heard(f"http://127.0.0.1:{ports['old'][0]}/")["body"] == "old"
    for path, wish, why in [
        ("/loop", {}, "too many redirects"), ("/endless", {}, "too large"), ("/big", {}, "too large"),
        ("/broken-off", {}, "broken"), ("/drip", {"timeout": 0.3}, "timeout"), ("/headers", {}, "broken"),
    ]:
        assert heard(f"{web.url}{path}", **wish) == {"why": why}, path
    for port in ports["broken"]:
        assert heard(f"http://127.0.0.1:{port}/") == {"why": "broken"}
    assert heard(f"http://127.0.0.1:{closed}/") == {"why": "refused"}
    assert heard(f"http://127.0.0.1:{deaf.getsockname()[1]}/", timeout=0.3) == {"why": "timeout"}
    assert heard("http://no-such-host.invalid/", timeout=5)["why"] in ("no such host", "timeout")


@case
def idle_connections_that_were_closed_are_no_trouble(place):
    """A server that closes its connections without saying so: each request gets there, once."""
    web = Web(place, {"/": closing})
    _, asking = exchange(place, TRIES, [f"{web.url}/"])
    for count in range(1, 11):
        answer = asking.post("/try", {"method": "POST", "url": f"{web.url}/", "body": "x"})
        assert answer["body"] == "once", answer
        # What is on its way while a connection is closed is lost, and nobody can know whether it was read.
        until(lambda: web.closed == count, 5, "closing the connection")
    assert len(web.asked) == 10, web.asked


@case
def what_is_not_allowed_is_not_asked(place):
    """Names and numbers that lead inside, redirects there, and whatever nobody allowed; advice in the log."""
    inside = Web(place, {"/": lambda r: say(r, 200, "secret")})
    # Everything is allowed on this port, but only what is named may be inside.
    there = {
        "/name": f"http://localhost:{inside.port}/",
        "/number": f"http://127.0.0.1:{inside.port}/",
        "/mapped": f"http://[::ffff:127.0.0.1]:{inside.port}/",
        "/metadata": "http://169.254.169.254/latest/meta-data/",
    }
    outside = Web(place, {
        path: lambda r, to=to: say(r, 302, "", [("Location", to)]) for path, to in there.items()
    })
    allow = [f"{outside.url}/", f"http://*:{inside.port}/", "http://*/"]
    server, asking = exchange(place, TRIES, allow)
    hosts = ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "0", "[::1]", "[::ffff:127.0.0.1]", "[::]"]
    urls = [f"http://{host}:{inside.port}/" for host in hosts] + [outside.url + path for path in there]
    urls += ["http://169.254.169.254/", "http://10.0.0.1/", "http://[fe80::1]/", "http://[64:ff9b::7f00:1]/"]
    for url in urls:
        told = asking.post("/try", {"method": "GET", "url": url})
        # Some of these names are none to some resolvers.
        assert told["why"] in ("not allowed", "no such host"), f"{url}: {told}"
        if told["why"] == "not allowed":
            assert "leads into a private network" in told["advice"], told
    told = asking.post("/try", {"method": "GET", "url": "https://crm.example.org/x?key=1"})
    assert told == {
        "why": "not allowed",
        "advice": 'add "https://crm.example.org/" to `allow` in [http] of cordboard.toml',
    }
    assert inside.asked == [] and inside.connections == 0, "somebody inside was asked"
    until(lambda: 'add "https://crm.example.org/" to `allow`' in server.log(), 2, "the advice")
    assert "key=1" not in server.log()


@case
def tls_is_trusted_by_its_authority(place):
    """`ca` has the authority of one's own; whom nobody trusts is named with the reason."""
    authority = Identity(place, "authority", names=None)
    pages = {"/": lambda r: say(r, 200, "secure")}
    good = Web(place, pages, identity=Identity(place, "good", signed_by=authority))
    other = Web(place, pages, identity=Identity(place, "other", signed_by=authority, names="DNS:b.example"))
    unknown = Web(place, pages, identity=Identity(place, "unknown", signed_by=Identity(place, "nobody")))
    own = Identity(place, "own")
    itself = Web(place, pages, identity=own)
    plain = Web(place, pages)
    both = place.folder / "both.pem"
    both.write_bytes(authority.certificate.read_bytes() + own.certificate.read_bytes())
    without_tls = f"https://127.0.0.1:{plain.port}"
    named = [web.url + "/" for web in (good, other, unknown, itself)]
    allow = [*named, without_tls + "/", f"https://localhost:{good.port}/"]
    server, asking = exchange(place, TRIES, allow, http=f'ca = "{both}"')

    def heard(url):
        return asking.post("/try", {"method": "GET", "url": f"{url}/"})

    assert heard(good.url)["body"] == "secure"
    assert heard(f"https://localhost:{good.port}")["body"] == "secure"
    for url, part in [
        (other.url, "the certificate of another host"), (unknown.url, "nobody known has signed"),
        (itself.url, "CA:FALSE"), (without_tls, "does not speak TLS"),
    ]:
        told = heard(url)
        assert told["why"] == "not trusted" and part in told["advice"] and url in told["advice"], told
        until(lambda: f"{url} " in server.log(), 2, "naming each, though one line asks all of them")


@case
def a_caller_hears_on_while_a_script_asks(place):
    """Music without a gap while a server takes its time; who hangs up cuts the request off."""
    began, gone = threading.Event(), threading.Event()

    def for_ever(request):
        began.set()
        # Nothing more comes but the end of the connection.
        if request.rfile.read(1) == b"":
            gone.set()

    def later(request):
        time.sleep(1.5)
        say(request, 200, "late")

    web = Web(place, {"/for-ever": for_ever, "/later": later})
    scripts = f"""
route("1", function(call) http.get("{web.url}/for-ever", {{ timeout = 60 }}) call:reject(486) end)
route("2", function(call)
  call:answer()
  local tone = spawn(function() call:play("tone:700:30") end)
  local answer = http.get("{web.url}/later")
  tone:cancel()
  if answer.body == "late" then call:hangup() end
end)
"""
    server, _ = exchange(place, scripts, [f"{web.url}/"])
    call = Phone(place, server, "101").invite("1")
    assert began.wait(5), "the server was not asked"
    call.cancel()
    call.expect(487)
    assert gone.wait(5), "nobody waits for the answer, but the request goes on"
    rtp = Rtp(place)
    call = Phone(place, server, "102").invite("2", sip.description(server.host, rtp.port))
    call.answered()
    rtp.talk([], call.sound_at)
    call.hung_up(8)
    rtp.stop()
    sound.expect_only_tone(rtp.heard(), 700, (440,), 1.3, what="what the caller hears meanwhile")
    # An exchange that stops does not wait for anybody's answer.
    began.clear()
    call = Phone(place, server, "103").invite("1")
    assert began.wait(5)
    assert server.stop(3) == 0
    until(lambda: "closed" in server.log(), 2, "the end")
