"""Collects cases, runs several at a time, and prints one line for each."""

import concurrent.futures
import pathlib
import shutil
import sys
import threading
import time
import traceback

from .place import Place


class Skip(Exception):
    """Raised by a case that cannot run here; its text says why."""


_cases = []


def case(function):
    """Marks a function as a case; its name is the case's name, its first line what it shows."""
    _cases.append(function)
    return function


def name_of(function):
    """The name that `--only` takes."""
    return function.__name__.replace("_", "-")


def all_cases():
    """Every case, those that take longest first so that they overlap with the rest."""
    return sorted(_cases, key=lambda function: not getattr(function, "long", False))


def long(function):
    """Marks a case that mostly waits."""
    function.long = True
    return function


class Run:
    """One run over some cases."""

    def __init__(self, binary, logs, jobs):
        self.binary = binary
        self.logs = pathlib.Path(logs)
        self.jobs = jobs
        self.counts = {"passed": 0, "failed": 0, "skipped": 0}
        self._lock = threading.Lock()

    def all(self, cases):
        """Runs the cases and returns the exit code."""
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            list(pool.map(self._one, cases))
        counts = self.counts
        skipped = f", {counts['skipped']} skipped" if counts["skipped"] else ""
        print(f"{counts['passed']} passed, {counts['failed']} failed{skipped}", flush=True)
        return 1 if counts["failed"] or not counts["passed"] else 0

    def _one(self, function):
        folder = self.logs / name_of(function)
        folder.mkdir(parents=True)
        place = Place(self.binary, folder)
        started = time.monotonic()
        verdict, why = "passed", ""
        try:
            function(place)
        except Skip as skip:
            verdict, why = "skipped", str(skip)
        except Exception:  # noqa: BLE001 - whatever went wrong, it is this case's failure
            verdict, why = "failed", traceback.format_exc()
        try:
            place.close()
        except Exception:  # noqa: BLE001
            why = f"{why}\nand at the end:\n{traceback.format_exc(limit=0)}" if why else traceback.format_exc()
            verdict = "failed"
        seconds = time.monotonic() - started
        with self._lock:
            self.counts[verdict] += 1
            word = {"passed": "ok  ", "failed": "FAIL", "skipped": "skip"}[verdict]
            reason = f" ({why})" if verdict == "skipped" else ""
            print(f"{word} {name_of(function):34} {seconds:5.1f} s{reason}", flush=True)
            if verdict == "failed":
                self._explain(folder, why)
            else:
                shutil.rmtree(folder, ignore_errors=True)

    @staticmethod
    def _explain(folder, why):
        (folder / "failure.txt").write_text(why)
        lines = [line for line in why.rstrip().splitlines()]
        for line in lines[-12:]:
            print(f"       {line}", file=sys.stderr)
        for log in sorted(folder.glob("server*.log")):
            tail = log.read_text(errors="replace").splitlines()[-12:]
            print(f"       -- end of {log}", file=sys.stderr)
            for line in tail:
                print(f"       {line}", file=sys.stderr)
        sys.stderr.flush()
