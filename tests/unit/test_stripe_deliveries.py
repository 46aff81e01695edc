"""Deliveries of the simulated Stripe: when, how often and in which order events are sent."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from local.stripe.deliveries import MOST_TRIES, Manner, Queue, deliver_due, send
from local.stripe.keeping import Keeper

NOW = 1_795_000_000
EVENTS = [{"id": f"evt_{number}", "type": "charge.succeeded"} for number in range(8)]


class Endpoint:
    """An endpoint that answers as it is told."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.received: list[str] = []

    def __call__(self, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """The answer to one event."""
        assert headers["Stripe-Signature"].startswith("t=")
        self.received.append(json.loads(body)["id"])
        return (self.statuses.pop(0) if self.statuses else 200), b""


def run(queue: Queue, endpoint: Endpoint, now: int = NOW) -> int:
    """What is due is sent."""
    return deliver_due(queue, endpoint, secret="whsec_1", now=now)


def ids() -> list[str]:
    """Every event's id, as they were made."""
    return [str(event["id"]) for event in EVENTS]


def test_events_are_sent_once_and_in_order() -> None:
    queue, endpoint = Queue(), Endpoint()
    queue.add(EVENTS, NOW)

    assert (run(queue, endpoint), run(queue, endpoint)) == (8, 0)
    assert endpoint.received == ids()


def test_each_event_is_sent_twice() -> None:
    queue, endpoint = Queue(manner=Manner.TWICE), Endpoint()
    queue.add(EVENTS, NOW)

    run(queue, endpoint)

    assert Counter(endpoint.received) == dict.fromkeys(ids(), 2)


@pytest.mark.parametrize("manner", [Manner.SHUFFLED, Manner.AT_ONCE])
def test_the_order_is_another_one_and_nothing_is_lost(manner: Manner) -> None:
    queue, endpoint = Queue(manner=manner), Endpoint()
    queue.add(EVENTS, NOW)

    run(queue, endpoint)

    assert sorted(endpoint.received) == ids()
    assert [each.event["id"] for each in queue.entries] != ids()


def test_late_events_are_not_due_before() -> None:
    queue, endpoint = Queue(manner=Manner.LATE), Endpoint()
    queue.add(EVENTS, NOW)

    assert (run(queue, endpoint, NOW + 19), run(queue, endpoint, NOW + 20)) == (0, 8)


def test_what_is_not_taken_is_sent_again_later_and_in_the_end_given_up() -> None:
    queue, endpoint = Queue(), Endpoint(503, 500, 200)
    queue.add(EVENTS[:1], NOW)

    assert [run(queue, endpoint, NOW + second) for second in (0, 1, 2, 5, 6, 9)] == [
        *(1, 0, 1, 0, 1, 0)
    ]
    assert (queue.entries[0].tries, queue.entries[0].is_done) == (3, True)

    never: Any = Endpoint(*[503] * 99)
    queue.add(EVENTS[1:2], NOW)
    for day in range(99):
        run(queue, never, NOW + day * 86_400)
    assert len(never.received) == MOST_TRIES
    assert not any(each.is_waiting for each in queue.entries)


def test_an_endpoint_that_is_not_there_is_asked_again() -> None:
    def nobody(_headers: dict[str, str], _body: bytes) -> tuple[int, bytes]:
        raise ConnectionRefusedError("nobody")

    status, said = send(dict(EVENTS[0]), nobody, secret="whsec_1")

    assert (status, said) == (0, "ConnectionRefusedError: nobody")


def test_a_queue_is_kept_and_only_the_last_of_what_is_done(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path / "stripe.db", log=lambda _: None)
    state, queue = keeper.load()
    queue.manner = Manner.TWICE
    queue.add(EVENTS, NOW)
    keeper.save(state, queue)
    run(queue, Endpoint())
    queue.add(EVENTS[:1], NOW)
    queue.forget(3)
    keeper.save(state, queue)
    keeper.close()

    again = Keeper(tmp_path / "stripe.db", log=lambda _: None)
    kept_state, kept = again.load()
    again.close()

    assert (kept, kept_state) == (queue, state)
    assert [each.is_done for each in kept.entries] == [True] * 3 + [False] * 2
