"""What goes into a price beside the run, and what an answer says of a run."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.property.model import Held, State, from_moment
from tests.property.model_prices import Standing

from .amounts import credits, dollars
from .pricelist import BUDGET, Price, PriceList


def read_moment(text: str | None) -> int | None:
    """The moment that a request names."""
    return None if text is None else from_moment(datetime.fromisoformat(text))


def stand(prices: PriceList, state: State, operation: str, held: Held | None = None) -> Standing:
    """What of the account goes into the price of the operation, of a part of a hold maybe."""
    feature = prices.operations.get(operation, {}).get("feature", operation)
    is_first = held is None or not held.parts
    return Standing(state.plan.removeprefix(BUDGET), state.volume(feature), is_first)


def moment_of(body: dict[str, Any], at: int) -> int:
    """The moment whose rates apply: when it occurred, where the request says so."""
    return at if body.get("occurred_at") is None else read_moment(body["occurred_at"]) or at


def show_run(price: Price, state: State, *, is_failed: bool) -> dict[str, Any]:
    """What the answer to a deduct says of the run."""
    warnings = [*price.warnings]
    if state.available() <= state.low_line():
        warnings.append("low_balance")
    shown = {
        "charged": credits(price.cost),
        "cost_usd": None if price.pico is None else dollars(price.pico),
        "warnings": [] if is_failed else warnings,
    }
    lines = [] if is_failed else [price.line]
    return shown if price.is_booked else shown | {"breakdown": lines}
