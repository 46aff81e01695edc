"""Every history of a pair: a depth-first search that runs each from its beginning.

Histories that differ only in the order of steps which do not depend on each other are run once:
sleep sets (Godefroid, 1990). Two steps depend on each other if they are of one client, if both are
faults (they share the number that is allowed), if one may write an item that the other touches, or
if one begins or ends a try (judges compare that moment with when things were written).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from simulation.exhaustive.history import Asleep, History, Move
from simulation.exhaustive.judging import judge, serial_ends
from simulation.exhaustive.tables import Pair
from simulation.watch import Violation

Name = tuple[int, int, str]


@dataclass
class Counted:
    """What the search of one pair came to. `given_up` are histories seen in another order."""

    pair: str
    histories: int = 0
    given_up: int = 0
    steps: int = 0
    faults: Counter[str] = field(default_factory=Counter[str])
    failed: tuple[int, ...] | None = None
    violations: list[Violation] = field(default_factory=list[Violation])


@dataclass
class Node:
    """A point of choice: its moves, those that are asleep, and the one that is tried now."""

    moves: list[Move]
    asleep: dict[Name, tuple[Move, bool]]
    may_fail: bool
    only_first: bool = False
    chosen: int = 0
    visible: dict[int, bool] = field(default_factory=dict[int, bool])

    def sleeping_after(self) -> dict[Name, tuple[Move, bool]]:
        """What need not be tried after the chosen move, because it was tried before it."""
        tried = [(self.moves[n], seen) for n, seen in self.visible.items() if n != self.chosen]
        chosen, ends = self.moves[self.chosen], self.visible[self.chosen]
        return {
            move.name: (move, seen)
            for move, seen in (*self.asleep.values(), *tried)
            if not depend(move, chosen, ends=seen or ends)
        }

    def next(self, start: int) -> int | None:
        """The first move from there on that is awake and allowed."""
        for number in range(start, len(self.moves)):
            move = self.moves[number]
            is_allowed = (self.may_fail or not move.is_fault) and not (self.only_first and move.who)
            if is_allowed and move.name not in self.asleep:
                return number
        return None


def depend(one: Move, other: Move, *, ends: bool) -> bool:
    """The order of the two may matter."""
    if one.who == other.who or (one.is_fault and other.is_fault):
        return True
    if ends and (one.writes or other.writes):
        return True
    return (one.writes or other.writes) and not one.places.isdisjoint(other.places)


class Search:
    """The histories of one pair with up to so many faults."""

    def __init__(self, pair: Pair, *, most_faults: int) -> None:
        self._pair = pair
        self._most_faults = most_faults
        self._nodes: list[Node] = []
        self._depth = 0
        # Now, because a history uses the table of the one before it.
        serial_ends(pair.name)
        self.counted = Counted(pair.name)

    def run(self) -> Counted:
        """All of them, up to the first that breaks a rule."""
        while True:
            self._run_one()
            if self.counted.failed is not None or not self._go_back():
                return self.counted

    def _run_one(self) -> None:
        history = History(self._pair)
        self._depth = 0
        try:
            history.run(lambda moves: self._choose(history, moves))
        except Asleep:
            self._note(history)
            self.counted.given_up += 1
            return
        self._note(history)
        counted = self.counted
        counted.histories += 1
        counted.steps += len(history.moves)
        counted.faults.update(move.outcome for move in history.moves if move.is_fault)
        found = judge(self._pair, history)
        if found:
            counted.failed, counted.violations = tuple(history.choices), found

    def _note(self, history: History) -> None:
        """Which of the moves began or ended a try is known once they were taken."""
        for node, ends in zip(self._nodes, history.visible, strict=False):
            node.visible[node.chosen] = ends

    def _choose(self, history: History, moves: list[Move]) -> int:
        depth = self._depth
        self._depth += 1
        if depth < len(self._nodes):
            node = self._nodes[depth]
            assert [m.name for m in node.moves] == [m.name for m in moves], "it repeats"
            return node.chosen
        asleep: dict[Name, tuple[Move, bool]] = {}
        if depth:
            last = self._nodes[-1]
            last.visible[last.chosen] = history.visible[-1]
            asleep = last.sleeping_after()
        faults = sum(move.is_fault for move in history.moves)
        node = Node(moves, asleep, may_fail=faults < self._most_faults)
        node.only_first = self._pair.is_even and not depth
        first = node.next(0)
        if first is None:
            raise Asleep
        node.chosen = first
        self._nodes.append(node)
        return first

    def _go_back(self) -> bool:
        while self._nodes:
            node = self._nodes[-1]
            following = node.next(node.chosen + 1)
            if following is not None:
                node.chosen = following
                return True
            self._nodes.pop()
        return False
