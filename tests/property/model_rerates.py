"""Charges that are priced anew, done to the model's account."""

from __future__ import annotations

from typing import Any

from .model_credits import draw, unspend
from .model_state import State


def _rerate(state: State, index: int, price: int, *, uncollected: int) -> None:
    """The run has cost `price`: what was too much is back, what was too little is taken.

    `uncollected` of its first price was never paid, and is not asked for again.
    """
    run = state.runs[index]
    assert not run.returned, "a charge is priced anew once"
    run.returned, debt = True, state.debt
    more = price - run.credits - uncollected
    if price < run.credits:
        amount = run.credits - price
        run.back = amount
        state.backs.append((state.today, index, "rerate", amount))
        draws, grant = unspend(state, run, amount)
        delta = amount
    else:
        draws, missing = draw(state, max(0, more))
        owed = missing if state.rule().above == "debt" else min(missing, state.credit_left())
        state.overdrawn += owed
        grant, delta = None, missing - owed - max(0, more)
        state.backs.append((state.today, index, "rerate", delta))
        state.mores.append((state.today, len(state.periods), -delta))
    state.post(
        "rerate",
        delta,
        debt=debt,
        run=index,
        draws=draws,
        grant=grant,
        uncollected=price - run.credits + delta - uncollected,
    )


RERATES: dict[str, Any] = {"rerate": _rerate}
