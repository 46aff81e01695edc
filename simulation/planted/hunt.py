"""How soon the storm finds a planted bug."""

from __future__ import annotations

from dataclasses import dataclass

from simulation.planted.answers import BUGS as ANSWERS
from simulation.planted.bug import Bug, planted
from simulation.planted.gate import BUGS as GATE
from simulation.planted.holds import BUGS as HOLDS
from simulation.planted.keys import BUGS as KEYS
from simulation.planted.money import BUGS as MONEY
from simulation.planted.money_back import IN_STORMS as MONEY_BACK
from simulation.planted.payments import BUGS as PAYMENTS
from simulation.planted.prices import BUGS as PRICES
from simulation.planted.rerates import BUGS as RERATES
from simulation.planted.subscriptions import BUGS as SUBSCRIPTIONS
from simulation.planted.top_ups import BUGS as TOP_UPS
from simulation.planted.writing import BUGS as WRITING
from simulation.storm import run_seed

BUGS: tuple[Bug, ...] = (
    *KEYS,
    *ANSWERS,
    *WRITING,
    *MONEY,
    *PAYMENTS,
    *MONEY_BACK,
    *SUBSCRIPTIONS,
    *TOP_UPS,
    *HOLDS,
    *GATE,
    *PRICES,
    *RERATES,
)
MOST_SEEDS = 200


@dataclass(frozen=True, slots=True)
class Hunted:
    """The first seed whose storm broke a rule, and which; None where none did."""

    bug: Bug
    seed: int | None
    rule: str = ""
    what: str = ""


def hunt(bug: Bug, *, seeds: int = MOST_SEEDS, likely: int | None = None) -> Hunted:
    """The first storm that finds the bug, or the likely one of them, which is tried before all."""
    order = range(1, seeds + 1)
    for seed in order if likely is None or likely > seeds else (likely, *order):
        with planted(bug):
            found = run_seed(seed).violations
        if found:
            return Hunted(bug, seed, found[0].rule, str(found[0]))
    return Hunted(bug, None)
