"""What the state machine draws: zones, spans, amounts and runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction

from hypothesis import strategies as st

from tollkeeper.domain.account import Account
from tollkeeper.domain.pricing import Consumption, Priced, price_run, standing_now
from tollkeeper.domain.usage import Usage
from tollkeeper.domain.usage.pools import TokenPools

from .model import State
from .model_prices import Consumed, Prices, Standing
from .world import CATALOG, PAGE

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/Los_Angeles",
    "America/Santiago",  # its clocks go forward at midnight: some days begin at 01:00
    "Africa/Cairo",
    "Asia/Tokyo",
    "Pacific/Kiritimati",  # fourteen hours ahead, twenty-five from the next
    "Pacific/Pago_Pago",
]
STARTS = [
    datetime(2026, 11, 20, 12, 0, tzinfo=UTC),
    datetime(2028, 1, 31, 9, 30, tzinfo=UTC),
    datetime(2027, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC),
    datetime(2026, 3, 28, 22, 0, tzinfo=UTC),
]
AMOUNTS = st.one_of(st.integers(1, 12).map(lambda n: n * 1_000_000), st.integers(1, 9_999_999))
LASTING = st.one_of(
    st.integers(1, 90).map(lambda n: timedelta(minutes=n)),
    st.integers(1, 40).map(lambda n: timedelta(hours=n)),
    st.integers(1, 40).map(lambda n: timedelta(hours=n)),
    st.integers(1, 45).map(lambda n: timedelta(days=n)),
    st.integers(1, 240).map(lambda n: timedelta(days=n)),
    st.integers(1, 3000).map(lambda n: timedelta(milliseconds=n)),
)
SPANS = st.one_of(st.just(timedelta(0)), LASTING)
OPERATIONS = ["call", "video", "minute", "chat", "own"]


def price(operation: str, size: int, tokens: int) -> tuple[Priced, int, int]:
    """The run, what it must cost by hand, and what it counts."""
    quantity, usage, model = size * 1_000_000, None, None
    match operation:
        case "call":
            cost = size * 1_000_000
        case "video":
            cost = size * 7_000_000
        case "minute":
            quantity = size * 250_000
            cost = [83_334, 166_667, 250_000, 333_333][size - 1]
        case "chat":
            usage, model = Usage(TokenPools(input=tokens, output=size), None, None, ()), "gpt-4"
            cost = (tokens + size) * 60_000
        case _:
            cost = 0
    consumption = Consumption(
        operation, model, quantity_micro=None if usage else quantity, usage=usage
    )
    priced = price_run(consumption, CATALOG)
    assert priced.charged_microcredits == cost
    return priced, cost, 1 if operation in ("minute", "chat") else size


def price_pages(pages: int, account: Account, state: State) -> tuple[Priced, int, int]:
    """Pages for an account that has used some, what they must cost, and how many they are."""
    consumption = Consumption("page", quantity_micro=pages * 1_000_000)
    priced = price_run(consumption, CATALOG, standing_now(account))
    asked = Consumed("page", quantity=Fraction(pages))
    expected = Prices(PAGE).price(asked, Standing(state.plan, state.volume("page")))
    assert priced.charged_microcredits == expected.micro
    return priced, expected.micro, pages


def price_exact(cost: int) -> tuple[Priced, int, int]:
    """A run that costs just so much."""
    priced = price_run(Consumption("exact", quantity_micro=cost), CATALOG)
    assert priced.charged_microcredits == cost
    return priced, cost, 1
