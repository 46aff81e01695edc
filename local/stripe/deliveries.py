"""Deliveries: each event is sent, signed, until the endpoint took it; in order or not.

A queue knows what is due and what became of it. It has no clock and no network of its own; its
entries are JSON, so that a file can keep them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from random import Random

from local.stripe.state import Object
from tollkeeper.edge.stripe_signature import sign

# What an endpoint answers: a status and a body.
Post = Callable[[dict[str, str], bytes], tuple[int, bytes]]

LATE_S = 20
MOST_TRIES = 16
LONGEST_PAUSE_S = 60
WORKERS = 4


class Manner(StrEnum):
    """How events reach the endpoint. Stripe itself promises none of the first."""

    IN_ORDER = "in_order"
    TWICE = "twice"
    SHUFFLED = "shuffled"
    AT_ONCE = "at_once"
    LATE = "late"


@dataclass(kw_only=True)
class Entry:
    """One event on its way. Units: `due` in seconds since 1970. `status` is the last answer's."""

    number: int
    event: Object
    due: int
    tries: int = 0
    status: int = 0
    said: str = ""
    is_done: bool = False

    @property
    def is_waiting(self) -> bool:
        """It is still to be sent."""
        return not self.is_done


@dataclass(kw_only=True)
class Queue:
    """Every entry, in the order in which they are to be sent, numbered from 1 on.

    `touched` are the numbers of what changed since somebody last looked at it and emptied it.
    """

    entries: list[Entry] = field(default_factory=list[Entry])
    manner: Manner = Manner.IN_ORDER
    shuffles: int = 0
    count: int = 0
    touched: set[int] = field(default_factory=set[int], repr=False, compare=False)

    def add(self, events: Sequence[Object], now: int) -> None:
        """The events wait to be sent in the queue's manner."""
        found = list(events)
        if self.manner is Manner.TWICE:
            found = [event for event in found for _ in range(2)]
        if self.manner in (Manner.SHUFFLED, Manner.AT_ONCE):
            self.shuffles += 1
            # Why: a number beside the queue, so that the same trouble comes again.
            Random(self.shuffles).shuffle(found)
        late = LATE_S if self.manner is Manner.LATE else 0
        for event in found:
            self.count += 1
            self.entries.append(Entry(number=self.count, event=event, due=now + late))
            self.touched.add(self.count)

    def due(self, now: int) -> list[Entry]:
        """What is to be sent now."""
        return [each for each in self.entries if each.is_waiting and each.due <= now]

    def note(self, entry: Entry, status: int, said: str, now: int) -> None:
        """What the endpoint answered; what is no 2xx is sent again, a bounded number of times."""
        entry.tries += 1
        entry.status, entry.said = status, said[:300]
        entry.is_done = 200 <= status < 300 or entry.tries >= MOST_TRIES
        entry.due = now + min(2**entry.tries, LONGEST_PAUSE_S)
        self.touched.add(entry.number)

    def forget(self, keep: int) -> None:
        """Only so many of those that are done are still there."""
        done = [each for each in self.entries if each.is_done]
        gone = {each.number for each in done[: max(0, len(done) - keep)]}
        self.touched |= gone
        self.entries = [each for each in self.entries if each.number not in gone]


def send(event: Object, post: Post, *, secret: str, at: datetime | None = None) -> tuple[int, str]:
    """The endpoint's answer to one event, signed at that moment; 0 where it could not answer."""
    raw = json.dumps(event, separators=(",", ":")).encode()
    header = sign(raw, secret=secret, at=at or datetime.now(UTC))
    try:
        status, answer = post({"Stripe-Signature": header}, raw)
    except OSError as error:
        return 0, f"{type(error).__name__}: {error}"
    return status, answer.decode(errors="replace")


def deliver_due(queue: Queue, post: Post, *, secret: str, now: int) -> int:
    """Everything that is due was sent once, one after the other or all at once; how many."""
    due = queue.due(now)

    def send_one(entry: Entry) -> tuple[int, str]:
        return send(entry.event, post, secret=secret)

    if queue.manner is Manner.AT_ONCE:
        with ThreadPoolExecutor(WORKERS) as pool:
            answers = list(pool.map(send_one, due))
    else:
        answers = [send_one(each) for each in due]
    for entry, (status, said) in zip(due, answers, strict=True):
        queue.note(entry, status, said, now)
    return len(due)
