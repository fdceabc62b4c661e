"""`webhook` and `schedule`: other programs that make something happen, and time that does."""

import concurrent.futures
import json
import threading

from kit import ports, sound
from kit.asking import TOKEN, exchange
from kit.case import case
from kit.phone import Phone
from kit.place import until

ANSWERS = """
webhook("/echo", { methods = { "GET", "POST" } }, function(request)
  return { status = 201, headers = { ["X-Told"] = "yes" }, json = {
    request.method, request.query.a or false, request.body, request.headers["X-Room"] or false,
    request.headers.Authorization or false,
  } }
end)
webhook("/open", { public = true }, function() return "hello" end)
webhook("/nothing", function() end)
webhook("/fails", function() error("a secret detail") end)
webhook("/odd", function() return { status = 99 } end)
webhook("/loops", function() while true do end end)
webhook("/sleeps", function() sleep(0.3) return "rested" end)
route("5", function(call) call:reject(486) end)
"""


@case
def webhooks_answer_programs(place):
    """Token, methods, paths, limits, and scripts that fail: each its status, and nothing from inside."""
    server, asking = exchange(place, ANSWERS)
    room = {"X-Room": "7"}
    status, headers, body = asking.ask("POST", "/echo?a=b%20c", "hi", headers=room)
    assert (status, headers["X-Told"]) == (201, "yes") and headers["Content-Type"] == "application/json"
    assert json.loads(body) == ["POST", "b c", "hi", "7", False], body
    assert asking.ask("POST", "/nothing")[::2] == (204, b"")
    for method, path, token, wanted in [
        ("GET", "/echo", TOKEN, 201), ("PUT", "/echo", TOKEN, 405), ("POST", "/other", TOKEN, 404),
        ("POST", "/echo/", TOKEN, 404), ("POST", "/echo", None, 401), ("POST", "/echo", TOKEN[:-1], 401),
        ("POST", "/other", None, 401), ("POST", "/open", None, 200), ("GET", "/open", None, 401),
    ]:
        assert asking.status(method, path, token=token) == wanted, f"{method} {path}"
    assert asking.ask("PUT", "/echo")[1]["Allow"] == "GET, POST"
    assert asking.ask("POST", "/echo", token=None)[1]["WWW-Authenticate"] == "Bearer"
    for path in ("/fails", "/odd", "/loops"):
        status, _, body = asking.ask("POST", path)
        assert (status, body) == (500, b"the script failed\n"), f"{path}: {status} {body}"
    server.says("main.lua:10: a secret detail", "main.lua:11: webhook: the answer cannot", "main.lua:12:")
    server.says("webhook /loops")
    assert asking.status("POST", "/open", "x" * 262_144) == 200
    assert asking.status("POST", "/open", "x" * 262_145) == 413
    assert asking.status("POST", "/open", "x" * 2_000_000) == 413, "who still sends must hear it, too"
    many = b"".join(b"X-%d: y\r\n" % number for number in range(100))
    for garbage, wanted in [
        (b"INVITE sip:5 SIP/2.0\r\n\r\n", b"HTTP/1.1 400"),
        (b"POST /open HTTP/1.1\r\n" + many + b"\r\n", b"HTTP/1.1 431"),
        (b"POST /open HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", b"HTTP/1.1 400"),
        (b"POST /open HTTP/1.1\r\nX: " + b"y" * 100_000, b"HTTP/1.1 431"),
    ]:
        heard = asking.raw(garbage)
        assert heard.startswith(wanted), f"{garbage[:40]}: {heard[:80]}"
    assert TOKEN not in server.log()
    Phone(place, server, "101").invite("5").expect(486)


@case
def webhooks_are_off_unless_configured(place):
    """No `listen`, no socket; a `listen` without a token is a mistake."""
    server = place.server(scripts=ANSWERS, extra="[http]\n")
    assert "other programs" not in server.log()
    port = ports.free()
    wrong = place.unstarted_server(scripts=ANSWERS, extra=f'[http]\nlisten = "127.0.0.1:{port}"\n')
    code, said = place.run("check", wrong.command("check"), seconds=20)
    assert code == 1 and "[http] has no `token`" in said, said
    # Where they are heard is told; another token counts from a reload, another address does not.
    server, asking = exchange(place, ANSWERS)
    code, said = place.run("status", server.command("status"))
    assert f"http 127.0.0.1:{asking.port}" in said, said
    config = server.config.read_text().replace(TOKEN, "another-token-of-the-cases")
    server.config.write_text(config)
    assert asking.status("POST", "/nothing") == 204
    code, said = place.run("reload", server.command("reload"))
    assert code == 0 and "next start" not in said, said
    assert asking.status("POST", "/nothing") == 401
    assert asking.status("POST", "/nothing", token="another-token-of-the-cases") == 204
    assert "another-token" not in server.log() + said
    server.config.write_text(config.replace(f":{asking.port}", f":{ports.free()}"))
    code, said = place.run("reload", server.command("reload"))
    assert code == 0 and "`http.listen` changed; that counts from the next start" in said, said
    assert asking.status("POST", "/nothing", token="another-token-of-the-cases") == 204


@case
def nobody_is_kept_out_of_webhooks(place):
    """More connections than there is room for, silent or slow: whoever asks is answered at once."""
    server, asking = exchange(place, ANSWERS)
    heads = [b"", b"POST /open HTTP/1.1\r\n", b"POST /open HTTP/1.1\r\nContent-Length: 9\r\n\r\n."]
    silent = [asking.connect() for _ in range(150)]
    for number, connection in enumerate(silent):
        place.on_close(connection.close)
        try:
            connection.sendall(heads[number % len(heads)])
        except OSError:
            # Those who came first must leave first.
            continue
    for _ in range(5):
        assert asking.status("POST", "/open", seconds=5) == 200
    # More than may be answered at one time: they wait, and none is lost.
    with concurrent.futures.ThreadPoolExecutor(100) as pool:
        told = list(pool.map(lambda _: asking.status("POST", "/sleeps", seconds=20), range(100)))
    assert told == [200] * 100, {one: told.count(one) for one in told}
    Phone(place, server, "101").invite("5").expect(486)


CALLS = """
webhook("/click", function(request)
  local wish = request:json()
  pbx.originate {
    to = "ext/" .. wish.from, timeout = 10, wait = false,
    run = function(call) call:dial("ext/" .. wish.to, { timeout = 10 }) end,
  }
  return { status = 202, json = { calling = wish.from } }
end)
webhook("/reach", function(request)
  local leg = pbx.originate { to = "ext/" .. request:json(), timeout = 2, run = function() end }
  return { json = leg.status }
end)
-- Whoever calls is joined with somebody whom the script calls.
route("7", function(call)
  call:answer()
  local leg = pbx.originate { to = "ext/102", timeout = 10 }
  if leg.status == "ANSWERED" then call:bridge(leg) end
end)
"""


def waiting_phone(place, server, user, tone_hz, *arguments):
    """A phone on the command line that is registered and answers; its recording is `USER.wav`."""
    process = place.start(
        user,
        server.command(
            "call", "--as", user, "--register", "--answer", "--wait", 20, "--tone", tone_hz,
            "--record", place.folder / f"{user}.wav", *arguments,
        ),
    )
    until(lambda: "registered" in place.said(user), 8, "registering")
    return process


def expect_tones(place, name, other_hz, own_hz):
    """Fails unless this recording has the other's tone alone."""
    samples, rate_hz = sound.read_wav(place.folder / f"{name}.wav")
    sound.expect_only_tone(samples, other_hz, (own_hz,), 1.5, rate_hz, f"what {name} heard")


@case
def a_click_calls_two_phones(place):
    """A webhook rings one phone and joins it with another; a route joins its caller with whom it rings."""
    server, asking = exchange(place, CALLS)
    phones = [
        waiting_phone(place, server, "101", 440, "--hangup-after", 2),
        waiting_phone(place, server, "102", 1_000),
    ]
    status, _, body = asking.ask("POST", "/click", json.dumps({"from": "101", "to": "102"}))
    assert (status, json.loads(body)) == (202, {"calling": "101"})
    assert [phone.wait(15) for phone in phones] == [0, 0]
    expect_tones(place, "101", 1_000, 440)
    expect_tones(place, "102", 440, 1_000)
    assert asking.post("/reach", "103") == "CHANUNAVAIL"
    busy = Phone(place, server, "103")
    busy.register()
    reached = []
    asker = threading.Thread(target=lambda: reached.append(asking.post("/reach", "103")))
    asker.start()
    busy.accept(busy.expect("INVITE")).reply(486, "Busy Here")
    asker.join(10)
    assert reached == ["BUSY"], reached

    phone = waiting_phone(place, server, "102", 1_000)
    arguments = ["7", "--as", "101", "--tone", 440, "--record", place.folder / "calling.wav"]
    code, said = place.run("calling", server.command("call", *arguments, "--hangup-after", 2))
    assert code == 0 and phone.wait(10) == 0, said
    expect_tones(place, "calling", 1_000, 440)
    expect_tones(place, "102", 440, 1_000)


TICKS = """
local generation = "$NAME"
schedule({ every = 1 }, function() log.info("tick", generation, shared.add("ticks", 1)) end)
schedule({ every = 1 }, function() error("no good") end)
schedule({ every = 1 }, function() sleep(3600) end)
route("5", print)
"""


@case
def schedules_keep_time_over_a_reload(place):
    """Functions at their times: those of older scripts stop, what is shared stays, failures are counted."""
    server = place.server(scripts=TICKS.replace("$NAME", "one"))
    until(lambda: "tick one 2" in server.log(), 5, "two ticks")
    (server.folder / "scripts/main.lua").write_text(TICKS.replace("$NAME", "two"))
    code, said = place.run("reload", server.command("reload"))
    assert code == 0, said
    until(lambda: server.log().count("tick two") >= 2, 5, "two ticks of the new scripts")
    ticks = [line.split("tick ")[1].split()[:2] for line in server.log().splitlines() if " tick " in line]
    generations = [name for name, _ in ticks]
    assert generations == sorted(generations), f"old and new scripts tick in turns: {ticks}"
    assert [int(number) for _, number in ticks] == list(range(1, len(ticks) + 1)), ticks
    # Told once, though it happened every time.
    server.says("no good", "the run before has not ended")
    assert server.log().count("no good") == 1, server.log()
    assert server.log().count("the run before has not ended") == 1, server.log()
    assert server.stop() == 0
