"""How the model writes amounts and moments: exact, and in its own way."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

MICRO = 1_000_000
PICO = 10**12


def micro(value: object) -> int:
    """The decimal in exact millionths."""
    exact = Fraction(str(value)) * MICRO
    assert exact.denominator == 1, f"{value} has more than six decimals"
    return exact.numerator


def credits(amount: int) -> Decimal:
    """Micro-credits as the API shows them."""
    return Decimal(amount).scaleb(-6)


def plain(amount: int) -> str:
    """Millionths as a request or a header writes them."""
    text = f"{credits(amount):.6f}".rstrip("0").rstrip(".")
    return text or "0"


def dollars(pico: int) -> str:
    """Billionths of a tenth of a cent, as an exact text."""
    text = f"{Decimal(pico).scaleb(-12):.12f}".rstrip("0").rstrip(".")
    return "0" if text in ("", "-0") else text


def up(amount: Fraction) -> int:
    """The next whole number: the one rounding there is."""
    return -(-amount.numerator // amount.denominator)


def show_time(at: int, zone: str = "UTC") -> str:
    """The moment on a wall clock of the zone."""
    moment = datetime.fromtimestamp(at // 1000, UTC).replace(microsecond=at % 1000 * 1000)
    return moment.astimezone(ZoneInfo(zone)).isoformat()
