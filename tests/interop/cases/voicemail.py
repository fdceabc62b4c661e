"""Leaving messages and listening to them, and what a power cut or a full disk leaves."""

import json
import random
import resource
import signal
import sqlite3
import time

from kit import sip, sound
from kit.case import case, long
from kit.phone import Phone
from kit.place import until
from kit.rtp import Rtp

PIN = "4711"


class Talker:
    """A phone in a call, speaking a tone."""

    def __init__(self, place, server, number, says_hz=440, user="101"):
        self.phone = Phone(place, server, user)
        self.rtp = Rtp(place, server.host)
        self.call = self.phone.invite(number, sip.description(server.host, self.rtp.port))
        self.call.answered(10)
        self.rtp.talk(sound.tone(says_hz, 1) if says_hz else [], self.call.sound_at)

    def press(self, digits):
        """Presses keys; returns once they are out."""
        self.rtp.press(digits)
        self.rtp.pressed()

    def wait_for_end(self, seconds=12):
        """The other side hangs up."""
        self.call.hung_up(seconds)
        self.rtp.stop()

    def hang_up(self):
        """We hang up."""
        self.call.hang_up()
        self.rtp.stop()


def messages(place, server, mailbox="102"):
    """What `cordboard mailbox list` shows."""
    code, said = place.run("list", [*server.command("mailbox", "list", mailbox), "--json"])
    assert code == 0, said
    return json.loads(said)


def exported(place, server, mailbox="102"):
    """The sound of each message that `cordboard mailbox export` writes."""
    folder = place.folder / "exported"
    code, said = place.run("export", [*server.command("mailbox", "export", mailbox), "--to", folder])
    assert code == 0, said
    return [sound.read_wav(path)[0] for path in sorted(folder.glob("*.wav"))]


def check_integrity(server):
    """The database is whole, and holds no sound that belongs to nothing."""
    with sqlite3.connect(server.data / "cordboard.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        orphans = database.execute(
            "SELECT count(*) FROM chunk WHERE sound NOT IN (SELECT sound FROM message)"
            " AND sound NOT IN (SELECT sound FROM draft)"
            " AND sound NOT IN (SELECT greeting FROM mailbox WHERE greeting IS NOT NULL)"
        ).fetchone()[0]
        assert orphans == 0, f"{orphans} pieces of sound belong to nothing"


def leave_message(place, server, seconds, says_hz=440, mailbox="102"):
    """101 calls a phone that is not there, skips the greeting, speaks, ends with #."""
    talker = Talker(place, server, mailbox, says_hz)
    time.sleep(0.5)
    # Any key goes straight to the beep.
    talker.press("1")
    time.sleep(seconds)
    talker.press("#")
    talker.wait_for_end()
    return talker


@case
def message_is_left_and_heard(place):
    """Left by # with its caller and sound; heard with the PIN; deleted; gone."""
    server = place.server()
    leave_message(place, server, 4)
    [message] = messages(place, server)
    assert message["caller"] == "101" and message["caller_name"] == "Phone 101", message
    assert 2.5 < message["seconds"] < 4.6, message
    assert not message["heard"]
    [samples] = exported(place, server)
    sound.expect_only_tone(samples, 440, (700, 1_000), 2.3, what="the message")

    owner = Talker(place, server, "*97", says_hz=None, user="102")
    time.sleep(1)
    owner.press(PIN + "#")
    time.sleep(3)
    owner.press("1")
    # When it came and from whom is said before it.
    time.sleep(14)
    owner.press("7")
    time.sleep(2)
    owner.press("#")
    owner.wait_for_end()
    seconds = sound.seconds_of_tone(owner.rtp.heard(), 440)
    spoken = sound.seconds_of_tone(samples, 440)
    assert abs(seconds - spoken) < 0.3, f"the owner heard {seconds} s of {spoken} s"
    until(lambda: messages(place, server) == [], 3, "the deletion")
    check_integrity(server)


@case
def wrong_pin_opens_nothing(place):
    """Three wrong PINs end the call; the message is not heard."""
    server = place.server()
    leave_message(place, server, 3)
    thief = Talker(place, server, "*98", says_hz=None, user="103")
    time.sleep(1)
    thief.press("102#")
    for _ in range(3):
        time.sleep(2.5)
        thief.press("0000#")
    thief.wait_for_end(15)
    assert sound.seconds_of_tone(thief.rtp.heard(), 440) == 0
    assert [message["heard"] for message in messages(place, server)] == [False]


@case
def hanging_up_keeps_the_message(place):
    """A caller who hangs up without # has left a message all the same."""
    server = place.server()
    talker = Talker(place, server, "102")
    time.sleep(0.5)
    talker.press("1")
    time.sleep(3)
    talker.hang_up()
    [message] = until(lambda: messages(place, server), 3, "the message")
    assert 2 < message["seconds"] < 3.6, message


@long
@case
def power_cuts_during_recordings(place):
    """SIGKILL at seeded moments of a recording: after each start the message is there up to about its
    last second, those before it are untouched, and the database is whole."""
    server = place.server()
    seeded = random.Random(2543)
    spoken = []
    for round_ in range(6):
        talker = Talker(place, server, "102")
        time.sleep(0.5)
        talker.press("1")
        began = time.monotonic()
        time.sleep(seeded.uniform(2.2, 4.5))
        server.kill()
        spoken.append(time.monotonic() - began)
        talker.rtp.stop()
        talker.phone.close()
        took = server.start()
        assert took < 2, f"the start after a power cut took {took:.1f} s"
        check_integrity(server)
        kept = sorted(messages(place, server), key=lambda message: message["received"])
        assert len(kept) == round_ + 1, f"{len(kept)} messages after {round_ + 1} power cuts"
        for message, seconds in zip(kept, spoken):
            # The beep takes some of the time since the key.
            assert seconds - 2.2 < message["seconds"] <= seconds + 0.1, (
                f"{message['seconds']} s are kept of what was spoken for {seconds:.2f} s less the beep"
            )
    for samples in exported(place, server):
        sound.expect_only_tone(samples, 440, (1_000,), 0.5, what="a message cut off")


@long
@case
def power_cuts_at_any_moment(place):
    """SIGKILL from the first ring to the moment after #: what was confirmed stays, bindings too, and
    every start is quick and finds the database whole."""
    server = place.server()
    seeded = random.Random(3261)
    owner = Phone(place, server, "103")
    kept = set()
    for round_ in range(12):
        owner.register()
        # The answer comes before the disk has it, by at most the time in which writes gather.
        time.sleep(0.2)
        talker = Talker(place, server, "102")
        time.sleep(0.3)
        talker.press("1")
        if round_ % 2:
            time.sleep(seeded.uniform(1.2, 2.2))
            talker.press("#")
            time.sleep(seeded.uniform(0, 0.3))
        else:
            time.sleep(seeded.uniform(0, 4))
        server.kill()
        talker.rtp.stop()
        talker.phone.close()
        took = server.start()
        assert took < 2, f"the start after a power cut took {took:.1f} s"
        check_integrity(server)
        found = {message["number"] for message in messages(place, server)}
        assert kept <= found, f"messages {kept - found} are lost"
        kept = found
        with sqlite3.connect(server.data / "cordboard.db") as database:
            bound = database.execute("SELECT count(*) FROM binding WHERE account = '103'").fetchone()[0]
            assert bound == 1, f"{bound} bindings of 103"
    assert len(kept) >= 6, f"only {len(kept)} of 12 messages were kept"


@case
def full_disk_is_told_and_calls_go_on(place):
    """No room for a message: said once in the log, the caller is told, other calls go on."""

    def small_disk():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))

    server = place.unstarted_server()
    server.before_start = small_disk
    server.start()
    first = Talker(place, server, "102")
    time.sleep(0.5)
    first.press("1")
    until(lambda: "ERROR" in server.log(), 15, "the fault")
    # Told before the greeting; nothing to end with #.
    Talker(place, server, "103", user="102").wait_for_end()
    first.press("#")
    first.wait_for_end()
    echo = Talker(place, server, "600")
    time.sleep(0.5)
    echo.hang_up()
    assert messages(place, server) == [] and messages(place, server, "103") == []
    faults, mended = (server.log().count(words) for words in ("cannot be used", "can be written again"))
    assert faults <= mended + 1, f"the fault was told {faults} times"
