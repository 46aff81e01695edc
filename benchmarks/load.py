"""Many at once: what each got, how long it took, how much of it there was a second."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from benchmarks.report import percentile

BUSY = 503
Ask = Callable[[int], int]
"""Sends the worker's request of that number; the status of the answer."""


@dataclass(kw_only=True)
class Load:
    """What a number of workers got out in a time."""

    seconds: float
    latencies_ms: list[float] = field(default_factory=list[float])
    statuses: Counter[int] = field(default_factory=Counter[int])

    @property
    def done_per_s(self) -> float:
        """Requests that succeeded, a second."""
        return self.statuses[200] / self.seconds


def drive(workers: Sequence[Ask], *, seconds: float) -> Load:
    """What the workers got, each sending one request after the other.

    A request that is answered 503 is sent again under the same number, as a client should.
    """
    results: list[list[tuple[float, int]]] = [[] for _ in workers]
    start = threading.Barrier(len(workers) + 1)
    ends_at: list[float] = []

    def work(ask: Ask, kept: list[tuple[float, int]]) -> None:
        number = 0
        start.wait()
        while (began := time.perf_counter()) < ends_at[0]:
            status = ask(number)
            kept.append((time.perf_counter() - began, status))
            number += status != BUSY

    threads = [
        threading.Thread(target=work, args=pair, daemon=True)
        for pair in zip(workers, results, strict=True)
    ]
    for thread in threads:
        thread.start()
    began = time.perf_counter()
    ends_at.append(began + seconds)
    start.wait()
    for thread in threads:
        thread.join()
    load = Load(seconds=time.perf_counter() - began)
    for took_s, status in (pair for kept in results for pair in kept):
        load.latencies_ms.append(took_s * 1000)
        load.statuses[status] += 1
    unexpected = set(load.statuses) - {200, BUSY}
    assert not unexpected, f"answers that nobody expects: {unexpected}"
    return load


def shown_busy(loads: Sequence[Load]) -> str:
    """The share of all answers that asked to come again, as a cell. Units: percent."""
    answers = sum(load.statuses.total() for load in loads)
    return f"{100 * sum(load.statuses[BUSY] for load in loads) / answers:.1f}"


def shown_latencies(loads: Sequence[Load]) -> tuple[str, str]:
    """The median and the 99th percentile over all of them, as cells. Units: milliseconds."""
    latencies = [each for load in loads for each in load.latencies_ms]
    return f"{percentile(latencies, 0.5):.1f}", f"{percentile(latencies, 0.99):.1f}"
