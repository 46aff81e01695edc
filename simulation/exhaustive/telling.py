"""One history as a person reads it, and how it is run again."""

from __future__ import annotations

from collections.abc import Iterator

from simulation.exhaustive.history import History, Move
from simulation.exhaustive.judging import judge, serial_ends
from simulation.exhaustive.tables import Pair
from simulation.network import show_request
from simulation.watch import Violation


def command_of(pair: str, choices: tuple[int, ...]) -> str:
    """What runs the history again."""
    return f"make exhaustive PAIR={pair} CHOICES={','.join(map(str, choices))}"


def tell_history(pair: Pair, choices: tuple[int, ...]) -> tuple[str, list[Violation]]:
    """The history step by step, and what is wrong with it."""
    lines = [command_of(pair.name, choices)]
    serial_ends(pair.name)
    history = History(pair)
    given = iter(choices)

    def choose(moves: list[Move]) -> int:
        choice = next(given, 0)
        if choice >= len(moves):
            raise ValueError(f"choice {len(history.moves)} is {choice}, of {len(moves)} moves")
        lines.append("  " + show_move(history, moves[choice]))
        return choice

    history.run(choose)
    found = judge(pair, history)
    lines += _tell_answers(history)
    lines += [f"VIOLATION {violation}" for violation in found] or ["nothing is wrong"]
    return "\n".join(lines) + "\n", found


def show_move(history: History, move: Move) -> str:
    """One step."""
    if move.outcome == "land":
        places = " ".join("/".join(place) for place in sorted(move.places))
        return f"a late write lands: {places}"
    asking = history.clients[move.who].asking
    assert asking is not None, "who moves was waiting"
    return f"{move.who}: {asking.operation} {show_request(asking.request)} {move.outcome}"


def _tell_answers(history: History) -> Iterator[str]:
    for client in history.clients:
        if client.asked is not None:
            for attempt in client.asked.attempts:
                yield f"  {client.index}: {client.asked.route_key} {attempt.status} {attempt.body}"
