"""Two requests at once: whatever the order of their calls, and wherever one fails, no rule breaks.

Here with one fault, for the pairs that meet on the same rows; `make exhaustive` has all of them and
two faults.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simulation.deployment import ENVIRONMENT, prepare_process
from simulation.exhaustive import search
from simulation.exhaustive.controller import Controller, Late
from simulation.exhaustive.history import History
from simulation.exhaustive.judging import end_of
from simulation.exhaustive.pairs import pairs
from simulation.exhaustive.search import Search
from simulation.exhaustive.tables import Pair
from simulation.exhaustive.telling import command_of, tell_history
from simulation.planted.bug import planted
from simulation.planted.hunt import BUGS
from simulation.watch import Violation
from tests.support.forgetting import forget
from tollkeeper.edge.observability import logger

PAIRS = pairs()
# One or two of each kind in which a hold, a limit or a budget meets something else.
OF_HOLDS = (
    "hold+hold",
    "hold+limits",
    "settle+part",
    "settle+release",
    "part+part",
    "release+extend",
    "above+spend",
    "fund+spend",
    "fund+close",
    "hold-within+close",
    "settle+itself",
    "late:settle+release",
    "ended:settle+sweep",
    "edge:part+release",
    "ahead:extend+settle",
)
# One or two of each kind in which a price depends on what was used, or is not final.
OF_PRICES = (
    "page+page",
    "page+settle-pages",
    "page+unpage",
    "part-of-pages+part-of-pages",
    "rerate+rerate",
    "rerate+undo",
    "rerate+give-back",
    "rerate+itself",
)


def _is_small(name: str, pair: Pair) -> bool:
    """It meets on the same rows; the others take four times as long."""
    if pair.table not in ("quiet", "due") or name == "checkout+checkout":
        return name in (*OF_HOLDS, *OF_PRICES)
    return (
        len(set(name.split("+"))) == 1
        or name.endswith(("+again", "+second", "+unpaid", "+failed", "+dear"))
        or name in ("deduct+void", "deduct+adjust", "deduct+plan", "deduct+sweep", "deduct+other")
    )


SMALL = [name for name, pair in PAIRS.items() if _is_small(name, pair)]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a history sets for its process is gone after it."""
    level = logger().log_level
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    prepare_process(is_quiet=True)
    yield
    logger().setLevel(level)
    forget()


@pytest.mark.parametrize("pair", SMALL)
def test_no_order_of_two_requests_and_one_fault_breaks_a_rule(pair: str) -> None:
    counted = Search(PAIRS[pair], most_faults=1).run()

    assert counted.failed is None, command_of(pair, counted.failed or ())
    assert counted.histories > 80, "each call has its turn to fail"


@pytest.mark.parametrize(
    ("bug", "pair", "most_faults"),
    [
        ("read, then write", "deduct+grant", 0),
        ("no floor", "deduct+deduct", 0),
        ("no mark of a return", "void+refund", 0),
        ("blind sweep", "deduct+sweep", 0),
        ("event alone", "paid+second", 0),
        ("blind purchase", "paid+unpaid", 0),
        ("any body", "deduct+other", 0),
        ("insufficient before applied", "deduct+deduct", 1),
        ("refusal on a weak read", "grant+dear", 1),
        ("lost means done", "deduct+grant", 1),
        ("grant, then paid", "paid+again", 1),
        ("key after effect", "deduct+again", 1),
        ("part closes all", "part+part", 0),
        ("settle after release", "settle+release", 0),
        ("release after expiry", "ended:release+sweep", 0),
        ("ends without a row", "ended:settle+sweep", 0),
        ("limit without holds", "hold+limits", 0),
        ("edit forgets", "limits+spend", 0),
        ("one side only", "fund+close", 0),
        ("budget's rest expires", "fund+close", 0),
        ("endless allowance", "page+page", 0),
        ("void keeps volume", "page+unpage", 0),
        ("rerate again", "rerate+rerate", 0),
        ("rerate beside a void", "rerate+undo", 0),
        ("waits for ever", "rerate+give-back", 0),
    ],
)
def test_the_search_finds_the_planted_bug(bug: str, pair: str, most_faults: int) -> None:
    search.serial_ends(pair)
    with planted(next(each for each in BUGS if each.name == bug)):
        counted = Search(PAIRS[pair], most_faults=most_faults).run()
        assert counted.failed is not None
        _, found = tell_history(PAIRS[pair], counted.failed)

    assert found == counted.violations, "the command shows the same"


def test_leaving_out_what_was_seen_in_another_order_leaves_out_no_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def search_ends(ends: set[object]) -> int:
        own = search.judge

        def judge(pair: Pair, history: History) -> list[Violation]:
            tries = tuple(client.tries for client in history.clients)
            ends.add((end_of(history), tries))
            return own(pair, history)

        with monkeypatch.context() as patched:
            patched.setattr(search, "judge", judge)
            return Search(PAIRS["grant+dear"], most_faults=1).run().histories

    few: set[object] = set()
    every: set[object] = set()
    fewer = search_ends(few)

    def none_sleep(_: search.Node) -> dict[object, object]:
        return {}

    def always(_: Controller, late: Late) -> bool:
        return not late.has_landed

    monkeypatch.setattr(search.Node, "sleeping_after", none_sleep)
    monkeypatch.setattr(Controller, "can_land", always)
    more = search_ends(every)

    assert few == every
    assert fewer < more


def test_a_history_is_told_step_by_step() -> None:
    told, found = tell_history(PAIRS["deduct+void"], (0, 1, 0))

    assert not found
    assert told.startswith("make exhaustive PAIR=deduct+void CHOICES=0,1,0\n")
    assert "0: get_item A#ada/A weak ok" in told
    assert told.endswith("nothing is wrong\n")
