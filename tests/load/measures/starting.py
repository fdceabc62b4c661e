"""From the start of the process to its first answer."""

import statistics


def restarts(server, repeats):
    """Milliseconds of that many starts of a server that runs."""
    took = []
    for _ in range(repeats):
        server.stop()
        took.append(server.start() * 1_000)
    return took


def start_to_first_answer(office, repeats=9):
    """Median and worst, in milliseconds, with 10 and with 10,000 accounts."""
    for count in (10, 10_000):
        server = office.server(accounts=count)
        took = restarts(server, repeats)
        server.close()
        yield (
            f"start to first answer, {count:,} accounts",
            f"{statistics.median(took):.0f} ms",
            f"worst {max(took):.0f} ms of {repeats}",
        )
