"""What a process has used so far: processor time and memory."""

import pathlib


def cpu_seconds(pid):
    """Processor time of each thread so far, in seconds, as the scheduler counts it."""
    seconds = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            seconds[task.name] = int((task / "schedstat").read_text().split()[0]) / 1e9
        except FileNotFoundError:
            # It ended just now.
            continue
    return seconds


def rss_kib(pid):
    """Resident memory, in KiB."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise RuntimeError("no VmRSS")


def descriptors(pid):
    """Open files and sockets."""
    return len(list(pathlib.Path(f"/proc/{pid}/fd").iterdir()))


class Spent:
    """`with Spent(pid) as spent: ...`, then `spent.seconds` of processor time."""

    def __init__(self, pid):
        self.pid = pid
        self.seconds = 0.0

    def __enter__(self):
        self.before = cpu_seconds(self.pid)
        return self

    def __exit__(self, *fault):
        if fault[0] is None:
            # A thread that ended meanwhile read prompts, which is not what is measured.
            for thread, seconds in cpu_seconds(self.pid).items():
                self.seconds += seconds - self.before.get(thread, 0.0)
