"""`db` of scripts: what outlives what, what waits for what, and files that are in no good state."""

import concurrent.futures
import resource
import signal
import sqlite3
import threading

from kit import sip, sound
from kit.asking import exchange
from kit.case import case
from kit.phone import Phone
from kit.place import until
from kit.rtp import Rtp

# Runs whatever it is told to.
TRIES = """
webhook("/db", function(request)
  local wish = request:json()
  local run = wish.query and db.query or db.execute
  local ok, told = pcall(run, wish.query or wish.execute, table.unpack(wish.values or {}))
  if ok then return { json = { told = told } } end
  return { json = { problem = told } }
end)
route("1", function(call) call:answer() call:play("tone:700:2.5") call:hangup() end)
route("2", function(call)
  db.query("SELECT * FROM missing")
  call:reject(486)
end)
"""
# Without an end.
SLOW = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) AS most FROM n"


def rows(asking, query, *values):
    """What a query gives."""
    told = asking.post("/db", {"query": query, "values": values})
    assert "problem" not in told, told
    return list(told["told"])


def problem(asking, **wish):
    """Why something cannot be done."""
    told = asking.post("/db", wish)
    assert "problem" in told, told
    return told["problem"]


def change(asking, sql, *values):
    """Changes something."""
    told = asking.post("/db", {"execute": sql, "values": values})
    assert "problem" not in told, told


@case
def values_outlive_a_restart_and_a_power_cut(place):
    """What is written stays, whoever writes at the same time; values are values, never SQL."""
    server, asking = exchange(place, TRIES)
    odd = "x'); DROP TABLE visits; --"
    change(asking, "CREATE TABLE visits (who TEXT PRIMARY KEY, times INTEGER)")
    change(asking, "INSERT INTO visits VALUES (?, 0)", odd)
    add = {"execute": "UPDATE visits SET times = times + 1 WHERE who = ?", "values": [odd]}
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda _: asking.post("/db", add)["told"]["changes"], range(40)))
    assert told == [1] * 40, told
    wanted = [{"who": odd, "times": 40}]
    assert rows(asking, "SELECT * FROM visits") == wanted
    modes = {file.name: oct(file.stat().st_mode & 0o777) for file in server.data.glob("*.db*")}
    assert set(modes.values()) == {"0o600"} and "scripts.db" in modes, modes
    assert server.stop() == 0
    server.start()
    assert rows(asking, "SELECT * FROM visits") == wanted
    server.kill()
    server.start()
    assert rows(asking, "SELECT * FROM visits") == wanted
    assert "0 values are needed, 1" in problem(asking, query="SELECT '?'", values=["a"])
    assert "not for scripts" in problem(asking, execute="ATTACH '/etc/passwd' AS other")
    assert "no statement" in problem(asking, query="")
    # Nobody catches it: the caller is refused, and the log has the line.
    Phone(place, server, "101").invite("2").expect(500)
    until(lambda: "main.lua:11: db.query: no such table: missing" in server.log(), 2, "the line")


@case
def a_slow_query_holds_up_nobody_elses_sound(place):
    """A query without an end is stopped and named with its line; an announcement plays on without a gap."""
    server, asking = exchange(place, TRIES)
    told = []
    rtp = Rtp(place)
    call = Phone(place, server, "101").invite("1", sip.description(server.host, rtp.port))
    call.answered()
    rtp.talk([], call.sound_at)
    slow = threading.Thread(target=lambda: told.append(problem(asking, query=SLOW)))
    slow.start()
    call.hung_up(8)
    rtp.stop()
    slow.join(8)
    assert told and "took longer than 2 seconds" in told[0], told
    sound.expect_only_tone(rtp.heard(), 700, (440,), 2.4, what="the announcement beside a slow query")
    until(lambda: "slow query" in server.log(), 2, "naming it")
    [line] = [line for line in server.log().splitlines() if "slow query" in line]
    assert "WITH RECURSIVE" in line and "script=scripts/main.lua:5" in line, line


@case
def a_database_in_no_good_state_is_told(place):
    """Locked, no database, a folder in its place, a full disk: told each time, and it heals by itself."""
    server, asking = exchange(place, TRIES)
    change(asking, "CREATE TABLE t (a)")
    path = server.data / "scripts.db"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    assert "locked by another program" in problem(asking, execute="INSERT INTO t VALUES (1)")
    assert rows(asking, "SELECT a FROM t") == [], "reading needs no lock"
    other.execute("ROLLBACK")
    other.close()
    change(asking, "INSERT INTO t VALUES (1)")
    assert server.stop() == 0

    kept = path.read_bytes()
    path.write_bytes(b"this is no database, " * 1_000)
    server.start()
    for _ in range(2):
        assert "scripts.db cannot be opened: file is not a database" in problem(asking, query="SELECT 1")
    path.unlink()
    path.mkdir()
    assert "scripts.db cannot be opened" in problem(asking, query="SELECT 1")
    path.rmdir()
    path.write_bytes(kept)
    assert rows(asking, "SELECT a FROM t") == [{"a": 1}]
    assert server.stop() == 0

    def no_more_room():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

    server.before_start = no_more_room
    server.start()
    blob = {"execute": "INSERT INTO t VALUES (hex(zeroblob(?)))", "values": [100_000]}
    told = [asking.post("/db", blob).get("problem", "") for _ in range(3)]
    assert "disk" in told[-1], told
    assert rows(asking, "SELECT count(*) AS n FROM t")[0]["n"] >= 1
    Phone(place, server, "101").invite("2").expect(500)
