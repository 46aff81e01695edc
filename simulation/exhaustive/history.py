"""One history of two requests: at each step, who goes on, and what becomes of their call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from simulation.asking import Asked, Attempt
from simulation.deployment import Invocation, deployed
from simulation.exhaustive.controller import (
    READ_FAULTS,
    STALE,
    WRITE_FAULTS,
    Asking,
    Late,
)
from simulation.exhaustive.stage import Place, Stage
from simulation.exhaustive.tables import ACCOUNT, Meeting, Pair, sweep_event
from simulation.loop import SECOND_US
from simulation.watch import Violation

MOST_TRIES = 8
INDEX: Place = ("", "due")


@dataclass(frozen=True, slots=True)
class Move:
    """What may happen next: a call becomes something, or a late write lands.

    `places` are the items it depends on, and `writes` is whether it may change them.
    """

    who: int
    number: int
    outcome: str
    places: frozenset[Place]
    writes: bool

    @property
    def is_fault(self) -> bool:
        """It counts as a fault."""
        return self.outcome not in ("ok", "land")

    @property
    def name(self) -> tuple[int, int, str]:
        """What tells it from all other moves of one history."""
        return self.who, self.number, self.outcome


class Asleep(Exception):  # noqa: N818 - no error: whatever follows was seen in another order
    """The rest of this history was seen before."""


@dataclass
class Client:
    """Somebody who asks until the answer is certain; without a request, the schedule."""

    index: int
    asked: Asked | None
    now_us: int
    attempt: Attempt | None = None
    sweep: Invocation | None = None
    asking: Asking | None = None
    calls: int = 0
    tries: int = 0
    is_fresh: bool = True
    is_done: bool = False

    def is_answered(self) -> bool:
        """What became of the request is certain; the sweep has done all that is due."""
        if self.attempt is not None:
            return 200 <= self.attempt.status < 500
        answer = None if self.sweep is None else self.sweep.answer
        return answer is not None and not answer["busy"] and not answer["broken"]


Choose = Callable[[list[Move]], int]


class History:
    """One history: the choices, the moves they chose, and whether each began or ended a try.

    A try begins with its first call: before it nobody can tell whether it was sent.
    """

    def __init__(self, pair: Pair) -> None:
        self.stage = Stage(pair.prepared())
        self.meeting: Meeting = pair.make(self.stage.prepared)
        self.choices: list[int] = []
        self.moves: list[Move] = []
        self.visible: list[bool] = []
        self.violations: list[Violation] = []
        self.clients = [
            Client(index, asked, self.stage.loop.now_us + index * pair.ahead_s * SECOND_US)
            for index, asked in enumerate(self.meeting.asked)
        ]
        self._marks_time = False

    def run(self, choose: Choose) -> None:
        """The history from its beginning to the last answer and the last late write.

        Raises: Asleep where `choose` does.
        """
        stage = self.stage
        asked = {id(each.asked): each.asked for each in self.clients if each.asked is not None}
        stage.asked += asked.values()
        with deployed(stage.deployment):
            stage.network.is_calm = False
            try:
                stage.step += 2
                for client in self.clients:
                    self._start(client)
                while moves := self._moves():
                    self._take(moves, choose(moves))
            finally:
                stage.network.is_calm = True
                self._leave()
            self._sweep()

    def _take(self, moves: list[Move], choice: int) -> None:
        move = moves[choice]
        self.choices.append(choice)
        self.moves.append(move)
        self._marks_time = False
        self.stage.step += 2
        if move.outcome == "land":
            self.stage.network.land(self._find_late(move))
        else:
            self._go_on(self.clients[move.who], move.outcome)
        self.visible.append(self._marks_time)

    # ---- Clients

    def _start(self, client: Client) -> None:
        stage = self.stage
        stage.loop.now_us = client.now_us
        client.tries += 1
        client.is_fresh = True
        if client.asked is None:
            client.sweep = stage.deployment.invoke("period_reset", sweep_event())
            stage.loop.run()
        else:
            client.attempt = stage.send(client.asked)
        self._settle(client)

    def _go_on(self, client: Client, outcome: str) -> None:
        asking, stage = client.asking, self.stage
        assert asking is not None
        if outcome == STALE:
            self.stage.network.lag.commits = self._behind(asking)
        stage.loop.now_us = client.now_us
        lates = len(stage.network.late)
        client.asking = None
        client.calls += 1
        if client.is_fresh and client.attempt is not None:
            client.attempt.sent_us = stage.moment_us()
        self._marks_time, client.is_fresh = client.is_fresh, False
        asking.task.switch(outcome)
        for late in stage.network.late[lates:]:
            late.client, late.number = client.index, client.calls
        stage.loop.run()
        self._settle(client)

    def _settle(self, client: Client) -> None:
        """The client waits for a call, asks again, or is done."""
        network = self.stage.network
        client.now_us = self.stage.loop.now_us
        if network.asking is not None:
            client.asking, network.asking = network.asking, None
            return
        self._marks_time = True
        self.stage.step += 1
        if client.attempt is not None:
            self.stage.end(client.attempt)
        if client.is_answered():
            client.is_done = True
        elif client.tries >= MOST_TRIES:
            client.is_done = True
            self.violations.append(Violation("I22", f"request {client.index}", "has no answer"))
        else:
            client.now_us += SECOND_US
            self._start(client)

    # ---- Moves

    def _moves(self) -> list[Move]:
        moves: list[Move] = []
        for client in self.clients:
            if client.asking is not None:
                moves += self._moves_of(client, client.asking)
        for late in self.stage.network.late:
            if self.stage.network.can_land(late):
                places = places_of(late.request)
                moves.append(Move(10 + late.client, late.number, "land", places, writes=True))
        return moves

    def _moves_of(self, client: Client, asking: Asking) -> list[Move]:
        places = places_of(asking.request)

        def move(outcome: str, *, touches: bool, writes: bool) -> Move:
            seen = places if touches else frozenset[Place]()
            return Move(client.index, client.calls, outcome, seen, writes=writes)

        moves = [move("ok", touches=True, writes=asking.is_write)]
        if asking.is_write:
            for outcome in WRITE_FAULTS:
                has_effect = outcome == "lost"
                moves.append(move(outcome, touches=has_effect, writes=has_effect))
            return moves
        moves += [move(outcome, touches=False, writes=False) for outcome in READ_FAULTS]
        if asking.is_weak and self._behind(asking):
            moves.append(move(STALE, touches=True, writes=False))
        return moves

    def _behind(self, asking: Asking) -> int:
        """How many commits ago the item, or the index, was not yet as it is."""
        touched = self.stage.touched
        if "Key" in asking.request:
            last = touched.get(place_of(asking.request["Key"]), 0)
        else:
            last = max((n for place, n in touched.items() if place[1] == "A"), default=0)
        return self.stage.store.commits - last + 1 if last else 0

    def _find_late(self, move: Move) -> Late:
        for late in self.stage.network.late:
            if (10 + late.client, late.number) == (move.who, move.number):
                return late
        raise AssertionError("a late write lands once")

    # ---- The end

    def _leave(self) -> None:
        """Nobody is left waiting; where the history was given up, they vanish."""
        for client in self.clients:
            if client.asking is not None:
                client.asking.task.throw()

    def _sweep(self) -> None:
        """What is due is swept once more, as the schedule does a few minutes later."""
        stage = self.stage
        stage.loop.now_us = max(client.now_us for client in self.clients)
        stage.step += 2
        invocation = stage.deployment.invoke("period_reset", sweep_event())
        stage.loop.run()
        answer = invocation.answer
        if answer is None or not answer["is_finished"] or answer["broken"] or answer["busy"]:
            what = f"{answer} {invocation.death}"
            self.violations.append(Violation("I22", f"sweep of {ACCOUNT}", what))
        stage.watch.blame_open(stage.loop.now())


def place_of(item: dict[str, dict[str, str]]) -> Place:
    """Where an item or a key lies."""
    return item["pk"]["S"], item["sk"]["S"]


def places_of(request: dict[str, dict[str, dict[str, str]]]) -> frozenset[Place]:
    """The items that a call is about; the index of what is due counts as one."""
    if "Key" in request:
        return frozenset({place_of(request["Key"])})
    if "TransactItems" not in request:
        return frozenset({INDEX})
    slots: list[dict[str, dict[str, dict[str, dict[str, str]]]]] = request["TransactItems"]  # type: ignore[assignment]  # pyright: ignore
    places = {place_of(slot["Put"]["Item"]) for slot in slots}
    return frozenset(places | ({INDEX} if any(sk == "A" for _, sk in places) else set()))
